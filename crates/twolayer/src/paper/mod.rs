//! The papers that the program was built for: the letters that each uses, what they predict, and their BibTeX.

mod a;
mod b;
mod c;
mod d;
mod letters;
pub mod prediction;

use crate::{citation::Citation, problem::Problem};

/// One paper.
#[derive(Debug, Clone, Copy)]
pub struct Paper {
    /// What docs and commands call it.
    pub letter: char,
    /// The paper itself.
    pub citation: Citation,
    /// η, t and risk of a problem in its letters, one line each; what does not fit its conventions is said. (theory.md §1)
    pub letters: fn(&Problem) -> Vec<String>,
}

/// All of them.
pub static PAPERS: &[Paper] = &[a::PAPER, b::PAPER, c::PAPER, d::PAPER];

/// The paper of a letter, whatever its case.
pub fn of_letter(letter: char) -> Option<&'static Paper> {
    PAPERS.iter().find(|paper| paper.letter.eq_ignore_ascii_case(&letter))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::problem::{Activation, Algorithm, Data, Duration, Formula, Network, Rule, Target, Training};

    /// p = 4, k = 2, Δ = 0.02, d = 1000; s = 1/p.
    fn problem(rate: &str, duration: Duration, change: impl FnOnce(&mut Network, &mut Training)) -> Problem {
        let mut target = Target::new(Rule::committee(Activation::Erf, 2, 0.5));
        target.noise = 0.02;
        let (mut network, mut training) =
            (Network::new(4, Activation::Erf), Training::new(1000, formula(rate), duration));
        network.output_scale = formula("1/p");
        change(&mut network, &mut training);
        Problem::new(target, network, training).unwrap()
    }

    fn formula(text: &str) -> Formula {
        Formula::parse(text, &BTreeMap::new()).unwrap()
    }

    fn lines(letter: char, problem: &Problem) -> Vec<String> {
        (of_letter(letter).unwrap().letters)(problem)
    }

    /// theory.md §1: η = η_A n_b/d, λ_w η = η_A λ.
    #[test]
    fn reused_batches_in_the_letters_of_a() {
        let full = problem("0.6", Duration::Steps(formula("6")), |network, training| {
            network.output_scale = formula("1");
            training.data = Data::Reused;
            training.samples = Some(formula("3*d"));
            training.batch = formula("n");
            training.weight_decay = 0.3;
        });
        let expected = [
            "η_A = η d/n_b = 0.2 (gradient of the sum over the batch, weights times √d)",
            "λ_A = λ_w η/η_A = 0.9",
            "time: steps",
            "risk: R",
        ];
        assert_eq!(lines('A', &full), expected);
    }

    #[test]
    fn giant_steps_in_the_letters_of_b() {
        let giant = problem("2", Duration::Steps(formula("2")), |_, training| training.batch = formula("d"));
        let expected = [
            "output scale s = 0.25, where the paper has s = 1/√p",
            "η_B = η = 2",
            "time: steps",
            "risk: E(f − g)² = 2R",
        ];
        assert_eq!(lines('B', &giant), expected);
    }

    /// dw = m dt, da = (m/ε) dt.
    #[test]
    fn a_flow_in_the_letters_of_c() {
        let flow = problem("1", Duration::Time(formula("3")), |network, training| {
            training.algorithm = Algorithm::GradientFlow;
            training.learning_rate = None;
            network.second_layer.train = true;
            network.second_layer.rate_ratio = formula("1000");
        });
        let expected = ["m = 4, ε = η/η_a = 0.001", "t = 3 (gradient flow; ours, νηs)", "risk: R"];
        assert_eq!(lines('C', &flow), expected);
        assert_eq!(lines('B', &flow).last().unwrap(), "a gradient flow has no η: letters that need one are NaN");
    }

    /// γ = η d, t = νγ/(pd).
    #[test]
    fn one_pass_in_the_letters_of_d() {
        let online = problem("0.5/d", Duration::Time(formula("3")), |_, _| {});
        let expected = ["γ = η d = 0.5, γ/p = 0.125", "t = ν γ/(p d) = 3 (ours, νηs)", "risk: R + Δ/2, Δ/2 = 0.01"];
        assert_eq!(lines('d', &online), expected);
    }

    #[test]
    fn letters_stand_for_their_papers() {
        let listed: Vec<_> = PAPERS.iter().map(|paper| (paper.letter, paper.citation.key)).collect();
        let expected = [
            ('A', "dandi2024benefits"),
            ('B', "dandi2023how"),
            ('C', "berthier2023learning"),
            ('D', "arnaboldi2023high"),
        ];
        assert_eq!(listed, expected);
        assert!(of_letter('E').is_none());
    }
}
