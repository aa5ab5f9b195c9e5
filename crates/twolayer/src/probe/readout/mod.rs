//! Ridge regression of the second layer on the features of a simulation, on the way. (theory.md §8)

use faer::{Mat, MatRef};

use super::{Moment, NEVER, Probe, Verdict};
use crate::{
    error::Result,
    problem::{Preprocess, Problem, Readout, ReadoutData},
    random::{Purpose, Stream, Streams},
    readout::{Errors, Ridge},
    record::{
        Trajectory,
        observable::{TEST_ERROR, TEST_ERROR_ERROR, TRAIN_ERROR},
    },
    signal::{Head, Labels},
};

/// Samples whose features are made together.
const BLOCK: usize = 1024;

/// Fits the second layer after the last step, or after every step, and tests it on fresh samples.
pub struct ReadoutProbe<'a> {
    problem: &'a Problem,
    setting: &'a Readout,
    /// n_2, as they were written.
    sizes: Vec<usize>,
    /// The steps after which it looks.
    steps: Vec<u64>,
    /// How many of them are done.
    done: usize,
    labels: Labels<'a>,
    block: usize,
    threads: usize,
    stream: Stream,
    /// Of the last samples looked at: features (p·m), and what is left of their labels (m).
    fields: Vec<f64>,
    left: Vec<f64>,
}

/// Train errors (N·L) and second layers (p×(N·L)).
type Fits = (Vec<f64>, Mat<f64>);

impl<'a> ReadoutProbe<'a> {
    /// For a replicate of `problem`; its samples have streams of their own.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where the setting makes no sense, [`Error::Numerical`](crate::Error) where
    /// P is not a covariance.
    pub fn new(problem: &'a Problem, setting: &'a Readout, streams: Streams, threads: usize) -> Result<Self> {
        let sizes = setting.samples(problem.sizes())?;
        let most = sizes.iter().copied().max().unwrap_or(1).max(setting.test_samples);
        let block = most.min(BLOCK);
        let streams = streams.of_engine("readout");
        Ok(Self {
            labels: Labels::new(problem, block, streams)?,
            stream: streams.stream(Purpose::Input),
            problem,
            setting,
            sizes,
            steps: setting.steps(problem),
            done: 0,
            block,
            threads,
            fields: Vec::new(),
            left: Vec::new(),
        })
    }

    /// The features of a block of fresh samples, and what is left of their labels.
    fn fresh(&mut self, at: &mut dyn Moment) -> Result<()> {
        let samples = self.labels.next(self.block);
        self.left = samples.labels.to_vec();
        at.fields(&samples, &mut self.stream, &mut self.fields)?;
        self.features(at.head(), at.label_mean());
        Ok(())
    }

    /// Makes features of fields, and takes from the labels what training has subtracted.
    fn features(&mut self, head: &Head, mean: f64) {
        let Self { fields, left, problem, .. } = self;
        let (p, m) = (problem.width(), left.len());
        if problem.training.preprocess != Preprocess::None {
            left.iter_mut().for_each(|y| *y -= mean);
            left.iter_mut().zip(&fields[p * m..]).for_each(|(y, linear)| *y -= linear);
        }
        fields.truncate(p * m);
        for (fields, b) in fields.chunks_exact_mut(m).zip(&head.bias) {
            fields.iter_mut().for_each(|h| *h += b);
        }
        problem.network.activation.values(fields);
        let scale = problem.output_scale();
        fields.iter_mut().for_each(|f| *f *= scale);
    }

    /// Fits to fresh samples: the larger sizes hold the smaller.
    fn fit_fresh(&mut self, at: &mut dyn Moment) -> Result<Fits> {
        let (p, layers) = (self.problem.width(), self.setting.ridge.len());
        let mut order: Vec<usize> = (0..self.sizes.len()).collect();
        order.sort_by_key(|i| self.sizes[*i]);
        let mut train = vec![0.0; self.sizes.len() * layers];
        let mut second_layers = Mat::zeros(p, self.sizes.len() * layers);
        let mut ridge = Ridge::new(p, self.threads);
        for i in order {
            while ridge.count() < self.sizes[i] {
                let m = (self.sizes[i] - ridge.count()).min(self.block);
                self.fresh(at)?;
                let features = MatRef::from_column_major_slice(&self.fields, self.block, p);
                ridge.add(features.subrows(0, m), &self.left[..m]);
            }
            let fit = ridge.fit(&self.setting.ridge)?;
            train[i * layers..(i + 1) * layers].copy_from_slice(&fit.train_error);
            second_layers.subcols_mut(i * layers, layers).copy_from(&fit.weights);
        }
        Ok((train, second_layers))
    }

    /// A fit to the batch of the step just made; `None` before the first step.
    fn fit_last(&mut self, at: &mut dyn Moment) -> Result<Option<Fits>> {
        let Some(labels) = at.batch(&mut self.fields) else { return Ok(None) };
        let (p, n) = (self.problem.width(), labels.len());
        self.left = labels;
        self.features(at.head(), at.label_mean());
        let mut ridge = Ridge::new(p, self.threads);
        ridge.add(MatRef::from_column_major_slice(&self.fields, n, p), &self.left);
        let fit = ridge.fit(&self.setting.ridge)?;
        Ok(Some((fit.train_error, fit.weights)))
    }

    /// Mean and standard error of the loss on fresh samples, of each second layer.
    fn test(&mut self, second_layers: Mat<f64>, at: &mut dyn Moment) -> Result<Vec<(f64, f64)>> {
        let mut errors = Errors::new(second_layers);
        let mut left = self.setting.test_samples;
        while left > 0 {
            let m = left.min(self.block);
            self.fresh(at)?;
            let features = MatRef::from_column_major_slice(&self.fields, self.block, self.problem.width());
            errors.add(features.subrows(0, m), &self.left[..m]);
            left -= m;
        }
        Ok(errors.means())
    }
}

impl Probe for ReadoutProbe<'_> {
    fn due(&self) -> u64 {
        self.steps.get(self.done).copied().unwrap_or(NEVER)
    }

    fn look(&mut self, at: &mut dyn Moment, into: &mut Trajectory) -> Result<Verdict> {
        let row = self.done;
        self.done += 1;
        let fits = match self.setting.data {
            ReadoutData::Fresh(_) => Some(self.fit_fresh(at)?),
            ReadoutData::Same => self.fit_last(at)?,
        };
        // Before the first step there is no batch: its row stays NaN.
        let Some((train, second_layers)) = fits else { return Ok(Verdict::GoOn) };
        let (test, errors): (Vec<f64>, Vec<f64>) = self.test(second_layers, at)?.into_iter().unzip();
        for (observable, values) in [(&TRAIN_ERROR, train), (&TEST_ERROR, test), (&TEST_ERROR_ERROR, errors)] {
            let size = values.len();
            into.of_mut(observable)[row * size..(row + 1) * size].copy_from_slice(&values);
        }
        Ok(Verdict::GoOn)
    }
}

#[cfg(test)]
mod laws;
