//! Tokens → graph, by recursive descent.
//!
//! ```text
//! sum     = product (("+" | "-") product)*
//! product = signed (("*" | "/") signed)*
//! signed  = ("+" | "-")* power
//! power   = atom ["^" signed]
//! atom    = number | name | function "(" sum ("," sum)* ")" | "(" sum ")"
//! ```

use std::ops::Range;

use super::{
    Vocabulary,
    graph::{Graph, Id},
    lexer::{Kind, Token, tokens},
    operations::{Binary, Unary},
    words::{Called, MAX_HERMITE, functions, index, list_of_functions, nearest},
};
use crate::error::{Error, Result};

/// How deep parentheses, calls and powers may be nested: the parser's stack.
const MAX_DEPTH: usize = 100;
/// How many different operations: the registers of an evaluation.
const MAX_OPERATIONS: usize = 10_000;
/// The largest index of an indexed variable.
const MAX_INDEX: u64 = 4096;

/// The graph of `text` and its root.
pub(super) fn parse(text: &str, vocabulary: &Vocabulary) -> Result<(Graph, Id)> {
    let mut parser = Parser { text, vocabulary, tokens: tokens(text)?, next: 0, depth: 0, graph: Graph::default() };
    if parser.peek() == Kind::End {
        return fail(0..text.len(), "the expression is empty", "write a number or a formula");
    }
    let root = parser.sum()?;
    match parser.peek() {
        Kind::End => Ok((parser.graph, root)),
        Kind::Symbol(')') => fail(parser.span(), "`)` closes nothing", "remove it, or write the missing `(`"),
        _ => parser.unexpected_after_operand(),
    }
}

struct Parser<'a> {
    text: &'a str,
    vocabulary: &'a Vocabulary,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    graph: Graph,
}

fn fail<T>(span: Range<usize>, reason: impl Into<String>, remedy: impl Into<String>) -> Result<T> {
    Err(Error::Syntax { span, reason: reason.into(), remedy: remedy.into() })
}

impl<'a> Parser<'a> {
    fn sum(&mut self) -> Result<Id> {
        let mut left = self.product()?;
        loop {
            let operation = match self.peek() {
                Kind::Symbol('+') => Binary::Add,
                Kind::Symbol('-') => Binary::Subtract,
                _ => return Ok(left),
            };
            self.next += 1;
            let right = self.product()?;
            left = self.binary(operation, left, right)?;
        }
    }

    fn product(&mut self) -> Result<Id> {
        let mut left = self.signed()?;
        loop {
            let operation = match self.peek() {
                Kind::Symbol('*') => Binary::Multiply,
                Kind::Symbol('/') => Binary::Divide,
                _ => return Ok(left),
            };
            self.next += 1;
            let right = self.signed()?;
            left = self.binary(operation, left, right)?;
        }
    }

    fn signed(&mut self) -> Result<Id> {
        let mut negative = false;
        while let Kind::Symbol(sign @ ('+' | '-')) = self.peek() {
            negative ^= sign == '-';
            self.next += 1;
        }
        let power = self.power()?;
        Ok(if negative { self.graph.unary(Unary::Negate, power) } else { power })
    }

    fn power(&mut self) -> Result<Id> {
        let base = self.atom()?;
        if self.peek() != Kind::Symbol('^') {
            return Ok(base);
        }
        self.next += 1;
        let exponent = self.nested(Self::signed)?;
        self.binary(Binary::Power, base, exponent)
    }

    fn atom(&mut self) -> Result<Id> {
        let (kind, span) = (self.peek(), self.span());
        match kind {
            Kind::Number(number) => {
                self.next += 1;
                Ok(self.graph.number(number))
            }
            Kind::Word => {
                self.next += 1;
                if self.peek() == Kind::Symbol('(') { self.call(span) } else { self.name(span) }
            }
            Kind::Symbol('(') => {
                self.next += 1;
                let inside = self.nested(Self::sum)?;
                self.close(span)?;
                Ok(inside)
            }
            Kind::Symbol(_) | Kind::End => self.missing_operand(),
        }
    }

