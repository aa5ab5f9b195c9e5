//! Experiment files, with what the command line changes, up to the resolved experiment of each point.

use std::path::Path;

use serde_json::json;
use twolayer_file::{Diagnostic, Request, Study};

use super::{Target, text};
use crate::{bench::Bench, dice::Dice, mutate};

pub const TARGET: Target = Target { name: "experiment", share: 600_000, short: 6000, seconds: 2.0, input, check };

const BEFORE: &str = "# request ";
/// Points that are looked at.
const POINTS: usize = 3;

/// A file of the gallery, damaged; what the command line changes is told in its first line.
pub fn input(dice: &mut Dice, bench: &Bench) -> Vec<u8> {
    let (file, donor) = (dice.of(&bench.files), dice.of(&bench.files));
    let mut request = Request::default();
    for _ in 0..if dice.one_in(4) { dice.few(3) } else { 0 } {
        request.settings.push(format!("{}={}", dice.of(&bench.keys), dice.of(&mutate::VALUES)));
    }
    request.quick = dice.one_in(8);
    request.seed = dice.one_in(8).then(|| dice.word());
    if dice.one_in(8) {
        request.only.push(dice.of(&["limit", "reduced", "nobody", ""]).into());
    }
    let mut text = mutate::text(dice, file, donor, &bench.keys).into_bytes();
    if dice.one_in(10) {
        mutate::bytes(dice, &mut text);
    }
    [format!("{BEFORE}{}\n", json!(request)).into_bytes(), text].concat()
}

/// What [`input`] stands for.
pub fn study(input: &[u8]) -> Result<Study, Vec<Diagnostic>> {
    let path = Path::new("mutant.toml");
    let line = input.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let told = line.strip_prefix(BEFORE.as_bytes());
    let request: Request = told.and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default();
    let rest = input[line.len()..].strip_prefix(b"\n").unwrap_or_default();
    Study::read(path, &request, &|_: &Path| Ok(rest.to_vec()))
}

fn check(input: &[u8], _: &Bench) -> Result<(), String> {
    let lines = text(input).matches('\n').count() + 1;
    match study(input) {
        Err(faults) if faults.is_empty() => Err("refused without a reason".into()),
        Err(faults) => {
            for fault in faults {
                let words = fault.to_string();
                if fault.line > lines || !words.contains("help: ") || fault.reason.is_empty() {
                    return Err(format!("a diagnostic without place or remedy: {words}"));
                }
            }
            Ok(())
        }
        Ok(study) => {
            for point in 0..study.points().len().min(POINTS) {
                study.experiment(point).map_err(|faults| format!("read, and then refused: {}", faults[0]))?;
            }
            Ok(())
        }
    }
}
