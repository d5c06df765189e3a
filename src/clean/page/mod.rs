//! Article extraction: a page's tree made into [`Lines`], each with what the structure says about it.
//!
//! 1. `outline`: one pass cuts the page into runs of text, where a browser would break the line;
//! 2. `context`: one pass reads tags, names and styles, and believes them as far as the text bears them out;
//! 3. `region`: the prose that is no furniture shows where the article stands;
//! 4. `furniture`: what each run in and around the region is; `pictures`, `quotes`, `boxes`: what its neighbours say;
//! 5. `lines`: every byte of the text goes into a line, an aside, or a blank between them.
//!
//! What a run *says* is judged later and by others (`clean/grammar.rs`); here only its place is.

mod boxes;
mod context;
pub mod evidence;
mod families;
mod furniture;
mod lines;
mod outline;
mod pictures;
mod quotes;
mod region;
mod shingles;

use crate::article::BlockKind;
use crate::clean::likeness::{fold, is_any, likeness};
use crate::clean::line::{Hint, Lines};
use crate::ledger::Class;
use crate::tree::{NodeId, Tag, Tree};

use context::{Contexts, FURNITURE};
use evidence::PageEvidence;
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

/// More authors are not sought on the page.
const AUTHORS_MAX: usize = 20;

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
    let is_title = |text: &str| is_any(text, &titles);
    let heading = heading.filter(|&heading| region::is_above(&outline, &region, heading));
    let authors: Vec<String> = expected
        .authors
        .iter()
        .map(|author| fold(author))
        .filter(|author| author.len() >= 4)
        .take(AUTHORS_MAX)
        .collect();
    let summary = expected.summary.map(Shingles::of).unwrap_or_default();
    let known = Known {
        heading,
        is_title: &is_title,
        summary: &summary,
        authors: &authors,
    };
    let mut places = furniture::place(&outline, &contexts, &region, &known);
    pictures::mark(&outline, &contexts, &region, heading, &summary, &mut places);
    quotes::mark(&outline, &contexts, &mut places);
    boxes::mark(&outline, expected.host, &mut places);
    let evidence = evidence::gather(&outline, &contexts, heading, &region.inside);
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
        evidence: evidence::gather(outline, contexts, heading, &[]),
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

/// The run of the headline: the `h1` (or, without one, another heading) that reads as the declared title; else a line that
/// is that title, whatever its tag, or the first `h1`. Prose stands below it, or it heads something else.
fn heading(outline: &Outline, contexts: &Contexts, titles: &[String]) -> Option<usize> {
    const PROSE_ABOVE_PERCENT_MAX: u64 = 50;
    /// Less than a heading that reads as the title, more than an `h1` that does not.
    const UNTAGGED: u32 = 160;
    let page = u64::from(outline.prose_of_page());
    let mut best: Option<(u32, usize)> = None;
    for (index, run) in outline.runs.iter().enumerate() {
        let heading = run.kind == BlockKind::Heading;
        let untagged = run.kind == BlockKind::Paragraph
            && run.bytes >= 15
            && run.link_bytes == 0
            && titles.iter().any(|title| is_as_long(title, run.bytes));
        if !heading && !untagged || run.bytes < 3 || run.bytes > 600 {
            continue;
        }
        let above = u64::from(outline.prose_before(run.block));
        if above * 100 > page * PROSE_ABOVE_PERCENT_MAX {
            break;
        }
        if contexts.at(run.nodes.start).any(NEVER_HEADED) {
            continue;
        }
        if !heading {
            if best.is_none_or(|(best, _)| best < UNTAGGED) && is_any(outline.text(run), titles) {
                best = Some((UNTAGGED, index));
            }
            continue;
        }
        let text = fold(outline.text(run));
        let likeness = titles
            .iter()
            .map(|title| likeness(title, &text))
            .max()
            .unwrap_or(0);
        let score = match (run.level, likeness) {
            _ if is_breadcrumb(outline.tree, run.block) => 150 + likeness,
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
        .or_else(|| titled(outline, contexts, titles))
}

/// On a page without such a heading: the line that says what one end of the declared title says, the other end of which
/// is the site's name.
fn titled(outline: &Outline, contexts: &Contexts, titles: &[String]) -> Option<usize> {
    const WORDS_MIN: usize = 3;
    let is_end = |text: &str| {
        let words = text.split(' ').count();
        let others = |title: &String| title.split(' ').count() - words;
        let mut ends = titles
            .iter()
            .filter(|title| title.len() > text.len())
            .filter(|title| title.starts_with(text) || title.ends_with(text));
        words >= WORDS_MIN && ends.any(|title| (1..=words).contains(&others(title)))
    };
    outline
        .runs
        .iter()
        .take_while(|run| run.prose() == 0)
        .position(|run| {
            (3..=300).contains(&run.bytes)
                && run.link_percent() < 50
                && !contexts.at(run.nodes.start).any(FURNITURE)
                && is_end(&fold(outline.text(run)))
        })
}

/// The heading ends a row of links: some pages make the last breadcrumb their `h1`, and put the headline they show in an `h2`.
fn is_breadcrumb(tree: &Tree, block: NodeId) -> bool {
    let listed = |node: NodeId| matches!(tree.tag(node), Some(Tag::Li | Tag::Nav));
    let Some(parent) = tree.parent(block) else {
        return false;
    };
    let mut before = tree.children(parent).take_while(|&child| child != block);
    listed(parent) || before.any(|child| tree.tag(child) == Some(Tag::A))
}

/// Signs and blanks apart, a text of so many bytes may be the folded title.
fn is_as_long(title: &str, bytes: u32) -> bool {
    let bytes = bytes as usize;
    (bytes..=bytes * 3 / 2).contains(&title.len())
        || (title.len()..title.len() * 3 / 2).contains(&bytes)
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
