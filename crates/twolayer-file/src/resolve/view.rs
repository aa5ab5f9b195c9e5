//! `[[view]]`: one problem for each.

use twolayer::{
    method::registry,
    problem::{Algorithm, Dimension, Engine, Placement, Problem, StartMode, View},
};

use super::{network, quick, reader::Reader, record, target, training};
use crate::{
    diagnostic::{Diagnostic, Source},
    experiment::NamedView,
    point::Request,
    text::{
        Spec, complete, overrides,
        tree::{Node, Table},
        words::AUTO,
    },
};

/// The views of the file, or those that `request` asks for, each with the tree it sees; what is wrong with them goes to
/// `faults`.
pub fn resolve(
    source: &Source<'_>,
    spec: &Spec,
    request: &Request,
    faults: &mut Vec<Diagnostic>,
) -> Vec<(NamedView, Table)> {
    let mut views: Vec<(NamedView, Table)> = Vec::new();
    for (entry, name) in spec.views().iter().zip(spec.names()).filter(|(_, name)| request.asks_for(name)) {
        let mut tree = spec.seen_by(entry);
        let missing = complete(source, &tree);
        if !missing.is_empty() {
            faults.extend(missing);
            continue;
        }
        let mut own = own_dimension(source, spec, faults);
        let mut resolved = one(&mut Reader::new(source, &tree, faults), own);
        if let (true, Some(full)) = (request.quick, &resolved) {
            own = own.map(|own| quick::dimension(own, &full.problem));
            quick::shrink(&mut tree, full);
            resolved = one(&mut Reader::new(source, &tree, faults), own);
        }
        let mut reader = Reader::new(source, &tree, faults);
        if let Some(mut view) = resolved {
            let overridden = entry.node.table().map(overrides).unwrap_or_default();
            let as_written = |node: &Node| source.text.get(node.span.clone()).unwrap_or_default().to_string();
            view.overrides = overridden.iter().map(|o| (o.path.clone(), as_written(&o.node))).collect();
            check_name(&mut reader, &name, &views);
            view.name = name;
            views.push((view, tree));
        }
    }
    views
}

/// Some file systems do not tell `A` from `a`.
fn same_file(name: &str, views: &[(NamedView, Table)]) -> bool {
    views.iter().any(|(view, _)| view.name.to_lowercase() == name.to_lowercase())
}

fn check_name(reader: &mut Reader<'_>, name: &str, views: &[(NamedView, Table)]) {
    let bad = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    if name.is_empty() || name.len() > 100 || name.starts_with('.') || name.trim() != name || name.contains(bad) {
        let remedy = "write a name that can be a file's: letters, digits, - and _, at most 100";
        reader.fault("view.name", format!("{name:?} cannot name the result file of a view"), remedy);
    } else if is_taken(name) {
        let reason = format!("{name:?} is the name of another file or of a device");
        reader.fault("view.name", reason, "give the view another name: `manifest`, `a.readout`, `con` are not free");
    } else if same_file(name, views) {
        reader.fault("view.name", format!("two views are named {name:?}"), "give each view its own name");
    }
}

/// Whether a file of this name, whatever its ending, is another result (`a.readout.npz` is the readout of view `a`), or on
/// some system none at all.
fn is_taken(name: &str) -> bool {
    let name = name.to_lowercase();
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let numbered = |device: &str| {
        let number = stem.strip_prefix(device).map(|rest| rest.chars().collect::<Vec<_>>());
        number.is_some_and(|number| matches!(number[..], ['0'..='9' | '¹' | '²' | '³']))
    };
    ["con", "prn", "aux", "nul", "conin$", "conout$"].contains(&stem)
        || numbered("com")
        || numbered("lpt")
        || name.ends_with('.')
        || ["manifest", "index", "figure", "report", "experiment", "parts"].contains(&&*name)
        || [".readout", ".npz", ".json", ".part"].iter().any(|ending| name.ends_with(ending))
}

/// d as `[training]` says, whatever a view says.
fn own_dimension(source: &Source<'_>, spec: &Spec, faults: &mut Vec<Diagnostic>) -> Option<Dimension> {
    let mut reader = Reader::new(source, spec.root(), faults);
    if !reader.has("training.dimension") {
        let remedy = "write `dimension = …` in [training]; views may have others";
        reader.fault("training.dimension", "`training.dimension` is missing", remedy);
    }
    training::dimension(&mut reader)
}

