//! Functions of one normal variable by their orthonormal Hermite coefficients.

use crate::{
    error::{Error, Result},
    problem::{Activation, Average},
};

/// The largest degree that a function is expanded to.
pub const MOST_DEGREES: usize = 30;

/// `c_q = E[g h_q]`, `h_q = He_q/√q!`, q ≤ K, and what is left out. (theory.md §5.5)
#[derive(Debug, Clone, PartialEq)]
pub struct Expansion {
    /// c_0, c_1, ….
    pub coefficients: Vec<f64>,
    /// The largest error of a coefficient: quadrature and rounding.
    pub error: f64,
    /// `√(E[g²] − Σ c_q²)`, the size of what is left out.
    pub remainder: f64,
}

impl Expansion {
    /// The coefficients of `z ↦ g(scale·z)` to degree `degree` (at most [`MOST_DEGREES`]).
    ///
    /// Exact for a series at scale 1; else by adaptive quadrature between the kinks of g.
    ///
    /// # Errors
    /// [`Error::Numerical`] where g grows too fast to have a square average.
    pub fn of(function: &Activation, scale: f64, degree: usize) -> Result<Self> {
        if let (Activation::Series(series), true) = (function, scale == 1.0) {
            let coefficients = series.coefficients();
            let kept = coefficients.len().min(degree + 1);
            let remainder = coefficients[kept..].iter().fold(0.0, |sum: f64, c| sum.hypot(*c));
            return Ok(Self { coefficients: coefficients[..kept].to_vec(), error: 0.0, remainder });
        }
        let mut expansion = Self { coefficients: Vec::with_capacity(degree + 1), error: 0.0, remainder: 0.0 };
        let mut root_factorial = 1.0;
        for q in 0..=degree.min(MOST_DEGREES) {
            root_factorial *= (q.max(1) as f64).sqrt();
            let Average { value, error } = function.hermite_coefficient(q as u32, scale, 0.0);
            if !value.is_finite() {
                let reason = format!("{} grows too fast to have Hermite coefficients", function.name());
                return Err(Error::Numerical(reason));
            }
            let (value, error) = (value / root_factorial, error / root_factorial);
            // Within its error of zero is zero: powers of a coefficient that is not there cost time, and mislead.
            expansion.coefficients.push(if value.abs() <= error { 0.0 } else { value });
            expansion.error = expansion.error.max(error);
        }
        let square = function.mean_square(scale).value;
        let kept: f64 = expansion.coefficients.iter().map(|c| c * c).sum();
        // Differences of this size are rounding.
        let rest = square - kept;
        expansion.remainder = if rest > 1e-13 * square { rest.sqrt() } else { 0.0 };
        Ok(expansion)
    }

