//! `[sweep]`: lists of values for keys, all combinations; `[[sweep.together]]`: lists varied together.

use std::{collections::HashMap, ops::Range};

use super::{
    axes::{Axis, Swept},
    keys,
    overrides::Override,
    spec::Spec,
    tree::{Entry, Node, Table},
};
use crate::diagnostic::{Diagnostic, Severity, Source};

/// The most points of one sweep.
const MOST_POINTS: usize = 100_000;

impl Spec {
    /// The axes of the sweep in the order of the file, tables varied together last. A key that is `set` is not swept.
    ///
    /// # Errors
    /// Unknown keys, values of the wrong type, empty lists, repeated values, lists of unequal length, keys swept twice,
    /// too many points.
    pub(super) fn axes(&self, source: &Source<'_>, set: &[Override]) -> Result<Vec<Axis>, Vec<Diagnostic>> {
        let Some(Entry { node, .. }) = self.root.get("sweep") else { return Ok(Vec::new()) };
        let mut check = Check { source, spec: self, faults: Vec::new() };
        let mut axes = Vec::new();
        let Some(table) = node.table() else { return Ok(axes) };
        for swept in check.lists(table, true) {
            check.once(std::slice::from_ref(&swept));
            axes.push(Axis(vec![swept]));
        }
        if let Some(together) = table.get("together") {
            let groups = together.node.array().unwrap_or_default();
            if groups.is_empty() || groups.iter().any(|group| group.table().is_none()) {
                let remedy = "write the header with two brackets, [[sweep.together]], and lists below it";
                check.report(&together.at, "`sweep.together` is a table for each group of keys".into(), remedy.into());
            }
            for group in groups.iter().filter_map(Node::table) {
                let lists = check.lists(group, false);
                check.equal_lengths(&lists);
                check.once(&lists);
                axes.extend((!lists.is_empty()).then_some(Axis(lists)));
            }
        }
        check.distinct(&axes);
        let points = axes.iter().try_fold(1_usize, |points, axis| points.checked_mul(axis.len()));
        if points.is_none_or(|points| points > MOST_POINTS) {
            let reason = format!("the sweep has more than {MOST_POINTS} points");
            check.report(&node.span, reason, "shorten the lists, or vary some together in [[sweep.together]]".into());
        }
        if !check.faults.is_empty() {
            return Err(check.faults);
        }
        axes.iter_mut().for_each(|axis| axis.0.retain(|swept| !is_set(&swept.path, set)));
        axes.retain(|axis| !axis.0.is_empty());
        Ok(axes)
    }
}

/// Whether `path`, or a key that excludes it, has got a value from the command line.
fn is_set(path: &str, set: &[Override]) -> bool {
    set.iter().any(|o| o.path == path || keys::alternatives(path).any(|other| other == o.path))
}

struct Check<'a> {
    source: &'a Source<'a>,
    spec: &'a Spec,
    faults: Vec<Diagnostic>,
}

impl Check<'_> {
    fn report(&mut self, span: &Range<usize>, reason: String, remedy: String) {
        self.faults.push(self.source.diagnostic(Severity::Error, span.clone(), reason, remedy));
    }

    /// The lists of `table`; `"training.dimension" = […]` and `training.dimension = […]` are the same.
    fn lists(&mut self, table: &Table, outer: bool) -> Vec<Swept> {
        let mut found = Vec::new();
        for entry in table.0.iter().filter(|entry| !(outer && entry.key == "together")) {
            self.list(&entry.key, entry, &mut found);
        }
        found
    }

    fn list(&mut self, path: &str, entry: &Entry, found: &mut Vec<Swept>) {
        if let Some(table) = entry.node.table() {
            table.0.iter().for_each(|inner| self.list(&format!("{path}.{}", inner.key), inner, found));
            return;
        }
        let Some(values) = entry.node.array().filter(|values| !values.is_empty()) else {
            let what = if entry.node.array().is_some() { "an empty one".into() } else { entry.node.describe() };
            let reason = format!("a sweep takes a list of values for `{path}`, not {what}");
            return self.report(&entry.node.span, reason, format!("write \"{path}\" = [first, second, …]"));
        };
        let before = self.faults.len();
        for (i, value) in values.iter().enumerate() {
            let setting = Override { path: path.into(), at: entry.at.clone(), node: value.clone() };
            let faults = self.spec.check_setting(self.source, &setting, true);
            // What is wrong with the key is said once; each value has faults of its own.
            self.faults.extend(faults.into_iter().filter(|fault| i == 0 || fault.span != entry.at));
        }
        if self.faults.len() == before {
            found.push(Swept { path: path.into(), at: entry.at.clone(), values: values.to_vec() });
        }
    }

    fn equal_lengths(&mut self, lists: &[Swept]) {
        let Some((first, others)) = lists.split_first() else { return };
        if let Some(other) = others.iter().find(|other| other.values.len() != first.values.len()) {
            let (n, m) = (first.values.len(), other.values.len());
            let reason = format!("`{}` has {n} values and `{}` {m}, and they vary together", first.path, other.path);
            self.report(&other.at, reason, "write lists of one length".into());
        }
    }

    /// No values twice: of lists that vary together, no value of each that was met before in all of them.
    fn once(&mut self, lists: &[Swept]) {
        let Some(first) = lists.first() else { return };
        let mut seen = HashMap::with_capacity(first.values.len());
        for (i, value) in first.values.iter().enumerate() {
            // By the text of the values: lists may be long.
            let point: Vec<_> =
                lists.iter().map(|list| format!("{:?}", list.values.get(i).map(|v| &v.value))).collect();
            if let Some(j) = seen.insert(point, i) {
                let names: Vec<_> = lists.iter().map(|list| format!("`{}`", list.path)).collect();
                let (whose, what) = match names.as_slice() {
                    [one] => (format!("{one} has"), "the same value twice in its list"),
                    many => (format!("{} have", many.join(", ")), "the same values twice in their lists"),
                };
                let reason = format!("{whose} {what}, at {} and {}", j + 1, i + 1);
                self.report(&value.span, reason, "keep one of them: each point of a sweep is run once".into());
            }
        }
    }

    /// No key twice, nor two of which only one is written.
    fn distinct(&mut self, axes: &[Axis]) {
        let all: Vec<&Swept> = axes.iter().flat_map(|axis| &axis.0).collect();
        for (i, swept) in all.iter().enumerate() {
            for earlier in &all[..i] {
                if earlier.path == swept.path {
                    let reason = format!("`{}` is swept twice", swept.path);
                    self.report(&swept.at, reason, "keep one of the two lists".into());
                } else if keys::alternatives(&swept.path).any(|other| other == earlier.path) {
                    let reason = format!("`{}` and `{}` exclude each other", earlier.path, swept.path);
                    self.report(&swept.at, reason, "sweep one of them".into());
                }
            }
        }
    }
}