    /// The arguments of the function whose name was read from `word`.
    fn call(&mut self, word: Range<usize>) -> Result<Id> {
        let name = &self.text[word.clone()];
        let Some(function) = Called::named(name) else {
            return self.unknown_function(word);
        };
        let open = self.span();
        self.next += 1;
        let mut arguments = Vec::new();
        if self.peek() != Kind::Symbol(')') {
            arguments.push(self.nested(Self::sum)?);
            while self.peek() == Kind::Symbol(',') {
                self.next += 1;
                arguments.push(self.nested(Self::sum)?);
            }
        }
        let end = self.close(open)?;
        match (function, &arguments[..]) {
            (Called::Unary(operation), &[a]) => Ok(self.graph.unary(operation, a)),
            (Called::Binary(operation), &[a, b]) => self.binary(operation, a, b),
            (Called::Hermite(degree), &[a]) => Ok(self.graph.hermite(degree, a)),
            _ => {
                let (reason, remedy) = match function.arguments() {
                    1 => (format!("`{name}` takes 1 argument, not {}", arguments.len()), format!("write {name}(…)")),
                    n => (
                        format!("`{name}` takes {n} arguments, not {}", arguments.len()),
                        format!("write {name}(…, …)"),
                    ),
                };
                fail(word.start..end, reason, remedy)
            }
        }
    }

