//! Averages over frozen samples of the fields: any target, any activation, biases too. (theory.md §6)

use faer::{Accum, Mat, Par, linalg::matmul::matmul};

mod fields;
mod points;

use super::{
    Averages, Kernel, State, Want,
    label::labels,
    replicates::{REPLICATES, mean_and_error, mean_and_largest_error},
};
use crate::{
    error::Result,
    expression::Scratch,
    gaussian::sobol::TABLE,
    problem::{Activation, Loss, Problem, Rule},
};
use fields::Fields;
pub(super) use points::widen;
use points::{BLOCK, Points, draw, tensor};

/// Points of a replicate for the N of a network too wide to keep them.
const WIDE_POINTS: usize = 4096;

/// Nodes kept at most, in numbers (64 MB).
const MEMORY: usize = 1 << 23;

/// The kernel of any network and target by averages over `z = P^{1/2} ζ_z`, `λ = M P^{−1/2} ζ_z + V^{1/2} ζ_λ`,
/// `V = Q − M P⁻¹ Mᵀ`, ζ scrambled Sobol normals or a tensor of Gauss–Hermite nodes. The target depends on the first
/// coordinates of ζ alone, the best of a Sobol sequence.
///
/// The nodes are drawn once, so that the averages are a smooth function of the state, as an integrator needs.
/// Cost: samples·(p+k)² multiplications for the fields and for D, samples·p² for N, samples·p activations.
#[derive(Debug)]
pub struct SampledKernel {
    activation: Activation,
    rule: Rule,
    output_scale: f64,
    label_noise: f64,
    loss: Loss,
    students: usize,
    fields: usize,
    nodes: Nodes,
}

/// Sets of nodes, each of which gives all the averages.
#[derive(Debug)]
enum Nodes {
    /// Independent replicates: their mean, and its standard error.
    Replicates(Vec<Vec<Points>>),
    /// Replicates of as many points, drawn again from the same seed at each evaluation because they are too many to keep.
    Drawn { points: usize, seed: u64 },
    /// Two rules: the second, and its distance from the first.
    Rules([Vec<Points>; 2]),
}

/// The averages over one set of nodes.
struct SetAverages {
    averages: Averages,
    /// `E[g (λ, z)ᵀ]`, p×(p+k).
    drift: Mat<f64>,
}

/// Arrays of one block of samples.
struct Block {
    /// (λ, z), 256×(p+k).
    fields: Mat<f64>,
    /// σ(h), 256×p.
    values: Mat<f64>,
    /// σ'(h), 256×p.
    derivatives: Mat<f64>,
    /// The error signals of one kind, 256×p.
    signals: Mat<f64>,
    output: Vec<f64>,
    label: Vec<f64>,
    factor: Vec<f64>,
    expression: Scratch,
}

/// What an evaluation shares between its blocks.
struct Evaluation<'a> {
    state: &'a State,
    want: Want,
    fields: Fields,
}

impl SampledKernel {
    /// The kernel of `problem` with 8 independent replicates of `points` samples (a multiple of 256, best a power of 2).
    pub fn new(problem: &Problem, points: usize) -> Self {
        Self::seeded(problem, points, 0)
    }

    /// The same with other samples for each `seed`.
    pub fn seeded(problem: &Problem, points: usize, seed: u64) -> Self {
        let (p, k) = (problem.width(), problem.directions());
        let points = points.div_ceil(BLOCK).max(1) * BLOCK;
        let sets = (0..REPLICATES).map(|replicate| draw(points, p, k, seed, replicate)).collect();
        Self::with(problem, Nodes::Replicates(sets))
    }

    /// The kernel for the N of `problem`: a wide network takes some seconds for it, with more samples than fit in memory.
    pub fn for_noise(problem: &Problem, tolerance: f64, seed: u64) -> Self {
        let points = Self::points_for(problem, tolerance);
        if points >= WIDE_POINTS.min((0.4 / tolerance) as usize) {
            return Self::seeded(problem, points, seed);
        }
        Self::with(problem, Nodes::Drawn { points: WIDE_POINTS, seed })
    }

    /// The kernel of `problem` with `count` Gauss–Hermite nodes in each of the p + k directions: exact where σ'² (f − g)²
    /// is a polynomial of degree below 2·`count` − 2.
    pub fn tensor(problem: &Problem, count: usize) -> Self {
        Self::with(problem, Nodes::Rules([count - 1, count].map(|count| tensor(problem, count))))
    }

    fn with(problem: &Problem, nodes: Nodes) -> Self {
        Self {
            activation: problem.network.activation.clone(),
            rule: problem.target.rule.clone(),
            output_scale: problem.output_scale(),
            label_noise: problem.target.noise,
            loss: problem.training.loss,
            students: problem.width(),
            fields: problem.width() + problem.directions(),
            nodes,
        }
    }

