//! N of a wide network whose error is a function of z alone, e = −y: the correlation loss, or f ≡ 0 as paired neurons start.
//!
//! Given u = P^{−1/2}z the neurons are Gaussian with means `m_j = ⟨w_j, u⟩ + b_j` and covariance V = Q − w wᵀ, so that
//! `N_jl = c_j c_l E_u[ (g² + Δ) Σ_n D_n(j; u) D_n(l; u) r_jlⁿ ]`, `D_n(j; u) = E[σ'(m_j + √V_jj ζ) h_n(ζ)]`,
//! `r = V_jl/√(V_jj V_ll)`: a few products of matrices, because r is small between neurons of a high dimension.

use faer::{Accum, Mat, Par, linalg::matmul::matmul};

use super::{
    relu::{ReluNeurons, relu_coefficients},
    series::Basis,
};
use crate::{
    average::{Averages, State, label::labels},
    error::Result,
    expression::Scratch,
    gaussian::{normal::distribution, quadrature::Quadrature, sobol::normals},
    overlaps::{inverse_root, symmetric_root},
    problem::{Activation, Problem},
};

/// Neurons from which on this beats samples of all fields.
pub(super) const FEWEST: usize = 32;

/// Powers of r kept at most: a p×p matrix for each.
const TERMS: usize = 8;

/// What the powers of r that are left out may come to.
const REST: f64 = 1e-4;

/// Nodes u treated at a time.
const BLOCK: usize = 64;

/// Nodes u, and what the target is there.
pub(super) struct Cloud {
    /// P^{−1/2}.
    whiten: Mat<f64>,
    /// The nodes that count.
    fine: Set,
    /// Others, which tell the error.
    coarse: Set,
}

/// Nodes u (rows), and their weights times g² + Δ.
struct Set {
    nodes: Mat<f64>,
    weights: Vec<f64>,
}

impl Cloud {
    /// A tensor of nodes in up to three directions, scrambled Sobol points beyond.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
    pub fn new(problem: &Problem, seed: u64) -> Result<Self> {
        let target = &problem.target;
        let k = target.directions();
        let root = symmetric_root(target.overlaps.as_ref())?;
        let tensor = |rule: Quadrature| {
            let m = rule.nodes.len();
            let digit = |i: usize, r: usize| i / m.pow(r as u32) % m;
            let nodes = Mat::from_fn(m.pow(k as u32), k, |i, r| rule.nodes[digit(i, r)]);
            let weight = |i: usize| (0..k).map(|r| rule.weights[digit(i, r)]).product();
            Set { weights: (0..nodes.nrows()).map(weight).collect(), nodes }
        };
        let points = |count: usize, seed: u64| {
            let normals = normals(count, k, seed);
            Set {
                nodes: Mat::from_fn(count, k, |i, r| normals[r * count + i]),
                weights: vec![1.0 / count as f64; count],
            }
        };
        let (mut fine, mut coarse) = match k {
            1 | 2 => (tensor(Quadrature::panels(8.0, 1.0, 3)), tensor(Quadrature::panels(8.0, 2.0, 5))),
            3 => (tensor(Quadrature::gauss_hermite(16)), tensor(Quadrature::gauss_hermite(13))),
            _ => (points(4096, 2 * seed), points(4096, 2 * seed + 1)),
        };
        for set in [&mut fine, &mut coarse] {
            let z = &set.nodes * &root;
            let columns: Vec<&[f64]> = (0..k).map(|r| z.col_as_slice(r)).collect();
            let mut g = vec![0.0; z.nrows()];
            labels(&target.rule, &columns, &mut g, &mut Scratch::default());
            set.weights.iter_mut().zip(&g).for_each(|(weight, g)| *weight *= g * g + target.noise);
        }
        Ok(Self { whiten: inverse_root(target.overlaps.as_ref())?, fine, coarse })
    }
}

