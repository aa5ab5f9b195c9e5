//! `reduced`, stored data: exact in law at any d, without the data matrix. (theory.md §4.2)
//!
//! X is revealed only along the directions that are asked for (Gaussian conditioning, as in the Householder Dice of Lu
//! 2021). Kept are raw normals H and raw error signals G, n rows each, and small matrices ([`Knowledge`]). A step reads
//! the rows once for its fields and once for the inner products.

mod columns;
mod knowledge;
#[cfg(test)]
mod laws;
mod response;

use faer::{Mat, MatRef};

pub use knowledge::Fluctuations;

use self::{columns::Columns, knowledge::Knowledge};
use super::Frame;
use crate::{
    error::Result,
    overlaps::{Overlaps, symmetric_root},
    problem::{Problem, Start},
    random::{Purpose, Stream, Streams, fill_normal},
    signal::{Batch, Coordinates, Rows},
};

/// Coordinates of p students along the right directions, and what is known of the data.
pub struct Revealed {
    width: usize,
    directions: usize,
    /// n.
    rows: usize,
    /// C, p×r, for each neuron over l.
    students: Vec<Vec<f64>>,
    saved: Vec<Vec<f64>>,
    /// H and G side by side.
    columns: Columns,
    /// Which columns are H_l.
    normals: Vec<usize>,
    /// Which columns are G_i.
    signals: Vec<usize>,
    knowledge: Knowledge,
    source: Normals,
    /// P^{1/2}.
    root: Mat<f64>,
    /// p×n, for batches that are lists of rows.
    spread: Vec<f64>,
    /// What each step saw, where it is to be remembered.
    seen: Option<Vec<response::Seen>>,
}

/// Where raw normals come from.
pub enum Normals {
    /// A stream.
    Drawn(Box<Stream>),
    /// Columns of n numbers, one after the other, used from the first on.
    Given {
        /// The columns.
        columns: Vec<f64>,
        /// How many are used.
        used: usize,
    },
}

impl Normals {
    /// Rows from `from` on of the i-th column that comes; a stream does not look at either.
    fn fill(&mut self, i: usize, from: usize, n: usize, out: &mut [f64]) {
        match self {
            Self::Drawn(stream) => fill_normal(stream, out),
            Self::Given { columns, used } => {
                let start = (*used + i) * n + from;
                match columns.get(start..start + out.len()) {
                    Some(column) => out.copy_from_slice(column),
                    // After the last step nothing looks at new normals any more.
                    None => out.fill(0.0),
                }
            }
        }
    }

    /// `count` columns have been used.
    fn advance(&mut self, count: usize) {
        if let Self::Given { used, .. } = self {
            *used += count;
        }
    }
}

/// Raw columns that a run can reveal: k + m at the start, m the dimensions of the start outside the target, and two for
/// each neuron and each pass of gradients.
pub fn capacity(problem: &Problem, complement: usize) -> f64 {
    let passes = if problem.displacement() == 0.0 { 1.0 } else { 2.0 };
    let new = 2.0 * problem.width() as f64 * passes * problem.steps() as f64;
    (problem.directions() + complement) as f64 + new
}

impl Revealed {
    /// The coordinates of `start`, the samples whose coordinates along the target are given, and the streams of a replicate
    /// in `dimension` dimensions.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
    pub fn new(
        problem: &Problem,
        start: &Start,
        dimension: u64,
        stored: &Coordinates,
        streams: Streams,
    ) -> Result<Self> {
        let fluctuations = Fluctuations::Drawn { dimension, stream: Box::new(streams.stream(Purpose::Complement)) };
        let source = Normals::Drawn(Box::new(streams.stream(Purpose::Input)));
        Self::with_source(problem, start, stored, fluctuations, source)
    }

    /// The same with any source of normals, with or without the fluctuations of a finite system.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
    pub fn with_source(
        problem: &Problem,
        start: &Start,
        stored: &Coordinates,
        fluctuations: Fluctuations,
        mut source: Normals,
    ) -> Result<Self> {
        let (p, k, m) = (problem.width(), problem.directions(), start.complement.ncols());
        let n = stored.len() / k;
        // Room for one more pass, whose signals may turn out to reveal nothing new.
        let mut columns = Columns::new(n, capacity(problem, m) as usize + 2 * p);
        columns.append(k + m, |i, from, out| {
            if i < k {
                out.copy_from_slice(&stored[i * n + from..i * n + from + out.len()]);
            } else {
                source.fill(i - k, from, n, out);
            }
        });
        source.advance(m);
        let coordinate = |j, l| if l < k { start.teacher[(j, l)] } else { start.complement[(j, l - k)] };
        Ok(Self {
            width: p,
            directions: k,
            rows: n,
            students: (0..p).map(|j| (0..k + m).map(|l| coordinate(j, l)).collect()).collect(),
            saved: Vec::new(),
            columns,
            normals: (0..k + m).collect(),
            signals: Vec::new(),
            knowledge: Knowledge::new(k + m, fluctuations),
            source,
            root: symmetric_root(problem.target.overlaps.as_ref())?,
            spread: Vec::new(),
            seen: None,
        })
    }

    /// A with Λ = F A: C on the normals, K Cᵀ on the signals.
    fn factor(&self) -> Mat<f64> {
        let mut factor = Mat::zeros(self.columns.count(), self.width);
        for (j, student) in self.students.iter().enumerate() {
            for (l, coordinate) in student.iter().enumerate() {
                factor[(self.normals[l], j)] = *coordinate;
                for (column, mixing) in self.signals.iter().zip(self.knowledge.mixing(l)) {
                    factor[(*column, j)] += mixing * coordinate;
                }
            }
        }
        factor
    }

