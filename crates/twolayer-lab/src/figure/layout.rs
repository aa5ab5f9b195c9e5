//! Where everything goes, in pixels of the SVG.

use super::{AxisOf, Block, Drawing, Key, Panel, Sample, font};
use twolayer_file::experiment::Scale;

/// Width of the picture.
pub(super) const WIDTH: f64 = 760.0;
/// Size of the title, and the height of a line of it.
pub(super) const TITLE: f64 = 17.0;
const TITLE_LINE: f64 = 23.0;
/// Size of labels and ticks.
pub(super) const TEXT: f64 = 12.5;
/// Size of tick labels and small print.
pub(super) const SMALL: f64 = 10.5;
/// Height of a legend's row and of a line of small print.
pub(super) const LINE: f64 = 19.0;
/// Width of a legend's piece of line.
pub(super) const PIECE: f64 = 26.0;

/// Room for ticks and label left of a panel, right of it, and between two that share their vertical axis.
const LEFT: f64 = 66.0;
const RIGHT: f64 = 20.0;
const GAP: f64 = 20.0;
/// Room for ticks and label below a panel.
const BELOW: f64 = 44.0;
const PAD: f64 = 16.0;

/// A panel's frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    /// Whether it carries the numbers and the label of its axes, or a neighbour does for it.
    pub x_labels: bool,
    pub y_labels: bool,
}

/// A block with everything in its place.
pub(super) struct Placed<'a> {
    pub block: &'a Block,
    /// Top left corner of each legend entry.
    pub keys: Vec<(f64, f64, &'a Key)>,
    pub frames: Vec<Frame>,
    /// Baseline of the remark's lines.
    pub remark: Vec<(f64, String)>,
}

/// A drawing with everything in its place; lines of text with their baselines.
pub(super) struct Page<'a> {
    pub title: Vec<(f64, String)>,
    pub blocks: Vec<Placed<'a>>,
    pub small_print: Vec<(f64, String)>,
    pub height: f64,
}

/// Puts everything in its place, from the top down.
pub(super) fn place(drawing: &Drawing) -> Page<'_> {
    let mut top = PAD;
    let lines = |text: &str, size: f64, step: f64, top: &mut f64| -> Vec<(f64, String)> {
        let place = |piece| {
            *top += step;
            (*top, piece)
        };
        wrap(text, size, WIDTH - 2.0 * PAD).into_iter().map(place).collect()
    };
    // The title stands close to the edge and away from what follows.
    top -= 4.0;
    let title = lines(&drawing.title, TITLE, TITLE_LINE, &mut top);
    top += if title.is_empty() { 4.0 } else { 12.0 };
    let mut blocks = Vec::new();
    for block in &drawing.blocks {
        let (one, bottom) = place_block(block, top);
        blocks.push(one);
        top = bottom + 18.0;
    }
    let small_print = drawing.small_print.iter().flat_map(|line| lines(line, SMALL, 14.0, &mut top)).collect();
    Page { title, blocks, small_print, height: (top + PAD).ceil() }
}

fn place_block(block: &Block, mut top: f64) -> (Placed<'_>, f64) {
    let mut keys = Vec::new();
    for row in &block.legend {
        let mut left = LEFT;
        for (i, key) in row.iter().enumerate() {
            let width = key_width(key);
            if i > 0 && left + width > WIDTH - RIGHT {
                left = LEFT;
                top += LINE;
            }
            keys.push((left, top, key));
            left += width + 16.0;
        }
        top += LINE;
    }
    top += 8.0;
    let columns = block.columns.max(1);
    let rows = block.panels.chunks(columns);
    let shared = |a: &AxisOf, b: &AxisOf| a == b;
    let separate = block.panels.windows(2).any(|pair| !shared(&pair[0].y, &pair[1].y));
    let gap = if separate { LEFT } else { GAP };
    let width = (WIDTH - LEFT - RIGHT - gap * (columns - 1) as f64) / columns as f64;
    let mut frames = Vec::new();
    let count = block.panels.len();
    for (row, panels) in rows.enumerate() {
        let lines = panels.iter().map(|panel| panel.title.lines().count()).max().unwrap_or(0);
        top += 18.0 * lines as f64;
        let height = height(&panels[0], width, columns);
        for (column, panel) in panels.iter().enumerate() {
            let index = row * columns + column;
            let below = block.panels.get(index + columns);
            frames.push(Frame {
                left: (LEFT + column as f64 * (width + gap)).round() + 0.5,
                top: top.round() + 0.5,
                width: if panel.square { height } else { width.round() },
                height: height.round(),
                x_labels: below.is_none_or(|b| !shared(&b.x, &panel.x)),
                y_labels: column == 0 || separate,
            });
        }
        let last = (row + 1) * columns >= count;
        let labelled = frames[row * columns..].iter().any(|frame| frame.x_labels);
        top += height + if last || labelled { BELOW } else { 12.0 };
    }
    let mut remark = Vec::new();
    for line in wrap(&block.remark, SMALL, WIDTH - LEFT - RIGHT) {
        top += 14.0;
        remark.push((top, line));
    }
    (Placed { block, keys, frames, remark }, top)
}

fn height(panel: &Panel, width: f64, columns: usize) -> f64 {
    if panel.square {
        return width.min(400.0).round();
    }
    let ratio = match columns {
        1 => 0.58,
        2 => 0.74,
        _ => 0.88,
    };
    (ratio * width).round()
}

fn key_width(key: &Key) -> f64 {
    let sample = match key.sample {
        Sample::Line | Sample::Area => PIECE + 6.0,
        Sample::Dot => 14.0,
        Sample::Words => 0.0,
    };
    sample + font::width(&key.label, TEXT)
}

/// Breaks `text` between words into lines no longer than `most`.
fn wrap(text: &str, size: f64, most: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if font::width(&format!("{line} {word}"), size) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

impl Frame {
    /// Pixels of a value on the horizontal axis.
    pub fn x(&self, axis: &AxisOf, value: f64) -> f64 {
        self.left + self.width * fraction(axis, value)
    }

    /// Pixels of a value on the vertical axis.
    pub fn y(&self, axis: &AxisOf, value: f64) -> f64 {
        self.top + self.height * (1.0 - fraction(axis, value))
    }
}

/// 0 at the axis' lower end, 1 at its upper one; values that a log axis lacks lie far below it.
fn fraction(axis: &AxisOf, value: f64) -> f64 {
    let (low, high) = axis.limits;
    let f = match axis.scale {
        Scale::Linear => (value - low) / (high - low),
        Scale::Log if value > 0.0 => (value / low).ln() / (high / low).ln(),
        Scale::Log => -10.0,
    };
    // SVG renderers lose precision with coordinates far outside; what is clipped may as well be near.
    f.clamp(-10.0, 11.0)
}
