//! HTML to [`Tree`] at once, for pages whose elements end up in the order in which their tags stand. Nearly all do.
//!
//! These are the rules of the standard's tree construction (13.2.6), as html5ever has them, but for those that move what
//! stands already (a block that ends inside a formatting element, text between the cells of a table) and for what is rare
//! (framesets, formulas, HTML inside drawings). A page that needs one of these is [`Rare`]: html5ever reads it from its
//! start ([`super::tokenizer`]). The trees of both are the same, by test.

mod elements;
mod end;
mod start;

use std::ops::Range;

use self::elements::{Elements, Kind};
use super::markup::{CDATA, TagToken, Token, Tokens};
use super::references;
use crate::tree::{Tag, Tree};

/// The page needs rules that are not here.
struct Rare;

type Step = Result<(), Rare>;

/// The tree of a page without NUL, with line feeds at its ends of lines, if it needs no more rules than there are here and
/// nests elements no deeper than `depth_max`.
pub(super) fn tree(page: &str, depth_max: usize) -> Option<Tree> {
    let mut page = Page {
        page,
        tokens: Tokens::new(page.as_bytes()),
        elements: Elements::new(page, depth_max),
        mode: Mode::Initial,
        quirks: Quirks::Yes,
        templates: Vec::new(),
        form: None,
        drops_line_feed: false,
    };
    page.read().ok()?;
    Some(page.elements.finish())
}

/// The standard's insertion modes. Text that is raw is read as soon as its element begins, so that there is no mode for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Initial,
    BeforeHtml,
    BeforeHead,
    InHead,
    AfterHead,
    InBody,
    InTable,
    InCaption,
    InColumnGroup,
    InTableBody,
    InRow,
    InCell,
    InTemplate,
    AfterBody,
    AfterAfterBody,
}

/// Whether the document type asks for the habits of old browsers.
#[derive(Clone, Copy)]
enum Quirks {
    Yes,
    No,
    /// That depends on its identifiers.
    Unknown,
}

/// What a tag names.
#[derive(Clone, Copy)]
struct Name<'a> {
    tag: Tag,
    /// As it is written.
    written: &'a str,
}

impl Name<'_> {
    /// The rules name it, and they are not here.
    fn is_rare(self) -> bool {
        const RARE: &[&str] = &[
            "applet", "basefont", "bgsound", "image", "isindex", "keygen", "listing",
        ];
        let is_it = |name: &&str| name.eq_ignore_ascii_case(self.written);
        match self.tag {
            Tag::Other => RARE.iter().any(is_it),
            tag => matches!(tag, Tag::Frameset | Tag::Math | Tag::Plaintext),
        }
    }
}

/// A page that is read.
struct Page<'a> {
    page: &'a str,
    tokens: Tokens<'a>,
    elements: Elements<'a>,
    mode: Mode,
    quirks: Quirks,
    /// The mode inside each open template.
    templates: Vec<Mode>,
    /// The number of the form that was opened last and has not ended.
    form: Option<u32>,
    /// A line feed is left out if it comes next.
    drops_line_feed: bool,
}

impl<'a> Page<'a> {
    fn read(&mut self) -> Step {
        while let Some(token) = self.tokens.next() {
            match token {
                Token::Text(range) => self.characters(range)?,
                Token::Start(token) => {
                    let name = self.name(&token);
                    self.start(name, token.is_self_closing)?;
                }
                Token::End(token) => self.end(self.name(&token))?,
                Token::Comment(_) => self.comment(),
                Token::Bogus(range) => self.bogus_comment(range)?,
                Token::Doctype(range) => self.doctype(range),
                Token::Nothing => self.drops_line_feed = false,
            }
        }
        while !self.templates.is_empty() {
            self.end_template();
        }
        while self.mode < Mode::InBody {
            self.advance();
        }
        Ok(())
    }

