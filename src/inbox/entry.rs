//! `Entry`: what is known of one file in an inbox.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::submission::Signature;

/// What is known of one file.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) signature: Signature,
    pub(super) state: State,
    /// When this state of the file was first seen.
    pub(super) since: Instant,
    /// When to look again; a timer that says otherwise is stale.
    pub(super) deadline: Option<Instant>,
    /// The scan that saw it last.
    pub(super) seen: u64,
    /// How often it was claimed.
    pub(super) attempts: u32,
}

/// Where a file stands.
#[derive(Debug)]
pub(super) enum State {
    /// It has to stand still until the deadline.
    Settling { open_for_writing: bool },
    /// Settled; its sidecar may still come.
    AwaitingSidecar { settled_at: Instant },
    /// To be claimed.
    Ready,
    /// Claimed, or the sidecar of one that is.
    InHand,
    /// To be tried again at the deadline.
    Deferred { error: String },
    /// Archived, and stays.
    Kept,
    /// Failed, and stays.
    Refused,
    /// A settled sidecar whose article is not in hand.
    Sidecar(SidecarState),
}

/// Where a sidecar stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SidecarState {
    /// Its article is there or may come.
    Early,
    /// The archive is being asked whether it knows the article.
    Offered,
    /// It does not.
    Orphan,
}

/// What a look at the clock brought up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// An article can be claimed.
    Ready(Arc<Path>),
    /// A sidecar without an article: perhaps it comes late.
    Late(Arc<Path>),
    /// A sidecar whose article did not come for a day.
    Orphan(Arc<Path>),
}
