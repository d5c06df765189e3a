//! HTML to [`Tree`] by scraper's own parser: the measure of our way ([`super::tokenizer`]) in tests, and the way of pages so odd that
//! the standard's tokenizer is to be asked about each state.

use scraper::node::Element;
use scraper::{Html, Node};

use super::html::names_json_ld;
use super::walk::{Entry, Sketch, Ways, walk};
use crate::tree::{Attr, Tag, Tree, TreeBuilder};

/// The tree of a page.
pub(super) fn tree(page: &str) -> Tree {
    let html = Html::parse_document(page);
    let node = |id| html.tree.get(id).expect("the walk stays in the tree");
    let ways = Ways {
        first_child: |id| node(id).first_child().map(|node| node.id()),
        next_sibling: |id| node(id).next_sibling().map(|node| node.id()),
        parent: |id| node(id).parent().map(|node| node.id()),
    };
    let builder = TreeBuilder::with_capacity(page.len());
    walk(html.tree.root().id(), builder, &ways, |sketch, id| {
        let own_text = || {
            let children = node(id).children();
            let texts = children.filter_map(|child| child.value().as_text());
            texts.map(|text| &**text).collect()
        };
        match node(id).value() {
            Node::Element(element) => enter(sketch, element, own_text),
            Node::Text(text) => {
                sketch.builder.text(text);
                Entry::Skip
            }
            Node::Document | Node::Fragment => Entry::Pass,
            Node::Doctype(_) | Node::Comment(_) | Node::ProcessingInstruction(_) => Entry::Skip,
        }
    })
}

/// `own_text` gives the text directly in the element.
fn enter(sketch: &mut Sketch, element: &Element, own_text: impl Fn() -> String) -> Entry {
    let tag = Tag::from_name(element.name()).unwrap_or(Tag::Other);
    match tag {
        Tag::Script => {
            let mut attributes = element.attrs.iter();
            let kind = attributes.find(|(name, _)| &*name.local == "type");
            if kind.is_some_and(|(_, kind)| names_json_ld(kind.as_bytes())) {
                sketch.builder.json_ld(&own_text());
            }
            return Entry::Skip;
        }
        Tag::Style | Tag::Noscript | Tag::Noembed | Tag::Noframes => return Entry::Skip,
        Tag::Template if element.attr("shadowrootmode").is_none() => return Entry::Skip,
        _ => {}
    }
    let open = |builder: &mut TreeBuilder| {
        builder.open(tag);
        if tag == Tag::Other {
            builder.attribute(Attr::LocalName, element.name());
        }
        for (name, value) in &element.attrs {
            // One with a prefix, as `xlink:href`, is another.
            let attr = Attr::from_name(&name.local).filter(|_| name.prefix.is_none());
            if let Some(attr) = attr {
                builder.attribute(attr, value);
            }
        }
    };
    sketch.element(tag, open, own_text)
}
