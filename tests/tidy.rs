//! Source files → the order of modules held, detectors kept apart, and every file's first line a `//!` sentence.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The data's way: a module may use only those before it.
const ORDER: &[&str] = &[
    "geometry",
    "vocabulary",
    "names",
    "lettering",
    "exact",
    "capture",
    "inference",
    "reading",
    "scene",
    "words",
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

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

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
    sources(&src(), &mut found);
    assert!(found.len() > 20, "found only {} files", found.len());
    found
}

/// The module that a file holds: `detectors::moire`; nothing for the roots of library and program.
fn module_of(path: &Path) -> Vec<String> {
    let below = path.strip_prefix(src()).expect("below src").with_extension("");
    let mut parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

/// What a file is made of without its comments, its strings and its tests.
fn production(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let uncommented = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    uncommented.collect::<Vec<_>>().join("\n").split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// Whether `c` may be part of a name.
fn of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every path in `code` that begins at the crate or above the module `own`, as far as the first two names from the
/// crate's root; a group in braces gives one path for each of its members.
fn paths(code: &str, own: &[String]) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    for (at, start) in ["crate::", "super::"].iter().flat_map(|start| code.match_indices(start)) {
        let before = code[..at].chars().next_back();
        // Later parts of a path were seen with its first, and `$crate` and names that end alike are others.
        if before.is_some_and(|c| of_name(c) || c == ':' || c == '$') {
            continue;
        }
        let mut rest = &code[at + start.len()..];
        let mut base = if start == "crate::" { Vec::new() } else { own[..own.len().saturating_sub(1)].to_vec() };
        while let Some(more) = rest.strip_prefix("super::") {
            base.pop();
            rest = more;
        }
        follow(rest, &base, &mut found);
    }
    found
}

/// Adds `base` and what comes next in `rest`, until two names are known.
fn follow(rest: &str, base: &[String], found: &mut BTreeSet<Vec<String>>) {
    if base.len() >= 2 {
        found.insert(base[..2].to_vec());
        return;
    }
    if let Some(group) = rest.strip_prefix('{') {
        let mut depth = 0;
        let mut begin = 0;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    follow(group[begin..at].trim_start(), base, found);
                    begin = at + 1;
                }
                '}' => depth -= 1,
                _ => {}
            }
            if c == '}' && depth == 0 && begin == at + 1 {
                return;
            }
        }
        return;
    }
    let name: String = rest.chars().take_while(|c| of_name(*c)).collect();
    if name.is_empty() {
        return;
    }
    let path = [base, std::slice::from_ref(&name)].concat();
    match rest[name.len()..].strip_prefix("::") {
        Some(more) => follow(more, &path, found),
        None => {
            found.insert(path);
        }
    }
}

/// The file's module and the paths that it uses, for each file but tests and roots.
fn uses() -> Vec<(PathBuf, Vec<String>, BTreeSet<Vec<String>>)> {
    let mut uses = Vec::new();
    for path in all_sources() {
        let own = module_of(&path);
        if own.is_empty() || own.last().is_some_and(|last| last == "tests") {
            continue;
        }
        let used = paths(&production(&fs::read_to_string(&path).expect("text")), &own);
        uses.push((path, own, used));
    }
    uses
}

#[test]
fn modules_use_only_what_stands_above_them() {
    let place = |name: &str| ORDER.iter().position(|known| *known == name);
    let mut seen = 0;
    for (path, own, used) in uses() {
        let own = own[0].as_str();
        let here = place(own).unwrap_or_else(|| panic!("{}: `{own}` has no place in the order", path.display()));
        for used in used {
            // A name with a capital stands in the crate's root.
            let Some(used) = used.first().filter(|name| name.starts_with(char::is_lowercase)) else { continue };
            let above = place(used).unwrap_or_else(|| panic!("{}: `{used}` has no place in the order", path.display()));
            assert!(above <= here, "{}: `{own}` may not use `{used}`", path.display());
            seen += 1;
        }
    }
    assert!(seen > 300, "read only {seen} uses");
}

#[test]
fn no_detector_uses_another() {
    let files = all_sources();
    let siblings: BTreeSet<String> = files
        .iter()
        .map(|path| module_of(path))
        .filter(|module| module.len() > 1 && module[0] == "detectors")
        .map(|module| module[1].clone())
        .collect();
    assert!(siblings.len() > 10, "found only {siblings:?}");
    for (path, own, used) in uses().into_iter().filter(|(_, own, _)| own.len() > 1 && own[0] == "detectors") {
        for used in used.iter().filter(|used| used.len() > 1 && used[0] == "detectors" && used[1] != own[1]) {
            assert!(!siblings.contains(&used[1]), "{}: `{}` may not use `{}`", path.display(), own[1], used[1]);
        }
    }
}

#[test]
fn paths_are_seen_wherever_they_stand() {
    let code = production(
        "use crate::scene::{Scene, face::Face};\nuse super::{Detector, glare::FLANK};\n// crate::service::not\n\
         fn f() { let x = super::super::policy::code(\"crate::cli::no\"); crate::report::html::thumbnail() }\n\
         #[cfg(test)]\nmod tests { use crate::service::Server; }",
    );
    let own = ["detectors", "cover"].map(str::to_owned);
    let found: Vec<String> = paths(&code, &own).into_iter().map(|path| path.join("::")).collect();
    let wanted =
        ["detectors::Detector", "detectors::glare", "policy::code", "report::html", "scene::Scene", "scene::face"];
    assert_eq!(found, wanted);
}

#[test]
fn every_file_says_first_what_it_turns_into_what() {
    for path in all_sources() {
        let text = fs::read_to_string(&path).expect("text");
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}

#[test]
fn the_list_of_guards_names_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = all_sources();
    sources(&root.join("tests"), &mut files);
    let there: String = files.iter().map(|path| fs::read_to_string(path).expect("text")).collect();
    let list = fs::read_to_string(root.join("tests/README.md")).expect("the list");
    let words = list.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let named: Vec<&str> = words.filter(|word| word.matches('_').count() > 2).collect();
    assert!(named.len() > 60, "{} tests", named.len());
    for name in named {
        assert!(there.contains(&format!("fn {name}()")), "no test is called {name}");
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
