//! Article extraction: a page's tree made into [`Lines`], each with what the structure says about it.
//!
//! 1. `outline`: one pass cuts the page into runs of text, where a browser would break the line;
//! 2. `context`: one pass reads tags, names and styles, and believes them as far as the text bears them out;
//! 3. `region`: the prose that is no furniture shows where the article stands;
//! 4. `furniture`: what each run in and around the region is;
//! 5. `lines`: every byte of the text goes into a line, an aside, or a blank between them.
//!
//! What a run *says* is judged later and by others (`clean/grammar.rs`); here only its place is.

mod boxes;
mod context;
mod families;
mod furniture;
mod lines;
mod outline;
mod region;
mod shingles;

use crate::article::BlockKind;
use crate::clean::likeness::{fold, likeness};
use crate::clean::line::{Hint, Lines};
use crate::ledger::Class;
use crate::tree::{Attr, Tag, Tree};

use context::{Contexts, FURNITURE};
use families::Families;
use furniture::{Known, Place};
use outline::{Outline, Run};
use shingles::Shingles;

/// What the page's metadata lets us expect of its text. Evidence, weighed against the text.
#[derive(Debug, Default)]
pub struct Expected<'a> {
    /// Headlines, the best first, perhaps with the site's name.
    pub titles: Vec<&'a str>,
    /// `articleBody` of the page's JSON-LD.
    pub body: Option<&'a str>,
    /// The description for search engines and social networks: often the standfirst.
    pub summary: Option<&'a str>,
    /// Names of authors.
    pub authors: Vec<&'a str>,
    /// The page's own host, without `www.`.
    pub host: Option<&'a str>,
}

/// A page as lines, and what was found beside the body.
#[derive(Debug, Default)]
pub struct Page<'a> {
    /// Lines and asides.
    pub lines: Lines<'a>,
    /// What metadata can use.
    pub evidence: PageEvidence,
}

/// What a page shows of its metadata.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct PageEvidence {
    /// The headline as it stands on the page.
    pub heading: Option<String>,
    /// Texts that stand where the page names its authors, in order.
    pub bylines: Vec<String>,
    /// Names that stand in links to authors (`rel=author`, `itemprop=author`).
    pub authors: Vec<String>,
    /// Dates near the headline: the `datetime` of `<time>` or its text, in order.
    pub dates: Vec<String>,
    /// Keywords listed on the page.
    pub tags: Vec<String>,
    /// The name of the section above the headline, or the last breadcrumb.
    pub section: Option<String>,
}

/// Cuts a page into lines and says what structure knows about each.
pub fn read<'a>(tree: &'a Tree, expected: &Expected) -> Page<'a> {
    let mut outline = Outline::new(tree);
    let mut contexts = Contexts::new(&outline);
    let declared = declared(&outline, expected.body);
    let titles: Vec<String> = expected.titles.iter().map(|title| fold(title)).collect();
    let heading = heading(&outline, &contexts, &titles);
    if let Some(heading) = heading {
        other_articles(&outline, &mut contexts, heading);
    }
    weigh(&mut outline, &contexts, &declared);
    let Some(region) = region::find(&outline, &contexts, heading, &declared) else {
        return without_article(&outline, &contexts, heading);
    };
    let is_title = |text: &str| {
        let text = fold(text);
        !text.is_empty() && titles.contains(&text)
    };
    let heading = heading.filter(|&heading| region::is_above(&outline, &region, heading));
    let authors: Vec<String> = expected
        .authors
        .iter()
        .map(|author| fold(author))
        .filter(|author| author.len() >= 4)
        .collect();
    let summary = expected.summary.map(Shingles::of).unwrap_or_default();
    let known = Known {
        heading,
        is_title: &is_title,
        summary: &summary,
        authors: &authors,
    };
    let mut places = furniture::place(&outline, &contexts, &region, &known);
    boxes::mark(&outline, expected.host, &mut places);
    let evidence = evidence(&outline, &contexts, heading, &region.inside);
    Page {
        lines: lines::lines(&outline, &contexts, places),
        evidence,
    }
}

