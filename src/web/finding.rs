//! Finding documents: what is asked, and the answer, for pages and programs alike.

use jiff::Timestamp;
use serde::Deserialize;

use super::fault::Fault;
use super::frame::encoded;
use crate::archive::catalog::documents::{Listed, Place, Wanted};
use crate::archive::reader::Archive;
use crate::identity::DocId;
use crate::moment;
use crate::search::{self, Found, Request, Snippet};

/// So many documents are on one page.
const PAGE: usize = 40;
/// So many sources and languages are offered to choose from.
const CHOICES_MAX: u32 = 300;

/// What is asked. All as text: what cannot be read is answered with a page that says so.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// Words, or the name of a document.
    pub(super) q: Option<String>,
    /// The site or inbox.
    pub(super) source: Option<String>,
    /// The language.
    pub(super) lang: Option<String>,
    /// The flag.
    pub(super) flag: Option<String>,
    /// Fetched from this day or time on.
    pub(super) since: Option<String>,
    /// And to this one.
    pub(super) until: Option<String>,
    /// Where the page before ended.
    pub(super) after: Option<String>,
}

/// What was found.
pub(super) enum Answer {
    /// The words name a document.
    Document(DocId),
    /// Documents.
    List(Listed),
    /// Versions with the words, each with a stretch of its text if that can be read.
    Hits(Found, Vec<Option<Snippet>>),
}

/// What can be chosen from.
pub(super) struct Choices {
    pub(super) sources: Vec<String>,
    pub(super) languages: Vec<String>,
}

impl Asked {
    /// Whether more than words is asked for.
    pub(super) fn is_narrowed(&self) -> bool {
        let fields = [
            &self.source,
            &self.lang,
            &self.flag,
            &self.since,
            &self.until,
        ];
        fields.into_iter().any(|field| given(field).is_some())
    }

    /// The page that goes on from a place, or the first.
    pub(super) fn address(&self, after: Option<&str>) -> String {
        let mut address = "/documents".to_owned();
        let fields = [
            ("q", given(&self.q)),
            ("source", given(&self.source)),
            ("lang", given(&self.lang)),
            ("flag", given(&self.flag)),
            ("since", given(&self.since)),
            ("until", given(&self.until)),
            ("after", after),
        ];
        for (index, (name, value)) in fields
            .into_iter()
            .filter_map(|(n, v)| Some((n, v?)))
            .enumerate()
        {
            address.push(if index == 0 { '?' } else { '&' });
            address.push_str(&format!("{name}={}", encoded(value)));
        }
        address
    }

    fn since(&self) -> Result<Option<Timestamp>, Fault> {
        given(&self.since)
            .map(|text| moment::begin(text).ok_or_else(|| no_time(text)))
            .transpose()
    }

    fn until(&self) -> Result<Option<Timestamp>, Fault> {
        given(&self.until)
            .map(|text| moment::end(text).ok_or_else(|| no_time(text)))
            .transpose()
    }
}

/// A field that was left empty is as good as none.
fn given(field: &Option<String>) -> Option<&str> {
    field
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

fn no_time(text: &str) -> Fault {
    Fault::Wrong(format!(
        "{text:?} is neither a date (2024-03-25) nor a time (2024-03-25T09:30:00Z)."
    ))
}

/// Finds what is asked for.
pub(super) fn find(archive: &Archive, asked: &Asked) -> Result<Answer, Fault> {
    let Some(words) = given(&asked.q) else {
        let after = given(&asked.after).map(place).transpose()?;
        let wanted = Wanted {
            source: given(&asked.source).map(crate::pin::source_name),
            language: given(&asked.lang).map(|language| language.to_lowercase()),
            flag: given(&asked.flag).map(str::to_owned),
            since: asked.since()?,
            until: asked.until()?,
        };
        return Ok(Answer::List(archive.list(&wanted, after.as_ref(), PAGE)?));
    };
    if let Ok(doc) = archive.find(words)
        && !asked.is_narrowed()
    {
        return Ok(Answer::Document(doc));
    }
    let (found, snippets) = hits(archive, asked)?;
    Ok(Answer::Hits(found, snippets))
}

/// Finds versions by words.
pub(super) fn hits(
    archive: &Archive,
    asked: &Asked,
) -> Result<(Found, Vec<Option<Snippet>>), Fault> {
    let words = given(&asked.q).unwrap_or_default();
    let below = given(&asked.after).map(|text| {
        text.parse::<u64>()
            .map_err(|_| Fault::Wrong(format!("{text:?} is no place in a list.")))
    });
    let request = Request {
        query: words.to_owned(),
        since: asked.since()?,
        until: asked.until()?,
        source: given(&asked.source).map(str::to_owned),
        language: given(&asked.lang).map(str::to_owned),
        current: false,
        limit: Some(PAGE / 2),
    };
    let found = search::newest(archive, &request, below.transpose()?)?;
    let snippets = found.hits.iter();
    let snippets = snippets
        .map(|hit| search::snippet(archive, &hit.row, words).ok())
        .collect();
    Ok((found, snippets))
}

/// What can be chosen from.
pub(super) fn choices(archive: &Archive) -> Result<Choices, Fault> {
    Ok(Choices {
        sources: archive.sources(CHOICES_MAX)?,
        languages: archive.languages(CHOICES_MAX)?,
    })
}

/// A place in a list as it stands in addresses: microseconds and the document's id.
pub(super) fn place_text(place: &Place) -> String {
    format!("{}-{}", place.captured_at.as_microsecond(), place.doc)
}

fn place(text: &str) -> Result<Place, Fault> {
    let parsed = text.rsplit_once('-').and_then(|(at, doc)| {
        let captured_at = Timestamp::from_microsecond(at.parse().ok()?).ok()?;
        let doc = DocId(doc.to_owned());
        Some(Place { captured_at, doc })
    });
    parsed.ok_or_else(|| Fault::Wrong(format!("{text:?} is no place in a list.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_lists_say_what_was_asked_and_no_more() {
        let asked = Asked {
            q: Some("gulls & ferries".into()),
            flag: Some(" ".into()),
            after: Some("7".into()),
            ..Asked::default()
        };
        assert_eq!(asked.address(None), "/documents?q=gulls%20%26%20ferries");
        assert_eq!(
            asked.address(Some("9")),
            "/documents?q=gulls%20%26%20ferries&after=9"
        );
        assert_eq!(Asked::default().address(None), "/documents");
    }

    #[test]
    fn places_are_read_as_they_are_written() {
        for micros in [0, -5, 1_700_000_000_000_000] {
            let place_there = Place {
                captured_at: Timestamp::from_microsecond(micros).expect("a time"),
                doc: DocId("k3vq".into()),
            };
            let read = place(&place_text(&place_there)).expect("reads");
            assert_eq!(read, place_there);
        }
        assert!(place("yesterday").is_err());
    }
}
