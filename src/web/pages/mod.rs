//! The pages, one a file.

pub(super) mod compare;
pub(super) mod documents;
pub(super) mod explain;
pub(super) mod overview;
pub(super) mod quarantine;
pub(super) mod timeline;
pub(super) mod version;
