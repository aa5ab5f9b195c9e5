//! The experiment file as it is written: a tree in which every key and value knows its place.

use twolayer::problem::Engine;

use super::{
    axes::Axis,
    keys,
    overrides::{Override, overrides, spell_out},
    tree::{Entry, Node, Table, Value},
};

/// An experiment file whose keys are all known and of their types.
#[derive(Debug, Clone)]
pub struct Spec {
    pub(super) root: Table,
    pub(super) axes: Vec<Axis>,
    pub(super) default_views: bool,
}

impl Spec {
    /// The directions of the sweep; none without `[sweep]`.
    pub fn sweep(&self) -> &[Axis] {
        &self.axes
    }

    /// The file at one point of the sweep: each of these keys with this value.
    pub fn at(&self, values: &[Override]) -> Self {
        let mut spec = self.clone();
        values.iter().for_each(|value| spec.set(value));
        spec
    }

    /// The views, each as an entry `view`; where the file has none, limit, reduced and direct, or the limit alone where
    /// nothing else has a meaning.
    pub fn views(&self) -> Vec<Entry> {
        let written = self.tables("view");
        if !written.is_empty() {
            return written;
        }
        let says = |path, word| self.root.get(path).and_then(|entry| entry.node.text()) == Some(word);
        let limit_only = says("training.dimension", "infinite") || says("training.algorithm", "gradient-flow");
        let engines = if limit_only { &[Engine::Limit][..] } else { &[Engine::Limit, Engine::Reduced, Engine::Direct] };
        let node = |value| Node { span: 0..0, value };
        let entry = |key: &str, value| Entry { key: key.into(), at: 0..0, node: node(value) };
        let view = |engine: &Engine| Value::Table(Table(vec![entry("engine", Value::Text(engine.name().into()))]));
        engines.iter().map(|engine| entry("view", view(engine))).collect()
    }

    /// Whether the file leaves the views to the program.
    pub fn leaves_views(&self) -> bool {
        self.default_views
    }

    /// The names of the views, in their order: as written, else the engine's name, or with the first number from 2 on
    /// that is free. Some file systems do not tell `A` from `a`.
    pub fn names(&self) -> Vec<String> {
        let views = self.views();
        let word = |view: &Entry, key| view.node.table()?.get(key)?.node.text().map(String::from);
        let written: Vec<Option<String>> = views.iter().map(|view| word(view, "name")).collect();
        let mut taken: Vec<String> = written.iter().flatten().map(|name| name.to_lowercase()).collect();
        let mut free = |view: &Entry| {
            let engine = word(view, "engine").unwrap_or_default();
            let numbered = (2..).map(|i| format!("{engine}-{i}"));
            let mut names = std::iter::once(engine.clone()).chain(numbered);
            let name = names.find(|name| !taken.contains(name)).unwrap_or_default();
            taken.push(name.clone());
            name
        };
        views.iter().zip(written).map(|(view, name)| name.unwrap_or_else(|| free(view))).collect()
    }

    /// The file itself.
    pub fn root(&self) -> &Table {
        &self.root
    }

    /// The tables of `[[view]]` or `[[figure]]`, each as an entry `name` that stands where its header is.
    pub fn tables(&self, name: &str) -> Vec<Entry> {
        let items = self.root.get(name).and_then(|entry| entry.node.array()).unwrap_or_default();
        items.iter().map(|node| Entry { key: name.into(), at: node.span.clone(), node: node.clone() }).collect()
    }

    /// The file as one view sees it: its overrides in place, its own table under `view`.
    pub fn seen_by(&self, view: &Entry) -> Table {
        let mut tree = Table(self.root.0.iter().filter(|entry| entry.node.array().is_none()).cloned().collect());
        let overrides = view.node.table().map(overrides).unwrap_or_default();
        for Override { path, at, node } in &overrides {
            for other in keys::alternatives(path) {
                tree.remove(other);
            }
            tree.set(path, at.clone(), node.clone());
            spell_out(&mut tree, path);
        }
        // A view that flows leaves behind what the file says about steps, unless it says so itself.
        let flows = |o: &Override| o.path == "training.algorithm" && o.node.text() == Some("gradient-flow");
        if overrides.iter().any(flows) {
            for path in ["training.learning_rate", "training.batch"] {
                if !overrides.iter().any(|o| o.path == path) {
                    tree.remove(path);
                }
            }
        }
        if let Some(dimension) = view.node.table().and_then(|table| table.get("dimension")) {
            tree.set("training.dimension", dimension.at.clone(), dimension.node.clone());
        }
        tree.0.push(view.clone());
        tree
    }
}
