//! JSON Lines: one object for each version, the article as `show --json` gives it.

use std::io::Write;
use std::path::Path;

use super::{Error, Read};
use crate::archive::catalog::CaptureRow;
use crate::archive::reader::Archive;
use crate::article_json;

pub(super) struct LineWriter<'a> {
    out: &'a mut dyn Write,
}

impl<'a> LineWriter<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> LineWriter<'a> {
        LineWriter { out }
    }

    pub(super) fn capture(
        &mut self,
        archive: &Archive,
        row: &CaptureRow,
    ) -> Result<Read<()>, Error> {
        let metadata = match archive.read_metadata(row) {
            Ok(metadata) => metadata,
            Err(error) => return Ok(Err(error)),
        };
        let object = article_json::version(row, &metadata);
        let written = serde_json::to_writer(&mut self.out, &object).map_err(Into::into);
        written
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(out_error)?;
        Ok(Ok(()))
    }

    pub(super) fn finish(self) -> Result<(), Error> {
        self.out.flush().map_err(out_error)
    }
}

fn out_error(source: std::io::Error) -> Error {
    Error::write(Path::new("the output"), source)
}
