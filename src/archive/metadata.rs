//! `CaptureMetadata`: all that is known about a capture beside its bytes and its text; and the JSON block that holds it.
//!
//! The block of a capture's `metadata` record is what a leaf of the log commits to. A nonce stands in it, so that nobody
//! who has only the log can confirm a guess of the rest.

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::archive::leaf::LeafKind;
use crate::article::{
    Article, BLOCK_SEPARATOR, Block, BlockKind, Digests, Quality, TruncationState, flags,
};
use crate::digest::Digest;
use crate::document::Decoding;
use crate::identity::{DocId, Identity};
use crate::ledger::{self, Class, Ledger, Span, Step, Verdict};
use crate::pin::{Pin, PinScope};
use crate::ruleset::PackText;
use crate::submission::{ClaimId, Declared, Signature, Source};

/// What the block of a leaf of this kind says it is, first of all.
pub fn title(kind: LeafKind) -> &'static str {
    match kind {
        LeafKind::Capture => "faircopy capture 1",
        LeafKind::MetadataRevision => "faircopy metadata revision 1",
        LeafKind::Pin => "faircopy pin 1",
        LeafKind::Key => "faircopy key 1",
        LeafKind::Reclean => "faircopy edition 1",
        LeafKind::Rules => "faircopy rules 1",
        LeafKind::Link => "faircopy link 1",
        LeafKind::Split => "faircopy split 1",
        LeafKind::Hold => "faircopy hold 1",
        LeafKind::Release => "faircopy release 1",
        LeafKind::Erase => "faircopy erase 1",
    }
}

/// All that is known about a capture beside its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureMetadata {
    /// What was observed when it came in.
    pub observation: Observation,
    /// How its bytes became characters.
    pub decoding: Decoding,
    /// The rules that cleaned it, `id@sha256:...`.
    pub rules: String,
    /// What cleaning made of it.
    pub article: Article,
    /// The account of every byte.
    pub ledger: Ledger,
    /// What was declared later, oldest first.
    pub revisions: Vec<Revision>,
}

/// What was observed when a submission came in; of duplicates nothing else is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The attempt that archived it.
    pub claim: ClaimId,
    /// Which of the documents in the claimed file: 0 for a file that is one, from 1 for those in a container.
    pub part: u32,
    /// Where the file was found.
    pub source: Source,
    /// What the file system said of it, so that kept files are recognised by a catalog that was built anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// What the sender said about it.
    #[serde(default, skip_serializing_if = "Declared::is_empty")]
    pub declared: Declared,
    /// When it was read.
    pub received_at: Timestamp,
    /// Which document it is, with the evidence.
    pub identity: Identity,
    /// Length of the raw bytes.
    pub raw_bytes: u64,
    /// Media type of the raw bytes.
    pub media_type: String,
    /// Digests of the raw bytes, the canonical text and the story.
    pub digests: Digests,
}

impl Observation {
    /// When it was fetched as far as is known: as declared, else when it was read.
    pub fn captured_at(&self) -> Timestamp {
        self.declared.fetched_at.unwrap_or(self.received_at)
    }
}

/// What was declared about a capture after it was archived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// Number of the capture.
    pub capture: u32,
    /// Of which file.
    pub source: Source,
    /// What the sender says now; it stands beside what was said before, it does not replace it.
    pub declared: Declared,
    /// When it came.
    pub received_at: Timestamp,
}

/// The block of a capture's metadata record.
#[derive(Serialize, Deserialize)]
pub struct CaptureBlock<C> {
    /// [`title`] of a capture.
    pub faircopy: String,
    /// 32 random bytes, in hexadecimal digits.
    pub nonce: String,
    /// What was observed.
    pub observation: Observation,
    /// What was made of it; not there for a duplicate.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub content: Option<C>,
    /// Of a duplicate: the number of the capture of this document that has the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<u32>,
}

// `#[serde(default)]` alone would ask for `C: Default`.
fn none<C>() -> Option<C> {
    None
}

/// The block of an edition's metadata record: a capture that was cleaned again.
#[derive(Serialize, Deserialize)]
pub struct EditionBlock<C> {
    /// [`title`] of an edition.
    pub faircopy: String,
    /// 32 random bytes, in hexadecimal digits.
    pub nonce: String,
    /// Of what it is an edition.
    pub edition: Edition,
    /// What was made of it.
    pub content: C,
}

