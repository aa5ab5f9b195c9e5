//! Averages over frozen samples of the fields: any target, any activation, biases too. (theory.md §6)

use faer::{Accum, Mat, Par, linalg::matmul::matmul};

use super::{Kernel, Moments, State, Want};
use crate::{
    error::Result,
    expression::Scratch,
    gaussian::sobol::{TABLE, normals},
    overlaps::clipped_root,
    problem::{Activation, Loss, Problem, Rule},
};

/// Samples handled at a time.
const BLOCK: usize = 256;

/// Independent scramblings; their spread is the error estimate.
const REPLICATES: usize = 8;

/// Eigenvalues of Ω below zero by less than this fraction of its trace are the error of an integration, not a mistake.
const NEGATIVE: f64 = 1e-5;

/// Nodes kept at most, in numbers (64 MB).
const MEMORY: usize = 1 << 23;

/// The kernel of any network and target by averages over `(λ, z) = Ω^{1/2} ζ`, ζ scrambled Sobol normals.
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
    /// ζ: for each replicate, blocks of 256 samples × (p+k) coordinates.
    nodes: Vec<Vec<Mat<f64>>>,
}

/// Sums over the samples of one replicate.
struct Sums {
    moments: Moments,
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
    unit: Vec<f64>,
    expression: Scratch,
}

