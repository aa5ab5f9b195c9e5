//! A degree that the target does not have, between two that it has: what comes after is learnt late. How late, is asked
//! of the flow of many neurons itself, which takes milliseconds.

use super::{Averaged, Series, prediction::Law, setup::Atoms};
use crate::{
    method::contract::Warning,
    observer::Silent,
    solve::{Ending, Options},
};

/// Accuracy of the two flows: three digits are told.
const TOLERANCE: f64 = 1e-5;
/// Steps that each of them may take.
const MOST_STEPS: usize = 5_000;
/// Of more neurons than this every n-th stands for all.
const MOST_ATOMS: usize = 200;
/// Gaps whose delays are computed.
const MOST_GAPS: usize = 3;

/// How late a degree is learnt because the target lacks another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Delay {
    /// The degree that is missing.
    pub gap: usize,
    /// The degree that comes after it.
    pub next: usize,
    /// What φ of the missing degree is where nothing is late: halfway between the sizes of its neighbours.
    pub filled: f64,
    /// When half of `next` is learnt; NaN: not before the end.
    pub late: f64,
    /// The same, without the gap.
    pub without: f64,
    /// The end.
    pub end: f64,
}

/// The degrees k that σ has and φ has not, between degrees that both have, each with the degree after it.
fn gaps(series: &Series) -> Vec<(usize, usize)> {
    let both = |k: &usize| series.target[*k] != 0.0 && series.activation[*k] != 0.0;
    let learnt: Vec<usize> = (1..series.degrees()).filter(both).collect();
    let missing = (2..series.degrees()).filter(|k| series.target[*k] == 0.0 && series.activation[*k] != 0.0);
    missing.filter_map(|k| learnt.iter().find(|next| **next > k).map(|next| (k, *next))).collect()
}

/// What each gap of the target delays, for neurons that start at `atoms` and train until `end`.
pub fn delays(series: &Series, epsilon: f64, atoms: &Atoms, end: f64) -> Vec<Delay> {
    let law = atoms.law();
    if super::prediction::is_blind(series, &law) || !(end.is_finite() && end > 0.0) {
        return Vec::new();
    }
    let found = gaps(series);
    if found.is_empty() {
        return Vec::new();
    }
    let times = |target: &[f64]| half_times(&Series::exact(&series.activation, target), epsilon, atoms, end);
    let late = times(&series.target);
    let of = |(gap, next): (usize, usize)| {
        let before = (1..gap).rev().map(|k| series.target[k].abs()).find(|phi| *phi > 0.0);
        let filled = 0.5 * (before.unwrap_or(0.0) + series.target[next].abs());
        let mut target = series.target.clone();
        target[gap] = filled;
        Delay { gap, next, filled, late: late[next], without: times(&target)[next], end }
    };
    found.into_iter().take(MOST_GAPS).map(of).collect()
}

/// When many neurons have learnt half of each degree; NaN where they have not by `end`.
fn half_times(series: &Series, epsilon: f64, atoms: &Atoms, end: f64) -> Vec<f64> {
    let count = atoms.weights.len();
    let every = count.div_ceil(MOST_ATOMS);
    let kept: Vec<usize> = (every / 2..count).step_by(every).collect();
    let all: f64 = atoms.weights.iter().sum();
    let share = all / kept.iter().map(|i| atoms.weights[*i]).sum::<f64>();
    let of = |values: &[f64], factor: f64| kept.iter().map(|i| factor * values[*i]).collect::<Vec<f64>>();
    let flow = Averaged::new(series.clone(), epsilon, of(&atoms.weights, share));
    let start = flow.pack(&of(&atoms.second_layer, 1.0), &of(&atoms.cosines, 1.0));
    let options = Options {
        relative_tolerance: TOLERANCE,
        absolute_tolerance: 1e-3 * TOLERANCE,
        max_steps: MOST_STEPS,
        ..Options::default()
    };
    match flow.integrate(&start, &[end], &options, &Silent) {
        Ok((solution, ledger)) if solution.ending == Ending::Done => ledger.half_times,
        _ => vec![f64::NAN; series.degrees()],
    }
}

