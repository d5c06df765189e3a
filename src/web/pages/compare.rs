//! Two versions, word by word: side by side or in one text.

use std::time::Duration;

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::timeline::{heading, read_version};
use super::version::Tab;
use crate::archive::catalog::CaptureRow;
use crate::archive::reader::Archive;
use crate::comparison::{self, Op, Run};
use crate::web::Shared;
use crate::web::ask::{Names, Question};
use crate::web::fault::Fault;
use crate::web::frame::{self, Page, Room, shown, time};

/// After so long what is left is compared more coarsely.
const PATIENCE: Duration = Duration::from_millis(40);
/// More than so many bytes are not laid out.
const BYTES_MAX: usize = 2 << 20;

/// What is asked. All as text: what cannot be read is answered with a page that says so.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    old: Option<String>,
    new: Option<String>,
    view: Option<String>,
    of: Option<String>,
}

/// Two versions and what differs.
pub(in crate::web) struct Compared {
    pub(in crate::web) old: CaptureRow,
    pub(in crate::web) new: CaptureRow,
    pub(in crate::web) runs: Vec<Run>,
    versions: u32,
}

pub(in crate::web) async fn show(
    State(web): State<Shared>,
    Names(doc): Names<String>,
    Question(asked): Question<Asked>,
) -> Result<Page, Fault> {
    web.shelf
        .read(move |archive| {
            let compared = compare(archive, &doc, &asked)?;
            Ok(page(&compared, &asked))
        })
        .await
}

/// Compares what is asked for.
pub(in crate::web) fn compare(
    archive: &Archive,
    doc: &str,
    asked: &Asked,
) -> Result<Compared, Fault> {
    let text = match asked.of.as_deref() {
        None | Some("" | "story") => comparison::story,
        Some("furniture") => comparison::furniture,
        Some(other) => {
            return Err(Fault::Wrong(format!(
                "{other:?} cannot be compared; story and furniture can."
            )));
        }
    };
    let given = |version: &Option<String>| version.clone().filter(|version| !version.is_empty());
    let new = read_version(
        archive,
        doc,
        &given(&asked.new).unwrap_or_else(|| "latest".into()),
    )?;
    let old = match given(&asked.old) {
        Some(old) => old,
        None => new.version.saturating_sub(1).max(1).to_string(),
    };
    let old = read_version(archive, doc, &old)?;
    let old_text = text(&archive.read_metadata(&old)?.article);
    let new_text = text(&archive.read_metadata(&new)?.article);
    if old_text.len() + new_text.len() > BYTES_MAX {
        return Err(Fault::Large(format!(
            "Too much for a page: faircopy diff {}@{} @{}",
            old.doc, old.version, new.version
        )));
    }
    let (_, versions) = archive.extent(&new.doc)?;
    let runs = comparison::runs(&old_text, &new_text, Some(PATIENCE));
    Ok(Compared {
        old,
        new,
        runs,
        versions,
    })
}

fn page(compared: &Compared, asked: &Asked) -> Page {
    let Compared {
        old,
        new,
        runs,
        versions,
    } = compared;
    let is_inline = asked.view.as_deref() == Some("inline");
    let of = match asked.of.as_deref() {
        Some("furniture") => "furniture",
        _ => "story",
    };
    let is_same = runs.iter().all(|run| run.op == Op::Equal);
    let content = html! {
        (heading(new, *versions, Tab::Compare))
        (form(compared, is_inline, of))
        @if is_same { p class="empty" { "Nothing differs." } }
        p class="legend" { "Words are marked as " del { "removed" } " or " ins { "added" } "." }
        @if is_inline { (in_one(runs)) } @else { (side_by_side(old, new, runs)) }
    };
    let of = format!(
        "Versions {} and {}",
        frame::version(old),
        frame::version(new)
    );
    frame::page_of(Some(&of), frame::title(new), Room::Documents, content)
}

fn form(compared: &Compared, is_inline: bool, of: &str) -> Markup {
    let Compared {
        old, new, versions, ..
    } = compared;
    html! {
        form class="inline" method="get" action=(format!("/documents/{}/compare", new.doc)) {
            span class="pair" {
                label for="old" { "Version" }
                input id="old" name="old" value=(frame::version(old)) size="6" required aria-describedby="versions";
            }
            span class="pair" {
                label for="new" { "with" }
                input id="new" name="new" value=(frame::version(new)) size="6" required aria-describedby="versions";
            }
            span class="pair" {
                label for="of" { "What" }
                select id="of" name="of" {
                    option value="story" selected[of == "story"] { "story" }
                    option value="furniture" selected[of == "furniture"] { "all else" }
                }
            }
            span class="pair" {
                label for="view" { "View" }
                select id="view" name="view" {
                    option value="side" selected[!is_inline] { "side by side" }
                    option value="inline" selected[is_inline] { "in one text" }
                }
            }
            button { "Compare" }
            p id="versions" class="help" { "Versions 1 to " (versions) "; 2.2 is the second edition of version 2; or a date." }
        }
    }
}

fn side_by_side(old: &CaptureRow, new: &CaptureRow, runs: &[Run]) -> Markup {
    html! {
        table class="sides" {
            caption class="hidden" { "The two versions side by side; lines that differ are marked" }
            thead { tr {
                th scope="col" { "Version " (frame::version(old)) span class="muted" { ", " (time(old.captured_at)) } }
                th scope="col" { "Version " (frame::version(new)) span class="muted" { ", " (time(new.captured_at)) } }
            } }
            tbody {
                @for row in comparison::rows(runs) {
                    tr class=[row.is_changed().then_some("changed")] {
                        td dir="auto" { (marked(&row.old)) }
                        td dir="auto" { (marked(&row.new)) }
                    }
                }
            }
        }
    }
}

fn in_one(runs: &[Run]) -> Markup {
    html! { div class="inline-diff" dir="auto" { (marked(runs)) } }
}

fn marked(runs: &[Run]) -> Markup {
    html! {
        @for run in runs {
            @match run.op {
                Op::Equal => (shown(&run.text)),
                Op::Delete => del { (shown(&run.text)) },
                Op::Insert => ins { (shown(&run.text)) },
            }
        }
    }
}
