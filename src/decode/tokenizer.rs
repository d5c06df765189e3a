//! HTML to `scraper::Html`: a tokenizer of our own drives html5ever's tree builder.
//!
//! Two thirds of the time of `Html::parse_document` go into its tokenizer, which looks at each character; this one looks for
//! the next byte that matters ([`super::markup`]) and hands on stretches of the page without copying them. The tree is the
//! same, by test: `html()` of both is compared on pages, on cases for each state of the standard, and on mutations of both.
//!
//! What no [`crate::tree::Tree`] holds (the text of scripts, styles and comments, most attributes) can be left out on the
//! way, and a page that would cost too much (see [`super::stack`]) is given up.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Doctype, Tag as HtmlTag, TagKind, Token as HtmlToken, TokenSink, TokenSinkResult,
    Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{TreeBuilder, TreeSink};
use html5ever::{Attribute, LocalName, QualName, ns};
use memchr::{memchr, memchr2};
use scraper::{Html, HtmlTreeSink};

use super::markup::{self, AttributeToken, CDATA, TagToken, Token, Tokens};
use super::references;
use super::stack::{Stack, is_formatting};
use crate::tree::{Attr, Tag};

/// What is taken over from the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// All of it.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "for the comparison with the parser")
    )]
    Everything,
    /// What a [`crate::tree::Tree`] holds, and what decides how the tree grows.
    WhatTreesHold,
}

/// Parses a page; `None` if it nests elements deeper than `depth_max` or would cost out of proportion.
pub(super) fn parse(page: &str, keep: Keep, depth_max: usize) -> Option<Html> {
    let page = page.strip_prefix('\u{feff}').unwrap_or(page);
    let page = with_line_feeds(page);
    let parse = Parse {
        page: &page,
        buffer: StrTendril::from_slice(&page),
        builder: TreeBuilder::new(HtmlTreeSink::new(Html::new_document()), Default::default()),
        keep,
    };
    parse.run(depth_max)
}

/// The standard's preprocessing: each end of a line is one line feed.
fn with_line_feeds(page: &str) -> Cow<'_, str> {
    match memchr(b'\r', page.as_bytes()) {
        None => Cow::Borrowed(page),
        Some(_) => Cow::Owned(page.replace("\r\n", "\n").replace('\r', "\n")),
    }
}

struct Parse<'a> {
    page: &'a str,
    /// The page once more, of which tokens share stretches.
    buffer: StrTendril,
    builder: TreeBuilder<<HtmlTreeSink as TreeSink>::Handle, HtmlTreeSink>,
    keep: Keep,
}

/// How the characters of a stretch are read.
#[derive(Clone, Copy, PartialEq)]
enum Characters {
    /// With references; a NUL is a token of its own.
    Data,
    /// Without references; a NUL is a token of its own.
    Cdata,
    /// With references.
    Rcdata,
    /// Just as they are.
    Raw,
}

