//! HTML to [`crate::tree::Tree`].

use std::borrow::Cow;

use super::tokenizer::parse;
use super::{Options, flat};
use crate::document::{Body, Flag};

/// A larger page would take several hundred megabytes as a tree; pages of news are below 2 MB.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// Reads a page. One that no tree can be built of (see [`super::stack`]) becomes flat text.
pub(super) fn read(page: Cow<'_, str>, options: &Options, flags: &mut Vec<Flag>) -> Body {
    if page.len() > PAGE_BYTES_MAX {
        flags.push(Flag::TooLarge);
        return Body::Text(flat::text(&page));
    }
    match parse(&page, options.depth_max) {
        Some(arena) => Body::Page(Box::new(arena.into_tree(page.len()))),
        None => {
            flags.push(Flag::TooDeep);
            Body::Text(flat::text(&page))
        }
    }
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
    use scraper::node::Element;
    use scraper::{Html, Node};

    use super::*;
    use crate::decode::tokenizer::parse_whole;
    use crate::tree::{Attr, Tag, Tree, TreeBuilder};

    /// By our own way.
    fn tree(page: &str) -> Tree {
        let arena = parse(page, 512).expect("not deep");
        arena.into_tree(page.len())
    }

    /// By the parser itself, of the whole page.
    fn tree_by_parser(page: &str) -> Tree {
        walked(&Html::parse_document(page), page.len())
    }

    /// The tree of a page of so many bytes.
    fn walked(html: &Html, page_bytes: usize) -> Tree {
        let mut walk = Walk {
            builder: TreeBuilder::with_capacity(page_bytes),
            is_in_svg: false,
        };
        // By hand and not by recursion: the parser's tree may be deeper than a thread's stack.
        let mut entered = Vec::with_capacity(64);
        let mut node = html.tree.root();
        loop {
            let entry = walk.enter(node.value(), || {
                let children = node.children().filter_map(|child| child.value().as_text());
                children.map(|text| &**text).collect()
            });
            entered.push(entry);
            let child = node.first_child();
            if let Some(child) = child.filter(|_| entry != Entry::Skip) {
                node = child;
                continue;
            }
            loop {
                walk.leave(entered.pop().expect("every node on the way was entered"));
                if let Some(sibling) = node.next_sibling() {
                    node = sibling;
                    break;
                }
                match node.parent() {
                    Some(parent) => node = parent,
                    None => return walk.builder.finish(),
                }
            }
        }
    }

    struct Walk {
        builder: TreeBuilder,
        is_in_svg: bool,
    }

    /// How the walk goes on at a node.
    #[derive(Clone, Copy, PartialEq)]
    enum Entry {
        /// Not into it.
        Skip,
        /// Into it, but it is no node of our tree.
        Pass,
        /// Into it; it is a node of our tree.
        Open(Tag),
    }

    impl Walk {
        /// `own_text` gives the text directly in the node.
        fn enter(&mut self, node: &Node, own_text: impl Fn() -> String) -> Entry {
            match node {
                Node::Element(element) => self.enter_element(element, own_text),
                Node::Text(text) => {
                    self.builder.text(text);
                    Entry::Skip
                }
                Node::Document | Node::Fragment => Entry::Pass,
                Node::Doctype(_) | Node::Comment(_) | Node::ProcessingInstruction(_) => Entry::Skip,
            }
        }

        fn enter_element(&mut self, element: &Element, own_text: impl Fn() -> String) -> Entry {
            let tag = Tag::from_name(element.name()).unwrap_or(Tag::Other);
            match tag {
                Tag::Script => {
                    let kind = element
                        .attrs
                        .iter()
                        .find(|(name, _)| &*name.local == "type");
                    if kind.is_some_and(|(_, kind)| names_json_ld(kind.as_bytes())) {
                        self.builder.json_ld(&own_text());
                    }
                    return Entry::Skip;
                }
                Tag::Style | Tag::Noscript | Tag::Noembed | Tag::Noframes => return Entry::Skip,
                Tag::Template if element.attr("shadowrootmode").is_none() => return Entry::Skip,
                // Of a drawing, only the words matter.
                _ if self.is_in_svg => return Entry::Pass,
                _ => {}
            }
            self.builder.open(tag);
            if tag == Tag::Other {
                self.builder.attribute(Attr::LocalName, element.name());
            }
            for (name, value) in &element.attrs {
                // One with a prefix, as `xlink:href`, is another.
                let attr = Attr::from_name(&name.local).filter(|_| name.prefix.is_none());
                if let Some(attr) = attr {
                    self.builder.attribute(attr, value);
                }
            }
            if tag == Tag::Title {
                self.builder.title(&own_text());
                self.builder.close();
                return Entry::Skip;
            }
            self.is_in_svg = tag == Tag::Svg;
            Entry::Open(tag)
        }

        fn leave(&mut self, entry: Entry) {
            if let Entry::Open(tag) = entry {
                self.builder.close();
                if tag == Tag::Svg {
                    self.is_in_svg = false;
                }
            }
        }
    }

    /// Both trees of `page`, side by side.
    pub(in crate::decode) fn assert_same_tree(page: &str) {
        let arena = parse(page, 100_000).expect("small");
        let (ours, theirs) = (arena.into_tree(page.len()), tree_by_parser(page));
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
                assert!(tree(&page) == tree_by_parser(&page), "{}", path.display());
                let html = parse_whole(&page, 512).expect("not deep");
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
            prop_assert_eq!(tree(&page), tree_by_parser(&page));
        }

        #[test]
        fn the_whole_page_is_read_as_the_parser_reads_it(page in soup()) {
            let html = parse_whole(&page, 512).expect("not deep");
            prop_assert_eq!(html, Html::parse_document(&page));
        }

        #[test]
        fn depth_is_never_missed_by_much(page in soup()) {
            // The outline may count an element more or less; what it lets pass has to stay near the limit.
            for depth_max in [4, 8, 16] {
                if parse(&page, depth_max).is_some() {
                    let tree = tree_by_parser(&page);
                    let depth = tree.nodes().map(|node| tree.ancestors(node).count()).max();
                    prop_assert!(depth.unwrap_or(0) <= 4 * depth_max + 8);
                }
            }
        }
    }
}
