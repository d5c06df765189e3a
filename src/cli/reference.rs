//! `DOC[@V]`: which document and which version a person means.

use anyhow::{Context, anyhow};
use faircopy::archive::catalog::CaptureRow;
use faircopy::archive::reader::{Archive, Selector};
use faircopy::identity::DocId;
use jiff::Timestamp;
use jiff::civil::Date;

/// The capture that shows the version named by `text`: a document (id, unique prefix, address or inbox path), and after
/// `@` a version number (`3`, `3.1`), `latest`, or a date or time ("as it stood on"). Without `@`, the latest.
pub(crate) fn resolve(archive: &Archive, text: &str) -> anyhow::Result<CaptureRow> {
    let (doc, version) = split(archive, text)?;
    let selector = version.map_or(Ok(Selector::Latest), parse_version)?;
    archive
        .resolve(&doc, &selector)
        .with_context(|| format!("cannot find {text}; `faircopy log {doc}` lists its versions"))
}

/// The document named by `text`, and what stands after its `@`. An address may contain `@` itself: only what reads as a
/// version, after the name of a document, is taken for one.
pub(crate) fn split<'a>(
    archive: &Archive,
    text: &'a str,
) -> anyhow::Result<(DocId, Option<&'a str>)> {
    if let Some((name, version)) = text.rsplit_once('@')
        && parse_version(version).is_ok()
        && let Ok(doc) = archive.find(name)
    {
        return Ok((doc, Some(version)));
    }
    match (archive.find(text), text.rsplit_once('@')) {
        (Ok(doc), _) => Ok((doc, None)),
        // The document is there, so what follows was meant as a version; say what is wrong with it.
        (Err(_), Some((name, version))) if archive.find(name).is_ok() => {
            Err(parse_version(version).expect_err("a version would have been taken above"))
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// The selector that `@VERSION` means.
pub(crate) fn parse_version(text: &str) -> anyhow::Result<Selector> {
    if text == "latest" {
        return Ok(Selector::Latest);
    }
    if let Ok(version) = text.parse() {
        return Ok(Selector::Version(version));
    }
    // `3.1` is what was archived first of version 3, `3.2` what it was cleaned to later.
    if let Some((version, edition)) = text.split_once('.')
        && let (Ok(version), Ok(edition @ 1..)) = (version.parse(), edition.parse::<u32>())
    {
        return Ok(Selector::Edition(version, edition));
    }
    Ok(Selector::AsOf(parse_time(text)?))
}

/// The beginning of a day, or a time: `--since`.
pub(crate) fn parse_since(text: &str) -> anyhow::Result<Timestamp> {
    match text.parse::<Date>() {
        Ok(date) => Ok(format!("{date}T00:00:00Z").parse()?),
        Err(_) => parse_until(text),
    }
}

/// The end of a day, or a time: `--until`.
pub(crate) fn parse_until(text: &str) -> anyhow::Result<Timestamp> {
    parse_time(text)
        .map_err(|_| anyhow!("neither a date (2024-03-25) nor a time (2024-03-25T09:30:00Z)"))
}

/// A date means its end in UTC: what stood on that day is the last that was fetched in it.
fn parse_time(text: &str) -> anyhow::Result<Timestamp> {
    if let Ok(date) = text.parse::<Date>() {
        return Ok(format!("{date}T23:59:59.999999999Z").parse()?);
    }
    text.parse::<Timestamp>().with_context(|| {
        format!("@{text} is neither a version number, `latest`, a date (2024-03-25) nor a time (2024-03-25T09:30:00Z)")
    })
}
