//! Views of several results directories beside each other.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use twolayer::agree::{Agreement, QuantityAgreement, Verdict, pair};
use twolayer_file::point::in_words;

use crate::{
    answer::digits,
    results::{Results, Unreadable, points},
    store::Manifest,
};

/// Views of two directories, side by side.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Which views, of which point of a sweep.
    pub name: String,
    /// How far they are apart; `None`: nothing in common (another number of neurons or directions, no common time).
    pub agreement: Option<Agreement>,
    /// Keys whose values differ, with both: `training.learning_rate: 0.5/d, 1/d`.
    pub differ: Vec<String>,
}

/// A directory with arrays, and its manifest.
#[derive(Debug, Clone)]
struct Point {
    directory: PathBuf,
    manifest: Manifest,
}

impl Point {
    fn values(&self) -> &[(String, String)] {
        &self.manifest.provenance.point
    }

    fn is_swept(&self) -> bool {
        !self.values().is_empty()
    }

    /// Whether the swept keys and their values are the same: as numbers, where they are.
    fn equals(&self, other: &Self) -> bool {
        let same = |a: &str, b: &str| match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a == b,
            _ => a.trim_matches('"') == b.trim_matches('"'),
        };
        let has = |(key, value): &(String, String)| other.values().iter().any(|(k, v)| k == key && same(v, value));
        self.values().len() == other.values().len() && self.values().iter().all(has)
    }

    fn views(&self) -> Vec<&str> {
        self.manifest.views.iter().map(|view| view.name.as_str()).collect()
    }
}

/// Two directories, and their views that are compared.
#[derive(Debug, Clone)]
pub struct Pairing {
    points: [Point; 2],
    views: Vec<[usize; 2]>,
}

/// What of these directories is compared with what. Of two sweeps, points with equal swept values; of one sweep, all its
/// points; there, views of one name. Else every view with every view.
///
/// # Errors
/// [`Unreadable`], naming the directory or file.
pub fn pairings(directories: &[PathBuf]) -> Result<Vec<Pairing>, Unreadable> {
    let read = |path: &Path| -> Result<Vec<Point>, Unreadable> {
        let point = |directory: PathBuf| Ok(Point { manifest: Manifest::read(&directory)?, directory });
        points(path)?.into_iter().map(point).collect()
    };
    let sets = directories.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let mut pairings = Vec::new();
    if let [alone] = &sets[..] {
        for (i, left) in alone.iter().enumerate() {
            pairings.extend(alone[i + 1..].iter().map(|right| Pairing::of(left, right)));
        }
    }
    for (i, first) in sets.iter().enumerate() {
        for left in first {
            let others = sets[i + 1..].iter().flatten();
            let alike = |right: &&Point| !(left.is_swept() && right.is_swept()) || left.equals(right);
            pairings.extend(others.filter(alike).map(|right| Pairing::of(left, right)));
        }
    }
    Ok(pairings)
}

impl Pairing {
    fn of(left: &Point, right: &Point) -> Self {
        let (first, second) = (left.views(), right.views());
        let all = (0..first.len()).flat_map(|a| (0..second.len()).map(move |b| [a, b]));
        let swept = left.is_swept() && right.is_swept();
        let named = |[a, b]: &[usize; 2]| first[*a] == second[*b];
        let mut views: Vec<[usize; 2]> = all.clone().filter(|both| swept && named(both)).collect();
        if views.is_empty() {
            views = all.collect();
        }
        Self { points: [left.clone(), right.clone()], views }
    }

    /// The names of its comparisons: `dimension=40: limit`, `small/limit – large/limit`.
    pub fn names(&self) -> Vec<String> {
        let [left, right] = &self.points;
        let name = |&[a, b]: &[usize; 2]| {
            let (first, second) = (left.views()[a], right.views()[b]);
            let views = if first == second { first.to_string() } else { format!("{first} – {second}") };
            match (left.is_swept() && right.is_swept(), left.equals(right)) {
                (true, true) => format!("{}: {views}", in_words(left.values())),
                (true, false) => format!("{} – {}: {views}", in_words(left.values()), in_words(right.values())),
                (false, _) => format!("{}/{first} – {}/{second}", left.directory.display(), right.directory.display()),
            }
        };
        self.views.iter().map(name).collect()
    }

