//! `reduced`, fresh batches: exact in law at any d, without a d-vector. (theory.md §4.1)
//!
//! The weights are kept in an orthonormal basis of span(W*, W): `w_j = (C_j, L_j)` with L lower triangular. A fresh
//! sample has standard normal coordinates there, and its part outside is orthogonal to all weights; only the Gram
//! matrix of those parts matters, which is Wishart with ν = d − k − p degrees of freedom.

use faer::{Accum, Mat, MatMut, MatRef, Par, linalg::matmul::matmul};

use super::Frame;
use crate::{
    error::{Error, Result},
    overlaps::{Overlaps, lower_factor, symmetric_root},
    problem::{Problem, Start},
    random::{Chi, Purpose, Stream, Streams, fill_normal, normal},
    signal::{Batch, Samples},
};

/// From this width on the fields of a batch are products of matrices; below, sums of columns are faster.
const WIDE: usize = 16;

/// Coordinates of p students in an orthonormal basis of span(W*, W).
pub struct Gaussian {
    width: usize,
    directions: usize,
    /// C, p×k, column-major: columns of neurons.
    teacher: Vec<f64>,
    /// L, p×(p+1), column-major; the last column is work space of the rank-one update.
    complement: Vec<f64>,
    /// Z_o, p×n_b: coordinates of the batch along the students' part of the basis.
    orthogonal: Vec<f64>,
    /// P^{1/2}.
    root: Mat<f64>,
    wishart: Bartlett,
    stream: Stream,
    /// Where batches are looked at more than once.
    kept: Option<Kept>,
}

/// A batch that is looked at more than once: until the next one comes, the weights also have coordinates along the part of
/// the batch that lies outside their span, and L is any matrix.
struct Kept {
    /// T, n_b×m: coordinates of the batch along m new basis vectors, m = min(n_b, ν).
    factor: Mat<f64>,
    /// p×m: coordinates of the weights along them.
    outside: Mat<f64>,
    /// C, L and `outside` as they were saved.
    saved: Option<(Vec<f64>, Vec<f64>, Mat<f64>)>,
}

impl Gaussian {
    /// The coordinates of `start`, and the streams of a replicate; `keeps_batches` where a batch is looked at, or stepped
    /// along, more than once.
    ///
    /// # Errors
    /// [`Error::Refused`] where d < p + k, [`Error::Numerical`] where P is not a covariance.
    pub fn new(
        problem: &Problem,
        start: &Start,
        dimension: u64,
        keeps_batches: bool,
        streams: Streams,
    ) -> Result<Self> {
        let (p, k, batch) = (problem.width(), problem.directions(), problem.batch());
        let Some(degrees) = dimension.checked_sub((p + k) as u64) else {
            let reason = format!("reduced needs d ≥ p + k = {}, here d = {dimension}", p + k);
            return Err(Error::refused("training.dimension", reason, "use the direct view, which is cheaper there"));
        };
        let mut complement = vec![0.0; p * (p + 1)];
        for i in 0..start.complement.ncols() {
            for j in 0..p {
                complement[i * p + j] = start.complement[(j, i)];
            }
        }
        Ok(Self {
            width: p,
            directions: k,
            teacher: (0..k).flat_map(|r| (0..p).map(move |j| start.teacher[(j, r)])).collect(),
            complement,
            orthogonal: vec![0.0; p * batch],
            root: symmetric_root(problem.target.overlaps.as_ref())?,
            // A batch looked at once is known by p combinations of its samples.
            wishart: Bartlett::new(
                degrees,
                if keeps_batches { batch } else { batch.min(p) },
                streams.stream(Purpose::Complement),
            ),
            stream: streams.stream(Purpose::Input),
            kept: keeps_batches.then(|| Kept { factor: Mat::new(), outside: Mat::zeros(p, 0), saved: None }),
        })
    }

    /// Batch 1: `[L − g z_oᵀ, χ g]` is `[L, 0] + g vᵀ` with `v = (−z_o, χ)`. Rotations of neighbouring columns turn v into
    /// its length along column 0, L becomes lower Hessenberg, and as many rotations make it triangular again: O(p²).
    fn rank_one(&mut self, keep: &[f64], signal: &[f64]) {
        let p = self.width;
        let l = &mut self.complement;
        if keep.iter().any(|keep| *keep != 1.0) {
            l.chunks_exact_mut(p).for_each(|column| column.iter_mut().zip(keep).for_each(|(l, keep)| *l *= keep));
        }
        let mut length = self.wishart.column();
        for i in (0..p).rev() {
            let v = -self.orthogonal[i];
            let (cosine, sine, radius) = rotation(v, length);
            rotate(l, p, i, i, cosine, sine);
            length = radius;
        }
        for (entry, g) in l[..p].iter_mut().zip(signal) {
            *entry += length * g;
        }
        for i in 0..p {
            let (cosine, sine, radius) = rotation(l[i * p + i], l[(i + 1) * p + i]);
            rotate(l, p, i, i + 1, cosine, sine);
            l[i * p + i] = radius;
            l[(i + 1) * p + i] = 0.0;
        }
    }

