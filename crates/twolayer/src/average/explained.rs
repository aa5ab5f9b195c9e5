//! The risk of a prediction `f(x) + ȳ + ⟨β, x⟩`: a network, and a linear function that was subtracted from its labels.
//!
//! By Stein's lemma everything but the network's own risk is a one-dimensional average of each neuron:
//!
//! ```text
//! ½E(f + ȳ + ⟨β,x⟩ − g)² = ½E(f − g)² + s Σ_j a_j (ȳ Eσ(h_j) + ⟨w_j, β⟩ Eσ'(h_j)) − ȳ Eg − Σ_r β_r E[g x_r] + ½(ȳ² + ‖β‖²)
//! ```

use faer::Mat;

use super::State;
use crate::{
    error::Result,
    hierarchy::{hermite_series, mean},
    overlaps::{Overlaps, inverse_root},
    problem::{Activation, Problem},
};

/// ȳ and β, as the overlaps of β with everything else show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// ȳ.
    pub constant: f64,
    /// ⟨w_j, β⟩ (p).
    pub with_students: Vec<f64>,
    /// ⟨e_r, β⟩ (k), e the basis of the target's span in which `x = P^{−1/2} z`.
    pub with_target: Vec<f64>,
    /// ‖β‖².
    pub square: f64,
}

impl Linear {
    /// ȳ alone, for p neurons and k directions.
    pub fn constant(mean: f64, p: usize, k: usize) -> Self {
        Self { constant: mean, with_students: vec![0.0; p], with_target: vec![0.0; k], square: 0.0 }
    }
}

/// What a linear function does to the risk of a problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    activation: Activation,
    scale: f64,
    /// E g.
    mean: f64,
    /// E\[g x_r\] (k).
    slope: Vec<f64>,
    /// P^{−1/2}.
    whiten: Mat<f64>,
}

impl Explained {
    /// For `problem`.
    ///
    /// # Errors
    /// As for [`hermite_series`].
    pub fn new(problem: &Problem) -> Result<Self> {
        let series = hermite_series(&problem.target, 1)?;
        let coefficient = |wanted: &dyn Fn(&[u8]) -> bool| {
            series.iter().find(|(index, _)| wanted(index)).map_or(0.0, |(_, coefficient)| *coefficient)
        };
        let only = |r: usize| {
            move |index: &[u8]| index.iter().enumerate().all(|(i, degree)| usize::from(*degree) == usize::from(i == r))
        };
        Ok(Self {
            activation: problem.network.activation.clone(),
            scale: problem.output_scale(),
            mean: mean(&problem.target)?.value,
            slope: (0..problem.directions()).map(|r| coefficient(&only(r))).collect(),
            whiten: inverse_root(problem.target.overlaps.as_ref())?,
        })
    }

    /// E g and E\[g x_r\] (k).
    pub fn label(&self) -> (f64, &[f64]) {
        (self.mean, &self.slope)
    }

    /// Takes the last row out of the overlaps: that of β, to which ȳ belongs.
    pub fn split(&self, constant: f64, overlaps: &mut Overlaps) -> Linear {
        let (p, k) = (overlaps.width() - 1, overlaps.directions());
        let (m, q) = (&overlaps.student_teacher, &overlaps.student_student);
        let with_target = |r: usize| (0..k).map(|i| m[(p, i)] * self.whiten[(i, r)]).sum();
        let linear = Linear {
            constant,
            with_students: (0..p).map(|j| q[(j, p)]).collect(),
            with_target: (0..k).map(with_target).collect(),
            square: q[(p, p)],
        };
        (overlaps.student_teacher, overlaps.student_student) =
            (m.subrows(0, p).to_owned(), q.submatrix(0, 0, p, p).to_owned());
        linear
    }

