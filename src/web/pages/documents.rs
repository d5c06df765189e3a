//! The documents: found by words, narrowed by source, language, date and flags.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::archive::catalog::DocumentRow;
use crate::article::{Quality, TRUNCATED, TRUNCATION_SUSPECTED};
use crate::search::{Found, Snippet};
use crate::submission::path_text;
use crate::web::Shared;
use crate::web::ask::Question;
use crate::web::fault::Fault;
use crate::web::finding::{self, Answer, Asked};
use crate::web::frame::{self, Room, count, scraped, shown, time};

pub(in crate::web) async fn show(
    State(web): State<Shared>,
    Question(asked): Question<Asked>,
) -> Result<Response, Fault> {
    let echo = asked.clone();
    let (answer, choices) = web
        .shelf
        .read(move |archive| {
            let answer = finding::find(archive, &asked)?;
            Ok((answer, finding::choices(archive)?))
        })
        .await?;
    let results = match &answer {
        Answer::Document(doc) => {
            return Ok(Redirect::to(&format!("/documents/{doc}")).into_response());
        }
        Answer::List(listed) => {
            let next = listed.next.as_ref().map(finding::place_text);
            html! {
                (table(&listed.rows))
                @if listed.rows.is_empty() {
                    (nothing(next.is_some()))
                }
                (onward(&echo, next))
            }
        }
        Answer::Hits(found, snippets) => html! {
            (hits(found, snippets))
            (onward(&echo, found.next.map(|leaf| leaf.to_string())))
        },
    };
    let content = html! {
        (form(&echo, &choices))
        (results)
    };
    Ok(frame::page("Documents", Room::Documents, content).into_response())
}

fn form(asked: &Asked, choices: &finding::Choices) -> Markup {
    let value = |value: &Option<String>| value.clone().unwrap_or_default();
    let chosen = |wanted: &Option<String>, value: &str| wanted.as_deref() == Some(value);
    let quality = Quality::ALL.iter().map(|quality| quality.as_str());
    let is_narrowed = asked.is_narrowed();
    html! {
        form class="search" method="get" action="/documents" role="search" {
            div class="field wide" {
                label for="q" { "Words, an address, a path or the beginning of an id" }
                input id="q" type="search" name="q" value=(value(&asked.q)) autocomplete="off" aria-describedby="q-help";
            }
            button { "Search" }
            details class="filters" open[is_narrowed] {
                summary { "Narrow" }
                div class="fields" {
                    div class="field" {
                        label for="source" { "Source" }
                        input id="source" name="source" value=(value(&asked.source)) list="sources" autocomplete="off";
                        datalist id="sources" { @for source in &choices.sources { option value=(shown(source)) {} } }
                    }
                    div class="field" {
                        label for="lang" { "Language" }
                        select id="lang" name="lang" {
                            option value="" { "any" }
                            @for language in &choices.languages {
                                option value=(language) selected[chosen(&asked.lang, language)] { (shown(language)) }
                            }
                        }
                    }
                    div class="field" {
                        label for="flag" { "Flag" }
                        select id="flag" name="flag" {
                            option value="" { "any" }
                            @for flag in quality.chain([TRUNCATED, TRUNCATION_SUSPECTED]) {
                                option value=(flag) selected[chosen(&asked.flag, flag)] { (flag.replace('_', " ")) }
                            }
                        }
                    }
                    div class="field" {
                        label for="since" { "Fetched from" }
                        input id="since" type="date" name="since" value=(value(&asked.since));
                    }
                    div class="field" {
                        label for="until" { "to" }
                        input id="until" type="date" name="until" value=(value(&asked.until));
                    }
                }
            }
            p id="q-help" class="help" {
                "All words must be there; " code { "\"in this order\"" } ", " code { "-without" } ", " code { "begin*" } ", "
                code { "one OR other" } "."
            }
        }
    }
}

fn table(rows: &[DocumentRow]) -> Markup {
    html! {
        @if !rows.is_empty() {
            table class="folds" {
                caption class="hidden" { "Documents, those fetched last first" }
                thead { tr { th scope="col" { "Title" } th scope="col" { "Source" } th scope="col" { "Fetched" } th scope="col" { "Versions" } } }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" data-label="Title" {
                                a class="title" href=(format!("/documents/{}", row.doc)) { (frame::short_title(&row.latest)) }
                            }
                            td data-label="Source" class="source" { (source(row)) }
                            td data-label="Fetched" { (time(row.latest.captured_at)) }
                            td data-label="Versions" { (row.versions)
                                span class="muted" { " of " (count(u64::from(row.captures), "capture", "captures")) } }
                        }
                    }
                }
            }
        }
    }
}

fn source(row: &DocumentRow) -> Markup {
    let latest = &row.latest;
    match latest.url.as_deref().and_then(crate::pin::site) {
        Some(site) => scraped(&site),
        None => {
            let path = path_text::to_text(&latest.source.path);
            scraped(&format!("{}/{path}", latest.source.root))
        }
    }
}

fn hits(found: &Found, snippets: &[Option<Snippet>]) -> Markup {
    html! {
        @if found.behind > 0 {
            p class="notice" { "The newest " (count(found.behind, "entry is", "entries are"))
                " not indexed yet. The daemon indexes when it is idle; " code { "faircopy search" } " does at once." }
        }
        @if found.hits.is_empty() { (nothing(found.next.is_some())) }
        ol class="hits" {
            @for (hit, snippet) in found.hits.iter().zip(snippets) {
                li {
                    a class="title" href=(format!("/documents/{}/{}", hit.row.doc, hit.row.version)) { (frame::short_title(&hit.row)) }
                    span class="muted" {
                        " version " (hit.row.version) @if !hit.is_current { " (a later one is there)" }
                        ", fetched " (time(hit.row.captured_at))
                    }
                    @if let Some(snippet) = snippet { p class="snippet" dir="auto" { (marked(snippet)) } }
                }
            }
        }
    }
}

fn marked(snippet: &Snippet) -> Markup {
    let mut at = 0;
    let mut parts = Vec::new();
    for found in &snippet.matches {
        parts.push((&snippet.text[at..found.start], &snippet.text[found.clone()]));
        at = found.end;
    }
    html! {
        @for (before, found) in parts { (shown(before)) mark { (shown(found)) } }
        (shown(&snippet.text[at..]))
    }
}

fn nothing(goes_on: bool) -> Markup {
    html! {
        p class="empty" {
            @if goes_on { "Nothing in this stretch; older documents were not looked at yet." }
            @else { "Nothing was found." }
        }
    }
}

fn onward(asked: &Asked, next: Option<String>) -> Markup {
    html! {
        @if asked.after.is_some() || next.is_some() {
            nav class="pages" aria-label="Pages" {
                @if asked.after.is_some() { a href=(asked.address(None)) { "Newest" } }
                @if let Some(next) = next { a href=(asked.address(Some(&next))) rel="next" { "Older" } }
            }
        }
    }
}
