//! What is written: one writer an output, no input lost, whole rows on a full disk and behind a closed pipe.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bonafide::report::alone::{open_alone, part_of};

use crate::{bonafide, lines, write_picture};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn args(parts: &[&dyn AsRef<std::ffi::OsStr>]) -> Vec<OsString> {
    parts.iter().map(|part| part.as_ref().to_owned()).collect()
}

#[test]
fn a_second_run_to_an_output_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (picture, rows, page) = (dir.path().join("a.jpg"), dir.path().join("rows"), dir.path().join("page.html"));
    write_picture(&picture, 320, 240, 1);
    std::fs::write(&rows, "what another run has written\n").unwrap();
    let _rows = open_alone(&rows).unwrap();
    let _page = open_alone(&part_of(&page)).unwrap();
    for more in [args(&[&"-o", &rows]), args(&[&"--resume", &"-o", &rows]), args(&[&"--report", &page])] {
        let output = bonafide([args(&[&"screen", &picture]), more.clone()].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert!(said(&output).contains("another run is writing"), "{}", said(&output));
    }
    assert_eq!(std::fs::read_to_string(&rows).unwrap(), "what another run has written\n");
}

#[cfg(feature = "bench")]
#[test]
fn a_second_run_to_a_folder_of_measurements_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (i, label) in ["original", "screen"].iter().enumerate() {
        std::fs::create_dir(dir.path().join(label)).unwrap();
        write_picture(&dir.path().join(label).join("a.jpg"), 320, 240, i as u32);
    }
    let (labels, run) = (dir.path().join("labels.csv"), dir.path().join("run"));
    std::fs::write(&labels, "path,label\noriginal/a.jpg,original\nscreen/a.jpg,screen\n").unwrap();
    std::fs::create_dir(&run).unwrap();
    let held = open_alone(&run.join("findings.jsonl")).unwrap();
    let bench = args(&[&"bench", &labels, &"-o", &run]);
    let output = bonafide(&bench);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("another run is writing"), "{}", said(&output));
    drop(held);
    // Labels that the run would write over.
    std::fs::copy(&labels, run.join("results.jsonl")).unwrap();
    std::fs::create_dir(run.join("original")).unwrap();
    std::fs::create_dir(run.join("screen")).unwrap();
    let own = args(&[&"bench", &run.join("results.jsonl"), &"--root", &dir.path(), &"-o", &run]);
    let output = bonafide(own);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert_eq!(std::fs::read(&labels).unwrap(), std::fs::read(run.join("results.jsonl")).unwrap());
}

#[cfg(feature = "simulation")]
#[test]
fn labels_of_other_pictures_are_not_written_over_by_simulated_ones() {
    let dir = tempfile::tempdir().unwrap();
    let labels = dir.path().join("labels.csv");
    std::fs::write(&labels, "path,label\nmine.jpg,original\n").unwrap();
    let simulate = args(&[&"simulate", &"--count", &"1", &"--out", &dir.path()]);
    assert_eq!(bonafide(&simulate).status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&labels).unwrap(), "path,label\nmine.jpg,original\n");
    std::fs::remove_file(&labels).unwrap();
    let held = open_alone(&labels).unwrap();
    let output = bonafide(&simulate);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("another run is writing"), "{}", said(&output));
    drop(held);
}

