//! Values that take the place of the file's: `--set key=value`, and those of one point of a sweep.

use super::{
    check, keys,
    overrides::{Override, spell_out},
    spec::Spec,
    tree::{Entry, Node, Table, Value},
};
use crate::diagnostic::{Diagnostic, Severity, Source};

/// `file`, and after it one line for each setting: what spans are relative to. Also the length of `file`.
pub fn with_settings(file: &str, settings: &[String]) -> (String, usize) {
    let lines: String = settings.iter().map(|setting| format!("\n{setting}")).collect();
    (format!("{file}{lines}"), file.len())
}

/// The settings that stand behind the file in `source`.
///
/// A value is TOML; what starts like none, as `0.5/d` or `relu` do, is a string, which shells leave without quotes.
pub fn read(source: &Source<'_>, settings: &[String]) -> Result<Vec<Override>, Vec<Diagnostic>> {
    let mut start = source.file + 1;
    let (mut read, mut faults) = (Vec::new(), Vec::new());
    for setting in settings {
        let end = start + setting.len();
        let fault = |reason: &str, remedy: String| source.diagnostic(Severity::Error, start..end, reason, remedy);
        match setting.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() && !value.trim().is_empty() => {
                let value_at = end - value.len() + (value.len() - value.trim_start().len());
                match value_of(value.trim()) {
                    Ok(node) => read.push(Override {
                        path: key.trim().replace(['"', '\''], ""),
                        at: start..start + key.len(),
                        node: node.shifted(value_at),
                    }),
                    Err(reason) => {
                        let key = key.trim();
                        let remedy = format!("write it as in the file, in quotes for the shell: --set '{key}=…'");
                        faults.push(fault(&format!("the value is not TOML: {reason}"), remedy));
                    }
                }
            }
            _ => faults.push(fault(
                "this setting has no key, or no value",
                "write --set key=value, e.g. --set training.dimension=500".into(),
            )),
        }
        start = end + 1;
    }
    if faults.is_empty() { Ok(read) } else { Err(faults) }
}

fn value_of(text: &str) -> Result<Node, String> {
    match Node::parse(text) {
        Ok(node) => Ok(node),
        Err(_) if !text.starts_with(['[', '{', '"', '\'']) => {
            Ok(Node { span: 0..text.len(), value: Value::Text(text.into()) })
        }
        Err(error) => Err(error.message().to_string()),
    }
}

/// What a view sees in place of the rest of the file, as `view.override.training.batch`.
const OVERRIDE: &str = "view.override.";

/// Sections whose keys a point of a sweep may set.
const SWEPT: &[&str] = &["constants", "target", "network", "training", "record", "readout", "view"];

impl Spec {
    /// What is wrong with giving a key of this file another value.
    pub(super) fn check_setting(&self, source: &Source<'_>, setting: &Override, swept: bool) -> Vec<Diagnostic> {
        let path = setting.path.as_str();
        let section = path.split_once('.').map_or(path, |(section, _)| section);
        let fault = |reason: String, remedy: String| {
            vec![source.diagnostic(Severity::Error, setting.at.clone(), reason, remedy)]
        };
        let known = keys::KEYS.iter().any(|key| key.path == section);
        if swept && known && !SWEPT.contains(&section) {
            return fault(
                format!("`{path}` is not a key that can be swept"),
                format!("sweep keys of {}", keys::list(SWEPT)),
            );
        }
        if !known {
            let sections: Vec<&str> = keys::children("").map(|(name, _)| name).collect();
            let remedy = match check::nearest(section, sections.iter().copied()) {
                _ if self.root.get(&format!("constants.{path}")).is_some() => {
                    format!("did you mean `constants.{path}`?")
                }
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", sections.join(", ")),
            };
            return fault(format!("`{path}` is not a key of the experiment file"), remedy);
        }
        if section == "sweep" {
            let taken = setting.node.array().is_some() && path != "sweep";
            let remedy = "write lists: --set 'sweep.training.dimension=[500, 1000]'";
            return if taken { Vec::new() } else { fault(format!("`{path}` takes a list of values"), remedy.into()) };
        }
        let (canonical, name) = self.of_view(path);
        if let Some(name) = name
            && !self.names().contains(&name)
        {
            let names = self.names().join(", ");
            return fault(format!("there is no view `{name}`"), format!("the views are {names}"));
        }
        let Some(inner) = canonical.strip_prefix(OVERRIDE) else {
            return check::setting(source, &self.root, &canonical, &setting.at, &setting.node);
        };
        let section = inner.split_once('.').map_or(inner, |(section, _)| section);
        if !keys::OVERRIDABLE.contains(&section) {
            let remedy = format!("override keys of {}", keys::list(keys::OVERRIDABLE));
            return fault(format!("`{inner}` is not a key that a view can override"), remedy);
        }
        check::setting(source, &self.root, inner, &setting.at, &setting.node)
    }

