//! g as a function of standard normal coordinates.

use faer::Mat;

use super::{series::Series, subspace::join};
use crate::{
    error::{Error, Result},
    expression::Scratch,
    gaussian::sobol,
    overlaps::symmetric_root,
    problem::{Rule, Target},
};

/// Points of the first look at g.
const PILOT: usize = 1 << 14;
/// Larger targets, and smaller ones than the inverse, are normalised.
const LARGE: f64 = 1e30;

/// g(z) with `z = A x`, `x ~ N(0, I_m)`.
#[derive(Debug, Clone)]
pub(super) struct Function<'a> {
    source: Source<'a>,
    /// A, one row for each variable of the source and one column for each coordinate.
    map: Mat<f64>,
    /// What g is divided by: a power of 2, and 1 unless squares of g would leave the numbers.
    scale: f64,
    /// Whether quadrature converges.
    pub(super) smooth: bool,
}

#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Rule(&'a Rule),
    Series(&'a Series),
}

impl<'a> Function<'a> {
    /// The target in the coordinates `x = P^{−1/2} z`.
    pub(super) fn of_target(target: &'a Target) -> Result<Self> {
        let map = symmetric_root(target.overlaps.as_ref())?;
        Ok(Self { source: Source::Rule(&target.rule), map, scale: 1.0, smooth: true })
    }

    /// The target divided by a power of 2, and that: 1 unless g is so large or so small that its fourth powers leave the numbers.
    ///
    /// # Errors
    /// [`Error::Invalid`] where g is not finite, or constant.
    pub(super) fn normalised(target: &'a Target) -> Result<(Self, f64)> {
        let mut function = Self::of_target(target)?;
        let y = function.finite(PILOT)?;
        let (low, high) = y.iter().fold((f64::MAX, f64::MIN), |(low, high), &y| (low.min(y), high.max(y)));
        let largest = low.abs().max(high.abs());
        if high - low <= 1e-13 * largest {
            let reason = format!("g is {} whatever the input: there is nothing to learn", y[0]);
            return Err(Error::invalid("target.expression", reason, "write a target that depends on z1, z2, …"));
        }
        if !(1.0 / LARGE..LARGE).contains(&largest) {
            // 2^±1022 is a number, and so is its inverse.
            function.scale = largest.log2().round().clamp(-1022.0, 1022.0).exp2();
        }
        let scale = function.scale;
        Ok((function, scale))
    }

    /// A polynomial in its own coordinates.
    pub(super) fn of_series(series: &'a Series) -> Self {
        let m = series.dimension();
        Self { source: Source::Series(series), map: Mat::identity(m, m), scale: 1.0, smooth: true }
    }

    /// The same function of coordinates s, `x = basis · s`.
    pub(super) fn along(&self, basis: &Mat<f64>) -> Self {
        Self { source: self.source, map: &self.map * basis, scale: self.scale, smooth: self.smooth }
    }

    /// m.
    pub(super) fn dimension(&self) -> usize {
        self.map.ncols()
    }

    /// `out[μ] = g(A x_μ)` over the scale, coordinate i of point μ being `x[i][μ]`.
    pub(super) fn evaluate(&self, x: &[&[f64]], out: &mut [f64]) {
        let z: Vec<Vec<f64>> = (0..self.map.nrows())
            .map(|row| {
                let mut z = vec![0.0; out.len()];
                for (i, x) in x.iter().enumerate() {
                    let factor = self.map[(row, i)];
                    if factor != 0.0 {
                        z.iter_mut().zip(*x).for_each(|(z, x)| *z += factor * x);
                    }
                }
                z
            })
            .collect();
        match self.source {
            Source::Rule(Rule::Expression(expression)) => {
                let inputs: Vec<&[f64]> = z.iter().map(Vec::as_slice).collect();
                expression.evaluate(&inputs, out, &mut Scratch::default());
            }
            Source::Rule(Rule::Committee { activation, weights }) => {
                out.fill(0.0);
                for (mut h, weight) in z.into_iter().zip(weights) {
                    activation.values(&mut h);
                    out.iter_mut().zip(&h).for_each(|(out, h)| *out += weight * h);
                }
            }
            Source::Series(series) => series.evaluate(&z, out),
        }
        if self.scale != 1.0 {
            out.iter_mut().for_each(|out| *out /= self.scale);
        }
    }