    /// Larger batches: L of an LQ decomposition of `[L − Gᵀ Z_o, B]`, with B the p×m factor of the Wishart part.
    fn block(&mut self, keep: &[f64], batch: usize, signal: &[f64]) {
        let p = self.width;
        let g = MatRef::from_row_major_slice(signal, p, batch);
        let orthogonal = MatRef::from_row_major_slice(&self.orthogonal, p, batch);
        let moved = g * orthogonal.transpose();
        // Gᵀ = R'Q' with R' lower triangular: only R' meets the Wishart factor.
        let outside = if batch >= p { lower_factor(g) * self.wishart.factor() } else { g * self.wishart.factor() };
        let wide = Mat::from_fn(p, p + outside.ncols(), |j, i| {
            if i < p { keep[j] * self.complement[i * p + j] - moved[(j, i)] } else { outside[(j, i - p)] }
        });
        self.set_complement(&lower_factor(wide.as_ref()));
    }

    fn set_complement(&mut self, lower: &Mat<f64>) {
        let p = self.width;
        for i in 0..p {
            for j in 0..p {
                self.complement[i * p + j] = lower[(j, i)];
            }
        }
    }

    /// Fields of the batch at hand, by products of matrices.
    fn fields_again(&self, batch: &Samples<'_>, fields: &mut [f64]) {
        let (p, k, n) = (self.width, self.directions, batch.count());
        let orthogonal = MatRef::from_row_major_slice(&self.orthogonal, p, n);
        let teacher = MatRef::from_column_major_slice(&self.teacher, p, k);
        let along = Mat::from_fn(n, k, |mu, r| batch.direction(r)[mu]);
        let mut fields = MatMut::from_row_major_slice_mut(fields, p, n);
        matmul(fields.as_mut(), Accum::Replace, self.complement(), orthogonal, 1.0, Par::Seq);
        matmul(fields.as_mut(), Accum::Add, teacher, along.transpose(), 1.0, Par::Seq);
        if let Some(kept) = &self.kept {
            matmul(fields, Accum::Add, kept.outside.as_ref(), kept.factor.transpose(), 1.0, Par::Seq);
        }
    }

    /// L, p×p.
    fn complement(&self) -> MatRef<'_, f64> {
        MatRef::from_column_major_slice(&self.complement[..self.width * self.width], self.width, self.width)
    }

    /// Forgets the batch that was kept: the weights go back to coordinates in their own span.
    fn retire(&mut self) {
        let p = self.width;
        let Some(kept) = &mut self.kept else { return };
        if kept.outside.ncols() == 0 {
            return;
        }
        let outside = std::mem::replace(&mut kept.outside, Mat::zeros(p, 0));
        let own = MatRef::from_column_major_slice(&self.complement[..p * p], p, p);
        let wide = Mat::from_fn(p, p + outside.ncols(), |j, i| if i < p { own[(j, i)] } else { outside[(j, i - p)] });
        let lower = lower_factor(wide.as_ref());
        self.set_complement(&lower);
    }
}

impl Frame for Gaussian {
    fn fields(&mut self, batch: &Batch<'_>, fields: &mut [f64]) {
        let (p, n) = (self.width, batch.count());
        let batch = match batch {
            Batch::Same(samples) => return self.fields_again(samples, fields),
            Batch::Fresh(samples) => samples,
            Batch::Rows(_) => unreachable!("plan gives stored data to the revealed frame"),
        };
        self.retire();
        if let Some(kept) = &mut self.kept {
            kept.factor = self.wishart.factor();
            kept.outside = Mat::zeros(p, kept.factor.ncols());
        }
        fill_normal(&mut self.stream, &mut self.orthogonal);
        if n > 1 && p >= WIDE {
            self.fields_again(batch, fields);
            return;
        }
        fields.fill(0.0);
        let mut add = |column: &[f64], from: usize, coordinates: &[f64]| {
            if n == 1 {
                let c = coordinates[0];
                fields[from..].iter_mut().zip(&column[from..]).for_each(|(field, w)| *field += w * c);
            } else {
                for j in from..p {
                    let w = column[j];
                    fields[j * n..(j + 1) * n].iter_mut().zip(coordinates).for_each(|(field, c)| *field += w * c);
                }
            }
        };
        for r in 0..self.directions {
            add(&self.teacher[r * p..(r + 1) * p], 0, batch.direction(r));
        }
        for i in 0..p {
            add(&self.complement[i * p..(i + 1) * p], i, &self.orthogonal[i * n..(i + 1) * n]);
        }
    }

