//! Labels, a run that is broken off and goes on, its report, a comparison, dry runs, and labels that cannot be used.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::{bonafide, lines, write_picture};

/// A folder with six originals and six screens of four sources, and a row for each.
fn labelled(folder: &Path) -> String {
    let mut table = "path,label,source,content\n".to_owned();
    for i in 0..12u32 {
        let label = if i % 2 == 0 { "original" } else { "screen" };
        write_picture(&folder.join(format!("{i:02}.jpg")), 320 + 16 * i, 240, i);
        writeln!(table, "{i:02}.jpg,{label},person-{},photo", i / 3).unwrap();
    }
    std::fs::write(folder.join("labels.csv"), &table).unwrap();
    table
}

fn bench(folder: &Path, output: &str, more: &[&str]) -> Output {
    let (labels, output) = (folder.join("labels.csv"), folder.join(output));
    let mut args = vec!["bench", labels.to_str().unwrap(), "--engine=embedded", "-o", output.to_str().unwrap()];
    args.extend(more);
    bonafide(args)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_run_goes_on_where_it_was_broken_off_and_measures_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    labelled(dir.path());
    let output = bench(dir.path(), "run", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let file = dir.path().join("run/findings.jsonl");
    let whole = std::fs::read_to_string(&file).unwrap();
    let rows = lines(whole.as_bytes());
    assert_eq!(rows.len(), 12);
    assert!(rows.iter().all(|row| row["models"]["texture_net"].is_string() && row["error"].is_null()));
    // Broken off in the middle of the sixth row.
    let kept: usize = whole.lines().take(5).map(|line| line.len() + 1).sum();
    std::fs::write(&file, &whole[..kept + 40]).unwrap();
    assert_eq!(bench(dir.path(), "run", &[]).status.code(), Some(0));
    let again = std::fs::read_to_string(&file).unwrap();
    assert_eq!(again[..kept], whole[..kept], "what was there stays as it was");
    let without_times = |text: &str| -> Vec<serde_json::Value> {
        let mut rows = lines(text.as_bytes());
        for row in &mut rows {
            let row = row.as_object_mut().unwrap();
            row.remove("elapsed_ms");
            row.remove("stages_ms");
        }
        rows
    };
    assert_eq!(without_times(&again), without_times(&whole));
    write_picture(&dir.path().join("07.jpg"), 640, 480, 99);
    let output = bench(dir.path(), "run", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("row 9") && said(&output).contains("07.jpg"), "{}", said(&output));
    for name in ["report.html", "report.md", "figures.json", "results.jsonl"] {
        assert!(dir.path().join("run").join(name).metadata().unwrap().len() > 100, "{name}");
    }
}

#[test]
fn figures_count_every_row_and_agree_with_the_results() {
    let dir = tempfile::tempdir().unwrap();
    let table = labelled(dir.path());
    // A file that is no picture is a non-response, not an error of the run.
    std::fs::write(dir.path().join("broken.jpg"), b"\xff\xd8\xff nothing").unwrap();
    std::fs::write(dir.path().join("labels.csv"), table + "broken.jpg,screen,person-0,photo\n").unwrap();
    let output = bench(dir.path(), "run", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = std::fs::read_to_string(dir.path().join("run/figures.json")).unwrap();
    let figures: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&figures["rows"]["original"], &figures["rows"]["screen"]), (&6.into(), &7.into()));
    let silent = &figures["non_responses"]["screen"]["share"];
    assert_eq!((&silent["count"], &silent["of"]), (&1.into(), &7.into()));
    let rows = lines(&std::fs::read(dir.path().join("run/results.jsonl")).unwrap());
    let missed = rows.iter().filter(|row| row["label"] == "screen" && row["classification"] == "bona_fide").count();
    let gate = &figures["gates"][0];
    assert_eq!(gate["gate"], "classified");
    assert_eq!(
        (&gate["apcer"]["screen"]["share"]["count"], &gate["apcer"]["screen"]["share"]["of"]),
        (&missed.into(), &6.into())
    );
    let scores = |label: &str| -> Vec<f64> {
        rows.iter().filter(|row| row["label"] == label).filter_map(|row| row["screen"].as_f64()).collect()
    };
    let (originals, screens) = (scores("original"), scores("screen"));
    let pairs = originals.iter().flat_map(|o| screens.iter().map(move |s| (*o, *s)));
    let won: f64 = pairs
        .map(|(o, s)| {
            if s > o {
                1.0
            } else if s < o {
                0.0
            } else {
                0.5
            }
        })
        .sum();
    let curve = figures["curves"].as_array().unwrap().iter().find(|curve| curve["name"] == "label screen").unwrap();
    let auc = curve["auc"]["value"].as_f64().unwrap();
    assert!((auc - won / (originals.len() * screens.len()) as f64).abs() < 1e-9, "{auc}");
}

