//! One HTTP request: the only place of this program that opens a connection to another machine.

use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// A witness that has not answered by then will be asked again at the next time.
const PATIENCE: Duration = Duration::from_secs(30);
/// Answers are some hundred bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// Posts `body` to `url`; the status and the body of the answer, whatever the status.
pub(super) fn post(url: &str, body: &str) -> Result<(u16, String), Box<ureq::Error>> {
    // Whom this machine trusts is its administrator's business.
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("faircopy/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build())
        .build()
        .into();
    let mut answer = agent.post(url).send(body)?;
    let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
    let text = text.read_to_string()?;
    Ok((answer.status().as_u16(), text))
}
