//! A target of few directions by its Hermite coefficients, `g(P^{1/2}u) = Σ_α ĝ_α Π_r h_{α_r}(u_r)`.
//!
//! For a neuron with unit projection w on u (`w = Cov(u, λ_j)/√q_j`, |w| ≤ 1) and `Y_n(w) = Σ_{|α|=n} ĝ_α √(n!/α!) w^α`,
//! `E[σ(h_j) g] = Σ_n c_n Y_n(w)`, and `E[σ'(h_j) ∂g/∂u_r] = Σ_n d_{n−1}/√n · ∂Y_n/∂w_r`: no integral is left, and the
//! coefficients do not depend on the state.

use faer::{Accum, Mat, MatRef, Par, linalg::matmul::matmul};

use super::{
    against::{Against, View},
    pairs::Neurons,
    row::Wanted,
    series::hermite,
};
use crate::{
    average::label::labels,
    error::Result,
    expression::{Scratch, factorial},
    gaussian::quadrature::Quadrature,
    overlaps::{inverse_root, symmetric_root},
    problem::Rule,
};

/// Points at which the target is evaluated at a time.
const BLOCK: usize = 1024;

/// Relative difference of two rules up to which a target counts as smooth.
const SMOOTH: f64 = 1e-9;

/// Directions beyond which a tensor of nodes is too large.
pub(super) const DIRECTIONS: usize = 4;

/// The Hermite coefficients of a target.
#[derive(Debug)]
pub(super) struct Coefficients {
    /// k.
    directions: usize,
    /// The degree up to which they are kept.
    order: usize,
    /// α, k to a term.
    powers: Vec<u8>,
    /// `ĝ_α √(n!/α!)`.
    terms: Vec<f64>,
    /// The degree of the last term.
    pub degree: usize,
    /// P^{−1/2}.
    whiten: Mat<f64>,
    /// E g², and the difference of two rules.
    pub square: (f64, f64),
    /// `E g² − Σ ĝ_α²`.
    tail: f64,
    /// `(Σ (Δĝ_α)²)^{½}` and `(Σ |α| (Δĝ_α)²)^{½}`, Δ the difference of two rules.
    errors: (f64, f64),
}

impl Coefficients {
    /// The coefficients of `rule` up to degree `order`, for directions with overlaps P.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
    pub fn new(rule: &Rule, overlaps: &Mat<f64>, order: usize) -> Result<Self> {
        let k = overlaps.nrows();
        let root = symmetric_root(overlaps.as_ref())?;
        // Two rules of nearly the same cost: their difference is the error. Gauss–Hermite nodes are exact for polynomials;
        // where they disagree, panels that a kink at z_r = 0 does not hurt.
        let hermite = |[fine, coarse]: [usize; 2]| (Quadrature::gauss_hermite(fine), Quadrature::gauss_hermite(coarse));
        let polynomial = hermite([[64, 58], [64, 58], [64, 58], [40, 36], [26, 23]][k.min(DIRECTIONS)]);
        let mut rules = transforms(rule, &root, &polynomial, order);
        if k < DIRECTIONS && distance(&rules) > SMOOTH * rules.0.1.sqrt() {
            let panels = match k {
                1 => (Quadrature::panels(13.0, 0.25, 16), Quadrature::panels(13.0, 0.3, 14)),
                2 => (Quadrature::panels(13.0, 0.5, 12), Quadrature::panels(13.0, 0.65, 14)),
                _ => (Quadrature::panels(10.0, 2.0, 9), Quadrature::panels(10.0, 2.5, 10)),
            };
            let others = transforms(rule, &root, &panels, order);
            if distance(&others) < distance(&rules) {
                rules = others;
            }
        }
        let ((tensor, square), (other, other_square)) = rules;
        let mut out = Self {
            directions: k,
            order,
            powers: Vec::new(),
            terms: Vec::new(),
            degree: 0,
            whiten: inverse_root(overlaps.as_ref())?,
            square: (square, (square - other_square).abs()),
            tail: square,
            errors: (0.0, 0.0),
        };
        let log_factorials: Vec<f64> = (0..=order)
            .scan(0.0, |sum, n| {
                *sum += if n > 1 { (n as f64).ln() } else { 0.0 };
                Some(*sum)
            })
            .collect();
        let (mut value, mut slope) = (0.0, 0.0);
        let mut alpha = vec![0_usize; k];
        for (&g, &other) in tensor.iter().zip(&other) {
            let n: usize = alpha.iter().sum();
            if n <= order {
                value += (g - other).powi(2);
                slope += n as f64 * (g - other).powi(2);
                out.tail -= g * g;
                // Below this it is rounding of the values at the nodes, or nothing that the rules agree on.
                if g.abs() > 1e-13 * square.sqrt() + (g - other).abs() {
                    let weight = log_factorials[n] - alpha.iter().map(|&i| log_factorials[i]).sum::<f64>();
                    out.powers.extend(alpha.iter().map(|&i| i as u8));
                    out.terms.push(g * (0.5 * weight).exp());
                    out.degree = out.degree.max(n);
                }
            }
            for i in &mut alpha {
                *i += 1;
                if *i <= order {
                    break;
                }
                *i = 0;
            }
        }
        out.tail = out.tail.max(0.0);
        out.errors = (value.sqrt(), slope.sqrt());
        Ok(out)
    }

