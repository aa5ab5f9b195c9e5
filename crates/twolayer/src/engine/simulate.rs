//! The only training loop, over any [`Frame`]. (theory.md §1)

use std::ops::Range;

use super::{
    Frame,
    crossing::Watch,
    frame::Sight,
    recorder::{Moment, Recorder},
};
use crate::{
    error::Result,
    kernel::Kernel,
    observer::{Observer, Progress},
    overlaps::Overlaps,
    problem::{Geometry, Problem, Record, Start},
    signal::{Batch, Feed, Head, Signal},
    trajectory::{Status, Trajectory},
};

/// Multiply-adds between two words with the observer: some hundredths of a second.
const BREATH: u64 = 1 << 26;

/// Trains the weights of `frame` on the batches of `feed` and records the steps of `moments` (rising, from 0).
///
/// A step: fields of the batch, error signals, `w_j ← (1 − ηλ_w) w_j − (η/n_b) Σ_μ g_jμ x_μ`, and, where they are trained,
/// `a_j ← a_j − (η_a/n_b) Σ_μ s e_μ σ(h_jμ)` and `b_j ← b_j − (η/n_b) Σ_μ g_jμ` with the same forward pass. On the sphere,
/// the row factor grows by `(η/n_b) Σ_μ g_jμ λ_jμ/‖w_j‖²`, which projects the gradient on the tangent space, and each row
/// gets its first norm back. With a displacement ρ, the signals are those at `W − ρ∇`, on the same samples. The population
/// risk at each recorded step is the `kernel`'s.
///
/// # Errors
/// [`Error::Numerical`](crate::Error::Numerical) where the kernel fails. A run that diverges or is interrupted is not an
/// error: it is the [`Status`] of the trajectory, whose entries up to there are valid.
#[allow(clippy::too_many_arguments)] // Each is a separate choice of the caller.
pub fn simulate<F: Frame>(
    problem: &Problem,
    frame: F,
    feed: Feed<'_>,
    start: &Start,
    kernel: &dyn Kernel,
    moments: &[u64],
    record: &Record,
    observer: &dyn Observer,
) -> Result<Trajectory> {
    let last = moments.last().copied().unwrap_or(0);
    let mut run = Training::new(problem, frame, feed, start);
    let breath = (BREATH / run.frame.work(problem.batch()).max(1)).clamp(1, 1 << 16);
    let mut recorder = Recorder::new(problem, kernel, record);
    let mut watch = Watch::new(&record.crossings);

    'moments: for &moment in moments {
        while run.step < moment {
            let gradient = (record.gradients && run.step == run.recorded).then_some(&mut recorder.trajectory);
            if !run.advance(gradient) {
                recorder.trajectory.status = Status::Diverged { at: run.step as f64 };
                break 'moments;
            }
            if watch.is_due(run.step) && run.crosses(&mut watch, &mut recorder)? {
                break 'moments;
            }
            if run.step.is_multiple_of(breath) {
                let at = Progress { done: run.step as f64, total: last as f64, risk: recorder.risk() };
                if observer.progress(&at).is_break() {
                    recorder.trajectory.status = Status::Interrupted;
                    break 'moments;
                }
            }
        }
        if !run.record(&mut recorder)? {
            recorder.trajectory.status = Status::Diverged { at: run.step as f64 };
            break;
        }
        if run.step == 0 && watch.is_due(0) {
            run.crosses(&mut watch, &mut recorder)?;
        }
    }
    let mut trajectory = recorder.trajectory;
    let rest = &moments[trajectory.valid..];
    trajectory.pad(rest.iter().map(|&step| (step as f64, step as f64 * problem.step_time())));
    debug_assert_eq!(trajectory.student_teacher.len(), moments.len() * problem.width() * problem.directions());
    Ok(trajectory)
}

/// One run under way.
struct Training<'a, F> {
    problem: &'a Problem,
    frame: F,
    feed: Feed<'a>,
    head: Head,
    signal: Signal,
    /// U of the batch, p×n_b.
    fields: Vec<f64>,
    /// U of the whole data set, p×n, where there is one and it is not the batch.
    all_fields: Vec<f64>,
    /// Σ|e| where `fields` and signals are those of the weights as they are now, on the batch that comes.
    looked: Option<f64>,
    /// Steps made.
    step: u64,
    /// The step of the last entry.
    recorded: u64,
    /// η/n_b.
    rate: f64,
    /// η_a/n_b; 0 where the second layer is not trained.
    second_rate: f64,
    trains_bias: bool,
    /// 1 − ηλ_w.
    decay: f64,
    /// ρ/η.
    displacement: f64,
    /// ‖w_j‖ of the start, kept by a geometry other than free.
    norms: Vec<f64>,
    /// The row factor of a step.
    keep: Vec<f64>,
    /// Work space, p.
    factor: Vec<f64>,
}

impl<'a, F: Frame> Training<'a, F> {
    fn new(problem: &'a Problem, mut frame: F, feed: Feed<'a>, start: &Start) -> Self {
        let (p, batch) = (problem.width(), problem.batch());
        let rate = problem.learning_rate() / batch as f64;
        let mut norms = vec![0.0; p];
        if problem.training.geometry != Geometry::Free {
            frame.norms(&mut norms);
        }
        Self {
            problem,
            frame,
            head: Head {
                second_layer: start.second_layer.clone(),
                bias: if problem.network.bias.is_some() { start.bias.clone() } else { Vec::new() },
            },
            signal: Signal::new(problem, batch),
            fields: vec![0.0; p * batch],
            all_fields: vec![0.0; if feed.is_full() { 0 } else { p * problem.samples() }],
            looked: None,
            feed,
            step: 0,
            recorded: 0,
            rate,
            second_rate: if problem.network.second_layer.train { rate * problem.rate_ratio() } else { 0.0 },
            trains_bias: problem.network.bias.is_some_and(|bias| bias.train),
            decay: 1.0 - problem.learning_rate() * problem.training.weight_decay,
            displacement: problem.displacement() / problem.learning_rate(),
            norms,
            keep: vec![1.0; p],
            factor: vec![1.0; p],
        }
    }

