//! `direct`: real weights, real data. The ground truth of small sizes.

use faer::{
    Accum, Mat, MatMut, MatRef, Par, Side,
    linalg::{matmul::matmul, solvers::Solve},
};
use pulp::Arch;

mod passes;

use self::passes::{Fields, Gradient, Pass};
use super::{Frame, Gram, MOST_SLOTS, RowMap};
use crate::{
    error::{Error, Result},
    lanes,
    overlaps::{Overlaps, add_gram, symmetric_root},
    problem::{Problem, Start},
    random::{Purpose, Stream, Streams, fill_normal},
    signal::{Batch, Coordinates, Rows, Samples, StepContext, Sums, Workspace},
};

/// From this width on a block of samples is multiplied as a matrix; below, a few rows at a time are faster.
const WIDE: usize = 16;

/// Samples of a block that is multiplied as a matrix.
pub(crate) const BLOCK: usize = 512;

/// Numbers of a narrow block, which stay in the cache between their fields and their gradient.
const AT_HAND: usize = 1 << 14;

/// p weight vectors in d dimensions, and the batch they are looking at.
///
/// Inputs are isotropic, so the basis is free: its first k vectors span the target directions, and `W* = P^{1/2} Ê`.
pub struct Direct {
    dimension: usize,
    directions: usize,
    /// W, p×d, row-major.
    weights: Vec<f64>,
    /// P^{1/2}.
    root: Mat<f64>,
    arch: Arch,
    /// The stored data set, n×d, row-major; empty where data is fresh.
    data: Vec<f64>,
    /// Slot 1, where a displacement needs it.
    anchor: Vec<f64>,
    /// Whether a fresh batch is looked at again.
    keeps_batches: bool,
    lanes: Vec<Lane>,
    threads: usize,
    /// Fresh batches of one sample.
    pending: Option<Pending>,
}

/// Some samples of the batch.
struct Lane {
    stream: Stream,
    /// The rows of X that are drawn or gathered: a block of them, or all where the batch is kept.
    inputs: Vec<f64>,
    /// Those of a block, p×m.
    fields: Vec<f64>,
    signal: Vec<f64>,
    workspace: Workspace,
    /// `Σ_μ signal_jμ x_μ`, p×d, row-major.
    gradient: Vec<f64>,
}

/// Batch 1: the last step is taken when the next sample is looked at, in the same pass over the weights.
struct Pending {
    /// Row factors, p.
    keep: Vec<f64>,
    /// Step times g, p; zero when nothing is pending.
    signal: Vec<f64>,
    /// The sample it belongs to, d.
    inputs: Vec<f64>,
}

impl Direct {
    /// The weights of `start` in the problem's dimension, the inputs of the stored data set whose coordinates along the
    /// target are given (none where data is fresh), and the input stream of a replicate.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
    pub fn new(
        problem: &Problem,
        start: &Start,
        dimension: usize,
        stored: Option<&Coordinates>,
        streams: Streams,
        threads: usize,
    ) -> Result<Self> {
        // Neurons, and what else is a row.
        let (p, k) = (start.teacher.nrows(), problem.directions());
        let mut weights = vec![0.0; p * dimension];
        for (j, row) in weights.chunks_exact_mut(dimension).enumerate() {
            for r in 0..k {
                row[r] = start.teacher[(j, r)];
            }
            for i in 0..start.complement.ncols() {
                row[k + i] = start.complement[(j, i)];
            }
        }
        let n = stored.map_or(problem.batch(), |coordinates| coordinates.len() / k);
        let is_single = n == 1 && stored.is_none();
        // Blocks of samples make their own room.
        let single = usize::from(is_single);
        let lane = |i| Lane {
            stream: streams.lane(Purpose::Input, i),
            inputs: vec![0.0; single * dimension],
            fields: vec![0.0; single * p],
            signal: vec![0.0; single * p],
            workspace: Workspace::default(),
            gradient: Vec::new(),
        };
        let mut lanes: Vec<Lane> = (0..Self::lanes(p, n, dimension)).map(lane).collect();
        let mut data = vec![0.0; stored.map_or(0, |_| n * dimension)];
        if let Some(coordinates) = stored {
            draw_data(&mut data, dimension, coordinates, &mut lanes, threads);
        }
        Ok(Self {
            dimension,
            directions: k,
            data,
            anchor: Vec::new(),
            keeps_batches: problem.keeps_batches(),
            lanes,
            threads,
            weights,
            root: symmetric_root(problem.target.overlaps.as_ref())?,
            arch: Arch::new(),
            pending: is_single.then(|| Pending {
                keep: vec![1.0; p],
                signal: vec![0.0; p],
                inputs: vec![0.0; dimension],
            }),
        })
    }

