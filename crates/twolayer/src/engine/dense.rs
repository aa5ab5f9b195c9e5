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
        })
    }
}

impl Frame for Dense {
    fn fields(&mut self, batch: &Samples<'_>, fields: &mut [f64]) {
        let (d, k, n) = (self.dimension, self.directions, batch.count());
        for (mu, x) in self.inputs.chunks_exact_mut(d).enumerate() {
            for r in 0..k {
                x[r] = batch.direction(r)[mu];
            }
            fill_normal(&mut self.stream, &mut x[k..]);
        }
        if n == 1 {
            self.arch.dispatch(Dots { weights: &self.weights, x: &self.inputs, fields });
        } else {
            let p = fields.len() / n;
            let weights = MatRef::from_row_major_slice(&self.weights, p, d);
            let inputs = MatRef::from_row_major_slice(&self.inputs, n, d);
            let fields = MatMut::from_row_major_slice_mut(fields, p, n);
            matmul(fields, Accum::Replace, weights, inputs.transpose(), 1.0, Par::Seq);
        }
    }

    fn descend(&mut self, keep: f64, batch: &Samples<'_>, signal: &[f64]) {
        let (d, n) = (self.dimension, batch.count());
        if keep != 1.0 {
            self.weights.iter_mut().for_each(|w| *w *= keep);
        }
        if n == 1 {
            self.arch.dispatch(Update { weights: &mut self.weights, x: &self.inputs, signal });
        } else {
            let p = signal.len() / n;
            let weights = MatMut::from_row_major_slice_mut(&mut self.weights, p, d);
            let inputs = MatRef::from_row_major_slice(&self.inputs, n, d);
            let signal = MatRef::from_row_major_slice(signal, p, n);
            matmul(weights, Accum::Add, signal, inputs, -1.0, Par::Seq);
        }
    }

    fn work(&self, batch: usize) -> u64 {
        // A normal costs about as much as 16 multiply-adds.
        (batch * (16 * self.dimension + 2 * self.weights.len())) as u64
    }

    fn overlaps(&self, into: &mut Overlaps) {
        let (d, k, p) = (self.dimension, self.directions, into.width());
        let weights = MatRef::from_row_major_slice(&self.weights, p, d);
        let teacher = weights.subcols(0, k);
        matmul(into.student_teacher.as_mut(), Accum::Replace, teacher, self.root.as_ref(), 1.0, Par::Seq);
        matmul(into.student_student.as_mut(), Accum::Replace, weights, weights.transpose(), 1.0, Par::Seq);
    }
}

/// `fields_j = ⟨w_j, x⟩`. A struct, like [`Update`], because a closure is not always inlined to where the wide registers
/// are allowed.
struct Dots<'a> {
    weights: &'a [f64],
    x: &'a [f64],
    fields: &'a mut [f64],
}

impl NullaryFnOnce for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (field, w) in self.fields.iter_mut().zip(self.weights.chunks_exact(self.x.len())) {
            *field = dot(w, self.x);
        }
    }
}

/// `w_j ← w_j − g_j x`.
struct Update<'a> {
    weights: &'a mut [f64],
    x: &'a [f64],
    signal: &'a [f64],
}

impl NullaryFnOnce for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (g, w) in self.signal.iter().zip(self.weights.chunks_exact_mut(self.x.len())) {
            w.iter_mut().zip(self.x).for_each(|(w, x)| *w -= g * x);
        }
    }
}

/// ⟨w, x⟩ with 32 partial sums, so that the additions do not wait for one another.
#[inline(always)]
fn dot(w: &[f64], x: &[f64]) -> f64 {
    let mut sums = [0.0; 32];
    let (w_blocks, x_blocks) = (w.chunks_exact(32), x.chunks_exact(32));
    let tail: f64 = w_blocks.remainder().iter().zip(x_blocks.remainder()).map(|(w, x)| w * x).sum();
    for (w, x) in w_blocks.zip(x_blocks) {
        for i in 0..32 {
            sums[i] += w[i] * x[i];
        }
    }
    let mut width = 16;
    while width > 0 {
        for i in 0..width {
            sums[i] += sums[i + width];
        }
        width /= 2;
    }
    sums[0] + tail
}
