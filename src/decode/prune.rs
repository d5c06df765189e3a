//! One look over a page's tags before it is parsed. It cuts what is no text of the page and makes half of its bytes and
//! more (scripts, styles, comments, attributes that nobody reads), and it finds pages that no tree should be built of.
//!
//! What is cut makes no difference to the tree; [`super::html`] tests that on soups of tags and on real pages.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use super::markup::{self, AttributeToken, Token, Tokens};
use super::stack::{Stack, is_formatting};
use crate::tree::{Attr, Tag};

/// The page without what a parser need not see; `None` if it is too deep, or too costly, to build a tree of.
pub(super) fn prune(page: &str, depth_max: usize) -> Option<Cow<'_, str>> {
    let bytes = page.as_bytes();
    let mut cuts = Cuts::new(page);
    let mut stack = Stack::new(bytes);
    let mut tokens = Tokens::new(bytes);
    while let Some(token) = tokens.next() {
        match token {
            Token::Start(tag_token) => {
                let tag = stack.start(&tag_token, tokens.attributes().len());
                if stack.is_too_costly(depth_max) {
                    return None;
                }
                if stack.is_certain && !reads_all_attributes(tag, &bytes[tag_token.name.clone()]) {
                    cut_attributes(&mut cuts, bytes, tokens.attributes(), tag);
                }
                // Inside `svg` and `math` there is no raw text.
                let raw = tag.filter(|&tag| markup::is_raw(tag) && stack.foreign == 0);
                if let Some(tag) = raw {
                    let is_json_ld = tag == Tag::Script && is_json_ld(&tokens);
                    let content = tokens.raw_text(tag);
                    let is_dropped = matches!(
                        tag,
                        Tag::Script | Tag::Style | Tag::Noscript | Tag::Noembed | Tag::Noframes
                    );
                    if is_dropped && stack.is_certain && !is_json_ld {
                        cuts.cut(content);
                    }
                }
            }
            Token::End(tag) => stack.end(&tag),
            // Comments stay as empty ones: where one stands makes a difference to the text around it in tables.
            Token::Comment(content) if stack.foreign == 0 && stack.is_certain => cuts.cut(content),
            // Perhaps CDATA, in which nothing is markup.
            Token::Other if stack.foreign > 0 => stack.is_certain = false,
            Token::Comment(_) | Token::Text(_) | Token::Other => {}
        }
    }
    Some(cuts.finish())
}

/// The script's type says that it is JSON-LD.
fn is_json_ld(tokens: &Tokens<'_>) -> bool {
    let kind = tokens.attribute("type").unwrap_or_default();
    // As a character reference it may hide the word; then the script is kept and the parser decides.
    memchr(b'&', kind).is_some() || super::html::names_json_ld(kind)
}

/// The parser makes more of the element's attributes than to keep them: it compares those of formatting elements (of which
/// `a` is never open twice), some of `template`, `font` and `annotation-xml` decide where an element goes.
fn reads_all_attributes(tag: Option<Tag>, name: &[u8]) -> bool {
    match tag {
        Some(tag) => is_formatting(tag) && tag != Tag::A || tag == Tag::Template,
        None => name.eq_ignore_ascii_case(b"annotation-xml"),
    }
}

/// Cuts the attributes that a tree does not hold: a quarter of what is left of a page without scripts.
fn cut_attributes(
    cuts: &mut Cuts<'_>,
    bytes: &[u8],
    attributes: &[AttributeToken],
    tag: Option<Tag>,
) {
    for attribute in attributes {
        let attr = markup::attr_named(&bytes[attribute.name.clone()]);
        let is_kept = match tag {
            Some(Tag::Script | Tag::Style) => attr == Some(Attr::Type),
            _ => attr.is_some(),
        };
        if !is_kept {
            cuts.cut(attribute.name.start..attribute.end);
        }
    }
}

/// The page with stretches left out.
struct Cuts<'a> {
    page: &'a str,
    kept: String,
    kept_to: usize,
}

impl<'a> Cuts<'a> {
    fn new(page: &'a str) -> Cuts<'a> {
        Cuts {
            page,
            kept: String::new(),
            kept_to: 0,
        }
    }

    fn cut(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        if self.kept_to == 0 {
            self.kept.reserve(self.page.len());
        }
        self.kept.push_str(&self.page[self.kept_to..range.start]);
        self.kept_to = range.end;
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.kept_to == 0 {
            return Cow::Borrowed(self.page);
        }
        self.kept.push_str(&self.page[self.kept_to..]);
        Cow::Owned(self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pruned(page: &str) -> String {
        prune(page, 16).expect("not deep").into_owned()
    }

    #[test]
    fn scripts_styles_and_comments_are_cut_but_their_tags_stay() {
        assert_eq!(
            pruned(
                "<style>a</style>b<script x=1>c<b></script>d<!--e-->f<noscript><img></noscript>"
            ),
            "<style></style>b<script ></script>d<!---->f<noscript></noscript>"
        );
        assert!(matches!(
            prune("<p>plain", 16),
            Some(Cow::Borrowed("<p>plain"))
        ));
    }

    #[test]
    fn attributes_that_no_tree_holds_are_cut() {
        assert_eq!(
            pruned(
                "<p onclick='>' CLASS=a data-x=1 id=b/><b x=y><script src=z type=t></script><br clear>"
            ),
            "<p  CLASS=a  id=b/><b x=y><script  type=t></script><br >"
        );
    }

    #[test]
    fn json_ld_text_fields_and_foreign_content_stay() {
        for page in [
            "<script type=\"application/ld+json\">{}</script>",
            "<script type='application/LD+JSON; charset=utf-8'>{}</script>",
            "<script type='application/ld&#43;json'>{}</script>",
            "<textarea><script>a</script></textarea>",
            "<title><!--a--></title>",
            "<svg><style>a</style><!--b--></svg>",
            "<frameset><script>a</script>",
        ] {
            assert_eq!(pruned(page), page);
        }
    }
}
