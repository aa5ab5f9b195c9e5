//! Which samples each step looks at, and their labels: the protocol of theory.md §1.

use rand::RngExt;

use super::{Batch, Labels, Rows};
use crate::{
    error::Result,
    problem::{Data, Problem, ReuseOrder},
    random::{Purpose, Stream, Streams},
};

/// Hands out the batch of each step: fresh ones, each used as often in a row as the problem says, or rows of a stored
/// data set.
pub struct Feed<'a> {
    batch: usize,
    source: Source<'a>,
}

enum Source<'a> {
    Fresh { labels: Box<Labels<'a>>, repeats: u64, left: u64 },
    Stored(Box<Stored>),
}

/// A data set of n samples: labels here, inputs in the frame.
struct Stored {
    labels: Vec<f64>,
    order: ReuseOrder,
    /// First row of the next batch (cyclic).
    next: usize,
    stream: Stream,
    /// The rows in some order; its first n_b are the batch (with replacement).
    rows: Vec<usize>,
    /// Labels of the batch (with replacement).
    gathered: Vec<f64>,
}

/// Coordinates of n stored samples along an orthonormal basis of the target's span, k×n: what a frame must know of them.
pub type Coordinates = Vec<f64>;

impl<'a> Feed<'a> {
    /// The batches of `problem`; for a stored data set, also the coordinates of its samples along the target.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
    pub fn new(problem: &'a Problem, streams: Streams) -> Result<(Self, Option<Coordinates>)> {
        let batch = problem.batch();
        if problem.training.data == Data::Fresh {
            let labels = Box::new(Labels::new(problem, batch, streams)?);
            let source = Source::Fresh { labels, repeats: problem.training.repeats, left: 0 };
            return Ok((Self { batch, source }, None));
        }
        let n = problem.samples();
        let (coordinates, labels) = Labels::new(problem, n, streams)?.data_set(n);
        Ok((Self::stored(problem, labels, streams), Some(coordinates)))
    }

    /// Batches of the samples whose coordinates along the target (k×n) and label noise (n normals, or none) are given.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
    pub fn of_samples(problem: &'a Problem, coordinates: &[f64], noise: &[f64], streams: Streams) -> Result<Self> {
        let labels = Labels::new(problem, problem.samples(), streams)?.of_samples(coordinates, noise);
        Ok(Self::stored(problem, labels, streams))
    }

    fn stored(problem: &Problem, labels: Vec<f64>, streams: Streams) -> Self {
        let (batch, n) = (problem.batch(), labels.len());
        let order = if batch == n { ReuseOrder::Full } else { problem.training.reuse_order };
        let drawn = order == ReuseOrder::WithReplacement;
        let stored = Stored {
            labels,
            order,
            next: 0,
            stream: streams.stream(Purpose::Rows),
            rows: if drawn { (0..n).collect() } else { Vec::new() },
            gathered: vec![0.0; if drawn { batch } else { 0 }],
        };
        Self { batch, source: Source::Stored(Box::new(stored)) }
    }

    /// The next batch and its labels.
    pub fn next_batch(&mut self) -> (Batch<'_>, &[f64]) {
        let batch = self.batch;
        match &mut self.source {
            Source::Fresh { labels, repeats, left } => {
                if *left == 0 {
                    *left = *repeats - 1;
                    let samples = labels.next(batch);
                    (Batch::Fresh(samples), samples.labels)
                } else {
                    *left -= 1;
                    let samples = labels.last(batch);
                    (Batch::Same(samples), samples.labels)
                }
            }
            Source::Stored(stored) => stored.next_batch(batch),
        }
    }

    /// The batch of the last step and its labels, looked at again; only after [`next_batch`](Self::next_batch).
    pub fn last_batch(&self) -> (Batch<'_>, &[f64]) {
        let batch = self.batch;
        match &self.source {
            Source::Fresh { labels, .. } => {
                let samples = labels.last(batch);
                (Batch::Same(samples), samples.labels)
            }
            Source::Stored(stored) => {
                let n = stored.labels.len();
                match stored.order {
                    ReuseOrder::Full => (Batch::Rows(Rows::Block { from: 0, count: n }), &stored.labels),
                    ReuseOrder::Cyclic => {
                        let from = (stored.next + n - batch) % n;
                        (Batch::Rows(Rows::Block { from, count: batch }), &stored.labels[from..from + batch])
                    }
                    ReuseOrder::WithReplacement => (Batch::Rows(Rows::List(&stored.rows[..batch])), &stored.gathered),
                }
            }
        }
    }

    /// All stored samples and their labels; `None` where data is fresh.
    pub fn all(&self) -> Option<(Batch<'static>, &[f64])> {
        match &self.source {
            Source::Fresh { .. } => None,
            Source::Stored(stored) => {
                let count = stored.labels.len();
                Some((Batch::Rows(Rows::Block { from: 0, count }), &stored.labels))
            }
        }
    }

    /// Whether every step looks at all stored samples.
    pub fn is_full(&self) -> bool {
        matches!(&self.source, Source::Stored(stored) if stored.order == ReuseOrder::Full)
    }

