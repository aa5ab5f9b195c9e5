//! The block for programs: `analyze --json`.

use serde_json::{Value, json};
use twolayer::hierarchy::{HIGHEST, Method, Stair, Stairs};

use super::{
    Analysed,
    words::{coefficient, law, named, undecided, warnings},
};

/// Components below this are rounding.
const ROUNDING: f64 = 1e-12;

/// Everything that is known of a target; the keys are those of the experiment-file page.
pub fn json(analysed: &Analysed) -> Value {
    let analysis = &analysed.analysis;
    let (fresh, reused, visible) = (&analysis.fresh, &analysis.label_aware, analysis.visible.as_ref());
    let open: Vec<String> = (named(analysis).iter())
        .filter_map(|(what, stairs)| stairs.undecided().map(|open| undecided(what, open)))
        .collect();
    json!({
        "target": analysed.formula,
        "k": analysis.directions,
        "noise": analysed.noise,
        "activation": visible.map(|visible| visible.activation.clone()),
        "information_exponent": fresh.exponent(),
        "sought_up_to": HIGHEST,
        "leap_complexity": fresh.leap_complexity(),
        "generative_exponent": reused.exponent(),
        "generative_leap_complexity": reused.leap_complexity(),
        "fresh": list(fresh, &coefficient),
        "reused": list(reused, &law),
        "visible": visible.map(|visible| list(&visible.stairs, &coefficient)),
        "hard_directions": vectors(&analysis.hard),
        "reflections": analysis.reflections.iter().map(|reflection| vectors(&reflection.flipped)).collect::<Vec<_>>(),
        "undecided": open,
        "warnings": warnings(analysis),
    })
}

fn list(stairs: &Stairs, name: &dyn Fn(&Stair, bool) -> String) -> Vec<Value> {
    let stair = |(index, stair): (usize, &Stair)| {
        json!({
            "leap": stair.leap,
            "directions": vectors(&stair.directions),
            "size": stair.size,
            "error": stair.error,
            "turned_by": stair.turned_by,
            "coefficient": name(stair, index == 0),
            "zero_within": stair.zero_within,
            "method": match stair.method {
                Method::Quadrature { .. } => "quadrature",
                Method::Samples { .. } => "samples",
            },
        })
    };
    stairs.stairs.iter().enumerate().map(stair).collect()
}

fn vectors(vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let clean = |x: &f64| if x.abs() < ROUNDING { 0.0 } else { *x };
    vectors.iter().map(|vector| vector.iter().map(clean).collect()).collect()
}
