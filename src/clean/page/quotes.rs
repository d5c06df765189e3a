//! Quotes pulled out of the text to adorn it: they say again what the text says.

use super::context::Contexts;
use super::families::Families;
use super::furniture::Place;
use super::outline::{Outline, Run};
use crate::article::BlockKind;
use crate::clean::likeness::fold;
use crate::clean::line::Hint;
use crate::ledger::Class;
use crate::tree::{NodeId, Tag};

/// More quotes than that are not looked for on a page.
const QUOTES_MAX: usize = 16;

/// Marks them, and the name of the speaker that stands with them.
pub(super) fn mark(outline: &Outline, contexts: &Contexts, places: &mut [Place]) {
    let quotes: Vec<usize> = (0..places.len())
        .filter(|&index| {
            let run = &outline.runs[index];
            places[index].is_open() && could_be_pulled(outline, contexts, run)
        })
        .take(QUOTES_MAX)
        .collect();
    if quotes.is_empty() {
        return;
    }
    let mut text = String::new();
    for (index, run) in outline.runs.iter().enumerate() {
        if places[index].is_open() && !quotes.contains(&index) {
            text.push_str(&fold(outline.text(run)));
            text.push('\n');
        }
    }
    for index in quotes {
        let quote = fold(outline.text(&outline.runs[index]));
        if quote.is_empty() || !text.contains(&quote) {
            continue;
        }
        for pulled in [Some(index), speaker(outline, index)].into_iter().flatten() {
            if places[pulled].is_open() {
                places[pulled] = Place::Line(Some(Hint::strong(
                    Class::Ui,
                    "page.pull_quote",
                    "is a quote pulled out of the text",
                )));
            }
        }
    }
}

fn could_be_pulled(outline: &Outline, contexts: &Contexts, run: &Run) -> bool {
    const QUOTE_BYTES: std::ops::RangeInclusive<u32> = 30..=600;
    let quoted = || {
        let quote =
            run.kind == BlockKind::Quote || contexts.at(run.nodes.start).any(Families::PULL_QUOTE);
        let boxed = std::iter::once(run.block)
            .chain(outline.tree.ancestors(run.block))
            .take(3)
            .any(|node| {
                matches!(
                    outline.tree.tag(node),
                    Some(Tag::Aside | Tag::Figure | Tag::Q)
                )
            });
        quote || boxed
    };
    QUOTE_BYTES.contains(&run.bytes) && run.kind != BlockKind::Heading && quoted()
}

/// The short line after the quote, in one box with it.
fn speaker(outline: &Outline, quote: usize) -> Option<usize> {
    const SPEAKER_BYTES_MAX: u32 = 120;
    let next = outline.runs.get(quote + 1)?;
    let quote_run = &outline.runs[quote];
    let boxed = |node: NodeId| {
        outline.tree.contains(node, next.block)
            && outline.bytes(node).1 <= quote_run.bytes + SPEAKER_BYTES_MAX
    };
    let around = std::iter::once(quote_run.block).chain(outline.tree.ancestors(quote_run.block));
    let together = around.take(4).any(boxed);
    (next.bytes <= SPEAKER_BYTES_MAX && together).then_some(quote + 1)
}
