//! Start tags. Where a function gives whether a tag has found its place, one that has not is looked at again: it ended
//! something.

use super::elements::Kind;
use super::{Mode, Name, Page, Quirks, Rare, Step};
use crate::decode::html::names_json_ld;
use crate::decode::references;
use crate::decode::sets::{is_formatting, is_heading, is_special, opens_block};
use crate::tree::Attr;
use crate::tree::Tag::{self, *};

impl<'a> Page<'a> {
    pub(super) fn start(&mut self, name: Name<'a>, is_self_closing: bool) -> Step {
        self.elements.count_tag()?;
        self.drops_line_feed = false;
        match self.elements.kind() {
            Kind::Foreign => return self.start_in_drawing(name, is_self_closing),
            Kind::Integration => return Err(Rare),
            _ if name.is_rare() => return Err(Rare),
            _ => {}
        }
        while !self.start_in_mode(name, is_self_closing)? {}
        Ok(())
    }

    fn start_in_mode(&mut self, name: Name<'a>, is_self_closing: bool) -> Result<bool, Rare> {
        match self.mode {
            Mode::InBody => self.start_in_body(name, is_self_closing)?,
            Mode::InTable => return self.start_in_table(name),
            Mode::InTableBody => return self.start_in_table_body(name),
            Mode::InRow => return self.start_in_row(name),
            Mode::InCell if is_table_part(name.tag) => return Ok(!self.end_cell()),
            Mode::InCaption if is_table_part(name.tag) => return Ok(!self.end_caption()),
            Mode::InCell | Mode::InCaption => self.start_in_body(name, is_self_closing)?,
            Mode::InColumnGroup if name.tag == Col => self.insert_void(name),
            Mode::InColumnGroup => {
                self.elements.pop();
                self.mode = Mode::InTable;
                return Ok(false);
            }
            Mode::InTemplate if belongs_in_head(name.tag) => self.start_in_head(name)?,
            // A table that begins with its cells.
            Mode::InTemplate if is_table_part(name.tag) => return Err(Rare),
            Mode::InTemplate => {
                self.templates.pop();
                self.templates.push(Mode::InBody);
                self.mode = Mode::InBody;
                return Ok(false);
            }
            Mode::AfterBody | Mode::AfterAfterBody if name.tag == Html => self.repeat(Html),
            Mode::AfterBody | Mode::AfterAfterBody => {
                self.mode = Mode::InBody;
                return Ok(false);
            }
            _ => return self.start_before_body(name),
        }
        Ok(true)
    }

