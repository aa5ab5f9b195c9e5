//! The papers that methods and experiments come from, and their BibTeX.

/// Where a paper stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Its arXiv number.
    Arxiv(&'static str),
    /// A journal.
    Journal {
        /// Its name.
        name: &'static str,
        /// The volume.
        volume: &'static str,
        /// The number, where it has one.
        number: Option<&'static str>,
        /// First and last page, `4225--4243`.
        pages: &'static str,
    },
}

/// One paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Citation {
    /// Its BibTeX key.
    pub key: &'static str,
    /// Authors, in BibTeX's form.
    pub authors: &'static str,
    /// Title, in TeX.
    pub title: &'static str,
    /// Year.
    pub year: &'static str,
    /// Where it stands.
    pub source: Source,
}

/// Paper A: reused batches.
pub const DANDI_2024: Citation = Citation {
    key: "dandi2024benefits",
    authors: "Dandi, Yatin and Troiani, Emanuele and Arnaboldi, Luca and Pesce, Luca and Zdeborová, Lenka and Krzakala, Florent",
    title: "The Benefits of Reusing Batches for Gradient Descent in Two-Layer Networks",
    year: "2024",
    source: Source::Arxiv("2402.03220"),
};

/// Paper B: giant steps.
pub const DANDI_2023: Citation = Citation {
    key: "dandi2023how",
    authors: "Dandi, Yatin and Krzakala, Florent and Loureiro, Bruno and Pesce, Luca and Stephan, Ludovic",
    title: "How Two-Layer Neural Networks Learn, One (Giant) Step at a Time",
    year: "2023",
    source: Source::Arxiv("2305.18270"),
};

/// Paper C: time-scales.
pub const BERTHIER_2023: Citation = Citation {
    key: "berthier2023learning",
    authors: "Berthier, Raphaël and Montanari, Andrea and Zhou, Kangjie",
    title: "Learning time-scales in two-layers neural networks",
    year: "2023",
    source: Source::Arxiv("2303.00055"),
};

/// Paper D: one set of ODEs.
pub const ARNABOLDI_2023: Citation = Citation {
    key: "arnaboldi2023high",
    authors: "Arnaboldi, Luca and Stephan, Ludovic and Krzakala, Florent and Loureiro, Bruno",
    title: "From high-dimensional \\& mean-field dynamics to dimensionless ODEs",
    year: "2023",
    source: Source::Arxiv("2302.05882"),
};

/// The online ODEs proved.
pub const GOLDT_2019: Citation = Citation {
    key: "goldt2019dynamics",
    authors: "Goldt, Sebastian and Advani, Madhu S. and Saxe, Andrew M. and Krzakala, Florent and Zdeborová, Lenka",
    title: "Dynamics of stochastic gradient descent for two-layer neural networks in the teacher-student setup",
    year: "2019",
    source: Source::Arxiv("1906.08632"),
};

/// Batches that are looked at twice.
pub const ARNABOLDI_2024: Citation = Citation {
    key: "arnaboldi2024repetita",
    authors: "Arnaboldi, Luca and Dandi, Yatin and Krzakala, Florent and Pesce, Luca and Stephan, Ludovic",
    title: "Repetita Iuvant: Data Repetition Allows SGD to Learn High-Dimensional Multi-Index Functions",
    year: "2024",
    source: Source::Arxiv("2405.15459"),
};

/// Data revealed as they are asked for.
pub const LU_2021: Citation = Citation {
    key: "lu2021householder",
    authors: "Lu, Yue M.",
    title: "Householder Dice: A Matrix-Free Algorithm for Simulating Dynamics on Gaussian and Random Orthogonal Ensembles",
    year: "2021",
    source: Source::Arxiv("2101.07464"),
};

/// The online ODEs found.
pub const SAAD_1995: Citation = Citation {
    key: "saad1995online",
    authors: "Saad, David and Solla, Sara A.",
    title: "On-line learning in soft committee machines",
    year: "1995",
    source: Source::Journal { name: "Physical Review E", volume: "52", number: Some("4"), pages: "4225--4243" },
};

