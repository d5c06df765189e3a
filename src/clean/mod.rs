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
mod dump;
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
mod phrases;
pub mod pins;
pub mod quality;
mod reference;
mod related;
pub mod repair;
pub mod rules;
mod several;
pub mod shadow;
mod sheet;
mod site;
mod truncation;
mod words;

use crate::article::{Article, Quality};
use crate::clean::assemble::Assembled;
use crate::clean::finding::{Facts, Finding};
use crate::clean::metadata::{Announced, Evidence, Metadata, Weighed};
use crate::clean::page::evidence::PageEvidence;
use crate::clean::pins::Needles;
use crate::clean::repair::Repairs;
use crate::clean::rules::Rules;
use crate::clean::site::Site;
use crate::document::{Body, Document};
use crate::ledger::{Class, Ledger};
use crate::pin::{self, Pin};

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
    clean_pinned(document, rules, &[])
}

/// Cleans a document about which persons decided. Where two pins contradict each other the later one holds.
pub fn clean_pinned(document: &Document, rules: &Rules, pins: &[Pin]) -> Cleaned {
    let needles = Needles::of(pins);
    match &document.body {
        Body::Text(text) if lines::is_too_large(text) => keep_whole(document, rules, text),
        Body::Text(text) => {
            let site = site_of(document, rules, None);
            let rules = site.and_then(|site| site.rules.as_deref()).unwrap_or(rules);
            let mut lines = lines::split(text);
            needles.lay(text, &mut lines);
            let (mut findings, facts) = grammar::classify(&lines, rules, false);
            needles.enforce(&lines, &mut findings);
            let assembled = assemble::assemble(text, &lines, &findings);
            finish(document, rules, site, assembled, facts, None)
        }
        Body::Page(tree) => {
            let announced = Announced::of(tree);
            let expected = announced.expected();
            let site = site_of(document, rules, expected.host);
            let rules = site.and_then(|site| site.rules.as_deref()).unwrap_or(rules);
            let mut page = page::read(tree, &expected);
            if let Some(site) = site {
                site.lay(tree, &mut page.lines);
            }
            needles.lay(tree.text(), &mut page.lines);
            let (mut findings, facts) = grammar::classify(&page.lines, rules, true);
            needles.enforce(&page.lines, &mut findings);
            let assembled = assemble::assemble(tree.text(), &page.lines, &findings);
            finish(
                document,
                rules,
                site,
                assembled,
                facts,
                Some((&announced, &page.evidence)),
            )
        }
    }
}

/// The site file for a document, by where it was fetched, else by what it says of itself.
fn site_of<'r>(document: &Document, rules: &'r Rules, host: Option<&str>) -> Option<&'r Site> {
    if !rules.has_sites() {
        return None;
    }
    let declared = document.declared.url.as_deref().and_then(pin::site);
    rules.site(&declared.or_else(|| host.map(str::to_owned))?)
}

/// A text that nobody judges line by line is kept as it stands.
fn keep_whole(document: &Document, rules: &Rules, text: &str) -> Cleaned {
    let lines = lines::whole(text);
    let kept = || {
        Finding::kept(
            Class::Body,
            "text.too_large",
            "too large to be judged line by line",
        )
    };
    let findings: Vec<Finding> = lines.lines.iter().map(|_| kept()).collect();
    let assembled = assemble::assemble(text, &lines, &findings);
    let mut cleaned = finish(document, rules, None, assembled, Facts::default(), None);
    let quality = &mut cleaned.article.quality;
    quality.push(Quality::TooLarge);
    quality.sort_unstable();
    quality.dedup();
    cleaned
}

fn finish(
    document: &Document,
    rules: &Rules,
    site: Option<&Site>,
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
    let several = facts.articles > 1;
    let mut article = article(assembled.blocks, assembled.text, facts, metadata);
    let repairs = Repairs::of_page(document.input());
    if repairs.mojibake && page.is_some() {
        repair_names(&mut article, repairs);
    }
    if let Some(site) = site {
        article.publisher = site.publisher.clone().or(article.publisher);
        article.language = article.language.or_else(|| site.language.clone());
    }
    let paid = page.is_some_and(|(announced, _)| announced.is_paid());
    let signs = quality::Signs {
        repaired: repairs.mojibake,
        paid,
        several,
    };
    article.quality = quality::flags(document, &article, rules, signs);
    Cleaned {
        article,
        ledger: assembled.ledger,
    }
}

