//! Which protocol learns which direction, when, and from how many samples. (theory.md §7)

use twolayer::hierarchy::{Analysis, End, Stairs};

use super::words::directions;

/// A protocol and what it learns.
pub(super) struct Protocol {
    pub(super) name: &'static str,
    pub(super) learns: String,
}

/// The protocols, those with fresh batches first.
pub(super) fn protocols(analysis: &Analysis) -> Vec<Protocol> {
    let (fresh, reused) = (&analysis.fresh, &analysis.label_aware);
    let protocol = |name, learns| Protocol { name, learns };
    vec![
        protocol("one giant step", one_step(fresh)),
        protocol("giant steps, n ~ d each", giant_steps(fresh)),
        protocol("one-pass SGD", one_pass(fresh)),
        protocol("best correlational", correlational(fresh)),
        protocol("reused batch", reuse(fresh, reused)),
    ]
}

fn one_step(fresh: &Stairs) -> String {
    let Some(first) = fresh.stairs.first() else { return nothing(fresh) };
    let more = if fresh.stairs.len() > 1 { "; later stairs need later steps" } else { "" };
    format!("{} at n ~ {}{more}", directions(&first.directions), power(first.leap as f64))
}

fn giant_steps(fresh: &Stairs) -> String {
    let reached: Vec<String> = (fresh.stairs.iter().take_while(|stair| stair.leap == 1).enumerate())
        .map(|(step, stair)| format!("{} at step {}", directions(&stair.directions), step + 1))
        .collect();
    let stop = fresh.stairs.get(reached.len()).map(|stair| stair.leap);
    let mut text = reached.join(", ");
    if text.is_empty() {
        text = if stop.is_some() { "nothing".into() } else { nothing(fresh) };
    }
    if let Some(leap) = stop {
        text += &format!("; the next leap is {leap} and needs n ~ {}", power(leap as f64));
    }
    text
}

fn one_pass(fresh: &Stairs) -> String {
    let cost = |leap: usize| match leap {
        1 => "d".into(),
        2 => "d log d".into(),
        leap => power(leap as f64 - 1.0),
    };
    each(fresh, &cost)
}

fn correlational(fresh: &Stairs) -> String {
    each(fresh, &|leap| power((leap as f64 / 2.0).max(1.0)))
}

/// Stairs of the same cost together.
fn each(stairs: &Stairs, cost: &dyn Fn(usize) -> String) -> String {
    let mut largest = 0;
    let mut parts: Vec<(String, Vec<Vec<f64>>)> = Vec::new();
    for stair in &stairs.stairs {
        // A later stair waits for the earlier ones.
        largest = largest.max(stair.leap);
        let cost = cost(largest);
        match parts.last_mut().filter(|(last, _)| *last == cost) {
            Some((_, found)) => found.extend(stair.directions.iter().cloned()),
            None => parts.push((cost, stair.directions.clone())),
        }
    }
    if parts.is_empty() {
        return nothing(stairs);
    }
    let parts: Vec<String> = parts.iter().map(|(cost, found)| format!("{} at n ~ {cost}", directions(found))).collect();
    parts.join("; ")
}

fn reuse(fresh: &Stairs, reused: &Stairs) -> String {
    let mut parts = Vec::new();
    let first = fresh.stairs.first().filter(|stair| stair.leap == 1);
    if let Some(first) = first {
        parts.push(format!("{} at step 1", directions(&first.directions)));
    }
    let reached = reused.reached(1);
    let known = first.map_or(0, |stair| stair.directions.len());
    if reached.len() > known {
        let what = match first {
            None => directions(&reached),
            Some(_) => format!("all of {}", directions(&reached)),
        };
        parts.push(format!("{what} from step 2 on"));
    }
    if parts.is_empty() {
        parts.push("nothing".into());
    }
    let mut text = format!("n ~ d: {}", parts.join(", "));
    let later: Vec<_> = reused.stairs.iter().skip_while(|stair| stair.leap == 1).collect();
    if !later.is_empty() {
        let found: Vec<Vec<f64>> = later.iter().flat_map(|stair| stair.directions.iter().cloned()).collect();
        let leap = later.iter().map(|stair| stair.leap).max().unwrap_or(2);
        let cost = if leap == 2 { "n ~ d log d".into() } else { format!("more than d log d (generative leap {leap})") };
        text += &format!("; {} at {cost}", directions(&found));
    }
    text
}

fn nothing(stairs: &Stairs) -> String {
    match stairs.end {
        End::Undecided(_) => "undecided".into(),
        End::Complete | End::NeverFound => "nothing".into(),
    }
}

/// `d`, `d^2`, `d^1.5`.
fn power(exponent: f64) -> String {
    if exponent == 1.0 { "d".into() } else { format!("d^{exponent}") }
}