/// Tests by random rotations: what verdicts of agreement rest on.
pub const LANGSRUD_2005: Citation = Citation {
    key: "langsrud2005rotation",
    authors: "Langsrud, {\\O}yvind",
    title: "Rotation tests",
    year: "2005",
    source: Source::Journal { name: "Statistics and Computing", volume: "15", number: None, pages: "53--60" },
};

/// Every paper that the program knows.
pub const ALL: &[Citation] = &[
    DANDI_2024,
    DANDI_2023,
    BERTHIER_2023,
    ARNABOLDI_2023,
    GOLDT_2019,
    ARNABOLDI_2024,
    LU_2021,
    SAAD_1995,
    LANGSRUD_2005,
];

impl Citation {
    /// The paper with this arXiv number, where it is known.
    pub fn of_arxiv(number: &str) -> Option<Self> {
        ALL.iter().find(|paper| matches!(paper.source, Source::Arxiv(known) if known == number)).copied()
    }

    /// Its BibTeX entry, with a line's end.
    pub fn bibtex(&self) -> String {
        let Self { key, authors, title, year, source } = self;
        let about = format!("  author = {{{authors}}},\n  title = {{{{{title}}}}},\n");
        match source {
            Source::Arxiv(number) => format!("@misc{{{key},\n{about}  year = {{{year}}},\n{}\n}}\n", eprint(number)),
            Source::Journal { name, volume, number, pages } => {
                let number = number.map(|number| format!("  number = {{{number}}},\n")).unwrap_or_default();
                format!(
                    "@article{{{key},\n{about}  journal = {{{name}}},\n  volume = {{{volume}}},\n{number}  pages = {{{pages}}},\n  \
                     year = {{{year}}}\n}}\n"
                )
            }
        }
    }
}

/// The BibTeX entry of an arXiv number: complete for the papers that are known, else just the number.
pub fn bibtex_of_arxiv(number: &str) -> String {
    match Citation::of_arxiv(number) {
        Some(paper) => paper.bibtex(),
        None => format!("@misc{{arxiv{},\n{}\n}}\n", number.replace(['.', '/'], "-"), eprint(number)),
    }
}

fn eprint(number: &str) -> String {
    format!("  eprint = {{{number}}},\n  archivePrefix = {{arXiv}},\n  url = {{https://arxiv.org/abs/{number}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_those_that_bibtex_reads() {
        assert_eq!(
            LU_2021.bibtex(),
            "@misc{lu2021householder,\n  author = {Lu, Yue M.},\n  title = {{Householder Dice: A Matrix-Free Algorithm for \
             Simulating Dynamics on Gaussian and Random Orthogonal Ensembles}},\n  year = {2021},\n  eprint = {2101.07464},\n  \
             archivePrefix = {arXiv},\n  url = {https://arxiv.org/abs/2101.07464}\n}\n"
        );
        assert_eq!(
            SAAD_1995.bibtex(),
            "@article{saad1995online,\n  author = {Saad, David and Solla, Sara A.},\n  title = {{On-line learning in soft \
             committee machines}},\n  journal = {Physical Review E},\n  volume = {52},\n  number = {4},\n  \
             pages = {4225--4243},\n  year = {1995}\n}\n"
        );
        assert_eq!(
            LANGSRUD_2005.bibtex(),
            "@article{langsrud2005rotation,\n  author = {Langsrud, {\\O}yvind},\n  title = {{Rotation tests}},\n  \
             journal = {Statistics and Computing},\n  volume = {15},\n  pages = {53--60},\n  year = {2005}\n}\n"
        );
        assert_eq!(
            bibtex_of_arxiv("2001.00001"),
            "@misc{arxiv2001-00001,\n  eprint = {2001.00001},\n  archivePrefix = {arXiv},\n  \
             url = {https://arxiv.org/abs/2001.00001}\n}\n"
        );
    }

    #[test]
    fn keys_are_unique() {
        for (i, paper) in ALL.iter().enumerate() {
            assert!(ALL[..i].iter().all(|other| other.key != paper.key), "{}", paper.key);
        }
    }
}
