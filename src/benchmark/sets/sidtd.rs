//! A path of SIDTD → an original; forgeries are left out unless asked for, templates and cut-out documents always.

use super::{Fate, Row, Set, TEMPLATE, digits, stem};
use crate::benchmark::labels::{Label, Sample};

/// Captures of the documents of MIDV-2020 (reals), which are original captures, and of forgeries made from them by
/// computer (fakes), which are left out unless asked for; templates are no captures.
pub(super) static SET: Set = Set {
    name: "sidtd",
    home: "https://github.com/Oriolrt/SIDTD_Dataset",
    licence: "see its page",
    layout: "<clips|clips_cropped>/Images/<reals|fakes>/<document type>_<number>_..., such as \
             clips/Images/reals/alb_id_00_frame_12.jpg",
    fate,
};

/// Boned et al. (2024): `clips/Images/reals/alb_id_00_frame_12.jpg`; `clips_cropped` has the documents cut out and made
/// rectangular, so that it is left out, too. Fakes are forgeries made by computer from the documents of MIDV-2020.
fn fate(row: &Row<'_>) -> Option<Fate> {
    let folders: Vec<String> = std::iter::once(row.above)
        .chain(row.folders().iter().copied())
        .map(|folder| folder.trim().to_lowercase())
        .collect();
    let has = |name: &str| folders.iter().any(|folder| folder == name);
    let fake = match (has("reals"), has("fakes")) {
        (true, false) => false,
        (false, true) => true,
        _ => return None,
    };
    if has("templates") {
        return Some(Fate::LeftOut(TEMPLATE));
    }
    if has("clips_cropped") {
        return Some(Fate::LeftOut("document cut out of its capture"));
    }
    if fake && !row.with_altered {
        return Some(Fate::LeftOut("capture of a forged document, which is neither original nor recapture"));
    }
    let (document_type, number) = document(stem(row.file()))?;
    let class = if fake { "fakes" } else { "reals" };
    Some(Fate::Labelled(Sample {
        species: if fake { "altered" } else { "mock" }.to_owned(),
        source: format!("sidtd/{class}/{document_type}/{number}"),
        // A forgery is another document than the one it was made from, but shares most of its picture.
        document_id: Some(format!("midv-2020/{document_type}/{number}")),
        content: Some(document_type),
        ..row.sample(Label::Original)
    }))
}

/// `alb_id_fake_00_frame_12` → `alb_id` and `00`: the words before the first number or `fake`, and the first number.
fn document(stem: &str) -> Option<(String, String)> {
    let words: Vec<&str> = stem.split('_').collect();
    let number = words.iter().position(|word| digits(word))?;
    let end = words.iter().position(|word| word.eq_ignore_ascii_case("fake")).map_or(number, |at| at.min(number));
    (end > 0).then(|| (words[..end].join("_"), words[number].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{left_out, rows, taken, tree};
    use super::super::{Options, import};
    use super::*;

    #[test]
    fn sidtd_forgeries_are_left_out_unless_asked_for_and_templates_always() {
        let files = [
            "clips/Images/fakes/alb_id_fake_03_frame_1.jpg",
            "clips/Images/reals/alb_id_00_frame_12.jpg",
            "clips_cropped/Images/reals/alb_id_00_frame_12.jpg",
            "templates/Images/fakes/alb_id_fake_03.jpg",
            "templates/Images/reals/alb_id_00.jpg",
        ];
        let real = (files[1], Label::Original, "mock", "sidtd/reals/alb_id/00");
        let imported = taken(&SET, &files);
        assert_eq!(rows(&imported), [real]);
        assert_eq!(imported.labels.samples[0].document_id.as_deref(), Some("midv-2020/alb_id/00"));
        let forged = "capture of a forged document, which is neither original nor recapture";
        let rest = [("document cut out of its capture", 1), ("template, which is no capture", 2)];
        assert_eq!(left_out(&imported), [&[(forged, 1)][..], &rest].concat());
        let imported = import(&SET, tree(&files).path(), Options { with_altered: true }).unwrap();
        let fake = (files[0], Label::Original, "altered", "sidtd/fakes/alb_id/03");
        assert_eq!(rows(&imported), [fake, real]);
        assert_eq!(left_out(&imported), rest);
    }
}
