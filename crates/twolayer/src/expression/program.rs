//! Graphs as lists of block operations on registers.

use std::{cell::RefCell, mem::take, ops::Range};

use super::{
    graph::{Graph, Id, Node},
    operations::{Operand, hermite, power, select, together},
};

/// Samples that go through one operation at a time: a few registers of them stay in the first-level cache.
const BLOCK: usize = 256;

/// Scratch space of an evaluation; make one per thread and reuse it.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    registers: Vec<Vec<f64>>,
    /// A block of arguments whose place the results take.
    arguments: Vec<f64>,
}

impl Scratch {
    const EMPTY: Self = Self { registers: Vec::new(), arguments: Vec::new() };

    /// Hands the calling thread's own scratch space to `work`, which must not ask for it again.
    pub(super) fn with_own<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        thread_local! {
            static OWN: RefCell<Scratch> = const { RefCell::new(Scratch::EMPTY) };
        }
        OWN.with_borrow_mut(work)
    }

    fn make_room(&mut self, registers: usize, samples: usize) {
        if self.registers.len() < registers {
            self.registers.resize_with(registers, Vec::new);
        }
        for register in self.registers[..registers].iter_mut().filter(|register| register.len() < samples) {
            register.resize(samples, 0.0);
        }
    }
}

/// Where a result is written.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Slot {
    Register(usize),
    Output(usize),
}

/// Where an operand is found.
#[derive(Debug, Clone, Copy)]
enum Place {
    Slot(Slot),
    Input(usize),
    Number(f64),
}

/// One block operation; its result never goes to the slot of an operand.
#[derive(Debug, Clone, Copy)]
struct Instruction {
    /// The operation; its own operand ids are not used any more.
    node: Node,
    operands: [Place; 3],
    out: Slot,
}

/// What evaluates one or several roots of a graph together: what they share is computed once.
#[derive(Debug, Clone)]
pub(super) struct Program {
    instructions: Vec<Instruction>,
    registers: usize,
    /// Outputs that no instruction writes: inputs, numbers, and equals of other outputs.
    copies: Vec<(usize, Place)>,
}

impl Program {
    /// One output for each root.
    pub(super) fn compile(graph: &Graph, roots: &[Id]) -> Self {
        let reached = graph.reached_from(roots);
        let ids = || (0..reached.len()).filter(|&id| reached[id]);
        let mut uses_left = vec![0_usize; reached.len()];
        ids().flat_map(|id| graph.node(id).operands()).for_each(|operand| uses_left[operand] += 1);
        let mut places = vec![Place::Number(f64::NAN); reached.len()];
        let (mut instructions, mut free, mut registers) = (Vec::new(), Vec::new(), 0);
        for id in ids() {
            let node = graph.node(id);
            places[id] = match node {
                Node::Number(number) => Place::Number(number.value()),
                Node::Variable(index) => Place::Input(index),
                Node::Unary(..) | Node::Binary(..) | Node::Power(..) | Node::Hermite(..) | Node::Select(..) => {
                    let out = match roots.iter().position(|root| *root == id) {
                        Some(output) => Slot::Output(output),
                        None => Slot::Register(free.pop().unwrap_or_else(|| {
                            registers += 1;
                            registers - 1
                        })),
                    };
                    let mut operands = [Place::Number(f64::NAN); 3];
                    for (place, operand) in operands.iter_mut().zip(node.operands()) {
                        *place = places[operand];
                        uses_left[operand] -= 1;
                        if let (Place::Slot(Slot::Register(register)), 0) = (*place, uses_left[operand]) {
                            free.push(register);
                        }
                    }
                    instructions.push(Instruction { node, operands, out });
                    Place::Slot(out)
                }
            };
        }
        let copies = (roots.iter().map(|root| places[*root]).enumerate())
            .filter(|(output, place)| !matches!(place, Place::Slot(slot) if *slot == Slot::Output(*output)))
            .collect();
        Self { instructions, registers, copies }
    }

