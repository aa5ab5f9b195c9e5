//! What can be seen without working anything out: unknown keys, wrong types, engines that do not exist yet.

use std::ops::Range;

use super::{
    keys::{self, Default, Key, Kind},
    later,
    overrides::overrides,
    tree::{Entry, Node, Table},
};
use crate::diagnostic::{Diagnostic, Severity, Source};

/// Checks the whole file.
///
/// # Errors
/// All faults, in the order of the file.
pub fn check(source: &Source<'_>, root: &Table) -> Result<(), Vec<Diagnostic>> {
    let mut check = Check { source, root, found: Vec::new() };
    check.table("", root);
    if check.found.is_empty() { Ok(()) } else { Err(check.found) }
}

/// Checks one key that gets a value from outside the file, or at a point of a sweep: `path` is that of the table of
/// [`keys`], `root` the file.
pub fn setting(source: &Source<'_>, root: &Table, path: &str, at: &Range<usize>, node: &Node) -> Vec<Diagnostic> {
    let mut check = Check { source, root, found: Vec::new() };
    let kind = keys::key(path).map(|key| key.kind);
    if matches!(kind, Some(Kind::Section | Kind::Constants | Kind::Tables | Kind::Sweep | Kind::Override)) {
        let remedy = match keys::children(path).next() {
            Some((first, _)) => format!("name one of its keys, e.g. `{path}.{first}`"),
            None => "name the key itself".into(),
        };
        check.report(at, format!("`{path}` is more than one key"), remedy);
    } else if keys::parent(path) == "constants" && root.get(path).is_none() {
        let remedy = format!("write it in [constants] first: {} = …", keys::last(path));
        check.report(at, format!("`{path}` is not a constant of this file"), remedy);
    } else {
        check.entry(path, &Entry { key: path.into(), at: at.clone(), node: node.clone() });
    }
    check.found
}

struct Check<'a> {
    source: &'a Source<'a>,
    root: &'a Table,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    fn report(&mut self, span: &Range<usize>, reason: impl Into<String>, remedy: impl Into<String>) {
        self.found.push(self.source.diagnostic(Severity::Error, span.clone(), reason, remedy));
    }

    fn table(&mut self, path: &str, table: &Table) {
        for entry in &table.0 {
            let inner = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
            self.entry(&inner, entry);
        }
    }

    fn entry(&mut self, path: &str, Entry { at, node, .. }: &Entry) {
        if keys::parent(path) == "constants" {
            return self.typed(path, Kind::Number, node);
        }
        match keys::key(path) {
            None => self.unknown(path, at, node),
            Some(key) => self.known(key, at, node),
        }
    }

    fn known(&mut self, key: &Key, at: &Range<usize>, node: &Node) {
        let before = self.found.len();
        self.typed(key.path, key.kind, node);
        if self.found.len() > before {
            return;
        }
        if let Some(remedy) = later::remedy(key.path, node) {
            let span = if node.table().is_some() { at } else { &node.span };
            let written = self.source.text.get(node.span.clone()).unwrap_or_default();
            return self.report(span, later::reason(key.path, written), remedy);
        }
        match key.kind {
            Kind::Section | Kind::Constants | Kind::Table | Kind::TableOr(_) | Kind::Activation => {
                if let Some(table) = node.table() {
                    self.table(key.path, table);
                } else if let Kind::TableOr(word) = key.kind {
                    let inner = Entry { key: word.into(), at: at.clone(), node: node.clone() };
                    self.entry(&format!("{}.{word}", key.path), &inner);
                }
            }
            Kind::List => {
                let tables = node.array().unwrap_or_default().iter().filter_map(Node::table);
                tables.for_each(|table| self.table(key.path, table));
            }
            Kind::Tables => {
                for table in node.array().unwrap_or_default().iter().filter_map(Node::table) {
                    self.table(key.path, table);
                    self.overrides(table);
                }
            }
            _ => {}
        }
    }

    fn typed(&mut self, path: &str, kind: Kind, node: &Node) {
        if kind.fits(node) {
            return;
        }
        let reason = match kind {
            Kind::Whole(_) | Kind::Number | Kind::Matrix | Kind::Numbers => {
                let text = self.source.text.get(node.span.clone()).unwrap_or_default();
                format!("`{path}` takes {}, not {text}", kind.expected())
            }
            _ => format!("`{path}` takes {}, not {}", kind.expected(), node.describe()),
        };
        let meaning = keys::key(path).map_or("a constant", |key| key.meaning);
        let remedy = match (kind, node.text()) {
            (Kind::Word(words) | Kind::WordOrPath(words), Some(text)) => match nearest(text, words.iter().copied()) {
                Some(word) => format!("did you mean {word:?}?"),
                None => format!("write {}: {meaning}", kind.expected()),
            },
            (Kind::Tables, _) if node.table().is_some() => format!("write the header with two brackets, [[{path}]]"),
            _ => format!("write {}: {meaning}", kind.expected()),
        };
        self.report(&node.span, reason, remedy);
    }

    fn overrides(&mut self, view: &Table) {
        let list = overrides(view);
        for (i, entry) in list.iter().enumerate() {
            let path = entry.path.as_str();
            let section = path.split_once('.').map_or(path, |(section, _)| section);
            let whole = Entry { key: path.into(), at: entry.at.clone(), node: entry.node.clone() };
            if !keys::OVERRIDABLE.contains(&section) {
                let reason = format!("`{path}` is not a key that a view can override");
                let remedy = match nearest(path, keys::KEYS.iter().map(|key| key.path)) {
                    Some(near) if near != path => format!("did you mean `{near}`?"),
                    _ => format!("override keys of {}", keys::list(keys::OVERRIDABLE)),
                };
                self.report(&entry.at, reason, remedy);
            } else if keys::parent(path) == "constants" && self.root.get(path).is_none() {
                let remedy = format!("write it in [constants] first: {} = …", keys::last(path));
                self.report(
                    &entry.at,
                    format!("`{path}` is overridden here and is not a constant of this file"),
                    remedy,
                );
            } else if list[..i].iter().any(|earlier| earlier.path == path)
                || (path == "training.dimension" && view.get("dimension").is_some())
            {
                self.report(&entry.at, format!("`{path}` is given twice in this view"), "keep one of the two");
            } else {
                self.entry(path, &whole);
            }
        }
    }

    fn unknown(&mut self, path: &str, at: &Range<usize>, node: &Node) {
        let (parent, word) = (keys::parent(path), keys::last(path));
        let header = parent.is_empty()
            && (node.table().is_some() || matches!(node.array(), Some([first, ..]) if first.table().is_some()));
        let reason = match parent {
            "" if header => format!("[{path}] is not a section of the experiment file"),
            _ => format!("`{path}` is not a key of the experiment file"),
        };
        let elsewhere: Vec<String> = (keys::KEYS.iter())
            .filter(|key| keys::last(key.path) == word && !header)
            .map(|key| format!("`{}`", key.path))
            .collect();
        // In an override the key is the whole path.
        let whole = self.source.text.get(at.clone()).is_some_and(|written| written.contains('.'));
        let siblings: Vec<&str> = keys::children(parent).map(|(name, _)| name).collect();
        let remedy = match nearest(word, siblings.iter().copied()) {
            Some(near) if header => format!("did you mean [{near}]?"),
            Some(near) if whole => format!("did you mean `{parent}.{near}`?"),
            Some(near) => format!("did you mean `{near}`?"),
            None if !elsewhere.is_empty() => format!("did you mean {}?", elsewhere.join(" or ")),
            None if siblings.is_empty() => format!("remove it: `{parent}` has no keys of its own"),
            None => format!("known here: {}", siblings.join(", ")),
        };
        self.report(at, reason, remedy);
    }
}

