//! `Identity`: which document a submission is a capture of, with the evidence; and the ids that follow from it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::submission::{Declared, Source, path_text};

/// Which document a submission belongs to. Two submissions with the same `key` are captures of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What kind of evidence decided.
    pub kind: IdentityKind,
    /// The deciding value with its kind, e.g. `url:https://example.org/a`; unique to the document.
    pub key: String,
    /// All that was known, the deciding one included, strongest first.
    pub evidence: Vec<IdentityEvidence>,
}

/// Kinds of evidence, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// An explicit id in the sidecar.
    Id,
    /// The declared address, normalised.
    Url,
    /// The page's canonical link, of the same site as the declared address. (Content can lie: without a declared address
    /// it is evidence only.)
    Canonical,
    /// Inbox root and relative path.
    Path,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityEvidence {
    /// Its kind.
    pub kind: IdentityKind,
    /// Its value.
    pub value: String,
}

/// Decides the identity: the sidecar's id; else the declared address (its canonical link stands in for it when both are of
/// one site); else root and path.
pub fn identify(declared: &Declared, source: &Source, canonical: Option<&str>) -> Identity {
    let mut evidence = Vec::new();
    let mut note = |kind, value: String| evidence.push(IdentityEvidence { kind, value });
    if let Some(id) = declared.id.as_deref().filter(|id| !id.is_empty()) {
        let source = declared.source.as_deref().unwrap_or(&source.root);
        note(IdentityKind::Id, format!("{source}/{id}"));
    }
    let url = declared.url.as_deref().and_then(normalise_url);
    let canonical = canonical.and_then(normalise_url);
    if let Some(url) = &url {
        note(IdentityKind::Url, url.clone());
    }
    if let Some(canonical) = &canonical {
        note(IdentityKind::Canonical, canonical.clone());
    }
    let path = format!("{}/{}", source.root, path_text::to_text(&source.path));
    note(IdentityKind::Path, path);

    let usable = |e: &&IdentityEvidence| match e.kind {
        IdentityKind::Canonical => same_site(url.as_deref(), canonical.as_deref()),
        // The canonical link of the same site is the better name of the same page.
        IdentityKind::Url => !same_site(url.as_deref(), canonical.as_deref()),
        _ => true,
    };
    let decided = evidence
        .iter()
        .find(usable)
        .expect("a path is always there");
    let prefix = match decided.kind {
        IdentityKind::Id => "id",
        IdentityKind::Url | IdentityKind::Canonical => "url",
        IdentityKind::Path => "path",
    };
    Identity {
        kind: decided.kind,
        key: format!("{prefix}:{}", decided.value),
        evidence,
    }
}

fn same_site(url: Option<&str>, canonical: Option<&str>) -> bool {
    matches!((url, canonical), (Some(a), Some(b)) if host(a) == host(b))
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or(rest);
    host.strip_prefix("www.").unwrap_or(host)
}

/// Parameters that name the visit, not the page.
const TRACKING_PARAMETERS: [&str; 12] = [
    "fbclid",
    "gclid",
    "dclid",
    "msclkid",
    "yclid",
    "igshid",
    "mc_cid",
    "mc_eid",
    "ito",
    "cmpid",
    "ocid",
    "ns_mchannel",
];

/// An http or https address in the form in which equal pages are equal (RFC 3986 section 6.2, and what crawlers do
/// beyond it): lower-case scheme and host, no default port, no fragment, no tracking parameters, `/` for an empty path.
/// `None` for anything else. `http` and `https` of one address are one page.
pub fn normalise_url(url: &str) -> Option<String> {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://")?;
    let default_port = match scheme.to_ascii_lowercase().as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let rest = rest.split('#').next().unwrap_or(rest);
    let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path_and_query) = rest.split_at(path_at);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = host.to_lowercase();
    let host = host.strip_suffix(default_port).unwrap_or(&host);
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let (path, query) = path_and_query
        .split_once('?')
        .unwrap_or((path_and_query, ""));
    let path = if path.is_empty() { "/" } else { path };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|p| !p.is_empty() && !is_tracking(p))
        .collect();
    let query = if kept.is_empty() {
        String::new()
    } else {
        format!("?{}", kept.join("&"))
    };
    let clean: String = format!("https://{host}{path}{query}");
    (!clean.contains(|c: char| c.is_whitespace() || c.is_control())).then_some(clean)
}

