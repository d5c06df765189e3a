//! The archive wing: captures as WARC records in segments, proven by a signed transparency log.

pub mod log;
