//! Colours, dashes and markers, told apart by the colour-blind and in grey.

use serde::Serialize;

/// Okabe and Ito's colours, without the yellow that paper swallows; neighbours differ in lightness too.
pub const PALETTE: [&str; 7] = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#D55E00"];

/// Dark to light, for values in their order: viridis without the end that paper swallows.
pub const RAMP: [&str; 10] =
    ["#440154", "#482475", "#414487", "#355F8D", "#2A788E", "#21918C", "#22A884", "#44BF70", "#7AD151", "#A8DB34"];

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Style {
    /// `#rrggbb`.
    pub color: &'static str,
    /// Of its line.
    pub dash: Dash,
    /// Of its dots.
    pub marker: Marker,
    /// Width of the line, or radius of the dots.
    pub size: f64,
    /// 1 is opaque.
    pub opacity: f64,
}

/// A line's dashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dash {
    /// None.
    Solid,
    /// Long ones.
    Long,
    /// Points.
    Dotted,
    /// A long one and a point in turn.
    DashDot,
}

/// The shape of a dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Marker {
    /// ○
    Circle,
    /// □
    Square,
    /// △
    Triangle,
    /// ◇
    Diamond,
    /// ▽
    TriangleDown,
    /// ×
    Cross,
}

impl Dash {
    /// The one of the `index`-th curve.
    pub fn nth(index: usize) -> Self {
        [Self::Solid, Self::Long, Self::DashDot, Self::Dotted][index % 4]
    }

    /// SVG's `stroke-dasharray`; `None` for a solid line.
    pub fn array(self) -> Option<&'static str> {
        match self {
            Self::Solid => None,
            Self::Long => Some("7 3"),
            Self::DashDot => Some("7 2.5 1.6 2.5"),
            Self::Dotted => Some("1.6 2.6"),
        }
    }
}

impl Marker {
    /// The one of the `index`-th simulation.
    pub fn nth(index: usize) -> Self {
        [Self::Circle, Self::Square, Self::Triangle, Self::Diamond, Self::TriangleDown][index % 5]
    }
}

impl Style {
    /// A line of the `index`-th colour.
    pub fn line(index: usize, dash: Dash) -> Self {
        Self { color: PALETTE[index % PALETTE.len()], dash, marker: Marker::Circle, size: 1.6, opacity: 1.0 }
    }

    /// In the colour of the `index`-th of `count` values on [`RAMP`].
    pub fn on_ramp(self, index: usize, count: usize) -> Self {
        Self { color: RAMP[index * (RAMP.len() - 1) / count.saturating_sub(1).max(1)], ..self }
    }

    /// Dots of the `index`-th colour.
    pub fn dots(index: usize, marker: Marker) -> Self {
        Self { color: PALETTE[index % PALETTE.len()], dash: Dash::Solid, marker, size: 3.0, opacity: 1.0 }
    }
}
