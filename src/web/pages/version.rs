//! One version: its fair copy, and what became data.

use axum::extract::State;
use maud::{Markup, html};

use super::timeline::{heading, read_version};
use crate::archive::catalog::CaptureRow;
use crate::archive::metadata::CaptureMetadata;
use crate::article::{Article, Block, BlockKind, Caption, Credit, Footer};
use crate::submission::path_text;
use crate::web::Shared;
use crate::web::ask::Names;
use crate::web::fault::Fault;
use crate::web::frame::{self, Page, Room, bytes, digest, scraped, shown, time};

/// More than so many bytes of text are not shown, but downloaded.
const TEXT_BYTES_MAX: usize = 1 << 20;

pub(in crate::web) async fn show(
    State(web): State<Shared>,
    Names((doc, version)): Names<(String, String)>,
) -> Result<Page, Fault> {
    web.shelf
        .read(move |archive| {
            let row = read_version(archive, &doc, &version)?;
            let (_, versions) = archive.extent(&row.doc)?;
            let metadata = archive.read_metadata(&row)?;
            Ok(page(&row, versions, &metadata))
        })
        .await
}

fn page(row: &CaptureRow, versions: u32, metadata: &CaptureMetadata) -> Page {
    let article = &metadata.article;
    let content = html! {
        (heading(row, versions, Tab::Copy))
        div class="columns" {
            article class="copy" aria-label="Fair copy" lang=[frame::language(article.language.as_deref())] {
                (text(article))
            }
            aside aria-label="What is known about it" {
                (facts(row, metadata))
                (captions(&article.captions))
                (credits(&article.credits))
                (footers(&article.footers))
                (corrections(&article.corrections))
                (downloads(row))
            }
        }
    };
    frame::page(
        article.title.as_deref().unwrap_or("(no title)"),
        Room::Documents,
        content,
    )
}

/// What of a version is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Copy,
    Explain,
    Compare,
    Timeline,
}

fn text(article: &Article) -> Markup {
    if article.text.len() > TEXT_BYTES_MAX {
        return html! {
            p class="empty" { "The text has " (bytes(article.text.len() as u64)) ", too much for a page; download it." }
        };
    }
    html! {
        @if article.blocks.is_empty() { p class="empty" { "The fair copy has no text." } }
        @for blocks in article.blocks.chunk_by(|a, b| is_item(a) && is_item(b)) {
            @if blocks.iter().all(is_item) {
                ul { @for block in blocks { li dir="auto" { (shown(&block.text)) } } }
            } @else {
                @for block in blocks { (one(block)) }
            }
        }
    }
}

fn is_item(block: &Block) -> bool {
    block.kind == BlockKind::ListItem
}

fn one(block: &Block) -> Markup {
    let text = shown(&block.text);
    match block.kind {
        BlockKind::Heading => html! { h2 dir="auto" { (text) } },
        BlockKind::Quote => html! { blockquote dir="auto" { (text) } },
        BlockKind::Code => html! { pre dir="auto" tabindex="0" { code { (text) } } },
        BlockKind::Table => html! {
            div class="scrolls" tabindex="0" role="group" aria-label="Table of the article" {
                table { tbody {
                    @for line in block.text.lines() {
                        tr { @for cell in line.split(" | ") { td dir="auto" { (shown(cell)) } } }
                    }
                } }
            }
        },
        BlockKind::Paragraph | BlockKind::ListItem => html! { p dir="auto" { (text) } },
    }
}

