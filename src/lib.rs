//! Turns raw scraped articles into archived, audited versions.
//!
//! ```text
//! bytes --inbox--> (container -->) Submission --decode--> Document --clean--> Article + Ledger
//!       --archive--> Capture/Version -> WARC records -> Segment -> log Leaf -> Checkpoint -> Catalog row
//! ```
//!
//! Five wings stand side by side and do not know each other: `inbox`, `container`, `decode`, `clean`, `archive`. They share only words.
//! One hall, `ingest`, leads through all of them. Imports run downward only:
//!
//! ```text
//! main                                               exit code, error chain
//! cli/        one file per command
//! service    compaction                              the daemon, its control socket, what it does when idle
//! web/                                               the audit pages, on the daemon or by themselves
//! config                                             every room's options
//! ingest  reclean  check  verify  publish  repair  export  search  duplicates  rulebook  drift  suggest   the verbs
//! status  timeline  comparison  explanation          what commands and pages both tell
//! inbox/      container/ decode/      clean/      archive/            the wings
//! submission  article    ledger    identity   pin   ruleset    moment    visible    the words
//! document    tree       digest       durable    gauge    http    the ground
//! ```

pub mod archive;
pub mod article;
pub mod article_json;
pub mod check;
pub mod clean;
pub mod compaction;
pub mod comparison;
pub mod config;
pub mod container;
pub mod control;
pub mod decode;
pub mod digest;
pub mod document;
pub mod drift;
pub mod duplicates;
pub mod durable;
pub mod erasure;
pub mod explanation;
pub mod export;
pub mod gauge;
mod http;
mod human_duration;
pub mod identity;
pub mod inbox;
pub mod ingest;
pub mod ledger;
pub mod moment;
pub mod pin;
pub mod pipeline;
pub mod publish;
pub mod receiving;
pub mod reclean;
pub mod repair;
pub mod rulebook;
pub mod ruleset;
pub mod search;
pub mod service;
pub mod status;
pub mod submission;
pub mod suggest;
pub mod timeline;
pub mod tree;
pub mod unpacking;
pub mod verify;
pub mod visible;
pub mod web;
