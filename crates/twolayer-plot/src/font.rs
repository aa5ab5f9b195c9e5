//! The font that every figure carries with it: a machine without fonts draws the same picture.

use skrifa::{FontRef, MetadataProvider, instance::Size, prelude::LocationRef};

/// The family's name in SVG.
pub(crate) const FAMILY: &str = "DejaVu Sans";

/// DejaVu Sans with the Latin, Greek and mathematical characters that figures use (licence in `assets/`).
pub(crate) const BYTES: &[u8] = include_bytes!("../assets/DejaVuSans-subset.ttf");

/// Width of `text` at `size`; characters that the font lacks count as wide as an em.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let Ok(font) = FontRef::new(BYTES) else { return 0.6 * size * text.chars().count() as f64 };
    let (characters, metrics) = (font.charmap(), font.glyph_metrics(Size::new(size as f32), LocationRef::default()));
    text.chars().map(|c| characters.map(c).and_then(|glyph| metrics.advance_width(glyph)).map_or(size, f64::from)).sum()
}

/// `@font-face`, the font inside.
pub(crate) fn face() -> String {
    use base64::Engine;
    let data = base64::engine::general_purpose::STANDARD.encode(BYTES);
    format!("@font-face{{font-family:\"{FAMILY}\";src:url(data:font/ttf;base64,{data})}}")
}
