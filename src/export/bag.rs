//! A bag (BagIt 1.0, RFC 8493): raw bytes, text, article and metadata of each capture, with digests that any validator checks.
//!
//! ```text
//! data/documents/DOC/CAPTURE/raw.html         the bytes as they came
//! data/documents/DOC/CAPTURE/text.txt         the canonical text
//! data/documents/DOC/CAPTURE/article.json     the article, as `show --json` gives it
//! data/documents/DOC/CAPTURE/metadata.json    the very block that the capture's leaf commits to
//! data/documents/DOC/CAPTURE/proof.tlog-proof that the leaf is in the log
//! data/log/checkpoint, vkey                   the log that has the leaf
//! ```
//!
//! All names are made here; nothing that came from outside becomes a path.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Error, Read, create_folder};
use crate::archive::Error as ArchiveError;
use crate::archive::catalog::CaptureRow;
use crate::archive::metadata::CaptureMetadata;
use crate::archive::reader::Archive;
use crate::article_json;
use crate::digest::Digest;
use crate::document::Layer;
use crate::verify::bag;

const MANIFEST: &str = "manifest-sha256.txt";

pub(super) struct BagWriter {
    dir: PathBuf,
    manifest: BufWriter<File>,
    files: u64,
    bytes: u64,
    /// Folders of captures, with their leaves: their proofs are made last.
    proven: Vec<(String, u64)>,
}

impl BagWriter {
    pub(super) fn create(dir: &Path) -> Result<BagWriter, Error> {
        create_folder(dir)?;
        let data = dir.join("data");
        fs::create_dir(&data).map_err(|source| Error::write(&data, source))?;
        let path = dir.join(MANIFEST);
        let manifest = File::create_new(&path).map_err(|source| Error::write(&path, source))?;
        Ok(BagWriter {
            dir: dir.to_owned(),
            manifest: BufWriter::new(manifest),
            files: 0,
            bytes: 0,
            proven: Vec::new(),
        })
    }

    pub(super) fn capture(
        &mut self,
        archive: &Archive,
        row: &CaptureRow,
    ) -> Result<Read<()>, Error> {
        let read = || -> Read<_> {
            let raw = archive.read_raw(row)?;
            let block = archive.read_metadata_block(row)?;
            Ok((raw, block, archive.read_metadata(row)?))
        };
        let (raw, block, metadata) = match read() {
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        };
        let mut article = article_json::version(row, &metadata).to_string();
        article.push('\n');
        for (name, bytes) in [
            (raw_name(&metadata).as_str(), &raw[..]),
            ("text.txt", metadata.article.text.as_bytes()),
            ("article.json", article.as_bytes()),
            ("metadata.json", &block),
        ] {
            self.payload(
                &format!("data/documents/{}/{}/{name}", row.doc, row.capture),
                bytes,
            )?;
        }
        let folder = format!("data/documents/{}/{}", row.doc, row.capture);
        self.proven.push((folder, row.leaf));
        Ok(Ok(()))
    }

    pub(super) fn finish(mut self, archive: &Archive, now: Timestamp) -> Result<(), Error> {
        // Last, so that the checkpoint covers every leaf that is named.
        for (folder, leaf) in std::mem::take(&mut self.proven) {
            let proof = archive.prove_entry(leaf)?.to_text();
            self.payload(&format!("{folder}/{}", bag::PROOF), proof.as_bytes())?;
        }
        for name in ["checkpoint", "vkey"] {
            let path = archive.dir().join("log").join(name);
            let doing = "read";
            let bytes = fs::read(&path).map_err(|source| ArchiveError::Io {
                doing,
                path,
                source,
            })?;
            self.payload(&format!("data/log/{name}"), &bytes)?;
        }
        let manifest = self.dir.join(MANIFEST);
        let flushed = self.manifest.flush();
        flushed
            .and_then(|()| self.manifest.get_ref().sync_all())
            .map_err(|source| Error::write(&manifest, source))?;
        let info = format!(
            "Bag-Software-Agent: faircopy/{}\nBagging-Date: {}\nExternal-Identifier: {}\nPayload-Oxum: {}.{}\n",
            env!("CARGO_PKG_VERSION"),
            now.strftime("%Y-%m-%d"),
            archive.manifest().origin,
            self.bytes,
            self.files,
        );
        let declaration = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
        let mut tags = String::new();
        for (name, text) in [("bag-info.txt", info.as_str()), ("bagit.txt", declaration)] {
            self.write(name, text.as_bytes())?;
            tags.push_str(&line(&Digest::of(text.as_bytes()), name));
        }
        let digest = digest_of(&manifest).map_err(|source| Error::write(&manifest, source))?;
        tags.push_str(&line(&digest, MANIFEST));
        self.write("tagmanifest-sha256.txt", tags.as_bytes())
    }

    fn payload(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.write(name, bytes)?;
        self.files += 1;
        self.bytes += bytes.len() as u64;
        let line = line(&Digest::of(bytes), name);
        self.manifest
            .write_all(line.as_bytes())
            .map_err(|source| Error::write(&self.dir.join(MANIFEST), source))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.dir.join(name);
        let write = || -> io::Result<()> {
            fs::create_dir_all(crate::durable::folder_of(&path))?;
            File::create_new(&path)?.write_all(bytes)
        };
        write().map_err(|source| Error::write(&path, source))
    }
}

/// `raw.html`, `raw.txt.gz`: what the bytes are was told by decoding, not by the name that they came with.
fn raw_name(metadata: &CaptureMetadata) -> String {
    let mut name = match metadata.observation.media_type.as_str() {
        "text/html" => "raw.html",
        _ => "raw.txt",
    }
    .to_owned();
    // Outermost first, and so last in a name.
    for layer in metadata.decoding.layers.iter().rev() {
        name.push_str(match layer {
            Layer::Gzip => ".gz",
            Layer::Zstd => ".zst",
        });
    }
    name
}

fn line(digest: &Digest, name: &str) -> String {
    format!("{}  {name}\n", digest.to_hex())
}

fn digest_of(path: &Path) -> io::Result<Digest> {
    let mut hasher = crate::digest::DigestHasher::default();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}
