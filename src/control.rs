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

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::archive::metadata::{LinkRecord, SplitRecord};
use crate::archive::writer::compact::Compaction;
use crate::durable;
use crate::erasure;
use crate::identity::DocId;
use crate::pin::{Pin, PinScope};
use crate::pipeline::Outcome;
use crate::reclean::Tally;
use crate::submission::{Declared, printable};

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
    /// Change the key that signs the log.
    RotateKey,
    /// Archive what a person decided.
    Pin(Box<PinRequest>),
    /// Archive that two documents are one, or are not after all.
    Link(Box<LinkRecord>),
    /// Archive that a document is two, or is not after all.
    Split(Box<SplitRecord>),
    /// Clean a batch of captures again.
    Reclean {
        /// The leaf at which the batch begins.
        from: u64,
        /// By these rules, which the archive keeps; else by those in force.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rules: Option<String>,
    },
    /// Hold a document, or end that.
    Hold(Box<HoldRequest>),
    /// Erase a document.
    Erase(Box<EraseRequest>),
    /// Seal full segments.
    Compact {
        /// The one that is being written to, too.
        all: bool,
    },
}

/// A decision that a document must not be erased, or may be again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldRequest {
    /// The document.
    pub doc: DocId,
    /// Whether it is held from now on.
    pub is_held: bool,
    /// Why.
    pub reason: Option<String>,
    /// Who decided.
    pub by: Option<String>,
}

/// A decision that a document is erased.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EraseRequest {
    /// The document.
    pub doc: DocId,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub by: Option<String>,
}

/// A decision about a span of text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PinRequest {
    /// What it is about.
    pub of: PinScope,
    /// What was decided.
    pub pin: Pin,
}

/// Head of an `add` request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Add {
    /// The sender's name of the file (reversible text of a path); `-` for standard input.
    pub path: String,
    /// What the sender declares.
    #[serde(default)]
    pub declared: Declared,
    /// Its number, if it comes out of a container.
    #[serde(default)]
    pub part: u32,
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
        /// What is wrong with rule packs that are therefore not used.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        refused: Vec<String>,
    },
    /// Another key signs the log (`key rotate`).
    Rotated {
        /// The index of the leaf that tells of it.
        leaf: u64,
        /// The new verifier key.
        vkey: String,
    },
    /// A batch was cleaned again (`reclean`).
    Recleaned {
        /// What became of it.
        recleaned: Tally,
    },
    /// It is held, or is not any more (`hold`).
    Held {
        /// Whether it is.
        held: bool,
        /// The index of the leaf that says so; null if it was so already.
        leaf: Option<u64>,
    },
    /// It is erased (`erase`).
    Erased(Erased),
    /// Segments were sealed (`compact`).
    Compacted(Compacted),
    /// It is archived (`pin`, `link`, `split`).
    Pinned {
        /// Always true.
        pinned: bool,
        /// The index of its leaf; null if it held already.
        leaf: Option<u64>,
    },
}

/// What `erase` did, and the JSON of the command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Erased {
    /// The document.
    pub erased: DocId,
    /// The index of the leaf that says so.
    pub leaf: u64,
    /// So many leaves have no records any more.
    pub leaves: usize,
    /// So many segments were written anew.
    pub segments: usize,
    /// So many files in `done`, `failed` and inboxes were deleted.
    pub copies: usize,
}

impl Erased {
    /// As it stands in the answer.
    pub fn new(doc: DocId, done: &erasure::Erased) -> Erased {
        Erased {
            erased: doc,
            leaf: done.archive.leaf,
            leaves: done.archive.leaves,
            segments: done.archive.segments,
            copies: done.copies,
        }
    }
}

/// What `compact` did, and the JSON of the command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compacted {
    /// The new segments.
    pub sealed: Vec<String>,
    /// So many segments are no more.
    pub replaced: usize,
    /// So many records were moved.
    pub records: u64,
    /// Bytes that the old segments took.
    pub bytes_before: u64,
    /// Bytes that the new ones take, the second copies of their dictionaries included.
    pub bytes_after: u64,
    /// Segments that were left as they are.
    pub refused: Vec<RefusedSegment>,
}

/// A segment that was left as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefusedSegment {
    /// Which.
    pub segment: String,
    /// Why.
    pub why: String,
}

impl From<Compaction> for Compacted {
    fn from(done: Compaction) -> Compacted {
        let refused = done.refused.into_iter();
        Compacted {
            sealed: done.sealed.iter().map(ToString::to_string).collect(),
            replaced: done.replaced,
            records: done.records,
            bytes_before: done.bytes_before,
            bytes_after: done.bytes_after,
            refused: refused
                .map(|(segment, why)| RefusedSegment {
                    segment: segment.to_string(),
                    why,
                })
                .collect(),
        }
    }
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
            Outcome::Unpacked(_) => {
                return Answer::Done {
                    done: true,
                    refused: Vec::new(),
                };
            }
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

/// A socket's path fits into 108 bytes with the NUL at its end (unix(7)).
pub const SOCKET_PATH_BYTES_MAX: usize = 107;

/// The control socket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path does not fit.
    #[error(
        "the control socket's path {} has {} bytes, more than the {SOCKET_PATH_BYTES_MAX} that a socket can have; set daemon.control to a shorter one, for example in /run or /tmp",
        printable(socket), socket.as_os_str().len()
    )]
    TooLong {
        /// The socket.
        socket: PathBuf,
    },
    /// Something else is there, which we leave alone.
    #[error("cannot listen at {}: {problem}", printable(socket))]
    Taken {
        /// The socket.
        socket: PathBuf,
        /// What is there.
        problem: &'static str,
    },
    /// The system refuses to listen there.
    #[error("cannot listen at {}", printable(socket))]
    Listen {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody listens there.
    #[error(
        "no daemon answers at {} (`faircopy run` starts one)",
        printable(socket)
    )]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The talk broke off.
    #[error("the daemon at {} broke off (its log may tell why)", printable(socket))]
    Broken {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Refuses a path that no socket can have.
pub fn check_path(socket: &Path) -> Result<(), Error> {
    if socket.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
        let socket = socket.to_owned();
        return Err(Error::TooLong { socket });
    }
    Ok(())
}

