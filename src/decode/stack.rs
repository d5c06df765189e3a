//! The parser's stack of open elements and its list of active formatting elements, in outline: enough to tell, before it
//! is parsed, what a page would cost.
//!
//! The parser's costs that grow with the square: it walks the stack at most tags; it opens formatting elements that were
//! never closed (`<b>`, `<font>`) anew in each following block; it compares each attribute of a tag with all before it. By
//! the rules of the standard, what is closed there is closed here or later, never earlier: an ordinary page with its `<p>`
//! and `<li>` unclosed stays flat, and a deep one is not missed.

use std::ops::Range;

use super::markup::{self, TagToken};
use super::sets::{is_formatting, is_heading, is_scope, is_special, opens_block};
use crate::tree::Tag;

/// A page of more tags takes several hundred megabytes until it is cleaned; long pages of news have a few thousand.
const TAGS_MAX: usize = 200_000;
/// A page may take this many steps along the stack for each of its tags, on top of [`STEPS_FREE`]; news pages take 8 to 30.
const STEPS_PER_TAG: usize = 64;
const STEPS_FREE: usize = 8_000_000;
/// A page may have so many formatting elements opened anew for each of its tags, on top of [`REOPENED_FREE`].
const REOPENED_PER_TAG: usize = 8;
const REOPENED_FREE: usize = 200_000;
/// Attributes of repeated `html` and `body` tags all go into one list.
const ROOT_TAGS_MAX: usize = 1_000;

/// What a page has cost so far.
#[derive(Default)]
pub(super) struct Cost {
    tags: usize,
    steps: usize,
    reopened: usize,
}

impl Cost {
    /// A tag, for which the parser walks so many steps.
    pub(super) fn tag(&mut self, steps: usize) {
        self.tags += 1;
        self.steps += steps;
    }

    /// Formatting elements are opened anew.
    pub(super) fn reopen(&mut self, count: usize) {
        self.reopened += count;
    }

    pub(super) fn is_too_high(&self) -> bool {
        self.steps > STEPS_FREE + STEPS_PER_TAG * self.tags
            || self.reopened > REOPENED_FREE + REOPENED_PER_TAG * self.tags
            || self.tags > TAGS_MAX
    }
}

/// What is open at one place of the page, and what the way there costs.
pub(super) struct Stack<'a> {
    bytes: &'a [u8],
    open: Vec<Open>,
    /// `None` is a marker: what stands before it is out of reach until the cell or object around ends.
    formatting: Vec<Option<Formatting>>,
    /// How many of the open elements are formatting elements.
    formatting_open: usize,
    /// How many `svg` and `math` are open.
    foreign: usize,
    root_tags: usize,
    cost: Cost,
}

#[derive(Clone)]
struct Open {
    tag: Option<Tag>,
    /// Where the name stands, for elements without [`Tag`].
    name: Range<usize>,
}

struct Formatting {
    tag: Tag,
    attributes: Range<usize>,
}

