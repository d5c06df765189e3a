//! The fair copy beside the raw text: every span that was removed stands marked where it stood, with its class; rule and
//! reason are one click away.

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::timeline::{heading, read_version};
use super::version::Tab;
use crate::archive::catalog::CaptureRow;
use crate::archive::reader::Archive;
use crate::explanation::{self, Explanation};
use crate::ledger::{Class, Ledger, Span, Verdict};
use crate::web::Shared;
use crate::web::ask::{Names, Question};
use crate::web::fault::Fault;
use crate::web::frame::{self, Page, Room, bytes, count, shown};

/// What is larger is not decoded for a page: that would take longer than a reader waits.
const RAW_BYTES_MAX: u64 = 2 << 20;
/// So many rows are on one page.
const PAGE: usize = 400;
/// Of a span so many bytes are shown at first; the rest is one click away.
const TEASER_BYTES: usize = 240;

/// Which stretch is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    from: Option<String>,
}

pub(in crate::web) async fn show(
    State(web): State<Shared>,
    Names((doc, version)): Names<(String, String)>,
    Question(asked): Question<Asked>,
) -> Result<Page, Fault> {
    let from = match asked.from.as_deref().filter(|from| !from.is_empty()) {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| Fault::Wrong(format!("{text:?} is no number of a row.")))?,
    };
    web.shelf
        .read(move |archive| {
            let row = read_version(archive, &doc, &version)?;
            let (_, versions) = archive.extent(&row.doc)?;
            Ok(page(&row, versions, &explain(archive, &row)?, from))
        })
        .await
}

/// The account of a version.
pub(in crate::web) fn explain(archive: &Archive, row: &CaptureRow) -> Result<Explanation, Fault> {
    if row.raw_bytes > RAW_BYTES_MAX {
        return Err(Fault::Large(format!(
            "It has {}; faircopy explain {}@{} tells of any size.",
            bytes(row.raw_bytes),
            row.doc,
            frame::version(row)
        )));
    }
    Ok(explanation::of(archive, row)?)
}

/// A stretch of the text as it came, and what became of it.
enum Row<'a> {
    /// Text of the fair copy, with what was cut out of its lines.
    Kept {
        came: Vec<Piece<'a>>,
        became: String,
    },
    /// What was removed as a whole.
    Removed(Piece<'a>),
}

/// Neighbouring spans that one rule removed, or one span that is there.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    span: &'a Span,
}

fn page(row: &CaptureRow, versions: u32, explanation: &Explanation, from: usize) -> Page {
    let ledger = &explanation.metadata.ledger;
    let input = explanation.document.input();
    let rows = rows(ledger, input);
    let end = (from + PAGE).min(rows.len());
    let stretch = rows.get(from..end).unwrap_or_default();
    let language = frame::language(explanation.metadata.article.language.as_deref());
    let base = format!("/documents/{}/{}/explain", row.doc, frame::version(row));
    let content = html! {
        (heading(row, versions, Tab::Explain))
        p class="help" {
            (bytes(input.len() as u64)) " of text came in, " (bytes(ledger.bytes_removed() as u64))
            " were removed; every byte is in exactly one span. A mark opens to its rule and reason."
        }
        (summary(&rows))
        div class="account" lang=[language] {
            div class="row head" aria-hidden="true" { div { "As it came" } div { "Fair copy" } }
            @for row in stretch { (one(row)) }
            @if stretch.is_empty() { p class="empty" { "There is no text." } }
        }
        @if from > 0 || end < rows.len() {
            nav class="pages" aria-label="Pages" {
                @if from > 0 { a href=(format!("{base}?from={}", from.saturating_sub(PAGE))) rel="prev" { "Before" } }
                @if end < rows.len() { a href=(format!("{base}?from={end}")) rel="next" { "Further" } }
            }
        }
    };
    frame::page_of(
        Some("What was removed"),
        frame::title(row),
        Room::Documents,
        content,
    )
}

