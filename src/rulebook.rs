//! `Rulebook`: the built-in rules with the packs that a person keeps in a folder beside the configuration.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::clean::rules::pack::{Defect, Kind, Source};
use crate::clean::rules::{PackInfo, Rules};
use crate::config::RulesSection;
use crate::submission::printable;

/// A pack is some kilobytes; a larger file got there by mistake.
const PACK_BYTES_MAX: u64 = 4 << 20;

/// The rules in force, and the packs that are not.
#[derive(Debug)]
pub struct Rulebook {
    /// What acts.
    pub rules: Rules,
    /// What is wrong with the packs that do not.
    pub refused: Vec<Defect>,
}

/// What a person should know of the rules in force.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Names the rules and their exact content.
    pub id: String,
    /// The packs that do not come with faircopy.
    pub own: Vec<PackInfo>,
    /// What is wrong with the packs that do not act.
    pub refused: Vec<Defect>,
}

impl Rulebook {
    /// Reads the packs and site files in the folders of `section`, `*.toml`; a folder that is not there has none. What cannot
    /// be read does not stop the rest.
    pub fn read(section: &RulesSection) -> Rulebook {
        let (sources, mut refused) = sources(section);
        let (rules, defects) = Rules::assemble(sources);
        refused.extend(defects);
        Rulebook { rules, refused }
    }

    /// The rules that faircopy comes with, alone.
    pub fn built_in() -> Rulebook {
        Rulebook {
            rules: Rules::built_in(),
            refused: Vec::new(),
        }
    }

    /// What a person should know of it.
    pub fn summary(&self) -> Summary {
        let own = self.rules.packs().iter().filter(|pack| !pack.is_built_in());
        Summary {
            id: self.rules.id().to_owned(),
            own: own.cloned().collect(),
            refused: self.refused.clone(),
        }
    }
}

/// The packs and site files, by name, and what cannot be read.
pub fn sources(section: &RulesSection) -> (Vec<Source>, Vec<Defect>) {
    let (mut found, mut refused) = in_folder(&section.folder, Kind::Pack);
    let (of_sites, unread) = in_folder(&section.sites, Kind::Site);
    found.extend(of_sites);
    refused.extend(unread);
    (found, refused)
}

fn in_folder(folder: &Path, kind: Kind) -> (Vec<Source>, Vec<Defect>) {
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    let mut files: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            let message = format!("cannot list the folder: {error}");
            refused.push(nothing(folder, kind).defect(None, message));
            Vec::new()
        }
    };
    files.sort();
    for file in files.iter().filter(|file| is_pack(file)) {
        match source(file, kind) {
            Ok(source) => found.push(source),
            Err(message) => refused.push(nothing(file, kind).defect(None, message)),
        }
    }
    (found, refused)
}

fn is_pack(file: &Path) -> bool {
    let hidden = file
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden
        && file
            .extension()
            .is_some_and(|extension| extension == "toml")
}

/// Reads one pack or site file. Its name stands in ledgers, so that it must be a plain word.
pub fn source(file: &Path, kind: Kind) -> Result<Source, String> {
    let source = nothing(file, kind);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    // A site file is named like its site.
    let plain = |c: char| plain(c) || kind == Kind::Site && c == '.';
    if source.name.is_empty() || !source.name.chars().all(plain) {
        return Err(
            "a pack's file must be named with ASCII letters, digits, `_` and `-`".to_owned(),
        );
    }
    let length = fs::metadata(file).map(|file| file.len());
    if length.is_ok_and(|length| length > PACK_BYTES_MAX) {
        return Err(format!("it has more than {PACK_BYTES_MAX} bytes"));
    }
    let text = fs::read_to_string(file).map_err(|error| format!("cannot read it: {error}"))?;
    Ok(Source {
        text: text.into(),
        ..source
    })
}

fn nothing(file: &Path, kind: Kind) -> Source {
    let stem = file.file_stem().unwrap_or_default();
    Source {
        name: match kind {
            Kind::Pack => printable(Path::new(stem)),
            // A name that no pack can have.
            Kind::Site => format!("site.{}", printable(Path::new(stem))),
        },
        kind,
        place: printable(file),
        text: String::new().into(),
        tried: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_packs_is_read_and_what_is_none_is_told() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let section = RulesSection {
            folder: folder.path().to_owned(),
            sites: folder.path().join("sites"),
        };
        let tide = "[[rule]]\nname = \"tide\"\nclass = \"promo\"\nreason = \"tells the tide\"\nis = [\"tide table\"]\nmust_remove = [\"Tide table\"]\n";
        for (name, text) in [
            ("tides.toml", tide),
            ("ui.toml", "[[rule]\n"),
            ("a b.toml", tide),
            (".hidden.toml", "x"),
            ("notes.txt", "x"),
        ] {
            fs::write(folder.path().join(name), text).expect("writes");
        }
        let book = Rulebook::read(&section);
        let refused: Vec<_> = book.refused.iter().map(|d| (&*d.pack, d.line)).collect();
        assert_eq!(refused, [("a b", None), ("ui", Some(1))]);
        let own: Vec<_> = book
            .summary()
            .own
            .into_iter()
            .map(|pack| pack.name)
            .collect();
        assert_eq!(own, ["tides"]);
        fs::create_dir(&section.sites).expect("makes");
        let site = format!("hosts = [\"example.org\"]\n{tide}");
        fs::write(section.sites.join("example.org.toml"), site).expect("writes");
        let book = Rulebook::read(&section);
        let names: Vec<_> = book
            .rules
            .of_sites()
            .map(|rule| rule.name.as_str())
            .collect();
        assert_eq!(names, ["site.example.org.tide"]);
    }
}