impl SampledKernel {
    /// The kernel of `problem` with 8 independent replicates of `points` samples (a multiple of 256, best a power of 2).
    pub fn new(problem: &Problem, points: usize) -> Self {
        let n = problem.width() + problem.directions();
        let blocks = points.div_ceil(BLOCK).max(1);
        let points = blocks * BLOCK;
        let nodes = (0..REPLICATES as u64)
            .map(|seed| {
                let normals = normals(points, n, seed);
                let block = |b: usize| Mat::from_fn(BLOCK, n, |mu, i| normals[i * points + b * BLOCK + mu]);
                (0..blocks).map(block).collect()
            })
            .collect();
        Self {
            activation: problem.network.activation.clone(),
            rule: problem.target.rule.clone(),
            output_scale: problem.output_scale(),
            label_noise: problem.target.noise,
            loss: problem.training.loss,
            students: problem.width(),
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
        let p = self.students;
        let Block { fields, label, unit, expression, .. } = block;
        match &self.rule {
            Rule::Expression(rule) => {
                let z: Vec<&[f64]> = (p..fields.ncols()).map(|r| fields.col_as_slice(r)).collect();
                rule.evaluate(&z, label, expression);
            }
            Rule::Committee { activation, units, scale } => {
                label.fill(0.0);
                for r in 0..*units {
                    unit.copy_from_slice(fields.col_as_slice(p + r));
                    activation.values(unit);
                    add_scaled(label, *scale, unit);
                }
            }
        }
    }

    /// Adds the sums over one block of samples.
    fn add(&self, state: &State, want: Want, root: &Mat<f64>, nodes: &Mat<f64>, block: &mut Block, sums: &mut Sums) {
        let p = self.students;
        matmul(&mut block.fields, Accum::Replace, nodes, root, 1.0, Par::Seq);
        let slopes = want.drift || want.noise || want.label_noise;
        block.output.fill(0.0);
        for j in 0..p {
            let values = block.values.col_as_slice_mut(j);
            values.copy_from_slice(block.fields.col_as_slice(j));
            values.iter_mut().for_each(|h| *h += state.bias[j]);
            if slopes {
                self.activation.values_and_derivatives(values, block.derivatives.col_as_slice_mut(j));
            } else {
                self.activation.values(values);
            }
            add_scaled(&mut block.output, self.output_scale * state.second_layer[j], values);
        }
        self.label(block);
        let Block { fields, values, derivatives, signals, output, label, .. } = block;
        sums.moments.risk += 0.5 * output.iter().zip(&*label).map(|(f, g)| (f - g) * (f - g)).sum::<f64>();
        if !slopes {
            return;
        }
        // From here on, `output` is e without the label noise.
        let network = if self.loss == Loss::Squared { 1.0 } else { 0.0 };
        output.iter_mut().zip(&*label).for_each(|(f, g)| *f = network * *f - g);
        // `s a_j φ(e) σ'(h_j)` for some φ of each sample.
        let weigh = |factor: &dyn Fn(f64) -> f64, signals: &mut Mat<f64>| {
            for j in 0..p {
                let scale = self.output_scale * state.second_layer[j];
                let signals = signals.col_as_slice_mut(j).iter_mut();
                for ((signal, e), slope) in signals.zip(&*output).zip(derivatives.col_as_slice(j)) {
                    *signal = scale * factor(*e) * slope;
                }
            }
        };
        if want.noise || want.label_noise {
            // E over ξ: (e − √Δξ)² has mean e² + Δ.
            let e = if want.noise { 1.0 } else { 0.0 };
            weigh(&|x| (e * x * x + self.label_noise).sqrt(), signals);
            matmul(&mut sums.moments.noise, Accum::Add, signals.transpose(), &*signals, 1.0, Par::Seq);
        }
        if want.drift {
            weigh(&|e| e, signals);
            matmul(&mut sums.drift, Accum::Add, signals.transpose(), &*fields, 1.0, Par::Seq);
            for j in 0..p {
                sums.moments.bias[j] += signals.col_as_slice(j).iter().sum::<f64>();
                let products = output.iter().zip(values.col_as_slice(j));
                sums.moments.second[j] += self.output_scale * products.map(|(e, value)| e * value).sum::<f64>();
            }
        }
    }
}

impl Kernel for SampledKernel {
    fn moments(&self, state: &State, want: Want, out: &mut Moments) -> Result<()> {
        let root = clipped_root(state.overlaps.omega().as_ref(), NEGATIVE)?;
        let (p, n) = (self.students, root.nrows());
        let mut block = Block {
            fields: Mat::zeros(BLOCK, n),
            values: Mat::zeros(BLOCK, p),
            derivatives: Mat::zeros(BLOCK, p),
            signals: Mat::zeros(BLOCK, p),
            output: vec![0.0; BLOCK],
            label: vec![0.0; BLOCK],
            unit: vec![0.0; BLOCK],
            expression: Scratch::default(),
        };
        let replicates: Vec<Sums> = self
            .nodes
            .iter()
            .map(|blocks| {
                let mut sums = Sums { moments: Moments::zeros(p, n - p), drift: Mat::zeros(p, n) };
                for nodes in blocks {
                    self.add(state, want, &root, nodes, &mut block, &mut sums);
                }
                sums
            })
            .collect();
        let samples = (self.nodes[0].len() * BLOCK) as f64;
        let average = |of: &dyn Fn(&Sums) -> f64| mean_and_error(replicates.iter().map(|sums| of(sums) / samples));
        if want.risk {
            (out.risk, out.risk_error) = average(&|sums| sums.moments.risk);
        }
        if want.drift {
            out.drift_error = 0.0;
            for j in 0..p {
                for q in 0..n {
                    let (mean, error) = average(&|sums| sums.drift[(j, q)]);
                    if q < p {
                        out.drift_student[(j, q)] = mean;
                    } else {
                        out.drift_teacher[(j, q - p)] = mean;
                    }
                    out.drift_error = out.drift_error.max(error);
                }
                out.second[j] = average(&|sums| sums.moments.second[j]).0;
                out.bias[j] = average(&|sums| sums.moments.bias[j]).0;
            }
        }
        if want.noise || want.label_noise {
            for j in 0..p {
                for l in 0..p {
                    out.noise[(j, l)] = average(&|sums| sums.moments.noise[(j, l)]).0;
                }
            }
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let (points, n) = (self.nodes[0].len() * BLOCK, self.nodes[0][0].ncols());
        let mut text = format!("averages over {REPLICATES}×{points} scrambled Sobol points of {n} fields");
        if n > TABLE {
            text += &format!(", ordinary normals beyond the first {TABLE}");
        }
        text
    }
}

/// Mean over replicates and its standard error.
fn mean_and_error(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = REPLICATES as f64;
    let mean = values.clone().sum::<f64>() / count;
    let spread = values.map(|value| (value - mean) * (value - mean)).sum::<f64>();
    (mean, (spread / (count * (count - 1.0))).sqrt())
}

/// `out ← out + factor·x`.
fn add_scaled(out: &mut [f64], factor: f64, x: &[f64]) {
    out.iter_mut().zip(x).for_each(|(out, x)| *out += factor * x);
}
