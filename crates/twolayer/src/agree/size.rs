//! What z does not tell: copies of a solution that mirror or swap and cancel in the mean of M, and errors as large as what they are
//! errors of.

use super::times::common_times;
use crate::{
    gaussian::normal,
    record::{
        Trajectory,
        observable::{STUDENT_SQUARES, STUDENT_TEACHER, STUDENT_TEACHER_ERROR, TIME},
    },
};

/// Largest |cosine|s that differ by less than this, and than what chance alone gives to the largest of p neurons, are one.
const SMALL: f64 = 0.1;

/// Standard errors that their difference must have as well.
const ERRORS: f64 = 5.0;

/// A stated error below this is known to be small, however small M is.
const NEGLIGIBLE: f64 = 1e-6;

/// Where the largest |cosine|s are furthest apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Apart {
    /// The direction, from 0.
    direction: usize,
    time: f64,
    /// Means over replicates.
    cosines: [f64; 2],
    /// Of a difference of so many standard errors.
    pub p_value: f64,
}

impl Apart {
    /// `the largest |cosine| with z1 is 0.50 in limit and 0.91 in reduced at t = 12: …`.
    pub fn in_words(&self, first: &str, second: &str) -> String {
        let Self { direction, time, cosines: [a, b], .. } = self;
        format!(
            "the largest |cosine| with z{} is {a:.2} in {first} and {b:.2} in {second} at t = {time:.3}: copies that mirror or \
             swap cancel in the mean of M",
            direction + 1
        )
    }
}

/// Where the means over replicates of `max_j |M_jr|/√(Q_jj P_rr)` differ by more than chance and d explain; `None` where they do
/// not, for two limits, and where Q is not recorded.
pub fn cosines_apart(views: [&[Trajectory]; 2], squares: &[f64], d: f64) -> Option<Apart> {
    let [first, second] = views;
    let (a, b) = (first.first()?, second.first()?);
    let known = |runs: &[Trajectory]| runs.iter().all(|run| run.get(&STUDENT_SQUARES).is_some());
    if !known(first) || !known(second) || first.len().max(second.len()) < 2 {
        return None;
    }
    let last = |runs: &[Trajectory]| runs.iter().map(Trajectory::numbers).min().unwrap_or(0);
    let (last_a, last_b) = (last(first), last(second));
    let chance = (2.0 * (2.0 * a.width as f64).ln() + 2.0).sqrt() / d.sqrt();
    let mut worst: Option<(f64, Apart)> = None;
    for (i, j) in common_times(a, b).into_iter().filter(|&(i, j)| i < last_a && j < last_b) {
        for (direction, square) in squares.iter().enumerate() {
            let [(x, u), (y, v)] = [(first, i), (second, j)].map(|(runs, t)| mean_cosine(runs, t, direction, *square));
            let (difference, error) = ((x - y).abs(), u.hypot(v));
            let excess = difference - SMALL - chance;
            if excess > 0.0 && difference > ERRORS * error && worst.as_ref().is_none_or(|(most, _)| excess > *most) {
                let p_value = if error > 0.0 { 2.0 * normal::distribution(-difference / error) } else { 0.0 };
                let time = a.of(&TIME)[i];
                worst = Some((excess, Apart { direction, time, cosines: [x, y], p_value }));
            }
        }
    }
    worst.map(|(_, apart)| apart)
}

/// Mean over the replicates of the largest |cosine| with a direction at entry t, and its standard error.
fn mean_cosine(runs: &[Trajectory], t: usize, direction: usize, square: f64) -> (f64, f64) {
    let largest = |run: &Trajectory| {
        let cosine = |j: usize| {
            let scale = (run.row(&STUDENT_SQUARES, t)[j] * square).sqrt();
            let overlap = run.row(&STUDENT_TEACHER, t)[j * run.directions + direction].abs();
            if scale > 0.0 { overlap / scale } else { 0.0 }
        };
        (0..run.width).map(cosine).fold(0.0, f64::max)
    };
    let values: Vec<f64> = runs.iter().map(largest).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let spread = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, if n > 1.0 { (spread / (n * (n - 1.0))).sqrt() } else { 0.0 })
}

