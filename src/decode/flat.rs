//! The text of a page that no tree can be built of, taken from its tags and characters alone.

use super::markup::{self, Token, Tokens};
use super::references;
use crate::tree::Tag;

/// The text of `page`: a line for each block, an empty line around paragraphs and headings, blanks run together. Where a tree
/// would tell that something is no text of the page (a `template` that may never end), it is kept.
pub(super) fn text(page: &str) -> String {
    let mut lines = Lines::default();
    let mut tokens = Tokens::new(page.as_bytes());
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(range) => lines.push(&page[range]),
            Token::Start(tag) => match Tag::named(page[tag.name].as_bytes()) {
                Some(tag) if markup::is_raw(tag) => {
                    let content = tokens.raw_text(tag);
                    if matches!(tag, Tag::Textarea | Tag::Xmp | Tag::Plaintext) {
                        lines.push(&page[content]);
                    }
                }
                tag => lines.end(line_end(tag)),
            },
            Token::End(tag) => lines.end(line_end(Tag::named(page[tag.name].as_bytes()))),
            Token::Comment(_) | Token::Bogus(_) | Token::Doctype(_) | Token::Nothing => {}
        }
    }
    let mut text = String::with_capacity(lines.text.len());
    references::resolve(&lines.text, false, &mut text);
    text
}

/// How a piece of text ends where a tag stands.
#[derive(Clone, Copy, Default, PartialEq, PartialOrd)]
enum End {
    /// Not at all.
    #[default]
    None,
    Blank,
    Line,
    Paragraph,
}

fn line_end(tag: Option<Tag>) -> End {
    use Tag::*;
    let Some(tag) = tag else {
        return End::None;
    };
    match tag {
        P | H1 | H2 | H3 | H4 | H5 | H6 | Blockquote | Pre | Ul | Ol | Dl | Table | Figure | Hr => {
            End::Paragraph
        }
        Address | Article | Aside | Body | Br | Button | Caption | Center | Dd | Details
        | Dialog | Dir | Div | Dt | Fieldset | Figcaption | Footer | Form | Frameset | Head
        | Header | Hgroup | Html | Iframe | Legend | Li | Main | Menu | Nav | Optgroup | Option
        | Section | Search | Select | Summary | Tbody | Tfoot | Thead | Tr | Video | Audio
        | Object | Canvas => End::Line,
        Td | Th => End::Blank,
        _ => End::None,
    }
}

#[derive(Default)]
struct Lines {
    text: String,
    /// What has to come before the next word.
    pending: End,
}

impl Lines {
    fn end(&mut self, end: End) {
        if end > self.pending {
            self.pending = end;
        }
    }

    fn push(&mut self, piece: &str) {
        let is_blank = |c: char| c.is_ascii_whitespace();
        for word in piece.split_inclusive(is_blank) {
            let bare = word.trim_end_matches(is_blank);
            if !bare.is_empty() {
                if !self.text.is_empty() {
                    self.text.push_str(match self.pending {
                        End::None => "",
                        End::Blank => " ",
                        End::Line => "\n",
                        End::Paragraph => "\n\n",
                    });
                }
                self.text.push_str(bare);
                self.pending = End::None;
            }
            if bare.len() < word.len() {
                self.end(End::Blank);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_lines_and_inline_tags_leave_no_trace() {
        let page = "<title>T</title><h1>Head &amp; line</h1>\n<p>One <b>bo</b>ld\n word.<p>Two<br>three</p>\
                    <ul><li>a</li><li>b</li></ul><table><tr><td>1<td>2</tr></table><script>x</script>\
                    <!-- no --><style>no</style>1 &lt; 2 < 3";
        assert_eq!(
            text(page),
            "Head & line\n\nOne bold word.\n\nTwo\nthree\n\na\nb\n\n1 2\n\n1 < 2 < 3"
        );
    }
}