/// Writes N into `out` for e = −g(z) + noise, and says whether it could: not where neurons are strongly correlated given z
/// without being copies of each other. `c` is s a.
pub(super) fn noise_given_target(
    activation: &Activation,
    state: &State,
    c: &[f64],
    cloud: &Cloud,
    out: &mut Averages,
) -> bool {
    let p = c.len();
    let w = &state.overlaps.student_teacher * &cloud.whiten;
    let q = &state.overlaps.student_student;
    let covariance = q - &w * w.transpose();
    let deviation: Vec<f64> = (0..p).map(|j| covariance[(j, j)].max(1e-24 * q[(j, j)]).sqrt()).collect();
    let (mut r, mut largest) = (covariance, 0.0_f64);
    let mut copies = Vec::new();
    for j in 0..p {
        for l in 0..j {
            let size = deviation[j] * deviation[l];
            let scale = q[(j, j)].max(q[(l, l)]);
            let same =
                (q[(j, j)] + q[(l, l)] - 2.0 * q[(j, l)]).abs() <= 1e-12 * scale && state.bias[j] == state.bias[l];
            r[(j, l)] = if size > 0.0 { r[(j, l)] / size } else { 0.0 };
            if same {
                copies.push((j, l));
            } else {
                largest = largest.max(r[(j, l)].abs());
            }
        }
    }
    // Σ_{n>N} |D_n D_n| rᴺ⁺¹ ≤ E[σ'²] rᴺ⁺¹
    let Some(terms) = (1..=TERMS).find(|&terms| largest.powi(terms as i32) <= REST) else { return false };
    let basis = Basis::coarse(terms);
    let mut products = vec![Mat::<f64>::zeros(p, p); terms];
    let mut block = vec![Mat::<f64>::zeros(BLOCK, p); terms];
    // E[σ'_j²(g² + Δ)], and D_n(j) times the root of each weight.
    let mut visit = |set: &Set, store: &mut dyn FnMut(&[Mat<f64>])| {
        let mut diagonal = vec![0.0; p];
        let means = &set.nodes * w.transpose();
        let mut at = vec![0.0; p];
        for from in (0..set.weights.len()).step_by(BLOCK) {
            for i in 0..BLOCK {
                let weight = set.weights.get(from + i).copied().unwrap_or(0.0);
                let row = (from + i).min(set.weights.len() - 1);
                at.iter_mut().enumerate().for_each(|(j, mean)| *mean = state.bias[j] + means[(row, j)]);
                let root = weight.sqrt();
                given(activation, &basis, &deviation, &at, |j, square, d| {
                    diagonal[j] += weight * square;
                    block.iter_mut().zip(d).for_each(|(block, d)| block[(i, j)] = root * d);
                });
            }
            store(&block);
        }
        diagonal
    };
    let other = visit(&cloud.coarse, &mut |_| {});
    let diagonal = visit(&cloud.fine, &mut |block| {
        for (product, block) in products.iter_mut().zip(block) {
            matmul(product, Accum::Add, block.transpose(), block, 1.0, Par::Seq);
        }
    });
    out.noise_error = 0.0;
    for j in 0..p {
        for l in 0..j {
            let sum = (0..terms).rev().fold(0.0, |sum, n| sum * r[(j, l)] + products[n][(j, l)]);
            out.noise[(j, l)] = c[j] * c[l] * sum;
        }
        out.noise[(j, j)] = c[j] * c[j] * diagonal[j];
        let error = (diagonal[j] - other[j]).abs() + REST * diagonal[j];
        out.noise_error = out.noise_error.max(c[j] * c[j] * error);
    }
    for (j, l) in copies {
        out.noise[(j, l)] = c[j] * c[l] * diagonal[l];
    }
    for j in 0..p {
        (0..j).for_each(|l| out.noise[(l, j)] = out.noise[(j, l)]);
    }
    true
}

/// `E[σ'(m_j + √V_jj ζ)²]` and `D_n(j)` for every neuron.
fn given(
    activation: &Activation,
    basis: &Basis,
    deviation: &[f64],
    means: &[f64],
    mut each: impl FnMut(usize, f64, &[f64]),
) {
    let order = basis.order();
    let variance: Vec<f64> = deviation.iter().map(|v| v * v).collect();
    if *activation == Activation::Relu {
        let neurons = ReluNeurons::new(&variance, means);
        for (j, &t) in neurons.shifts.iter().enumerate() {
            let (_, slopes) = relu_coefficients(1.0, t, order - 1);
            each(j, distribution(t), &slopes);
        }
        return;
    }
    let neurons = basis.expand(activation, &variance, means);
    let mut slopes = vec![0.0; order];
    for j in 0..means.len() {
        (0..order).for_each(|n| slopes[n] = neurons.slopes[(j, n)]);
        let square = neurons.slope_tail[j] + slopes.iter().map(|d| d * d).sum::<f64>();
        each(j, square, &slopes);
    }
}