    /// Reveals the data along p signals on rows `from..from + count`, and returns their coordinates on the v_i.
    fn reveal(&mut self, from: usize, count: usize, signal: &[f64]) -> Vec<Vec<f64>> {
        let (p, n, first) = (self.width, self.rows, self.columns.count());
        let source = &mut self.source;
        let products = self.columns.append_with_products(2 * p, |i, row, out| {
            if i >= p {
                return source.fill(i - p, row, n, out);
            }
            // The overlap of this tile and the batch.
            let (low, high) = (row.max(from), (row + out.len()).min(from + count));
            out.fill(0.0);
            if low < high {
                out[low - row..high - row].copy_from_slice(&signal[i * count + low - from..i * count + high - from]);
            }
        });
        let mut coordinates = Vec::with_capacity(p);
        let mut kept = Vec::with_capacity(2 * p);
        let limit = self.knowledge.is_limit();
        for j in 0..p {
            let (signals, normals) = (&self.signals, &self.normals);
            let q = signals.len();
            let column = |i: usize| if i < q { signals[i] } else { first + j };
            coordinates.push(self.knowledge.reveal(
                |i| products[(column(i), j)],
                // Normals of this very step know nothing of its signals.
                |l| if limit && normals[l] >= first { 0.0 } else { products[(normals[l], j)] },
                |i| products[(column(i), p + j)],
            ));
            if self.knowledge.left() > q {
                self.signals.push(first + j);
                self.normals.push(first + p + j);
                kept.extend([first + j, first + p + j]);
            }
        }
        self.source.advance(p);
        kept.sort_unstable();
        self.columns.keep(first, &kept);
        let place = |column: &mut usize| {
            if let Ok(at) = kept.binary_search(column) {
                *column = first + at;
            }
        };
        self.signals.iter_mut().chain(&mut self.normals).for_each(place);
        coordinates
    }
}

impl Frame for Revealed {
    fn fields(&mut self, batch: &Batch<'_>, fields: &mut [f64]) {
        let factor = self.factor();
        match batch {
            Batch::Rows(Rows::Block { from, count }) => self.columns.times(*from, *count, factor.as_ref(), fields),
            Batch::Rows(Rows::List(rows)) => {
                self.spread.resize(self.width * self.rows, 0.0);
                self.columns.times(0, self.rows, factor.as_ref(), &mut self.spread);
                for (fields, all) in fields.chunks_exact_mut(rows.len()).zip(self.spread.chunks_exact(self.rows)) {
                    fields.iter_mut().zip(*rows).for_each(|(field, row)| *field = all[*row]);
                }
            }
            _ => unreachable!("plan gives fresh data to the gaussian frame"),
        }
    }

    fn descend(&mut self, keep: &[f64], batch: &Batch<'_>, signal: &[f64]) {
        let coordinates = match batch {
            Batch::Rows(Rows::Block { from, count }) => self.reveal(*from, *count, signal),
            Batch::Rows(Rows::List(rows)) => {
                let mut spread = std::mem::take(&mut self.spread);
                spread.fill(0.0);
                for (all, signal) in spread.chunks_exact_mut(self.rows).zip(signal.chunks_exact(rows.len())) {
                    rows.iter().zip(signal).for_each(|(row, g)| all[*row] = *g);
                }
                let coordinates = self.reveal(0, self.rows, &spread);
                self.spread = spread;
                coordinates
            }
            _ => unreachable!("plan gives fresh data to the gaussian frame"),
        };
        self.see(&coordinates);
        let r = self.knowledge.right();
        for ((student, keep), coordinates) in self.students.iter_mut().zip(keep).zip(&coordinates) {
            student.resize(r, 0.0);
            student.iter_mut().for_each(|w| *w *= keep);
            for (i, c) in coordinates.iter().enumerate() {
                student.iter_mut().zip(self.knowledge.image(i)).for_each(|(w, along)| *w -= c * along);
            }
        }
    }

    fn norms(&mut self, norms: &mut [f64]) {
        for (norm, student) in norms.iter_mut().zip(&self.students) {
            *norm = student.iter().map(|w| w * w).sum::<f64>().sqrt();
        }
    }

    fn scale_rows(&mut self, factor: &[f64]) {
        for (student, factor) in self.students.iter_mut().zip(factor) {
            student.iter_mut().for_each(|w| *w *= factor);
        }
    }

    fn save(&mut self) {
        self.saved.clone_from(&self.students);
    }

    fn restore(&mut self) {
        self.students.clone_from(&self.saved);
    }

    fn work(&self, _: usize) -> u64 {
        // All columns, at the end of the run, are read twice; p + 2p products for each.
        (self.rows * self.columns.capacity() * 3 * self.width) as u64
    }

    fn overlaps(&mut self, into: &mut Overlaps) {
        let (p, k) = (self.width, self.directions);
        let r = self.students[0].len();
        let students = Mat::from_fn(p, r, |j, l| self.students[j].get(l).copied().unwrap_or(0.0));
        let students: MatRef<'_, f64> = students.as_ref();
        into.student_teacher = students.subcols(0, k) * &self.root;
        into.student_student = students * students.transpose();
    }
}
