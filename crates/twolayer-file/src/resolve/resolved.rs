//! The experiment as resolved: every key with its value, for the manifest.

use serde_json::{Map, Value as Json, json};
use twolayer::problem::{Formula, Sizes};

use super::reader::Reader;
use crate::{
    diagnostic::Source,
    experiment::{Directions, Figure, NamedView, Resolved, Scale},
    text::{
        keys::{self, Key, Kind},
        tree::{Node, Table, Value},
    },
};

/// Every key of the file and of its views with its value: `title`, `cite`, `note`, `views`, `figures`.
pub fn resolved(
    source: &Source<'_>,
    root: &Table,
    title: &str,
    views: &[NamedView],
    trees: Vec<Table>,
    figures: &[Figure],
) -> Resolved {
    let of_views: Vec<Json> = views.iter().zip(&trees).map(|(view, tree)| of_view(source, view, tree)).collect();
    let mut json = keys_as_json(source, root, &["title", "cite", "note"], None);
    json.insert("title".into(), title.into());
    json.insert("views".into(), of_views.into());
    json.insert("figures".into(), figures.iter().map(figure).collect());
    Resolved::new(json.into(), trees)
}

fn of_view(source: &Source<'_>, view: &NamedView, tree: &Table) -> Json {
    let sections = ["constants", "target", "network", "training", "record", "readout", "view"];
    let mut json = keys_as_json(source, tree, &sections, Some(view.problem.sizes()));
    let overlaps = &view.problem.target.overlaps;
    let rows = (0..overlaps.nrows()).map(|i| (0..overlaps.ncols()).map(|j| overlaps[(i, j)]).collect::<Vec<_>>());
    put(&mut json, "target.overlaps", rows.collect::<Vec<_>>().into());
    if let Some(d) = view.problem.network.start_dimension {
        put(&mut json, "network.start_dimension", d.into());
    }
    put(&mut json, "view.name", view.name.clone().into());
    put(&mut json, "view.replicates", view.view.replicates.into());
    json.into()
}

/// The keys of `sections` that `tree` gives a value to, written out or by default.
fn keys_as_json(source: &Source<'_>, tree: &Table, sections: &[&str], sizes: Option<&Sizes>) -> Map<String, Json> {
    let mut faults = Vec::new();
    let reader = Reader::new(source, tree, &mut faults);
    let mut json = Map::new();
    for (name, value) in reader.constants() {
        if sections.contains(&"constants") {
            put(&mut json, &format!("constants.{name}"), (*value).into());
        }
    }
    for Key { path, kind, .. } in keys::KEYS {
        let section = path.split_once('.').map_or(*path, |(section, _)| section);
        let parent = keys::parent(path);
        // Keys of a table that is optional and not written have no value.
        let absent = keys::key(parent).is_some_and(|key| {
            key.kind == Kind::List
                || (key.kind == Kind::Table && key.default == keys::Default::Absent && tree.get(parent).is_none())
        });
        let held = matches!(kind, Kind::Section | Kind::Constants | Kind::Table | Kind::TableOr(_) | Kind::Tables);
        // What a view overrides is in its values.
        if !sections.contains(&section) || absent || held || *kind == Kind::Override {
            continue;
        }
        if let Some(node) = reader.node(path) {
            let value = match (kind, node.text(), sizes) {
                (Kind::Expr | Kind::Dimension, Some(text), Some(sizes)) => evaluated(text, reader.constants(), sizes),
                // 1 and 1.0 are one number.
                (Kind::Expr | Kind::Dimension | Kind::Number, None, _) => node.number().into(),
                _ => plain(&node),
            };
            put(&mut json, path, value);
        }
    }
    json
}

fn evaluated(text: &str, constants: &std::collections::BTreeMap<String, f64>, sizes: &Sizes) -> Json {
    match Formula::parse(text, constants) {
        Ok(formula) if formula.is_number() => formula.value(sizes).into(),
        Ok(formula) => json!({ "expression": text, "value": formula.value(sizes) }),
        // "infinite" is no expression.
        Err(_) => text.into(),
    }
}

fn plain(node: &Node) -> Json {
    match &node.value {
        Value::Text(text) => text.as_str().into(),
        Value::Integer(integer) => (*integer).into(),
        Value::Float(float) => (*float).into(),
        Value::Switch(switch) => (*switch).into(),
        Value::Date => Json::Null,
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Table(table) => table.0.iter().map(|entry| (entry.key.clone(), plain(&entry.node))).collect(),
    }
}

/// Puts `value` at a dotted path, making the objects on the way.
fn put(json: &mut Map<String, Json>, path: &str, value: Json) {
    match path.split_once('.') {
        None => {
            json.insert(path.into(), value);
        }
        Some((first, rest)) => {
            let inner = json.entry(first).or_insert_with(|| Map::new().into());
            if let Json::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

fn figure(figure: &Figure) -> Json {
    let scale = |scale: Option<Scale>| scale.map_or("auto", Scale::name);
    let directions = match &figure.directions {
        Directions::Axes => "axes".into(),
        Directions::Given(rows) => json!(rows),
    };
    json!({
        "y": figure.y.name(),
        "x": figure.x.name(),
        "x_scale": scale(figure.x_scale),
        "y_scale": scale(figure.y_scale),
        "directions": directions,
        "at": figure.at,
        "neurons": figure.neurons.iter().map(|j| j + 1).collect::<Vec<_>>(),
    })
}