/// How much was removed of each class.
fn summary(rows: &[Row<'_>]) -> Markup {
    let mut classes: Vec<(Class, usize)> = Vec::new();
    for piece in rows.iter().flat_map(Row::removed) {
        match classes
            .iter_mut()
            .find(|(class, _)| *class == piece.span.class)
        {
            Some((_, count)) => *count += 1,
            None => classes.push((piece.span.class, 1)),
        }
    }
    html! {
        @if !classes.is_empty() {
            ul class="classes" aria-label="Removed, by class" {
                @for (class, number) in classes {
                    li { span class=(format!("label {}", kind(class))) { (name(class)) } " " (count(number as u64, "place", "places")) }
                }
            }
        }
    }
}

impl<'a> Row<'a> {
    fn removed(&self) -> Vec<Piece<'a>> {
        match self {
            Row::Removed(piece) => vec![*piece],
            Row::Kept { came, .. } => came.iter().copied().filter(Piece::is_removed).collect(),
        }
    }
}

impl Piece<'_> {
    fn is_removed(&self) -> bool {
        self.span.verdict == Verdict::Removed && self.span.class != Class::Blank
    }

    /// Whether it was rewritten in a way that is to be seen: not if only its blanks were.
    fn is_rewritten(&self) -> bool {
        let becomes = self.span.becomes.as_deref().unwrap_or_default();
        self.span.verdict == Verdict::Rewritten
            && becomes.split_whitespace().ne(self.text.split_whitespace())
    }
}

/// Lays the spans out in rows: a paragraph of the fair copy each, or what was removed between two.
fn rows<'a>(ledger: &'a Ledger, input: &'a str) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    let (mut came, mut became) = (Vec::new(), String::new());
    for piece in merged(ledger, input) {
        let is_at_line = came
            .last()
            .is_none_or(|before: &Piece<'_>| before.text.ends_with('\n'));
        if piece.is_removed() && (is_at_line || became.ends_with('\n')) {
            flush(&mut rows, &mut came, &mut became);
            rows.push(Row::Removed(piece));
            continue;
        }
        match piece.span.verdict {
            Verdict::Removed => came.push(piece),
            Verdict::Rewritten => {
                came.push(piece);
                became.push_str(piece.span.becomes.as_deref().unwrap_or_default());
            }
            Verdict::Kept => {
                for text in piece.text.split_inclusive("\n\n") {
                    came.push(Piece {
                        text,
                        span: piece.span,
                    });
                    became.push_str(text);
                    if became.ends_with("\n\n") {
                        flush(&mut rows, &mut came, &mut became);
                    }
                }
            }
        }
        if became.ends_with("\n\n") {
            flush(&mut rows, &mut came, &mut became);
        }
    }
    flush(&mut rows, &mut came, &mut became);
    rows
}

fn flush<'a>(rows: &mut Vec<Row<'a>>, came: &mut Vec<Piece<'a>>, became: &mut String) {
    let (came, became) = (std::mem::take(came), std::mem::take(became));
    let is_blank =
        became.trim().is_empty() && came.iter().all(|piece| piece.text.trim().is_empty());
    if !is_blank {
        rows.push(Row::Kept { came, became });
    }
}

/// Spans with their texts; what one rule removed for one reason is one, with the blanks between.
fn merged<'a>(ledger: &'a Ledger, input: &'a str) -> Vec<Piece<'a>> {
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    let mut spans = ledger.spans.iter();
    while let Some(span) = spans.next() {
        let piece = Piece {
            text: &input[span.start..span.end],
            span,
        };
        let mut end = span.end;
        if piece.is_removed() {
            // What follows of the same kind, blanks that were removed between them included.
            let mut ahead = spans.clone();
            while let Some(next) = ahead.next() {
                let is_blank = next.class == Class::Blank && next.verdict == Verdict::Removed;
                let is_same = next.verdict == Verdict::Removed
                    && (next.class, &next.rule, &next.reason)
                        == (span.class, &span.rule, &span.reason);
                if is_same {
                    end = next.end;
                    spans = ahead.clone();
                } else if !is_blank {
                    break;
                }
            }
        }
        pieces.push(Piece {
            text: &input[span.start..end],
            span,
        });
    }
    pieces
}