/// The daemon's end of the socket. Its file goes when this is dropped, unless another has taken its place.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    inode: (u64, u64),
}

impl Socket {
    /// Listens at `path`, for owner and group. Only for the holder of the archive's lock: a socket that is there is left over
    /// from a daemon that was killed, unless one of another archive answers.
    pub fn listen(path: &Path) -> Result<(Socket, UnixListener), Error> {
        check_path(path)?;
        let refused = |source| Error::Listen {
            socket: path.to_owned(),
            source,
        };
        let taken = |problem| Error::Taken {
            socket: path.to_owned(),
            problem,
        };
        durable::create_folders(durable::folder_of(path)).map_err(refused)?;
        match fs::symlink_metadata(path) {
            Ok(metadata) if !metadata.file_type().is_socket() => {
                return Err(taken(
                    "what is there is no socket; move it away, or set daemon.control to another path",
                ));
            }
            Ok(_) if UnixStream::connect(path).is_ok() => {
                return Err(taken(
                    "another daemon answers there; give each archive a daemon.control of its own",
                ));
            }
            Ok(_) => fs::remove_file(path).map_err(refused)?,
            Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(refused)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let inode = inode_of(path).map_err(refused)?;
        let path = path.to_owned();
        Ok((Socket { path, inode }, listener))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if inode_of(&self.path).is_ok_and(|inode| inode == self.inode) {
            // The next daemon would find it dead, and take its place.
            drop(fs::remove_file(&self.path));
        }
    }
}

fn inode_of(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// A client's end of the socket, blocking.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
    socket: PathBuf,
}

impl Client {
    /// Connects to the daemon's socket.
    pub fn connect(socket: &Path) -> Result<Client, Error> {
        check_path(socket)?;
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

    /// Waits no longer than this for whatever is sent or received.
    pub fn with_patience(self, patience: Duration) -> Result<Client, Error> {
        let set = (self.writer)
            .set_read_timeout(Some(patience))
            .and_then(|()| self.writer.set_write_timeout(Some(patience)));
        match set {
            Ok(()) => Ok(self),
            Err(source) => Err(self.broken(source)),
        }
    }

    /// Sends one request and waits for its answer.
    pub fn ask(&mut self, request: &Request) -> Result<serde_json::Value, Error> {
        match self.send(request, &[]) {
            Ok(()) => self.receive(),
            // It may have told why before it hung up.
            Err(error) => self.receive().map_err(|_| error),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_lines_and_unknown_ones_are_refused() {
        let add = Request::Add(Box::new(Add {
            path: "/x/new\\x0aline.txt".into(),
            declared: Declared::default(),
            part: 0,
            bytes: 7,
        }));
        let line = serde_json::to_string(&add).expect("serializes");
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Request>(&line).expect("reads"), add);
        assert!(serde_json::from_str::<Request>(r#"{"request":"erase"}"#).is_err());
        assert!(serde_json::from_str::<Request>(r#"{"request":"rewrite"}"#).is_err());
        assert!(serde_json::from_str::<Request>(r#"{"request":"add"}"#).is_err());
    }

    #[test]
    fn answers_are_told_apart_by_their_fields() {
        let added = r#"{"outcome":"archived","doc":"abc","capture":1,"version":2}"#;
        assert!(matches!(
            serde_json::from_str(added),
            Ok(Answer::Added { version: 2, .. })
        ));
        let failed = serde_json::to_string(&Answer::failed("binary", "no text")).expect("writes");
        assert!(matches!(
            serde_json::from_str(&failed),
            Ok(Answer::Failed { error }) if error.code == "binary"
        ));
    }

    #[test]
    fn a_socket_takes_the_place_of_a_dead_one_and_of_nothing_else() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("control.sock");
        drop(UnixListener::bind(&path).expect("binds"));
        let (socket, listener) = Socket::listen(&path).expect("the one that was there is dead");
        assert!(matches!(Socket::listen(&path), Err(Error::Taken { .. })));
        assert!(Client::connect(&path).is_ok());
        drop((socket, listener));
        assert!(!path.exists());
        fs::write(&path, "a file of somebody").expect("writes");
        assert!(matches!(Socket::listen(&path), Err(Error::Taken { .. })));
        assert_eq!(fs::read(&path).expect("stays"), b"a file of somebody");
    }

    #[test]
    fn a_socket_goes_only_while_it_is_the_one_that_was_made() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("control.sock");
        let (socket, _listener) = Socket::listen(&path).expect("listens");
        fs::remove_file(&path).expect("removed");
        fs::write(&path, "another").expect("writes");
        drop(socket);
        assert!(path.exists());
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_named_with_its_limit() {
        let path = Path::new("/").join("x".repeat(SOCKET_PATH_BYTES_MAX));
        let error = Socket::listen(&path).expect_err("108 bytes").to_string();
        for part in ["108 bytes", "107", "daemon.control"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(matches!(Client::connect(&path), Err(Error::TooLong { .. })));
    }
}
