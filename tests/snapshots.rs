//! One committed sample → its report as text, as a page and as CSV, word for word, so that a change of words is seen.
//!
//! Accept a change that is meant with `INSTA_UPDATE=always cargo test snapshots`, and look at the difference.

use std::path::{Path, PathBuf};

const SAMPLE: &str = "original_card_glare_02.jpg";

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/samples")
}

/// What the program prints with `args` of the sample, by the embedded engine.
fn printed(args: &[&str]) -> String {
    let file = samples().join(SAMPLE);
    let engine = ["--engine", "embedded"];
    let args = args.iter().chain(&engine).map(std::ffi::OsStr::new).chain([file.as_os_str()]);
    steady(&String::from_utf8(crate::bonafide(args).stdout).unwrap())
}

/// `text` without what differs from run to run and between processors: where the samples lie, how long it took, what
/// follows the second decimal, and pictures.
fn steady(text: &str) -> String {
    let text = without_pictures(&text.replace(&*samples().to_string_lossy(), "samples"));
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        out.push_str(before);
        let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        let end = number[..end].trim_end_matches('.').len();
        let (number, after) = number.split_at(end);
        let is_time = after.starts_with(" ms");
        match number.split_once('.') {
            _ if is_time => out.push('T'),
            Some((whole, part)) if part.len() > 2 && !part.contains('.') => {
                out.extend([whole, ".", &part[..2], "…"]);
            }
            _ => out.push_str(number),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `text` with an ellipsis for each picture that is written within it.
fn without_pictures(text: &str) -> String {
    let mut parts = text.split("base64,");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find('"').expect("a picture ends where its attribute does");
        out.push_str("base64,…");
        out.push_str(&part[end..]);
    }
    out
}

#[test]
fn the_text_report_in_both_languages() {
    insta::assert_snapshot!("text_en", printed(&["check", "--lang", "en"]));
    insta::assert_snapshot!("text_zh", printed(&["check", "--lang", "zh"]));
}

#[test]
fn the_page() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    printed(&["screen", "--report", page.to_str().unwrap()]);
    insta::assert_snapshot!("page", steady(&std::fs::read_to_string(page).unwrap()));
}

#[test]
fn the_csv() {
    // The last column is the time that it took.
    let rows = printed(&["screen", "--format", "csv"]);
    let rows: Vec<&str> = rows.lines().filter_map(|row| Some(row.rsplit_once(',')?.0)).collect();
    // Who judged is another with every threshold and model.
    let judge = |cell: &str| cell.len() == 16 && cell.chars().all(|c| c.is_ascii_hexdigit());
    let rows = rows.join("\n");
    let cells: Vec<_> = rows.split('"').map(|cell| if judge(cell) { "…" } else { cell }).collect();
    insta::assert_snapshot!("csv", cells.join("\""));
}
