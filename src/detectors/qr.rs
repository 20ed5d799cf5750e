//! QR codes → how many, whether they decode, and the scheme and host they lead to; never the payload.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Evidence, MarkKind, Outcome, Reading};
use crate::geometry::Point;
use crate::scene::Scene;
use crate::words::Fact;

pub static COUNT: Reading = Reading::count("qr.count", "codes found");
pub static DECODED_COUNT: Reading = Reading::count("qr.decoded_count", "codes whose content was read");
pub static URL: Reading = Reading::flag("qr.url", "a code holds an address with scheme and host");
pub static HTTPS: Reading = Reading::flag("qr.https", "the scheme is https");
pub static CUT_SHORT: Reading = Reading::flag("qr.cut_short", "the search ended at its bound, there may be more codes");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "qr",
        question: "Is there a QR code, and where does it lead?",
        readings: &[&COUNT, &DECODED_COUNT, &URL, &HTTPS, &CUT_SHORT],
        method: "Finder patterns are sought on the overview; where there are some, rqrr decodes, and rxing where rqrr \
                 cannot. Scheme and host are told; the rest of the content is kept to itself and never fetched.",
        blind_spots: "A code needs about two overview pixels a module. One code is read by the second chance. Of many \
                      finder patterns those of four codes are searched.",
    },
    build: |_| Box::new(Qr),
};

struct Qr;

impl Detector for Qr {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let (search, scale) = (scene.codes(), scene.overview().scale);
        let codes = &search.found;
        let contents: Vec<&str> = codes.iter().filter_map(|code| code.content.as_deref()).collect();
        let target = contents.iter().find_map(|content| scheme_and_host(content));
        let leads = target.as_ref().map(|(scheme, host)| (scheme.as_str(), host.as_str()));
        let mut evidence = Evidence::told(Fact::Codes {
            found: codes.len(),
            read: contents.len(),
            target: leads,
            cut_short: search.cut_short,
        });
        evidence.read(&COUNT, codes.len() as f64);
        evidence.read(&DECODED_COUNT, contents.len() as f64);
        if !contents.is_empty() {
            evidence.flag(&URL, target.is_some());
            evidence.flag(&HTTPS, target.is_some_and(|(scheme, _)| scheme == "https"));
        }
        if search.cut_short {
            evidence.flag(&CUT_SHORT, true);
        }
        for code in codes {
            let corners: Vec<Point> = code.corners.iter().map(|corner| corner.scaled(scale)).collect();
            evidence.mark(MarkKind::Code, corners, if code.content.is_some() { 1.0 } else { 0.5 });
        }
        evidence.into()
    }
}

/// Longest scheme and host, in characters: a name has at most 253 (RFC 1035, 3.1, without the last dot).
const LONGEST: (usize, usize) = (32, 253);

/// Scheme and host of an address, lower case, without user, port, path or query.
fn scheme_and_host(content: &str) -> Option<(String, String)> {
    let (scheme, rest) = content.trim().split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-.+".contains(c));
    let short = scheme.len() <= LONGEST.0 && host.len() <= LONGEST.1;
    (short && plain(scheme) && plain(host)).then(|| (scheme.to_ascii_lowercase(), host.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_and_host_are_told() {
        let told = |text: &str| scheme_and_host(text).map(|(scheme, host)| format!("{scheme} {host}"));
        assert_eq!(told("HTTPS://user:pw@Example.COM:8443/a?id=7").as_deref(), Some("https example.com"));
        assert_eq!(told("11010519491231002X"), None);
        assert_eq!(told("https:///nothing"), None);
        assert_eq!(told(&format!("https://{}/", "a".repeat(254))), None);
        for text in ["https://a\u{1b}[2J", "https://<b>", "java\nscript://a", "https://a\u{202e}b", "=1+1://a"] {
            assert_eq!(told(text), None, "{text:?}");
        }
    }
}
