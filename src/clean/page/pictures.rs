//! Captions that no name tells: what stands beside a picture, by itself or as the picture's own text.

use super::context::{Contexts, FURNITURE};
use super::families::Families;
use super::furniture::Place;
use super::outline::{Outline, Run};
use super::region::Region;
use super::shingles::Shingles;
use crate::article::BlockKind;
use crate::clean::likeness::fold;
use crate::clean::line::Hint;
use crate::ledger::Class;
use crate::tree::{Attr, NodeId, Tag};

/// So many lines stand between a picture and its caption at most (a credit, a counter).
const LINES_BETWEEN_MAX: usize = 2;

/// Finds captions among the lines of which nothing is known yet.
pub(super) fn mark(
    outline: &Outline,
    contexts: &Contexts,
    region: &Region,
    heading: Option<usize>,
    summary: &Shingles,
    places: &mut [Place],
) {
    const ARTICLE_PERCENT_MAX: u32 = 20;
    if outline.images.is_empty() {
        return;
    }
    let prose: u32 = outline
        .runs
        .iter()
        .zip(&region.inside)
        .map(|(run, &inside)| if inside { run.prose() } else { 0 })
        .sum();
    let first = region.inside.iter().position(|&inside| inside);
    // Between headline and text stands the lead picture.
    let head = heading.map_or(0..0, |heading| heading + 1..first.unwrap_or(heading));
    let mut boxed: Vec<usize> = Vec::new();
    for (index, run) in outline.runs.iter().enumerate() {
        let open = match places[index] {
            Place::Line(None) => region.inside[index],
            Place::Aside(_) => {
                head.contains(&index) && !contexts.at(run.nodes.start).any(FURNITURE)
            }
            _ => false,
        };
        if !open || !could_be_caption(run) {
            continue;
        }
        let Some(image) = image_before(outline, index) else {
            continue;
        };
        if repeats_alt(outline, image, run, summary) {
            places[index] = Place::Line(Some(Hint::weak(
                Class::Caption,
                "page.alt_text",
                "says what the picture beside it is described with",
            )));
        } else if is_phrase(outline.text(run))
            && (is_boxed(outline, contexts, image, run) || is_set_apart(outline, image, index))
        {
            boxed.push(index);
        }
    }
    // Articles made of pictures with a text each are lists, and their texts stay.
    let bytes: u32 = boxed.iter().map(|&index| outline.runs[index].bytes).sum();
    if bytes * 100 > prose * ARTICLE_PERCENT_MAX {
        return;
    }
    for index in boxed {
        places[index] = Place::Line(Some(Hint::weak(
            Class::Caption,
            "page.beside_picture",
            "stands alone in a box with a picture",
        )));
    }
}

fn could_be_caption(run: &Run) -> bool {
    const CAPTION_BYTES: std::ops::RangeInclusive<u32> = 4..=600;
    const SENTENCE_BYTES_MIN: u32 = 80;
    // Some pages set captions as headings; sentences they are all the same.
    let sentence = run.kind == BlockKind::Heading && run.closed && run.bytes >= SENTENCE_BYTES_MIN;
    (run.kind == BlockKind::Paragraph || sentence)
        && CAPTION_BYTES.contains(&run.bytes)
        && run.link_percent() < 50
}

/// The nearest picture before the run, if hardly a line stands between.
fn image_before(outline: &Outline, index: usize) -> Option<NodeId> {
    let start = outline.runs[index].nodes.end;
    let after = outline
        .images
        .partition_point(|image| (image.index() as u32) < start);
    let image = outline.images[..after].last().copied()?;
    let earliest = index.saturating_sub(LINES_BETWEEN_MAX + 1);
    let near =
        index <= LINES_BETWEEN_MAX || outline.runs[earliest].nodes.start < image.index() as u32;
    near.then_some(image)
}

