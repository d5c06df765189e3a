//! The spool: what is in hand, durably, so that a crash neither loses nor doubles a file.
//!
//! ```text
//! spool/<claim>.json     a batch: the intents of up to a few hundred claims, written before any of their files is read;
//!                        named after its first claim; temp, fsync, rename, fsync of the folder: two fsyncs for all of them
//! spool/<claim>.marks    one line each: "open" when the batch is made, "begin CLAIM" when a worker starts, "close CLAIM"
//!                        when the claim is given back. Never fsynced
//! spool/suspects.json    files that were under way when the process died, with the number of deaths
//! ```
//!
//! As safe as one file for each intent: an intent counts as open until its batch is deleted, or a mark closes it, and redoing a
//! closed one does nothing. The marks outlive the death of the process, which is what they are for: to know which files were
//! under way. A power cut may lose them; then (no "open" line) every intent of the batch is a suspect, which costs time only.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::durable;
use crate::submission::{ClaimId, Signature, Source};

use super::error::Error;

/// That a file is about to be read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) claim: ClaimId,
    #[serde(flatten)]
    pub(super) source: Source,
    pub(super) signature: Signature,
    /// The state of the sidecar, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sidecar: Option<Signature>,
    pub(super) claimed_at: Timestamp,
    pub(super) attempts: u32,
}

/// A file that was under way when the process died.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Suspect {
    #[serde(flatten)]
    pub(super) source: Source,
    pub(super) signature: Signature,
    pub(super) deaths: u32,
    /// The claim of the last death: a death is counted once even if recovery itself dies.
    pub(super) claim: ClaimId,
}

/// The spool folder.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    batches: HashMap<ClaimId, Batch>,
    batch_of: HashMap<ClaimId, ClaimId>,
    suspects: HashMap<Source, Suspect>,
}

#[derive(Debug)]
struct Batch {
    open: usize,
    marks: Arc<Marks>,
}

/// What a crash left.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Intents that no mark closes, and whether each was under way.
    pub(super) intents: Vec<(Intent, bool)>,
    /// Files of the spool that cannot be understood.
    pub(super) damaged: Vec<PathBuf>,
}

/// The marks of one batch; shared by its claims.
#[derive(Debug)]
pub(super) struct Marks(Option<File>);

impl Marks {
    fn open(path: &Path) -> Marks {
        let file = OpenOptions::new().append(true).create(true).open(path);
        // Without marks (a full disk) all intents of the batch are suspects: slower, no less safe.
        Marks(file.ok())
    }

    fn line(&self, text: &str) {
        if let Some(mut file) = self.0.as_ref() {
            // One write call, so that lines of several threads do not mix. A lost mark costs time only, see above.
            drop(file.write_all(text.as_bytes()));
        }
    }

    /// The file of `claim` is under way.
    pub(super) fn begin(&self, claim: &ClaimId) {
        self.line(&format!("begin {claim}\n"));
    }
}

