//! Article extraction and metadata of pages, written small.

mod common;

use std::path::Path;
use std::time::Duration;

use faircopy::article::{Article, BlockKind};
use faircopy::clean::metadata::Announced;
use faircopy::clean::rules::Rules;
use faircopy::clean::{clean, page};
use faircopy::decode::{Options, decode};
use faircopy::document::Document;
use faircopy::submission::Declared;
use faircopy::tree::{Attr, Tag, Tree, TreeBuilder};
use proptest::prelude::*;

fn document(html: &str) -> Document {
    let html = format!("<!DOCTYPE html>\n{html}");
    let decoded = decode(
        Path::new("page.html"),
        html.as_bytes(),
        &Declared::default(),
        &Options::default(),
    );
    decoded.expect("the page is not empty")
}

fn article(html: &str) -> Article {
    let document = document(html);
    let cleaned = clean(&document, &Rules::built_in());
    let sound = cleaned
        .ledger
        .verify(document.input(), &cleaned.article.text);
    assert_eq!(sound, Ok(()));
    cleaned.article
}

/// Three paragraphs of an invented story.
const STORY: &str = "<p>The ferry to Norrholm stopped on Tuesday after its captain found a crack in the hull, the harbour office said in the evening.</p>\
    <p>About forty passengers spent the night in the village school, where teachers had put up beds and cooked a large pot of soup.</p>\
    <p>A second boat is expected to arrive on Thursday; until then the island will get its bread and its mail by helicopter.</p>";

fn page(head: &str, before: &str, after: &str) -> String {
    format!(
        "<html><head>{head}</head><body><nav><a href=/>Home</a> <a href=/news>News</a></nav><main><article><h1>Ferry stops</h1>{before}<div class=article-body>{STORY}{after}</div></article></main><footer>© 2024 The Islander</footer></body></html>"
    )
}

fn assert_story_alone(article: &Article) {
    assert_eq!(article.blocks.len(), 3, "{}", article.text);
    assert!(
        article.text.starts_with("The ferry to Norrholm")
            && article.text.ends_with("by helicopter.\n")
    );
}

#[test]
fn the_article_is_found_among_menus_and_footers() {
    let article = article(&page("<title>Ferry stops | The Islander</title>", "", ""));
    assert_story_alone(&article);
    assert_eq!(article.title.as_deref(), Some("Ferry stops"));
}

#[test]
fn boxes_in_the_article_that_point_elsewhere_are_left_out() {
    for furniture in [
        "<div class=related-articles><h3>More on this</h3><ul><li><a href=/a>Harbour rebuilt</a><li><a href=/b>Storm passes</a></ul></div>",
        "<div><h3>Elsewhere</h3><p><a href=/a>Harbour rebuilt after the storm</a></p><p><a href=/b>Storm passes the islands by</a></p></div>",
        "<div class=x><a href=/a>Harbour rebuilt after the storm</a><p>It took four years.</p></div>",
        "<form class=newsletter-signup><p>Get our letter every morning, with all the news from the islands.</p><button>Sign up</button></form>",
        "<div class=share-bar><a href=https://social.example/>Share</a></div>",
        "<div style='display: none'>Hidden words that no reader of the page will ever see, however long they are.</div>",
        "<span class=sr-only>External link</span>",
        "<div class=author-bio><p>Ann Lee writes about boats and lives on a small island with two dogs.</p></div>",
    ] {
        assert_story_alone(&article(&page("", "", furniture)));
    }
}

#[test]
fn a_standfirst_belongs_to_the_text_and_a_byline_does_not() {
    let article = article(&page(
        "",
        "<p class=standfirst>Forty people spend the night in a school after a crack is found.</p><p class=byline>By Ann Lee</p>",
        "",
    ));
    assert_eq!(article.blocks.len(), 4, "{}", article.text);
    assert_eq!(article.authors, ["Ann Lee"]);
}

