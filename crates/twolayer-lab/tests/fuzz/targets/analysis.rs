//! `analyze`: expressions that are right more often than not, with a network that looks at them.

use std::collections::BTreeMap;

use twolayer::problem::Activation;
use twolayer_lab::analysis::{Analysed, json, text as in_words};

use super::{Target, text};
use crate::{bench::Bench, dice::Dice, grammar};

/// Targets with kinks in several directions are answered by millions of samples: seconds, by design.
pub const TARGET: Target = Target { name: "analysis", share: 1_000, short: 30, seconds: 30.0, input, check };

/// Three lines: the target, the activation or nothing, the noise.
fn input(dice: &mut Dice, _: &Bench) -> Vec<u8> {
    let names: &[&str] = match dice.below(3) {
        0 => &["z1"],
        1 => &["z1", "z2"],
        _ => &["z1", "z2", "z3"],
    };
    let target = grammar::expression(dice, names, 20);
    let activation = match dice.below(4) {
        0 | 1 => String::new(),
        2 => dice.of(&["relu", "erf", "tanh", "he2", "he3", "gelu", "softplus", "linear"]).to_string(),
        _ => grammar::expression(dice, &["h"], 20),
    };
    let noise = dice.of(&["0", "0", "0.1", "1e-9", "1e300", "-1", "nan", "inf"]);
    format!("{}\n{}\n{noise}", target.replace('\n', " "), activation.replace('\n', " ")).into_bytes()
}

fn check(input: &[u8], _: &Bench) -> Result<(), String> {
    let text = text(input);
    let mut lines = text.lines();
    let [target, activation, noise] = [(); 3].map(|()| lines.next().unwrap_or_default());
    let activation = Activation::parse(activation, &BTreeMap::new()).ok();
    let Ok(analysed) = Analysed::of_expression(target, noise.parse().unwrap_or(0.0), activation.as_ref()) else {
        return Ok(());
    };
    let value = json(&analysed);
    for key in ["information_exponent", "leap_complexity", "generative_exponent", "fresh", "reused"] {
        value.get(key).ok_or_else(|| format!("no `{key}`: {value}"))?;
    }
    // JSON knows neither NaN nor infinity: they would be null.
    for stair in value["fresh"].as_array().into_iter().flatten() {
        let size = stair["size"].as_f64();
        if size.is_none_or(|size| !size.is_finite()) {
            return Err(format!("a stair of no size: {stair}"));
        }
    }
    if in_words(&analysed).is_empty() { Err("nothing is said".into()) } else { Ok(()) }
}
