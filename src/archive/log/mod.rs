//! The transparency log: what an archive holds, in order, under one signed root.
//!
//! The folder is a C2SP [tlog-tiles](https://c2sp.org/tlog-tiles) log, so that public tools can read it:
//!
//! ```text
//! vkey                        verifier key of the log: NAME+HASH+BASE64
//! checkpoint                  size and root of the log, a C2SP signed note
//! tile/entries/000            256 leaves, each after its length as two bytes (big-endian)
//! tile/entries/001.p/17       the 17 leaves that follow
//! tile/0/000                  the hashes of the first 256 leaves
//! tile/0/001.p/17             the hashes of the 17 that follow
//! tile/1/000.p/1              the hash of the tree over the first 256 leaves
//! ```
//!
//! Life of a leaf: the writer adds it to the rightmost tiles and writes these under new names; fsyncs files, then folders;
//! signs size and root; replaces `checkpoint`; takes away the partial tiles that the new ones supersede. What lies beyond the
//! checkpoint does not count: after a crash it is written over. Hash tiles can be deleted, since the entries make them again.
//!
//! Superseded partial tiles do not stay (tlog-tiles lets them go only when the tile is full): a log that commits each leaf
//! by itself would otherwise hold 256 copies of everything. Who needs the tiles of an older size cuts them from the newer.

pub mod cosignature;
pub mod cosigned;
pub mod edge;
pub mod error;
mod hashes;
pub mod key;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod reader;
pub mod tile;
pub mod witness;
pub mod writer;
