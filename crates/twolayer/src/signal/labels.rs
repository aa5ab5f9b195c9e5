//! Labels, a block of samples ahead of the weights that will see them.

use faer::Mat;

use crate::{
    error::Result,
    expression::Scratch,
    overlaps::symmetric_root,
    problem::{Problem, Rule},
    random::{Purpose, Stream, Streams, fill_normal, normal},
};

/// Samples evaluated together, so that batches of 1 do not pay for the calls.
const BLOCK: usize = 256;

/// Draws the coordinates of fresh samples along the target directions, and their labels `y = g(P^{1/2} c) + √Δ ξ`.
///
/// Neither depends on the weights, so they are drawn a block ahead.
pub struct Labels<'a> {
    problem: &'a Problem,
    root: Option<Mat<f64>>,
    teacher: Stream,
    noise: Stream,
    block: usize,
    used: usize,
    /// c, k×block.
    coordinates: Vec<f64>,
    /// z = P^{1/2} c, k×block; empty when P = I.
    fields: Vec<f64>,
    labels: Vec<f64>,
    part: Vec<f64>,
    scratch: Scratch,
}

/// A batch of fresh samples as the target sees them.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    coordinates: &'a [f64],
    stride: usize,
    from: usize,
    count: usize,
    /// y (n_b).
    pub labels: &'a [f64],
}

impl<'a> Samples<'a> {
    /// n_b.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Standard normal coordinates of the samples along direction r of an orthonormal basis of the target's span (n_b).
    pub fn direction(&self, r: usize) -> &'a [f64] {
        let start = r * self.stride + self.from;
        &self.coordinates[start..start + self.count]
    }
}

impl<'a> Labels<'a> {
    /// For batches of `batch` samples.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
    pub fn new(problem: &'a Problem, batch: usize, streams: Streams) -> Result<Self> {
        let k = problem.directions();
        let p = &problem.target.overlaps;
        let root = if *p == Mat::<f64>::identity(k, k) { None } else { Some(symmetric_root(p.as_ref())?) };
        let block = batch * (BLOCK / batch).max(1);
        Ok(Self {
            problem,
            fields: vec![0.0; if root.is_some() { k * block } else { 0 }],
            root,
            teacher: streams.stream(Purpose::Teacher),
            noise: streams.stream(Purpose::LabelNoise),
            block,
            used: block,
            coordinates: vec![0.0; k * block],
            labels: vec![0.0; block],
            part: vec![0.0; block],
            scratch: Scratch::default(),
        })
    }

    /// The next `count` samples; `count` divides the block.
    pub fn next(&mut self, count: usize) -> Samples<'_> {
        if self.used == self.block {
            self.refill();
        }
        let from = self.used;
        self.used += count;
        let labels = &self.labels[from..from + count];
        Samples { coordinates: &self.coordinates, stride: self.block, from, count, labels }
    }

    /// The samples of the last call of [`next`](Self::next), once more.
    pub fn last(&self, count: usize) -> Samples<'_> {
        let from = self.used - count;
        let labels = &self.labels[from..self.used];
        Samples { coordinates: &self.coordinates, stride: self.block, from, count, labels }
    }

    /// Coordinates (k×n) and labels (n) of a data set that is kept; `n` is what the labels were made for.
    pub fn data_set(mut self, n: usize) -> (Vec<f64>, Vec<f64>) {
        self.block = n;
        self.coordinates.truncate(self.problem.directions() * n);
        self.fields.truncate(self.coordinates.len().min(self.fields.len()));
        self.labels.truncate(n);
        self.part.truncate(n);
        self.refill();
        (self.coordinates, self.labels)
    }

    /// Labels (n) of samples whose coordinates (k×n) and label noise (n normals, or none) are given; n is what the labels
    /// were made for.
    pub fn of_samples(mut self, coordinates: &[f64], noise: &[f64]) -> Vec<f64> {
        let n = coordinates.len() / self.problem.directions();
        self.block = n;
        self.coordinates = coordinates.to_vec();
        self.fields.truncate(coordinates.len());
        self.labels.truncate(n);
        self.part.truncate(n);
        self.label();
        let scale = self.problem.target.noise.sqrt();
        self.labels.iter_mut().zip(noise).for_each(|(y, xi)| *y += scale * xi);
        self.labels
    }

    fn refill(&mut self) {
        self.used = 0;
        fill_normal(&mut self.teacher, &mut self.coordinates);
        self.label();
        let noise = self.problem.target.noise.sqrt();
        if noise > 0.0 {
            self.labels.iter_mut().for_each(|y| *y += noise * normal(&mut self.noise));
        }
    }

    /// Labels without noise.
    fn label(&mut self) {
        if let Some(root) = &self.root {
            self.fields.fill(0.0);
            for (r, fields) in self.fields.chunks_exact_mut(self.block).enumerate() {
                for (i, coordinates) in self.coordinates.chunks_exact(self.block).enumerate() {
                    fields.iter_mut().zip(coordinates).for_each(|(z, c)| *z += root[(r, i)] * c);
                }
            }
        }
        let fields = if self.root.is_some() { &self.fields } else { &self.coordinates };
        match &self.problem.target.rule {
            Rule::Expression(expression) => {
                let inputs: Vec<&[f64]> = fields.chunks_exact(self.block).collect();
                expression.evaluate(&inputs, &mut self.labels, &mut self.scratch);
            }
            Rule::Committee { activation, weights } => {
                self.labels.fill(0.0);
                for (z, weight) in fields.chunks_exact(self.block).zip(weights) {
                    self.part.copy_from_slice(z);
                    activation.values(&mut self.part);
                    self.labels.iter_mut().zip(&self.part).for_each(|(y, value)| *y += weight * value);
                }
            }
        }
    }
}
