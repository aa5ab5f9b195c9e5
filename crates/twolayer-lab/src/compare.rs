//! Agreement of the views of one experiment, pair by pair.

use twolayer::agree::{Agreement, pair};
use twolayer_file::experiment::NamedView;
use twolayer_view::same_problem;

use crate::outcome::Outcome;

/// Compares every pair of views of the same problem that has times in common, in the order of the file.
pub fn compare(views: &[NamedView], outcomes: &[Outcome]) -> Vec<Agreement> {
    let all: Vec<(&NamedView, &Outcome)> = views.iter().zip(outcomes).collect();
    let mut agreements = Vec::new();
    for (i, (first, a)) in all.iter().enumerate() {
        for (second, b) in &all[i + 1..] {
            if same_problem(first, second) {
                agreements.extend(pair([&first.name, &second.name], &a.trajectories, &b.trajectories));
            }
        }
    }
    agreements
}

#[cfg(test)]
mod tests {
    use twolayer::problem::Engine;

    use super::*;
    use crate::fabricated::{self, Sizes};

    const SIZES: Sizes = Sizes { p: 2, k: 2 };

    #[test]
    fn only_views_of_the_same_problem_are_compared() {
        let times = fabricated::log_times(25, 0.01, 10.0);
        let view = |name, engine, key: &str, value: &str| {
            let mut view = fabricated::view(name, engine, SIZES, 1000);
            if !key.is_empty() {
                view.overrides.push((key.into(), value.into()));
            }
            view
        };
        let views = [
            view("limit", Engine::Limit, "", ""),
            view("fresh", Engine::Limit, "training.data", "\"fresh\""),
            view("reduced", Engine::Reduced, "training.dimension", "1000"),
        ];
        let outcomes = [
            fabricated::limit(SIZES, &times, 1e-6),
            fabricated::limit(SIZES, &times, 1e-6),
            fabricated::simulation(SIZES, &times, 16, 0.1, 5),
        ];
        let agreements = compare(&views, &outcomes);
        assert_eq!(agreements.len(), 1);
        assert_eq!(agreements[0].views, ["limit", "reduced"]);
    }
}
