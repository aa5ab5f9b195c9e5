//! `[[figure]]`.

use twolayer::{
    hierarchy::Stairs,
    problem::{Data, Duration, Readout, ReadoutData, ReadoutMoments, Target},
    record::observable::HALF_TIME,
};

use super::reader::Reader;
use crate::{
    diagnostic::{Diagnostic, Source},
    experiment::{Axis, Directions, Figure, NamedView, Quantity, panels_count_steps},
    text::{
        Spec,
        tree::{Node, Table},
        words::{FigureAxis, FigureDirections},
    },
};

/// Overlaps are drawn unasked up to this many curves for each view.
const MOST_CURVES: usize = 16;

/// The figures of the file; without any, the risk, and the overlaps of a small network. A `quick` run may end before the
/// moments of its panels.
pub fn resolve(
    source: &Source<'_>,
    spec: &Spec,
    views: &[(NamedView, Table)],
    quick: bool,
    faults: &mut Vec<Diagnostic>,
) -> Vec<Figure> {
    let axis = usual_axis(views);
    let swept = swept_keys(spec.root());
    let written: Vec<Figure> = (spec.tables("figure").into_iter())
        .filter_map(|entry| {
            let tree = Table(vec![entry]);
            let mut reader = Reader::new(source, &tree, faults);
            One { reader: &mut reader, views, swept: &swept, quick }.figure(&axis)
        })
        .collect();
    if !written.is_empty() {
        return written;
    }
    let mut figures = vec![Figure::new(Quantity::Risk, axis.clone())];
    if views.iter().all(|(view, _)| view.problem.width() * view.problem.directions() <= MOST_CURVES) {
        figures.push(Figure::new(Quantity::Overlap, axis));
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

/// The paths of the keys that `[sweep]` and `[[sweep.together]]` vary.
fn swept_keys(root: &Table) -> Vec<String> {
    fn collect(prefix: &str, table: &Table, keys: &mut Vec<String>) {
        for entry in &table.0 {
            let path = if prefix.is_empty() { entry.key.clone() } else { format!("{prefix}.{}", entry.key) };
            match (entry.node.table(), entry.node.array()) {
                (Some(inner), _) => collect(&path, inner, keys),
                (_, Some(items)) if path == "together" => {
                    items.iter().filter_map(Node::table).for_each(|inner| collect("", inner, keys));
                }
                _ => keys.push(path),
            }
        }
    }
    let mut keys = Vec::new();
    if let Some(sweep) = root.get("sweep").and_then(|entry| entry.node.table()) {
        collect("", sweep, &mut keys);
    }
    keys
}

/// Along C₁, and along what comes next: the directions in which `target` is learnt, in the basis of z; `None` where they
/// are not known.
fn stairs_directions(target: &Target) -> Option<Vec<Vec<f64>>> {
    let k = target.directions();
    let orthonormal = (0..k).all(|i| (0..k).all(|j| target.overlaps[(i, j)] == f64::from(u8::from(i == j))));
    let stairs = Stairs::fresh(target).ok().filter(|_| orthonormal)?;
    let mut found: Vec<Vec<f64>> = stairs.stairs.into_iter().flat_map(|stair| stair.directions).collect();
    // What is never found comes last: axes, made perpendicular to the others.
    for r in 0..k {
        let mut rest: Vec<f64> = (0..k).map(|i| f64::from(u8::from(i == r))).collect();
        for known in &found {
            let along: f64 = rest.iter().zip(known).map(|(x, y)| x * y).sum();
            rest.iter_mut().zip(known).for_each(|(x, y)| *x -= along * y);
        }
        let norm = rest.iter().map(|x| x * x).sum::<f64>().sqrt();
        if found.len() < k && norm > 1e-3 {
            found.push(rest.iter().map(|x| x / norm).collect());
        }
    }
    // Rounding is no part of a direction.
    found.iter_mut().flatten().filter(|x| x.abs() < 1e-9).for_each(|x| *x = 0.0);
    Some(found)
}

/// Reads one figure.
struct One<'r, 'a> {
    reader: &'r mut Reader<'a>,
    views: &'r [(NamedView, Table)],
    swept: &'r [String],
    quick: bool,
}

impl One<'_, '_> {
    fn figure(mut self, usual: &Axis) -> Option<Figure> {
        let y = self.reader.choice("figure.y")?;
        let x = self.axis(y, usual);
        let (x_scale, y_scale) = (self.reader.choice("figure.x_scale"), self.reader.choice("figure.y_scale"));
        let at = self.moments()?;
        self.recorded(y);
        let neurons = self.neurons()?;
        Some(Figure { y, x: x?, x_scale, y_scale, directions: self.directions()?, at, neurons })
    }

    /// The moments of panels, none beyond the end of all views.
    fn moments(&mut self) -> Option<Vec<f64>> {
        let at = self.reader.numbers("figure.at")?;
        let views = || self.views.iter().map(|(view, _)| view);
        let (unit, ends): (_, Vec<f64>) = if panels_count_steps(views()) {
            let counting = views().filter(|view| view.problem.counts_steps());
            ("step", counting.map(|view| view.problem.steps() as f64).collect())
        } else {
            ("time", views().map(|view| view.problem.time()).collect())
        };
        let end = ends.into_iter().fold(0.0, f64::max);
        let told = format!("write {unit}s from 0 to {end}");
        if let Some(early) = at.iter().find(|moment| **moment < 0.0) {
            self.reader.fault("figure.at", format!("a panel at {unit} {early}, before the start"), told);
        } else if let Some(late) = at.iter().find(|moment| !self.quick && **moment > end * (1.0 + 1e-9)) {
            let reason = format!("a panel at {unit} {late}, and every view ends at {unit} {end} or before");
            self.reader.fault("figure.at", reason, told);
        }
        Some(at)
    }

    fn axis(&mut self, y: Quantity, usual: &Axis) -> Option<Axis> {
        if let Some(word) = self.reader.choice::<FigureAxis>("figure.x") {
            if y == Quantity::Readout && word == FigureAxis::Time {
                let reason = "a readout is drawn against its samples or the step, and has no time axis";
                self.reader.fault("figure.x", reason, "write x = \"samples\" or x = \"step\"");
            }
            return Some(word.into());
        }
        match self.reader.text("figure.x").as_deref() {
            Some(key) if self.swept.iter().any(|swept| swept == key) => match y {
                Quantity::Scatter | Quantity::Histogram | Quantity::Cloud | Quantity::Gradient | Quantity::Spectrum => {
                    let reason = format!("`{}` has a panel for each time, and no axis for `{key}`", y.name());
                    self.reader.fault("figure.x", reason, "remove the line, or draw overlap or cosine");
                    None
                }
                Quantity::Risk
                | Quantity::TwiceRisk
                | Quantity::Overlap
                | Quantity::Cosine
                | Quantity::TrainingRisk
                | Quantity::Readout
                | Quantity::Crossing
                | Quantity::Plateau
                | Quantity::HalfTime => Some(Axis::Swept(key.into())),
            },
            Some(key) => {
                let reason = format!("`{key}` is not swept: a figure against it would have one point");
                let remedy = match self.swept {
                    [] => "write its values in [sweep], or x = \"time\"".into(),
                    keys => format!("write x = \"time\", or a key of [sweep]: {}", keys.join(", ")),
                };
                self.reader.fault("figure.x", reason, remedy);
                None
            }
            // These have no time axis: a time is what is drawn.
            None if y.is_of_run() && !self.swept.is_empty() => Some(Axis::Swept(self.swept[0].clone())),
            None if y == Quantity::Readout => Some(self.readout_axis()),
            None => Some(usual.clone()),
        }
    }

    /// The step, where a readout of one number of samples is made after each; else its samples.
    fn readout_axis(&self) -> Axis {
        let mut readouts = self.views.iter().filter_map(|(view, _)| view.record.readout.as_ref());
        let by_step = |it: &Readout| match &it.data {
            ReadoutData::Fresh(sizes) => it.at == ReadoutMoments::EveryStep && sizes.len() < 2,
            ReadoutData::Same => it.at == ReadoutMoments::EveryStep,
        };
        if readouts.all(by_step) { Axis::Step } else { Axis::Samples }
    }

    /// What is drawn must be recorded by some view.
    fn recorded(&mut self, y: Quantity) {
        let views = || self.views.iter().map(|(view, _)| view);
        if y == Quantity::Crossing && views().all(|view| view.record.crossings.is_empty()) {
            let remedy = "write crossings = [{ quantity = \"risk\", level = … }] in [record]";
            self.reader.fault("figure.y", "no level is given whose crossing could be drawn", remedy);
        }
        let halves = |view: &NamedView| HALF_TIME.when.holds(&view.problem, &view.record, view.view.engine);
        if y == Quantity::HalfTime && !views().any(halves) {
            let reason = "no view is a single-index flow, whose degrees have half-times";
            self.reader.fault(
                "figure.y",
                reason,
                "write y = \"plateau\", or method = \"single-index\" in a limit view",
            );
        }
        if y == Quantity::Gradient && !views().any(|view| view.record.gradients) {
            self.reader.fault("figure.y", "no view records its gradients", "write gradients = true in [record]");
        }
        if y == Quantity::Readout && !views().any(|view| view.record.readout.is_some()) {
            self.reader.fault("figure.y", "no view has a readout", "write a section [readout]");
        }
        if y == Quantity::Spectrum && !views().any(|view| view.record.spectrum) {
            self.reader.fault("figure.y", "no view records its spectrum", "write spectrum = true in [record]");
        }
        if y == Quantity::TrainingRisk && views().all(|view| view.problem.training.data == Data::Fresh) {
            let reason = "no view has a training set: all train on fresh batches, each seen once";
            self.reader.fault("figure.y", reason, "write y = \"risk\", or data = \"reused\" in [training]");
        }
    }

    fn neurons(&mut self) -> Option<Vec<usize>> {
        let written = self.reader.numbers("figure.neurons")?;
        let least = self.views.iter().map(|(view, _)| view.problem.width()).min().unwrap_or(0);
        match written.iter().find(|j| !(j.fract() == 0.0 && **j >= 1.0 && **j <= least as f64)) {
            Some(stranger) => {
                let reason = format!("there is no neuron {stranger}: the network has {least}, counted from 1");
                self.reader.fault("figure.neurons", reason, "write whole numbers from 1 to the width");
                None
            }
            None => Some(written.iter().map(|j| *j as usize - 1).collect()),
        }
    }

    fn stairs(&mut self) -> Option<Directions> {
        let stairs = self.views.first().and_then(|(view, _)| stairs_directions(&view.problem.target));
        if stairs.is_none() {
            let reason = "the stairs of this target are not decided, or its directions are not orthonormal";
            self.reader.fault("figure.directions", reason, "write directions = [[1, 1], [1, -1]], or \"axes\"");
        }
        stairs.map(Directions::Given)
    }

    fn directions(&mut self) -> Option<Directions> {
        let node = self.reader.node("figure.directions")?;
        match self.reader.choice("figure.directions") {
            Some(FigureDirections::Axes) => return Some(Directions::Axes),
            Some(FigureDirections::Stairs) => return self.stairs(),
            None => {}
        }
        let rows = node.matrix()?;
        let k = self.views.iter().map(|(view, _)| view.problem.directions()).find(|k| *k != rows[0].len());
        let lost = rows.iter().find(|row| row.iter().all(|x| *x == 0.0));
        let (reason, remedy) = match (k, lost) {
            (Some(k), _) => (
                format!("the directions have {} components, and the target has k = {k}", rows[0].len()),
                "write one number for each of z1 … zk",
            ),
            (None, Some(_)) => ("a direction is 0".to_string(), "write vectors with a length"),
            (None, None) => return Some(Directions::Given(rows)),
        };
        self.reader.fault("figure.directions", reason, remedy);
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::experiment::Scale;

    /// A file with this figure; the words of its faults, or its figures.
    fn figures(figure: &str) -> Result<Vec<Figure>, Vec<String>> {
        let text = format!(
            "[target]\nexpression = \"z1 + z1*z2\"\n[network]\nwidth = 3\nactivation = \"erf\"\n[training]\n\
             dimension = 100\nlearning_rate = \"0.1/d\"\ntime = 1\n[[figure]]\n{figure}\n"
        );
        let told =
            |faults: Vec<Diagnostic>| faults.into_iter().map(|f| format!("{} ({})", f.reason, f.remedy)).collect();
        crate::parse(&text, Path::new("f.toml")).map(|experiment| experiment.figures).map_err(told)
    }

    #[test]
    fn figures_are_read() {
        let text =
            "y = \"cosine\"\nx = \"samples\"\ndirections = [[1, 1], [1, -1]]\nneurons = [1, 3]\ny_scale = \"log\"";
        let figure = figures(text).unwrap().remove(0);
        assert_eq!((figure.y, &figure.x), (Quantity::Cosine, &Axis::Samples));
        assert_eq!(figure.directions, Directions::Given(vec![vec![1.0, 1.0], vec![1.0, -1.0]]));
        assert_eq!((figure.neurons, figure.y_scale), (vec![0, 2], Some(Scale::Log)));
        let histogram = figures("y = \"histogram\"\nat = [0, 1]").unwrap().remove(0);
        assert_eq!((histogram.y, histogram.at), (Quantity::Histogram, vec![0.0, 1.0]));
    }

    #[test]
    fn stairs_begin_along_the_linear_part() {
        let figure = figures("y = \"overlap\"\ndirections = \"stairs\"").unwrap().remove(0);
        let Directions::Given(rows) = figure.directions else { panic!("{:?}", figure.directions) };
        assert_eq!(rows.len(), 2);
        assert!((rows[0][0].abs() - 1.0).abs() < 1e-9 && rows[0][1] == 0.0, "{rows:?}");
        assert!((rows[1][1].abs() - 1.0).abs() < 1e-9 && rows[1][0] == 0.0, "{rows:?}");
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_in_words() {
        let told = |text: &str| figures(text).unwrap_err().join("\n");
        insta::assert_snapshot!([
            "neurons = [0]",
            "neurons = [4]",
            "directions = \"star\"",
            "directions = [[1, 1, 1]]",
            "directions = [[0, 0]]",
            "x = \"training.dimension\"",
            "y = \"crossing\"",
            "y = \"training_risk\"",
            "y = \"spectra\"",
            "y = \"spectrum\"",
            "y = \"readout\"\nx = \"time\"",
            "y = \"scatter\"\nat = [0, 1.5]",
            "y = \"scatter\"\nat = [-1]",
            "y = \"gradient\"",
            "y = \"half_time\"",
        ].map(told).join("\n"), @r#"
        there is no neuron 0: the network has 3, counted from 1 (write whole numbers from 1 to the width)
        there is no neuron 4: the network has 3, counted from 1 (write whole numbers from 1 to the width)
        `figure.directions` takes "axes", "stairs", or rows of one length, [[…], […]], not the string "star" (write "axes", "stairs", or rows of one length, [[…], […]]: along which overlaps and cosines are drawn)
        the directions have 3 components, and the target has k = 2 (write one number for each of z1 … zk)
        a direction is 0 (write vectors with a length)
        `training.dimension` is not swept: a figure against it would have one point (write its values in [sweep], or x = "time")
        no level is given whose crossing could be drawn (write crossings = [{ quantity = "risk", level = … }] in [record])
        no view has a training set: all train on fresh batches, each seen once (write y = "risk", or data = "reused" in [training])
        `figure.y` takes one of "risk", "2*risk", "overlap", "cosine", "training_risk", "crossing", "scatter", "histogram", "cloud", "plateau", "half_time", "gradient", "readout", "spectrum", not the string "spectra" (did you mean "spectrum"?)
        no view records its spectrum (write spectrum = true in [record])
        no view has a readout (write a section [readout])
        a readout is drawn against its samples or the step, and has no time axis (write x = "samples" or x = "step")
        a panel at time 1.5, and every view ends at time 1 or before (write times from 0 to 1)
        a panel at time -1, before the start (write times from 0 to 1)
        no view records its gradients (write gradients = true in [record])
        no view is a single-index flow, whose degrees have half-times (write y = "plateau", or method = "single-index" in a limit view)
        "#);
    }

    /// The first step of a giant step is at t = ηs: what counts is how many there are.
    #[test]
    fn giant_steps_have_panels_by_their_number() {
        let file = |at: &str| {
            let text = format!(
                "[target]\nexpression = \"z1 + z2^2\"\n[network]\nwidth = 8\nactivation = \"relu\"\noutput_scale = \
                 \"1/sqrt(p)\"\n[training]\ndimension = 64\nbatch = \"d\"\nlearning_rate = \"2*p\"\nsteps = 3\n[[view]]\n\
                 engine = \"reduced\"\n[[figure]]\ny = \"scatter\"\nat = {at}\n"
            );
            crate::parse(&text, Path::new("f.toml"))
        };
        assert_eq!(file("[0, 1, 3]").unwrap().figures[0].at, [0.0, 1.0, 3.0]);
        let fault = &file("[0, 1, 2, 6]").unwrap_err()[0];
        assert_eq!(fault.line, 16);
        assert_eq!(fault.reason, "a panel at step 6, and every view ends at step 3 or before");
        assert_eq!(fault.remedy, "write steps from 0 to 3");
    }

    #[test]
    fn swept_keys_are_found_however_they_are_written() {
        let text = "[sweep]\n\"training.dimension\" = [1, 2]\nconstants.ratio = [1, 2]\n[[sweep.together]]\n\
                    \"network.width\" = [1, 2]\n\"constants.m\" = [3, 4]\n";
        let document = toml::de::DeTable::parse(text).unwrap();
        let mut keys = swept_keys(&Table::new(document.get_ref()));
        keys.sort();
        assert_eq!(keys, ["constants.m", "constants.ratio", "network.width", "training.dimension"]);
    }
}
