//! Figures: what is drawn ([`Drawing`]), apart from how ([`svg`], [`png`]).
//!
//! One drawing holds all figures of an experiment, one [`Block`] below the other. Limits are lines, simulations are
//! dots with error bars of ± 2 standard errors.

mod axes;
mod curves;
mod direction;
mod font;
mod grid;
mod histogram;
mod layout;
mod scatter;
mod series;
mod style;
mod summary;
mod svg;
pub mod sweep;
mod ticks;
use twolayer_file::experiment::{Axis, Experiment, Quantity, Scale};

use crate::outcome::Outcome;

pub use style::{Dash, Marker, PALETTE, Style};
pub(crate) use svg::escape;
pub use svg::svg;
pub use sweep::{Summary, draw_sweep};

/// A drawing: the title, blocks below each other, small print at the bottom.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// At the top; may be empty.
    pub title: String,
    /// One for each figure that is asked for.
    pub blocks: Vec<Block>,
    /// Lines at the bottom: seed, version.
    pub small_print: Vec<String>,
}

/// One figure: a grid of panels with one legend above them.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Rows of the legend, each wrapped where it is too long.
    pub legend: Vec<Vec<Key>>,
    /// The panels, row by row.
    pub panels: Vec<Panel>,
    /// Panels in a row.
    pub columns: usize,
    /// Said below the panels; empty if there is nothing to say.
    pub remark: String,
}

/// One entry of a legend.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// What it stands for.
    pub label: String,
    /// How that is drawn.
    pub sample: Sample,
    /// Its colour, dash, marker.
    pub style: Style,
}

/// What a legend shows beside a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// A piece of the line.
    Line,
    /// A dot.
    Dot,
    /// A patch of an area.
    Area,
    /// Only words, as the heading of the entries that follow.
    Words,
}

/// A pair of axes and what is drawn between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Above the panel; may be empty.
    pub title: String,
    /// The horizontal axis.
    pub x: AxisOf,
    /// The vertical axis.
    pub y: AxisOf,
    /// One unit is as long on both axes.
    pub square: bool,
    /// In the order in which they are drawn.
    pub marks: Vec<Mark>,
}

/// An axis: what it measures, and the part of it that is seen.
#[derive(Debug, Clone, PartialEq)]
pub struct AxisOf {
    /// Its label.
    pub label: String,
    /// Its scale.
    pub scale: Scale,
    /// The numbers at its ends, rising.
    pub limits: (f64, f64),
    /// What stands at 0, 1, 2 … instead of numbers; usually empty.
    pub names: Vec<String>,
}

impl AxisOf {
    /// An axis with numbers.
    pub fn new(label: impl Into<String>, scale: Scale, limits: (f64, f64)) -> Self {
        Self { label: label.into(), scale, limits, names: Vec::new() }
    }

    /// An axis with names.
    pub fn named(label: impl Into<String>, names: Vec<String>) -> Self {
        let limits = (-0.5, names.len().max(1) as f64 - 0.5);
        Self { label: label.into(), scale: Scale::Linear, limits, names }
    }
}

/// Something drawn between the axes, in data coordinates, cut off at the frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A line through points.
    Line {
        /// (x, y).
        points: Vec<(f64, f64)>,
        /// Colour, dash, width.
        style: Style,
    },
    /// Dots, with error bars where `low < high`.
    Dots {
        /// Positions and error bars.
        points: Vec<Dot>,
        /// Colour, marker.
        style: Style,
    },
    /// Bars from 0 up, the i-th between `edges[i]` and `edges[i + 1]`.
    Bars {
        /// One more than bars, rising.
        edges: Vec<f64>,
        /// One for each bar.
        heights: Vec<f64>,
        /// Colour and opacity of the area, width of the outline.
        style: Style,
    },
    /// The unit circle.
    UnitCircle,
    /// A thin horizontal line at y.
    Level(f64),
}

/// A dot and its error bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// x.
    pub x: f64,
    /// y.
    pub y: f64,
    /// Lower end of the error bar.
    pub low: f64,
    /// Upper end of the error bar.
    pub high: f64,
}

/// All figures of `experiment` but those against a swept key, which are of the sweep ([`draw_sweep`]). `version` is that of
/// the program, for the small print.
pub fn draw(experiment: &Experiment, outcomes: &[Outcome], version: &str) -> Drawing {
    let own = experiment.figures.iter().filter(|figure| !matches!(figure.x, Axis::Swept(_)));
    let blocks = own.flat_map(|figure| match figure.y {
        Quantity::Risk | Quantity::TwiceRisk | Quantity::TrainingRisk => {
            vec![curves::risk(experiment, outcomes, figure)]
        }
        Quantity::Overlap | Quantity::Cosine => curves::overlaps(experiment, outcomes, figure),
        Quantity::Crossing => vec![sweep::crossings(experiment, outcomes, figure)],
        Quantity::Scatter => vec![scatter::scatter(experiment, outcomes, figure)],
        Quantity::Histogram => vec![histogram::histogram(experiment, outcomes, figure)],
    });
    let small_print = small_print(experiment, version);
    Drawing { title: experiment.title.clone(), blocks: blocks.collect(), small_print }
}

/// The settings of an experiment: what each changes, in words (empty where there is only one), and its views.
pub(crate) fn settings(experiment: &Experiment, outcomes: &[Outcome]) -> Vec<(String, Vec<usize>)> {
    let (all, count) = series::series(experiment, outcomes);
    let one = |setting: usize| {
        let own = all.iter().filter(|series| series.setting == setting).map(|series| series.index);
        (series::setting_label(&all, setting, count), own.collect())
    };
    (0..count).map(one).collect()
}

/// What stands below every drawing.
fn small_print(experiment: &Experiment, version: &str) -> Vec<String> {
    vec![format!("twolayer {version}; {}; dots ± 2 standard errors over replicates", experiment.seeds())]
}

/// A picture of a drawing that is `width` pixels wide, as a PNG file: the SVG, rasterised with the embedded font.
///
/// # Errors
/// In words, where the picture does not fit in memory.
pub fn png(drawing: &Drawing, width: u32) -> Result<Vec<u8>, String> {
    use resvg::{tiny_skia, usvg};
    let mut options = usvg::Options { font_family: font::FAMILY.into(), ..usvg::Options::default() };
    options.fontdb_mut().load_font_data(font::BYTES.to_vec());
    let tree = usvg::Tree::from_str(&svg(drawing), &options).map_err(|e| format!("figure.png: {e}"))?;
    let scale = width as f32 / tree.size().width();
    let height = (tree.size().height() * scale).ceil() as u32;
    let mut pixels = tiny_skia::Pixmap::new(width, height)
        .ok_or_else(|| format!("figure.png: {width} × {height} pixels do not fit in memory"))?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| format!("figure.png: {e}"))
}

#[cfg(test)]
mod kinds;
#[cfg(test)]
mod tests;
