//! A tall matrix that grows by columns, n rows in tiles that fit the cache.

use faer::{Accum, Mat, MatMut, MatRef, Par, linalg::matmul::matmul};

/// Rows of a tile: a column of it is one page.
const HEIGHT: usize = 512;

/// An n×c matrix F. Its memory is reserved for `capacity` columns, and taken as columns are written.
pub struct Columns {
    rows: usize,
    height: usize,
    capacity: usize,
    count: usize,
    /// Tile after tile, each column-major.
    data: Vec<f64>,
}

impl Columns {
    /// No columns of `rows` rows, with room for `capacity`.
    pub fn new(rows: usize, capacity: usize) -> Self {
        let height = rows.clamp(1, HEIGHT);
        Self { rows, height, capacity, count: 0, data: vec![0.0; rows.div_ceil(height) * height * capacity] }
    }

    /// c.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many columns it has room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Appends `new` columns; `write(i, from, rows)` fills the rows of the i-th of them from `from` on, for rising `from`.
    pub fn append(&mut self, new: usize, mut write: impl FnMut(usize, usize, &mut [f64])) {
        self.append_with(new, &mut write, |_| ());
    }

    /// [`append`](Self::append), and in the same pass the inner products `Fᵀ F_new` of all columns with the new ones, c×new.
    pub fn append_with_products(&mut self, new: usize, mut write: impl FnMut(usize, usize, &mut [f64])) -> Mat<f64> {
        let first = self.count;
        let mut products = Mat::zeros(first + new, new);
        self.append_with(new, &mut write, |tile| {
            matmul(&mut products, Accum::Add, tile.transpose(), tile.subcols(first, new), 1.0, Par::Seq);
        });
        products
    }

    fn append_with(
        &mut self,
        new: usize,
        write: &mut dyn FnMut(usize, usize, &mut [f64]),
        mut look: impl FnMut(MatRef<'_, f64>),
    ) {
        let (first, height) = (self.count, self.height);
        self.count += new;
        assert!(self.count <= self.capacity, "a run reveals the columns it was planned with");
        for (tile, data) in self.data.chunks_exact_mut(height * self.capacity).enumerate() {
            let from = tile * height;
            let rows = height.min(self.rows - from);
            for i in 0..new {
                let at = (first + i) * height;
                write(i, from, &mut data[at..at + rows]);
            }
            let data = &data[..self.count * height];
            look(MatRef::from_column_major_slice(data, height, self.count).subrows(0, rows));
        }
    }

    /// Drops all columns from `first` on but those of `kept` (rising), which move up.
    pub fn keep(&mut self, first: usize, kept: &[usize]) {
        let height = self.height;
        for data in self.data.chunks_exact_mut(height * self.capacity) {
            for (to, from) in (first..).zip(kept) {
                if to != *from {
                    data.copy_within(from * height..(from + 1) * height, to * height);
                }
            }
        }
        self.count = first + kept.len();
    }

    /// Rows `from..from + count` of `F A`, for A c×p, into `out`, column after column.
    pub fn times(&self, from: usize, count: usize, factor: MatRef<'_, f64>, out: &mut [f64]) {
        let (height, p) = (self.height, factor.ncols());
        let mut row = from;
        while row < from + count {
            let (tile, at) = (row / height, row % height);
            let rows = (height - at).min(from + count - row);
            let start = tile * height * self.capacity;
            let data = &self.data[start..start + self.count * height];
            let tile = MatRef::from_column_major_slice(data, height, self.count).subrows(at, rows);
            let out = MatMut::from_column_major_slice_mut(out, count, p).subrows_mut(row - from, rows);
            matmul(out, Accum::Replace, tile, factor, 1.0, Par::Seq);
            row += rows;
        }
    }
}
