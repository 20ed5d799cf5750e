//! A time as people write it, `500ms`, `5s`, `10m`, `24h`, `30d` → a duration that makes sense as a setting.

use std::time::Duration;

/// A time, written and read as people do.
pub type Span = humantime::Duration;

/// No setting is longer.
const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

pub(super) fn of_secs(seconds: u64) -> Span {
    Duration::from_secs(seconds).into()
}

/// Reads a time from a millisecond to ten years.
///
/// # Errors
/// When it is none, or out of these bounds.
pub fn span(text: &str) -> Result<Span, String> {
    let refuse = || format!("`{text}` is no time such as 500ms, 5s, 10m, 24h or 30d");
    let span: Span = text.parse().map_err(|_| refuse())?;
    let sound = (Duration::from_millis(1)..=LONGEST).contains(&*span);
    sound.then_some(span).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_they_are_read() {
        for (text, ms) in [
            ("500ms", 500),
            ("5s", 5_000),
            ("10m", 600_000),
            ("24h", 86_400_000),
            ("30d", 2_592_000_000),
            ("90s", 90_000),
        ] {
            let read = span(text).unwrap();
            assert_eq!(read.as_millis(), ms, "{text}");
            assert_eq!(span(&read.to_string()).unwrap(), read, "{text}");
        }
        for text in ["", "5", "s", "0s", "-1s", "5 parsecs", "99999999999999999999s", "9999999d"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
