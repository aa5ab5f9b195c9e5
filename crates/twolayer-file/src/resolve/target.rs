//! `[target]`.

use twolayer::{
    hierarchy,
    problem::{Rule, Sizes, Target},
};

use super::reader::{NO_SIZES, Reader};

/// The most directions a target can have: P alone is k×k, and every limit costs at least k³.
const MOST_DIRECTIONS: f64 = 1000.0;

/// The rule that labels the data, in dimension `d`.
pub fn resolve(reader: &mut Reader<'_>, d: f64) -> Option<Target> {
    let rule = if reader.has("target.committee") {
        committee(reader, d)
    } else if reader.has("target.hermite") {
        reader.series("target.hermite").map(Rule::single_index)
    } else {
        expression(reader)
    };
    let overlaps = reader.matrix("target.overlaps");
    let k = rule.as_ref().map_or(f64::NAN, |rule| Target::new(rule.clone()).directions() as f64);
    let noise = reader.value("target.noise", &Sizes { d, k, ..NO_SIZES });
    let mut target = Target::new(rule?);
    target.noise = noise?;
    target.overlaps = overlaps.unwrap_or(target.overlaps);
    reader.accept("target.expression", hierarchy::finite(&target))?;
    Some(target)
}

fn expression(reader: &mut Reader<'_>) -> Option<Rule> {
    let expression = reader.rule("target.expression")?;
    if expression.arity() as f64 > MOST_DIRECTIONS {
        let reason =
            format!("a target of {} directions, and at most {MOST_DIRECTIONS} are treated", expression.arity());
        reader.fault("target.expression", reason, "number the directions z1, z2, … without gaps");
        return None;
    }
    Some(Rule::Expression(expression))
}

fn committee(reader: &mut Reader<'_>, d: f64) -> Option<Rule> {
    let units = reader.size("target.committee.units", &Sizes { d, ..NO_SIZES }, MOST_DIRECTIONS);
    let activation = reader.activation("target.committee.activation");
    let k = units? as f64;
    let scale = reader.value("target.committee.output_scale", &Sizes { d, k, ..NO_SIZES });
    let weights = reader.weights("target.committee.weights", k as usize);
    let (activation, scale) = (activation?, scale?);
    Some(Rule::Committee { activation, weights: weights?.into_iter().map(|weight| scale * weight).collect() })
}
