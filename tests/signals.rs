//! Ctrl-C and TERM: the program ends in the midst of a picture, with whole rows and the exit code of the signal.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::{lines, write_picture};

/// A folder of a small picture and one that takes long.
fn folder(dir: &Path) -> PathBuf {
    let folder = dir.join("in");
    std::fs::create_dir(&folder).unwrap();
    write_picture(&folder.join("a.png"), 240, 160, 1);
    write_picture(&folder.join("b.png"), 6000, 4500, 2);
    folder
}

fn begin(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_bonafide"))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Waits until `path` holds what `enough` asks for, while `child` is at work.
fn wait_for(child: &mut Child, path: &Path, enough: impl Fn(&[u8]) -> bool) {
    while !std::fs::read(path).is_ok_and(|bytes| enough(&bytes)) {
        assert!(child.try_wait().unwrap().is_none(), "the program has ended");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_long_picture_does_not_hold_up_the_end_and_rows_are_whole() {
    for (signals, code) in [(&["-TERM"][..], 143), (&["-INT"], 130), (&["-INT", "-INT"], 130)] {
        let dir = tempfile::tempdir().unwrap();
        let (folder, rows, page) = (folder(dir.path()), dir.path().join("rows"), dir.path().join("page.html"));
        let texts = [folder.to_str().unwrap(), rows.to_str().unwrap(), page.to_str().unwrap()];
        let mut child = begin(&["screen", texts[0], "-o", texts[1], "--report", texts[2], "--threads=1"]);
        wait_for(&mut child, &rows, |bytes| bytes.ends_with(b"\n"));
        for signal in signals {
            send(&child, signal);
            // Two signals at the same moment are one.
            std::thread::sleep(Duration::from_millis(30));
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        let written = lines(&std::fs::read(&rows).unwrap());
        assert_eq!(written.len(), 1, "the long picture was waited for");
        if signals.len() == 1 {
            let html = std::fs::read_to_string(&page).unwrap();
            assert!(html.contains("Broken off") && html.matches("<article ").count() == 1);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains("1 files") && said.contains("--resume goes on"), "{said}");
        }
    }
}

#[test]
fn check_ends_with_the_code_of_the_signal() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    let (small, long) = (folder.join("a.png"), folder.join("b.png"));
    let overlays = dir.path().join("overlays");
    let mut child = begin(&[
        "check",
        "--format=json",
        small.to_str().unwrap(),
        long.to_str().unwrap(),
        "--overlay",
        overlays.to_str().unwrap(),
    ]);
    wait_for(&mut child, &overlays.join("001-a.png"), |_| true);
    send(&child, "-TERM");
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(143));
    let names: Vec<_> = std::fs::read_dir(&overlays).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["001-a.png"]);
}

#[cfg(feature = "simulation")]
#[test]
fn simulate_leaves_whole_captures_and_rows() {
    let dir = tempfile::tempdir().unwrap();
    let (out, labels) = (dir.path().to_str().unwrap(), dir.path().join("labels.csv"));
    let mut child = begin(&["simulate", "--out", out, "--count=500"]);
    wait_for(&mut child, &labels, |bytes| bytes.split(|byte| *byte == b'\n').count() > 2);
    send(&child, "-TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
    assert!(std::fs::read(&labels).unwrap().ends_with(b"\n"));
    let mut rows = 0;
    for row in csv::Reader::from_path(&labels).unwrap().records() {
        image::image_dimensions(dir.path().join(&row.unwrap()[0])).unwrap();
        rows += 1;
    }
    assert!((1..500).contains(&rows));
}

#[cfg(feature = "bench")]
#[test]
fn bench_leaves_whole_rows_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    folder(dir.path());
    let (labels, run) = (dir.path().join("labels.csv"), dir.path().join("run"));
    std::fs::write(&labels, "path,label\nin/a.png,original\nin/b.png,screen\n").unwrap();
    let texts = [labels.to_str().unwrap(), run.to_str().unwrap()];
    let mut child = begin(&["bench", texts[0], "-o", texts[1], "--threads=1"]);
    wait_for(&mut child, &run.join("findings.jsonl"), |bytes| bytes.ends_with(b"\n"));
    send(&child, "-TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
    assert_eq!(lines(&std::fs::read(run.join("findings.jsonl")).unwrap()).len(), 1);
}
