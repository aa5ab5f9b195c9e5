//! `reduced`, fresh batches: exact in law at any d, without a d-vector. (theory.md §4.1)
//!
//! The weights are kept in an orthonormal basis of span(W*, W): `w_j = (C_j, L_j)` with L lower triangular. A fresh
//! sample has standard normal coordinates there, and its part outside is orthogonal to all weights; only the Gram
//! matrix of those parts matters, which is Wishart with ν = d − k − p degrees of freedom.

mod bartlett;
mod rank_one;

use faer::{
    Accum, Mat, MatMut, MatRef, Par,
    linalg::matmul::{
        matmul,
        triangular::{self, BlockStructure},
    },
};

use self::bartlett::Bartlett;
use super::{Frame, Gram, MOST_SLOTS, RowMap};
use crate::{
    error::{Error, Result},
    lanes,
    overlaps::{Overlaps, gram_factor, lower_factor_of_both, product, symmetric_root},
    problem::{Problem, Start},
    random::{Purpose, Stream, Streams, fill_normal},
    signal::{Batch, Samples, StepContext, Sums, Workspace},
};

/// Samples of a block.
pub(crate) const BLOCK: usize = 512;

/// Coordinates of p students in an orthonormal basis of span(W*, W).
pub struct Fresh {
    width: usize,
    directions: usize,
    /// C, p×k, column-major: columns of neurons.
    teacher: Vec<f64>,
    /// L, p×(p+1), column-major; the last column is work space of the rank-one update.
    complement: Vec<f64>,
    /// P^{1/2}.
    root: Mat<f64>,
    wishart: Bartlett,
    /// n_b.
    batch: usize,
    lanes: Vec<Lane>,
    threads: usize,
    /// Of the last look, where it has been drawn.
    drawn: Option<Outside>,
    /// Where batches are looked at more than once.
    kept: Option<Kept>,
}

/// Some samples of the batch, and what a step takes from them; their sums are those of the first lane.
struct Lane {
    stream: Stream,
    /// Z_o, p×m: coordinates along the students' part of the basis, of a block of samples; of all, block after block, where
    /// the batch is kept.
    orthogonal: Vec<f64>,
    /// Those of a block, p×m.
    fields: Vec<f64>,
    signal: Vec<f64>,
    workspace: Workspace,
    /// Gᵀ Z_*, p×k, column-major.
    teacher: Vec<f64>,
    /// Gᵀ Z_o, p×p.
    own: Mat<f64>,
    /// Gᵀ G, p×p; or, where the batch is kept, Gᵀ T, p×m.
    outside: Mat<f64>,
}

/// A batch that is looked at more than once: until the next one comes, the weights also have coordinates along the part of
/// the batch that lies outside their span, and L is any matrix.
struct Kept {
    /// T, n_b×m: coordinates of the batch along m new basis vectors, m = min(n_b, ν).
    factor: Mat<f64>,
    /// p×m: coordinates of the weights along them.
    outside: Mat<f64>,
    /// C, L and `outside` of slot 1, where a displacement needs it.
    anchor: Option<Anchor>,
}

/// Coordinates of the rows of slot 1, as those of the weights.
struct Anchor {
    teacher: Vec<f64>,
    complement: Vec<f64>,
    outside: Mat<f64>,
}

/// What the step of a batch that is looked at once adds outside the span of all weights: drawn when it is first asked for.
enum Outside {
    /// χ_ν, the length of one sample's part.
    Length(f64),
    /// B, p×m: the signals' triangular factor times the Bartlett factor.
    Factor(Mat<f64>),
}

