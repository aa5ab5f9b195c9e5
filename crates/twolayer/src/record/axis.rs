//! The axes of recorded arrays.

/// An axis of a recorded array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Independent runs of a view, R.
    Replicate,
    /// Recorded entries, T, entry 0 before the first step.
    Time,
    /// The same once more.
    OtherTime,
    /// The steps after each entry but the last, T − 1.
    Interval,
    /// Neurons, p.
    Neuron,
    /// The same once more.
    OtherNeuron,
    /// Directions of the target, k.
    Direction,
    /// Levels of `record.crossings`, C.
    Crossing,
    /// Hermite degrees of a series, 0 … K.
    Degree,
    /// Steps after which a readout was made, S.
    ReadoutStep,
    /// Numbers of samples of a readout, N.
    ReadoutSamples,
    /// Ridge values, L.
    Ridge,
}

impl Axis {
    /// Its name in manifests; of two equal axes of an array the second has another.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// Its length in the documentation.
    pub fn letter(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Replicate => ("replicate", "R"),
            Self::Time => ("time", "T"),
            Self::OtherTime => ("time2", "T"),
            Self::Interval => ("interval", "T−1"),
            Self::Neuron => ("neuron", "p"),
            Self::OtherNeuron => ("neuron2", "p"),
            Self::Direction => ("direction", "k"),
            Self::Crossing => ("crossing", "C"),
            Self::Degree => ("degree", "K+1"),
            Self::ReadoutStep => ("readout_step", "S"),
            Self::ReadoutSamples => ("readout_samples", "N"),
            Self::Ridge => ("ridge", "L"),
        }
    }
}