#[test]
fn figures_give_captions_with_their_credits() {
    let figure = "<figure><img src=x><figcaption><span>The ferry in the harbour of Norrholm.</span><span class=credit>Photo: Bo Berg</span></figcaption></figure>";
    let article = article(&page("", "", figure));
    assert_story_alone(&article);
    assert_eq!(article.captions.len(), 1);
    assert_eq!(
        article.captions[0].text,
        "The ferry in the harbour of Norrholm."
    );
}

#[test]
fn captions_without_a_figure_are_told_by_their_picture() {
    for picture in [
        "<div align=center><img src=x alt='The ferry in the harbour of Norrholm'><br><span class=small>The ferry in the harbour of Norrholm</span></div>",
        "<div class=a1><div class=b2><img src=x></div><div class=c3>The ferry in the harbour of Norrholm</div></div>",
        "<p><img src=x><br>The ferry in the harbour of Norrholm</p>",
        "<div class=image-box><img src=x><p>The ferry in the harbour of Norrholm</p></div>",
    ] {
        let article = article(&page("", "", picture));
        assert_story_alone(&article);
        assert_eq!(article.captions.len(), 1, "{picture}");
    }
}

#[test]
fn paragraphs_beside_pictures_stay() {
    for text in [
        "<p><img src=x>The captain, who had sailed for thirty years, said that he had never seen anything like it.</p>",
        "<div><img src=x><p>The captain, who had sailed for thirty years, said that he had never seen anything like it.</p></div>",
        "<div><img src=x alt=Price> <div>Price</div> <div>Ten crowns for a ticket.</div></div>",
    ] {
        let article = article(&page("", "", text));
        assert!(article.blocks.len() > 3, "{}", article.text);
    }
}

#[test]
fn buttons_and_credits_in_the_place_of_captions_are_none() {
    let figure = "<figure><img src=x><figcaption>Getty Images</figcaption></figure>\
        <figure><img src=y><figcaption>Show caption</figcaption></figure>";
    let article = article(&page("", "", figure));
    assert_story_alone(&article);
    assert_eq!(article.captions, []);
    assert_eq!(article.credits.len(), 1);
}

#[test]
fn a_quote_pulled_out_of_the_text_goes_and_a_quote_of_its_own_stays() {
    let pulled = "<blockquote>There will be <em>bread</em> and mail on Friday</blockquote><p>“There will be bread, and mail on Friday,” said the captain, who had come home.</p>";
    assert_eq!(article(&page("", "", pulled)).blocks.len(), 4);
    let own = "<blockquote>There will be cake and wine on Saturday for all who come.</blockquote>";
    assert_eq!(article(&page("", "", own)).blocks.len(), 4);
}

#[test]
fn what_is_asked_of_several_people_stays_each_time() {
    let question = "<p>Which boat did you like best of all, and was there perhaps another that you did not like at all, if you may say so?</p>";
    let content = format!("{question}<p>The red one.</p>{question}<p>The green one.</p>");
    assert_eq!(article(&page("", "", &content)).blocks.len(), 7);
    let copy = format!(
        "<p>{}</p>",
        &STORY[3..STORY.find("</p>").unwrap_or_default()]
    );
    assert_story_alone(&article(&page("", "", &copy)));
}

#[test]
fn posts_accounts_and_entries_of_a_live_blog_stay() {
    for content in [
        "<div class=video-box><blockquote><p>The boat is late again</p><p>— Ada Brill (@ada) <a href=https://net.example/1>May 3, 2020</a></p></blockquote></div>",
        "<p>Account: <a href=https://net.example/ada>@ada_of_norrholm</a></p><p>Thanks, Ada!</p>",
        "<h5 class=time><span class=time__value>11.04: Helicopter lands on the island</span></h5><p>It brought bread and the mail, and took two patients back.</p>",
        "<h3>What the island needs</h3><div class=ad-slot><p>Sail with us!</p></div><p>It needs bread and the mail, and two new boats for the summer.</p>",
    ] {
        let article = article(&page("", "", content));
        assert_eq!(article.blocks.len(), 5, "{}", article.text);
    }
}