    /// `E[∂ᵅg]` in u, `√α! ĝ_α`; 0 beyond the degrees kept.
    pub fn derivative(&self, alpha: &[usize]) -> f64 {
        let is = |powers: &[u8]| powers.iter().zip(alpha).all(|(i, a)| usize::from(*i) == *a);
        let Some(at) = self.powers.chunks_exact(self.directions).position(is) else { return 0.0 };
        let product: f64 = alpha.iter().map(|a| factorial(*a)).product();
        self.terms[at] * product / factorial(alpha.iter().sum()).sqrt()
    }

    /// How much of g the coefficients do not know, relative to g: its part of high degree, and the rules' difference.
    pub fn unknown(&self) -> (f64, f64) {
        let size = self.square.0.max(f64::MIN_POSITIVE).sqrt();
        (self.tail.sqrt() / size, self.errors.0 / size)
    }

    /// |w_j|: how much of each neuron lies in the target's space.
    pub fn lengths(&self, view: &View<'_>) -> impl Iterator<Item = f64> {
        let p = view.bias.len();
        let projections = view.student_teacher * &self.whiten;
        (0..p).map(move |j| {
            let root = view.roots[j];
            if root > 0.0 { projections.row(j).norm_l2() / root } else { 0.0 }
        })
    }

    /// The averages of the neurons whose `share` is not 0; the others keep what they have.
    pub fn against(&self, view: &View<'_>, wanted: Wanted, share: &[f64], out: &mut Against) {
        // The kernel prepares the neurons as series.
        let Neurons::Series(neurons) = view.neurons else { return };
        let (p, k) = (view.bias.len(), self.directions);
        let projections = view.student_teacher * &self.whiten;
        let mut table = vec![1.0; k * (self.order + 1)];
        let mut gradient = vec![0.0; k];
        let top = neurons.values.ncols() - 1;
        for j in (0..p).filter(|&j| share[j] > 0.0) {
            let mut length = 0.0;
            for r in 0..k {
                let w = if view.roots[j] > 0.0 { projections[(j, r)] / view.roots[j] } else { 0.0 };
                length += w * w;
                let powers = &mut table[r * (self.order + 1)..(r + 1) * (self.order + 1)];
                (1..=self.order).for_each(|n| powers[n] = powers[n - 1] * w);
            }
            let (mut value, mut slope, mut curved) = (0.0, 0.0, 0.0);
            gradient.fill(0.0);
            for (alpha, &term) in self.powers.chunks_exact(k).zip(&self.terms) {
                let n: usize = alpha.iter().map(|&i| usize::from(i)).sum();
                if n > top {
                    continue;
                }
                let power = |r: usize, i: u8| table[r * (self.order + 1) + usize::from(i)];
                let monomial: f64 = (0..k).map(|r| power(r, alpha[r])).product();
                value += neurons.values[(j, n)] * term * monomial;
                if wanted != Wanted::All {
                    continue;
                }
                slope += neurons.slopes[(j, n)] * term * monomial;
                curved += ((n + 1) as f64).sqrt() * neurons.slopes[(j, n + 1)] * term * monomial;
                for r in (0..k).filter(|&r| alpha[r] > 0) {
                    let others: f64 = (0..k).filter(|&q| q != r).map(|q| power(q, alpha[q])).product();
                    gradient[r] += neurons.slopes[(j, n - 1)] / (n as f64).sqrt()
                        * term
                        * f64::from(alpha[r])
                        * power(r, alpha[r] - 1)
                        * others;
                }
            }
            out.values[j] = value;
            let rest = length.min(1.0).sqrt().powi(self.order as i32);
            // The neuron's own part beyond the target's order.
            let beyond = |of: &Mat<f64>| (self.order + 1..=top).map(|n| of[(j, n)].powi(2)).sum::<f64>();
            let value_tail = neurons.value_tail[j] + beyond(&neurons.values);
            let value_error = rest * (value_tail * self.tail).sqrt() + self.errors.0 * neurons.size[j].sqrt();
            out.value_error += share[j] * view.coefficients[j].abs() * value_error;
            if wanted == Wanted::All {
                out.slopes[j] = slope;
                out.curved[j] = curved;
                for r in 0..k {
                    out.gradients[(j, r)] = (0..k).map(|q| gradient[q] * self.whiten[(q, r)]).sum();
                }
                let slope_size: f64 = (0..=top).map(|n| neurons.slopes[(j, n)].powi(2)).sum();
                let slope_tail = neurons.slope_tail[j] + beyond(&neurons.slopes);
                out.drift_errors[j] =
                    rest * (slope_tail * self.order as f64 * self.tail).sqrt() + self.errors.1 * slope_size.sqrt();
            }
        }
    }

