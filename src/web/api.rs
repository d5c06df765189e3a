//! The same as JSON, for programs: `/api/v1`.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use serde_json::{Value, json};

use super::ask::{Names, Question};
use super::fault;
use super::finding::{self, Answer, Asked};
use super::openapi::ROOT;
use super::pages::timeline::read_version;
use super::pages::{compare, explain, quarantine, timeline};
use super::{Shared, download, openapi};
use crate::archive::catalog::{CaptureRow, DocumentRow};
use crate::archive::reader::Archive;
use crate::article_json;
use crate::comparison;
use crate::search;
use crate::timeline::Entry;

type Answered = Result<Json<Value>, fault::Json>;

/// Paths below the root, and what answers at each.
fn table() -> [(&'static str, MethodRouter<Shared>); 14] {
    [
        ("/status", get(status)),
        ("/documents", get(documents)),
        ("/search", get(found)),
        ("/documents/{doc}", get(document)),
        ("/documents/{doc}/timeline", get(timeline_of)),
        ("/documents/{doc}/compare", get(compared)),
        ("/documents/{doc}/{version}", get(version)),
        ("/documents/{doc}/{version}/ledger", get(ledger)),
        ("/documents/{doc}/{version}/raw", get(raw)),
        ("/documents/{doc}/{version}/text", get(text)),
        ("/documents/{doc}/{version}/metadata", get(record)),
        ("/documents/{doc}/{version}/proof", get(proof)),
        ("/quarantine", get(quarantined)),
        ("/openapi.json", get(openapi::show)),
    ]
}

pub(super) fn routes() -> Router<Shared> {
    let add =
        |router: Router<Shared>, (path, method)| router.route(&format!("{ROOT}{path}"), method);
    table().into_iter().fold(Router::new(), add)
}

async fn status(State(web): State<Shared>) -> Answered {
    let standing = web.figures.standings.now().await?;
    Ok(Json(json!(*standing)))
}

async fn documents(State(web): State<Shared>, Question(asked): Question<Asked>) -> Answered {
    let asked = Asked { q: None, ..asked };
    let answer = web
        .shelf
        .read(move |archive| finding::find(archive, &asked))
        .await?;
    let (rows, next) = match &answer {
        Answer::List(listed) => (&listed.rows[..], listed.next.as_ref()),
        _ => (&[][..], None),
    };
    let documents: Vec<Value> = rows.iter().map(article_json::document).collect();
    Ok(Json(
        json!({"documents": documents, "next": next.map(finding::place_text)}),
    ))
}

async fn found(State(web): State<Shared>, Question(asked): Question<Asked>) -> Answered {
    let (found, snippets) = web
        .shelf
        .read(move |archive| finding::hits(archive, &asked))
        .await?;
    let hits = found.hits.iter().zip(snippets);
    let hits: Vec<Value> = hits
        .map(|(hit, snippet)| search::object(hit, snippet.as_ref()))
        .collect();
    let next = found.next.map(|next| next.to_string());
    Ok(Json(
        json!({"hits": hits, "next": next, "behind": found.behind}),
    ))
}

async fn document(State(web): State<Shared>, Names(doc): Names<String>) -> Answered {
    let first = timeline::Asked::default();
    let timeline = web
        .shelf
        .read(move |archive| timeline::read(archive, &doc, &first))
        .await?;
    let latest = timeline.latest.clone().map(|latest| {
        article_json::document(&DocumentRow {
            doc: timeline.doc.clone(),
            captures: timeline.captures,
            versions: timeline.versions,
            latest,
        })
    });
    Ok(Json(json!({
        "doc": timeline.doc, "captures": timeline.captures, "versions": timeline.versions, "document": latest,
        "one_with": timeline.others, "held_by": timeline.held, "erased_by": timeline.erased,
    })))
}

async fn timeline_of(
    State(web): State<Shared>,
    Names(doc): Names<String>,
    Question(asked): Question<timeline::Asked>,
) -> Answered {
    let timeline = web
        .shelf
        .read(move |archive| timeline::read(archive, &doc, &asked))
        .await?;
    let entries: Vec<Value> = timeline.entries.iter().map(Entry::object).collect();
    let next = timeline.next.map(|next| next.to_string());
    Ok(Json(json!({"entries": entries, "next": next})))
}

async fn compared(
    State(web): State<Shared>,
    Names(doc): Names<String>,
    Question(asked): Question<compare::Asked>,
) -> Answered {
    let compared = web
        .shelf
        .read(move |archive| compare::compare(archive, &doc, &asked))
        .await?;
    Ok(Json(comparison::object(
        &compared.old,
        &compared.new,
        &compared.runs,
    )))
}

async fn version(web: State<Shared>, of: Names<(String, String)>) -> Answered {
    let read = |archive: &Archive, row: &CaptureRow| {
        let metadata = archive.read_metadata(row)?;
        Ok(article_json::version(row, &metadata))
    };
    of_version(web, of, read).await
}

async fn ledger(web: State<Shared>, of: Names<(String, String)>) -> Answered {
    let read = |archive: &Archive, row: &CaptureRow| {
        let explanation = explain::explain(archive, row)?;
        let ledger = &explanation.metadata.ledger;
        Ok(json!({"ledger": article_json::ledger(ledger, explanation.document.input())}))
    };
    of_version(web, of, read).await
}

async fn of_version(
    State(web): State<Shared>,
    Names((doc, version)): Names<(String, String)>,
    read: impl FnOnce(&Archive, &CaptureRow) -> Result<Value, fault::Fault> + Send + 'static,
) -> Answered {
    let work = move |archive: &Archive| read(archive, &read_version(archive, &doc, &version)?);
    Ok(Json(web.shelf.read(work).await?))
}

type Given = Result<Response, fault::Json>;

async fn raw(web: State<Shared>, of: Names<(String, String)>) -> Given {
    Ok(download::raw(web, of).await?)
}

async fn text(web: State<Shared>, of: Names<(String, String)>) -> Given {
    Ok(download::text(web, of).await?)
}

async fn record(web: State<Shared>, of: Names<(String, String)>) -> Given {
    Ok(download::metadata(web, of).await?)
}

async fn proof(web: State<Shared>, of: Names<(String, String)>) -> Given {
    Ok(download::proof(web, of).await?)
}

async fn quarantined(
    State(web): State<Shared>,
    Question(asked): Question<quarantine::Asked>,
) -> Answered {
    let stretch = quarantine::read(&web, &asked).await?;
    Ok(Json(
        json!({"quarantine": stretch.found, "all": stretch.all, "next": stretch.next}),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_description_names_the_routes_that_there_are() {
        let description: Value = serde_json::from_str(openapi::DESCRIPTION).expect("it is JSON");
        let described = description["paths"].as_object().expect("paths").keys();
        let described: BTreeSet<String> = described.cloned().collect();
        let routes = table()
            .into_iter()
            .map(|(path, _)| path.to_owned())
            .collect();
        assert_eq!(described, routes);
        assert_eq!(description["servers"][0]["url"], ROOT);
    }
}
