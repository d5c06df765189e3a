//! A bag (BagIt, RFC 8493) as `export --bagit` makes it: whether every file is what the manifests say, and what the proofs in it
//! prove about the captures beside them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use crate::archive::metadata::MetadataBlock;
use crate::digest::{Digest, DigestHasher};

use super::{Proven, Trust};

/// The proof beside a capture.
pub const PROOF: &str = "proof.tlog-proof";
/// The metadata that its leaf commits to.
pub const METADATA: &str = "metadata.json";
/// The canonical text.
pub const TEXT: &str = "text.txt";
/// What the name of the raw bytes begins with.
const RAW: &str = "raw.";

/// What a bag holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files that are as the manifests say.
    pub files: u64,
    /// Captures that are proven.
    pub proven: u64,
    /// What was told.
    pub problems: u64,
}

/// Verifies the bag in `dir`; each thing that is wrong is handed to `report`, with its place. Never stops at the first.
pub fn verify(
    dir: &Path,
    trust: &Trust,
    report: &mut dyn FnMut(&str, String),
) -> io::Result<Verified> {
    let declaration = fs::read_to_string(dir.join("bagit.txt"))?;
    let mut bag = Bag {
        dir,
        report,
        verified: Verified::default(),
        listed: BTreeSet::new(),
    };
    if !declaration.starts_with("BagIt-Version: ") {
        bag.tell("bagit.txt", "it does not begin with BagIt-Version");
    }
    for manifest in ["tagmanifest-sha256.txt", "manifest-sha256.txt"] {
        bag.manifest(manifest);
    }
    for file in bag.payload() {
        bag.payload_file(&file, trust);
    }
    Ok(bag.verified)
}

struct Bag<'a> {
    dir: &'a Path,
    report: &'a mut dyn FnMut(&str, String),
    verified: Verified,
    listed: BTreeSet<PathBuf>,
}

impl Bag<'_> {
    fn tell(&mut self, place: &str, message: impl Into<String>) {
        self.verified.problems += 1;
        (self.report)(place, message.into());
    }

    /// Compares every file that a manifest lists.
    fn manifest(&mut self, name: &str) {
        let text = match fs::read_to_string(self.dir.join(name)) {
            Ok(text) => text,
            Err(error) => return self.tell(name, format!("cannot read it: {error}")),
        };
        for line in text.lines() {
            let Some((digest, file)) = line.split_once(char::is_whitespace) else {
                self.tell(name, format!("{line:?} is no line of a manifest"));
                continue;
            };
            let file = decoded(file.trim_start());
            let Some(path) = inside(&file) else {
                self.tell(name, format!("{file:?} lies outside of the bag"));
                continue;
            };
            match digest_of(&self.dir.join(&path)) {
                Ok(found) if found.to_hex() == digest.to_ascii_lowercase() => {
                    self.verified.files += 1;
                }
                Ok(_) => self.tell(&file, "it is not what the manifest says"),
                Err(error) => self.tell(&file, format!("cannot read it: {error}")),
            }
            self.listed.insert(path);
        }
    }

    /// The payload's files; whatever no manifest lists is told.
    fn payload(&mut self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![PathBuf::from("data")];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(self.dir.join(&folder));
            for entry in entries.into_iter().flatten().flatten() {
                let path = folder.join(entry.file_name());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(path);
                } else if self.listed.contains(&path) {
                    found.push(path);
                } else {
                    self.tell(&path.to_string_lossy(), "no manifest lists it");
                }
            }
        }
        found.sort();
        found
    }

    /// Verifies a proof, and compares what lies beside it with what it proves.
    fn payload_file(&mut self, file: &Path, trust: &Trust) {
        if file.file_name().is_none_or(|name| name != PROOF) {
            return;
        }
        let folder = file.parent().unwrap_or(Path::new(""));
        let place = file.to_string_lossy().into_owned();
        match self.prove(folder, trust) {
            Ok(()) => self.verified.proven += 1,
            Err(message) => self.tell(&place, message),
        }
    }

    fn prove(&self, folder: &Path, trust: &Trust) -> Result<(), String> {
        let folder = self.dir.join(folder);
        let read = |name: &str| {
            fs::read(folder.join(name)).map_err(|error| format!("cannot read {name}: {error}"))
        };
        let text = String::from_utf8(read(PROOF)?).map_err(|_| "it is not text".to_owned())?;
        let metadata = read(METADATA)?;
        let Proven { block, .. } =
            super::proof(&text, Some(&metadata), trust).map_err(|error| error.to_string())?;
        let MetadataBlock::Capture(block) = block else {
            return Err("it is not about a capture".to_owned());
        };
        let digests = block.observation.digests;
        if Digest::of(&read(TEXT)?) != digests.text {
            return Err(format!(
                "{TEXT} is another text than the one that is proven"
            ));
        }
        let names = fs::read_dir(&folder).into_iter().flatten().flatten();
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let raw = names.filter(|name| name.starts_with(RAW)).min();
        let raw = raw.ok_or("the raw bytes are not beside it")?;
        match digest_of(&folder.join(&raw)) {
            Ok(found) if found == digests.raw => Ok(()),
            Ok(_) => Err(format!("{raw} has other bytes than those that are proven")),
            Err(error) => Err(format!("cannot read {raw}: {error}")),
        }
    }
}

/// The three characters that a manifest cannot hold as they are (RFC 8493, 2.1.3).
fn decoded(name: &str) -> String {
    let name = name.replace("%0A", "\n").replace("%0D", "\r");
    name.replace("%25", "%")
}

/// A path that stays inside of the bag.
fn inside(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(name);
    let is_plain = |part| matches!(part, Component::Normal(_));
    (!name.is_empty() && path.components().all(is_plain)).then_some(path)
}

/// The digest of a regular file; links lead who knows where.
fn digest_of(path: &Path) -> io::Result<Digest> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut file = File::open(path)?;
    let mut hasher = DigestHasher::default();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}
