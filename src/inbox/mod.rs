//! The inbox: watched folders, from a file seen to a file released. Blocking code; time and randomness come in as arguments.
//!
//! ```text
//!            watch: "look"                        worker threads                committer
//! SEEN --settle--> SETTLED --intent, fsync--> claim --read, decode, clean--> commit --> RELEASE --> intent closed
//!   ^  lstat changed |                          | changed | transient error               | lstat changed: late bytes
//!   +----------------+--------------------------+---------+ (backoff)                     +--> a new submission
//!                                               | permanent: failed/<claim>/
//! ```
//!
//! Truth is our own scan; events of the watcher only say where to look first (ARCHITECTURE.md, invariant 9). A crash anywhere
//! repeats work and loses nothing: an intent is durable before a file is read, the archive's own commit is the only point of
//! success, and the source is released after it (invariant 7).
//!
//! Contract for producers: write `name.part`, then rename it to `name`. Who cannot is served by the settle time.

pub mod claim;
pub mod clock;
mod entry;
pub mod error;
pub mod folders;
pub mod give_back;
mod glob;
pub mod intake;
mod lease;
mod names;
pub mod oneshot;
pub mod options;
pub mod quarantine;
mod reading;
pub mod recovery;
mod refuse;
pub mod release;
mod root;
mod scan;
mod settle;
mod sidecar;
mod spool;
pub mod status;
mod taking;
pub mod traces;
mod watch;
