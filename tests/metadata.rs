//! Metadata of pages: what wins when a page says several things of itself.

use std::path::Path;

use faircopy::article::Article;
use faircopy::clean::clean;
use faircopy::clean::rules::Rules;
use faircopy::decode::{Options, decode};
use faircopy::submission::Declared;

/// Two paragraphs of an invented story.
const STORY: &str = "<p>The ferry to Norrholm stopped on Tuesday after its captain found a crack in the hull, the harbour office said in the evening.</p>\
    <p>About forty passengers spent the night in the village school, where teachers had put up beds and cooked a large pot of soup.</p>";

fn article_of(html: &str) -> Article {
    let decoded = decode(
        Path::new("page.html"),
        html.as_bytes(),
        &Declared::default(),
        &Options::default(),
    );
    let document = decoded.expect("the page is not empty");
    clean(&document, &Rules::built_in()).article
}

/// A page with a head, what stands between headline and story, and what stands below the story.
fn article(head: &str, before: &str, after: &str) -> Article {
    article_of(&format!(
        "<!DOCTYPE html><html><head>{head}</head><body><main><article><h1>Ferry to Norrholm stops</h1>{before}\
        <div class=article-body>{STORY}{after}</div></article></main></body></html>"
    ))
}

fn day(head: &str, before: &str, after: &str) -> Option<String> {
    let date = article(head, before, after).date?;
    Some(date.get(..10).unwrap_or(&date).to_owned())
}

#[test]
fn the_day_of_publication_is_told_from_others() {
    let published = "<meta property=article:published_time content=2024-03-25T09:30:00+01:00>";
    let cases = [
        // Templates fill one date with the other.
        (
            format!("{published}<meta property=article:modified_time content=2025-01-02T09:30:00Z>"),
            "<span itemprop=datePublished content=2025-01-02></span><time datetime=2025-01-02>2 January 2025</time>",
            "2024-03-25",
        ),
        // What is said counts more than what the template puts beside it.
        (
            String::new(),
            "<time datetime=2024-04-02T10:00:00Z>Published on 25 March 2024</time>",
            "2024-03-25",
        ),
        // The address is made at the first publication.
        (
            "<link rel=canonical href=https://gazette.example/2024/03/25/ferry><meta name=date content=2025-06-01>".into(),
            "",
            "2024-03-25",
        ),
        // Late in the evening in UTC it is the next day in the paper.
        (
            "<link rel=canonical href=https://gazette.example/2024/03/25/ferry>\
            <meta property=article:published_time content=2024-03-24T23:30:00+00:00>"
                .into(),
            "<p class=date>25.03.2024</p>",
            "2024-03-25",
        ),
        // A label may stand in a box of its own, and be hidden from those who see.
        (
            String::new(),
            "<p><span class=hidden>Published</span> <span>25 March 2024</span></p><p>Updated</p><p>26 March 2024</p>",
            "2024-03-25",
        ),
        // Nothing but the last change is told.
        (String::new(), "<p class=info>Last updated: 25 March 2024</p>", "2024-03-25"),
        // Many sites number their articles by the minute.
        (
            "<link rel=canonical href=https://gazette.example/news/A20240325093012345>".into(),
            "",
            "2024-03-25",
        ),
    ];
    for (head, before, expected) in cases {
        assert_eq!(
            day(&head, before, "").as_deref(),
            Some(expected),
            "{head} {before}"
        );
    }
    let below = "<p class=post-footer>This article was published on 25 March 2024 at 14:48 by <a href=/ada>Ada Brill</a>, who wrote of \
        ferries, of gulls and of the harbour office before, and was filed under the islands and their boats.</p>";
    assert_eq!(day("", "", below).as_deref(), Some("2024-03-25"));
    assert_eq!(day("", "<p>3 hours ago</p>", ""), None);
}

#[test]
fn the_headline_that_is_shown_wins() {
    let page = |body: &str| {
        format!(
            "<!DOCTYPE html><html><head><title>Norrholm ferry: all about the crack | The Islander</title>\
            <meta property=og:title content=\"Crack in the hull stops the ferry\"></head><body>{body}<main><article>{STORY}\
            </article></main></body></html>"
        )
    };
    for (body, expected) in [
        // The last breadcrumb is an `h1`, the headline an `h2` with a kicker.
        (
            "<ul class=crumbs><li><a href=/>Home</a></li><li><h1>Norrholm ferry: all about the crack</h1></li></ul>\
            <h2><span class=kicker>Islands</span> <span>Crack in the hull stops the ferry</span></h2>",
            "Crack in the hull stops the ferry",
        ),
        (
            "<h1><span>Islands</span><span>Crack in the hull stops the ferry</span></h1>",
            "Crack in the hull stops the ferry",
        ),
        (
            "<h1><span class=kicker>Islands</span><span>: A crack stops it</span></h1>",
            "Islands: A crack stops it",
        ),
    ] {
        assert_eq!(
            article_of(&page(body)).title.as_deref(),
            Some(expected),
            "{body}"
        );
    }
}

#[test]
fn authors_are_people_and_all_of_them() {
    let linked = |authors: &str| {
        format!(
            "<meta property=og:site_name content=\"The Islander\"><meta name=author content=\"Ada Brill\">\
            <script type=application/ld+json>{{\"@type\":\"NewsArticle\",\"headline\":\"Ferry to Norrholm stops\",\"author\":{authors}}}</script>"
        )
    };
    for (authors, before, expected) in [
        (
            r#"[{"@type":"Person","name":"Ada Brill"},{"@type":"Person","name":"Bob Tarn"}]"#,
            "<p class=byline>By Ada Brill</p>",
            &["Ada Brill", "Bob Tarn"][..],
        ),
        (
            r#"{"@type":"Organization","name":"The Islander"}"#,
            "<p class=byline>By Ada Brill</p><p class=byline>5 min read</p>",
            &["Ada Brill"],
        ),
    ] {
        assert_eq!(
            article(&linked(authors), before, "").authors,
            expected,
            "{authors}"
        );
    }
    let office = r#"<script type=application/ld+json>{"@type":"NewsArticle","author":{"@type":"Organization","name":"Office for Ferries and Boats"}}</script>"#;
    assert_eq!(
        article(office, "", "").authors,
        ["Office for Ferries and Boats"]
    );
    let site = "<meta property=og:site_name content=\"The Islander\"><meta name=author content=\"The Islander\">";
    let signed = "<p style=text-align:right><strong>Ada Brill</strong></p>";
    assert_eq!(article(site, "", signed).authors, ["Ada Brill"]);
}

#[test]
fn lists_with_labels_are_sections_and_keywords() {
    let article = article(
        "",
        "<p>Filed under: Islands</p>",
        "<p>Tags: ferries, gulls</p>",
    );
    assert_eq!(article.section.as_deref(), Some("Islands"));
    assert_eq!(article.tags, ["ferries", "gulls"]);
}

#[test]
fn a_note_of_copyright_names_another_owner() {
    let note = |owner: &str| format!("<p><em>© {owner} Ltd. 2024</em></p>");
    let head = "<meta property=og:site_name content=\"The Islander\">";
    let owner = |name: &str| article(head, "", &note(name)).original_publisher;
    assert_eq!(
        owner("The Harbour Gazette").as_deref(),
        Some("The Harbour Gazette")
    );
    assert_eq!(owner("The Islander"), None);
    let source = "<p><a href=https://gazette.example/x>Source: https://gazette.example/x</a></p>";
    let linked = article(head, "", source).original_publisher;
    assert_eq!(linked.as_deref(), Some("gazette.example"));
}