impl Parse<'_> {
    fn run(self, depth_max: usize) -> Option<Html> {
        let mut stack = Stack::new(self.page.as_bytes());
        let mut tokens = Tokens::new(self.page.as_bytes());
        while let Some(token) = tokens.next() {
            match token {
                Token::Text(range) => self.characters(range, Characters::Data),
                Token::Start(token) => {
                    let tag = stack.start(&token, tokens.attributes().len());
                    if stack.is_too_costly(depth_max) {
                        return None;
                    }
                    self.start(&mut tokens, &token, tag);
                }
                Token::End(token) => {
                    let tag = stack.end(&token);
                    let end = self.tag(TagKind::EndTag, &token, tag, tokens.attributes());
                    self.hand_on(HtmlToken::TagToken(end));
                }
                Token::Comment(range) => self.comment(range),
                Token::Bogus(range) if self.is_cdata(&range) => {
                    let content = tokens.cdata(&range);
                    self.characters(content, Characters::Cdata);
                }
                Token::Bogus(range) => self.comment(range),
                Token::Doctype(range) => self.doctype(range),
                Token::Nothing => {}
            }
        }
        self.hand_on(HtmlToken::EOFToken);
        self.builder.end();
        Some(self.builder.sink.finish())
    }

    /// Tells how the characters behind a start tag are read where that is another way than before. Nobody waits for
    /// scripts or asks for charsets.
    fn hand_on(&self, token: HtmlToken) -> Option<Characters> {
        // Numbers of lines are for messages about errors, which nobody reads.
        match self.builder.process_token(token, 1) {
            TokenSinkResult::RawData(RawKind::Rcdata) => Some(Characters::Rcdata),
            TokenSinkResult::RawData(_) | TokenSinkResult::Plaintext => Some(Characters::Raw),
            TokenSinkResult::Continue
            | TokenSinkResult::Script(_)
            | TokenSinkResult::EncodingIndicator(_) => None,
        }
    }

    /// A start tag and, where the tree builder says so, the raw text behind it.
    fn start(&self, tokens: &mut Tokens<'_>, token: &TagToken, tag: Option<Tag>) {
        let start = self.tag(TagKind::StartTag, token, tag, tokens.attributes());
        let is_kept = self.keep == Keep::Everything
            || !matches!(
                tag,
                Some(Tag::Script | Tag::Style | Tag::Noscript | Tag::Noembed | Tag::Noframes)
            )
            || tag == Some(Tag::Script) && is_json_ld(&start);
        let characters = self.hand_on(HtmlToken::TagToken(start));
        if let (Some(characters), Some(tag)) = (characters, tag) {
            let content = tokens.raw_text(tag);
            if is_kept {
                self.characters(content, characters);
            }
        }
    }

    fn tag(
        &self,
        kind: TagKind,
        token: &TagToken,
        tag: Option<Tag>,
        attributes: &[AttributeToken],
    ) -> HtmlTag {
        let mut had_duplicate_attributes = false;
        let mut attrs: Vec<Attribute> = Vec::new();
        // The attributes of end tags are nothing to anyone.
        let attributes = match kind {
            TagKind::StartTag => attributes,
            TagKind::EndTag => &[],
        };
        for attribute in attributes {
            let Some(name) = self.attribute_name(attribute, token, tag) else {
                continue;
            };
            if attrs.iter().any(|attr| attr.name.local == name) {
                had_duplicate_attributes = true;
                continue;
            }
            attrs.push(Attribute {
                name: QualName::new(None, ns!(), name),
                value: self.value(attribute.value.clone()),
            });
        }
        HtmlTag {
            kind,
            name: match tag {
                Some(tag) => TAG_NAMES[tag as usize].clone(),
                None => lower_name(&self.page[token.name.clone()]),
            },
            self_closing: token.is_self_closing,
            attrs,
            had_duplicate_attributes,
        }
    }

    /// `None` for an attribute that is not kept.
    fn attribute_name(
        &self,
        attribute: &AttributeToken,
        token: &TagToken,
        tag: Option<Tag>,
    ) -> Option<LocalName> {
        let name = &self.page[attribute.name.clone()];
        match markup::attr_named(name.as_bytes()) {
            Some(attr) => match tag {
                Some(Tag::Script | Tag::Style) if self.drops() && attr != Attr::Type => None,
                _ => Some(ATTR_NAMES[attr as usize].clone()),
            },
            None if self.drops() && !reads_all_attributes(tag, &self.page[token.name.clone()]) => {
                None
            }
            None => Some(lower_name(name)),
        }
    }

    fn drops(&self) -> bool {
        self.keep == Keep::WhatTreesHold
    }

    fn value(&self, range: Range<usize>) -> StrTendril {
        let value = &self.page[range.clone()];
        if memchr2(b'&', 0, value.as_bytes()).is_none() {
            return self.stretch(range);
        }
        let mut resolved = String::with_capacity(value.len());
        references::resolve(&without_nul(value), true, &mut resolved);
        StrTendril::from_slice(&resolved)
    }

    fn characters(&self, range: Range<usize>, how: Characters) {
        if range.is_empty() {
            return;
        }
        let text = &self.page[range.clone()];
        let has_references = matches!(how, Characters::Data | Characters::Rcdata)
            && memchr(b'&', text.as_bytes()).is_some();
        if !has_references && memchr(0, text.as_bytes()).is_none() {
            self.hand_on(HtmlToken::CharacterTokens(self.stretch(range)));
            return;
        }
        if matches!(how, Characters::Rcdata | Characters::Raw) {
            return self.some_characters(&without_nul(text), has_references);
        }
        for (index, piece) in text.split('\0').enumerate() {
            if index > 0 {
                self.hand_on(HtmlToken::NullCharacterToken);
            }
            self.some_characters(piece, has_references);
        }
    }

    /// Characters without NUL.
    fn some_characters(&self, text: &str, has_references: bool) {
        let mut resolved = String::new();
        let text = if has_references {
            resolved.reserve(text.len());
            references::resolve(text, false, &mut resolved);
            &resolved
        } else {
            text
        };
        if !text.is_empty() {
            self.hand_on(HtmlToken::CharacterTokens(StrTendril::from_slice(text)));
        }
    }

    fn comment(&self, range: Range<usize>) {
        // An empty one stays: where it stands makes a difference to the text around it in tables.
        let comment = match self.keep {
            Keep::Everything => StrTendril::from_slice(&without_nul(&self.page[range])),
            Keep::WhatTreesHold => StrTendril::new(),
        };
        self.hand_on(HtmlToken::CommentToken(comment));
    }

    fn is_cdata(&self, range: &Range<usize>) -> bool {
        self.page.as_bytes()[range.clone()].starts_with(CDATA)
            && self.page.as_bytes()[range.start - 1] == b'!'
            && self
                .builder
                .adjusted_current_node_present_but_not_in_html_namespace()
    }

    /// There is one on a page: the parser's own tokenizer may read it.
    fn doctype(&self, range: Range<usize>) {
        let tokenizer = Tokenizer::new(DoctypeSink::default(), TokenizerOpts::default());
        let queue = BufferQueue::default();
        queue.push_back(StrTendril::from_slice(&self.page[range]));
        drop(tokenizer.feed(&queue));
        tokenizer.end();
        if let Some(doctype) = tokenizer.sink.0.take() {
            self.hand_on(HtmlToken::DoctypeToken(doctype));
        }
    }

    fn stretch(&self, range: Range<usize>) -> StrTendril {
        let place = |at: usize| u32::try_from(at).expect("pages are below Options::BYTES_MAX");
        self.buffer
            .subtendril(place(range.start), place(range.len()))
    }
}

