//! What a readout asks of a simulation.

use crate::{
    method::contract::Question,
    problem::{Engine, ReadoutData, Record},
    readout::Ridge,
};

/// Seconds on one thread and bytes of the readouts of one replicate.
pub(super) fn cost(question: &Question<'_>) -> [f64; 2] {
    let Question { problem, record, .. } = *question;
    let Some(setting) = &record.readout else { return [0.0; 2] };
    let Ok(samples) = setting.samples(problem.sizes()) else { return [0.0; 2] };
    let most = samples.iter().copied().max().unwrap_or(0);
    let (p, n) = (problem.width() as f64, most as f64);
    let looks = setting.steps(problem).len() as f64;
    // Rows of inputs, or coordinates of a fresh sample.
    let inputs = if question.view.engine == Engine::Direct { problem.sizes().d } else { p };
    // Nanoseconds: a normal 2.4, a multiply-add of matrices .05, of the factorisation, half of which reads memory, .3.
    let features = (n + setting.test_samples as f64) * (2.4 * inputs + p * (10.0 + 0.05 * inputs));
    let fit = |n: &usize| {
        let small = p.min(*n as f64);
        0.05 * 0.5 * *n as f64 * p * small + 0.4 * small * small * small
    };
    let fits: f64 = samples.iter().map(fit).sum();
    let bytes = Ridge::bytes(problem.width(), most, setting.ridge.len() * samples.len());
    [looks * (features + fits) * 1e-9, bytes]
}

/// Whether it looks at the batch of the last step again.
pub(super) fn looks_again(record: &Record) -> bool {
    record.readout.as_ref().is_some_and(|readout| readout.data == ReadoutData::Same)
}
