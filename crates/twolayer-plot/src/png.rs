//! A drawing in pixels.

use resvg::tiny_skia::{Pixmap, Transform};

use crate::{Drawing, tree::tree};

/// A picture of a drawing that is `width` pixels wide, as a PNG file: the SVG, rasterised with the font that it carries.
///
/// # Errors
/// In words, where the picture does not fit in memory.
pub fn png(drawing: &Drawing, width: u32) -> Result<Vec<u8>, String> {
    let tree = tree(drawing)?;
    let scale = width as f32 / tree.size().width();
    let height = (tree.size().height() * scale).ceil() as u32;
    let mut pixels =
        Pixmap::new(width, height).ok_or_else(|| format!("{width} × {height} pixels do not fit in memory"))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}
