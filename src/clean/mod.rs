//! Cleaning: what a document says, apart from what stood around it. Pure, and cannot fail.
//!
//! ```text
//! text --lines--\
//!                Lines --grammar--> what each line is --assemble--> Article + Ledger
//! tree --page---/
//! ```

pub mod assemble;
mod caption;
pub mod credit;
pub mod date;
pub mod finding;
pub mod fold;
mod footer;
pub mod grammar;
mod head;
pub mod language;
pub mod likeness;
pub mod line;
pub mod lines;
pub mod look;
pub mod metadata;
pub mod page;
pub mod quality;
mod related;
pub mod repair;
pub mod rules;
mod sheet;
mod truncation;

use crate::article::Article;
use crate::clean::assemble::Assembled;
use crate::clean::finding::Facts;
use crate::clean::metadata::{Announced, Evidence, Metadata, Weighed};
use crate::clean::page::evidence::PageEvidence;
use crate::clean::repair::Repairs;
use crate::clean::rules::Rules;
use crate::document::{Body, Document};
use crate::ledger::Ledger;

/// A cleaned document: the article, and the account of every byte of the document's text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cleaned {
    /// The fair copy.
    pub article: Article,
    /// `ledger.verify(document.input(), &article.text)` holds.
    pub ledger: Ledger,
}

/// Cleans a document. The same document and rules give the same article and ledger.
pub fn clean(document: &Document, rules: &Rules) -> Cleaned {
    match &document.body {
        Body::Text(text) => {
            let lines = lines::split(text);
            let (findings, facts) = grammar::classify(&lines, rules, false);
            let assembled = assemble::assemble(text, &lines, &findings);
            finish(document, rules, assembled, facts, None)
        }
        Body::Page(tree) => {
            let announced = Announced::of(tree);
            let page = page::read(tree, &announced.expected());
            let (findings, facts) = grammar::classify(&page.lines, rules, true);
            let assembled = assemble::assemble(tree.text(), &page.lines, &findings);
            finish(
                document,
                rules,
                assembled,
                facts,
                Some((&announced, &page.evidence)),
            )
        }
    }
}

fn finish(
    document: &Document,
    rules: &Rules,
    assembled: Assembled,
    facts: Facts,
    page: Option<(&Announced, &PageEvidence)>,
) -> Cleaned {
    let metadata = metadata::weigh(&Evidence {
        announced: page.map(|(announced, _)| announced),
        page: page.map(|(_, evidence)| evidence),
        facts: &facts,
        declared: &document.declared,
        language: language::detect(&assembled.text),
    });
    let mut article = article(assembled.blocks, assembled.text, facts, metadata);
    let repaired = page.is_none() && Repairs::of(document.input()).mojibake;
    let paid = page.is_some_and(|(announced, _)| announced.is_paid());
    article.quality = quality::flags(document, &article, rules, repaired, paid);
    Cleaned {
        article,
        ledger: assembled.ledger,
    }
}

fn article(
    blocks: Vec<crate::article::Block>,
    text: String,
    facts: Facts,
    metadata: Metadata,
) -> Article {
    fn value<T>(weighed: Option<Weighed<T>>) -> Option<T> {
        weighed.map(|weighed| weighed.value)
    }
    Article {
        title: value(metadata.title),
        authors: value(metadata.authors).unwrap_or_default(),
        date: value(metadata.date),
        modified: value(metadata.modified),
        language: value(metadata.language),
        section: value(metadata.section),
        publisher: value(metadata.publisher),
        original_publisher: value(metadata.original_publisher),
        url: value(metadata.url),
        tags: metadata.tags,
        truncated: facts.truncated,
        text,
        blocks,
        captions: facts.captions,
        credits: facts.credits,
        footers: facts.footers,
        corrections: facts.corrections,
        quality: Vec::new(),
    }
}
