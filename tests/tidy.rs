//! Source files → the order of modules held, and every file's first line a `//!` sentence.

use std::fs;
use std::path::{Path, PathBuf};

/// The data's way: a module may use only those before it.
const ORDER: &[&str] = &[
    "geometry",
    "lettering",
    "capture",
    "inference",
    "reading",
    "scene",
    "evidence",
    "detectors",
    "scoring",
    "policy",
    "report",
    "checker",
    "screening",
    "benchmark",
    "simulation",
    "service",
    "cli",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 20, "found only {} files", found.len());
    found
}

#[test]
fn modules_use_only_what_stands_above_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for path in all_sources() {
        let module = path.strip_prefix(&src).expect("below src").components().next().expect("a name");
        let module = module.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let Some(place) = ORDER.iter().position(|name| *name == module) else { continue };
        let text = fs::read_to_string(&path).expect("text");
        let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for used in production.lines().filter_map(|line| line.trim().split("use crate::").nth(1)) {
            let used = used.split([':', ';', ' ']).next().unwrap_or_default();
            let above = ORDER.iter().position(|name| *name == used);
            assert!(above.is_some_and(|above| above <= place), "{}: `{module}` may not use `{used}`", path.display());
            seen += 1;
        }
    }
    assert!(seen > 30, "read only {seen} uses");
}

#[test]
fn every_file_says_first_what_it_turns_into_what() {
    for path in all_sources() {
        let text = fs::read_to_string(&path).expect("text");
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}

/// The service's way, from what knows of nothing to what knows of everything: a room may use only those before it.
#[cfg(feature = "service")]
const SERVICE_ORDER: &[&str] =
    &["clock", "store", "webhooks", "config", "figures", "http", "auth", "handoff", "work", "api", "pages", "server"];

#[cfg(feature = "service")]
#[test]
fn the_service_has_an_order() {
    let service = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/service");
    let named =
        |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
    let mut seen = 0;
    let mut found = Vec::new();
    sources(&service, &mut found);
    for path in found {
        let below: Vec<_> = path.strip_prefix(&service).expect("below").components().collect();
        let room = named(&below[0].as_os_str().to_string_lossy());
        if room == "mod" {
            continue;
        }
        let place = SERVICE_ORDER.iter().position(|name| *name == room);
        let place = place.unwrap_or_else(|| panic!("{}: where in the order?", path.display()));
        let text = fs::read_to_string(&path).expect("text");
        let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let whole = production.split("crate::service::").skip(1);
        // From a file that is a room, its neighbours are rooms; from within one, only the room itself is above.
        let near = production.split("super::").skip(1).filter(|_| below.len() == 1);
        let above = production.split("super::super::").skip(1).filter(|_| below.len() == 2);
        assert!(above.count() == 0, "{}: say crate::service::…", path.display());
        for used in whole.chain(near) {
            assert!(!used.starts_with('{') || below.len() == 1, "{}: one room a line", path.display());
            let used: Vec<_> = match used.strip_prefix('{') {
                None => vec![named(used)],
                Some(list) => list.split('}').next().unwrap_or_default().split(',').map(|n| named(n.trim())).collect(),
            };
            for used in used {
                let above = SERVICE_ORDER.iter().position(|name| *name == used);
                assert!(above.is_some_and(|above| above <= place), "{}: `{room}` may not use `{used}`", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "read only {seen} uses");
}
