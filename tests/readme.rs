//! The table of detectors in src/detectors/README.md → the same text as `bonafide explain --format markdown`.

use std::process::Command;

#[test]
fn the_readme_has_the_table_that_explain_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_bonafide")).args(["explain", "--format", "markdown"]).output();
    let table = String::from_utf8(output.expect("runs").stdout).expect("text");
    assert!(table.lines().count() > 10);
    let readme = include_str!("../src/detectors/README.md");
    assert!(
        readme.contains(table.trim()),
        "put the output of `bonafide explain --format markdown` into src/detectors/README.md"
    );
}

#[cfg(feature = "service")]
#[test]
fn the_operators_readme_has_the_table_that_serve_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_bonafide")).args(["serve", "--settings"]).output();
    let table = String::from_utf8(output.expect("runs").stdout).expect("text");
    assert!(table.lines().count() > 20);
    let readme = include_str!("../src/service/README.md");
    assert!(readme.contains(table.trim()), "put the output of `bonafide serve --settings` into src/service/README.md");
}
