//! Numbers and names → text that fits and that XML allows.

/// Height of letters.
pub(super) const FONT: f64 = 20.0;

/// A share in per cent, without the sign.
pub(super) fn percent(share: f64) -> String {
    let value = share * 100.0;
    trimmed(if value.abs() < 0.01 { format!("{value:.4}") } else { format!("{value:.2}") })
}

/// Decimals without the zeros at their end.
pub(super) fn trimmed(number: String) -> String {
    let short = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { &number };
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

pub(super) fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// `text` without what XML forbids and what could disguise a name: control characters and turns of direction.
pub(super) fn plain(text: &str) -> String {
    let disguise = |c: char| {
        c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
    };
    text.chars().map(|c| if disguise(c) { '\u{fffd}' } else { c }).collect()
}

/// About how wide a text is drawn; nobody measures letters here.
pub(super) fn width_of(text: &str) -> i32 {
    let wide = |c: char| match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | ' ' | '.' | ',' | ':' | '(' | ')' | '|' => 0.34,
        c if c.is_ascii_uppercase() || c == 'm' || c == 'w' || c == '%' => 0.76,
        c if c < '\u{2e80}' => 0.58,
        _ => 1.0,
    };
    (text.chars().map(wide).sum::<f64>() * FONT).ceil() as i32
}

/// As much of `text` as is about `width` wide, with an ellipsis where something is left out.
pub(super) fn fitted(text: &str, width: i32) -> String {
    let text = plain(text);
    if width_of(&text) <= width {
        return text;
    }
    let mut cut = String::new();
    for c in text.chars() {
        cut.push(c);
        if width_of(&cut) > width - FONT as i32 {
            cut.pop();
            break;
        }
    }
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_where_the_drawing_ends() {
        let cut = fitted(&"W".repeat(200), 300);
        assert!(cut.ends_with('…') && width_of(&cut) <= 310 && width_of(&cut) > 250);
        assert_eq!(fitted("short", 300), "short");
    }
}
