//! `[[figure]]`.

use twolayer::problem::Duration;

use super::reader::Reader;
use crate::{
    diagnostic::{Diagnostic, Source},
    experiment::{Axis, Figure, NamedView, Quantity, Scale},
    spec::{Spec, tree::Table},
};

/// Overlaps are drawn unasked up to this many curves for each view.
const MOST_CURVES: usize = 16;

/// The figures of the file; without any, the risk, and the overlaps of a small network.
pub fn resolve(
    source: &Source<'_>,
    spec: &Spec,
    views: &[(NamedView, Table)],
    faults: &mut Vec<Diagnostic>,
) -> Vec<Figure> {
    let axis = usual_axis(views);
    let written: Vec<Figure> = (spec.tables("figure").into_iter())
        .filter_map(|entry| one(&mut Reader::new(source, &Table(vec![entry]), faults), axis))
        .collect();
    if !written.is_empty() {
        return written;
    }
    let plain = |y| Figure { y, x: axis, x_scale: None, y_scale: None, at: Vec::new() };
    let mut figures = vec![plain(Quantity::Risk)];
    if views.iter().all(|(view, _)| view.problem.width() * view.problem.directions() <= MOST_CURVES) {
        figures.push(plain(Quantity::Overlap));
    }
    figures
}

/// Steps where every view counts the same steps, else time, which views at different d share.
fn usual_axis(views: &[(NamedView, Table)]) -> Axis {
    let counted =
        |view: &NamedView| matches!(&view.problem.training.duration, Duration::Steps(steps) if steps.is_number());
    let finite = |view: &NamedView| view.problem.dimension().is_some();
    if views.iter().all(|(view, _)| counted(view) && finite(view)) { Axis::Step } else { Axis::Time }
}

fn one(reader: &mut Reader<'_>, axis: Axis) -> Option<Figure> {
    let y = match reader.text("figure.y")?.as_str() {
        "2*risk" => Quantity::TwiceRisk,
        "overlap" => Quantity::Overlap,
        "cosine" => Quantity::Cosine,
        "scatter" => Quantity::Scatter,
        _ => Quantity::Risk,
    };
    let x = match reader.text("figure.x").as_deref() {
        Some("time") => Axis::Time,
        Some("step") => Axis::Step,
        _ => axis,
    };
    let scale = |path| match reader.text(path).as_deref() {
        Some("linear") => Some(Scale::Linear),
        Some("log") => Some(Scale::Log),
        _ => None,
    };
    let (x_scale, y_scale) = (scale("figure.x_scale"), scale("figure.y_scale"));
    let at = reader.numbers("figure.at")?;
    if let Some(early) = at.iter().find(|time| **time < 0.0) {
        reader.fault("figure.at", format!("a panel at {early}, before the start"), "write times ≥ 0");
    }
    Some(Figure { y, x, x_scale, y_scale, at })
}
