//! Hermite tensors by tensor quadrature, for smooth targets.

use faer::Mat;

use super::{
    HIGHEST, Method, Spectrum,
    function::Function,
    indices::{Indices, table},
    subspace::{eigen, join, turned},
};
use crate::{error::Result, gaussian::quadrature::Quadrature};

/// Half the length of a uniform grid: `x^{40} φ(x)` is below rounding there.
const REACH: f64 = 12.0;
/// Two rules that differ by less, relative to the standard deviation of g, have converged.
const CONVERGED: f64 = 1e-7;
/// Where a second, finer pair still differs by more there is a kink or a jump, and no finer pair is tried.
const HOPELESS: f64 = 1e-4;
/// Rounding of a coefficient, relative to √E g².
const ROUNDING: f64 = 1e-12;
/// Rounding of a square root of an eigenvalue, relative to that of the largest one.
const ROOT_ROUNDING: f64 = 1e-7;
/// A coefficient is zero where it is below the error that is allowed for, and non-zero above this many times that.
const MARGIN: f64 = 10.0;
/// Points evaluated at a time.
const CHUNK: usize = 4096;

/// A rule along every axis.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Exact for polynomials of degree 2n − 1.
    GaussHermite(usize),
    /// n equidistant nodes on [−12, 12]: for analytic functions as good as exact once the step is below the distance of
    /// the nearest pole.
    Uniform(usize),
}

/// Pairs of rules in k dimensions, cheapest first; a pair must agree.
fn rules(k: usize) -> &'static [[Rule; 2]] {
    use Rule::{GaussHermite as G, Uniform as U};
    match k {
        1 => &[[U(49), U(61)], [U(240), U(300)], [U(1000), U(1200)], [U(8000), U(9000)]],
        2 => &[[U(49), U(61)], [U(200), U(240)], [U(1000), U(1200)]],
        3 => &[[U(49), U(61)], [U(110), U(140)]],
        4 => &[[G(13), G(15)], [G(22), G(26)]],
        5 => &[[G(11), G(13)]],
        _ => &[[G(9), G(11)]],
    }
}

/// What one rule says about g from a known subspace U.
struct Moments {
    mean: f64,
    mean_square: f64,
    /// E Var(g|u).
    variance: f64,
    /// S_ℓ/ℓ!, in the basis of the complement; entry ℓ − 1.
    tensors: Vec<Mat<f64>>,
    /// `E[g h_γ(v)]` where nothing is known, otherwise empty.
    coefficients: Vec<f64>,
    nodes: usize,
}

/// Two rules that agree on g from a known subspace.
pub(super) struct Grid {
    fine: Moments,
    coarse: Moments,
    /// Error of U and of g itself, relative to the standard deviation of g.
    slack: f64,
    /// Coordinates of the basis of the complement in which the tensors are.
    turn: Mat<f64>,
}

impl Grid {
    /// The cheapest pair of rules that agrees; `None` where none does (kinks, jumps), or where g overflows far out.
    pub(super) fn agreeing(function: &Function<'_>, known: &Mat<f64>, rest: &Mat<f64>, slack: f64) -> Option<Self> {
        if !function.smooth {
            return None;
        }
        let turned_rest = turned(rest, 11);
        let basis = join(&turned(known, 12), &turned_rest);
        let turn = rest.transpose() * &turned_rest;
        let function = function.along(&basis);
        for (attempt, [coarse, fine]) in rules(function.dimension()).iter().enumerate() {
            let moments = |rule, seed| Moments::of(&function, known.ncols(), HIGHEST, rule, seed);
            let (coarse, fine) = (moments(*coarse, 0.37)?, moments(*fine, 0.81)?);
            let grid = Self { coarse, fine, slack, turn: turn.clone() };
            match grid.disagreement(4) {
                small if small <= CONVERGED => return Some(grid),
                large if attempt > 0 && large > HOPELESS => return None,
                _ => {}
            }
        }
        None
    }

    /// Whether the rules agree on the tensors up to degree ℓ as well.
    pub(super) fn reaches(&self, degree: usize) -> bool {
        self.disagreement(degree) <= CONVERGED
    }

    /// Largest difference between the two rules over mean, variance and the tensors up to `degree`, in units of the
    /// (remaining) variance. Generic directions and offsets of the nodes: what does not converge shows here even where
    /// symmetry makes the coefficient in question vanish.
    fn disagreement(&self, degree: usize) -> f64 {
        let (fine, coarse) = (&self.fine, &self.coarse);
        let mut largest = (fine.mean - coarse.mean).abs() / fine.variance.sqrt();
        largest = largest.max((fine.variance - coarse.variance).abs() / fine.variance);
        for (fine_tensor, coarse_tensor) in fine.tensors.iter().zip(&coarse.tensors).take(degree.max(4)) {
            largest = largest.max((fine_tensor - coarse_tensor).norm_max() / fine.variance);
        }
        // NaN counts as disagreement.
        if largest.is_nan() { f64::INFINITY } else { largest }
    }

