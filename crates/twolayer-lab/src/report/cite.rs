//! BibTeX of the papers that experiments come from, and of the methods that runs use.
use twolayer_file::experiment::Experiment;

/// arXiv number, key, authors, title, year.
const PAPERS: &[[&str; 5]] = &[
    [
        "2402.03220",
        "dandi2024benefits",
        "Dandi, Yatin and Troiani, Emanuele and Arnaboldi, Luca and Pesce, Luca and Zdeborová, Lenka and Krzakala, Florent",
        "The Benefits of Reusing Batches for Gradient Descent in Two-Layer Networks",
        "2024",
    ],
    [
        "2305.18270",
        "dandi2023how",
        "Dandi, Yatin and Krzakala, Florent and Loureiro, Bruno and Pesce, Luca and Stephan, Ludovic",
        "How Two-Layer Neural Networks Learn, One (Giant) Step at a Time",
        "2023",
    ],
    [
        "2303.00055",
        "berthier2023learning",
        "Berthier, Raphaël and Montanari, Andrea and Zhou, Kangjie",
        "Learning time-scales in two-layers neural networks",
        "2023",
    ],
    [
        "2302.05882",
        "arnaboldi2023high",
        "Arnaboldi, Luca and Stephan, Ludovic and Krzakala, Florent and Loureiro, Bruno",
        "From high-dimensional \\& mean-field dynamics to dimensionless ODEs",
        "2023",
    ],
    [
        "1906.08632",
        "goldt2019dynamics",
        "Goldt, Sebastian and Advani, Madhu S. and Saxe, Andrew M. and Krzakala, Florent and Zdeborová, Lenka",
        "Dynamics of stochastic gradient descent for two-layer neural networks in the teacher-student setup",
        "2019",
    ],
    [
        "2405.15459",
        "arnaboldi2024repetita",
        "Arnaboldi, Luca and Dandi, Yatin and Krzakala, Florent and Pesce, Luca and Stephan, Ludovic",
        "Repetita Iuvant: Data Repetition Allows SGD to Learn High-Dimensional Multi-Index Functions",
        "2024",
    ],
    [
        "2101.07464",
        "lu2021householder",
        "Lu, Yue M.",
        "Householder Dice: A Matrix-Free Algorithm for Simulating Dynamics on Gaussian and Random Orthogonal Ensembles",
        "2021",
    ],
];

const SAAD_SOLLA: &str = "@article{saad1995online,
  author = {Saad, David and Solla, Sara A.},
  title = {{On-line learning in soft committee machines}},
  journal = {Physical Review E},
  volume = {52},
  number = {4},
  pages = {4225--4243},
  year = {1995}
}
";

const ROTATIONS: &str = "@article{langsrud2005rotation,
  author = {Langsrud, {\\O}yvind},
  title = {{Rotation tests}},
  journal = {Statistics and Computing},
  volume = {15},
  pages = {53--60},
  year = {2005}
}
";

/// The entry of an arXiv number: complete for papers that the theory page builds on, else just the number.
pub fn bibtex(arxiv: &str) -> String {
    let eprint =
        format!("  eprint = {{{arxiv}}},\n  archivePrefix = {{arXiv}},\n  url = {{https://arxiv.org/abs/{arxiv}}}");
    match PAPERS.iter().find(|paper| paper[0] == arxiv) {
        Some([_, key, authors, title, year]) => format!(
            "@misc{{{key},\n  author = {{{authors}}},\n  title = {{{{{title}}}}},\n  year = {{{year}}},\n{eprint}\n}}\n"
        ),
        None => format!("@misc{{arxiv{},\n{eprint}\n}}\n", arxiv.replace(['.', '/'], "-")),
    }
}

/// Everything a run should cite, each once: the papers of `cite`, those of the `methods` that ran (as outcomes name them),
/// the test behind its verdicts, and the program.
pub fn citations(experiment: &Experiment, methods: &[&str], version: &str) -> Vec<String> {
    let mut entries: Vec<String> = experiment.cite.iter().map(|arxiv| bibtex(arxiv)).collect();
    for method in methods {
        match method.split([',', ' ']).next().unwrap_or_default() {
            "ode" => entries.extend([SAAD_SOLLA.into(), bibtex("1906.08632")]),
            "giant-step" | "giant" => entries.push(bibtex("2305.18270")),
            "dmft" => entries.push(bibtex("2402.03220")),
            "mean-field" => entries.push(bibtex("2302.05882")),
            "single-index" | "single-index-finite" => entries.push(bibtex("2303.00055")),
            "reduced" if method.contains("reused") => entries.push(bibtex("2101.07464")),
            _ => {}
        }
    }
    if methods.len() > 1 {
        entries.push(ROTATIONS.into());
    }
    entries.push(format!(
        "@software{{twolayer,\n  title = {{twolayer}},\n  version = {{{version}}},\n  url = {{{}}}\n}}\n",
        env!("CARGO_PKG_REPOSITORY")
    ));
    let mut seen: Vec<String> = Vec::new();
    entries.into_iter().for_each(|entry| {
        if !seen.contains(&entry) {
            seen.push(entry)
        }
    });
    seen
}
