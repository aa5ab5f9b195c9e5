use faer::{Accum, Par, linalg::matmul::matmul};

use super::*;
use crate::{
    average::{Kernel, SmoothedKernel, Want},
    overlaps::Overlaps,
    problem::Activation,
    random::{Purpose, Streams, fill_normal, normal},
};

fn problem(width: usize, activation: Activation, noise: f64) -> Problem {
    let wide = Problem::builder().target("((z1 + z1^2) + (z2 - z2^2))/2").noise(noise).network(width, activation);
    wide.output_scale("1/sqrt(p)").dimension(1000).learning_rate("2*p").steps(1).build().unwrap()
}

/// Errors f − y at fields (n×p) and targets' fields (n×k), label noise left out, and σ' there.
fn errors(problem: &Problem, state: &State, fields: &Mat<f64>, z: &Mat<f64>) -> (Vec<f64>, Mat<f64>) {
    let (n, p) = (fields.nrows(), fields.ncols());
    let columns: Vec<&[f64]> = (0..z.ncols()).map(|r| z.col_as_slice(r)).collect();
    let mut error = vec![0.0; n];
    labels(&problem.target.rule, &columns, &mut error, &mut Scratch::default());
    error.iter_mut().for_each(|e| *e = -*e);
    let mut slopes = Mat::zeros(n, p);
    for j in 0..p {
        let mut values = fields.col_as_slice(j).to_vec();
        values.iter_mut().for_each(|h| *h += state.bias[j]);
        problem.network.activation.values_and_derivatives(&mut values, slopes.col_as_slice_mut(j));
        let weight = problem.output_scale() * state.second_layer[j];
        error.iter_mut().zip(&values).for_each(|(e, value)| *e += weight * value);
    }
    (error, slopes)
}

/// A network that has made so many giant steps in dimension d, pairs of opposite sign at the start.
fn trained(problem: &Problem, d: usize, steps: usize, biased: bool) -> State {
    let (p, k) = (problem.width(), problem.directions());
    let mut stream = Streams { seed: 5, replicate: 0 }.stream(Purpose::Start);
    let mut draw = |n: usize, m: usize, scale: f64| {
        let mut x = vec![0.0; n * m];
        fill_normal(&mut stream, &mut x);
        Mat::from_fn(n, m, |i, j| scale * x[i * m + j])
    };
    let half = draw(p / 2, d, 1.0 / (d as f64).sqrt());
    let mut w = Mat::from_fn(p, d, |j, i| half[(j % (p / 2), i)]);
    let sign = |j: usize| if (j % (p / 2)).is_multiple_of(2) == (j < p / 2) { 1.0 } else { -1.0 };
    let mut state = State {
        overlaps: Overlaps::zeros(p, k),
        second_layer: (0..p).map(|j| sign(j) / (p as f64).sqrt()).collect(),
        bias: (0..p).map(|j| if biased { 0.4 * ((j % (p / 2)) as f64).sin() } else { 0.0 }).collect(),
    };
    for _ in 0..steps {
        let x = draw(d, d, 1.0);
        let (error, mut signals) = errors(problem, &state, &(&x * w.transpose()), &x.subcols(0, k).to_owned());
        for j in 0..p {
            let factor = problem.learning_rate() * problem.output_scale() * state.second_layer[j] / d as f64;
            signals.col_as_slice_mut(j).iter_mut().zip(&error).for_each(|(signal, e)| *signal *= factor * e);
        }
        w -= signals.transpose() * &x;
    }
    state.overlaps.student_teacher = w.subcols(0, k).to_owned();
    state.overlaps.student_student = &w * w.transpose();
    state
}

