//! The figures of a sweep: curves in the colours of the swept values, or what came out against them.

use super::{
    AxisOf, Block, Dash, Dot, Drawing, Key, Mark, Marker, PALETTE, Panel, Sample, Scale, Style,
    axes::{Curve, around, horizontal, marks, vertical},
    clouds,
    curves::{scalar, spread},
    grid::{Bundle, bundles},
    of_run,
    plateaus::{common, level_marks},
    readout::{LABEL, dashed},
    scale_of,
    series::{Estimate, HELD, series},
    small_print,
    summary::ViewSummary,
};
use twolayer::agree::{Crossed, crossings as crossed};
use twolayer_file::experiment::{Axis, Experiment, Figure, Quantity};

use crate::outcome::Outcome;

pub use super::summary::Summary;

/// More panels than this are not read.
const PANELS: usize = 9;
/// Swept values that the legend names.
const NAMED: usize = 7;
/// Colours are told from views in a curve's number by this factor.
const COLORS: usize = 1000;

/// All figures of a sweep of `experiment` (its views are those of any point); of what has panels for moments, only clouds:
/// the rest is drawn at each point. `version` is that of the program.
pub fn draw_sweep(experiment: &Experiment, summaries: &[Summary], version: &str) -> Drawing {
    let sweep = Sweep { summaries, bundles: bundles(summaries) };
    let drawn = |(number, figure): (usize, &Figure)| match (&figure.x, figure.y) {
        (_, Quantity::Cloud) => Some(clouds::clouds(summaries, &sweep.bundles, number)),
        (_, y) if y.has_panels() => None,
        (Axis::Swept(key), _) => Some(sweep.against(key, number, figure)),
        (_, y) if y.is_of_run() => {
            let key = summaries.first()?.values.first()?.0.clone();
            Some(sweep.against(&key, number, figure))
        }
        (Axis::Time | Axis::Step | Axis::Samples, _) => Some(sweep.overlaid(number, figure)),
    };
    let blocks = experiment.figures.iter().enumerate().filter_map(drawn).collect();
    Drawing { title: experiment.title.clone(), blocks, small_print: small_print(experiment, version) }
}

struct Sweep<'a> {
    summaries: &'a [Summary],
    bundles: Vec<Bundle>,
}

