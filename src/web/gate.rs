//! The gate: who may ask, what may be asked, and what every answer says to the browser.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use subtle::ConstantTimeEq;

use super::fault::{self, Fault};
use super::options::Options;
use super::{Shared, openapi};
use crate::archive::keys;
use crate::digest::Digest;

/// The name of the token among systemd's credentials.
const CREDENTIAL: &str = "faircopy.web-token";
/// A shorter token could be guessed.
const TOKEN_BYTES_MIN: usize = 16;
/// Nothing is fetched from elsewhere, nothing is run but our own file, and nobody may frame us.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// The pages cannot be served there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Everybody in the network could read the archive.
    #[error(
        "{0} can be reached from other machines, and there is no token that keeps strangers out; write one into a file \
         (head -c 24 /dev/urandom | base64 > FILE) and name it as web.token_file or as the systemd credential {CREDENTIAL}, \
         or listen at 127.0.0.1"
    )]
    NoToken(SocketAddr),
    /// The file cannot be read.
    #[error("cannot read the token {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It can be guessed.
    #[error(
        "the token in {} has fewer than {TOKEN_BYTES_MIN} characters; make one with head -c 24 /dev/urandom | base64",
        path.display()
    )]
    Short {
        /// The file.
        path: PathBuf,
    },
}

/// Who is let in.
#[derive(Debug)]
pub(super) struct Gate {
    /// The names by which we may be asked; `None` for any: then a token or the socket's file keeps strangers out.
    hosts: Option<Vec<String>>,
    /// Digest of the token that must be known; digests are of one length, whatever is compared.
    token: Option<Digest>,
}

impl Gate {
    /// The gate of a listener at this address; `None` for a Unix socket, whose file says who may ask.
    pub(super) fn new(options: &Options, address: Option<SocketAddr>) -> Result<Gate, Error> {
        let token = token(options)?;
        let hosts = match address {
            Some(address) if !address.ip().is_loopback() => match token {
                Some(_) => None,
                None => return Err(Error::NoToken(address)),
            },
            Some(address) => Some(loopback_names(address.ip(), &options.hosts)),
            None => None,
        };
        Ok(Gate { hosts, token })
    }

    /// Whether the name by which we are asked is ours: else another site's name was made to lead here (DNS rebinding), and its
    /// scripts would read what we answer.
    fn knows_host(&self, request: &Request) -> bool {
        let Some(hosts) = &self.hosts else {
            return true;
        };
        let host = request.headers().get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok());
        let authority = request.uri().host().or(host.map(without_port));
        authority.is_some_and(|name| hosts.iter().any(|host| host.eq_ignore_ascii_case(name)))
    }

    fn knows_token(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let given = presented(headers).map(|given| Digest::of(given.as_bytes()));
        given.is_some_and(|given| given.as_bytes().ct_eq(token.as_bytes()).into())
    }
}

fn loopback_names(ip: IpAddr, more: &[String]) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "[::1]"]
        .map(str::to_owned)
        .into();
    names.push(match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    });
    names.extend(more.iter().cloned());
    names
}

/// The name in a Host header; which port it is at does not matter, since it may be forwarded.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The token of `Authorization: Bearer TOKEN`, or the password of `Basic`, which browsers ask for.
fn presented(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(rest.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(_, token)| token.to_owned())
}

fn token(options: &Options) -> Result<Option<Digest>, Error> {
    let file = keys::credential(CREDENTIAL).or_else(|| options.token_file.clone());
    file.map(|path| read_token(&path)).transpose()
}

fn read_token(path: &Path) -> Result<Digest, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let token = text.trim();
    if token.len() < TOKEN_BYTES_MIN {
        let path = path.to_owned();
        return Err(Error::Short { path });
    }
    Ok(Digest::of(token.as_bytes()))
}

/// Lets a request through or not, and says to the browser what it may do with the answer.
pub(super) async fn pass(State(web): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_api = path.starts_with(openapi::ROOT);
    // Whether we live may be asked by anybody who reaches us.
    let is_open = path == "/healthz";
    let refused = if !matches!(*request.method(), Method::GET | Method::HEAD) {
        Some(Fault::Method)
    } else if !web.gate.knows_host(&request) {
        Some(Fault::Host)
    } else if !is_open && !web.gate.knows_token(request.headers()) {
        Some(Fault::Token)
    } else {
        None
    };
    let mut response = match refused {
        Some(refused) if is_api => fault::Json(refused).into_response(),
        Some(refused) => refused.into_response(),
        None => next.run(request).await,
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    let headers = response.headers_mut();
    let uncached = HeaderValue::from_static("private, no-cache");
    headers.entry(header::CACHE_CONTROL).or_insert(uncached);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn gate(address: &str, options: &Options) -> Result<Gate, Error> {
        Gate::new(options, Some(address.parse().expect("an address")))
    }

    fn asks(host: &str) -> Request {
        let request = Request::builder().header(header::HOST, host);
        request.body(Body::empty()).expect("a request")
    }

    #[test]
    fn on_loopback_only_its_own_names_are_known() {
        let options = Options {
            hosts: vec!["archive.example".to_owned()],
            ..Options::default()
        };
        let gate = gate("127.0.0.1:8437", &options).expect("no token is needed");
        for host in [
            "localhost:8437",
            "127.0.0.1",
            "[::1]:9",
            "LOCALHOST",
            "archive.example",
        ] {
            assert!(gate.knows_host(&asks(host)), "{host}");
        }
        for host in [
            "rebound.example",
            "localhost.rebound.example:8437",
            "",
            "[::2]:8437",
        ] {
            assert!(!gate.knows_host(&asks(host)), "{host}");
        }
    }

    #[test]
    fn elsewhere_a_token_is_needed_and_compared() {
        let refused = gate("0.0.0.0:8437", &Options::default()).expect_err("no token");
        for part in ["0.0.0.0:8437", "web.token_file", "127.0.0.1"] {
            assert!(refused.to_string().contains(part), "{refused}");
        }
        let folder = tempfile::tempdir().expect("temporary folder");
        let file = folder.path().join("token");
        let options = Options {
            token_file: Some(file.clone()),
            ..Options::default()
        };
        std::fs::write(&file, "short\n").expect("writes");
        assert!(matches!(
            gate("0.0.0.0:1", &options),
            Err(Error::Short { .. })
        ));
        std::fs::write(&file, "a gull on each of the posts\n").expect("writes");
        let gate = gate("0.0.0.0:1", &options).expect("a token");
        let knows = |value: &str| {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_str(value).expect("a header");
            headers.insert(header::AUTHORIZATION, value);
            gate.knows_token(&headers)
        };
        assert!(knows("Bearer a gull on each of the posts"));
        let basic = BASE64.encode("anybody:a gull on each of the posts");
        assert!(knows(&format!("Basic {basic}")));
        for wrong in [
            "Bearer a gull",
            "Bearer",
            "Basic !",
            "Digest x",
            "Bearer a gull on each of the posts.",
        ] {
            assert!(!knows(wrong), "{wrong}");
        }
        assert!(!gate.knows_token(&HeaderMap::new()));
    }
}
