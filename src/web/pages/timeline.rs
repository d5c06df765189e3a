//! One document: its captures and editions in order, with changes of story, furniture and rules told apart.

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::version::Tab;
use crate::archive::catalog::{CaptureRow, Change};
use crate::archive::reader::{Archive, Selector};
use crate::identity::DocId;
use crate::timeline::{Cause, Entry, stretch};
use crate::web::Shared;
use crate::web::ask::{Names, Question};
use crate::web::fault::Fault;
use crate::web::frame::{self, Page, Room, count, digest, time};

/// So many captures are on one page.
pub(in crate::web) const PAGE: u32 = 30;

/// Which stretch is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    /// Captures below this number.
    before: Option<String>,
}

/// A document's newest captures, or those before them.
pub(in crate::web) struct Timeline {
    pub(in crate::web) doc: DocId,
    pub(in crate::web) captures: u32,
    pub(in crate::web) versions: u32,
    pub(in crate::web) latest: Option<CaptureRow>,
    pub(in crate::web) entries: Vec<Entry>,
    /// Goes on below this capture.
    pub(in crate::web) next: Option<u32>,
    /// Documents that are one with it.
    pub(in crate::web) others: Vec<DocId>,
    /// Versions from which on it is another document.
    pub(in crate::web) splits: Vec<u32>,
    pub(in crate::web) held: Option<u64>,
    pub(in crate::web) erased: Option<u64>,
}

pub(in crate::web) async fn show(
    State(web): State<Shared>,
    Names(doc): Names<String>,
    Question(asked): Question<Asked>,
) -> Result<Page, Fault> {
    let timeline = web
        .shelf
        .read(move |archive| read(archive, &doc, &asked))
        .await?;
    Ok(page(&timeline))
}

/// Reads a stretch of a document's timeline.
pub(in crate::web) fn read(
    archive: &Archive,
    name: &str,
    asked: &Asked,
) -> Result<Timeline, Fault> {
    let doc = archive.find(name)?;
    let (captures, versions) = archive.extent(&doc)?;
    let end = match asked.before.as_deref().filter(|text| !text.is_empty()) {
        None => captures + 1,
        Some(text) => {
            let before = text.parse::<u32>();
            let before =
                before.map_err(|_| Fault::Wrong(format!("{text:?} is no number of a capture.")))?;
            before.min(captures + 1)
        }
    };
    let start = end.saturating_sub(PAGE).max(1);
    let mut entries = stretch(archive, &doc, start..end)?;
    entries.reverse();
    let latest = archive.resolve(&doc, &Selector::Latest).ok();
    let bonds = archive.bonds()?;
    let splits = entries.iter().map(|entry| entry.row.version);
    let splits = splits
        .filter(|version| bonds.is_split(&doc, *version))
        .collect();
    Ok(Timeline {
        captures,
        versions,
        latest,
        entries,
        next: (start > 1).then_some(start),
        others: bonds.group(&doc).split_off(1),
        splits,
        held: archive.held(&doc)?,
        erased: archive.erased(&doc)?.map(|erased| erased.leaf),
        doc,
    })
}

/// The version that an address names.
pub(in crate::web) fn read_version(
    archive: &Archive,
    doc: &str,
    version: &str,
) -> Result<CaptureRow, Fault> {
    let doc = archive.find(doc)?;
    let selector: Selector = version.parse().map_err(|_| {
        Fault::Missing(format!(
            "{version:?} is no version: they are numbered 1, 2, 3; editions 3.2; or name a date."
        ))
    })?;
    Ok(archive.resolve(&doc, &selector)?)
}

/// What stands above all pages of one version.
pub(super) fn heading(row: &CaptureRow, versions: u32, tab: Tab) -> Markup {
    let doc = &row.doc;
    let here = frame::version(row);
    let current = |is_here: bool| is_here.then_some("page");
    let older = row.version.checked_sub(1).filter(|older| *older > 0);
    html! {
        p class="subtitle" {
            a href=(format!("/documents/{doc}")) { code { (doc) } }
            " · version " (here) " of " (versions) ", fetched " (time(row.captured_at))
        }
        nav class="tabs" aria-label="Views of this version" {
            a href=(format!("/documents/{doc}/{here}")) aria-current=[current(tab == Tab::Copy)] { "Fair copy" }
            a href=(format!("/documents/{doc}/{here}/explain")) aria-current=[current(tab == Tab::Explain)] { "What was removed" }
            @if let Some(older) = older {
                a href=(format!("/documents/{doc}/compare?old={older}&new={here}")) aria-current=[current(tab == Tab::Compare)] { "Compare" }
            } @else if versions > 1 {
                a href=(format!("/documents/{doc}/compare?old=1&new=2")) aria-current=[current(tab == Tab::Compare)] { "Compare" }
            }
            a href=(format!("/documents/{doc}")) aria-current=[current(tab == Tab::Timeline)] { "Timeline" }
        }
    }
}

