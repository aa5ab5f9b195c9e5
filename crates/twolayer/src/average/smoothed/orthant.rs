//! N of a ReLU network that learns a ReLU committee, by orthant probabilities.
//!
//! `N_jl = c_j c_l (Σ_mn c_m c_n E[1_j 1_l x_m⁺ x_n⁺] + Δ P(x_j, x_l > 0))`. With A the set {j, l, m, n} of distinct
//! directions and 1_A the indicator of its orthant, Gaussian integration by parts leaves probabilities of smaller orthants,
//! which are sums of asin, and one of four fields:
//!
//! ```text
//! E[x_m x_n 1_A] = C_mn P(A) + Σ_{b∈A∖n} C_mb/√(2πC_bb) E[x_n 1_{A∖b} | x_b = 0]
//! E[x_n 1_B | x_b = 0] = Σ_{q∈B} C'_nq/√(2πC'_qq) P(B∖q | x_b = x_q = 0),   C' = C given x_b
//! ```
//!
//! P of four fields is one-dimensional: with the correlations of the first field scaled by t from 0 to 1,
//! `dP/dt = Σ_m ρ_1m/(2π√(1 − t²ρ_1m²)) (¼ + asin ρ_{kl·1m}(t)/2π)` (Plackett 1954).

use std::f64::consts::{PI, TAU};

use faer::Mat;
use gauss_quad::GaussLegendre;

/// Fields up to which this is cheaper than samples.
pub(super) const MOST_FIELDS: usize = 10;

/// Directions whose correlation is closer to ±1 than this are one: their angle is below 10⁻⁵.
const PARALLEL: f64 = 5e-11;

/// Bound of the error of an orthant probability: merged directions, and the quadrature at singular covariances.
pub(super) const ERROR: f64 = 1e-6;

/// N for fields with covariance `omega`, the first p students; `c` holds s a_j for students and minus the target's scale for
/// its units, `in_error` says which fields are in e.
pub(super) fn relu_noise(omega: &Mat<f64>, c: &[f64], in_error: &[bool], label_noise: f64, out: &mut Mat<f64>) {
    let p = out.nrows();
    let fields = Fields::new(omega, c, in_error);
    let mut known = vec![f64::NAN; 1 << fields.count];
    for j in 0..p {
        for l in 0..=j {
            let entry = match (fields.class[j], fields.class[l]) {
                (Some(first), Some(second)) if !fields.opposite(first, second) => {
                    let square = fields.square(first, second, &mut known);
                    square + label_noise * fields.probability(1 << first | 1 << second, &mut known)
                }
                // σ'(0) = 0.
                _ => 0.0,
            };
            out[(j, l)] = c[j] * c[l] * entry;
            out[(l, j)] = out[(j, l)];
        }
    }
}

/// Distinct directions of unit norm, and what e is in them.
struct Fields {
    /// How many.
    count: usize,
    /// The direction of each field; `None` for a field that vanishes.
    class: Vec<Option<usize>>,
    /// Correlations, count × count.
    correlation: Mat<f64>,
    /// `e = Σ_m weight_m x_m⁺` in the directions.
    weight: Vec<f64>,
}

impl Fields {
    fn new(omega: &Mat<f64>, c: &[f64], in_error: &[bool]) -> Self {
        let root = |i: usize| omega[(i, i)].max(0.0).sqrt();
        let mut representatives: Vec<usize> = Vec::new();
        let mut class = Vec::new();
        let mut weight = Vec::new();
        for i in 0..c.len() {
            if root(i) == 0.0 {
                class.push(None);
                continue;
            }
            let parallel = |&&r: &&usize| omega[(r, i)] >= (1.0 - PARALLEL) * root(r) * root(i);
            let found = representatives.iter().position(|r| parallel(&r));
            let index = found.unwrap_or_else(|| {
                representatives.push(i);
                weight.push(0.0);
                weight.len() - 1
            });
            class.push(Some(index));
            if in_error[i] {
                weight[index] += c[i] * root(i);
            }
        }
        let count = representatives.len();
        let correlation = Mat::from_fn(count, count, |a, b| {
            let (i, l) = (representatives[a], representatives[b]);
            if a == b { 1.0 } else { (omega[(i, l)] / (root(i) * root(l))).clamp(-1.0, 1.0) }
        });
        Self { count, class, correlation, weight }
    }

