//! `[record]`.

use twolayer::{
    problem::{Crossing, CrossingOf, Problem, Record, Sizes, Spacing, Word},
    record::KeepQ,
};

use super::{reader::Reader, readout};
use crate::text::{
    tree::{Entry, Table},
    words::{CrossingQuantity, KeptQ},
};

/// What is recorded.
pub fn resolve(reader: &mut Reader<'_>, sizes: &Sizes) -> Option<Record> {
    let spacing = reader.choice("record.spacing")?;
    let keep_q = match reader.choice("record.Q")? {
        KeptQ::Auto => None,
        KeptQ::Full => Some(KeepQ::Full),
        KeptQ::Diagonal => Some(KeepQ::Diagonal),
        KeptQ::None => Some(KeepQ::None),
    };
    let first = reader.has("record.first").then(|| reader.value("record.first", sizes));
    if let Some(Some(start)) = first
        && start <= 0.0
    {
        let remedy = "write a number > 0: entry 0 is kept anyway";
        reader.fault("record.first", format!("the grid starts at {start}"), remedy);
    }
    let points = usize::try_from(reader.whole("record.points")?).ok()?;
    let first = match first {
        Some(first) => Some(first?),
        None => None,
    };
    let gradients = reader.switch("record.gradients");
    let crossings = crossings(reader, sizes.k as usize)?;
    let spectrum = reader.switch("record.spectrum");
    let readout = if reader.has("readout") { Some(readout::resolve(reader, sizes)?) } else { None };
    Some(Record { points, spacing, first, keep_q, gradients, crossings, spectrum, readout })
}

/// A log grid that starts beyond the end would be its two ends and nothing between.
pub fn within_the_end(reader: &mut Reader<'_>, record: &Record, problem: &Problem) {
    let Some(first) = record.first.filter(|_| record.spacing == Spacing::Log) else { return };
    let flow = problem.step_time().is_nan() || problem.dimension().is_none();
    let steps = problem.steps();
    let (what, last) = match (flow, problem.counts_steps()) {
        (false, _) if steps <= record.points as u64 => return,
        (false, true) => ("step", steps as f64),
        _ => ("time", problem.time()),
    };
    if first >= last {
        let reason = format!("record.first is the {what} {first}, and the run ends at {what} {last}");
        reader.fault("record.first", reason, format!("write a {what} between 0 and {last}, or remove the line"));
    }
}

fn crossings(reader: &mut Reader<'_>, directions: usize) -> Option<Vec<Crossing>> {
    let node = reader.node("record.crossings")?;
    let tables = node.array().unwrap_or_default().iter();
    tables.map(|table| one(reader, table.span.clone(), table.table()?, directions)).collect()
}

fn one(reader: &mut Reader<'_>, at: std::ops::Range<usize>, table: &Table, directions: usize) -> Option<Crossing> {
    let (Some(quantity), Some(level)) = (table.get("quantity"), table.get("level")) else {
        let remedy = "write { quantity = \"risk\", level = 0.01 }";
        reader.report(at, "a crossing has a quantity and a level", remedy);
        return None;
    };
    let of = of(reader, quantity, directions)?;
    let number = level.node.number()?;
    let reached = if of == CrossingOf::Risk { number > 0.0 } else { number > 0.0 && number < 1.0 };
    if !reached {
        let range = if of == CrossingOf::Risk { "a number > 0" } else { "a number between 0 and 1" };
        reader.report(
            level.node.span.clone(),
            format!("the level {number} is never crossed"),
            format!("write {range}"),
        );
        return None;
    }
    let stop = table.get("stop").and_then(|entry| entry.node.switch()).unwrap_or(false);
    Some(Crossing { of, level: number, stop })
}

/// `risk`, `cosine`, or `cosine:2` for z2.
fn of(reader: &mut Reader<'_>, entry: &Entry, directions: usize) -> Option<CrossingOf> {
    let text = entry.node.text()?.trim();
    match CrossingQuantity::named(text) {
        Some(CrossingQuantity::Risk) => return Some(CrossingOf::Risk),
        Some(CrossingQuantity::Cosine) => return Some(CrossingOf::Cosine),
        None => {}
    }
    let along = text.strip_prefix(CrossingQuantity::Cosine.name()).and_then(|rest| rest.strip_prefix(':'));
    match along.and_then(|word| word.trim_start_matches('z').parse::<usize>().ok()) {
        Some(r) if (1..=directions).contains(&r) => return Some(CrossingOf::CosineWith(r - 1)),
        Some(r) => {
            let remedy = format!("write a direction from 1 to {directions}: cosine:1 is the cosine with z1");
            reader.report(entry.node.span.clone(), format!("there is no direction z{r}"), remedy);
        }
        None => {
            let remedy =
                "write \"risk\", \"cosine\" (the largest over neurons and directions) or \"cosine:1\" (with z1)";
            reader.report(entry.node.span.clone(), format!("{text:?} is not a quantity that crosses a level"), remedy);
        }
    }
    None
}
