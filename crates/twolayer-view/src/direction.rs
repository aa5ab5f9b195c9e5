//! The directions along which overlaps and cosines are drawn.

use faer::Mat;
use twolayer::{
    overlaps::cosine,
    record::{
        KeepQ, Trajectory,
        observable::{STUDENT_SQUARES, STUDENT_TEACHER},
    },
};

use super::number::{minus, subscript};
use twolayer_file::experiment::{Directions, Figure};

/// A direction `v·z` in the target's space.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Direction {
    /// `z₁`, `(1, 1)`.
    pub name: String,
    /// v; an axis as it is, another one scaled to length 1.
    v: Vec<f64>,
    /// `√(vᵀPv)`.
    length: f64,
}

/// The directions of a figure, for a target with these overlaps.
pub(crate) fn directions(figure: &Figure, target: &Mat<f64>) -> Vec<Direction> {
    let k = target.nrows();
    let length = |v: &[f64]| {
        let square: f64 =
            (0..k).flat_map(|r| (0..k).map(move |s| (r, s))).map(|(r, s)| v[r] * v[s] * target[(r, s)]).sum();
        square.max(0.0).sqrt()
    };
    match &figure.directions {
        Directions::Axes => (0..k)
            .map(|r| {
                let v: Vec<f64> = (0..k).map(|s| f64::from(u8::from(r == s))).collect();
                Direction { name: subscript("z", &[r + 1]), length: length(&v), v }
            })
            .collect(),
        Directions::Given(rows) => (rows.iter().filter(|row| row.len() == k))
            .map(|row| {
                let size = length(row).max(1e-300);
                let numbers: Vec<String> = row.iter().map(|x| short(*x)).collect();
                let v = row.iter().map(|x| x / size).collect();
                Direction { name: format!("({})", numbers.join(", ")), v, length: 1.0 }
            })
            .collect(),
    }
}

/// At most two decimals.
fn short(x: f64) -> String {
    let text = format!("{x:.2}");
    minus(text.trim_end_matches('0').trim_end_matches('.'))
}

impl Direction {
    /// `Σ_r M_jr v_r`.
    pub fn overlap(&self, run: &Trajectory, t: usize, j: usize) -> f64 {
        let k = run.directions;
        self.along(&run.of(&STUDENT_TEACHER)[(t * run.width + j) * k..][..k])
    }

    /// `Σ_r row_r v_r`.
    pub fn along(&self, row: &[f64]) -> f64 {
        row.iter().zip(&self.v).map(|(m, v)| m * v).sum()
    }

    /// The overlap over `√(Q_jj vᵀPv)`; NaN where Q was not recorded.
    pub fn cosine(&self, run: &Trajectory, t: usize, j: usize) -> f64 {
        if run.keep_q() == KeepQ::None {
            return f64::NAN;
        }
        cosine(self.overlap(run, t, j), [run.of(&STUDENT_SQUARES)[t * run.width + j].sqrt(), self.length])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabricated::{self, Sizes};
    use twolayer_file::experiment::Quantity;

    #[test]
    fn given_directions_have_length_one_in_the_targets_space() {
        let target = Mat::from_fn(2, 2, |i, j| if i == j { 4.0 } else { 1.0 });
        let mut figure = fabricated::figure(Quantity::Overlap);
        let run = &fabricated::limit(Sizes { p: 2, k: 2 }, &[0.0, 3.0], 0.0).trajectories[0];
        let m = &run.of(&STUDENT_TEACHER)[4..6];
        let axis = &directions(&figure, &target)[1];
        assert_eq!((axis.name.as_str(), axis.overlap(run, 1, 0)), ("z₂", m[1]));
        approx::assert_relative_eq!(axis.cosine(run, 1, 0), m[1] / 2.0);
        figure.directions = Directions::Given(vec![vec![3.0, -3.0]]);
        let difference = &directions(&figure, &target)[0];
        // (1, −1) has vᵀPv = 4 + 4 − 2.
        approx::assert_relative_eq!(difference.overlap(run, 1, 0), (m[0] - m[1]) / 6.0_f64.sqrt());
        assert_eq!(difference.name, "(3, −3)");
    }
}
