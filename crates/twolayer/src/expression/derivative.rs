//! Symbolic derivatives: more nodes of the same graph, simplified as they are made.
//!
//! One pass from the operands up gives the derivative of every node, so that a derivative is a few times as long as
//! what it is the derivative of, and a value and its derivatives share what they have in common.

use std::f64::consts::FRAC_2_SQRT_PI;

use super::{
    graph::{Graph, Id, Node},
    operations::{Binary, Unary},
};

#[cfg(test)]
mod tests;

impl Graph {
    /// The derivative of `root` with respect to a variable.
    pub(super) fn derivative(&mut self, root: Id, variable: usize) -> Id {
        let (zero, one) = (self.number(0.0), self.number(1.0));
        let reached = self.reached_from(&[root]);
        let mut slopes = vec![zero; root + 1];
        for id in (0..=root).filter(|&id| reached[id]) {
            slopes[id] = match self.node(id) {
                Node::Number(_) => zero,
                Node::Variable(index) => [zero, one][usize::from(index == variable)],
                // Nothing that multiplies 0 need be made.
                node if node.operands().all(|operand| slopes[operand] == zero) => zero,
                Node::Unary(operation, a) => self.slope_of_unary(operation, id, a, slopes[a]),
                Node::Binary(operation, a, b) => self.slope_of_binary(operation, id, [a, b], [slopes[a], slopes[b]]),
                Node::Power(a, n) => {
                    let lower = self.integer_power(a, n - 1);
                    let outer = self.scaled(f64::from(n), lower);
                    self.times(outer, slopes[a])
                }
                Node::Hermite(degree, a) => {
                    let lower = self.lower_hermite(degree, a);
                    let outer = self.scaled(f64::from(degree), lower);
                    self.times(outer, slopes[a])
                }
                Node::Select(condition, yes, no) => self.select(condition, slopes[yes], slopes[no]),
            };
        }
        slopes[root]
    }

    /// Of `id`, an operation on `a`, whose own derivative is `slope`.
    fn slope_of_unary(&mut self, operation: Unary, id: Id, a: Id, slope: Id) -> Id {
        let one = self.number(1.0);
        let outer = match operation {
            Unary::Negate => return self.negated(slope),
            Unary::Relu => {
                let zero = self.number(0.0);
                return self.select(a, slope, zero);
            }
            Unary::Log => return self.over(slope, a),
            Unary::Sqrt => {
                let twice = self.scaled(2.0, id);
                return self.over(slope, twice);
            }
            Unary::Sign => self.number(0.0),
            Unary::Abs => self.unary(Unary::Sign, a),
            Unary::Exp => id,
            Unary::Cos => {
                let sine = self.unary(Unary::Sin, a);
                self.negated(sine)
            }
            Unary::Sin => self.unary(Unary::Cos, a),
            Unary::Erf => {
                let square = self.integer_power(a, 2);
                let exponent = self.negated(square);
                let gauss = self.unary(Unary::Exp, exponent);
                self.scaled(FRAC_2_SQRT_PI, gauss)
            }
            Unary::Tanh => {
                let square = self.integer_power(id, 2);
                self.minus(one, square)
            }
            Unary::Sigmoid => {
                let rest = self.minus(one, id);
                self.times(id, rest)
            }
        };
        self.times(outer, slope)
    }

    /// Of `id`, an operation on `a` and `b`, whose own derivatives are `a_slope` and `b_slope`.
    fn slope_of_binary(&mut self, operation: Binary, id: Id, [a, b]: [Id; 2], [a_slope, b_slope]: [Id; 2]) -> Id {
        match operation {
            Binary::Add => self.plus(a_slope, b_slope),
            Binary::Subtract => self.minus(a_slope, b_slope),
            Binary::Multiply => {
                let (left, right) = (self.times(a_slope, b), self.times(a, b_slope));
                self.plus(left, right)
            }
            // q = a/b: q' = (a' − q b')/b.
            Binary::Divide => {
                let part = self.times(id, b_slope);
                let numerator = self.minus(a_slope, part);
                self.over(numerator, b)
            }
            Binary::Min => {
                let condition = self.minus(b, a);
                self.select(condition, a_slope, b_slope)
            }
            Binary::Max => {
                let condition = self.minus(a, b);
                self.select(condition, a_slope, b_slope)
            }
            Binary::Power => self.slope_of_power(id, [a, b], [a_slope, b_slope]),
        }
    }

    /// aᵇ: `b a^{b−1} a' + aᵇ ln a b'`, the second term 0 at a = 0.
    fn slope_of_power(&mut self, id: Id, [a, b]: [Id; 2], [a_slope, b_slope]: [Id; 2]) -> Id {
        let (zero, one) = (self.number(0.0), self.number(1.0));
        let mut slope = zero;
        if a_slope != zero {
            let exponent = self.minus(b, one);
            let lower = self.binary(Binary::Power, a, exponent);
            let outer = self.times(b, lower);
            slope = self.times(outer, a_slope);
        }
        if b_slope != zero {
            let logarithm = self.unary(Unary::Log, a);
            let growth = self.times(id, logarithm);
            let growth = self.select(a, growth, zero);
            let term = self.times(growth, b_slope);
            slope = self.plus(slope, term);
        }
        slope
    }

