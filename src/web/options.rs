//! `[web]`: how the pages are served.

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
