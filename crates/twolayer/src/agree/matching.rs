//! Which neuron of one run is which of another: with independent starts neuron 1 means nothing.

use crate::{
    overlaps::inverse_root,
    record::{
        KeepQ, Trajectory,
        observable::{STUDENT_SQUARES, STUDENT_TEACHER},
    },
};
use faer::Mat;

/// Below this mean of |cos_j · cos'_l| over matched neurons nothing tells them apart, and they are not averaged.
const ALIKE: f64 = 0.5;

/// For each run the neuron that plays the part of neuron j of `reference`, `[run][j]`: the assignment that maximises
/// Σ_j |cos_j · cos'_l|, where cos_j is the k-vector of neuron j's cosines with the target directions (an orthonormal basis
/// of them, where P ≠ I) at the end. `None` where Q was not recorded, or where matched neurons are not alike (that sum below
/// p/2: too little is learnt, or not the same): then there is nothing to average.
pub fn match_neurons(reference: &Trajectory, runs: &[Trajectory], target: &Mat<f64>) -> Option<Vec<Vec<usize>>> {
    let same = |run: &&Trajectory| (run.width, run.directions) == (reference.width, reference.directions);
    let known = |run: &Trajectory| run.keep_q() != KeepQ::None && run.valid > 0;
    if !known(reference) || runs.is_empty() || !runs.iter().all(|run| known(run) && same(&run)) {
        return None;
    }
    let whiten = inverse_root(target.as_ref()).ok()?;
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
        let size = run.of(&STUDENT_SQUARES)[t * p + j].max(1e-300).sqrt();
        let m = |r: usize| run.of(&STUDENT_TEACHER)[(t * p + j) * k + r] / size;
        (0..k).map(|s| (0..k).map(|r| m(r) * whiten[(r, s)]).sum()).collect()
    };
    (0..p).map(one).collect()
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
    use crate::testing::{fabricated, fabricated::Sizes};

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
                assert!((total - best(&cost, 0, &mut Vec::new())).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn permuted_neurons_are_found_again_and_noise_is_not_matched() {
        let times = fabricated::log_times(20, 0.1, 30.0);
        let mut runs = fabricated::simulation(Sizes { p: 4, k: 4 }, &times, 2, 0.02, 1);
        let order = [2, 0, 3, 1];
        let straight = runs[1].clone();
        for t in 0..times.len() {
            for (l, j) in order.into_iter().enumerate() {
                let row = straight.of(&STUDENT_TEACHER)[(t * 4 + j) * 4..(t * 4 + j + 1) * 4].to_vec();
                runs[1].of_mut(&STUDENT_TEACHER)[(t * 4 + l) * 4..(t * 4 + l + 1) * 4].copy_from_slice(&row);
            }
        }
        let matched = match_neurons(&straight, &runs, &Mat::identity(4, 4)).unwrap();
        assert_eq!(matched[0], [0, 1, 2, 3]);
        assert_eq!(matched[1], [1, 3, 0, 2]);
        runs[1].remove(&STUDENT_SQUARES);
        assert_eq!(match_neurons(&straight, &runs, &Mat::identity(4, 4)), None);
    }

    /// Targets at cosine 0.6: the matching sees the whole of each neuron, in a basis of the space that they span.
    #[test]
    fn neurons_along_targets_that_overlap_are_told_apart() {
        let target = Mat::from_fn(2, 2, |i, j| if i == j { 1.0 } else { 0.6 });
        let run = |order: [usize; 2]| {
            let mut run = fabricated::limit(Sizes { p: 2, k: 2 }, &[0.0, 1.0], 0.0);
            let overlaps = order.into_iter().flat_map(|s| (0..2).map(move |r| if r == s { 1.0 } else { 0.6 }));
            let last: Vec<f64> = overlaps.collect();
            run.of_mut(&STUDENT_TEACHER)[4..].copy_from_slice(&last);
            run
        };
        let (straight, crossed) = (run([0, 1]), run([1, 0]));
        assert_eq!(match_neurons(&straight, &[crossed], &target), Some(vec![vec![1, 0]]));
        // Two neurons of length 1 along the targets have likeness 1 each, so neurons of length 2 with the same overlaps
        // have ½ of it: at the bound below which nothing is matched.
        let mut long = run([0, 1]);
        long.of_mut(&STUDENT_SQUARES).iter_mut().for_each(|q| *q = 4.1);
        assert_eq!(match_neurons(&straight, &[long], &target), None);
    }
}
