//! Nodes for averages over all fields.
//!
//! Coordinates of ζ: the students' p first, then the target's k. The first coordinates of a Sobol sequence are its best;
//! the target gets them, because it is what may have heavy tails, and a width of its own: see [`target_width`].

use faer::Mat;

use crate::{
    gaussian::{quadrature::Quadrature, sobol::normals},
    problem::Problem,
};

use super::super::replicates::REPLICATES;

/// Samples handled at a time.
pub(super) const BLOCK: usize = 256;

/// A block of nodes.
#[derive(Debug)]
pub(super) struct Points {
    /// ζ, up to 256 × (p+k).
    pub normals: Mat<f64>,
    /// Weights, which sum to 1 over a set.
    pub weights: Vec<f64>,
}

/// One replicate of `points` scrambled Sobol normals (a multiple of 256) for p students and k directions.
pub(super) fn draw(points: usize, p: usize, k: usize, seed: u64, replicate: usize) -> Vec<Points> {
    let mut normals = normals(points, p + k, seed * REPLICATES as u64 + replicate as u64);
    let weights = widen(&mut normals[..k * points], points);
    let coordinate = |i: usize| if i < p { k + i } else { i - p };
    let block = |b: usize| Points {
        normals: Mat::from_fn(BLOCK, p + k, |mu, i| normals[coordinate(i) * points + b * BLOCK + mu]),
        weights: weights[b * BLOCK..(b + 1) * BLOCK].to_vec(),
    };
    (0..points / BLOCK).map(block).collect()
}

/// The standard deviation at which k target directions are drawn, τ = (1 + 1/k)^{½}.
///
/// A target such as He_4(z) has half of its mean square beyond |z| = 3, where normals hardly go. Drawing wider and
/// weighing back, `w ∝ exp(−½u²(1 − 1/τ²))`, costs an average over a function without tails a factor
/// `E w² = (1 + 1/(k(k+2)))^{k/2} < 1.16` in its variance and gains a large one where the tails count.
fn target_width(k: usize) -> f64 {
    (1.0 + 1.0 / k as f64).sqrt()
}

/// Scales standard normals (`points` to a coordinate) to the [`target_width`], and returns the weights that make up for
/// it, which sum to 1.
pub(in super::super) fn widen(normals: &mut [f64], points: usize) -> Vec<f64> {
    let width = target_width((normals.len() / points).max(1));
    let mut weights = vec![0.0; points];
    for coordinate in normals.chunks_exact_mut(points) {
        for (u, weight) in coordinate.iter_mut().zip(&mut weights) {
            *weight += 0.5 * *u * *u * (1.0 - width * width);
            *u *= width;
        }
    }
    weights.iter_mut().for_each(|weight| *weight = weight.exp());
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

/// Gauss–Hermite nodes in p + k directions, `count` in each.
pub(super) fn tensor(problem: &Problem, count: usize) -> Vec<Points> {
    let n = problem.width() + problem.directions();
    let rule = Quadrature::gauss_hermite(count);
    let total = count.pow(n as u32);
    let digit = |index: usize, i: usize| index / count.pow(i as u32) % count;
    (0..total)
        .step_by(BLOCK)
        .map(|from| {
            let indices = from..total.min(from + BLOCK);
            let weight = |index: usize| (0..n).map(|i| rule.weights[digit(index, i)]).product();
            Points {
                normals: Mat::from_fn(indices.len(), n, |mu, i| rule.nodes[digit(from + mu, i)]),
                weights: indices.map(weight).collect(),
            }
        })
        .collect()
}
