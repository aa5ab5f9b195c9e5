//! `direct`: real weights, real data. The ground truth of small sizes.

use faer::{Accum, Mat, MatMut, MatRef, Par, linalg::matmul::matmul};
use pulp::{Arch, NullaryFnOnce};

use super::Frame;
use crate::{
    error::Result,
    overlaps::{Overlaps, symmetric_root},
    problem::{Problem, Start},
    random::{Purpose, Stream, Streams, fill_normal},
    signal::Samples,
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
    batch: usize,
    pending: Pending,
}

/// Batch 1: the last step is taken when the next sample is looked at, in the same pass over the weights.
struct Pending {
    keep: f64,
    /// Step times g, p; zero when nothing is pending.
    signal: Vec<f64>,
    /// The sample it belongs to, d.
    inputs: Vec<f64>,
}

impl Dense {
    /// The weights of `start` in the problem's dimension, and the input stream of a replicate.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
    pub fn new(problem: &Problem, start: &Start, dimension: usize, streams: Streams) -> Result<Self> {
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
        Ok(Self {
            dimension,
            directions: k,
            weights,
            inputs: vec![0.0; problem.batch() * dimension],
            root: symmetric_root(problem.target.overlaps.as_ref())?,
            stream: streams.stream(Purpose::Input),
            arch: Arch::new(),
            batch: problem.batch(),
            pending: Pending {
                keep: 1.0,
                signal: vec![0.0; p],
                inputs: vec![0.0; if problem.batch() == 1 { dimension } else { 0 }],
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
        self.arch.dispatch(Pass { weights, keep: *keep, signal, old: inputs, new, fields });
        self.pending.keep = 1.0;
        self.pending.signal.fill(0.0);
    }
}

impl Frame for Dense {
    fn fields(&mut self, batch: &Samples<'_>, fields: &mut [f64]) {
        let (d, n) = (self.dimension, batch.count());
        if n == 1 {
            std::mem::swap(&mut self.inputs, &mut self.pending.inputs);
            self.draw(batch);
            self.pass(fields);
            return;
        }
        self.draw(batch);
        let p = fields.len() / n;
        let weights = MatRef::from_row_major_slice(&self.weights, p, d);
        let inputs = MatRef::from_row_major_slice(&self.inputs, n, d);
        let fields = MatMut::from_row_major_slice_mut(fields, p, n);
        matmul(fields, Accum::Replace, weights, inputs.transpose(), 1.0, Par::Seq);
    }

    fn descend(&mut self, keep: f64, batch: &Samples<'_>, signal: &[f64]) {
        let (d, n) = (self.dimension, batch.count());
        if n == 1 {
            self.pending.keep = keep;
            self.pending.signal.copy_from_slice(signal);
            return;
        }
        if keep != 1.0 {
            self.weights.iter_mut().for_each(|w| *w *= keep);
        }
        let p = signal.len() / n;
        let weights = MatMut::from_row_major_slice_mut(&mut self.weights, p, d);
        let inputs = MatRef::from_row_major_slice(&self.inputs, n, d);
        let signal = MatRef::from_row_major_slice(signal, p, n);
        matmul(weights, Accum::Add, signal, inputs, -1.0, Par::Seq);
    }

    fn work(&self, batch: usize) -> u64 {
        // A normal costs about as much as 16 multiply-adds.
        (batch * (16 * self.dimension + 2 * self.weights.len())) as u64
    }

    fn overlaps(&mut self, into: &mut Overlaps) {
        if self.batch == 1 {
            // The pending step belongs to the inputs at hand; the fields of this pass are nobody's.
            self.pending.inputs.copy_from_slice(&self.inputs);
            let mut nobody = vec![0.0; into.width()];
            self.pass(&mut nobody);
        }
        let (d, k, p) = (self.dimension, self.directions, into.width());
        let weights = MatRef::from_row_major_slice(&self.weights, p, d);
        let teacher = weights.subcols(0, k);
        matmul(into.student_teacher.as_mut(), Accum::Replace, teacher, self.root.as_ref(), 1.0, Par::Seq);
        matmul(into.student_student.as_mut(), Accum::Replace, weights, weights.transpose(), 1.0, Par::Seq);
    }
}

/// Batch 1, in one pass over the weights: the step that is pending, `w_j ← keep·w_j − g_j x`, and the fields of the next
/// sample, `⟨w_j, x'⟩`. Four rows at a time, so that x and x' are loaded once for four.
///
/// A struct, because a closure is not always inlined to where the wide registers are allowed.
struct Pass<'a> {
    weights: &'a mut [f64],
    keep: f64,
    signal: &'a [f64],
    old: &'a [f64],
    new: &'a [f64],
    fields: &'a mut [f64],
}

/// Numbers that are multiplied and added side by side.
const LANES: usize = 8;

impl NullaryFnOnce for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let d = self.new.len();
        let mut weights = self.weights.chunks_exact_mut(4 * d);
        let mut signal = self.signal.chunks_exact(4);
        let mut fields = self.fields.chunks_exact_mut(4);
        for ((w, g), field) in (&mut weights).zip(&mut signal).zip(&mut fields) {
            let (first, second) = w.split_at_mut(2 * d);
            let ((a, b), (c, e)) = (first.split_at_mut(d), second.split_at_mut(d));
            field.copy_from_slice(&rows([a, b, c, e], self.keep, [g[0], g[1], g[2], g[3]], self.old, self.new));
        }
        let rest = weights.into_remainder().chunks_exact_mut(d).zip(signal.remainder());
        for ((w, g), field) in rest.zip(fields.into_remainder()) {
            [*field] = rows([w], self.keep, [*g], self.old, self.new);
        }
    }
}

/// The pending step of R rows, and their fields at the new sample. Each row's additions are in the same order whatever R.
#[inline(always)]
fn rows<const R: usize>(w: [&mut [f64]; R], keep: f64, g: [f64; R], old: &[f64], new: &[f64]) -> [f64; R] {
    let mut sums = [[0.0; LANES]; R];
    let whole = new.len() / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        let (old, new) = (&old[at..at + LANES], &new[at..at + LANES]);
        for r in 0..R {
            let w = &mut w[r][at..at + LANES];
            for i in 0..LANES {
                w[i] = keep * w[i] - g[r] * old[i];
                sums[r][i] += w[i] * new[i];
            }
        }
    }
    let mut fields = [0.0; R];
    for r in 0..R {
        let mut width = LANES / 2;
        while width > 0 {
            for i in 0..width {
                sums[r][i] += sums[r][i + width];
            }
            width /= 2;
        }
        fields[r] = sums[r][0];
        for i in whole..new.len() {
            w[r][i] = keep * w[r][i] - g[r] * old[i];
            fields[r] += w[r][i] * new[i];
        }
    }
    fields
}
