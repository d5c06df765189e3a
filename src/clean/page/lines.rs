//! Runs of a page made into [`Lines`], so that every byte of text is in a line, in an aside, or a blank between them.

use std::ops::Range;

use super::context::Contexts;
use super::families::Families;
use super::furniture::Place;
use super::outline::{Outline, Run};
use crate::article::BlockKind;
use crate::clean::likeness::fold;
use crate::clean::line::{Aside, Hint, Line, LineBuilder, Lines};
use crate::clean::repair::Repairs;
use crate::ledger::Class;
use crate::tree::{Attr, NodeId, Tag, Tree};

/// Makes lines of the runs that have a place in the article, asides of the others.
pub(super) fn lines<'a>(
    outline: &Outline<'a>,
    contexts: &Contexts,
    places: Vec<Place>,
) -> Lines<'a> {
    let mut lines = Lines::default();
    let repairs = Repairs::of_page(outline.tree.text());
    let mut unseen = outline.unseen.iter().copied().peekable();
    for (run, place) in outline.runs.iter().zip(places) {
        while let Some(node) = unseen.next_if(|node| (node.index() as u32) < run.nodes.start) {
            push_aside(
                &mut lines.asides,
                outline.tree.text_range(node),
                unseen_hint(),
            );
        }
        match place {
            Place::Aside(hint) => {
                while unseen
                    .next_if(|node| (node.index() as u32) < run.nodes.end)
                    .is_some()
                {}
                push_aside(
                    &mut lines.asides,
                    run.span.start as usize..run.span.end as usize,
                    hint,
                );
            }
            Place::Line(hint) => {
                let mut inner = Vec::new();
                let builder = LineBuilder::new(outline.tree.text()).repair(repairs);
                let line = line(outline, contexts, run, hint, builder, &mut inner);
                while unseen
                    .next_if(|node| (node.index() as u32) < run.nodes.end)
                    .is_some()
                {}
                lines.lines.extend(line);
                for (span, hint) in inner {
                    push_aside(&mut lines.asides, span, hint);
                }
            }
        }
    }
    for node in unseen {
        push_aside(
            &mut lines.asides,
            outline.tree.text_range(node),
            unseen_hint(),
        );
    }
    lines
}

fn unseen_hint() -> Hint {
    Hint::strong(
        Class::Hidden,
        "page.unseen",
        "stands in an element whose text is not shown",
    )
}

/// Asides for the same reason that only blanks part are one.
fn push_aside(asides: &mut Vec<Aside>, span: Range<usize>, hint: Hint) {
    match asides.last_mut() {
        Some(last) if last.hint == hint && last.span.end == span.start => last.span.end = span.end,
        _ => asides.push(Aside { span, hint }),
    }
}

fn line<'a>(
    outline: &Outline<'a>,
    contexts: &Contexts,
    run: &Run,
    hint: Option<Hint>,
    mut builder: LineBuilder<'a>,
    inner: &mut Vec<(Range<usize>, Hint)>,
) -> Option<Line<'a>> {
    let tree = outline.tree;
    let around = contexts.of(run.block);
    let mut marks: Vec<(Range<usize>, Hint)> = Vec::new();
    let mut cell: Option<NodeId> = None;
    let mut last_parent = None;
    let mut last_text = None;
    for index in run.nodes.clone() {
        let node = node_at(outline, index);
        if !tree.is_text(node) {
            continue;
        }
        let span = tree.text_range(node);
        let families = contexts.at(index);
        if is_skipped(outline, node) {
            inner.push((span, unseen_hint()));
            continue;
        }
        let hidden = families.any(Families::HIDDEN) && !around.any(Families::HIDDEN);
        if hidden || is_no_word_of_the_text(tree.text_of(node)) {
            inner.push((
                span,
                Hint::strong(
                    Class::Hidden,
                    "page.hidden",
                    "is not shown to a reader of the page",
                ),
            ));
            continue;
        }
        let parent = tree.parent(node);
        if run.kind == BlockKind::Table {
            let own = tree
                .ancestors(node)
                .find(|&node| matches!(tree.tag(node), Some(Tag::Td | Tag::Th)));
            if own != cell && !tree.text()[span.clone()].trim().is_empty() {
                if cell.is_some() {
                    builder.insert(span.start, " | ");
                }
                cell = own;
            }
        } else if around.any(Families::CAPTION) && parent != last_parent {
            // Caption and credit stand in elements of their own and are often set apart by style alone.
            builder.insert_blank(span.start);
        } else if last_text.is_some_and(|last| is_apart(tree, run.block, last, node)) {
            builder.insert_blank(span.start);
        }
        last_parent = parent;
        last_text = Some(node);
        let from = builder.len();
        match run.kind {
            BlockKind::Code => builder.push_preformatted(span),
            _ => builder.push(span),
        }
        let to = builder.len();
        if families.any(Families::CREDIT) && !around.any(Families::CREDIT) && to > from {
            match marks.last_mut() {
                Some((range, _)) if range.end == from => range.end = to,
                _ => marks.push((
                    from..to,
                    Hint::strong(
                        Class::Credit,
                        "page.credit",
                        "stands where the page puts credits",
                    ),
                )),
            }
        }
    }
    let mut line = builder.finish(run.kind)?;
    line.level = run.level;
    line.continues = run.continues;
    line.links = run.link_bytes as f32 / run.bytes.max(1) as f32;
    line.href = run
        .link
        .and_then(|link| tree.attr(link, Attr::Href))
        .map(str::to_owned);
    line.hint = hint;
    let length = line.text.len();
    marks.retain_mut(|(range, _)| {
        range.end = range.end.min(length);
        range.start < range.end
    });
    line.marks = marks;
    Some(line)
}

