//! The vector field of the online ODE.

use std::cell::RefCell;

use super::exact_step::ExactStep;
use crate::{
    average::{Averages, Kernel, State, Want},
    error::{Error, Result},
    overlaps::Overlaps,
    problem::{Geometry, Problem, Terms},
    solve::VectorField,
};

/// The vector field of the ODE; y = (M row by row, the lower triangle of Q row by row, a and b where they are trained).
pub struct OnlineFlow<'a> {
    kernel: &'a dyn Kernel,
    pub(super) want: Want,
    pub(super) students: usize,
    pub(super) directions: usize,
    /// 1/s.
    per_scale: f64,
    /// κ/s².
    noise: f64,
    /// λ_w/s.
    decay: f64,
    /// (η_a/η)/s; `None`: the second layer is fixed.
    second_layer: Option<f64>,
    trains_bias: bool,
    /// Rows keep their norm.
    on_sphere: bool,
    exact: Option<ExactStep>,
    pub(super) scratch: RefCell<Scratch>,
}

/// Work space.
pub(super) struct Scratch {
    /// The state of the last drift or risk.
    pub(super) state: State,
    averages: Averages,
}

impl<'a> OnlineFlow<'a> {
    /// The vector field of `problem`, with P, fixed second layer and biases as in `start`.
    ///
    /// # Errors
    /// [`Error::Refused`] for terms that need a κ where it is not a finite number.
    pub fn new(problem: &Problem, start: &State, kappa: f64, terms: Terms, kernel: &'a dyn Kernel) -> Result<Self> {
        if !matches!(terms, Terms::Flow | Terms::ExactStep) && !kappa.is_finite() {
            let reason = format!("the noise terms are multiplied by κ = ηs·d/n_b, which is {kappa} here");
            return Err(Error::refused(
                "training.learning_rate",
                reason,
                "use the flow, or a rate of the order of 1/d",
            ));
        }
        let want = match terms {
            Terms::Flow => Want::DRIFT,
            Terms::LabelNoise => Want { label_noise: true, ..Want::DRIFT },
            Terms::ExactStep => Want { noise: true, radial: true, ..Want::DRIFT },
            Terms::Auto | Terms::All if kappa == 0.0 => Want::DRIFT,
            Terms::Auto | Terms::All => Want { noise: true, ..Want::DRIFT },
        };
        let (p, k, s) = (problem.width(), problem.directions(), problem.output_scale());
        Ok(Self {
            kernel,
            want,
            students: p,
            directions: k,
            per_scale: 1.0 / s,
            noise: kappa / (s * s),
            decay: problem.training.weight_decay / s,
            second_layer: problem.network.second_layer.train.then(|| problem.rate_ratio() / s),
            trains_bias: problem.network.bias.is_some_and(|bias| bias.train),
            on_sphere: problem.training.geometry != Geometry::Free,
            exact: if terms == Terms::ExactStep { Some(ExactStep::of(problem)?) } else { None },
            scratch: RefCell::new(Scratch { state: start.clone(), averages: Averages::zeros(p, k) }),
        })
    }

    /// A state as the vector y.
    pub fn pack(&self, state: &State) -> Vec<f64> {
        let Overlaps { student_teacher, student_student, .. } = &state.overlaps;
        let (p, k) = (self.students, self.directions);
        let mut y = Vec::with_capacity(self.dim());
        y.extend((0..p).flat_map(|j| (0..k).map(move |r| student_teacher[(j, r)])));
        y.extend((0..p).flat_map(|j| (0..=j).map(move |l| student_student[(j, l)])));
        if self.second_layer.is_some() {
            y.extend_from_slice(&state.second_layer);
        }
        if self.trains_bias {
            y.extend_from_slice(&state.bias);
        }
        y
    }