impl Fresh {
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
        threads: usize,
    ) -> Result<Self> {
        // Neurons, and what else is a row.
        let (p, k, batch) = (start.teacher.nrows(), problem.directions(), problem.batch());
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
        // Blocks of samples make their own room.
        let single = if batch == 1 { p } else { 0 };
        let lane = |i| Lane {
            stream: streams.lane(Purpose::Input, i),
            orthogonal: vec![0.0; single],
            fields: vec![0.0; single],
            signal: vec![0.0; single],
            workspace: Workspace::default(),
            teacher: vec![0.0; k * p],
            own: Mat::zeros(if batch == 1 && !keeps_batches { 0 } else { p }, p),
            outside: Mat::zeros(if batch < p || keeps_batches { 0 } else { p }, p),
        };
        Ok(Self {
            width: p,
            directions: k,
            teacher: (0..k).flat_map(|r| (0..p).map(move |j| start.teacher[(j, r)])).collect(),
            complement,
            root: symmetric_root(problem.target.overlaps.as_ref())?,
            // A batch looked at once is known by p combinations of its samples.
            wishart: Bartlett::new(
                degrees,
                if keeps_batches { batch } else { batch.min(p) },
                streams.stream(Purpose::Complement),
            ),
            batch,
            lanes: (0..Self::lanes(p, batch)).map(lane).collect(),
            threads,
            drawn: None,
            kept: keeps_batches.then(|| Kept { factor: Mat::new(), outside: Mat::zeros(p, 0), anchor: None }),
        })
    }

    /// Lanes of n_b samples: what they sum up is never more than the samples.
    pub(crate) fn lanes(p: usize, batch: usize) -> usize {
        lanes::count(batch, 3 * p * p).min((batch / p).max(1))
    }

    /// One fresh sample: `λ = C z_* + L z_o`.
    fn look_at_one(&mut self, batch: &Samples<'_>, context: &StepContext<'_>) {
        let p = self.width;
        let Lane { stream, orthogonal, fields, signal, workspace, teacher, .. } = &mut self.lanes[0];
        fill_normal(stream, orthogonal);
        fields.fill(0.0);
        let mut add = |column: &[f64], from: usize, c: f64| {
            fields[from..].iter_mut().zip(&column[from..]).for_each(|(field, w)| *field += w * c);
        };
        for r in 0..self.directions {
            add(&self.teacher[r * p..(r + 1) * p], 0, batch.direction(r)[0]);
        }
        for i in 0..p {
            add(&self.complement[i * p..(i + 1) * p], i, orthogonal[i]);
        }
        workspace.sums.clear();
        context.signals(0..1, fields, signal, workspace);
        for (r, moved) in teacher.chunks_exact_mut(p).enumerate() {
            let c = batch.direction(r)[0];
            moved.iter_mut().zip(&*signal).for_each(|(moved, g)| *moved = g * c);
        }
    }

    /// Blocks of samples: `λ = C z_* + L z_o`, and what the step takes from them; `is_new` where they are drawn.
    fn look_at_blocks(&mut self, batch: &Samples<'_>, is_new: bool, context: &StepContext<'_>) {
        let Self { width: p, directions: k, teacher: coordinates, complement, kept, .. } = self;
        let (p, k, n, count, kept) = (*p, *k, batch.count(), self.lanes.len(), kept.as_ref());
        let own = MatRef::from_column_major_slice(&complement[..p * p], p, p);
        let along = MatRef::from_column_major_slice(coordinates, p, k);
        let own_structure = if kept.is_some() { BlockStructure::Rectangular } else { BlockStructure::TriangularLower };
        // Fewer samples than neurons are kept together: their signals themselves meet the Wishart factor.
        let rows = if n < p { n } else { BLOCK };
        lanes::each(self.threads, &mut self.lanes, |i, lane| {
            let Lane { stream, orthogonal, fields, signal, workspace, teacher, own: moved, outside } = lane;
            let mine = lanes::part(n, count, i);
            workspace.sums.clear();
            teacher.fill(0.0);
            moved.fill(0.0);
            outside.fill(0.0);
            if let Some(kept) = kept {
                outside.resize_with(p, kept.factor.ncols(), |_, _| 0.0);
            }
            for first in mine.clone().step_by(rows) {
                let samples = first..(first + rows).min(mine.end);
                let m = samples.len();
                let at = if kept.is_some() { (first - mine.start) * p } else { 0 };
                if is_new {
                    orthogonal.resize(orthogonal.len().max(at + p * m), 0.0);
                    fill_normal(stream, &mut orthogonal[at..at + p * m]);
                }
                fields.resize(p * m, 0.0);
                signal.resize(p * m, 0.0);
                let z_own = MatRef::from_row_major_slice(&orthogonal[at..at + p * m], p, m);
                let z_along = |r: usize| &batch.direction(r)[samples.clone()];
                let mut into = MatMut::from_row_major_slice_mut(fields, p, m);
                let whole = BlockStructure::Rectangular;
                let out = into.as_mut();
                triangular::matmul(out, whole, Accum::Replace, own, own_structure, z_own, whole, 1.0, Par::Seq);
                for (r, coordinates) in along.col_iter().enumerate() {
                    for (field, c) in into.as_mut().row_iter_mut().zip(coordinates.iter()) {
                        field.iter_mut().zip(z_along(r)).for_each(|(field, z)| *field += c * z);
                    }
                }
                let z_outside = kept.map(|kept| kept.factor.subrows(first, m));
                if let (Some(kept), Some(z)) = (kept, z_outside) {
                    matmul(into, Accum::Add, kept.outside.as_ref(), z.transpose(), 1.0, Par::Seq);
                }
                context.signals(samples.clone(), fields, signal, workspace);
                for (r, moved) in teacher.chunks_exact_mut(p).enumerate() {
                    for (moved, signal) in moved.iter_mut().zip(signal.chunks_exact(m)) {
                        *moved += signal.iter().zip(z_along(r)).map(|(g, z)| g * z).sum::<f64>();
                    }
                }
                let g = MatRef::from_row_major_slice(signal, p, m);
                matmul(moved.as_mut(), Accum::Add, g, z_own.transpose(), 1.0, Par::Seq);
                if let Some(z) = z_outside {
                    matmul(outside.as_mut(), Accum::Add, g, z, 1.0, Par::Seq);
                } else if n >= p {
                    let lower = BlockStructure::TriangularLower;
                    let out = outside.as_mut();
                    triangular::matmul(out, lower, Accum::Add, g, whole, g.transpose(), whole, 1.0, Par::Seq);
                }
            }
        });
        if let [first, others @ ..] = &mut self.lanes[..] {
            for lane in others {
                first.teacher.iter_mut().zip(&lane.teacher).for_each(|(sum, g)| *sum += g);
                first.own += &lane.own;
                first.outside += &lane.outside;
            }
        }
    }

    /// The part of the step outside the span of all weights, drawn once.
    fn outside(&mut self) -> Outside {
        if let Some(drawn) = self.drawn.take() {
            return drawn;
        }
        let (p, n) = (self.width, self.batch);
        if n == 1 {
            return Outside::Length(self.wishart.column());
        }
        let Lane { signal, outside, .. } = &self.lanes[0];
        let wishart = self.wishart.factor();
        Outside::Factor(if n >= p {
            // Gᵀ = S Qᵀ with orthonormal Q: only S meets the Wishart factor.
            let root = gram_factor(outside.as_ref());
            let rank = root.ncols();
            product(root.as_ref(), wishart.submatrix(0, 0, rank, rank.min(wishart.ncols())), self.threads)
        } else {
            MatRef::from_row_major_slice(signal, p, n) * wishart
        })
    }

    /// L after `w_j ← factor_j w_j + b G_j`, of a batch that is looked at once: that of an LQ decomposition of
    /// `[factor·L + b Gᵀ Z_o, b B]`. (theory.md §4.1)
    fn step_complement(&mut self, factor: &[f64], b: f64) {
        let p = self.width;
        match self.outside() {
            Outside::Length(length) => {
                let Lane { signal, orthogonal, .. } = &self.lanes[0];
                let g = signal.iter().map(|g| -b * g);
                rank_one::update(&mut self.complement, factor, g, orthogonal, length);
            }
            Outside::Factor(outside) => {
                let own = &self.lanes[0].own;
                let inside = Mat::from_fn(p, p, |j, i| factor[j] * self.complement[i * p + j] + b * own[(j, i)]);
                let outside = -b * outside;
                self.set_complement(&lower_factor_of_both(inside.as_ref(), outside.as_ref(), self.threads));
            }
        }
    }

    fn set_complement(&mut self, lower: &Mat<f64>) {
        let p = self.width;
        for i in 0..p {
            for j in 0..p {
                self.complement[i * p + j] = lower[(j, i)];
            }
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
        let lower = lower_factor_of_both(self.complement(), outside.as_ref(), self.threads);
        self.set_complement(&lower);
    }
}

