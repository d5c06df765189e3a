//! `Fault`: why there is no page, as a page or as JSON.

use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};
use maud::html;
use serde_json::json;

use super::frame::{self, Page, Room};
use crate::archive;
use crate::explanation;
use crate::inbox;
use crate::pipeline::chain;
use crate::search;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// There is no such thing.
    Missing(String),
    /// What is asked makes no sense.
    Wrong(String),
    /// Too much is asked at once.
    Busy,
    /// The archive cannot say.
    Broken(String),
    /// The thing was erased.
    Gone(String),
    /// It is too large to be shown.
    Large(String),
    /// Only GET and HEAD.
    Method,
    /// We are asked by a name that is not ours.
    Host,
    /// The token is missing or wrong.
    Token,
}

impl Fault {
    fn status(&self) -> StatusCode {
        match self {
            Fault::Missing(_) => StatusCode::NOT_FOUND,
            Fault::Wrong(_) => StatusCode::BAD_REQUEST,
            Fault::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Fault::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Fault::Gone(_) => StatusCode::GONE,
            Fault::Large(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Fault::Method => StatusCode::METHOD_NOT_ALLOWED,
            Fault::Host => StatusCode::MISDIRECTED_REQUEST,
            Fault::Token => StatusCode::UNAUTHORIZED,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Fault::Missing(_) => "missing",
            Fault::Wrong(_) => "wrong",
            Fault::Busy => "busy",
            Fault::Broken(_) => "broken",
            Fault::Gone(_) => "erased",
            Fault::Large(_) => "too_large",
            Fault::Method => "method",
            Fault::Host => "host",
            Fault::Token => "token",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Fault::Missing(_) => "Nothing is here",
            Fault::Wrong(_) => "This cannot be asked",
            Fault::Busy => "Too many questions at once",
            Fault::Broken(_) => "The archive cannot tell",
            Fault::Gone(_) => "This was erased",
            Fault::Large(_) => "Too large to be shown",
            Fault::Method => "These pages are read only",
            Fault::Host => "Unknown name",
            Fault::Token => "A token is needed",
        }
    }

    fn message(&self) -> &str {
        match self {
            Fault::Missing(why)
            | Fault::Wrong(why)
            | Fault::Broken(why)
            | Fault::Gone(why)
            | Fault::Large(why) => why,
            Fault::Busy => "The archive is being read by many at once; ask again in a moment.",
            Fault::Method => {
                "Only GET and HEAD are answered; all that changes an archive is done by the command line."
            }
            Fault::Host => {
                "You asked by a name that is not this machine's. Ask localhost, or add the name to web.hosts."
            }
            Fault::Token => {
                "Give it as the password, with any user name, or in the header Authorization: Bearer TOKEN."
            }
        }
    }

    fn page(&self) -> Page {
        let advice = html! {
            p class="breaks" { (frame::told(self.message())) }
            @if matches!(self, Fault::Missing(_) | Fault::Wrong(_)) {
                form class="search" method="get" action="/documents" role="search" {
                    div class="field wide" {
                        label for="q" { "Words, an address, a path or the beginning of an id" }
                        input id="q" type="search" name="q" autocomplete="off";
                    }
                    button { "Search" }
                }
            }
        };
        frame::page(self.title(), Room::None, advice)
    }

    /// What belongs to the status, whatever the body.
    fn dress(&self, mut response: Response) -> Response {
        *response.status_mut() = self.status();
        let more = match self {
            Fault::Busy => Some((header::RETRY_AFTER, "1")),
            Fault::Method => Some((header::ALLOW, "GET, HEAD")),
            Fault::Token => Some((
                header::WWW_AUTHENTICATE,
                "Basic realm=\"faircopy\", charset=\"UTF-8\"",
            )),
            _ => None,
        };
        if let Some((name, value)) = more {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        self.dress(self.page().into_response())
    }
}

/// The same as JSON.
pub(super) struct Json(pub(super) Fault);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        let Json(fault) = self;
        let error = json!({"error": {"code": fault.code(), "message": fault.message()}});
        fault.dress(axum::Json(error).into_response())
    }
}

impl From<Fault> for Json {
    fn from(fault: Fault) -> Json {
        Json(fault)
    }
}

impl From<archive::Error> for Fault {
    fn from(error: archive::Error) -> Fault {
        use archive::Error;
        let message = chain(&error);
        match error {
            Error::NoDocument(_) | Error::Ambiguous { .. } | Error::NoVersion { .. } => {
                Fault::Missing(message)
            }
            Error::Erased { .. } => Fault::Gone(message),
            _ => {
                tracing::warn!(error = message, "a page could not be made");
                Fault::Broken(message)
            }
        }
    }
}

impl From<explanation::Error> for Fault {
    fn from(error: explanation::Error) -> Fault {
        match error {
            explanation::Error::Archive(error) => error.into(),
            error => Fault::Broken(chain(&error)),
        }
    }
}

impl From<search::Error> for Fault {
    fn from(error: search::Error) -> Fault {
        match error {
            search::Error::Archive(error) => error.into(),
            search::Error::NoWords(_) => Fault::Wrong(chain(&error)),
            error => Fault::Broken(chain(&error)),
        }
    }
}

impl From<inbox::error::Error> for Fault {
    fn from(error: inbox::error::Error) -> Fault {
        Fault::Broken(chain(&error))
    }
}
