//! Fields and labels → error signals, losses, second-layer and bias gradients: the only place that knows losses and
//! activations in simulation.

mod batch;
mod feed;
mod labels;
mod preprocess;
mod sums;

use std::ops::Range;

pub use batch::{Batch, Rows};
pub use feed::{Coordinates, Feed};
pub use labels::{Labels, Samples};
pub use preprocess::{Subtraction, mean};
pub use sums::Sums;

use crate::problem::{Activation, Data, Geometry, Loss, Problem};

/// What the network's parameters are, apart from the first layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// a (p).
    pub second_layer: Vec<f64>,
    /// b (p); empty where the network has no biases.
    pub bias: Vec<f64>,
}

/// How a problem makes error signals of fields.
#[derive(Debug, Clone)]
pub struct Signal {
    activation: Activation,
    loss: Loss,
    scale: f64,
    trains_second_layer: bool,
    trains_bias: bool,
    is_on_sphere: bool,
    /// Whether losses are of interest: data is stored.
    has_risk: bool,
    /// ρ n_b/η, what a signal of [`StepContext`] and a squared length displace a field by; 0 where samples are not displaced
    /// each by its own gradient.
    displacement: f64,
    /// What is done to the labels, and to the row behind the neurons.
    pub(crate) subtraction: Subtraction,
    /// Whether fields are all that is asked for.
    pub(crate) wants_fields: bool,
}

/// What a step makes of the samples it looks at. Samples can be looked at in parts, in any order, on any thread.
#[derive(Debug, Clone, Copy)]
pub struct StepContext<'a> {
    /// Activation and loss.
    pub signal: &'a Signal,
    /// The network at that step.
    pub head: &'a Head,
    /// y of the whole batch (n_b).
    pub labels: &'a [f64],
    /// What signals are multiplied with, η/n_b.
    pub rate: f64,
    /// Whether a step follows: without one there are no signals, and only losses are added up.
    pub wants_gradient: bool,
}

/// Work space of one part of the samples, and its sums.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// σ(h), p×m.
    values: Vec<f64>,
    /// e (m).
    residual: Vec<f64>,
    /// Fields at displaced weights, p×m, and sums that are of no interest.
    displaced: Vec<f64>,
    aside: Sums,
    /// y without what is subtracted from it (m).
    left: Vec<f64>,
    /// Over all samples that were seen since they were cleared.
    pub sums: Sums,
}

impl Signal {
    /// That of `problem`.
    pub fn new(problem: &Problem) -> Self {
        Self {
            activation: problem.network.activation.clone(),
            loss: problem.training.loss,
            scale: problem.output_scale(),
            trains_second_layer: problem.network.second_layer.train,
            trains_bias: problem.network.bias.is_some_and(|bias| bias.train),
            is_on_sphere: problem.training.geometry == Geometry::Spherical,
            has_risk: problem.training.data == Data::Reused,
            displacement: if problem.displaces_samples() {
                problem.displacement() * problem.batch() as f64 / problem.learning_rate()
            } else {
                0.0
            },
            subtraction: Subtraction::None,
            wants_fields: false,
        }
    }

    /// Whether the signals of a step need the squared lengths of its samples.
    pub fn needs_lengths(&self) -> bool {
        let estimates = matches!(self.subtraction, Subtraction::Estimate { .. });
        self.displacement != 0.0 && !estimates && !self.wants_fields
    }
}

