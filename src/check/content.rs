//! Whether text, ledger and metadata of one capture fit together.

use crate::archive::metadata::Content;
use crate::article::{BLOCK_SEPARATOR, BlockKind, Digests};
use crate::document::{Decoding, Format};
use crate::ledger::{self, Step, Verdict};

/// Checks the content in the metadata block of a capture or an edition against its digests and its text, and against its raw
/// bytes as far as these are their own decoding. In the error, what does not fit.
pub(super) fn fits(
    content: &Content,
    digests: Digests,
    text: &[u8],
    raw: Option<&[u8]>,
) -> Result<(), String> {
    let text =
        std::str::from_utf8(text).map_err(|error| format!("its text is not UTF-8: {error}"))?;
    let blocks = content.blocks(text).map_err(|error| error.to_string())?;
    let steps = content.steps().map_err(|error| error.to_string())?;
    if content.article().story_digest_with(text) != digests.story {
        return Err("its story has another digest than its metadata says".to_owned());
    }
    if !make(&blocks, text) {
        return Err("its blocks do not make its text".to_owned());
    }
    let input = raw.and_then(|raw| plain_input(raw, content.decoding()));
    match input {
        Some(input) => ledger::verify(steps, input, text).map_err(|error| error.to_string()),
        None => reads_as(steps, text),
    }
}

/// Whether `text` is the canonical text of these blocks.
fn make(blocks: &[(BlockKind, u8, &str)], text: &str) -> bool {
    let mut rest = text;
    let mut take = |part: &str| {
        let after = rest.strip_prefix(part);
        rest = after.unwrap_or(rest);
        after.is_some()
    };
    let mut is_empty = true;
    for (kind, _, block) in blocks {
        let separator = if is_empty { "" } else { BLOCK_SEPARATOR };
        if !(take(separator) && take(kind.marker()) && take(block)) {
            return false;
        }
        is_empty &= kind.marker().is_empty() && block.is_empty();
    }
    rest == if is_empty { "" } else { "\n" }
}

/// The decoded text of a submission that is UTF-8 text without any wrapping. Of others it takes a decoder to say, and that of
/// a later release may see a page differently, which would not be damage.
fn plain_input<'a>(raw: &'a [u8], decoding: &Decoding) -> Option<&'a str> {
    let plain = decoding.format == Format::Text
        && decoding.layers.is_empty()
        && decoding.charset == "UTF-8"
        && decoding.undecodable_count == 0;
    let text = plain.then(|| raw.get(decoding.bom_bytes..))?;
    std::str::from_utf8(text?).ok()
}

/// Checks a ledger without its input: spans follow each other without a gap, and what they keep and rewrite is as long as the
/// text, with each rewriting standing where it should.
fn reads_as<'a>(steps: impl Iterator<Item = Step<'a>>, text: &str) -> Result<(), String> {
    let (mut input, mut at) = (0, 0);
    for (number, span) in steps.enumerate() {
        let unfit =
            || format!("span {number} of its ledger does not fit, at byte {at} of its text");
        if span.start != input || span.end < span.start {
            return Err(unfit());
        }
        input = span.end;
        at += match (span.verdict, span.becomes) {
            (Verdict::Kept, None) => span.end - span.start,
            (Verdict::Removed, None) => 0,
            (Verdict::Rewritten, Some(becomes)) => {
                let there = text.get(at..).is_some_and(|rest| rest.starts_with(becomes));
                if !there {
                    return Err(unfit());
                }
                becomes.len()
            }
            _ => return Err(unfit()),
        };
    }
    if at == text.len() {
        Ok(())
    } else {
        Err(format!(
            "its ledger makes a text of {at} bytes, there are {}",
            text.len()
        ))
    }
}
