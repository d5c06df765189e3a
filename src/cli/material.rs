//! Documents to try rules on: files, folders and archived versions.

use std::path::{Path, PathBuf};

use anyhow::Context;
use faircopy::decode::{self, decode};
use faircopy::document::Document;
use faircopy::inbox::oneshot;
use faircopy::reclean;
use faircopy::submission::{Declared, path_text};

use super::{Global, clean, reference, setup};

/// The files that `paths` name, folders with all in them; what is no file is the name of an archived document.
pub(crate) fn expand(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let options = faircopy::inbox::options::Options::default();
            found.extend(oneshot::list(path, &options)?.files);
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

/// A file, or an archived version, decoded: its name and what it is.
pub(crate) fn open(global: &Global, what: &Path) -> anyhow::Result<(String, Document)> {
    if what.is_file() || what == Path::new("-") {
        let options = decode::Options::default();
        let raw = clean::read(what, options.bytes_max)?;
        let document = decode(what, &raw, &Declared::default(), &options)?;
        return Ok((path_text::to_text(what), document));
    }
    let archive = setup::open_archive(global)?;
    let name = what.to_str();
    let name = name.with_context(|| {
        format!(
            "{} is neither a file nor a document; `faircopy ls` lists those",
            what.display()
        )
    })?;
    let capture = reference::resolve(&archive, name)?;
    let metadata = archive.read_metadata(&capture)?;
    let document = reclean::decode_again(&archive, &capture, &metadata)?;
    Ok((format!("{}@{}", capture.doc, capture.version), document))
}
