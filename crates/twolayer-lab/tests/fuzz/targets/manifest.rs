//! Manifests: as bytes, and as JSON of which a member is another, with the hash that fits or of the time before hashes.

use twolayer_lab::{results, store::Manifest};

use super::{Target, reading};
use crate::{
    bench::{Bench, sealed, unsealed},
    dice::Dice,
    mutate,
};

pub const TARGET: Target = Target { name: "manifest", share: 25_000, short: 400, seconds: 2.0, input, check };

fn input(dice: &mut Dice, bench: &Bench) -> Vec<u8> {
    if dice.one_in(4) {
        let mut bytes = sealed(&bench.manifest);
        mutate::bytes(dice, &mut bytes);
        return bytes;
    }
    let mut value = if dice.one_in(2) { unsealed(&bench.manifest) } else { bench.manifest.clone() };
    let old = value.get("files").is_none();
    mutate::json(dice, &mut value);
    if old { value.to_string().into_bytes() } else { sealed(&value) }
}

fn check(input: &[u8], bench: &Bench) -> Result<(), String> {
    let out = bench.lay_out(input);
    let names = Manifest::read(&out).map(|manifest| manifest.names()).unwrap_or_default();
    if let Some(elsewhere) = names.iter().find(|name| name.contains(['/', '\\'])) {
        return Err(format!("it lists {elsewhere}, which is elsewhere"));
    }
    let _ = results::points(&out);
    let _ = results::without_hashes(&out);
    reading::read(&out, reading::one_in(8, input));
    Ok(())
}
