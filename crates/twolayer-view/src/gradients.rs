//! The gradients of the first layer in the plane of the target directions, one panel for each step that was recorded.
//!
//! Where the limit's gradients of all neurons point one way (one giant step sees a single direction of the target), that way
//! is drawn as a line through 0.

use twolayer::record::{
    Trajectory,
    observable::{GRADIENT_TEACHER, SECOND_LAYER},
};
use twolayer_file::experiment::{Experiment, Figure};

use crate::{
    AxisOf, Block, Dash, Dot, Key, Mark, Marker, Outcome, Panel, Sample, Scale, Style,
    curves::spread,
    direction::{Direction, directions},
    moments::{Moment, moments},
    series::{Series, legend, series},
};

/// Dots in one panel that are still told apart.
const CROWD: usize = 600;
/// Panels without `at`: every step, up to this many.
const PANELS: usize = 6;
/// The second singular value of gradients that point one way, in units of the first.
const ONE_WAY: f64 = 1e-2;

/// `gradient_M` along the figure's first two directions (with one, against the second layer): dots for simulations, crosses
/// for limits, and the line along which those of a limit lie.
pub(crate) fn gradients(experiment: &Experiment, outcomes: &[Outcome], figure: &Figure) -> Block {
    let (mut all, settings) = series(experiment, outcomes);
    all.retain(|series| series.runs.iter().any(|run| run.get(&GRADIENT_TEACHER).is_some()));
    let plane = all.first().map(|s| directions(figure, &s.view.problem.target.overlaps)).unwrap_or_default();
    let style = |series: &Series<'_>| match series.is_limit() {
        true => Style { size: 3.6, ..Style::dots(series.index, Marker::Cross) },
        false => Style { size: 2.2, opacity: 0.6, ..Style::dots(series.index, Marker::nth(series.part)) },
    };
    let (shown, said) = steps(&all, figure);
    let mut panels: Vec<Panel> = Vec::new();
    for moment in &shown {
        let mut marks = vec![Mark::Level(0.0)];
        for series in all.iter().filter(|s| !s.is_limit()).chain(all.iter().filter(|s| s.is_limit())) {
            let own = directions(figure, &series.view.problem.target.overlaps);
            let points = dots(series, moment, figure, &own);
            let way = if series.is_limit() && own.len() > 1 { one_way(&points) } else { None };
            if let Some((x, y)) = way {
                let reach = 2.0 * points.iter().map(|dot| dot.x.hypot(dot.y)).fold(0.0, f64::max);
                let ends = vec![(-reach * x, -reach * y), (reach * x, reach * y)];
                let line = Style { size: 1.2, opacity: 0.7, ..Style::line(series.index, Dash::Long) };
                marks.push(Mark::Line { points: ends, style: line });
            }
            marks.push(Mark::Dots { points, style: style(series) });
        }
        panels.push(Panel {
            title: format!("gradient at {}", moment.title),
            x: AxisOf::new(axis_label(plane.first()), Scale::Linear, (-1.0, 1.0)),
            y: AxisOf::new(
                plane.get(1).map_or("second layer  a_{j}".into(), |d| axis_label(Some(d))),
                Scale::Linear,
                (-1.0, 1.0),
            ),
            square: plane.len() > 1,
            marks,
        });
    }
    fit(&mut panels);
    let key = |series: &Series<'_>| Key {
        label: series.label(),
        sample: Sample::Dot,
        style: Style { opacity: 1.0, ..style(series) },
    };
    let lines = panels.iter().flat_map(|panel| &panel.marks).any(|mark| matches!(mark, Mark::Line { .. }));
    let words = if lines { "Dashed: the one way in which all gradients of the limit point." } else { "" };
    let columns = if panels.len() == 4 { 2 } else { panels.len().clamp(1, 3) };
    Block { legend: legend(&all, settings, key), panels, columns, remark: format!("{words} {said}").trim().into() }
}

fn axis_label(direction: Option<&Direction>) -> String {
    format!("gradient along {}", direction.map_or("z₁", |direction| direction.name.as_str()))
}

