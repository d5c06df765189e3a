//! `Arena`: the tree of a page while the parser grows it, in one array, with no more in it than a [`Tree`] holds.
//!
//! The parser moves nodes to and fro (what stands wrongly in a table goes before it, a block that ends inside a formatting
//! element takes it along), so the order of the document is known only at its end: then one pass makes the [`Tree`].

use std::borrow::Cow;
use std::cell::{Ref, RefCell};
use std::rc::Rc;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, QualName, ns};

use super::walk::{Entry, Sketch, Ways, walk};
use crate::tree::{Attr, AttributeSet, Attributes, Tag, Tree, TreeBuilder};

/// Where a node stands in the array.
type Place = u32;

const NOWHERE: Place = u32::MAX;

/// A page that grows.
pub(super) struct Arena {
    nodes: RefCell<Vec<Node>>,
    shelf: Rc<Shelf>,
}

struct Node {
    parent: Place,
    before: Place,
    after: Place,
    first: Place,
    last: Place,
    content: Content,
}

enum Content {
    /// The page, or what stands in a template: no node of a tree, but what is in it may be.
    Frame,
    Element {
        name: QualName,
        tag: Tag,
        attributes: AttributeSet,
        /// It has text, or elements with text, that may be the page's.
        has_text: bool,
    },
    Text(StrTendril),
    /// A comment or its like, which parts texts.
    Gap,
}

/// The attributes that do not pass through the parser: it needs few, and has each in two allocations of its own.
#[derive(Default)]
pub(super) struct Shelf(RefCell<Laid>);

#[derive(Default)]
struct Laid {
    attributes: Attributes,
    sets: Vec<AttributeSet>,
}

impl Shelf {
    pub(super) fn for_page(bytes: usize) -> Shelf {
        Shelf(RefCell::new(Laid {
            attributes: Attributes::for_page(bytes),
            sets: Vec::with_capacity(bytes / 128),
        }))
    }

    /// Keeps the attributes of an element; of one that stands twice, the first. What passes the parser in their place.
    pub(super) fn lay<'v>(
        &self,
        attributes: impl Iterator<Item = (Attr, Cow<'v, str>)>,
    ) -> Vec<Attribute> {
        let mut laid = self.0.borrow_mut();
        let laid = &mut *laid;
        let mut set = AttributeSet::default();
        for (name, value) in attributes {
            laid.attributes.add(&mut set, name, &value);
        }
        if set.is_empty() {
            return Vec::new();
        }
        laid.sets.push(set);
        vec![Attribute {
            name: QualName::new(None, ns!(), LocalName::default()),
            value: StrTendril::from_char(ticket(laid.sets.len() - 1)),
        }]
    }

    /// The attributes of an element as they come out of the parser.
    fn take(&self, name: &QualName, tag: Option<Tag>, attributes: &[Attribute]) -> AttributeSet {
        let mut laid = self.0.borrow_mut();
        let laid = &mut *laid;
        let set = match attributes {
            [ticket] if ticket.name.local.is_empty() => {
                let ticket = ticket.value.chars().next().map_or(0, place_of);
                laid.sets[ticket]
            }
            attributes => {
                let mut set = AttributeSet::default();
                if tag.is_none() {
                    laid.attributes.add(&mut set, Attr::LocalName, &name.local);
                }
                for attribute in attributes {
                    // One with a prefix, as `xlink:href`, is another.
                    let plain = attribute.name.prefix.is_none();
                    if let Some(name) = Attr::from_name(&attribute.name.local).filter(|_| plain) {
                        laid.attributes.add(&mut set, name, &attribute.value);
                    }
                }
                set
            }
        };
        // In `svg` and `math`, `xml:lang` is a `lang` with a prefix. An `image` was renamed to `img` on the way.
        let foreign = name.ns != ns!(html);
        laid.attributes.without(set, |attr| {
            attr == Attr::XmlLang && foreign || attr == Attr::LocalName && tag.is_some()
        })
    }

    /// Adds attributes to those that an element has; gives all of them.
    fn join(&self, first: AttributeSet, second: AttributeSet) -> AttributeSet {
        self.0.borrow_mut().attributes.join(first, second)
    }
}

/// A number as a character: short enough to be kept without an allocation. There are fewer tags than characters.
fn ticket(place: usize) -> char {
    let code = place as u32;
    let code = if code < 0xd800 { code } else { code + 0x800 };
    char::from_u32(code).expect("the stack gives pages of more tags up")
}