/// N by plain samples of all fields, and the root mean square of its standard errors.
fn by_samples(problem: &Problem, state: &State, samples: usize) -> (Mat<f64>, f64) {
    const BLOCK: usize = 4096;
    let (p, k) = (problem.width(), problem.directions());
    let root = symmetric_root(state.overlaps.omega().as_ref()).unwrap();
    let mut stream = Streams { seed: 8, replicate: 0 }.stream(Purpose::Input);
    let (mut sum, mut squares) = (Mat::zeros(p, p), Mat::<f64>::zeros(p, p));
    let blocks = samples / BLOCK;
    let mut x = vec![0.0; BLOCK * (p + k)];
    for _ in 0..blocks {
        fill_normal(&mut stream, &mut x);
        let all = Mat::from_fn(BLOCK, p + k, |mu, i| x[i * BLOCK + mu]) * &root;
        let (error, mut signals) = errors(problem, state, &all.subcols(0, p).to_owned(), &all.subcols(p, k).to_owned());
        let error: Vec<f64> = error.iter().map(|e| e - problem.target.noise.sqrt() * normal(&mut stream)).collect();
        for j in 0..p {
            let factor = problem.output_scale() * state.second_layer[j];
            signals.col_as_slice_mut(j).iter_mut().zip(&error).for_each(|(signal, e)| *signal *= factor * e);
        }
        let mut block = Mat::zeros(p, p);
        matmul(&mut block, Accum::Replace, signals.transpose(), &signals, 1.0 / BLOCK as f64, Par::Seq);
        squares += Mat::from_fn(p, p, |i, j| block[(i, j)].powi(2));
        sum += block;
    }
    let mean = sum * faer::Scale(1.0 / blocks as f64);
    let variance = Mat::from_fn(p, p, |i, j| squares[(i, j)] / blocks as f64 - mean[(i, j)].powi(2));
    let error = (variance.sum() / (p * p) as f64 / blocks as f64).sqrt();
    (mean, error)
}

/// Root mean square and largest difference, in units of the largest entry.
fn distance(a: &Mat<f64>, b: &Mat<f64>) -> (f64, f64) {
    let scale = b.norm_max();
    let difference = a - b;
    (difference.norm_l2() / a.nrows() as f64 / scale, difference.norm_max() / scale)
}

fn compare(activation: Activation, width: usize, label_noise: f64, biased: bool, samples: usize) {
    let name = activation.name();
    let problem = problem(width, activation, label_noise);
    let state = trained(&problem, 512, 3, biased);
    let mut out = Averages::zeros(width, 2);
    assert!(noise(&problem, &state, 0, &mut out).unwrap(), "{name}");
    let (expected, error) = by_samples(&problem, &state, samples);
    let (rms, largest) = distance(&out.noise, &expected);
    let scale = expected.norm_max();
    let (error, stated) = (error / scale, out.noise_error / scale);
    println!("{name}: rms {rms:.1e}, largest {largest:.1e}; samples ± {error:.1e}; stated ± {stated:.1e}");
    assert!(rms < 1.5 * error + 3e-3, "{name}: rms {rms:.1e}, samples ± {error:.1e}");
    assert!(largest < 6.0 * error + 2.0 * stated, "{name}: largest {largest:.1e}, stated {stated:.1e}");
    assert!(stated < 0.04, "{name}: {stated:.1e}");
}

/// Three giant steps at p = 128 leave two shared directions and pairs; millions of samples of all fields tell N.
#[test]
fn a_wide_relu_network_against_millions_of_samples() {
    compare(Activation::Relu, 128, 0.0, false, 2_000_000);
}

#[test]
fn every_activation_kinks_and_biases_included() {
    let kinked = Activation::parse("relu(h - 0.3) + 0.2*abs(h)", &Default::default()).unwrap();
    for (activation, noise, biased) in
        [(Activation::Tanh, 0.2, true), (Activation::Gelu, 0.0, false), (kinked, 0.1, true)]
    {
        compare(activation, 96, noise, biased, 400_000);
    }
}

/// Before the first step f ≡ 0 and pairs are copies: then N is that of e = −g, to high accuracy.
#[test]
fn copies_at_the_start_are_those_of_the_conditional_form() {
    let problem = problem(64, Activation::Relu, 0.3);
    let state = trained(&problem, 512, 0, false);
    let mut out = Averages::zeros(64, 2);
    assert!(noise(&problem, &state, 0, &mut out).unwrap());
    let kernel = SmoothedKernel::new(&problem, 1e-4).unwrap().unwrap();
    let mut expected = Averages::zeros(64, 2);
    kernel.averages(&state, Want { noise: true, ..Want::default() }, &mut expected).unwrap();
    let (rms, largest) = distance(&out.noise, &expected.noise);
    println!(
        "copies: rms {rms:.1e}, largest {largest:.1e}, stated {:.1e}",
        out.noise_error / expected.noise.norm_max()
    );
    assert!(rms < 3e-3 && largest < 3e-2, "{rms:.1e} {largest:.1e}");
}
