//! `direct`: real weights, real data. The ground truth of small sizes.

use faer::{Accum, Mat, MatMut, MatRef, Par, linalg::matmul::matmul};
use pulp::Arch;

mod passes;

use self::passes::{AT_HAND, Fields, Gradient, Pass};
use super::{Frame, frame::Sight};
use crate::{
    error::Result,
    overlaps::{Overlaps, symmetric_root},
    problem::{Problem, Start},
    random::{Purpose, Stream, Streams, fill_normal},
    signal::{Batch, Coordinates, Rows, Samples},
};

/// p weight vectors in d dimensions, and the batch they are looking at.
///
/// Inputs are isotropic, so the basis is free: its first k vectors span the target directions, and `W* = P^{1/2} Ê`.
pub struct Dense {
    dimension: usize,
    directions: usize,
    /// W, p×d, row-major.
    weights: Vec<f64>,
    /// X, n_b×d, row-major.
    inputs: Vec<f64>,
    /// P^{1/2}.
    root: Mat<f64>,
    stream: Stream,
    arch: Arch,
    pending: Pending,
    /// The stored data set, n×d, row-major; empty where data is fresh.
    data: Vec<f64>,
    /// W as it was saved.
    saved: Vec<f64>,
    /// `Σ_μ signal_jμ x_μ` of the last look at stored data, p×d, row-major.
    gradient: Vec<f64>,
    /// Whether it is that of the signals to come.
    is_prepared: bool,
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

impl Dense {
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
    ) -> Result<Self> {
        let (p, k) = (problem.width(), problem.directions());
        let mut weights = vec![0.0; p * dimension];
        for (j, row) in weights.chunks_exact_mut(dimension).enumerate() {
            for r in 0..k {
                row[r] = start.teacher[(j, r)];
            }
            for i in 0..start.complement.ncols() {
                row[k + i] = start.complement[(j, i)];
            }
        }
        let mut stream = streams.stream(Purpose::Input);
        let mut data = vec![0.0; stored.map_or(0, |coordinates| coordinates.len() / k * dimension)];
        if let Some(coordinates) = stored {
            let n = coordinates.len() / k;
            for (mu, x) in data.chunks_exact_mut(dimension).enumerate() {
                for r in 0..k {
                    x[r] = coordinates[r * n + mu];
                }
                fill_normal(&mut stream, &mut x[k..]);
            }
        }
        let fresh = stored.is_none();
        Ok(Self {
            dimension,
            directions: k,
            data,
            saved: Vec::new(),
            gradient: Vec::new(),
            is_prepared: false,
            weights,
            inputs: vec![0.0; if fresh { problem.batch() * dimension } else { 0 }],
            root: symmetric_root(problem.target.overlaps.as_ref())?,
            stream,
            arch: Arch::new(),
            pending: Pending {
                keep: vec![1.0; p],
                signal: vec![0.0; p],
                inputs: vec![0.0; if problem.batch() == 1 && fresh { dimension } else { 0 }],
            },
        })
    }
}

impl Dense {
    /// Draws the batch into `inputs`; the coordinates along the target are given.
    fn draw(&mut self, batch: &Samples<'_>) {
        for (mu, x) in self.inputs.chunks_exact_mut(self.dimension).enumerate() {
            for r in 0..self.directions {
                x[r] = batch.direction(r)[mu];
            }
            fill_normal(&mut self.stream, &mut x[self.directions..]);
        }
    }

    /// Takes the pending step, if there is one, and the fields of the inputs at hand.
    fn pass(&mut self, fields: &mut [f64]) {
        let Pending { keep, signal, inputs } = &self.pending;
        let (new, weights) = (&self.inputs, &mut self.weights);
        self.arch.dispatch(Pass { weights, keep, signal, old: inputs, new, fields });
        self.pending.keep.fill(1.0);
        self.pending.signal.fill(0.0);
    }

    /// Takes the pending step, if there is one, and the fields of the sample it belongs to.
    fn settle(&mut self, fields: &mut [f64]) {
        self.pending.inputs.copy_from_slice(&self.inputs);
        self.pass(fields);
    }

    /// Takes the pending step, if there is one.
    fn flush(&mut self) {
        if self.pending.signal.iter().any(|g| *g != 0.0) || self.pending.keep.iter().any(|keep| *keep != 1.0) {
            let mut nobody = vec![0.0; self.pending.signal.len()];
            self.settle(&mut nobody);
        }
    }

    /// Inputs of the batch at hand, n_b×d: those drawn, a block of the data set, or rows gathered from it.
    fn inputs_of(&self, batch: &Batch<'_>) -> &[f64] {
        match batch {
            Batch::Rows(Rows::Block { from, count }) => {
                &self.data[from * self.dimension..(from + count) * self.dimension]
            }
            _ => &self.inputs,
        }
    }