impl StepContext<'_> {
    /// Error signals of m samples of the batch: `signal_jμ = η/n_b · g_jμ`, `g_jμ = s a_j e_μ σ'(h_jμ)` with `h = λ + b`,
    /// `e = f − y` (squared loss) or `e = −y` (correlation loss), and what else the step needs of them, added to
    /// `workspace.sums`. (theory.md §1)
    ///
    /// `fields` and `signal` are p×m, neuron-major: sample μ of neuron j is at `j·m + μ`.
    #[inline]
    pub fn signals(&self, samples: Range<usize>, fields: &[f64], signal: &mut [f64], workspace: &mut Workspace) {
        self.make(samples, [fields; 2], signal, workspace);
    }

    /// The [`signals`](Self::signals) of samples that are displaced each by its own gradient: those at the fields
    /// `λ_jμ − ρ g_jμ ‖x_μ‖²`; `squares` are the `‖x_μ‖²` (m). What lies along the rows is measured with the rows where they
    /// are, and the losses are those of the network as it is. (theory.md §11)
    pub fn displaced_signals(
        &self,
        samples: Range<usize>,
        fields: &[f64],
        squares: &[f64],
        signal: &mut [f64],
        workspace: &mut Workspace,
    ) {
        let losses = workspace.sums.squares;
        let sums = std::mem::take(&mut workspace.sums);
        workspace.sums = std::mem::take(&mut workspace.aside);
        workspace.sums.clear();
        self.make(samples.clone(), [fields; 2], signal, workspace);
        let seen = workspace.sums.squares;
        workspace.aside = std::mem::replace(&mut workspace.sums, sums);
        if self.wants_gradient {
            let mut displaced = std::mem::take(&mut workspace.displaced);
            displaced.clear();
            displaced.extend_from_slice(fields);
            let m = squares.len();
            for (fields, signal) in displaced.chunks_exact_mut(m).zip(signal.chunks_exact(m)) {
                for ((field, g), square) in fields.iter_mut().zip(signal).zip(squares) {
                    *field -= self.signal.displacement * g * square;
                }
            }
            self.make(samples, [&displaced, fields], signal, workspace);
            workspace.displaced = displaced;
        }
        workspace.sums.squares = losses + seen;
    }

    /// The signals at some fields, of rows whose own fields are `along`.
    #[inline]
    fn make(&self, samples: Range<usize>, [fields, along]: [&[f64]; 2], signal: &mut [f64], room: &mut Workspace) {
        let Signal { activation, loss, scale, .. } = self.signal;
        let Workspace { values, residual, left, sums, .. } = room;
        if self.signal.wants_fields {
            sums.fields.push((samples, fields.to_vec()));
            return;
        }
        let (m, neurons) = (samples.len(), self.head.second_layer.len());
        let labels = &self.labels[samples];
        let rest = neurons * m;
        match self.signal.subtraction {
            Subtraction::None => {}
            Subtraction::Estimate { mean } => {
                // The row behind the neurons becomes `Σ_μ (y_μ − ȳ) x_μ/n_b`; nothing else moves.
                let count = self.labels.len() as f64;
                signal.fill(0.0);
                signal[rest..].iter_mut().zip(labels).for_each(|(signal, y)| *signal = (y - mean) / count);
                sums.size += labels.iter().map(|y| (y - mean).abs()).sum::<f64>();
                return;
            }
            Subtraction::Subtract { mean } => {
                left.clear();
                left.extend(labels.iter().map(|y| y - mean));
                left.iter_mut().zip(&fields[rest..]).for_each(|(y, linear)| *y -= linear);
            }
        }
        let labels = if self.signal.subtraction == Subtraction::None { labels } else { &*left };
        let (fields, signal) = if fields.len() > rest {
            signal[rest..].fill(0.0);
            (&fields[..rest], &mut signal[..rest])
        } else {
            (fields, signal)
        };
        values.clear();
        values.extend_from_slice(fields);
        for (values, b) in values.chunks_exact_mut(m).zip(&self.head.bias) {
            values.iter_mut().for_each(|h| *h += b);
        }
        if self.wants_gradient {
            activation.values_and_derivatives(values, signal);
        } else {
            activation.values(values);
        }
        residual.clear();
        residual.extend(labels.iter().map(|y| -y));
        if *loss == Loss::Squared || self.signal.has_risk {
            for (values, a) in values.chunks_exact(m).zip(&self.head.second_layer) {
                let weight = scale * a;
                residual.iter_mut().zip(values).for_each(|(e, value)| *e += weight * value);
            }
            sums.squares += residual.iter().map(|e| e * e).sum::<f64>();
            if *loss == Loss::Correlation {
                residual.iter_mut().zip(labels).for_each(|(e, y)| *e = -y);
            }
        }
        sums.size += residual.iter().map(|e| e.abs()).sum::<f64>();
        if !self.wants_gradient {
            return;
        }
        for (signal, a) in signal.chunks_exact_mut(m).zip(&self.head.second_layer) {
            let weight = self.rate * scale * a;
            signal.iter_mut().zip(&*residual).for_each(|(g, e)| *g *= weight * e);
        }
        let products = |left: &[f64], right: &[f64]| left.iter().zip(right).map(|(x, y)| x * y).sum::<f64>();
        if self.signal.trains_second_layer {
            sums::add(&mut sums.second_layer, values.chunks_exact(m).map(|values| scale * products(values, residual)));
        }
        if self.signal.trains_bias {
            sums::add(&mut sums.bias, signal.chunks_exact(m).map(|signal| signal.iter().sum()));
        }
        if self.signal.is_on_sphere {
            let rows = signal.chunks_exact(m).zip(along.chunks_exact(m));
            sums::add(&mut sums.along, rows.map(|(signal, fields)| products(signal, fields)));
        }
    }
}