    /// Distinct samples seen in `steps` steps; their mean, `n (1 − (1 − n_b/n)^steps)`, where batches are drawn.
    pub fn distinct(&self, steps: u64) -> f64 {
        match &self.source {
            Source::Fresh { repeats, .. } => self.batch as f64 * steps.div_ceil(*repeats) as f64,
            Source::Stored(stored) => match stored.order {
                ReuseOrder::Full if steps > 0 => stored.labels.len() as f64,
                ReuseOrder::Full => 0.0,
                ReuseOrder::Cyclic => (self.batch as f64 * steps as f64).min(stored.labels.len() as f64),
                ReuseOrder::WithReplacement => {
                    let n = stored.labels.len() as f64;
                    n * (1.0 - (1.0 - self.batch as f64 / n).powf(steps as f64))
                }
            },
        }
    }
}

impl Stored {
    fn next_batch(&mut self, batch: usize) -> (Batch<'_>, &[f64]) {
        let n = self.labels.len();
        match self.order {
            ReuseOrder::Full => (Batch::Rows(Rows::Block { from: 0, count: n }), &self.labels),
            ReuseOrder::Cyclic => {
                // n_b divides n.
                let from = self.next;
                self.next = (self.next + batch) % n;
                (Batch::Rows(Rows::Block { from, count: batch }), &self.labels[from..from + batch])
            }
            ReuseOrder::WithReplacement => {
                // The first n_b places of a shuffle: distinct rows, whatever the order before.
                for place in 0..batch {
                    let other = self.stream.random_range(place..n);
                    self.rows.swap(place, other);
                }
                self.rows[..batch].sort_unstable();
                self.gathered.iter_mut().zip(&self.rows).for_each(|(gathered, row)| *gathered = self.labels[*row]);
                (Batch::Rows(Rows::List(&self.rows[..batch])), &self.gathered)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Activation, Duration, Formula, Network, Rule, Target, Training};

    fn problem(order: ReuseOrder, batch: f64) -> Problem {
        let target = Target::new(Rule::committee(Activation::Linear, 1, 1.0));
        let mut training = Training::new(30, Formula::number(0.1), Duration::Steps(Formula::number(9.0)));
        training.data = Data::Reused;
        training.samples = Some(Formula::number(12.0));
        training.batch = Formula::number(batch);
        training.reuse_order = order;
        Problem::new(target, Network::new(1, Activation::Erf), training).unwrap()
    }

    fn rows(batch: Batch<'_>) -> Vec<usize> {
        match batch {
            Batch::Rows(Rows::Block { from, count }) => (from..from + count).collect(),
            Batch::Rows(Rows::List(rows)) => rows.to_vec(),
            _ => panic!("not a stored batch"),
        }
    }

    const STREAMS: Streams = Streams { seed: 3, replicate: 0 };

    #[test]
    fn cyclic_batches_go_round_and_labels_belong_to_their_rows() {
        let problem = problem(ReuseOrder::Cyclic, 4.0);
        let (mut feed, coordinates) = Feed::new(&problem, STREAMS).unwrap();
        let coordinates = coordinates.unwrap();
        for step in 0..7 {
            let (batch, labels) = feed.next_batch();
            let expected: Vec<usize> = (0..4).map(|i| (4 * step + i) % 12).collect();
            let labels = labels.to_vec();
            assert_eq!(rows(batch), expected);
            let (again, same) = feed.last_batch();
            assert_eq!((rows(again), same), (expected.clone(), &labels[..]));
            // y = z.
            assert_eq!(labels, expected.iter().map(|row| coordinates[*row]).collect::<Vec<_>>());
        }
        assert_eq!((feed.distinct(0), feed.distinct(2), feed.distinct(7)), (0.0, 8.0, 12.0));
    }

    /// Each of the n rows is drawn with chance n_b/n at each step, and never twice in a batch.
    #[test]
    fn draws_with_replacement_are_uniform_over_sets() {
        let problem = problem(ReuseOrder::WithReplacement, 5.0);
        let (mut feed, _) = Feed::new(&problem, STREAMS).unwrap();
        let mut counts = [[0.0; 12]; 12];
        let draws = 20_000;
        for _ in 0..draws {
            let batch = rows(feed.next_batch().0);
            for (place, row) in batch.iter().enumerate() {
                for other in &batch[..place] {
                    assert_ne!(row, other);
                    counts[*row][*other] += 1.0;
                    counts[*other][*row] += 1.0;
                }
            }
        }
        let chance = 5.0 * 4.0 / (12.0 * 11.0);
        for row in 0..12 {
            for other in 0..12 {
                let z = (counts[row][other] / draws as f64 - chance) / (chance * (1.0 - chance) / draws as f64).sqrt();
                assert!(row == other || z.abs() < 4.5, "rows {row}, {other}: z = {z}");
            }
        }
        assert!(feed.distinct(0) == 0.0 && (feed.distinct(1) - 5.0).abs() < 1e-12);
        assert!((feed.distinct(2) - (12.0 - 49.0 / 12.0)).abs() < 1e-12 && (feed.distinct(draws) - 12.0).abs() < 1e-9);
    }
}
