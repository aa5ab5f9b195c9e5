//! A drawing as an SVG file that carries its own font and white background.

use std::fmt::Write;

use crate::{
    Dash, Drawing, Mark, Marker, Panel, Sample, Style, font,
    layout::{Frame, LINE, PIECE, Page, Placed, SMALL, TEXT, TITLE, WIDTH, place},
    ticks::{self, ticks},
};

const INK: &str = "#222222";
const PALE: &str = "#e4e4e4";
const GREY: &str = "#666666";

/// The drawing as SVG: text stays text, and is searchable.
pub fn svg(drawing: &Drawing) -> String {
    let Page { title, blocks, small_print, height } = place(drawing);
    let mut pen = Pen { out: String::new(), clips: 0 };
    pen.put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"{}, sans-serif\" fill=\"{INK}\">\n",
        font::FAMILY
    ));
    pen.put(format_args!("<style>{}</style>\n", font::face()));
    pen.put(format_args!("<rect width=\"{WIDTH}\" height=\"{height}\" rx=\"6\" fill=\"#ffffff\"/>\n"));
    for (y, line) in title {
        pen.text((WIDTH / 2.0, y), TITLE, Anchor::Middle, INK, &line);
    }
    for block in &blocks {
        pen.block(block);
    }
    for (y, line) in small_print {
        pen.text((16.0, y), SMALL, Anchor::Start, GREY, &line);
    }
    pen.out.push_str("</svg>\n");
    pen.out
}

#[derive(Clone, Copy)]
enum Anchor {
    Start,
    Middle,
    End,
}

struct Pen {
    out: String,
    clips: usize,
}