impl Sweep<'_> {
    /// Curves against time: a colour for each value, a panel for each direction and each value of the other swept keys.
    fn overlaid(&self, number: usize, figure: &Figure) -> Block {
        let colored = (0..self.bundles.len()).max_by_key(|&b| (self.bundles[b].levels.len(), usize::MAX - b));
        let count = colored.map_or(1, |b| self.bundles[b].levels.len());
        let mut panels: Vec<(String, Vec<Curve>)> = Vec::new();
        // Dots of many values hide each other: where there are lines, only those that the legend names have dots.
        let named = colored.map_or_else(Vec::new, |b| self.named(b));
        let lines = self.summaries.iter().flat_map(|summary| &summary.views).any(|view| view.limit);
        for (point, summary) in self.summaries.iter().enumerate() {
            let rest = self.others(point, colored);
            let silent = lines && colored.is_some_and(|b| !named.contains(&self.bundles[b].of_point[point]));
            for view in summary.views.iter().filter(|view| view.limit || !silent) {
                for traced in view.figures.get(number).into_iter().flatten() {
                    let title = joined([traced.title.clone(), traced.level.clone(), rest.clone()]);
                    let style = self.style(view, colored.map(|b| (b, self.bundles[b].of_point[point])));
                    let style = if traced.bound { dashed(style) } else { style };
                    let (limit, index) = (view.limit || traced.bound, view.index);
                    let curve = Curve { limit, index, x: traced.x.clone(), y: traced.y.clone(), style };
                    match panels.iter_mut().find(|(other, _)| *other == title) {
                        Some((_, curves)) => curves.push(curve),
                        None => panels.push((title, vec![curve])),
                    }
                }
            }
        }
        let dotted = self.summaries.iter().flat_map(|summary| &summary.views).any(|view| !view.limit);
        let all = panels.len();
        let kept = spread(all, PANELS);
        let every =
            self.summaries.iter().flat_map(|summary| &summary.views).filter_map(|view| view.figures.get(number));
        let directions = every.map(Vec::len).max().unwrap_or(1);
        let mut remark = Vec::new();
        if kept.len() < all {
            remark.push(format!("{} of {all} panels.", kept.len()));
        }
        if lines && dotted && named.len() < count {
            remark.push(format!("Dots at {} of {count} values, those of the legend.", named.len()));
        }
        if self.holds() {
            remark.push(HELD.into());
        }
        let panels: Vec<&(String, Vec<Curve>)> = kept.iter().map(|&i| &panels[i]).collect();
        let flat: Vec<&Curve> = panels.iter().flat_map(|(_, curves)| curves).collect();
        let x = horizontal(&figure.x, scale_of(figure.x_scale), flat.iter().copied());
        let (label, scale) = label_of(figure, "");
        // Stairs are seen on a linear axis.
        let stairs = self.summaries.iter().flat_map(|summary| &summary.views).any(|view| !view.levels.is_empty());
        let risk = matches!(figure.y, Quantity::Risk | Quantity::TwiceRisk);
        let scale = scale.or((stairs && risk).then_some(Scale::Linear));
        let y = vertical(scale, &label, flat.iter().copied(), &x);
        let dots = if count > 8 { 6 } else { 12 };
        let levels = common(self.summaries.iter().flat_map(|summary| &summary.views).map(|view| &view.levels[..]));
        if !level_marks(figure, &levels, &y).is_empty() {
            remark.push("Grey: levels that theory expects.".into());
        }
        let drawn = panels.iter().map(|(title, curves)| Panel {
            title: title.clone(),
            x: x.clone(),
            y: y.clone(),
            square: false,
            marks: [level_marks(figure, &levels, &y), marks(curves, &x, dots)].concat(),
        });
        Block {
            legend: [self.views_in(true), colored.map_or_else(Vec::new, |b| self.colors(b))].into(),
            panels: drawn.collect(),
            // A column for each direction, where there are several and all panels are shown.
            columns: if directions > 1 && kept.len() == all { directions.min(3) } else { columns(panels.len()) },
            remark: remark.join(" "),
        }
    }

    /// What came out in the end, or when levels were crossed, against the values of `key`.
    fn against(&self, key: &str, number: usize, figure: &Figure) -> Block {
        let across = self.bundles.iter().position(|bundle| bundle.keys.iter().any(|k| k == key));
        let place = |point: usize| across.map_or(0, |b| self.bundles[b].of_point[point]);
        let values = across.map(|b| self.bundles[b].of_key(key)).unwrap_or_default();
        let numbers: Option<Vec<f64>> = values.iter().map(|value| value.parse().ok()).collect();
        // The other keys, all together, have a colour for each of their combinations.
        let mut rests: Vec<String> = Vec::new();
        let mut panels: Vec<(String, Vec<Curve>)> = Vec::new();
        let mut remark = String::new();
        for (point, summary) in self.summaries.iter().enumerate() {
            let others = self.others(point, across);
            let x = numbers.as_ref().map_or(place(point) as f64, |numbers| numbers[place(point)]);
            for view in &summary.views {
                for End { title, level, bound, estimate } in ends(view, number, figure, &mut remark) {
                    let color = place_of(&mut rests, |rest, own| rest == own, joined([level, others.clone()]));
                    // No line leads from one name to the next.
                    let line = view.limit || bound;
                    let cross = line && numbers.is_none();
                    let style = match (line, cross) {
                        (_, true) => Style { size: 4.2, ..Style::dots(view.index, Marker::Cross) },
                        (true, _) if bound => dashed(self.style(view, None)),
                        (true, _) => self.style(view, None),
                        (false, _) => {
                            Style { size: if values.len() > 20 { 2.2 } else { 3.2 }, ..self.style(view, None) }
                        }
                    };
                    let index = 2 * view.index + usize::from(bound) + COLORS * color;
                    let panel = place_of(&mut panels, |panel, own| panel.0 == own.0, (title, Vec::new()));
                    let curves = &mut panels[panel].1;
                    let fresh = Curve { limit: line && !cross, index, x: Vec::new(), y: Vec::new(), style };
                    let found = place_of(curves, |curve, own| curve.index == own.index, fresh);
                    curves[found].x.push(x);
                    curves[found].y.push(estimate);
                }
            }
        }
        if figure.y == Quantity::Readout {
            remark = "Dashed: lower bounds. Of several ridges the one that is best on average.".into();
        } else if !figure.y.is_of_run() && self.holds() {
            remark = HELD.into();
        }
        panels.iter_mut().flat_map(|(_, curves)| curves).for_each(|curve| in_order(curve, rests.len()));
        let x = match numbers {
            Some(numbers) => spread_axis(key, &numbers, scale_of(figure.x_scale)),
            None => AxisOf::named(super::grid::symbol(key), values),
        };
        // Degrees in their order, each with an axis of its own: they are learnt at times far apart.
        let apart = figure.y == Quantity::HalfTime;
        if apart {
            panels.sort_by_key(|(title, _)| title.rsplit(' ').next().and_then(|degree| degree.parse::<usize>().ok()));
        }
        let (label, scale) = label_of(figure, ", at the end");
        let shared = around_bars(scale, &label, panels.iter().flat_map(|(_, curves)| curves));
        let drawn = panels.iter().map(|(title, curves)| Panel {
            title: title.clone(),
            x: x.clone(),
            y: if apart { around_bars(scale, &label, curves) } else { shared.clone() },
            square: false,
            marks: marks(curves, &x, usize::MAX / 2),
        });
        let mut legend = vec![self.views_in(rests.len() > 1)];
        if !x.names.is_empty() {
            for key in legend[0].iter_mut().filter(|key| key.sample == Sample::Line) {
                key.sample = Sample::Dot;
                key.style = Style { size: 4.2, marker: Marker::Cross, ..key.style };
            }
        }
        if rests.len() > 1 {
            let named = spread(rests.len(), NAMED);
            legend.push((named.into_iter()).map(|i| patch(&rests[i], i, rests.len())).collect());
        }
        Block { legend, panels: drawn.collect(), columns: columns(panels.len()), remark }
    }

    /// Whether some curves hold runs at the level at which they stopped.
    fn holds(&self) -> bool {
        self.summaries.iter().flat_map(|summary| &summary.views).any(|view| view.holds)
    }

    /// What the bundles other than `but` are at a point, in words.
    fn others(&self, point: usize, but: Option<usize>) -> String {
        let words = (0..self.bundles.len()).filter(|b| Some(*b) != but).map(|b| {
            let bundle = &self.bundles[b];
            bundle.words(bundle.of_point[point])
        });
        joined(words)
    }

    /// In the colour of a bundle's value, or of the view.
    fn style(&self, view: &ViewSummary, of: Option<(usize, usize)>) -> Style {
        let style = match view.limit {
            true => Style::line(view.index, Dash::nth(view.rank)),
            false => Style::dots(view.index, Marker::nth(view.rank)),
        };
        match of {
            Some((b, level)) if self.bundles[b].ordered => style.on_ramp(level, self.bundles[b].levels.len()),
            Some((_, level)) => Style { color: PALETTE[level % PALETTE.len()], ..style },
            None => style,
        }
    }

    /// The views, in black where colours mean something else.
    fn views_in(&self, black: bool) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        for view in self.summaries.iter().flat_map(|summary| &summary.views) {
            let label = view.label(self.summaries);
            if keys.iter().all(|key| key.label != label) {
                let style = self.style(view, None);
                let style = if black { Style { color: "#222222", ..style } } else { style };
                let sample = if view.limit { Sample::Line } else { Sample::Dot };
                keys.push(Key { label, sample, style });
            }
        }
        keys
    }

    /// The values that the legend names, the first and the last among them.
    fn named(&self, b: usize) -> Vec<usize> {
        match self.bundles[b].levels.len() {
            count @ 0..=NAMED => (0..count).collect(),
            count => (0..NAMED).map(|i| i * (count - 1) / (NAMED - 1)).collect(),
        }
    }

    /// The colours of a bundle's values; of many, some.
    fn colors(&self, b: usize) -> Vec<Key> {
        let bundle = &self.bundles[b];
        let count = bundle.levels.len();
        let keys = self.named(b).into_iter().map(|level| match bundle.ordered {
            true => patch(&bundle.words(level), level, count),
            false => Key {
                style: Style { color: PALETTE[level % PALETTE.len()], ..patch("", 0, 1).style },
                ..patch(&bundle.words(level), 0, 1)
            },
        });
        keys.collect()
    }
}

