//! `Problem`: what `check` finds, under codes that stay.

use serde::{Serialize, Serializer};

use crate::identity::DocId;

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of problem.
    pub code: Code,
    /// Where: a file, with the byte offset in it if there is one: `segments/000001.warc.zst@4096`.
    #[serde(rename = "where")]
    pub place: String,
    /// The document that suffers, if that is known.
    pub doc: Option<DocId>,
    /// What is wrong. Small first letter, no full stop.
    pub message: String,
    /// What the code means.
    pub meaning: &'static str,
    /// What to do.
    pub advice: &'static str,
}

/// Something worth saying that is no problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Where, as in [`Problem::place`].
    #[serde(rename = "where")]
    pub place: String,
    /// What. Small first letter, no full stop.
    pub message: String,
}

/// Defines [`Code`] from one table, so that code, meaning and advice cannot part.
macro_rules! codes {
    ($($name:ident = $code:literal, $meaning:literal, $advice:expr;)*) => {
        /// Kinds of problems. A code is never given a second meaning; a kind that is no more leaves a gap.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!("`", $code, "`: ", $meaning, ".")] $name,)*
        }

        impl Code {
            /// All of them, in the order of their codes.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The code, e.g. `F012`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)* }
            }

            /// What it means.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$name => $meaning,)* }
            }

            /// What to do about it.
            pub fn advice(self) -> &'static str {
                match self { $(Code::$name => $advice,)* }
            }
        }
    };
}

const RESTORE_FILE: &str = "restore this file from a backup";
const RESTORE_RECORD: &str = "restore the segment from a backup; all other records stay readable";
const REBUILT: &str = "start the daemon or run `add`: the file is made again from the entries";
const REBUILT_IF_DELETED: &str =
    "delete it and start the daemon or run `add`: it is made again from the entries";
const CATALOG: &str = "delete it, it is rebuilt";
const STOP: &str =
    "archive nothing more here; compare with other copies of the archive and of its checkpoints";

