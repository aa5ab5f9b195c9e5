//! Which expressions are sums of functions of one linear form each.

use super::{
    Expression, Function,
    graph::{Graph, Id, Node},
    operations::{Binary, Unary},
};

/// `weight · f(⟨form, x⟩)`.
#[derive(Debug, Clone)]
pub struct Ridge {
    /// What multiplies it.
    pub weight: f64,
    /// The linear form, as long as the expression has variables.
    pub form: Vec<f64>,
    /// f. The error function is written as `erf(h/√2)`, the form multiplied by √2.
    pub function: Function,
}

/// Terms that are followed at most.
const TERMS: usize = 4096;

impl Expression {
    /// The terms of a sum `Σ_m c_m f_m(⟨v_m, x⟩)`: each an `erf`, `tanh`, `relu` or `sigmoid` of a linear form without a
    /// constant, or any function of one variable alone. `None` where a term is neither.
    pub fn ridges(&self) -> Option<Vec<Ridge>> {
        let mut open = vec![(1.0, self.root)];
        let mut ridges = Vec::new();
        while let Some((weight, id)) = open.pop() {
            if open.len() + ridges.len() > TERMS {
                return None;
            }
            match self.graph.node(id) {
                Node::Binary(Binary::Add, a, b) => open.extend([(weight, b), (weight, a)]),
                Node::Binary(Binary::Subtract, a, b) => open.extend([(-weight, b), (weight, a)]),
                Node::Unary(Unary::Negate, a) => open.push((-weight, a)),
                Node::Binary(Binary::Multiply, a, b) if let Some(c) = self.graph.constant(a) => {
                    open.push((c * weight, b))
                }
                Node::Binary(Binary::Multiply, a, b) if let Some(c) = self.graph.constant(b) => {
                    open.push((c * weight, a))
                }
                Node::Binary(Binary::Divide, a, b) if let Some(c) = self.graph.constant(b) => {
                    open.push((weight / c, a))
                }
                _ => ridges.push(self.ridge(weight, id)?),
            }
        }
        Some(ridges)
    }

    fn ridge(&self, weight: f64, id: Id) -> Option<Ridge> {
        if let Node::Unary(operation @ (Unary::Erf | Unary::Tanh | Unary::Relu | Unary::Sigmoid), argument) =
            self.graph.node(id)
            && let Some(mut form) = self.form(argument)
        {
            let mut graph = Graph::default();
            let mut h = graph.variable(0);
            if operation == Unary::Erf {
                form.iter_mut().for_each(|v| *v *= std::f64::consts::SQRT_2);
                let root = graph.number(std::f64::consts::SQRT_2);
                h = graph.binary(Binary::Divide, h, root);
            }
            let root = graph.unary(operation, h);
            return Some(Ridge { weight, form, function: Function::of(&self.source, graph, root) });
        }
        let nodes = self.graph.reached_nodes(id);
        let mut variables = nodes.iter().filter_map(|node| match node {
            Node::Variable(index) => Some(*index),
            _ => None,
        });
        let only = variables.next()?;
        if variables.next().is_some() {
            return None;
        }
        let form = (0..self.arity()).map(|r| f64::from(r == only)).collect();
        let (graph, root) = self.graph.with_one_variable(id);
        Some(Ridge { weight, form, function: Function::of(&self.source, graph, root) })
    }

    /// A linear form without a constant.
    fn form(&self, id: Id) -> Option<Vec<f64>> {
        let polynomial = self.graph.polynomial(id).filter(|polynomial| polynomial.degree() == 1)?;
        let mut form = vec![0.0; self.arity()];
        for (alpha, c) in polynomial.terms() {
            // α is as long as its last variable.
            form[alpha.len().checked_sub(1)?] = c;
        }
        Some(form)
    }
}

impl Function {
    /// Of variable 0 of a graph.
    fn of(source: &str, graph: Graph, root: Id) -> Self {
        Self::of_expression(Expression::of(source.into(), graph, root, 1))
    }
}

#[cfg(test)]
mod tests {
    use crate::expression::{Expression, Vocabulary};

    #[test]
    fn sums_of_functions_of_linear_forms() {
        let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
        let ridges = |text: &str| Expression::parse(text, &vocabulary).unwrap().ridges();
        let got = ridges("0.5*erf(z1/sqrt(2)) - tanh(z1 - 2*z3)/4 - (z2*exp(-z2))*3").unwrap();
        let weights: Vec<f64> = got.iter().map(|ridge| ridge.weight).collect();
        assert_eq!(weights, [0.5, -0.25, -3.0]);
        let forms: Vec<&[f64]> = got.iter().map(|ridge| ridge.form.as_slice()).collect();
        assert!((forms[0][0] - 1.0).abs() < 1e-15 && forms[0][1..] == [0.0, 0.0]);
        assert_eq!(forms[1..], [[1.0, 0.0, -2.0], [0.0, 1.0, 0.0]]);
        let mut h = [0.7];
        got[2].function.values(&mut h);
        assert!((h[0] - 0.7 * (-0.7_f64).exp()).abs() < 1e-15);
        for text in ["z1*z2", "relu(z1 + z2 + 1)", "relu(z1*z2)", "relu(z1) + 1", "max(z1, z2)"] {
            assert!(ridges(text).is_none(), "{text}");
        }
    }
}
