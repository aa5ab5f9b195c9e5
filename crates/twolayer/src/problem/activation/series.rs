//! Activations by their Hermite coefficients.

/// Numbers that go through the recurrence together, so that the loop over them is vectorised.
const TOGETHER: usize = 8;

/// `Σ_q c_q h_q(x)` with the orthonormal Hermite polynomials `h_q = He_q/√q!`, so that `c_q = E[σ h_q]` and
/// `E σ² = Σ_q c_q²`. (theory.md §5.5)
#[derive(Debug, Clone, PartialEq)]
pub struct HermiteSeries {
    coefficients: Vec<f64>,
    /// √0, √1, … as far as there are coefficients.
    roots: Vec<f64>,
}

impl HermiteSeries {
    /// c_0 first.
    pub fn new(coefficients: Vec<f64>) -> Self {
        let roots = (0..=coefficients.len()).map(|q| (q as f64).sqrt()).collect();
        Self { coefficients, roots }
    }

    /// c_0, c_1, ….
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// `0.5 h_1(h) − h_3(h), h_q = He_q/√q!`.
    pub fn formula(&self) -> String {
        let mut text = String::new();
        for (q, c) in self.coefficients.iter().enumerate().filter(|(_, c)| **c != 0.0) {
            text += match (text.is_empty(), *c < 0.0) {
                (true, true) => "−",
                (true, false) => "",
                (false, true) => " − ",
                (false, false) => " + ",
            };
            let size = c.abs();
            text += &match (q, size == 1.0) {
                (0, _) => size.to_string(),
                (_, true) => format!("h_{q}(h)"),
                _ => format!("{size} h_{q}(h)"),
            };
        }
        if text.is_empty() { "0".into() } else { format!("{text}, h_q = He_q/√q!") }
    }

    /// `h ← σ(h)`.
    pub(super) fn values(&self, h: &mut [f64]) {
        for h in h.chunks_mut(TOGETHER) {
            let values = self.sums(h).0;
            h.copy_from_slice(&values[..h.len()]);
        }
    }

    /// `h ← σ(h)` and `derivative ← σ'(h)`.
    pub(super) fn values_and_derivatives(&self, h: &mut [f64], derivative: &mut [f64]) {
        for (h, derivative) in h.chunks_mut(TOGETHER).zip(derivative.chunks_mut(TOGETHER)) {
            let (values, derivatives) = self.sums(h);
            h.copy_from_slice(&values[..h.len()]);
            derivative.copy_from_slice(&derivatives[..h.len()]);
        }
    }

    /// `Σ c_q h_q` and `Σ c_q √q h_{q−1}`, by `√(q+1) h_{q+1} = x h_q − √q h_{q−1}`.
    #[inline(always)]
    fn sums(&self, x: &[f64]) -> ([f64; TOGETHER], [f64; TOGETHER]) {
        let mut padded = [0.0; TOGETHER];
        padded[..x.len()].copy_from_slice(x);
        let (mut previous, mut current) = ([0.0; TOGETHER], [1.0; TOGETHER]);
        let (mut values, mut derivatives) = ([0.0; TOGETHER], [0.0; TOGETHER]);
        for (q, c) in self.coefficients.iter().enumerate() {
            let (root, next) = (self.roots[q], 1.0 / self.roots[q + 1]);
            let slope = c * root;
            for i in 0..TOGETHER {
                values[i] += c * current[i];
                derivatives[i] += slope * previous[i];
                let higher = (padded[i] * current[i] - root * previous[i]) * next;
                (previous[i], current[i]) = (current[i], higher);
            }
        }
        (values, derivatives)
    }
}