fn place_of(ticket: char) -> usize {
    let code = ticket as usize;
    if code < 0xd800 { code } else { code - 0x800 }
}

impl Arena {
    /// An empty one, for a page of so many bytes.
    pub(super) fn new(bytes: usize, shelf: Rc<Shelf>) -> Arena {
        let mut nodes = Vec::with_capacity(bytes / 48);
        nodes.push(Node::new(Content::Frame));
        Arena {
            nodes: RefCell::new(nodes),
            shelf,
        }
    }

    fn push(&self, content: Content) -> Place {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node::new(content));
        (nodes.len() - 1) as Place
    }

    /// The tree of the page of so many bytes.
    pub(super) fn into_tree(self, bytes: usize) -> Tree {
        let attributes = std::mem::take(&mut self.shelf.0.borrow_mut().attributes);
        let nodes = self.nodes.into_inner();
        let ways = Ways {
            first_child: |node: &Node| nodes.get(node.first as usize),
            next_sibling: |node: &Node| nodes.get(node.after as usize),
            parent: |node: &Node| nodes.get(node.parent as usize),
        };
        let builder = TreeBuilder::with_attributes(bytes, attributes);
        walk(&nodes[0], builder, &ways, |sketch, node| {
            enter(sketch, node, &nodes)
        })
    }
}

/// Tells the sketch what a node is.
fn enter(sketch: &mut Sketch, node: &Node, nodes: &[Node]) -> Entry {
    let (tag, attributes) = match &node.content {
        Content::Frame => return Entry::Pass,
        Content::Gap => return Entry::Skip,
        Content::Text(text) => {
            sketch.builder.text(text);
            return Entry::Skip;
        }
        Content::Element {
            has_text: false, ..
        } => return Entry::Skip,
        Content::Element {
            tag, attributes, ..
        } => (*tag, *attributes),
    };
    if tag == Tag::Script {
        let kind = sketch.builder.value(attributes, Attr::Type);
        if kind.is_some_and(|kind| super::html::names_json_ld(kind.as_bytes())) {
            sketch.builder.json_ld(&node.text(nodes));
        }
        return Entry::Skip;
    }
    let open = |builder: &mut TreeBuilder| {
        builder.open_with(tag, attributes);
    };
    sketch.element(tag, open, || node.text(nodes))
}

impl Node {
    /// The text directly in it.
    fn text(&self, nodes: &[Node]) -> String {
        let first = nodes.get(self.first as usize);
        let children = std::iter::successors(first, |node| nodes.get(node.after as usize));
        let texts = children.filter_map(|child| match &child.content {
            Content::Text(text) => Some(&**text),
            _ => None,
        });
        texts.collect()
    }

    fn new(content: Content) -> Node {
        Node {
            parent: NOWHERE,
            before: NOWHERE,
            after: NOWHERE,
            first: NOWHERE,
            last: NOWHERE,
            content,
        }
    }
}

/// Takes a node out from where it stands.
fn detach(nodes: &mut [Node], at: Place) {
    let Node {
        parent,
        before,
        after,
        ..
    } = nodes[at as usize];
    if parent == NOWHERE {
        return;
    }
    match before {
        NOWHERE => nodes[parent as usize].first = after,
        before => nodes[before as usize].after = after,
    }
    match after {
        NOWHERE => nodes[parent as usize].last = before,
        after => nodes[after as usize].before = before,
    }
    let node = &mut nodes[at as usize];
    (node.parent, node.before, node.after) = (NOWHERE, NOWHERE, NOWHERE);
}

/// Puts a node that stands nowhere into `parent`, before `after`; as the last if that is nowhere.
fn attach(nodes: &mut [Node], at: Place, parent: Place, after: Place) {
    let before = match after {
        NOWHERE => std::mem::replace(&mut nodes[parent as usize].last, at),
        after => std::mem::replace(&mut nodes[after as usize].before, at),
    };
    match before {
        NOWHERE => nodes[parent as usize].first = at,
        before => nodes[before as usize].after = at,
    }
    let node = &mut nodes[at as usize];
    (node.parent, node.before, node.after) = (parent, before, after);
}