/// A NUL that is no token is a replacement character.
fn without_nul(text: &str) -> Cow<'_, str> {
    match memchr(0, text.as_bytes()) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.replace('\0', "\u{fffd}")),
    }
}

fn is_json_ld(script: &HtmlTag) -> bool {
    let kind = script.attrs.iter().find(|attr| &*attr.name.local == "type");
    kind.is_some_and(|kind| super::html::names_json_ld(kind.value.as_bytes()))
}

/// The tree builder makes more of the element's attributes than to keep them: it compares those of formatting elements (of
/// which `a` is never open twice), some of `template`, `font` and `annotation-xml` decide where an element goes.
fn reads_all_attributes(tag: Option<Tag>, name: &str) -> bool {
    match tag {
        Some(tag) => is_formatting(tag) && tag != Tag::A || tag == Tag::Template,
        None => name.eq_ignore_ascii_case("annotation-xml"),
    }
}

/// The names as the parser holds them, in the order of the enums: finding one there costs more than to clone it here.
static TAG_NAMES: LazyLock<Vec<LocalName>> = LazyLock::new(|| {
    let names = Tag::ALL.iter().map(|tag| tag.as_str());
    names.map(LocalName::from).collect()
});
static ATTR_NAMES: LazyLock<Vec<LocalName>> = LazyLock::new(|| {
    let names = Attr::ALL.iter().map(|attr| attr.as_str());
    names.map(LocalName::from).collect()
});

fn lower_name(name: &str) -> LocalName {
    let name = without_nul(name);
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        false => LocalName::from(name),
        true => LocalName::from(name.to_ascii_lowercase()),
    }
}

/// Takes the document type and nothing else.
#[derive(Default)]
struct DoctypeSink(std::cell::RefCell<Option<Doctype>>);

impl TokenSink for DoctypeSink {
    type Handle = ();

    fn process_token(&self, token: HtmlToken, _: u64) -> TokenSinkResult<()> {
        if let HtmlToken::DoctypeToken(doctype) = token {
            self.0.replace(Some(doctype));
        }
        TokenSinkResult::Continue
    }
}
