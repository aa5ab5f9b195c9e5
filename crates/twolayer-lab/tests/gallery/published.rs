//! The dots of paper A's two figures, read off their vector graphics, and a picture of them over our curves.
//!
//! `TWOLAYER_WRITE_FIGURES=1` writes the pictures of docs/reusing.md.

use std::{env, fs, path::Path};

use twolayer::record::Trajectory;
use twolayer_plot::{AxisOf, Block, Dash, Dot, Drawing, Key, Mark, Marker, Panel, Sample, Scale, Style, png, svg};

use super::{
    Shown,
    overlaps::{axis, overlap, signed},
    reuse::{ACROSS, ALONG},
};

/// tanh on `erf(z1)`, reused batches, steps 1 to 6.
pub const ERF: [f64; 6] = [0.1183, 0.2268, 0.3216, 0.4022, 0.4698, 0.5264];
/// The same, fresh.
pub const ERF_FRESH: [f64; 6] = [0.1182, 0.2320, 0.3386, 0.4357, 0.5221, 0.5944];
/// tanh on `he3(z1)`, reused, in size.
pub const HE3: [f64; 6] = [0.0, 0.0549, 0.1125, 0.1639, 0.2075, 0.2450];
/// Centre of the second figure, along C_1, reused.
pub const CENTRE: [f64; 6] = [0.1235, 0.2157, 0.2873, 0.3458, 0.3959, 0.4400];
/// The same, fresh.
pub const CENTRE_FRESH: [f64; 6] = [0.1236, 0.2330, 0.3302, 0.4163, 0.4929, 0.5617];
/// Across C_1, reused.
pub const CENTRE_ACROSS: [f64; 6] = [0.0, 0.0008, 0.0022, 0.0039, 0.0057, 0.0075];
/// Left, z1, reused.
pub const LEFT: [f64; 6] = [0.0891, 0.1551, 0.2079, 0.2529, 0.2929, 0.3290];
/// The same, fresh.
pub const LEFT_FRESH: [f64; 6] = [0.0892, 0.1654, 0.2342, 0.2970, 0.3559, 0.4106];
/// Left, z2, reused.
pub const LEFT_SECOND: [f64; 6] = [0.0, 0.0173, 0.0422, 0.0711, 0.1008, 0.1304];
/// Right, along (1, 1)/√2, reused.
pub const RIGHT: [f64; 6] = [0.0908, 0.1645, 0.2248, 0.2754, 0.3189, 0.3571];
/// The same, fresh.
pub const RIGHT_FRESH: [f64; 6] = [0.0909, 0.1733, 0.2484, 0.3164, 0.3779, 0.4341];

/// Our curve and their dots.
type Compared = (Vec<f64>, Option<[f64; 6]>, usize);

fn panel(title: &str, top: f64, compared: &[Compared]) -> Panel {
    let mut marks = Vec::new();
    for (curve, dots, index) in compared {
        let points = curve.iter().enumerate().map(|(t, y)| (t as f64, *y)).collect();
        marks.push(Mark::Line { points, style: Style::line(*index, Dash::nth(*index)) });
        if let Some(dots) = dots {
            let dot = |(t, &y): (usize, &f64)| Dot { x: t as f64 + 1.0, y, low: y, high: y };
            let points = dots.iter().enumerate().map(dot).collect();
            marks.push(Mark::Dots { points, style: Style::dots(*index, Marker::nth(*index)) });
        }
    }
    Panel {
        title: title.into(),
        x: AxisOf::new("step", Scale::Linear, (0.0, 6.3)),
        y: AxisOf::new("overlap", Scale::Linear, (-0.04 * top, top)),
        square: false,
        marks,
    }
}

fn drawing(title: &str, panels: Vec<Panel>, columns: usize) -> Drawing {
    let key = |label: &str, sample, style| Key { label: label.into(), sample, style };
    let legend = vec![vec![
        key("limit, reused", Sample::Line, Style::line(0, Dash::nth(0))),
        key("limit, fresh", Sample::Line, Style::line(1, Dash::nth(1))),
        key("published, reused", Sample::Dot, Style::dots(0, Marker::nth(0))),
        key("published, fresh", Sample::Dot, Style::dots(1, Marker::nth(1))),
    ]];
    let blocks = vec![Block { legend, panels, columns, remark: String::new() }];
    Drawing { title: title.into(), blocks, small_print: Vec::new() }
}

