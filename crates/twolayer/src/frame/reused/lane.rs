//! One pass over some rows: fields, signals, what the signals reveal of the data.

use faer::Mat;
use pulp::{Arch, NullaryFnOnce};

use super::{
    super::products::{combine, dots},
    Normals,
    columns::{Columns, Tile},
};
use crate::{
    random::Stream,
    signal::{Rows, StepContext, Workspace},
};

/// Some rows of H and G side by side.
pub(super) struct Lane {
    /// The first row.
    from: usize,
    pub columns: Columns,
    stream: Stream,
    /// Of one tile, p×m each.
    fields: Vec<f64>,
    signal: Vec<f64>,
    /// Fields of those rows of a tile that are in the batch, where it is a list.
    listed: Vec<f64>,
    /// `‖x_μ‖²/d` of those, where samples are displaced.
    squares: Vec<f64>,
    pub workspace: Workspace,
    /// `Fᵀ G_new` and `Fᵀ H_new`, c×2p; only those that are asked for.
    pub products: Mat<f64>,
}

/// What a look does to each lane.
pub(super) struct Look<'a> {
    pub rows: &'a Rows<'a>,
    pub context: &'a StepContext<'a>,
    /// Which columns are normals, and which are signals.
    pub normals: &'a [usize],
    pub signals: &'a [usize],
    /// A with Λ = F A, c×p, row-major.
    pub factor: &'a [f64],
    pub source: &'a Normals,
    /// Whether products of signals with new normals are asked for.
    pub fluctuates: bool,
    pub arch: Arch,
}

impl Lane {
    /// `rows` rows from `from` on, with `capacity` columns at most.
    pub fn new(from: usize, rows: usize, capacity: usize, stream: Stream) -> Self {
        Self {
            from,
            columns: Columns::new(rows, capacity),
            stream,
            fields: Vec::new(),
            signal: Vec::new(),
            listed: Vec::new(),
            squares: Vec::new(),
            workspace: Workspace::default(),
            products: Mat::new(),
        }
    }

    /// The first columns: k coordinates along the target (k×n), and `more` raw normals.
    pub fn begin(&mut self, coordinates: &[f64], all: usize, more: usize, source: &Normals) {
        let k = coordinates.len() / all;
        for mut tile in self.columns.tiles() {
            let from = self.from + tile.from;
            for r in 0..k {
                let column = tile.column_mut(r);
                let start = r * all + from;
                column.copy_from_slice(&coordinates[start..start + column.len()]);
            }
            for i in 0..more {
                source.fill(i, from, &mut self.stream, tile.column_mut(k + i));
            }
        }
    }

    /// Looks at its rows of the batch and, where a step follows, writes the p signals and p new normals into the columns
    /// after those that are there.
    pub fn look(&mut self, look: &Look<'_>) {
        let Self { from, columns, stream, fields, signal, listed, squares, workspace, products } = self;
        let count = look.normals.len() + look.signals.len();
        let p = look.factor.len() / count;
        workspace.sums.clear();
        *products = Mat::zeros(count + 2 * p, 2 * p);
        for mut tile in columns.tiles() {
            let row = *from + tile.from;
            // Samples of the batch in this tile, and the rows of the tile whose fields they need.
            let (samples, rows) = match look.rows {
                Rows::Block { from, count } => {
                    let (low, high) = (row.max(*from), (row + tile.rows).min(from + count));
                    if low < high { (low - from..high - from, low - row..high - row) } else { (0..0, 0..0) }
                }
                Rows::List(list) => {
                    let below = |row: usize| list.partition_point(|listed| *listed < row);
                    (below(row)..below(row + tile.rows), 0..tile.rows)
                }
            };
            let m = samples.len();
            if m > 0 {
                fields.clear();
                fields.resize(p * rows.len(), 0.0);
                let (first, factor) = (rows.start, look.factor);
                look.arch.dispatch(Fields { tile: &tile, first, factor, count, fields });
                let seen = if let Rows::List(list) = look.rows {
                    listed.clear();
                    for fields in fields.chunks_exact(rows.len()) {
                        listed.extend(list[samples.clone()].iter().map(|listed| fields[listed - row]));
                    }
                    &*listed
                } else {
                    &*fields
                };
                signal.resize(p * m, 0.0);
                if look.context.signal.needs_lengths() {
                    // In the limit, where all samples are as long as √d, and their squares are part of the displacement.
                    squares.clear();
                    squares.resize(m, 1.0);
                    look.context.displaced_signals(samples.clone(), seen, squares, signal, workspace);
                } else {
                    look.context.signals(samples.clone(), seen, signal, workspace);
                }
            }
            if !look.context.wants_gradient {
                continue;
            }
            for j in 0..p {
                let column = tile.column_mut(count + j);
                column.fill(0.0);
                let signal = &signal[..p * m];
                match look.rows {
                    _ if m == 0 => {}
                    Rows::Block { .. } => column[rows.clone()].copy_from_slice(&signal[j * m..(j + 1) * m]),
                    Rows::List(list) => {
                        for (listed, g) in list[samples.clone()].iter().zip(&signal[j * m..]) {
                            column[listed - row] = *g;
                        }
                    }
                }
                look.source.fill(j, row, stream, tile.column_mut(count + p + j));
            }
            look.arch.dispatch(Products { tile: &tile, look, p, is_seen: m > 0, products });
        }
    }
}

/// `fields = F A` for some rows of a tile, p×m.
struct Fields<'a> {
    tile: &'a Tile<'a>,
    first: usize,
    factor: &'a [f64],
    /// c.
    count: usize,
    fields: &'a mut [f64],
}

impl NullaryFnOnce for Fields<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { tile, first, factor, count, fields } = self;
        let p = factor.len() / count;
        let m = fields.len() / p;
        combine(fields, m, count, |j, c| factor[c * p + j], |c| &tile.column(c)[first..first + m]);
    }
}

/// Inner products of a tile's columns with its new ones, added to `products`.
struct Products<'a> {
    tile: &'a Tile<'a>,
    look: &'a Look<'a>,
    p: usize,
    /// Whether the new signals are not all zero.
    is_seen: bool,
    products: &'a mut Mat<f64>,
}

impl NullaryFnOnce for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { tile, look: Look { normals, signals, fluctuates, .. }, p, is_seen, products } = self;
        let count = normals.len() + signals.len();
        let new_signal = |j: usize| tile.column(count + j);
        let new_normal = |j: usize| tile.column(count + p + j);
        if is_seen {
            let with_signals = count + p;
            dots(with_signals, |c| tile.column(c), p, new_signal, |c, j, dot| products[(c, j)] += dot);
        }
        if *fluctuates {
            dots(
                signals.len(),
                |i| tile.column(signals[i]),
                p,
                new_normal,
                |i, j, dot| {
                    products[(signals[i], p + j)] += dot;
                },
            );
        }
        if *fluctuates && is_seen {
            dots(p, new_signal, p, new_normal, |i, j, dot| {
                products[(count + i, p + j)] += dot;
                products[(count + p + j, i)] += dot;
            });
        }
    }
}
