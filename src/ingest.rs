//! The hall: leads one submission through decode and clean to a capture that is ready to be committed.

use crate::archive::capture::{Draft, Prepared, prepare};
use crate::archive::pins::SharedPins;
use crate::clean::rules::Rules;
use crate::clean::{Cleaned, clean, clean_pinned};
use crate::decode::{self, decode};
use crate::document::{Document, Format};
use crate::identity::{Identity, identify};
use crate::submission::{Reason, ReasonCode, Source, Submission};

/// What ingestion needs to know beside the submission.
#[derive(Debug)]
pub struct Settings {
    /// Limits of decoding.
    pub decode: decode::Options,
    /// The rules of cleaning.
    pub rules: Rules,
    /// What persons decided.
    pub pins: SharedPins,
}

/// Decodes, cleans and identifies `submission` and compresses its records: all that needs neither disk nor lock. A file
/// that cannot be archived gives the reason; a defect of ours that panics on it does so too, so that one file never takes
/// the daemon with it.
pub fn ingest(submission: Submission, settings: &Settings) -> Result<Prepared, Reason> {
    draft(submission, settings).and_then(pack)
}

/// The first half of [`ingest`]: all but the records.
pub fn draft(submission: Submission, settings: &Settings) -> Result<Draft, Reason> {
    let what = format!("cleaning {}", submission.source);
    guarded(&what, || try_to_draft(submission, settings)).and_then(|result| result)
}

/// The second half: makes the records and compresses them.
pub fn pack(draft: Draft) -> Result<Prepared, Reason> {
    let what = format!("packing {}", draft.source);
    guarded(&what, || prepare(draft))
}

/// Does `work`, which is `what`; a panic, a defect of ours, becomes the reason why it could not be done.
pub fn guarded<T>(what: &str, work: impl FnOnce() -> T) -> Result<T, Reason> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        // The message may quote the article.
        let text = text.escape_debug();
        let message =
            format!("{what} met a defect of faircopy ({text}); nothing is lost, please report it");
        Reason::new(ReasonCode::Defect, message)
    })
}

fn try_to_draft(submission: Submission, settings: &Settings) -> Result<Draft, Reason> {
    let document = decode(
        &submission.source.path,
        &submission.raw,
        &submission.declared,
        &settings.decode,
    )?;
    let (Cleaned { article, ledger }, identity) = clean_for_archive(
        &document,
        &submission.source.of_part(submission.part),
        &settings.rules,
        &settings.pins,
    );
    debug_assert_eq!(ledger.verify(document.input(), &article.text), Ok(()));
    let Document { decoding, .. } = document;
    let media_type = match decoding.format {
        Format::Text => "text/plain",
        Format::Html => "text/html",
    };
    Ok(Draft {
        identity,
        digests: article.digests(submission.raw_digest),
        claim: submission.claim,
        part: submission.part,
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

/// Cleans a document as it is archived: by the rules and by what persons decided about it or its source; and which document
/// it is.
pub fn clean_for_archive(
    document: &Document,
    source: &Source,
    rules: &Rules,
    pins: &SharedPins,
) -> (Cleaned, Identity) {
    let declared = &document.declared;
    let cleaned = clean(document, rules);
    // Its identity may follow from the address that cleaning finds, and the pins from its identity.
    let identity = identify(declared, source, cleaned.article.url.as_deref());
    let pins = pins.of(&identity, &source.root, declared.source.as_deref());
    match pins.is_empty() {
        true => (cleaned, identity),
        false => (clean_pinned(document, rules, &pins), identity),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_reason_that_cannot_harm_a_terminal() {
        let reason = guarded("reading a.txt", || panic!("at \u{1b}[31m{}", 7)).expect_err("panics");
        assert_eq!(reason.code, ReasonCode::Defect);
        assert!(reason.message.contains("reading a.txt"), "{reason}");
        assert!(!reason.message.chars().any(char::is_control), "{reason}");
    }
}
