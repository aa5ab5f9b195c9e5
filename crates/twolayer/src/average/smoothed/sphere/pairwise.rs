//! Averages over independent orientations pair by pair, at nodes of their inner product: any activation with averages over
//! pairs, O(p²) for each node.

use faer::Mat;

use super::{
    super::{
        SmoothedKernel,
        against::{Against, View},
        pairs::{Neurons, correlations},
        row::{Row, Wanted},
    },
    SphereAverages, SphereState, gegenbauer,
};
use crate::{average::Want, error::Result};

/// Nodes of Ξ; the error of the risk is told by fewer.
const NODES: [usize; 2] = [20, 15];

/// Pairs of neurons at nodes of Ξ, and neurons with the target.
#[derive(Debug)]
pub(super) struct Pairwise {
    pub inner: SmoothedKernel,
    /// Nodes and weights, the finer rule first.
    rules: [(Vec<f64>, Vec<f64>); 2],
}

impl Pairwise {
    /// In D = `dimension` dimensions beside the target's.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where the nodes cannot be found.
    pub fn new(inner: SmoothedKernel, dimension: f64) -> Result<Self> {
        let [fine, coarse] = NODES;
        Ok(Self { inner, rules: [gegenbauer::rule(dimension, fine)?, gegenbauer::rule(dimension, coarse)?] })
    }

    /// Nodes of the finer rule.
    pub fn nodes(&self) -> usize {
        self.rules[0].0.len()
    }

    /// Writes the averages at `state`; `m` are its parts in the target's space, p×k, and `c` is s a.
    #[allow(clippy::too_many_arguments)] // One evaluation's arrays, prepared by its only caller.
    pub fn averages(
        &self,
        state: &SphereState,
        overlaps: &Mat<f64>,
        root: &Mat<f64>,
        m: &Mat<f64>,
        c: &[f64],
        squared: bool,
        want: Want,
        out: &mut SphereAverages,
    ) {
        let (p, k) = (m.nrows(), m.ncols());
        let q = &state.orthogonal;
        let variance: Vec<f64> = (0..p).map(|j| q[j] + m.row(j).squared_norm_l2()).collect();
        let roots: Vec<f64> = variance.iter().map(|q| q.max(0.0).sqrt()).collect();
        let activation = &self.inner.problem.network.activation;
        let neurons = self.inner.form.neurons(activation, &variance, &state.bias);
        let for_target = self.inner.target_form.neurons(activation, &variance, &state.bias);
        let mut against = Against::zeros(p, k);
        let view = View {
            student_teacher: &state.student_teacher,
            teacher: overlaps,
            variance: &variance,
            roots: &roots,
            bias: &state.bias,
            coefficients: c,
            neurons: &for_target,
        };
        let wanted = if want.drift { Wanted::All } else { Wanted::Values };
        self.inner.target.against(&view, wanted, &mut against);
        let pairs = Pairs { m, q, c, roots: &roots, neurons: &neurons, inner: m * m.transpose() };
        if want.risk {
            let [fine, coarse] = [0, 1].map(|rule| pairs.network(&self.rules[rule]));
            let (square, square_error) = self.inner.target.square(overlaps);
            let with_target: f64 = c.iter().zip(&against.values).map(|(c, value)| c * value).sum();
            out.risk = (0.5 * (fine - 2.0 * with_target + square)).max(0.0);
            out.risk_error = 0.5 * (fine - coarse).abs() + against.value_error + 0.5 * square_error;
        }
        if want.drift {
            let mut along = &against.gradients * root * faer::Scale(-1.0);
            let mut mean =
                Mean { curved: against.curved, slopes: against.slopes, values: against.values, outside: vec![0.0; p] };
            for array in [&mut mean.curved, &mut mean.slopes, &mut mean.values] {
                array.iter_mut().for_each(|x| *x = -*x);
            }
            if squared {
                pairs.add(&self.rules[0], &mut along, &mut mean);
            }
            for j in 0..p {
                let curved = if roots[j] > 0.0 { mean.curved[j] / roots[j] } else { 0.0 };
                for r in 0..k {
                    out.drift_teacher[(j, r)] = c[j] * (along[(j, r)] + m[(j, r)] * curved);
                }
                out.drift_orthogonal[j] = c[j] * (mean.outside[j] + q[j] * curved);
                out.second[j] = mean.values[j];
                out.bias[j] = c[j] * mean.slopes[j];
            }
            let largest = c.iter().zip(&against.drift_errors).map(|(c, error)| (c * error).abs());
            out.drift_error = largest.fold(0.0, f64::max);
        }
        if want.label_noise {
            let mut row = Row::new(1);
            for j in 0..p {
                neurons.row(
                    j,
                    &self.inner.form.neurons(activation, &variance[j..=j], &state.bias[j..=j]),
                    &[1.0],
                    Wanted::Slopes,
                    &mut row,
                );
                out.square[j] = c[j] * c[j] * row.slopes[0];
            }
        }
    }
}

