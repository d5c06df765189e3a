//! WARC files of gzip members, one a record, with a CDXJ index: what pywb replays and warcio reads.
//!
//! ```text
//! archive/faircopy-000001.warc.gz    warcinfo; then of each capture: resource or revisit, conversion, metadata,
//!                                    and text and metadata of its latest edition if it was cleaned again
//! indexes/index.cdxj                 one sorted line for each resource or revisit
//! ```
//!
//! So a folder below pywb's `collections/` is a collection. The export stands by itself: what was archived as a revisit of
//! another document's bytes is exported with the bytes, and with a duplicate goes the capture that has its text.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::de::IgnoredAny;

use super::sorted::SortedLines;
use super::surt::surt;
use super::{Error, Read, create_folder};
use crate::archive::capture::{RevisitTarget, raw_record, revisit_record, target_uri};
use crate::archive::catalog::CaptureRow;
use crate::archive::keys::random;
use crate::archive::metadata::{MetadataBlock, Observation};
use crate::archive::reader::{Archive, CaptureRecords};
use crate::archive::warc::{NewRecord, Record, RecordId, RecordWriter, warc_date};
use crate::archive::{self, Manifest};
use crate::digest::Digest;

/// A file that has reached this size is followed by the next, as the standard advises (WARC 1.1, annex C).
const FILE_BYTES_MAX: u64 = 1 << 30;

pub(super) struct WarcWriter {
    dir: PathBuf,
    archive_id: String,
    now: Timestamp,
    files: u32,
    file: Option<WarcFile>,
    index: SortedLines,
    /// The bytes that this document's captures have had so far, and the record that has them.
    known: HashMap<Digest, RevisitTarget>,
}

struct WarcFile {
    path: PathBuf,
    name: String,
    out: BufWriter<File>,
    bytes: u64,
}

/// What the index says of a record beside its place.
struct Entry<'a> {
    uri: &'a str,
    date: Timestamp,
    media_type: &'a str,
    digest: &'a Digest,
}

impl WarcWriter {
    pub(super) fn create(
        dir: &Path,
        manifest: &Manifest,
        now: Timestamp,
    ) -> Result<WarcWriter, Error> {
        create_folder(dir)?;
        for folder in ["archive", "indexes"] {
            let folder = dir.join(folder);
            fs::create_dir(&folder).map_err(|source| Error::write(&folder, source))?;
        }
        Ok(WarcWriter {
            index: SortedLines::new(&dir.join("indexes/index.cdxj")),
            dir: dir.to_owned(),
            archive_id: manifest.id.clone(),
            now,
            files: 0,
            file: None,
            known: HashMap::new(),
        })
    }

    /// Revisits refer to records of the same document only: so little is remembered.
    pub(super) fn begin_document(&mut self) {
        self.known.clear();
    }

    pub(super) fn capture(
        &mut self,
        archive: &Archive,
        row: &CaptureRow,
    ) -> Result<Read<()>, Error> {
        let records = match archive.read_records(row) {
            Ok(records) => records,
            Err(error) => return Ok(Err(error)),
        };
        let editions = archive
            .latest_edition(row.clone())
            .and_then(|row| archive.read_edition_records(&row));
        let edition = match editions {
            Ok(edition) => edition,
            Err(error) => return Ok(Err(error)),
        };
        let Some((observation, id)) = observed(&records.metadata) else {
            let why = "it does not name its raw record".to_owned();
            return Ok(Err(archive::Error::Damaged {
                what: "the metadata record",
                doc: row.doc.clone(),
                capture: row.capture,
                place: Some(row.locations.metadata.to_string()),
                why,
            }));
        };
        self.raw(&records, &observation, &id)?;
        if let Some(text) = &records.text {
            self.write(&[text], None)?;
        }
        self.write(&[&records.metadata], None)?;
        // A duplicate goes with the capture that has its content and its editions.
        if row.same_as.is_none() {
            edition
                .iter()
                .try_for_each(|record| self.write(&[record], None))?;
        }
        Ok(Ok(()))
    }

