//! A drawing of panels, curves and dots as SVG, PNG and PDF. What is drawn ([`Drawing`]) stands apart from how
//! ([`svg`], [`png`], [`pdf`]), and knows nothing of where the numbers come from.
//!
//! The same drawing gives the same bytes on every machine: the font travels with it.
//!
//! ```
//! use twolayer_plot::{AxisOf, Block, Dash, Drawing, Mark, Panel, Scale, Style, svg};
//!
//! let points = (1..=100).map(|t| (f64::from(t), (-0.1 * f64::from(t)).exp())).collect();
//! let panel = Panel {
//!     title: "A decay".into(),
//!     x: AxisOf::new("time  t", Scale::Linear, (0.0, 100.0)),
//!     y: AxisOf::new("risk", Scale::Log, (1e-5, 1.0)),
//!     square: false,
//!     marks: vec![Mark::Line { points, style: Style::line(0, Dash::Solid) }],
//! };
//! let block = Block { legend: Vec::new(), panels: vec![panel], columns: 1, remark: String::new() };
//! let drawing = Drawing { title: "One curve".into(), blocks: vec![block], small_print: Vec::new() };
//! assert!(svg(&drawing).starts_with("<svg"));
//! ```

mod drawing;
mod font;
mod layout;
pub mod number;
#[cfg(feature = "pdf")]
mod pdf;
#[cfg(feature = "png")]
mod png;
mod style;
mod svg;
mod ticks;
#[cfg(any(feature = "png", feature = "pdf"))]
mod tree;

pub use drawing::{AxisOf, Block, Dot, Drawing, Key, Mark, Panel, Sample, Scale};
#[cfg(feature = "pdf")]
pub use pdf::pdf;
#[cfg(feature = "png")]
pub use png::png;
pub use style::{Dash, Marker, PALETTE, RAMP, Style};
pub use svg::{escape, svg};

#[cfg(test)]
mod tests;