#[test]
fn words_for_screen_readers_are_not_read() {
    let content = "<p>The office had <a href=/x>warned of it<span style='clip:rect(0 0 0 0);position:absolute'>, opens new tab</span></a> in spring, and nobody had listened.</p>";
    let article = article(&page("", "", content));
    assert!(
        article.text.contains("warned of it in spring"),
        "{}",
        article.text
    );
}

#[test]
fn polls_and_calls_to_action_are_left_out() {
    for box_ in [
        "<div class=single-cta><p>Stay informed with The Islander, your source of news from the islands, for only two crowns a month.</p></div>",
        "<div><label><input type=radio>A warm soup.</label><label><input type=radio>Much sleep and rest.</label></div>",
        "<div style='display:none' itemscope><div itemprop=articleBody>The ferry to Norrholm stopped on Tuesday after its captain found a crack in the hull. About forty passengers spent the night in the village school, where teachers had put up beds.</div></div>",
    ] {
        assert_story_alone(&article(&page("", "", box_)));
    }
}

#[test]
fn neighbours_that_only_a_style_sets_apart_are_words_of_their_own() {
    let content = "<div><span>Norrholm, at noon.</span><span>The boat is back in the harbour, and everybody is glad.</span></div>\
        <div><span>T</span><span>he captain was thanked by all of them in the evening.</span></div>";
    let article = article(&page("", "", content));
    assert!(
        article.text.contains("at noon. The boat"),
        "{}",
        article.text
    );
    assert!(article.text.contains("The captain"), "{}", article.text);
}

#[test]
fn a_headline_without_a_heading_is_found_by_the_title() {
    let html = format!(
        "<html><head><title>Ferry stops for the third time | The Islander</title></head><body><div><dl><dt>Ferry stops for the third time</dt></dl><div>{STORY}</div></div></body></html>"
    );
    let article = article(&html);
    assert_story_alone(&article);
}

#[test]
fn inline_tags_neither_join_nor_break_words_and_breaks_break() {
    let article = article(&page(
        "",
        "",
        "<p>A <b>bo</b>at <a href=/x>ca</a>me in from the north, late and with a torn sail, said one man.<br><br>Nobody was hurt in the end, and everybody went to bed early that night.</p>",
    ));
    assert!(
        article.text.contains("A boat came in from"),
        "{}",
        article.text
    );
    assert_eq!(article.blocks.len(), 5);
}

#[test]
fn a_link_to_the_original_set_as_a_heading_below_the_article_is_read() {
    let tail = "</div><div class=widget><h3><a href=\"https://tide.example/a\">Quelle: Ferry Program Pushes Digital Tickets as Harbours Push for Digital Boats</a></h3></div><div>";
    let article = article(&page("", "", tail));
    assert_story_alone(&article);
    assert_eq!(article.footers.len(), 1, "{:?}", article.footers);
}

#[test]
fn headings_that_nothing_stands_under_go_at_the_end_and_stay_elsewhere() {
    let tail = "<h3>World</h3><div><span>More World</span></div><h3>Harbour</h3>";
    assert_story_alone(&article(&page("", "", tail)));
    let kept = article(&page(
        "",
        "<h3>World</h3>",
        "<h3>What next?</h3><p>Nobody on the island knows when the ferry will sail again, the harbour office said.</p>",
    ));
    assert!(kept.text.contains("What next?"), "{}", kept.text);
}