impl<'a> Stack<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Stack<'a> {
        Stack {
            bytes,
            open: Vec::with_capacity(64),
            formatting: Vec::new(),
            formatting_open: 0,
            foreign: 0,
            root_tags: 0,
            cost: Cost::default(),
        }
    }

    /// No tree should be built of a page that leads here.
    pub(super) fn is_too_costly(&self, depth_max: usize) -> bool {
        self.open.len() + self.formatting.len() > depth_max
            || self.root_tags > ROOT_TAGS_MAX
            || self.cost.is_too_high()
    }

    /// A start tag with so many attributes; gives its element.
    pub(super) fn start(&mut self, token: &TagToken, attributes: usize) -> Option<Tag> {
        let tag = Tag::named(&self.bytes[token.name.clone()]);
        let missing = self.formatting.len().saturating_sub(self.formatting_open);
        // Each attribute is compared with all before it.
        let steps = self.open.len() + self.formatting.len() + attributes * attributes / 16;
        self.cost.tag(steps);
        self.cost.reopen(missing);
        if self.foreign > 0 {
            if token.is_self_closing || tag.is_some_and(markup::is_void) {
                return tag;
            }
        } else {
            match tag {
                Some(Tag::Html | Tag::Head | Tag::Body) => {
                    self.root_tags += 1;
                    return tag;
                }
                Some(void) if markup::is_void(void) => return tag,
                Some(Tag::Svg | Tag::Math) if token.is_self_closing => return tag,
                Some(tag) => self.close_implied(tag),
                None => {}
            }
        }
        if let Some(tag) = tag {
            match tag {
                Tag::Svg | Tag::Math => self.foreign += 1,
                _ if bears_marker(tag) => self.formatting.push(None),
                _ if is_formatting(tag) => self.push_formatting(tag, token),
                _ => {}
            }
        }
        self.open.push(Open {
            tag,
            name: token.name.clone(),
        });
        tag
    }

    /// An end tag; gives what it names.
    pub(super) fn end(&mut self, token: &TagToken) -> Option<Tag> {
        let name = &self.bytes[token.name.clone()];
        let tag = Tag::named(name);
        self.cost.tag(self.open.len());
        match tag {
            Some(tag) if is_formatting(tag) => self.end_formatting(tag),
            Some(tag) if is_heading(tag) => self.truncate_at(is_heading, ends_scope),
            Some(Tag::Form) => {
                if let Some(at) = self.find(|o| o == Tag::Form, ends_scope) {
                    self.open.remove(at);
                }
            }
            Some(tag) if is_table_part(tag) => {
                self.truncate_at(|o| o == tag, |o| o == Tag::Table || o == Tag::Template);
            }
            Some(tag) if ends_search(tag) || opens_block(tag) => {
                self.truncate_at(|o| o == tag, ends_scope);
            }
            Some(tag) => self.truncate_at(|o| o == tag, ends_search),
            None => {
                let open = self.open.iter().rposition(|o| match o.tag {
                    Some(tag) => ends_search(tag),
                    None => self.bytes[o.name.clone()].eq_ignore_ascii_case(name),
                });
                if let Some(at) = open.filter(|&at| self.open[at].tag.is_none()) {
                    self.truncate(at);
                }
            }
        }
        tag
    }

    /// Closes what a start tag closes by itself.
    fn close_implied(&mut self, tag: Tag) {
        use Tag::*;
        match tag {
            Li => self.truncate_at(|o| o == Li, is_list_boundary),
            Dd | Dt => self.truncate_at(|o| matches!(o, Dd | Dt), is_list_boundary),
            Td | Th => self.truncate_to_table(&[Tbody, Thead, Tfoot, Tr]),
            Tr => self.truncate_to_table(&[Tbody, Thead, Tfoot]),
            Tbody | Thead | Tfoot | Caption | Colgroup => self.truncate_to_table(&[]),
            Table => {
                // A table directly inside a table ends it.
                let around = |o| matches!(o, Table | Td | Th | Caption | Template);
                let around = self.find(around, |_| false);
                if let Some(at) = around.filter(|&at| self.open[at].tag == Some(Table)) {
                    self.truncate(at);
                }
            }
            Option | Optgroup | Rb | Rt | Rp | Rtc => {
                let same = |o: Tag| match tag {
                    Option => o == Option,
                    Optgroup => matches!(o, Option | Optgroup),
                    _ => matches!(o, Rb | Rt | Rp | Rtc),
                };
                while self.open.last().and_then(|o| o.tag).is_some_and(same) {
                    self.truncate(self.open.len() - 1);
                }
            }
            // The one that is open ends, but what was opened in it stays open.
            A | Nobr if self.remembers(tag) => self.end_formatting(tag),
            Select | Button => self.truncate_at(|o| o == tag, ends_scope),
            _ => {}
        }
        if ends_paragraph(tag) {
            self.truncate_at(|o| o == P, |o| ends_scope(o) || o == Button);
        }
        if is_heading(tag) && self.open.last().and_then(|o| o.tag).is_some_and(is_heading) {
            self.truncate(self.open.len() - 1);
        }
    }

    /// Keeps the innermost table and those of `parts` that stand directly in it, if nothing ends the search before.
    fn truncate_to_table(&mut self, parts: &[Tag]) {
        let table = self.find(|o| o == Tag::Table, |o| o == Tag::Template);
        if let Some(table) = table {
            let inside = self.open[table + 1..].iter();
            let parts = inside.take_while(|o| o.tag.is_some_and(|tag| parts.contains(&tag)));
            self.truncate(table + 1 + parts.count());
        }
    }

    /// Such a formatting element was opened since the last marker and has not ended.
    fn remembers(&self, tag: Tag) -> bool {
        let reachable = self.formatting.iter().rev().map_while(Option::as_ref);
        reachable.map(|f| f.tag).any(|other| other == tag)
    }

    fn push_formatting(&mut self, tag: Tag, token: &TagToken) {
        self.formatting_open += 1;
        // The standard's "Noah's Ark clause": of equal ones, three are remembered.
        let bytes = self.bytes;
        let attributes = &bytes[token.attributes.clone()];
        let reach = self
            .formatting
            .iter()
            .rposition(Option::is_none)
            .map_or(0, |at| at + 1);
        let same = |f: &Option<Formatting>| {
            f.as_ref()
                .is_some_and(|f| f.tag == tag && bytes[f.attributes.clone()] == *attributes)
        };
        if self.formatting[reach..].iter().filter(|f| same(f)).count() >= 3 {
            let first = self.formatting[reach..].iter().position(same);
            self.formatting
                .remove(reach + first.expect("three are there"));
        }
        self.formatting.push(Some(Formatting {
            tag,
            attributes: token.attributes.clone(),
        }));
    }

    /// An end tag takes its element out of the list; out of the stack with all above it, unless there is a block among that.
    fn end_formatting(&mut self, tag: Tag) {
        let remembered = self
            .formatting
            .iter()
            .rposition(|f| f.as_ref().is_none_or(|f| f.tag == tag));
        if let Some(at) = remembered.filter(|&at| self.formatting[at].is_some()) {
            self.formatting.remove(at);
        }
        let Some(at) = self.find(|o| o == tag, ends_scope) else {
            return;
        };
        if self.open[at..]
            .iter()
            .any(|o| o.tag.is_some_and(ends_search))
        {
            self.open.remove(at);
            self.formatting_open -= 1;
        } else {
            self.truncate(at);
        }
    }

    /// The innermost element that is `wanted`, unless a `boundary` comes first.
    fn find(&self, wanted: impl Fn(Tag) -> bool, boundary: impl Fn(Tag) -> bool) -> Option<usize> {
        for (at, open) in self.open.iter().enumerate().rev() {
            match open.tag {
                Some(tag) if wanted(tag) => return Some(at),
                Some(tag) if boundary(tag) => return None,
                _ => {}
            }
        }
        None
    }

    fn truncate_at(&mut self, wanted: impl Fn(Tag) -> bool, boundary: impl Fn(Tag) -> bool) {
        if let Some(at) = self.find(wanted, boundary) {
            self.truncate(at);
        }
    }

    fn truncate(&mut self, len: usize) {
        for tag in self.open.drain(len..).rev().filter_map(|open| open.tag) {
            match tag {
                Tag::Svg | Tag::Math => self.foreign -= 1,
                _ if is_formatting(tag) => self.formatting_open -= 1,
                _ if bears_marker(tag) => {
                    let marker = self.formatting.iter().rposition(Option::is_none);
                    self.formatting.truncate(marker.unwrap_or(0));
                }
                _ => {}
            }
        }
    }
}

