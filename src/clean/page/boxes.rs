//! Boxes inside an article that point elsewhere, told by their shape alone: lists of links, cards, headings over nothing,
//! and what is said twice.

use std::collections::{HashMap, HashSet};

use super::furniture::Place;
use super::outline::{Outline, Run};
use crate::article::BlockKind;
use crate::clean::line::Hint;
use crate::ledger::Class;
use crate::tree::{Attr, NodeId, Tag};

/// Finds them among the lines of which nothing is known yet. `host` is the page's own.
pub(super) fn mark(outline: &Outline, host: Option<&str>, places: &mut [Place]) {
    cards(outline, host, places);
    link_lists(outline, host, places);
    labels(outline, places);
    empty_headings(outline, host, places);
    repetitions(outline, places);
}

fn related(rule: &'static str, reason: &'static str) -> Place {
    Place::Line(Some(Hint::strong(Class::Related, rule, reason)))
}

/// The link leads to another page of the same site, as links to other articles do.
fn is_internal(outline: &Outline, link: NodeId, host: Option<&str>) -> bool {
    let href = outline.tree.attr(link, Attr::Href).unwrap_or("");
    let Some((_, rest)) = href
        .split_once("//")
        .filter(|(scheme, _)| scheme.is_empty() || scheme.ends_with(':'))
    else {
        return !href.starts_with("mailto:") && !href.starts_with("tel:");
    };
    let other = rest.split(['/', '?', '#']).next().unwrap_or("");
    // `www.example.org`, `sport.example.org` and `example.co.uk` are one site: the longest label but the last names it.
    let site = |host: &str| {
        let labels = host.rsplit_once('.').map_or(host, |(labels, _)| labels);
        labels
            .split('.')
            .max_by_key(|label| label.len())
            .map(str::to_ascii_lowercase)
    };
    host.is_none_or(|host| site(host) == site(other))
}

/// Most of the run is a link to another site.
fn leads_out(outline: &Outline, host: Option<&str>, run: &Run) -> bool {
    let link = run.link.filter(|_| run.link_percent() >= 50);
    link.is_some_and(|link| !is_internal(outline, link, host))
}

/// The run is nothing but a link to another page of the site.
fn is_link_line(outline: &Outline, host: Option<&str>, run: &Run) -> bool {
    let Some(link) = run.link.filter(|_| run.link_percent() >= 80) else {
        return false;
    };
    // Headings are linked to themselves.
    let anchor = run.kind == BlockKind::Heading
        && outline
            .tree
            .attr(link, Attr::Href)
            .is_some_and(|href| href.starts_with('#'));
    run.bytes >= 8 && run.kind != BlockKind::Table && !anchor && is_internal(outline, link, host)
}

/// A card is a small box with a linked headline and perhaps a label, a picture's caption and a sentence or two. Articles made of
/// such boxes are lists, and theirs stay.
fn cards(outline: &Outline, host: Option<&str>, places: &mut [Place]) {
    const ARTICLE_PERCENT_MAX: u32 = 30;
    let mut found: Vec<std::ops::Range<usize>> = Vec::new();
    let open: u32 = outline
        .runs
        .iter()
        .zip(&*places)
        .filter(|(_, place)| place.is_open())
        .map(|(run, _)| run.prose())
        .sum();
    let mut prose = 0;
    // What stands before the first paragraph is the article's head, whatever its shape.
    let body = |(run, place): (&Run, &Place)| {
        place.is_open() && run.kind != BlockKind::Heading && run.prose() > 0
    };
    let mut index = outline
        .runs
        .iter()
        .zip(&*places)
        .position(body)
        .unwrap_or(0);
    while index < places.len() {
        let run = &outline.runs[index];
        let headline = run.bytes >= 15
            && places[index].is_open()
            && run.link_percent() >= 95
            && is_link_line(outline, host, run);
        let card = headline.then(|| card_around(outline, run)).flatten();
        let Some(runs) = card.filter(|runs| runs.end > index) else {
            index += 1;
            continue;
        };
        index = runs.end;
        prose += outline.runs[runs.clone()]
            .iter()
            .map(Run::prose)
            .sum::<u32>();
        found.push(runs);
    }
    if prose * 100 > open * ARTICLE_PERCENT_MAX {
        return;
    }
    for place in found.into_iter().flat_map(|runs| runs.collect::<Vec<_>>()) {
        if places[place].is_open() {
            places[place] = related(
                "page.card",
                "stands in a box that points to another article",
            );
        }
    }
}

