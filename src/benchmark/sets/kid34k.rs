//! A path of KID34K → the label that its class names, and the card.

use super::{Fate, Row, Set, digits};
use crate::benchmark::labels::{Label, Sample};

/// 34,662 photographs of plastic replicas of Korean identity cards and driving licences, of screens and of prints that
/// show them.
pub(super) static SET: Set = Set {
    name: "kid34k",
    home: "https://github.com/DASH-Lab/idcard_fraud_detection",
    licence: "see its page",
    layout: "a folder U<number>_<DL|ID> and a folder <genuine|real|screen|print|paper> in any order, such as \
             U02_DL/screen/1.jpg; file names may begin with the card instead",
    fate,
};

/// Park et al., CIKM 2023: cards of made-up users, `U02_DL` a driving licence and `U02_ID` an identity card, each with
/// captures of the replica, of screens and of prints. A card is a document and a source.
fn fate(row: &Row<'_>) -> Option<Fate> {
    let (card, content) = std::iter::once(row.above).chain(row.parts.iter().copied()).rev().find_map(card)?;
    // A folder above may be named "real" by chance.
    let label = row.folders().iter().rev().find_map(|folder| match Label::of(folder) {
        Some(Label::Screenshot) => None,
        label => label,
    })?;
    let document = format!("kid34k/{card}");
    Some(Fate::Labelled(Sample {
        species: if label == Label::Original { "plastic-replica" } else { label.name() }.to_owned(),
        source: document.clone(),
        document_id: Some(document),
        content: Some(content.to_owned()),
        ..row.sample(label)
    }))
}

/// `U02_DL_7.jpg` → `U02_DL` and what that is.
fn card(name: &str) -> Option<(&str, &'static str)> {
    let (user, rest) = name.split_once('_')?;
    let content = match rest.get(..2)? {
        "DL" => "driving licence",
        "ID" => "identity card",
        _ => return None,
    };
    let ends = rest[2..].chars().next().is_none_or(|next| !next.is_ascii_alphanumeric());
    (digits(user.strip_prefix('U')?) && ends).then(|| (&name[..user.len() + 3], content))
}

#[cfg(test)]
mod tests {
    use super::super::ALIEN;
    use super::super::testing::{left_out, rows, taken};
    use super::*;

    #[test]
    fn kid34k_cards_and_classes_are_found_in_any_order() {
        let files = [
            "U02_DL/genuine/1.jpg",
            "U02_DL/print/2.jpg",
            "U02_DLX/print/2.jpg",
            "U02_ID/screenshot/2.jpg",
            "U02_ID/unsorted/2.jpg",
            "screen/U12_ID_0001.jpg",
        ];
        let imported = taken(&SET, &files);
        assert_eq!(
            rows(&imported),
            [
                (files[0], Label::Original, "plastic-replica", "kid34k/U02_DL"),
                (files[1], Label::Print, "print", "kid34k/U02_DL"),
                (files[5], Label::Screen, "screen", "kid34k/U12_ID"),
            ]
        );
        assert_eq!(imported.labels.samples[2].content.as_deref(), Some("identity card"));
        assert_eq!(left_out(&imported), [(ALIEN, 3)]);
    }
}