/// Where the like of `own` is among `all`, appended where there is none.
fn place_of<T>(all: &mut Vec<T>, alike: impl Fn(&T, &T) -> bool, own: T) -> usize {
    all.iter().position(|other| alike(other, &own)).unwrap_or_else(|| {
        all.push(own);
        all.len() - 1
    })
}

/// A curve from left to right, in its colour where there are `colors` of them.
fn in_order(curve: &mut Curve, colors: usize) {
    if colors > 1 {
        curve.style = curve.style.on_ramp(curve.index / COLORS, colors);
    }
    let mut order: Vec<usize> = (0..curve.x.len()).collect();
    order.sort_by(|&i, &j| curve.x[i].total_cmp(&curve.x[j]));
    curve.x = order.iter().map(|&i| curve.x[i]).collect();
    curve.y = order.iter().map(|&i| curve.y[i]).collect();
}

/// The vertical axis around the means, and around their error bars where it is linear.
fn around_bars<'a>(scale: Option<Scale>, label: &str, curves: impl IntoIterator<Item = &'a Curve> + Clone) -> AxisOf {
    let all = || curves.clone().into_iter().flat_map(|curve| &curve.y);
    let axis = around(scale, label, &all().map(|e| e.mean).collect::<Vec<_>>());
    match axis.scale {
        Scale::Log => axis,
        Scale::Linear => {
            let ends: Vec<f64> = all().flat_map(|e| [e.mean - e.bar, e.mean + e.bar]).collect();
            around(Some(Scale::Linear), label, &ends)
        }
    }
}