/// A page without prose: all that is seen and no furniture is a line, for the grammar to judge.
fn without_article<'a>(
    outline: &Outline<'a>,
    contexts: &Contexts,
    heading: Option<usize>,
) -> Page<'a> {
    let place = |(index, run): (usize, &Run)| {
        let families = contexts.at(run.nodes.start);
        if Some(index) == heading {
            Place::Line(Some(Hint::strong(
                Class::Title,
                "page.heading",
                "is the headline of the page",
            )))
        } else if families.any(FURNITURE) || run.link_percent() >= 50 {
            Place::Aside(Hint::strong(
                Class::Navigation,
                "page.furniture",
                "stands in the furniture of a page without an article",
            ))
        } else {
            Place::Line(None)
        }
    };
    let places = outline.runs.iter().enumerate().map(place).collect();
    Page {
        evidence: evidence(outline, contexts, heading, &[]),
        lines: lines::lines(outline, contexts, places),
    }
}

/// For each run, whether it stands in the declared `articleBody`. A declaration is followed only if most of it is found
/// on the page and it is long enough to be a body: some pages declare a teaser, some another article.
fn declared(outline: &Outline, body: Option<&str>) -> Vec<bool> {
    const BODY_BYTES_MIN: usize = 300;
    let nothing = vec![false; outline.runs.len()];
    let Some(body) = body.filter(|body| body.len() >= BODY_BYTES_MIN) else {
        return nothing;
    };
    let shingles = Shingles::of(body);
    let mut found = 0;
    let matches: Vec<bool> = outline
        .runs
        .iter()
        .map(|run| {
            let matches = run.bytes >= 20
                && shingles
                    .percent(outline.text(run))
                    .is_some_and(|percent| percent >= 70);
            found += if matches { run.bytes as usize } else { 0 };
            matches
        })
        .collect();
    if found * 2 >= body.len() {
        matches
    } else {
        nothing
    }
}

/// Prose of furniture counts nothing; what the page declares as its body counts thrice.
fn weigh(outline: &mut Outline, contexts: &Contexts, declared: &[bool]) {
    let weights: Vec<u32> = outline
        .runs
        .iter()
        .zip(declared)
        .map(|(run, &declared)| {
            let families = contexts.at(run.nodes.start);
            match declared {
                _ if families.any(FURNITURE.or(Families::CAPTION)) => 0,
                true => run.prose() * 3,
                false => run.prose(),
            }
        })
        .collect();
    outline.weigh(|index, _| weights[index]);
}

/// The run of the headline: the `h1` (or, without one, another heading) that reads as the declared title; else the first
/// `h1`. Prose stands below it, or it heads something else.
fn heading(outline: &Outline, contexts: &Contexts, titles: &[String]) -> Option<usize> {
    const PROSE_ABOVE_PERCENT_MAX: u64 = 50;
    let page = u64::from(outline.prose_of_page());
    let mut best: Option<(u32, usize)> = None;
    for (index, run) in outline.runs.iter().enumerate() {
        if run.kind != BlockKind::Heading || run.bytes < 3 || run.bytes > 600 {
            continue;
        }
        let above = u64::from(outline.prose_before(run.block));
        if above * 100 > page * PROSE_ABOVE_PERCENT_MAX {
            break;
        }
        if contexts.at(run.nodes.start).any(NEVER_HEADED) {
            continue;
        }
        let text = fold(outline.text(run));
        let likeness = titles
            .iter()
            .map(|title| likeness(title, &text))
            .max()
            .unwrap_or(0);
        let score = match (run.level, likeness) {
            (1, 60..) => 300 + likeness,
            (_, 80..) => 200 + likeness,
            (1, likeness) => 100 + likeness,
            _ => continue,
        };
        if best.is_none_or(|(best, _)| score > best) {
            best = Some((score, index));
        }
    }
    best.map(|(_, index)| index)
}

const NEVER_HEADED: Families = Families::HIDDEN
    .or(Families::NAVIGATION)
    .or(Families::FOOTER)
    .or(Families::COMMENTS)
    .or(Families::CONSENT);

