//! What the test files share: a folder of their own, the seeds, and how a suite says that it cannot run here.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::print_stdout,
    reason = "what is skipped is told where the tests are run"
)]

pub(crate) mod daemon;
pub(crate) mod producer;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A temporary folder that goes when the test ends.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    /// An empty folder.
    pub(crate) fn new() -> Sandbox {
        let folder = tempfile::Builder::new().prefix("faircopy-").tempdir();
        Sandbox {
            folder: folder.expect("a temporary folder can be made"),
        }
    }

    /// The folder itself.
    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// A path in it; nothing is made.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, relative: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        let parent = path.parent().expect("a path in the sandbox has a parent");
        fs::create_dir_all(parent).expect("the sandbox is writable");
        fs::write(&path, bytes).expect("the sandbox is writable");
        path
    }

    /// Reads a file.
    pub(crate) fn read(&self, relative: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(relative);
        fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    }

    /// Puts a seed into the sandbox under `relative`.
    pub(crate) fn put_seed(&self, name: &str, relative: impl AsRef<Path>) -> PathBuf {
        self.write(relative, seed(name))
    }

    /// The paths of all files in `relative` and below, relative to it, sorted.
    pub(crate) fn files(&self, relative: impl AsRef<Path>) -> Vec<PathBuf> {
        fn walk(dir: &Path, root: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => walk(&path, root, found),
                    _ => found.push(path.strip_prefix(root).unwrap_or(&path).to_owned()),
                }
            }
        }
        let root = self.path(relative);
        let mut found = Vec::new();
        walk(&root, &root, &mut found);
        found.sort();
        found
    }
}

/// Where the seeds lie.
pub(crate) fn seeds_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

/// The names of all seeds (raw files, without goldens, sidecars and the folder's own papers), sorted.
pub(crate) fn seed_names() -> Vec<String> {
    let entries = fs::read_dir(seeds_dir()).expect("the seeds lie in the repository");
    let names = entries.map(|entry| entry.expect("the folder can be listed").file_name());
    let names = names.map(|name| name.into_string().expect("seeds have plain names"));
    let mut names: Vec<String> = names.filter(|name| is_seed(name)).collect();
    names.sort();
    names
}

fn is_seed(name: &str) -> bool {
    let beside = [".golden.txt", ".golden.json", ".meta.json"];
    name != "README.md" && !name.starts_with('.') && !beside.iter().any(|end| name.ends_with(end))
}

/// The raw bytes of one seed.
pub(crate) fn seed(name: &str) -> Vec<u8> {
    let path = seeds_dir().join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// Says that a suite cannot run here, and lets it pass, unless `FAIRCOPY_REQUIRE_ALL=1` as in CI. Not for a missing
/// `FAIRCOPY_CORPUS`, which is no failure anywhere: see [`corpus`].
pub(crate) fn skip(needs: &str) {
    println!("skipped: needs {needs}");
    let required = std::env::var_os("FAIRCOPY_REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(
        !required,
        "needs {needs}, and FAIRCOPY_REQUIRE_ALL=1 lets nothing be skipped"
    );
}

/// The folder with real articles that some figures are measured on, if this machine has it.
pub(crate) fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("FAIRCOPY_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        println!(
            "skipped: needs FAIRCOPY_CORPUS, a folder with articles that are not ours to give away"
        );
    }
    corpus
}

/// CPU time of this thread (`proc(5)`, schedstat), or the clock where the kernel does not say.
pub(crate) fn cpu_time() -> Duration {
    thread_local!(static START: Instant = Instant::now());
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = schedstat.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.with(Instant::elapsed), Duration::from_nanos)
}
