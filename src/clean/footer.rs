//! The end of a document: footers, notes and keywords, peeled off from the last line upward.

use crate::article::Footer;
use crate::clean::finding::{Cut, Finding};
use crate::clean::grammar::{add_cut, is_date};
use crate::clean::metadata::names;
use crate::clean::rules::{Hit, Position};
use crate::clean::sheet::Sheet;
use crate::ledger::Class;

/// Removes what counts at the end only: all that its rules claim after the last paragraph which they do not claim.
pub(super) fn peel(sheet: &mut Sheet<'_>) {
    for index in (0..sheet.len()).rev() {
        if !sheet.stays(index) {
            continue;
        }
        if sheet.is_open(index) {
            if let Some(hit) = sheet.hit(index, &[Position::End, Position::Edges]) {
                let footer = sheet.hits[index][hit].rule.class == Class::FooterExcerpt;
                match footer && sheet.looks[index].colon {
                    // `Read on:` heads links to other articles.
                    true => sheet.remove(
                        index,
                        Class::Related,
                        "place.heads_links",
                        "heads links to other articles",
                    ),
                    false => sheet.remove_by_rule(index, hit),
                }
                continue;
            }
            if is_date(sheet, index) && !sheet.is_fragment(index) {
                sheet.remove(
                    index,
                    Class::Date,
                    "place.date_after_end",
                    "a date after the last paragraph",
                );
                continue;
            }
        }
        cut_glued(sheet, index);
        if sheet.looks[index].is_paragraph() {
            break;
        }
    }
}

/// A source line says whose article it is where another line points to the original.
fn learn_source(sheet: &mut Sheet<'_>) {
    let points = |index: &usize| sheet.class(*index) == Some(Class::FooterExcerpt);
    let Some(footer) = (0..sheet.len()).find(points) else {
        return;
    };
    let source = (footer.saturating_sub(2)..(footer + 3).min(sheet.len())).find_map(|index| {
        let source = sheet.hits[index]
            .iter()
            .find(|hit| hit.rule.name == "footer.source_of_text");
        source.and_then(|hit| hit.learnt.get("publisher")).cloned()
    });
    let known = sheet.facts.original_publisher.take();
    // A copyright line names the owner of what a syndicate delivered.
    let owner = sheet
        .hits
        .iter()
        .flatten()
        .find_map(|hit| hit.learnt.get("owner"))
        .cloned();
    let source = source.or(owner);
    sheet.facts.original_publisher = known.or(source);
}

/// Cuts a footer out of the end of a line that it was glued to.
fn cut_glued(sheet: &mut Sheet<'_>, index: usize) {
    let glued = sheet.hits[index]
        .iter()
        .find(|hit| hit.rule.cuts && hit.span.start > 0 && hit.span.end == sheet.text(index).len());
    let Some(hit) = glued else {
        return;
    };
    let cut = Cut {
        span: hit.span.clone(),
        class: hit.rule.class,
        rule: hit.rule.name.clone().into(),
        reason: hit.rule.reason.clone().into(),
    };
    let finding = sheet.findings[index]
        .get_or_insert_with(|| Finding::kept(Class::Body, "text.body", "running text"));
    add_cut(finding, cut);
}

/// Learns what footers say: publisher, section, address; and corrections.
pub(super) fn learn(sheet: &mut Sheet<'_>) {
    for index in 0..sheet.len() {
        let Some(finding) = &sheet.findings[index] else {
            continue;
        };
        if finding.class == Class::Correction {
            sheet.facts.corrections.push(sheet.text(index).to_owned());
        }
        if finding.rule == "footer.author_line" && sheet.facts.authors.is_empty() {
            let text = sheet.text(index);
            let name = text.split_once(':').map_or(text, |(_, name)| name);
            sheet.facts.authors = names::names(name);
            continue;
        }
        let cut = finding
            .cuts
            .iter()
            .find(|cut| cut.class == Class::FooterExcerpt);
        let rule = match (finding.class, cut) {
            (Class::FooterExcerpt, _) => finding.rule.to_string(),
            (_, Some(cut)) => cut.rule.to_string(),
            _ => continue,
        };
        let Some(hit) = sheet.hits[index]
            .iter()
            .find(|hit| hit.rule.name == rule)
            .cloned()
        else {
            continue;
        };
        let text = sheet.text(index);
        let verbatim = cut.map_or(text, |cut| text[cut.span.clone()].trim());
        let href = sheet.lines.lines[index].href.clone();
        let footer = footer(&hit, verbatim, href, sheet);
        let publisher = footer
            .publisher
            .as_deref()
            .map(|publisher| match &footer.section {
                Some(section) => format!("{publisher} {section}"),
                None => publisher.to_owned(),
            });
        let (publisher, url) = (footer.publisher.clone().or(publisher), footer.url.clone());
        let facts = &mut sheet.facts;
        facts.original_publisher = facts.original_publisher.take().or(publisher);
        facts.original_url = facts.original_url.take().or(url);
        facts.footers.push(footer);
    }
    learn_source(sheet);
}

fn footer(hit: &Hit<'_>, verbatim: &str, href: Option<String>, sheet: &Sheet<'_>) -> Footer {
    let learnt = |names: &[&str]| names.iter().find_map(|name| hit.learnt.get(*name)).cloned();
    let mut publishers = hit
        .learnt
        .iter()
        .filter(|(name, _)| name.starts_with("publisher"));
    let publisher = publishers
        .next()
        .map(|(_, name)| name.trim_start_matches(['»', '«', '„', '“', '"', ' ']))
        .map(|name| {
            name.trim_end_matches([
                '.', '…', ' ', '»', '«', '“', '”', '"', '>', ':', '→', ',', '!', ')',
            ])
            .to_owned()
        });
    let publisher = publisher.map(|name| {
        name.split(" | ")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    });
    let publisher = publisher.filter(|name| !name.is_empty());
    let (publisher, section) = match publisher {
        Some(publisher) => split_section(publisher, sheet),
        None => (None, None),
    };
    let family = hit
        .rule
        .name
        .split_once('.')
        .map_or(&*hit.rule.name, |(_, family)| family);
    Footer {
        verbatim: verbatim.to_owned(),
        family: family.to_owned(),
        publisher,
        section,
        url: learnt(&["url", "url2"]).or(href),
    }
}

/// `The Independent Travel`: a paper and its section, if the document's own section line bears it out, or if the name
/// would otherwise have a section for its last word after an article and a name.
fn split_section(publisher: String, sheet: &Sheet<'_>) -> (Option<String>, Option<String>) {
    const SECTIONS: &[&str] = &[
        "Travel",
        "Sport",
        "Sports",
        "Money",
        "Business",
        "Politics",
        "World",
        "Tech",
        "Technology",
        "Science",
        "Health",
        "Culture",
        "Arts",
        "Food",
        "Style",
        "Lifestyle",
        "Opinion",
        "Football",
        "Entertainment",
        "Environment",
        "Climate",
        "Books",
        "Music",
        "Film",
        "Education",
        "Life",
    ];
    let Some((name, last)) = publisher.rsplit_once(' ') else {
        return (Some(publisher), None);
    };
    let said = sheet.facts.section.as_deref().is_some_and(|section| {
        section
            .split_whitespace()
            .any(|word| word.eq_ignore_ascii_case(last))
    });
    let shaped = name.split(' ').count() >= 2 && name.starts_with("The ") || said;
    match SECTIONS.contains(&last) && shaped {
        true => (Some(name.to_owned()), Some(last.to_owned())),
        false => (Some(publisher), None),
    }
}