#[test]
fn lists_tables_quotes_and_code_keep_their_kind() {
    let content = "<ul><li>The boat will be towed to the yard on Friday morning.</li></ul>\
        <table><tr><th>Day</th><th>Boats</th></tr><tr><td>Monday</td><td>4</td></tr></table>\
        <blockquote><p>It was a long night, but the soup was good, said one of them.</p></blockquote>\
        <pre>one\n  two</pre><h2>What comes next</h2><p>The harbour office will speak again on Friday, and the school will open as usual.</p>";
    let article = article(&page("", "", content));
    let kinds: Vec<BlockKind> = article.blocks[3..].iter().map(|block| block.kind).collect();
    let expected = [
        BlockKind::ListItem,
        BlockKind::Table,
        BlockKind::Quote,
        BlockKind::Code,
        BlockKind::Heading,
        BlockKind::Paragraph,
    ];
    assert_eq!(kinds, expected, "{}", article.text);
    assert!(
        article.text.contains("Day | Boats\nMonday | 4") && article.text.contains("one\n  two")
    );
}

#[test]
fn the_next_article_on_the_same_page_is_not_part_of_this_one() {
    let html = format!(
        "<html><body><main><article><h1>Ferry stops</h1><div>{STORY}</div></article><article><h1>Harbour rebuilt at last</h1><div><p>{}</p></div></article></main></body></html>",
        "Another story, about stones and money, that goes on and on for a long while. ".repeat(20)
    );
    assert_story_alone(&article(&html));
}

#[test]
fn a_body_in_a_misnamed_element_is_not_lost() {
    for name in [
        "sidebar",
        "comments",
        "newsletter",
        "related",
        "footer",
        "cookie",
        "hidden",
        "advert",
    ] {
        let html = format!(
            "<html><body><h1>Ferry stops</h1><div class={name}>{STORY}</div></body></html>"
        );
        assert_story_alone(&article(&html));
    }
}

#[test]
fn a_question_about_cookies_longer_than_the_article_is_not_the_article() {
    let consent = "We and our partners store cookies on your device to measure how you read and to show what you may like. ".repeat(30);
    let html = page("", "", "").replace(
        "<nav>",
        &format!("<div class=cookie-banner role=dialog><p>{consent}</p></div><nav>"),
    );
    assert_story_alone(&article(&html));
}

#[test]
fn structured_data_gives_metadata_and_the_visible_page_helps() {
    let head = r#"<meta property="og:site_name" content="The Islander"><meta property="og:title" content="Ferry stops - The Islander"><link rel=canonical href="https://islander.example/2024/03/26/ferry">
        <script type="application/ld+json">{"@graph":[{"@type":"NewsArticle","headline":"Ferry stops","datePublished":"2024-03-26T18:05:00+01:00","author":[{"@type":"Person","name":"By Ann Lee, Reporter"},{"name":"Bo Chan"}],"articleSection":"Sea","keywords":"ferry, hull"}]}</script>"#;
    let article = article(&page(head, "", ""));
    assert_eq!(article.title.as_deref(), Some("Ferry stops"));
    assert_eq!(article.authors, ["Ann Lee", "Bo Chan"]);
    assert_eq!(article.date.as_deref(), Some("2024-03-26T18:05:00+01:00"));
    assert_eq!(article.section.as_deref(), Some("Sea"));
    assert_eq!(article.publisher.as_deref(), Some("The Islander"));
    assert_eq!(
        article.url.as_deref(),
        Some("https://islander.example/2024/03/26/ferry")
    );
    assert_eq!(article.tags, ["ferry", "hull"]);
    assert_story_alone(&article);
}

fn is_blank(text: &str) -> bool {
    let unseen = |c: char| matches!(c, '\u{ad}' | '\u{200b}' | '\u{feff}' | '\u{2060}');
    text.chars()
        .all(|c| c.is_whitespace() || c.is_control() || unseen(c))
}