/// What an edition is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    /// Number of the capture.
    pub capture: u32,
    /// Number of the edition; the first is the capture as it was archived, so that this is 2 or more.
    pub edition: u32,
    /// When it was cleaned.
    pub cleaned_at: Timestamp,
    /// Digests of the raw bytes, the new text and the new story.
    pub digests: Digests,
}

/// What happened that is no capture and no edition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Something was declared about a capture later.
    Revision(Revision),
    /// A person decided about a span of text.
    Pin(PinRecord),
    /// Another key signs the log from now on.
    Key(KeyRecord),
    /// A set of rules cleaned for the first time.
    Rules(RuleSet),
    /// Two documents are one, or are not after all.
    Link(LinkRecord),
    /// A document is two, or is not after all.
    Split(SplitRecord),
    /// A document must not be erased.
    Hold(Disposition),
    /// It may be again.
    Release(Disposition),
    /// It was erased.
    Erase(Disposition),
}

impl Event {
    /// What its leaf says that it is.
    pub fn kind(&self) -> LeafKind {
        match self {
            Event::Revision(_) => LeafKind::MetadataRevision,
            Event::Pin(_) => LeafKind::Pin,
            Event::Key(_) => LeafKind::Key,
            Event::Rules(_) => LeafKind::Rules,
            Event::Link(_) => LeafKind::Link,
            Event::Split(_) => LeafKind::Split,
            Event::Hold(_) => LeafKind::Hold,
            Event::Release(_) => LeafKind::Release,
            Event::Erase(_) => LeafKind::Erase,
        }
    }

    /// The number of the capture that it is about, if it is about one.
    pub fn capture(&self) -> Option<u32> {
        match self {
            Event::Revision(revision) => Some(revision.capture),
            _ => None,
        }
    }

    /// The document that its block names, if it names one.
    pub fn doc(&self) -> Option<&DocId> {
        match self {
            Event::Revision(_) | Event::Key(_) | Event::Rules(_) => None,
            Event::Link(record) => Some(&record.doc),
            Event::Split(record) => Some(&record.doc),
            Event::Pin(record) => match &record.of {
                PinScope::Doc(doc) => Some(doc),
                PinScope::Source(_) => None,
            },
            Event::Hold(record) | Event::Release(record) | Event::Erase(record) => {
                Some(&record.doc)
            }
        }
    }

    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Event::Revision(revision) => revision.received_at,
            Event::Pin(record) => record.pinned_at,
            Event::Key(record) => record.rotated_at,
            Event::Rules(rules) => rules.first_used_at,
            Event::Link(record) => record.said_at,
            Event::Split(record) => record.said_at,
            Event::Hold(record) | Event::Release(record) | Event::Erase(record) => {
                record.decided_at
            }
        }
    }
}

/// The block of an event's metadata record: `{"faircopy": ..., "nonce": ..., "pin": {...}}`.
#[derive(Serialize, Deserialize)]
pub struct EventBlock {
    /// [`title`] of its kind.
    pub faircopy: String,
    /// 32 random bytes, in hexadecimal digits.
    pub nonce: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What a person decided about a span, as it is archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRecord {
    /// What it is about.
    pub of: PinScope,
    /// The decision.
    #[serde(flatten)]
    pub pin: Pin,
    /// When it was made.
    pub pinned_at: Timestamp,
}

/// That another key signs the log, as it is archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The verifier key of before.
    pub old: String,
    /// The verifier key of from now on.
    pub new: String,
    /// When it was changed.
    pub rotated_at: Timestamp,
}

/// That two documents are one, as it is archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRecord {
    /// One of them.
    pub doc: DocId,
    /// The other.
    pub with: DocId,
    /// What was said before is taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub released: bool,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was said.
    pub said_at: Timestamp,
}

/// That from a version on a document is another one, as it is archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitRecord {
    /// The document.
    pub doc: DocId,
    /// The first version of the other one.
    pub version: u32,
    /// What was said before is taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub released: bool,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was said.
    pub said_at: Timestamp,
}

/// A set of rules, whole, so that what it made can be made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSet {
    /// Its name, `id@sha256:...`.
    pub id: String,
    /// The version of the program whose code applied it.
    pub program: String,
    /// Its packs, in the order of their weight.
    pub packs: Vec<PackText>,
    /// When.
    pub first_used_at: Timestamp,
}

/// What was decided about keeping a document, by whom and why: it may name persons, and so stands in a record that can be
/// erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// The document.
    pub doc: DocId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When.
    pub decided_at: Timestamp,
}

/// How much cleaning took away: what a change of a source's template shows in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// How much was removed, and of how much.
    pub extent: Extent,
    /// So many footers.
    pub footers: usize,
    /// So many credits.
    pub credits: usize,
    /// So many captions.
    pub captions: usize,
}