/// The moments that have a gradient, which is that of the step after them.
fn steps(all: &[Series<'_>], figure: &Figure) -> (Vec<Moment>, String) {
    let every: Vec<f64> = match (all.first(), &figure.at[..]) {
        (Some(first), []) => {
            let record = first.abscissa(&twolayer_file::experiment::Axis::Step);
            spread(record.len().saturating_sub(1), PANELS).into_iter().map(|t| record[t]).collect()
        }
        (_, at) => at.to_vec(),
    };
    let (mut found, said) = moments(all, &every);
    let known =
        |moment: &Moment| all.iter().any(|series| moment.entry(series).is_some_and(|t| t + 1 < series.runs[0].len()));
    found.retain(known);
    (found, said)
}

/// The gradients of every neuron, in every run that goes on from there.
fn dots(series: &Series<'_>, moment: &Moment, figure: &Figure, plane: &[Direction]) -> Vec<Dot> {
    let Some(t) = moment.entry(series) else { return Vec::new() };
    let most = (CROWD / series.runs[0].width.max(1)).max(1);
    let of_run = |run: &Trajectory| -> Vec<Dot> {
        let (p, k) = (run.width, run.directions);
        let Some(gradient) = run.get(&GRADIENT_TEACHER).filter(|g| (t + 1) * p * k <= g.len()) else {
            return Vec::new();
        };
        let drawn = |j: &usize| figure.neurons.is_empty() || figure.neurons.contains(j);
        let dot = |j: usize| {
            let row = &gradient[(t * p + j) * k..][..k];
            let x = plane.first().map_or(f64::NAN, |direction| direction.along(row));
            let y = plane.get(1).map_or(run.of(&SECOND_LAYER)[t * p + j], |direction| direction.along(row));
            Dot { x, y, low: y, high: y }
        };
        (0..p).filter(drawn).map(dot).filter(|dot| dot.x.is_finite() && dot.y.is_finite()).collect()
    };
    series.runs.iter().filter(|run| t + 1 < run.valid).take(most).flat_map(of_run).collect()
}

/// The direction of points on one line through 0; `None` where they are none or on no line.
fn one_way(points: &[Dot]) -> Option<(f64, f64)> {
    let sum = |of: &dyn Fn(&Dot) -> f64| points.iter().map(of).sum::<f64>();
    let (xx, xy, yy) = (sum(&|d| d.x * d.x), sum(&|d| d.x * d.y), sum(&|d| d.y * d.y));
    let (middle, half) = (0.5 * (xx + yy), (0.25 * (xx - yy).powi(2) + xy * xy).sqrt());
    let (first, second) = (middle + half, (middle - half).max(0.0));
    let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
    (first > 0.0 && second <= ONE_WAY.powi(2) * first).then(|| (angle.cos(), angle.sin()))
}

/// One pair of axes for all panels, with 0 in the middle where both are gradients.
fn fit(panels: &mut [Panel]) {
    let all = || {
        panels.iter().flat_map(|panel| &panel.marks).filter_map(|mark| match mark {
            Mark::Dots { points, .. } => Some(points),
            Mark::Line { .. } | Mark::Bars { .. } | Mark::UnitCircle | Mark::Level(_) | Mark::Upright(_) => None,
        })
    };
    let reach = |of: &dyn Fn(&Dot) -> f64| all().flatten().map(|dot| of(dot).abs()).fold(0.0, f64::max);
    let (x, y) = (reach(&|dot| dot.x), reach(&|dot| dot.y));
    let room = |reach: f64| if reach > 0.0 { 1.08 * reach } else { 1.0 };
    for panel in panels {
        let (x, y) = if panel.square { (room(x.max(y)), room(x.max(y))) } else { (room(x), room(y)) };
        (panel.x.limits, panel.y.limits) = ((-x, x), (-y, y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_line_have_its_direction() {
        let dots = |points: &[(f64, f64)]| -> Vec<Dot> {
            points.iter().map(|&(x, y)| Dot { x, y, low: y, high: y }).collect()
        };
        let (x, y) = one_way(&dots(&[(3.0, -4.0), (-6.0, 8.0), (0.3, -0.4)])).unwrap();
        assert!((x.abs() - 0.6).abs() < 1e-12 && (y / x + 4.0 / 3.0).abs() < 1e-12, "{x}, {y}");
        assert_eq!(one_way(&dots(&[(3.0, -4.0), (-6.0, 8.5)])), None);
        assert_eq!(one_way(&[]), None);
    }
}
