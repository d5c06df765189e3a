//! What a page shows of its metadata: headline, bylines, dates, keywords, section, as they stand there.

use std::ops::Range;

use super::context::Contexts;
use super::families::Families;
use super::outline::{Outline, Run};
use crate::clean::date;
use crate::clean::fold::tidy;
use crate::clean::words::{self, Label};
use crate::tree::{Attr, NodeId, Tag};

/// What a page shows of its metadata.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct PageEvidence {
    /// The headline as it stands on the page.
    pub heading: Option<String>,
    /// The last of several texts that its heading is made of.
    pub heading_last: Option<String>,
    /// Texts that stand where the page names its authors, in order.
    pub bylines: Vec<String>,
    /// Names that stand in links to authors (`rel=author`, `itemprop=author`).
    pub authors: Vec<String>,
    /// Texts with dates, in order.
    pub dates: Vec<ShownDate>,
    /// A name alone in the last line of the article, set apart by its type.
    pub signature: Option<String>,
    /// A note in the article's last lines that says whose the text is.
    pub notice: Option<String>,
    /// Keywords listed on the page.
    pub tags: Vec<String>,
    /// The name of the section above the headline, or the last breadcrumb.
    pub section: Option<String>,
    /// What the page's head, above the article, links to the site's first page under.
    pub masthead: Option<String>,
}

/// A text with a date.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownDate {
    /// The text as it is seen, with a label that stands right before it.
    pub text: String,
    /// What its attributes (`datetime` and the like) say, each once.
    pub declared: Vec<String>,
    /// Where it stands.
    pub place: DatePlace,
}

/// Where a date stands, the most telling place first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatePlace {
    /// Near the headline, where the page puts its date.
    Marked,
    /// In a short line near the headline.
    Head,
    /// In a text that says that something was published, wherever it stands.
    Said,
    /// In a short line right below the article.
    Tail,
    /// In an attribute made for dates, or where the page puts dates, elsewhere.
    Elsewhere,
    /// The first date of a page that shows none where one belongs.
    Anywhere,
}

/// What is furniture for sure: its authors and dates are those of others.
const OTHERS: Families = Families::COMMENTS
    .or(Families::RELATED)
    .or(Families::TEASER)
    .or(Families::CONSENT);
/// So many runs around the headline and below the article are looked through.
const ABOVE_MAX: usize = 12;
const HEAD_RUNS_MAX: usize = 6;
const TAIL_RUNS_MAX: usize = 10;

/// A longer text is prose, whatever it says of dates.
const LINE_BYTES_MAX: u32 = 300;
/// A date that stands where none is expected is alone on its line.
const ANYWHERE_BYTES_MAX: u32 = 60;
/// A label such as "Last updated:" is shorter.
const LABEL_BYTES_MAX: u32 = 40;

/// Gathers evidence. `inside` says which runs stand in the article's region.
pub(super) fn gather(
    outline: &Outline,
    contexts: &Contexts,
    heading: Option<usize>,
    inside: &[bool],
) -> PageEvidence {
    let shown = heading.map(|heading| headline(outline, contexts, &outline.runs[heading]));
    let (heading_text, heading_last) = shown.unzip();
    let mut evidence = PageEvidence {
        heading: heading_text,
        heading_last: heading_last.flatten(),
        ..PageEvidence::default()
    };
    let first = inside.iter().position(|&inside| inside).unwrap_or(0);
    let last = inside
        .iter()
        .rposition(|&inside| inside)
        .map_or(outline.runs.len(), |last| last + 1);
    let head_from = heading.unwrap_or(first).saturating_sub(ABOVE_MAX);
    let head_to = heading.unwrap_or(0).max(first) + HEAD_RUNS_MAX;
    let mut lead = "";
    for (index, run) in outline.runs.iter().enumerate() {
        let (start, end) = (contexts.at(run.nodes.start), contexts.at(run.nodes.end - 1));
        let families = start | end;
        // A label that only screen readers are told may lead what all can see.
        let hidden = start.any(Families::HIDDEN) && end.any(Families::HIDDEN);
        let before = std::mem::take(&mut lead);
        if hidden || families.any(OTHERS) || run.bytes > LINE_BYTES_MAX {
            continue;
        }
        if run.bytes < LABEL_BYTES_MAX {
            lead = outline.text(run);
        }
        let place = match index {
            _ if index < head_from => DatePlace::Elsewhere,
            _ if index <= head_to => DatePlace::Head,
            _ if index >= last && index <= last + TAIL_RUNS_MAX => DatePlace::Tail,
            _ => DatePlace::Elsewhere,
        };
        if index < first && heading.is_none_or(|heading| index < heading) {
            evidence.masthead(outline, families, run);
        }
        // The date may stand in the middle of a line: "Posted on ... by ...".
        let holds_date = place == DatePlace::Head
            && run
                .nodes
                .clone()
                .any(|node| contexts.at(node).any(Families::DATE));
        let dated = if holds_date {
            Families::DATE
        } else {
            Families::NONE
        };
        evidence.date(outline, families | dated, run, place, before);
        if index < head_from || index > last + TAIL_RUNS_MAX || run.bytes > 200 {
            continue;
        }
        let text = || spaced(outline, run);
        if families.any(Families::TAGS) && run.bytes < 60 {
            evidence.tags.push(text());
        }
        evidence.list(outline.text(run));
        if families.any(Families::AUTHOR) {
            evidence.bylines.push(text());
        } else if families.any(Families::SECTION) && evidence.section.is_none() && run.bytes < 50 {
            evidence.section = Some(text());
        }
        evidence.author(outline, run);
    }
    evidence.end(outline, inside);
    evidence
}