    /// How much g depends on the directions `rest`, given those in `known`: `E (g(u,v) − g(u,v'))²/2 Var g`, v and v'
    /// independent.
    pub(super) fn dependence(&self, known: &Mat<f64>, rest: &Mat<f64>) -> f64 {
        let function = self.along(&join(known, rest));
        let split = known.ncols();
        let x = sobol::normals(PILOT, function.dimension() + rest.ncols(), 2);
        let x: Vec<&[f64]> = x.chunks(PILOT).collect();
        let other: Vec<&[f64]> = x[..split].iter().chain(&x[function.dimension()..]).copied().collect();
        let (mut y, mut y_other) = (vec![0.0; PILOT], vec![0.0; PILOT]);
        function.evaluate(&x[..function.dimension()], &mut y);
        function.evaluate(&other, &mut y_other);
        let change = y.iter().zip(&y_other).map(|(y, other)| (y - other).powi(2)).sum::<f64>() / PILOT as f64;
        change / (2.0 * Spread::of(&y).variance)
    }

    /// What an error of `slack` in the known directions does: g at points, and at the same points with every known
    /// coordinate u moved by slack times a direction of v.
    pub(super) fn shaken(&self, known: &Mat<f64>, rest: &Mat<f64>, slack: f64) -> (Vec<f64>, Vec<f64>) {
        let function = self.along(&join(known, rest));
        let split = known.ncols();
        let x = sobol::normals(PILOT, function.dimension(), 6);
        let mut x: Vec<Vec<f64>> = x.chunks(PILOT).map(<[f64]>::to_vec).collect();
        let value = |x: &[Vec<f64>]| {
            let mut y = vec![0.0; PILOT];
            function.evaluate(&x.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut y);
            y
        };
        let y = value(&x);
        let (u, v) = x.split_at_mut(split);
        let step = slack / (v.len() as f64).sqrt();
        for (i, u) in u.iter_mut().enumerate() {
            for (j, v) in v.iter().enumerate() {
                let sign = if (i + j) % 2 == 0 { step } else { -step };
                u.iter_mut().zip(v).for_each(|(u, v)| *u += sign * v);
            }
        }
        (y, value(&x))
    }

    /// z = A x.
    pub(super) fn inputs(&self, x: &[f64]) -> Vec<f64> {
        (0..self.map.nrows()).map(|row| x.iter().enumerate().map(|(i, x)| self.map[(row, i)] * x).sum()).collect()
    }

    /// g at so many scrambled Sobol points.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is not finite.
    pub(super) fn finite(&self, points: usize) -> Result<Vec<f64>> {
        let x = sobol::normals(points, self.dimension(), 1);
        let x: Vec<&[f64]> = x.chunks(points).collect();
        let mut y = vec![0.0; points];
        self.evaluate(&x, &mut y);
        if let Some(at) = y.iter().position(|y| !y.is_finite()) {
            return Err(self.no_number(y[at], &x.iter().map(|x| x[at]).collect::<Vec<_>>()));
        }
        Ok(y)
    }

    /// That g is `value` at the coordinates x.
    pub(super) fn no_number(&self, value: f64, x: &[f64]) -> Error {
        let z: Vec<String> = self.inputs(x).iter().map(|z| format!("{z:.3}")).collect();
        let reason = format!("g is {value} at z = ({})", z.join(", "));
        let remedy =
            "write a target that is finite for every input: z is normal, so it takes negative values and 0 as well";
        Error::invalid("target.expression", reason, remedy)
    }
}

/// Mean and variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) mean: f64,
    pub(super) variance: f64,
}

impl Spread {
    pub(super) fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        Self { mean, variance: values.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / count }
    }
}
