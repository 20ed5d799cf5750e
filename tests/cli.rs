//! Exit codes, standard input, overlays and `explain`.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::{bonafide, lines, write_picture};

#[test]
fn the_exit_code_of_check_follows_the_decision() {
    let dir = tempfile::tempdir().unwrap();
    let picture = dir.path().join("a.jpg");
    write_picture(&picture, 640, 420, 1);
    let picture = picture.to_str().unwrap();
    let output = bonafide(["check", "--format=json", picture]);
    let (expected, screened) = match lines(&output.stdout)[0]["decision"].as_str().unwrap() {
        "accept" => (0, 0),
        "review" => (3, 3),
        "retake" => (1, 3),
        _ => (1, 1),
    };
    assert_eq!(output.status.code(), Some(expected));
    assert_eq!(bonafide(["check", picture, "/nowhere.jpg"]).status.code(), Some(2));
    assert_eq!(bonafide(["screen", picture]).status.code(), Some(0));
    assert_eq!(bonafide(["screen", picture, "--fail-on=review"]).status.code(), Some(screened));
    assert_eq!(bonafide(["check", picture, "--policy=/nowhere.toml"]).status.code(), Some(2));
}

#[test]
fn a_photograph_on_standard_input_is_reported_as_a_dash() {
    let dir = tempfile::tempdir().unwrap();
    let picture = dir.path().join("a.png");
    write_picture(&picture, 320, 240, 2);
    let mut child = Command::new(env!("CARGO_BIN_EXE_bonafide"))
        .args(["check", "-", "--format=json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&std::fs::read(&picture).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(lines(&output.stdout)[0]["path"], "-");
}

#[test]
fn an_overlay_is_written_only_where_asked() {
    let dir = tempfile::tempdir().unwrap();
    let (picture, folder) = (dir.path().join("a.png"), dir.path().join("overlays"));
    write_picture(&picture, 2000, 1200, 3);
    bonafide(["check".as_ref(), picture.as_os_str()]);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    bonafide(["check".as_ref(), picture.as_os_str(), "--overlay".as_ref(), folder.as_os_str()]);
    let (width, height) = image::image_dimensions(folder.join("001-a.png")).unwrap();
    assert!(width.max(height) <= 1600);
}

#[test]
fn explain_knows_every_detector_and_no_other() {
    for entry in bonafide::detectors::DETECTORS {
        let output = bonafide(["explain", entry.info.id]);
        assert!(String::from_utf8(output.stdout).unwrap().contains(entry.info.readings[0].id));
    }
    let table = bonafide(["explain", "--format=markdown"]).stdout;
    assert_eq!(String::from_utf8(table).unwrap().lines().count(), 2 + bonafide::detectors::DETECTORS.len());
    assert_eq!(bonafide(["explain", "nonsense"]).status.code(), Some(2));
}
