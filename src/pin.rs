//! `Pin`: a person's decision about a span of text: it stays, or it goes, whatever the rules say.

use serde::{Deserialize, Serialize};

use crate::identity::{DocId, Identity, IdentityKind};

/// A decision about a text, wherever it stands in what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// What becomes of the text.
    pub verdict: PinVerdict,
    /// The text; where it has several lines, each of them is meant.
    pub text: String,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a person decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinVerdict {
    /// The text stays.
    Keep,
    /// The text goes.
    Remove,
    /// An earlier decision about the text is taken back.
    Release,
}

impl PinVerdict {
    /// The verdict as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            PinVerdict::Keep => "keep",
            PinVerdict::Remove => "remove",
            PinVerdict::Release => "release",
        }
    }
}

/// What a pin is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinScope {
    /// One document.
    Doc(DocId),
    /// All documents of a source: an inbox, a producer's name of a source, or a site. See [`source_names`].
    Source(String),
}

impl PinScope {
    /// All documents of the source that a person calls `name`.
    pub fn source(name: &str) -> PinScope {
        PinScope::Source(source_name(name))
    }
}

/// The names by which a submission's source goes: where it was found, what its producer says, and the sites of its addresses.
pub fn source_names(identity: &Identity, root: &str, declared: Option<&str>) -> Vec<String> {
    let sites = identity.evidence.iter().filter_map(|evidence| {
        let is_address = matches!(evidence.kind, IdentityKind::Url | IdentityKind::Canonical);
        is_address.then(|| site(&evidence.value)).flatten()
    });
    let names = [Some(root), declared].into_iter().flatten();
    let mut names: Vec<String> = names.map(source_name).chain(sites).collect();
    names.dedup();
    names
}

/// The host of an address, without `www.`.
pub fn site(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then(|| source_name(host))
}

/// A host is written in many ways; other names are what they are.
pub fn source_name(name: &str) -> String {
    if !name.contains('.') || name.contains('/') {
        return name.to_owned();
    }
    let host = name.to_lowercase();
    host.strip_prefix("www.").unwrap_or(&host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::identify;
    use crate::submission::{Declared, Source};

    #[test]
    fn a_source_goes_by_its_inbox_its_producers_name_and_its_sites() {
        let declared = Declared {
            url: Some("https://WWW.Example.org:8080/a".into()),
            ..Declared::default()
        };
        let source = Source {
            root: "inbox".into(),
            path: "a.html".into(),
        };
        let identity = identify(&declared, &source, None);
        let names = source_names(&identity, "inbox", Some("feed"));
        assert_eq!(names, ["inbox", "feed", "example.org"]);
        let asked = PinScope::source("www.example.org");
        assert_eq!(asked, PinScope::Source("example.org".into()));
    }
}
