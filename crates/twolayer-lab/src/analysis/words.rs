//! Names of directions and of numbers, and the remarks that text and JSON share.

use twolayer::hierarchy::{Analysis, End, HIGHEST, Method, Stair, Stairs, Undecided, Visible};

use crate::answer::digits;

/// Components below this are not shown.
const SMALL: f64 = 5e-4;

/// `z1`, `(z1 − z2)/√2`, or `(0.768, −0.641)`.
pub(super) fn direction(vector: &[f64]) -> String {
    let shown: Vec<usize> = (0..vector.len()).filter(|&i| vector[i].abs() >= SMALL).collect();
    let length = 1.0 / (shown.len() as f64).sqrt();
    if !shown.iter().all(|&i| (vector[i].abs() - length).abs() < SMALL) {
        let numbers: Vec<String> = vector.iter().map(|x| format!("{:.3}", x + 0.0).replace('-', "−")).collect();
        return format!("({})", numbers.join(", ")).replace("−0.000", "0.000");
    }
    let mut sum = String::new();
    for &i in &shown {
        let sign = match (vector[i] < 0.0, sum.is_empty()) {
            (true, true) => "−",
            (true, false) => " − ",
            (false, true) => "",
            (false, false) => " + ",
        };
        sum += &format!("{sign}z{}", i + 1);
    }
    match shown.len() {
        1 => sum,
        4 => format!("({sum})/2"),
        count => format!("({sum})/√{count}"),
    }
}

/// `z1, z2`.
pub(super) fn directions(vectors: &[Vec<f64>]) -> String {
    vectors.iter().map(|vector| direction(vector)).collect::<Vec<_>>().join(", ")
}

/// `0.465807 ± 2e-14`: as many digits as the error leaves, at most seven.
pub(super) fn with_error(value: f64, error: f64) -> String {
    let decimals = if error > 0.0 { (1.0 - error.log10().floor()).clamp(0.0, 6.0) as usize } else { 6 };
    format!("{value:.decimals$} ± {error:.0e}")
}

/// `C_1`, `E[y v He_2(u)]`, `E[y He_2(v) | u]`.
pub(super) fn coefficient(stair: &Stair, first: bool) -> String {
    let v = hermite(stair.leap, "v");
    match (stair.known_degree, first) {
        (Some(_), true) => format!("‖C_{}‖", stair.leap),
        (Some(0), false) => format!("‖E[y {v}]‖"),
        (Some(j), false) => format!("‖E[y {v} {}]‖", hermite(j, "u")),
        (None, _) => format!("√E‖E[y {v} | u]‖²"),
    }
}

/// `E[v | y]`, `E[He_2(v) | y, u]`.
pub(super) fn law(stair: &Stair, first: bool) -> String {
    format!("√E‖E[{} | y{}]‖²", hermite(stair.leap, "v"), if first { "" } else { ", u" })
}

fn hermite(degree: usize, of: &str) -> String {
    if degree == 1 { of.into() } else { format!("He_{degree}({of})") }
}

/// `quadrature, 57600 nodes`, `1.0 M samples`.
pub(super) fn method(method: Method) -> String {
    match method {
        Method::Quadrature { nodes } => format!("quadrature, {nodes} nodes"),
        Method::Samples { samples } if samples < 1_000_000 => format!("{} k Sobol samples", samples / 1000),
        Method::Samples { samples } => format!("{:.1} M Sobol samples", samples as f64 / 1e6),
    }
}

/// `3`, `> 8` (sought up to there and not found), `undecided`.
pub(super) fn exponent(value: Option<usize>, stairs: &Stairs) -> String {
    match (value, &stairs.end) {
        (Some(value), _) => value.to_string(),
        (None, End::Undecided(_)) => "undecided".into(),
        (None, _) => format!("> {HIGHEST}"),
    }
}

/// What is not decided and what would decide it.
pub(super) fn undecided(what: &str, undecided: &Undecided) -> String {
    format!(
        "{what}, stair {}: at this accuracy the tensor of degree {} is neither zero nor not: size {}, called zero below {} \
         and non-zero above {}, in units of the label's standard deviation ({}). What would decide: more samples, fewer \
         directions, less noise, or a bounded function of the label",
        undecided.stair,
        undecided.degree,
        digits(undecided.size),
        digits(undecided.zero_below),
        digits(undecided.nonzero_above),
        method(undecided.method),
    )
}

/// The stairs with their names, the visible ones last.
pub(super) fn named(analysis: &Analysis) -> Vec<(String, &Stairs)> {
    let mut all = vec![("fresh".into(), &analysis.fresh), ("reused".into(), &analysis.label_aware)];
    all.extend(analysis.visible.iter().map(|visible| (format!("visible to {}", visible.activation), &visible.stairs)));
    all
}

/// What a user should not overlook.
pub(super) fn warnings(analysis: &Analysis) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(visible) = &analysis.visible {
        warnings.extend(blindness(visible, analysis));
    }
    for (what, stairs) in [("fresh batches", &analysis.fresh), ("the law of the label", &analysis.label_aware)] {
        if let End::NeverFound = stairs.end {
            let left =
                analysis.relevant.len() - stairs.stairs.iter().map(|stair| stair.directions.len()).sum::<usize>();
            let directions = if left == 1 { "a direction".into() } else { format!("{left} directions") };
            warnings.push(format!("{what}: {directions} of the target cannot be found by any leap up to {HIGHEST}"));
        }
    }
    warnings
}

/// `relu has no Hermite component of degree 3: …`; of degrees that training opens it says so.
fn blindness(visible: &Visible, analysis: &Analysis) -> Option<String> {
    let first = visible.blind.first()?;
    let name = format!("{}{}", visible.activation, if visible.biased { ", at the biases of the start," } else { "" });
    let percent = |part: f64| if part < 0.01 { "under 1 %".into() } else { format!("{:.0} %", 100.0 * part) };
    let mut text = format!(
        "{name} has no Hermite component of degree {}: fresh batches cannot show it what the target has there ({} of the \
         label's variance)",
        first.degree,
        percent(first.part)
    );
    if let [_, others @ ..] = visible.blind.as_slice()
        && !others.is_empty()
    {
        let degrees: Vec<String> = others.iter().map(|blind| blind.degree.to_string()).collect();
        text += &format!(
            ", nor of degree {} ({})",
            degrees.join(", "),
            percent(others.iter().map(|blind| blind.part).sum())
        );
    }
    let (seen, hidden) = (visible.stairs.reached(HIGHEST), analysis.fresh.reached(HIGHEST));
    let opens: Vec<String> =
        visible.blind.iter().filter(|blind| blind.opens).map(|blind| blind.degree.to_string()).collect();
    let learns = match (seen.is_empty(), opens.is_empty()) {
        (true, true) => "it learns nothing from fresh batches".into(),
        (false, true) if seen.len() < hidden.len() => format!("fresh batches stop at {}", directions(&seen)),
        (_, true) => return Some(text),
        (..) => format!(
            "so it is at the start only: norms and biases that are trained move, and open degree {}",
            opens.join(", ")
        ),
    };
    Some(format!("{text}; {learns}"))
}
