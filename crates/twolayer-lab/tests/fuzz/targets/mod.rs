//! What is tried: each target makes an input from dice, and looks at what the program does with it. A panic is a fault,
//! and so is whatever breaks a promise.

mod analysis;
mod archive;
mod experiment;
mod expression;
mod manifest;
mod part;
mod plan;
mod reading;

use super::{bench::Bench, dice::Dice};

/// One of them.
pub struct Target {
    pub name: &'static str,
    /// Of a million cases.
    pub share: u64,
    /// Of the short form.
    pub short: u64,
    /// Of the processor, that a case may take.
    pub seconds: f64,
    pub input: fn(&mut Dice, &Bench) -> Vec<u8>,
    /// Which promise was broken, if one was.
    pub check: fn(&[u8], &Bench) -> Result<(), String>,
}

pub static TARGETS: [Target; 7] = [
    experiment::TARGET,
    plan::TARGET,
    expression::TARGET,
    analysis::TARGET,
    part::TARGET,
    manifest::TARGET,
    archive::TARGET,
];

/// Of inputs that are text.
fn text(input: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(input)
}
