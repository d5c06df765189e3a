//! Downloads: the very bytes, always as attachments, so that a browser never takes them for what they say they are.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::ask::Names;
use super::fault::Fault;
use super::frame;
use super::pages::timeline::read_version;
use crate::archive::Error;
use crate::archive::catalog::CaptureRow;
use crate::archive::reader::Archive;

type Of = Names<(String, String)>;

/// The bytes as they came.
pub(super) async fn raw(web: State<Shared>, of: Of) -> Result<Response, Fault> {
    let read = |archive: &Archive, row: &CaptureRow| archive.read_raw(row);
    give(web, of, "raw", "application/octet-stream", read).await
}

/// The canonical text.
pub(super) async fn text(web: State<Shared>, of: Of) -> Result<Response, Fault> {
    let read = |archive: &Archive, row: &CaptureRow| Ok(archive.read_text(row)?.into_bytes());
    give(web, of, "txt", "text/plain; charset=utf-8", read).await
}

/// The block of the metadata record that the leaf commits to.
pub(super) async fn metadata(web: State<Shared>, of: Of) -> Result<Response, Fault> {
    let read = |archive: &Archive, row: &CaptureRow| archive.read_metadata_block(row);
    give(web, of, "json", "application/json", read).await
}

/// What `faircopy prove` writes.
pub(super) async fn proof(web: State<Shared>, of: Of) -> Result<Response, Fault> {
    let read = |archive: &Archive, row: &CaptureRow| {
        let proof = archive.prove(row.leaf)?;
        Ok(proof.to_text().into_bytes())
    };
    give(web, of, "tlog-proof", "text/plain; charset=utf-8", read).await
}

async fn give(
    State(web): State<Shared>,
    Names((doc, version)): Of,
    ending: &'static str,
    kind: &'static str,
    read: impl FnOnce(&Archive, &CaptureRow) -> Result<Vec<u8>, Error> + Send + 'static,
) -> Result<Response, Fault> {
    web.shelf
        .read(move |archive| {
            let row = read_version(archive, &doc, &version)?;
            let bytes = read(archive, &row)?;
            // Ids and numbers alone: nothing of it was scraped.
            let name = format!("{}-{}.{ending}", row.doc, frame::version(&row));
            let disposition = format!("attachment; filename=\"{name}\"");
            let headers = [
                (header::CONTENT_TYPE, kind.to_owned()),
                (header::CONTENT_DISPOSITION, disposition),
            ];
            Ok((headers, bytes).into_response())
        })
        .await
}
