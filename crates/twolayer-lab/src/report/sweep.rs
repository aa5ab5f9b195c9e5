//! The page of a sweep as a whole: its figure, its points, and how learning times go with ε.

use twolayer_file::experiment::Experiment;
use twolayer_plot::escape;

use super::{citations, head, repeat};
use crate::{
    answer::digits,
    scaling::Scaling,
    store::{Index, Manifest, PointRecord, ViewSummary},
};

/// The page: `experiment` is that of the first point, `figure` the SVG of the sweep, set inline.
pub fn html(experiment: &Experiment, index: &Index, manifest: &Manifest, scalings: &[Scaling], figure: &str) -> String {
    let mut page = head(&index.title, &experiment.note);
    page += &format!(
        "<details>\n<summary>The experiment file</summary>\n<pre>{}</pre>\n</details>\n<figure>\n{figure}</figure>\n",
        escape(&experiment.source)
    );
    page += &times(scalings);
    page += &points(index);
    page += &repeat(experiment, manifest);
    let entries = citations(experiment, &manifest.views, &manifest.version);
    page += &format!("<h2>Cite</h2>\n<pre>{}</pre>\n", escape(&entries.join("\n")));
    page + "</body>\n</html>\n"
}

/// A row for each point, with the way to its own report.
fn points(index: &Index) -> String {
    let view = |view: &ViewSummary| {
        let error = view.final_risk_error.map(|error| format!(" ± {}", digits(error))).unwrap_or_default();
        let risk = view.final_risk.map_or("–".into(), digits);
        let status = if view.status == "done" { String::new() } else { format!(" ({})", escape(&view.status)) };
        format!("{} {risk}{error}{status}", escape(&view.name))
    };
    let row = |point: &PointRecord| {
        let name = escape(&point.directory);
        let views = point.views.iter().map(view).collect::<Vec<_>>().join("<br>");
        let verdicts = point.agreement.iter().map(|[one, other, verdict]| format!("{one}, {other}: {verdict}"));
        let verdicts = escape(&verdicts.collect::<Vec<_>>().join("; "));
        let link = if point.views.is_empty() { name } else { format!("<a href=\"{name}/report.html\">{name}</a>") };
        format!("<tr><td>{link}</td><td>{}</td><td>{views}</td><td>{verdicts}</td></tr>\n", escape(&point.status))
    };
    let rows: String = index.points.iter().map(row).collect();
    format!(
        "<h2>Points</h2>\n<div class=\"scroll\"><table>\n<tr><th>point</th><th>status</th><th>risk at the end</th>\
         <th>views agree</th></tr>\n{rows}</table></div>\n"
    )
}

/// Half-times against ε, with local slopes.
fn times(scalings: &[Scaling]) -> String {
    if scalings.is_empty() {
        return String::new();
    }
    let join = |values: &[f64], word: &dyn Fn(f64) -> String| {
        values.iter().map(|value| word(*value)).collect::<Vec<_>>().join(", ")
    };
    let slope = |value: f64| format!("{value:.3}").replace('-', "−");
    let row = |one: &Scaling| {
        let (epsilon, time): (Vec<f64>, Vec<f64>) = one.times.iter().copied().unzip();
        format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}{}</td><td>{}</td></tr>\n",
            escape(&one.view),
            one.degree,
            join(&epsilon, &|epsilon| format!("{epsilon:e}").replace('-', "−")),
            join(&time, &digits),
            join(&one.slopes, &slope),
            slope(one.exponent),
            // A logarithm, where the formula has one.
            if (one.expected - one.exponent).abs() > 1e-3 {
                format!(", with its logarithm {} here", slope(one.expected))
            } else {
                String::new()
            },
            one.verdict(),
        )
    };
    let rows: String = scalings.iter().map(row).collect();
    format!(
        "<h2>Learning times against ε</h2>\n<div class=\"scroll\"><table>\n<tr><th>view</th><th>degree</th><th>ε</th>\
         <th>half of it learnt at t</th><th>local slopes</th><th>slope as ε → 0</th><th>at the smallest ε</th></tr>\n{rows}\
         </table></div>\n<p class=\"faint\">Half of degree ℓ is learnt when |e_ℓ| first is ½|φ_ℓ|. Local slopes are \
         d ln t/d ln ε between neighbours.</p>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_that_are_not_asymptotic_say_so() {
        let of = |degree, exponent: f64, slope: f64| Scaling {
            view: "<limit>".into(),
            degree,
            exponent,
            expected: exponent,
            times: vec![(1e-5, 0.08), (1e-6, 0.0438)],
            slopes: vec![slope],
        };
        let page = times(&[of(2, 0.25, 0.236), of(3, 1.0 / 6.0, 0.262)]);
        assert!(page.contains("<td>0.236</td><td>0.250</td><td>as expected</td>"), "{page}");
        assert!(page.contains("<td>0.262</td><td>0.167</td><td>not asymptotic yet</td>"), "{page}");
        assert!(page.contains("&lt;limit&gt;") && page.contains("1e−5, 1e−6"), "{page}");
        assert_eq!(times(&[]), "");
    }
}
