//! A drawing as a page for a paper.

use krilla::{Document, geom::Size, metadata::Metadata, page::PageSettings};
use krilla_svg::{SurfaceExt, SvgSettings};

use crate::{Drawing, tree::tree};

/// Points of PDF in a pixel of SVG.
const POINTS: f32 = 0.75;

/// A drawing as a PDF of one page, as large as the drawing: curves stay curves, and text stays text, set in the font
/// that is embedded. The same drawing gives the same bytes.
///
/// # Errors
/// In words, where the page cannot be made.
pub fn pdf(drawing: &Drawing) -> Result<Vec<u8>, String> {
    let tree = tree(drawing)?;
    let size = Size::from_wh(POINTS * tree.size().width(), POINTS * tree.size().height());
    let size = size.ok_or("the page has no size")?;
    let mut document = Document::new();
    document.set_metadata(Metadata::new().title(drawing.title.clone()).creator(env!("CARGO_PKG_NAME").into()));
    let mut page = document.start_page_with(PageSettings::new(size));
    let mut surface = page.surface();
    surface.draw_svg(&tree, size, SvgSettings::default()).ok_or("the page cannot be drawn")?;
    surface.finish();
    page.finish();
    document.finish().map_err(|error| format!("{error:?}"))
}
