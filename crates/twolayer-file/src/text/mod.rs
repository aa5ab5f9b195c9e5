//! The experiment file as it is written: a tree in which every key and value knows its place, checked against the
//! table of [`keys`], before anything is worked out.

mod axes;
mod check;
pub mod keys;
pub mod later;
mod overrides;
mod parse;
mod reference;
mod settings;
mod spec;
mod sweep;
pub mod tree;

pub use axes::{Axis, Swept};
pub use check::{complete, nearest, place};
pub use overrides::{Override, overrides};
pub use reference::reference;
pub use settings::with_settings;
pub use spec::Spec;
