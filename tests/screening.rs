//! Screening a folder: the same rows on any number of threads, and after any interruption.

use std::path::Path;

use crate::{bonafide, lines, write_picture};

fn fill(folder: &Path) {
    std::fs::create_dir_all(folder.join("deep")).unwrap();
    for seed in 0..6 {
        write_picture(&folder.join(format!("{seed}.jpg")), 400 + 40 * seed, 300, seed);
    }
    write_picture(&folder.join("deep/x.png"), 500, 400, 9);
    let whole = std::fs::read(folder.join("3.jpg")).unwrap();
    std::fs::write(folder.join("deep/cut.jpg"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(folder.join("empty.jpg"), b"").unwrap();
    std::fs::write(folder.join("letter.txt"), b"no picture").unwrap();
}

fn screened(folder: &Path, more: &[&str]) -> Vec<serde_json::Value> {
    let output = bonafide([&["screen", folder.to_str().unwrap()], more].concat());
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    lines(&output.stdout)
        .into_iter()
        .map(|mut row| {
            row.as_object_mut().unwrap().remove("elapsed_ms");
            row
        })
        .collect()
}

#[test]
fn one_thread_and_two_give_the_same_rows_in_the_same_order() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let one = screened(dir.path(), &["--threads=1"]);
    assert_eq!(one.len(), 9);
    assert_eq!(one, screened(dir.path(), &["--threads=2"]));
    let empty = one.iter().find(|row| row["path"].as_str().unwrap().ends_with("empty.jpg")).unwrap();
    assert_eq!(empty["error"]["code"], "empty");
}

#[test]
fn a_screening_broken_off_in_a_line_is_completed_to_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, output) = (dir.path().join("in"), dir.path().join("rows"));
    fill(&folder);
    for (format, rows) in [("--format=jsonl", 9), ("--format=csv", 10)] {
        let args = ["screen", folder.to_str().unwrap(), format, "--output", output.to_str().unwrap()];
        assert_eq!(bonafide(args).status.code(), Some(2));
        let whole = std::fs::read_to_string(&output).unwrap();
        std::fs::write(&output, &whole.as_bytes()[..whole.len() * 2 / 5]).unwrap();
        assert_eq!(bonafide([&args[..], &["--resume"]].concat()).status.code(), Some(2));
        let resumed = std::fs::read_to_string(&output).unwrap();
        let paths = |text: &str| -> Vec<String> {
            text.lines().map(|l| l.chars().take(l.find(".jpg").or(l.find(".png")).unwrap_or(0)).collect()).collect()
        };
        assert_eq!(resumed.lines().count(), rows);
        assert_eq!(paths(&resumed), paths(&whole));
    }
}

#[test]
fn the_page_holds_every_row_and_fetches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, page) = (dir.path().join("in"), dir.path().join("page.html"));
    fill(&folder);
    screened(&folder, &["--report", page.to_str().unwrap()]);
    let html = std::fs::read_to_string(&page).unwrap();
    assert_eq!(html.matches("<article ").count(), 9);
    assert!(!html.contains("http://") && !html.contains("https://"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn a_pipe_and_a_file_beyond_the_limit_are_refused_unread() {
    let dir = tempfile::tempdir().unwrap();
    let (pipe, giant) = (dir.path().join("pipe.jpg"), dir.path().join("giant.jpg"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::File::create(&giant).unwrap().set_len(1 << 40).unwrap();
    let output = bonafide(["screen".as_ref(), pipe.as_os_str(), giant.as_os_str(), "/dev/zero".as_ref()]);
    let codes: Vec<_> = lines(&output.stdout).iter().map(|row| row["error"]["code"].clone()).collect();
    assert_eq!(codes, ["not_a_file", "too_many_bytes", "not_a_file"]);
}

#[test]
fn what_is_left_out_is_counted_and_nothing_to_examine_is_no_success() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, empty) = (dir.path().join("in"), dir.path().join("empty"));
    for folder in [&folder, &empty] {
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("clip.mp4"), b"moving pictures").unwrap();
        std::fs::write(folder.join("notes.txt"), b"text").unwrap();
    }
    write_picture(&folder.join("a.jpg"), 320, 240, 1);
    let (page, rows) = (dir.path().join("page.html"), dir.path().join("rows"));
    let screen = |paths: &[&Path], more: &[&str]| {
        let paths = paths.iter().map(|path| path.to_str().unwrap());
        let output = bonafide(["screen"].into_iter().chain(paths).chain(more.iter().copied()));
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = screen(&[&folder], &["--report", page.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    assert!(said.contains("1 files: ") && said.contains("1 video, 1 other file"), "{said}");
    assert!(std::fs::read_to_string(&page).unwrap().contains("1 video"));
    let (_, said) = screen(&[&folder], &["--lang=zh"]);
    assert!(said.contains("1 个文件") && said.contains("视频 1 个"), "{said}");

    std::fs::write(&rows, "rows of yesterday\n").unwrap();
    let (code, said) = screen(&[&empty], &["-o", rows.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(said.contains("no picture in this folder") && said.contains("1 video"), "{said}");
    assert_eq!(std::fs::read_to_string(&rows).unwrap(), "rows of yesterday\n");
    let (code, said) = screen(&[&folder, &empty], &[]);
    assert_eq!(code, Some(2), "one of two folders is empty: {said}");
    assert!(said.contains("1 files: "), "{said}");
    let (code, said) = screen(&[Path::new("-")], &[]);
    assert_eq!(code, Some(2));
    assert!(said.contains("list on standard input names no file"), "{said}");
    assert_eq!(screen(&[&dir.path().join("mistyped")], &[]).0, Some(2));
}
