//! The only training loop, over any [`Frame`]. (theory.md §1)

use crate::{
    average::{Kernel, Linear, State},
    error::Result,
    frame::{Factor, Frame, Gram, NormalFields, RowMap, Slot},
    observer::{Observer, Progress},
    probe::{Gradients, Moment, NEVER, Population, Probe, Recorder, Verdict, crossing::Watch},
    problem::{Engine, Geometry, Preprocess, Problem, Record, Start},
    random::Stream,
    record::{Status, Trajectory, observable::STUDENT_TEACHER},
    signal::{Batch, Feed, Head, Samples, Signal, StepContext, Subtraction, Sums, mean},
};

/// Multiply-adds between two words with the observer: some hundredths of a second.
const WORK_BETWEEN_PROGRESS: u64 = 1 << 26;

/// Trains the weights of `frame` on the batches of `feed` and records the steps of `moments` (rising, from 0).
///
/// A step: fields of the batch, error signals, `w_j ← (1 − ηλ_w) w_j − (η/n_b) Σ_μ g_jμ x_μ`, and, where they are trained,
/// `a_j ← a_j − (η_a/n_b) Σ_μ s e_μ σ(h_jμ)` and `b_j ← b_j − (η/n_b) Σ_μ g_jμ` with the same forward pass. On the sphere,
/// the row factor grows by `(η/n_b) Σ_μ g_jμ λ_jμ/‖w_j‖²`, which projects the gradient on the tangent space, and each row
/// gets its first norm back. With a displacement ρ, the signals are those at `W − ρ∇`, on the same samples; the sphere is
/// still that of W. The population risk at each recorded step is the `kernel`'s.
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
    let plain = Record { readout: None, ..record.clone() };
    simulate_with(problem, frame, feed, start, kernel, moments, &plain, Vec::new(), observer)
}

/// [`simulate`], with more probes, which look first.
///
/// # Errors
/// As for [`simulate`], or the probes' own.
#[allow(clippy::too_many_arguments)] // Each is a separate choice of the caller.
pub fn simulate_with<'p, F: Frame>(
    problem: &'p Problem,
    frame: F,
    feed: Feed<'p>,
    start: &Start,
    kernel: &'p dyn Kernel,
    moments: &'p [u64],
    record: &'p Record,
    mut probes: Vec<Box<dyn Probe + 'p>>,
    observer: &dyn Observer,
) -> Result<Trajectory> {
    let last = moments.last().copied().unwrap_or(0);
    let mut run = Training::new(problem, frame, feed, start, kernel, last);
    let breath = (WORK_BETWEEN_PROGRESS / run.frame.work(problem.batch()).max(1)).clamp(1, 1 << 16);
    // What only a limit gives, its method adds.
    let mut trajectory = Trajectory::of_run(problem, record, Engine::Direct);
    probes.push(Box::new(Watch::new(&record.crossings)));
    probes.push(Box::new(Gradients::new(record, moments)));
    probes.push(Box::new(Recorder::new(problem, record, moments)));

    let mut verdict = run.look(&mut probes, &mut trajectory)?;
    while verdict == Verdict::GoOn && run.step < last {
        if !run.advance(&mut probes, &mut trajectory)? {
            verdict = Verdict::Diverged;
            break;
        }
        if run.step >= run.due {
            verdict = run.look(&mut probes, &mut trajectory)?;
        }
        if run.step.is_multiple_of(breath) {
            let at = Progress { done: run.step as f64, total: last as f64, risk: run.population.risk() };
            if observer.progress(&at).is_break() {
                trajectory.status = Status::Interrupted;
                break;
            }
        }
    }
    if verdict == Verdict::Diverged {
        trajectory.status = Status::Diverged { at: run.step as f64 };
    }
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
    /// The step after which a probe looks next, and that whose gradient one looks at next.
    due: u64,
    due_gradient: u64,
    /// Overlaps and risk,
    population: Population<'a>,
    /// which are those after these steps.
    seen: Option<u64>,
    evaluated: Option<u64>,
    /// The law of the fields after so many steps, where inputs are not real.
    normal: Option<(u64, NormalFields)>,
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
    left: Subtrahend,
}

/// What is subtracted from the labels, as the last batch estimates it. (theory.md §8)
struct Subtrahend {
    /// `β̂ ← G`, where there is a linear part: the row behind the neurons.
    estimate: Option<RowMap>,
    least_squares: bool,
    /// ȳ; 0 where nothing is subtracted.
    mean: f64,
}

impl Subtrahend {
    fn new(problem: &Problem) -> Self {
        let (p, preprocess) = (problem.width(), problem.training.preprocess);
        let estimate = || RowMap::step((0..=p).map(|row| f64::from(u8::from(row < p))).collect(), 1.0);
        Self {
            estimate: preprocess.is_linear().then(estimate),
            least_squares: preprocess == Preprocess::LeastSquares,
            mean: 0.0,
        }
    }