/// One coordinate of all rows of the weights and of the anchor, and of the gradient.
#[inline(always)]
fn map_column(map: &RowMap, rows: &mut [f64], anchor: &mut [f64], gradient: impl Fn(usize) -> f64) {
    for (j, (row, anchor)) in rows.iter_mut().zip(anchor).enumerate() {
        let old: [f64; MOST_SLOTS] = [*row, *anchor];
        [*row, *anchor] = map.at(j, old, |b| b * gradient(j));
    }
}

impl Frame for Fresh {
    fn look(&mut self, batch: &Batch<'_>, context: &StepContext<'_>, sums: &mut Sums) {
        let (samples, is_new) = match batch {
            Batch::Fresh(samples) => (samples, true),
            Batch::Same(samples) => (samples, false),
            Batch::Rows(_) => unreachable!("plan gives stored data to the reused frame"),
        };
        self.drawn = None;
        if is_new {
            self.retire();
            if let Some(kept) = &mut self.kept {
                kept.factor = self.wishart.factor();
                kept.outside = Mat::zeros(self.width, kept.factor.ncols());
            }
        }
        if self.batch == 1 && self.kept.is_none() {
            self.look_at_one(samples, context);
        } else {
            self.look_at_blocks(samples, is_new, context);
        }
        sums.clear();
        self.lanes.iter().for_each(|lane| sums.merge(&lane.workspace.sums));
    }

