//! Where the article stands: the smallest elements that hold it, found by where the prose is and by what the page says.

use super::context::{Contexts, FURNITURE, is_body};
use super::families::Families;
use super::outline::{Outline, Run};
use crate::tree::{Attr, NodeId, Tag};

/// The runs of the article, with the furniture that stands among them.
#[derive(Debug)]
pub(super) struct Region {
    /// For each run, whether it stands in the region.
    pub(super) inside: Vec<bool>,
}

/// A child with at least this share of its parent's prose holds the article.
const DESCENT_PERCENT: u64 = 55;

/// Finds the article. The outline's prose has been weighed without furniture; `heading` is the run of the headline.
pub(super) fn find(
    outline: &Outline,
    contexts: &Contexts,
    heading: Option<usize>,
    declared: &[bool],
) -> Option<Region> {
    let tree = outline.tree;
    let root = descend(outline)?;
    let mut region = Region {
        inside: vec![false; outline.runs.len()],
    };
    include(outline, &mut region.inside, root);
    let heading_node = heading.map(|heading| outline.runs[heading].nodes.start);
    let boundary = boundary(outline, root);
    let mut around = Around {
        crossed: boundary.is_none_or(|boundary| boundary == root),
        heading: heading_node,
        declared,
    };
    let mut current = root;
    while let Some(parent) = tree.parent(current) {
        if matches!(tree.tag(parent), Some(Tag::Html)) {
            break;
        }
        for sibling in tree.children(parent) {
            if sibling != current && around.belongs(outline, contexts, sibling, current) {
                include(outline, &mut region.inside, sibling);
            }
        }
        current = parent;
        around.crossed |= Some(parent) == boundary;
    }
    Some(region)
}

/// The outermost element around the root that is announced as the article and holds little prose besides.
fn boundary(outline: &Outline, root: NodeId) -> Option<NodeId> {
    let tree = outline.tree;
    let most = u64::from(outline.prose(root)) * 3 / 2 + 400;
    let around = || {
        let around = std::iter::once(root).chain(tree.ancestors(root));
        around.take_while(|&node| u64::from(outline.prose(node)) <= most)
    };
    let named = around().filter(|&node| is_body(tree, node)).last();
    named.or_else(|| around().find(|&node| tree.tag(node) == Some(Tag::Main)))
}

/// Most of the region's prose stands below that heading.
pub(super) fn is_above(outline: &Outline, region: &Region, heading: usize) -> bool {
    const ABOVE_PERCENT_MAX: u64 = 20;
    let inside = || {
        outline
            .runs
            .iter()
            .zip(&region.inside)
            .map(|(run, &inside)| if inside { u64::from(run.prose()) } else { 0 })
    };
    let all: u64 = inside().sum();
    let above: u64 = inside().take(heading).sum();
    above * 100 <= all * ABOVE_PERCENT_MAX
}

/// Follows the prose from the root down to where it parts.
fn descend(outline: &Outline) -> Option<NodeId> {
    let tree = outline.tree;
    let mut node = tree.root()?;
    if outline.prose(node) == 0 {
        return None;
    }
    loop {
        let elements = tree.children(node).filter(|&child| !tree.is_text(child));
        let best = elements.max_by_key(|&child| (outline.prose(child), std::cmp::Reverse(child)));
        match best {
            Some(child)
                if u64::from(outline.prose(child)) * 100
                    >= u64::from(outline.prose(node)) * DESCENT_PERCENT =>
            {
                node = child
            }
            _ => break,
        }
    }
    while !is_container(tree.tag(node)) {
        node = tree.parent(node)?;
    }
    Some(node)
}

fn is_container(tag: Option<Tag>) -> bool {
    matches!(
        tag,
        Some(
            Tag::Div
                | Tag::Section
                | Tag::Article
                | Tag::Main
                | Tag::Body
                | Tag::Td
                | Tag::Center
                | Tag::Form
                | Tag::Html
                | Tag::Other
                | Tag::Header
                | Tag::Aside
                | Tag::Footer
                | Tag::Details
                | Tag::Fieldset
        )
    )
}

fn include(outline: &Outline, inside: &mut [bool], node: NodeId) {
    for run in outline.runs_in(node) {
        inside[run] = true;
    }
}

struct Around<'a> {
    /// An element that is announced as the article lies within.
    crossed: bool,
    heading: Option<u32>,
    declared: &'a [bool],
}

impl Around<'_> {
    /// A neighbour of what holds the article belongs to it as well: a standfirst before, a further part after.
    fn belongs(
        &self,
        outline: &Outline,
        contexts: &Contexts,
        sibling: NodeId,
        current: NodeId,
    ) -> bool {
        let tree = outline.tree;
        let (links, bytes) = outline.bytes(sibling);
        if bytes == 0 || contexts.of(sibling).any(FURNITURE) {
            return false;
        }
        if outline.runs_in(sibling).any(|run| self.declared[run]) {
            return true;
        }
        let prose = outline.prose(sibling);
        let before = sibling < current;
        let below_heading = self.heading.is_none_or(|heading| {
            heading <= sibling.index() as u32 || tree.subtree_end(sibling) as u32 > heading
        });
        if before {
            let lead = contexts.of(sibling).any(Families::LEAD)
                || outline
                    .runs_in(sibling)
                    .any(|run| is_lead(contexts, &outline.runs[run]));
            return below_heading
                && links * 3 < bytes
                && (lead
                    || !self.crossed && (prose > 0 || is_flow(tree.tag(sibling)) && bytes >= 40));
        }
        if prose == 0 && !is_flow(tree.tag(sibling)) {
            return false;
        }
        let alike = tree.tag(sibling) == tree.tag(current)
            && tree.attr(sibling, Attr::Class) == tree.attr(current, Attr::Class);
        let alike = alike && prose > 0 && tree.tag(sibling) != Some(Tag::Article);
        if self.crossed {
            return alike && tree.attr(sibling, Attr::Class).is_some() && links * 4 < bytes;
        }
        if alike || is_flow(tree.tag(sibling)) {
            return links * 2 < bytes;
        }
        prose >= 400 && links * 5 < bytes
    }
}

fn is_lead(contexts: &Contexts, run: &Run) -> bool {
    contexts.at(run.nodes.start).any(Families::LEAD) && run.bytes >= 40
}

/// What an article's body is made of when nothing holds it together.
fn is_flow(tag: Option<Tag>) -> bool {
    matches!(
        tag,
        Some(
            Tag::P
                | Tag::Ul
                | Tag::Ol
                | Tag::Blockquote
                | Tag::Pre
                | Tag::Table
                | Tag::H2
                | Tag::H3
                | Tag::H4
                | Tag::Figure
                | Tag::Dl
        )
    ) || tag.is_none()
}
