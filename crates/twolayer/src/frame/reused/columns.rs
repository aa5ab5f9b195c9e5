//! A tall matrix that grows by columns, n rows in tiles that fit the cache.

/// Rows of a tile: a column of it is about a page.
const HEIGHT: usize = 512;

/// Numbers between columns of a tile, so that their rows do not fall on the same places of the cache.
const GAP: usize = 8;

/// Memory of a column, over its numbers.
pub const TOUCHED: f64 = 1.0 + GAP as f64 / HEIGHT as f64;

/// An n×c matrix F. Its memory is reserved for `capacity` columns, and taken as columns are written.
pub struct Columns {
    rows: usize,
    height: usize,
    /// Numbers from one column of a tile to the next.
    stride: usize,
    capacity: usize,
    /// Tile after tile, each column-major.
    data: Vec<f64>,
}

/// Some rows of all columns.
pub struct Tile<'a> {
    /// Its first row.
    pub from: usize,
    /// How many.
    pub rows: usize,
    stride: usize,
    data: &'a mut [f64],
}

impl Columns {
    /// No columns of `rows` rows, with room for `capacity`.
    pub fn new(rows: usize, capacity: usize) -> Self {
        let height = rows.clamp(1, HEIGHT);
        let stride = height + GAP;
        Self { rows, height, stride, capacity, data: vec![0.0; rows.div_ceil(height) * stride * capacity] }
    }

    /// How many columns it has room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// All tiles, from the first on.
    pub fn tiles(&mut self) -> impl Iterator<Item = Tile<'_>> {
        let Self { rows, height, stride, capacity, .. } = *self;
        let tile = move |(from, data)| Tile { from, rows: height.min(rows - from), stride, data };
        (0..).step_by(height).zip(self.data.chunks_exact_mut(stride * capacity)).map(tile)
    }

    /// Moves the columns of `kept` (rising) up to `first`, `first` + 1, …
    pub fn keep(&mut self, first: usize, kept: &[usize]) {
        let stride = self.stride;
        for data in self.data.chunks_exact_mut(stride * self.capacity) {
            for (to, from) in (first..).zip(kept) {
                if to != *from {
                    data.copy_within(from * stride..(from + 1) * stride, to * stride);
                }
            }
        }
    }

    /// Column c.
    #[cfg(test)]
    pub fn column(&mut self, c: usize) -> Vec<f64> {
        self.tiles().flat_map(|tile| tile.column(c).to_vec()).collect()
    }
}

impl Tile<'_> {
    /// Column c.
    pub fn column(&self, c: usize) -> &[f64] {
        &self.data[c * self.stride..][..self.rows]
    }

    /// Column c, to be written.
    pub fn column_mut(&mut self, c: usize) -> &mut [f64] {
        &mut self.data[c * self.stride..][..self.rows]
    }
}