fn read_within(tree: &Tree, limit: Duration) {
    let start = common::cpu_time();
    let announced = Announced::of(tree);
    let page = page::read(tree, &announced.expected());
    let took = common::cpu_time() - start;
    assert!(took < limit, "{took:?}");
    let mut at = 0;
    let mut spans: Vec<_> = page
        .lines
        .lines
        .iter()
        .flat_map(|line| &line.pieces)
        .map(|piece| piece.span.clone())
        .collect();
    spans.extend(page.lines.asides.iter().map(|aside| aside.span.clone()));
    spans.sort_by_key(|span| (span.start, span.end));
    for span in spans.iter().filter(|span| !span.is_empty()) {
        assert!(at <= span.start, "{span:?} overlaps what ends at {at}");
        let gap = &tree.text()[at..span.start];
        assert!(is_blank(gap), "{gap:?} is in no line and no aside");
        at = span.end;
    }
    assert!(is_blank(&tree.text()[at..]));
}

#[test]
fn time_grows_with_the_page_and_no_faster() {
    let many = |count: usize, make: &dyn Fn(&mut TreeBuilder, usize)| {
        let mut builder = TreeBuilder::with_capacity(0);
        builder.open(Tag::Html);
        builder.open(Tag::Body);
        for index in 0..count {
            make(&mut builder, index);
        }
        builder.finish()
    };
    let paragraph = |builder: &mut TreeBuilder, index: usize| {
        builder.open(Tag::P);
        builder.attribute(Attr::Class, &format!("c{index} text"));
        builder.text(&format!("Paragraph number {index} is about as long as most of them are, and it ends with a stop."));
        builder.close();
    };
    let link = |builder: &mut TreeBuilder, index: usize| {
        builder.open(Tag::Div);
        builder.open(Tag::H1);
        builder.open(Tag::A);
        builder.attribute(Attr::Href, "/x");
        builder.text(&format!("Headline number {index} of many"));
        builder.close();
        builder.close();
        builder.close();
    };
    let nested = |builder: &mut TreeBuilder, _: usize| {
        builder.open(Tag::Div);
        builder.text(
            "Deep and deeper it goes, and each of the levels has a sentence of its own to say.",
        );
    };
    read_within(&many(100_000, &paragraph), Duration::from_secs(20));
    read_within(&many(100_000, &link), Duration::from_secs(20));
    read_within(&many(500, &nested), Duration::from_secs(5));
}

const TAGS: &[Tag] = &[
    Tag::Div,
    Tag::P,
    Tag::A,
    Tag::Span,
    Tag::Li,
    Tag::Ul,
    Tag::Table,
    Tag::Tr,
    Tag::Td,
    Tag::Br,
    Tag::H1,
    Tag::H2,
    Tag::Article,
    Tag::Aside,
    Tag::Nav,
    Tag::Figure,
    Tag::Figcaption,
    Tag::Pre,
    Tag::Svg,
    Tag::Button,
    Tag::Blockquote,
    Tag::Time,
];
const CLASSES: &[&str] = &[
    "",
    "article-body",
    "related",
    "caption",
    "credit",
    "byline",
    "hidden",
    "comments",
    "share",
    "ad",
    "date",
];
const TEXTS: &[&str] = &[
    " ",
    "\n",
    "A sentence that is long enough to count as prose on any page, and that ends here. ",
    "word",
    "ein Wo\u{ad}rt",
    "e\u{301}",
    "日本語の文章です。",
    "Photo: Ann Lee",
    "\u{feff}",
    "2024-03-25",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_of_any_page_is_in_one_line_one_aside_or_blank(steps in prop::collection::vec((0usize..4, 0usize..100, 0usize..100), 0..120)) {
        let mut builder = TreeBuilder::with_capacity(0);
        builder.open(Tag::Html);
        builder.open(Tag::Body);
        let mut depth = 0;
        for (step, a, b) in steps {
            match step {
                0 | 1 => {
                    builder.open(TAGS[a % TAGS.len()]);
                    builder.attribute(Attr::Class, CLASSES[b % CLASSES.len()]);
                    builder.attribute(Attr::Href, "/x");
                    depth += 1;
                }
                2 if depth > 0 => {
                    builder.close();
                    depth -= 1;
                }
                _ => builder.text(TEXTS[a % TEXTS.len()]),
            }
        }
        read_within(&builder.finish(), Duration::from_secs(10));
    }
}
