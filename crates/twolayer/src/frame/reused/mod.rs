//! `reduced`, stored data: exact in law at any d, without the data matrix. (theory.md §4.2)
//!
//! X is revealed only along the directions that are asked for (Gaussian conditioning, as in the Householder Dice of Lu
//! 2021). Kept are raw normals H and raw error signals G, n rows each, and small matrices ([`Knowledge`]). A step reads
//! the rows once for its fields and once for the inner products.

mod columns;
mod knowledge;
mod lane;
#[cfg(test)]
mod laws;
mod response;

use faer::{Mat, MatRef};
use pulp::Arch;

pub use knowledge::Fluctuations;

pub(crate) use self::columns::TOUCHED;
use self::{
    knowledge::Knowledge,
    lane::{Lane, Look},
};
use super::{Frame, Gram, MOST_SLOTS, RowMap};
use crate::{
    error::Result,
    gaussian::sobol,
    lanes,
    overlaps::{Overlaps, symmetric_root},
    problem::{Problem, Start},
    random::{Purpose, Stream, Streams, fill_normal},
    signal::{Batch, Coordinates, StepContext, Sums},
};

/// Coordinates of p students along the right directions, and what is known of the data.
pub struct Reused {
    width: usize,
    directions: usize,
    /// n.
    rows: usize,
    /// C, p×r, for each neuron over l.
    students: Vec<Vec<f64>>,
    /// The same for slot 1, where a displacement needs it.
    anchor: Vec<Vec<f64>>,
    /// Rows of H and G side by side.
    lanes: Vec<Lane>,
    threads: usize,
    arch: Arch,
    /// Which columns are H_l.
    normals: Vec<usize>,
    /// Which columns are G_i.
    signals: Vec<usize>,
    knowledge: Knowledge,
    source: Normals,
    /// Coordinates of the last signals on the v_i, for each neuron.
    coordinates: Vec<Vec<f64>>,
    /// P^{1/2}.
    root: Mat<f64>,
    /// What each step saw, where it is to be remembered.
    seen: Option<Vec<response::Seen>>,
}

/// Where raw normals come from.
pub enum Normals {
    /// The stream of each lane.
    Drawn,
    /// Coordinates of points, used from `next` on.
    Points {
        /// The points, one for each row.
        points: sobol::Points,
        /// The next coordinate.
        next: usize,
    },
}

impl Normals {
    /// Rows from `from` on of the i-th column that comes; a stream does not look at either.
    fn fill(&self, i: usize, from: usize, stream: &mut Stream, out: &mut [f64]) {
        match self {
            Self::Drawn => fill_normal(stream, out),
            Self::Points { points, next } => points.fill(next + i, from, out),
        }
    }

    /// `count` columns have been used.
    fn advance(&mut self, count: usize) {
        if let Self::Points { next, .. } = self {
            *next += count;
        }
    }
}

/// Raw columns that a run can reveal: k + m at the start, m the dimensions of the start outside the target, and two for
/// each neuron and each pass of gradients.
pub fn capacity(problem: &Problem, complement: usize) -> f64 {
    let linear = usize::from(problem.training.preprocess.is_linear());
    // The look that estimates a linear part reveals its row alone.
    let passes = if problem.displacement() == 0.0 { 1.0 } else { 2.0 };
    let new = 2.0 * (problem.width() as f64 * passes + linear as f64) * problem.steps() as f64;
    (problem.directions() + complement) as f64 + new
}

impl Reused {
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
        threads: usize,
    ) -> Result<Self> {
        let fluctuations = Fluctuations::Drawn { dimension, stream: Box::new(streams.stream(Purpose::Complement)) };
        Self::with_source(problem, start, stored, fluctuations, Normals::Drawn, streams, threads)
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
        streams: Streams,
        threads: usize,
    ) -> Result<Self> {
        // Neurons, and what else is a row.
        let (p, k, m) = (start.teacher.nrows(), problem.directions(), start.complement.ncols());
        let n = stored.len() / k;
        // Room for one more pass, whose signals may turn out to reveal nothing new.
        let capacity = capacity(problem, m) as usize + 2 * p;
        let count = lanes::count(n, 3 * p * capacity);
        let mut lanes: Vec<Lane> = (0..count)
            .map(|i| {
                let rows = lanes::part(n, count, i);
                Lane::new(rows.start, rows.len(), capacity, streams.lane(Purpose::Input, i))
            })
            .collect();
        lanes::each(threads, &mut lanes, |_, lane| lane.begin(stored, n, m, &source));
        source.advance(m);
        let coordinate = |j, l| if l < k { start.teacher[(j, l)] } else { start.complement[(j, l - k)] };
        Ok(Self {
            width: p,
            directions: k,
            rows: n,
            students: (0..p).map(|j| (0..k + m).map(|l| coordinate(j, l)).collect()).collect(),
            anchor: vec![Vec::new(); p],
            lanes,
            threads,
            arch: Arch::new(),
            normals: (0..k + m).collect(),
            signals: Vec::new(),
            knowledge: Knowledge::new(k + m, fluctuations),
            source,
            coordinates: vec![Vec::new(); p],
            root: symmetric_root(problem.target.overlaps.as_ref())?,
            seen: None,
        })
    }

    /// c.
    fn columns(&self) -> usize {
        self.normals.len() + self.signals.len()
    }

    /// A with Λ = F A, c×p, row-major: C on the normals, K Cᵀ on the signals.
    fn factor(&self) -> Vec<f64> {
        let p = self.width;
        let mut factor = vec![0.0; self.columns() * p];
        for (j, student) in self.students.iter().enumerate() {
            for (l, coordinate) in student.iter().enumerate() {
                factor[self.normals[l] * p + j] = *coordinate;
                for (column, mixing) in self.signals.iter().zip(self.knowledge.mixing(l)) {
                    factor[column * p + j] += mixing * coordinate;
                }
            }
        }
        factor
    }

    /// Coordinates of G_j, those of the last signals: `Σ_i c_i Xᵀ v_i` (r).
    fn gradient(&self, j: usize) -> Vec<f64> {
        let mut gradient = vec![0.0; self.knowledge.right()];
        add_gradient(&mut gradient, &self.coordinates[j], &self.knowledge, 1.0);
        gradient
    }

    /// Reveals the data along p new signals, the columns from `first` on, of which the inner products with all columns are
    /// given.
    fn reveal(&mut self, first: usize, products: &Mat<f64>) {
        let p = self.width;
        let limit = self.knowledge.is_limit();
        let mut kept = Vec::with_capacity(2 * p);
        for j in 0..p {
            let (signals, normals) = (&self.signals, &self.normals);
            let q = signals.len();
            let column = |i: usize| if i < q { signals[i] } else { first + j };
            self.coordinates[j] = self.knowledge.reveal(
                |i| products[(column(i), j)],
                // Normals of this very step know nothing of its signals.
                |l| if limit && normals[l] >= first { 0.0 } else { products[(normals[l], j)] },
                |i| products[(column(i), p + j)],
            );
            if self.knowledge.left() > q {
                self.signals.push(first + j);
                self.normals.push(first + p + j);
                kept.extend([first + j, first + p + j]);
            }
        }
        self.source.advance(p);
        kept.sort_unstable();
        lanes::each(self.threads, &mut self.lanes, |_, lane| lane.columns.keep(first, &kept));
        let place = |column: &mut usize| {
            if let Ok(at) = kept.binary_search(column) {
                *column = first + at;
            }
        };
        self.signals.iter_mut().chain(&mut self.normals).for_each(place);
    }
}

