//! Directions that reused batches cannot find in finitely many steps, and the reflections that forbid it.

use faer::Mat;

use super::{
    End, HIGHEST, Stairs,
    function::{Function, Spread},
    matrix,
    subspace::{complement, join, nearest_to_axes, perpendicular},
    vectors,
};
use crate::gaussian::sobol;

/// Points at which a reflection is tried: a first few, then all.
const POINTS: [usize; 2] = [32, 1024];
/// Largest change, in standard deviations of g, that is rounding.
const UNCHANGED: f64 = 1e-8;

/// A reflection that leaves the target unchanged: `g∘R = g`, `R = I − 2 Σ v vᵀ`.
///
/// `E[v | y, u] = 0` for each v that R turns round and each U that R leaves alone, so no such v is found by leaps of 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Reflection {
    /// The v, orthonormal.
    pub flipped: Vec<Vec<f64>>,
}

/// Every reflection of g along the axes, sums and differences of them, and the basis of what is relevant.
pub(super) fn reflections(whole: &Function<'_>, relevant: &Mat<f64>) -> Vec<Reflection> {
    let probe = Probe::new(whole);
    let own = join(relevant, &complement(relevant));
    let mut found: Vec<Reflection> = Vec::new();
    for frame in frames(whole.dimension()).into_iter().chain([own]) {
        for flipped in subsets(&vectors(&frame), relevant) {
            let reflection = Reflection { flipped };
            let known =
                found.iter().any(|other| other.turns_all(&reflection.flipped) && reflection.turns_all(&other.flipped));
            if !known && probe.unchanged(whole, &reflection.flipped) {
                found.push(reflection);
            }
        }
    }
    found
}

/// The relevant directions that leaps of 1 do not reach, given the label-aware stairs, and the reflections that explain
/// them.
///
/// Where the first leaps are themselves undecided, only directions that a reflection proves to be hard are named.
pub(super) fn hard(
    whole: &Function<'_>,
    relevant: &Mat<f64>,
    stairs: &Stairs,
    reflections: &[Reflection],
) -> (Vec<Vec<f64>>, Vec<Reflection>) {
    let k = whole.dimension();
    let learnt = matrix(&stairs.reached(1), k);
    let open = stairs.undecided().is_some_and(|undecided| undecided.degree == 1)
        && stairs.stairs.iter().all(|stair| stair.leap == 1);
    // Where the stairs reach all that g depends on, what they do not reach is idle.
    let reached = nearest_to_axes(&matrix(&stairs.reached(HIGHEST), k));
    let relevant = if matches!(stairs.end, End::Complete) { &reached } else { relevant };
    let idle = complement(relevant);
    let left = nearest_to_axes(&complement(&join(&idle, &learnt)));
    // What is turned round by the reflections used so far.
    let mut explained = Mat::<f64>::zeros(k, 0);
    let mut used: Vec<Reflection> = Vec::new();
    let mut explain = |reflection: &Reflection| {
        let before = explained.ncols();
        for v in &reflection.flipped {
            explained = join(&explained, &perpendicular(&explained, v.clone()));
        }
        if explained.ncols() > before {
            used.push(reflection.clone());
        }
        explained.ncols() == left.ncols()
    };
    if !reflections.iter().any(&mut explain) {
        let probe = Probe::new(whole);
        for flipped in subsets(&vectors(&left), relevant) {
            if probe.unchanged(whole, &flipped) && explain(&Reflection { flipped }) {
                break;
            }
        }
    }
    (vectors(&if open { nearest_to_axes(&explained) } else { left.clone() }), used)
}

impl Reflection {
    /// Whether it turns `direction`, a unit vector, round.
    fn turns(&self, direction: &[f64]) -> bool {
        self.flipped.iter().map(|v| dot(v, direction).powi(2)).sum::<f64>() > 1.0 - 1e-6
    }

