//! The experiment file: TOML in; problems and views out, and a diagnostic with its place and remedy for every slip.
//!
//! ```text
//! experiment.toml ─text─▶ Spec ─resolve─▶ Experiment: a Problem and a View for each [[view]]
//! ```
//!
//! A [`Study`] is a file with what the command line changes; each of its points is an [`Experiment`]. Nothing here touches
//! a file system: what is read comes through a [`Loader`].
//!
//! ```
//! use std::path::Path;
//!
//! let text = r#"
//!     [target]
//!     expression = "tanh(z1)"
//!     [network]
//!     width = 2
//!     activation = "erf"
//!     [training]
//!     dimension = 1000
//!     learning_rate = "0.5/d"
//!     time = 10
//! "#;
//! let experiment = twolayer_file::parse(text, Path::new("short.toml")).unwrap();
//! assert_eq!(experiment.views.iter().map(|view| &view.name[..]).collect::<Vec<_>>(), ["limit", "reduced", "direct"]);
//! assert_eq!(experiment.views[0].problem.sizes().d, 1000.0);
//!
//! let faults = twolayer_file::parse(&text.replace("width", "widht"), Path::new("short.toml")).unwrap_err();
//! assert_eq!((faults[0].line, &faults[0].remedy[..]), (5, "did you mean `width`?"));
//! ```

pub mod diagnostic;
pub mod experiment;
pub mod hash;
pub mod loader;
pub mod point;
mod resolve;
pub mod schema;
pub mod study;
pub mod text;

pub use diagnostic::Diagnostic;
pub use experiment::Experiment;
pub use loader::{Loader, Unread};
pub use point::{Point, Request};
pub use study::{Study, parse};