/// Two pieces that a style sets apart: neighbours in a box (no paragraph) that stand in elements of their own, without a
/// blank between, and the second begins like a word of its own (`15:48` `Reading time`). A first letter that is set large
/// is followed by small ones.
fn is_apart(tree: &Tree, block: NodeId, last: NodeId, node: NodeId) -> bool {
    let begins =
        |text: &str| text.starts_with(|char: char| char.is_uppercase() || char.is_ascii_digit());
    if !matches!(tree.tag(block), Some(Tag::Div | Tag::Section | Tag::Header))
        || tree.text_of(last).ends_with(char::is_whitespace)
        || !begins(tree.text_of(node))
    {
        return false;
    }
    let top = |node: NodeId| {
        let mut around = tree.ancestors(node).take(8);
        around.find(|&around| tree.parent(around) == Some(block))
    };
    let boxed = |top: &NodeId| matches!(tree.tag(*top), Some(Tag::Span | Tag::Time | Tag::A));
    match (top(last).filter(boxed), top(node).filter(boxed)) {
        (Some(before), Some(after)) => before != after,
        _ => false,
    }
}

/// What links say to those who hear the page, in brackets or after a comma, and buttons at a sentence's end.
fn is_no_word_of_the_text(text: &str) -> bool {
    const BYTES: std::ops::RangeInclusive<usize> = 12..=60;
    const NOTES: &[&str] = &[
        "click to tweet",
        "opens new tab",
        "opens in new tab",
        "opens in a new tab",
        "opens new window",
        "opens in new window",
        "opens in a new window",
        "opens in a new tab or window",
        "öffnet im neuen fenster",
        "öffnet in neuem fenster",
        "öffnet in einem neuen fenster",
        "öffnet im neuen tab",
        "öffnet in neuem tab",
        "öffnet in einem neuen tab",
        "wird in einem neuen tab geöffnet",
        "s ouvre dans une nouvelle fenêtre",
        "ouvre une nouvelle fenêtre",
        "nouvelle fenêtre",
        "ouvre un nouvel onglet",
        "se abre en una ventana nueva",
        "se abre en una nueva ventana",
        "abre en nueva ventana",
        "se abre en una pestaña nueva",
        "abre em nova janela",
        "abre em uma nova janela",
        "abre numa nova janela",
        "si apre in una nuova finestra",
        "opent in nieuw venster",
        "opent in een nieuw venster",
        "opent in een nieuw tabblad",
        "öppnas i nytt fönster",
        "öppnas i ny flik",
        "åpnes i nytt vindu",
        "åbner i nyt vindue",
        "otwiera się w nowym oknie",
        "otwiera się w nowej karcie",
        "откроется в новом окне",
    ];
    let text = text.trim();
    BYTES.contains(&text.len()) && {
        let text = fold(text);
        NOTES.contains(&text.as_str())
    }
}

fn node_at(outline: &Outline, index: u32) -> NodeId {
    outline
        .tree
        .node_at(index as usize)
        .expect("runs hold nodes of the tree")
}

/// Text of an unseen element that stands inside a run (a hidden `option` list in a paragraph).
fn is_skipped(outline: &Outline, node: NodeId) -> bool {
    let at = outline.unseen.partition_point(|unseen| *unseen <= node);
    at > 0 && outline.tree.contains(outline.unseen[at - 1], node)
}