fn bears_marker(tag: Tag) -> bool {
    use Tag::*;
    matches!(tag, Td | Th | Caption | Object | Marquee | Template)
}

fn is_table_part(tag: Tag) -> bool {
    use Tag::*;
    matches!(
        tag,
        Table | Tbody | Thead | Tfoot | Tr | Td | Th | Caption | Colgroup
    )
}

/// Nothing reaches through drawings and formulas.
fn ends_scope(tag: Tag) -> bool {
    is_scope(tag) || matches!(tag, Tag::Svg | Tag::Math)
}

fn ends_search(tag: Tag) -> bool {
    is_special(tag) || matches!(tag, Tag::Svg | Tag::Math)
}

fn is_list_boundary(tag: Tag) -> bool {
    ends_search(tag) && !matches!(tag, Tag::Address | Tag::Div | Tag::P)
}

/// Start tags that end an open `p`.
fn ends_paragraph(tag: Tag) -> bool {
    use Tag::*;
    is_heading(tag)
        || opens_block(tag)
        || matches!(
            tag,
            Dd | Dt | Form | Hr | Li | Plaintext | Pre | Table | Xmp
        )
}

#[cfg(test)]
mod tests {
    use crate::decode::tokenizer::parse as parsed;

    #[test]
    fn what_the_standard_closes_is_not_counted_as_depth() {
        for item in [
            "<p>a",
            "<li>a",
            "<ul><li>a<li>b</ul>",
            "<dt>a<dd>b",
            "<a name=x>",
            "<a href=x><div>b</a></div>",
            "<b>a</b>",
            "<b><i>a</b></i>",
            "<p><b>a</p>",
            "<table><tr><td><font>a<tr><td>b</table>",
            "<table>",
            "<option>a",
            "<h2>a",
            "<br><img><input><wbr>",
            "<span>a</span>",
            "<x-y>a</x-y>",
            "<svg><path/></svg>",
            "<svg/>",
            "<p><button><p></button>",
            "<button><div>",
            "<form><div></form></div>",
            "<html><head><body>",
        ] {
            assert!(parsed(&item.repeat(100), 16).is_some(), "{item}");
        }
    }