fn is_tracking(parameter: &str) -> bool {
    let name = parameter
        .split('=')
        .next()
        .unwrap_or(parameter)
        .to_ascii_lowercase();
    name.starts_with("utm_") || TRACKING_PARAMETERS.contains(&name.as_str())
}

/// The opaque id of a document: 16 lower-case base-32 digits, derived from the identity and a secret of the archive, so
/// that the log reveals nothing and confirms no guess.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocId(pub String);

impl fmt::Display for DocId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A capture: the document and its number, from 1, in the order of archiving.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CaptureId {
    /// The document.
    pub doc: DocId,
    /// The capture's number.
    pub capture: u32,
}

/// A story version: the document and its number, from 1; written `doc@3`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VersionId {
    /// The document.
    pub doc: DocId,
    /// The version's number.
    pub version: u32,
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.doc, self.version)
    }
}

/// What became of a submission that was archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Archived {
    /// A new story version.
    New(CaptureId, VersionId),
    /// Other bytes, same story: a new capture of a version that was there.
    Unchanged(CaptureId, VersionId),
    /// The same bytes of the same document again: an observation.
    Duplicate(CaptureId, VersionId),
}

impl Archived {
    /// The outcome's name in JSON (`archived`, `unchanged` or `duplicate`), the capture, and the version it shows.
    pub fn parts(&self) -> (&'static str, &CaptureId, &VersionId) {
        match self {
            Archived::New(capture, version) => ("archived", capture, version),
            Archived::Unchanged(capture, version) => ("unchanged", capture, version),
            Archived::Duplicate(capture, version) => ("duplicate", capture, version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn source() -> Source {
        Source {
            root: "inbox".into(),
            path: PathBuf::from("a/b.html"),
        }
    }

    #[test]
    fn addresses_that_name_one_page_are_one() {
        for url in [
            "https://Example.org/a?id=7",
            "http://example.org:80/a?utm_source=x&id=7#top",
            " HTTPS://user@example.org:443/a?id=7&fbclid=1 ",
        ] {
            assert_eq!(
                normalise_url(url).as_deref(),
                Some("https://example.org/a?id=7"),
                "{url}"
            );
        }
        assert_eq!(
            normalise_url("https://example.org").as_deref(),
            Some("https://example.org/")
        );
        for none in [
            "",
            "ftp://x/",
            "javascript:alert(1)",
            "https:///a",
            "not a url",
            "https://a b/",
        ] {
            assert_eq!(normalise_url(none), None, "{none}");
        }
    }

    #[test]
    fn the_canonical_link_counts_only_beside_an_address_of_its_site() {
        let declared = Declared {
            url: Some("https://www.example.org/amp/a".into()),
            ..Declared::default()
        };
        let identity = identify(&declared, &source(), Some("https://example.org/a"));
        assert_eq!(identity.kind, IdentityKind::Canonical);
        assert_eq!(identity.key, "url:https://example.org/a");
        let elsewhere = identify(&declared, &source(), Some("https://victim.example/a"));
        assert_eq!(elsewhere.key, "url:https://www.example.org/amp/a");
        let undeclared = identify(
            &Declared::default(),
            &source(),
            Some("https://victim.example/a"),
        );
        assert_eq!(undeclared.kind, IdentityKind::Path);
        assert_eq!(undeclared.key, "path:inbox/a/b.html");
    }

    #[test]
    fn an_explicit_id_decides_before_all_else() {
        let declared = Declared {
            id: Some("42".into()),
            url: Some("https://example.org/a".into()),
            source: Some("feed".into()),
            ..Declared::default()
        };
        assert_eq!(identify(&declared, &source(), None).key, "id:feed/42");
    }
}