    /// E g, and its error.
    pub(super) fn mean(&self) -> (f64, f64) {
        let (fine, coarse) = (&self.fine, &self.coarse);
        (fine.mean, (fine.mean - coarse.mean).abs() + ROUNDING * fine.mean_square.sqrt())
    }

    /// `E Var(g|u) − Σ_{1≤q≤degree} tr S_q/q!`, and its error.
    pub(super) fn unexplained(&self, degree: usize) -> (f64, f64) {
        let value = |moments: &Moments| {
            let trace = |tensor: &Mat<f64>| (0..tensor.nrows()).map(|i| tensor[(i, i)]).sum::<f64>();
            moments.variance - moments.tensors.iter().take(degree).map(trace).sum::<f64>()
        };
        let (fine, coarse) = (value(&self.fine), value(&self.coarse));
        (fine, (fine - coarse).abs() + ROUNDING * self.fine.mean_square)
    }

    /// S_ℓ/ℓ!, averaged over symmetries, decided.
    pub(super) fn spectrum(&self, degree: usize, average: &dyn Fn(&Mat<f64>) -> Mat<f64>) -> Result<Spectrum> {
        let tensor = |moments: &Moments| {
            let tensor = &moments.tensors[degree - 1];
            average(&(&self.turn * tensor * self.turn.transpose()))
        };
        let (fine, coarse) = (tensor(&self.fine), tensor(&self.coarse));
        let (values, vectors) = eigen(&fine)?;
        let deviation = self.fine.variance.sqrt();
        let unit = self.disagreement(degree).max(self.slack) * deviation + ROUNDING * self.fine.mean_square.sqrt();
        let floor = MARGIN * unit + ROOT_ROUNDING * values[0].max(0.0).sqrt();
        let trace = |tensor: &Mat<f64>| (0..tensor.nrows()).map(|i| tensor[(i, i)]).sum::<f64>().max(0.0).sqrt();
        let size = trace(&fine);
        Ok(Spectrum {
            size_error: (size - trace(&coarse)).abs() + self.slack * deviation + 1e-14 * size,
            size,
            zero_below: vec![floor.powi(2); values.len()],
            nonzero_above: vec![(MARGIN * floor).powi(2); values.len()],
            resolution: floor / deviation,
            required: 1.0,
            values,
            vectors,
            deviations: vec![fine - coarse],
            scale: self.fine.variance,
            method: Method::Quadrature { nodes: self.fine.nodes },
        })
    }
}

/// Whether a pair of rules agrees on g.
pub(super) fn is_smooth(function: &Function<'_>) -> bool {
    let m = function.dimension();
    Grid::agreeing(function, &Mat::zeros(m, 0), &Mat::identity(m, m), 0.0).is_some()
}

/// `E[g h_α]` for |α| ≤ degree in g's own coordinates, their error, and √E g²; `None` where no two rules agree.
pub(super) fn coefficients(function: &Function<'_>, degree: usize) -> Option<(Vec<f64>, f64, f64)> {
    let rules = |m| if function.smooth { rules(m) } else { &[] };
    rules(function.dimension()).iter().find_map(|[coarse, fine]| {
        let coarse = Moments::of(function, 0, degree, *coarse, 0.37)?;
        let fine = Moments::of(function, 0, degree, *fine, 0.81)?;
        let pairs = fine.coefficients.iter().zip(&coarse.coefficients);
        let error = pairs.map(|(fine, coarse)| (fine - coarse).abs()).fold(0.0, f64::max);
        let deviation = fine.variance.sqrt();
        (error <= CONVERGED * deviation).then(|| {
            let rounding = ROUNDING * fine.mean_square.sqrt();
            (fine.coefficients, error + rounding, deviation)
        })
    })
}

impl Moments {
    /// Of a function whose first `known` coordinates are those of U.
    fn of(function: &Function<'_>, known: usize, degree: usize, rule: Rule, offset: f64) -> Option<Self> {
        let m = function.dimension();
        let axes: Vec<Quadrature> = (0..m).map(|i| rule.axis((offset + 0.618 * i as f64).fract())).collect();
        let mut values = on_nodes(function, &axes)?;
        let weights: Vec<&[f64]> = axes.iter().map(|axis| axis.weights.as_slice()).collect();
        let mean = average(&values, &weights);
        // Without its mean g has less to cancel.
        values.iter_mut().for_each(|y| *y -= mean);
        let squares: Vec<f64> = values.iter().map(|y| y * y).collect();
        let square = average(&squares, &weights);
        let nodes = values.len();
        let indices = Indices::up_to(degree, m - known);
        let by_node = project(values, &axes[known..], degree, &indices);
        let outer = products(&weights[..known]);
        let mut explained = 0.0;
        let unfoldings: Vec<_> = (1..=degree).map(|degree| indices.unfolding(degree)).collect();
        let mut tensors = vec![Mat::zeros(m - known, m - known); degree];
        for (coefficients, weight) in by_node.chunks_exact(indices.len()).zip(&outer) {
            explained += weight * coefficients[0].powi(2);
            for (degree, tensor) in tensors.iter_mut().enumerate() {
                let coefficients = &coefficients[indices.range(degree + 1)];
                unfoldings[degree].add_product(coefficients, coefficients, *weight, tensor);
            }
        }
        let mean_square = square + mean * mean;
        let coefficients = if known == 0 { by_node } else { Vec::new() };
        Some(Self { mean, mean_square, variance: square - explained, tensors, coefficients, nodes })
    }
}