/// Pages that load the next article below this one: an `article` with an `h1` of its own, after the one that is headed by
/// the page's headline.
fn other_articles(outline: &Outline, contexts: &mut Contexts, heading: usize) {
    let tree = outline.tree;
    let headline = &outline.runs[heading];
    let mut marked = 0;
    for run in &outline.runs[heading + 1..] {
        let next = run.kind == BlockKind::Heading && run.level == 1 && run.bytes >= 8;
        if !next || run.block.index() < marked {
            continue;
        }
        let around = tree
            .ancestors(run.block)
            .take(12)
            .find(|&node| tree.tag(node) == Some(Tag::Article));
        let Some(article) = around.filter(|&article| !tree.contains(article, headline.block))
        else {
            continue;
        };
        marked = tree.subtree_end(article);
        contexts.add(article.index()..marked, Families::RELATED);
    }
}

fn evidence(
    outline: &Outline,
    contexts: &Contexts,
    heading: Option<usize>,
    inside: &[bool],
) -> PageEvidence {
    let mut evidence = PageEvidence {
        heading: heading.map(|heading| squeeze(outline.text(&outline.runs[heading]))),
        ..PageEvidence::default()
    };
    let last = inside
        .iter()
        .rposition(|&inside| inside)
        .map_or(outline.runs.len(), |last| last + 1);
    let from = heading.map_or(0, |heading| heading.saturating_sub(12));
    for (index, run) in outline.runs.iter().enumerate() {
        let families = contexts.at(run.nodes.start);
        if families.any(
            Families::HIDDEN
                .or(Families::COMMENTS)
                .or(Families::RELATED)
                .or(Families::TEASER),
        ) {
            continue;
        }
        if families.any(Families::TAGS) && run.bytes < 60 && index >= from {
            evidence.tags.push(squeeze(outline.text(run)));
        }
        if index < from || index > last + 10 || run.bytes > 200 {
            continue;
        }
        if families.any(Families::AUTHOR) {
            evidence.bylines.push(squeeze(outline.text(run)));
        } else if families.any(Families::SECTION) && evidence.section.is_none() && run.bytes < 50 {
            evidence.section = Some(squeeze(outline.text(run)));
        }
        dates_of(outline, contexts, run, &mut evidence.dates);
        authors_of(outline, run, &mut evidence.authors);
    }
    evidence
}

fn dates_of(outline: &Outline, contexts: &Contexts, run: &Run, dates: &mut Vec<String>) {
    const DATES_MAX: usize = 12;
    if dates.len() >= DATES_MAX
        || !contexts.at(run.nodes.start).any(Families::DATE)
            && !contexts.at(run.nodes.end - 1).any(Families::DATE)
    {
        return;
    }
    let tree = outline.tree;
    for index in run.nodes.clone() {
        let Some(node) = tree
            .node_at(index as usize)
            .filter(|&node| tree.is_text(node))
        else {
            continue;
        };
        let time = tree.ancestors(node).take(3).find_map(|node| {
            tree.attr(node, Attr::Datetime)
                .or_else(|| tree.attr(node, Attr::Content))
        });
        if let Some(time) = time.filter(|time| dates.last().map(String::as_str) != Some(time)) {
            dates.push(time.to_owned());
        }
    }
    if run.bytes < 80 {
        dates.push(squeeze(outline.text(run)));
    }
}

fn authors_of(outline: &Outline, run: &Run, authors: &mut Vec<String>) {
    let tree = outline.tree;
    let Some(link) = run.link else { return };
    let is_author = tree
        .attr(link, Attr::Rel)
        .is_some_and(|rel| rel.split_ascii_whitespace().any(|rel| rel == "author"));
    let is_author = is_author
        || tree.ancestors(link).take(3).chain([link]).any(|node| {
            tree.tag(node) != Some(Tag::Body)
                && tree
                    .attr(node, Attr::Itemprop)
                    .is_some_and(|prop| prop.contains("author"))
        });
    if is_author && run.bytes < 100 {
        let name = squeeze(tree.text_of(link));
        if !authors.contains(&name) {
            authors.push(name);
        }
    }
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