    /// Compares, and tells each comparison as it is there.
    ///
    /// # Errors
    /// [`Unreadable`], naming the directory or file.
    pub fn compare(&self, tell: &mut dyn FnMut(&Comparison)) -> Result<(), Unreadable> {
        let [left, right] = [Results::open(&self.points[0].directory)?, Results::open(&self.points[1].directory)?];
        for (&[a, b], name) in self.views.iter().zip(self.names()) {
            let full = |results: &Results, view: usize| {
                format!("{}/{}", results.directory.display(), results.manifest.views[view].name)
            };
            let names = [full(&left, a), full(&right, b)];
            let (first, second) = (&left.outcomes[a].trajectories, &right.outcomes[b].trajectories);
            let agreement = pair([&names[0], &names[1]], first, second);
            let differ = differences(&view(&left, a), &view(&right, b));
            tell(&Comparison { name, agreement, differ });
        }
        Ok(())
    }
}

/// A table of comparisons, line by line; what two views have not in common is only counted.
#[derive(Debug, Clone)]
pub struct Table {
    width: usize,
    rows: usize,
    nothing: usize,
    differ: Vec<String>,
}

impl Table {
    /// A table wide enough for the names of these.
    pub fn new(pairings: &[Pairing]) -> Self {
        let width = pairings.iter().flat_map(Pairing::names).map(|name| name.chars().count()).max().unwrap_or(0);
        Self { width, rows: 0, nothing: 0, differ: Vec::new() }
    }

    /// The lines of a comparison; empty where there is nothing in common.
    pub fn row(&mut self, comparison: &Comparison) -> String {
        let Some(agreement) = &comparison.agreement else {
            self.nothing += 1;
            return String::new();
        };
        let cells = |cells: [&str; 6]| {
            let [verdict, rms, max, count, p, sizes] = cells;
            format!("{verdict:12}  {rms:>6}  {max:>7}  {count:>11}  {p:>7}  {sizes}\n")
        };
        let mut text = String::new();
        if self.rows == 0 {
            let head = cells(["verdict", "rms z", "max |z|", "comparisons", "p", "largest difference"]);
            text += &format!("{:1$}  {head}", "views", self.width);
        }
        self.rows += 1;
        let number = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.2}"));
        let size = |size: &QuantityAgreement| format!("{} {}", size.quantity, digits(size.max_difference));
        let mut sizes = agreement.quantities.iter().map(size).collect::<Vec<_>>().join(", ");
        if agreement.verdict == Verdict::NotAssessed {
            sizes += &format!(" ({})", agreement.note);
        }
        let row = cells([
            agreement.verdict.word(),
            &number(agreement.rms_z),
            &number(agreement.max_z),
            &agreement.comparisons.to_string(),
            &agreement.p_value.map_or("–".into(), digits),
            &sizes,
        ]);
        text += &format!("{:1$}  {row}", comparison.name, self.width);
        if comparison.differ != self.differ {
            self.differ.clone_from(&comparison.differ);
            let differ = if self.differ.is_empty() { "none".into() } else { self.differ.join("; ") };
            text += &format!("  settings that differ: {differ}\n");
        }
        text
    }

    /// What is left to say.
    pub fn end(&self) -> String {
        let why = "another width, another target, or no common time";
        match (self.rows, self.nothing) {
            (0, 0) => "nothing in common: no two points have equal swept values\n".into(),
            (0, _) => format!("nothing in common: {why}\n"),
            (_, 0) => String::new(),
            (_, count) => format!("{count} pairs of views have nothing in common: {why}\n"),
        }
    }
}

/// What a view sees, as resolved.
fn view(results: &Results, number: usize) -> Value {
    results.experiment.resolved.json["views"][number].clone()
}

/// Keys of target, network and training whose values differ.
fn differences(left: &Value, right: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for section in ["target", "network", "training"] {
        collect(section, &left[section], &right[section], &mut found);
    }
    found
}

fn collect(path: &str, left: &Value, right: &Value, found: &mut Vec<String>) {
    let said = |value: &Value| match value.get("expression").unwrap_or(value) {
        Value::Number(number) => number.as_f64().map_or(number.to_string(), |number| number.to_string()),
        other => other.to_string().replace('"', ""),
    };
    let plain = |value: &Value| value.get("expression").is_none();
    match (left, right) {
        (Value::Object(a), Value::Object(b)) if plain(left) && plain(right) => {
            let mut keys = a.clone();
            keys.extend(b.clone());
            for key in keys.keys() {
                let none = Value::Null;
                let at = |object: &Map<String, Value>| object.get(key).cloned().unwrap_or(none.clone());
                collect(&format!("{path}.{key}"), &at(a), &at(b), found);
            }
        }
        _ if said(left) != said(right) => found.push(format!("{path}: {}, {}", said(left), said(right))),
        _ => {}
    }
}
