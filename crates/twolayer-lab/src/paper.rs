//! η, t and risk of an experiment in the letters of the papers. (theory.md §1)

use twolayer::problem::{Algorithm, Problem};

/// A paper whose letters are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paper {
    /// arXiv 2402.03220: weights times √d, gradient of the sum over the batch, s = 1.
    A,
    /// arXiv 2305.18270: unit weights, mean gradient, s = 1/√p.
    B,
    /// arXiv 2303.00055: unit sphere, gradient flow, s = 1/m.
    C,
    /// arXiv 2302.05882: weights times √d, batch 1, s = 1/p.
    D,
}

/// The experiment in the letters of `paper`, one line each; what does not fit its conventions is said.
pub fn translate(problem: &Problem, paper: Paper) -> Vec<String> {
    let flow = problem.training.algorithm == Algorithm::GradientFlow;
    let d = problem.dimension().map_or(f64::NAN, |d| d as f64);
    let (p, n_b, s) = (problem.width() as f64, problem.batch() as f64, problem.output_scale());
    let (rate, time, noise) = (problem.learning_rate(), problem.time(), problem.target.noise);
    let mut lines = Vec::new();
    let mut scale = |expected: f64, formula: &str| {
        if (s / expected - 1.0).abs() > 1e-9 {
            lines.push(format!("output scale s = {}, where the paper has s = {formula}", short(s)));
        }
    };
    match paper {
        Paper::A => {
            scale(1.0, "1");
            lines.push(format!(
                "η_A = η d/n_b = {} (gradient of the sum over the batch, weights times √d)",
                short(rate * d / n_b)
            ));
            lines.push(format!("λ_A = λ_w η/η_A = {}", short(problem.training.weight_decay * n_b / d)));
            lines.push("time: steps".into());
            lines.push("risk: R".into());
        }
        Paper::B => {
            scale(1.0 / p.sqrt(), "1/√p");
            lines.push(format!("η_B = η = {}", short(rate)));
            lines.push("time: steps".into());
            lines.push("risk: E(f − g)² = 2R".into());
        }
        Paper::C => {
            scale(1.0 / p, "1/m");
            let epsilon = 1.0 / problem.rate_ratio();
            lines.push(format!("m = {p}, ε = η/η_a = {}", short(epsilon)));
            lines.push(format!("t = {} (gradient flow; ours, νηs)", short(time)));
            lines.push("risk: R".into());
        }
        Paper::D => {
            scale(1.0 / p, "1/p");
            let gamma = rate * d;
            lines.push(format!("γ = η d = {}, γ/p = {}", short(gamma), short(gamma / p)));
            lines.push(format!("t = ν γ/(p d) = {} (ours, νηs)", short(time)));
            lines.push(format!("risk: R + Δ/2, Δ/2 = {}", short(noise / 2.0)));
        }
    }
    if flow && paper != Paper::C {
        lines.push("a gradient flow has no η: letters that need one are NaN".into());
    }
    lines
}

/// Six significant digits.
fn short(value: f64) -> String {
    format!("{value:.5e}").parse::<f64>().unwrap_or(value).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use twolayer_file::parse;

    fn lines(training: &str, network: &str, paper: Paper) -> Vec<String> {
        let text = format!(
            "[target]\ncommittee = {{ units = 2, activation = \"erf\" }}\nnoise = 0.02\n[network]\nwidth = 4\n\
             activation = \"erf\"\n{network}\n[training]\n{training}\n[[view]]\nengine = \"reduced\"\n"
        );
        let experiment = parse(&text, Path::new("test.toml")).unwrap();
        translate(&experiment.views[0].problem, paper)
    }

    /// theory.md §1: γ = η d, t = νγ/(pd); η = η_A n_b/d.
    #[test]
    fn letters_are_those_of_the_table() {
        let d = lines("dimension = 1000\nlearning_rate = \"0.5/d\"\ntime = 3", "", Paper::D);
        assert_eq!(d[0], "γ = η d = 0.5, γ/p = 0.125");
        assert_eq!(d[1], "t = ν γ/(p d) = 3 (ours, νηs)");
        assert_eq!(d[2], "risk: R + Δ/2, Δ/2 = 0.01");
        let full =
            "dimension = 1000\ndata = \"reused\"\nsamples = \"3*d\"\nbatch = \"n\"\nlearning_rate = 0.6\nsteps = 6";
        let a = lines(full, "output_scale = 1", Paper::A);
        assert!(a[0].starts_with("η_A = η d/n_b = 0.2 "), "{a:?}");
        let b = lines("dimension = 1000\nlearning_rate = 2\nbatch = \"d\"\nsteps = 2", "", Paper::B);
        assert_eq!(b[0], "output scale s = 0.25, where the paper has s = 1/√p");
    }
}