fn facts(row: &CaptureRow, metadata: &CaptureMetadata) -> Markup {
    let article = &metadata.article;
    let observation = &metadata.observation;
    let path = path_text::to_text(&observation.source.path);
    let declared = observation.declared.url.as_deref();
    html! {
        section aria-labelledby="facts" {
            h2 id="facts" { "Metadata" }
            dl class="facts" {
                (fact("Authors", (!article.authors.is_empty()).then(|| scraped(&article.authors.join(", ")))))
                (fact("Published", article.date.as_deref().map(scraped)))
                (fact("Changed", article.modified.as_deref().map(scraped)))
                (fact("Language", article.language.as_deref().map(scraped)))
                (fact("Section", article.section.as_deref().map(scraped)))
                (fact("Publisher", article.publisher.as_deref().map(scraped)))
                (fact("First published by", article.original_publisher.as_deref().map(scraped)))
                (fact("Address", article.url.as_deref().or(declared).map(frame::address)))
                (fact("Declared address", declared.filter(|url| article.url.as_deref().is_some_and(|own| own != *url)).map(frame::address)))
                (fact("Tags", (!article.tags.is_empty()).then(|| scraped(&article.tags.join(", ")))))
                (fact("Flags", article.flags().map(|flags| frame::flags(&flags))))
                @for evidence in &article.truncated.evidence { (fact("Cut, because", Some(scraped(evidence)))) }
                (fact("Found at", Some(scraped(&format!("{}/{path}", observation.source.root)))))
                (fact("Fetched", Some(time(row.captured_at))))
                (fact("Received", Some(time(row.received_at))))
                (fact("Cleaned again", row.edition.map(|edition| time(edition.cleaned_at))))
                (fact("Came as", Some(html! { (row.media_type) ", " (bytes(row.raw_bytes)) ", " (shown(&metadata.decoding.charset)) })))
                (fact("Rules", Some(html! { code class="breaks" { (shown(&metadata.rules)) } })))
                (fact("Raw", Some(digest(&row.digests.raw))))
                (fact("Text", Some(digest(&row.digests.text))))
                (fact("Leaf", Some(html! { (row.leaf) })))
            }
        }
    }
}

fn fact(name: &str, value: Option<Markup>) -> Markup {
    html! { @if let Some(value) = value { div { dt { (name) } dd { (value) } } } }
}

/// A section with a list in it; nothing if the list is empty.
fn listed<T>(id: &str, heading: &str, items: &[T], item: impl Fn(&T) -> Markup) -> Markup {
    html! {
        @if !items.is_empty() {
            section aria-labelledby=(id) {
                h2 id=(id) { (heading) }
                ul class="plain" { @for one in items { li { (item(one)) } } }
            }
        }
    }
}

fn captions(captions: &[Caption]) -> Markup {
    listed("captions", "Captions", captions, |caption| {
        html! {
            (scraped(&caption.text))
            @if let Some(credit) = &caption.credit { " " span class="muted" { (scraped(credit)) } }
        }
    })
}

fn credits(credits: &[Credit]) -> Markup {
    listed("credits", "Credits", credits, |credit| {
        html! {
            (scraped(&credit.verbatim))
            dl class="facts" {
                (fact("Creator", credit.creator.as_deref().map(scraped)))
                (fact("Agency", credit.agency.as_deref().map(scraped)))
                (fact("Via", credit.via.as_deref().map(scraped)))
            }
        }
    })
}

fn footers(footers: &[Footer]) -> Markup {
    listed("footers", "Footers", footers, |footer| {
        html! {
            (scraped(&footer.verbatim))
            dl class="facts" {
                (fact("Publisher", footer.publisher.as_deref().map(scraped)))
                (fact("Section", footer.section.as_deref().map(scraped)))
                (fact("Address", footer.url.as_deref().map(frame::address)))
            }
        }
    })
}

fn corrections(corrections: &[String]) -> Markup {
    listed("corrections", "Corrections", corrections, |correction| {
        scraped(correction)
    })
}

fn downloads(row: &CaptureRow) -> Markup {
    let base = format!("/documents/{}/{}", row.doc, frame::version(row));
    html! {
        section aria-labelledby="downloads" {
            h2 id="downloads" { "Downloads" }
            ul class="plain" {
                li { a href=(format!("{base}/raw")) download { "Raw bytes" } span class="muted" { " as they came, " (bytes(row.raw_bytes)) } }
                li { a href=(format!("{base}/text")) download { "Canonical text" } }
                li { a href=(format!("{base}/metadata")) download { "Metadata record" } span class="muted" { " that the log commits to" } }
                li { a href=(format!("{base}/proof")) download { "Proof" } span class="muted" { " for " code { "faircopy verify" } } }
            }
        }
    }
}
