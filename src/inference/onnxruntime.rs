//! A graph in ONNX Runtime, whose shared library is looked for when first needed.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ndarray::{ArrayD, ArrayViewD};
use ort::environment::Environment;
use ort::ep::CPU;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use super::pool::Pool;
use super::{InferenceError, Model};

#[cfg(target_os = "windows")]
const NAME: &str = "onnxruntime.dll";
#[cfg(target_os = "macos")]
const NAME: &str = "libonnxruntime.dylib";
#[cfg(not(any(target_os = "windows", target_os = "macos")))]
const NAME: &str = "libonnxruntime.so";

/// The library in use and its environment, or why there is none; decided once a process.
pub(super) fn library() -> &'static Result<(PathBuf, Environment), String> {
    static LIBRARY: OnceLock<Result<(PathBuf, Environment), String>> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut cause = "ONNX Runtime was not found".to_owned();
        for path in candidates() {
            let environment = ort::init_from(&path)
                .map_err(|e| e.to_string())
                .and_then(|e| e.with_name("bonafide").with_telemetry(false).build().map_err(|e| e.to_string()));
            match environment {
                Ok(environment) => return Ok((path, environment)),
                Err(error) => cause = format!("{} cannot be used: {error}", crate::names::shown(&path)),
            }
        }
        Err(cause)
    })
}

/// Existing library files, the likeliest first: `ORT_DYLIB_PATH`, beside the program, `../lib`, the system's folders,
/// and the `onnxruntime` packages of Python and Node.
fn candidates() -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH") {
        found.push(PathBuf::from(path));
    }
    let mut folders = Vec::new();
    if let Some(beside) = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned)) {
        folders.push(beside.join("../lib"));
        folders.insert(0, beside);
    }
    folders.extend(std::env::var_os("LD_LIBRARY_PATH").iter().flat_map(std::env::split_paths));
    let system =
        ["/usr/local/lib", "/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    folders.extend(system.map(PathBuf::from));
    folders.push(PathBuf::from("/opt/homebrew/lib"));
    folders.extend(python_folders());
    folders.extend(node_folders());
    for folder in folders {
        found.extend(libraries_in(&folder));
    }
    found.retain(|path| path.is_file());
    found
}

/// Files of `folder` named as the library, with or without a version behind.
fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(NAME)))
        .collect();
    files.sort();
    files
}

/// `onnxruntime/capi` of the active virtual environment and of the interpreters beside the search path.
fn python_folders() -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = std::env::var_os("VIRTUAL_ENV").map(PathBuf::from).into_iter().collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    roots.extend(std::env::split_paths(&path).filter_map(|bin| bin.parent().map(Path::to_owned)));
    roots.extend(std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local")));
    let mut folders = Vec::new();
    for lib in roots.iter().flat_map(|root| [root.join("lib"), root.join("Lib")]) {
        folders.push(lib.join("site-packages/onnxruntime/capi"));
        let Ok(entries) = std::fs::read_dir(&lib) else { continue };
        let mut pythons: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|p| p.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with("python3")))
            .collect();
        pythons.sort();
        for python in pythons {
            folders.push(python.join("site-packages/onnxruntime/capi"));
            folders.push(python.join("dist-packages/onnxruntime/capi"));
        }
    }
    folders
}

/// `onnxruntime-node` in `node_modules` here and above, and in Node's global folder.
fn node_folders() -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> =
        std::env::current_dir().ok().iter().flat_map(|here| here.ancestors()).map(|d| d.join("node_modules")).collect();
    roots.extend(["/usr/lib/node_modules", "/usr/local/lib/node_modules"].map(PathBuf::from));
    let platform = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let machine = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x64" };
    let bins = roots.iter().filter_map(|root| std::fs::read_dir(root.join("onnxruntime-node/bin")).ok());
    bins.flatten().filter_map(Result::ok).map(|napi| napi.path().join(platform).join(machine)).collect()
}

pub(super) struct RuntimeModel {
    id: String,
    bytes: Cow<'static, [u8]>,
    // A session runs one input at a time.
    sessions: Pool<Session>,
}

impl RuntimeModel {
    pub(super) fn load(id: &str, bytes: Cow<'static, [u8]>) -> Result<Self, InferenceError> {
        let first = session(&bytes).map_err(|cause| InferenceError::Load { model: id.to_owned(), cause })?;
        Ok(Self { id: id.to_owned(), bytes, sessions: Pool::of(first) })
    }
}

fn session(bytes: &[u8]) -> Result<Session, String> {
    // One thread a session: captures are the unit of parallel work.
    let (_, environment) = library().as_ref().map_err(Clone::clone)?;
    let build = || -> ort::Result<Session> {
        Session::builder(environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            // Its own store of memory keeps half as much again as a run takes; the program's allocator is as fast.
            .with_execution_providers([CPU::default().with_arena_allocator(false).build()])?
            .commit_from_memory(bytes)
    };
    build().map_err(|e| e.to_string())
}

impl Model for RuntimeModel {
    fn run(&self, input: ArrayViewD<'_, f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
        let refuse = |cause: String| InferenceError::Run { model: self.id.clone(), cause };
        let mut session = self.sessions.take(|| session(&self.bytes)).map_err(refuse)?;
        evaluate(&mut session, input).map_err(|e| refuse(e.to_string()))
    }
}

fn evaluate(session: &mut Session, input: ArrayViewD<'_, f32>) -> ort::Result<Vec<ArrayD<f32>>> {
    let standard = input.as_standard_layout();
    let outputs = session.run(ort::inputs![TensorRef::from_array_view(standard.view())?])?;
    outputs.values().map(|value| Ok(value.try_extract_array::<f32>()?.to_owned())).collect()
}
