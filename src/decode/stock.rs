//! HTML to [`Tree`] by scraper's own parser: the measure of our way ([`super::tokenizer`]) in tests, and the way of pages so odd that
//! the standard's tokenizer is to be asked about each state.

use scraper::node::Element;
use scraper::{Html, Node};

use super::html::names_json_ld;
use crate::tree::{Attr, Tag, Tree, TreeBuilder};

/// The tree of a page.
pub(super) fn tree(page: &str) -> Tree {
    let html = Html::parse_document(page);
    let mut walk = Walk {
        builder: TreeBuilder::with_capacity(page.len()),
        is_in_svg: false,
    };
    // By hand and not by recursion: the parser's tree may be deeper than a thread's stack.
    let mut entered = Vec::with_capacity(64);
    let mut node = html.tree.root();
    loop {
        let entry = walk.enter(node.value(), || {
            let children = node.children().filter_map(|child| child.value().as_text());
            children.map(|text| &**text).collect()
        });
        entered.push(entry);
        let child = node.first_child();
        if let Some(child) = child.filter(|_| entry != Entry::Skip) {
            node = child;
            continue;
        }
        loop {
            walk.leave(entered.pop().expect("every node on the way was entered"));
            if let Some(sibling) = node.next_sibling() {
                node = sibling;
                break;
            }
            match node.parent() {
                Some(parent) => node = parent,
                None => return walk.builder.finish(),
            }
        }
    }
}

struct Walk {
    builder: TreeBuilder,
    is_in_svg: bool,
}

/// How the walk goes on at a node.
#[derive(Clone, Copy, PartialEq)]
enum Entry {
    /// Not into it.
    Skip,
    /// Into it, but it is no node of our tree.
    Pass,
    /// Into it; it is a node of our tree.
    Open(Tag),
}

impl Walk {
    /// `own_text` gives the text directly in the node.
    fn enter(&mut self, node: &Node, own_text: impl Fn() -> String) -> Entry {
        match node {
            Node::Element(element) => self.enter_element(element, own_text),
            Node::Text(text) => {
                self.builder.text(text);
                Entry::Skip
            }
            Node::Document | Node::Fragment => Entry::Pass,
            Node::Doctype(_) | Node::Comment(_) | Node::ProcessingInstruction(_) => Entry::Skip,
        }
    }

    fn enter_element(&mut self, element: &Element, own_text: impl Fn() -> String) -> Entry {
        let tag = Tag::from_name(element.name()).unwrap_or(Tag::Other);
        match tag {
            Tag::Script => {
                let kind = element
                    .attrs
                    .iter()
                    .find(|(name, _)| &*name.local == "type");
                if kind.is_some_and(|(_, kind)| names_json_ld(kind.as_bytes())) {
                    self.builder.json_ld(&own_text());
                }
                return Entry::Skip;
            }
            Tag::Style | Tag::Noscript | Tag::Noembed | Tag::Noframes => return Entry::Skip,
            Tag::Template if element.attr("shadowrootmode").is_none() => return Entry::Skip,
            // Of a drawing, only the words matter.
            _ if self.is_in_svg => return Entry::Pass,
            _ => {}
        }
        self.builder.open(tag);
        if tag == Tag::Other {
            self.builder.attribute(Attr::LocalName, element.name());
        }
        for (name, value) in &element.attrs {
            // One with a prefix, as `xlink:href`, is another.
            let attr = Attr::from_name(&name.local).filter(|_| name.prefix.is_none());
            if let Some(attr) = attr {
                self.builder.attribute(attr, value);
            }
        }
        if tag == Tag::Title {
            self.builder.title(&own_text());
            self.builder.close();
            return Entry::Skip;
        }
        self.is_in_svg = tag == Tag::Svg;
        Entry::Open(tag)
    }

    fn leave(&mut self, entry: Entry) {
        if let Entry::Open(tag) = entry {
            self.builder.close();
            if tag == Tag::Svg {
                self.is_in_svg = false;
            }
        }
    }
}