    fn name(&self, token: &TagToken) -> Name<'a> {
        let written = &self.page[token.name.clone()];
        let tag = Tag::named(written.as_bytes()).unwrap_or(Tag::Other);
        Name { tag, written }
    }

    fn characters(&mut self, range: Range<usize>) -> Step {
        let text = references::resolved(&self.page[range], false);
        let mut text = &*text;
        if std::mem::take(&mut self.drops_line_feed) {
            text = text.strip_prefix('\n').unwrap_or(text);
        }
        if self.mode < Mode::InBody {
            text = text.trim_ascii_start();
        }
        if text.is_empty() {
            return Ok(());
        }
        while self.mode < Mode::InBody {
            self.advance();
        }
        if self.elements.kind() != Kind::Foreign {
            let is_blank = || text.bytes().all(|byte| byte.is_ascii_whitespace());
            match self.mode {
                Mode::InTable | Mode::InTableBody | Mode::InRow | Mode::InColumnGroup => {
                    // No layout shows blanks there, and other text goes before the table.
                    return if is_blank() { Ok(()) } else { Err(Rare) };
                }
                Mode::AfterBody | Mode::AfterAfterBody if !is_blank() => self.mode = Mode::InBody,
                _ => {}
            }
            self.elements.reopen_formatting()?;
        }
        self.elements.text(text);
        Ok(())
    }

    fn comment(&mut self) {
        self.drops_line_feed = false;
        // Those behind the body do not stand between its texts.
        if self.mode < Mode::AfterBody {
            self.elements.gap();
        }
    }

    fn bogus_comment(&mut self, range: Range<usize>) -> Step {
        let is_cdata = self.page.as_bytes()[range].starts_with(CDATA);
        if is_cdata && self.elements.kind() != Kind::Html {
            return Err(Rare);
        }
        self.comment();
        Ok(())
    }

    fn doctype(&mut self, range: Range<usize>) {
        self.drops_line_feed = false;
        if self.mode == Mode::Initial {
            let is_plain = self.page[range].eq_ignore_ascii_case("<!doctype html>");
            self.quirks = if is_plain {
                Quirks::No
            } else {
                Quirks::Unknown
            };
            self.mode = Mode::BeforeHtml;
        }
    }

    /// Goes on to the next mode up to the body, as what does not belong into this one does.
    fn advance(&mut self) {
        self.mode = match self.mode {
            Mode::Initial => Mode::BeforeHtml,
            Mode::BeforeHtml => {
                self.elements.insert_bare(Tag::Html);
                Mode::BeforeHead
            }
            Mode::BeforeHead => {
                self.elements.insert_bare(Tag::Head);
                Mode::InHead
            }
            // The head stays open, for what belongs into it may still come.
            Mode::InHead => Mode::AfterHead,
            _ => {
                self.elements.pop();
                self.elements.insert_bare(Tag::Body);
                Mode::InBody
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(page: &str) -> bool {
        tree(page, 512).is_some()
    }

    #[test]
    fn what_pages_are_made_of_is_read() {
        for page in [
            "",
            "a",
            "<!doctype html><html lang=en><head><meta charset=utf-8><title>a</title><script>b</script></head><body>c</body></html>",
            "<p>a<p>b<ul><li>c<li>d</ul><dl><dt>e<dd>f</dl>",
            "<p><b>a<i>b</b>c</p><p>d",
            "<a href=1>a<a href=2>b</a>",
            "<!doctype html><p>a<table><caption>b</caption><col><tr><td>c<th>d<tbody><tr><td><table><td>e</table></table>f",
            "<form><div></form>a</div>b",
            "<svg><title>a</title><image/><g><style>b</style></g></svg>c",
            "<select><option>a<optgroup><option>b</select><button>c<button>d",
            "<template><p>a<template><li>b</template></template>c",
            "<body class=a><body id=b><html lang=c>d</body></html><!-- e -->\n",
            "<textarea>\na</textarea><iframe>b</iframe><noscript>c</noscript><x-y>d</x-y></br></p>",
            "<object>a</object><ruby>a<rt>b</ruby><hr><input><frame><td>c",
        ] {
            assert!(is_read(page), "{page}");
        }
    }

    #[test]
    fn what_is_rare_is_left() {
        for page in [
            "<b><p>a</b>",
            "<table>a<tr>",
            "<table><div>",
            "<table><input type=hidden>",
            "<frameset>",
            "<math>",
            "<plaintext>",
            "<image>",
            "<svg><p>",
            "<svg><desc><b>a",
            "<svg><![CDATA[a]]></svg>",
            "<template shadowrootmode=open>a</template>",
            "<template><td>a</template>",
            "<!doctype html public \"-//W3C//DTD HTML 3.2//EN\"><p>a<table>",
            "<font><font><font><font>",
            &"<div>".repeat(513),
        ] {
            assert!(!is_read(page), "{page}");
        }
    }

    #[test]
    fn nearly_all_pages_are_read() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
        let entries = std::fs::read_dir(folder).expect("the seeds are there");
        let paths = entries.map(|entry| entry.expect("the seeds are there").path());
        let pages: Vec<String> = paths
            .filter(|path| path.extension().is_some_and(|e| e == "html"))
            .map(|path| std::fs::read(path).expect("the seeds are there"))
            .map(|raw| String::from_utf8_lossy(&raw).replace('\r', ""))
            .collect();
        let read = pages.iter().filter(|page| is_read(page)).count();
        assert!(read * 10 > pages.len() * 9, "{read} of {}", pages.len());
    }
}
