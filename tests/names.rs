//! Names of files and metadata that would run in a terminal, a spreadsheet or a page stay text on every front.

use std::path::Path;
use std::process::Output;

use crate::{bonafide, write_picture};

/// Text that moves a cursor, rings, colours, turns the direction of writing and is markup and a formula.
const HOSTILE: &str = "=cmd|<script>alert(1)</script>\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{202e}";

/// Gives the JPEG at `path` metadata in which every text is `text`.
fn describe(path: &Path, text: &str) {
    // Tags of image description, make, model, software and artist (TIFF 6.0), all at one place.
    let tags: [u16; 5] = [0x010e, 0x010f, 0x0110, 0x0131, 0x013b];
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    let at = (8 + 2 + 12 * tags.len() + 4) as u32;
    let text = [text.as_bytes(), b"\0"].concat();
    tiff.extend((tags.len() as u16).to_le_bytes());
    for tag in tags {
        tiff.extend(tag.to_le_bytes());
        tiff.extend(2_u16.to_le_bytes());
        tiff.extend((text.len() as u32).to_le_bytes());
        tiff.extend(at.to_le_bytes());
    }
    tiff.extend([0; 4]);
    tiff.extend(&text);
    let bytes = std::fs::read(path).unwrap();
    let mut described = bytes[..2].to_vec();
    described.extend([0xff, 0xe1]);
    described.extend(((tiff.len() + 8) as u16).to_be_bytes());
    described.extend(b"Exif\0\0");
    described.extend(tiff);
    described.extend(&bytes[2..]);
    std::fs::write(path, described).unwrap();
}

fn harmless(text: &[u8], what: &str) -> String {
    let text = String::from_utf8(text.to_vec()).unwrap_or_else(|_| panic!("{what}: no text"));
    let bad = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!text.contains(bad), "{what}: {text:?}");
    text
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_of_a_name_or_of_metadata_is_obeyed_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let name = HOSTILE.replace('/', ":");
    let folder = dir.path().join(&name);
    std::fs::create_dir(&folder).unwrap();
    let (picture, broken) = (folder.join(format!("{name}.jpg")), folder.join(format!("{name}.png")));
    // As long as a name may be, with a picture in the folder of that name.
    let plain = dir.path().join("plain.jpg");
    write_picture(&plain, 320, 240, 1);
    describe(&plain, &format!("Adobe Photoshop {HOSTILE}"));
    std::fs::rename(&plain, &picture).unwrap();
    std::fs::write(&broken, b"\x89PNG\r\n\x1a\nrest").unwrap();
    let missing = folder.join("missing.jpg");
    let rows = dir.path().join("rows");
    let page = folder.join("page.html");
    let at = |path: &Path| path.to_str().unwrap().to_owned();
    let run = |args: &[&str], what: &str| -> (String, String) {
        let Output { stdout, stderr, .. } = bonafide(args);
        (harmless(&stdout, what), harmless(&stderr, what))
    };
    for lang in ["en", "zh"] {
        let (text, _) = run(&["check", &at(&picture), &at(&broken), &at(&missing), "--lang", lang], lang);
        assert!(text.contains("\\u{1b}[2J") && text.contains("Photoshop"), "{text}");
    }
    let (json, _) = run(&["check", "--format=json", &at(&picture), &at(&missing)], "json");
    for (line, file) in json.lines().zip([&picture, &missing]) {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["path"], at(file));
    }
    for format in ["jsonl", "csv"] {
        let (text, said) =
            run(&["screen", &at(&folder), &at(&missing), "--format", format, "--report", &at(&page)], format);
        assert!(said.contains("page.html"), "{said}");
        if format == "csv" {
            let mut table = csv::Reader::from_reader(text.as_bytes());
            let records: Vec<_> = table.records().map(Result::unwrap).collect();
            assert_eq!(records.len(), 3);
            assert!(records.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])));
        }
    }
    let html = harmless(&std::fs::read(&page).unwrap(), "page");
    assert_eq!(html.matches("<script").count(), 1);
    assert!(html.contains("&lt;script&gt;alert(1)"));
    // Errors: outputs, policies, models, folders and flags of that name.
    let nowhere = dir.path().join(format!("no/{name}"));
    for args in [
        &["screen", &at(&picture), "-o", &at(&nowhere)][..],
        &["screen", &at(&picture), "--report", &at(&nowhere)],
        &["screen", &at(&picture), "-o", &at(&broken), "--resume"],
        &["screen", &at(&picture), "-o", &at(&picture)],
        &["check", &at(&picture), "--policy", &at(&nowhere)],
        &["check", &at(&picture), "--models", &at(&nowhere)],
        &["check", &at(&picture), "--overlay", &at(&nowhere), "--overlay", &at(&broken)],
        &["check", &format!("--{name}"), &at(&picture)],
        &[&name],
        &["explain", &name],
        &["screen", &at(&dir.path().join(&name)), "--threads", &name],
    ] {
        let (out, said) = run(args, &format!("{args:?}"));
        assert!(out.is_empty() && !said.is_empty(), "{args:?}: {out}");
    }
    #[cfg(feature = "bench")]
    for args in [
        &["bench", &at(&nowhere)][..],
        &["bench", &at(&broken)],
        &["bench", "import", "folders", &at(&folder)],
        &["bench", "import", &name, &at(&folder)],
        &["bench", "compare", &at(&nowhere), &at(&nowhere)],
        &["bench", "policy", &at(&nowhere), "--target", &name],
        &["bench", "policy", "--genuine", &at(&folder)],
    ] {
        let (_, said) = run(args, &format!("{args:?}"));
        assert!(!said.is_empty(), "{args:?}");
    }
    assert!(!rows.exists());
}