    fn plus(&mut self, a: Id, b: Id) -> Id {
        match (self.constant(a), self.constant(b)) {
            (Some(0.0), _) => b,
            (_, Some(0.0)) => a,
            _ if a == b => self.scaled(2.0, a),
            _ => self.binary(Binary::Add, a, b),
        }
    }

    fn minus(&mut self, a: Id, b: Id) -> Id {
        match (self.constant(a), self.constant(b)) {
            (Some(0.0), _) => self.negated(b),
            (_, Some(0.0)) => a,
            _ if a == b => self.number(0.0),
            _ => self.binary(Binary::Subtract, a, b),
        }
    }

    fn negated(&mut self, a: Id) -> Id {
        self.scaled(-1.0, a)
    }

    fn times(&mut self, a: Id, b: Id) -> Id {
        if let Some((condition, yes, no)) = self.vanishing(a) {
            let (yes, no) = (self.times(yes, b), self.times(no, b));
            return self.select(condition, yes, no);
        }
        if self.vanishing(b).is_some() {
            return self.times(b, a);
        }
        match (self.constant(a), self.constant(b), self.node(a), self.node(b)) {
            (Some(factor), ..) => self.scaled(factor, b),
            (_, Some(factor), ..) => self.scaled(factor, a),
            // Factors come together at the front, where they become one.
            (.., Node::Unary(Unary::Negate, a), _) => {
                let product = self.times(a, b);
                self.negated(product)
            }
            (.., Node::Unary(Unary::Negate, b)) => {
                let product = self.times(a, b);
                self.negated(product)
            }
            (.., Node::Binary(Binary::Multiply, factor, a), _) if self.constant(factor).is_some() => {
                let product = self.times(a, b);
                self.times(factor, product)
            }
            (.., Node::Binary(Binary::Multiply, factor, b)) if self.constant(factor).is_some() => {
                let product = self.times(a, b);
                self.times(factor, product)
            }
            _ if a == b => self.integer_power(a, 2),
            // One order, so that b·a is known to be a·b.
            _ => self.binary(Binary::Multiply, a.min(b), a.max(b)),
        }
    }

    /// `factor·a`.
    fn scaled(&mut self, factor: f64, a: Id) -> Id {
        if let Some((condition, yes, no)) = self.vanishing(a) {
            let (yes, no) = (self.scaled(factor, yes), self.scaled(factor, no));
            return self.select(condition, yes, no);
        }
        match (factor, self.constant(a), self.node(a)) {
            (0.0, ..) | (_, Some(0.0), _) => self.number(0.0),
            (1.0, ..) => a,
            (_, Some(number), _) => self.number(factor * number),
            (_, _, Node::Unary(Unary::Negate, a)) => self.scaled(-factor, a),
            (_, _, Node::Binary(Binary::Multiply, first, a)) if self.constant(first).is_some() => {
                let first = self.constant(first).unwrap_or(1.0);
                self.scaled(factor * first, a)
            }
            (-1.0, ..) => self.unary(Unary::Negate, a),
            _ => {
                let factor = self.number(factor);
                self.binary(Binary::Multiply, factor, a)
            }
        }
    }

    fn over(&mut self, a: Id, b: Id) -> Id {
        if let Some((condition, yes, no)) = self.vanishing(a) {
            let (yes, no) = (self.over(yes, b), self.over(no, b));
            return self.select(condition, yes, no);
        }
        match (self.constant(a), self.constant(b)) {
            (Some(0.0), _) | (_, Some(1.0)) => a,
            _ => self.binary(Binary::Divide, a, b),
        }
    }

    /// The parts of a choice one of which is 0. A product with it is made inside, so that it is 0 there whatever the other
    /// factor is: the slope of `sqrt(relu(h))` is 0 at h < 0, not 0/0.
    fn vanishing(&self, id: Id) -> Option<(Id, Id, Id)> {
        match self.node(id) {
            Node::Select(condition, yes, no) if [yes, no].iter().any(|part| self.constant(*part) == Some(0.0)) => {
                Some((condition, yes, no))
            }
            _ => None,
        }
    }

    fn integer_power(&mut self, a: Id, n: i32) -> Id {
        match n {
            0 => self.number(1.0),
            1 => a,
            _ => {
                let n = self.number(f64::from(n));
                self.binary(Binary::Power, a, n)
            }
        }
    }

    /// He_{q−1}(a), for q ≥ 1.
    fn lower_hermite(&mut self, degree: u32, a: Id) -> Id {
        match degree {
            0 | 1 => self.number(1.0),
            2 => a,
            _ => self.hermite(degree - 1, a),
        }
    }
}