    /// What `linear` adds to `½E(f − g)²`, and its error.
    pub fn change(&self, state: &State, linear: &Linear) -> (f64, f64) {
        let mut sum = 0.5 * (linear.constant * linear.constant + linear.square) - linear.constant * self.mean;
        sum -= linear.with_target.iter().zip(&self.slope).map(|(beta, slope)| beta * slope).sum::<f64>();
        let mut error = 0.0;
        for (j, (a, along)) in state.second_layer.iter().zip(&linear.with_students).enumerate() {
            let norm = state.overlaps.student_student[(j, j)].max(0.0).sqrt();
            let value = self.activation.hermite_coefficient(0, norm, state.bias[j]);
            sum += self.scale * a * linear.constant * value.value;
            error += (self.scale * a * linear.constant * value.error).abs();
            if norm > 0.0 {
                // E σ' = E[σ G]/‖w‖.
                let slope = self.activation.hermite_coefficient(1, norm, state.bias[j]);
                sum += self.scale * a * along * slope.value / norm;
                error += (self.scale * a * along * slope.error / norm).abs();
            }
        }
        (sum, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        expression::{Expression, Scratch, Vocabulary},
        overlaps::symmetric_root,
        problem::{Duration, Formula, Network, Rule, Target, Training},
        random::{Purpose, Streams, fill_normal},
    };

    /// Two neurons, two correlated directions, and β: five Gaussian fields, sampled.
    #[test]
    fn the_risk_of_the_whole_is_that_of_samples() {
        let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
        let expression = Expression::parse("1 + 2*z1 - z2 + z1*z2", &vocabulary).unwrap();
        let mut target = Target::new(Rule::Expression(expression.clone()));
        target.overlaps = Mat::from_fn(2, 2, |i, j| if i == j { 1.0 } else { 0.4 });
        let training = Training::new(50, Formula::number(0.1), Duration::Steps(Formula::number(1.0)));
        let problem = Problem::new(target, Network::new(2, Activation::Relu), training).unwrap();
        // Rows of w_1, w_2, β, e_1, e_2 in five dimensions; z = P^{1/2} (e_1, e_2)·x.
        let rows = Mat::from_fn(5, 5, |i, j| match i {
            3 | 4 => f64::from(i - 3 == j),
            _ => ((7 * i + 3 * j + i * j) % 5) as f64 / 3.0 - 0.6,
        });
        let gram = &rows * rows.transpose();
        let root = symmetric_root(problem.target.overlaps.as_ref()).unwrap();
        let state = State {
            overlaps: Overlaps {
                student_teacher: gram.submatrix(0, 3, 2, 2) * &root,
                student_student: gram.submatrix(0, 0, 2, 2).to_owned(),
                teacher_teacher: problem.target.overlaps.clone(),
            },
            second_layer: vec![1.5, -0.7],
            bias: vec![0.3, -0.2],
        };
        let linear = Linear {
            constant: 0.8,
            with_students: vec![gram[(0, 2)], gram[(1, 2)]],
            with_target: vec![gram[(3, 2)], gram[(4, 2)]],
            square: gram[(2, 2)],
        };
        let n = 1 << 20;
        let mut x = vec![0.0; 5 * n];
        fill_normal(&mut Streams { seed: 2, replicate: 0 }.stream(Purpose::Input), &mut x);
        let x = Mat::from_fn(n, 5, |mu, i| x[mu * 5 + i]);
        let fields = &x * rows.transpose();
        let z = fields.subcols(3, 2) * &root;
        let mut g = vec![0.0; n];
        expression.evaluate(&[z.col_as_slice(0), z.col_as_slice(1)], &mut g, &mut Scratch::default());
        let (mut change, mut square) = (0.0, 0.0);
        for mu in 0..n {
            let f: f64 = (0..2).map(|j| 0.5 * state.second_layer[j] * (fields[(mu, j)] + state.bias[j]).max(0.0)).sum();
            let l = 0.8 + fields[(mu, 2)];
            let difference = 0.5 * ((f + l - g[mu]).powi(2) - (f - g[mu]).powi(2));
            change += difference / n as f64;
            square += difference * difference / n as f64;
        }
        let error = ((square - change * change) / n as f64).sqrt();
        let (got, own) = Explained::new(&problem).unwrap().change(&state, &linear);
        assert!((got - change).abs() < 4.0 * error && own < 1e-10, "{got} for {change} ± {error}");
    }
}
