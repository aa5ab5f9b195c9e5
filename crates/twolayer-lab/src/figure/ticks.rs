//! Where an axis has its ticks, and what they say.
use twolayer_file::experiment::Scale;

use super::AxisOf;

/// A tick; minor ones have no label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub at: f64,
    pub label: String,
}

/// The ticks of an axis, at most about `most` with a label.
pub(super) fn ticks(axis: &AxisOf, most: usize) -> Vec<Tick> {
    if !axis.names.is_empty() {
        let every = axis.names.len().div_ceil(most.max(1));
        let named = |(i, name): (usize, &String)| Tick { at: i as f64, label: name.clone() };
        return axis.names.iter().enumerate().step_by(every).map(named).collect();
    }
    match axis.scale {
        Scale::Linear => linear(axis.limits, 10_f64.powi(power(axis)), most),
        Scale::Log => logarithmic(axis.limits, most),
    }
}

/// The power of ten that a linear axis counts in: small and large numbers are written once, beside the label.
pub(super) fn power(axis: &AxisOf) -> i32 {
    let far = axis.limits.0.abs().max(axis.limits.1.abs());
    let plain = axis.scale == Scale::Log || !axis.names.is_empty() || (1e-2..1e5).contains(&far);
    if plain { 0 } else { far.log10().floor() as i32 }
}

/// The label of an axis, with the power of ten it counts in.
pub(super) fn label(axis: &AxisOf) -> String {
    match power(axis) {
        0 => axis.label.clone(),
        n => format!("{}  (10{})", axis.label, superscript(n)),
    }
}

/// 1, 2 or 5 times a power of ten apart (a quarter more than asked for, at most), all with the same number of decimals.
fn linear((low, high): (f64, f64), unit: f64, most: usize) -> Vec<Tick> {
    let (low, high) = (low / unit, high / unit);
    let rough = (high - low) / most as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= 0.8 * rough);
    let step = step.unwrap_or(10.0 * power);
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    let label = |value: f64| {
        let value = if value.abs() < 1e-9 * step { 0.0 } else { value };
        minus(&format!("{value:.decimals$}"))
    };
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|i| Tick { at: i as f64 * step * unit, label: label(i as f64 * step) }).collect()
}

/// 10ⁿ, or 1, 2 and 5 times it where fewer than two powers of ten are seen; the rest of 2…9 unlabelled.
fn logarithmic((low, high): (f64, f64), most: usize) -> Vec<Tick> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let seen = |value: f64| value >= low * (1.0 - 1e-9) && value <= high * (1.0 + 1e-9);
    let power = |n: i32| 10_f64.powi(n);
    let powers = (first..=last).filter(|&n| seen(power(n))).count();
    let every = powers.div_ceil(most.max(1)).max(1) as i32;
    let mut ticks = Vec::new();
    for n in first..=last {
        for digit in 1..10 {
            let at = f64::from(digit) * power(n);
            if !seen(at) {
                continue;
            }
            let label = match digit {
                1 if powers < 2 => plain(n, 1),
                1 if n.rem_euclid(every) == 0 => format!("10{}", superscript(n)),
                2 | 5 if powers < 2 => plain(n, digit),
                _ => String::new(),
            };
            if digit == 1 || every == 1 {
                ticks.push(Tick { at, label });
            }
        }
    }
    ticks
}

/// digit·10ⁿ in the shortest way.
fn plain(n: i32, digit: i32) -> String {
    match n {
        -3..0 => format!("{:.*}", n.unsigned_abs() as usize, f64::from(digit) * 10_f64.powi(n)),
        0..4 => format!("{}", digit * 10_i32.pow(n.unsigned_abs())),
        _ if digit == 1 => format!("10{}", superscript(n)),
        _ => format!("{digit}·10{}", superscript(n)),
    }
}

fn scientific(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let n = value.abs().log10().floor() as i32;
    let mantissa = format!("{:.3}", value / 10_f64.powi(n));
    format!("{}·10{}", minus(mantissa.trim_end_matches('0').trim_end_matches('.')), superscript(n))
}

/// A number as the file has it, at most four digits long: `0.00012` and `1.2e-4` are 1.2·10⁻⁴. Other words stay.
pub(super) fn readable(word: &str) -> String {
    let Ok(value) = word.parse::<f64>() else { return word.into() };
    if !value.is_finite() {
        return word.into();
    }
    if value != 0.0 && !(1e-3..1e5).contains(&value.abs()) {
        let text = scientific(value);
        return text.strip_prefix("1·").map(String::from).unwrap_or(text);
    }
    let decimals = if value == 0.0 { 0 } else { (3 - value.abs().log10().floor() as i32).max(0) as usize };
    let text = format!("{value:.decimals$}");
    minus(if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text })
}

/// With a true minus sign.
pub(super) fn minus(number: &str) -> String {
    number.replace('-', "−")
}

pub(super) fn superscript(n: i32) -> String {
    n.to_string()
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            digit => char::from_u32(0x2070 + digit as u32 - '0' as u32).unwrap_or(digit),
        })
        .collect()
}

/// `base` with a subscript number: z₁, M₁₂.
pub(super) fn subscript(base: &str, numbers: &[usize]) -> String {
    let separator = if numbers.iter().any(|&n| n > 9) { "," } else { "" };
    let digits = numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(separator);
    let lower = |c: char| c.to_digit(10).and_then(|d| char::from_u32(0x2080 + d)).unwrap_or(c);
    base.chars().chain(digits.chars().map(lower)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, limits: (f64, f64), most: usize) -> Vec<String> {
        let axis = AxisOf::new("", scale, limits);
        ticks(&axis, most).into_iter().map(|t| t.label).filter(|l| !l.is_empty()).collect()
    }

    #[test]
    fn a_linear_axis_has_round_numbers_with_the_same_decimals() {
        assert_eq!(labels(Scale::Linear, (-0.31, 1.0), 6), ["−0.2", "0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(Scale::Linear, (0.0, 6.0), 7), ["0", "1", "2", "3", "4", "5", "6"]);
        assert_eq!(labels(Scale::Linear, (0.0, 2e6), 4), ["0.0", "0.5", "1.0", "1.5", "2.0"]);
        assert_eq!(label(&AxisOf::new("risk", Scale::Linear, (0.0, 2e-3))), "risk  (10⁻³)");
        assert_eq!(label(&AxisOf::new("risk", Scale::Linear, (0.0, 0.2))), "risk");
    }

    #[test]
    fn a_log_axis_has_powers_of_ten() {
        assert_eq!(labels(Scale::Log, (1e-3, 1e2), 8), ["10⁻³", "10⁻²", "10⁻¹", "10⁰", "10¹", "10²"]);
        assert_eq!(labels(Scale::Log, (2e-8, 3e4), 5), ["10⁻⁶", "10⁻³", "10⁰", "10³"]);
        assert_eq!(labels(Scale::Log, (0.03, 0.6), 8), ["0.05", "0.1", "0.2", "0.5"]);
    }

    #[test]
    fn swept_values_are_short() {
        let words = ["1e-4", "0.00012", "1000", "2.120950887920191", "-0.5", "0", "1e5", "relu", "0.5/d", "12345"];
        let short = ["10⁻⁴", "1.2·10⁻⁴", "1000", "2.121", "−0.5", "0", "10⁵", "relu", "0.5/d", "12345"];
        assert_eq!(words.map(readable), short);
    }

    #[test]
    fn numbers_go_below_the_line() {
        assert_eq!(subscript("M", &[1, 2]), "M₁₂");
        assert_eq!(subscript("M", &[10, 2]), "M₁₀,₂");
    }
}