    /// Without the trailing degrees that add less than `tolerance` to the size of the function.
    #[must_use]
    pub fn shortened(mut self, tolerance: f64) -> Self {
        while let Some(&last) = self.coefficients.last()
            && (self.remainder.powi(2) + last * last).sqrt() <= tolerance
            && self.coefficients.len() > 1
        {
            self.remainder = self.remainder.hypot(last);
            self.coefficients.pop();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn named(text: &str) -> Activation {
        Activation::parse(text, &BTreeMap::new()).unwrap()
    }

    fn double_factorial(n: i64) -> f64 {
        (1..=n).rev().step_by(2).map(|i| i as f64).product()
    }

    fn root_factorial(q: usize) -> f64 {
        (1..=q).map(|i| (i as f64).sqrt()).product()
    }

    /// `E[erf(h/√2) He_q]`: by parts q − 1 times, `(−½)^{(q−1)/2} (q−2)!!/√π` for odd q.
    fn of_erf(q: usize) -> f64 {
        if q.is_multiple_of(2) {
            return 0.0;
        }
        (-0.5_f64).powi((q as i32 - 1) / 2) * double_factorial(q as i64 - 2) / std::f64::consts::PI.sqrt()
    }

    #[test]
    fn closed_forms_to_degree_thirty() {
        let normal = 1.0 / std::f64::consts::TAU.sqrt();
        let of_relu = |q: usize| match q {
            0 => normal,
            1 => 0.5,
            q if q % 2 == 1 => 0.0,
            // He_{q−2}(0)/√(2π)
            q => normal * (-1.0_f64).powi((q as i32 - 2) / 2) * double_factorial(q as i64 - 3),
        };
        // E[Φ He_q], and h He_q = He_{q+1} + q He_{q−1}.
        let of_phi = |q: usize| if q == 0 { 0.5 } else { 0.5 * of_erf(q) };
        let of_gelu = |q: usize| of_phi(q + 1) + if q > 0 { q as f64 * of_phi(q - 1) } else { 0.0 };
        let cases: [(&str, &dyn Fn(usize) -> f64); 3] = [("erf", &of_erf), ("relu", &of_relu), ("gelu", &of_gelu)];
        for (name, closed) in cases {
            let expansion = Expansion::of(&named(name), 1.0, 30).unwrap();
            assert_eq!(expansion.coefficients.len(), 31);
            assert!(expansion.error < 1e-13, "{name}: {:e}", expansion.error);
            for (q, c) in expansion.coefficients.iter().enumerate() {
                let exact = closed(q) / root_factorial(q);
                assert!((c - exact).abs() < 1e-12, "{name} {q}: {c} {exact}");
            }
        }
    }

    /// `E[tanh h_q]` by 60-digit arithmetic (trapezoidal sums of step 1/32 and 1/64, which agree to 59 digits).
    #[test]
    fn the_hyperbolic_tangent_to_degree_thirty() {
        let expansion = Expansion::of(&Activation::Tanh, 1.0, 30).unwrap();
        for (q, c) in expansion.coefficients.iter().enumerate() {
            let exact = if q % 2 == 0 { 0.0 } else { TANH[q / 2] };
            assert!((c - exact).abs() < 1e-12, "{q}: {c} {exact}");
        }
    }

    const TANH: [f64; 15] = [
        0.6057055096021589,
        -0.14843719078727272,
        0.0625475237527036,
        -0.03144541928767861,
        0.01741993142243614,
        -0.010291840580021526,
        0.006373210098597532,
        -0.004092849332855783,
        0.0027064993767028605,
        -0.001833630028625767,
        0.0012679738473579596,
        -0.0008923934690589963,
        0.0006377763145368862,
        -0.0004620162851367819,
        0.0003387486491893291,
    ];

    /// What is left out: `E σ² = ½` for ReLU, `⅓` for erf, known tails.
    #[test]
    fn the_remainder_is_what_the_coefficients_leave() {
        // ReLU's kink leaves a tail of degrees, erf hardly any.
        for (name, square, tail) in [("relu", 0.5, 1e-3..0.1), ("erf", 1.0 / 3.0, 1e-7..1e-5)] {
            let expansion = Expansion::of(&named(name), 1.0, 30).unwrap();
            let kept: f64 = expansion.coefficients.iter().map(|c| c * c).sum();
            assert!((expansion.remainder.powi(2) + kept - square).abs() < 1e-13, "{name}");
            assert!(tail.contains(&expansion.remainder), "{name}: {}", expansion.remainder);
        }
        // A polynomial leaves nothing, and its own degrees come back: 2 h² = 2√2 h_2 + 2, at scale 3.
        let square = Expansion::of(&named("2*h^2"), 3.0, 6).unwrap();
        assert_eq!(square.remainder, 0.0);
        let expected = [18.0, 0.0, 18.0 * 2_f64.sqrt()];
        for (q, c) in square.coefficients.iter().enumerate() {
            assert!((c - expected.get(q).unwrap_or(&0.0)).abs() < 1e-12, "{q}: {c}");
        }
    }

    #[test]
    fn a_series_is_taken_as_it_is() {
        let series = Activation::series(vec![0.7, 0.8, 0.6, 0.5]);
        let whole = Expansion::of(&series, 1.0, 30).unwrap();
        assert_eq!((whole.coefficients, whole.remainder), (vec![0.7, 0.8, 0.6, 0.5], 0.0));
        let cut = Expansion::of(&series, 1.0, 1).unwrap();
        assert_eq!(cut.coefficients, [0.7, 0.8]);
        assert!((cut.remainder - 0.61_f64.sqrt()).abs() < 1e-15);
        let short = Expansion::of(&Activation::series(vec![1.0, 0.3, 1e-9, 0.0]), 1.0, 30).unwrap().shortened(1e-8);
        assert_eq!((short.coefficients, short.remainder), (vec![1.0, 0.3], 1e-9));
    }

    #[test]
    fn what_has_no_square_average_has_no_expansion() {
        let error = Expansion::of(&named("exp(h^2)"), 1.0, 4).unwrap_err();
        assert!(error.to_string().contains("grows too fast"), "{error}");
    }
}
