//! `Article`: the fair copy of one document: metadata, blocks, and the canonical text they make.

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestHasher};

/// What cleaning makes of a document. Field names and order are those of the JSON contract (`clean --json`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Article {
    /// Headline, without the site's name.
    pub title: Option<String>,
    /// Persons or desks that wrote it, one name each, no roles.
    pub authors: Vec<String>,
    /// Published: `2024-03-25`, or with time and zone as declared, `2024-03-25T09:30:00+01:00`.
    pub date: Option<String>,
    /// Last changed, in the same forms.
    pub modified: Option<String>,
    /// BCP 47 language, e.g. `en`.
    pub language: Option<String>,
    /// The section it stood in.
    pub section: Option<String>,
    /// Who published this copy.
    pub publisher: Option<String>,
    /// Who published it first, if this copy says that it comes from elsewhere.
    pub original_publisher: Option<String>,
    /// Canonical address.
    pub url: Option<String>,
    /// Keywords.
    pub tags: Vec<String>,
    /// Whether the end is missing.
    pub truncated: Truncation,
    /// Canonical text: [`canonical_text`] of `blocks`.
    pub text: String,
    /// The body in order.
    pub blocks: Vec<Block>,
    /// Texts that stood with pictures.
    pub captions: Vec<Caption>,
    /// Credits of pictures, videos and agencies, in order of appearance.
    pub credits: Vec<Credit>,
    /// Lines that point to the original or to the publisher.
    pub footers: Vec<Footer>,
    /// Corrections and editor's notes.
    pub corrections: Vec<String>,
    /// What a reader should know about this copy's worth.
    pub quality: Vec<Quality>,
}

/// Whether the end of the article is missing, with what says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truncation {
    /// Yes, suspected or no.
    pub state: TruncationState,
    /// What says so, one sentence each.
    pub evidence: Vec<String>,
}

/// Grades of certainty that an article is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TruncationState {
    /// Two independent signs, or one that admits no other reading.
    Yes,
    /// One sign that may have another reading.
    Suspected,
    /// No sign.
    #[default]
    No,
}

/// One block of the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Of headings 1 to 6; of list items the depth from 1; else 0 and left out of JSON.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub level: u8,
    /// Its text without marker; inner line breaks (of code, verse and tables) are LF.
    pub text: String,
}

fn is_zero(level: &u8) -> bool {
    *level == 0
}

/// Kinds of [`Block`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// Running text.
    Paragraph,
    /// A sub-heading.
    Heading,
    /// One item of a list; led by `- ` in the canonical text.
    ListItem,
    /// A block quotation.
    Quote,
    /// Preformatted text.
    Code,
    /// A table: one row a line, cells joined by ` | `.
    Table,
}

impl BlockKind {
    /// What leads a block of this kind in the canonical text.
    pub fn marker(self) -> &'static str {
        match self {
            BlockKind::ListItem => "- ",
            _ => "",
        }
    }
}

/// Stands between two blocks of the canonical text.
pub const BLOCK_SEPARATOR: &str = "\n\n";

/// The canonical text of a body, its one definition: UTF-8 in NFC, LF, one blank line between blocks, list items led by
/// `- `, no trailing blanks, one final LF; the source's own punctuation; empty for an empty body. The blocks' texts are
/// already NFC and free of trailing blanks: that is done where they are made, so that the ledger can account for it.
pub fn canonical_text(blocks: &[Block]) -> String {
    let mut text = String::with_capacity(blocks.iter().map(|b| b.text.len() + 4).sum());
    for block in blocks {
        if !text.is_empty() {
            text.push_str(BLOCK_SEPARATOR);
        }
        text.push_str(block.kind.marker());
        text.push_str(&block.text);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// A text that stood with a picture.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Caption {
    /// The caption without its credit.
    pub text: String,
    /// The credit's verbatim text, if one stood in it or beside it.
    pub credit: Option<String>,
}

/// A credit, as it stood and as it reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Credit {
    /// The very characters.
    pub verbatim: String,
    /// Person (or handle) who made it.
    pub creator: Option<String>,
    /// Agency, paper or library whose it is.
    pub agency: Option<String>,
    /// Through whom it came (`via`).
    pub via: Option<String>,
}

