//! `[web]`: how the pages are served; `[otlp]`: to whom figures are pushed.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[web]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where to listen, unless systemd hands a socket in.
    pub listen: SocketAddr,
    /// Whether the daemon serves the pages too.
    pub daemon: bool,
    /// Names under which a proxy on this machine may ask, beside those of the loopback address.
    pub hosts: Vec<String>,
    /// A file with the token that whoever asks must know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8437)),
            daemon: false,
            hosts: Vec::new(),
            token_file: None,
        }
    }
}

/// `[otlp]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Otlp {
    /// The collector's address for OTLP over HTTP, without the path of the signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

impl Otlp {
    /// Whether it can be used, by this program.
    pub fn validate(&self) -> Result<(), String> {
        let Some(endpoint) = &self.endpoint else {
            return Ok(());
        };
        let rest = endpoint.strip_prefix("http://");
        let rest = rest.or_else(|| endpoint.strip_prefix("https://"));
        if rest.is_none_or(str::is_empty) {
            return Err(format!(
                "otlp.endpoint {endpoint:?} is no address of a collector; give one such as \"http://127.0.0.1:4318\""
            ));
        }
        match cfg!(feature = "otlp") {
            true => Ok(()),
            false => Err(
                "otlp.endpoint is set, and this program was built without OTLP; build it with `--features otlp`, or take the line out"
                    .to_owned(),
            ),
        }
    }
}
