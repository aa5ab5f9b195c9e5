//! Expressions at random: mostly right, some damaged, some without measure.

use super::{dice::Dice, mutate};

const FUNCTIONS: [&str; 22] = [
    "he0", "he1", "he2", "he3", "he4", "he7", "he20", "he21", "erf", "tanh", "relu", "sign", "abs", "exp", "log",
    "sqrt", "sin", "cos", "sigmoid", "min", "max", "sinn",
];
const NUMBERS: [&str; 14] =
    ["0", "1", "2", "3", "0.5", "-1", "1e-3", "1e300", "1e-320", ".5", "1.", "1e400", "20", "pi"];

/// An expression in `names`, damaged once in `damaged` times.
pub fn expression(dice: &mut Dice, names: &[&str], damaged: usize) -> String {
    if dice.one_in(200) {
        return monster(dice);
    }
    let depth = 1 + dice.below(5);
    let mut text = term(dice, names, depth);
    if dice.one_in(damaged) {
        let mut bytes = text.into_bytes();
        mutate::bytes(dice, &mut bytes);
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    text
}

fn term(dice: &mut Dice, names: &[&str], depth: usize) -> String {
    if depth == 0 || dice.one_in(6) {
        return if dice.one_in(3) { dice.of(&NUMBERS) } else { dice.of(names) }.to_string();
    }
    let inner = |dice: &mut Dice| term(dice, names, depth - 1);
    match dice.below(9) {
        0 | 1 => format!("{} + {}", inner(dice), inner(dice)),
        2 => format!("{} - ({})", inner(dice), inner(dice)),
        3 => format!("{}*{}", inner(dice), inner(dice)),
        4 => format!("({})/({})", inner(dice), inner(dice)),
        5 => format!("({})^{}", inner(dice), dice.of(&["2", "3", "0.5", "-1", "1000", "z1", "h", "0", "(-1)^3"])),
        _ => {
            let name = dice.of(&FUNCTIONS);
            let first = inner(dice);
            let two = matches!(name, "min" | "max") != dice.one_in(30);
            if two { format!("{name}({first}, {})", inner(dice)) } else { format!("{name}({first})") }
        }
    }
}

/// Deep, long or endless.
fn monster(dice: &mut Dice) -> String {
    let n = [90, 101, 1000, 20_000][dice.below(4)];
    match dice.below(8) {
        0 => format!("{}z1{}", "(".repeat(n), ")".repeat(n)),
        1 => format!("{}z1{}", "sin(".repeat(n), ")".repeat(n)),
        2 => format!("{}z1", "-".repeat(n)),
        3 => format!("{}z1", "2^".repeat(n)),
        4 => vec!["z1"; n].join("+"),
        5 => vec!["z1*h"; n].join("^"),
        6 => (1..=n.min(5000)).map(|i| format!("he{}(z{i})", i % 20)).collect::<Vec<_>>().join("*"),
        _ => format!("{}{}", "9".repeat(n), "z".repeat(n)),
    }
}
