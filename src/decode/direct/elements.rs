//! The elements that are open, and the tree that grows from them.

mod formatting;

use std::borrow::Cow;

use self::formatting::Formatting;
use super::{Name, Rare, Step};
use crate::decode::markup::AttributeToken;
use crate::decode::references;
use crate::decode::sets::{is_implied, is_scope, is_special};
use crate::decode::stack::Cost;
use crate::tree::{Attr, Tag, Tree, TreeBuilder};

pub(super) struct Elements<'a> {
    page: &'a str,
    builder: TreeBuilder,
    open: Vec<Open<'a>>,
    formatting: Vec<Formatting>,
    /// How many elements were opened.
    count: u32,
    /// How many `p` are open, and how many elements whose text is no text of the page.
    paragraphs: usize,
    hidden: usize,
    cost: Cost,
    depth_max: usize,
}

/// An open element.
struct Open<'a> {
    /// [`Tag::Other`] if it is not [`Kind::Html`].
    tag: Tag,
    kind: Kind,
    is_node: bool,
    is_hidden: bool,
    /// Tells it from all others.
    number: u32,
    /// As it is written.
    name: &'a [u8],
}

/// What an open element is to the rules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Html,
    /// In a drawing.
    Foreign,
    /// In a drawing, but what is in it is HTML.
    Integration,
    /// It has ended but holds elements that have not.
    Gone,
}

impl<'a> Elements<'a> {
    pub(super) fn new(page: &'a str, depth_max: usize) -> Elements<'a> {
        Elements {
            page,
            builder: TreeBuilder::with_capacity(page.len()),
            open: Vec::with_capacity(64),
            formatting: Vec::with_capacity(16),
            count: 0,
            paragraphs: 0,
            hidden: 0,
            cost: Cost::default(),
            depth_max,
        }
    }

    /// To be called for each tag: html5ever's reader may judge what the page costs.
    pub(super) fn count_tag(&mut self) -> Step {
        let depth = self.open.len() + self.formatting.len();
        self.cost.tag(depth);
        match depth > self.depth_max || self.cost.is_too_high() {
            true => Err(Rare),
            false => Ok(()),
        }
    }

    pub(super) fn finish(self) -> Tree {
        self.builder.finish()
    }
}

/// What grows the tree.
impl<'a> Elements<'a> {
    pub(super) fn text(&mut self, text: &str) {
        if self.hidden == 0 {
            self.builder.write(text);
        }
    }

    /// Something that is in no tree parts what is before it from what is behind it.
    pub(super) fn gap(&mut self) {
        self.builder.end_text();
    }

    pub(super) fn title(&mut self, title: &str) {
        if self.hidden == 0 {
            self.builder.title(title);
        }
    }

    pub(super) fn json_ld(&mut self, json: &str) {
        if self.hidden == 0 {
            self.builder.json_ld(json);
        }
    }

    pub(super) fn insert(&mut self, name: Name<'a>, attributes: &[AttributeToken]) {
        let is_node = self.hidden == 0;
        self.push(name, Kind::Html, is_node);
        if is_node {
            self.builder.open(name.tag);
            self.attributes(name, attributes);
        }
    }

    /// Inserts an element that ends at once.
    pub(super) fn insert_void(&mut self, name: Name<'a>, attributes: &[AttributeToken]) {
        if self.hidden == 0 {
            self.builder.open(name.tag);
            self.attributes(name, attributes);
            self.builder.close();
        }
    }

    /// Inserts an element for which no tag stands.
    pub(super) fn insert_bare(&mut self, tag: Tag) {
        self.insert(Name { tag, written: "" }, &[]);
    }

    /// Inserts a drawing; of what is in it, only the text is kept.
    pub(super) fn insert_drawing(&mut self, name: Name<'a>, attributes: &[AttributeToken]) {
        self.insert(name, attributes);
        if let Some(open) = self.open.last_mut() {
            (open.tag, open.kind) = (Tag::Other, Kind::Foreign);
        }
    }

