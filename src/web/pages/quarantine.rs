//! What could not be archived, why, and how it is sent back.

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use crate::inbox::quarantine::{self, Quarantined};
use crate::submission::{ClaimId, path_text};
use crate::web::ask::Question;
use crate::web::fault::Fault;
use crate::web::frame::{self, Page, Room, count, scraped, time, told};
use crate::web::{Shared, Web};

/// So many are on one page.
const PAGE: usize = 40;

/// Which stretch is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    below: Option<String>,
}

/// A stretch of the quarantine, and how much there is in all.
pub(in crate::web) struct Stretch {
    pub(in crate::web) found: Vec<Quarantined>,
    pub(in crate::web) all: usize,
    pub(in crate::web) next: Option<ClaimId>,
}

/// Reads what is asked for.
pub(in crate::web) async fn read(web: &Web, asked: &Asked) -> Result<Stretch, Fault> {
    let below = asked.below.as_deref().filter(|text| !text.is_empty());
    let below = below.map(|text| {
        ClaimId::parse(text).ok_or_else(|| Fault::Wrong(format!("{text:?} is no claim.")))
    });
    let below = below.transpose()?;
    let inboxes = web.config.inbox.clone();
    let (mut found, all) = web
        .shelf
        .run(move || Ok(quarantine::newest(&inboxes, below.as_ref(), PAGE + 1)?))
        .await?;
    let goes_on = found.len() > PAGE;
    found.truncate(PAGE);
    let next = found
        .last()
        .filter(|_| goes_on)
        .map(|one| one.claim.clone());
    Ok(Stretch { found, all, next })
}

pub(in crate::web) async fn show(
    State(web): State<Shared>,
    Question(asked): Question<Asked>,
) -> Result<Page, Fault> {
    let Stretch { found, all, next } = read(&web, &asked).await?;
    let content = html! {
        @if all == 0 {
            p class="empty" { "Nothing is in quarantine: all that was dropped could be archived." }
        } @else {
            p class="help" { (count(all as u64, "file", "files")) " could not be archived, the last first. When the cause is mended, "
                code { "faircopy retry --all" } " sends all of them back." }
            ul class="quarantine" { @for one in &found { (entry(one)) } }
        }
        @if let Some(next) = next {
            nav class="pages" aria-label="Pages" { a href=(format!("/quarantine?below={next}")) rel="next" { "Older" } }
        }
    };
    Ok(frame::page("Quarantine", Room::Quarantine, content))
}

fn entry(one: &Quarantined) -> Markup {
    let path = path_text::to_text(&one.source.path);
    html! {
        li {
            h2 { (scraped(&format!("{}/{path}", one.source.root))) }
            p { span class="label" { (one.reason.code.as_str().replace('_', " ")) } " " (told(&one.reason.message)) }
            p class="muted" { "while: " (scraped(&one.stage)) ", " (count(u64::from(one.attempts), "attempt", "attempts"))
                ", " (frame::bytes(one.signature.size)) ", " (time(one.failed_at)) }
            pre tabindex="0" { code { "faircopy retry " (one.claim) } }
        }
    }
}
