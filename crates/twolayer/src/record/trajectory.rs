//! What every engine returns: one time axis, named observables, status, error estimates.

use crate::overlaps::Overlaps;

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// It reached the end, or a crossing at which it was to stop (then entries from `valid` on are NaN).
    Done,
    /// The observer said stop; the entries up to there are valid.
    Interrupted,
    /// A weight or the risk left the finite numbers (or passed 10¹² times its start).
    Diverged {
        /// The step (simulations) or the time (limits) at which it was seen.
        at: f64,
    },
    /// The integrator could not go on at the tolerance asked for.
    Stiff {
        /// The time at which it stopped.
        at: f64,
    },
    /// It reached the end, and its numerical error is more than the tolerance asked for; all entries are valid.
    OutOfTolerance {
        /// [`Trajectory::largest_error`].
        error: f64,
    },
    /// The engine could not do it; no entry is valid.
    Failed {
        /// What it said.
        reason: String,
    },
}

impl Status {
    /// A word for result files: `done`, `interrupted`, `diverged`, `stiff`, `failed`, `out of tolerance`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Interrupted => "interrupted",
            Self::Diverged { .. } => "diverged",
            Self::Stiff { .. } => "stiff",
            Self::Failed { .. } => "failed",
            Self::OutOfTolerance { .. } => "out of tolerance",
        }
    }
}

/// How much of Q is kept at each recorded step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepQ {
    /// All p×p entries.
    Full,
    /// The diagonal only.
    Diagonal,
    /// Nothing.
    None,
}

/// The record of one run of one replicate: T entries, entry 0 before the first step.
///
/// Arrays are flat and row-major: `M[t,j,r] = student_teacher[(t·p + j)·k + r]`. Entries from `valid` on are NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// p.
    pub width: usize,
    /// k.
    pub directions: usize,
    /// ν (T); NaN when d is infinite.
    pub step: Vec<f64>,
    /// t = νηs (T).
    pub time: Vec<f64>,
    /// Distinct samples seen (T).
    pub samples: Vec<f64>,
    /// Sample gradients computed (T).
    pub gradients: Vec<f64>,
    /// ½E(f−g)², label noise excluded (T).
    pub risk: Vec<f64>,
    /// ½ mean (f−y)² on the training set, where there is one (T).
    pub training_risk: Option<Vec<f64>>,
    /// M (T·p·k).
    pub student_teacher: Vec<f64>,
    /// Q (T·p·p), empty unless [`KeepQ::Full`].
    pub student_student: Vec<f64>,
    /// diag Q (T·p), empty for [`KeepQ::None`].
    pub student_squares: Vec<f64>,
    /// a (T·p).
    pub second_layer: Vec<f64>,
    /// b (T·p), zero where the network has no bias.
    pub bias: Vec<f64>,
    /// Numerical error of `risk` (T): that of the population average, and of the integrator for a limit.
    pub risk_error: Option<Vec<f64>>,
    /// Numerical error of M (T·p·k), limits only.
    pub student_teacher_error: Option<Vec<f64>>,
    /// Numerical error of diag Q (T·p), limits only.
    pub student_squares_error: Option<Vec<f64>>,
    /// `(1/n_b) Σ_μ g_jμ z_μr` of the step after each entry but the last ((T−1)·p·k), where it is recorded.
    pub gradient_teacher: Option<Vec<f64>>,
    /// `‖(1/n_b) Σ_μ g_jμ x_μ‖` of the same steps ((T−1)·p).
    pub gradient_norm: Option<Vec<f64>>,
    /// `C_ℓ(t,s)_jl = β E[g^t_j g^s_l]` (T·T·p·p), mean-field theory of reused data only. (theory.md §5.3)
    pub loss_correlation: Option<Vec<f64>>,
    /// `R_ℓ(t,s)_jl`, the response of g^t_j to the field of neuron l at s ≤ t (T·T·p·p); its diagonal t = s is the effective
    /// regularisation.
    pub loss_response: Option<Vec<f64>>,
    /// ν at which each level was first crossed (C), interpolated; NaN: not reached.
    pub crossing_step: Vec<f64>,
    /// How it ended.
    pub status: Status,
    /// Entries that hold numbers.
    pub valid: usize,
    /// What was kept of Q.
    pub keep_q: KeepQ,
}

/// One entry of a [`Trajectory`].
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// ν.
    pub step: f64,
    /// t.
    pub time: f64,
    /// Distinct samples seen.
    pub samples: f64,
    /// Sample gradients computed.
    pub gradients: f64,
    /// Population risk.
    pub risk: f64,
    /// Its numerical error.
    pub risk_error: f64,
    /// M, Q, P.
    pub overlaps: &'a Overlaps,
    /// a (p).
    pub second_layer: &'a [f64],
    /// b (p).
    pub bias: &'a [f64],
}

impl Trajectory {
    /// An empty record for p students, k directions.
    pub fn new(width: usize, directions: usize, keep_q: KeepQ) -> Self {
        Self {
            width,
            directions,
            step: Vec::new(),
            time: Vec::new(),
            samples: Vec::new(),
            gradients: Vec::new(),
            risk: Vec::new(),
            training_risk: None,
            student_teacher: Vec::new(),
            student_student: Vec::new(),
            student_squares: Vec::new(),
            second_layer: Vec::new(),
            bias: Vec::new(),
            risk_error: Some(Vec::new()),
            student_teacher_error: None,
            student_squares_error: None,
            gradient_teacher: None,
            gradient_norm: None,
            loss_correlation: None,
            loss_response: None,
            crossing_step: Vec::new(),
            status: Status::Done,
            valid: 0,
            keep_q,
        }
    }