    /// Operations and registers.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.instructions.len(), self.registers)
    }

    /// `outs[o][μ]` from `inputs[i][μ]`; the outputs are of one length.
    pub(super) fn evaluate(&self, inputs: &[&[f64]], outs: &mut [&mut [f64]], scratch: &mut Scratch) {
        let count = outs.first().map_or(0, |out| out.len());
        scratch.make_room(self.registers, count.min(BLOCK));
        for start in (0..count).step_by(BLOCK) {
            self.evaluate_block(inputs, start..count.min(start + BLOCK), outs, &mut scratch.registers);
        }
    }

    /// `outs[0]` holds the values of the only variable, and outputs take the place of what `outs` hold.
    pub(super) fn evaluate_in_place<const N: usize>(&self, mut outs: [&mut [f64]; N], scratch: &mut Scratch) {
        let count = outs.first().map_or(0, |out| out.len());
        scratch.make_room(self.registers, count.min(BLOCK));
        for start in (0..count).step_by(BLOCK) {
            let end = count.min(start + BLOCK);
            scratch.arguments.clear();
            scratch.arguments.extend_from_slice(&outs[0][start..end]);
            let mut outs = outs.each_mut().map(|out| &mut out[start..end]);
            self.evaluate_block(&[&scratch.arguments], 0..end - start, &mut outs, &mut scratch.registers);
        }
    }

    fn evaluate_block(
        &self,
        inputs: &[&[f64]],
        samples: Range<usize>,
        outs: &mut [&mut [f64]],
        registers: &mut [Vec<f64>],
    ) {
        for instruction in &self.instructions {
            match instruction.out {
                Slot::Register(register) => {
                    let mut target = take(&mut registers[register]);
                    let block = Block { inputs, registers, outs, samples: &samples };
                    instruction.run(&block, &mut target[..samples.len()]);
                    registers[register] = target;
                }
                Slot::Output(output) => {
                    let target = take(&mut outs[output]);
                    let block = Block { inputs, registers, outs, samples: &samples };
                    instruction.run(&block, &mut target[samples.clone()]);
                    outs[output] = target;
                }
            }
        }
        for (output, place) in &self.copies {
            let target = take(&mut outs[*output]);
            match (Block { inputs, registers, outs, samples: &samples }).operand(*place) {
                Operand::Block(values) => target[samples.clone()].copy_from_slice(values),
                Operand::Number(number) => target[samples.clone()].fill(number),
            }
            outs[*output] = target;
        }
    }
}

/// What a block operation may read.
struct Block<'a> {
    inputs: &'a [&'a [f64]],
    registers: &'a [Vec<f64>],
    outs: &'a [&'a mut [f64]],
    /// Of the inputs and outputs; registers hold this block alone.
    samples: &'a Range<usize>,
}

impl Block<'_> {
    fn operand(&self, place: Place) -> Operand<'_> {
        match place {
            Place::Slot(Slot::Register(register)) => Operand::Block(&self.registers[register][..self.samples.len()]),
            Place::Slot(Slot::Output(output)) => Operand::Block(&self.outs[output][self.samples.clone()]),
            Place::Input(index) => Operand::Block(&self.inputs[index][self.samples.clone()]),
            Place::Number(number) => Operand::Number(number),
        }
    }
}

impl Instruction {
    fn run(&self, block: &Block<'_>, out: &mut [f64]) {
        let [a, b, c] = self.operands.map(|place| block.operand(place));
        match (self.node, a) {
            (Node::Binary(operation, ..), a) => operation.of_blocks(a, b, out),
            (Node::Unary(operation, _), Operand::Block(x)) => operation.of_block(x, out),
            (Node::Power(_, 2), Operand::Block(x)) => together(x, out, |x| power(2, x)),
            (Node::Power(_, 3), Operand::Block(x)) => together(x, out, |x| power(3, x)),
            (Node::Power(_, n), Operand::Block(x)) => together(x, out, |x| power(n, x)),
            (Node::Hermite(degree, _), Operand::Block(x)) => together(x, out, |x| hermite(degree, x)),
            (Node::Select(..), Operand::Block(x)) => select(x, b, c, out),
            // Numbers and variables are no instructions, and functions of numbers were folded.
            (Node::Number(_) | Node::Variable(_), _) | (_, Operand::Number(_)) => unreachable!(),
        }
    }
}
