use std::io::Read;

use super::*;

/// One of everything that can be drawn.
fn everything() -> Drawing {
    let dot = |x: f64, y: f64, bar: f64| Dot { x, y, low: y - bar, high: y + bar };
    let curve = (0..=4).map(|t| (f64::from(t), 1.0 - 0.2 * f64::from(t))).collect();
    let first = Panel {
        title: "along z₁".into(),
        x: AxisOf::new("time  t = νηs", Scale::Linear, (0.0, 4.0)),
        y: AxisOf::new("overlap  M_{jr}", Scale::Linear, (0.0, 1.1)),
        square: false,
        marks: vec![
            Mark::Level(0.5),
            Mark::Line { points: curve, style: Style::line(0, Dash::Long) },
            Mark::Dots {
                points: vec![dot(1.0, 0.8, 0.1), dot(2.0, f64::NAN, 0.1)],
                style: Style::dots(1, Marker::Square),
            },
        ],
    };
    let second = Panel {
        title: String::new(),
        x: AxisOf::named("view", vec!["limit".into(), "reduced".into()]),
        y: AxisOf::new("risk  ½ E(f − g)²", Scale::Log, (1e-3, 1.0)),
        square: false,
        marks: vec![
            Mark::Bars { edges: vec![-0.5, 0.5, 1.5], heights: vec![0.5, 0.1], style: Style::line(2, Dash::Solid) },
            Mark::Upright(1.0),
        ],
    };
    let third = Panel {
        title: "t = 2".into(),
        x: AxisOf::new("cosine with z₁", Scale::Linear, (-1.1, 1.1)),
        y: AxisOf::new("cosine with z₂", Scale::Linear, (-1.1, 1.1)),
        square: true,
        marks: vec![
            Mark::UnitCircle,
            Mark::Dots { points: vec![dot(0.5, 0.5, 0.0)], style: Style::dots(3, Marker::Cross) },
        ],
    };
    let key = |label: &str, sample| Key { label: label.into(), sample, style: Style::line(0, Dash::Long) };
    let legend = vec![vec![
        key("views:", Sample::Words),
        key("limit", Sample::Line),
        key("reduced", Sample::Dot),
        key("direct", Sample::Area),
    ]];
    let block = |panels, columns| Block { legend: legend.clone(), panels, columns, remark: "Said below.".into() };
    Drawing {
        title: "Everything <at once> & \"more\"".into(),
        blocks: vec![block(vec![first, second], 2), block(vec![third], 1)],
        small_print: vec!["seed 0".into()],
    }
}

/// Without the font's data.
fn plain(svg: &str) -> String {
    let (before, rest) = svg.split_once("base64,").unwrap();
    let (font, after) = rest.split_once(')').unwrap();
    assert!(font.starts_with("AAEAAAA") && font.len() > 10_000);
    format!("{before}base64,…){after}")
}

#[test]
fn everything_as_svg() {
    insta::assert_snapshot!(plain(&svg(&everything())));
}

#[test]
fn the_description_is_data() {
    let json = serde_json::to_value(everything()).unwrap();
    let panel = &json["blocks"][0]["panels"][0];
    assert_eq!(panel["y"]["scale"], "linear");
    assert_eq!(panel["marks"][1]["line"]["points"][4][1], 0.19999999999999996);
    assert_eq!(panel["marks"][1]["line"]["style"]["color"], "#0072B2");
    assert_eq!(panel["marks"][1]["line"]["style"]["dash"], "long");
    assert_eq!(json["blocks"][1]["panels"][0]["marks"][0], "unit_circle");
    assert_eq!(json["blocks"][0]["legend"][0][0]["sample"], "words");
}

#[test]
fn a_png_has_the_width_asked_for_and_ink_on_white() {
    let bytes = png(&everything(), 1600).unwrap();
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(u32::from_be_bytes(bytes[16..20].try_into().unwrap()), 1600);
    let pixels = resvg::tiny_skia::Pixmap::decode_png(&bytes).unwrap();
    let corner = pixels.pixel(800, 4).unwrap();
    assert_eq!((corner.red(), corner.green(), corner.blue(), corner.alpha()), (255, 255, 255, 255));
    // #E69F00, the square.
    let orange = pixels.pixels().iter().filter(|p| (p.red(), p.green(), p.blue()) == (0xe6, 0x9f, 0)).count();
    assert!(orange > 20, "{orange} pixels");
    assert!(png(&everything(), u32::MAX).unwrap_err().contains("do not fit in memory"));
}

