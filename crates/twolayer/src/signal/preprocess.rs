//! What is subtracted from the labels of a batch before it is learnt from. (theory.md §8)
//!
//! `mean` subtracts ȳ, `linear` also ⟨β̂, x⟩ with the moment estimate `β̂ = Xᵀ(y − ȳ)/n_b`, `least-squares` with
//! `β̂ = (XᵀX)⁻¹ Xᵀ(y − ȳ)`: all estimated on the batch of the step, and the last estimate is added back at prediction.
//!
//! β̂ is one more row of the frame, behind the neurons: a first look at the batch makes it a combination of the samples, a
//! second one sees what it leaves of the labels. So whatever the frame knows exactly of its rows it knows of β̂.

/// What a look does with the labels, and with the row behind the neurons where there is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Subtraction {
    /// Labels as they are.
    None,
    /// Signals of the row behind the neurons alone, `(y_μ − ȳ)/n_b`.
    Estimate {
        /// ȳ.
        mean: f64,
    },
    /// Labels `y − ȳ − ⟨β̂, x⟩`, the last term where there is such a row.
    Subtract {
        /// ȳ.
        mean: f64,
    },
}

/// ȳ.
pub fn mean(labels: &[f64]) -> f64 {
    labels.iter().sum::<f64>() / labels.len() as f64
}