    fn descend(&mut self, keep: &[f64], batch: &Batch<'_>, signal: &[f64]) {
        let (p, n) = (self.width, batch.count());
        let (Batch::Fresh(batch) | Batch::Same(batch)) = batch else {
            unreachable!("plan gives stored data to the revealed frame")
        };
        for r in 0..self.directions {
            let coordinates = batch.direction(r);
            for j in 0..p {
                let moved: f64 = signal[j * n..(j + 1) * n].iter().zip(coordinates).map(|(g, c)| g * c).sum();
                let entry = &mut self.teacher[r * p + j];
                *entry = keep[j] * *entry - moved;
            }
        }
        if let Some(kept) = &mut self.kept {
            let signal = MatRef::from_row_major_slice(signal, p, n);
            let moved = signal * MatRef::from_row_major_slice(&self.orthogonal, p, n).transpose();
            let outside = signal * &kept.factor;
            for i in 0..p {
                for j in 0..p {
                    let entry = &mut self.complement[i * p + j];
                    *entry = keep[j] * *entry - moved[(j, i)];
                }
            }
            for i in 0..outside.ncols() {
                for j in 0..p {
                    kept.outside[(j, i)] = keep[j] * kept.outside[(j, i)] - outside[(j, i)];
                }
            }
        } else if n == 1 {
            self.rank_one(keep, signal)
        } else {
            self.block(keep, n, signal)
        }
    }

    fn norms(&mut self, norms: &mut [f64]) {
        let (p, k) = (self.width, self.directions);
        for (j, norm) in norms.iter_mut().enumerate() {
            let along = (0..k).map(|r| self.teacher[r * p + j]);
            let own = (0..p).map(|i| self.complement[i * p + j]);
            let squares = along.chain(own).map(|w| w * w).sum::<f64>();
            let outside = self.kept.as_ref().map_or(0.0, |kept| kept.outside.row(j).squared_norm_l2());
            *norm = (squares + outside).sqrt();
        }
    }

    fn scale_rows(&mut self, factor: &[f64]) {
        let p = self.width;
        for column in self.teacher.chunks_exact_mut(p).chain(self.complement.chunks_exact_mut(p)) {
            column.iter_mut().zip(factor).for_each(|(entry, factor)| *entry *= factor);
        }
        if let Some(kept) = &mut self.kept {
            for j in 0..p {
                kept.outside.row_mut(j).iter_mut().for_each(|entry| *entry *= factor[j]);
            }
        }
    }

    fn save(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.saved = Some((self.teacher.clone(), self.complement.clone(), kept.outside.clone()));
        }
    }

    fn restore(&mut self) {
        if let Some(kept) = &mut self.kept
            && let Some((teacher, complement, outside)) = kept.saved.take()
        {
            (self.teacher, self.complement, kept.outside) = (teacher, complement, outside);
        }
    }

    fn work(&self, batch: usize) -> u64 {
        let (n, p, k) = (batch as u64, self.width as u64, self.directions as u64);
        n * p * (2 * p + k) + if n == 1 { 8 * p * p } else { 8 * p * p * p }
    }

    fn overlaps(&mut self, into: &mut Overlaps) {
        let (p, k) = (self.width, self.directions);
        let teacher = MatRef::from_column_major_slice(&self.teacher, p, k);
        let complement = self.complement();
        into.student_teacher = teacher * &self.root;
        into.student_student = teacher * teacher.transpose() + complement * complement.transpose();
        if let Some(kept) = &self.kept {
            into.student_student += &kept.outside * kept.outside.transpose();
        }
    }
}

/// `(c, s, r)` with `c·x + s·y = r = √(x² + y²)` and `c·y − s·x = 0`.
#[inline(always)]
fn rotation(x: f64, y: f64) -> (f64, f64, f64) {
    let radius = (x * x + y * y).sqrt();
    if radius > 0.0 { (x / radius, y / radius, radius) } else { (1.0, 0.0, 0.0) }
}

/// Rotates columns i and i+1 of a matrix of p rows, from row `from` on.
#[inline(always)]
fn rotate(columns: &mut [f64], p: usize, i: usize, from: usize, cosine: f64, sine: f64) {
    let (left, right) = columns[i * p..(i + 2) * p].split_at_mut(p);
    for (x, y) in left[from..].iter_mut().zip(&mut right[from..]) {
        (*x, *y) = (cosine * *x + sine * *y, cosine * *y - sine * *x);
    }
}

/// Draws Bartlett factors T: `T Tᵀ` is the Gram matrix of m independent standard normal vectors in ν dimensions.
struct Bartlett {
    /// χ_{ν−i} for i < min(m, ν).
    diagonal: Vec<Chi>,
    rows: usize,
    stream: Stream,
}

impl Bartlett {
    fn new(degrees: u64, rows: usize, stream: Stream) -> Self {
        let columns = (rows as u64).min(degrees);
        Self { diagonal: (0..columns).map(|i| Chi::new(degrees - i)).collect(), rows, stream }
    }

    /// T for m = 1: the length of one vector.
    #[inline]
    fn column(&mut self) -> f64 {
        self.diagonal.first().map_or(0.0, |chi| chi.sample(&mut self.stream))
    }

    /// T, m×min(m, ν), lower trapezoidal.
    fn factor(&mut self) -> Mat<f64> {
        let mut factor = Mat::zeros(self.rows, self.diagonal.len());
        for i in 0..self.diagonal.len() {
            factor[(i, i)] = self.diagonal[i].sample(&mut self.stream);
            for j in i + 1..self.rows {
                factor[(j, i)] = normal(&mut self.stream);
            }
        }
        factor
    }
}

#[cfg(test)]
mod laws;