#[test]
fn another_policy_judges_stored_findings_and_compare_lists_what_flips() {
    let dir = tempfile::tempdir().unwrap();
    labelled(dir.path());
    bench(dir.path(), "run", &[]);
    let lenient = dir.path().join("lenient.toml");
    let rule = "id = \"lenient\"\nbase = \"shipped\"\n[override.screen_recapture]\nenabled = false\n";
    std::fs::write(&lenient, rule).unwrap();
    std::fs::create_dir(dir.path().join("lenient")).unwrap();
    let file = |run: &str| dir.path().join(run).join("findings.jsonl");
    std::fs::copy(file("run"), file("lenient")).unwrap();
    let before = std::fs::read(file("lenient")).unwrap();
    let output = bench(dir.path(), "lenient", &["--policy", lenient.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(std::fs::read(file("lenient")).unwrap(), before, "no picture was measured again");
    let (run, lenient) = (dir.path().join("run"), dir.path().join("lenient"));
    let output = bonafide(["bench", "compare", run.to_str().unwrap(), lenient.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("12 captures are the same files in both"), "{text}");
    // Noise looks like a screen: without the rule screens are missed, and originals no longer accused.
    assert!(text.contains("| bona\\_fide | worse") && text.contains("| bona\\_fide | better"), "{text}");
}

#[test]
fn findings_of_other_models_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    labelled(dir.path());
    bench(dir.path(), "run", &[]);
    let file = dir.path().join("run/findings.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let hash = lines(text.as_bytes())[0]["models"]["scene_net"].as_str().unwrap().to_owned();
    let mut changed: Vec<String> = text.lines().map(str::to_owned).collect();
    changed[3] = changed[3].replace(&hash, &"0".repeat(64));
    std::fs::write(&file, changed.join("\n") + "\n").unwrap();
    let output = bench(dir.path(), "run", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("line 4") && said(&output).contains("not mixed"), "{}", said(&output));
}

#[test]
fn a_target_becomes_a_policy_that_the_program_takes_and_that_reaches_it() {
    let dir = tempfile::tempdir().unwrap();
    labelled(dir.path());
    bench(dir.path(), "run", &[]);
    let (run, file) = (dir.path().join("run"), dir.path().join("proposed.toml"));
    let target = ["bench", "policy", run.to_str().unwrap(), "--target=bpcer<=20%", "-o", file.to_str().unwrap()];
    let output = bonafide(target);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("# BPCER") && text.contains("over sources"), "{text}");
    let output = bench(dir.path(), "again", &["--policy", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = std::fs::read_to_string(dir.path().join("again/figures.json")).unwrap();
    let figures: serde_json::Value = serde_json::from_str(&text).unwrap();
    let stopped = figures["gates"][0]["bpcer"]["share"]["count"].as_u64().unwrap();
    assert!(stopped <= 1, "{stopped} of 6 originals are stopped, at most 20 % were asked for");
}

#[test]
fn readable_originals_give_a_first_try_pass_rate_and_a_policy_that_raises_it() {
    let dir = tempfile::tempdir().unwrap();
    let table = labelled(dir.path());
    let mut readable = "path,label,source,content,readable\n".to_owned();
    for (i, row) in table.lines().skip(1).enumerate() {
        writeln!(readable, "{row},{}", ["yes", "", "yes", "", "no", "", "yes", "", "yes", "", "part", ""][i]).unwrap();
    }
    std::fs::write(dir.path().join("broken.jpg"), b"\xff\xd8\xff nothing").unwrap();
    readable += "broken.jpg,original,person-0,photo,yes\n";
    std::fs::write(dir.path().join("labels.csv"), readable).unwrap();
    let first_try = |run: &str, more: &[&str]| -> serde_json::Value {
        let output = bench(dir.path(), run, more);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("first-try pass rate"));
        let text = std::fs::read_to_string(dir.path().join(run).join("figures.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["first_try"].clone()
    };
    let before = first_try("run", &[]);
    let rows = lines(&std::fs::read(dir.path().join("run/results.jsonl")).unwrap());
    let accepted = rows.iter().filter(|row| row["readable"] == "yes" && row["decision"] == "accept").count();
    let share = &before["readable"]["accepted"]["share"];
    assert_eq!((&share["count"], &share["of"]), (&accepted.into(), &5.into()));
    assert_eq!(before["readable"]["not_examined"]["share"]["count"], 1);
    assert_eq!(before["by_reason"]["not_examined"]["share"]["count"], 1);
    assert_eq!(
        (&before["unreadable"]["accepted"]["share"]["of"], &before["part"]["accepted"]["share"]["of"]),
        (&1.into(), &1.into())
    );
    for name in ["report.html", "report.md"] {
        let text = std::fs::read_to_string(dir.path().join("run").join(name)).unwrap();
        assert!(text.contains("First-try pass rate") && text.contains("readable originals are accepted"), "{name}");
    }
    let tables = std::fs::read_dir(dir.path().join("run/tables")).unwrap().map(|entry| entry.unwrap().file_name());
    let of_first_try = tables.filter(|name| name.to_string_lossy().starts_with("first-try-")).count();
    assert_eq!(of_first_try, 4, "outcomes, by content, by reason, and of what is not readable");

    let (run, file) = (dir.path().join("run"), dir.path().join("proposed.toml"));
    let propose = |target: &str| {
        bonafide(["bench", "policy", run.to_str().unwrap(), "--target", target, "-o", file.to_str().unwrap()])
    };
    let output = propose("accept>=80%");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("[override.") && text.contains("readable originals (n 5)"), "{text}");
    assert!(text.contains("attacks, screen: APCER (n 6)") && text.contains("unreadable originals (n 1)"), "{text}");
    let after = first_try("again", &["--policy", file.to_str().unwrap()]);
    assert_eq!(after["readable"]["accepted"]["share"]["count"], 4, "{text}");
    let output = propose("accept>=90%");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("1 that could not be examined"), "{}", said(&output));
}

#[test]
fn labels_that_cannot_be_used_are_refused_by_their_rows() {
    let dir = tempfile::tempdir().unwrap();
    let table = labelled(dir.path());
    let refused = |table: &str| {
        std::fs::write(dir.path().join("labels.csv"), table).unwrap();
        let output = bench(dir.path(), "run", &[]);
        assert_eq!(output.status.code(), Some(2), "{table}");
        said(&output)
    };
    assert!(refused(&(table.clone() + "99.jpg,screen,x,photo\n")).contains("99.jpg"));
    let wrong = refused(&table.replace("03.jpg,screen", "03.jpg,sceren"));
    assert!(wrong.contains("row 5") && wrong.contains("sceren"), "{wrong}");
    assert!(refused(&(table.clone() + "03.jpg,screen,x,photo\n")).contains("03.jpg"));
    let readable = table.replace("source,content", "source,readable");
    assert!(refused(&readable).contains("row 2: readable is \"photo\""));
    assert!(refused(&table.replace(",screen,", ",original,")).contains("original"));
    assert!(refused("").contains("labels.csv"));
    let trained = table.replace("person-0", "Avinash-yadav103/Salescode_ML_Assignment");
    assert!(refused(&trained).contains("trained on"));
    std::fs::write(dir.path().join("labels.csv"), trained).unwrap();
    assert_eq!(bench(dir.path(), "run", &["--allow-trained-on"]).status.code(), Some(0));
    let skipped = bench(dir.path(), "skipped", &["--skip-trained-on"]);
    assert!(said(&skipped).contains("that the models were trained on: left out"), "{}", said(&skipped));
}

#[test]
fn genuine_captures_of_a_site_become_a_policy_that_the_program_takes() {
    let dir = tempfile::tempdir().unwrap();
    let refused = bonafide(["bench", "policy", "--genuine", dir.path().to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("at least 10"), "{}", said(&refused));
    for i in 0..10 {
        write_picture(&dir.path().join(format!("{i}.jpg")), 320, 240, i);
    }
    let policy = dir.path().join("site.toml");
    let (folder, file) = (dir.path().to_str().unwrap(), policy.to_str().unwrap());
    let output = bonafide(["bench", "policy", "--genuine", folder, "--id", "site", "-o", file]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let picture = dir.path().join("0.jpg");
    let checked = bonafide(["check", "--format", "json", "--policy", file, picture.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&checked.stdout).contains("\"policy_id\":\"site\""), "{}", said(&checked));
}

/// The labels that `import folders` writes of pictures with these `names` in `folder`, and what it says.
fn imported(folder: &Path, names: &[&str]) -> (PathBuf, String) {
    for (i, name) in names.iter().enumerate() {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_picture(&path, 320, 240, i as u32);
    }
    let labels = folder.join("labels.csv");
    let output = bonafide(["bench", "import", "folders", folder.to_str().unwrap(), "-o", labels.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    (labels, said(&output))
}

#[test]
fn class_folders_become_labels_that_bench_takes() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["real/anna/a.jpg", "real/ben/b.jpg", "recapture/anna/c.jpg", "recapture/ben/d.jpg"];
    let (labels, _) = imported(dir.path(), &names);
    let text = std::fs::read_to_string(&labels).unwrap();
    for row in ["\"real/anna/a.jpg\",\"original\"", "\"recapture/ben/d.jpg\",\"screen\""] {
        assert!(text.contains(row), "{text}");
    }
    let output = bench(dir.path(), "run", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn pictures_directly_in_a_class_folder_are_one_source_and_strange_names_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["original/=cmd|' C'!A0.jpg", "original/-1.jpg", "screen/@a.jpg", "screen/+2.jpg", "=x/screen/b.jpg"];
    let (labels, told) = imported(dir.path(), &names);
    assert!(told.contains("5 pictures labelled, of 3 sources"), "{told}");
    let mut table = csv::Reader::from_path(&labels).unwrap();
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5);
    assert!(rows.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{rows:?}");
    let output = bench(dir.path(), "run", &["--robustness", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let stderr = said(&output);
    assert!(stderr.contains("robustness comes to it at the end"), "{stderr}");
    assert!(std::fs::read_to_string(dir.path().join("run/report.md")).unwrap().contains("## Robustness"));
    for entry in std::fs::read_dir(dir.path().join("run/tables")).unwrap() {
        let mut table = csv::ReaderBuilder::new().flexible(true).from_path(entry.unwrap().path()).unwrap();
        for cell in table.records().flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()) {
            assert!(cell.parse::<f64>().is_ok() || !cell.starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }
}

#[test]
fn a_comparison_has_the_figures_of_the_report_under_its_names() {
    let dir = tempfile::tempdir().unwrap();
    let table = labelled(dir.path());
    // A print and a screenshot, which has no place on a curve, and a file that says nothing.
    write_picture(&dir.path().join("p.jpg"), 320, 240, 20);
    write_picture(&dir.path().join("s.jpg"), 320, 240, 21);
    std::fs::write(dir.path().join("broken.jpg"), b"\xff\xd8\xff nothing").unwrap();
    let more = "p.jpg,print,person-0,photo\ns.jpg,screenshot,person-1,photo\nbroken.jpg,original,person-1,photo\n";
    std::fs::write(dir.path().join("labels.csv"), table + more).unwrap();
    assert_eq!(bench(dir.path(), "run", &[]).status.code(), Some(0));
    let run = dir.path().join("run");
    let output = bonafide(["bench", "compare", run.to_str().unwrap(), run.to_str().unwrap()]);
    let compared = String::from_utf8(output.stdout).unwrap();
    let report = std::fs::read_to_string(run.join("report.md")).unwrap();
    let cell = |line: &str, at: usize| line.split(" | ").nth(at).unwrap().trim_matches(['|', ' ']).to_owned();
    let mut seen = 0;
    for line in compared.lines().filter(|line| line.starts_with("| D-EER: ")) {
        let title = cell(line, 0).replace("D-EER: ", "");
        let row = report.lines().find(|row| row.starts_with(&format!("| {title} |"))).expect(&title);
        assert_eq!(cell(row, 4).split(' ').next().unwrap(), cell(line, 1).split(' ').next().unwrap(), "{row} {line}");
        seen += 1;
    }
    assert_eq!(seen, 3, "{compared}");
    let bpcer = compared.lines().find(|line| line.starts_with("| BPCER, where")).unwrap();
    let row = report.lines().find(|line| line.starts_with("| BPCER |")).unwrap();
    assert_eq!(cell(row, 1), cell(bpcer, 1));
}
