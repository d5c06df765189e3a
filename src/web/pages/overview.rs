//! The overview: how things stand, and what is new.

use axum::extract::State;
use maud::{Markup, html};
use serde_json::Value;

use crate::archive::catalog::CaptureRow;
use crate::web::Shared;
use crate::web::fault::Fault;
use crate::web::frame::{self, Page, Room, count, grouped, scraped, time};
use crate::web::standing::{HOURS, Standing};

/// So many new versions are shown.
const NEW: u32 = 12;

pub(in crate::web) async fn show(State(web): State<Shared>) -> Result<Page, Fault> {
    let standing = web.figures.standings.now().await?;
    let newest = web
        .shelf
        .read(|archive| Ok(archive.newest_versions(u64::MAX >> 1, NEW)?))
        .await?;
    let content = html! {
        (figures(&standing))
        (troubles(&standing))
        section aria-labelledby="intake" {
            h2 id="intake" { "Intake" }
            (intake(&standing))
        }
        section aria-labelledby="drift" {
            h2 id="drift" { "Sources that drift" }
            (drift(&standing.drift))
        }
        section aria-labelledby="new" {
            h2 id="new" { "New versions" }
            (new_versions(&newest))
        }
    };
    Ok(frame::page("Overview", Room::Overview, content))
}

fn figures(standing: &Standing) -> Markup {
    let checked = &standing.last_check;
    let problems = checked["problems"].as_u64();
    html! {
        dl class="figures" {
            div { dt { "Daemon" } dd { (standing.state) }
                @if let Some(count) = standing.in_flight { dd class="note" { (grouped(count)) " in hand" } } }
            div { dt { "Documents" } dd { (grouped(standing.documents)) }
                dd class="note" { (count(standing.captures, "capture", "captures")) } }
            div { dt { "Last hour" } dd { (grouped(standing.received_last_hour)) }
                dd class="note" { (grouped(standing.received_by_hour.iter().sum())) " in " (HOURS) " hours" } }
            div { dt { "Inbox" }
                @match standing.inbox["pending"].as_u64() {
                    Some(pending) => { dd { (grouped(pending)) } dd class="note" { "waiting, "
                        (grouped(standing.inbox["settling"].as_u64().unwrap_or(0))) " settling" } }
                    None => { dd { "–" } dd class="note" { "only the daemon knows" } }
                } }
            div { dt { "Quarantine" } dd { a href="/quarantine" { (grouped(standing.quarantine)) } }
                dd class="note" { "could not be archived" } }
            div { dt { "Last check" }
                @match (problems, checked["at"].as_str().and_then(|at| at.parse().ok())) {
                    (Some(problems), Some(at)) => {
                        dd class=[(problems > 0).then_some("bad")] { (count(problems, "problem", "problems")) }
                        dd class="note" { (time(at)) }
                    }
                    _ => { dd { "never" } dd class="note" { code { "faircopy check" } } }
                } }
            div { dt { "Last checkpoint" } dd { (grouped(standing.checkpoint.size)) }
                dd class="note" { "leaves"
                    @if let Some(at) = standing.checkpoint.at { ", " (time(at)) } } }
            div { dt { "On disk" } dd { (frame::bytes(standing.segment_bytes.hot + standing.segment_bytes.sealed)) }
                dd class="note" { "raw bytes, texts and metadata" } }
        }
    }
}

/// What a person should do something about.
fn troubles(standing: &Standing) -> Markup {
    let problems = standing.last_check["problems"].as_u64().unwrap_or(0);
    html! {
        @if let Some(trouble) = &standing.trouble {
            p class="notice bad" role="status" { strong { "Daemon: " } (scraped(trouble)) }
        }
        @if problems > 0 {
            p class="notice bad" role="status" { strong { "The last check found " (count(problems, "problem", "problems")) ". " }
                code { "faircopy check --read-data" } " names them; docs/problems.md says what each means." }
        }
        @for note in &standing.notes {
            p class="notice" role="status" { strong { "Archive: " } (scraped(note)) }
        }
    }
}

/// The last day's hours as bars, and as a table for those who do not see them.
fn intake(standing: &Standing) -> Markup {
    let hours = &standing.received_by_hour;
    let most = hours.iter().copied().max().unwrap_or(0);
    let (width, height) = (HOURS * 20, 80);
    let bar = |count: u64| match (count, most) {
        (0, _) | (_, 0) => 1,
        _ => (count * (height - 4)).div_ceil(most).max(3),
    };
    html! {
        @if most == 0 {
            p class="empty" { "Nothing came in during the last " (HOURS) " hours." }
        } @else {
            svg class="bars" viewBox=(format!("0 0 {width} {height}")) preserveAspectRatio="none" role="img"
                aria-label=(format!("Entries of the log in each of the last {HOURS} hours; at most {most}")) {
                @for (index, count) in hours.iter().enumerate() {
                    rect x=(index * 20 + 2) y=(height - bar(*count)) width="16" height=(bar(*count)) rx="2" {}
                }
            }
            p class="scale" { span { (HOURS) " hours ago" } span { "now" } }
            details {
                summary { "As numbers" }
                ol class="hours" {
                    @for (index, count) in hours.iter().enumerate() {
                        li { span { (HOURS - index) " h ago" } " " b { (grouped(*count)) } }
                    }
                }
            }
        }
    }
}

fn drift(drift: &Value) -> Markup {
    let drifts = drift.as_array().map_or(&[][..], Vec::as_slice);
    html! {
        @if drift.is_null() {
            p class="empty" { "Being looked for; ask again in a moment." }
        } @else if drifts.is_empty() {
            p class="empty" { "No source’s template seems to have changed." }
        } @else {
            ul class="plain" {
                @for one in drifts {
                    li {
                        a href=(format!("/documents?source={}", frame::encoded(one["source"].as_str().unwrap_or_default()))) {
                            (scraped(one["source"].as_str().unwrap_or_default()))
                        }
                        " " span class="muted" { "(" (one["media_type"].as_str().unwrap_or_default()) ")" }
                        ": " (scraped(one["message"].as_str().unwrap_or_default()))
                    }
                }
            }
        }
    }
}

fn new_versions(newest: &[CaptureRow]) -> Markup {
    html! {
        @if newest.is_empty() {
            p class="empty" { "The archive is empty. Drop a file into the inbox, or: " code { "faircopy add FILE" } }
        } @else {
            ul class="entries" {
                @for row in newest {
                    li {
                        a class="title" href=(format!("/documents/{}/{}", row.doc, row.version)) { (frame::short_title(row)) }
                        span class="muted" { " version " (row.version) ", fetched " (time(row.captured_at)) }
                    }
                }
            }
            p { a href="/documents" { "All documents" } }
        }
    }
}
