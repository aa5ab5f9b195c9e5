//! What is drawn, apart from how.
//!
//! One drawing holds several figures, one [`Block`] below the other. It is [`Serialize`]: whoever draws with other tools
//! (matplotlib, a browser) draws from the same description.

use serde::Serialize;

use crate::Style;

/// A drawing: the title, blocks below each other, small print at the bottom.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drawing {
    /// At the top; may be empty.
    pub title: String,
    /// One for each figure that is asked for.
    pub blocks: Vec<Block>,
    /// Lines at the bottom: seed, version.
    pub small_print: Vec<String>,
}

/// One figure: a grid of panels with one legend above them.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Key {
    /// What it stands for.
    pub label: String,
    /// How that is drawn.
    pub sample: Sample,
    /// Its colour, dash, marker.
    pub style: Style,
}

/// What a legend shows beside a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Clone, PartialEq, Serialize)]
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

/// The scale of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Linear.
    Linear,
    /// Logarithmic.
    Log,
}

/// An axis: what it measures, and the part of it that is seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
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
    /// A thin dashed vertical line at x.
    Upright(f64),
}

/// A dot and its error bar.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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
