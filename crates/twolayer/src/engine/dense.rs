//! `direct`: real weights, real data. The ground truth of small sizes.

use faer::{Accum, Mat, MatMut, MatRef, Par, linalg::matmul::matmul};
use pulp::Arch;

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
            let (weights, x) = (&self.weights, &self.inputs);
            self.arch.dispatch(|| {
                let (rows, last_rows) = (weights.chunks_exact(ROWS * d), weights.chunks_exact(ROWS * d).remainder());
                let (fields, last_fields) = fields.as_chunks_mut::<ROWS>();
                for (fields, rows) in fields.iter_mut().zip(rows) {
                    *fields = dots::<ROWS>(rows, x);
                }
                for (field, row) in last_fields.iter_mut().zip(last_rows.chunks_exact(d)) {
                    [*field] = dots::<1>(row, x);
                }
            });
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
            let (weights, x) = (&mut self.weights, &self.inputs);
            self.arch.dispatch(|| {
                let (signals, last_signals) = signal.as_chunks::<ROWS>();
                let mut rows = weights.chunks_exact_mut(ROWS * d);
                for (signals, rows) in signals.iter().zip(&mut rows) {
                    subtract::<ROWS>(rows, signals, x);
                }
                for (&g, row) in last_signals.iter().zip(rows.into_remainder().chunks_exact_mut(d)) {
                    subtract::<1>(row, &[g], x);
                }
            });
        } else {
            let p = signal.len() / n;
            let weights = MatMut::from_row_major_slice_mut(&mut self.weights, p, d);
            let inputs = MatRef::from_row_major_slice(&self.inputs, n, d);
            let signal = MatRef::from_row_major_slice(signal, p, n);
            matmul(weights, Accum::Add, signal, inputs, -1.0, Par::Seq);
        }
    }

    fn overlaps(&self, into: &mut Overlaps) {
        let (d, k, p) = (self.dimension, self.directions, into.width());
        let weights = MatRef::from_row_major_slice(&self.weights, p, d);
        let teacher = weights.subcols(0, k);
        matmul(into.student_teacher.as_mut(), Accum::Replace, teacher, self.root.as_ref(), 1.0, Par::Seq);
        matmul(into.student_student.as_mut(), Accum::Replace, weights, weights.transpose(), 1.0, Par::Seq);
    }
}

/// Rows that share each load of the input.
const ROWS: usize = 4;
/// Partial sums of a row, so that the additions do not wait for one another. Their order is fixed and nothing is fused:
/// the same sum on every machine.
const SUMS: usize = 8;

/// ⟨w_j, x⟩ of R rows.
#[inline(always)]
fn dots<const R: usize>(rows: &[f64], x: &[f64]) -> [f64; R] {
    let (x_blocks, x_tail) = x.as_chunks::<SUMS>();
    let rows: [&[f64]; R] = std::array::from_fn(|j| &rows[j * x.len()..(j + 1) * x.len()]);
    let row_blocks = rows.map(|row| &row.as_chunks::<SUMS>().0[..x_blocks.len()]);
    let mut sums = [[0.0; SUMS]; R];
    for (b, x) in x_blocks.iter().enumerate() {
        for j in 0..R {
            let w = &row_blocks[j][b];
            for i in 0..SUMS {
                sums[j][i] += w[i] * x[i];
            }
        }
    }
    std::array::from_fn(|j| {
        let [a, b, c, d, e, f, g, h] = sums[j];
        let tail: f64 = rows[j].as_chunks::<SUMS>().1.iter().zip(x_tail).map(|(w, x)| w * x).sum();
        ((a + e) + (c + g)) + ((b + f) + (d + h)) + tail
    })
}

/// w_j ← w_j − g_j x for R rows.
#[inline(always)]
fn subtract<const R: usize>(rows: &mut [f64], signals: &[f64; R], x: &[f64]) {
    for (g, row) in signals.iter().zip(rows.chunks_exact_mut(x.len())) {
        row.iter_mut().zip(x).for_each(|(w, x)| *w -= g * x);
    }
}
