//! A finite Hermite series.

use super::indices::table;

/// `Σ_α a_α h_α(x)`, orthonormal Hermite polynomials of m standard normal variables.
#[derive(Debug, Clone)]
pub(super) struct Series {
    dimension: usize,
    terms: Vec<(Vec<u8>, f64)>,
}

impl Series {
    pub(super) fn new(dimension: usize, terms: Vec<(Vec<u8>, f64)>) -> Self {
        Self { dimension, terms }
    }

    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    pub(super) fn terms(&self) -> &[(Vec<u8>, f64)] {
        &self.terms
    }

    /// `Σ a_α²` over the terms of one degree: the variance that it explains.
    pub(super) fn power(&self, degree: usize) -> f64 {
        let of_degree = self.terms.iter().filter(|(index, _)| total(index) == degree);
        of_degree.map(|(_, a)| a * a).fold(0.0, |sum, power| sum + power)
    }

    /// The terms whose degree is asked for.
    pub(super) fn only(&self, degree: impl Fn(usize) -> bool) -> Self {
        let terms = self.terms.iter().filter(|(index, _)| degree(total(index))).cloned().collect();
        Self { dimension: self.dimension, terms }
    }

    /// `out[μ] = Σ_α a_α h_α(x_μ)`.
    pub(super) fn evaluate(&self, x: &[Vec<f64>], out: &mut [f64]) {
        let highest = self.terms.iter().flat_map(|(index, _)| index).max().map_or(0, |&q| usize::from(q));
        let tables: Vec<_> = x.iter().map(|x| table(highest, x)).collect();
        out.fill(0.0);
        let mut product = vec![0.0; out.len()];
        for (index, a) in &self.terms {
            product.fill(*a);
            for (table, &q) in tables.iter().zip(index).filter(|(_, q)| **q > 0) {
                product.iter_mut().zip(&table[usize::from(q)]).for_each(|(product, h)| *product *= h);
            }
            out.iter_mut().zip(&product).for_each(|(out, product)| *out += product);
        }
    }
}

/// |α|.
pub(super) fn total(index: &[u8]) -> usize {
    index.iter().map(|&q| usize::from(q)).sum()
}