impl Rule {
    fn axis(self, offset: f64) -> Quadrature {
        match self {
            Self::GaussHermite(count) => Quadrature::gauss_hermite(count),
            Self::Uniform(count) => {
                let step = 2.0 * REACH / count as f64;
                let nodes: Vec<f64> = (0..count).map(|i| (i as f64 + offset) * step - REACH).collect();
                let density = |x: &f64| step * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
                let weights = nodes.iter().map(density).collect();
                Quadrature { nodes, weights }
            }
        }
    }
}

/// g at every node, the last coordinate fastest; `None` where one is not finite.
fn on_nodes(function: &Function<'_>, axes: &[Quadrature]) -> Option<Vec<f64>> {
    let sizes: Vec<usize> = axes.iter().map(|axis| axis.nodes.len()).collect();
    let mut values = vec![0.0; sizes.iter().product()];
    let mut x = vec![vec![0.0; CHUNK]; axes.len()];
    for (chunk, out) in values.chunks_mut(CHUNK).enumerate() {
        for point in 0..out.len() {
            let mut at = chunk * CHUNK + point;
            for i in (0..axes.len()).rev() {
                x[i][point] = axes[i].nodes[at % sizes[i]];
                at /= sizes[i];
            }
        }
        let x: Vec<&[f64]> = x.iter().map(|x| &x[..out.len()]).collect();
        function.evaluate(&x, out);
        if out.iter().any(|y| !y.is_finite()) {
            return None;
        }
    }
    Some(values)
}

/// The weighted sum over all axes.
fn average(values: &[f64], weights: &[&[f64]]) -> f64 {
    let mut values = values.to_vec();
    for weights in weights.iter().rev() {
        let sums = values.chunks_exact(weights.len()).map(|row| row.iter().zip(*weights).map(|(y, w)| y * w).sum());
        values = sums.collect();
    }
    values[0]
}

/// Products of weights over all nodes, the last axis fastest.
fn products(weights: &[&[f64]]) -> Vec<f64> {
    weights.iter().fold(vec![1.0], |outer, weights| {
        outer.iter().flat_map(|outer| weights.iter().map(move |weight| outer * weight)).collect()
    })
}

/// `E_v[g h_γ(v)]` at every node of the axes before the last `axes`, one axis after the other.
fn project(mut values: Vec<f64>, axes: &[Quadrature], degree: usize, indices: &Indices) -> Vec<f64> {
    // Indices of the axes done so far.
    let mut done: Vec<Vec<u8>> = vec![Vec::new()];
    for axis in axes.iter().rev() {
        let n = axis.nodes.len();
        let weighted: Vec<Vec<f64>> = (table(degree, &axis.nodes).into_iter())
            .map(|h| h.iter().zip(&axis.weights).map(|(h, weight)| h * weight).collect())
            .collect();
        let mut next_done = Vec::new();
        let mut from = Vec::new();
        for q in 0..=degree {
            for (at, index) in done.iter().enumerate() {
                if q + super::series::total(index) <= degree {
                    let mut longer = vec![q as u8];
                    longer.extend(index);
                    next_done.push(longer);
                    from.push((q, at));
                }
            }
        }
        let (old, new) = (done.len(), from.len());
        let mut next = vec![0.0; values.len() / old / n * new];
        for (row, out) in values.chunks_exact(n * old).zip(next.chunks_exact_mut(new)) {
            for (out, &(q, at)) in out.iter_mut().zip(&from) {
                *out = weighted[q].iter().enumerate().map(|(i, w)| w * row[i * old + at]).sum();
            }
        }
        (values, done) = (next, next_done);
    }
    // Into the order of `indices`.
    let place: std::collections::HashMap<&[u8], usize> =
        done.iter().enumerate().map(|(at, index)| (index.as_slice(), at)).collect();
    let order: Vec<usize> = indices.iter().map(|index| place[index]).collect();
    values.chunks_exact(done.len()).flat_map(|row| order.iter().map(|&at| row[at])).collect()
}
