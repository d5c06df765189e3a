//! What a page shows of its metadata: headline, bylines, dates, keywords, section, as they stand there.

use std::ops::Range;

use super::context::Contexts;
use super::families::Families;
use super::outline::{Outline, Run};
use crate::tree::{Attr, NodeId, Tag};

/// What a page shows of its metadata.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct PageEvidence {
    /// The headline as it stands on the page.
    pub heading: Option<String>,
    /// Texts that stand where the page names its authors, in order.
    pub bylines: Vec<String>,
    /// Names that stand in links to authors (`rel=author`, `itemprop=author`).
    pub authors: Vec<String>,
    /// Texts with dates, in order.
    pub dates: Vec<ShownDate>,
    /// Keywords listed on the page.
    pub tags: Vec<String>,
    /// The name of the section above the headline, or the last breadcrumb.
    pub section: Option<String>,
}

/// A text with a date.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownDate {
    /// The text, or what a `datetime` attribute says.
    pub text: String,
    /// Where it stands.
    pub place: DatePlace,
}

/// Where a date stands, the most telling place first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatePlace {
    /// In an attribute made for dates, near the headline.
    Declared,
    /// Near the headline, where the page puts its date.
    Marked,
    /// In a short line near the headline.
    Head,
    /// In a short line right below the article.
    Tail,
    /// In an attribute made for dates, or where the page puts dates, elsewhere.
    Elsewhere,
}

/// What is furniture for sure: its authors and dates are those of others.
const OTHERS: Families = Families::HIDDEN
    .or(Families::COMMENTS)
    .or(Families::RELATED)
    .or(Families::TEASER)
    .or(Families::CONSENT);
/// So many runs around the headline and below the article are looked through.
const ABOVE_MAX: usize = 12;
const HEAD_RUNS_MAX: usize = 6;
const TAIL_RUNS_MAX: usize = 10;

/// Gathers evidence. `inside` says which runs stand in the article's region.
pub(super) fn gather(
    outline: &Outline,
    contexts: &Contexts,
    heading: Option<usize>,
    inside: &[bool],
) -> PageEvidence {
    let mut evidence = PageEvidence {
        heading: heading.map(|heading| squeeze(outline.text(&outline.runs[heading]))),
        ..PageEvidence::default()
    };
    let first = inside.iter().position(|&inside| inside).unwrap_or(0);
    let last = inside
        .iter()
        .rposition(|&inside| inside)
        .map_or(outline.runs.len(), |last| last + 1);
    let head_from = heading.unwrap_or(first).saturating_sub(ABOVE_MAX);
    let head_to = heading.unwrap_or(0).max(first) + HEAD_RUNS_MAX;
    for (index, run) in outline.runs.iter().enumerate() {
        let families = contexts.at(run.nodes.start) | contexts.at(run.nodes.end - 1);
        if families.any(OTHERS) || run.bytes > 300 {
            continue;
        }
        let place = match index {
            _ if index < head_from => DatePlace::Elsewhere,
            _ if index <= head_to => DatePlace::Head,
            _ if index >= last && index <= last + TAIL_RUNS_MAX => DatePlace::Tail,
            _ => DatePlace::Elsewhere,
        };
        evidence.date(outline, families, run, place);
        if index < head_from || index > last + TAIL_RUNS_MAX || run.bytes > 200 {
            continue;
        }
        let text = || squeeze(outline.text(run));
        if families.any(Families::TAGS) && run.bytes < 60 {
            evidence.tags.push(text());
        }
        if families.any(Families::AUTHOR) {
            evidence.bylines.push(text());
        } else if families.any(Families::SECTION) && evidence.section.is_none() && run.bytes < 50 {
            evidence.section = Some(text());
        }
        evidence.author(outline, run);
    }
    evidence
}

impl PageEvidence {
    fn date(&mut self, outline: &Outline, families: Families, run: &Run, place: DatePlace) {
        const DATES_MAX: usize = 40;
        const LINE_BYTES_MAX: u32 = 120;
        let marked = families.any(Families::DATE);
        let near = place != DatePlace::Elsewhere;
        if self.dates.len() >= DATES_MAX || !marked && !near {
            return;
        }
        if marked {
            let declared = if place == DatePlace::Head {
                DatePlace::Declared
            } else {
                place
            };
            for datetime in datetimes(outline, run.nodes.clone()) {
                self.dates.push(ShownDate {
                    text: datetime.to_owned(),
                    place: declared,
                });
            }
        }
        let text = outline.text(run);
        if run.bytes > LINE_BYTES_MAX || !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return;
        }
        let place = if marked && place == DatePlace::Head {
            DatePlace::Marked
        } else {
            place
        };
        // Inline elements join without a blank: `08/08/2017by Ann`.
        let tree = outline.tree;
        let texts = run
            .nodes
            .clone()
            .filter_map(|index| tree.node_at(index as usize))
            .filter(|&node| tree.is_text(node));
        let mut line = String::new();
        for node in texts {
            line.push_str(tree.text_of(node));
            line.push(' ');
        }
        self.dates.push(ShownDate {
            text: squeeze(&line),
            place,
        });
    }

    fn author(&mut self, outline: &Outline, run: &Run) {
        let tree = outline.tree;
        let Some(link) = run.link.filter(|_| run.bytes < 100) else {
            return;
        };
        let rel = tree.attr(link, Attr::Rel).unwrap_or("");
        let named = |node: NodeId| {
            tree.tag(node) != Some(Tag::Body)
                && tree
                    .attr(node, Attr::Itemprop)
                    .is_some_and(|prop| prop.contains("author"))
        };
        if rel.split_ascii_whitespace().any(|rel| rel == "author")
            || tree.ancestors(link).take(3).chain([link]).any(named)
        {
            let name = squeeze(tree.text_of(link));
            if !self.authors.contains(&name) {
                self.authors.push(name);
            }
        }
    }
}

/// `datetime` (and `content`) attributes around the texts of a run, each once.
fn datetimes<'a>(outline: &Outline<'a>, nodes: Range<u32>) -> Vec<&'a str> {
    let tree = outline.tree;
    let mut found: Vec<&str> = Vec::new();
    let texts = nodes
        .filter_map(|index| tree.node_at(index as usize))
        .filter(|&node| tree.is_text(node));
    for node in texts {
        let time = tree.ancestors(node).take(3).find_map(|node| {
            tree.attr(node, Attr::Datetime)
                .or_else(|| tree.attr(node, Attr::Content))
        });
        found.extend(time.filter(|time| !found.contains(time)));
    }
    found
}

/// Without blanks at the ends, and single spaces between words.
fn squeeze(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !squeezed.is_empty() {
            squeezed.push(' ');
        }
        squeezed.push_str(word);
    }
    squeezed
}