    /// Number of entries, T.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// The largest numerical error of the risk and of M, of each relative to its largest entry where that is more than 1;
    /// 0 where none is known.
    pub fn largest_error(&self) -> f64 {
        let largest =
            |values: &[f64]| values.iter().filter(|x| x.is_finite()).fold(0.0, |most: f64, x| most.max(x.abs()));
        let of = |errors: &Option<Vec<f64>>, values: &[f64]| {
            largest(errors.as_deref().unwrap_or_default()) / largest(values).max(1.0)
        };
        of(&self.risk_error, &self.risk).max(of(&self.student_teacher_error, &self.student_teacher))
    }

    /// No entry yet.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// Appends one entry.
    pub fn push(&mut self, entry: &Entry<'_>) {
        let squares: Vec<f64> = (0..self.width).map(|j| entry.overlaps.student_student[(j, j)]).collect();
        self.push_with_squares(entry, &squares);
    }

    /// Appends one entry whose diagonal of Q is given apart; its Q is read only where it is kept whole.
    pub fn push_with_squares(&mut self, entry: &Entry<'_>, squares: &[f64]) {
        let (p, k) = (self.width, self.directions);
        self.step.push(entry.step);
        self.time.push(entry.time);
        self.samples.push(entry.samples);
        self.gradients.push(entry.gradients);
        self.risk.push(entry.risk);
        if let Some(errors) = &mut self.risk_error {
            errors.push(entry.risk_error);
        }
        for j in 0..p {
            self.student_teacher.extend((0..k).map(|r| entry.overlaps.student_teacher[(j, r)]));
        }
        if self.keep_q == KeepQ::Full {
            for j in 0..p {
                self.student_student.extend((0..p).map(|l| entry.overlaps.student_student[(j, l)]));
            }
        }
        if self.keep_q != KeepQ::None {
            self.student_squares.extend_from_slice(squares);
        }
        self.second_layer.extend_from_slice(entry.second_layer);
        self.bias.extend_from_slice(entry.bias);
        self.valid += 1;
    }

    /// Appends the gradient of the step after the last entry: the overlaps of its rows times `factor`.
    pub fn push_gradient(&mut self, rows: &Overlaps, factor: f64) {
        if let Some(gradient) = &mut self.gradient_teacher {
            for j in 0..self.width {
                gradient.extend((0..self.directions).map(|r| factor * rows.student_teacher[(j, r)]));
            }
        }
        if let Some(norms) = &mut self.gradient_norm {
            norms.extend((0..self.width).map(|j| factor.abs() * rows.student_student[(j, j)].max(0.0).sqrt()));
        }
    }

    /// Turns the entries from `valid` on into NaN: the run ended before them.
    pub fn cut(&mut self, valid: usize) {
        let (p, k) = (self.width, self.directions);
        self.valid = valid.min(self.valid);
        let t = self.valid;
        let always = [
            (&mut self.samples, 1),
            (&mut self.gradients, 1),
            (&mut self.risk, 1),
            (&mut self.student_teacher, p * k),
            (&mut self.student_student, p * p),
            (&mut self.student_squares, p),
            (&mut self.second_layer, p),
            (&mut self.bias, p),
        ];
        let perhaps = [
            (&mut self.training_risk, t),
            (&mut self.risk_error, t),
            (&mut self.student_teacher_error, t * p * k),
            (&mut self.student_squares_error, t * p),
            (&mut self.gradient_teacher, t.saturating_sub(1) * p * k),
            (&mut self.gradient_norm, t.saturating_sub(1) * p),
        ];
        let always = always.into_iter().map(|(array, size)| (array, t * size));
        let perhaps = perhaps.into_iter().filter_map(|(array, from)| Some((array.as_mut()?, from)));
        for (array, from) in always.chain(perhaps) {
            array.iter_mut().skip(from).for_each(|value| *value = f64::NAN);
        }
    }

    /// Fills the entries that were never reached, one for each `(step, time)` left, with NaN.
    pub fn pad(&mut self, rest: impl IntoIterator<Item = (f64, f64)>) {
        for (step, time) in rest {
            self.step.push(step);
            self.time.push(time);
        }
        let (t, p, k) = (self.time.len(), self.width, self.directions);
        let q = if self.keep_q == KeepQ::Full { p * p } else { 0 };
        let norms = if self.keep_q == KeepQ::None { 0 } else { p };
        for (array, size) in [
            (&mut self.samples, 1),
            (&mut self.gradients, 1),
            (&mut self.risk, 1),
            (&mut self.student_teacher, p * k),
            (&mut self.student_student, q),
            (&mut self.student_squares, norms),
            (&mut self.second_layer, p),
            (&mut self.bias, p),
        ] {
            array.resize(t * size, f64::NAN);
        }
        for (array, size) in [
            (&mut self.training_risk, 1),
            (&mut self.risk_error, 1),
            (&mut self.student_teacher_error, p * k),
            (&mut self.student_squares_error, p),
        ] {
            if let Some(array) = array {
                array.resize(t * size, f64::NAN);
            }
        }
        for (array, size) in [(&mut self.gradient_teacher, p * k), (&mut self.gradient_norm, p)] {
            if let Some(array) = array {
                array.resize(t.saturating_sub(1) * size, f64::NAN);
            }
        }
    }
}