    /// Opens an element that is not to be seen; if it `is_hidden`, its text is no text of the page either.
    pub(super) fn open(&mut self, name: Name<'a>, kind: Kind, is_hidden: bool) {
        self.gap();
        self.push(name, kind, false);
        if let Some(open) = self.open.last_mut() {
            open.is_hidden = is_hidden;
            self.hidden += usize::from(is_hidden);
        }
    }

    /// Attributes that the root, or its body, does not have yet.
    pub(super) fn add_attributes(&mut self, tag: Tag, attributes: &[AttributeToken]) {
        let depth = usize::from(tag == Tag::Body);
        if self.open.get(depth).is_some_and(|open| open.tag == tag) {
            for (attr, value) in known(self.page, attributes) {
                self.builder.attribute_at(depth, attr, &value);
            }
        }
    }

    fn attributes(&mut self, name: Name<'_>, attributes: &[AttributeToken]) {
        if name.tag == Tag::Other {
            let name = name.written.to_ascii_lowercase();
            self.builder.attribute(Attr::LocalName, &name);
        }
        for (attr, value) in known(self.page, attributes) {
            // In a drawing, `xml:lang` is another.
            if attr != Attr::XmlLang || name.tag != Tag::Svg {
                self.builder.attribute(attr, &value);
            }
        }
    }

    fn push(&mut self, name: Name<'a>, kind: Kind, is_node: bool) {
        let tag = match kind {
            Kind::Html => name.tag,
            _ => Tag::Other,
        };
        self.count += 1;
        self.paragraphs += usize::from(tag == Tag::P);
        self.open.push(Open {
            tag,
            kind,
            is_node,
            is_hidden: false,
            number: self.count,
            name: name.written.as_bytes(),
        });
    }
}

/// Those of the attributes that a tree may hold.
fn known<'a>(
    page: &'a str,
    attributes: &[AttributeToken],
) -> impl Iterator<Item = (Attr, Cow<'a, str>)> {
    attributes.iter().filter_map(|attribute| {
        let name = Attr::named(page[attribute.name.clone()].as_bytes())?;
        let value = references::resolved(&page[attribute.value.clone()], true);
        Some((name, value))
    })
}

/// What is open, and what ends.
impl<'a> Elements<'a> {
    /// What the innermost element is.
    pub(super) fn kind(&self) -> Kind {
        self.open.last().map_or(Kind::Html, |open| open.kind)
    }

    /// The tag of the innermost element.
    pub(super) fn tag(&self) -> Option<Tag> {
        self.open.last().map(|open| open.tag)
    }

    /// The number of the innermost element.
    pub(super) fn number(&self) -> Option<u32> {
        self.open.last().map(|open| open.number)
    }

