//! The block for people.

use twolayer::hierarchy::{HIGHEST, Stair, Stairs};

use super::{
    Analysed,
    protocols::protocols,
    words::{coefficient, directions, exponent, law, method, named, undecided, warnings, with_error},
};
use crate::answer::digits;

/// What a target hides, in about one screen.
pub fn text(analysed: &Analysed) -> String {
    let analysis = &analysed.analysis;
    let noise = if analysed.noise > 0.0 { format!(" + √Δ ξ, Δ = {}", analysed.noise) } else { String::new() };
    let mut lines = vec![format!("y = g(z){noise}, g(z) = {}", analysed.formula), String::new()];

    let (fresh, reused) = (&analysis.fresh, &analysis.label_aware);
    lines.push(heading("fresh batches see the mean of y", "information exponent", fresh));
    stairs(&mut lines, fresh, &coefficient);
    lines.push(heading("reused batches see its law", "generative exponent", reused));
    stairs(&mut lines, reused, &law);
    if let Some(visible) = &analysis.visible {
        let biased = if visible.biased { " with the biases of the start" } else { "" };
        let what = format!("fresh batches through {}{biased}", visible.activation);
        lines.push(heading(&what, "first leap", &visible.stairs));
        stairs(&mut lines, &visible.stairs, &coefficient);
    }

    lines.push(String::new());
    lines.push("learnt, if the network can see it".into());
    for protocol in protocols(analysis) {
        lines.push(format!("  {:24} {}", protocol.name, protocol.learns));
    }
    if !analysis.hard.is_empty() {
        lines.push(String::new());
        let why = match analysis.reflections.as_slice() {
            [] => "measured; no reflection of g was found that forbids it".into(),
            [one] => format!("g is the same with {} reversed", directions(&one.flipped)),
            [first, others @ ..] => {
                let more = format!("{} more", others.len());
                format!("g is the same with {} reversed; {more} such", directions(&first.flipped))
            }
        };
        lines
            .push(format!("hard  {}: no finite number of steps on a reused batch ({why})", directions(&analysis.hard)));
    }
    for warning in warnings(analysis) {
        lines.push(format!("note  {warning}"));
    }
    for (what, stairs) in named(analysis) {
        lines.extend(stairs.undecided().map(|open| format!("undecided  {}", undecided(&what, open))));
    }
    lines.push(String::new());
    lines.push(format!("sure  fresh: {}", certainty(fresh)));
    lines.push(format!("      reused: {}", certainty(reused)));
    lines.join("\n") + "\n"
}

fn heading(what: &str, first: &str, stairs: &Stairs) -> String {
    let (first_leap, largest) = (exponent(stairs.exponent(), stairs), exponent(stairs.leap_complexity(), stairs));
    format!("{what}: {first} {first_leap}, leap complexity {largest}")
}

fn stairs(lines: &mut Vec<String>, stairs: &Stairs, name: &dyn Fn(&Stair, bool) -> String) {
    let width = stairs.stairs.iter().map(|stair| directions(&stair.directions).chars().count()).max().unwrap_or(0);
    for (index, stair) in stairs.stairs.iter().enumerate() {
        let size = with_error(stair.size, stair.error);
        let found = directions(&stair.directions);
        lines.push(format!(
            "  {}. leap {}  {found:width$}  {} = {size}",
            index + 1,
            stair.leap,
            name(stair, index == 0)
        ));
    }
}

/// By what the stairs were computed, and what could hide in a zero.
fn certainty(stairs: &Stairs) -> String {
    let Some(last) = stairs.stairs.last() else {
        let open = stairs.undecided().is_some();
        return if open { "undecided".into() } else { format!("nothing found up to leap {HIGHEST}") };
    };
    let zero = stairs.stairs.iter().map(|stair| stair.zero_within).fold(0.0, f64::max);
    let means = method(last.method);
    match zero {
        0.0 => means,
        zero => format!("{means}; what is called zero is below {} of the label's standard deviation", digits(zero)),
    }
}
