//! HTML to [`Html`]: a tokenizer of our own drives html5ever's tree builder. It is the way of pages that [`super::direct`]
//! leaves.
//!
//! Two thirds of the time of `Html::parse_document` go into its tokenizer, which looks at each character; this one looks for
//! the next byte that matters ([`super::markup`]) and hands on stretches of the page without copying them. The tree is the
//! same, by test: `html()` of both is compared on pages, on cases for each state of the standard, and on mutations of both.
//! One difference is known: a line feed right behind `<pre>` that is written `&#10`, without its semicolon, stays in
//! html5ever's tree and is left out by the standard.
//! A page that would cost too much (see [`super::stack`]) is given up.

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

use super::markup::{self, CDATA, TagToken, Token, Tokens};
use super::references;
use super::stack::Stack;
use crate::tree::Tag;

/// Parses a page; `None` if it nests elements deeper than `depth_max` or would cost out of proportion.
pub(super) fn parse(page: &str, depth_max: usize) -> Option<Html> {
    let page = markup::preprocessed(page);
    let parse = Parse {
        page: &page,
        buffer: StrTendril::from_slice(&page),
        builder: TreeBuilder::new(HtmlTreeSink::new(Html::new_document()), Default::default()),
    };
    parse.run(depth_max)
}

struct Parse<'a> {
    page: &'a str,
    /// The page once more, of which tokens share stretches.
    buffer: StrTendril,
    builder: TreeBuilder<<HtmlTreeSink as TreeSink>::Handle, HtmlTreeSink>,
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
                    let end = self.tag(TagKind::EndTag, &token, tag, Vec::new(), false);
                    self.hand_on(HtmlToken::TagToken(end));
                }
                Token::Comment(range) => self.comment(range),
                Token::Bogus(range) if self.is_cdata(&range) => {
                    let content = tokens.cdata(&range);
                    self.characters(content, Characters::Cdata);
                }
                Token::Bogus(range) => self.comment(range),
                Token::Doctype(range) => self.doctype(range),
                // For the parser it is an error, and that is a token: a line feed behind it is kept, even behind `pre`.
                Token::Nothing => {
                    self.hand_on(HtmlToken::ParseError("an end tag without a name".into()));
                }
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
        let (attrs, had_duplicates) = self.attributes(tokens);
        let start = self.tag(TagKind::StartTag, token, tag, attrs, had_duplicates);
        let characters = self.hand_on(HtmlToken::TagToken(start));
        if let (Some(characters), Some(tag)) = (characters, tag) {
            self.characters(tokens.raw_text(tag), characters);
        }
    }

    fn tag(
        &self,
        kind: TagKind,
        token: &TagToken,
        tag: Option<Tag>,
        attrs: Vec<Attribute>,
        had_duplicate_attributes: bool,
    ) -> HtmlTag {
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

    /// The attributes of the tag that was read last, and whether one stood twice.
    fn attributes(&self, tokens: &Tokens<'_>) -> (Vec<Attribute>, bool) {
        let mut attrs: Vec<Attribute> = Vec::with_capacity(tokens.attributes().len());
        let mut had_duplicates = false;
        for attribute in tokens.attributes() {
            let name = lower_name(&self.page[attribute.name.clone()]);
            if attrs.iter().any(|attr| attr.name.local == name) {
                had_duplicates = true;
                continue;
            }
            attrs.push(Attribute {
                name: QualName::new(None, ns!(), name),
                value: self.value(attribute.value.clone()),
            });
        }
        (attrs, had_duplicates)
    }

    fn value(&self, range: Range<usize>) -> StrTendril {
        let value = &self.page[range.clone()];
        if memchr2(b'&', 0, value.as_bytes()).is_none() {
            return self.stretch(range);
        }
        StrTendril::from_slice(&references::resolved(&without_nul(value), true))
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
        let comment = without_nul(&self.page[range]);
        self.hand_on(HtmlToken::CommentToken(StrTendril::from_slice(&comment)));
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

/// The names as the parser holds them, in the order of [`Tag`]: finding one there costs more than to clone it here.
static TAG_NAMES: LazyLock<Vec<LocalName>> = LazyLock::new(|| {
    let names = Tag::ALL.iter().map(|tag| tag.as_str());
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways of reading `page`, side by side.
    fn assert_same(page: &str) {
        let ours = parse(page, 100_000).expect("small");
        let theirs = Html::parse_document(page);
        assert!(
            ours == theirs,
            "{page:?}\nours:   {}\ntheirs: {}",
            ours.html(),
            theirs.html()
        );
        crate::decode::html::tests::assert_same_tree(page);
    }

    /// Cases for the states of the tokenizer (HTML standard, 13.2.5), in its order.
    const CASES: &[&str] = &[
        // Data, RCDATA, RAWTEXT, script data, PLAINTEXT.
        "a\0b",
        "a&amp;b\r\nc\rd\n\re",
        "\u{feff}a\u{feff}",
        "<title>a&lt;b\0c<b>d</title>e",
        "<title>a</titl></title x=y>b",
        "<textarea>\n\na</textarea>",
        "<textarea>\r\na",
        "<pre>\n\na</pre><listing>\r\nb",
        "<pre>&#10;a",
        "<style>a<b>&amp;\0</style >b",
        "<style>a</style",
        "<style>a</style ",
        "<style>a</style/>b",
        "<xmp><b>a</xmp><iframe><p>b</iframe><noembed>c</noembed><noframes>d</noframes><noscript><p>e</noscript>",
        "<plaintext><b>a</plaintext>&amp;\0",
        "<head><noscript><style>a</style></noscript>",
        // Tag open, end tag open, tag name.
        "<",
        "a<",
        "</",
        "a</",
        "<>",
        "</>",
        "a</>b",
        "<1",
        "</1>",
        "< p>",
        "</ p>a",
        "<?xml a?>b",
        "<?",
        "<!",
        "<!>a",
        "<p",
        "<p ",
        "<p/",
        "<P CLASS=A>",
        "<p\0q>a",
        "<p<q>a",
        "<é>a",
        "<p\nclass=a\n>b",
        "<p\u{c}class=a>b",
        "</p\0>",
        // RCDATA and RAWTEXT end tags that are none.
        "<title>a</title1></title>",
        "<title></TITLE>",
        "<title><title></title>",
        "<style></ style></style>",
        // Scripts and their escapes.
        "<script>a<!--b</script>c",
        "<script><!--<script>a</script>b--></script>c",
        "<script><!--<script></script></script>d",
        "<script><!-- <script> --> </script>e",
        "<script><!--></script>f",
        "<script><!---></script>g",
        "<script><!----><script></script>h",
        "<script><!--<scripty></script>i",
        "<script><!--<script/>a</script>b</script>c",
        "<script><!--\0<script\0></script>j",
        "<script><!-a</script>k",
        "<script></scriptx></script>l",
        "<script><!--<script>",
        "<script><!--<script></scrip",
        "<script></script",
        "<script><!--a--b-->c</script>d",
        "<SCRIPT>a</ScRiPt>b",
        "<script><!--<script>a--></script>b",
        "<script><!--<script>--!></script>c</script>d",
        "<script>\r\na</script>",
        "<script><!--<SCRIPT >a</SCRIPT >b</script>c",
        "<script><!-- </script-->a</script>b",
        "<script><!<!--</script>a",
        // Attributes.
        "<p a>",
        "<p a=>",
        "<p a= >",
        "<p a=b>",
        "<p a = b>",
        "<p a='b'c=\"d\">",
        "<p a=b=c>",
        "<p =a>",
        "<p = a>",
        "<p a'=b>",
        "<p a=\"b>c",
        "<p a='b",
        "<p a=b",
        "<p a=b/>",
        "<p a/ b>",
        "<p a/b=c>",
        "<p / a>",
        "<p a b/ =c>",
        "<p a=`b`>",
        "<p a<b=c>",
        "<p A=B a=c>",
        "<p a=1 a=2 b=3>",
        "<p a\0=\0b>",
        "<p a=\"\r\nb\">",
        "<p é=ü>",
        "<p a=\"b\"\n>",
        "<p a=&lt;b&copy=c&copy;d&amp>",
        "<p a='&copyb &copy= &copy'>",
        "<p a=&#65;&#x;&#>",
        "<p a=\"&notin;&notit;\">",
        "<p a=''b>",
        "<p a=\"\"\"\">",
        "<p a  =  'b' c>",
        "<p ====>",
        "<p\"a\">",
        "</p a=b>c",
        "<br/><br / ><br/ >",
        "<a href=/b/>c",
        "<p a=b'c\"d<e>",
        // Bogus comments, markup declarations.
        "<!a>b",
        "<!-a>b",
        "<!doctyp>",
        "<!\0>",
        "<?a\0?>",
        "</ \0>",
        "<![CDATA[a]]>b",
        "<![cdata[a]]>",
        "<!ELEMENT a>",
        // Comments.
        "<!---->a",
        "<!-->a",
        "<!--->a",
        "<!---->-->a",
        "<!--a-->b",
        "<!--a--!>b",
        "<!--a--!-->b",
        "<!--a---->b",
        "<!--a-- >b-->",
        "<!--",
        "<!---",
        "<!----",
        "<!-----",
        "<!----!",
        "<!----!>a",
        "<!---!>a-->b",
        "<!--a-",
        "<!--a--",
        "<!--a--!",
        "<!--a--!b",
        "<!--a<!--b-->c-->",
        "<!--<!-->a",
        "<!--<!--->a",
        "<!--a<!",
        "<!--a<!-",
        "<!--a<!--",
        "<!--a\0b-->",
        "<!--a\r\nb-->",
        "<!--a--\0-->",
        "<!--a---",
        "<!--a--->b",
        "<!--a--!--",
        "<!--->-->",
        // Document types.
        "<!doctype html>",
        "<!DOCTYPE>",
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD HTML 4.01//EN\" \"http://www.w3.org/TR/html4/strict.dtd\">a",
        "<!doctypehtml>",
        "<!doctype\0html>",
        "<!doctype html SYSTEM 'a>b'>",
        "<!doctype html public>",
        "<!doctype html",
        "<!doctype",
        "<!doctype html PUBLIC '-//W3C//DTD HTML 3.2//EN'><table><p>",
        "a<!doctype html>",
        "<!doctype HTML x y>",
        "<!doctype\r\nhtml>",
        "<!doctype html><!doctype a>",
        "<!doctype html PUBLIC\"a\"'b'c>",
        // CDATA.
        "<svg><![CDATA[a<b>&amp;\0]]></svg>",
        "<svg><![CDATA[a]]]]></svg>",
        "<svg><![CDATA[a]>b",
        "<math><mi><![CDATA[a]]></mi></math>",
        "<svg><foreignObject><![CDATA[a]]>",
        "<svg></svg><![CDATA[a]]>",
        "<svg><![CDATA[",
        "<svg><![CDATA[]]>a",
        "<svg><![CDATA[a\r\nb]]>",
        "<svg></![CDATA[a]]>b",
        "<svg><?[CDATA[a]]>b",
        // Character references.
        "&",
        "&;",
        "&a",
        "&amp",
        "&amp;",
        "&ampx",
        "&AMP&amp",
        "&notin&notit;&not;",
        "&#65;&#x41;&#65&#x41 &#;&#x;&#xg",
        "&#0;&#x80;&#150;&#xD800;&#x110000;&#xFFFF;&#1;&#13;&#10;",
        "&NotEqualTilde;&ThickSpace;",
        "&nosuch;&nosuch",
        "&\0",
        "& amp;",
        "&Afr;&zwnj;&ngE;",
        "&ac",
        "&acE;",
        "&CounterClockwiseContourIntegral;",
        "&lt&gt",
        "&#9999999999999999999;",
        "&#X41;",
        "&#x0041",
        // What the tree builder makes of them: tables, formatting, foreign content, templates, frames.
        "<table>a<tr>b<td>c</table>",
        "<table><!--a--> b<tr>",
        "<table>\0a<input type=hidden><input type=text>",
        "<table><svg><tr>",
        "<b>a<p>b</b>c",
        "<a href=1>b<a href=2>c",
        "<b><b><b><b><p></b>a",
        "<font color=a><font color=a><font color=b><p></font>c",
        "<svg><title>a</title><style>b<p></style><script>c</script><path d=e/>f",
        "<svg><desc><p>a</svg>b",
        "<math><annotation-xml encoding='text/html'><p>a",
        "<svg viewbox=1 XLINK:HREF=2 definitionurl=3>",
        "<template><tr><td>a</template>b",
        "<div><template shadowrootmode=open>a</template>",
        "<frameset><frame><noframes>a</noframes></frameset>",
        "<select><option>a<script>b</script></select>",
        "<body a=1><body a=2 b=3><html c=4>",
        "<svg>\0a</svg><p>\0b",
        "<select><title>a</title>",
        "<head></head>\0 a",
        "<form><form></form>",
        "<button><button>",
        "<nobr><nobr>",
        "<option><optgroup>",
        "<ruby>a<rt>b<rp>c",
        "<li>a<li>b</ul>",
        "<isindex>",
        "<image src=a>",
        "<keygen>",
        "<math><mglyph><malignmark><mi><mglyph>",
        "<p><svg></p>a",
        "<svg><br>a",
        "<svg><font>a",
        "<svg><font color=b>a",
        "</br>",
        "</p>",
        "<x-y/>a</x-y>",
        "<col><caption>",
        // What stands between texts, and what does not.
        "<ul> </b>a</ul>",
        "<ul>a</> </ul>",
        "<ul> <!--a--> b",
        "<ul> <script></script> b",
        "<ul>a</body><!--b--> ",
        "<ul>a<!doctype html> ",
        "<pre></b>\na",
        "<pre></>\na",
        "<pre><!doctype html>\na",
        "<html>a</html> b<!--c--> d",
        // Elements that end without what is in them, are opened anew, or are of another kind inside.
        "<form><div></form>a</div>b<form>c",
        "<form><p></form>a<p>b",
        "<table><form><td></form><form>a",
        "<a><table><td><a>b</table>c",
        "<b><object><p></b>a</object>b",
        "<b><marquee></b>a</marquee>b",
        "<p><b>a<p><i>b<svg></p>c",
        "<a><svg><title></a>b",
        "<svg></body>a<p>b",
        "<svg><a></A><G></g>b",
        "<svg><style>a</style><title>b<br>c",
        "<svg><image><listing>a",
        "<table><td><svg><td>a</svg>b<td>c",
        "<template><template><li></template><p></template>a",
        "<head><template><p>a",
        "<template><svg></template>a",
        "<template><table><td>a</template>b",
        "<template></p><title>a</title><form></template></form>b",
        "<template><b>a</template><p>b",
        "</head><template>a</template><noscript>b",
        "<svg><template>a</template>b",
        "<select><button><option>a<select>b<hr>c",
        "<select></body>a",
        "<select><input>a",
        "<li><ul></li>a<li>b",
        "<dd><p><dt>a</dd>b",
        "<h1>a<h2>b</h3>c",
        "<p><table></p>a",
        "<table><tr></table>a<table><caption><tr>b",
        "<table><colgroup> <col></colgroup></col><td>a",
        "<table><table>a",
        "<html lang=a><html lang=b id=c><body id=d><body id=e class=f>",
        "<body><p></body> a<div>b",
        "<head><noscript>a</noscript></head><noscript>b",
        "<dialog><p></dialog>a<search><b></search>c",
    ];

    #[test]
    fn cases_of_each_state_are_read_as_the_parser_reads_them() {
        for case in CASES {
            assert_same(case);
            // Behind and before other things, and inside an element.
            assert_same(&format!("<!doctype html><p>x{case}"));
            assert_same(&format!("<div>{case}</div>y<b>z"));
            assert_same(&format!("<svg>{case}</svg>y"));
            assert_same(&format!("<table><td>{case}</table>y"));
        }
    }

    #[test]
    fn pairs_of_cases_are_read_as_the_parser_reads_them() {
        for (index, first) in CASES.iter().enumerate() {
            for second in CASES.iter().skip(index % 7).step_by(7) {
                assert_same(&format!("{first}{second}"));
            }
        }
    }

    /// splitmix64.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
        }
    }

    /// Fragments of the pages among the seeds, each with a few characters dropped, doubled, exchanged or put in.
    /// `FAIRCOPY_FRAGMENTS` makes it longer (a million for a release).
    #[test]
    fn mutated_fragments_are_read_as_the_parser_reads_them() {
        const SIGNS: &[&str] = &[
            "<",
            ">",
            "/",
            "=",
            "\"",
            "'",
            "!",
            "--",
            "&",
            ";",
            "#",
            "\0",
            "\r",
            "\n",
            " ",
            "?",
            "]]>",
            "<![CDATA[",
            "<!--",
            "-->",
            "<script>",
            "</script>",
            "<svg>",
            "</svg>",
            "<table>",
            "<td>",
            "<b>",
            "<p>",
            "</p>",
            "<title>",
            "<style>",
            "</style>",
            "<template>",
            "<math>",
            "<select>",
            "é",
        ];
        let count =
            std::env::var("FAIRCOPY_FRAGMENTS").map_or(2_000, |n| n.parse().expect("a number"));
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .expect("the seeds are there")
            .map(|entry| entry.expect("the seeds are there").path())
            .filter(|path| path.extension().is_some_and(|e| e == "html"))
            .collect();
        names.sort();
        let pages: Vec<Vec<char>> = names
            .iter()
            .map(|path| std::fs::read(path).expect("the seeds are there"))
            .map(|raw| String::from_utf8_lossy(&raw).chars().collect())
            .collect();
        let mut dice = Dice(1);
        for _ in 0..count {
            let page = &pages[dice.below(pages.len())];
            let start = dice.below(page.len());
            let end = (start + 1 + dice.below(400)).min(page.len());
            let mut fragment = page[start..end].to_vec();
            for _ in 0..dice.below(8) {
                let at = dice.below(fragment.len());
                match dice.below(4) {
                    0 if !fragment.is_empty() => {
                        fragment.remove(at);
                    }
                    1 if !fragment.is_empty() => fragment.insert(at, fragment[at]),
                    2 if !fragment.is_empty() => {
                        let other = dice.below(fragment.len());
                        fragment.swap(at, other);
                    }
                    _ => {
                        let sign = SIGNS[dice.below(SIGNS.len())];
                        fragment.splice(at..at, sign.chars());
                    }
                }
            }
            assert_same(&fragment.iter().collect::<String>());
        }
    }
}
