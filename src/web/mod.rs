//! The audit pages: what is in an archive and why, for people in a browser and for programs as JSON. Read only.
//!
//! ```text
//! server   connections, bounded               gate    who may ask, and what the browser may do with the answer
//! pages/   what people read                   api     the same as JSON      feed  new versions
//! frame    what all pages share               shelf   open archives, read by a few at a time
//! standing how things stand                   tallies what was asked, and how long it took
//! figures  what is measured by both           metrics for who scrapes them     otlp  for a collector, pushed
//! ```
//!
//! What was scraped is hostile: it is shown as text, never as what it says it is. Nothing on a page comes from elsewhere.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::middleware;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::config::Config;
use fault::Fault;
use figures::Figures;
use gate::Gate;
use server::Listener;
use shelf::Shelf;

mod api;
mod ask;
mod download;
mod fault;
mod feed;
pub mod figures;
mod finding;
mod frame;
pub mod gate;
mod metrics;
mod openapi;
pub mod options;
#[cfg(feature = "otlp")]
pub mod otlp;
mod pages;
pub mod server;
mod shelf;
mod standing;
mod tallies;

/// What all requests share.
struct Web {
    config: Config,
    gate: Gate,
    shelf: Shelf,
    figures: Arc<Figures>,
}

type Shared = Arc<Web>;

/// The pages of the archive that `config` names, as they are served at `listener`, with its `figures`.
pub fn router(
    config: Config,
    figures: Arc<Figures>,
    listener: &Listener,
) -> Result<Router, gate::Error> {
    let web = Web {
        gate: Gate::new(&config.web, listener.address())?,
        shelf: figures.standings.shelf.clone(),
        figures,
        config,
    };
    let web = Arc::new(web);
    let routes = Router::new()
        .route("/", get(pages::overview::show))
        .route("/documents", get(pages::documents::show))
        .route("/documents/{doc}", get(pages::timeline::show))
        .route("/documents/{doc}/compare", get(pages::compare::show))
        .route("/documents/{doc}/{version}", get(pages::version::show))
        .route(
            "/documents/{doc}/{version}/explain",
            get(pages::explain::show),
        )
        .route("/documents/{doc}/{version}/raw", get(download::raw))
        .route("/documents/{doc}/{version}/text", get(download::text))
        .route(
            "/documents/{doc}/{version}/metadata",
            get(download::metadata),
        )
        .route("/documents/{doc}/{version}/proof", get(download::proof))
        .route("/quarantine", get(pages::quarantine::show))
        .route("/feed.atom", get(feed::show))
        .route("/metrics", get(metrics::show))
        .route("/healthz", get(metrics::healthz))
        .route("/readyz", get(metrics::readyz))
        .route("/assets/style.css", get(style))
        .route("/assets/script.js", get(script))
        .route("/favicon.ico", get(icon))
        .merge(api::routes())
        .fallback(missing)
        .layer(middleware::from_fn_with_state(Arc::clone(&web), gate::pass))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&web),
            tallies::tally,
        ));
    Ok(routes.with_state(web))
}

async fn missing(parts: axum::http::request::Parts) -> axum::response::Response {
    ask::refuse(
        &parts,
        Fault::Missing("There is no page of this name.".to_owned()),
    )
}

async fn style() -> impl IntoResponse {
    asset("text/css; charset=utf-8", include_str!("style.css"))
}

async fn script() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", include_str!("script.js"))
}

async fn icon() -> impl IntoResponse {
    asset("image/svg+xml", include_str!("icon.svg"))
}

fn asset(kind: &'static str, content: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "private, max-age=300"),
    ];
    (headers, content)
}
