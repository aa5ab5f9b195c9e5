//! The experiment file as it is written: a tree in which every key and value knows its place, checked against the
//! table of [`keys`], before anything is worked out.

mod check;
pub mod keys;
pub mod later;
mod reference;
mod settings;
mod sweep;
pub mod tree;

use std::ops::Range;

use toml::de::DeTable;
use twolayer::problem::Engine;

use crate::diagnostic::{Diagnostic, Severity, Source};
pub use check::{complete, nearest, place};
pub use reference::reference;
pub use settings::with_settings;
pub use sweep::{Axis, Swept};
use tree::{Entry, Node, Table, Value};

/// An experiment file whose keys are all known and of their types.
#[derive(Debug, Clone)]
pub struct Spec {
    root: Table,
    axes: Vec<Axis>,
    default_views: bool,
}

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

impl Spec {
    /// Reads TOML and checks its keys and their types; `settings` are those that stand behind the file in `source`.
    ///
    /// # Errors
    /// Every fault that can be seen without working anything out: TOML syntax (then it is the only one), unknown
    /// sections and keys, values of the wrong type, keys that this version has no engine for.
    pub fn parse(source: &Source<'_>, settings: &[String]) -> Result<Self, Vec<Diagnostic>> {
        let document = DeTable::parse(&source.text[..source.file]).map_err(|error| vec![syntax(source, &error)])?;
        let mut root = Table::new(document.get_ref());
        let mut faults = check::check(source, &root).err().unwrap_or_default();
        keys::KEYS.iter().for_each(|key| spell_out(&mut root, key.path));
        let default_views = root.get("view").is_none();
        let mut spec = Self { root, axes: Vec::new(), default_views };
        let settings = settings::read(source, settings).unwrap_or_else(|wrong| {
            faults.extend(wrong);
            Vec::new()
        });
        faults.extend(settings.iter().flat_map(|setting| spec.check_setting(source, setting, false)));
        if faults.is_empty() {
            settings.iter().for_each(|setting| spec.set(setting));
        }
        match spec.axes(source, &settings) {
            Ok(axes) => spec.axes = axes,
            Err(wrong) => faults.extend(wrong),
        }
        if faults.is_empty() { Ok(spec) } else { Err(faults) }
    }

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
