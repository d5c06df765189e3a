//! `DOC[@V]`: which document and which version a person means.

use anyhow::{Context, anyhow};
use faircopy::archive::catalog::CaptureRow;
use faircopy::archive::reader::{Archive, Selector};
use faircopy::identity::DocId;
use faircopy::moment;
use jiff::Timestamp;

const NO_TIME: &str = "neither a date (2024-03-25) nor a time (2024-03-25T09:30:00Z)";

/// The capture that shows the version named by `text`: a document (id, unique prefix, address or inbox path), and after
/// `@` a version number (`3`, `3.1`), `latest`, or a date or time ("as it stood on"). Without `@`, the latest.
pub(crate) fn resolve(archive: &Archive, text: &str) -> anyhow::Result<CaptureRow> {
    let (doc, version) = split(archive, text)?;
    let selector = version.map_or(Ok(Selector::Latest), str::parse)?;
    archive
        .resolve(&doc, &selector)
        .with_context(|| format!("cannot find {text}"))
}

/// The document named by `text`, and what stands after its `@`. An address may contain `@` itself: only what reads as a
/// version, after the name of a document, is taken for one.
pub(crate) fn split<'a>(
    archive: &Archive,
    text: &'a str,
) -> anyhow::Result<(DocId, Option<&'a str>)> {
    if let Some((name, version)) = text.rsplit_once('@')
        && version.parse::<Selector>().is_ok()
        && let Ok(doc) = archive.find(name)
    {
        return Ok((doc, Some(version)));
    }
    match (archive.find(text), text.rsplit_once('@')) {
        (Ok(doc), _) => Ok((doc, None)),
        // The document is there, so what follows was meant as a version; say what is wrong with it.
        (Err(_), Some((name, version))) if archive.find(name).is_ok() => {
            let parsed = version.parse::<Selector>();
            Err(parsed
                .expect_err("a version would have been taken above")
                .into())
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// The beginning of a day, or a time: `--since`.
pub(crate) fn parse_since(text: &str) -> anyhow::Result<Timestamp> {
    moment::begin(text).ok_or_else(|| anyhow!(NO_TIME))
}

/// The end of a day, or a time: `--until`.
pub(crate) fn parse_until(text: &str) -> anyhow::Result<Timestamp> {
    moment::end(text).ok_or_else(|| anyhow!(NO_TIME))
}
