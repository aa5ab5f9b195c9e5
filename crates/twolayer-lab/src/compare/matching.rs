//! Which neuron of one run is which of another: with independent starts neuron 1 means nothing.

use faer::Mat;
use twolayer::record::{KeepQ, Trajectory};

/// Below this mean of |cos_j · cos'_l| over matched neurons nothing tells them apart, and they are not averaged.
const ALIKE: f64 = 0.5;

/// For each run the neuron that plays the part of neuron j of `reference`, `[run][j]`: the assignment that maximises
/// Σ_j |cos_j · cos'_l|, where cos_j is the k-vector of neuron j's cosines with the target directions (an orthonormal basis
/// of them, where P ≠ I) at the end. `None` where Q was not recorded, or where matched neurons are not alike (that sum below
/// p/2: too little is learnt, or not the same): then there is nothing to average.
pub fn match_neurons(reference: &Trajectory, runs: &[Trajectory], target: &Mat<f64>) -> Option<Vec<Vec<usize>>> {
    let same = |run: &&Trajectory| (run.width, run.directions) == (reference.width, reference.directions);
    let known = |run: &Trajectory| run.keep_q != KeepQ::None && run.valid > 0;
    if !known(reference) || runs.is_empty() || !runs.iter().all(|run| known(run) && same(&run)) {
        return None;
    }
    let whiten = inverse_root(target)?;
    let last = runs.iter().map(|run| run.valid - 1).min()?;
    let first = cosines(reference, reference.valid - 1, &whiten);
    let mut matched = Vec::new();
    // Neurons that have learnt little are short here, and alike to nothing.
    let (mut alike, mut count) = (0.0, 0.0);
    for run in runs {
        let own = cosines(run, last, &whiten);
        let likeness = |j: usize, l: usize| first[j].iter().zip(&own[l]).map(|(a, b)| a * b).sum::<f64>().abs();
        let cost: Vec<Vec<f64>> = (0..run.width).map(|j| (0..run.width).map(|l| -likeness(j, l)).collect()).collect();
        let chosen = assign(&cost);
        alike += chosen.iter().enumerate().map(|(j, &l)| likeness(j, l)).sum::<f64>();
        count += chosen.len() as f64;
        matched.push(chosen);
    }
    (alike >= ALIKE * count).then_some(matched)
}

/// `M_j· P^{−1/2}/√Q_jj` of each neuron.
fn cosines(run: &Trajectory, t: usize, whiten: &Mat<f64>) -> Vec<Vec<f64>> {
    let (p, k) = (run.width, run.directions);
    let one = |j: usize| {
        let size = run.student_squares[t * p + j].max(1e-300).sqrt();
        let m = |r: usize| run.student_teacher[(t * p + j) * k + r] / size;
        (0..k).map(|s| (0..k).map(|r| m(r) * whiten[(r, s)]).sum()).collect()
    };
    (0..p).map(one).collect()
}

/// The inverse of a Cholesky factor, transposed: `vᵀ P⁻¹ v = ‖v L⁻ᵀ‖²`; `None` where P is singular.
fn inverse_root(target: &Mat<f64>) -> Option<Mat<f64>> {
    let k = target.nrows();
    let mut lower = Mat::<f64>::zeros(k, k);
    for i in 0..k {
        for j in 0..=i {
            let rest = target[(i, j)] - (0..j).map(|l| lower[(i, l)] * lower[(j, l)]).sum::<f64>();
            if i == j && rest <= 1e-12 {
                return None;
            }
            lower[(i, j)] = if i == j { rest.sqrt() } else { rest / lower[(j, j)] };
        }
    }
    let mut inverse = Mat::<f64>::zeros(k, k);
    for s in 0..k {
        for i in 0..k {
            let unit = f64::from(u8::from(i == s));
            let rest = unit - (0..i).map(|l| lower[(i, l)] * inverse[(s, l)]).sum::<f64>();
            inverse[(s, i)] = rest / lower[(i, i)];
        }
    }
    Some(inverse)
}

