//! The commit that is built → `BONAFIDE_COMMIT`, for `bonafide --version`.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=BONAFIDE_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    let told = std::env::var("BONAFIDE_COMMIT").ok();
    let commit = told.or_else(head).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=BONAFIDE_COMMIT={commit}");
}

/// The commit of this checkout. Nothing in a debug build, which would be compiled again after each commit, and nothing
/// where the sources lie inside another repository or in none.
fn head() -> Option<String> {
    if std::env::var("PROFILE").ok()? != "release" {
        return None;
    }
    let root = std::env::var("CARGO_MANIFEST_DIR").ok()?;
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(["-C", &root]).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if std::fs::canonicalize(top).ok()? != std::fs::canonicalize(&root).ok()? {
        return None;
    }
    let log = Path::new(&root).join(git(&["rev-parse", "--git-path", "logs/HEAD"])?);
    if log.exists() {
        println!("cargo::rerun-if-changed={}", log.display());
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}
