//! A target by its values at frozen nodes in z, for ReLU neurons: given z every neuron is Gaussian.
//!
//! With `u = P^{−1/2}z`, `h_j | z ~ N(m_j, V_j)`, `m_j = ⟨w_j, u⟩ + b_j`, `V_j = q_j − |w_j|²`, τ = m/√V:
//! `E[σ|z] = √V (τΦ(τ) + φ(τ))`, `E[σ'|z] = Φ(τ)`, `√V E[σ''|z] = φ(τ)`.

use faer::Mat;

use super::{
    against::{Against, View},
    relu::smooth,
    row::Wanted,
};
use crate::{
    average::{
        label::labels,
        replicates::{REPLICATES, mean_and_error},
        sampled::widen,
    },
    error::Result,
    expression::Scratch,
    gaussian::sobol::normals,
    overlaps::{inverse_root, symmetric_root},
    problem::Rule,
};

/// Nodes treated at a time.
const BLOCK: usize = 512;

/// Nodes, and the target's values there.
#[derive(Debug)]
pub(super) struct Nodes {
    /// Nodes of a replicate.
    count: usize,
    /// u, for each replicate: k columns.
    nodes: Vec<Mat<f64>>,
    /// g(P^{1/2}u) times the weight of u, for each replicate.
    labels: Vec<Vec<f64>>,
    /// P^{−1/2}.
    whiten: Mat<f64>,
    /// E g² and its error.
    pub square: (f64, f64),
}

/// Sums of one neuron over one replicate: values, slopes, ridge, and the slopes weighted by u.
struct Sums {
    values: f64,
    slopes: f64,
    ridge: f64,
    along: Vec<f64>,
}

impl Nodes {
    /// 8 independent replicates of `count` scrambled Sobol nodes.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
    pub fn new(rule: &Rule, overlaps: &Mat<f64>, count: usize, seed: u64) -> Result<Self> {
        let k = overlaps.nrows();
        let root = symmetric_root(overlaps.as_ref())?;
        let mut scratch = Scratch::default();
        let (mut nodes, mut values) = (Vec::new(), Vec::new());
        let mut squares = [0.0; REPLICATES];
        for (replicate, square) in (0..).zip(&mut squares) {
            let mut points = normals(count, k, seed * REPLICATES as u64 + replicate);
            let weights = widen(&mut points, count);
            let u = Mat::from_fn(count, k, |mu, r| points[r * count + mu]);
            let z = &u * &root;
            let columns: Vec<&[f64]> = (0..k).map(|r| z.col_as_slice(r)).collect();
            let mut out = vec![0.0; count];
            labels(rule, &columns, &mut out, &mut scratch);
            for (g, weight) in out.iter_mut().zip(&weights) {
                *square += weight * *g * *g;
                *g *= weight;
            }
            nodes.push(u);
            values.push(out);
        }
        let square = mean_and_error(squares.into_iter());
        Ok(Self { count, nodes, labels: values, whiten: inverse_root(overlaps.as_ref())?, square })
    }

    /// The averages of the neurons whose `share` is not 0; the others keep what they have.
    pub fn against(&self, view: &View<'_>, wanted: Wanted, share: &[f64], out: &mut Against) {
        let (p, k) = (view.bias.len(), self.whiten.nrows());
        // Cov(λ_j, u).
        let projections = view.student_teacher * &self.whiten;
        let mut arrays = [const { [0.0; BLOCK] }; 3];
        let mut totals = [0.0; REPLICATES];
        for j in (0..p).filter(|&j| share[j] > 0.0) {
            let w: Vec<f64> = (0..k).map(|r| projections[(j, r)]).collect();
            let q = view.variance[j];
            let variance = (q - w.iter().map(|w| w * w).sum::<f64>()).max(1e-24 * q);
            if variance <= 0.0 && view.bias[j] <= 0.0 {
                (out.values[j], out.slopes[j], out.curved[j]) = (0.0, 0.0, 0.0);
                out.drift_errors[j] = 0.0;
                (0..k).for_each(|r| out.gradients[(j, r)] = 0.0);
                continue;
            }
            let deviation = variance.max(1e-200).sqrt();
            let sums: Vec<Sums> = (0..REPLICATES)
                .map(|replicate| self.sums(replicate, &w, view.bias[j], deviation, wanted, &mut arrays))
                .collect();
            let average = |of: &dyn Fn(&Sums) -> f64| mean_and_error(sums.iter().map(of));
            out.values[j] = average(&|sums| sums.values).0;
            for (total, sums) in totals.iter_mut().zip(&sums) {
                *total += share[j] * view.coefficients[j] * sums.values;
            }
            if wanted != Wanted::All {
                continue;
            }
            out.slopes[j] = average(&|sums| sums.slopes).0;
            // E[σ' x g] = ⟨Cov(x, u), E[σ'ug]⟩ + Cov(x, λ_j − ⟨w, u⟩)/√V · E[φ(τ)g], for every field x.
            let (ridge, ridge_error) = average(&|sums| sums.ridge);
            out.curved[j] = view.roots[j] * ridge / deviation;
            let mut squared_error = ridge_error * ridge_error;
            let mut gradient = vec![0.0; k];
            for r in 0..k {
                let (along, error) = average(&|sums| sums.along[r]);
                gradient[r] = along - w[r] * ridge / deviation;
                squared_error += error * error;
            }
            for r in 0..k {
                out.gradients[(j, r)] = (0..k).map(|q| gradient[q] * self.whiten[(q, r)]).sum();
            }
            out.drift_errors[j] = squared_error.sqrt();
        }
        out.value_error += mean_and_error(totals.into_iter()).1;
    }

    fn sums(
        &self,
        replicate: usize,
        w: &[f64],
        bias: f64,
        deviation: f64,
        wanted: Wanted,
        [above, phi, value]: &mut [[f64; BLOCK]; 3],
    ) -> Sums {
        let (nodes, labels) = (&self.nodes[replicate], &self.labels[replicate]);
        let mut sums = Sums { values: 0.0, slopes: 0.0, ridge: 0.0, along: vec![0.0; w.len()] };
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        for (block, g) in labels.chunks(BLOCK).enumerate() {
            let range = block * BLOCK..block * BLOCK + g.len();
            let (above, phi, value) = (&mut above[..g.len()], &mut phi[..g.len()], &mut value[..g.len()]);
            above.fill(bias / deviation);
            for (r, w) in w.iter().enumerate() {
                let u = &nodes.col_as_slice(r)[range.clone()];
                above.iter_mut().zip(u).for_each(|(tau, u)| *tau += w / deviation * u);
            }
            smooth(above, phi, value, deviation);
            sums.values += dot(value, g);
            if wanted == Wanted::All {
                sums.ridge += dot(phi, g);
                above.iter_mut().zip(g).for_each(|(above, g)| *above *= g);
                sums.slopes += above.iter().sum::<f64>();
                for (r, along) in sums.along.iter_mut().enumerate() {
                    *along += dot(above, &nodes.col_as_slice(r)[range.clone()]);
                }
            }
        }
        sums
    }

    pub fn describe(&self) -> String {
        format!("{REPLICATES}×{} scrambled Sobol nodes in the target's directions", self.count)
    }
}
