//! The standard's list of active formatting elements: what they do goes on behind a block that ends inside them.

use super::{Elements, Kind};
use crate::decode::direct::{Name, Rare, Step};
use crate::decode::markup::AttributeToken;
use crate::decode::sets::is_special;
use crate::tree::{AttributeSet, Tag};

/// An entry of the standard's list of active formatting elements.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Formatting {
    /// What stands before it is out of reach until the cell or object around ends.
    Marker,
    Element(FormattingElement),
}

#[derive(Clone, Copy, PartialEq)]
pub(super) struct FormattingElement {
    tag: Tag,
    attributes: AttributeSet,
    /// Where it was put among the open elements.
    place: usize,
    number: u32,
}

impl<'a> Elements<'a> {
    pub(in crate::decode::direct) fn mark_formatting(&mut self) {
        self.formatting.push(Formatting::Marker);
    }

    pub(in crate::decode::direct) fn clear_formatting(&mut self) {
        let marker = self
            .formatting
            .iter()
            .rposition(|f| *f == Formatting::Marker);
        self.formatting.truncate(marker.unwrap_or(0));
    }

    pub(in crate::decode::direct) fn insert_formatting(
        &mut self,
        name: Name<'a>,
        attributes: &[AttributeToken],
    ) -> Step {
        // Of those that are equal, three are remembered; whether they are is html5ever's to find out.
        if self.reachable().filter(|f| f.tag == name.tag).count() >= 3 {
            return Err(Rare);
        }
        self.insert(name, attributes);
        self.formatting.push(Formatting::Element(FormattingElement {
            tag: name.tag,
            attributes: self.builder.attributes(),
            place: self.open.len() - 1,
            number: self.count,
        }));
        Ok(())
    }

    /// Those since the last marker, the last first.
    fn reachable(&self) -> impl Iterator<Item = FormattingElement> + '_ {
        self.formatting.iter().rev().map_while(|f| match f {
            Formatting::Element(element) => Some(*element),
            Formatting::Marker => None,
        })
    }

    fn is_open(&self, element: &FormattingElement) -> bool {
        let open = self.open.get(element.place);
        open.is_some_and(|open| open.number == element.number && open.kind != Kind::Gone)
    }

    /// Opens again what was closed by a block around it.
    pub(in crate::decode::direct) fn reopen_formatting(&mut self) -> Step {
        let closed = self.reachable().take_while(|f| !self.is_open(f)).count();
        if closed > 0 && self.kind() != Kind::Html {
            return Err(Rare);
        }
        for at in self.formatting.len() - closed..self.formatting.len() {
            let Formatting::Element(element) = self.formatting[at] else {
                continue;
            };
            self.cost.reopen(1);
            let name = Name {
                tag: element.tag,
                written: "",
            };
            let is_node = self.hidden == 0;
            self.push(name, Kind::Html, is_node);
            if is_node {
                self.builder.open_with(element.tag, element.attributes);
            }
            self.formatting[at] = Formatting::Element(FormattingElement {
                place: self.open.len() - 1,
                number: self.count,
                ..element
            });
        }
        Ok(())
    }

    /// The end tag of a formatting element: the standard's adoption agency, without its adoptions.
    pub(in crate::decode::direct) fn end_formatting(&mut self, name: Name<'_>) -> Step {
        let is_remembered = self.formatting.iter().any(
            |f| matches!(f, Formatting::Element(element) if Some(element.number) == self.number()),
        );
        if self.tag() == Some(name.tag) && !is_remembered {
            self.pop();
            return Ok(());
        }
        let Some(element) = self.reachable().find(|f| f.tag == name.tag) else {
            self.end_named(name);
            return Ok(());
        };
        if !self.is_open(&element) {
            self.forget_formatting(element.number);
        } else if self.is_in_scope(element.number) {
            let inside = &self.open[element.place..];
            if inside.iter().any(|open| is_special(open.tag)) {
                return Err(Rare);
            }
            self.truncate(element.place);
            self.forget_formatting(element.number);
        }
        Ok(())
    }

    /// A link ends one that is open.
    pub(in crate::decode::direct) fn end_link(&mut self) -> Step {
        let link = self.reachable().find(|f| f.tag == Tag::A);
        let Some(link) = link else { return Ok(()) };
        self.end_formatting(Name {
            tag: Tag::A,
            written: "a",
        })?;
        self.forget_formatting(link.number);
        self.end_alone(link.number);
        Ok(())
    }

    fn forget_formatting(&mut self, number: u32) {
        self.formatting
            .retain(|f| !matches!(f, Formatting::Element(element) if element.number == number));
    }
}
