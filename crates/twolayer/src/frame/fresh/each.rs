//! Samples that are displaced each by its own gradient: their signals depend on their lengths, and so does the Gram matrix of
//! what they add outside the span of all weights. (theory.md §11)

use faer::Mat;

use super::rank_one;
use crate::random::{Chi, Stream, normal};

/// Draws the parts of fresh samples outside the span of all weights, in ν dimensions: each by its coordinates along the (at
/// most p) dimensions that what came before it in the batch spans, and the length of the rest. The basis may turn from sample
/// to sample: normals have the same law in each.
#[derive(Debug, Clone)]
pub(super) struct Outsiders {
    width: usize,
    /// min(p, ν).
    within: usize,
    /// χ_{ν−p}.
    beyond: Chi,
}

/// The samples of one lane, one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Outside {
    /// p coordinates and the length of the rest for each sample.
    coordinates: Vec<f64>,
    /// p for each sample.
    pub(super) signals: Vec<f64>,
}

impl Outsiders {
    pub(super) fn new(width: usize, degrees: u64) -> Self {
        let within = (width as u64).min(degrees);
        Self { width, within: within as usize, beyond: Chi::new(degrees - within) }
    }

    /// Draws one more sample for each of `squares`, and adds its squared length outside to it.
    pub(super) fn draw(&self, stream: &mut Stream, into: &mut Outside, squares: &mut [f64]) {
        for square in squares {
            let from = into.coordinates.len();
            into.coordinates.extend((0..self.width).map(|i| if i < self.within { normal(stream) } else { 0.0 }));
            into.coordinates.push(self.beyond.sample(stream));
            *square += into.coordinates[from..].iter().map(|x| x * x).sum::<f64>();
        }
    }

    /// B, p×p lower triangular, with `B Bᵀ` the Gram matrix of `Σ_μ signal_jμ x_⊥μ` over the samples of all lanes: their sum
    /// grows by one sample at a time, in O(p²).
    pub(super) fn factor<'a>(&self, lanes: impl Iterator<Item = &'a Outside>) -> Mat<f64> {
        let p = self.width;
        let (mut lower, keep) = (vec![0.0; p * (p + 1)], vec![1.0; p]);
        for Outside { coordinates, signals } in lanes {
            for (coordinates, signals) in coordinates.chunks_exact(p + 1).zip(signals.chunks_exact(p)) {
                rank_one::update(&mut lower, &keep, signals.iter().copied(), &coordinates[..p], coordinates[p]);
            }
        }
        Mat::from_fn(p, p, |j, i| lower[i * p + j])
    }
}

/// The squared lengths of m samples in some coordinates.
pub(super) fn squares<'a>(coordinates: impl Iterator<Item = &'a [f64]>, m: usize, into: &mut Vec<f64>) {
    into.clear();
    into.resize(m, 0.0);
    coordinates.for_each(|z| into.iter_mut().zip(z).for_each(|(square, z)| *square += z * z));
}

impl Outside {
    pub(super) fn clear(&mut self) {
        self.coordinates.clear();
        self.signals.clear();
    }

    /// The signals of the m samples that were drawn last, p×m.
    pub(super) fn take(&mut self, signal: &[f64], m: usize) {
        self.signals.extend((0..m).flat_map(|mu| signal.iter().skip(mu).step_by(m)));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{
        average::{self, Kernel},
        expression::{Expression, Vocabulary},
        frame::{Frame, direct::Direct, fresh::Fresh},
        observer::Silent,
        problem::{
            Activation, DisplacementOf, Duration, Formula, Loss, Network, Placement, Problem, Record, Rule, Start,
            Target, Training,
        },
        random::Streams,
        record::observable::STUDENT_TEACHER,
        signal::Feed,
        simulate::simulate,
    };

    const STEPS: u64 = 25;
    const RUNS: u64 = 16;

    /// A relu neuron learns he3(z1) by displaced gradients, as public codes have it: d = 512, batches of 2d, ρ = 0.1/d.
    fn problem(of: DisplacementOf) -> Problem {
        let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
        let target = Target::new(Rule::Expression(Expression::parse("he3(z1)", &vocabulary).unwrap()));
        let mut network = Network::new(1, Activation::Relu);
        network.first_layer.placement = Placement::Orthonormal;
        let formula = |text: &str| Formula::parse(text, &BTreeMap::new()).unwrap();
        let mut training = Training::new(512, formula("0.1*p"), Duration::Steps(Formula::number(STEPS as f64)));
        training.batch = formula("2*d");
        training.loss = Loss::Correlation;
        training.displacement = formula("0.1*p/d");
        training.displacement_of = of;
        Problem::new(target, network, training).unwrap()
    }

    /// M at the end: mean and standard error.
    fn end<F: Frame>(problem: &Problem, frame: impl Fn(&Start, Streams) -> F) -> [f64; 2] {
        let kernel: Box<dyn Kernel> = average::for_problem(problem, 1e-2).unwrap();
        let ends: Vec<f64> = (0..RUNS)
            .map(|replicate| {
                let streams = Streams { seed: 7, replicate };
                let start = problem.start(streams).unwrap();
                let feed = Feed::new(problem, streams).unwrap().0;
                let (frame, record) = (frame(&start, streams), Record::default());
                let run =
                    simulate(problem, frame, feed, &start, kernel.as_ref(), &[0, STEPS], &record, &Silent).unwrap();
                run.of(&STUDENT_TEACHER)[1]
            })
            .collect();
        let n = RUNS as f64;
        let mean = ends.iter().sum::<f64>() / n;
        let square = ends.iter().map(|end| (end - mean).powi(2)).sum::<f64>();
        [mean, (square / (n * (n - 1.0))).sqrt()]
    }

    /// −.358 ± .007 in an independent NumPy code with each sample's own gradient, .000 ± .021 with the batch's mean gradient.
    #[test]
    fn the_public_setting_has_its_published_overlap() {
        for (of, expected, error) in [(DisplacementOf::Sample, -0.358, 0.007), (DisplacementOf::Batch, 0.0, 0.021)] {
            let problem = problem(of);
            let direct = end(&problem, |start, streams| Direct::new(&problem, start, 512, None, streams, 1).unwrap());
            let reduced = end(&problem, |start, streams| {
                Fresh::new(&problem, start, 512, problem.keeps_batches(), streams, 1).unwrap()
            });
            for [mean, own] in [direct, reduced] {
                assert!((mean - expected).abs() < 4.0 * own.hypot(error) && own < 0.05, "{of:?}: {mean} ± {own}");
            }
        }
    }
}
