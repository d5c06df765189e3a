//! The hall: leads one submission through decode and clean to a capture that is ready to be committed.

use crate::archive::capture::{Draft, Prepared, prepare};
use crate::clean::rules::Rules;
use crate::clean::{Cleaned, clean};
use crate::decode::{self, decode};
use crate::document::{Document, Format};
use crate::identity::identify;
use crate::submission::{Reason, ReasonCode, Submission};

/// What ingestion needs to know beside the submission.
#[derive(Debug)]
pub struct Settings {
    /// Limits of decoding.
    pub decode: decode::Options,
    /// The rules of cleaning.
    pub rules: Rules,
}

/// Decodes, cleans and identifies `submission` and compresses its records: all that needs neither disk nor lock. A file
/// that cannot be archived gives the reason; a defect of ours that panics on it does so too, so that one file never takes
/// the daemon with it.
pub fn ingest(submission: Submission, settings: &Settings) -> Result<Prepared, Reason> {
    let name = submission.source.to_string();
    let work = std::panic::AssertUnwindSafe(|| draft(submission, settings).map(prepare));
    std::panic::catch_unwind(work).unwrap_or_else(|panic| Err(panicked(&name, &*panic)))
}

fn draft(submission: Submission, settings: &Settings) -> Result<Draft, Reason> {
    let document = decode(
        &submission.source.path,
        &submission.raw,
        &submission.declared,
        &settings.decode,
    )?;
    let Cleaned { article, ledger } = clean(&document, &settings.rules);
    debug_assert_eq!(ledger.verify(document.input(), &article.text), Ok(()));
    let Document { decoding, .. } = document;
    let media_type = match decoding.format {
        Format::Text => "text/plain",
        Format::Html => "text/html",
    };
    Ok(Draft {
        identity: identify(
            &submission.declared,
            &submission.source,
            article.url.as_deref(),
        ),
        digests: article.digests(submission.raw_digest),
        claim: submission.claim,
        part: 0,
        source: submission.source,
        signature: submission.signature,
        declared: submission.declared,
        received_at: submission.received_at,
        raw: submission.raw,
        media_type,
        article,
        ledger,
        decoding,
        rules: settings.rules.id().to_owned(),
    })
}

fn panicked(name: &str, panic: &(dyn std::any::Any + Send)) -> Reason {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    Reason::new(
        ReasonCode::Defect,
        format!(
            "cleaning {name} met a defect of faircopy ({text}); the file is untouched, please report it"
        ),
    )
}
