//! The SVG as a tree of shapes, set in the font that it carries.

use resvg::usvg::{Options, Tree};

use crate::{Drawing, font, svg};

/// The drawing, parsed and laid out; a reason in words where that fails.
pub(crate) fn tree(drawing: &Drawing) -> Result<Tree, String> {
    let mut options = Options { font_family: font::FAMILY.into(), ..Options::default() };
    options.fontdb_mut().load_font_data(font::BYTES.to_vec());
    Tree::from_str(&svg(drawing), &options).map_err(|error| error.to_string())
}