/// The column of each row, all different, of the smallest total cost: the Hungarian algorithm in its O(p³) form of
/// shortest augmenting paths with potentials (Jonker and Volgenant).
fn assign(cost: &[Vec<f64>]) -> Vec<usize> {
    let n = cost.len();
    // Row and column 0 are a start that stands for nothing.
    let (mut rows, mut columns) = (vec![0.0; n + 1], vec![0.0; n + 1]);
    let mut row_of = vec![0; n + 1];
    for row in 1..=n {
        row_of[0] = row;
        let mut here = 0;
        let (mut least, mut from) = (vec![f64::INFINITY; n + 1], vec![0; n + 1]);
        let mut seen = vec![false; n + 1];
        while row_of[here] != 0 {
            seen[here] = true;
            let (mut step, mut next) = (f64::INFINITY, 0);
            for column in 1..=n {
                if seen[column] {
                    continue;
                }
                let reduced = cost[row_of[here] - 1][column - 1] - rows[row_of[here]] - columns[column];
                if reduced < least[column] {
                    (least[column], from[column]) = (reduced, here);
                }
                if least[column] < step {
                    (step, next) = (least[column], column);
                }
            }
            for column in 0..=n {
                if seen[column] {
                    rows[row_of[column]] += step;
                    columns[column] -= step;
                } else {
                    least[column] -= step;
                }
            }
            here = next;
        }
        while here != 0 {
            row_of[here] = row_of[from[here]];
            here = from[here];
        }
    }
    let mut chosen = vec![0; n];
    (1..=n).for_each(|column| chosen[row_of[column] - 1] = column - 1);
    chosen
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::fabricated::{self, Sizes};

    /// Against all permutations.
    #[test]
    fn the_assignment_is_the_best_of_all() {
        fn best(cost: &[Vec<f64>], row: usize, taken: &mut Vec<usize>) -> f64 {
            if row == cost.len() {
                return 0.0;
            }
            let mut least = f64::INFINITY;
            for column in 0..cost.len() {
                if !taken.contains(&column) {
                    taken.push(column);
                    least = least.min(cost[row][column] + best(cost, row + 1, taken));
                    taken.pop();
                }
            }
            least
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        for n in [1, 2, 3, 6] {
            for _ in 0..20 {
                let cost: Vec<Vec<f64>> = (0..n).map(|_| (0..n).map(|_| rng.random::<f64>() - 0.5).collect()).collect();
                let chosen = assign(&cost);
                let total: f64 = chosen.iter().enumerate().map(|(row, &column)| cost[row][column]).sum();
                approx::assert_relative_eq!(total, best(&cost, 0, &mut Vec::new()), epsilon = 1e-12);
            }
        }
    }

    #[test]
    fn permuted_neurons_are_found_again_and_noise_is_not_matched() {
        let times = fabricated::log_times(20, 0.1, 30.0);
        let mut runs = fabricated::simulation(Sizes { p: 4, k: 4 }, &times, 2, 0.02, 1).trajectories;
        let order = [2, 0, 3, 1];
        let straight = runs[1].clone();
        for t in 0..times.len() {
            for (l, j) in order.into_iter().enumerate() {
                let row = straight.student_teacher[(t * 4 + j) * 4..(t * 4 + j + 1) * 4].to_vec();
                runs[1].student_teacher[(t * 4 + l) * 4..(t * 4 + l + 1) * 4].copy_from_slice(&row);
            }
        }
        let matched = match_neurons(&straight, &runs, &Mat::identity(4, 4)).unwrap();
        assert_eq!(matched[0], [0, 1, 2, 3]);
        assert_eq!(matched[1], [1, 3, 0, 2]);
        runs[1].keep_q = KeepQ::None;
        assert_eq!(match_neurons(&straight, &runs, &Mat::identity(4, 4)), None);
    }

    #[test]
    fn directions_that_overlap_are_told_apart() {
        let p = Mat::from_fn(2, 2, |i, j| if i == j { 1.0 } else { 0.6 });
        let root = inverse_root(&p).unwrap();
        // A vector along z₁ has overlaps (1, 0.6) and length 1.
        let v: Vec<f64> = (0..2).map(|s| root[(0, s)] + 0.6 * root[(1, s)]).collect();
        approx::assert_relative_eq!(v[0] * v[0] + v[1] * v[1], 1.0, epsilon = 1e-12);
        assert!(inverse_root(&Mat::from_fn(2, 2, |_, _| 1.0)).is_none());
    }
}
