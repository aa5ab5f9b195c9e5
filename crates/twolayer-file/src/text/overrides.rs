//! Keys that get another value than the file's, and the one form in which each is read.

use std::ops::Range;

use super::{
    keys,
    tree::{Entry, Node, Table, Value},
};

/// A key that gets another value: in one view, by `--set`, or at a point of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// Its dotted path.
    pub path: String,
    /// Where it is written.
    pub at: Range<usize>,
    /// Its value there.
    pub node: Node,
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
pub fn spell_out(tree: &mut Table, path: &str) {
    let Some(entry) = tree.get_mut(path) else { return };
    if let (Some(keys::Kind::TableOr(word)), Some(_)) = (keys::key(path).map(|key| key.kind), entry.node.text()) {
        let inner = Entry { key: word.into(), at: entry.at.clone(), node: entry.node.clone() };
        entry.node.value = Value::Table(Table(vec![inner]));
    }
}
