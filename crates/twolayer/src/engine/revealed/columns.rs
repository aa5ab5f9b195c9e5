//! A tall matrix that grows by columns, n rows in tiles that fit the cache.

/// Rows of a tile: a column of it is one page.
const HEIGHT: usize = 512;

/// An n×c matrix F. Its memory is reserved for `capacity` columns, and taken as columns are written.
pub struct Columns {
    rows: usize,
    height: usize,
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
    height: usize,
    data: &'a mut [f64],
}

impl Columns {
    /// No columns of `rows` rows, with room for `capacity`.
    pub fn new(rows: usize, capacity: usize) -> Self {
        let height = rows.clamp(1, HEIGHT);
        Self { rows, height, capacity, data: vec![0.0; rows.div_ceil(height) * height * capacity] }
    }

    /// How many columns it has room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// All tiles, from the first on.
    pub fn tiles(&mut self) -> impl Iterator<Item = Tile<'_>> {
        let (rows, height) = (self.rows, self.height);
        (0..).step_by(height).zip(self.data.chunks_exact_mut(height * self.capacity)).map(move |(from, data)| Tile {
            from,
            rows: height.min(rows - from),
            height,
            data,
        })
    }

    /// Moves the columns of `kept` (rising) up to `first`, `first` + 1, …
    pub fn keep(&mut self, first: usize, kept: &[usize]) {
        let height = self.height;
        for data in self.data.chunks_exact_mut(height * self.capacity) {
            for (to, from) in (first..).zip(kept) {
                if to != *from {
                    data.copy_within(from * height..(from + 1) * height, to * height);
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
        &self.data[c * self.height..][..self.rows]
    }

    /// Column c, to be written.
    pub fn column_mut(&mut self, c: usize) -> &mut [f64] {
        &mut self.data[c * self.height..][..self.rows]
    }
}