/// The sizes that a ledger tells, so that nobody need read it for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Bytes of the decoded input.
    pub input: usize,
    /// Bytes of it that were removed, blanks aside.
    pub removed: usize,
}

impl Extent {
    /// What `ledger` tells.
    pub fn of(ledger: &Ledger) -> Extent {
        Extent {
            input: ledger.spans.last().map_or(0, |span| span.end),
            removed: ledger.bytes_removed(),
        }
    }

    fn of_steps<'a>(steps: impl DoubleEndedIterator<Item = Step<'a>> + Clone) -> Extent {
        Extent {
            input: steps.clone().next_back().map_or(0, |step| step.end),
            removed: ledger::bytes_removed(steps),
        }
    }
}

impl Measure {
    /// What was taken from a document.
    pub fn of(article: &Article, ledger: &Ledger) -> Measure {
        Measure {
            extent: Extent::of(ledger),
            footers: article.footers.len(),
            credits: article.credits.len(),
            captions: article.captions.len(),
        }
    }
}

/// What cleaning made of a capture, as it is stored: the text has a record of its own and is not repeated in the blocks.
#[derive(Debug, Serialize, Deserialize)]
pub struct Content {
    decoding: Decoding,
    rules: String,
    /// With empty `text`; with empty `blocks` too if there is an outline.
    article: Article,
    /// Kind, level and length in bytes of each block; their texts follow each other in the canonical text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outline: Option<Vec<(BlockKind, u8, usize)>>,
    /// Before the ledger, whose sums it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extent: Option<Extent>,
    ledger: StoredLedger,
}

/// A ledger in which each rule is named once.
#[derive(Debug, Serialize, Deserialize)]
struct StoredLedger {
    rules: Vec<StoredRule>,
    spans: Vec<StoredSpan>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredRule {
    verdict: Verdict,
    class: Class,
    rule: std::borrow::Cow<'static, str>,
    reason: std::borrow::Cow<'static, str>,
}

/// Start, end, number of the rule, and what it becomes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum StoredSpan {
    Plain(usize, usize, usize),
    Becoming(usize, usize, usize, String),
}

impl StoredSpan {
    /// The number of the rule that decided.
    fn rule(&self) -> usize {
        match self {
            StoredSpan::Plain(_, _, rule) | StoredSpan::Becoming(_, _, rule, _) => *rule,
        }
    }

    /// What it does by that rule.
    fn step(&self, rule: &StoredRule) -> Step<'_> {
        let (start, end, becomes) = match self {
            StoredSpan::Plain(start, end, _) => (*start, *end, None),
            StoredSpan::Becoming(start, end, _, becomes) => (*start, *end, Some(&**becomes)),
        };
        Step {
            start,
            end,
            verdict: rule.verdict,
            class: rule.class,
            becomes,
        }
    }
}

/// Stored content does not fit together.
#[derive(Debug, thiserror::Error)]
#[error("the stored article does not fit its text: {0}")]
pub struct ContentError(&'static str);

const NO_RULE: ContentError = ContentError("a span names a rule that is not there");

impl Content {
    /// Takes an article apart for storing; its text is given back.
    pub fn new(
        decoding: Decoding,
        rules: String,
        mut article: Article,
        ledger: Ledger,
    ) -> (Content, String) {
        let text = std::mem::take(&mut article.text);
        let outline = outline(&article.blocks, &text);
        if outline.is_some() {
            article.blocks.clear();
        }
        let content = Content {
            decoding,
            rules,
            article,
            outline,
            extent: Some(Extent::of(&ledger)),
            ledger: StoredLedger::new(ledger),
        };
        (content, text)
    }

    /// Puts the metadata together again.
    pub fn restore(
        self,
        observation: Observation,
        text: String,
        revisions: Vec<Revision>,
    ) -> Result<CaptureMetadata, ContentError> {
        let (decoding, rules) = (self.decoding.clone(), self.rules.clone());
        let (article, ledger) = self.unpack(text)?;
        Ok(CaptureMetadata {
            observation,
            decoding,
            rules,
            article,
            ledger,
            revisions,
        })
    }

    /// How the bytes became characters.
    pub fn decoding(&self) -> &Decoding {
        &self.decoding
    }

    /// The article, without its text and perhaps without its blocks.
    pub fn article(&self) -> &Article {
        &self.article
    }

    /// Kind, level and text of each block; `text` is the canonical text.
    pub fn blocks<'a>(
        &'a self,
        text: &'a str,
    ) -> Result<Vec<(BlockKind, u8, &'a str)>, ContentError> {
        match &self.outline {
            Some(outline) => blocks(outline, text),
            None => {
                let blocks = self.article.blocks.iter();
                Ok(blocks.map(|b| (b.kind, b.level, &*b.text)).collect())
            }
        }
    }

    /// What the ledger does, where it lies.
    pub fn steps(&self) -> Result<impl Iterator<Item = Step<'_>>, ContentError> {
        let StoredLedger { rules, spans } = &self.ledger;
        if !spans.iter().all(|span| span.rule() < rules.len()) {
            return Err(NO_RULE);
        }
        let steps = spans.iter().map(|span| span.step(&rules[span.rule()]));
        let fits = |extent| extent == Extent::of_steps(steps.clone());
        if !self.extent.is_none_or(fits) {
            return Err(ContentError("its extent is not that of its ledger"));
        }
        Ok(steps)
    }

    /// The article, with its text, and the ledger.
    pub fn unpack(self, text: String) -> Result<(Article, Ledger), ContentError> {
        self.steps().map(drop)?;
        let mut article = self.article;
        if let Some(outline) = &self.outline {
            let block = |(kind, level, text): (BlockKind, u8, &str)| Block {
                kind,
                level,
                text: text.to_owned(),
            };
            article.blocks = blocks(outline, &text)?.into_iter().map(block).collect();
        }
        article.text = text;
        Ok((article, self.ledger.restore()?))
    }
}