impl Spool {
    /// Opens the spool and reads what a crash left. The intents found stay open until they are closed.
    pub(super) fn open(folder: &Path) -> Result<(Spool, Left), Error> {
        durable::create_folders(folder).map_err(Error::io("create", folder))?;
        let mut spool = Spool {
            folder: folder.to_owned(),
            batches: HashMap::new(),
            batch_of: HashMap::new(),
            suspects: HashMap::new(),
        };
        let mut left = Left::default();
        spool.load_suspects(&mut left)?;
        let mut marks = Vec::new();
        for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
            let path = entry.map_err(Error::io("list", folder))?.path();
            match kind_of(&path) {
                Some(Kind::Batch(name)) => spool.load_batch(name, &path, &mut left)?,
                Some(Kind::Marks) => marks.push(path),
                // Ours, of a write that did not end.
                Some(Kind::Temporary) => {
                    fs::remove_file(&path).map_err(Error::io("delete", &path))?;
                }
                None => {}
            }
        }
        for path in marks {
            if !path.with_extension("json").exists() {
                drop(fs::remove_file(&path));
            }
        }
        // Claims sort by time.
        left.intents.sort_by(|(a, _), (b, _)| a.claim.cmp(&b.claim));
        Ok((spool, left))
    }

    fn load_suspects(&mut self, left: &mut Left) -> Result<(), Error> {
        let path = self.folder.join("suspects.json");
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            result => result.map_err(Error::io("read", &path))?,
        };
        let Ok(suspects) = serde_json::from_slice::<Vec<Suspect>>(&bytes) else {
            left.damaged.push(path);
            return Ok(());
        };
        self.suspects = suspects
            .into_iter()
            .map(|suspect| (suspect.source.clone(), suspect))
            .collect();
        Ok(())
    }

    fn load_batch(&mut self, name: ClaimId, path: &Path, left: &mut Left) -> Result<(), Error> {
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        let Ok(intents) = serde_json::from_slice::<Vec<Intent>>(&bytes) else {
            left.damaged.push(path.to_owned());
            return Ok(());
        };
        let marks = fs::read(path.with_extension("marks")).unwrap_or_default();
        let marks = String::from_utf8_lossy(&marks);
        let marked: HashSet<&str> = marks.lines().collect();
        let trusted = marked.contains("open");
        let mut open = 0;
        for intent in intents {
            if marked.contains(format!("close {}", intent.claim).as_str()) {
                continue;
            }
            let under_way = !trusted || marked.contains(format!("begin {}", intent.claim).as_str());
            self.batch_of.insert(intent.claim.clone(), name.clone());
            left.intents.push((intent, under_way));
            open += 1;
        }
        let marks = Arc::new(Marks::open(&path.with_extension("marks")));
        self.batches.insert(name.clone(), Batch { open, marks });
        if open == 0 {
            self.delete_batch(&name);
        }
        Ok(())
    }

    /// Makes the intents durable, all or none.
    pub(super) fn add(&mut self, intents: &[Intent]) -> io::Result<Arc<Marks>> {
        let name = intents
            .first()
            .map(|intent| intent.claim.clone())
            .ok_or(io::ErrorKind::InvalidInput)?;
        let path = self.batch_path(&name);
        let marks = Arc::new(Marks::open(&path.with_extension("marks")));
        marks.line("open\n");
        if let Err(error) = durable::replace(&path, &serde_json::to_vec(intents)?, 0o600) {
            // The batch may be there in spite of the error; without it the next start would count deaths that never were.
            drop(fs::remove_file(&path));
            drop(fs::remove_file(path.with_extension("marks")));
            return Err(error);
        }
        for intent in intents {
            self.batch_of.insert(intent.claim.clone(), name.clone());
        }
        let batch = Batch {
            open: intents.len(),
            marks: marks.clone(),
        };
        self.batches.insert(name, batch);
        Ok(marks)
    }

    /// The intent is done with, whatever became of its file. Not fsynced: to redo it does nothing.
    pub(super) fn close(&mut self, claim: &ClaimId) {
        let Some(name) = self.batch_of.remove(claim) else {
            return;
        };
        let batch = self
            .batches
            .get_mut(&name)
            .expect("a batch stays while it has open intents");
        batch.marks.line(&format!("close {claim}\n"));
        batch.open -= 1;
        if batch.open == 0 {
            self.delete_batch(&name);
        }
    }

    /// The marks of the batch that holds `claim`.
    pub(super) fn marks_of(&self, claim: &ClaimId) -> Option<Arc<Marks>> {
        let name = self.batch_of.get(claim)?;
        self.batches.get(name).map(|batch| batch.marks.clone())
    }

    fn delete_batch(&mut self, name: &ClaimId) {
        self.batches.remove(name);
        let path = self.batch_path(name);
        // Left behind it would be found closed by its marks; the marks go last.
        if fs::remove_file(&path).is_ok() {
            drop(fs::remove_file(path.with_extension("marks")));
        }
    }

    fn batch_path(&self, name: &ClaimId) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }

    /// What is held against this state of a file.
    pub(super) fn suspect(&self, source: &Source, signature: &Signature) -> Option<&Suspect> {
        self.suspects
            .get(source)
            .filter(|suspect| suspect.signature == *signature)
    }

    /// Counts a death for each intent, forgets suspects that `is_current` denies, and makes that durable.
    pub(super) fn suspect_all(
        &mut self,
        intents: &[&Intent],
        is_current: impl Fn(&Suspect) -> bool,
    ) -> Result<(), Error> {
        let before = self.suspects.len();
        self.suspects.retain(|_, suspect| is_current(suspect));
        if intents.is_empty() && self.suspects.len() == before {
            return Ok(());
        }
        for intent in intents {
            let known = self.suspect(&intent.source, &intent.signature);
            let deaths = match known {
                Some(suspect) if suspect.claim == intent.claim => suspect.deaths,
                Some(suspect) => suspect.deaths + 1,
                None => 1,
            };
            let suspect = Suspect {
                source: intent.source.clone(),
                signature: intent.signature,
                deaths,
                claim: intent.claim.clone(),
            };
            self.suspects.insert(intent.source.clone(), suspect);
        }
        self.save_suspects()
    }

    /// The file came through, or is in quarantine. If this cannot be written the file's signature has changed all the same.
    pub(super) fn acquit(&mut self, source: &Source) {
        if self.suspects.remove(source).is_some() {
            drop(self.save_suspects());
        }
    }

    fn save_suspects(&self) -> Result<(), Error> {
        let path = self.folder.join("suspects.json");
        if self.suspects.is_empty() {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(Error::io("delete", &path)(error))
                }
                _ => Ok(()),
            };
        }
        let mut suspects: Vec<&Suspect> = self.suspects.values().collect();
        suspects.sort_by(|a, b| a.claim.cmp(&b.claim));
        let bytes = serde_json::to_vec(&suspects)
            .map_err(|error| Error::io("describe suspects in", &path)(error.into()))?;
        durable::replace(&path, &bytes, 0o600).map_err(Error::io("write", &path))
    }
}

enum Kind {
    Batch(ClaimId),
    Marks,
    Temporary,
}

/// What a file in the spool is by its name; `None` if it is none of ours.
fn kind_of(path: &Path) -> Option<Kind> {
    let name = path.file_name()?.to_str()?;
    if name.starts_with('.') && name.contains(".json.") && name.ends_with(".tmp") {
        return Some(Kind::Temporary);
    }
    let (claim, extension) = name.split_once('.')?;
    let claim = ClaimId::parse(claim)?;
    match extension {
        "json" => Some(Kind::Batch(claim)),
        "marks" => Some(Kind::Marks),
        _ => None,
    }
}
