//! The only training loop, over any [`Frame`]. (theory.md §1)

use crate::{
    average::Kernel,
    error::Result,
    frame::{Factor, Frame, Gram, RowMap, Slot},
    observer::{Observer, Progress},
    probe::{Moment, Recorder, crossing::Watch},
    problem::{Geometry, Problem, Record, Start},
    record::{
        Status, Trajectory,
        observable::{CROSSING_STEP, STUDENT_TEACHER},
    },
    signal::{Feed, Head, Signal, StepContext, Sums},
};

/// Multiply-adds between two words with the observer: some hundredths of a second.
const WORK_BETWEEN_PROGRESS: u64 = 1 << 26;

/// Trains the weights of `frame` on the batches of `feed` and records the steps of `moments` (rising, from 0).
///
/// A step: fields of the batch, error signals, `w_j ← (1 − ηλ_w) w_j − (η/n_b) Σ_μ g_jμ x_μ`, and, where they are trained,
/// `a_j ← a_j − (η_a/n_b) Σ_μ s e_μ σ(h_jμ)` and `b_j ← b_j − (η/n_b) Σ_μ g_jμ` with the same forward pass. On the sphere,
/// the row factor grows by `(η/n_b) Σ_μ g_jμ λ_jμ/‖w_j‖²`, which projects the gradient on the tangent space, and each row
/// gets its first norm back. With a displacement ρ, the signals are those at `W − ρ∇`, on the same samples (∇ the batch's mean
/// gradient, or each sample's own); the sphere is still that of W. The population risk at each recorded step is the `kernel`'s.
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
    let mut run = Training::new(problem, frame, feed, start, last);
    let breath = (WORK_BETWEEN_PROGRESS / run.frame.work(problem.batch()).max(1)).clamp(1, 1 << 16);
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
    debug_assert_eq!(trajectory.of(&STUDENT_TEACHER).len(), moments.len() * problem.width() * problem.directions());
    Ok(trajectory)
}

/// One run under way.
struct Training<'a, F> {
    problem: &'a Problem,
    frame: F,
    feed: Feed<'a>,
    head: Head,
    signal: Signal,
    /// Those of the last look.
    sums: Sums,
    /// Whether the frame has looked, with the weights as they are now, at the batch that comes.
    has_looked: bool,
    /// Steps made.
    step: u64,
    /// Steps to make.
    last: u64,
    /// The step of the last entry.
    recorded: u64,
    /// η/n_b.
    rate: f64,
    /// η_a/n_b; 0 where the second layer is not trained.
    second_rate: f64,
    /// 1 − ηλ_w.
    decay: f64,
    /// `(W, anchor) ← (W − (ρ/η) G, W)`, where the gradient is taken at displaced weights.
    displacement: Option<RowMap>,
    /// ‖w_j‖ of the start, kept by a geometry other than free.
    norms: Vec<f64>,
    /// The row factors of a step.
    row_factors: Vec<f64>,
    /// `W ← factor W − G`; and, on its sphere, `W ← factor W`.
    update: RowMap,
    rescale: RowMap,
    /// Of the gradient, where it is asked for.
    gram: Gram,
}

impl<'a, F: Frame> Training<'a, F> {
    fn new(problem: &'a Problem, mut frame: F, feed: Feed<'a>, start: &Start, last: u64) -> Self {
        let p = problem.width();
        let rate = problem.learning_rate() / problem.batch() as f64;
        let mut norms = vec![0.0; p];
        if problem.training.geometry != Geometry::Free {
            frame.norms(&mut norms);
        }
        // Samples that are displaced each by its own gradient are so in field space.
        let displacement =
            if problem.displaces_weights() { problem.displacement() / problem.learning_rate() } else { 0.0 };
        let anchored = |gradient| Slot { rows: vec![Factor::One], gradient };
        let away = (displacement != 0.0).then(|| RowMap { slots: vec![anchored(-displacement), anchored(0.0)] });
        let mut update = RowMap::step(vec![1.0; p], -1.0);
        if away.is_some() {
            update.slots[0].rows.insert(0, Factor::Zero);
        }
        Self {
            problem,
            frame,
            head: Head {
                second_layer: start.second_layer.clone(),
                bias: if problem.network.bias.is_some() { start.bias.clone() } else { Vec::new() },
            },
            signal: Signal::new(problem),
            sums: Sums::default(),
            has_looked: false,
            feed,
            step: 0,
            last,
            recorded: 0,
            rate,
            second_rate: if problem.network.second_layer.train { rate * problem.rate_ratio() } else { 0.0 },
            decay: 1.0 - problem.learning_rate() * problem.training.weight_decay,
            displacement: away,
            norms,
            row_factors: vec![1.0; p],
            update,
            rescale: RowMap::step(vec![1.0; p], 0.0),
            gram: Gram::zeros(p, problem.directions()),
        }
    }

