//! Expressions: of targets, of activations, of sizes.

use std::collections::BTreeMap;

use twolayer::{
    Error,
    expression::{Expression, Scratch, Vocabulary},
    problem::{Activation, Formula, Sizes},
};

use super::{Target, text};
use crate::{bench::Bench, dice::Dice, grammar};

pub const TARGET: Target = Target { name: "expression", share: 294_000, short: 6000, seconds: 2.0, input, check };

const POINTS: [f64; 19] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    3.0,
    -7.5,
    40.0,
    1e-3,
    1e-300,
    5e-324,
    1e20,
    -1e154,
    1e308,
    -1e308,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    0.1,
];
/// Inputs of an expression that is evaluated: beyond, the points are many.
const MOST_INPUTS: usize = 64;

fn input(dice: &mut Dice, _: &Bench) -> Vec<u8> {
    let names: &[&str] = match dice.below(4) {
        0 => &["h"],
        1 => &["d", "p", "k", "n", "n_b", "gamma"],
        _ => &["z1", "z2", "z3", "z12"],
    };
    grammar::expression(dice, names, 4).into_bytes()
}

fn check(input: &[u8], _: &Bench) -> Result<(), String> {
    let text = text(input);
    let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
    match Expression::parse(&text, &vocabulary) {
        Ok(expression) if expression.arity() <= MOST_INPUTS => {
            one_by_one(&expression)?;
            one_by_one(&expression.derivative(0))?;
            expression.polynomial();
        }
        Ok(_) => {}
        Err(error) => in_place(&text, &error)?,
    }
    match Activation::parse(&text, &BTreeMap::new()) {
        Ok(activation) => {
            drop((activation.name(), activation.formula(), activation.polynomial(), activation.kinks()));
            let (mut values, mut derivatives) = (POINTS, [0.0; POINTS.len()]);
            activation.values_and_derivatives(&mut values, &mut derivatives);
        }
        Err(error) => in_place(&text, &error)?,
    }
    let constants = BTreeMap::from([("gamma".to_string(), 0.5)]);
    match Formula::parse(&text, &constants) {
        Ok(formula) => {
            for d in POINTS {
                let sizes = Sizes { d, p: 4.0, k: 2.0, n: f64::NAN, n_b: 1.0 };
                let size = formula.size("training.batch", &sizes);
                if size.as_ref().is_ok_and(|size| !(*size >= 1.0 && size.is_finite())) {
                    return Err(format!("a size of {size:?}"));
                }
            }
        }
        Err(error) => in_place(&text, &error)?,
    }
    Ok(())
}

/// A value does not depend on how many there are.
fn one_by_one(expression: &Expression) -> Result<(), String> {
    let inputs: Vec<Vec<f64>> = (0..expression.arity())
        .map(|i| POINTS.iter().cycle().skip(5 * i).take(POINTS.len()).copied().collect())
        .collect();
    let inputs: Vec<&[f64]> = inputs.iter().map(Vec::as_slice).collect();
    let mut out = [0.0; POINTS.len()];
    expression.evaluate(&inputs, &mut out, &mut Scratch::default());
    for (at, together) in out.into_iter().enumerate() {
        let point: Vec<f64> = inputs.iter().map(|input| input[at]).collect();
        let alone = expression.value(&point);
        if alone.to_bits() != together.to_bits() && !(alone.is_nan() && together.is_nan()) {
            return Err(format!("at {point:?}: {alone} alone, {together} among others"));
        }
    }
    Ok(())
}

/// A fault is at a place of the text, and has a remedy.
fn in_place(text: &str, error: &Error) -> Result<(), String> {
    match error {
        Error::Syntax { span, reason, remedy } => {
            let good = text.get(span.clone()).is_some() && !reason.is_empty() && !remedy.is_empty();
            if good { Ok(()) } else { Err(format!("a fault at {span:?}: {error}")) }
        }
        other => Err(format!("no fault of syntax: {other}")),
    }
}
