//! `Accept-Language` → one of the two languages that answers are given in.

use axum::http::{HeaderMap, header};

use crate::vocabulary::Language;

/// The language that a request prefers: the one of English and Chinese with the higher quality value (RFC 9110,
/// 12.5.4), English where neither is named.
pub(super) fn preferred(headers: &HeaderMap) -> Language {
    let ranges = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let quality = |wanted: &str| {
        let named = ranges.split(',').filter_map(|range| {
            let (tag, rest) = range.split_once(';').unwrap_or((range, ""));
            let primary = tag.trim().split('-').next().unwrap_or_default();
            let quality = rest.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse::<f32>().ok())?;
            primary.eq_ignore_ascii_case(wanted).then_some(quality)
        });
        named.fold(0.0, f32::max)
    };
    if quality("zh") > quality("en") { Language::Zh } else { Language::En }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_quality_wins_and_english_is_the_default() {
        for (header, language) in [
            ("", Language::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("en-GB, zh;q=0.9", Language::En),
            ("en;q=0.5, ZH;q=0.6", Language::Zh),
            ("fr, zh;q=0.1", Language::Zh),
            ("zh;q=nonsense", Language::En),
            ("*", Language::En),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, header.parse().unwrap());
            assert_eq!(preferred(&headers), language, "{header}");
        }
    }
}