    /// Keeps the inputs of every batch, so that it can be looked at again.
    #[must_use]
    pub fn keeping(mut self, keeps: bool) -> Self {
        self.keeps_batches |= keeps;
        self
    }

    /// Lanes of n samples: their p gradients are never more than the samples.
    pub(crate) fn lanes(p: usize, n: usize, d: usize) -> usize {
        lanes::count(n, d.saturating_mul(2 * p)).min((n / p).max(1))
    }

    /// The next sample, its fields, and the pending step if there is one, in one pass over the weights.
    fn look_at_one(&mut self, batch: &Batch<'_>, context: &StepContext<'_>) {
        let (k, lane) = (self.directions, &mut self.lanes[0]);
        let Some(Pending { keep, signal, inputs }) = &mut self.pending else { return };
        if let Batch::Fresh(samples) = batch {
            std::mem::swap(&mut lane.inputs, inputs);
            draw(&mut lane.inputs, k, samples, 0, &mut lane.stream);
        } else {
            inputs.copy_from_slice(&lane.inputs);
        }
        let (weights, fields) = (&mut self.weights, &mut lane.fields);
        self.arch.dispatch(Pass { weights, keep, signal, old: inputs, new: &lane.inputs, fields });
        keep.fill(1.0);
        signal.fill(0.0);
        lane.workspace.sums.clear();
        context.signals(0..1, &lane.fields, &mut lane.signal, &mut lane.workspace);
    }

    /// Takes the pending step, if there is one.
    fn flush(&mut self) {
        let Some(Pending { keep, signal, .. }) = &mut self.pending else { return };
        if signal.iter().any(|g| *g != 0.0) || keep.iter().any(|keep| *keep != 1.0) {
            let rows = self.weights.chunks_exact_mut(self.dimension).zip(keep.iter().zip(&*signal));
            for (row, (keep, g)) in rows {
                row.iter_mut().zip(&self.lanes[0].inputs).for_each(|(w, x)| *w = keep * *w - g * x);
            }
            keep.fill(1.0);
            signal.fill(0.0);
        }
    }

    /// Blocks of samples: their inputs, fields and signals, and what they add to the gradient.
    fn look_at_blocks(&mut self, batch: &Batch<'_>, context: &StepContext<'_>) {
        let Self { dimension: d, directions: k, weights, data, keeps_batches, arch, .. } = self;
        let (d, k, n, count) = (*d, *k, batch.count(), self.lanes.len());
        let p = weights.len() / d;
        let rows = if p < WIDE { (AT_HAND / d).max(4) } else { BLOCK };
        lanes::each(self.threads, &mut self.lanes, |i, lane| {
            let Lane { stream, inputs, fields, signal, workspace, gradient } = lane;
            let mine = lanes::part(n, count, i);
            workspace.sums.clear();
            gradient.clear();
            gradient.resize(if context.wants_gradient { p * d } else { 0 }, 0.0);
            for first in mine.clone().step_by(rows) {
                let samples = first..(first + rows).min(mine.end);
                let m = samples.len();
                let at = if *keeps_batches { (first - mine.start) * d } else { 0 };
                if !matches!(batch, Batch::Rows(Rows::Block { .. })) && inputs.len() < at + m * d {
                    inputs.resize(at + m * d, 0.0);
                }
                let x: &[f64] = match batch {
                    Batch::Rows(Rows::Block { from, .. }) => &data[(from + first) * d..][..m * d],
                    Batch::Rows(Rows::List(list)) => {
                        for (x, row) in inputs.chunks_exact_mut(d).zip(&list[samples.clone()]) {
                            x.copy_from_slice(&data[row * d..(row + 1) * d]);
                        }
                        &inputs[..m * d]
                    }
                    Batch::Fresh(fresh) => {
                        for (x, mu) in inputs[at..].chunks_exact_mut(d).zip(samples.clone()) {
                            draw(x, k, fresh, mu, stream);
                        }
                        &inputs[at..at + m * d]
                    }
                    Batch::Same(_) => &inputs[at..at + m * d],
                };
                fields.resize(p * m, 0.0);
                signal.resize(p * m, 0.0);
                if p < WIDE {
                    arch.dispatch(Fields { weights, inputs: x, d, fields });
                } else {
                    let fields = MatMut::from_row_major_slice_mut(fields, p, m);
                    let (w, x) = (MatRef::from_row_major_slice(weights, p, d), MatRef::from_row_major_slice(x, m, d));
                    matmul(fields, Accum::Replace, w, x.transpose(), 1.0, Par::Seq);
                }
                context.signals(samples, fields, signal, workspace);
                if context.wants_gradient && p < WIDE {
                    arch.dispatch(Gradient { gradient, inputs: x, d, signal });
                } else if context.wants_gradient {
                    let gradient = MatMut::from_row_major_slice_mut(gradient, p, d);
                    let (g, x) = (MatRef::from_row_major_slice(signal, p, m), MatRef::from_row_major_slice(x, m, d));
                    matmul(gradient, Accum::Add, g, x, 1.0, Par::Seq);
                }
            }
        });
        if let [first, others @ ..] = &mut self.lanes[..] {
            for lane in others {
                first.gradient.iter_mut().zip(&lane.gradient).for_each(|(sum, g)| *sum += g);
            }
        }
    }
}

