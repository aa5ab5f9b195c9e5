//! What the command line changes of an experiment file.

use clap::Args;
use twolayer_file::Request;

/// `--set`, `--only`, `--quick`, `--seed`.
#[derive(Args)]
pub struct Changes {
    /// Give a key another value, by its dotted path: --set training.dimension=500, --set view.replicates=4 (all
    /// simulations), --set view.NAME.seed=1 (one view). A swept key that is set is not swept. The value is TOML; one that
    /// starts like none (0.5/d, relu) is a string.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Keep this view only (may be given several times).
    #[arg(long, value_name = "VIEW")]
    only: Vec<String>,
    /// A first look: a tenth of d (at least p + k; else of the time), n, n_b, replicates and of 100 steps and more. The
    /// figure says so.
    #[arg(long)]
    quick: bool,
    /// Seed of every view, in place of the file's; a shared start keeps its own.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Changes {
    /// As the lab takes it.
    pub fn request(&self) -> Request {
        let Self { settings, only, quick, seed } = self;
        Request { settings: settings.clone(), only: only.clone(), quick: *quick, seed: *seed }
    }

    /// The words of the command line.
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = self.settings.iter().map(|set| format!("--set {}", quote(set))).collect();
        words.extend(self.only.iter().map(|view| format!("--only {}", quote(view))));
        words.extend(self.quick.then(|| "--quick".into()));
        words.extend(self.seed.map(|seed| format!("--seed {seed}")));
        words
    }
}

/// A word as a shell takes it.
pub fn quote(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_alphanumeric() || "/._-=".contains(c));
    if plain { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
