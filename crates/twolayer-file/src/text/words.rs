//! Words of the experiment file whose meaning is made up of more than a choice of the library's, or that only the file
//! knows. Those that are a choice of the library's are in `twolayer::problem`.

use twolayer::words;

/// The limit theory that the scaling gives, whichever it is.
pub const AUTO: &str = "auto";

/// d, where there is none but the limit.
pub const INFINITE: &str = "infinite";

words! {
    /// The law of the first layer.
    pub enum FirstLayerKind default Sphere {
        Gaussian = "gaussian": "rows N(0, I/d)",
        Sphere = "sphere": "unit rows, uniform on the sphere",
        Orthonormal = "orthonormal": "unit rows, mutually orthogonal and orthogonal to the target",
    }
}

words! {
    /// The law of the second layer.
    pub enum SecondLayerInit default Ones {
        Ones = "ones": "1",
        Alternating = "alternating": "+ − + −…",
        Signs = "signs": "±1 with equal chance",
        Gaussian = "gaussian": "N(0, 1)",
        Uniform = "uniform": "uniform on [−1, 1]",
        Grid = "grid": "a_i = −1 + (2i+1)/p",
        Nodes = "nodes": "quadrature nodes on [−1, 1] with weights, for the single-index view",
    }
}

words! {
    /// The law of the biases.
    pub enum BiasLaw default None {
        None = "none": "no biases",
        Zero = "zero": "0",
        Gaussian = "gaussian": "N(0, 1)",
        Uniform = "uniform": "uniform on [−1, 1]",
    }
}

words! {
    /// How much of Q is kept.
    pub enum KeptQ default Auto {
        Auto = "auto": "all of it for p ≤ 64, else its diagonal",
        Full = "full": "all of it",
        Diagonal = "diagonal": "its diagonal",
        None = "none": "nothing",
    }
}

words! {
    /// What crosses a level; `cosine:2` is the cosine with z2.
    pub enum CrossingQuantity {
        Risk = "risk": "the population risk",
        Cosine = "cosine": "the largest |cosine| over neurons and directions",
    }
}

words! {
    /// The horizontal axis of a figure, where it is no swept key.
    pub enum FigureAxis {
        Time = "time": "t = νηs",
        Step = "step": "ν",
        Samples = "samples": "distinct samples seen",
    }
}

words! {
    /// The directions along which overlaps are drawn, where they are no vectors.
    pub enum FigureDirections default Axes {
        Axes = "axes": "z1 … zk",
        Stairs = "stairs": "C_1, then what comes next",
    }
}

words! {
    /// What a figure draws.
    pub enum Quantity default Risk {
        Risk = "risk": "½E(f−g)²",
        TwiceRisk = "2*risk": "E(f−g)², as papers plot it",
        Overlap = "overlap": "M_jr",
        Cosine = "cosine": "M_jr/√(Q_jj P_rr)",
        TrainingRisk = "training_risk": "½ mean (f−y)² on the training set",
        Crossing = "crossing": "when levels were crossed",
        Scatter = "scatter": "neurons in the plane of the first two cosines, one panel per time",
        Histogram = "histogram": "the distribution of the neurons' cosines, one panel per time",
        Cloud = "cloud": "the second layer against the cosine with the first direction, one panel per time",
        Plateau = "plateau": "how long the risk stood on its longest plateau, against a swept key or view by view",
        HalfTime = "half_time": "when half of each Hermite degree was learnt, in single-index flows",
        Gradient = "gradient": "the gradients of the first layer in the plane of the first two directions, one panel per step",
        Readout = "readout": "the test error of `[readout]`, against its samples or the step",
        Spectrum = "spectrum": "the eigenvalues of the covariance of the features, one panel per time",
    }
}

impl Quantity {
    /// Whether it has a panel for each moment, and no axis of time.
    pub fn has_panels(self) -> bool {
        match self {
            Self::Scatter | Self::Histogram | Self::Cloud | Self::Gradient | Self::Spectrum => true,
            Self::Risk | Self::TwiceRisk | Self::Overlap | Self::Cosine | Self::TrainingRisk => false,
            Self::Crossing | Self::Plateau | Self::HalfTime | Self::Readout => false,
        }
    }

    /// Whether it is one number of a run, and not one at each time: it is drawn against a swept key, or view by view.
    pub fn is_of_run(self) -> bool {
        match self {
            Self::Crossing | Self::Plateau | Self::HalfTime => true,
            Self::Risk | Self::TwiceRisk | Self::Overlap | Self::Cosine | Self::TrainingRisk | Self::Readout => false,
            Self::Scatter | Self::Histogram | Self::Cloud | Self::Gradient | Self::Spectrum => false,
        }
    }
}

words! {
    /// The scale of an axis.
    pub enum Scale {
        Linear = "linear": "linear",
        Log = "log": "logarithmic",
    }
}

#[cfg(test)]
mod tests {
    use twolayer::problem::Word;

    use super::*;

    /// What leaves the program, letter by letter.
    #[test]
    fn words_and_defaults_are_those_of_the_contract() {
        fn words<T: Word>() -> (Vec<&'static str>, Option<&'static str>) {
            (T::WORDS.iter().map(|(word, _)| *word).collect(), T::DEFAULT)
        }
        assert_eq!(words::<FirstLayerKind>(), (vec!["gaussian", "sphere", "orthonormal"], Some("sphere")));
        let inits = vec!["ones", "alternating", "signs", "gaussian", "uniform", "grid", "nodes"];
        assert_eq!(words::<SecondLayerInit>(), (inits, Some("ones")));
        assert_eq!(words::<BiasLaw>(), (vec!["none", "zero", "gaussian", "uniform"], Some("none")));
        assert_eq!(words::<KeptQ>(), (vec!["auto", "full", "diagonal", "none"], Some("auto")));
        assert_eq!(words::<CrossingQuantity>(), (vec!["risk", "cosine"], None));
        assert_eq!(words::<FigureAxis>(), (vec!["time", "step", "samples"], None));
        assert_eq!(words::<FigureDirections>(), (vec!["axes", "stairs"], Some("axes")));
        let quantities = "risk 2*risk overlap cosine training_risk crossing scatter histogram cloud plateau half_time \
                          gradient readout spectrum";
        assert_eq!(words::<Quantity>(), (quantities.split(' ').collect(), Some("risk")));
        assert_eq!(words::<Scale>(), (vec!["linear", "log"], None));
        assert_eq!((AUTO, INFINITE), ("auto", "infinite"));
    }
}