/// Why views say nothing of each other, although no z is large: a stated error of M is as large as all of M, or the standard
/// errors are as large as M can be, √(Q_jj P_rr).
pub fn vague(views: [&[Trajectory]; 2], squares: &[f64]) -> Option<String> {
    let numbers = |run: &Trajectory, values: &[f64]| {
        let all = run.numbers() * run.width * run.directions;
        values.iter().take(all).filter(|value| value.is_finite()).fold(0.0, |most: f64, value| most.max(value.abs()))
    };
    let all = || views.into_iter().flatten();
    let overlap = all().map(|run| numbers(run, run.of(&STUDENT_TEACHER))).fold(0.0, f64::max);
    let stated = all().map(|run| numbers(run, run.of(&STUDENT_TEACHER_ERROR))).fold(0.0, f64::max);
    if stated > overlap.max(NEGLIGIBLE) {
        return Some(format!("the stated error of M, {stated:.1e}, is larger than M itself, {overlap:.1e}"));
    }
    let norms = all().flat_map(|run| run.of(&STUDENT_SQUARES).iter().take(run.numbers() * run.width).copied());
    let largest = norms.fold(f64::NAN, f64::max) * squares.iter().copied().fold(0.0, f64::max);
    let spread = views.into_iter().filter(|runs| runs.len() > 1).map(standard_error).fold(0.0, f64::max);
    (spread > largest.sqrt())
        .then(|| format!("the standard error of M, {spread:.1e}, is larger than M can be, {:.1e}", largest.sqrt()))
}

/// The largest standard error of an entry of M.
fn standard_error(runs: &[Trajectory]) -> f64 {
    let valid = runs.iter().map(Trajectory::numbers).min().unwrap_or(0);
    let (n, size) = (runs.len() as f64, runs[0].width * runs[0].directions);
    let of = |at: usize| {
        let values = || runs.iter().map(|run| run.of(&STUDENT_TEACHER)[at]);
        let mean = values().sum::<f64>() / n;
        (values().map(|value| (value - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt()
    };
    (0..valid * size).map(of).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::observable::{RISK, STEP};

    /// One neuron and one direction: M at t = 0, 1, 2, unit rows.
    fn run(m: [f64; 3]) -> Trajectory {
        let mut run = Trajectory::empty(1, 1);
        run.valid = 3;
        run.set(&TIME, vec![0.0, 1.0, 2.0]);
        run.set(&STEP, vec![0.0, 10.0, 20.0]);
        run.set(&RISK, vec![1.0; 3]);
        run.set(&STUDENT_TEACHER, m.to_vec());
        run.set(&STUDENT_SQUARES, vec![1.0; 3]);
        run
    }

    #[test]
    fn mirrored_copies_do_not_cancel_and_fluctuations_are_none() {
        let limit = [run([0.0; 3])];
        let mirrored = [1.0, -1.0, 1.0, -1.0].map(|sign| run([0.0, sign * 0.3, sign * 0.95]));
        let apart = cosines_apart([&limit, &mirrored], &[1.0], 1e4).unwrap();
        assert_eq!((apart.direction, apart.time, apart.cosines), (0, 2.0, [0.0, 0.95]));
        assert!(apart.p_value < 1e-6);
        let told = apart.in_words("limit", "reduced");
        assert!(
            told.starts_with("the largest |cosine| with z1 is 0.00 in limit and 0.95 in reduced at t = 2.000"),
            "{told}"
        );
        // As far off as one sample of d = 100 is.
        let noise = [1.0, -1.0, 0.8, -1.2].map(|size| run([0.0, size * 0.1, size * 0.1]));
        assert_eq!(cosines_apart([&limit, &noise], &[1.0], 100.0), None);
        // Escapes at moments of their own: no difference of means.
        let late = [0.0, 0.9, 0.1, 0.8].map(|m| run([0.0, m, 0.9]));
        assert_eq!(cosines_apart([&[run([0.0, 0.3, 0.9])], &late], &[1.0], 1e4), None);
        // A direction of length 2: |cosine| .475.
        let long = cosines_apart([&limit, &mirrored], &[4.0], 1e4).unwrap();
        assert!((long.cosines[1] - 0.475).abs() < 1e-12);
    }

    #[test]
    fn errors_as_large_as_m_make_no_agreement() {
        let mut limit = run([0.1, 0.2, 0.3]);
        limit.set(&STUDENT_TEACHER_ERROR, vec![0.0, 1e-3, 1e-2]);
        let runs = [0.1, 0.12].map(|m| run([m, 0.2, 0.3]));
        assert_eq!(vague([&[limit.clone()], &runs], &[1.0]), None);
        limit.set(&STUDENT_TEACHER_ERROR, vec![0.0, 0.1, 0.4]);
        let told = vague([&[limit.clone()], &runs], &[1.0]).unwrap();
        assert_eq!(told, "the stated error of M, 4.0e-1, is larger than M itself, 3.0e-1");
        // Nothing is learnt, and known to be nothing.
        let mut blind = run([0.0; 3]);
        blind.set(&STUDENT_TEACHER_ERROR, vec![1e-14; 3]);
        assert_eq!(vague([&[blind], &[run([0.0; 3])]], &[1.0]), None);
        let wild = [3.0, -3.0].map(|m| run([0.0, m, m]));
        let told = vague([&[run([0.0; 3])], &wild], &[1.0]).unwrap();
        assert!(told.starts_with("the standard error of M, 3.0e0, is larger than M can be, 1.0e0"), "{told}");
    }
}
