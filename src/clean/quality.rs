//! Quality flags: what a reader should know about a copy's worth.

use crate::article::{Article, Quality, TruncationState};
use crate::clean::fold::Folded;
use crate::clean::look;
use crate::clean::rules::Rules;
use crate::document::{Document, Flag};

/// A longer text is no error page, whatever phrases it has.
const ERROR_PAGE_CHARS_MAX: usize = 1200;
/// Less text than that is little for an article.
const THIN_CHARS: usize = 250;

/// What cleaning came upon on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signs {
    /// Mojibake was put right.
    pub repaired: bool,
    /// The page says that its text must be paid for.
    pub paid: bool,
    /// There are several articles.
    pub several: bool,
}

/// How much a text says, as far as it matters here: beyond that nobody needs to count.
fn weight(text: &str) -> usize {
    const CHAR_BYTES_MAX: usize = 4;
    match text.len() >= ERROR_PAGE_CHARS_MAX * CHAR_BYTES_MAX {
        true => ERROR_PAGE_CHARS_MAX,
        false => look::weight(text),
    }
}

/// The flags of a cleaned article, in order, each once.
pub fn flags(document: &Document, article: &Article, rules: &Rules, signs: Signs) -> Vec<Quality> {
    let Signs {
        repaired,
        paid,
        several,
    } = signs;
    let mut flags: Vec<Quality> = document
        .flags
        .iter()
        .map(|flag| match flag {
            Flag::CharsetContradicted => Quality::CharsetContradicted,
            Flag::Undecodable => Quality::Undecodable,
            Flag::TooDeep => Quality::TooDeep,
            Flag::TooLarge => Quality::TooLarge,
            Flag::TornCompression => Quality::TornCompression,
        })
        .collect();
    let weight = weight(&article.text);
    if weight < THIN_CHARS {
        flags.push(Quality::Thin);
    }
    if weight < ERROR_PAGE_CHARS_MAX {
        let title = article.title.as_deref().unwrap_or_default();
        flags.extend(error_page(&format!("{title}\n{}", article.text), rules));
    }
    // A page that says it must be paid for, and whose text is short or cut, holds what is free.
    let cut = article.truncated.state != TruncationState::No;
    if paid && (weight < ERROR_PAGE_CHARS_MAX || cut) {
        flags.push(Quality::Blocked);
    }
    if several {
        flags.push(Quality::SeveralArticles);
    }
    if repaired {
        flags.push(Quality::MojibakeRepaired);
    } else if is_mojibake(&article.text) {
        flags.push(Quality::MojibakeSuspected);
    }
    flags.sort_unstable();
    flags.dedup();
    flags
}

fn error_page(text: &str, rules: &Rules) -> Vec<Quality> {
    let lines = text
        .lines()
        .flat_map(|line| rules.hits(line, &Folded::new(line)));
    let flags = lines.filter_map(|hit| match &*hit.rule.name {
        "quality.captcha" => Some(Quality::Captcha),
        "quality.blocked" => Some(Quality::Blocked),
        "quality.soft_404" => Some(Quality::Soft404),
        _ => None,
    });
    flags.collect()
}

/// Pairs that UTF-8 read as windows-1252 leaves, and that hardly occur otherwise: from 3 of them on in a text.
fn is_mojibake(text: &str) -> bool {
    const PAIRS: &[&str] = &[
        "â€", "Ã©", "Ã¨", "Ã¼", "Ã¤", "Ã¶", "Ã±", "Ã³", "Ã¡", "Ã§", "Ã£", "ÃŸ", "Â«", "Â»", "Â ",
        "Ð°", "Ð¾", "Ñ‚",
    ];
    // All of them begin with this byte.
    let leads = memchr::memchr_iter(0xc3, text.as_bytes());
    let hits = leads.filter(|at| PAIRS.iter().any(|pair| text[*at..].starts_with(pair)));
    hits.take(3).count() == 3
}