/// Puts a node or a text into `parent`, before `after`. Texts side by side are one.
fn insert(nodes: &mut Vec<Node>, child: NodeOrText<Place>, parent: Place, after: Place) {
    let at = match child {
        NodeOrText::AppendNode(at) => at,
        NodeOrText::AppendText(text) => {
            let before = match after {
                NOWHERE => nodes[parent as usize].last,
                after => nodes[after as usize].before,
            };
            if let Some(Content::Text(before)) =
                nodes.get_mut(before as usize).map(|node| &mut node.content)
            {
                return before.push_tendril(&text);
            }
            nodes.push(Node::new(Content::Text(text)));
            (nodes.len() - 1) as Place
        }
    };
    attach(nodes, at, parent, after);
}

impl TreeSink for Arena {
    type Output = Arena;
    type Handle = Place;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Arena {
        self
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn get_document(&self) -> Place {
        0
    }

    fn same_node(&self, one: &Place, other: &Place) -> bool {
        one == other
    }

    fn elem_name<'a>(&'a self, element: &Place) -> Ref<'a, QualName> {
        Ref::map(self.nodes.borrow(), |nodes| {
            match &nodes[*element as usize].content {
                Content::Element { name, .. } => name,
                _ => unreachable!("the parser asks for names of elements only"),
            }
        })
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        flags: ElementFlags,
    ) -> Place {
        let tag = Tag::from_name(&name.local);
        let is_shown = || {
            let mut names = attributes.iter().map(|attribute| &*attribute.name.local);
            names.any(|name| name == "shadowrootmode")
        };
        let has_text = match tag {
            Some(Tag::Style | Tag::Noscript | Tag::Noembed | Tag::Noframes) => false,
            Some(Tag::Template) => is_shown(),
            _ => true,
        };
        let element = self.push(Content::Element {
            attributes: self.shelf.take(&name, tag, &attributes),
            tag: tag.unwrap_or(Tag::Other),
            has_text,
            name,
        });
        if flags.template {
            let frame = self.push(Content::Frame);
            attach(&mut self.nodes.borrow_mut(), frame, element, NOWHERE);
        }
        element
    }

    fn create_comment(&self, _: StrTendril) -> Place {
        self.push(Content::Gap)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Place {
        self.push(Content::Gap)
    }

    fn append(&self, parent: &Place, child: NodeOrText<Place>) {
        let nodes = &mut self.nodes.borrow_mut();
        if let NodeOrText::AppendNode(child) = child {
            detach(nodes, child);
        }
        insert(nodes, child, *parent, NOWHERE);
    }

    fn append_based_on_parent_node(
        &self,
        element: &Place,
        before: &Place,
        child: NodeOrText<Place>,
    ) {
        let parent = self.nodes.borrow()[*element as usize].parent;
        match parent {
            NOWHERE => self.append(before, child),
            _ => self.append_before_sibling(element, child),
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {
        let gap = self.push(Content::Gap);
        attach(&mut self.nodes.borrow_mut(), gap, 0, NOWHERE);
    }

    fn get_template_contents(&self, template: &Place) -> Place {
        self.nodes.borrow()[*template as usize].first
    }

    fn append_before_sibling(&self, sibling: &Place, child: NodeOrText<Place>) {
        let nodes = &mut self.nodes.borrow_mut();
        if let NodeOrText::AppendNode(child) = child {
            detach(nodes, child);
        }
        let parent = nodes[*sibling as usize].parent;
        if parent != NOWHERE {
            insert(nodes, child, parent, *sibling);
        }
    }

    fn add_attrs_if_missing(&self, element: &Place, more: Vec<Attribute>) {
        let nodes = &mut self.nodes.borrow_mut();
        if let Content::Element {
            name,
            tag,
            attributes,
            ..
        } = &mut nodes[*element as usize].content
        {
            let more = self.shelf.take(name, Some(*tag), &more);
            *attributes = self.shelf.join(*attributes, more);
        }
    }

    fn remove_from_parent(&self, node: &Place) {
        detach(&mut self.nodes.borrow_mut(), *node);
    }

    fn reparent_children(&self, from: &Place, to: &Place) {
        let nodes = &mut self.nodes.borrow_mut();
        loop {
            match nodes[*from as usize].first {
                NOWHERE => return,
                child => {
                    detach(nodes, child);
                    attach(nodes, child, *to, NOWHERE);
                }
            }
        }
    }
}