/// The picture's alternative text says the same. Some pages describe the lead picture with the article's first sentence.
fn repeats_alt(outline: &Outline, image: NodeId, run: &Run, summary: &Shingles) -> bool {
    const ALT_BYTES_MIN: usize = 15;
    const WHOLE_BYTES_MIN: usize = 30;
    const SUMMARY_BYTES_MIN: usize = 60;
    let Some(alt) = outline.tree.attr(image, Attr::Alt) else {
        return false;
    };
    if alt.len() < ALT_BYTES_MIN {
        return false;
    }
    let text = outline.text(run);
    let (alt, folded) = (fold(alt), fold(text));
    let (short, long) = match alt.len() < folded.len() {
        true => (&alt, &folded),
        false => (&folded, &alt),
    };
    let same = short == long
        || short.len() >= WHOLE_BYTES_MIN
            && short.len() * 2 >= long.len()
            && long.starts_with(short.as_str());
    let summed = text.len() >= SUMMARY_BYTES_MIN
        && summary.percent(text).is_some_and(|percent| percent >= 60);
    same && short.len() >= ALT_BYTES_MIN && !summed
}

/// Icons stand beside words (`Price`), an author's portrait beside a date.
fn is_phrase(text: &str) -> bool {
    const BYTES_MIN: usize = 20;
    const DIGITS_MAX: usize = 5;
    text.trim().len() >= BYTES_MIN && text.bytes().filter(u8::is_ascii_digit).count() <= DIGITS_MAX
}

/// The smallest box around picture and run holds hardly anything else, and the run is no paragraph of its own, or the box is
/// named after the picture.
fn is_boxed(outline: &Outline, contexts: &Contexts, image: NodeId, run: &Run) -> bool {
    const BOX_BYTES_MAX: u32 = 500;
    const BOX_RUNS_MAX: usize = 3;
    const BOX_DEPTH_MAX: usize = 4;
    let tree = outline.tree;
    let around = std::iter::once(run.block).chain(tree.ancestors(run.block));
    let Some(node) = around
        .take(BOX_DEPTH_MAX)
        .find(|&node| tree.contains(node, image))
    else {
        return false;
    };
    let (links, bytes) = outline.bytes(node);
    let runs = outline.runs_in(node);
    let small = bytes <= BOX_BYTES_MAX && links * 2 < bytes && runs.len() <= BOX_RUNS_MAX;
    let headed = || {
        outline.runs[runs.clone()]
            .iter()
            .any(|other| other.kind != BlockKind::Paragraph && other.nodes != run.nodes)
    };
    if !small || headed() {
        return false;
    }
    let named = contexts.at(run.nodes.start).any(Families::IMAGE);
    let paragraph = matches!(
        tree.tag(run.block),
        Some(Tag::P | Tag::Li | Tag::Dd | Tag::Td | Tag::Th)
    );
    let below_break = run.block == node && run.continues;
    named || !paragraph && node != run.block || below_break
}

/// The run is the first after the picture, and all of it is in italics, small or in the middle. Whole sentences that are
/// set so may as well begin the text: they stay.
fn is_set_apart(outline: &Outline, image: NodeId, index: usize) -> bool {
    const APART_BYTES_MAX: u32 = 300;
    let tree = outline.tree;
    let run = &outline.runs[index];
    let first = index
        .checked_sub(1)
        .is_none_or(|before| outline.runs[before].nodes.end <= image.index() as u32);
    let apart = |node: NodeId| {
        tree.ancestors(node)
            .take_while(|&around| tree.contains(run.block, around))
            .any(|around| {
                matches!(
                    tree.tag(around),
                    Some(Tag::Em | Tag::I | Tag::Small | Tag::Center)
                )
            })
    };
    let mut texts = run
        .nodes
        .clone()
        .filter_map(|node| tree.node_at(node as usize))
        .filter(|&node| tree.is_text(node) && !tree.text_of(node).trim().is_empty());
    first && !run.closed && run.bytes <= APART_BYTES_MAX && texts.all(apart)
}
