//! The exact flow of m neurons. (theory.md §5.5)

use std::cell::RefCell;

use faer::{
    Accum, Mat, Par, Side,
    linalg::{matmul::matmul, solvers::Solve},
};

use super::Series;
use crate::{
    error::{Error, Result},
    solve::{VectorField, extrapolation::LinearlyFast},
};

/// The flow of m neurons with cosines `s_i = ⟨w_i, w*⟩` and `r_ij = ⟨w_i, w_j⟩`; c is the output scale, 1/m in paper C:
///
/// ```text
/// ε ȧ_i = V(s_i) − c Σ_j a_j U(r_ij)
/// ṡ_i   = a_i [ V'(s_i)(1 − s_i²) − c Σ_j a_j U'(r_ij)(s_j − r_ij s_i) ]
/// ṙ_ij  = a_i [ V'(s_i)(s_j − r_ij s_i) − c Σ_l a_l U'(r_il)(r_lj − r_ij r_il) ] + (i ↔ j)
/// ```
///
/// y = (a, s, the strict lower triangle of r row by row). The stiff part, ȧ, is linear in a: a drift costs one product of
/// two m×m matrices, and an implicit step in a one Cholesky factorisation of `I + (hc/ε) U(r)`.
pub struct Finite {
    series: Series,
    epsilon: f64,
    scale: f64,
    neurons: usize,
    scratch: RefCell<Scratch>,
}

/// Room for one look: m×m matrices.
struct Scratch {
    r: Mat<f64>,
    /// a_l U'(r_il) in row i, column l.
    slopes: Mat<f64>,
    product: Mat<f64>,
}

impl Finite {
    /// For m neurons with output scale `scale`.
    pub fn new(series: Series, epsilon: f64, scale: f64, neurons: usize) -> Self {
        let zeros = || Mat::zeros(neurons, neurons);
        let scratch = RefCell::new(Scratch { r: zeros(), slopes: zeros(), product: zeros() });
        Self { series, epsilon, scale, neurons, scratch }
    }

    /// The series.
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// y from the second layer, the cosines with the target and those of the neurons.
    pub fn pack(&self, a: &[f64], s: &[f64], r: &Mat<f64>) -> Vec<f64> {
        let triangle = (0..self.neurons).flat_map(|i| (0..i).map(move |j| r[(i, j)]));
        a.iter().chain(s).copied().chain(triangle).collect()
    }

    /// a, s and the triangle of r.
    pub fn unpack<'y>(&self, y: &'y [f64]) -> (&'y [f64], &'y [f64], &'y [f64]) {
        let (a, z) = y.split_at(self.neurons);
        let (s, r) = z.split_at(self.neurons);
        (a, s, r)
    }

    /// `e_k = φ_k − c σ_k Σ_i a_i s_i^k`, k = 0 … K: what is left of each degree along the target.
    pub fn residuals(&self, y: &[f64], residuals: &mut Vec<f64>) {
        let (a, s, _) = self.unpack(y);
        residuals.clear();
        residuals.resize(self.series.degrees(), 0.0);
        for (a, s) in a.iter().zip(s) {
            let mut power = self.scale * a;
            for moment in residuals.iter_mut() {
                *moment += power;
                power *= s;
            }
        }
        let coefficients = self.series.activation.iter().zip(&self.series.target);
        for (residual, (sigma, phi)) in residuals.iter_mut().zip(coefficients) {
            *residual = phi - sigma * *residual;
        }
    }

    /// `R = ½ Σ_k [ e_k² + c² σ_k² Σ_ij a_i a_j (r_ij^k − s_i^k s_j^k) ]`, what no degree of the series sees included.
    pub fn risk(&self, y: &[f64]) -> f64 {
        let mut residuals = Vec::new();
        self.residuals(y, &mut residuals);
        let (a, s, triangle) = self.unpack(y);
        let squares: Vec<f64> = self.series.activation.iter().map(|sigma| sigma * sigma).collect();
        let spread = |r: f64, product: f64| {
            let (mut both, mut alone) = (1.0, 1.0);
            let mut sum = 0.0;
            for square in &squares {
                sum += square * (both - alone);
                both *= r;
                alone *= product;
            }
            sum
        };
        let mut pairs = 0.0;
        let mut entries = triangle.iter();
        for i in 0..self.neurons {
            pairs += a[i] * a[i] * spread(1.0, s[i] * s[i]);
            for (j, &r) in entries.by_ref().take(i).enumerate() {
                pairs += 2.0 * a[i] * a[j] * spread(r, s[i] * s[j]);
            }
        }
        let along: f64 = residuals.iter().map(|e| e * e).sum();
        self.series.unseen + 0.5 * (along + self.scale * self.scale * pairs)
    }

    /// `−dR/dt = c Σ_i (ε ȧ_i² + ‖ẇ_i‖²) ≥ 0`.
    ///
    /// # Errors
    /// As for [`VectorField::drift`].
    pub fn dissipation(&self, y: &[f64]) -> Result<f64> {
        let m = self.neurons;
        let mut dy = vec![0.0; y.len()];
        self.drift(0.0, y, &mut dy)?;
        let (a, s, _) = self.unpack(y);
        let mut slope = s.to_vec();
        self.series.teacher_slope(&mut slope);
        let scratch = &*self.scratch.borrow();
        let Scratch { r, slopes, product } = scratch;
        let mut sum = 0.0;
        for i in 0..m {
            let over = |value: &dyn Fn(usize) -> f64| (0..m).map(|l| slopes[(i, l)] * value(l)).sum::<f64>();
            let (square, along, own) = (over(&|l| product[(i, l)]), over(&|l| s[l]), over(&|l| r[(i, l)]));
            let c = self.scale;
            let radial = slope[i] * s[i] - c * own;
            let gradient = slope[i] * slope[i] + c * c * square - 2.0 * slope[i] * c * along - radial * radial;
            sum += self.epsilon * dy[i] * dy[i] + a[i] * a[i] * gradient;
        }
        Ok(self.scale * sum)
    }

    /// The largest share of the output that one neuron takes, `c max_i |a_i|`.
    pub fn largest_share(&self, y: &[f64]) -> f64 {
        self.scale * self.unpack(y).0.iter().fold(0.0, |most: f64, a| most.max(a.abs()))
    }

    /// r of a state, as a matrix.
    pub fn cosines(&self, y: &[f64], r: &mut Mat<f64>) {
        self.fill(self.unpack(y).2, r);
    }

    /// r as a matrix.
    fn fill(&self, triangle: &[f64], r: &mut Mat<f64>) {
        let mut entries = triangle.iter();
        for i in 0..self.neurons {
            for (j, &entry) in entries.by_ref().take(i).enumerate() {
                r[(i, j)] = entry;
                r[(j, i)] = entry;
            }
            r[(i, i)] = 1.0;
        }
    }

    /// U(r) as a matrix.
    fn neurons(&self, triangle: &[f64]) -> Mat<f64> {
        let mut values = triangle.to_vec();
        self.series.neurons(&mut values);
        let mut own = [1.0];
        self.series.neurons(&mut own);
        let mut matrix = Mat::zeros(self.neurons, self.neurons);
        self.fill(&values, &mut matrix);
        (0..self.neurons).for_each(|i| matrix[(i, i)] = own[0]);
        matrix
    }
}

