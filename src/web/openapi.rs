//! The description of the JSON interface (OpenAPI 3.1). A test holds that it names the routes that there are.

use axum::http::header;
use axum::response::IntoResponse;

/// What all addresses of the interface begin with.
pub(super) const ROOT: &str = "/api/v1";

pub(super) const DESCRIPTION: &str = include_str!("openapi.json");

pub(super) async fn show() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION)
}
