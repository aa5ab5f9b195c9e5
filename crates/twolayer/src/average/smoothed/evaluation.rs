//! One evaluation of the smoothed averages: pairs of students and the students with the target, put together.

use faer::Mat;

use super::{
    Form, SmoothedKernel,
    against::{Against, View},
    pairs::{Neurons, correlations},
    row::{Row, Wanted},
};
use crate::{
    average::{Averages, State},
    problem::Loss,
};

/// One evaluation under way.
pub(super) struct Evaluation<'a> {
    state: &'a State,
    omega: Mat<f64>,
    /// √Ω_ii.
    pub roots: Vec<f64>,
    /// s a_j.
    pub coefficients: Vec<f64>,
    students: Neurons,
    against: Against,
}

impl<'a> Evaluation<'a> {
    pub fn new(kernel: &SmoothedKernel, state: &'a State, wanted: Wanted) -> Self {
        let omega = state.overlaps.omega();
        let (p, n) = (state.bias.len(), omega.nrows());
        let roots: Vec<f64> = (0..n).map(|i| omega[(i, i)].max(0.0).sqrt()).collect();
        let students = kernel.neurons(&kernel.form, state);
        let mut against = Against::zeros(p, n - p);
        let own_form = matches!(
            (&kernel.form, &kernel.target_form),
            (Form::Relu, Form::Relu) | (Form::Series(_), Form::Series(_))
        );
        let other = if own_form { None } else { Some(kernel.neurons(&kernel.target_form, state)) };
        let coefficients: Vec<f64> = state.second_layer.iter().map(|a| kernel.output_scale * a).collect();
        let variance: Vec<f64> = (0..p).map(|j| omega[(j, j)]).collect();
        let view = View {
            student_teacher: &state.overlaps.student_teacher,
            teacher: &state.overlaps.teacher_teacher,
            variance: &variance,
            roots: &roots[..p],
            bias: &state.bias,
            coefficients: &coefficients,
            neurons: other.as_ref().unwrap_or(&students),
        };
        kernel.target.against(&view, wanted, &mut against);
        Self { state, omega, roots, coefficients, students, against }
    }

    /// The averages of student j with the first `count` students.
    fn row(&self, j: usize, count: usize, wanted: Wanted, rho: &mut [f64], out: &mut Row) {
        correlations(self.omega.col_as_slice(j), self.roots[j], &self.roots, &mut rho[..count]);
        self.students.row(j, &self.students, &rho[..count], wanted, out);
    }

    /// `Σ_j |s a_j| √t_j`: what the series of the students leave, t the tails of values or of slopes times q.
    fn unknown(&self) -> (f64, f64) {
        let Neurons::Series(neurons) = &self.students else { return (0.0, 0.0) };
        let terms = self.coefficients.iter().enumerate().map(|(j, c)| {
            (c.abs() * neurons.value_tail[j].sqrt(), c.abs() * self.roots[j] * neurons.slope_tail[j].sqrt())
        });
        terms.fold((0.0, 0.0), |sum, term| (sum.0 + term.0, sum.1 + term.1))
    }

    /// `E f²`, and `Σ_j |s a_j| (E σ_j²)^{½}`, of the size of what it is summed from.
    pub fn network(&self) -> (f64, f64) {
        let p = self.coefficients.len();
        let (mut rho, mut row) = (vec![0.0; p], Row::new(p));
        let (mut network, mut size) = (0.0, 0.0);
        for j in 0..p {
            self.row(j, j + 1, Wanted::Values, &mut rho, &mut row);
            let c = self.coefficients[j];
            let below: f64 = row.values[..j].iter().zip(&self.coefficients).map(|(value, c)| value * c).sum();
            network += c * (2.0 * below + c * row.values[j]);
            size += c.abs() * row.values[j].abs().sqrt();
        }
        (network, size)
    }