    fn opposite(&self, a: usize, b: usize) -> bool {
        self.correlation[(a, b)] <= PARALLEL - 1.0
    }

    /// `E[1_j 1_l e²]`.
    fn square(&self, j: usize, l: usize, known: &mut [f64]) -> f64 {
        let mut sum = 0.0;
        for m in (0..self.count).filter(|&m| self.weight[m] != 0.0) {
            for n in 0..=m {
                let weight = self.weight[m] * self.weight[n];
                let set: usize = 1 << j | 1 << l | 1 << m | 1 << n;
                if weight != 0.0 && !self.is_empty(set) {
                    let twice = if n == m { 1.0 } else { 2.0 };
                    sum += twice * weight * self.product(m, n, set, known);
                }
            }
        }
        sum
    }

    /// Whether two directions of the set are opposite.
    fn is_empty(&self, set: usize) -> bool {
        members(set).any(|a| members(set).any(|b| b < a && self.opposite(a, b)))
    }

    /// `E[x_m x_n 1_A]`, m and n in A.
    fn product(&self, m: usize, n: usize, set: usize, known: &mut [f64]) -> f64 {
        let rho = &self.correlation;
        let mut sum = rho[(m, n)] * self.probability(set, known);
        for b in members(set).filter(|&b| b != n) {
            // Given x_b = 0.
            let given = |i: usize, l: usize| rho[(i, l)] - rho[(i, b)] * rho[(l, b)];
            let mut first = 0.0;
            for q in members(set).filter(|&q| q != b) {
                let variance = given(q, q);
                if variance <= 0.0 {
                    continue;
                }
                // And x_q = 0.
                let both = |i: usize, l: usize| given(i, l) - given(i, q) * given(l, q) / variance;
                let mut others = members(set).filter(|&i| i != b && i != q);
                let probability = match (others.next(), others.next()) {
                    (Some(i), Some(l)) => {
                        let size = (both(i, i) * both(l, l)).max(0.0).sqrt();
                        0.25 + if size > 0.0 { (both(i, l) / size).clamp(-1.0, 1.0).asin() / TAU } else { 0.0 }
                    }
                    (Some(_), None) => 0.5,
                    _ => 1.0,
                };
                first += given(n, q) / (TAU * variance).sqrt() * probability;
            }
            sum += rho[(m, b)] / TAU.sqrt() * first;
        }
        sum
    }

    /// `P(x_i > 0 for all i in the set)`, up to four.
    fn probability(&self, set: usize, known: &mut [f64]) -> f64 {
        if !known[set].is_nan() {
            return known[set];
        }
        let angles: f64 = members(set)
            .flat_map(|a| members(set).filter(move |&b| b < a).map(move |b| self.correlation[(a, b)].asin()))
            .sum();
        let value = match set.count_ones() {
            1 => 0.5,
            2 => 0.25 + angles / TAU,
            3 => 0.125 + angles / (4.0 * PI),
            _ => {
                let mut all = [0; 4];
                all.iter_mut().zip(members(set)).for_each(|(place, i)| *place = i);
                four(&Mat::from_fn(4, 4, |a, b| self.correlation[(all[a], all[b])]), angles)
            }
        };
        known[set] = value.max(0.0);
        known[set]
    }
}

/// The elements of a set of bits.
fn members(set: usize) -> impl Iterator<Item = usize> {
    (0..usize::BITS as usize).take_while(move |i| set >> i > 0).filter(move |i| set >> i & 1 == 1)
}

