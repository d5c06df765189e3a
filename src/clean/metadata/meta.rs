//! What a page's head and microdata declare: `meta`, `link`, `base`, `itemprop`, `lang`.

use crate::clean::metadata::text::plain;
use crate::tree::{Attr, Tag, Tree};

/// Declarations in document order.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Meta {
    /// `meta` with `name`, `property` or `http-equiv`: the key in lower case, and the content, plain, not empty.
    pub named: Vec<(String, String)>,
    /// Elements with `itemprop`: the property, and the content, `datetime` or text.
    pub items: Vec<(String, String)>,
    /// `link rel=canonical`.
    pub canonical: Option<String>,
    /// `base href`.
    pub base: Option<String>,
    /// `html lang`.
    pub language: Option<String>,
    /// The title of the head.
    pub title: Option<String>,
}

/// Item properties that metadata is made of.
const ITEMS: &[&str] = &[
    "datePublished",
    "dateModified",
    "dateCreated",
    "headline",
    "author",
    "creator",
    "articleSection",
    "keywords",
    "inLanguage",
];
/// Longer contents are no metadata.
const CONTENT_BYTES_MAX: usize = 2_000;

impl Meta {
    /// Reads a page's declarations in one pass.
    pub fn of(tree: &Tree) -> Meta {
        let mut meta = Meta {
            title: tree.title().map(plain).filter(|title| !title.is_empty()),
            ..Meta::default()
        };
        for node in tree.nodes() {
            let Some(tag) = tree.tag(node) else { continue };
            match tag {
                Tag::Meta => {
                    let content = tree
                        .attr(node, Attr::Content)
                        .filter(|content| content.len() <= CONTENT_BYTES_MAX);
                    let Some(content) = content.map(plain).filter(|content| !content.is_empty())
                    else {
                        continue;
                    };
                    for key in [Attr::Property, Attr::Name, Attr::HttpEquiv] {
                        if let Some(key) = tree.attr(node, key) {
                            // Dublin Core is written with a colon as well.
                            let mut key = key.trim().to_lowercase();
                            if key.starts_with("dc:") || key.starts_with("dcterms:") {
                                key = key.replacen(':', ".", 1);
                            }
                            meta.named.push((key, content.clone()));
                        }
                    }
                    if let Some(item) = tree.attr(node, Attr::Itemprop) {
                        meta.items.push((item.to_owned(), content));
                    }
                }
                Tag::Link => {
                    let rel = tree.attr(node, Attr::Rel).unwrap_or("");
                    if rel
                        .split_ascii_whitespace()
                        .any(|rel| rel.eq_ignore_ascii_case("canonical"))
                        && meta.canonical.is_none()
                    {
                        meta.canonical = tree.attr(node, Attr::Href).map(str::to_owned);
                    }
                }
                Tag::Base if meta.base.is_none() => {
                    meta.base = tree.attr(node, Attr::Href).map(str::to_owned)
                }
                Tag::Html => {
                    meta.language = tree
                        .attr(node, Attr::Lang)
                        .or(tree.attr(node, Attr::XmlLang))
                        .map(str::to_owned)
                }
                _ => {
                    let Some(item) = tree.attr(node, Attr::Itemprop) else {
                        continue;
                    };
                    let Some(item) = ITEMS
                        .iter()
                        .find(|known| item.split_ascii_whitespace().any(|item| item == **known))
                    else {
                        continue;
                    };
                    let value = tree
                        .attr(node, Attr::Content)
                        .or(tree.attr(node, Attr::Datetime));
                    let text = tree.text_of(node);
                    let value = value.unwrap_or(if text.len() <= 300 { text } else { "" });
                    let value = plain(value);
                    if !value.is_empty() {
                        meta.items.push(((*item).to_owned(), value));
                    }
                }
            }
        }
        meta
    }

    /// The first content of that key.
    pub fn get(&self, key: &str) -> Option<&str> {
        let named = self.named.iter().find(|(other, _)| other == key);
        named.map(|(_, content)| content.as_str())
    }

    /// All contents of that key.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.named
            .iter()
            .filter(move |(other, _)| other == key)
            .map(|(_, content)| content.as_str())
    }

    /// The first value of that item property.
    pub fn item(&self, name: &str) -> Option<&str> {
        self.items
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of that item property.
    pub fn all_items<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.items
            .iter()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}