    #[test]
    fn what_stays_open_is_counted() {
        for item in [
            "<div>",
            "<span>",
            "<x-y>",
            "<b>",
            "<font color=1>",
            "<div></span>",
            "<div></p>",
            "<ul><li>",
            "<table><td>",
            "<svg>",
            "<a><div>",
            "<span><div></span>",
            "<section><p>",
        ] {
            let page = item.repeat(100);
            assert!(parsed(&page, 16).is_none(), "{item}");
            assert!(parsed(&page, 512).is_some(), "{item}");
        }
    }

    #[test]
    fn formatting_that_is_opened_anew_in_each_block_is_too_costly() {
        let fonts: String = (0..200).map(|n| format!("<font size={n}>")).collect();
        let page = format!("<p>{fonts}</p>{}", "<p>x</p>".repeat(20_000));
        assert!(parsed(&page, 512).is_none());
        let same = "<font>".repeat(200);
        let page = format!("<p>{same}</p>{}", "<p>x</p>".repeat(20_000));
        assert!(parsed(&page, 512).is_some());
    }

    #[test]
    fn a_page_of_very_many_tags_is_too_costly() {
        assert!(parsed(&"<p>".repeat(200_000), 512).is_some());
        assert!(parsed(&"<p>".repeat(200_001), 512).is_none());
    }

    #[test]
    fn a_tag_of_very_many_attributes_is_too_costly() {
        let names = |count: usize| (0..count).map(|n| format!(" a{n}")).collect::<String>();
        assert!(parsed(&format!("<p{}>", names(100_000)), 512).is_none());
        assert!(parsed(&format!("<p{}>", names(1_000)), 512).is_some());
    }
}
