//! Which expressions are polynomials, and their coefficients in products of Hermite polynomials.

use std::collections::BTreeMap;

use super::{
    graph::{Graph, Id, Node},
    operations::{Binary, Unary},
};

/// The highest degree that is followed.
const DEGREE: usize = 32;

/// Products of Hermite polynomials that are followed at most.
const TERMS: usize = 2048;

/// Coefficients below this fraction of the largest are rounding of those that cancelled.
const ROUNDING: f64 = 1e-15;

/// `Σ_α c_α Π_r He_{α_r}(x_r)`, with probabilists' Hermite polynomials, not normalised.
///
/// In this basis products have positive coefficients only, and averages over nearly standard normals lose no digits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Polynomial {
    terms: BTreeMap<Vec<u8>, f64>,
}

impl Polynomial {
    /// α and c_α; α is as long as its last variable that occurs.
    pub fn terms(&self) -> impl Iterator<Item = (&[u8], f64)> {
        self.terms.iter().map(|(alpha, c)| (alpha.as_slice(), *c))
    }

    /// The largest |α|; 0 for a number.
    pub fn degree(&self) -> usize {
        self.terms.keys().map(|alpha| degree(alpha)).max().unwrap_or(0)
    }

    fn number(value: f64) -> Self {
        Self { terms: [(Vec::new(), value)].into() }
    }

    fn variable(index: usize) -> Self {
        let mut alpha = vec![0; index];
        alpha.push(1);
        Self { terms: [(alpha, 1.0)].into() }
    }

    fn plus(&self, other: &Self, factor: f64) -> Self {
        let mut sum = self.clone();
        for (alpha, c) in &other.terms {
            *sum.terms.entry(alpha.clone()).or_default() += factor * c;
        }
        sum
    }

    fn times_number(&self, factor: f64) -> Self {
        Self { terms: self.terms.iter().map(|(alpha, c)| (alpha.clone(), factor * c)).collect() }
    }

    /// By `He_m He_n = Σ_i C(m,i) C(n,i) i! He_{m+n−2i}` in each variable; `None` where that gets too long.
    fn times(&self, other: &Self) -> Option<Self> {
        let mut product = Self::default();
        for (left, a) in &self.terms {
            for (right, b) in &other.terms {
                if degree(left) + degree(right) > DEGREE {
                    return None;
                }
                let mut parts = vec![(Vec::new(), a * b)];
                for r in 0..left.len().max(right.len()) {
                    let at = |alpha: &[u8]| usize::from(alpha.get(r).copied().unwrap_or(0));
                    let (m, n) = (at(left), at(right));
                    parts = parts
                        .into_iter()
                        .flat_map(|(alpha, c)| {
                            (0..=m.min(n)).map(move |i| {
                                let mut alpha = alpha.clone();
                                alpha.push((m + n - 2 * i) as u8);
                                (alpha, c * binomial(m, i) * binomial(n, i) * factorial(i))
                            })
                        })
                        .collect();
                }
                for (mut alpha, c) in parts {
                    alpha.truncate(alpha.iter().rposition(|n| *n > 0).map_or(0, |last| last + 1));
                    *product.terms.entry(alpha).or_default() += c;
                }
            }
        }
        (product.terms.len() <= TERMS).then_some(product)
    }

    fn power(&self, n: i32) -> Option<Self> {
        let n = u32::try_from(n).ok().filter(|n| *n as usize <= DEGREE)?;
        (0..n).try_fold(Self::number(1.0), |power, _| power.times(self))
    }

    /// He_q of it.
    fn hermite(&self, q: u32) -> Option<Self> {
        let only =
            self.terms.iter().next().filter(|(alpha, c)| self.terms.len() == 1 && degree(alpha) == 1 && **c == 1.0);
        if let Some((alpha, _)) = only {
            let raised = alpha.iter().map(|i| *i * q as u8).collect();
            return Some(Self { terms: [(raised, 1.0)].into() });
        }
        let (mut before, mut current) = (Self::default(), Self::number(1.0));
        for n in 0..q {
            let next = self.times(&current)?.plus(&before, -f64::from(n));
            (before, current) = (current, next);
        }
        Some(current)
    }

