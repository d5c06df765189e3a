//! Asking a witness for its cosignature (C2SP tlog-witness).

use crate::archive::log::cosignature::{Cosignature, WitnessKey};
use crate::archive::log::error::LogError;
use crate::archive::log::reader::LogReader;
use crate::archive::log::witness::add_checkpoint;
use crate::http;

/// Why a witness did not cosign.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// It cannot be reached.
    #[error("it cannot be reached")]
    Unreachable(#[source] Box<ureq::Error>),
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] LogError),
    /// It saw another log under this name.
    #[error(
        "it has seen this log otherwise ({0}): either the archive is a restored older copy, or the log was forked. Publish \
         nothing and archive nothing more here until the newest copy of the archive is found"
    )]
    Forked(String),
    /// It does not know the log, or not this key.
    #[error("it does not know this log (status {0}): give its operator log/vkey")]
    Unknown(u16),
    /// It says something else than the protocol has.
    #[error("it answers {status}: {text:?}; try again later, or ask its operator")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        text: String,
    },
    /// It cosigned something else, or with another key.
    #[error(
        "its answer holds no right cosignature by its key; compare the key with the one that the witness publishes"
    )]
    NotCosigned,
}

/// Asks the witness at `url` to cosign the log's checkpoint, of which it has probably cosigned the first `old` leaves.
pub(super) fn ask(
    url: &str,
    key: &WitnessKey,
    log: &LogReader,
    old: u64,
) -> Result<Cosignature, WitnessError> {
    let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
    let size = log.checkpoint().size;
    let ask = |old| {
        let body = add_checkpoint(log, old)?;
        http::post(&url, &body).map_err(WitnessError::Unreachable)
    };
    let old = old.min(size);
    let (mut status, mut answer) = ask(old)?;
    if status == 409 {
        // It tells from where it wants to be led on.
        let seen: Option<u64> = answer.trim_end().parse().ok();
        match seen {
            Some(seen) if seen > size => {
                let what = format!("it has cosigned {seen} leaves, this log has {size}");
                return Err(WitnessError::Forked(what));
            }
            Some(seen) if seen != old => (status, answer) = ask(seen)?,
            _ => {
                let what = format!("it has cosigned another root of {size} leaves");
                return Err(WitnessError::Forked(what));
            }
        }
    }
    match status {
        200 => cosigned(key, log, &answer),
        422 => Err(WitnessError::Forked(
            "what it has cosigned is no beginning of this log".to_owned(),
        )),
        403 | 404 => Err(WitnessError::Unknown(status)),
        status => Err(WitnessError::Refused {
            status,
            text: answer.chars().take(200).collect(),
        }),
    }
}

/// The witness's cosignature in its answer. Lines of keys that nobody asked are ignored.
fn cosigned(key: &WitnessKey, log: &LogReader, answer: &str) -> Result<Cosignature, WitnessError> {
    let note = format!("{}{answer}", log.checkpoint().note);
    let found = key.find(&note).ok().flatten();
    found.ok_or(WitnessError::NotCosigned)
}
