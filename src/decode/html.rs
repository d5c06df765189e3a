//! HTML to [`crate::tree::Tree`].

use std::borrow::Cow;

use memchr::memchr;
use scraper::Html;

use super::{Options, direct, flat, markup, stock, tokenizer};
use crate::document::{Body, Flag};
use crate::tree::Tree;

/// A larger page would take several hundred megabytes as a tree; pages of news are below 2 MB.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// Reads a page. One that no tree can be built of (see [`super::stack`]) becomes flat text.
pub(super) fn read(page: Cow<'_, str>, options: &Options, flags: &mut Vec<Flag>) -> Body {
    if page.len() > PAGE_BYTES_MAX {
        flags.push(Flag::TooLarge);
        return Body::Text(flat::text(&page));
    }
    match tree(&page, options.depth_max) {
        Some(tree) => Body::Page(Box::new(tree)),
        None => {
            flags.push(Flag::TooDeep);
            Body::Text(flat::text(&page))
        }
    }
}

/// The tree of a page, if one can be built.
fn tree(page: &str, depth_max: usize) -> Option<Tree> {
    // What becomes of a NUL depends on each state of the standard's tokenizer.
    let has_nul = memchr(0, page.as_bytes()).is_some();
    if !has_nul && let Some(tree) = direct::tree(&markup::preprocessed(page), depth_max) {
        return Some(tree);
    }
    let mut html = tokenizer::parse(page, depth_max)?;
    if has_nul {
        // We know of no difference, and such pages are too rare to be worth one. This one was seen to be no deeper and no
        // dearer than others, so that the parser may have it whole.
        html = Html::parse_document(page);
    }
    Some(stock::tree(&html, page.len()))
}

