//! What is said to a witness (C2SP [tlog-witness](https://c2sp.org/tlog-witness)).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::error::LogError;
use super::reader::LogReader;

/// The body of `add-checkpoint`: the log's checkpoint, and the proof that it goes on from the `old` leaves that the witness
/// saw last.
///
/// ```text
/// old 15
/// PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
///
/// faircopy/0b2d...
/// ```
pub fn add_checkpoint(log: &LogReader, old: u64) -> Result<String, LogError> {
    let (_, proof) = log.prove_consistency(old)?;
    let mut body = format!("old {old}\n");
    for hash in proof {
        BASE64.encode_string(hash.as_bytes(), &mut body);
        body.push('\n');
    }
    body.push('\n');
    body.push_str(&log.checkpoint().note);
    Ok(body)
}
