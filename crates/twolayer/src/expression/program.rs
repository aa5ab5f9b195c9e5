//! A graph as a list of block operations on registers.

use super::{
    graph::{Graph, Id, Node},
    operations::{Operand, hermite, power, together},
};

/// Samples that go through one operation at a time: a few registers of them stay in the first-level cache.
const BLOCK: usize = 256;

/// Scratch space of an evaluation; make one per thread and reuse it.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    registers: Vec<Vec<f64>>,
}

/// Where an operand is found.
#[derive(Debug, Clone, Copy)]
enum Place {
    Register(usize),
    Input(usize),
    Number(f64),
}

/// One block operation; its result never goes to the register of an operand.
#[derive(Debug, Clone, Copy)]
struct Instruction {
    /// The operation; its own operand ids are not used any more.
    node: Node,
    operands: [Place; 2],
    out: usize,
}

/// What evaluates an expression.
#[derive(Debug, Clone)]
pub(super) struct Program {
    instructions: Vec<Instruction>,
    registers: usize,
    /// The result, where there is no instruction at all.
    result: Place,
}

impl Program {
    pub(super) fn compile(graph: &Graph, root: Id) -> Self {
        let reached = graph.reached_from(root);
        let mut uses_left = vec![0_usize; root + 1];
        for id in (0..=root).filter(|&id| reached[id]) {
            graph.node(id).operands().for_each(|operand| uses_left[operand] += 1);
        }
        let mut places = vec![Place::Number(f64::NAN); root + 1];
        let (mut instructions, mut free, mut registers) = (Vec::new(), Vec::new(), 0);
        for id in (0..=root).filter(|&id| reached[id]) {
            let node = graph.node(id);
            places[id] = match node {
                Node::Number(number) => Place::Number(number.value()),
                Node::Variable(index) => Place::Input(index),
                Node::Unary(..) | Node::Binary(..) | Node::Power(..) | Node::Hermite(..) => {
                    let out = free.pop().unwrap_or_else(|| {
                        registers += 1;
                        registers - 1
                    });
                    let mut operands = [Place::Number(f64::NAN); 2];
                    for (place, operand) in operands.iter_mut().zip(node.operands()) {
                        *place = places[operand];
                        uses_left[operand] -= 1;
                        if let (Place::Register(register), 0) = (*place, uses_left[operand]) {
                            free.push(register);
                        }
                    }
                    instructions.push(Instruction { node, operands, out });
                    Place::Register(out)
                }
            };
        }
        Self { instructions, registers, result: places[root] }
    }

    /// Operations and registers.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.instructions.len(), self.registers)
    }

    pub(super) fn evaluate(&self, inputs: &[&[f64]], out: &mut [f64], scratch: &mut Scratch) {
        let longest = out.len().min(BLOCK);
        if scratch.registers.len() < self.registers {
            scratch.registers.resize_with(self.registers, Vec::new);
        }
        for register in scratch.registers[..self.registers].iter_mut().filter(|register| register.len() < longest) {
            register.resize(longest, 0.0);
        }
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            self.evaluate_block(inputs, block * BLOCK, out, &mut scratch.registers);
        }
    }

    fn evaluate_block(&self, inputs: &[&[f64]], start: usize, out: &mut [f64], registers: &mut [Vec<f64>]) {
        let Some((last, others)) = self.instructions.split_last() else {
            match self.result {
                Place::Input(index) => out.copy_from_slice(&inputs[index][start..start + out.len()]),
                Place::Number(number) => out.fill(number),
                // An instruction fills each register.
                Place::Register(_) => unreachable!(),
            }
            return;
        };
        for instruction in others {
            let mut target = std::mem::take(&mut registers[instruction.out]);
            instruction.run(inputs, start, registers, &mut target[..out.len()]);
            registers[instruction.out] = target;
        }
        last.run(inputs, start, registers, out);
    }
}

impl Instruction {
    fn run(&self, inputs: &[&[f64]], start: usize, registers: &[Vec<f64>], out: &mut [f64]) {
        let [a, b] = self.operands.map(|place| match place {
            Place::Register(register) => Operand::Block(&registers[register][..out.len()]),
            Place::Input(index) => Operand::Block(&inputs[index][start..start + out.len()]),
            Place::Number(number) => Operand::Number(number),
        });
        match (self.node, a) {
            (Node::Binary(operation, ..), a) => operation.of_blocks(a, b, out),
            (Node::Unary(operation, _), Operand::Block(x)) => operation.of_block(x, out),
            (Node::Power(_, 2), Operand::Block(x)) => together(x, out, |x| power(2, x)),
            (Node::Power(_, 3), Operand::Block(x)) => together(x, out, |x| power(3, x)),
            (Node::Power(_, n), Operand::Block(x)) => together(x, out, |x| power(n, x)),
            (Node::Hermite(degree, _), Operand::Block(x)) => together(x, out, |x| hermite(degree, x)),
            // Numbers and variables are no instructions, and functions of numbers were folded.
            (Node::Number(_) | Node::Variable(_), _) | (_, Operand::Number(_)) => unreachable!(),
        }
    }
}