/// What a `script`'s type says when its content is JSON-LD.
pub(super) fn names_json_ld(kind: &[u8]) -> bool {
    const NAME: &[u8] = b"ld+json";
    kind.windows(NAME.len())
        .any(|part| part.eq_ignore_ascii_case(NAME))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tree::{Attr, Tag};

    fn tree(page: &str) -> Tree {
        super::tree(page, 512).expect("not deep")
    }

    fn by_parser(page: &str) -> Tree {
        stock::tree(&Html::parse_document(page), page.len())
    }

    /// The trees of `page`, ours and the parser's, side by side.
    pub(in crate::decode) fn assert_same_tree(page: &str) {
        let ours = super::tree(page, 100_000).expect("small");
        let theirs = by_parser(page);
        assert!(
            ours == theirs,
            "{page:?}\nours:   {}\ntheirs: {}",
            shape(&ours),
            shape(&theirs)
        );
    }

    fn shape(tree: &Tree) -> String {
        let mut shape = String::new();
        for node in tree.nodes() {
            if !shape.is_empty() {
                shape.push(' ');
            }
            shape += &".".repeat(tree.ancestors(node).count());
            match tree.tag(node) {
                Some(tag) => shape += tag.as_str(),
                None => shape += &format!("{:?}", tree.text_of(node)),
            }
        }
        shape
    }

    #[test]
    fn a_page_becomes_its_elements_and_its_text() {
        let tree = tree(
            "<!doctype html><title>A &amp; B</title><p class=x data-y=z>a<b>b</b><br>c<!-- d -->e<x-y>f</x-y>",
        );
        assert_eq!(
            shape(&tree),
            "html .head ..title .body ..p ...\"a\" ...b ....\"b\" ...br ...\"ce\" ... ....\"f\""
        );
        assert_eq!(tree.title(), Some("A & B"));
        let p = tree.elements(Tag::P).next().unwrap();
        assert_eq!(tree.attrs(p).collect::<Vec<_>>(), [(Attr::Class, "x")]);
        let other = tree.elements(Tag::Other).next().unwrap();
        assert_eq!(tree.attr(other, Attr::LocalName), Some("x-y"));
    }

    #[test]
    fn what_is_no_text_of_the_page_is_left_out() {
        let tree = tree(
            "<body><script>a</script><style>b</style><noscript>c</noscript><template>d</template>\
             <div><template shadowrootmode=open>e</template></div><textarea>f</textarea>\
             <svg><title>g</title><text>h</text><svg>i</svg>j<style>k</style></svg><p hidden>l</p>\
             <script type=application/ld+json>{\"m\":1}</script><select><option>n</select><iframe>o</iframe>",
        );
        assert_eq!(tree.text(), "efghijlno");
        assert_eq!(tree.json_ld(), ["{\"m\":1}"]);
        let svg = tree.elements(Tag::Svg).next().unwrap();
        assert_eq!(tree.text_of(svg), "ghij");
        assert!(tree.children(svg).all(|node| tree.is_text(node)));
    }

    #[test]
    fn a_page_with_a_nul_is_read_by_the_parser_itself_and_a_deep_one_is_not() {
        let (options, mut flags) = (Options::default(), Vec::new());
        let body = read("<p>a\0b<p>c".into(), &options, &mut flags);
        assert!(matches!(body, Body::Page(page) if *page == tree("<p>ab<p>c")));
        assert_eq!(flags, []);
        let deep = format!("\0{}", "<div>".repeat(options.depth_max + 1));
        read(deep.into(), &options, &mut flags);
        assert_eq!(flags, [Flag::TooDeep]);
    }

    #[test]
    fn blanks_that_no_layout_shows_are_dropped() {
        let tree = tree(
            "<html>\n<head>\n</head>\n<body><ul>\n<li>a b</li>\n</ul> <p> c</p>\n<table>\n<tr>\n<td>d</table>",
        );
        assert_eq!(tree.text(), "a b  c\nd");
    }

    /// Pieces of pages, so that soups of them meet the parser's corners.
    fn soup() -> impl Strategy<Value = String> {
        const PIECES: &[&str] = &[
            "<p>",
            "</p>",
            "<b>",
            "</b>",
            "<i class='>'>",
            "</i>",
            "<a href=x>",
            "</a>",
            "<div id=\"a>b\">",
            "</div>",
            "<table>",
            "</table>",
            "<tr>",
            "<td>",
            "</td>",
            "<caption>",
            "<ul>",
            "<li>",
            "</ul>",
            "<select>",
            "<option>",
            "</select>",
            "<script>",
            "</script>",
            "<script type=application/ld+json>",
            "<style>",
            "</style>",
            "<title>",
            "</title>",
            "<textarea>",
            "</textarea>",
            "<noscript>",
            "</noscript>",
            "<svg>",
            "</svg>",
            "<math>",
            "</math>",
            "<mi>",
            "<template>",
            "</template>",
            "<!--",
            "-->",
            "--!>",
            "<!-->",
            "<!",
            "<?x",
            "</",
            "<",
            ">",
            "=",
            "\"",
            "'",
            "/",
            " ",
            "\n",
            "text",
            "&amp;",
            "&",
            "\0",
            "<br>",
            "<form>",
            "</form>",
            "<button>",
            "</button>",
            "<iframe>",
            "</iframe>",
            "<h1>",
            "</h1>",
            "<body class=x>",
            "<html lang=en>",
            "<head>",
            "</head>",
            "</body>",
            "</html>",
            "<foreignObject>",
            "<desc>",
            "<noembed>",
            "</noembed>",
            "<x-y>",
            "</x-y>",
            "<![CDATA[",
            "]]>",
            "<object>",
            "</object>",
            "<frameset>",
            "<meta charset=utf-8>",
            "<img src=x>",
            "<p x=1 class=y z>",
            "<div onclick='>' id=a>",
            "<font color=1>",
            "<font face=2>",
            "<svg xlink:href=x viewBox=y lang=z>",
            "<path d='M0'/>",
            "<g fill=x/>",
            "<td align=x colspan=2 data-x>",
            "<input type=hidden x=y>",
            "<annotation-xml encoding=text/html>",
            "<template shadowrootmode=open x=y>",
            "<a x='1'name=2>",
            "<p hidden=",
            "<dl>",
            "<dd>",
            "<dt>",
            "</li>",
            "</dd>",
            "</h2>",
            "<pre>",
            "<hr>",
            "</br>",
            "<tbody>",
            "<tfoot>",
            "<th>",
            "<col>",
            "<colgroup>",
            "</tr>",
            "</tbody>",
            "</caption>",
            "</colgroup>",
            "<optgroup>",
            "<ruby>",
            "<rt>",
            "<rtc>",
            "<nobr>",
            "<marquee>",
            "<xmp>",
            "<image>",
            "<dialog>",
            "<header>",
            "<details>",
            "</details>",
            "<!doctype html>",
            "</>",
            "é",
            "漢",
        ];
        let piece = proptest::sample::select(PIECES);
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    #[test]
    fn what_is_left_out_makes_no_difference_on_real_pages() {
        let Some(corpus) = std::env::var_os("FAIRCOPY_CORPUS").map(std::path::PathBuf::from) else {
            println!("skipped: needs FAIRCOPY_CORPUS");
            return;
        };
        for set in ["noise", "aeb", "fundus", "wcxb_dev", "htmldate"] {
            for entry in std::fs::read_dir(corpus.join(set).join("html"))
                .into_iter()
                .flatten()
            {
                let path = entry.unwrap().path();
                let page = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                assert!(tree(&page) == by_parser(&page), "{}", path.display());
                let html = tokenizer::parse(&page, 512).expect("not deep");
                assert!(
                    html.html() == Html::parse_document(&page).html(),
                    "{}",
                    path.display()
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_is_left_out_makes_no_difference(page in soup()) {
            prop_assert_eq!(tree(&page), by_parser(&page));
        }

        #[test]
        fn the_whole_page_is_read_as_the_parser_reads_it(page in soup()) {
            let html = tokenizer::parse(&page, 512).expect("not deep");
            prop_assert_eq!(html, Html::parse_document(&page));
        }

        #[test]
        fn depth_is_never_missed_by_much(page in soup()) {
            // The outline may count an element more or less; what it lets pass has to stay near the limit.
            for depth_max in [4, 8, 16] {
                if super::tree(&page, depth_max).is_some() {
                    let tree = by_parser(&page);
                    let depth = tree.nodes().map(|node| tree.ancestors(node).count()).max();
                    prop_assert!(depth.unwrap_or(0) <= 4 * depth_max + 8);
                }
            }
        }
    }
}
