//! `search`: full text over titles and texts, current and past versions.
//!
//! The index is a file of its own in the archive, `search.sqlite`; like the catalog it is made from what is archived and can be
//! deleted. It is not filled by commits, so that intake never waits for it, but behind them: by the daemon when it is idle, and
//! by whoever searches.

use std::ops::Range;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::archive::catalog::CaptureRow;
use crate::archive::reader::{Archive, Selector};
use crate::archive::{self, Error as ArchiveError};
use crate::submission::path_text;

pub mod idle;
pub mod index;
mod query;
mod snippet;
mod words;

use index::Index;
use query::Query;

/// What is sought.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Words that must be there, in any order; `"several words"` in this order; `-word` must not be there; `word*` begins so;
    /// `OR` between two means either.
    pub query: String,
    /// Fetched then or later.
    pub since: Option<Timestamp>,
    /// Fetched then or earlier.
    pub until: Option<Timestamp>,
    /// From the inbox, the declared source or the site of that name.
    pub source: Option<String>,
    /// In that language: `en` is `en-GB` too.
    pub language: Option<String>,
    /// Only what is now the latest version of its document.
    pub current: bool,
    /// No more than so many.
    pub limit: Option<usize>,
}

/// A version that was found.
#[derive(Debug)]
pub struct Hit {
    /// The capture that brought the version, in its latest edition.
    pub row: CaptureRow,
    /// Whether it is the latest version of its document.
    pub is_current: bool,
}

/// A stretch of a text, with the places in it that were sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// On one line.
    pub text: String,
    /// What was sought: ranges of bytes in `text`.
    pub matches: Vec<Range<usize>>,
}

/// Why nothing can be sought.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Nothing is sought.
    #[error("there is no word to be sought in {0:?}; give one that is not excluded")]
    NoWords(String),
    /// SQLite.
    #[error("cannot {doing} the search index {}", path.display())]
    Index {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// What SQLite said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Finds versions, the best first. The index is brought up to the archive first; a reader who may not write it searches what
/// is there: the number is that of leaves that are not indexed yet.
pub fn search(archive: &Archive, request: &Request) -> Result<(Vec<Hit>, u64), Error> {
    let query =
        Query::parse(&request.query).ok_or_else(|| Error::NoWords(request.query.clone()))?;
    let (index, behind) = Index::current(archive)?;
    let limit = request.limit.unwrap_or(usize::MAX);
    let mut hits = Vec::new();
    index.find(&query.expression(), request, &mut |doc, capture| {
        // What was erased since is found no more.
        let Some(row) = archive
            .captures(&doc)?
            .into_iter()
            .find(|row| row.capture == capture)
        else {
            return Ok(true);
        };
        let row = archive.latest_edition(row)?;
        let latest = archive.resolve(&doc, &Selector::Latest)?.version;
        let is_current = row.version == latest;
        if is_current || !request.current {
            hits.push(Hit { row, is_current });
        }
        Ok(hits.len() < limit)
    })?;
    Ok((hits, behind))
}

/// Versions that were found, those archived last first.
#[derive(Debug)]
pub struct Found {
    /// The versions.
    pub hits: Vec<Hit>,
    /// Goes on below this leaf; `None` at the end. There may be more even if nothing was found: only so much is looked at.
    pub next: Option<u64>,
    /// So many leaves are not indexed yet.
    pub behind: u64,
}

/// Finds versions, those archived last first, below a leaf if one is given. Writes nothing and takes no longer than a moment,
/// however many versions have the words: the index is taken as it is.
pub fn newest(archive: &Archive, request: &Request, below: Option<u64>) -> Result<Found, Error> {
    let query =
        Query::parse(&request.query).ok_or_else(|| Error::NoWords(request.query.clone()))?;
    let leaves = archive.leaves()?;
    let Some(index) = Index::open_to_read(archive)? else {
        let (hits, next) = (Vec::new(), None);
        return Ok(Found {
            hits,
            next,
            behind: leaves,
        });
    };
    let behind = leaves.saturating_sub(index.covered()?);
    let below = below.unwrap_or(leaves);
    let limit = request.limit.unwrap_or(usize::MAX);
    let (found, next) = index.newest(&query, request, below, limit)?;
    let mut hits = Vec::new();
    for leaf in found {
        // What was erased since is found no more.
        if let Some(row) = archive.capture_of_leaf(leaf)? {
            let row = archive.latest_edition(row)?;
            let is_current = row.version == archive.extent(&row.doc)?.1;
            hits.push(Hit { row, is_current });
        }
    }
    Ok(Found { hits, next, behind })
}

/// The stretch of a hit's text in which most of what is sought stands.
pub fn snippet(
    archive: &Archive,
    row: &CaptureRow,
    query: &str,
) -> Result<Snippet, archive::Error> {
    let text = archive.read_text(row)?;
    let words = Query::parse(query).map_or_else(Vec::new, |query| query.words());
    Ok(snippet::best(&text, &words))
}

/// A version that was found as it stands in JSON, with a stretch of its text if that can be read.
pub fn object(hit: &Hit, snippet: Option<&Snippet>) -> Value {
    let row = &hit.row;
    let matches = snippet.map_or(&[][..], |snippet| &snippet.matches);
    let matches: Vec<_> = matches.iter().map(|at| [at.start, at.end]).collect();
    json!({
        "doc": row.doc, "version": row.version, "current": hit.is_current, "captured_at": row.captured_at,
        "source": row.source.root, "path": path_text::to_text(&row.source.path), "url": row.url, "title": row.title,
        "snippet": snippet.map(|snippet| &snippet.text), "matches": matches,
    })
}
