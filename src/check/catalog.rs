//! The catalog: whether it says what log and segments say. Nothing depends on it, so that one piece of advice serves all.

use std::path::Path;

use crate::archive::catalog::{Catalog, LeafRow};
use crate::archive::log::note::Checkpoint;
use crate::archive::log::reader::read_verifier;
use crate::archive::segment::Location;
use crate::check::log::LogView;
use crate::check::problem::{Code, Findings, chain};
use crate::check::records::Records;

const PLACE: &str = "catalog.sqlite";
/// Rows that are read at once.
const ROWS: u64 = 4096;

/// Compares the catalog with the log; gives it back if it can be used.
pub(super) fn check(archive: &Path, view: &LogView, findings: &mut Findings) -> Option<Catalog> {
    if !Catalog::path_in(archive).exists() {
        findings.problem(Code::CatalogMissing, PLACE, "it is not there");
        return None;
    }
    let opened = Catalog::open_to_read(archive).and_then(|catalog| {
        catalog.examine()?;
        Ok(catalog)
    });
    let compared = opened.and_then(|catalog| {
        let fits = compare_leaves(archive, &catalog, view, findings)?;
        Ok(fits.then_some(catalog))
    });
    compared.unwrap_or_else(|error| {
        findings.problem(Code::CatalogBad, PLACE, chain(&error));
        None
    })
}

/// Whether the catalog's rows are the log's leaves.
fn compare_leaves(
    archive: &Path,
    catalog: &Catalog,
    view: &LogView,
    findings: &mut Findings,
) -> Result<bool, crate::archive::Error> {
    let covered = catalog.high_water()?.leaves;
    if covered > view.size && newest_size(archive).is_some_and(|size| covered > size) {
        let message = format!("it covers {covered} leaves, the log has {}", view.size);
        findings.problem(Code::CatalogUnfit, PLACE, message);
        return Ok(false);
    }
    if covered < view.size {
        let message = format!(
            "it covers {covered} of {} leaves; the next start brings it up to date",
            view.size
        );
        findings.note(PLACE, message);
    }
    let end = covered.min(view.size);
    let mut wrong = 0;
    for first in (0..end).step_by(ROWS as usize) {
        let last = (first + ROWS).min(end);
        let rows = catalog.leaf_rows(first..last)?;
        let mut rows = rows.into_iter().peekable();
        for leaf in first..last {
            let row = rows.next_if(|row| row.leaf == leaf);
            wrong += u64::from(!is_leaf(row.as_ref(), view, leaf));
        }
        wrong += rows.count() as u64;
    }
    if wrong > 0 {
        let message = format!("of the leaves before {end}, {wrong} are not as the log has them");
        findings.problem(Code::CatalogUnfit, PLACE, message);
    }
    Ok(wrong == 0)
}

/// How many leaves the log has by now: a daemon may have gone on.
fn newest_size(archive: &Path) -> Option<u64> {
    let dir = archive.join("log");
    let verifier = read_verifier(&dir).ok()?;
    let checkpoint = Checkpoint::read(&dir.join("checkpoint"), &verifier);
    Some(checkpoint.ok()?.size)
}

fn is_leaf(row: Option<&LeafRow>, view: &LogView, leaf: u64) -> bool {
    let index = usize::try_from(leaf).expect("the leaves are in memory");
    let Some(row) = row else { return false };
    // Of a leaf that is lost nothing can be said.
    view.leaves.all[index].is_none_or(|leaf| {
        row.doc == view.leaves.doc(&leaf)
            && row.kind == leaf.kind
            && row.capture == leaf.capture
            && row.version == leaf.version
            && row.metadata == leaf.metadata
    })
}

/// Compares where the catalog says that records are with where they were found.
pub(super) fn compare_places(
    catalog: &Catalog,
    records: &Records,
    whole: bool,
    findings: &mut Findings,
) {
    let wrong = wrong_places(catalog, records).and_then(|wrong| {
        let raws = if whole {
            wrong_raws(catalog, records)?
        } else {
            0
        };
        Ok(wrong + raws)
    });
    match wrong {
        Ok(0) => {}
        Ok(wrong) => {
            let message = format!("{wrong} records lie elsewhere than it says");
            findings.problem(Code::CatalogUnfit, PLACE, message);
        }
        Err(error) => findings.problem(Code::CatalogBad, PLACE, chain(&error)),
    }
}

fn wrong_places(catalog: &Catalog, records: &Records) -> Result<u64, crate::archive::Error> {
    let mut wrong = 0;
    let end = catalog
        .high_water()?
        .leaves
        .min(records.metadata.len() as u64);
    for first in (0..end).step_by(ROWS as usize) {
        for row in catalog.leaf_rows(first..(first + ROWS).min(end))? {
            let index = usize::try_from(row.leaf).expect("the leaves are in memory");
            // Where a record is lost the catalog may well remember where it was.
            let differs = |found: Option<Location>, said| found.is_some() && found != said;
            wrong += u64::from(differs(records.metadata[index], row.metadata_at));
            wrong += u64::from(differs(records.texts[index], row.text_at));
        }
    }
    Ok(wrong)
}

fn wrong_raws(catalog: &Catalog, records: &Records) -> Result<u64, crate::archive::Error> {
    let mut wrong = 0;
    if catalog.high_water()?.leaves < records.metadata.len() as u64 {
        return Ok(0);
    }
    for (digest, found) in &records.raws {
        let said = catalog.raw(digest)?;
        // Several records may have the same bytes; any sound one serves.
        let fits = said == Some(*found)
            || said.is_some_and(|at| records.block_digest(at) == Some(*digest));
        wrong += u64::from(!fits);
    }
    Ok(wrong)
}