/// A line that points to the original article or its publisher.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Footer {
    /// The very characters.
    pub verbatim: String,
    /// Family of footers, e.g. `read_full_article`, `post_appeared_first`.
    pub family: String,
    /// The publisher it names.
    pub publisher: Option<String>,
    /// The section of the publisher it names.
    pub section: Option<String>,
    /// The address it gives.
    pub url: Option<String>,
}

/// What a reader should know about this copy's worth. A flag never refuses an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Very little text.
    Thin,
    /// The page says that access was denied or needs payment.
    Blocked,
    /// The page is a robot check.
    Captcha,
    /// The page says that nothing was found, whatever its status.
    #[serde(rename = "soft_404")]
    Soft404,
    /// More than one article in one file.
    SeveralArticles,
    /// UTF-8 once read as windows-1252 was put right.
    MojibakeRepaired,
    /// Looks like mojibake that could not be put right.
    MojibakeSuspected,
    /// Some bytes could not be decoded.
    Undecodable,
    /// The declared charset did not fit.
    CharsetContradicted,
    /// Nested too deep for a tree; cleaned as flat text.
    TooDeep,
    /// Too large to be judged line by line, or for a tree: kept as text.
    TooLarge,
    /// The compressed file ended early.
    TornCompression,
}

impl Quality {
    /// All of them.
    pub const ALL: [Quality; 12] = [
        Quality::Thin,
        Quality::Blocked,
        Quality::Captcha,
        Quality::Soft404,
        Quality::SeveralArticles,
        Quality::MojibakeRepaired,
        Quality::MojibakeSuspected,
        Quality::Undecodable,
        Quality::CharsetContradicted,
        Quality::TooDeep,
        Quality::TooLarge,
        Quality::TornCompression,
    ];

    /// The flag as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Quality::Thin => "thin",
            Quality::Blocked => "blocked",
            Quality::Captcha => "captcha",
            Quality::Soft404 => "soft_404",
            Quality::SeveralArticles => "several_articles",
            Quality::MojibakeRepaired => "mojibake_repaired",
            Quality::MojibakeSuspected => "mojibake_suspected",
            Quality::Undecodable => "undecodable",
            Quality::CharsetContradicted => "charset_contradicted",
            Quality::TooDeep => "too_deep",
            Quality::TooLarge => "too_large",
            Quality::TornCompression => "torn_compression",
        }
    }
}

/// The flag of an article whose end is missing.
pub const TRUNCATED: &str = "truncated";
/// That of one whose end may be missing.
pub const TRUNCATION_SUSPECTED: &str = "truncation_suspected";

/// All that a reader should know about a copy's worth, parted by blanks; `None` if there is nothing to be said.
pub fn flags(quality: &[Quality], truncated: TruncationState) -> Option<String> {
    let cut = match truncated {
        TruncationState::Yes => Some(TRUNCATED),
        TruncationState::Suspected => Some(TRUNCATION_SUSPECTED),
        TruncationState::No => None,
    };
    let quality = quality.iter().map(|quality| quality.as_str());
    let flags: Vec<&str> = quality.chain(cut).collect();
    (!flags.is_empty()).then(|| flags.join(" "))
}

/// The digests that decide about versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// Of the raw bytes.
    pub raw: Digest,
    /// Of the canonical text.
    pub text: Digest,
    /// Of title, authors, canonical text and captions: [`Article::story_digest`].
    pub story: Digest,
}

impl Article {
    /// Decides whether there is a new version: over title, authors, canonical text and captions with their credits, as
    /// compact JSON so that no two stories share one encoding. Dates, promotions and footers do not enter.
    pub fn story_digest(&self) -> Digest {
        self.story_digest_with(&self.text)
    }