    /// One step; false where it has diverged. Its gradient is appended to `gradient`.
    fn advance(&mut self, gradient: Option<&mut Trajectory>) -> bool {
        let Self { frame, sums, head, row_factors, .. } = self;
        let (batch, labels) = self.feed.next_batch();
        let context = StepContext { signal: &self.signal, head, labels, rate: self.rate, wants_gradient: true };
        if !std::mem::take(&mut self.has_looked) {
            frame.look(&batch, &context, sums);
        }
        if let Some(away) = &self.displacement
            && sums.size.is_finite()
        {
            frame.apply(away);
            frame.look(&batch.again(), &context, sums);
        }
        if !sums.size.is_finite() {
            return false;
        }
        let follows_sphere = self.displacement.is_some() && self.problem.training.geometry == Geometry::Spherical;
        if gradient.is_some() || follows_sphere {
            frame.gram(&mut self.gram);
        }
        if let Some(into) = gradient {
            // Signals carry η/n_b.
            into.push_gradient(&self.gram.teacher, &self.gram.gradient, 1.0 / self.problem.learning_rate());
        }
        if follows_sphere {
            // The fields were those of the displaced weights; the sphere is that of the weights, kept in slot 1.
            sums.along.clone_from(&self.gram.along[1]);
        }
        row_factors.fill(self.decay);
        for ((factor, norm), along) in row_factors.iter_mut().zip(&self.norms).zip(&sums.along) {
            *factor += along / (norm * norm);
        }
        self.update.set_factors(row_factors);
        frame.apply(&self.update);
        if self.problem.training.geometry != Geometry::Free {
            frame.norms(row_factors);
            row_factors.iter_mut().zip(&self.norms).for_each(|(factor, norm)| *factor = norm / *factor);
            self.rescale.set_factors(row_factors);
            frame.apply(&self.rescale);
        }
        head.second_layer.iter_mut().zip(&sums.second_layer).for_each(|(a, sum)| *a -= self.second_rate * sum);
        head.bias.iter_mut().zip(&sums.bias).for_each(|(b, sum)| *b -= sum);
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
            gradients: if self.problem.displacement() == 0.0 { gradients } else { 2.0 * gradients },
            head: &self.head,
            training_risk,
        })
    }

    /// ½ mean (f−y)² over the data set; the next step on the whole of it need not look again.
    fn training_risk(&mut self) -> Option<f64> {
        let (all, labels) = self.feed.all()?;
        let wants_gradient = self.feed.is_full() && self.step < self.last;
        let context = StepContext { signal: &self.signal, head: &self.head, labels, rate: self.rate, wants_gradient };
        self.frame.look(&all, &context, &mut self.sums);
        self.has_looked = wants_gradient;
        Some(self.sums.squares / (2.0 * labels.len() as f64))
    }

    /// Looks for crossings; true where the run should end.
    fn crosses(&mut self, watch: &mut Watch<'_>, recorder: &mut Recorder<'_>) -> Result<bool> {
        self.frame.overlaps(&mut recorder.state.overlaps);
        let risk = if watch.needs_risk() { recorder.evaluate(&self.head)? } else { f64::NAN };
        Ok(watch.look(self.step, risk, &recorder.state.overlaps, recorder.trajectory.of_mut(&CROSSING_STEP)))
    }
}
