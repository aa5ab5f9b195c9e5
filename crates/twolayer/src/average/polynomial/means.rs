//! Mean derivatives of a polynomial of a Gaussian variable.

/// `out[a] ← E[f⁽ᵃ⁾(b + √q ζ)]` for `f = Σ_n s_n He_n`, by `E[f⁽ᵃ⁾] = Σ_n s_n n!/(n−a)! m_{n−a}`, `m_n = E[He_n(b + √q ζ)]`,
/// `m_{n+1} = b m_n + n (q − 1) m_{n−1}`. `means` is scratch as long as s.
pub(crate) fn mean_derivatives(coefficients: &[f64], bias: f64, variance: f64, means: &mut [f64], out: &mut [f64]) {
    let (mut before, mut current) = (0.0, 1.0);
    for (n, mean) in means[..coefficients.len()].iter_mut().enumerate() {
        *mean = current;
        let next = bias * current + n as f64 * (variance - 1.0) * before;
        (before, current) = (current, next);
    }
    for (a, out) in out.iter_mut().enumerate() {
        let mut falling: f64 = (2..=a).map(|i| i as f64).product();
        *out = 0.0;
        for n in a..coefficients.len() {
            *out += coefficients[n] * falling * means[n - a];
            falling *= (n + 1) as f64 / (n + 1 - a) as f64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `E He_3⁽ᵃ⁾(b + √q ζ)` by hand.
    #[test]
    fn derivatives_of_he3() {
        let (b, q) = (0.7, 2.5);
        let mut out = [f64::NAN; 5];
        mean_derivatives(&[0.0, 0.0, 0.0, 1.0], b, q, &mut [0.0; 4], &mut out);
        let expected = [b * b * b + 3.0 * b * (q - 1.0), 3.0 * (b * b + q - 1.0), 6.0 * b, 6.0, 0.0];
        assert!(out.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-14), "{out:?}");
    }
}
