//! A path of ROSE-Youtu → the label that the code in its name stands for; masks are left out.

use super::{Fate, Row, Set, digits};
use crate::benchmark::labels::{Label, Sample};

/// Faces of people, no documents: genuine (G), printed (Ps still, Pq moved) and replayed on screens (Vl, Vm); masks (Mc,
/// Mf, Mu) are left out.
pub(super) static SET: Set = Set {
    name: "rose-youtu",
    home: "https://rose1.ntu.edu.sg/dataset/faceLivenessDetection/",
    licence: "see its page; on application",
    layout: "files or folders <code>_<T|NT>_<device>_<g|wg>_<background>_<person>_<number>, such as G_NT_5s_g_E_2_1, \
             with a number and _ before it or not",
    fate,
};

const DEVICES: [(&str, &str); 5] = [
    ("HS", "Hasee smart-phone"),
    ("HW", "Huawei smart-phone"),
    ("IP", "Apple iPad 4"),
    ("5s", "Apple iPhone 5s"),
    ("ZTE", "ZTE smart-phone"),
];

/// Li et al. (2018): `G_NT_5s_g_E_2_1` is a genuine face, not talking, taken by an iPhone 5s, with glasses, before
/// background E, of person 2, the first such clip. A person is a source; there is no document.
fn fate(row: &Row<'_>) -> Option<Fate> {
    let words = row.parts.iter().copied().rev().find_map(words)?;
    let (label, species) = match words[0] {
        "G" => (Label::Original, "genuine"),
        "Ps" => (Label::Print, "still-print"),
        "Pq" => (Label::Print, "moved-print"),
        "Vl" => (Label::Screen, "replay-on-lenovo"),
        "Vm" => (Label::Screen, "replay-on-mac"),
        _ => return Some(Fate::LeftOut("mask, which is neither original, screen nor print")),
    };
    Some(Fate::Labelled(Sample {
        species: species.to_owned(),
        source: format!("rose-youtu/person-{}", words[5]),
        device: DEVICES.iter().find(|(code, _)| *code == words[2]).map(|(_, name)| (*name).to_owned()),
        content: Some("face".to_owned()),
        ..row.sample(label)
    }))
}

/// The words of a name from its code on, when it is one; a number may stand before.
fn words(name: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = name.split(['_', '.']).collect();
    let start = usize::from(words.first().is_some_and(|word| digits(word)));
    let words = words.get(start..).filter(|words| words.len() >= 7)?;
    let code = ["G", "Ps", "Pq", "Vl", "Vm", "Mc", "Mf", "Mu", "Ml"].contains(&words[0]);
    (code && ["T", "NT"].contains(&words[1]) && digits(words[5])).then(|| words.to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{left_out, refused, rows, taken};
    use super::super::{ALIEN, ImportError};
    use super::*;

    #[test]
    fn rose_youtu_codes_are_read_from_files_and_from_folders_of_frames() {
        let files = [
            "10/Pq_T_ZTE_wg_A_10_4/000001.png",
            "2/2_G_NT_5s_g_E_2_1.jpg",
            "2/Mc_NT_HS_g_E_2_1.jpg",
            "2/Vm_NT_HW_wg_E_2_12.jpg",
            "2/portrait.jpg",
        ];
        let imported = taken(&SET, &files);
        assert_eq!(
            rows(&imported),
            [
                (files[0], Label::Print, "moved-print", "rose-youtu/person-10"),
                (files[1], Label::Original, "genuine", "rose-youtu/person-2"),
                (files[3], Label::Screen, "replay-on-mac", "rose-youtu/person-2"),
            ]
        );
        let devices: Vec<_> = imported.labels.samples.iter().map(|s| s.device.as_deref().unwrap()).collect();
        assert_eq!(devices, ["ZTE smart-phone", "Apple iPhone 5s", "Huawei smart-phone"]);
        assert_eq!(left_out(&imported), [("mask, which is neither original, screen nor print", 1), (ALIEN, 1)]);
    }

    #[test]
    fn videos_alone_are_refused_with_a_command_that_takes_frames() {
        let error = refused(&SET, &["it's/G_NT_5s_g_E_2_1.mp4", "it's/G_NT_5s_g_E_2_2.MOV", "list.txt"]);
        let text = error.to_string();
        assert!(matches!(error, ImportError::Videos { count: 2, .. }), "{text}");
        assert!(text.contains("it'\\''s/G_NT_5s_g_E_2_1.mp4' -vf fps=1 '"), "{text}");
        assert!(text.ends_with("it'\\''s/G_NT_5s_g_E_2_1'/%06d.png"), "{text}");
    }
}