/// Adds b G_j to `row`: `b Σ_i c_i Xᵀ v_i`.
fn add_gradient(row: &mut [f64], coordinates: &[f64], knowledge: &Knowledge, b: f64) {
    for (i, c) in coordinates.iter().enumerate() {
        row.iter_mut().zip(knowledge.image(i)).for_each(|(w, along)| *w += b * c * along);
    }
}

impl Frame for Reused {
    fn look(&mut self, batch: &Batch<'_>, context: &StepContext<'_>, sums: &mut Sums) {
        let Batch::Rows(rows) = batch else { unreachable!("plan gives fresh data to the gaussian frame") };
        let first = self.columns();
        let factor = self.factor();
        let look = Look {
            rows,
            context,
            normals: &self.normals,
            signals: &self.signals,
            factor: &factor,
            source: &self.source,
            fluctuates: !self.knowledge.is_limit(),
            arch: self.arch,
        };
        lanes::each(self.threads, &mut self.lanes, |_, lane| lane.look(&look));
        sums.clear();
        self.lanes.iter().for_each(|lane| sums.merge(&lane.workspace.sums));
        if context.wants_gradient && sums.size.is_finite() {
            let mut products = Mat::zeros(first + 2 * self.width, 2 * self.width);
            self.lanes.iter().for_each(|lane| products += &lane.products);
            self.reveal(first, &products);
            self.see();
        }
    }

    fn apply(&mut self, map: &RowMap) {
        let r = self.knowledge.right();
        if let Some((factor, b)) = map.as_step() {
            for ((student, factor), coordinates) in self.students.iter_mut().zip(factor).zip(&self.coordinates) {
                student.iter_mut().for_each(|w| *w *= factor);
                if b != 0.0 {
                    student.resize(r, 0.0);
                    add_gradient(student, coordinates, &self.knowledge, b);
                }
            }
            return;
        }
        for j in 0..self.width {
            let gradient = self.gradient(j);
            let (student, anchor) = (&mut self.students[j], &mut self.anchor[j]);
            student.resize(r, 0.0);
            anchor.resize(r, 0.0);
            for (l, (w, anchor)) in student.iter_mut().zip(anchor).enumerate() {
                let old: [f64; MOST_SLOTS] = [*w, *anchor];
                [*w, *anchor] = map.at(j, old, |b| b * gradient[l]);
            }
        }
    }

    fn gram(&mut self, into: &mut Gram) {
        let (p, r) = (self.width, self.knowledge.right());
        let mut rows = Mat::zeros(p, r);
        for j in 0..p {
            self.gradient(j).iter().enumerate().for_each(|(l, g)| rows[(j, l)] = *g);
        }
        into.teacher = rows.subcols(0, self.directions) * &self.root;
        into.gradient = &rows * rows.transpose();
        let along = |slot: &[Vec<f64>]| {
            let product = |j: usize| slot[j].iter().enumerate().map(|(l, w)| w * rows[(j, l)]).sum::<f64>();
            (0..p).map(product).collect()
        };
        into.along = [&self.students, &self.anchor].map(|slot| along(slot)).into();
    }

    fn norms(&mut self, norms: &mut [f64]) {
        for (norm, student) in norms.iter_mut().zip(&self.students) {
            *norm = student.iter().map(|w| w * w).sum::<f64>().sqrt();
        }
    }

    fn work(&self, _: usize) -> u64 {
        // All columns, at the end of the run, are read twice; p + 2p products for each.
        (self.rows * self.lanes[0].columns.capacity() * 3 * self.width) as u64
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
