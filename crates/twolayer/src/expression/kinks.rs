//! Where a function of one variable is not smooth: the zeros of what its kinks depend on.

use super::{
    Scratch,
    graph::{Graph, Id, Node},
    operations::{Binary, Unary},
    program::Program,
};

/// Points of the grid on which changes of sign are looked for.
const POINTS: usize = 8192;
/// Halvings of a grid interval, to rounding.
const HALVINGS: usize = 60;

impl Graph {
    /// Where `root`, a function of variable 0, may not be smooth, rising, within [−`range`, `range`].
    pub(super) fn kinks(&self, root: Id, range: f64) -> Vec<f64> {
        let mut graph = self.clone();
        let reached = graph.reached_from(&[root]);
        let mut found = Vec::new();
        for id in (0..=root).filter(|&id| reached[id]) {
            let Some(switch) = graph.switch(id) else { continue };
            if graph.constant(switch).is_none() {
                changes_of_sign(&Program::compile(&graph, &[switch]), range, &mut found);
            }
        }
        found.sort_by(f64::total_cmp);
        found.dedup_by(|later, earlier| *later - *earlier <= 1e-12 * range);
        found
    }

    /// The node whose change of sign is a kink, a jump or a pole of node `id`.
    fn switch(&mut self, id: Id) -> Option<Id> {
        match self.node(id) {
            Node::Unary(Unary::Relu | Unary::Sign | Unary::Abs | Unary::Log | Unary::Sqrt, a) => Some(a),
            Node::Binary(Binary::Min | Binary::Max, a, b) => Some(self.binary(Binary::Subtract, a, b)),
            Node::Binary(Binary::Divide, _, b) => Some(b),
            Node::Binary(Binary::Power, a, _) => Some(a),
            Node::Power(a, n) if n < 0 => Some(a),
            Node::Select(condition, ..) => Some(condition),
            _ => None,
        }
    }
}

/// −1, 0, 1; NaN as 0.
fn sign(x: f64) -> i8 {
    i8::from(x > 0.0) - i8::from(x < 0.0)
}

fn changes_of_sign(program: &Program, range: f64, found: &mut Vec<f64>) {
    let mut scratch = Scratch::default();
    // Off the round numbers, where kinks like to be.
    let spacing = 2.0 * range / POINTS as f64;
    let grid: Vec<f64> = (0..=POINTS).map(|i| (i as f64 - 0.380_966) * spacing - range).collect();
    let mut values = vec![0.0; grid.len()];
    program.evaluate(&[&grid], &mut [&mut values], &mut scratch);
    for (ends, values) in grid.windows(2).zip(values.windows(2)) {
        let (first, [mut left, mut right]) = (sign(values[0]), [ends[0], ends[1]]);
        if first == sign(values[1]) {
            continue;
        }
        for _ in 0..HALVINGS {
            let middle = 0.5 * (left + right);
            let mut value = [0.0];
            program.evaluate(&[&[middle]], &mut [&mut value], &mut scratch);
            *(if sign(value[0]) == first { &mut left } else { &mut right }) = middle;
        }
        found.push(right);
    }
}
