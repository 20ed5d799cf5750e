//! A screening that goes on: every row on the page, changed files looked at again, nothing of another judge mixed in.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::{bonafide, lines, write_picture};

fn pictures(folder: &Path, count: u32) {
    std::fs::create_dir_all(folder).unwrap();
    for seed in 0..count {
        write_picture(&folder.join(format!("{seed}.png")), 240 + 16 * seed, 160, seed);
    }
}

struct Screening {
    _dir: tempfile::TempDir,
    folder: PathBuf,
    rows: PathBuf,
    page: PathBuf,
    form: &'static str,
}

impl Screening {
    fn of(count: u32, form: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let (folder, rows, page) = (at("in"), at("rows"), at("page.html"));
        pictures(&folder, count);
        Self { folder, rows, page, form, _dir: dir }
    }

    fn run(&self, more: &[&str]) -> Output {
        let (folder, rows) = (self.folder.to_str().unwrap(), self.rows.to_str().unwrap());
        bonafide([&["screen", folder, "-o", rows, "--format", self.form], more].concat())
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.rows).unwrap()
    }

    /// Lines that are rows.
    fn count(&self) -> usize {
        self.text().lines().count() - usize::from(self.form == "csv")
    }

    /// Keeps so many rows, and half of the next.
    fn break_off(&self, rows: usize) {
        let text = self.text();
        let kept = rows + usize::from(self.form == "csv");
        let whole: usize = text.lines().take(kept).map(|line| line.len() + 1).sum();
        std::fs::write(&self.rows, &text[..whole + 30]).unwrap();
    }

    /// Breaks off after so many of five rows and goes on: the page then.
    #[track_caller]
    fn resumed_after(&self, rows: usize) -> String {
        self.break_off(rows);
        let output = self.run(&["--resume", "--report", self.page.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains(&format!("5 files ({rows} examined earlier)")), "{}", said(&output));
        assert_eq!(self.count(), 5);
        std::fs::read_to_string(&self.page).unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_page_and_the_summary_of_a_resumed_screening_hold_every_row() {
    for form in ["jsonl", "csv"] {
        let screening = Screening::of(5, form);
        assert_eq!(screening.run(&[]).status.code(), Some(0));
        let html = screening.resumed_after(3);
        assert_eq!(html.matches("<article ").count(), 5, "{form}");
        assert_eq!(html.matches("<img alt=\"\" src=\"data:image/jpeg").count(), 5, "{form}");
        let places: Vec<_> = (0..5).map(|i| html.find(&format!("{i}.png</h2>")).expect("a row")).collect();
        assert!(places.is_sorted(), "in the order of the files: {places:?}");
        assert!(html.contains("<li><b>5</b>all"), "{form}");
        // Once more, with nothing to do, and a picture that is gone.
        std::fs::remove_file(screening.folder.join("1.png")).unwrap();
        let before = screening.text();
        let output = screening.run(&["--resume", "--report", screening.page.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(screening.text(), before);
        let html = std::fs::read_to_string(&screening.page).unwrap();
        assert_eq!(html.matches("<article ").count(), 5, "{form}");
        assert_eq!(html.matches("<img ").count(), 4, "{form}");
    }
}

#[test]
fn a_file_that_changed_or_could_not_be_examined_is_looked_at_again() {
    for form in ["jsonl", "csv"] {
        let screening = Screening::of(4, form);
        std::fs::write(screening.folder.join("half.png"), b"").unwrap();
        assert_eq!(screening.run(&[]).status.code(), Some(2));
        let before = screening.text();
        // As large as before and as old, with other pixels; and one that has come whole meanwhile.
        let changed = screening.folder.join("1.png");
        let (bytes, time) = (std::fs::read(&changed).unwrap(), changed.metadata().unwrap().modified().unwrap());
        let mut other = bytes.clone();
        let end = other.len() - 20;
        other[end] ^= 1;
        std::fs::write(&changed, &other).unwrap();
        std::fs::File::options().write(true).open(&changed).unwrap().set_modified(time).unwrap();
        write_picture(&screening.folder.join("half.png"), 300, 200, 9);
        let output = screening.run(&["--resume"]);
        assert!(said(&output).contains("2 files are other ones"), "{}", said(&output));
        assert_eq!(screening.count(), 5);
        let after = screening.text();
        for name in ["0.png", "2.png", "3.png"] {
            let row = |text: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
            assert_eq!(row(&before), row(&after), "what holds stays as it was");
        }
        assert_eq!(after.matches("1.png").count(), before.matches("1.png").count(), "one row a file");
        assert!(!after.contains("\"empty\""), "{form}: examined by now");
    }
}

#[test]
fn rows_of_another_judge_are_not_mixed_in() {
    for form in ["jsonl", "csv"] {
        let screening = Screening::of(3, form);
        let policy = screening.folder.parent().unwrap().join("own.toml");
        let own = ["--policy", policy.to_str().unwrap()];
        std::fs::write(&policy, "id = \"own\"\nbase = \"shipped\"\n").unwrap();
        assert_eq!(screening.run(&own).status.code(), Some(0));
        screening.break_off(2);
        let before = screening.text();
        // The same name, another threshold; another name; another risk judged strictly.
        std::fs::write(&policy, "id = \"own\"\nbase = \"shipped\"\n[override.glare]\nenabled = false\n").unwrap();
        for more in [&own[..], &[], &["--sensitivity", "glare=strict"]] {
            let output = screening.run(&[more, &["--resume"]].concat());
            assert_eq!(output.status.code(), Some(2), "{more:?}");
            assert!(said(&output).contains("not mixed"), "{}", said(&output));
            assert_eq!(screening.text(), before);
        }
        std::fs::write(&policy, "id = \"own\"\nbase = \"shipped\"\n").unwrap();
        assert_eq!(screening.run(&[&own[..], &["--resume"]].concat()).status.code(), Some(0));
        assert_eq!(screening.count(), 3);
        // A page or a picture is no output to go on with.
        std::fs::write(&screening.rows, "dear diary").unwrap();
        assert_eq!(screening.run(&["--resume"]).status.code(), Some(2));
        assert_eq!(screening.text(), "dear diary");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_differ_only_in_bytes_that_are_no_text_are_files_of_their_own() {
    use std::os::unix::ffi::OsStrExt;
    let name = |bytes: &[u8]| std::ffi::OsStr::from_bytes(bytes).to_owned();
    for form in ["jsonl", "csv"] {
        let screening = Screening::of(1, form);
        for (i, bytes) in
            [&b"caf\xe9.png"[..], b"caf\xe8.png", "caf\u{fffd}.png".as_bytes(), b"caf\\xe9.png"].iter().enumerate()
        {
            let path = screening.folder.join("x.png");
            write_picture(&path, 240, 160, 10 + i as u32);
            std::fs::rename(&path, screening.folder.join(name(bytes))).unwrap();
        }
        assert_eq!(screening.run(&[]).status.code(), Some(0));
        assert_eq!(screening.count(), 5);
        let text = screening.text();
        for bytes in [&b"caf\xe9.png"[..], b"caf\xe8.png"] {
            let whole = screening.folder.join(name(bytes));
            assert!(text.contains(&hex::encode(whole.as_os_str().as_bytes())), "{text}");
        }
        assert!(text.contains("caf\\xe8.png") || text.contains("caf\\\\xe8.png"), "{text}");
        let html = screening.resumed_after(3);
        assert!(html.contains("caf\\xe9.png</h2>") && html.contains("caf\\xe8.png</h2>"));
        assert_eq!(html.matches("<img ").count(), 5);
        let check = |bytes: &[u8]| {
            let file = screening.folder.join(name(bytes));
            bonafide(["check".as_ref(), "--format=json".as_ref(), file.as_os_str()])
        };
        assert!(lines(&check(b"caf\xe9.png").stdout)[0]["path"].as_str().unwrap().ends_with("caf\\xe9.png"));
        let missing = check(b"none\xff\x1b.png");
        assert!(String::from_utf8_lossy(&missing.stdout).contains("none\\\\xff\\u001b.png"));
    }
}