    /// The raw bytes, under the name and date that the capture has; as they stand in the archive if that record is its own.
    fn raw(
        &mut self,
        records: &CaptureRecords,
        observation: &Observation,
        id: &RecordId,
    ) -> Result<(), Error> {
        let uri = target_uri(observation);
        let digest = &observation.digests.raw;
        let mut entry = Entry {
            uri: &uri,
            date: observation.captured_at(),
            media_type: &observation.media_type,
            digest,
        };
        if let Some(target) = self.known.get(digest) {
            entry.media_type = "warc/revisit";
            let revisit = revisit_record(observation, id, target);
            return self.write(&revisit.parts(), Some(&entry));
        }
        let target = RevisitTarget {
            id: id.as_str().to_owned(),
            uri: uri.clone(),
            date: warc_date(entry.date),
        };
        self.known.insert(*digest, target);
        let record = Record::parse(&records.raw).expect("the reader has parsed it");
        if record.header("WARC-Record-ID") == Some(id.as_str()) {
            return self.write(&[&records.raw], Some(&entry));
        }
        let own: NewRecord = raw_record(observation, id, record.block.to_vec());
        self.write(&own.parts(), Some(&entry))
    }

    /// Writes a record as a gzip member of its own, and its line of the index.
    fn write(&mut self, parts: &[&[u8]], entry: Option<&Entry<'_>>) -> Result<(), Error> {
        let file = match &mut self.file {
            // Only before a raw record: a capture's records stay together.
            Some(file) if entry.is_none() || file.bytes < FILE_BYTES_MAX => file,
            _ => self.next_file()?,
        };
        let offset = file.bytes;
        let length = file.append(parts)?;
        let Some(entry) = entry else { return Ok(()) };
        let line = index_line(entry, &file.name, offset, length);
        self.index
            .push(line.into_bytes())
            .map_err(|source| Error::write(&self.dir, source))
    }

    fn next_file(&mut self) -> Result<&mut WarcFile, Error> {
        if let Some(full) = self.file.take() {
            full.finish()?;
        }
        self.files += 1;
        let name = format!("faircopy-{:06}.warc.gz", self.files);
        let path = self.dir.join("archive").join(&name);
        let out = File::create_new(&path).map_err(|source| Error::write(&path, source))?;
        let info = warcinfo(&self.archive_id, &name, self.now);
        let file = self.file.insert(WarcFile {
            path,
            name,
            out: BufWriter::new(out),
            bytes: 0,
        });
        file.append(&info.parts())?;
        Ok(file)
    }

    pub(super) fn finish(mut self) -> Result<(), Error> {
        if let Some(file) = self.file.take() {
            file.finish()?;
        }
        let index = self.dir.join("indexes/index.cdxj");
        self.index
            .finish()
            .map_err(|source| Error::write(&index, source))
    }
}

impl WarcFile {
    /// Writes one member; its length.
    fn append(&mut self, parts: &[&[u8]]) -> Result<u64, Error> {
        let mut write = || -> io::Result<u64> {
            let mut counted = Counted {
                out: &mut self.out,
                bytes: 0,
            };
            let mut member = GzEncoder::new(&mut counted, Compression::default());
            parts.iter().try_for_each(|part| member.write_all(part))?;
            member.finish()?;
            Ok(counted.bytes)
        };
        let length = write().map_err(|source| Error::write(&self.path, source))?;
        self.bytes += length;
        Ok(length)
    }

    fn finish(self) -> Result<(), Error> {
        let file = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all())
            .map_err(|source| Error::write(&self.path, source))
    }
}

struct Counted<'a> {
    out: &'a mut BufWriter<File>,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What a metadata record says was observed, and of which raw record it is.
fn observed(metadata: &[u8]) -> Option<(Observation, RecordId)> {
    let record = Record::parse(metadata).ok()?;
    let id = RecordId::parse(record.header("WARC-Refers-To")?)?;
    match MetadataBlock::<IgnoredAny>::parse(record.block).ok()? {
        MetadataBlock::Capture(block) => Some((block.observation, id)),
        _ => None,
    }
}

/// `org,example)/a 20240325093000 {"url": ...}`: the fields that pywb's own indexer gives.
fn index_line(entry: &Entry<'_>, file: &str, offset: u64, length: u64) -> String {
    let date = entry.date.strftime("%Y%m%d%H%M%S");
    let fields = serde_json::json!({
        "url": entry.uri, "mime": entry.media_type, "digest": entry.digest,
        "length": length.to_string(), "offset": offset.to_string(), "filename": file,
    });
    format!("{} {date} {fields}", surt(entry.uri))
}

fn warcinfo(archive_id: &str, file_name: &str, now: Timestamp) -> NewRecord {
    let block = format!(
        "software: faircopy/{}\r\nformat: WARC File Format 1.1\r\n\
         conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n\
         description: exported from the faircopy archive {archive_id}\r\n",
        env!("CARGO_PKG_VERSION"),
    );
    RecordWriter::new("warcinfo", &RecordId::new(random()), now)
        .field("WARC-Filename", file_name)
        .digest("WARC-Block-Digest", &Digest::of(block.as_bytes()))
        .finish(Some("application/warc-fields"), block)
}
