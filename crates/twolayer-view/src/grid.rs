//! The points of a sweep as a grid: keys that vary together are one dimension of it.

use super::{Summary, number::readable};

/// Swept keys that vary together, and the values they take.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bundle {
    /// Paths.
    pub keys: Vec<String>,
    /// What the keys are, one value for each, in rising order where the first key's are numbers.
    pub levels: Vec<Vec<String>>,
    /// Which level each point has.
    pub of_point: Vec<usize>,
    /// Whether the first key's values are numbers.
    pub ordered: bool,
}

/// The bundles of a sweep; keys with one value all over are none.
pub(crate) fn bundles(summaries: &[Summary]) -> Vec<Bundle> {
    let Some(first) = summaries.first() else { return Vec::new() };
    let mut bundles: Vec<Bundle> = Vec::new();
    for (key, _) in &first.values {
        let value = |summary: &Summary| {
            let found = summary.values.iter().find(|(other, _)| other == key);
            found.map(|(_, value)| value.trim_matches('"').to_string()).unwrap_or_default()
        };
        let mut levels: Vec<String> = Vec::new();
        for summary in summaries {
            let value = value(summary);
            if !levels.contains(&value) {
                levels.push(value);
            }
        }
        if levels.len() < 2 {
            continue;
        }
        let number = |level: &String| level.parse::<f64>().ok();
        let ordered = levels.iter().all(|level| number(level).is_some_and(f64::is_finite));
        if ordered {
            levels.sort_by(|a, b| number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)));
        }
        let at = |summary: &Summary| levels.iter().position(|level| *level == value(summary)).unwrap_or(0);
        let of_point: Vec<usize> = summaries.iter().map(at).collect();
        let together = bundles.iter_mut().find(|bundle| {
            bundle.levels.len() == levels.len()
                && bundle.of_point.iter().enumerate().all(|(i, level)| {
                    let same = |j: usize| (bundle.of_point[j] == *level) == (of_point[j] == of_point[i]);
                    (0..of_point.len()).all(same)
                })
        });
        match together {
            Some(bundle) => {
                for (point, level) in bundle.of_point.iter().enumerate() {
                    if bundle.levels[*level].len() == bundle.keys.len() {
                        bundle.levels[*level].push(levels[of_point[point]].clone());
                    }
                }
                bundle.keys.push(key.clone());
            }
            None => bundles.push(Bundle {
                keys: vec![key.clone()],
                levels: levels.into_iter().map(|level| vec![level]).collect(),
                of_point,
                ordered,
            }),
        }
    }
    bundles
}

impl Bundle {
    /// `d = 1000, p = 4`.
    pub fn words(&self, level: usize) -> String {
        let words = self
            .keys
            .iter()
            .zip(&self.levels[level])
            .map(|(key, value)| format!("{} = {}", symbol(key), readable(value)));
        words.collect::<Vec<_>>().join(", ")
    }

    /// The values of one of its keys, level by level.
    pub fn of_key(&self, key: &str) -> Vec<String> {
        let index = self.keys.iter().position(|other| other == key).unwrap_or(0);
        self.levels.iter().map(|level| level[index].clone()).collect()
    }
}

/// The symbol of the theory page, or the key's last word.
pub(crate) fn symbol(key: &str) -> &str {
    match key {
        "training.dimension" => "d",
        "network.width" => "p",
        "target.noise" => "Δ",
        "training.learning_rate" => "η",
        "training.batch" => "n_{b}",
        "training.samples" => "n",
        _ => key.rsplit('.').next().unwrap_or(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(values: &[(&str, &str)]) -> Summary {
        Summary {
            values: values.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
            views: Vec::new(),
        }
    }

    #[test]
    fn keys_that_vary_together_are_one_dimension() {
        let mut points = Vec::new();
        for (epsilon, m) in [("1e-2", "60"), ("1e-4", "240"), ("1e-6", "800")] {
            for data in ["\"fresh\"", "\"reused\""] {
                points.push(summary(&[
                    ("constants.epsilon", epsilon),
                    ("network.width", m),
                    ("training.data", data),
                    ("target.noise", "0"),
                ]));
            }
        }
        let found = bundles(&points);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].keys, ["constants.epsilon", "network.width"]);
        assert_eq!(found[0].words(0), "epsilon = 10⁻⁶, p = 800");
        assert_eq!(found[0].of_point, [2, 2, 1, 1, 0, 0]);
        assert_eq!(found[0].of_key("network.width"), ["800", "240", "60"]);
        assert!(found[0].ordered && !found[1].ordered);
        assert_eq!(found[1].words(1), "data = reused");
    }
}
