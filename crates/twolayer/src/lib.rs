//! Two-layer networks on high-dimensional Gaussian data: simulations, simulations that are exact in law at any
//! dimension, and the limits `d → ∞`, of ONE [`Problem`].
//!
//! # From a problem to its answer
//!
//! A [`Problem`] is a target, a network and a way of training. A [`View`] says how to look at it: a limit, reduced simulations
//! in overlaps, or direct ones with all the weights. What comes out is the same for all: [trajectories](Trajectory).
//!
//! ```
//! use twolayer::{Problem, View};
//!
//! # fn main() -> twolayer::Result<()> {
//! let problem = Problem::builder()
//!     .target("erf(z1/sqrt(2))")
//!     .network(2, "erf")
//!     .dimension(1000)
//!     .learning_rate("1/d")
//!     .time(5)
//!     .build()?;
//! let limit = problem.view(View::limit())?.run()?.remove(0);
//! assert!(limit.risk()[limit.len() - 1] < 0.5 * limit.risk()[0]);
//! # Ok(())
//! # }
//! ```
//!
//! Which limit that is follows from how learning rate and batch scale with d, and the [plan](method::Plan) says why; what no
//! method treats is refused, with the remedy.
//!
//! ```
//! use twolayer::{Problem, View};
//!
//! # fn main() -> twolayer::Result<()> {
//! let giant = Problem::builder().target("z1 + z1^2").network(4, "relu").dimension(400);
//! let problem = giant.batch("4*d").learning_rate("p").steps(2).build()?;
//! assert_eq!(problem.view(View::limit())?.plan().id(), "giant-step");
//! let refused = problem.with(|parts| parts.training.repeats = 2)?;
//! let why = refused.view(View::limit()).unwrap_err().to_string();
//! assert!(why.contains("looked at twice") && why.contains("reduced view"));
//! # Ok(())
//! # }
//! ```
//!
//! # Theory beside simulation
//!
//! Views of one problem have their moments in common, so that [`agree::pair`] can ask whether they are one law.
//!
//! ```
//! use twolayer::{Problem, View, agree, agree::Verdict, problem::Record};
//!
//! # fn main() -> twolayer::Result<()> {
//! let problem = Problem::builder()
//!     .target("tanh(z1)")
//!     .network(2, "tanh")
//!     .dimension(2000)
//!     .learning_rate("0.5/d")
//!     .time(2)
//!     .build()?;
//! let record = Record { points: 20, ..Record::default() };
//! let run = |view| problem.view_recording(view, record.clone())?.run();
//! let (limit, reduced) = (run(View::limit())?, run(View::reduced().replicates(8))?);
//! let agreement = agree::pair(["limit", "reduced"], &limit, &reduced);
//! assert_eq!(agreement.map(|found| found.verdict), Some(Verdict::Agree));
//! # Ok(())
//! # }
//! ```
//!
//! # To a figure
//!
//! Every recorded array is a line of the table [`OBSERVABLES`](record::OBSERVABLES), and a column of the trajectory. Numbers
//! are drawn by the crate `twolayer-plot`, or by whatever else draws.
//!
//! ```
//! use twolayer::{Problem, View, record::observable::{STUDENT_TEACHER, TIME}};
//! use twolayer_plot::{AxisOf, Block, Dash, Drawing, Mark, Panel, Scale, Style, svg};
//!
//! # fn main() -> twolayer::Result<()> {
//! let problem =
//!     Problem::builder().target("he2(z1)").network(1, "relu").dimension(500).learning_rate("1/d").time(4).build()?;
//! let run = problem.view(View::limit())?.run()?.remove(0);
//! // M of the one neuron and the one direction, against time.
//! let points = run.of(&TIME).iter().copied().zip(run.of(&STUDENT_TEACHER).iter().copied()).collect();
//! let panel = Panel {
//!     title: "One neuron".into(),
//!     x: AxisOf::new("time t", Scale::Linear, (0.0, 4.0)),
//!     y: AxisOf::new("overlap", Scale::Linear, (-1.0, 1.0)),
//!     square: false,
//!     marks: vec![Mark::Line { points, style: Style::line(0, Dash::Solid) }],
//! };
//! let block = Block { legend: Vec::new(), panels: vec![panel], columns: 1, remark: String::new() };
//! assert!(svg(&Drawing { title: String::new(), blocks: vec![block], small_print: Vec::new() }).starts_with("<svg"));
//! # Ok(())
//! # }
//! ```
//!
//! # What a target hides
//!
//! ```
//! use twolayer::{hierarchy::Analysis, problem::Target};
//!
//! # fn main() -> twolayer::Result<()> {
//! // One pass waits for degree 3; whoever looks at a batch twice learns it at once.
//! let analysis = Analysis::of(&Target::try_from("he3(z1)")?, None)?;
//! assert_eq!((analysis.fresh.exponent(), analysis.label_aware.exponent()), (Some(3), Some(1)));
//! # Ok(())
//! # }
//! ```
//!
//! More are in `examples/`: one for each of the papers that the crate was built for, a new target, a new activation.
//!
//! # The rooms
//!
//! Ground floor first; a file imports only from floors below its own:
//!
//! 1. [`citation`], [`error`], `lanes`, [`observer`], [`random`]
//! 2. [`expression`], `gaussian`, `solve`, [`overlaps`]
//! 3. [`problem`], [`record`]
//! 4. [`average`], [`hierarchy`], `signal`
//! 5. `frame`, `probe`, [`readout`]
//! 6. `simulate`, [`method`]
//! 7. [`agree`], [`paper`]
//!
//! Beside them, [`testing`]: what tests share.

pub mod agree;
pub mod average;
pub mod citation;
pub mod error;
pub mod expression;
#[doc(hidden)]
pub mod frame;
#[doc(hidden)]
pub mod gaussian;
pub mod hierarchy;
mod lanes;
pub mod method;
pub mod observer;
pub mod overlaps;
pub mod paper;
#[doc(hidden)]
pub mod probe;
pub mod problem;
pub mod random;
pub mod readout;
pub mod record;
#[doc(hidden)]
pub mod signal;
#[doc(hidden)]
pub mod simulate;
#[doc(hidden)]
pub mod solve;
pub mod testing;

pub use error::{Advice, Error, Result};
pub use problem::{Activation, Formula, Network, Problem, Rule, Target, Training, View};
pub use record::Trajectory;