#[cfg(unix)]
#[test]
fn nothing_that_is_read_and_no_picture_is_written_over_by_any_name() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::create_dir(at("in")).unwrap();
    let (first, second) = (at("in/a.jpg"), at("in/001-a.png"));
    write_picture(&first, 320, 240, 1);
    write_picture(&second, 320, 240, 2);
    write_picture(&at("else.jpg"), 320, 240, 3);
    std::fs::hard_link(&first, at("hard.jsonl")).unwrap();
    symlink(&first, at("soft.html")).unwrap();
    // Where the page is made before it takes its name.
    std::fs::hard_link(&first, at("made.html.part")).unwrap();
    let policy = at("policy.toml");
    std::fs::write(&policy, "id = \"own\"\nbase = \"shipped\"\n").unwrap();
    let list = at("list");
    std::fs::write(&list, format!("{}\n", first.display())).unwrap();
    let files = [first.clone(), second.clone(), at("else.jpg"), policy.clone(), list.clone()];
    let before: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let folder = at("in");
    let screen = |more: Vec<OsString>| [args(&[&"screen", &folder]), more].concat();
    let spelled = folder.join("../in/a.jpg");
    let runs: Vec<Vec<OsString>> = vec![
        screen(args(&[&"-o", &first])),
        screen(args(&[&"-o", &spelled])),
        screen(args(&[&"-o", &at("hard.jsonl")])),
        screen(args(&[&"-o", &at("hard.jsonl"), &"--resume"])),
        screen(args(&[&"--report", &at("soft.html")])),
        screen(args(&[&"--report", &at("made.html")])),
        screen(args(&[&"--policy", &policy, &"-o", &policy])),
        screen(args(&[&"-o", &at("else.jpg")])),
        screen(args(&[&"-o", &at("one"), &"--report", &at("one")])),
        args(&[&"check", &first, &second, &"--overlay", &folder]),
    ];
    for run in runs {
        let output = bonafide(&run);
        assert_eq!(output.status.code(), Some(2), "{run:?}: {}", said(&output));
        assert!(!said(&output).is_empty());
        let after: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
        assert!(after == before, "{run:?} changed a file");
    }
    // A list that the rows would go to.
    let output = Command::new(env!("CARGO_BIN_EXE_bonafide"))
        .args(args(&[&"screen", &"-", &"-o", &list]))
        .stdin(std::fs::File::open(&list).unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert_eq!(std::fs::read(&list).unwrap(), before[4]);
}

fn pictures(folder: &Path, count: u32) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    for seed in 0..count {
        write_picture(&folder.join(format!("{seed}.png")), 240, 160, seed);
    }
    folder.to_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_the_rows_before_stay_whole() {
    let dir = tempfile::tempdir().unwrap();
    let folder = pictures(&dir.path().join("in"), 6);
    let rows = dir.path().join("rows.jsonl");
    // As much as a file may grow, in blocks of 512 or 1024 bytes: a few rows, and part of one.
    let shell = "trap '' XFSZ; ulimit -f 40; exec \"$0\" screen \"$1\" -o \"$2\" --threads 1";
    let program = Path::new(env!("CARGO_BIN_EXE_bonafide"));
    let output = Command::new("sh").args(args(&[&"-c", &shell, &program, &folder, &rows])).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("rows cannot be written"), "{}", said(&output));
    let text = std::fs::read(&rows).unwrap();
    assert!(text.ends_with(b"\n"), "a row is cut");
    let written = lines(&text).len();
    assert!((1..6).contains(&written), "{written} rows");
    // And goes on where there is room again.
    assert_eq!(bonafide(args(&[&"screen", &folder, &"-o", &rows, &"--resume"])).status.code(), Some(0));
    assert_eq!(lines(&std::fs::read(&rows).unwrap()).len(), 6);

    let output = bonafide(args(&[&"screen", &folder, &"-o", &"/dev/full"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("rows cannot be written"), "{}", said(&output));
    let to_full = |command: &[OsString]| {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(program).args(command).stdout(full).stderr(Stdio::piped()).output().unwrap();
        (output.status.code(), said(&output))
    };
    for command in [args(&[&"screen", &folder]), args(&[&"check", &folder.join("0.png"), &"--lang", &"zh"])] {
        let (code, said) = to_full(&command);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("cannot be written") || said.contains("磁盘已满"), "{said}");
    }
}

#[test]
fn a_reader_that_goes_away_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let folder = pictures(&dir.path().join("in"), 3);
    let commands = [args(&[&"screen", &folder]), args(&[&"check", &folder.join("0.png"), &folder.join("1.png")])];
    for command in commands {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bonafide"))
            .args(&command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("reading the rows has closed"), "{}", said(&output));
    }
}