fn one(reader: &mut Reader<'_>, own: Option<Dimension>) -> Option<NamedView> {
    reader.spelling()?;
    let view = view(reader);
    let dimension = training::dimension(reader);
    let target = target::resolve(reader, dimension?.as_f64());
    let target = target?;
    let network = network::resolve(reader, &target, dimension?.as_f64(), own?.as_f64());
    let p = network.as_ref().map_or(1, |network| network.width);
    let training = training::resolve(reader, dimension?, p, target.directions());
    let (view, network, training) = (view?, network?, training?);
    limits_only(reader, view.engine, dimension?, training.algorithm)?;
    let drawn = !matches!(network.first_layer.placement, Placement::Overlaps { .. });
    if drawn
        && own? == Dimension::Infinite
        && dimension? != Dimension::Infinite
        && network.start == StartMode::Shared
        && network.start_dimension.is_none()
    {
        let reason = "a start that all views share is drawn in the dimension of [training], which is infinite";
        let remedy = "write start_dimension = … in [network], or start = \"independent\"";
        reader.fault("network.start_dimension", reason, remedy);
    }
    let problem = Problem::new(target, network, training);
    let problem = reader.accept("training", problem)?;
    let record = record::resolve(reader, problem.sizes())?;
    record::within_the_end(reader, &record, &problem);
    let tolerance_written = reader.has("view.tolerance");
    Some(NamedView { name: String::new(), view, tolerance_written, problem, record, overrides: Vec::new() })
}

/// Simulations need a finite dimension and steps.
fn limits_only(reader: &mut Reader<'_>, engine: Engine, dimension: Dimension, algorithm: Algorithm) -> Option<()> {
    if engine == Engine::Limit {
        return Some(());
    }
    let name = engine.name();
    if dimension == Dimension::Infinite {
        let reason = format!("a {name} view simulates a finite dimension, and d is infinite here");
        reader.fault("view.engine", reason, "write dimension = … in this view, or engine = \"limit\"");
        return None;
    }
    if algorithm == Algorithm::GradientFlow {
        let reason = format!("a {name} view takes steps, and a gradient flow has none");
        let remedy = "write engine = \"limit\", or override training.algorithm = \"sgd\" with a learning_rate";
        reader.fault("view.engine", reason, remedy);
        return None;
    }
    Some(())
}

fn view(reader: &mut Reader<'_>) -> Option<View> {
    let engine = reader.choice("view.engine")?;
    let mut view = View::new(engine);
    view.seed = reader.whole("view.seed")?;
    view.tolerance = reader.number("view.tolerance")?;
    view.terms = reader.choice("view.terms")?;
    view.method = match reader.text("view.method")?.as_str() {
        AUTO => None,
        word => registry::word(word),
    };
    if let Some(replicates) = reader.whole("view.replicates") {
        view.replicates = usize::try_from(replicates).ok()?;
    }
    if !(view.tolerance > 0.0 && view.tolerance < 1.0) {
        reader.fault(
            "view.tolerance",
            format!("the tolerance is {}", view.tolerance),
            "write a number between 0 and 1",
        );
    }
    for path in ["view.terms", "view.method"] {
        if engine != Engine::Limit && reader.has(path) {
            let reason = format!("`{path}` is for limit views, and this one is {}", engine.name());
            reader.fault(path, reason, "remove the line, or write engine = \"limit\"");
        }
    }
    Some(view)
}

#[cfg(test)]
mod tests {
    use super::is_taken;

    #[test]
    fn names_of_other_files_and_of_devices_are_taken() {
        for name in
            ["a.readout", "A.Readout", "manifest", "index", "con", "Nul.x", "COM1", "lpt9.limit", "com²", "a.", "x.npz"]
        {
            assert!(is_taken(name), "{name}");
        }
        for name in
            ["limit", "direct-2", "readout", "comma", "com10", "console", "d = 1000", "lpt", "α", "figure 2", "a.b"]
        {
            assert!(!is_taken(name), "{name}");
        }
    }
}