codes! {
    ManifestBad = "F001", "archive.json is missing or unreadable", RESTORE_FILE;
    ManifestUnfit = "F002", "archive.json and the log's key name different logs", RESTORE_FILE;
    FormatMissing = "F003", "FORMAT.md, which explains the archive, is missing",
        "copy it from another archive of this format version";
    VerifierBad = "F010", "the log's verifier key is missing or damaged",
        "restore log/vkey from where it was published; starting the daemon or `add` writes it again";
    CheckpointMissing = "F011", "the log's checkpoint is missing",
        "restore log/checkpoint from the state folder's last-checkpoint or a backup";
    CheckpointBad = "F012", "the log's checkpoint is damaged or its signature is wrong",
        "restore log/checkpoint from the state folder's last-checkpoint or a backup";
    OtherKey = "F013", "the log is not signed by the expected key", STOP;
    RootWrong = "F014", "the log does not make the root that was signed", STOP;
    EntriesMissing = "F015", "a tile of log entries is missing or torn", RESTORE_FILE;
    EntryChanged = "F016", "log entries were changed", RESTORE_FILE;
    HashTileMissing = "F017", "a hash tile is missing or torn", REBUILT;
    HashTileWrong = "F018", "a hash tile does not follow from what is below it", REBUILT_IF_DELETED;
    LeafUnfit = "F019", "a leaf is of no known kind, or does not follow from its document's leaf before",
        "use a newer program if the kind is new; otherwise the writer erred: please report it";
    KeptUnusable = "F020", "the checkpoint kept elsewhere cannot be read or is not of this log",
        "give a checkpoint of this log";
    LogShrunk = "F021", "the log is shorter than the checkpoint kept elsewhere", STOP;
    LogForked = "F022", "the log is not a continuation of the checkpoint kept elsewhere", STOP;
    RotationBad = "F023", "the proof that the log's key was changed is missing or damaged", RESTORE_FILE;
    CosignedBad = "F024", "a cosigned checkpoint is damaged, or its cosignature is wrong",
        "restore this file from a backup; without it nothing but a witness's word on when is lost";
    SegmentMissing = "F030", "a segment is missing or cannot be read", RESTORE_FILE;
    SegmentShort = "F031", "a segment ends before its last committed record", RESTORE_FILE;
    FrameBad = "F032", "bytes in a segment are no record", RESTORE_RECORD;
    DigestWrong = "F033", "a record's block is not what its digest says", RESTORE_RECORD;
    MetadataBad = "F034", "a metadata block cannot be understood", RESTORE_RECORD;
    MetadataUnknown = "F035", "no leaf commits to a metadata record",
        "it was put in or changed by something else than this program; compare with a backup";
    MetadataMissing = "F036", "the metadata record that a leaf commits to is not there", RESTORE_RECORD;
    RawMissing = "F037", "the raw bytes of a capture are not there", RESTORE_RECORD;
    TextMissing = "F038", "the canonical text of a capture is not there", RESTORE_RECORD;
    ContentUnfit = "F039", "text, ledger and metadata of a capture do not fit together",
        "the raw bytes are sound: clean the capture again";
    RecordUnknown = "F040", "a record belongs to no capture",
        "it was put in or changed by something else than this program; compare with a backup";
    TargetMissing = "F041", "a record refers to one that is not there", RESTORE_RECORD;
    DictionaryBad = "F042", "the dictionary in a sealed segment is damaged",
        "nothing is lost while its second copy is sound: restore the segment from a backup";
    DictionaryCopyBad = "F043", "the second copy of a sealed segment's dictionary is missing or damaged",
        "nothing is lost while the segment's own dictionary is sound: restore the copy from a backup";
    SealedUnlike = "F044", "a sealed segment is not, byte for byte, what was sealed", RESTORE_FILE;
    SealedDigestBad = "F045", "the digest beside a sealed segment is missing or unreadable", RESTORE_FILE;
    ErasureUnfinished = "F046", "records of a document that was erased are still there",
        "start the daemon or run `erase` again: it is finished then";
    SegmentMisnamed = "F047", "a segment bears the name of another", "give it the name back that its first record says";
    CatalogMissing = "F050", "the catalog is missing",
        "nothing is lost: starting the daemon or `add` builds it again";
    CatalogBad = "F051", "the catalog is damaged", CATALOG;
    CatalogUnfit = "F052", "the catalog says other things than the log and the segments", CATALOG;
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Takes problems as they are found.
pub(super) struct Findings<'a> {
    report: &'a mut dyn FnMut(Problem),
    pub(super) problems: u64,
    pub(super) notes: Vec<Note>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(report: &'a mut dyn FnMut(Problem)) -> Findings<'a> {
        Findings {
            report,
            problems: 0,
            notes: Vec::new(),
        }
    }

    pub(super) fn problem(
        &mut self,
        code: Code,
        place: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.problem_of(code, place, None, message);
    }

    pub(super) fn problem_of(
        &mut self,
        code: Code,
        place: impl Into<String>,
        doc: Option<DocId>,
        message: impl Into<String>,
    ) {
        self.problems += 1;
        (self.report)(Problem {
            code,
            place: place.into(),
            doc,
            message: message.into(),
            meaning: code.meaning(),
            advice: code.advice(),
        });
    }

    pub(super) fn note(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.notes.push(Note {
            place: place.into(),
            message: message.into(),
        });
    }
}

/// An error with its causes, as one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_list_is_that_of_the_codes() {
        let documented = include_str!("../../docs/problems.md");
        let rows = Code::ALL.iter().map(|code| {
            let (meaning, advice) = (code.meaning(), code.advice());
            format!("| {} | {meaning} | {advice} |\n", code.as_str())
        });
        let rows: String = rows.collect();
        let (_, table) = documented.split_once("|---|---|---|\n").expect("a table");
        assert_eq!(
            table, rows,
            "docs/problems.md must end with these rows:\n{rows}"
        );
    }

    #[test]
    fn codes_are_unique_and_ascending() {
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
        for code in Code::ALL {
            assert!(!code.advice().is_empty() && !code.meaning().ends_with('.'));
        }
    }
}