fn patch(label: &str, level: usize, count: usize) -> Key {
    let style = Style { size: 3.0, ..Style::line(0, Dash::Solid) }.on_ramp(level, count);
    Key { label: label.into(), sample: Sample::Line, style }
}

fn joined(words: impl IntoIterator<Item = String>) -> String {
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
}

fn columns(panels: usize) -> usize {
    match panels {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    }
}

/// The label of the vertical axis, and its scale where it is not chosen to fit.
fn label_of(figure: &Figure, at: &str) -> (String, Option<Scale>) {
    let one = figure.neurons.len() == 1;
    let sign = if one { "" } else { "|" };
    let (words, linear) = match figure.y {
        Quantity::Overlap => (format!("{}{sign}M_{{jr}}{sign}", if one { "overlap  " } else { "largest  " }), true),
        Quantity::Cosine => (format!("{}{sign}cosine{sign}", if one { "" } else { "largest  " }), true),
        Quantity::Crossing => ("time t of crossing".to_string(), false),
        Quantity::Readout => (LABEL.to_string(), false),
        y => {
            let label = scalar(y).map(|(label, _)| label).or_else(|| of_run::label(y));
            (label.unwrap_or_default().to_string(), false)
        }
    };
    let at = if figure.y.is_of_run() || figure.y == Quantity::Readout { "" } else { at };
    (words + at, scale_of(figure.y_scale).or(linear.then_some(Scale::Linear)))
}

/// The last number of a curve, and what tells the curve from others: [`Traced`](super::summary::Traced).
struct End {
    title: String,
    level: String,
    bound: bool,
    estimate: Estimate,
}