/// Row j of the weights and of the anchor, where there is one; `step(b, i)` is b G_ji.
#[inline(always)]
fn map_row(map: &RowMap, j: usize, row: &mut [f64], anchor: Option<&mut [f64]>, step: impl Fn(f64, usize) -> f64) {
    match (anchor, map.as_step()) {
        (Some(anchor), None) => {
            for (i, (w, anchor)) in row.iter_mut().zip(anchor).enumerate() {
                [*w, *anchor] = map.at(j, [*w, *anchor], |b| step(b, i));
            }
        }
        (_, Some((factor, 0.0))) => row.iter_mut().for_each(|w| *w *= factor[j]),
        (_, Some((factor, b))) => {
            row.iter_mut().enumerate().for_each(|(i, w)| *w = factor[j] * *w + step(b, i));
        }
        (None, None) => {
            for (i, w) in row.iter_mut().enumerate() {
                [*w, _] = map.at(j, [*w, 0.0], |b| step(b, i));
            }
        }
    }
}

/// One input: its coordinates along the target are given.
fn draw(x: &mut [f64], k: usize, samples: &Samples<'_>, mu: usize, stream: &mut Stream) {
    for r in 0..k {
        x[r] = samples.direction(r)[mu];
    }
    fill_normal(stream, &mut x[k..]);
}

/// A stored data set; each lane draws the inputs of its part.
fn draw_data(data: &mut [f64], d: usize, coordinates: &Coordinates, lanes: &mut [Lane], threads: usize) {
    let (n, count) = (data.len() / d, lanes.len());
    let k = coordinates.len() / n;
    let mut rest = data;
    let mut parts = Vec::with_capacity(count);
    for (i, lane) in lanes.iter_mut().enumerate() {
        let (part, later) = rest.split_at_mut(lanes::part(n, count, i).len() * d);
        parts.push((part, &mut lane.stream));
        rest = later;
    }
    lanes::each(threads, &mut parts, |i, (part, stream)| {
        for (x, mu) in part.chunks_exact_mut(d).zip(lanes::part(n, count, i)) {
            for r in 0..k {
                x[r] = coordinates[r * n + mu];
            }
            fill_normal(stream, &mut x[k..]);
        }
    });
}

impl Frame for Direct {
    fn look(&mut self, batch: &Batch<'_>, context: &StepContext<'_>, sums: &mut Sums) {
        if self.pending.is_some() {
            self.look_at_one(batch, context);
        } else {
            self.look_at_blocks(batch, context);
        }
        sums.clear();
        self.lanes.iter().for_each(|lane| sums.merge(&lane.workspace.sums));
    }

    fn apply(&mut self, map: &RowMap) {
        self.flush();
        let Self { dimension: d, weights, anchor, lanes, pending, .. } = self;
        let Some(Lane { signal, gradient, inputs, .. }) = lanes.first() else { return };
        if let (Some(pending), Some((factor, b))) = (&mut *pending, map.as_step()) {
            pending.keep.copy_from_slice(factor);
            pending.signal.iter_mut().zip(signal).for_each(|(step, g)| *step = -b * g);
            return;
        }
        if map.slots.len() == MOST_SLOTS {
            anchor.resize(weights.len(), 0.0);
        }
        let gradient = |j: usize| gradient.get(j * *d..(j + 1) * *d);
        for (j, row) in weights.chunks_exact_mut(*d).enumerate() {
            let anchor = anchor.get_mut(j * *d..(j + 1) * *d);
            match (gradient(j), pending.is_some()) {
                (_, true) => map_row(map, j, row, anchor, |b, i| b * signal[j] * inputs[i]),
                (Some(g), _) => map_row(map, j, row, anchor, |b, i| b * g[i]),
                (None, _) => map_row(map, j, row, anchor, |_, _| 0.0),
            }
        }
    }