/// The address of a site's first page: a path without names.
fn is_first_page(href: &str) -> bool {
    let path = match href.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => href.trim_start_matches('.').trim_start_matches('/'),
    };
    matches!(path, "" | "index.html" | "index.php") && !href.starts_with("//")
}

/// The headline without a kicker that stands in the same heading, marked as what it is; and the last of its texts.
fn headline(outline: &Outline, contexts: &Contexts, run: &Run) -> (String, Option<String>) {
    const WORDS_MIN: usize = 3;
    let tree = outline.tree;
    let texts: Vec<(bool, &str)> = run
        .nodes
        .clone()
        .map(|index| (contexts.at(index).any(Families::SECTION), index))
        .filter_map(|(kicker, index)| Some((kicker, tree.node_at(index as usize)?)))
        .filter(|&(_, node)| tree.is_text(node))
        .map(|(kicker, node)| (kicker, tree.text_of(node)))
        .collect();
    let long = |text: &str| text.split_whitespace().count() >= WORDS_MIN;
    let unmarked = texts.iter().filter(|(kicker, _)| !kicker);
    let unmarked: String = unmarked.map(|(_, text)| *text).collect();
    // What goes on with a colon is no headline without what comes before.
    let whole = unmarked
        .trim_start()
        .starts_with(|c: char| !c.is_alphanumeric() && !OPENING.contains(&c));
    let heading = match long(&unmarked) && !whole {
        true => squeeze(&unmarked),
        false => squeeze(outline.text(run)),
    };
    let last = texts.iter().rev().find(|(_, text)| !text.trim().is_empty());
    let last = last.map(|(_, text)| squeeze(text));
    let last = last.filter(|last| long(last) && last.len() < heading.len());
    (heading, last)
}

/// Signs that a headline may begin with.
const OPENING: &[char] = &[
    '"', '“', '„', '«', '»', '‘', '\'', '¿', '¡', '(', '[', '「', '『', '#', '$', '€', '£', '@',
    '+',
];

impl PageEvidence {
    fn masthead(&mut self, outline: &Outline, families: Families, run: &Run) {
        const BYTES: std::ops::RangeInclusive<u32> = 4..=60;
        let tree = outline.tree;
        let is_alone = run.link_percent() == 100 && BYTES.contains(&run.bytes);
        let Some(link) = run.link.filter(|_| is_alone && self.masthead.is_none()) else {
            return;
        };
        let menu = |node| matches!(tree.tag(node), Some(Tag::Li | Tag::Nav));
        let in_menu = families.any(Families::SECTION) || tree.ancestors(link).take(5).any(menu);
        // A single word may be "Home" in any language.
        let name = squeeze(outline.text(run));
        if tree.attr(link, Attr::Href).is_some_and(is_first_page) && !in_menu && name.contains(' ')
        {
            self.masthead = Some(name);
        }
    }

    /// `before` is the short text right before the run: a label may stand in a box of its own.
    fn date(
        &mut self,
        outline: &Outline,
        families: Families,
        run: &Run,
        place: DatePlace,
        before: &str,
    ) {
        const DATES_MAX: usize = 40;
        const SHORT_BYTES_MAX: u32 = 120;
        if self.dates.len() >= DATES_MAX {
            return;
        }
        let marked = families.any(Families::DATE);
        let declared = match marked {
            true => datetimes(outline, run.nodes.clone()),
            false => Vec::new(),
        };
        let seen = outline.text(run);
        let numbers = date::may_hold_date(seen);
        let short = run.bytes <= SHORT_BYTES_MAX && (marked || place != DatePlace::Elsewhere);
        if declared.is_empty() && !numbers {
            return;
        }
        // Inline elements join without a blank: `08/08/2017by Ann`.
        let mut text = spaced(outline, run);
        let labelled = date::is_labelled(&text);
        if !labelled && !before.is_empty() && date::is_labelled(before) {
            text.insert_str(0, &format!("{} ", squeeze(before)));
        }
        let anywhere = self.dates.is_empty() && run.bytes <= ANYWHERE_BYTES_MAX;
        let place = match place {
            _ if !short && declared.is_empty() && !labelled && anywhere => DatePlace::Anywhere,
            _ if !short && declared.is_empty() && !labelled => return,
            DatePlace::Head if marked => DatePlace::Marked,
            DatePlace::Tail | DatePlace::Elsewhere if labelled => DatePlace::Said,
            place => place,
        };
        self.dates.push(ShownDate {
            text: if numbers && (short || labelled || place == DatePlace::Anywhere) {
                text
            } else {
                // Of a long text, only its label.
                text.chars().filter(|c| !c.is_numeric()).collect()
            },
            declared,
            place,
        });
    }

