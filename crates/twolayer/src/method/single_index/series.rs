//! The two power series of a single-index problem.

use super::Expansion;

/// `U(r) = Σ σ_k² r^k` and `V(s) = Σ φ_k σ_k s^k`, k ≤ K. (theory.md §5.5)
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// σ_k of the activation, as many as there are φ_k.
    pub activation: Vec<f64>,
    /// φ_k of the target.
    pub target: Vec<f64>,
    /// `½ Σ_{k>K} φ_k²`: the risk that no network of this series can lower.
    pub unseen: f64,
    /// σ_k² and k σ_k², φ_k σ_k and k φ_k σ_k: coefficients of U, U', V, V'.
    squares: [Vec<f64>; 2],
    products: [Vec<f64>; 2],
}

impl Series {
    /// The longer of the two decides K.
    pub fn new(activation: &Expansion, target: &Expansion) -> Self {
        let count = activation.coefficients.len().max(target.coefficients.len());
        let padded = |expansion: &Expansion| {
            let mut coefficients = expansion.coefficients.clone();
            coefficients.resize(count, 0.0);
            coefficients
        };
        let (sigma, phi) = (padded(activation), padded(target));
        let derivative =
            |series: &[f64]| -> Vec<f64> { series.iter().enumerate().skip(1).map(|(k, c)| k as f64 * c).collect() };
        let squares: Vec<f64> = sigma.iter().map(|sigma| sigma * sigma).collect();
        let products: Vec<f64> = sigma.iter().zip(&phi).map(|(sigma, phi)| sigma * phi).collect();
        Self {
            unseen: 0.5 * target.remainder.powi(2),
            squares: [squares.clone(), derivative(&squares)],
            products: [products.clone(), derivative(&products)],
            activation: sigma,
            target: phi,
        }
    }

    /// Of exact coefficients.
    pub fn exact(activation: &[f64], target: &[f64]) -> Self {
        let expansion =
            |coefficients: &[f64]| Expansion { coefficients: coefficients.to_vec(), error: 0.0, remainder: 0.0 };
        Self::new(&expansion(activation), &expansion(target))
    }

    /// The first `part` of `of` equal parts of the degrees: what is left out shows how much they matter.
    pub fn cut(&self, part: usize, of: usize) -> Self {
        let kept = (self.degrees() * part).div_ceil(of).max(1);
        let left: f64 = self.target[kept..].iter().map(|phi| phi * phi).sum();
        Self { unseen: self.unseen + 0.5 * left, ..Self::exact(&self.activation[..kept], &self.target[..kept]) }
    }

    /// K + 1.
    pub fn degrees(&self) -> usize {
        self.activation.len()
    }

    /// `r ← U(r)`.
    pub(super) fn neurons(&self, r: &mut [f64]) {
        horner(&self.squares[0], r);
    }

    /// `r ← U'(r)`.
    pub(super) fn neurons_slope(&self, r: &mut [f64]) {
        horner(&self.squares[1], r);
    }

    /// `s ← V(s)`.
    pub(super) fn teacher(&self, s: &mut [f64]) {
        horner(&self.products[0], s);
    }

    /// `s ← V'(s)`.
    pub(super) fn teacher_slope(&self, s: &mut [f64]) {
        horner(&self.products[1], s);
    }
}

/// `x ← Σ c_k x^k`; a whole slice at each coefficient, so that the loop over it is vectorised.
fn horner(coefficients: &[f64], x: &mut [f64]) {
    const TOGETHER: usize = 32;
    for x in x.chunks_mut(TOGETHER) {
        let mut sums = [0.0; TOGETHER];
        let sums = &mut sums[..x.len()];
        for &c in coefficients.iter().rev() {
            sums.iter_mut().zip(&*x).for_each(|(sum, x)| *sum = *sum * x + c);
        }
        x.copy_from_slice(sums);
    }
}