    /// A variable or a constant.
    fn name(&mut self, word: Range<usize>) -> Result<Id> {
        let name = &self.text[word.clone()];
        let variables = &self.vocabulary.variables;
        if let Some(index) = variables.iter().position(|variable| variable == name) {
            return Ok(self.graph.variable(index));
        }
        if let Some(prefix) = &self.vocabulary.indexed
            && let Some(index) = name.strip_prefix(prefix.as_str()).and_then(index)
        {
            return match index {
                0 => fail(
                    word,
                    format!("there is no `{name}`: directions are numbered from 1: {prefix}1, {prefix}2, …"),
                    format!("write {prefix}1 for the first direction"),
                ),
                1..=MAX_INDEX => Ok(self.graph.variable(variables.len() + index as usize - 1)),
                _ => fail(
                    word,
                    format!("`{name}` is out of range: the last direction is {prefix}{MAX_INDEX}"),
                    "use fewer directions",
                ),
            };
        }
        if let Some(constant) = self.vocabulary.constants.get(name) {
            return Ok(self.graph.number(*constant));
        }
        if name == "pi" {
            return Ok(self.graph.number(std::f64::consts::PI));
        }
        if Called::named(name).is_some() {
            let reason = format!("`{name}` is a function and needs parentheses");
            return fail(word, reason, format!("write {name}(…)"));
        }
        let names = self.names();
        let functions = functions();
        let known = names.iter().chain(&functions).map(String::as_str);
        let remedy = match nearest(name, known) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("known here: {}; functions: {}", self.list_of_names(), list_of_functions()),
        };
        fail(word, format!("`{name}` is not known here"), remedy)
    }

    fn unknown_function<T>(&self, word: Range<usize>) -> Result<T> {
        let name = &self.text[word.clone()];
        if name.strip_prefix("he").and_then(index).is_some() {
            let reason = format!("there is no `{name}`: Hermite polynomials go up to degree {MAX_HERMITE}");
            return fail(word, reason, format!("write one of he0(…) … he{MAX_HERMITE}(…)"));
        }
        let indexed = self.vocabulary.indexed.as_ref();
        if self.names().iter().any(|known| known == name)
            || indexed.is_some_and(|prefix| name.strip_prefix(prefix.as_str()).and_then(index).is_some())
        {
            let reason = format!("`{name}` is not a function");
            return fail(word, reason, format!("write {name}*(…) for a product"));
        }
        let functions = functions();
        let remedy = match nearest(name, functions.iter().map(String::as_str)) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("functions: {}", list_of_functions()),
        };
        fail(word, format!("there is no function `{name}`"), remedy)
    }

    /// An operand was expected, and something else is there.
    fn missing_operand<T>(&self) -> Result<T> {
        let (kind, span) = (self.peek(), self.span());
        let before = self.next.checked_sub(1).map(|last| self.tokens[last].span.clone());
        match (kind, before) {
            (Kind::Symbol('*'), Some(before)) if &self.text[before.start..span.end] == "**" => {
                fail(before.start..span.end, "`**` is not an operator", "write ^ for a power, as in z1^2")
            }
            (Kind::Symbol(symbol @ ('*' | '/' | '^' | ',' | ')')), _) => {
                let reason = format!("a number, a name or `(` is missing before `{symbol}`");
                fail(span, reason, "write what belongs there, or remove the symbol")
            }
            (_, Some(before)) => {
                let last = &self.text[before.clone()];
                fail(before, format!("nothing follows `{last}`"), "write what belongs there, or remove the symbol")
            }
            (_, None) => fail(span, "the expression is empty", "write a number or a formula"),
        }
    }

    /// An operand is complete, and what follows continues nothing.
    fn unexpected_after_operand<T>(&self) -> Result<T> {
        let (span, before) = (self.span(), self.tokens[self.next.saturating_sub(1)].span.clone());
        if self.peek() == Kind::Symbol(',') {
            let reason = "`,` separates the arguments of min and max, and nothing else";
            return fail(span, reason, "write decimals with a point, as in 0.5");
        }
        let (left, right) = (&self.text[before.clone()], &self.text[span.clone()]);
        let remedy = format!("write {left}*{right} for a product");
        fail(before.start..span.end, format!("an operator is missing between `{left}` and `{right}`"), remedy)
    }

    /// Reads the `)` that belongs to the `(` at `open`; where it ends.
    fn close(&mut self, open: Range<usize>) -> Result<usize> {
        match self.peek() {
            Kind::Symbol(')') => {
                let end = self.span().end;
                self.next += 1;
                Ok(end)
            }
            Kind::End => fail(open, "`(` is never closed", "write the missing `)`"),
            _ => self.unexpected_after_operand(),
        }
    }

    fn nested(&mut self, parse: fn(&mut Self) -> Result<Id>) -> Result<Id> {
        if self.depth == MAX_DEPTH {
            let reason = format!("nested more than {MAX_DEPTH} deep");
            return fail(self.span(), reason, "write it with fewer parentheses and powers");
        }
        self.depth += 1;
        let id = parse(self)?;
        self.depth -= 1;
        Ok(id)
    }

    fn binary(&mut self, operation: Binary, a: Id, b: Id) -> Result<Id> {
        let id = self.graph.binary(operation, a, b);
        if self.graph.operations() > MAX_OPERATIONS {
            let reason = format!("more than {MAX_OPERATIONS} different operations");
            return fail(0..self.text.len(), reason, "write a shorter expression");
        }
        Ok(id)
    }

    fn peek(&self) -> Kind {
        self.tokens[self.next].kind
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.next].span.clone()
    }

    /// Names that may be used, the first indexed variables among them.
    fn names(&self) -> Vec<String> {
        let Vocabulary { variables, indexed, constants } = self.vocabulary;
        let indexed = indexed.iter().flat_map(|prefix| (1..10).map(move |i| format!("{prefix}{i}")));
        variables.iter().chain(constants.keys()).cloned().chain(indexed).chain(["pi".to_string()]).collect()
    }

    fn list_of_names(&self) -> String {
        let Vocabulary { variables, indexed, constants } = self.vocabulary;
        let indexed = indexed.iter().map(|prefix| format!("{prefix}1, {prefix}2, …"));
        let names: Vec<String> =
            variables.iter().chain(constants.keys()).cloned().chain(indexed).chain(["pi".to_string()]).collect();
        names.join(", ")
    }
}