    /// Estimates it on a batch, and tells `signal` to subtract it; returns the batch as it is looked at next. Where `sums`
    /// are not finite there is no linear part.
    ///
    /// # Errors
    /// Where a linear part has no least squares.
    fn estimate<'b, F: Frame>(
        &mut self,
        frame: &mut F,
        batch: Batch<'b>,
        labels: &[f64],
        signal: &mut Signal,
        head: &Head,
        sums: &mut Sums,
    ) -> Result<Batch<'b>> {
        let mean = mean(labels);
        self.mean = mean;
        let mut next = batch;
        if let Some(estimate) = &self.estimate {
            signal.subtraction = Subtraction::Estimate { mean };
            let context = StepContext { signal, head, labels, rate: 1.0, wants_gradient: true };
            frame.look(&batch, &context, sums);
            next = batch.again();
            if sums.size.is_finite() {
                frame.apply(estimate);
                if self.least_squares {
                    frame.least_squares(&next)?;
                }
            }
        }
        signal.subtraction = Subtraction::Subtract { mean };
        Ok(next)
    }
}

impl<'a, F: Frame> Training<'a, F> {
    fn new(
        problem: &'a Problem,
        mut frame: F,
        feed: Feed<'a>,
        start: &Start,
        kernel: &'a dyn Kernel,
        last: u64,
    ) -> Self {
        let is_linear = problem.training.preprocess.is_linear();
        let p = problem.width();
        let rows = p + usize::from(is_linear);
        let rate = problem.learning_rate() / problem.batch() as f64;
        let mut norms = vec![0.0; rows];
        if problem.training.geometry != Geometry::Free {
            frame.norms(&mut norms);
        }
        let displacement = problem.displacement() / problem.learning_rate();
        let anchored = |gradient| Slot { rows: vec![Factor::One], gradient };
        let away = (displacement != 0.0).then(|| RowMap { slots: vec![anchored(-displacement), anchored(0.0)] });
        let mut update = RowMap::step(vec![1.0; rows], -1.0);
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
            left: Subtrahend::new(problem),
            sums: Sums::default(),
            has_looked: false,
            feed,
            step: 0,
            last,
            due: 0,
            due_gradient: NEVER,
            population: Population::new(problem, kernel),
            seen: None,
            evaluated: None,
            normal: None,
            rate,
            second_rate: if problem.network.second_layer.train { rate * problem.rate_ratio() } else { 0.0 },
            decay: 1.0 - problem.learning_rate() * problem.training.weight_decay,
            displacement: away,
            norms,
            row_factors: vec![1.0; rows],
            update,
            rescale: RowMap::step(vec![1.0; rows], 0.0),
            gram: Gram::zeros(rows, problem.directions()),
        }
    }

    /// One step; false where it has diverged. A probe that is due sees its gradient.
    ///
    /// # Errors
    /// Where a linear part has no least squares.
    fn advance(&mut self, probes: &mut [Box<dyn Probe + '_>], into: &mut Trajectory) -> Result<bool> {
        let Self { frame, sums, head, row_factors, .. } = self;
        let (mut batch, labels) = self.feed.next_batch();
        if self.problem.training.preprocess != Preprocess::None {
            self.has_looked = false;
            batch = self.left.estimate(frame, batch, labels, &mut self.signal, head, sums)?;
        }
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
            return Ok(false);
        }
        let follows_sphere = self.displacement.is_some() && self.problem.training.geometry == Geometry::Spherical;
        let is_seen = self.due_gradient == self.step;
        if is_seen || follows_sphere {
            frame.gram(&mut self.gram);
        }
        if is_seen {
            // Signals carry η/n_b.
            let due = probes.iter_mut().filter(|probe| probe.due_gradient() == self.step);
            due.for_each(|probe| probe.look_at_gradient(&self.gram, self.problem.learning_rate(), into));
            self.due_gradient = probes.iter().map(|probe| probe.due_gradient()).min().unwrap_or(NEVER);
        }
        if follows_sphere {
            // The fields were those of the displaced weights; the sphere is that of the weights, kept in slot 1.
            sums.along.clone_from(&self.gram.along[1]);
        }
        row_factors.fill(self.decay);
        for ((factor, norm), along) in row_factors.iter_mut().zip(&self.norms).zip(&sums.along) {
            *factor += along / (norm * norm);
        }
        // β̂ is no neuron.
        row_factors[head.second_layer.len()..].fill(1.0);
        self.update.set_factors(row_factors);
        frame.apply(&self.update);
        if self.problem.training.geometry != Geometry::Free {
            frame.norms(row_factors);
            row_factors.iter_mut().zip(&self.norms).for_each(|(factor, norm)| *factor = norm / *factor);
            row_factors[head.second_layer.len()..].fill(1.0);
            self.rescale.set_factors(row_factors);
            frame.apply(&self.rescale);
        }
        head.second_layer.iter_mut().zip(&sums.second_layer).for_each(|(a, sum)| *a -= self.second_rate * sum);
        head.bias.iter_mut().zip(&sums.bias).for_each(|(b, sum)| *b -= sum);
        self.step += 1;
        Ok(true)
    }

    /// What the probes that are due see; the strongest of their verdicts.
    fn look(&mut self, probes: &mut [Box<dyn Probe + '_>], into: &mut Trajectory) -> Result<Verdict> {
        let mut verdict = Verdict::GoOn;
        for probe in probes.iter_mut() {
            if probe.due() <= self.step && verdict == Verdict::GoOn {
                verdict = probe.look(self, into)?;
            }
        }
        self.due = probes.iter().map(|probe| probe.due()).min().unwrap_or(NEVER);
        self.due_gradient = probes.iter().map(|probe| probe.due_gradient()).min().unwrap_or(NEVER);
        Ok(verdict)
    }
}

