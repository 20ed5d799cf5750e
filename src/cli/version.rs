//! What this program is made of → the text of `bonafide --version`.

use std::fmt::Write as _;

use bonafide::checker::known_readings;
use bonafide::inference::{EngineChoice, ModelSource, Models};
use bonafide::policy::Policy;

const FEATURES: &[(&str, bool)] = &[
    ("cli", cfg!(feature = "cli")),
    ("onnxruntime", cfg!(feature = "onnxruntime")),
    ("heic", cfg!(feature = "heic")),
    ("qr", cfg!(feature = "qr")),
    ("simulation", cfg!(feature = "simulation")),
    ("bench", cfg!(feature = "bench")),
    ("service", cfg!(feature = "service")),
];

/// Version, commit, features, policy, models with the beginning of their hashes, and the engine that would run them.
pub fn text() -> String {
    let mut text = format!("{} (commit {})\n", env!("CARGO_PKG_VERSION"), env!("BONAFIDE_COMMIT"));
    let features: Vec<_> = FEATURES.iter().filter(|(_, built)| *built).map(|(name, _)| *name).collect();
    let _ = writeln!(text, "features: {}", features.join(", "));
    match Policy::shipped(&known_readings()) {
        Ok(policy) => _ = writeln!(text, "policy: {}", policy.id()),
        Err(error) => _ = writeln!(text, "policy: {error}"),
    }
    match ModelSource::Shipped.entries() {
        Ok(entries) => {
            let named = entries.iter().map(|entry| format!("{} {}", entry.id, &entry.sha256[..12]));
            let _ = writeln!(text, "models: {}", named.collect::<Vec<_>>().join(", "));
        }
        Err(error) => _ = writeln!(text, "models: {error}"),
    }
    match Models::engine_of(EngineChoice::Auto) {
        Ok(engine) => _ = write!(text, "engine: {engine}"),
        Err(error) => _ = write!(text, "engine: {error}"),
    }
    text
}

/// Why a subcommand is not known: the feature that this program was built without, where there is one.
pub fn missing(subcommand: &str) -> Option<&'static str> {
    let (feature, built) = match subcommand {
        "bench" => ("bench", cfg!(feature = "bench")),
        "simulate" => ("simulation", cfg!(feature = "simulation")),
        "serve" | "key" | "audit" | "webhook" | "purge" => ("service", cfg!(feature = "service")),
        _ => return None,
    };
    (!built).then_some(feature)
}