    /// One step; false where it has diverged. Its gradient is appended to `gradient`.
    fn advance(&mut self, gradient: Option<&mut Trajectory>) -> bool {
        let (mut batch, labels) = self.feed.next_batch();
        let mut size = match self.looked.take() {
            Some(size) => size,
            None => look(&mut self.frame, &batch, &mut self.fields, &mut self.signal, self.rate, labels, &self.head),
        };
        if self.displacement != 0.0 && size.is_finite() {
            self.factor.fill(self.displacement);
            self.signal.scale_rows(&self.factor);
            self.keep.fill(1.0);
            self.frame.save();
            self.frame.descend(&self.keep, &batch, self.signal.signal());
            batch = batch.again();
            size = look(&mut self.frame, &batch, &mut self.fields, &mut self.signal, self.rate, labels, &self.head);
            self.frame.restore();
        }
        if !size.is_finite() {
            return false;
        }
        if let Some(into) = gradient {
            // With W = 0 before it, a step leaves −η∇ behind.
            let (p, k) = (self.problem.width(), self.problem.directions());
            let mut step = Overlaps { teacher_teacher: self.problem.target.overlaps.clone(), ..Overlaps::zeros(p, k) };
            self.keep.fill(0.0);
            self.frame.save();
            self.frame.descend(&self.keep, &batch, self.signal.signal());
            self.frame.overlaps(&mut step);
            self.frame.restore();
            into.push_gradient(&step, -1.0 / self.problem.learning_rate());
        }
        self.keep.fill(self.decay);
        if self.problem.training.geometry == Geometry::Spherical {
            let count = batch.count();
            let rows = self.signal.signal().chunks_exact(count).zip(self.fields.chunks_exact(count));
            for ((keep, norm), (signal, fields)) in self.keep.iter_mut().zip(&self.norms).zip(rows) {
                let along: f64 = signal.iter().zip(fields).map(|(g, field)| g * field).sum();
                *keep += along / (norm * norm);
            }
        }
        self.frame.descend(&self.keep, &batch, self.signal.signal());
        if self.problem.training.geometry != Geometry::Free {
            self.frame.norms(&mut self.factor);
            self.factor.iter_mut().zip(&self.norms).for_each(|(factor, norm)| *factor = norm / *factor);
            self.frame.scale_rows(&self.factor);
        }
        if self.second_rate != 0.0 {
            self.signal.train_second_layer(self.second_rate, &mut self.head.second_layer);
        }
        if self.trains_bias {
            self.signal.train_biases(&mut self.head.bias);
        }
        self.step += 1;
        true
    }

    /// Records where the run is; false where it has diverged.
    fn record(&mut self, recorder: &mut Recorder<'_>) -> Result<bool> {
        self.frame.overlaps(&mut recorder.state.overlaps);
        let training_risk = self.training_risk();
        self.recorded = self.step;
        let gradients = self.step as f64 * self.problem.batch() as f64;
        recorder.record(&Moment {
            step: self.step,
            samples: self.feed.distinct(self.step),
            gradients: if self.displacement == 0.0 { gradients } else { 2.0 * gradients },
            head: &self.head,
            training_risk,
        })
    }

    /// ½ mean (f−y)² over the data set; the next step on the whole of it need not look again.
    fn training_risk(&mut self) -> Option<f64> {
        let (all, labels) = self.feed.all()?;
        if self.feed.is_full() {
            let Self { frame, fields, signal, head, .. } = self;
            self.looked = Some(look(frame, &all, fields, signal, self.rate, labels, head));
            return Some(self.signal.batch_risk(labels, &self.head));
        }
        self.frame.fields(&all, &mut self.all_fields);
        Some(self.signal.training_risk(&self.all_fields, labels, &self.head))
    }

    /// Looks for crossings; true where the run should end.
    fn crosses(&mut self, watch: &mut Watch<'_>, recorder: &mut Recorder<'_>) -> Result<bool> {
        self.frame.overlaps(&mut recorder.state.overlaps);
        let risk = if watch.needs_risk() { recorder.evaluate(&self.head)? } else { f64::NAN };
        Ok(watch.look(self.step, risk, &recorder.state.overlaps, &mut recorder.trajectory.crossing_step))
    }
}

/// Fields and signals of a batch; Σ|e|.
fn look(
    frame: &mut impl Frame,
    batch: &Batch<'_>,
    fields: &mut [f64],
    signal: &mut Signal,
    rate: f64,
    labels: &[f64],
    head: &Head,
) -> f64 {
    let mut eyes = Eyes { signal, rate, labels, head, size: 0.0 };
    frame.look(batch, fields, &mut eyes);
    eyes.size
}

/// The signals of a step at learning rate `rate`.
struct Eyes<'a> {
    signal: &'a mut Signal,
    rate: f64,
    labels: &'a [f64],
    head: &'a Head,
    /// Σ|e| of the samples so far.
    size: f64,
}

impl Sight for Eyes<'_> {
    fn signals(&mut self, fields: &[f64], samples: Range<usize>) -> &[f64] {
        self.size += if samples.len() == self.labels.len() {
            self.signal.evaluate(self.rate, fields, self.labels, self.head)
        } else {
            self.signal.evaluate_part(self.rate, fields, self.labels, self.head, samples)
        };
        self.signal.signal()
    }
}