    fn constant(&self) -> Option<f64> {
        match self.degree() {
            0 => Some(self.terms.get(&Vec::new()).copied().unwrap_or(0.0)),
            _ => None,
        }
    }

    /// Without what is rounding.
    fn pruned(mut self) -> Self {
        let largest = self.terms.values().fold(0.0, |m: f64, c| m.max(c.abs()));
        self.terms.retain(|_, c| c.abs() > ROUNDING * largest);
        self
    }
}

/// |α|.
fn degree(alpha: &[u8]) -> usize {
    alpha.iter().map(|n| usize::from(*n)).sum()
}

/// n!, exact as far as f64 is.
pub(crate) fn factorial(n: usize) -> f64 {
    (2..=n).map(|i| i as f64).product()
}

/// `C(n, i)`.
pub(crate) fn binomial(n: usize, i: usize) -> f64 {
    (0..i).fold(1.0, |c, l| c * (n - l) as f64 / (l + 1) as f64).round()
}

impl Graph {
    /// `root` as a polynomial of its variables, where it is one of moderate length.
    pub(super) fn polynomial(&self, root: Id) -> Option<Polynomial> {
        let reached = self.reached_from(&[root]);
        let mut known: Vec<Polynomial> = Vec::with_capacity(root + 1);
        for (id, reached) in reached.iter().enumerate() {
            let node = if *reached { self.node_polynomial(id, &known)? } else { Polynomial::default() };
            known.push(node);
        }
        let whole = known.pop()?.pruned();
        whole.terms.values().all(|c| c.is_finite()).then_some(whole)
    }

    fn node_polynomial(&self, id: Id, known: &[Polynomial]) -> Option<Polynomial> {
        match self.node(id) {
            Node::Number(number) => Some(Polynomial::number(number.value())),
            Node::Variable(index) => Some(Polynomial::variable(index)),
            Node::Unary(Unary::Negate, a) => Some(known[a].times_number(-1.0)),
            Node::Unary(..) | Node::Select(..) => None,
            Node::Power(a, n) => known[a].power(n),
            Node::Hermite(q, a) => known[a].hermite(q),
            Node::Binary(operation, a, b) => match operation {
                Binary::Add => Some(known[a].plus(&known[b], 1.0)),
                Binary::Subtract => Some(known[a].plus(&known[b], -1.0)),
                Binary::Multiply => known[a].times(&known[b]),
                Binary::Divide => known[b].constant().map(|c| known[a].times_number(1.0 / c)),
                Binary::Power | Binary::Min | Binary::Max => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::expression::{Expression, Vocabulary};

    fn terms(text: &str) -> Option<Vec<(Vec<u8>, f64)>> {
        let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
        let polynomial = Expression::parse(text, &vocabulary).unwrap().polynomial()?;
        Some(polynomial.terms().map(|(alpha, c)| (alpha.to_vec(), c)).collect())
    }

    #[test]
    fn polynomials_in_hermite_polynomials() {
        // z⁴ = He_4 + 6 He_2 + 3.
        let fourth = vec![(vec![], 3.0), (vec![2], 6.0), (vec![4], 1.0)];
        for text in ["z1^4", "he4(z1) + 6*he2(z1) + 3", "(z1*z1)^2", "z1^2*z1^2*2/2", "(z1 - z2 + z2)^4"] {
            assert_eq!(terms(text), Some(fourth.clone()), "{text}");
        }
        assert_eq!(terms("z1*z2 - 3*z3"), Some(vec![(vec![0, 0, 1], -3.0), (vec![1, 1], 1.0)]));
        // He_3(2z) = 8z³ − 6z = 8 He_3 + 18 He_1.
        assert_eq!(terms("he3(2*z1)"), Some(vec![(vec![1], 18.0), (vec![3], 8.0)]));
        assert_eq!(terms("he20(z2)"), Some(vec![(vec![0, 20], 1.0)]));
    }

    #[test]
    fn others_are_none() {
        for text in ["tanh(z1)", "z1^0.5", "1/z1", "z1^(-2)", "max(z1, 2)", "abs(z1)^2", "(z1 + z2)^33"] {
            assert_eq!(terms(text), None, "{text}");
        }
    }
}