impl LinearlyFast for Finite {
    fn fast(&self) -> usize {
        self.neurons
    }

    fn relax(&self, h: f64, z: &[f64], x: &mut [f64]) -> Result<()> {
        let (s, triangle) = z.split_at(self.neurons);
        let rate = h / self.epsilon;
        let mut pull = s.to_vec();
        self.series.teacher(&mut pull);
        x.iter_mut().zip(&pull).for_each(|(x, pull)| *x += rate * pull);
        let mut system = self.neurons(triangle) * faer::Scale(rate * self.scale);
        (0..self.neurons).for_each(|i| system[(i, i)] += 1.0);
        let factors = system
            .llt(Side::Lower)
            .map_err(|_| Error::Numerical("the overlaps of the neurons are no longer those of real weights".into()))?;
        factors.solve_in_place(faer::MatMut::from_column_major_slice_mut(x, self.neurons, 1));
        Ok(())
    }

    fn slow_drift(&self, a: &[f64], z: &[f64], dz: &mut [f64]) -> Result<()> {
        let m = self.neurons;
        let (s, triangle) = z.split_at(m);
        let Scratch { r, slopes, product } = &mut *self.scratch.borrow_mut();
        self.fill(triangle, r);
        let mut values = triangle.to_vec();
        self.series.neurons_slope(&mut values);
        self.fill(&values, slopes);
        let mut own = [1.0];
        self.series.neurons_slope(&mut own);
        for l in 0..m {
            slopes[(l, l)] = own[0];
            slopes.col_mut(l).iter_mut().for_each(|entry| *entry *= a[l]);
        }
        matmul(product.as_mut(), Accum::Replace, slopes.as_ref(), r.as_ref(), 1.0, Par::Seq);
        let mut slope = s.to_vec();
        self.series.teacher_slope(&mut slope);
        // Σ_l a_l U'(r_il) r_il and Σ_l a_l U'(r_il) s_l, column by column.
        let (mut radial, mut along) = (vec![0.0; m], vec![0.0; m]);
        for l in 0..m {
            let columns = slopes.col(l).iter().zip(r.col(l).iter());
            for ((radial, along), (weight, r)) in radial.iter_mut().zip(&mut along).zip(columns) {
                *radial += weight * r;
                *along += weight * s[l];
            }
        }
        let c = self.scale;
        let (ds, dr) = dz.split_at_mut(m);
        for i in 0..m {
            ds[i] = a[i] * (slope[i] * (1.0 - s[i]) * (1.0 + s[i]) - c * (along[i] - s[i] * radial[i]));
        }
        let mut at = 0;
        for i in 0..m {
            for j in 0..i {
                let r = triangle[at];
                let of = |i: usize, j: usize, product: f64| {
                    a[i] * (slope[i] * (s[j] - r * s[i]) - c * (product - r * radial[i]))
                };
                dr[at] = of(i, j, product[(i, j)]) + of(j, i, product[(j, i)]);
                at += 1;
            }
        }
        Ok(())
    }
}

impl VectorField for Finite {
    fn dim(&self) -> usize {
        let m = self.neurons;
        2 * m + m * m.saturating_sub(1) / 2
    }

    fn drift(&self, _: f64, y: &[f64], dy: &mut [f64]) -> Result<()> {
        let (a, z) = y.split_at(self.neurons);
        let (da, dz) = dy.split_at_mut(self.neurons);
        self.slow_drift(a, z, dz)?;
        let (s, triangle) = z.split_at(self.neurons);
        da.copy_from_slice(s);
        self.series.teacher(da);
        let matrix = self.neurons(triangle);
        for (j, a) in a.iter().enumerate() {
            da.iter_mut().zip(matrix.col(j).iter()).for_each(|(da, u)| *da -= self.scale * a * u);
        }
        da.iter_mut().for_each(|da| *da /= self.epsilon);
        Ok(())
    }

    fn depends_on_time(&self) -> bool {
        false
    }
}