/// The runs of the largest box around the headline that is still a card.
fn card_around(outline: &Outline, run: &Run) -> Option<std::ops::Range<usize>> {
    const CARD_BYTES_MAX: u32 = 700;
    const CARD_RUNS_MAX: usize = 10;
    const CARD_DEPTH_MAX: usize = 6;
    let tree = outline.tree;
    let around = std::iter::once(run.block)
        .chain(tree.ancestors(run.block))
        .take(CARD_DEPTH_MAX);
    let mut card = None;
    for node in around {
        let (links, bytes) = outline.bytes(node);
        let runs = outline.runs_in(node);
        if bytes > CARD_BYTES_MAX || runs.len() > CARD_RUNS_MAX {
            break;
        }
        let boxed = matches!(
            tree.tag(node),
            Some(
                Tag::Div
                    | Tag::Section
                    | Tag::Article
                    | Tag::Aside
                    | Tag::Li
                    | Tag::Figure
                    | Tag::Blockquote
                    | Tag::Other
            )
        );
        let quoted = tree.tag(node) == Some(Tag::Blockquote);
        if boxed && !quoted && links * 100 >= bytes * 15 && runs.len() >= 2 {
            card = Some(runs);
        }
    }
    card
}

/// Two or more linked lines in a row point to other articles; a single one may.
fn link_lists(outline: &Outline, host: Option<&str>, places: &mut [Place]) {
    let linked = |index: usize, places: &[Place]| {
        places[index].is_open() && is_link_line(outline, host, &outline.runs[index])
    };
    let mut start = 0;
    while start < places.len() {
        let mut end = start;
        while end < places.len() && linked(end, places) {
            end += 1;
        }
        if end - start >= 2 {
            places[start..end].fill(related("page.link_list", "stands in a list of links"));
        } else if places[start].is_open() {
            let run = &outline.runs[start];
            // A sub-heading may be linked; what stands under it tells (`cards`).
            let whole = end > start
                && run.link_percent() >= 95
                && run.bytes >= 15
                && !run.closed
                && run.kind != BlockKind::Heading;
            if whole || is_labelled_link(outline, run) {
                places[start] = Place::Line(Some(Hint::weak(
                    Class::Related,
                    "page.link_line",
                    "is nothing but a link",
                )));
            }
        }
        start = end.max(start + 1);
    }
}

/// `READ MORE: Rain falls again`: a short label that ends in a sign, and a link.
fn is_labelled_link(outline: &Outline, run: &Run) -> bool {
    const LABEL_BYTES_MAX: u32 = 40;
    let label = run.bytes - run.link_bytes;
    if label == 0
        || label > LABEL_BYTES_MAX
        || run.link_percent() < 50
        || run.link_bytes < 15
        || run.closed
    {
        return false;
    }
    let Some(link) = run.link else { return false };
    let start = run.span.start as usize;
    // A single word behind a colon is a value (`Account: @ada`), unless its script sets no blanks.
    let title = outline.tree.text_of(link).trim();
    if title.is_ascii() && title.split_ascii_whitespace().count() < 3 {
        return false;
    }
    let before = &outline.tree.text()[start..outline.tree.text_range(link).start.max(start)];
    let before = before.trim_end();
    // `Why so late? Ferries in numbers` in a list of links.
    let asks = run.kind == BlockKind::ListItem && before.ends_with(['?', '？', '؟']);
    before.ends_with([':', '|', '>', '»', '→', '：']) || asks
}

/// A short line right before links, in one box with them, is their label: `Read also`.
fn labels(outline: &Outline, places: &mut [Place]) {
    const LABEL_BYTES_MAX: u32 = 40;
    for index in (0..places.len().saturating_sub(1)).rev() {
        let Place::Line(Some(hint)) = &places[index + 1] else {
            continue;
        };
        let run = &outline.runs[index];
        let short = places[index].is_open() && run.bytes <= LABEL_BYTES_MAX && !run.closed;
        if !short || hint.class != Class::Related || !hint.strong || run.kind == BlockKind::ListItem
        {
            continue;
        }
        let next = &outline.runs[index + 1];
        let boxed =
            outline.tree.ancestors(run.block).take(3).any(|node| {
                outline.tree.contains(node, next.block) && outline.bytes(node).1 <= 900
            });
        if boxed {
            places[index] = related("page.label", "heads a list of links");
        }
    }
}

