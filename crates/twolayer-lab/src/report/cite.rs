//! BibTeX of the papers that experiments come from.

/// The entry of an arXiv number: complete for papers A–D of the theory page, else just the number.
pub fn bibtex(arxiv: &str) -> String {
    let known = match arxiv {
        "2402.03220" => Some((
            "dandi2024benefits",
            "Dandi, Yatin and Troiani, Emanuele and Arnaboldi, Luca and Pesce, Luca and Zdeborová, Lenka and Krzakala, Florent",
            "The Benefits of Reusing Batches for Gradient Descent in Two-Layer Networks",
            "2024",
        )),
        "2305.18270" => Some((
            "dandi2023how",
            "Dandi, Yatin and Krzakala, Florent and Loureiro, Bruno and Pesce, Luca and Stephan, Ludovic",
            "How Two-Layer Neural Networks Learn, One (Giant) Step at a Time",
            "2023",
        )),
        "2303.00055" => Some((
            "berthier2023learning",
            "Berthier, Raphaël and Montanari, Andrea and Zhou, Kangjie",
            "Learning time-scales in two-layers neural networks",
            "2023",
        )),
        "2302.05882" => Some((
            "arnaboldi2023high",
            "Arnaboldi, Luca and Stephan, Ludovic and Krzakala, Florent and Loureiro, Bruno",
            "From high-dimensional \\& mean-field dynamics to dimensionless ODEs",
            "2023",
        )),
        _ => None,
    };
    let eprint =
        format!("  eprint = {{{arxiv}}},\n  archivePrefix = {{arXiv}},\n  url = {{https://arxiv.org/abs/{arxiv}}}");
    match known {
        Some((key, authors, title, year)) => format!(
            "@misc{{{key},\n  author = {{{authors}}},\n  title = {{{{{title}}}}},\n  year = {{{year}}},\n{eprint}\n}}\n"
        ),
        None => format!("@misc{{arxiv{},\n{eprint}\n}}\n", arxiv.replace(['.', '/'], "-")),
    }
}
