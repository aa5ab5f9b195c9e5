//! An expression as a graph of operations, in an order in which operands come before what uses them.
//!
//! Equal subexpressions are one node, constants are folded, and no walk over a graph recurses, so that a long sum
//! costs no stack. A derivative is more nodes in the same graph.

use std::collections::HashMap;

use super::operations::{Binary, Unary, hermite};

/// A node's place in its graph.
pub(super) type Id = usize;

/// A number as its bits, so that equal nodes can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Number(u64);

impl Number {
    pub(super) fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Number(Number),
    /// Index into the values given at evaluation.
    Variable(usize),
    Unary(Unary, Id),
    Binary(Binary, Id, Id),
    /// An integer power, by repeated multiplication.
    Power(Id, i32),
    /// He_q, probabilists', not normalised.
    Hermite(u32, Id),
    /// The second where the first is positive, elsewhere (also for NaN) the third: derivatives of kinks are made of it.
    Select(Id, Id, Id),
}

impl Node {
    /// What the node is computed from.
    pub(super) fn operands(self) -> impl Iterator<Item = Id> {
        let operands = match self {
            Self::Number(_) | Self::Variable(_) => [None, None, None],
            Self::Unary(_, a) | Self::Power(a, _) | Self::Hermite(_, a) => [Some(a), None, None],
            Self::Binary(_, a, b) => [Some(a), Some(b), None],
            Self::Select(condition, yes, no) => [Some(condition), Some(yes), Some(no)],
        };
        operands.into_iter().flatten()
    }
}

/// Nodes, operands first.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    known: HashMap<Node, Id>,
    operations: usize,
}

impl Graph {
    pub(super) fn node(&self, id: Id) -> Node {
        self.nodes[id]
    }

    /// How many nodes do some work at evaluation.
    pub(super) fn operations(&self) -> usize {
        self.operations
    }

    pub(super) fn number(&mut self, value: f64) -> Id {
        self.insert(Node::Number(Number(value.to_bits())))
    }

    pub(super) fn variable(&mut self, index: usize) -> Id {
        self.insert(Node::Variable(index))
    }

    pub(super) fn unary(&mut self, operation: Unary, a: Id) -> Id {
        match self.constant(a) {
            Some(x) => self.number(operation.of(x)),
            None => self.insert(Node::Unary(operation, a)),
        }
    }

    pub(super) fn binary(&mut self, operation: Binary, a: Id, b: Id) -> Id {
        match (operation, self.constant(a), self.constant(b)) {
            (_, Some(x), Some(y)) => self.number(operation.of(x, y)),
            (Binary::Power, None, Some(y)) if y.fract() == 0.0 && y.abs() <= 1024.0 => {
                self.insert(Node::Power(a, y as i32))
            }
            _ => self.insert(Node::Binary(operation, a, b)),
        }
    }

    pub(super) fn hermite(&mut self, degree: u32, a: Id) -> Id {
        match self.constant(a) {
            Some(x) => self.number(hermite(degree, [x])[0]),
            None => self.insert(Node::Hermite(degree, a)),
        }
    }

    pub(super) fn select(&mut self, condition: Id, yes: Id, no: Id) -> Id {
        match self.constant(condition) {
            Some(x) if x > 0.0 => yes,
            Some(_) => no,
            None if yes == no => yes,
            None => self.insert(Node::Select(condition, yes, no)),
        }
    }

    /// For every node, whether one of `roots` depends on it; up to the last that one does.
    pub(super) fn reached_from(&self, roots: &[Id]) -> Vec<bool> {
        let mut reached = vec![false; roots.iter().max().map_or(0, |last| last + 1)];
        roots.iter().for_each(|root| reached[*root] = true);
        for id in (0..reached.len()).rev() {
            if reached[id] {
                self.nodes[id].operands().for_each(|operand| reached[operand] = true);
            }
        }
        reached
    }

    /// The nodes that `root` depends on, itself the last.
    pub(super) fn reached_nodes(&self, root: Id) -> Vec<Node> {
        let reached = self.reached_from(&[root]);
        (0..=root).filter(|&id| reached[id]).map(|id| self.nodes[id]).collect()
    }

    /// The graph of `root` alone, whose only variable becomes the first.
    pub(super) fn with_one_variable(&self, root: Id) -> (Self, Id) {
        let reached = self.reached_from(&[root]);
        let mut graph = Self::default();
        let mut place = vec![0; root + 1];
        for id in (0..=root).filter(|&id| reached[id]) {
            place[id] = graph.insert(match self.nodes[id] {
                Node::Variable(_) => Node::Variable(0),
                Node::Number(number) => Node::Number(number),
                Node::Unary(operation, a) => Node::Unary(operation, place[a]),
                Node::Binary(operation, a, b) => Node::Binary(operation, place[a], place[b]),
                Node::Power(a, n) => Node::Power(place[a], n),
                Node::Hermite(q, a) => Node::Hermite(q, place[a]),
                Node::Select(a, b, c) => Node::Select(place[a], place[b], place[c]),
            });
        }
        (graph, place[root])
    }

    /// The number that the node is, if it is one.
    pub(super) fn constant(&self, id: Id) -> Option<f64> {
        match self.nodes[id] {
            Node::Number(number) => Some(number.value()),
            _ => None,
        }
    }

    fn insert(&mut self, node: Node) -> Id {
        *self.known.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            self.operations += usize::from(!matches!(node, Node::Number(_) | Node::Variable(_)));
            self.nodes.len() - 1
        })
    }
}
