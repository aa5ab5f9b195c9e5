//! The words of the language, and the nearest of them to a wrong one.

use super::operations::{Binary, Unary};

/// The largest degree of a Hermite polynomial that has a name.
pub(crate) const MAX_HERMITE: u32 = 20;

/// A function called by name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Called {
    Unary(Unary),
    Binary(Binary),
    Hermite(u32),
}

impl Called {
    pub(super) fn named(name: &str) -> Option<Self> {
        let unary = Unary::NAMED.iter().find(|(known, _)| *known == name).map(|(_, f)| Self::Unary(*f));
        let binary = Binary::NAMED.iter().find(|(known, _)| *known == name).map(|(_, f)| Self::Binary(*f));
        unary.or(binary).or_else(|| hermite_degree(name).map(Self::Hermite))
    }

    pub(super) fn arguments(self) -> usize {
        match self {
            Self::Unary(_) | Self::Hermite(_) => 1,
            Self::Binary(_) => 2,
        }
    }
}

/// q of `he0` … `he20`.
pub(crate) fn hermite_degree(name: &str) -> Option<u32> {
    index(name.strip_prefix("he")?).and_then(|q| u32::try_from(q).ok()).filter(|q| *q <= MAX_HERMITE)
}

/// A whole number written without leading zeros; the largest there is where it is too large.
pub(super) fn index(digits: &str) -> Option<u64> {
    let written = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    (written && (digits == "0" || !digits.starts_with('0'))).then(|| digits.parse().unwrap_or(u64::MAX))
}

/// All functions, for messages.
pub(super) fn functions() -> Vec<String> {
    let names = Unary::NAMED.iter().map(|(name, _)| name).chain(Binary::NAMED.iter().map(|(name, _)| name));
    names.map(ToString::to_string).chain((0..=MAX_HERMITE).map(|q| format!("he{q}"))).collect()
}

/// All functions that an expression may use, in one line.
pub fn list_of_functions() -> String {
    let names: Vec<&str> = Unary::NAMED.iter().map(|(n, _)| *n).chain(Binary::NAMED.iter().map(|(n, _)| *n)).collect();
    format!("{}, he0 … he{MAX_HERMITE}", names.join(", "))
}

/// The word among `known` that `word` was probably meant to be.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let furthest = (word.chars().count() / 2).clamp(1, 2);
    let length = word.chars().count();
    // A word of a megabyte is nobody's slip, and comparing it takes seconds.
    let alike = known.into_iter().filter(|known| known.chars().count().abs_diff(length) <= furthest);
    (alike.map(|known| (strsim::osa_distance(&word, &known.to_lowercase()), known)))
        .filter(|(distance, known)| *distance <= furthest && *distance < known.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