    pub fn risk(&self, kernel: &SmoothedKernel, out: &mut Averages) {
        let (network, size) = self.network();
        let dot = |x: &[f64]| self.coefficients.iter().zip(x).map(|(c, x)| c * x).sum::<f64>();
        let (square, square_error) = kernel.target.square(&self.state.overlaps.teacher_teacher);
        // f and g may cancel: the risk is at least 0.
        out.risk = (0.5 * (network - 2.0 * dot(&self.against.values) + square)).max(0.0);
        let rounding = 8.0 * f64::EPSILON * (size + square.sqrt()).powi(2);
        out.risk_error = 0.5 * self.unknown().0.powi(2) + self.against.value_error + 0.5 * square_error + rounding;
    }

    pub fn drift(&self, kernel: &SmoothedKernel, out: &mut Averages) {
        let (p, n) = (self.coefficients.len(), self.omega.nrows());
        let (mut rho, mut row) = (vec![0.0; p], Row::new(p));
        let network = kernel.problem.training.loss == Loss::Squared;
        // D_jq = s a_j [ curved_j Ω_jq/√q_j + Σ_i weights_ji Ω_iq ]
        let mut weights = Mat::<f64>::zeros(p, n);
        let mut curved = vec![0.0; p];
        let (unknown, s) = (if network { self.unknown().1 } else { 0.0 }, kernel.output_scale);
        let largest = self.roots.iter().fold(0.0, |m: f64, r| m.max(*r));
        let size: f64 = self.coefficients.iter().zip(&self.roots).map(|(c, r)| (c * r).abs()).sum();
        out.drift_error = 0.0;
        for j in 0..p {
            let (mut mixed, mut values) = (0.0, 0.0);
            if network {
                self.row(j, p, Wanted::All, &mut rho, &mut row);
                for (l, c) in self.coefficients.iter().enumerate() {
                    curved[j] += c * row.curved[l];
                    mixed += c * row.mixed[l];
                    values += c * row.values[l];
                    weights[(j, l)] = c * row.slopes[l];
                }
            }
            curved[j] -= self.against.curved[j];
            (0..n - p).for_each(|r| weights[(j, p + r)] = -self.against.gradients[(j, r)]);
            out.second[j] = s * (values - self.against.values[j]);
            out.bias[j] = self.coefficients[j] * (mixed - self.against.slopes[j]);
            let tail = match &self.students {
                Neurons::Series(neurons) => neurons.slope_tail[j].sqrt(),
                Neurons::Relu(_) => 0.0,
            };
            let error = 2.0 * tail * unknown + self.against.drift_errors[j] + 16.0 * f64::EPSILON * size;
            out.drift_error = out.drift_error.max(self.coefficients[j].abs() * largest * error);
        }
        let product = &weights * &self.omega;
        for j in 0..p {
            let (c, root) = (self.coefficients[j], self.roots[j]);
            let along = if root > 0.0 { curved[j] / root } else { 0.0 };
            for q in 0..n {
                let entry = c * (product[(j, q)] + along * self.omega[(j, q)]);
                if q < p {
                    out.drift_student[(j, q)] = entry;
                } else {
                    out.drift_teacher[(j, q - p)] = entry;
                }
            }
        }
    }

    /// `Δ s² a_j a_l E[σ'_jσ'_l]`.
    pub fn label_noise(&self, noise: f64, out: &mut Averages) {
        let p = self.coefficients.len();
        let (mut rho, mut row) = (vec![0.0; p], Row::new(p));
        for j in 0..p {
            self.row(j, j + 1, Wanted::Slopes, &mut rho, &mut row);
            for l in 0..=j {
                let entry = noise * self.coefficients[j] * self.coefficients[l] * row.slopes[l];
                out.noise[(j, l)] = entry;
                out.noise[(l, j)] = entry;
            }
        }
        out.noise_error = 16.0 * f64::EPSILON * out.noise.norm_max();
    }
}