    /// `Σ_μ signal_jμ x_μ` added to the weights with the sign −, after the row factors.
    fn add_rows(&mut self, keep: &[f64], batch: &Batch<'_>, signal: &[f64]) {
        let (d, n) = (self.dimension, batch.count());
        self.scale_rows(keep);
        let p = signal.len() / n;
        let mut weights = std::mem::take(&mut self.weights);
        let inputs = MatRef::from_row_major_slice(self.inputs_of(batch), n, d);
        let signal = MatRef::from_row_major_slice(signal, p, n);
        matmul(MatMut::from_row_major_slice_mut(&mut weights, p, d), Accum::Add, signal, inputs, -1.0, Par::Seq);
        self.weights = weights;
    }

    /// Batch 1 of fresh data: steps wait for the next sample.
    fn waits(&self) -> bool {
        !self.pending.inputs.is_empty()
    }
}

impl Frame for Dense {
    fn look(&mut self, batch: &Batch<'_>, fields: &mut [f64], sight: &mut dyn Sight) {
        let Batch::Rows(Rows::Block { from, count }) = *batch else {
            self.fields(batch, fields);
            sight.signals(fields, 0..batch.count());
            return;
        };
        let d = self.dimension;
        self.gradient.clear();
        self.gradient.resize(self.weights.len(), 0.0);
        let data = &self.data[from * d..(from + count) * d];
        let step = (AT_HAND / d).clamp(1, count);
        for (first, inputs) in (0..).step_by(step).zip(data.chunks(step * d)) {
            let rows = first..first + inputs.len() / d;
            self.arch.dispatch(Fields { weights: &self.weights, inputs, d, first, fields });
            let signal = sight.signals(fields, rows);
            self.arch.dispatch(Gradient { gradient: &mut self.gradient, inputs, d, first, signal, count });
        }
        self.is_prepared = true;
    }

    fn fields(&mut self, batch: &Batch<'_>, fields: &mut [f64]) {
        self.is_prepared = false;
        let (d, n) = (self.dimension, batch.count());
        match batch {
            Batch::Fresh(samples) if self.waits() => {
                std::mem::swap(&mut self.inputs, &mut self.pending.inputs);
                self.draw(samples);
                self.pass(fields);
                return;
            }
            Batch::Same(_) if self.waits() => {
                self.settle(fields);
                return;
            }
            Batch::Fresh(samples) => self.draw(samples),
            Batch::Rows(Rows::List(rows)) => {
                self.inputs.resize(n * d, 0.0);
                for (x, row) in self.inputs.chunks_exact_mut(d).zip(*rows) {
                    x.copy_from_slice(&self.data[row * d..(row + 1) * d]);
                }
            }
            Batch::Same(_) | Batch::Rows(_) => {}
        }
        let p = fields.len() / n;
        let weights = MatRef::from_row_major_slice(&self.weights, p, d);
        let inputs = MatRef::from_row_major_slice(self.inputs_of(batch), n, d);
        let fields = MatMut::from_row_major_slice_mut(fields, p, n);
        matmul(fields, Accum::Replace, weights, inputs.transpose(), 1.0, Par::Seq);
    }

    fn descend(&mut self, keep: &[f64], batch: &Batch<'_>, signal: &[f64]) {
        if std::mem::take(&mut self.is_prepared) {
            self.scale_rows(keep);
            self.weights.iter_mut().zip(&self.gradient).for_each(|(w, g)| *w -= g);
        } else if self.waits() {
            self.flush();
            self.pending.keep.copy_from_slice(keep);
            self.pending.signal.copy_from_slice(signal);
        } else {
            self.add_rows(keep, batch, signal);
        }
    }

    fn norms(&mut self, norms: &mut [f64]) {
        if self.waits() {
            self.flush();
        }
        for (norm, row) in norms.iter_mut().zip(self.weights.chunks_exact(self.dimension)) {
            *norm = row.iter().map(|w| w * w).sum::<f64>().sqrt();
        }
    }

    fn scale_rows(&mut self, factor: &[f64]) {
        if self.waits() {
            self.flush();
        }
        for (row, factor) in self.weights.chunks_exact_mut(self.dimension).zip(factor) {
            if *factor != 1.0 {
                row.iter_mut().for_each(|w| *w *= factor);
            }
        }
    }

    fn save(&mut self) {
        if self.waits() {
            self.flush();
        }
        self.saved.clone_from(&self.weights);
        self.is_prepared = false;
    }

    fn restore(&mut self) {
        self.pending.keep.fill(1.0);
        self.pending.signal.fill(0.0);
        self.weights.copy_from_slice(&self.saved);
    }

    fn work(&self, batch: usize) -> u64 {
        // A normal costs about as much as 16 multiply-adds.
        (batch * (16 * self.dimension + 2 * self.weights.len())) as u64
    }

    fn overlaps(&mut self, into: &mut Overlaps) {
        if self.waits() {
            self.flush();
        }
        let (d, k, p) = (self.dimension, self.directions, into.width());
        let weights = MatRef::from_row_major_slice(&self.weights, p, d);
        let teacher = weights.subcols(0, k);
        matmul(into.student_teacher.as_mut(), Accum::Replace, teacher, self.root.as_ref(), 1.0, Par::Seq);
        matmul(into.student_student.as_mut(), Accum::Replace, weights, weights.transpose(), 1.0, Par::Seq);
    }
}
