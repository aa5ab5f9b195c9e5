//! The readout of a limit view: where the theory of spiked random features holds, and what it says.

use super::{Setting, Spiked, Step};
use crate::{
    error::{Error, Result},
    expression::Scratch,
    hierarchy::mean,
    problem::{
        Algorithm, Average, Data, Geometry, Init, Loss, Placement, Preprocess, Problem, Readout, ReadoutData, Rule,
    },
    record::{
        Trajectory,
        observable::{TEST_ERROR, TEST_ERROR_ERROR},
    },
};

/// Sizes below this fraction count as zero.
const ZERO: f64 = 1e-9;

/// Says no, with the remedy, to every problem whose readout has no asymptotics here.
///
/// # Errors
/// [`Error::Refused`], naming the key.
pub fn conditions(problem: &Problem, setting: &Readout) -> Result<()> {
    let said = "the asymptotics of a readout are those of spiked random features";
    let refused = |key: &str, reason: &str, remedy: &str| Err(Error::refused(key, format!("{said}: {reason}"), remedy));
    let (network, training, target) = (&problem.network, &problem.training, &problem.target);
    let simulate = "use the reduced view";
    if problem.dimension().is_none() {
        return refused("training.dimension", "p/d and n/d have to be known", "write a number, e.g. dimension = 1000");
    }
    if target.directions() != 1 {
        let reason = format!("a single-index target, here k = {}", target.directions());
        return refused("target", &reason, simulate);
    }
    if training.algorithm != Algorithm::Sgd || training.data != Data::Fresh || problem.steps() != 1 {
        return refused(
            "training.steps",
            "one step on a fresh batch",
            "write steps = 1 and data = \"fresh\", or use the reduced view",
        );
    }
    if training.repeats != 1 || problem.displacement() != 0.0 || training.geometry != Geometry::Free {
        return refused("training", "one plain step in free geometry", simulate);
    }
    if training.weight_decay != 0.0 || training.preprocess != Preprocess::None {
        return refused("training", "no weight decay and no preprocessing", simulate);
    }
    let placed = matches!(network.first_layer.placement, Placement::Gaussian | Placement::Sphere);
    if !placed || network.first_layer.scale.value(problem.sizes()) != 1.0 || network.first_layer.symmetric {
        return refused("network.first_layer", "unit rows in random directions", "write first_layer = \"sphere\"");
    }
    if network.second_layer.init != Init::Ones || network.second_layer.train || network.bias.is_some() {
        let remedy = "write second_layer = { init = \"ones\", scale = \"1/sqrt(p)\" }, without biases";
        return refused("network.second_layer", "all a_j equal and fixed, so that there is one spike", remedy);
    }
    if setting.data == ReadoutData::Same {
        return refused("readout.data", "ridge on fresh samples", "write data = \"fresh\"");
    }
    let seen = |degree: u32| {
        let c = network.activation.hermite_coefficient(degree, 1.0, 0.0);
        c.value.abs() > ZERO + 10.0 * c.error
    };
    let Average { value: mean, error } = mean(target)?;
    if mean.abs() > ZERO + 10.0 * error && seen(2) {
        let reason =
            format!("E[y] = 0 or c_2 = 0, here E[y] = {mean:.4} and {} has c_2 ≠ 0", network.activation.name());
        return refused("target", &reason, "subtract the mean from the target, or use an odd activation");
    }
    if training.loss == Loss::Squared && seen(0) {
        let reason = format!("f = 0 before the step, and {} has E[σ] ≠ 0", network.activation.name());
        return refused("training.loss", &reason, "write loss = \"correlation\", or use an odd activation");
    }
    if !matches!(training.loss, Loss::Squared | Loss::Correlation) {
        return refused("training.loss", "the squared or the correlation loss", simulate);
    }
    Ok(())
}

/// Writes the errors of ridge after the step, and before it where every step is asked for, into the record of a limit:
/// E(f − y)²/2 for each number of samples and ridge, with the error of the quadratures; train errors are NaN.
///
/// # Errors
/// As for [`conditions`]; [`Error::Numerical`] where the fixed point is not reached.
pub fn asymptotics(problem: &Problem, setting: &Readout, into: &mut Trajectory) -> Result<()> {
    conditions(problem, setting)?;
    let sizes = problem.sizes();
    let samples = setting.samples(sizes)?;
    let length = problem.target.overlaps[(0, 0)].max(0.0).sqrt();
    let target = |u: &mut [f64]| {
        u.iter_mut().for_each(|u| *u *= length);
        label(&problem.target.rule, u);
    };
    let scale = problem.output_scale();
    let rate = problem.learning_rate() * scale * problem.network.second_layer.scale.value(sizes);
    let step = Step { samples: problem.batch() as f64 / sizes.d, rate };
    let (mut test, mut error) = (Vec::new(), Vec::new());
    for moment in setting.steps(problem) {
        let spiked = Spiked::new(&Setting {
            activation: &problem.network.activation,
            target: &target,
            noise: problem.target.noise,
            ratio: sizes.p / sizes.d,
            step: (moment > 0).then_some(step),
        })?;
        for n in &samples {
            for ridge in &setting.ridge {
                // There the features carry 1/√p.
                let found = spiked.test_error(*n as f64 / sizes.d, ridge / (scale * scale * sizes.p))?;
                test.push(found.value);
                error.push(found.error);
            }
        }
    }
    into.set_readout_axes(problem, setting);
    into.set(&TEST_ERROR, test);
    into.set(&TEST_ERROR_ERROR, error);
    Ok(())
}