    /// The digest of the story that this article, whose text is kept elsewhere, has with that text.
    pub fn story_digest_with(&self, text: &str) -> Digest {
        let captions: Vec<_> = self.captions.iter().map(|c| (&c.text, &c.credit)).collect();
        let story = (
            "faircopy/story/1",
            &self.title,
            &self.authors,
            text,
            captions,
        );
        let mut hasher = DigestHasher::default();
        serde_json::to_writer(&mut hasher, &story).expect("strings always serialize");
        hasher.finish()
    }

    /// All three digests of this article, made from a submission with the digest `raw`.
    pub fn digests(&self, raw: Digest) -> Digests {
        Digests {
            raw,
            text: Digest::of(self.text.as_bytes()),
            story: self.story_digest(),
        }
    }

    /// All that a reader should know about its worth, parted by blanks; `None` if there is nothing to be said.
    pub fn flags(&self) -> Option<String> {
        flags(&self.quality, self.truncated.state)
    }

    /// The article as Markdown: front matter is left to the caller, the title becomes the first heading.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        if let Some(title) = &self.title {
            text.push_str(&format!("# {title}\n"));
        }
        let mut before = None;
        for block in &self.blocks {
            if !text.is_empty() {
                let tight =
                    block.kind == BlockKind::ListItem && before == Some(BlockKind::ListItem);
                text.push_str(if tight { "" } else { "\n" });
            }
            push_markdown(&mut text, block);
            before = Some(block.kind);
        }
        text
    }
}

fn push_markdown(text: &mut String, block: &Block) {
    match block.kind {
        BlockKind::Heading => {
            text.push_str(&"#".repeat(usize::from(block.level.clamp(2, 6))));
            text.push(' ');
            text.push_str(&block.text);
        }
        BlockKind::ListItem => {
            text.push_str(&"  ".repeat(usize::from(block.level.saturating_sub(1))));
            text.push_str("- ");
            text.push_str(&block.text);
        }
        BlockKind::Quote => text.push_str(&format!("> {}", block.text.replace('\n', "\n> "))),
        BlockKind::Code => {
            // A fence longer than any run of backticks inside (CommonMark, fenced code blocks).
            let mut fence = "```".to_owned();
            while block.text.contains(&fence) {
                fence.push('`');
            }
            text.push_str(&format!("{fence}\n{}\n{fence}", block.text));
        }
        BlockKind::Table | BlockKind::Paragraph => text.push_str(&block.text),
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: BlockKind, text: &str) -> Block {
        Block {
            kind,
            level: 0,
            text: text.to_owned(),
        }
    }

    #[test]
    fn flags_are_named_as_in_json() {
        for quality in Quality::ALL {
            let name = serde_json::to_value(quality).expect("serializes");
            assert_eq!(name, quality.as_str());
        }
        let flags = flags(&[Quality::Thin, Quality::Blocked], TruncationState::Yes);
        assert_eq!(flags.as_deref(), Some("thin blocked truncated"));
    }

    #[test]
    fn canonical_text_has_one_blank_line_between_blocks_and_one_final_line_feed() {
        let blocks = [
            block(BlockKind::Paragraph, "One."),
            block(BlockKind::ListItem, "two"),
        ];
        assert_eq!(canonical_text(&blocks), "One.\n\n- two\n");
        assert_eq!(canonical_text(&[]), "");
    }

    #[test]
    fn a_changed_headline_changes_the_story_and_a_changed_date_does_not() {
        let article = Article {
            title: Some("A".into()),
            ..Article::default()
        };
        let renamed = Article {
            title: Some("B".into()),
            ..article.clone()
        };
        let redated = Article {
            date: Some("2024-01-01".into()),
            ..article.clone()
        };
        assert_ne!(article.story_digest(), renamed.story_digest());
        assert_eq!(article.story_digest(), redated.story_digest());
    }
}
