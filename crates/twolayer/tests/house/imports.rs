//! Which module imports which, from paths that begin with `crate`, `super`, `self` or a child.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::text::{bare, without_tests};

/// A module, from the root of its crate.
pub type Module = Vec<String>;

/// The modules of a crate that are files, without comments, strings and tests.
pub struct Tree {
    files: BTreeMap<Module, String>,
    /// What a module hands on: name, and the path that it stands for.
    handed_on: BTreeMap<Module, Vec<(String, Vec<String>)>>,
}

impl Tree {
    /// The crate with these sources.
    pub fn read(source: &Path) -> Self {
        let mut paths = Vec::new();
        super::sources(source, &mut paths);
        Self::of(paths.iter().map(|path| {
            let inner = path.strip_prefix(source).unwrap().with_extension("");
            let mut module: Module = inner.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
                module.pop();
            }
            (module, fs::read_to_string(path).unwrap())
        }))
    }

    /// The crate of these files.
    pub fn of(files: impl Iterator<Item = (Module, String)>) -> Self {
        let (mut kept, mut tests) = (BTreeMap::<Module, String>::new(), BTreeSet::new());
        for (module, source) in files {
            let (text, modules) = without_tests(&bare(&source));
            tests.extend(modules.into_iter().map(|name| [&module[..], &[name]].concat()));
            *kept.entry(module).or_default() += &text;
        }
        kept.retain(|module, _| !(1..=module.len()).any(|n| tests.contains(&module[..n])));
        let handed_on = kept.iter().map(|(module, text)| (module.clone(), uses(text, "pub"))).collect();
        Self { files: kept, handed_on }
    }

    /// Every pair (module, module that it imports from), the two not the same.
    pub fn imports(&self) -> BTreeSet<(Module, Module)> {
        let mut all = BTreeSet::new();
        for (module, text) in &self.files {
            let named = uses(text, "").into_iter().map(|(_, path)| path);
            let inline = ["crate", "super", "self"].into_iter().flat_map(|word| inline(text, word));
            for path in named.chain(inline) {
                if let Some(other) = self.resolve(module, &path, 8)
                    && other != *module
                {
                    all.insert((module.clone(), other));
                }
            }
        }
        all
    }

    /// The module that holds what `path` names, seen from `module`; `None` for other crates.
    fn resolve(&self, module: &Module, path: &[String], depth: usize) -> Option<Module> {
        let mut at: Module = match path.first()?.as_str() {
            "crate" => Vec::new(),
            "self" => module.clone(),
            "super" => module[..module.len().checked_sub(1)?].to_vec(),
            child => {
                let inner = [&module[..], &[child.to_string()]].concat();
                self.files.contains_key(&inner).then_some(inner)?
            }
        };
        for name in path.iter().skip(1) {
            if name == "super" {
                at.pop();
                continue;
            }
            let inner = [&at[..], std::slice::from_ref(name)].concat();
            if self.files.contains_key(&inner) {
                at = inner;
                continue;
            }
            let handed = self.handed_on.get(&at).and_then(|names| names.iter().find(|(known, _)| known == name));
            return match handed {
                Some((_, path)) if depth > 0 => self.resolve(&at, path, depth - 1).or(Some(at)),
                _ => Some(at),
            };
        }
        Some(at)
    }
}

/// The paths of `use` items whose line begins with `visibility`, each with the name it gets.
fn uses(text: &str, visibility: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("use ") {
        let before = text[..at].rsplit(['\n', ';', '}', '{']).next().unwrap_or_default().trim();
        let is_item = before.is_empty() || before == "pub" || before.starts_with("pub(") || before.ends_with(']');
        if is_item && before.starts_with(visibility) {
            let end = text[at..].find(';').map_or(text.len(), |n| at + n);
            expand(&[], &text[at + 4..end], &mut found);
        }
    }
    found
}

/// The paths of a tree of names, `a::{b, c as d}`.
fn expand(prefix: &[String], tree: &str, into: &mut Vec<(String, Vec<String>)>) {
    let tree = tree.trim();
    let (head, group) = match tree.find('{') {
        Some(open) => (&tree[..open], tree.rfind('}').map(|close| &tree[open + 1..close])),
        None => (tree, None),
    };
    let (head, name) = head.split_once(" as ").map_or((head, None), |(head, name)| (head, Some(name.trim())));
    let words = head.split("::").map(str::trim).filter(|word| !word.is_empty() && *word != "*");
    let mut path = prefix.to_vec();
    path.extend(words.filter(|word| prefix.is_empty() || *word != "self").map(String::from));
    match group {
        Some(group) => parts(group).for_each(|part| expand(&path, part, into)),
        None => {
            if let Some(last) = path.last() {
                into.push((name.unwrap_or(last).to_string(), path.clone()));
            }
        }
    }
}

/// The parts of a list, at its own commas.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    list.split(move |c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    })
    .filter(|part| !part.trim().is_empty())
}

/// Paths in expressions and types that begin with `word::`.
fn inline(text: &str, word: &str) -> Vec<Vec<String>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in text.match_indices(&format!("{word}::")) {
        if text[..at].chars().next_back().is_some_and(|c| is_word(c) || c == ':') {
            continue;
        }
        let end = text[at..].find(|c| !is_word(c) && c != ':').map_or(text.len(), |n| at + n);
        let path: Vec<String> = text[at..end]
            .split("::")
            .filter(|part| !part.is_empty())
            .map(|part| part.trim_end_matches(':').into())
            .collect();
        // `use crate::{…}` is read by its tree.
        if path.len() > 1 {
            found.push(path);
        }
    }
    found
}
