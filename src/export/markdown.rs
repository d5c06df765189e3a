//! Markdown: one file for each version, metadata as YAML front matter. No title names a file as it likes.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Error, Read, create_folder};
use crate::archive::catalog::CaptureRow;
use crate::archive::metadata::CaptureMetadata;
use crate::archive::reader::Archive;

/// So many bytes of a title go into a file's name; with date, document and capture it stays far below the 255 of file systems.
const SLUG_BYTES_MAX: usize = 80;

pub(super) struct MarkdownWriter {
    dir: PathBuf,
}

impl MarkdownWriter {
    pub(super) fn create(dir: &Path) -> Result<MarkdownWriter, Error> {
        create_folder(dir)?;
        let dir = dir.to_owned();
        Ok(MarkdownWriter { dir })
    }

    pub(super) fn capture(
        &mut self,
        archive: &Archive,
        row: &CaptureRow,
    ) -> Result<Read<()>, Error> {
        let metadata = match archive.read_metadata(row) {
            Ok(metadata) => metadata,
            Err(error) => return Ok(Err(error)),
        };
        let path = self.dir.join(file_name(row, &metadata));
        let text = format!(
            "---\n{}---\n\n{}",
            front_matter(row, &metadata),
            metadata.article.to_markdown()
        );
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|source| Error::write(&path, source))?;
        Ok(Ok(()))
    }
}

/// `2024-03-25-lake-ferry-returns-k3vq2s7n4d5e6f7g-1.md`: date and title for people, document and capture to be unique.
fn file_name(row: &CaptureRow, metadata: &CaptureMetadata) -> String {
    let date = row.captured_at.strftime("%Y-%m-%d");
    let mut name = date.to_string();
    let slug = slug(metadata.article.title.as_deref().unwrap_or_default());
    if !slug.is_empty() {
        name.push('-');
        name.push_str(&slug);
    }
    format!("{name}-{}-{}.md", row.doc, row.capture)
}

/// Letters and digits of any script in lower case, with a hyphen for whatever stands between them.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for word in title.split(|c: char| !c.is_alphanumeric()) {
        let word = word.to_lowercase();
        let length = slug.len() + usize::from(!slug.is_empty()) + word.len();
        if length > SLUG_BYTES_MAX {
            // A title without blanks, as in Chinese, is cut within.
            if slug.is_empty() {
                slug = word.chars().take(SLUG_BYTES_MAX / 4).collect();
            }
            break;
        }
        if !slug.is_empty() && !word.is_empty() {
            slug.push('-');
        }
        slug.push_str(&word);
    }
    slug
}

fn front_matter(row: &CaptureRow, metadata: &CaptureMetadata) -> String {
    let article = &metadata.article;
    let observation = &metadata.observation;
    let url = article.url.as_ref().or(observation.declared.url.as_ref());
    let mut text = String::new();
    for (key, value) in [
        ("title", json!(article.title)),
        ("authors", json!(article.authors)),
        ("date", json!(article.date)),
        ("modified", json!(article.modified)),
        ("language", json!(article.language)),
        ("section", json!(article.section)),
        ("publisher", json!(article.publisher)),
        ("original_publisher", json!(article.original_publisher)),
        ("url", json!(url)),
        ("tags", json!(article.tags)),
        ("truncated", json!(article.truncated.state)),
        ("captions", json!(article.captions)),
        ("credits", json!(article.credits)),
        ("footers", json!(article.footers)),
        ("corrections", json!(article.corrections)),
        ("quality", json!(article.quality)),
        ("doc", json!(row.doc)),
        ("version", json!(row.version)),
        ("capture", json!(row.capture)),
        ("captured_at", json!(row.captured_at)),
        ("digests", json!(observation.digests)),
        ("rules", json!(metadata.rules)),
        ("leaf", json!(row.leaf)),
    ] {
        let is_empty = matches!(&value, Value::Null) || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty {
            writeln!(text, "{key}: {}", yaml(&value)).expect("a String takes everything");
        }
    }
    text
}

/// A value in YAML: JSON is YAML too, once what YAML counts as unprintable (1.2.2, 5.1) or as a line break is escaped.
fn yaml(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        let is_plain = matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
            && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if is_plain {
            text.push(c);
        } else {
            write!(text, "\\u{:04x}", u32::from(c)).expect("a String takes everything");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_title_leaves_its_folder_or_gets_too_long() {
        assert_eq!(slug("../../etc/passwd\0\n\u{202e}"), "etc-passwd");
        assert_eq!(slug("Größe zählt: 3 Möwen!"), "größe-zählt-3-möwen");
        assert_eq!(slug("—…"), "");
        assert_eq!(slug(&"渡".repeat(300)), "渡".repeat(20));
        assert!(slug(&"gull ".repeat(300)).len() <= SLUG_BYTES_MAX);
    }

    #[test]
    fn front_matter_holds_nothing_that_yaml_does_not_take() {
        let value = json!("a\u{85}b\u{2028}c\u{7f}d\u{feff}\"\n---\n\u{ffff}");
        let text = yaml(&value);
        assert_eq!(text, r#""a\u0085b\u2028c\u007fd\ufeff\"\n---\n\uffff""#);
    }
}