impl<F: Frame> Moment for Training<'_, F> {
    fn step(&self) -> u64 {
        self.step
    }

    fn samples(&self) -> f64 {
        self.feed.distinct(self.step)
    }

    fn gradients(&self) -> f64 {
        let gradients = self.step as f64 * self.problem.batch() as f64;
        if self.displacement.is_none() { gradients } else { 2.0 * gradients }
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn state(&mut self) -> Result<&State> {
        if self.seen != Some(self.step) {
            self.frame.overlaps(&mut self.population.state.overlaps);
            self.population.set_head(&self.head);
            if self.left.estimate.is_some() {
                self.population.split(self.left.mean)?;
            } else if self.problem.training.preprocess != Preprocess::None {
                let (p, k) = (self.problem.width(), self.problem.directions());
                self.population.linear = Some(Linear::constant(self.left.mean, p, k));
            }
            self.seen = Some(self.step);
        }
        Ok(&self.population.state)
    }

    fn risk(&mut self) -> Result<(f64, f64)> {
        if self.evaluated != Some(self.step) {
            self.state()?;
            self.population.evaluate()?;
            self.evaluated = Some(self.step);
        }
        Ok((self.population.risk(), self.population.risk_error()))
    }

    /// The next step on the whole of the data set need not look again.
    fn training_risk(&mut self) -> Option<f64> {
        let (all, labels) = self.feed.all()?;
        let plain = self.problem.training.preprocess == Preprocess::None;
        let wants_gradient = plain && self.feed.is_full() && self.step < self.last;
        if !plain {
            self.signal.subtraction = Subtraction::Subtract { mean: self.left.mean };
        }
        let context = StepContext { signal: &self.signal, head: &self.head, labels, rate: self.rate, wants_gradient };
        self.frame.look(&all, &context, &mut self.sums);
        self.has_looked = wants_gradient;
        Some(self.sums.squares / (2.0 * labels.len() as f64))
    }

    fn fields(&mut self, samples: &Samples<'_>, stream: &mut Stream, into: &mut Vec<f64>) -> Result<()> {
        if self.frame.fields(samples, stream, into) {
            return Ok(());
        }
        if self.normal.as_ref().is_none_or(|(step, _)| *step != self.step) {
            let target = &self.problem.target.overlaps;
            self.normal = Some((self.step, NormalFields::of(&mut self.frame, target)?));
        }
        if let Some((_, normal)) = &self.normal {
            normal.draw(samples, stream, into);
        }
        Ok(())
    }

    fn batch(&mut self, into: &mut Vec<f64>) -> Option<Vec<f64>> {
        if self.step == 0 {
            return None;
        }
        self.has_looked = false;
        let (batch, labels) = self.feed.last_batch();
        let mut signal = self.signal.clone();
        signal.wants_fields = true;
        let context = StepContext { signal: &signal, head: &self.head, labels, rate: 0.0, wants_gradient: false };
        let mut sums = Sums::default();
        self.frame.look(&batch, &context, &mut sums);
        let n = labels.len();
        let rows = sums.fields.first().map_or(0, |(samples, block)| block.len() / samples.len().max(1));
        into.clear();
        into.resize(rows * n, 0.0);
        for (samples, block) in &sums.fields {
            for (row, block) in block.chunks_exact(samples.len()).enumerate() {
                into[row * n + samples.start..][..samples.len()].copy_from_slice(block);
            }
        }
        Some(labels.to_vec())
    }

    fn label_mean(&self) -> f64 {
        self.left.mean
    }
}
