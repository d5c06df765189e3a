//! The control socket: how other commands speak to a running daemon.
//!
//! A Unix stream socket. The client writes requests, one JSON object a line; an `add` is followed by `bytes` raw bytes.
//! The daemon answers each with one JSON object a line, in the order of the requests; many may be under way.
//!
//! ```text
//! > {"request":"status"}
//! < {"state":"running",...}
//! > {"request":"add","path":"/home/x/a.html","declared":{"url":"https://example.org/a"},"bytes":1234}<LF><1234 bytes>
//! < {"outcome":"archived","doc":"k3v…","capture":1,"version":1}
//! < {"error":{"code":"binary","message":"…"}}
//! ```

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::pipeline::Outcome;
use crate::submission::Declared;

/// A request line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What `faircopy status` shows.
    Status,
    /// Read the configuration again.
    Reload,
    /// Archive the bytes that follow.
    Add(Box<Add>),
}

/// Head of an `add` request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Add {
    /// The sender's name of the file (reversible text of a path); `-` for standard input.
    pub path: String,
    /// What the sender declares.
    #[serde(default)]
    pub declared: Declared,
    /// How many bytes follow the line.
    pub bytes: u64,
}

/// The answer to an `add`, and the JSON of the command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// It is in the archive.
    Added {
        /// `archived`, `unchanged` or `duplicate`.
        outcome: String,
        /// The document.
        doc: String,
        /// The capture's number.
        capture: u32,
        /// The version it shows.
        version: u32,
    },
    /// It is not.
    Failed {
        /// Why.
        error: Failure,
    },
    /// Done (`reload`).
    Done {
        /// Always true.
        done: bool,
    },
}

/// Code and message of a failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// For programs, e.g. `binary`, `deferred`, `configuration`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Answer {
    /// A failure.
    pub fn failed(code: &str, message: impl Into<String>) -> Answer {
        Answer::Failed {
            error: Failure {
                code: code.to_owned(),
                message: message.into(),
            },
        }
    }
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Answer {
        let (outcome, capture, version) = match &outcome {
            Outcome::Archived(archived) => archived.parts(),
            Outcome::Quarantined(_, reason) => {
                return Answer::failed(reason.code.as_str(), reason.message.clone());
            }
            Outcome::Changed => {
                return Answer::failed(
                    "changed",
                    "the file changed while it was read; add it again",
                );
            }
            Outcome::Deferred(why) => return Answer::failed("deferred", why.clone()),
        };
        Answer::Added {
            outcome: outcome.to_owned(),
            doc: capture.doc.to_string(),
            capture: capture.capture,
            version: version.version,
        }
    }
}

/// A client's end of the socket, blocking.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
    socket: PathBuf,
}

/// Talking to the daemon failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens there.
    #[error("no daemon answers at {}", socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The talk broke off.
    #[error("the daemon at {} broke off", socket.display())]
    Broken {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Client {
    /// Connects to the daemon's socket.
    pub fn connect(socket: &Path) -> Result<Client, Error> {
        let unreachable = |source| Error::Unreachable {
            socket: socket.to_owned(),
            source,
        };
        let writer = UnixStream::connect(socket).map_err(unreachable)?;
        let reader = BufReader::new(writer.try_clone().map_err(unreachable)?);
        Ok(Client {
            reader,
            writer,
            socket: socket.to_owned(),
        })
    }

    /// Sends one request and waits for its answer.
    pub fn ask(&mut self, request: &Request) -> Result<serde_json::Value, Error> {
        self.send(request, &[])?;
        self.receive()
    }

    /// Sends a request (and the bytes of an `add`) without waiting.
    pub fn send(&mut self, request: &Request, bytes: &[u8]) -> Result<(), Error> {
        let mut line = serde_json::to_vec(request).expect("requests always serialize");
        line.push(b'\n');
        let sent = self
            .writer
            .write_all(&line)
            .and_then(|()| self.writer.write_all(bytes));
        sent.map_err(|source| self.broken(source))
    }

    /// The next answer, in the order of the requests.
    pub fn receive<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Error> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line);
        match read {
            Ok(0) => Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => serde_json::from_str(&line).map_err(|e| self.broken(e.into())),
            Err(source) => Err(self.broken(source)),
        }
    }

    /// Splits into a sending and a receiving end, for two threads.
    pub fn split(self) -> Result<(Client, Client), Error> {
        let copy = |stream: &UnixStream| stream.try_clone();
        let other = copy(&self.writer).and_then(|writer| {
            Ok(Client {
                reader: BufReader::new(copy(&writer)?),
                writer,
                socket: self.socket.clone(),
            })
        });
        match other {
            Ok(other) => Ok((self, other)),
            Err(source) => Err(self.broken(source)),
        }
    }

    fn broken(&self, source: io::Error) -> Error {
        Error::Broken {
            socket: self.socket.clone(),
            source,
        }
    }
}
