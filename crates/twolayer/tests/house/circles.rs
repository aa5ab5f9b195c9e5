//! Circles of imports between modules that have one parent.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::Module;

/// Every circle, `a::b → a::c → a::b`, once. A module and one inside it are no circle.
pub fn circles(imports: &BTreeSet<(Module, Module)>) -> Vec<String> {
    let mut arrows: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (from, to) in imports {
        let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        if common < from.len() && common < to.len() {
            arrows.entry(from[..=common].to_vec()).or_default().insert(to[..=common].to_vec());
        }
    }
    let mut found = Vec::new();
    let mut done = BTreeSet::new();
    for start in arrows.keys() {
        follow(start, &arrows, &mut Vec::new(), &mut done, &mut found);
    }
    found
}

fn follow(
    at: &Module,
    arrows: &BTreeMap<Module, BTreeSet<Module>>,
    path: &mut Vec<Module>,
    done: &mut BTreeSet<Module>,
    found: &mut Vec<String>,
) {
    if let Some(first) = path.iter().position(|module| module == at) {
        let circle = path[first..].iter().chain([at]).map(|module| module.join("::"));
        found.push(circle.collect::<Vec<_>>().join(" → "));
        return;
    }
    if done.contains(at) {
        return;
    }
    path.push(at.clone());
    for next in arrows.get(at).into_iter().flatten() {
        follow(next, arrows, path, done, found);
    }
    path.pop();
    done.insert(at.clone());
}