    /// Samples per replicate that give a relative error of the order of `tolerance`: 4096 at 10⁻⁴, fewer where p + k is so
    /// large that they would not fit in 64 MB.
    pub fn points_for(problem: &Problem, tolerance: f64) -> usize {
        let n = problem.width() + problem.directions();
        let wanted = (0.4 / tolerance).clamp(1024.0, 65536.0) as usize;
        let fitting = (MEMORY / (REPLICATES * n)).max(BLOCK);
        // Rounded to powers of two, up and down: Sobol points are balanced there.
        wanted.next_power_of_two().min(1 << fitting.ilog2())
    }

    /// g at the fields of one block, into `block.label`.
    fn label(&self, block: &mut Block) {
        let Block { fields, label, expression, .. } = block;
        let z: Vec<&[f64]> = (self.students..fields.ncols()).map(|r| fields.col_as_slice(r)).collect();
        labels(&self.rule, &z, label, expression);
    }

    /// Adds one block of nodes.
    fn add(&self, evaluation: &Evaluation<'_>, points: &Points, block: &mut Block, sums: &mut SetAverages) {
        let (p, want, state) = (self.students, evaluation.want, evaluation.state);
        matmul(&mut block.fields, Accum::Replace, &points.normals, &evaluation.fields.factor, 1.0, Par::Seq);
        let slopes = want.drift || want.noise || want.label_noise || want.radial;
        block.output.fill(0.0);
        for j in 0..p {
            let values = block.values.col_as_slice_mut(j);
            if state.overlaps.student_student[(j, j)] > 0.0 {
                values.copy_from_slice(block.fields.col_as_slice(j));
                values.iter_mut().for_each(|h| *h += state.bias[j]);
            } else {
                // Not rounding about the kink of a ReLU.
                values.fill(state.bias[j]);
            }
            if slopes {
                self.activation.values_and_derivatives(values, block.derivatives.col_as_slice_mut(j));
            } else {
                self.activation.values(values);
            }
            add_scaled(&mut block.output, self.output_scale * state.second_layer[j], values);
        }
        self.label(block);
        let Block { fields, values, derivatives, signals, output, label, factor, .. } = block;
        let weights = &points.weights;
        let errors = output.iter().zip(&*label).zip(weights);
        sums.averages.risk += 0.5 * errors.map(|((f, g), w)| w * (f - g) * (f - g)).sum::<f64>();
        if !slopes {
            return;
        }
        // From here on, `output` is e without the label noise.
        let network = if self.loss == Loss::Squared { 1.0 } else { 0.0 };
        output.iter_mut().zip(&*label).for_each(|(f, g)| *f = network * *f - g);
        // `s a_j factor σ'(h_j)`.
        let weigh = |factor: &[f64], signals: &mut Mat<f64>| {
            for j in 0..p {
                let scale = self.output_scale * state.second_layer[j];
                let signals = signals.col_as_slice_mut(j).iter_mut();
                for ((signal, factor), slope) in signals.zip(factor).zip(derivatives.col_as_slice(j)) {
                    *signal = scale * factor * slope;
                }
            }
        };
        if want.noise || want.label_noise || want.radial {
            // E over ξ: (e − √Δξ)² has mean e² + Δ.
            let squared = if want.noise || want.radial { 1.0 } else { 0.0 };
            for ((factor, e), w) in factor.iter_mut().zip(&*output).zip(weights) {
                *factor = (w * (squared * e * e + self.label_noise)).sqrt();
            }
            if want.noise || want.label_noise {
                weigh(factor, signals);
                matmul(&mut sums.averages.noise, Accum::Add, signals.transpose(), &*signals, 1.0, Par::Seq);
            }
            if let Some(range) = &evaluation.fields.range {
                // (λ, z)Ω⁺(λ, z)ᵀ = ‖Πζ‖².
                let projected = &points.normals * range;
                for (mu, factor) in factor.iter_mut().enumerate() {
                    *factor *= projected.row(mu).norm_l2();
                }
                weigh(factor, signals);
                matmul(&mut sums.averages.radial, Accum::Add, signals.transpose(), &*signals, 1.0, Par::Seq);
            }
        }
        if want.drift {
            output.iter_mut().zip(weights).for_each(|(e, w)| *e *= w);
            weigh(output, signals);
            matmul(&mut sums.drift, Accum::Add, signals.transpose(), &*fields, 1.0, Par::Seq);
            for j in 0..p {
                sums.averages.bias[j] += signals.col_as_slice(j).iter().sum::<f64>();
                let products = output.iter().zip(values.col_as_slice(j));
                sums.averages.second[j] += self.output_scale * products.map(|(e, value)| e * value).sum::<f64>();
            }
        }
    }