    fn turns_all(&self, directions: &[Vec<f64>]) -> bool {
        directions.iter().all(|direction| self.turns(direction))
    }

    /// The span of what it turns round, in the coordinates whose axes are the columns of `basis`.
    pub(super) fn within(&self, basis: &Mat<f64>) -> Mat<f64> {
        basis.transpose() * matrix(&self.flipped, basis.nrows())
    }
}

/// Orthonormal frames to reflect along: the axes, and with any disjoint pairs of them replaced by sum and difference.
fn frames(k: usize) -> Vec<Mat<f64>> {
    let mut frames = Vec::new();
    pair_up(&mut Mat::identity(k, k), 0, &mut vec![false; k], &mut frames);
    frames
}

/// Adds the frames in which the axes from `r` on that are not `paired` stay, or are paired with later ones.
fn pair_up(frame: &mut Mat<f64>, r: usize, paired: &mut [bool], frames: &mut Vec<Mat<f64>>) {
    let k = paired.len();
    let Some(r) = (r..k).find(|&r| !paired[r]) else {
        frames.push(frame.clone());
        return;
    };
    pair_up(frame, r + 1, paired, frames);
    let half = std::f64::consts::FRAC_1_SQRT_2;
    for q in r + 1..k {
        if !paired[q] {
            paired[q] = true;
            (frame[(r, r)], frame[(q, r)], frame[(r, q)], frame[(q, q)]) = (half, half, half, -half);
            pair_up(frame, r + 1, paired, frames);
            (frame[(r, r)], frame[(q, r)], frame[(r, q)], frame[(q, q)]) = (1.0, 0.0, 0.0, 1.0);
            paired[q] = false;
        }
    }
}

/// Sets of the vectors that lie among the relevant directions, small sets first.
fn subsets(frame: &[Vec<f64>], relevant: &Mat<f64>) -> Vec<Vec<Vec<f64>>> {
    let relevant = vectors(relevant);
    let matters = |v: &&Vec<f64>| relevant.iter().map(|direction| dot(direction, v).powi(2)).sum::<f64>() > 1.0 - 1e-9;
    let frame: Vec<&Vec<f64>> = frame.iter().filter(matters).collect();
    let mut masks: Vec<usize> = (1..1 << frame.len()).collect();
    masks.sort_by_key(|mask| mask.count_ones());
    let subset = |mask: usize| (0..frame.len()).filter(|i| mask >> i & 1 == 1).map(|i| frame[i].clone()).collect();
    masks.into_iter().map(subset).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Points and the values of g there.
struct Probe {
    x: Vec<f64>,
    y: Vec<f64>,
    deviation: f64,
}

impl Probe {
    fn new(whole: &Function<'_>) -> Self {
        let count = POINTS[1];
        let x = sobol::normals(count, whole.dimension(), 4);
        let mut y = vec![0.0; count];
        whole.evaluate(&x.chunks(count).collect::<Vec<_>>(), &mut y);
        let deviation = Spread::of(&y).variance.sqrt();
        Self { x, y, deviation }
    }

    fn unchanged(&self, whole: &Function<'_>, flipped: &[Vec<f64>]) -> bool {
        POINTS.iter().all(|&count| {
            let x: Vec<&[f64]> = self.x.chunks(POINTS[1]).map(|x| &x[..count]).collect();
            let mut turned: Vec<Vec<f64>> = x.iter().map(|x| x.to_vec()).collect();
            for v in flipped {
                for point in 0..count {
                    let along: f64 = v.iter().zip(&x).map(|(v, x)| v * x[point]).sum();
                    turned.iter_mut().zip(v).for_each(|(turned, v)| turned[point] -= 2.0 * along * v);
                }
            }
            let mut y = vec![0.0; count];
            whole.evaluate(&turned.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut y);
            y.iter().zip(&self.y).all(|(turned, y)| (turned - y).abs() <= UNCHANGED * self.deviation)
        })
    }
}