fn course(run: &Trajectory, value: impl Fn(&Trajectory, usize) -> f64) -> Vec<f64> {
    (0..run.len()).map(|t| value(run, t).abs()).collect()
}

fn figure_1() -> Drawing {
    let only = ["limit-erf", "limit-erf-fresh", "limit-he3", "limit-he4"];
    let shown = Shown::with("reuse/figure-1-as-drawn", &[], &only);
    let of = |view: &str| course(&shown.runs(view)[0], |run, t| overlap(run, t, 0, &[1.0]));
    let nothing = vec![0.0; 7];
    let panels = vec![
        panel("erf(z1)", 0.7, &[(of(only[0]), Some(ERF), 0), (of(only[1]), Some(ERF_FRESH), 1)]),
        panel("he3(z1), in size", 0.7, &[(of(only[2]), Some(HE3), 0), (nothing.clone(), Some([0.0; 6]), 1)]),
        panel("he4(z1)", 0.7, &[(of(only[3]), Some([0.0; 6]), 0), (nothing, Some([0.0; 6]), 1)]),
    ];
    drawing("Paper A's first figure, with the parameters it was drawn with", panels, 3)
}

fn figure_2() -> Drawing {
    let only = ["limit-centre", "limit-centre-fresh", "limit-left", "limit-left-fresh"];
    let shown = Shown::with("reuse/figure-2-as-drawn", &[], &only);
    let right = Shown::with("reuse/multi-committee", &[], &["limit", "limit-fresh"]);
    let half = [std::f64::consts::FRAC_1_SQRT_2; 2];
    let along = |shown: &Shown, view: &str, u: &[f64]| course(&shown.runs(view)[0], |run, t| overlap(run, t, 0, u));
    let (z1, z2) = (axis(0, 2), axis(1, 2));
    let across = course(&shown.runs(only[0])[0], |run, t| signed(run, t, &ACROSS));
    let panels = vec![
        panel(
            "z1 + 2 z1 z2: z1",
            0.62,
            &[(along(&shown, only[2], &z1), Some(LEFT), 0), (along(&shown, only[3], &z1), Some(LEFT_FRESH), 1)],
        ),
        panel(
            "tanh(z1 + he3(z2)): C_1",
            0.62,
            &[
                (along(&shown, only[0], &ALONG), Some(CENTRE), 0),
                (along(&shown, only[1], &ALONG), Some(CENTRE_FRESH), 1),
            ],
        ),
        panel(
            "tanh(z1) + tanh(z2), diagonal",
            0.62,
            &[
                (along(&right, "limit", &half), Some(RIGHT), 0),
                (along(&right, "limit-fresh", &half), Some(RIGHT_FRESH), 1),
            ],
        ),
        panel(
            "z1 + 2 z1 z2: z2",
            0.18,
            &[(along(&shown, only[2], &z2), Some(LEFT_SECOND), 0), (along(&shown, only[3], &z2), None, 1)],
        ),
        panel("tanh(z1 + he3(z2)): across", 0.01, &[(across, Some(CENTRE_ACROSS), 0), (vec![0.0; 7], None, 1)]),
    ];
    drawing("Paper A's second figure, with the parameters it was drawn with", panels, 3)
}

#[test]
fn the_published_dots_over_our_curves() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/figures");
    let write = env::var_os("TWOLAYER_WRITE_FIGURES").is_some();
    for (name, figure) in [("paper-a-figure-1", figure_1 as fn() -> Drawing), ("paper-a-figure-2", figure_2)] {
        let path = directory.join(format!("{name}.svg"));
        if write {
            let drawing = figure();
            fs::write(&path, svg(&drawing)).unwrap();
            fs::write(env::temp_dir().join(format!("{name}.png")), png(&drawing, 1400).unwrap()).unwrap();
        }
        assert!(path.exists(), "docs/figures/{name}.svg is missing: run the tests with TWOLAYER_WRITE_FIGURES=1");
    }
}
