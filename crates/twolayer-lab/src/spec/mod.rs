//! The experiment file as it is written: a tree in which every key and value knows its place, checked against the
//! table of [`keys`], before anything is worked out.

mod check;
pub mod keys;
pub mod later;
mod reference;
pub mod tree;

use std::ops::Range;

use toml::de::DeTable;

use crate::diagnostic::{Diagnostic, Severity, Source};
pub use check::{complete, nearest, place};
pub use reference::reference;
use tree::{Entry, Node, Table, Value};

/// An experiment file whose keys are all known and of their types.
#[derive(Debug, Clone)]
pub struct Spec {
    root: Table,
}

/// A key that a view overrides.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// Its dotted path.
    pub path: String,
    /// Where it is written.
    pub at: Range<usize>,
    /// Its value in this view.
    pub node: Node,
}

impl Spec {
    /// Reads TOML and checks its keys and their types.
    ///
    /// # Errors
    /// Every fault that can be seen without working anything out: TOML syntax (then it is the only one), unknown
    /// sections and keys, values of the wrong type, keys that this version has no engine for.
    pub fn parse(source: &Source<'_>) -> Result<Self, Vec<Diagnostic>> {
        let document = DeTable::parse(source.text).map_err(|error| vec![syntax(source, &error)])?;
        let mut root = Table::new(document.get_ref());
        check::check(source, &root)?;
        keys::KEYS.iter().for_each(|key| spell_out(&mut root, key.path));
        Ok(Self { root })
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

/// What a view overrides; `{ "training.batch" = 2 }` and `{ training.batch = 2 }` are the same.
pub fn overrides(view: &Table) -> Vec<Override> {
    fn flatten(prefix: &str, table: &Table, found: &mut Vec<Override>) {
        for Entry { key, at, node } in &table.0 {
            let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            let inner =
                matches!(keys::key(&path).map(|key| key.kind), Some(keys::Kind::Section | keys::Kind::Constants));
            match node.table() {
                Some(table) if inner => flatten(&path, table, found),
                _ => found.push(Override { path, at: at.clone(), node: node.clone() }),
            }
        }
    }
    let mut found = Vec::new();
    if let Some(table) = view.get("override").and_then(|entry| entry.node.table()) {
        flatten("", table, &mut found);
    }
    found
}

/// Writes `first_layer = "sphere"` out as `first_layer = { kind = "sphere" }`, so that readers know one form.
fn spell_out(tree: &mut Table, path: &str) {
    let Some(entry) = tree.get_mut(path) else { return };
    if let (Some(keys::Kind::TableOr(word)), Some(_)) = (keys::key(path).map(|key| key.kind), entry.node.text()) {
        let inner = Entry { key: word.into(), at: entry.at.clone(), node: entry.node.clone() };
        entry.node.value = Value::Table(Table(vec![inner]));
    }
}

fn syntax(source: &Source<'_>, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let remedy = "see https://toml.io for how keys, strings and tables are written";
    source.diagnostic(Severity::Error, span, format!("this is not TOML: {}", error.message()), remedy)
}
