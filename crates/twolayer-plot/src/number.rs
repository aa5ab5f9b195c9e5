//! Numbers as labels have them.

fn scientific(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let n = value.abs().log10().floor() as i32;
    let mantissa = format!("{:.3}", value / 10_f64.powi(n));
    format!("{}·10{}", minus(mantissa.trim_end_matches('0').trim_end_matches('.')), superscript(n))
}

/// A number as the file has it, at most four digits long: `0.00012` and `1.2e-4` are 1.2·10⁻⁴. Other words stay.
pub fn readable(word: &str) -> String {
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

/// Three significant digits.
pub fn short(value: f64) -> String {
    if value == 0.0 || (1e-2..1e5).contains(&value.abs()) {
        let decimals = if value == 0.0 { 0 } else { (2 - value.abs().log10().floor() as i32).max(0) as usize };
        let text = format!("{value:.decimals$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
    } else {
        minus(&format!("{value:.2e}"))
    }
}

/// With a true minus sign.
pub fn minus(number: &str) -> String {
    number.replace('-', "−")
}

/// Above the line: ⁻³.
pub fn superscript(n: i32) -> String {
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
pub fn subscript(base: &str, numbers: &[usize]) -> String {
    let separator = if numbers.iter().any(|&n| n > 9) { "," } else { "" };
    let digits = numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(separator);
    let lower = |c: char| c.to_digit(10).and_then(|d| char::from_u32(0x2080 + d)).unwrap_or(c);
    base.chars().chain(digits.chars().map(lower)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
