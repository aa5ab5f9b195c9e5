//! The experiment as resolved: every key with its value, for the manifest; and where each is written, for advice that
//! comes after reading.

use serde_json::{Map, Value as Json, json};
use twolayer::{
    Advice,
    problem::{Formula, Sizes},
};

use super::reader::Reader;
use crate::{
    diagnostic::{Diagnostic, Severity, Source},
    experiment::{Directions, Experiment, Figure, NamedView, Scale},
    hash,
    spec::{
        keys::{self, Key, Kind},
        place,
        tree::{Node, Table, Value},
        with_settings,
    },
};

/// The experiment as resolved.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resolved {
    /// Every key with its value, defaults filled in: `title`, `cite`, `note`, `views`, `figures`. A number that depends
    /// on the sizes is `{ "expression": "0.5/d", "value": 0.0005 }`.
    pub json: Json,
    /// FNV-1a (64 bits, in hexadecimal) of `json["views"]`: of all that the results depend on, and of no caption.
    pub hash: String,
    trees: Vec<Table>,
}

impl Resolved {
    pub(super) fn new(
        source: &Source<'_>,
        root: &Table,
        title: &str,
        views: &[NamedView],
        trees: Vec<Table>,
        figures: &[Figure],
    ) -> Self {
        let of_views: Vec<Json> = views.iter().zip(&trees).map(|(view, tree)| one(source, view, tree)).collect();
        let file = keys_as_json(source, root, &["title", "cite", "note"], None);
        let mut json = file;
        json.insert("title".into(), title.into());
        let hash = hash_of(&of_views);
        json.insert("views".into(), of_views.into());
        json.insert("figures".into(), figures.iter().map(figure).collect());
        Self { json: json.into(), hash, trees }
    }

    /// Writes the seed of every view.
    pub(crate) fn set_seed(&mut self, seed: u64) {
        if let Some(views) = self.json["views"].as_array_mut() {
            views.iter_mut().for_each(|view| view["view"]["seed"] = seed.into());
            self.hash = hash_of(views);
        }
    }

    /// Keeps the views whose flag is set.
    pub(crate) fn keep_views(&mut self, kept: &[bool]) {
        let mut flags = kept.iter();
        self.trees.retain(|_| flags.next().is_some_and(|kept| *kept));
        if let Some(views) = self.json["views"].as_array_mut() {
            let mut flags = kept.iter();
            views.retain(|_| flags.next().is_some_and(|kept| *kept));
            self.hash = hash_of(views);
        }
    }
}

impl Experiment {
    /// The value of `key` in view number `view`, defaults filled in, as a word: `0.25`, `0.5/d`, `fresh`.
    pub fn value_in_words(&self, view: usize, key: &str) -> Option<String> {
        let all = self.resolved.json.get("views")?.get(view)?;
        let value = key.split('.').try_fold(all, |inside, part| inside.get(part))?;
        match value.get("expression").unwrap_or(value) {
            Json::String(word) => Some(word.clone()),
            Json::Null => None,
            Json::Number(number) => number.as_f64().map(|number| number.to_string()),
            other => Some(other.to_string()),
        }
    }

    /// `advice` about view number `view`, at the place in the file where its key is written: in the view's override
    /// where it overrides it, at the section's header where it is not written.
    pub fn diagnose(&self, view: usize, advice: &Advice, severity: Severity) -> Diagnostic {
        let (text, file) = with_settings(&self.source, &self.settings);
        let source = Source { path: &self.path, text: &text, file };
        let span = self.resolved.trees.get(view).map_or(0..0, |tree| place(tree, &advice.key));
        let reason = match self.point_in_words() {
            Some(point) => format!("at {point}: {}", advice.reason),
            None => advice.reason.clone(),
        };
        source.diagnostic(severity, span, reason, advice.remedy.clone())
    }
}

fn hash_of(views: &[Json]) -> String {
    hash::short(Json::from(views).to_string().as_bytes())
}

fn one(source: &Source<'_>, view: &NamedView, tree: &Table) -> Json {
    let sections = ["constants", "target", "network", "training", "record", "view"];
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
