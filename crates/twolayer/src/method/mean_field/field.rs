//! The vector field of mean-field theory; y = (M column by column, q, and a and b where they are trained).

use std::cell::RefCell;

use faer::Mat;

use crate::{
    average::{SphereAverages, SphereKernel, SphereState, Want},
    error::{Error, Result},
    overlaps::inverse_root,
    problem::{Geometry, Problem, Terms},
    solve::VectorField,
};

/// See the module.
pub struct SphereFlow<'a> {
    kernel: &'a SphereKernel,
    want: Want,
    students: usize,
    directions: usize,
    /// 1/s.
    per_scale: f64,
    /// κ/s².
    noise: f64,
    /// D/d: how much of a step's noise lies outside the target's space.
    outside: f64,
    /// λ_w/s.
    decay: f64,
    /// (η_a/η)/s; `None`: the second layer is fixed.
    second_layer: Option<f64>,
    trains_bias: bool,
    /// P⁻¹ᐟ², where rows keep their norm.
    on_sphere: Option<Mat<f64>>,
    scratch: RefCell<(SphereState, SphereAverages)>,
}

impl<'a> SphereFlow<'a> {
    /// The field of `problem`, with P, fixed second layer and biases as in `start`.
    ///
    /// # Errors
    /// [`Error::Refused`] for terms that need a κ where it is not a finite number.
    pub fn new(
        problem: &Problem,
        start: &SphereState,
        kappa: f64,
        terms: Terms,
        kernel: &'a SphereKernel,
    ) -> Result<Self> {
        if terms != Terms::Flow && !kappa.is_finite() {
            let reason = format!("the noise terms are multiplied by κ = ηs·d/n_b, which is {kappa} here");
            let remedy = "use the flow, or a rate of the order of 1/d";
            return Err(Error::refused("training.learning_rate", reason, remedy));
        }
        let want = match terms {
            Terms::LabelNoise => Want { label_noise: true, ..Want::DRIFT },
            Terms::All if kappa != 0.0 => Want { noise: true, ..Want::DRIFT },
            _ => Want::DRIFT,
        };
        let (p, k, s) = (problem.width(), problem.directions(), problem.output_scale());
        let on_sphere = match problem.training.geometry {
            Geometry::Free => None,
            _ => Some(inverse_root(problem.target.overlaps.as_ref())?),
        };
        Ok(Self {
            kernel,
            want,
            students: p,
            directions: k,
            per_scale: 1.0 / s,
            noise: kappa / (s * s),
            outside: problem.dimension().map_or(1.0, |d| 1.0 - k as f64 / d as f64),
            decay: problem.training.weight_decay / s,
            second_layer: problem.network.second_layer.train.then(|| problem.rate_ratio() / s),
            trains_bias: problem.network.bias.is_some_and(|bias| bias.train),
            on_sphere,
            scratch: RefCell::new((start.clone(), SphereAverages::zeros(p, k))),
        })
    }

    /// A state as the vector y.
    pub fn pack(&self, state: &SphereState) -> Vec<f64> {
        let mut y = Vec::with_capacity(self.dim());
        (0..self.directions).for_each(|r| y.extend_from_slice(state.student_teacher.col_as_slice(r)));
        y.extend_from_slice(&state.orthogonal);
        if self.second_layer.is_some() {
            y.extend_from_slice(&state.second_layer);
        }
        if self.trains_bias {
            y.extend_from_slice(&state.bias);
        }
        y
    }

    /// The vector y as a state; fixed biases and a fixed second layer stay as they are in `state`. Less than nothing outside the
    /// target's space, an error of the integration, is nothing.
    pub fn unpack(&self, y: &[f64], state: &mut SphereState) {
        let p = self.students;
        let (m, rest) = y.split_at(p * self.directions);
        for (r, column) in m.chunks_exact(p).enumerate() {
            state.student_teacher.col_as_slice_mut(r).copy_from_slice(column);
        }
        let (q, rest) = rest.split_at(p);
        state.orthogonal.iter_mut().zip(q).for_each(|(own, q)| *own = q.max(0.0));
        let (a, b) = rest.split_at(if self.second_layer.is_some() { p } else { 0 });
        if self.second_layer.is_some() {
            state.second_layer.copy_from_slice(a);
        }
        if self.trains_bias {
            state.bias.copy_from_slice(b);
        }
    }

    /// R at y, which is left in `state`, and its error.
    pub fn risk(&self, y: &[f64], state: &mut SphereState) -> (f64, f64) {
        self.unpack(y, state);
        let averages = &mut self.scratch.borrow_mut().1;
        self.kernel.averages(state, Want::RISK, averages);
        (averages.risk, averages.risk_error)
    }

    /// Takes from the velocities of M and q what changes the norms of the rows; `total` is all of each row's noise.
    fn keep_norms(&self, whiten: &Mat<f64>, state: &SphereState, total: &[f64], dy: &mut [f64]) {
        let (p, k) = (self.students, self.directions);
        let m = &state.student_teacher * whiten;
        let velocity = Mat::from_fn(p, k, |j, r| dy[r * p + j]) * whiten;
        for j in 0..p {
            let norm = m.row(j).squared_norm_l2() + state.orthogonal[j];
            let along: f64 = (0..k).map(|r| m[(j, r)] * velocity[(j, r)]).sum();
            let change = 2.0 * along + dy[p * k + j] + (1.0 - self.outside) * total[j];
            let rate = if norm > 0.0 { 0.5 * change / norm } else { 0.0 };
            (0..k).for_each(|r| dy[r * p + j] -= rate * state.student_teacher[(j, r)]);
            dy[p * k + j] -= 2.0 * rate * state.orthogonal[j];
        }
    }
}

impl VectorField for SphereFlow<'_> {
    fn dim(&self) -> usize {
        let layers = usize::from(self.second_layer.is_some()) + usize::from(self.trains_bias);
        self.students * (self.directions + 1 + layers)
    }

    fn drift(&self, _: f64, y: &[f64], dy: &mut [f64]) -> Result<()> {
        let mut scratch = self.scratch.borrow_mut();
        let (state, averages) = &mut *scratch;
        self.unpack(y, state);
        self.kernel.averages(state, self.want, averages);
        let (p, k) = (self.students, self.directions);
        for (r, dy) in dy[..p * k].chunks_exact_mut(p).enumerate() {
            let (m, drift) = (state.student_teacher.col_as_slice(r), averages.drift_teacher.col_as_slice(r));
            let both = m.iter().zip(drift);
            dy.iter_mut().zip(both).for_each(|(dy, (m, drift))| *dy = -self.per_scale * drift - self.decay * m);
        }
        let noisy = self.want.noise || self.want.label_noise;
        if noisy {
            averages.square.iter_mut().for_each(|square| *square *= self.noise);
        } else {
            averages.square.fill(0.0);
        }
        for (j, dy) in dy[p * k..p * (k + 1)].iter_mut().enumerate() {
            let drift = self.per_scale * averages.drift_orthogonal[j] + self.decay * state.orthogonal[j];
            *dy = self.outside * averages.square[j] - 2.0 * drift;
        }
        if let Some(whiten) = &self.on_sphere {
            self.keep_norms(whiten, state, &averages.square, dy);
        }
        let mut at = p * (k + 1);
        if let Some(rate) = self.second_layer {
            dy[at..at + p].iter_mut().zip(&averages.second).for_each(|(dy, second)| *dy = -rate * second);
            at += p;
        }
        if self.trains_bias {
            dy[at..].iter_mut().zip(&averages.bias).for_each(|(dy, bias)| *dy = -self.per_scale * bias);
        }
        Ok(())
    }
}