    /// `Tags: ferries, gulls`, `Filed under: Travel`.
    fn list(&mut self, text: &str) {
        const LABEL_BYTES_MAX: usize = 40;
        const PARTERS: &[char] = &[',', '،', '、', '，', ';', '|', '/', '#', '•', '·'];
        let text = text.trim_start();
        let Some(at) = text.find([':', '：']).filter(|&at| at <= LABEL_BYTES_MAX) else {
            return;
        };
        let Some(label) = words::label(&text[..at]) else {
            return;
        };
        let rest = text[at..].trim_start_matches([':', '：']);
        let mut items = rest
            .split(PARTERS)
            .map(squeeze)
            .filter(|item| !item.is_empty());
        match label {
            Label::Tags => self.tags.extend(items),
            Label::Section if self.section.is_none() => self.section = items.next(),
            Label::Section => {}
        }
    }

    /// Reads the article's last lines.
    fn end(&mut self, outline: &Outline, inside: &[bool]) {
        const LAST_RUNS: usize = 10;
        const NOTICE_BYTES_MAX: u32 = 120;
        let runs = outline.runs.iter().zip(inside).rev();
        let last = runs
            .filter(|(_, inside)| **inside)
            .map(|(run, _)| run)
            .take(LAST_RUNS);
        for (index, run) in last.enumerate() {
            let text = outline.text(run).trim();
            if index == 0 && run.bytes < SIGNATURE_BYTES_MAX && is_set_apart(outline, run) {
                self.signature = Some(spaced(outline, run));
            }
            let short = run.bytes < NOTICE_BYTES_MAX && text.starts_with(['©', 'Ⓒ']);
            if short || run.bytes < LINE_BYTES_MAX && text.contains("://") {
                self.notice = Some(spaced(outline, run));
            }
        }
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

/// A signature holds a name or two.
const SIGNATURE_BYTES_MAX: u32 = 60;

/// All of the run's text stands in italics or bold, or at the line's end.
fn is_set_apart(outline: &Outline, run: &Run) -> bool {
    let tree = outline.tree;
    let is_apart = |node: NodeId| {
        matches!(
            tree.tag(node),
            Some(Tag::Em | Tag::I | Tag::Strong | Tag::B | Tag::Cite)
        ) || tree
            .attr(node, Attr::Style)
            .is_some_and(|style| style.contains("text-align") && style.contains("right"))
    };
    let texts = run
        .nodes
        .clone()
        .filter_map(|index| tree.node_at(index as usize))
        .filter(|&node| tree.is_text(node) && !tree.text_of(node).trim().is_empty());
    texts
        .map(|node| tree.ancestors(node).take(3).any(is_apart))
        .reduce(|all, apart| all && apart)
        .unwrap_or(false)
}

/// Attributes that hold the date which the text of the element shows, or stands for.
const DATE_ATTRIBUTES: &[Attr] = &[
    Attr::Datetime,
    Attr::Content,
    Attr::DataDate,
    Attr::DataPublished,
    Attr::Title,
];

/// What the attributes around the texts of a run say of dates, each once.
fn datetimes(outline: &Outline, nodes: Range<u32>) -> Vec<String> {
    let tree = outline.tree;
    let mut found: Vec<String> = Vec::new();
    let texts = nodes
        .filter_map(|index| tree.node_at(index as usize))
        .filter(|&node| tree.is_text(node));
    for node in texts {
        let time = tree.ancestors(node).take(3).find_map(|node| {
            let mut said = DATE_ATTRIBUTES
                .iter()
                .filter_map(|&name| tree.attr(node, name));
            said.find(|said| date::may_hold_date(said))
        });
        if let Some(time) = time.filter(|&time| found.iter().all(|other| other != time)) {
            found.push(time.to_owned());
        }
    }
    found
}

/// The texts of a run, with a blank between the text of one element and of the next.
fn spaced(outline: &Outline, run: &Run) -> String {
    let tree = outline.tree;
    let texts = run
        .nodes
        .clone()
        .filter_map(|index| tree.node_at(index as usize))
        .filter(|&node| tree.is_text(node));
    let mut spaced = String::new();
    for node in texts {
        spaced.push_str(tree.text_of(node));
        spaced.push(' ');
    }
    squeeze(&spaced)
}

/// Without blanks at the ends, and single spaces between words.
fn squeeze(text: &str) -> String {
    if let Some(tidy) = tidy(text) {
        return tidy.to_owned();
    }
    let mut squeezed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !squeezed.is_empty() {
            squeezed.push(' ');
        }
        squeezed.push_str(word);
    }
    squeezed
}