/// `z ← g(z)` for a target of one direction.
fn label(rule: &Rule, z: &mut [f64]) {
    match rule {
        Rule::Expression(expression) => {
            let input = z.to_vec();
            expression.evaluate(&[&input], z, &mut Scratch::default());
        }
        Rule::Committee { activation, weights } => {
            activation.values(z);
            let weight = weights.first().copied().unwrap_or(0.0);
            z.iter_mut().for_each(|y| *y *= weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        expression::{Expression, Vocabulary},
        problem::{Activation, Duration, Formula, Network, SecondLayer, Target, Training},
        record::{
            KeepQ,
            observable::{READOUT_SAMPLES, READOUT_STEP, TRAIN_ERROR},
        },
    };

    fn formula(text: &str) -> Formula {
        Formula::parse(text, &Default::default()).unwrap()
    }

    /// The setting of theory.md §8.
    fn problem(target: &str, activation: Activation) -> Problem {
        let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
        let target = Target::new(Rule::Expression(Expression::parse(target, &vocabulary).unwrap()));
        let mut network = Network::new(500, activation);
        network.output_scale = formula("1/sqrt(p)");
        network.second_layer = SecondLayer { scale: formula("1/sqrt(p)"), ..network.second_layer };
        let mut training = Training::new(500, formula("3*p"), Duration::Steps(Formula::number(1.0)));
        training.batch = formula("20*d");
        Problem::new(target, network, training).unwrap()
    }

    fn setting() -> Readout {
        let samples = vec![formula("0.2*d"), formula("3*d")];
        Readout { data: ReadoutData::Fresh(samples), ridge: vec![0.1], ..Readout::default() }
    }

    fn errors(problem: &Problem, setting: &Readout) -> Trajectory {
        let mut run = Trajectory::new(1, 1, KeepQ::None);
        asymptotics(problem, setting, &mut run).unwrap();
        run
    }

    #[test]
    fn a_file_gives_the_errors_of_the_reference() {
        let run = errors(&problem("sin(z1)", Activation::Tanh), &setting());
        assert_eq!((run.of(&READOUT_STEP), run.of(&READOUT_SAMPLES)), (&[1.0][..], &[100.0, 1500.0][..]));
        for (got, expected) in run.of(&TEST_ERROR).iter().zip([0.04848, 0.03252]) {
            assert!((2.0 * got - expected).abs() < 2e-5, "{got}");
        }
        assert!(run.of(&TRAIN_ERROR).iter().all(|error| error.is_nan()));
    }

    #[test]
    fn the_ridge_is_that_of_the_features_scale() {
        let base = problem("sin(z1)", Activation::Tanh);
        // Twice the scale with half the second layer, and four times the ridge: the same regression.
        let rescaled = base.clone().with(|parts| {
            parts.network.output_scale = formula("2/sqrt(p)");
            parts.network.second_layer.scale = formula("0.5/sqrt(p)");
        });
        let (base, wider) = (errors(&base, &setting()), rescaled.unwrap());
        let other = errors(&wider, &Readout { ridge: vec![0.4], ..setting() });
        for (a, b) in base.of(&TEST_ERROR).iter().zip(other.of(&TEST_ERROR)) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn what_has_no_asymptotics_is_refused_with_its_reason() {
        let refused = |problem: &Problem, setting: &Readout, word: &str| {
            let Err(Error::Refused(advice)) = conditions(problem, setting) else { panic!("{word}") };
            assert!(advice.reason.contains(word), "{advice}");
        };
        let good = || problem("sin(z1)", Activation::Tanh);
        assert!(conditions(&good(), &setting()).is_ok());
        refused(&problem("z1 + z2", Activation::Tanh), &setting(), "k = 2");
        refused(&problem("z1 + z1^2", Activation::Relu), &setting(), "E[y] = 1.0000");
        refused(&problem("sin(z1)", Activation::Relu), &setting(), "E[σ] ≠ 0");
        refused(&good(), &Readout { data: ReadoutData::Same, ..setting() }, "fresh samples");
        let other = good().with(|parts| parts.network.second_layer.init = Init::Signs).unwrap();
        refused(&other, &setting(), "one spike");
        let other = good().with(|parts| parts.training.duration = Duration::Steps(Formula::number(2.0))).unwrap();
        refused(&other, &setting(), "one step");
    }
}
