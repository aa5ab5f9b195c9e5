//! L after a step on one sample, in O(p²).

/// L, p×p, of an LQ decomposition of `[keep·L − g z_oᵀ, χ g]`; `l` is L and one more column, p×(p+1), column-major.
///
/// That is `[L, 0] + g vᵀ` with `v = (−z_o, χ)`. Rotations of neighbouring columns turn v into its length along column 0, L
/// becomes lower Hessenberg, and as many rotations make it triangular again.
pub(super) fn update(l: &mut [f64], keep: &[f64], g: impl Iterator<Item = f64>, orthogonal: &[f64], outside: f64) {
    let p = keep.len();
    if keep.iter().any(|keep| *keep != 1.0) {
        l.chunks_exact_mut(p).for_each(|column| column.iter_mut().zip(keep).for_each(|(l, keep)| *l *= keep));
    }
    let mut length = outside;
    for i in (0..p).rev() {
        let v = -orthogonal[i];
        let (cosine, sine, radius) = rotation(v, length);
        rotate(l, p, i, i, cosine, sine);
        length = radius;
    }
    for (entry, g) in l[..p].iter_mut().zip(g) {
        *entry += length * g;
    }
    for i in 0..p {
        let (cosine, sine, radius) = rotation(l[i * p + i], l[(i + 1) * p + i]);
        rotate(l, p, i, i + 1, cosine, sine);
        l[i * p + i] = radius;
        l[(i + 1) * p + i] = 0.0;
    }
}

/// `(c, s, r)` with `c·x + s·y = r = √(x² + y²)` and `c·y − s·x = 0`.
#[inline(always)]
fn rotation(x: f64, y: f64) -> (f64, f64, f64) {
    let radius = (x * x + y * y).sqrt();
    if radius > 0.0 { (x / radius, y / radius, radius) } else { (1.0, 0.0, 0.0) }
}

/// Rotates columns i and i+1 of a matrix of p rows, from row `from` on.
#[inline(always)]
fn rotate(columns: &mut [f64], p: usize, i: usize, from: usize, cosine: f64, sine: f64) {
    let (left, right) = columns[i * p..(i + 2) * p].split_at_mut(p);
    for (x, y) in left[from..].iter_mut().zip(&mut right[from..]) {
        (*x, *y) = (cosine * *x + sine * *y, cosine * *y - sine * *x);
    }
}