    /// From the innermost element outwards.
    pub(super) fn tags(&self) -> impl Iterator<Item = Tag> + '_ {
        self.open.iter().rev().map(|open| open.tag)
    }

    /// Where the innermost element stands that is `wanted`, unless one that is a `boundary` comes before.
    fn find(
        &self,
        wanted: impl Fn(&Open<'_>) -> bool,
        boundary: impl Fn(&Open<'_>) -> bool,
    ) -> Option<usize> {
        for (place, open) in self.open.iter().enumerate().rev() {
            if wanted(open) {
                return Some(place);
            }
            if boundary(open) {
                return None;
            }
        }
        None
    }

    /// Where the innermost element of HTML stands that is `wanted`, unless one that is a `boundary` comes before.
    pub(super) fn find_tag(
        &self,
        wanted: impl Fn(Tag) -> bool,
        boundary: impl Fn(Tag) -> bool,
    ) -> Option<usize> {
        self.find(|open| wanted(open.tag), |open| boundary(open.tag))
    }

    /// Where such an element is in scope, in the standard's words.
    pub(super) fn in_scope(&self, wanted: impl Fn(Tag) -> bool) -> Option<usize> {
        self.find(|open| wanted(open.tag), ends_scope)
    }

    pub(super) fn in_list_scope(&self, tag: Tag) -> Option<usize> {
        let ends = |open: &Open<'_>| ends_scope(open) || matches!(open.tag, Tag::Ol | Tag::Ul);
        self.find(|open| open.tag == tag, ends)
    }

    pub(super) fn in_table_scope(&self, wanted: impl Fn(Tag) -> bool) -> Option<usize> {
        let ends = |tag| matches!(tag, Tag::Html | Tag::Table | Tag::Template);
        self.find_tag(wanted, ends)
    }

    pub(super) fn paragraph_in_button_scope(&self) -> Option<usize> {
        if self.paragraphs == 0 {
            return None;
        }
        let ends = |open: &Open<'_>| ends_scope(open) || open.tag == Tag::Button;
        self.find(|open| open.tag == Tag::P, ends)
    }

    /// The innermost element ends.
    pub(super) fn pop(&mut self) {
        self.truncate(self.open.len().saturating_sub(1));
    }

    pub(super) fn truncate(&mut self, len: usize) {
        while self.open.len() > len || self.kind() == Kind::Gone {
            let Some(open) = self.open.pop() else { return };
            self.paragraphs -= usize::from(open.tag == Tag::P);
            self.hidden -= usize::from(open.is_hidden);
            if open.is_node {
                self.builder.close();
            }
        }
    }

    pub(super) fn truncate_at(&mut self, place: Option<usize>) {
        if let Some(place) = place {
            self.truncate(place);
        }
    }

    /// Ends elements that end by themselves, but for one.
    pub(super) fn end_implied(&mut self, but: Option<Tag>) {
        while let Some(tag) = self.tag().filter(|&tag| is_implied(tag)) {
            if Some(tag) == but {
                return;
            }
            self.pop();
        }
    }

    pub(super) fn end_paragraph(&mut self) {
        let paragraph = self.paragraph_in_button_scope();
        self.truncate_at(paragraph);
    }

    /// Ends elements until one of `tags` is the innermost.
    pub(super) fn end_until(&mut self, tags: &[Tag]) {
        while self.tag().is_some_and(|tag| !tags.contains(&tag)) {
            self.pop();
        }
    }

    /// Ends the innermost element of the name, unless one that is special stands in it.
    pub(super) fn end_named(&mut self, name: Name<'_>) {
        let is_it = |open: &Open<'_>| {
            let is_known = name.tag != Tag::Other;
            let tag = open.kind == Kind::Html && open.tag == name.tag;
            tag && (is_known || open.name.eq_ignore_ascii_case(name.written.as_bytes()))
        };
        let open = self.find(is_it, |open| is_special(open.tag));
        self.truncate_at(open);
    }

    /// An end tag in a drawing. It may be one of HTML that ends the drawing too: then it has not been seen to.
    pub(super) fn end_in_drawing(&mut self, name: Name<'_>) -> bool {
        for (place, open) in self.open.iter().enumerate().rev() {
            match open.kind {
                Kind::Html => return place == 0,
                Kind::Gone => {}
                _ if open.name.eq_ignore_ascii_case(name.written.as_bytes()) => {
                    self.truncate(place);
                    return true;
                }
                _ => {}
            }
        }
        true
    }

    /// The element of the number ends, but not what is in it.
    pub(super) fn end_alone(&mut self, number: u32) {
        let open = self.open.iter_mut().find(|open| open.number == number);
        if let Some(open) = open {
            self.paragraphs -= usize::from(open.tag == Tag::P);
            (open.tag, open.kind) = (Tag::Other, Kind::Gone);
            self.truncate(self.open.len());
        }
    }

    pub(super) fn is_in_scope(&self, number: u32) -> bool {
        self.find(|open| open.number == number, ends_scope)
            .is_some_and(|place| self.open[place].kind != Kind::Gone)
    }
}

fn ends_scope(open: &Open<'_>) -> bool {
    open.kind == Kind::Integration || is_scope(open.tag)
}
