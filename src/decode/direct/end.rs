//! End tags. Where a function gives whether a tag has found its place, one that has not is looked at again: it ended
//! something.

use super::elements::Kind;
use super::{Mode, Name, Page, Rare, Step};
use crate::decode::sets::{is_formatting, is_heading, opens_block};
use crate::tree::Tag::{self, *};

impl<'a> Page<'a> {
    pub(super) fn end(&mut self, name: Name<'a>) -> Step {
        self.elements.count_tag()?;
        self.drops_line_feed = false;
        if self.elements.kind() != Kind::Html {
            if matches!(name.tag, P | Br) {
                return Err(Rare);
            }
            if self.elements.end_in_drawing(name) {
                return Ok(());
            }
        }
        if name.tag == Template && !self.templates.is_empty() {
            self.end_template();
            return Ok(());
        }
        if name.is_rare() {
            return Err(Rare);
        }
        while !self.end_in_mode(name)? {}
        Ok(())
    }

    fn end_in_mode(&mut self, name: Name<'a>) -> Result<bool, Rare> {
        match self.mode {
            Mode::InBody => return self.end_in_body(name),
            Mode::InTable => return self.end_in_table(name),
            Mode::InTableBody => return self.end_in_table_body(name),
            Mode::InRow => return self.end_in_row(name),
            Mode::InCell => return self.end_in_cell(name),
            Mode::InCaption => match name.tag {
                Caption => {
                    self.end_caption();
                }
                Table => return Ok(!self.end_caption()),
                Body | Col | Colgroup | Html | Tbody | Td | Tfoot | Th | Thead | Tr => {}
                _ => return self.end_in_body(name),
            },
            Mode::InColumnGroup => {
                if name.tag != Col {
                    self.elements.pop();
                    self.mode = Mode::InTable;
                    return Ok(name.tag == Colgroup);
                }
            }
            Mode::InTemplate => {}
            Mode::AfterBody if name.tag == Html => self.mode = Mode::AfterAfterBody,
            Mode::AfterBody | Mode::AfterAfterBody => {
                self.mode = Mode::InBody;
                return Ok(false);
            }
            Mode::Initial => {
                self.advance();
                return Ok(false);
            }
            Mode::InHead if name.tag == Head => self.advance(),
            _ => {
                let is_head = name.tag == Head && self.mode < Mode::InHead;
                if is_head || matches!(name.tag, Body | Br | Html) {
                    self.advance();
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn end_in_body(&mut self, name: Name<'a>) -> Result<bool, Rare> {
        let elements = &mut self.elements;
        match name.tag {
            Body | Html => {
                if elements.in_scope(|tag| tag == Body).is_some() {
                    self.mode = Mode::AfterBody;
                    return Ok(name.tag == Body);
                }
            }
            P => {
                if elements.paragraph_in_button_scope().is_none() {
                    elements.insert_bare(P);
                }
                elements.end_paragraph();
            }
            tag if opens_block(tag) || matches!(tag, Button | Pre | Select) => {
                let open = elements.in_scope(|open| open == tag);
                elements.truncate_at(open);
            }
            Form => self.end_form(),
            Li => {
                let open = elements.in_list_scope(Li);
                elements.truncate_at(open);
            }
            Dd | Dt => {
                let open = elements.in_scope(|open| open == name.tag);
                elements.truncate_at(open);
            }
            tag if is_heading(tag) => {
                let open = elements.in_scope(is_heading);
                elements.truncate_at(open);
            }
            tag if is_formatting(tag) => elements.end_formatting(name)?,
            Marquee | Object => {
                if let Some(open) = elements.in_scope(|open| open == name.tag) {
                    elements.truncate(open);
                    elements.clear_formatting();
                }
            }
            Br => {
                elements.reopen_formatting()?;
                elements.insert_bare(Br);
                elements.pop();
            }
            _ => elements.end_named(name),
        }
        Ok(true)
    }

    fn end_form(&mut self) {
        if !self.templates.is_empty() {
            let form = self.elements.in_scope(|tag| tag == Form);
            return self.elements.truncate_at(form);
        }
        let form = self.form.take();
        if let Some(form) = form.filter(|&form| self.elements.is_in_scope(form)) {
            self.elements.end_implied(None);
            self.elements.end_alone(form);
        }
    }

    fn end_in_table(&mut self, name: Name<'a>) -> Result<bool, Rare> {
        match name.tag {
            Table => {
                let table = self.elements.in_table_scope(|tag| tag == Table);
                self.elements.truncate(table.ok_or(Rare)?);
                self.reset_mode();
                Ok(true)
            }
            Body | Caption | Col | Colgroup | Html | Tbody | Td | Tfoot | Th | Thead | Tr => {
                Ok(true)
            }
            _ => Err(Rare),
        }
    }

    fn end_in_table_body(&mut self, name: Name<'a>) -> Result<bool, Rare> {
        match name.tag {
            Tbody | Tfoot | Thead => {
                if self
                    .elements
                    .in_table_scope(|tag| tag == name.tag)
                    .is_some()
                {
                    self.end_table_body();
                }
                Ok(true)
            }
            Table => Ok(!self.end_table_body()),
            _ => self.end_in_table(name),
        }
    }

    fn end_in_row(&mut self, name: Name<'a>) -> Result<bool, Rare> {
        match name.tag {
            Tr => {
                self.end_row();
                Ok(true)
            }
            Table => Ok(!self.end_row()),
            Tbody | Tfoot | Thead => {
                let is_open = self
                    .elements
                    .in_table_scope(|tag| tag == name.tag)
                    .is_some();
                Ok(!(is_open && self.end_row()))
            }
            _ => self.end_in_table(name),
        }
    }

    fn end_in_cell(&mut self, name: Name<'a>) -> Result<bool, Rare> {
        match name.tag {
            Td | Th => {
                if let Some(cell) = self.elements.in_table_scope(|tag| tag == name.tag) {
                    self.elements.truncate(cell);
                    self.elements.clear_formatting();
                    self.mode = Mode::InRow;
                }
                Ok(true)
            }
            Body | Caption | Col | Colgroup | Html => Ok(true),
            Table | Tbody | Tfoot | Thead | Tr => {
                let is_open = self
                    .elements
                    .in_table_scope(|tag| tag == name.tag)
                    .is_some();
                match is_open {
                    true if self.end_cell() => Ok(false),
                    true => Err(Rare),
                    false => Ok(true),
                }
            }
            _ => self.end_in_body(name),
        }
    }

    /// Ends a cell; whether there was one.
    pub(super) fn end_cell(&mut self) -> bool {
        self.end_within_table(|tag| matches!(tag, Td | Th), Mode::InRow)
    }

    /// Ends a caption; whether there was one.
    pub(super) fn end_caption(&mut self) -> bool {
        self.end_within_table(|tag| tag == Caption, Mode::InTable)
    }

    /// Ends a part of a table that formatting does not reach out of; whether there was one.
    fn end_within_table(&mut self, is_part: impl Fn(Tag) -> bool, mode: Mode) -> bool {
        let part = self.elements.in_table_scope(is_part);
        if let Some(part) = part {
            self.elements.truncate(part);
            self.elements.clear_formatting();
            self.mode = mode;
        }
        part.is_some()
    }

    /// Ends the rows' part of a table; whether there was one.
    pub(super) fn end_table_body(&mut self) -> bool {
        let is_body = |tag| matches!(tag, Table | Tbody | Tfoot);
        let is_open = self.elements.in_table_scope(is_body).is_some();
        if is_open {
            self.elements.end_until(&[Tbody, Tfoot, Thead, Html]);
            self.elements.pop();
            self.mode = Mode::InTable;
        }
        is_open
    }

    /// Ends a row; whether there was one.
    pub(super) fn end_row(&mut self) -> bool {
        let is_open = self.elements.in_table_scope(|tag| tag == Tr).is_some();
        if is_open {
            self.elements.end_until(&[Tr, Html]);
            self.elements.pop();
            self.mode = Mode::InTableBody;
        }
        is_open
    }

    pub(super) fn end_template(&mut self) {
        let template = self.elements.find_tag(|tag| tag == Template, |_| false);
        if let Some(template) = template {
            self.elements.truncate(template);
            self.elements.clear_formatting();
            self.templates.pop();
            self.reset_mode();
        }
    }

    /// The mode inside the innermost element that has one.
    pub(super) fn reset_mode(&mut self) {
        let template = self.templates.last().copied();
        let mode = |tag: Tag| match tag {
            Td | Th => Some(Mode::InCell),
            Tr => Some(Mode::InRow),
            Tbody | Tfoot | Thead => Some(Mode::InTableBody),
            Caption => Some(Mode::InCaption),
            Colgroup => Some(Mode::InColumnGroup),
            Table => Some(Mode::InTable),
            Template => template,
            Head => Some(Mode::InHead),
            _ => None,
        };
        self.mode = self.elements.tags().find_map(mode).unwrap_or(Mode::InBody);
    }
}