fn page(timeline: &Timeline) -> Page {
    let title = timeline
        .latest
        .as_ref()
        .map_or("(nothing is left of it)", frame::title);
    let content = html! {
        @match &timeline.latest {
            Some(row) => (heading(row, timeline.versions, Tab::Timeline)),
            None => p class="subtitle" { code { (timeline.doc) } },
        }
        (remarks(timeline))
        @if timeline.versions > 1 { (compare_form(timeline)) }
        section aria-labelledby="timeline" {
            h2 id="timeline" { "Timeline" }
            p class="help" { (count(u64::from(timeline.captures), "capture", "captures")) ", "
                (count(u64::from(timeline.versions), "version", "versions")) ", the last archived first. "
                "Only a change of the story makes a version." }
            ol class="timeline" reversed { @for entry in &timeline.entries { (line(timeline, entry)) } }
        }
        @if let Some(next) = timeline.next {
            nav class="pages" aria-label="Pages" {
                a href=(format!("/documents/{}?before={next}", timeline.doc)) rel="next" { "Older" }
            }
        }
    };
    frame::page_of(Some("Timeline"), title, Room::Documents, content)
}

/// What persons decided about the document.
fn remarks(timeline: &Timeline) -> Markup {
    html! {
        @if let Some(leaf) = timeline.held {
            p class="notice" { strong { "Held: " } "it cannot be erased, as leaf " (leaf) " says." }
        }
        @if let Some(leaf) = timeline.erased {
            p class="notice" { strong { "Erased: " } "what was captured before leaf " (leaf) " is gone; the log still says that it was there." }
        }
        @if !timeline.others.is_empty() {
            p class="notice" { strong { "One document: " } "a person said that this is one with "
                @for (index, doc) in timeline.others.iter().enumerate() {
                    @if index > 0 { ", " } a href=(format!("/documents/{doc}")) { code { (doc) } }
                } "." }
        }
    }
}

fn compare_form(timeline: &Timeline) -> Markup {
    let (older, newest) = (timeline.versions - 1, timeline.versions);
    html! {
        form class="inline" method="get" action=(format!("/documents/{}/compare", timeline.doc)) {
            span class="pair" {
                label for="old" { "Compare version" }
                input id="old" name="old" type="number" min="1" max=(newest) value=(older) required;
            }
            span class="pair" {
                label for="new" { "with" }
                input id="new" name="new" type="number" min="1" max=(newest) value=(newest) required;
            }
            button { "Compare" }
        }
    }
}

fn line(timeline: &Timeline, entry: &Entry) -> Markup {
    let row = &entry.row;
    let doc = &row.doc;
    let version = frame::version(row);
    let (kind, name) = match entry.cause {
        Cause::Capture(Change::Story) if row.version == 1 => ("story", "first seen"),
        Cause::Capture(Change::Story) => ("story", "story"),
        Cause::Capture(Change::Furniture) => ("furniture", "furniture"),
        Cause::Capture(Change::None) => ("none", "same bytes"),
        Cause::Rules => ("rules", "rules"),
    };
    let is_split =
        entry.cause == Cause::Capture(Change::Story) && timeline.splits.contains(&row.version);
    html! {
        li class=(format!("change {kind}")) value=(entry.leaf) {
            span class="label" { (name) }
            div {
                p {
                    a class="title" href=(format!("/documents/{doc}/{version}")) { "Version " (version) }
                    @if let (Cause::Capture(Change::Story), true) = (entry.cause, row.version > 1) {
                        " · " a href=(format!("/documents/{doc}/compare?old={}&new={}", row.version - 1, row.version)) { "compare with " (row.version - 1) }
                    }
                    " · " a href=(format!("/documents/{doc}/{version}/explain")) { "what was removed" }
                }
                p class="what" { (what(entry)) }
                @if is_split { p class="what" { "A person said that another document begins here." } }
                p class="muted" {
                    "capture " (row.capture) ", fetched " (time(row.captured_at))
                    ", raw " (digest(&row.digests.raw)) ", text " (digest(&row.digests.text)) ", leaf " (entry.leaf)
                }
            }
        }
    }
}

fn what(entry: &Entry) -> Markup {
    let row = &entry.row;
    match entry.cause {
        Cause::Capture(Change::Story) if row.version == 1 => html! { (frame::short_title(row)) },
        Cause::Capture(Change::Story) if entry.changed.is_empty() => html! { "The story changed." },
        Cause::Capture(Change::Story) => html! { "Changed: " (entry.changed.join(", ")) "." },
        Cause::Capture(Change::Furniture) => html! { "Other bytes, the same story." },
        Cause::Capture(Change::None) => html! { "The same bytes again." },
        Cause::Rules => html! { "Cleaned again by other rules"
        @if let Some(edition) = row.edition { ", " (time(edition.cleaned_at)) } "." },
    }
}