/// The blocks as lengths in their canonical text; `None` if `text` is not what they make.
fn outline(blocks: &[Block], text: &str) -> Option<Vec<(BlockKind, u8, usize)>> {
    let mut rest = text;
    for (index, block) in blocks.iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix(BLOCK_SEPARATOR)?;
        }
        rest = rest.strip_prefix(block.kind.marker())?;
        rest = rest.strip_prefix(block.text.as_str())?;
    }
    let ends_well = rest == "\n" || rest.is_empty() && blocks.is_empty();
    let outline = blocks.iter().map(|b| (b.kind, b.level, b.text.len()));
    ends_well.then(|| outline.collect())
}

fn blocks<'a>(
    outline: &[(BlockKind, u8, usize)],
    text: &'a str,
) -> Result<Vec<(BlockKind, u8, &'a str)>, ContentError> {
    let mut at = 0;
    let mut blocks = Vec::with_capacity(outline.len());
    for &(kind, level, length) in outline {
        if at > 0 {
            at += BLOCK_SEPARATOR.len();
        }
        at += kind.marker().len();
        let piece = text
            .get(at..at.saturating_add(length))
            .ok_or(ContentError("a block lies outside of it"))?;
        blocks.push((kind, level, piece));
        at += length;
    }
    Ok(blocks)
}

impl StoredLedger {
    fn new(ledger: Ledger) -> StoredLedger {
        let mut rules: Vec<StoredRule> = Vec::new();
        let mut spans = Vec::with_capacity(ledger.spans.len());
        for span in ledger.spans {
            // A text knows some dozen rules and uses few of them in turn: looking from the last is looking once or twice.
            let known = rules.iter().rposition(|r| {
                (r.verdict, r.class) == (span.verdict, span.class)
                    && r.rule == span.rule
                    && r.reason == span.reason
            });
            let rule = known.unwrap_or_else(|| {
                rules.push(StoredRule {
                    verdict: span.verdict,
                    class: span.class,
                    rule: span.rule,
                    reason: span.reason,
                });
                rules.len() - 1
            });
            spans.push(match span.becomes {
                None => StoredSpan::Plain(span.start, span.end, rule),
                Some(becomes) => StoredSpan::Becoming(span.start, span.end, rule, becomes),
            });
        }
        StoredLedger { rules, spans }
    }

    fn restore(self) -> Result<Ledger, ContentError> {
        let restore = |span| {
            let (start, end, rule, becomes) = match span {
                StoredSpan::Plain(start, end, rule) => (start, end, rule, None),
                StoredSpan::Becoming(start, end, rule, becomes) => {
                    (start, end, rule, Some(becomes))
                }
            };
            let rule: &StoredRule = self.rules.get(rule).ok_or(NO_RULE)?;
            Ok(Span {
                start,
                end,
                verdict: rule.verdict,
                class: rule.class,
                rule: rule.rule.clone(),
                reason: rule.reason.clone(),
                becomes,
            })
        };
        let spans: Result<_, _> = self.spans.into_iter().map(restore).collect();
        Ok(Ledger { spans: spans? })
    }
}