/// A picture of nothing but a QR code that says `text`.
#[cfg(feature = "service")]
fn code(path: &Path, text: &str) {
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::L).unwrap();
    let (width, colours) = (code.width() as u32, code.to_colors());
    let module = 8;
    let side = (width + 8) * module;
    let picture = image::GrayImage::from_fn(side, side, |x, y| {
        let place = |at: u32| (at / module).checked_sub(4).filter(|at| *at < width);
        let dark =
            place(x).zip(place(y)).is_some_and(|(x, y)| colours[(y * width + x) as usize] == qrcode::Color::Dark);
        image::Luma([if dark { 20 } else { 235 }])
    });
    picture.save(path).unwrap();
}

#[cfg(all(feature = "service", feature = "qr"))]
#[test]
fn what_a_code_says_is_neither_obeyed_nor_told_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let long = format!("https://{}.example/", "a".repeat(400));
    for text in [
        "=HYPERLINK(\"javascript:alert(1)\")<script>alert(1)</script><img src=x onerror=alert(1)>",
        "https://a.example\u{1b}[2J\u{1b}]8;;alert(1)\u{7}",
        "javascript://alert(1)/%0aalert(1)",
        &long,
    ] {
        let picture = dir.path().join("code.png");
        code(&picture, text);
        let mut told = Vec::new();
        for args in [
            vec!["check".to_owned(), at("code.png")],
            vec!["check".to_owned(), at("code.png"), "--format=json".to_owned()],
            vec![
                "screen".to_owned(),
                at("code.png"),
                "--format=csv".to_owned(),
                "--report".to_owned(),
                at("page.html"),
            ],
        ] {
            let Output { stdout, stderr, .. } = bonafide(&args);
            told.extend([harmless(&stdout, text), harmless(&stderr, text)]);
        }
        assert!(told[2].contains("\"qr.decoded_count\":1"), "{text}: {}", told[2]);
        told.push(harmless(&std::fs::read(dir.path().join("page.html")).unwrap(), text));
        for front in &told {
            let said = ["alert(1)", "HYPERLINK", "onerror", "javascript:", &"a".repeat(300)];
            assert!(said.iter().all(|said| !front.contains(said)), "{text}: {front}");
        }
    }
}

#[test]
fn errors_and_notes_speak_chinese_where_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("empty.jpg"), b"").unwrap();
    std::fs::write(at("text.jpg"), b"text").unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for (args, stdout) in [
        (vec!["check".to_owned(), at("missing.jpg")], true),
        (vec!["check".to_owned(), at("empty.jpg")], true),
        (vec!["check".to_owned(), at("text.jpg")], true),
        (vec!["check".to_owned(), at("folder")], true),
        (vec!["check".to_owned(), at("text.jpg"), "--policy".to_owned(), at("none.toml")], false),
        (vec!["check".to_owned(), at("text.jpg"), "--overlay".to_owned(), at("text.jpg/x")], false),
        (vec!["screen".to_owned(), at("folder")], false),
        (vec!["screen".to_owned(), at("text.jpg"), "-o".to_owned(), at("none/x")], false),
        (vec!["screen".to_owned(), at("text.jpg"), "-o".to_owned(), at("text.jpg")], false),
    ] {
        let output = bonafide(args.iter().map(String::as_str).chain(["--lang", "zh"]));
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if stdout {
            // The sentence itself, and not only the heading before it.
            let sentence = out.lines().nth(1).unwrap().split("  ").last().unwrap();
            assert!(chinese(sentence), "{args:?}: {out}");
        }
        assert!(said.lines().all(chinese), "{args:?}: {said}");
    }
}
