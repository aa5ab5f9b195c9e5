//! What is left of a target once some directions are known and low degrees in the others are explained.

use faer::Mat;

use super::{
    function::{Function, Spread},
    grid::Grid,
    matrix,
    sample::{Labels, Sample, plans},
    subspace::complement,
    validate,
};
use crate::{
    error::Result,
    gaussian::sobol,
    problem::{Average, Target},
};

/// Whose samples are worth their time here.
const PLAN: usize = 1;

/// `½ Σ_{q>D} E_u ‖T_q(u)‖²/q! = ½ ( E Var(g|u) − Σ_{1≤q≤D} tr S_q/q! )`: half the mean square of what a function of the
/// known directions u and of degree at most D in the others cannot explain. `known` holds orthonormal directions in
/// `x = P^{−1/2} z`; none for `½ Σ_{q>D} ‖C_q‖²/q!`. The label noise is not counted. (theory.md §8)
///
/// By tensor quadrature for smooth targets of few directions; else by samples, whose standard error is the error.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) where g is constant or not finite, [`Error::Refused`](crate::Error::Refused)
/// where it has too many directions.
pub fn unexplained(target: &Target, known: &[Vec<f64>], degree: usize) -> Result<Average> {
    validate(target)?;
    let (function, scale) = Function::normalised(target)?;
    let known: Mat<f64> = matrix(known, function.dimension());
    let rest = complement(&known);
    if rest.ncols() == 0 {
        return Ok(Average { value: 0.0, error: 0.0 });
    }
    let grid = Grid::agreeing(&function, &known, &rest, 0.0).filter(|grid| grid.reaches(degree.max(1)));
    let (value, error) = match grid {
        Some(grid) => grid.unexplained(degree),
        None => {
            let plan = plans(known.ncols() == 0)[PLAN];
            Sample::draw(&function, &known, &rest, Labels::Value, plan, 0.0)?.unexplained(degree)?
        }
    };
    let unit = 0.5 * scale * scale;
    Ok(Average { value: unit * value.max(0.0), error: unit * error })
}

/// Points and independent scramblings for the mean of a target with kinks.
const POINTS: usize = 1 << 16;
const SCRAMBLINGS: u64 = 8;

/// E\[g\], which is E\[y\], and its error.
///
/// # Errors
/// As for [`unexplained`].
pub fn mean(target: &Target) -> Result<Average> {
    validate(target)?;
    let (function, scale) = Function::normalised(target)?;
    let m = function.dimension();
    if let Some(grid) = Grid::agreeing(&function, &Mat::zeros(m, 0), &Mat::identity(m, m), 0.0) {
        let (value, error) = grid.mean();
        return Ok(Average { value: scale * value, error: scale * error });
    }
    let means: Vec<f64> = (0..SCRAMBLINGS)
        .map(|seed| {
            let x = sobol::normals(POINTS, m, 400 + seed);
            let mut y = vec![0.0; POINTS];
            function.evaluate(&x.chunks(POINTS).collect::<Vec<_>>(), &mut y);
            y.iter().sum::<f64>() / POINTS as f64
        })
        .collect();
    let Spread { mean, variance } = Spread::of(&means);
    Ok(Average { value: scale * mean, error: scale * (variance / (SCRAMBLINGS - 1) as f64).sqrt() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        Target::try_from(text).unwrap()
    }

    fn near(text: &str, known: &[Vec<f64>], degree: usize, expected: f64) {
        let got = unexplained(&target(text), known, degree).unwrap();
        let allowed = 1e-9_f64.max(4.0 * got.error);
        assert!((got.value - expected).abs() <= allowed, "{text}, D = {degree}: {got:?} for {expected}");
        assert!(got.error <= 3e-3 * expected.max(0.1), "{text}: {got:?}");
    }

    const LEFT: &str = "(z1 + he2(z1)/2 + he4(z1)/24 + z2 + he2(z2)/2 + he4(z2)/24)/2";
    const RIGHT: &str = "((z1 + z1^2) + (z2 - z2^2))/2";

    /// Hermite polynomials of degree q have square q!: the two linear-kernel bounds of paper B, .2708 and 1.0 in E(f − g)².
    #[test]
    fn polynomials_by_hand() {
        // ¼ · 2 · (2/4 + 24/576)
        near(LEFT, &[], 1, 0.5 * 0.270_833_333_333_333);
        near(LEFT, &[], 0, 0.5 * 0.770_833_333_333_333);
        near(LEFT, &[], 2, 0.5 * 0.25 * 2.0 / 24.0);
        near(LEFT, &[], 4, 0.0);
        near(RIGHT, &[], 1, 0.5);
        // With u = (z1 + z2)/√2 and v = (z1 − z2)/√2, z1² − z2² = 2uv: degree 1 in v, nothing beyond.
        let (half, u) = (0.5_f64.sqrt(), |sign: f64| vec![0.5_f64.sqrt(), sign * 0.5_f64.sqrt()]);
        near(RIGHT, &[u(1.0)], 1, 0.0);
        near(RIGHT, &[u(1.0)], 0, 0.5);
        // Along v instead it is degree 1 in u; along z1 what is left is −he2(z2)/2.
        near(RIGHT, &[u(-1.0)], 1, 0.0);
        near(RIGHT, &[vec![1.0, 0.0]], 1, 0.5 * 0.25 * 2.0);
        assert!(half > 0.7);
        // Everything known.
        near(RIGHT, &[vec![1.0, 0.0], vec![0.0, 1.0]], 0, 0.0);
    }

    /// Var relu = ½ − 1/2π, and its linear part has square ¼; E Var(sign(z1 z2) | z1) = 1, all of it odd in z2.
    #[test]
    fn kinks_and_jumps_by_hand() {
        near("relu(z1)", &[], 0, 0.5 * (0.5 - 0.5 / std::f64::consts::PI));
        near("relu(z1)", &[], 1, 0.5 * (0.25 - 0.5 / std::f64::consts::PI));
        near("sign(z1*z2)", &[], 1, 0.5);
        near("sign(z1*z2)", &[vec![1.0, 0.0]], 1, 0.5 * (1.0 - 2.0 / std::f64::consts::PI));
        near("relu(z1) + relu(z2)", &[vec![1.0, 0.0]], 1, 0.5 * (0.25 - 0.5 / std::f64::consts::PI));
    }

    #[test]
    fn means_by_hand() {
        for (text, expected) in [
            ("1 + z1^2", 2.0),
            ("sin(z1)", 0.0),
            ("relu(z1) + z2", 1.0 / std::f64::consts::TAU.sqrt()),
            ("sign(z1*z2) + 0.5", 0.5),
        ] {
            let got = mean(&target(text)).unwrap();
            assert!((got.value - expected).abs() <= 1e-12 + 5.0 * got.error && got.error < 1e-3, "{text}: {got:?}");
        }
    }

    #[test]
    fn correlated_directions_are_whitened() {
        // y = z1 z2 with P_12 = c: C_2 of x = P^{−1/2} z, Var y = 1 + c².
        let mut target = target("z1*z2");
        target.overlaps[(0, 1)] = 0.6;
        target.overlaps[(1, 0)] = 0.6;
        let got = unexplained(&target, &[], 1).unwrap();
        assert!((got.value - 0.5 * 1.36).abs() < 1e-9, "{got:?}");
    }
}