/// A heading under which nothing of the article stands goes the way of what stands under it. Headings before the first
/// paragraph are standfirsts.
fn empty_headings(outline: &Outline, host: Option<&str>, places: &mut [Place]) {
    // A heading that leads to another site names a source.
    let is_body = |index: usize, place: &Place| {
        let run = &outline.runs[index];
        place.is_open() && (run.kind != BlockKind::Heading || leads_out(outline, host, run))
    };
    let Some(first) = (0..places.len()).find(|&index| is_body(index, &places[index])) else {
        return;
    };
    let at_end = Hint::strong(
        Class::Related,
        "page.empty_heading",
        "heads nothing that belongs to the article",
    );
    let mut after: Option<Hint> = Some(at_end);
    let mut body_follows = false;
    for index in (first..places.len()).rev() {
        let place = &places[index];
        match place {
            Place::Aside(_) => {}
            Place::Line(Some(hint)) if body_follows && hint.strong => {
                let furniture = matches!(
                    hint.class,
                    Class::Related
                        | Class::Promo
                        | Class::Social
                        | Class::Navigation
                        | Class::FooterOther
                );
                after = furniture.then(|| {
                    Hint::strong(
                        hint.class,
                        "page.heading_of_furniture",
                        "heads what is no part of the article",
                    )
                });
            }
            Place::Line(Some(_)) => {}
            Place::Line(None) if !is_body(index, place) => {
                let heads = !body_follows || heads_furniture(outline, places, index);
                if let Some(hint) = after.as_ref().filter(|_| heads) {
                    places[index] = Place::Line(Some(hint.clone()));
                } else {
                    after = None;
                }
            }
            Place::Line(None) => {
                after = None;
                body_follows = true;
            }
        }
    }
}

/// What follows the heading is its own: a list of links, or it stands with the heading in a box without text of the article.
/// Advertisements and teasers are put between a sub-heading and its text as well.
fn heads_furniture(outline: &Outline, places: &[Place], heading: usize) -> bool {
    const BOX_BYTES_MAX: u32 = 2_000;
    const BOX_DEPTH_MAX: usize = 4;
    let tree = outline.tree;
    let lines = || {
        let after = places.iter().enumerate().skip(heading + 1);
        after.filter_map(|(index, place)| match place {
            Place::Line(hint) => Some((index, hint)),
            Place::Aside(_) => None,
        })
    };
    let linked = lines()
        .take_while(|(_, hint)| {
            hint.as_ref()
                .is_some_and(|hint| hint.class == Class::Related)
        })
        .take(2);
    if linked.count() >= 2 {
        return true;
    }
    let Some((next, _)) = lines().next() else {
        return false;
    };
    let next = outline.runs[next].block;
    let boxed = |&node: &NodeId| {
        outline.bytes(node).1 <= BOX_BYTES_MAX
            && !outline
                .runs_in(node)
                .any(|run| places[run].is_open() && outline.runs[run].kind != BlockKind::Heading)
    };
    tree.ancestors(outline.runs[heading].block)
        .take(BOX_DEPTH_MAX)
        .take_while(boxed)
        .any(|node| tree.contains(node, next))
}

/// A long line that stands there already is a copy for another width of screen. A question that is put to several people,
/// or a line that stands there many times, is a refrain and stays.
fn repetitions(outline: &Outline, places: &mut [Place]) {
    const REPEATED_BYTES_MIN: u32 = 100;
    const COPIES_MAX: u32 = 2;
    let mut times: HashMap<&str, u32> = HashMap::new();
    let long = |run: &Run| run.bytes >= REPEATED_BYTES_MIN;
    let text = |run: &Run| outline.text(run).trim();
    for (run, place) in outline.runs.iter().zip(&*places) {
        if long(run) && place.is_open() {
            *times.entry(text(run)).or_default() += 1;
        }
    }
    times.retain(|text, times| {
        (2..=COPIES_MAX).contains(times) && !text.ends_with(['?', '？', '؟'])
    });
    let mut seen: HashSet<&str> = HashSet::new();
    for (run, place) in outline.runs.iter().zip(places) {
        if long(run) && place.is_open() && times.contains_key(text(run)) && !seen.insert(text(run))
        {
            *place = Place::Line(Some(Hint::strong(
                Class::Ui,
                "page.repeated",
                "stands word for word before",
            )));
        }
    }
}