    pub fn describe(&self) -> String {
        format!("{} Hermite coefficients of the target, up to degree {}", self.terms.len(), self.degree)
    }
}

/// The coefficients and E g² by one rule.
type Transform = (Vec<f64>, f64);

/// Both rules' answers.
fn transforms(
    rule: &Rule,
    root: &Mat<f64>,
    (fine, coarse): &(Quadrature, Quadrature),
    order: usize,
) -> (Transform, Transform) {
    (transform(rule, root, fine, order), transform(rule, root, coarse, order))
}

/// The root mean square difference of two rules' answers.
fn distance(((fine, _), (coarse, _)): &(Transform, Transform)) -> f64 {
    fine.iter().zip(coarse).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

/// ĝ_α for all α with entries up to `order`, first index fastest, and E g².
fn transform(rule: &Rule, root: &Mat<f64>, quadrature: &Quadrature, order: usize) -> Transform {
    let (k, m) = (root.nrows(), quadrature.nodes.len());
    let count = m.pow(k as u32);
    let mut values = vec![0.0; count];
    let mut scratch = Scratch::default();
    let (mut u, mut z) = (Mat::zeros(BLOCK, k), Mat::zeros(BLOCK, k));
    let mut square = 0.0;
    for (block, out) in values.chunks_mut(BLOCK).enumerate() {
        let mut weights = [1.0; BLOCK];
        for i in 0..out.len() {
            let mut index = block * BLOCK + i;
            for r in 0..k {
                u[(i, r)] = quadrature.nodes[index % m];
                weights[i] *= quadrature.weights[index % m];
                index /= m;
            }
        }
        matmul(&mut z, Accum::Replace, &u, root, 1.0, Par::Seq);
        let columns: Vec<&[f64]> = (0..k).map(|r| z.col_as_slice(r)).collect();
        labels(rule, &columns, out, &mut scratch);
        square += out.iter().zip(&weights).map(|(g, w)| w * g * g).sum::<f64>();
    }
    let mut weighted = Mat::zeros(m, order + 1);
    for (i, (&x, &w)) in quadrature.nodes.iter().zip(&quadrature.weights).enumerate() {
        hermite(x, order, |n, h| weighted[(i, n)] = w * h);
    }
    // The first index becomes a degree and goes last, k times.
    for _ in 0..k {
        let rest = values.len() / m;
        let mut next = Mat::<f64>::zeros(rest, order + 1);
        let tensor = MatRef::from_column_major_slice(&values, m, rest);
        matmul(&mut next, Accum::Replace, tensor.transpose(), &weighted, 1.0, Par::Seq);
        values = (0..=order).flat_map(|n| next.col_as_slice(n).iter().copied()).collect();
    }
    (values, square)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_of_polynomials_are_exact_and_finite() {
        for (text, k, terms, degree) in [
            ("he3(z1)", 1, 1, 3),
            ("z1 + z1*z2", 2, 2, 2),
            ("z1*z2*z3 + he2(z1)", 3, 2, 3),
            ("z1*z2*z3 + he3(z4)", 4, 2, 3),
        ] {
            let rule = Rule::try_from(text).unwrap();
            let got = Coefficients::new(&rule, &Mat::identity(k, k), 12).unwrap();
            assert_eq!((got.terms.len(), got.degree), (terms, degree), "{text}");
            assert!(got.unknown().0 < 1e-6 && got.unknown().1 < 1e-8, "{text}: {:?}", got.unknown());
        }
    }
}