/// As much of a capture's content as the catalog needs; reading the rest of a block is most of the work of a rebuild.
#[derive(Debug, Deserialize)]
pub struct Summary {
    /// The rules that cleaned it.
    pub rules: String,
    /// Some of the article.
    pub article: ArticleSummary,
    /// How much was removed; archives of before do not tell.
    #[serde(default)]
    pub extent: Option<Extent>,
}

impl Summary {
    /// How much cleaning took away, if it is told.
    pub fn measure(&self) -> Option<Measure> {
        Some(Measure {
            extent: self.extent?,
            footers: self.article.footers.len(),
            credits: self.article.credits.len(),
            captions: self.article.captions.len(),
        })
    }
}

/// As much of an article as the catalog needs.
#[derive(Debug, Deserialize)]
pub struct ArticleSummary {
    /// Headline.
    pub title: Option<String>,
    /// Language.
    pub language: Option<String>,
    truncated: TruncationSummary,
    quality: Vec<Quality>,
    footers: Vec<IgnoredAny>,
    credits: Vec<IgnoredAny>,
    captions: Vec<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct TruncationSummary {
    state: TruncationState,
}

impl ArticleSummary {
    /// What a reader should know about its worth.
    pub fn flags(&self) -> Option<String> {
        flags(&self.quality, self.truncated.state)
    }
}

/// What the block of a metadata record is, with a capture's content read as a `C`.
pub enum MetadataBlock<C> {
    /// A capture's.
    Capture(Box<CaptureBlock<C>>),
    /// An edition's.
    Edition(Box<EditionBlock<C>>),
    /// That of an event.
    Event(Box<Event>),
}

impl<C: serde::de::DeserializeOwned> MetadataBlock<C> {
    /// Reads a block.
    pub fn parse(block: &[u8]) -> Result<MetadataBlock<C>, serde_json::Error> {
        let faircopy = said_first(block).map_or_else(|| said_anywhere(block), Ok)?;
        let mut kinds = LeafKind::ALL.iter().copied();
        let kind = kinds.find(|kind| title(*kind) == faircopy);
        if kind == Some(LeafKind::Capture) {
            return Ok(MetadataBlock::Capture(serde_json::from_slice(block)?));
        }
        let unknown = || {
            serde::de::Error::custom(format!("a metadata block of the unknown kind {faircopy:?}"))
        };
        if kind == Some(LeafKind::Reclean) {
            return Ok(MetadataBlock::Edition(serde_json::from_slice(block)?));
        }
        let kind = kind.ok_or_else(unknown)?;
        let block: EventBlock = serde_json::from_slice(block)?;
        if block.event.kind() != kind {
            return Err(unknown());
        }
        Ok(MetadataBlock::Event(Box::new(block.event)))
    }
}

/// What a block says it is, if that stands where this program writes it: to look through all of it takes half as long as to
/// read it.
fn said_first(block: &[u8]) -> Option<String> {
    let rest = block.strip_prefix(br#"{"faircopy":""#)?;
    let end = memchr::memchr2(b'"', b'\\', rest)?;
    let is_whole = rest[end] == b'"';
    is_whole.then(|| std::str::from_utf8(&rest[..end]).ok().map(str::to_owned))?
}

fn said_anywhere(block: &[u8]) -> Result<String, serde_json::Error> {
    #[derive(Deserialize)]
    struct Title {
        faircopy: String,
    }
    serde_json::from_slice(block).map(|title: Title| title.faircopy)
}

/// A block as bytes, and their digest, which the leaf commits to.
pub fn to_bytes(block: &impl Serialize) -> (Vec<u8>, Digest) {
    let bytes = serde_json::to_vec(block).expect("keys are strings and nothing else can fail");
    let digest = Digest::of(&bytes);
    (bytes, digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_block_is_stands_first_or_anywhere() {
        let said = |block: &str| {
            let first = said_first(block.as_bytes());
            first.or_else(|| said_anywhere(block.as_bytes()).ok())
        };
        for block in [
            r#"{"faircopy":"faircopy pin 1","nonce":"x"}"#,
            r#"{"nonce":"x", "faircopy" : "faircopy pin 1"}"#,
            r#"{"faircopy":"faircopy \u0070in 1"}"#,
        ] {
            assert_eq!(said(block).as_deref(), Some("faircopy pin 1"), "{block}");
        }
        assert_eq!(said(r#"{"faircopy":7}"#), None);
    }
}