/// What must be written and is not, and what excludes each other, in the file as one view sees it.
pub fn complete(source: &Source<'_>, tree: &Table) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut report = |span: Range<usize>, reason: String, remedy: String| {
        found.push(source.diagnostic(Severity::Error, span, reason, remedy))
    };
    for key in keys::KEYS.iter().filter(|key| key.default == Default::Required && tree.get(key.path).is_none()) {
        let parent = keys::parent(key.path);
        // A section must be there; any other table only asks for its keys where it is written.
        let optional = keys::key(parent).is_some_and(|parent| parent.kind != Kind::Section);
        if !(optional && tree.get(parent).is_none_or(|parent| parent.node.table().is_none())) {
            let remedy = format!("write `{} = …`, {}: {}", keys::last(key.path), key.kind.expected(), key.meaning);
            report(place(tree, key.path), format!("`{}` is missing", key.path), remedy);
        }
    }
    for (group, needed) in keys::ALTERNATIVES {
        let given: Vec<&Entry> = group.iter().filter_map(|path| tree.get(path)).collect();
        let names = group.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>();
        if let [_, second, ..] = given[..] {
            report(
                second.at.clone(),
                format!("more than one of {} is given", names.join(", ")),
                "keep one of them".into(),
            );
        } else if *needed && given.is_empty() {
            let reason = format!("none of {} is given", names.join(", "));
            report(place(tree, group[0]), reason, format!("write {}", names.join(" or ")));
        }
    }
    found
}

/// Where to point for the key at `path`: its value, or the nearest key above it that is written, or the file's start.
pub fn place(tree: &Table, path: &str) -> Range<usize> {
    if let Some(entry) = tree.get(path) {
        return entry.node.span.clone();
    }
    let mut above = keys::parent(path);
    while !above.is_empty() {
        if let Some(entry) = tree.get(above) {
            return entry.at.clone();
        }
        above = keys::parent(above);
    }
    0..0
}

/// The candidate that `word` is most likely a slip of.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
