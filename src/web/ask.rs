//! What is asked, read out of addresses; what cannot be read is answered in the form in which it was asked.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::fault::{Fault, Json};
use super::openapi;

/// What follows the question mark.
pub(super) struct Question<T>(pub(super) T);

/// The names in a path.
pub(super) struct Names<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Question<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Question<T>, Response> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Question(asked)),
            Err(error) => Err(refuse(parts, Fault::Wrong(error.body_text()))),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Names<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Names<T>, Response> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(names)) => Ok(Names(names)),
            Err(error) => Err(refuse(parts, Fault::Wrong(error.body_text()))),
        }
    }
}

/// A refusal: JSON to programs, a page to people.
pub(super) fn refuse(parts: &Parts, fault: Fault) -> Response {
    match parts.uri.path().starts_with(openapi::ROOT) {
        true => Json(fault).into_response(),
        false => fault.into_response(),
    }
}