impl Pen {
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.out.write_fmt(text);
    }

    fn text(&mut self, (x, y): (f64, f64), size: f64, anchor: Anchor, color: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = label(text);
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{color}\">{text}</text>\n"
        ));
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), color: &str, width: f64) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.put(format_args!(
            "<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\" stroke=\"{color}\" stroke-width=\"{width}\"/>\n"
        ));
    }

    fn block(&mut self, placed: &Placed<'_>) {
        for &(left, top, key) in &placed.keys {
            let middle = top + LINE / 2.0;
            let start = match key.sample {
                Sample::Line => {
                    self.polyline(&[(left, middle), (left + PIECE, middle)], &key.style);
                    left + PIECE + 6.0
                }
                Sample::Area => {
                    let Style { color, opacity, .. } = key.style;
                    let top = middle - 5.0;
                    self.put(format_args!(
                        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{PIECE}\" height=\"10\" fill=\"{color}\" \
                         fill-opacity=\"{opacity}\" stroke=\"{color}\"/>\n"
                    ));
                    left + PIECE + 6.0
                }
                Sample::Dot => {
                    self.marker((left + 4.0, middle), &key.style);
                    left + 14.0
                }
                Sample::Words => left,
            };
            self.text((start, middle + 4.5), TEXT, Anchor::Start, INK, &key.label);
        }
        for (panel, frame) in placed.block.panels.iter().zip(&placed.frames) {
            self.panel(panel, frame);
        }
        for (y, line) in &placed.remark {
            self.text((placed.frames.first().map_or(16.0, |f| f.left), *y), SMALL, Anchor::Start, GREY, line);
        }
    }

    fn panel(&mut self, panel: &Panel, frame: &Frame) {
        let Frame { left, top, width, height, .. } = *frame;
        let (right, bottom) = (left + width, top + height);
        let across = ticks(&panel.x, (width / 62.0) as usize);
        let up = ticks(&panel.y, (height / 40.0) as usize);
        for tick in across.iter().filter(|tick| !tick.label.is_empty()) {
            let x = frame.x(&panel.x, tick.at);
            self.line((x, top), (x, bottom), PALE, 0.8);
        }
        for tick in up.iter().filter(|tick| !tick.label.is_empty()) {
            let y = frame.y(&panel.y, tick.at);
            self.line((left, y), (right, y), PALE, 0.8);
        }
        self.clips += 1;
        let clip = self.clips;
        self.put(format_args!(
            "<clipPath id=\"panel{clip}\"><rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/></clipPath>\n\
             <g clip-path=\"url(#panel{clip})\">\n"
        ));
        for mark in &panel.marks {
            self.mark(mark, panel, frame);
        }
        self.out.push_str("</g>\n");
        self.put(format_args!(
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"{INK}\" \
             stroke-width=\"1\"/>\n"
        ));
        for tick in &across {
            let x = frame.x(&panel.x, tick.at);
            let length = if tick.label.is_empty() { 2.5 } else { 5.0 };
            self.line((x, bottom), (x, bottom - length), INK, 0.9);
            if frame.x_labels {
                self.text((x, bottom + 15.0), SMALL + 0.5, Anchor::Middle, INK, &tick.label);
            }
        }
        for tick in &up {
            let y = frame.y(&panel.y, tick.at);
            let length = if tick.label.is_empty() { 2.5 } else { 5.0 };
            self.line((left, y), (left + length, y), INK, 0.9);
            if frame.y_labels {
                self.text((left - 6.0, y + 3.8), SMALL + 0.5, Anchor::End, INK, &tick.label);
            }
        }
        for (above, line) in panel.title.lines().rev().enumerate() {
            self.text((left, top - 6.0 - 16.0 * above as f64), TEXT, Anchor::Start, INK, line);
        }
        if frame.x_labels {
            self.text((left + width / 2.0, bottom + 34.0), TEXT, Anchor::Middle, INK, &ticks::label(&panel.x));
        }
        if frame.y_labels {
            let (x, y) = (left - 48.0, top + height / 2.0);
            let label = label(&ticks::label(&panel.y));
            self.put(format_args!(
                "<text transform=\"translate({x:.1} {y:.1}) rotate(-90)\" font-size=\"{TEXT}\" \
                 text-anchor=\"middle\">{label}</text>\n"
            ));
        }
    }

    fn mark(&mut self, mark: &Mark, panel: &Panel, frame: &Frame) {
        let at = |x: f64, y: f64| (frame.x(&panel.x, x), frame.y(&panel.y, y));
        match mark {
            Mark::Line { points, style } => {
                // A line is broken where it has no number.
                for piece in points.split(|(x, y)| !(x.is_finite() && y.is_finite())) {
                    let piece: Vec<(f64, f64)> = piece.iter().map(|&(x, y)| at(x, y)).collect();
                    self.polyline(&piece, style);
                }
            }
            Mark::Dots { points, style } => {
                for dot in points.iter().filter(|dot| dot.x.is_finite() && dot.y.is_finite()) {
                    let (x, y) = at(dot.x, dot.y);
                    let (low, high) = (at(dot.x, dot.low).1, at(dot.x, dot.high).1);
                    if low - high > 2.0 * style.size {
                        self.line((x, low), (x, high), style.color, 1.0);
                    }
                    self.marker((x, y), style);
                }
            }
            Mark::Bars { edges, heights, style } => {
                let corner = |i: usize, y: f64| at(edges[i], y);
                let mut outline = vec![corner(0, 0.0)];
                for (i, height) in heights.iter().enumerate() {
                    outline.extend([corner(i, *height), corner(i + 1, *height)]);
                }
                outline.push(corner(heights.len(), 0.0));
                let points: Vec<String> = outline.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                self.put(format_args!(
                    "<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"{}\"/>\n",
                    points.join(" "),
                    style.color,
                    style.opacity
                ));
                self.polyline(&outline, &Style { opacity: 1.0, ..*style });
            }
            Mark::UnitCircle => {
                let ((x, y), (edge, _)) = (at(0.0, 0.0), at(1.0, 0.0));
                let r = edge - x;
                self.put(format_args!(
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r:.1}\" fill=\"none\" stroke=\"{GREY}\" stroke-width=\"1\"/>\n"
                ));
            }
            Mark::Level(value) => {
                let y = at(panel.x.limits.0, *value).1;
                self.line((frame.left, y), (frame.left + frame.width, y), GREY, 0.8);
            }
            Mark::Upright(value) => {
                let x = at(*value, panel.y.limits.0).0;
                let style = Style { color: GREY, size: 1.0, ..Style::line(0, Dash::Long) };
                self.polyline(&[(x, frame.top + frame.height), (x, frame.top)], &style);
            }
        }
    }

    fn polyline(&mut self, points: &[(f64, f64)], style: &Style) {
        let Some(((x, y), rest)) = points.split_first() else { return };
        self.put(format_args!("<path d=\"M{x:.2} {y:.2}"));
        for (x, y) in rest {
            self.put(format_args!("L{x:.2} {y:.2}"));
        }
        let dash = style.dash.array().map(|array| format!(" stroke-dasharray=\"{array}\"")).unwrap_or_default();
        self.put(format_args!(
            "\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\" stroke-opacity=\"{}\"{dash}/>\n",
            style.color, style.size, style.opacity
        ));
    }

    fn marker(&mut self, (x, y): (f64, f64), style: &Style) {
        let r = style.size;
        let shape = match style.marker {
            Marker::Circle => format!("<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{r}\""),
            Marker::Square => polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)], x, y, r),
            Marker::Triangle => polygon(&[(0.0, -1.25), (1.1, 0.8), (-1.1, 0.8)], x, y, r),
            Marker::TriangleDown => polygon(&[(0.0, 1.25), (1.1, -0.8), (-1.1, -0.8)], x, y, r),
            Marker::Diamond => polygon(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)], x, y, r),
            Marker::Cross => {
                let (a, b, c, d) = (x - r, x + r, y - r, y + r);
                format!("<path d=\"M{a:.2} {c:.2}L{b:.2} {d:.2}M{a:.2} {d:.2}L{b:.2} {c:.2}\"")
            }
        };
        let (color, opacity) = (style.color, style.opacity);
        // Hollow, so that a line through the dots is seen.
        let (fill, width) = if style.marker == Marker::Cross { ("none", 1.6) } else { ("#ffffff", 1.3) };
        self.put(format_args!(
            "{shape} fill=\"{fill}\" stroke=\"{color}\" stroke-width=\"{width}\" opacity=\"{opacity}\"/>\n"
        ));
    }
}

fn polygon(corners: &[(f64, f64)], x: f64, y: f64, r: f64) -> String {
    let points: Vec<String> = corners.iter().map(|(u, v)| format!("{:.2},{:.2}", x + u * r, y + v * r)).collect();
    format!("<polygon points=\"{}\"", points.join(" "))
}

/// Escaped, with `_{jr}` set as an index.
fn label(text: &str) -> String {
    let mut out = String::new();
    for (i, part) in escape(text).split("_{").enumerate() {
        match part.split_once('}').filter(|_| i > 0) {
            // An empty tspan would lose its dy: what follows carries the step back up.
            Some((index, "")) => {
                let _ = write!(out, "<tspan dy=\"3\" font-size=\"9\">{index}</tspan>");
            }
            Some((index, rest)) => {
                let _ = write!(out, "<tspan dy=\"3\" font-size=\"9\">{index}</tspan><tspan dy=\"-3\">{rest}</tspan>");
            }
            None => out.push_str(part),
        }
    }
    out
}

/// Text as it may stand in XML and HTML, between tags or in attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML 1.0 has no way to write these.
            c if c.is_control() && !matches!(c, '\n' | '\t' | '\r') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