impl Delay {
    /// In words; `here`: when half of the degree was learnt in the run that is described, where there was one.
    pub fn warning(&self, here: Option<f64>) -> Warning {
        let Self { gap, next, filled, late, without, end } = *self;
        let at = |time: f64| if time.is_finite() { format!("at t = {time:.3}") } else { format!("not by t = {end}") };
        let factor = late / without;
        let times = if factor.is_finite() { format!(" ({factor:.1} times earlier)") } else { String::new() };
        let here = here.map_or(String::new(), |time| format!("; this run has it {}", at(time)));
        let text = format!(
            "the target has no component of degree {gap}: degree {next} is learnt nevertheless, late. Many neurons that \
             start so have half of it {}; with φ_{gap} = {filled:.3}, halfway between its neighbours, they would have it \
             {}{times}{here}",
            at(late),
            at(without),
        );
        Warning { id: format!("phi_{gap} = 0"), text }
    }
}

impl Atoms {
    /// What the predictions need of them.
    pub fn law(&self) -> Law {
        Law::of(&self.second_layer, &self.cosines, &self.weights, self.quadrature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian::quadrature::Quadrature;

    const SIGMA: [f64; 4] = [0.7, 0.8, 0.6, 0.5];

    fn nodes(count: usize) -> Atoms {
        let Quadrature { nodes, weights } = Quadrature::clustered(count);
        Atoms { cosines: vec![0.0; count], second_layer: nodes, weights, quadrature: true }
    }

    /// theory.md §5.5: 1.01, .659, .459 in place of .414, .257, .148 with φ_2 = .7 (here .75 is put there).
    #[test]
    fn a_gap_says_how_late_it_makes_what_comes_after() {
        let series = Series::exact(&SIGMA, &[0.5, 0.9, 0.0, 0.6]);
        for (epsilon, late, without) in [(1e-2, 1.01, 0.414), (1e-3, 0.659, 0.257), (1e-4, 0.459, 0.148)] {
            let found = delays(&series, epsilon, &nodes(100), 20.0);
            assert_eq!((found.len(), found[0].gap, found[0].next), (1, 2, 3));
            assert!((found[0].filled - 0.75).abs() < 1e-12);
            assert!((found[0].late / late - 1.0).abs() < 1e-2, "{found:?}");
            assert!((found[0].without / without - 1.0).abs() < 7e-2, "{found:?}");
        }
        let warning = delays(&series, 1e-4, &nodes(100), 20.0)[0].warning(Some(0.46));
        assert_eq!(warning.id, "phi_2 = 0");
        assert!(warning.text.contains("half of it at t = 0.459;"), "{}", warning.text);
        assert!(warning.text.contains("times earlier); this run has it at t = 0.460"), "{}", warning.text);
        let early = delays(&series, 1e-4, &nodes(100), 0.3)[0].warning(None);
        assert!(early.text.contains("half of it not by t = 0.3; with") && early.text.contains("have it at t = 0.1"));
    }

    #[test]
    fn without_a_gap_nothing_is_late() {
        let none = |sigma: &[f64], phi: &[f64]| delays(&Series::exact(sigma, phi), 1e-2, &nodes(20), 5.0).is_empty();
        assert!(none(&SIGMA, &[0.5, 0.9, 0.7, 0.6]));
        // The last degrees are no gap, nor is one that the activation has not either; and s ≡ 0 learns nothing at all.
        assert!(none(&SIGMA, &[0.5, 0.9, 0.0, 0.0]));
        assert!(none(&[0.7, 0.8, 0.0, 0.5], &[0.5, 0.9, 0.0, 0.6]));
        assert!(none(&SIGMA, &[0.5, 0.0, 0.0, 0.6]));
    }
}