/// Averages of each neuron with e.
struct Mean {
    /// `√Q E[σ'' e]`.
    curved: Vec<f64>,
    /// `E[σ' e]`.
    slopes: Vec<f64>,
    /// `E[σ e]`.
    values: Vec<f64>,
    /// `Σ_l c_l Cov(λ⊥_i, λ_l) E[σ'_i σ'_l]`.
    outside: Vec<f64>,
}

struct Pairs<'a> {
    m: &'a Mat<f64>,
    q: &'a [f64],
    c: &'a [f64],
    roots: &'a [f64],
    neurons: &'a Neurons,
    /// m mᵀ.
    inner: Mat<f64>,
}

impl Pairs<'_> {
    /// The rows of every neuron at every node, with its weight: all neurons, the neuron itself too, as an independent copy.
    fn each(&self, rule: &(Vec<f64>, Vec<f64>), wanted: Wanted, mut visit: impl FnMut(usize, f64, &[f64], &Row)) {
        let p = self.c.len();
        let (mut covariances, mut outside) = (vec![0.0; p], vec![0.0; p]);
        let (mut rho, mut row) = (vec![0.0; p], Row::new(p));
        for (xi, weight) in rule.0.iter().zip(&rule.1) {
            for i in 0..p {
                for l in 0..p {
                    outside[l] = (self.q[i] * self.q[l]).max(0.0).sqrt() * xi;
                    covariances[l] = self.inner[(l, i)] + outside[l];
                }
                correlations(&covariances, self.roots[i], self.roots, &mut rho);
                self.neurons.row(i, self.neurons, &rho, wanted, &mut row);
                visit(i, *weight, &outside, &row);
            }
        }
    }

    /// `E_Ξ E f²`.
    fn network(&self, rule: &(Vec<f64>, Vec<f64>)) -> f64 {
        let mut sum = 0.0;
        self.each(rule, Wanted::Values, |i, weight, _, row| {
            sum += weight * self.c[i] * row.values.iter().zip(self.c).map(|(value, c)| value * c).sum::<f64>();
        });
        sum
    }

    fn add(&self, rule: &(Vec<f64>, Vec<f64>), along: &mut Mat<f64>, mean: &mut Mean) {
        let p = self.c.len();
        let mut weights = Mat::<f64>::zeros(p, p);
        self.each(rule, Wanted::All, |i, weight, outside, row| {
            for (l, c) in self.c.iter().enumerate() {
                let c = weight * c;
                mean.curved[i] += c * row.curved[l];
                mean.slopes[i] += c * row.mixed[l];
                mean.values[i] += c * row.values[l];
                mean.outside[i] += c * row.slopes[l] * outside[l];
                weights[(i, l)] += c * row.slopes[l];
            }
        });
        *along += &weights * self.m;
    }
}
