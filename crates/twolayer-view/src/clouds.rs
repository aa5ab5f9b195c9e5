//! Clouds of particles (a, s) over a sweep: a row for each of some points, a panel for each moment.

use super::{
    AxisOf, Block, Dot, Key, Mark, Marker, Panel, Sample, Scale, Style, Summary,
    curves::spread,
    grid::Bundle,
    scatter::{ACROSS, heights},
    series::Traced,
    summary::ViewSummary,
};

/// Points that have a row.
const ROWS: usize = 4;

/// The clouds of figure `number` at the first, the last and some points between.
pub(crate) fn clouds(summaries: &[Summary], bundles: &[Bundle], number: usize) -> Block {
    let traced = |view: &'_ ViewSummary| -> Vec<Traced> { view.figures.get(number).cloned().unwrap_or_default() };
    let some = spread_with_last(summaries.len());
    let mut panels = Vec::new();
    let mut columns = 1;
    for &point in &some {
        let views = &summaries[point].views;
        let moments = views.iter().map(|view| traced(view).len()).max().unwrap_or(0);
        columns = columns.max(moments);
        let words: Vec<String> = bundles.iter().map(|bundle| bundle.words(bundle.of_point[point])).collect();
        for moment in 0..moments {
            let mut marks = vec![Mark::Level(0.0)];
            let mut title = String::new();
            for view in views {
                let Some(cloud) = traced(view).into_iter().nth(moment) else { continue };
                title = cloud.title;
                let dot =
                    |(x, y): (&f64, &super::series::Estimate)| Dot { x: *x, y: y.mean, low: y.mean, high: y.mean };
                marks.push(Mark::Dots { points: cloud.x.iter().zip(&cloud.y).map(dot).collect(), style: style(view) });
            }
            let label = if moment == 0 { "second layer  a_{j}" } else { "" };
            let y = AxisOf::new(label, Scale::Linear, heights(&marks));
            // What a row has in common is said above its first panel.
            let title = if moment == 0 { format!("{}\n{title}", words.join(", ")) } else { title };
            let x = AxisOf::new("cosine with z₁", Scale::Linear, ACROSS);
            panels.push(Panel { title, x, y, square: false, marks });
        }
    }
    let all = summaries.len();
    let remark = if some.len() < all { format!("{} of {all} points.", some.len()) } else { String::new() };
    let mut legend: Vec<Key> = Vec::new();
    for view in summaries.iter().flat_map(|summary| &summary.views) {
        let label = view.label(summaries);
        if legend.iter().all(|key| key.label != label) {
            legend.push(Key { label, sample: Sample::Dot, style: Style { opacity: 1.0, ..style(view) } });
        }
    }
    Block { legend: vec![legend], panels, columns: columns.min(4), remark }
}

fn style(view: &ViewSummary) -> Style {
    if view.limit {
        Style { size: 2.8, ..Style::dots(view.index, Marker::Cross) }
    } else {
        Style { size: 3.0, opacity: 0.75, ..Style::dots(view.index, Marker::nth(view.rank)) }
    }
}

/// As [`spread`], with the last of them.
fn spread_with_last(count: usize) -> Vec<usize> {
    let last = count.saturating_sub(1);
    spread(count, ROWS).iter().enumerate().map(|(i, point)| if i + 1 == ROWS { last } else { *point }).collect()
}