    /// Gives a key another value: in every view for `view.replicates`, in one for `view.NAME.replicates`.
    pub(super) fn set(&mut self, setting: &Override) {
        let Override { path, at, node } = setting;
        let (canonical, name) = self.of_view(path);
        match path.split_once('.') {
            Some(("view", _)) => {
                let names = self.names();
                let key = canonical.trim_start_matches("view.").to_string();
                if self.root.get("view").is_none() {
                    let tables = self.views().into_iter().map(|entry| entry.node).collect();
                    let node = Node { span: 0..0, value: Value::Array(tables) };
                    self.root.0.push(Entry { key: "view".into(), at: 0..0, node });
                }
                for (view, own) in self.inner("view").zip(names) {
                    let limit = view.get("engine").is_some_and(|entry| entry.node.text() == Some("limit"));
                    // Said of all views, it is said of those for which it has a meaning.
                    let meant = match key.as_str() {
                        "replicates" => !limit,
                        "method" | "terms" => limit,
                        _ => true,
                    };
                    if name.as_ref().map_or(meant, |name| *name == own) {
                        if let Some(inner) = canonical.strip_prefix(OVERRIDE) {
                            override_anew(view, inner);
                        }
                        view.set(&key, at.clone(), node.clone());
                    }
                }
            }
            Some(("sweep", key)) => {
                // The same list may be written under one quoted key.
                self.inner_table("sweep").into_iter().for_each(|table| table.0.retain(|entry| entry.key != key));
                self.root.set(path, at.clone(), node.clone());
            }
            Some(("figure", key)) => {
                let key = key.to_string();
                self.inner("figure").for_each(|figure| figure.set(&key, at.clone(), node.clone()));
            }
            _ => {
                keys::alternatives(path).for_each(|other| self.root.remove(other));
                self.root.set(path, at.clone(), node.clone());
                spell_out(&mut self.root, path);
            }
        }
    }

    fn inner_table(&mut self, name: &str) -> Option<&mut Table> {
        match &mut self.root.get_mut(name)?.node.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The tables of `[[name]]`, to be changed.
    fn inner(&mut self, name: &str) -> impl Iterator<Item = &mut Table> {
        let items = match self.root.get_mut(name).map(|entry| &mut entry.node.value) {
            Some(Value::Array(items)) => &mut items[..],
            _ => &mut [],
        };
        items.iter_mut().filter_map(|item| match &mut item.value {
            Value::Table(table) => Some(table),
            _ => None,
        })
    }

    /// `view.reduced.replicates` as the key `view.replicates` of the view `reduced`.
    fn of_view(&self, path: &str) -> (String, Option<String>) {
        let Some(rest) = path.strip_prefix("view.") else { return (path.into(), None) };
        if path.starts_with(OVERRIDE) {
            return (path.into(), None);
        }
        let inside = |name: &String| rest.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('.'));
        if let Some((name, key)) = self.names().into_iter().find_map(|name| Some((name.clone(), inside(&name)?))) {
            return (format!("view.{key}"), Some(name));
        }
        // A name that is none of the views'.
        if let Some((name, key)) = rest.split_once(".override.") {
            return (format!("{OVERRIDE}{key}"), Some(name.into()));
        }
        match rest.rsplit_once('.') {
            Some((name, key)) if keys::key(path).is_none() => (format!("view.{key}"), Some(name.into())),
            _ => (path.into(), None),
        }
    }
}

/// Drops what `view` overrides at `path`, or at a key that excludes it: written as one quoted key or as tables.
fn override_anew(view: &mut Table, path: &str) {
    let Some(Value::Table(table)) = view.get_mut("override").map(|entry| &mut entry.node.value) else { return };
    let mut drop = |path: &str| {
        table.0.retain(|entry| entry.key != path);
        table.remove(path);
    };
    keys::alternatives(path).for_each(&mut drop);
    drop(path);
}
