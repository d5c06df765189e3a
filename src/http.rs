//! One HTTP request: the only place of this program that opens a connection to another machine.

use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// A witness that has not answered by then will be asked again at the next time.
const PATIENCE: Duration = Duration::from_secs(30);
/// Answers are some hundred bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// Posts `body` to `url`; the status and the body of the answer, whatever the status.
pub(crate) fn post(url: &str, body: &str) -> Result<(u16, String), Box<ureq::Error>> {
    let mut answer = agent(PATIENCE).post(url).send(body)?;
    let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
    let text = text.read_to_string()?;
    Ok((answer.status().as_u16(), text))
}

/// Sends `request` as it is, and waits so long for an answer.
#[cfg(feature = "otlp")]
pub(crate) fn send(
    request: ureq::http::Request<Vec<u8>>,
    patience: Duration,
) -> Result<ureq::http::Response<Vec<u8>>, Box<ureq::Error>> {
    let (head, mut body) = agent(patience).run(request)?.into_parts();
    let body = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
    Ok(ureq::http::Response::from_parts(head, body))
}

fn agent(patience: Duration) -> Agent {
    // Whom this machine trusts is its administrator's business.
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
    Agent::config_builder()
        .timeout_global(Some(patience))
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("faircopy/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build())
        .build()
        .into()
}
