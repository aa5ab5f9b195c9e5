//! Mean derivatives `b_n = E[σ⁽ⁿ⁾(b + √Q ζ)]` of many neurons.

use std::f64::consts::FRAC_2_PI;

use super::super::series::Basis;
use crate::{average::polynomial::mean_derivatives, expression::factorial, problem::Activation};

/// How they are computed.
#[derive(Debug)]
pub(super) enum Derivatives {
    /// Of a polynomial: exact.
    Polynomial {
        /// σ in Hermite polynomials that are not normalised.
        coefficients: Vec<f64>,
        /// b_n of a neuron without bias as a polynomial of Q − 1, lowest power first.
        centred: Vec<Vec<f64>>,
    },
    /// Of erf without bias: closed forms.
    Erf,
    /// Of a smooth activation: averages over nodes.
    Smooth(Box<(Activation, Basis)>),
}

/// b_n, by n and neuron, and what the degrees kept leave of `E σ²`.
pub(super) struct Table {
    pub columns: Vec<Vec<f64>>,
    pub tail: Vec<f64>,
}

impl Derivatives {
    /// For b_0 … b_`last`.
    pub fn new(activation: &Activation, biased: bool, last: usize) -> Self {
        match activation.polynomial() {
            Some(coefficients) => {
                let centred = (0..=last).map(|n| centred(&coefficients, n)).collect();
                Self::Polynomial { coefficients, centred }
            }
            None if *activation == Activation::Erf && !biased => Self::Erf,
            None => Self::Smooth(Box::new((activation.clone(), Basis::new(last)))),
        }
    }

    /// b_0 … b_`last` of neurons with `h ~ N(bias, variance)`; what b_0 … b_`order` leave.
    pub fn table(&self, variance: &[f64], bias: &[f64], order: usize, last: usize) -> Table {
        let p = variance.len();
        let mut columns = vec![vec![0.0; p]; last + 1];
        let mut tail = vec![0.0; p];
        match self {
            Self::Polynomial { centred, .. } if bias.iter().all(|b| *b == 0.0) => {
                for (column, powers) in columns.iter_mut().zip(centred) {
                    for c in powers.iter().rev() {
                        column.iter_mut().zip(variance).for_each(|(b, q)| *b = *b * (q - 1.0) + c);
                    }
                }
            }
            Self::Polynomial { coefficients, .. } => {
                let (mut scratch, mut out) = (vec![0.0; coefficients.len()], vec![0.0; last + 1]);
                for j in 0..p {
                    mean_derivatives(coefficients, bias[j], variance[j], &mut scratch, &mut out);
                    columns.iter_mut().zip(&out).for_each(|(column, b)| column[j] = *b);
                }
            }
            Self::Erf => {
                for (j, q) in variance.iter().enumerate() {
                    // E[σ'(h + y)] = √(2/π)/√(1+Q) e^{−y²/2(1+Q)}.
                    let mut b = FRAC_2_PI.sqrt() / (1.0 + q).sqrt();
                    let mut known = 0.0;
                    let mut power = *q;
                    for n in (1..=last).step_by(2) {
                        columns[n][j] = b;
                        if n <= order {
                            known += b * b * power / factorial(n);
                        }
                        power *= q * q;
                        b *= -(n as f64) / (1.0 + q);
                    }
                    tail[j] = (FRAC_2_PI * (q / (1.0 + q)).asin() - known).max(0.0);
                }
            }
            Self::Smooth(smooth) => {
                let (activation, basis) = &**smooth;
                let expansion = basis.expand(activation, variance, bias);
                for j in 0..p {
                    let root = variance[j].max(1e-12).sqrt();
                    let mut scale = 1.0;
                    let mut known = 0.0;
                    for (n, column) in columns.iter_mut().enumerate() {
                        if n > 0 {
                            scale *= (n as f64).sqrt() / root;
                        }
                        let c = expansion.values[(j, n)];
                        column[j] = c * scale;
                        known += if n <= order { c * c } else { 0.0 };
                    }
                    tail[j] = (expansion.size[j] - known).max(0.0);
                }
            }
        }
        Table { columns, tail }
    }
}

/// `b_n = Σ_j s_{n+2j} (n+2j)!/(2j)! (2j−1)!! (Q − 1)ʲ`.
fn centred(coefficients: &[f64], n: usize) -> Vec<f64> {
    let top = coefficients.len();
    (0..)
        .take_while(|j| n + 2 * j < top)
        .map(|j| {
            let odd: f64 = (1..=j).map(|i| (2 * i - 1) as f64).product();
            coefficients[n + 2 * j] * factorial(n + 2 * j) / factorial(2 * j) * odd
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_agree() {
        let variance = [0.4, 1.0, 1.7];
        let none = [0.0; 3];
        let square = Derivatives::new(&Activation::Square, false, 4).table(&variance, &none, 2, 4);
        assert_eq!(square.columns, [variance.to_vec(), vec![0.0; 3], vec![2.0; 3], vec![0.0; 3], vec![0.0; 3]]);
        let smooth = Derivatives::Smooth(Box::new((Activation::Erf, Basis::new(12)))).table(&variance, &none, 10, 12);
        let closed = Derivatives::new(&Activation::Erf, false, 12).table(&variance, &none, 10, 12);
        for n in 0..=12 {
            for j in 0..3 {
                let (a, b) = (smooth.columns[n][j], closed.columns[n][j]);
                assert!((a - b).abs() < 1e-11 * factorial(n).sqrt(), "n = {n}, j = {j}: {a} {b}");
            }
        }
        assert!((0..3).all(|j| (smooth.tail[j] - closed.tail[j]).abs() < 1e-13));
        let he5 = Derivatives::new(&Activation::Hermite(5), false, 7);
        let (plain, biased) = (he5.table(&variance, &none, 5, 7), he5.table(&variance, &[1e-300; 3], 5, 7));
        assert_eq!(plain.columns, biased.columns);
    }
}