    /// The vector y as a state; P, fixed biases and a fixed second layer stay as they are in `state`.
    pub fn unpack(&self, y: &[f64], state: &mut State) {
        let (p, k) = (self.students, self.directions);
        let (m, rest) = y.split_at(p * k);
        let (q, rest) = rest.split_at(p * (p + 1) / 2);
        for j in 0..p {
            for r in 0..k {
                state.overlaps.student_teacher[(j, r)] = m[j * k + r];
            }
        }
        let mut entries = q.iter();
        for j in 0..p {
            for (l, &entry) in entries.by_ref().take(j + 1).enumerate() {
                state.overlaps.student_student[(j, l)] = entry;
                state.overlaps.student_student[(l, j)] = entry;
            }
        }
        let (a, b) = rest.split_at(if self.second_layer.is_some() { p } else { 0 });
        if self.second_layer.is_some() {
            state.second_layer.copy_from_slice(a);
        }
        if self.trains_bias {
            state.bias.copy_from_slice(b);
        }
    }

    /// R at y, which is left in `state`, with its error in `averages`.
    pub(super) fn risk(&self, y: &[f64], state: &mut State, averages: &mut Averages) -> Result<f64> {
        self.unpack(y, state);
        self.kernel.averages(state, Want::RISK, averages)?;
        Ok(averages.risk)
    }
}

impl VectorField for OnlineFlow<'_> {
    fn dim(&self) -> usize {
        let (p, k) = (self.students, self.directions);
        let layers = usize::from(self.second_layer.is_some()) + usize::from(self.trains_bias);
        p * k + p * (p + 1) / 2 + p * layers
    }

    fn drift(&self, _: f64, y: &[f64], dy: &mut [f64]) -> Result<()> {
        let mut scratch = self.scratch.borrow_mut();
        let Scratch { state, averages } = &mut *scratch;
        self.unpack(y, state);
        self.kernel.averages(state, self.want, averages)?;
        let (p, k) = (self.students, self.directions);
        let noisy = self.want.noise || self.want.label_noise;
        let exact = match &self.exact {
            Some(step) => Some(step.squares(&state.overlaps, averages)?),
            None => None,
        };
        let mut at = 0;
        for j in 0..p {
            for r in 0..k {
                dy[at] = -self.per_scale * averages.drift_teacher[(j, r)] - self.decay * y[at];
                at += 1;
            }
        }
        for j in 0..p {
            for l in 0..=j {
                let drift = self.per_scale * (averages.drift_student[(j, l)] + averages.drift_student[(l, j)]);
                dy[at] = match (&exact, &self.exact) {
                    // ((c² − 1)Q − ηc(D + Dᵀ) + η²X)/(ηs)
                    (Some(squares), Some(step)) => {
                        self.per_scale * step.rate * squares[(j, l)]
                            - (1.0 - step.decay) * drift
                            - (2.0 - step.decay) * self.decay * y[at]
                    }
                    _ => {
                        let noise = if noisy { self.noise * averages.noise[(j, l)] } else { 0.0 };
                        noise - drift - 2.0 * self.decay * y[at]
                    }
                };
                at += 1;
            }
        }
        if self.on_sphere {
            keep_norms(p, k, y, dy);
        }
        if let Some(rate) = self.second_layer {
            for (dy, second) in dy[at..at + p].iter_mut().zip(&averages.second) {
                *dy = -rate * second;
            }
            at += p;
        }
        if self.trains_bias {
            for (dy, bias) in dy[at..].iter_mut().zip(&averages.bias) {
                *dy = -self.per_scale * bias;
            }
        }
        Ok(())
    }
}

/// Takes from the velocities of M and Q what changes the norms of the rows.
fn keep_norms(p: usize, k: usize, y: &[f64], dy: &mut [f64]) {
    let diagonal = |j: usize| p * k + (j + 1) * (j + 2) / 2 - 1;
    let shrink = |x: f64, norm: f64| if norm > 0.0 { 0.5 * x / norm } else { 0.0 };
    let rates: Vec<f64> = (0..p).map(|j| shrink(dy[diagonal(j)], y[diagonal(j)])).collect();
    let (m, q) = dy.split_at_mut(p * k);
    for (at, dm) in m.iter_mut().enumerate() {
        *dm -= rates[at / k] * y[at];
    }
    let pairs = (0..p).flat_map(|j| (0..=j).map(move |l| (j, l)));
    for (at, ((j, l), dq)) in pairs.zip(q).enumerate() {
        *dq -= (rates[j] + rates[l]) * y[p * k + at];
    }
}