    fn gram(&mut self, into: &mut Gram) {
        self.flush();
        let (d, k, p) = (self.dimension, self.directions, self.weights.len() / self.dimension);
        let Lane { signal, gradient, inputs, .. } = &self.lanes[0];
        let single: Vec<f64>;
        let gradient = if self.pending.is_some() {
            single = signal.iter().flat_map(|g| inputs.iter().map(move |x| g * x)).collect();
            &single
        } else {
            gradient
        };
        let rows = MatRef::from_row_major_slice(gradient, p, d);
        matmul(into.teacher.as_mut(), Accum::Replace, rows.subcols(0, k), self.root.as_ref(), 1.0, Par::Seq);
        matmul(into.gradient.as_mut(), Accum::Replace, rows, rows.transpose(), 1.0, Par::Seq);
        let product = |(w, g): (&[f64], &[f64])| w.iter().zip(g).map(|(w, g)| w * g).sum::<f64>();
        let along = |rows: &[f64]| rows.chunks_exact(d).zip(gradient.chunks_exact(d)).map(product).collect();
        into.along = [&self.weights, &self.anchor].map(|rows| along(rows)).into();
    }

    fn norms(&mut self, norms: &mut [f64]) {
        self.flush();
        for (norm, row) in norms.iter_mut().zip(self.weights.chunks_exact(self.dimension)) {
            *norm = row.iter().map(|w| w * w).sum::<f64>().sqrt();
        }
    }

    fn work(&self, batch: usize) -> u64 {
        // A normal costs about as much as 16 multiply-adds.
        (batch * (16 * self.dimension + 2 * self.weights.len())) as u64
    }

    fn overlaps(&mut self, into: &mut Overlaps) {
        self.flush();
        let (d, k, p) = (self.dimension, self.directions, self.weights.len() / self.dimension);
        let weights = MatRef::from_row_major_slice(&self.weights, p, d);
        let teacher = weights.subcols(0, k);
        if into.width() != p {
            into.student_teacher = Mat::zeros(p, k);
            into.student_student = Mat::zeros(p, p);
        }
        matmul(into.student_teacher.as_mut(), Accum::Replace, teacher, self.root.as_ref(), 1.0, Par::Seq);
        matmul(into.student_student.as_mut(), Accum::Replace, weights, weights.transpose(), 1.0, Par::Seq);
    }

    fn fields(&mut self, samples: &Samples<'_>, stream: &mut Stream, into: &mut Vec<f64>) -> bool {
        self.flush();
        let (d, m) = (self.dimension, samples.count());
        let p = self.weights.len() / d;
        let mut inputs = vec![0.0; m * d];
        for (mu, x) in inputs.chunks_exact_mut(d).enumerate() {
            draw(x, self.directions, samples, mu, stream);
        }
        into.resize(p * m, 0.0);
        let out = MatMut::from_row_major_slice_mut(into, p, m);
        let (w, x) = (MatRef::from_row_major_slice(&self.weights, p, d), MatRef::from_row_major_slice(&inputs, m, d));
        matmul(out, Accum::Replace, w, x.transpose(), 1.0, Par::Seq);
        true
    }

    fn least_squares(&mut self, batch: &Batch<'_>) -> Result<()> {
        self.flush();
        let (d, n, count) = (self.dimension, batch.count(), self.lanes.len());
        let mut gram = Mat::<f64>::zeros(d, d);
        let mut add = |rows: &[f64]| {
            let rows = MatRef::from_row_major_slice(rows, rows.len() / d, d);
            add_gram(gram.as_mut(), rows, self.threads);
        };
        match batch {
            Batch::Rows(Rows::Block { from, count }) => add(&self.data[from * d..(from + count) * d]),
            Batch::Rows(Rows::List(list)) => {
                for list in list.chunks(BLOCK) {
                    let rows: Vec<f64> =
                        list.iter().flat_map(|row| &self.data[row * d..(row + 1) * d]).copied().collect();
                    add(&rows);
                }
            }
            Batch::Fresh(_) | Batch::Same(_) => {
                for (i, lane) in self.lanes.iter().enumerate() {
                    add(&lane.inputs[..lanes::part(n, count, i).len() * d]);
                }
            }
        }
        let singular = || {
            let reason = format!("the linear part of n_b = {n} labels in d = {d} dimensions has no least squares");
            Error::Numerical(reason)
        };
        let factor = gram.llt(Side::Lower).map_err(|_| singular())?;
        let from = self.weights.len() - d;
        let moment = Mat::from_fn(d, 1, |i, _| n as f64 * self.weights[from + i]);
        let solved = factor.solve(&moment);
        if !solved.norm_max().is_finite() {
            return Err(singular());
        }
        (0..d).for_each(|i| self.weights[from + i] = solved[(i, 0)]);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