/// What the head of a page declares was misread like its text.
fn repair_names(article: &mut Article, repairs: Repairs) {
    let one = [
        &mut article.title,
        &mut article.section,
        &mut article.publisher,
        &mut article.original_publisher,
    ];
    let several = article.authors.iter_mut().chain(&mut article.tags);
    for name in one.into_iter().flatten().chain(several) {
        *name = repairs.apply(std::mem::take(name));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{CharsetEvidence, Decoding, Format};
    use crate::submission::Declared;
    use proptest::prelude::*;

    fn document(text: &str) -> Document {
        Document {
            body: Body::Text(text.to_owned()),
            decoding: Decoding {
                format: Format::Text,
                layers: Vec::new(),
                charset: "UTF-8".to_owned(),
                charset_evidence: CharsetEvidence::Utf8,
                bom_bytes: 0,
                undecodable: Vec::new(),
                undecodable_count: 0,
            },
            declared: Declared::default(),
            flags: Vec::new(),
        }
    }

    /// Lines of the kinds that the grammar knows, in any order.
    const KINDS: &[&str] = &[
        "Travel News",
        "Why has the ferry to the islands been cancelled?",
        "Ada Brill’s Travel",
        "By Ada Brill",
        "19 November 2019",
        "The ferry left the harbour at noon, and nobody on the quay thought anything of it at the time.",
        "“It was late,” said Bob Tarn, who had waited for two hours in the rain with his dog and a melon.",
        "A ferry leaves the harbour in thick fog",
        "(Ada Brill/AFP via Getty Images)",
        "The quay after the storm. Credit: Ada Brill/PA",
        "What happens next?",
        "READ MORE: Ferries collide off the coast",
        "Related articles",
        "Gulls stamp their feet on wet grass",
        "- a list item with a melon",
        "Advertisement",
        "Share this",
        "Sign up to our free breaking news emails",
        "They have also cited the tide, with waves as high as…",
        "[…]",
        "Click here to read the full article at The Harbour Gazette",
        "The post Why has the ferry been cancelled? appeared first on The Harbour Gazette.",
        "The Associated Press contributed to this report.",
        "© 2019 The Harbour Gazette. All rights reserved.",
        "Comments",
        "caf\u{e9} e\u{301}\u{323} \u{feff}x &amp; y",
        "",
        "\u{0}",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn any_soup_of_lines_is_accounted_for(
            lines in proptest::collection::vec((0..KINDS.len(), 0..5usize), 0..24),
        ) {
            let ends = ["\n", "\n\n", "\r\n", "\u{2028}", "\n\n\n"];
            let text: String = lines.iter().map(|(kind, end)| format!("{}{}", KINDS[*kind], ends[*end])).collect();
            let (document, rules) = (document(&text), rules());
            let cleaned = clean(&document, rules);
            prop_assert_eq!(cleaned.ledger.verify(&text, &cleaned.article.text), Ok(()));
            prop_assert_eq!(&clean(&document, rules), &cleaned);
        }

        #[test]
        fn any_text_is_accounted_for(text in "(\\PC|[\\r\\n\\t\u{85}\u{2028}\u{0}\u{feff}&;]){0,200}") {
            let document = document(&text);
            let cleaned = clean(&document, rules());
            prop_assert_eq!(cleaned.ledger.verify(&text, &cleaned.article.text), Ok(()));
        }
    }

    const SENTENCES: &[&str] = &[
        "The ferry left the harbour at noon, and nobody on the quay thought anything of it.",
        "“It was late,” said Bob Tarn, who had waited for two hours in the rain with his dog.",
        "The harbour office blamed the fog, which had come in from the sea before breakfast.",
        "Most of the passengers went home again and came back on the next morning.",
        "What the council will do about the old pier is still an open question.",
        "Ada Brill, who sells tickets there, had counted forty gulls on the roof of her kiosk.",
    ];
    const FOOTERS: &[&str] = &[
        "Click here to read the full article at The Harbour Gazette",
        "The post The ferry returns to the islands appeared first on The Harbour Gazette.",
        "This article was originally published by The Harbour Gazette.",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn any_bytes_that_can_be_decoded_are_accounted_for(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            parts in proptest::collection::vec((0..KINDS.len(), 0..6usize), 0..12),
        ) {
            let tags = ["<p>", "</p><div class=box>", "<nav><a href=x>", "</a></nav><li>", "<h2>", "</div><figcaption>"];
            let page: String = parts.iter().map(|(kind, tag)| format!("{}{}", tags[*tag], KINDS[*kind])).collect();
            let mut page = format!("<html><body>{page}").into_bytes();
            let half = page.len() / 2;
            page.splice(half..half, bytes.iter().copied());
            for (name, raw) in [("a.txt", &bytes), ("a.html", &bytes), ("b.html", &page)] {
                let options = crate::decode::Options::default();
                let decoded = crate::decode::decode(name.as_ref(), raw, &Declared::default(), &options);
                if let Ok(document) = decoded {
                    let cleaned = clean(&document, rules());
                    let account = cleaned.ledger.verify(document.input(), &cleaned.article.text);
                    prop_assert_eq!(account, Ok(()));
                    prop_assert_eq!(&clean(&document, rules()), &cleaned);
                }
            }
        }

        #[test]
        fn a_fair_copy_cleans_to_itself_and_a_footer_changes_nothing_of_the_story(
            paragraphs in proptest::collection::vec(proptest::collection::vec(0..SENTENCES.len(), 2..5), 3..8),
            footer in 0..FOOTERS.len(),
        ) {
            let paragraph = |(day, sentences): (usize, &Vec<usize>)| {
                let sentences: Vec<_> = sentences.iter().map(|sentence| SENTENCES[*sentence]).collect();
                format!("On day {} it was like this. {}

", day + 1, sentences.join(" "))
            };
            let body: String = paragraphs.iter().enumerate().map(paragraph).collect();
            let title = "The ferry returns to the islands";
            let first = clean(&document(&format!("{title}

{body}")), rules()).article;
            prop_assert_eq!(first.title.as_deref(), Some(title));
            let again = clean(&document(&format!("{title}

{}", first.text)), rules()).article;
            prop_assert_eq!(&again.text, &first.text);
            let with = format!("{title}

{}
{}
", first.text, FOOTERS[footer]);
            let with = clean(&document(&with), rules()).article;
            prop_assert_eq!(with.footers.len(), 1);
            prop_assert_eq!(with.story_digest(), first.story_digest());
        }
    }

    #[test]
    fn headings_that_a_caption_stood_between_stay_when_the_fair_copy_is_cleaned() {
        let text = "The lake was rough on day one, and the harbour office kept all of its boats at the quay of Tarn until the evening.\n\n\
            The masters of the ferries sat in the office on that day and drank tea, as they do when the wind is from the west.\n\n\
            Rough lake: islanders wait\n\n\
            The ferry at the quay. © Harbour Images | Ada Brill\n\n\
            No boat to the islands: These places have no bread\n\n\
            The office said on day two that the bakers of the islands had flour for a week, and that nobody would go hungry.\n\n\
            On day three the wind fell, and the first ferry left the harbour of Tarn an hour before noon with bread for all.\n";
        let first = clean(&document(text), rules()).article.text;
        assert!(
            first.contains("These places") && !first.contains("Ada Brill"),
            "{first}"
        );
        assert_eq!(clean(&document(&first), rules()).article.text, first);
    }

    fn rules() -> &'static Rules {
        static RULES: std::sync::OnceLock<Rules> = std::sync::OnceLock::new();
        RULES.get_or_init(Rules::built_in)
    }
}
