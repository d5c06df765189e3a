//! [`Html`] to [`Tree`]: the way of pages that [`super::direct`] leaves, and the measure of all ways in tests.

use scraper::node::Element;
use scraper::{Html, Node};

use super::html::names_json_ld;
use crate::tree::{Attr, Tag, Tree, TreeBuilder};

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

/// The tree of a page that was parsed.
pub(super) fn tree(html: &Html, bytes: usize) -> Tree {
    let mut sketch = Sketch {
        builder: TreeBuilder::with_capacity(bytes),
        is_in_svg: false,
    };
    // By hand and not by recursion: the parser's tree may be deeper than a thread's stack.
    let mut entered = Vec::with_capacity(64);
    let mut node = html.tree.root();
    loop {
        let own_text = || {
            let texts = node.children().filter_map(|child| child.value().as_text());
            texts.map(|text| &**text).collect()
        };
        let entry = sketch.enter(node.value(), own_text);
        entered.push(entry);
        if entry != Entry::Skip
            && let Some(child) = node.first_child()
        {
            node = child;
            continue;
        }
        loop {
            sketch.leave(entered.pop().expect("every node on the way was entered"));
            if let Some(sibling) = node.next_sibling() {
                node = sibling;
                break;
            }
            match node.parent() {
                Some(parent) => node = parent,
                None => return sketch.builder.finish(),
            }
        }
    }
}

/// The tree so far.
struct Sketch {
    builder: TreeBuilder,
    is_in_svg: bool,
}

impl Sketch {
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
                let mut attributes = element.attrs.iter();
                let kind = attributes.find(|(name, _)| &*name.local == "type");
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
        self.open(tag, element);
        if tag == Tag::Title {
            self.builder.title(&own_text());
            self.builder.close();
            return Entry::Skip;
        }
        self.is_in_svg = tag == Tag::Svg;
        Entry::Open(tag)
    }

    fn open(&mut self, tag: Tag, element: &Element) {
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