fn one(row: &Row<'_>) -> Markup {
    match row {
        Row::Removed(piece) => html! {
            div class="row removed" {
                div { (mark(piece)) }
                div class="nothing" aria-hidden="true" { "–" }
            }
        },
        Row::Kept { came, became } => {
            let noted: Vec<_> = came
                .iter()
                .filter(|piece| piece.is_removed() || piece.is_rewritten())
                .collect();
            html! {
                div class="row kept" {
                    div {
                        div class="text" dir="auto" { @for piece in trimmed(came) { (within(&piece)) } }
                        @for piece in noted { (note(piece)) }
                    }
                    div class="text" dir="auto" { (shown(became.trim_end())) }
                }
            }
        }
    }
}

/// Without the blanks at the ends.
fn trimmed<'a>(came: &[Piece<'a>]) -> Vec<Piece<'a>> {
    let is_blank = |piece: &Piece<'_>| piece.text.trim().is_empty();
    let first = came
        .iter()
        .position(|piece| !is_blank(piece))
        .unwrap_or(came.len());
    let last = came
        .iter()
        .rposition(|piece| !is_blank(piece))
        .map_or(first, |last| last + 1);
    let mut pieces = came[first..last].to_vec();
    if let Some(piece) = pieces.first_mut() {
        piece.text = piece.text.trim_start();
    }
    if let Some(piece) = pieces.last_mut() {
        piece.text = piece.text.trim_end();
    }
    pieces
}

/// A piece where it stands in its line.
fn within(piece: &Piece<'_>) -> Markup {
    html! {
        @if piece.is_removed() { del { (shown(piece.text)) } }
        @else if piece.is_rewritten() { span class="rewritten" { (shown(piece.text)) } }
        @else { (shown(piece.text)) }
    }
}

/// What was removed as a whole, and why.
fn mark(piece: &Piece<'_>) -> Markup {
    let (teaser, rest) = teaser(piece.text.trim());
    html! {
        details class=(format!("mark {}", kind(piece.span.class))) {
            summary {
                span class="label" { (name(piece.span.class)) } " "
                del class="text" dir="auto" { (shown(teaser)) @if !rest.is_empty() { "…" } }
            }
            @if !rest.is_empty() { del class="text whole" dir="auto" { (shown(piece.text.trim())) } }
            (reason(piece.span))
        }
    }
}

/// What was cut out of a line or rewritten in it, and why.
fn note(piece: &Piece<'_>) -> Markup {
    let (teaser, rest) = teaser(piece.text.trim());
    html! {
        details class=(format!("mark {}", kind(piece.span.class))) {
            summary {
                span class="label" { (name(piece.span.class)) } " "
                @if piece.is_removed() { del class="text" dir="auto" { (shown(teaser)) @if !rest.is_empty() { "…" } } }
                @else {
                    span class="text rewritten" dir="auto" { (shown(teaser)) @if !rest.is_empty() { "…" } }
                    " became "
                    span class="text" dir="auto" { (shown(piece.span.becomes.as_deref().unwrap_or_default().trim())) }
                }
            }
            (reason(piece.span))
        }
    }
}

fn reason(span: &Span) -> Markup {
    html! {
        dl class="facts" lang="en" {
            div { dt { "Rule" } dd { code { (shown(&span.rule)) } } }
            div { dt { "Why" } dd { (shown(&span.reason)) } }
            div { dt { "Where" } dd { "from byte " (span.start) } }
        }
    }
}

/// The beginning of a text, and what does not belong to it.
fn teaser(text: &str) -> (&str, &str) {
    if text.len() <= TEASER_BYTES {
        return (text, "");
    }
    text.split_at(text.floor_char_boundary(TEASER_BYTES))
}

fn name(class: Class) -> String {
    class.as_str().replace('_', " ")
}

/// Whether what was removed is kept as data, or is nobody's article.
fn kind(class: Class) -> &'static str {
    match class {
        Class::Title
        | Class::Section
        | Class::Byline
        | Class::Dateline
        | Class::Date
        | Class::Caption
        | Class::Credit
        | Class::FooterExcerpt
        | Class::FooterOther
        | Class::Note
        | Class::Correction
        | Class::Truncation => "data",
        Class::Promo
        | Class::Related
        | Class::Social
        | Class::Ui
        | Class::Navigation
        | Class::Hidden => "furniture",
        Class::Body | Class::Subheading | Class::Blank => "body",
    }
}