/// The probability of the orthant of four fields; `angles` is the sum of the asin of their correlations.
fn four(rho: &Mat<f64>, angles: f64) -> f64 {
    // At t = 0, ½ P(2, 3, 4); the ¼ of the integrand gives asin(ρ_1m)/8π: together 1/16 + Σ asin/8π.
    let mut sum = 0.0;
    for &(node, weight) in rule() {
        // v ∈ [0, 1], t = 1 − (1 − v)²: roots at t = 1, from ρ_1m and from singular covariances, become smooth.
        let back = 0.5 * (1.0 - node);
        let t = 1.0 - back * back;
        for (m, k, l) in [(1, 2, 3), (2, 1, 3), (3, 1, 2)] {
            let s = t * rho[(0, m)];
            let rest = (1.0 - s) * (1.0 + s);
            if rest <= 0.0 {
                continue;
            }
            let form = |i: usize, j: usize| {
                let (a, b) = (t * rho[(0, i)], t * rho[(0, j)]);
                let (x, y) = (rho[(m, i)], rho[(m, j)]);
                rest * rho[(i, j)] - (a * b - s * (a * y + x * b) + x * y)
            };
            let size = (form(k, k) * form(l, l)).max(0.0).sqrt();
            let partial = if size > 0.0 { (form(k, l) / size).clamp(-1.0, 1.0) } else { 0.0 };
            sum += weight * back * rho[(0, m)] / rest.sqrt() * partial.asin();
        }
    }
    0.0625 + angles / (8.0 * PI) + sum / (TAU * TAU)
}

/// Twenty Gauss–Legendre nodes and weights on \[−1, 1\].
fn rule() -> &'static [(f64, f64)] {
    static RULE: std::sync::LazyLock<Vec<(f64, f64)>> = std::sync::LazyLock::new(|| {
        let count = std::num::NonZeroUsize::new(20).unwrap_or(std::num::NonZeroUsize::MIN);
        GaussLegendre::new(count).as_node_weight_pairs().to_vec()
    });
    &RULE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orthant(rho: &Mat<f64>) -> f64 {
        let fields = Fields::new(rho, &vec![1.0; rho.nrows()], &vec![true; rho.nrows()]);
        let set = (1 << fields.count) - 1;
        fields.probability(set, &mut vec![f64::NAN; 1 << fields.count])
    }

    #[test]
    fn four_fields_have_their_known_probabilities() {
        // Equicorrelated at ½: 1/5. Independent: 1/16. Two independent pairs: a product. Chain of Markov normals.
        let equal = Mat::from_fn(4, 4, |i, j| if i == j { 1.0 } else { 0.5 });
        assert!((orthant(&equal) - 0.2).abs() < 1e-12, "{}", orthant(&equal));
        let pairs = Mat::from_fn(4, 4, |i, j| {
            if i == j {
                1.0
            } else if i / 2 == j / 2 {
                -0.7
            } else {
                0.0
            }
        });
        let pair = 0.25 + f64::asin(-0.7) / TAU;
        assert!((orthant(&pairs) - pair * pair).abs() < 1e-12);
        assert!((orthant(&Mat::identity(4, 4)) - 0.0625).abs() < 1e-15);
        // x_4 = (x_1 + x_2 + x_3)/√3 > 0 on the orthant of the others: 1/8, a singular covariance.
        let third = 1.0 / 3f64.sqrt();
        let singular = Mat::from_fn(4, 4, |i, j| match (i, j) {
            _ if i == j => 1.0,
            (3, _) | (_, 3) => third,
            _ => 0.0,
        });
        assert!((orthant(&singular) - 0.125).abs() < ERROR, "{}", orthant(&singular) - 0.125);
        // Nearly parallel: x_2 ≈ x_1 up to an angle, P = P(1, 3, 4) − angle-sized.
        let close = 1.0 - 1e-9_f64;
        let near = Mat::from_fn(4, 4, |i, j| {
            if i == j {
                1.0
            } else if i + j == 1 {
                close
            } else {
                0.0
            }
        });
        let exact = 0.25 * (0.25 + close.asin() / TAU);
        assert!((orthant(&near) - exact).abs() < ERROR, "{}", orthant(&near) - exact);
    }
}