/// The streams of a PDF, inflated.
fn streams(pdf: &[u8]) -> String {
    let find = |from: usize, what: &[u8]| pdf[from..].windows(what.len()).position(|w| w == what).map(|i| from + i);
    let (mut all, mut at) = (String::new(), 0);
    while let Some(start) = find(at, b"stream\n") {
        let end = find(start, b"\nendstream").unwrap();
        let mut text = Vec::new();
        if flate2::read::ZlibDecoder::new(&pdf[start + 7..end]).read_to_end(&mut text).is_ok() {
            all += &String::from_utf8_lossy(&text);
        }
        at = end + 10;
    }
    all
}

/// Every object is where the cross-reference table says, the font is inside, and text is text.
#[test]
fn a_pdf_is_whole_and_its_text_is_text() {
    let bytes = pdf(&everything()).unwrap();
    assert!(bytes.starts_with(b"%PDF-1.7") && bytes.trim_ascii_end().ends_with(b"%%EOF"));
    let text = String::from_utf8_lossy(&bytes);
    let tail = text.rsplit_once("startxref").unwrap().1;
    let start: usize = tail.split_whitespace().next().unwrap().parse().unwrap();
    let table = std::str::from_utf8(&bytes[start..]).unwrap();
    assert!(table.starts_with("xref"), "{table}");
    let entries = table.lines().skip(2).enumerate().take_while(|(_, line)| line.split(' ').count() >= 3);
    let mut objects = 0;
    for (number, line) in entries.filter(|(_, line)| line.trim_end().ends_with('n')) {
        let at: usize = line[..10].parse().unwrap();
        assert!(bytes[at..].starts_with(format!("{number} 0 obj").as_bytes()), "object {number}");
        objects += 1;
    }
    assert!(objects > 8, "{objects} objects");
    assert!(text.contains("DejaVuSans") && text.contains("/FontFile2") && text.contains("/ToUnicode"));
    // 760 pixels are 570 points.
    assert!(text.contains("/MediaBox[0 0 570 "));
    let inside = streams(&bytes);
    assert!(inside.contains("Tj") || inside.contains("TJ"), "no text is shown");
    // ½ can be copied out.
    assert!(inside.contains("<00BD>") || inside.contains("<00bd>"), "no ½ among the characters");
    assert_eq!(bytes, pdf(&everything()).unwrap(), "another file the second time");
}

#[test]
fn every_character_of_our_labels_is_in_the_font() {
    for text in
        ["½ E(f − g)² νηs √∞ΔΣσλ≤≥±·→ 10⁻¹²³⁴⁵⁶⁷⁸⁹⁰ z₀₁₂₃₄₅₆₇₈₉ ‖w‖ ⟨·⟩ é ö", "abcXYZ 0123456789 .,;:()[]{}/-+*^=<>\"'"]
    {
        for c in text.chars() {
            assert_ne!(font::width(&c.to_string(), 1000.0), 1000.0, "{c} is missing");
        }
    }
}

#[test]
fn titles_are_escaped() {
    let drawing = Drawing { title: "<b>&\"</b>\u{1b}[31m".into(), ..everything() };
    let picture = svg(&drawing);
    assert!(picture.contains("&lt;b&gt;&amp;&quot;&lt;/b&gt;\u{fffd}[31m") && !picture.contains("<b>"));
}

#[test]
fn an_empty_drawing_is_a_picture() {
    let empty = Drawing { title: String::new(), blocks: Vec::new(), small_print: Vec::new() };
    let bare = Block { legend: Vec::new(), panels: Vec::new(), columns: 1, remark: String::new() };
    for drawing in [empty.clone(), Drawing { blocks: vec![bare], ..empty }] {
        png(&drawing, 100).unwrap();
        pdf(&drawing).unwrap();
    }
}