/// What a view gave in the end: for each panel, its title and the numbers.
fn ends(view: &ViewSummary, number: usize, figure: &Figure, remark: &mut String) -> Vec<End> {
    let end = |title, level, bound, estimate| End { title, level, bound, estimate };
    if figure.y != Quantity::Crossing {
        let traced = view.figures.get(number).into_iter().flatten();
        if figure.y == Quantity::Plateau && traced.clone().any(|traced| traced.end().is_none()) {
            *remark = "Points without a plateau that ends are left out.".into();
        }
        return traced
            .filter_map(|traced| Some(end(traced.title.clone(), traced.level.clone(), traced.bound, traced.end()?)))
            .collect();
    }
    if view.crossed.iter().any(|crossed| crossed.censored > 0) {
        *remark = "Runs that ended before they crossed are left out: means over the others are too early.".into();
    }
    let reached = view.crossed.iter().filter(|c| c.reached > 0);
    reached.map(|c| end(c.in_words(), String::new(), false, time_of(c))).collect()
}

/// The time of a crossing, ± 2 standard errors.
fn time_of(crossed: &Crossed) -> Estimate {
    let bar = 2.0 * crossed.step_error * crossed.time / crossed.step.max(1e-300);
    Estimate { mean: crossed.time, bar }
}

/// An axis over the numbers of a swept key.
fn spread_axis(key: &str, numbers: &[f64], scale: Option<Scale>) -> AxisOf {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let scale = scale.unwrap_or(if low > 0.0 && high >= 8.0 * low { Scale::Log } else { Scale::Linear });
    let limits = match scale {
        Scale::Log if low > 0.0 => {
            let room = (high / low).powf(0.06).max(1.1);
            (low / room, high * room)
        }
        _ => {
            let room = if high > low { 0.06 * (high - low) } else { 0.5 * high.abs().max(1.0) };
            (low - room, high + room)
        }
    };
    AxisOf::new(super::grid::symbol(key), if limits.0 > 0.0 { scale } else { Scale::Linear }, limits)
}

/// When levels were crossed, view by view, where nothing is swept.
pub(crate) fn crossings(experiment: &Experiment, outcomes: &[Outcome], figure: &Figure) -> Block {
    let (all, _) = series(experiment, outcomes);
    let mut panels: Vec<(String, Vec<Mark>, Vec<f64>)> = Vec::new();
    let mut remark = String::new();
    for (place, one) in all.iter().enumerate() {
        for found in crossed(&one.view.problem, &one.view.record.crossings, one.runs) {
            let title = found.in_words();
            if found.censored > 0 {
                let counted = found.reached + found.censored;
                remark += &format!("{}: {} of {counted} runs never reached {title}. ", one.view.name, found.censored);
            }
            if found.already > 0 {
                let (already, runs) = (found.already, one.runs.len());
                remark += &format!("{}: {already} of {runs} runs are there at the start. ", one.view.name);
            }
            let Estimate { mean, bar } = time_of(&found);
            let style = if one.is_limit() {
                Style { size: 4.2, ..Style::dots(one.index, Marker::Cross) }
            } else {
                Style { size: 3.4, ..Style::dots(one.index, Marker::nth(one.rank)) }
            };
            let dot = Dot { x: place as f64, y: mean, low: mean - bar, high: mean + bar };
            let mark = Mark::Dots { points: vec![dot], style };
            let seen = [mean, mean + bar, mean - bar];
            match panels.iter_mut().find(|(other, ..)| *other == title) {
                Some((_, marks, numbers)) => {
                    marks.push(mark);
                    numbers.extend(seen);
                }
                None => panels.push((title, vec![mark], seen.into())),
            }
        }
    }
    let names = all.iter().map(|one| one.view.name.clone()).collect::<Vec<_>>();
    let count = panels.len();
    let drawn = panels.into_iter().map(|(title, marks, seen)| Panel {
        title,
        x: AxisOf::named("view", names.clone()),
        y: around(scale_of(figure.y_scale), "time t of crossing", &seen),
        square: false,
        marks,
    });
    Block { legend: Vec::new(), panels: drawn.collect(), columns: columns(count), remark }
}
