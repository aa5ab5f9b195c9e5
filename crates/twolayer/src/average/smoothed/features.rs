//! The covariance of the features, σ(h_j).

use faer::Mat;

use super::{
    Form,
    pairs::{Neurons, correlations},
    row::{Row, Wanted},
    series::Basis,
    short_basis,
};
use crate::{average::State, problem::Activation};

/// Degrees for an activation with kinks: what they leave out between different neurons is ρ¹⁶¹ of it.
const DEGREES: usize = 160;

/// `Cov(σ(h_j), σ(h_l))`, p×p, at the fields' covariance Q and the biases: closed forms for ReLU, else Hermite series
/// whose diagonal is whole. The output scale and the second layer are left out.
pub fn feature_covariance(activation: &Activation, state: &State) -> Mat<f64> {
    let p = state.bias.len();
    let q = &state.overlaps.student_student;
    let variance: Vec<f64> = (0..p).map(|j| q[(j, j)]).collect();
    let roots: Vec<f64> = variance.iter().map(|q| q.max(0.0).sqrt()).collect();
    let form = if *activation == Activation::Relu {
        Form::Relu
    } else {
        let biased = state.bias.iter().any(|b| *b != 0.0);
        Form::Series(short_basis(activation, biased, 1e-6).unwrap_or_else(|| Basis::new(DEGREES)))
    };
    let neurons = form.neurons(activation, &variance, &state.bias);
    let mut covariance = Mat::zeros(p, p);
    let (mut row, mut rho, none) = (Row::new(p), vec![0.0; p], vec![0.0; p]);
    for j in 0..p {
        correlations(q.col_as_slice(j), roots[j], &roots, &mut rho);
        neurons.row(j, &neurons, &rho, Wanted::Values, &mut row);
        let second = row.values.clone();
        // Independent copies: E σ_j E σ_l.
        neurons.row(j, &neurons, &none, Wanted::Values, &mut row);
        for l in 0..p {
            covariance[(l, j)] = second[l] - row.values[l];
        }
        if let Neurons::Series(series) = &neurons {
            covariance[(j, j)] += series.value_tail[j];
        }
    }
    covariance
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        overlaps::{Overlaps, symmetric_root},
        random::{Purpose, Streams, fill_normal},
    };

    fn state(p: usize, biased: bool) -> State {
        let rows = Mat::from_fn(p, 2 * p, |i, j| ((i * 37 + j * 61 + i * j) % 101) as f64 / 50.0 - 1.0);
        let mut state = State {
            overlaps: Overlaps::zeros(p, 1),
            second_layer: vec![1.0; p],
            bias: (0..p).map(|j| if biased { 0.5 * (j as f64).cos() } else { 0.0 }).collect(),
        };
        state.overlaps.student_student = &rows * rows.transpose() * faer::Scale(1.0 / p as f64);
        state
    }

    #[test]
    fn features_of_samples_have_this_covariance() {
        let kinked = Activation::parse("abs(h - 0.4)", &Default::default()).unwrap();
        for (activation, biased) in
            [(Activation::Relu, true), (Activation::Tanh, false), (Activation::Square, false), (kinked, true)]
        {
            let p = 6;
            let state = state(p, biased);
            let covariance = feature_covariance(&activation, &state);
            let root = symmetric_root(state.overlaps.student_student.as_ref()).unwrap();
            let n = 400_000;
            let mut x = vec![0.0; n * p];
            fill_normal(&mut Streams { seed: 1, replicate: 0 }.stream(Purpose::Input), &mut x);
            let mut features = Mat::from_fn(n, p, |mu, i| x[mu * p + i]) * root;
            for j in 0..p {
                let column = features.col_as_slice_mut(j);
                column.iter_mut().for_each(|h| *h += state.bias[j]);
                activation.values(column);
                let mean = column.iter().sum::<f64>() / n as f64;
                column.iter_mut().for_each(|f| *f -= mean);
            }
            let sampled = features.transpose() * &features * faer::Scale(1.0 / n as f64);
            let scale = sampled.norm_max();
            let distance = (&sampled - &covariance).norm_max() / scale;
            assert!(distance < 0.015, "{}: {distance}", activation.name());
        }
    }

    /// E h_1² h_2² − 1 = 2ρ²; copies have the covariance of one.
    #[test]
    fn closed_forms() {
        let mut state = State { overlaps: Overlaps::zeros(2, 1), second_layer: vec![1.0; 2], bias: vec![0.0; 2] };
        state.overlaps.student_student = Mat::from_fn(2, 2, |i, j| if i == j { 1.0 } else { 0.6 });
        let got = feature_covariance(&Activation::Square, &state);
        assert!((got[(0, 1)] - 0.72).abs() < 1e-12 && (got[(0, 0)] - 2.0).abs() < 1e-12);
        state.overlaps.student_student = Mat::from_fn(2, 2, |_, _| 1.0);
        let got = feature_covariance(&Activation::Relu, &state);
        let variance = 0.5 - 0.5 / std::f64::consts::PI;
        assert!((got[(0, 1)] - variance).abs() < 1e-12 && (got[(0, 0)] - variance).abs() < 1e-12);
    }
}