    fn apply(&mut self, map: &RowMap) {
        let p = self.width;
        let Lane { teacher, own, outside, .. } = &self.lanes[0];
        if self.kept.is_none()
            && let Some((factor, b)) = map.as_step()
        {
            for (column, moved) in self.teacher.chunks_exact_mut(p).zip(teacher.chunks_exact(p)) {
                for ((entry, factor), moved) in column.iter_mut().zip(factor).zip(moved) {
                    *entry = if b == 0.0 { factor * *entry } else { factor * *entry + b * moved };
                }
            }
            if b == 0.0 {
                for column in self.complement.chunks_exact_mut(p) {
                    column.iter_mut().zip(factor).for_each(|(entry, factor)| *entry *= factor);
                }
            } else {
                self.step_complement(factor, b);
            }
            return;
        }
        let Some(kept) = &mut self.kept else { unreachable!("plan keeps the batches of a displacement") };
        let anchor = kept.anchor.get_or_insert_with(|| Anchor {
            teacher: vec![0.0; self.teacher.len()],
            complement: vec![0.0; self.complement.len()],
            outside: Mat::new(),
        });
        anchor.outside.resize_with(p, kept.outside.ncols(), |_, _| 0.0);
        let columns = self.teacher.chunks_exact_mut(p).zip(anchor.teacher.chunks_exact_mut(p));
        columns.zip(teacher.chunks_exact(p)).for_each(|((row, anchor), g)| map_column(map, row, anchor, |j| g[j]));
        let columns = self.complement.chunks_exact_mut(p).zip(anchor.complement.chunks_exact_mut(p)).take(p);
        columns.enumerate().for_each(|(i, (row, anchor))| map_column(map, row, anchor, |j| own[(j, i)]));
        for i in 0..kept.outside.ncols() {
            let (row, anchor) = (kept.outside.col_as_slice_mut(i), anchor.outside.col_as_slice_mut(i));
            map_column(map, row, anchor, |j| if i < outside.ncols() { outside[(j, i)] } else { 0.0 });
        }
    }

    fn gram(&mut self, into: &mut Gram) {
        let (p, k) = (self.width, self.directions);
        if self.kept.is_none() {
            self.drawn = Some(self.outside());
        }
        let Lane { teacher, own, outside, signal, orthogonal, .. } = &self.lanes[0];
        let moved = MatRef::from_column_major_slice(teacher, p, k);
        let single: Mat<f64>;
        let own = match &self.drawn {
            Some(Outside::Length(_)) => {
                single = Mat::from_fn(p, p, |j, i| signal[j] * orthogonal[i]);
                &single
            }
            _ => own,
        };
        into.teacher = moved * &self.root;
        into.gradient = moved * moved.transpose() + own * own.transpose();
        match &self.drawn {
            Some(Outside::Length(length)) => {
                let beyond = Mat::from_fn(p, 1, |j, _| signal[j] * length);
                into.gradient += &beyond * beyond.transpose();
            }
            Some(Outside::Factor(beyond)) => into.gradient += beyond * beyond.transpose(),
            None => into.gradient += outside * outside.transpose(),
        }
        let along = |teacher: &[f64], complement: &[f64], beyond: Option<&Mat<f64>>| {
            let product = |j: usize| {
                let inside = (0..k).map(|r| teacher[r * p + j] * moved[(j, r)]).sum::<f64>();
                let own = (0..p).map(|i| complement[i * p + j] * own[(j, i)]).sum::<f64>();
                let beyond = beyond.map_or(0.0, |rows| (0..rows.ncols()).map(|i| rows[(j, i)] * outside[(j, i)]).sum());
                inside + own + beyond
            };
            (0..p).map(product).collect()
        };
        let kept = self.kept.as_ref();
        into.along = vec![along(&self.teacher, &self.complement, kept.map(|kept| &kept.outside))];
        if let Some(anchor) = kept.and_then(|kept| kept.anchor.as_ref()) {
            into.along.push(along(&anchor.teacher, &anchor.complement, Some(&anchor.outside)));
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

#[cfg(test)]
mod laws;
