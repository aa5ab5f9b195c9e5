//! A polynomial target as a sum of functions of one linear form each, `g(z) = Σ_m f_m(⟨v_m, z⟩)`, |v_m| = 1.
//!
//! Monomial by monomial (Kan 2008), with h running over `α/2 − β`, 0 ≤ β ≤ α:
//! `z^α = Σ_β (−1)^{|β|} Π_r C(α_r, β_r) ⟨h, z⟩ⁿ/n!`, n = |α|. For unit vectors `Σ_{|α|=n} c_α Π He_{α_r}(z_r)` is related to
//! `Σ_m t_m He_n(⟨v_m, z⟩)` as `Σ c_α z^α` is to `Σ t_m ⟨v_m, z⟩ⁿ`, so that the same directions and factors serve.

use std::collections::BTreeMap;

use crate::{
    expression::{Polynomial, binomial, factorial},
    problem::Rule,
};

/// Directions beyond which nothing is gained.
const MOST: usize = 512;

/// One function of a linear form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unit {
    /// v, of length 1 (k).
    pub direction: Vec<f64>,
    /// f, in Hermite polynomials that are not normalised.
    pub coefficients: Vec<f64>,
}

/// The units of a target with k directions; `None` where it is no polynomial, or one of too many directions.
pub(crate) fn units(rule: &Rule, k: usize) -> Option<Vec<Unit>> {
    match rule {
        Rule::Committee { activation, weights } => {
            let coefficients = activation.polynomial()?;
            let unit = |(r, weight): (usize, &f64)| Unit {
                direction: (0..k).map(|q| f64::from(q == r)).collect(),
                coefficients: coefficients.iter().map(|c| weight * c).collect(),
            };
            Some(weights.iter().enumerate().map(unit).collect())
        }
        Rule::Expression(expression) => of_polynomial(&expression.polynomial()?, k),
    }
}

fn of_polynomial(polynomial: &Polynomial, k: usize) -> Option<Vec<Unit>> {
    let degree = polynomial.degree();
    // By 2h divided by its greatest common divisor, the first entry that is not 0 positive.
    let mut units: BTreeMap<Vec<i32>, Vec<f64>> = BTreeMap::new();
    let mut constant = 0.0;
    for (alpha, c) in polynomial.terms() {
        let n: usize = alpha.iter().map(|n| usize::from(*n)).sum();
        if n == 0 {
            constant += c;
            continue;
        }
        for (twice, factor) in powers_of_forms(alpha) {
            let length = 0.5 * twice.iter().map(|h| f64::from(h * h)).sum::<f64>().sqrt();
            let (form, sign) = primitive(twice, k);
            let sign = if sign < 0 && n % 2 == 1 { -1.0 } else { 1.0 };
            let coefficients = units.entry(form).or_insert_with(|| vec![0.0; degree + 1]);
            coefficients[n] += c * sign * factor * length.powi(n as i32);
        }
        if units.len() > MOST {
            return None;
        }
    }
    if constant != 0.0 {
        let first: Vec<i32> = (0..k).map(|r| i32::from(r == 0)).collect();
        units.entry(first).or_insert_with(|| vec![0.0; degree + 1])[0] += constant;
    }
    let unit = |(form, coefficients): (Vec<i32>, Vec<f64>)| {
        let length = form.iter().map(|h| f64::from(h * h)).sum::<f64>().sqrt();
        Unit { direction: form.iter().map(|h| f64::from(*h) / length).collect(), coefficients }
    };
    Some(units.into_iter().map(unit).collect())
}

/// 2h and `(−1)^{|β|} Π C(α_r, β_r)/n!` of every β whose form is not 0.
fn powers_of_forms(alpha: &[u8]) -> Vec<(Vec<i32>, f64)> {
    let n: usize = alpha.iter().map(|n| usize::from(*n)).sum();
    let mut forms = vec![(Vec::new(), 1.0 / factorial(n))];
    for &a in alpha {
        forms = forms
            .into_iter()
            .flat_map(|(form, factor): (Vec<i32>, f64)| {
                (0..=a).map(move |b| {
                    let mut form = form.clone();
                    form.push(i32::from(a) - 2 * i32::from(b));
                    let sign = if b % 2 == 1 { -1.0 } else { 1.0 };
                    (form, factor * sign * binomial(usize::from(a), usize::from(b)))
                })
            })
            .collect();
    }
    forms.retain(|(form, _)| form.iter().any(|h| *h != 0));
    forms
}

/// The shortest whole multiple of a form, k long, and the sign by which it was turned.
fn primitive(mut form: Vec<i32>, k: usize) -> (Vec<i32>, i32) {
    let divisor = form.iter().fold(0, |d, h| greatest_common_divisor(d, h.abs())).max(1);
    let sign = form.iter().find(|h| **h != 0).map_or(1, |h| h.signum());
    form.iter_mut().for_each(|h| *h *= sign);
    form.iter_mut().for_each(|h| *h /= divisor);
    form.resize(k, 0);
    (form, sign)
}

fn greatest_common_divisor(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::{Expression, Scratch, Vocabulary};

    #[test]
    fn the_units_sum_to_the_target() {
        let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
        let point = [0.83, -1.37, 0.41, 1.9];
        for (text, k, count) in [
            ("z1", 1, 1),
            ("z1*z2", 2, 2),
            ("z1 + z1*z2", 2, 3),
            ("z1*z2*z3 + he3(z4)", 4, 5),
            ("z1^2*z2^2 - 2*z1^3*z3 + 4", 3, 0),
            ("he4(z1)*he2(z3) - z2^6 + (z1 - z2)^5", 3, 0),
        ] {
            let expression = Expression::parse(text, &vocabulary).unwrap();
            let columns: Vec<&[f64]> = point[..k].chunks(1).collect();
            let mut expected = [0.0];
            expression.evaluate(&columns, &mut expected, &mut Scratch::default());
            let units = units(&Rule::Expression(expression), k).unwrap();
            assert!(count == 0 || units.len() == count, "{text}: {}", units.len());
            let sum: f64 = units
                .iter()
                .map(|unit| {
                    let x: f64 = unit.direction.iter().zip(point).map(|(v, z)| v * z).sum();
                    let (mut before, mut current, mut sum) = (0.0, 1.0, 0.0);
                    for (n, c) in unit.coefficients.iter().enumerate() {
                        sum += c * current;
                        (before, current) = (current, x * current - n as f64 * before);
                    }
                    sum
                })
                .sum();
            assert!((sum - expected[0]).abs() < 1e-12 * (1.0 + expected[0].abs()), "{text}: {sum} {}", expected[0]);
        }
    }
}