    fn start_before_body(&mut self, name: Name<'a>) -> Result<bool, Rare> {
        match (self.mode, name.tag) {
            (Mode::BeforeHtml, Html) => {
                self.insert(name);
                self.mode = Mode::BeforeHead;
            }
            (Mode::BeforeHead, Head) => {
                self.insert(name);
                self.mode = Mode::InHead;
            }
            (Mode::AfterHead, Body) => {
                self.elements.pop();
                self.insert(name);
                self.mode = Mode::InBody;
            }
            (Mode::BeforeHead | Mode::InHead | Mode::AfterHead, Html) => self.repeat(Html),
            (Mode::InHead | Mode::AfterHead, Head) => {}
            // Where it ends, the mode would be another.
            (Mode::AfterHead, Template) => return Err(Rare),
            (Mode::InHead, Noscript) => self.start_in_head(name)?,
            (Mode::InHead | Mode::AfterHead, tag) if belongs_in_head(tag) => {
                self.start_in_head(name)?;
            }
            _ => {
                self.advance();
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The attributes of a tag of which there is one on a page.
    fn repeat(&mut self, tag: Tag) {
        if self.templates.is_empty() {
            let attributes = self.tokens.attributes();
            self.elements.add_attributes(tag, attributes);
        }
    }

    fn start_in_head(&mut self, name: Name<'a>) -> Step {
        match name.tag {
            Template => return self.start_template(name),
            Base | Link | Meta => self.insert_void(name),
            Title => {
                self.insert(name);
                let title = self.raw_text(Title);
                self.elements.title(&references::resolved(title, false));
                self.elements.pop();
            }
            Script => {
                let is_json_ld = self.is_json_ld();
                let script = self.raw_text(Script);
                if is_json_ld {
                    self.elements.json_ld(script);
                }
                self.elements.gap();
            }
            tag => {
                self.raw_text(tag);
                self.elements.gap();
            }
        }
        Ok(())
    }

    /// What is in a template is not of the page, unless it is a shadow root's.
    fn start_template(&mut self, name: Name<'a>) -> Step {
        if self.tokens.attribute("shadowrootmode").is_some() {
            return Err(Rare);
        }
        self.elements.mark_formatting();
        self.elements.open(name, Kind::Html, true);
        self.templates.push(Mode::InTemplate);
        self.mode = Mode::InTemplate;
        Ok(())
    }

    fn start_in_body(&mut self, name: Name<'a>, is_self_closing: bool) -> Step {
        let elements = &mut self.elements;
        match name.tag {
            Html | Body => self.repeat(name.tag),
            Frame | Head => {}
            tag if is_table_part(tag) => {}
            tag if belongs_in_head(tag) || matches!(tag, Noembed | Noscript) => {
                self.start_in_head(name)?;
            }
            tag if opens_block(tag) => {
                elements.end_paragraph();
                self.insert(name);
            }
            tag if is_heading(tag) => {
                elements.end_paragraph();
                if elements.tag().is_some_and(is_heading) {
                    elements.pop();
                }
                self.insert(name);
            }
            Pre => {
                elements.end_paragraph();
                self.insert(name);
                self.drops_line_feed = true;
            }
            Form if self.templates.is_empty() && self.form.is_some() => {}
            Form => {
                elements.end_paragraph();
                self.insert(name);
                if self.templates.is_empty() {
                    self.form = self.elements.number();
                }
            }
            Li | Dd | Dt => {
                self.end_items(name.tag);
                self.elements.end_paragraph();
                self.insert(name);
            }
            A => {
                elements.end_link()?;
                elements.reopen_formatting()?;
                elements.insert_formatting(name, self.tokens.attributes())?;
            }
            tag if is_formatting(tag) => {
                elements.reopen_formatting()?;
                if tag == Nobr && elements.in_scope(|tag| tag == Nobr).is_some() {
                    return Err(Rare);
                }
                elements.insert_formatting(name, self.tokens.attributes())?;
            }
            Marquee | Object => {
                elements.reopen_formatting()?;
                self.insert(name);
                self.elements.mark_formatting();
            }
            Table => {
                match self.quirks {
                    Quirks::Yes => {}
                    Quirks::No => elements.end_paragraph(),
                    Quirks::Unknown if elements.paragraph_in_button_scope().is_none() => {}
                    Quirks::Unknown => return Err(Rare),
                }
                self.insert(name);
                self.mode = Mode::InTable;
            }
            Area | Br | Embed | Img | Wbr => {
                elements.reopen_formatting()?;
                self.insert_void(name);
            }
            Input => {
                let select = elements.in_scope(|tag| tag == Select);
                elements.truncate_at(select);
                elements.reopen_formatting()?;
                self.insert_void(name);
            }
            Param | Source | Track => self.insert_void(name),
            Hr => {
                elements.end_paragraph();
                if elements.in_scope(|tag| tag == Select).is_some() {
                    elements.end_implied(None);
                }
                self.insert_void(name);
            }
            Textarea => {
                self.insert(name);
                let text = references::resolved(self.raw_text(Textarea), false);
                self.elements.text(text.strip_prefix('\n').unwrap_or(&text));
                self.elements.pop();
            }
            Iframe => self.insert_raw(name),
            Xmp => {
                elements.end_paragraph();
                elements.reopen_formatting()?;
                self.insert_raw(name);
            }
            Button | Select => {
                let open = elements.in_scope(|tag| tag == name.tag);
                elements.truncate_at(open);
                if name.tag == Button || open.is_none() {
                    elements.reopen_formatting()?;
                    self.insert(name);
                }
            }
            Option | Optgroup => {
                if elements.in_scope(|tag| tag == Select).is_some() {
                    elements.end_implied(Some(Optgroup).filter(|_| name.tag == Option));
                } else if elements.tag() == Some(Option) {
                    elements.pop();
                }
                elements.reopen_formatting()?;
                self.insert(name);
            }
            Rb | Rtc | Rp | Rt => {
                if elements.in_scope(|tag| tag == Ruby).is_some() {
                    elements.end_implied(Some(Rtc).filter(|_| matches!(name.tag, Rp | Rt)));
                }
                self.insert(name);
            }
            Svg => {
                elements.reopen_formatting()?;
                elements.insert_drawing(name, self.tokens.attributes());
                if is_self_closing {
                    elements.pop();
                }
            }
            _ => {
                elements.reopen_formatting()?;
                self.insert(name);
            }
        }
        Ok(())
    }

    /// An item of a list ends the one before it.
    fn end_items(&mut self, tag: Tag) {
        let ends = |open: Tag| match tag {
            Li => open == Li,
            _ => matches!(open, Dd | Dt),
        };
        let is_boundary = |open: Tag| is_special(open) && !matches!(open, Address | Div | P);
        let item = self.elements.find_tag(ends, is_boundary);
        self.elements.truncate_at(item);
    }

    fn start_in_table(&mut self, name: Name<'a>) -> Result<bool, Rare> {
        let elements = &mut self.elements;
        match name.tag {
            Style | Script => {
                self.start_in_head(name)?;
                return Ok(true);
            }
            Caption | Colgroup | Col | Tbody | Tfoot | Thead | Td | Th | Tr => {
                elements.end_until(&[Table, Template, Html]);
            }
            Table => {
                let table = elements.in_table_scope(|tag| tag == Table);
                elements.truncate(table.ok_or(Rare)?);
                self.reset_mode();
                return Ok(false);
            }
            // Text and all others go before the table.
            _ => return Err(Rare),
        }
        match name.tag {
            Caption => {
                elements.mark_formatting();
                self.insert(name);
                self.mode = Mode::InCaption;
            }
            Colgroup => {
                self.insert(name);
                self.mode = Mode::InColumnGroup;
            }
            Col => {
                elements.insert_bare(Colgroup);
                self.mode = Mode::InColumnGroup;
                return Ok(false);
            }
            Td | Th | Tr => {
                elements.insert_bare(Tbody);
                self.mode = Mode::InTableBody;
                return Ok(false);
            }
            _ => {
                self.insert(name);
                self.mode = Mode::InTableBody;
            }
        }
        Ok(true)
    }

    fn start_in_table_body(&mut self, name: Name<'a>) -> Result<bool, Rare> {
        match name.tag {
            Tr | Td | Th => {
                self.elements.end_until(&[Tbody, Tfoot, Thead, Html]);
                self.mode = Mode::InRow;
                if name.tag != Tr {
                    self.elements.insert_bare(Tr);
                    return Ok(false);
                }
                self.insert(name);
                Ok(true)
            }
            tag if is_table_part(tag) => Ok(!self.end_table_body()),
            _ => self.start_in_table(name),
        }
    }

    fn start_in_row(&mut self, name: Name<'a>) -> Result<bool, Rare> {
        match name.tag {
            Td | Th => {
                self.elements.end_until(&[Tr, Html]);
                self.insert(name);
                self.elements.mark_formatting();
                self.mode = Mode::InCell;
                Ok(true)
            }
            tag if is_table_part(tag) => Ok(!self.end_row()),
            _ => self.start_in_table(name),
        }
    }

    fn start_in_drawing(&mut self, name: Name<'a>, is_self_closing: bool) -> Step {
        let kind = match name.tag {
            tag if ends_drawing(tag) || matches!(tag, Script | Template) => return Err(Rare),
            Other if name.written.eq_ignore_ascii_case("listing") => return Err(Rare),
            Title => Kind::Integration,
            Other
                if ["desc", "foreignobject"]
                    .iter()
                    .any(|known| name.written.eq_ignore_ascii_case(known)) =>
            {
                Kind::Integration
            }
            _ => Kind::Foreign,
        };
        if !is_self_closing {
            let is_hidden = matches!(name.tag, Style | Noscript | Noembed | Noframes);
            self.elements.open(name, kind, is_hidden);
        }
        Ok(())
    }

    fn insert(&mut self, name: Name<'a>) {
        self.elements.insert(name, self.tokens.attributes());
    }

    fn insert_void(&mut self, name: Name<'a>) {
        self.elements.insert_void(name, self.tokens.attributes());
    }

    fn insert_raw(&mut self, name: Name<'a>) {
        self.insert(name);
        let text = self.raw_text(name.tag);
        self.elements.text(text);
        self.elements.pop();
    }

    /// The content of the element that has just begun; its end tag is passed over too.
    fn raw_text(&mut self, tag: Tag) -> &'a str {
        let text = self.tokens.raw_text(tag);
        self.tokens.next();
        &self.page[text]
    }

    /// The tag that was read last is of a script that holds JSON-LD.
    fn is_json_ld(&self) -> bool {
        let mut attributes = self.tokens.attributes().iter();
        let kind = attributes.find(|attribute| {
            let name = self.page[attribute.name.clone()].as_bytes();
            Attr::named(name) == Some(Attr::Type)
        });
        kind.is_some_and(|kind| {
            let kind = references::resolved(&self.page[kind.value.clone()], true);
            names_json_ld(kind.as_bytes())
        })
    }
}

fn belongs_in_head(tag: Tag) -> bool {
    matches!(
        tag,
        Base | Link | Meta | Noframes | Script | Style | Template | Title
    )
}

fn is_table_part(tag: Tag) -> bool {
    matches!(
        tag,
        Caption | Col | Colgroup | Tbody | Td | Tfoot | Th | Thead | Tr
    )
}

/// Such a start tag in a drawing is one of HTML behind it.
fn ends_drawing(tag: Tag) -> bool {
    is_heading(tag)
        || matches!(
            tag,
            B | Big
                | Blockquote
                | Body
                | Br
                | Center
                | Code
                | Dd
                | Div
                | Dl
                | Dt
                | Em
                | Embed
                | Font
                | Head
                | Hr
                | I
                | Img
                | Li
                | Menu
                | Meta
                | Nobr
                | Ol
                | P
                | Pre
                | Ruby
                | S
                | Small
                | Span
                | Strike
                | Strong
                | Sub
                | Sup
                | Table
                | Tt
                | U
                | Ul
                | Var
        )
}