    /// The averages over one set of nodes.
    fn averages(&self, evaluation: &Evaluation<'_>, set: &[Points]) -> SetAverages {
        let (p, n) = (self.students, self.fields);
        let mut sums = SetAverages { averages: Averages::zeros(p, n - p), drift: Mat::zeros(p, n) };
        if evaluation.want.radial {
            sums.averages.radial = Mat::zeros(p, p);
        }
        let mut block = Block::new(0, p, n);
        for points in set {
            if points.weights.len() != block.label.len() {
                block = Block::new(points.weights.len(), p, n);
            }
            self.add(evaluation, points, &mut block, &mut sums);
        }
        sums
    }
}

impl Block {
    fn new(count: usize, p: usize, n: usize) -> Self {
        Self {
            fields: Mat::zeros(count, n),
            values: Mat::zeros(count, p),
            derivatives: Mat::zeros(count, p),
            signals: Mat::zeros(count, p),
            output: vec![0.0; count],
            label: vec![0.0; count],
            factor: vec![0.0; count],
            expression: Scratch::default(),
        }
    }
}

/// The averages over each set of nodes.
struct Sets {
    sets: Vec<SetAverages>,
    /// Whether they are replicates, or else a coarse and a fine rule.
    replicates: bool,
}

impl Sets {
    /// A number and its error.
    fn number(&self, of: impl Fn(&SetAverages) -> f64) -> (f64, f64) {
        match (&self.sets[..], self.replicates) {
            ([coarse, fine], false) => (of(fine), (of(fine) - of(coarse)).abs()),
            _ => mean_and_error(self.sets.iter().map(&of)),
        }
    }

    /// A matrix and the error of its largest entry.
    fn matrix(&self, of: impl Fn(&SetAverages) -> &Mat<f64>) -> (Mat<f64>, f64) {
        match (&self.sets[..], self.replicates) {
            ([coarse, fine], false) => (of(fine).clone(), (of(fine) - of(coarse)).norm_max()),
            _ => mean_and_largest_error(self.sets.iter().map(&of)),
        }
    }
}

impl Kernel for SampledKernel {
    fn averages(&self, state: &State, want: Want, out: &mut Averages) -> Result<()> {
        let evaluation = Evaluation { state, want, fields: Fields::new(&state.overlaps, want.radial)? };
        let (p, k) = (self.students, self.fields - self.students);
        let sets = match &self.nodes {
            Nodes::Replicates(sets) => sets.iter().map(|set| self.averages(&evaluation, set)).collect(),
            Nodes::Rules(sets) => sets.iter().map(|set| self.averages(&evaluation, set)).collect(),
            Nodes::Drawn { points, seed } => (0..REPLICATES)
                .map(|replicate| self.averages(&evaluation, &draw(*points, p, k, *seed, replicate)))
                .collect(),
        };
        let sets = Sets { sets, replicates: !matches!(self.nodes, Nodes::Rules(_)) };
        if want.risk {
            (out.risk, out.risk_error) = sets.number(|sums| sums.averages.risk);
        }
        if want.drift {
            let (drift, error) = sets.matrix(|sums| &sums.drift);
            out.drift_student.copy_from(drift.subcols(0, p));
            out.drift_teacher.copy_from(drift.subcols(p, k));
            out.drift_error = error;
            for j in 0..p {
                out.second[j] = sets.number(|sums| sums.averages.second[j]).0;
                out.bias[j] = sets.number(|sums| sums.averages.bias[j]).0;
            }
        }
        if want.noise || want.label_noise {
            (out.noise, out.noise_error) = sets.matrix(|sums| &sums.averages.noise);
        }
        if want.radial {
            let (radial, error) = sets.matrix(|sums| &sums.averages.radial);
            let others = if want.noise || want.label_noise { out.noise_error } else { 0.0 };
            (out.radial, out.noise_error) = (radial, others.max(error / self.fields as f64));
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let n = self.fields;
        match &self.nodes {
            Nodes::Rules(sets) => {
                let count: usize = sets[1].iter().map(|points| points.weights.len()).sum();
                format!("{count} Gauss–Hermite nodes of {n} fields")
            }
            Nodes::Replicates(sets) => sobol(sets[0].len() * BLOCK, n),
            Nodes::Drawn { points, .. } => sobol(*points, n),
        }
    }
}

/// `averages over 8×4096 scrambled Sobol points of 6 fields`
fn sobol(points: usize, n: usize) -> String {
    let ordinary = if n > TABLE { format!(", ordinary normals beyond the first {TABLE}") } else { String::new() };
    format!("averages over {REPLICATES}×{points} scrambled Sobol points of {n} fields{ordinary}")
}

/// `out ← out + factor·x`.
fn add_scaled(out: &mut [f64], factor: f64, x: &[f64]) {
    out.iter_mut().zip(x).for_each(|(out, x)| *out += factor * x);
}
