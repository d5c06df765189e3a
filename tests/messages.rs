//! All that the program says when something fails, in one list (`cargo test --test messages -- --nocapture`), and how it is said.
//!
//! A message says what was tried and on what, or what is wrong with what; its source says why; what can be done follows a
//! semicolon or stands in the message. It stands behind "faircopy: " and in front of ": " and its source.

#![allow(
    clippy::print_stdout,
    reason = "the list is what it is for, beside its checks"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// How a message stands in the sources: behind one of these.
const OPENINGS: [&str; 8] = [
    "#[error(",
    "bail!(",
    "anyhow!(",
    "context(",
    "with_context(|| format!(",
    "with_context(|| ",
    "Usage(",
    "complain(&format!(",
];

/// What a message may not say: that there is an error, which its reader knows; or without on what.
const VAGUE: [&str; 8] = [
    "failed to",
    "unable to",
    "could not",
    "an error",
    "something went wrong",
    "unexpected",
    "invalid",
    "unknown error",
];

/// What a message may not be: it names nothing.
const EMPTY: [&str; 6] = [
    "cannot read it",
    "cannot write it",
    "cannot open it",
    "cannot prove it",
    "cannot run it",
    "it failed",
];

/// A message that refuses by one of these says what to do, too.
const REFUSALS: [&str; 15] = [
    "there is no ",
    "not signed",
    "is not ",
    "is no ",
    "are no ",
    "has no ",
    "holds no ",
    "is damaged",
    "is missing",
    "is gone",
    "is locked",
    "is lost",
    "was erased",
    "nothing is ",
    "neither ",
];

/// What to do begins with one of these, or is a command.
const ADVICE: [&str; 19] = [
    "; give ",
    "; name ",
    " restore ",
    "; wait ",
    "; install ",
    "; take ",
    "; compare ",
    "; send ",
    "; put ",
    "; mount ",
    "; bring ",
    "; it takes ",
    "; leave ",
    "; it was written anew",
    "; writing goes on",
    " give ",
    " write one ",
    " is back",
    "`",
];

/// These stand within another message that says what to do, or before one.
const WITHIN_ANOTHER: [&str; 5] = [
    "header {0} is missing or malformed",
    "its length is not what its Content-Length says",
    "{}: rule pack {pack:?} is not used: {message}",
    "nothing is published",
    "{a_role} {a} and {b_role} {b} must be different folders, neither inside the other",
];

/// Of these, whoever passes them on says before them what "it" is.
const IT_IS_NAMED_BEFORE: [&str; 4] = [
    "src/archive/rotation.rs",
    "src/cli/add.rs",
    "src/cli/clean.rs",
    "src/publish.rs",
];

/// A message, with its place.
struct Message {
    file: String,
    line: usize,
    text: String,
}

impl Message {
    /// What is wrong with it.
    fn fault(&self) -> Option<&'static str> {
        let text = self.text.as_str();
        let first = text.chars().next();
        let vague = |word: &&str| text.to_lowercase().contains(*word);
        let is_named = IT_IS_NAMED_BEFORE.contains(&self.file.as_str());
        match first {
            None => Some("is empty"),
            Some(first) if first.is_whitespace() => Some("begins with a blank"),
            // Names of files and variables of the environment are as they are.
            Some(first) if first.is_uppercase() => Some("begins with a capital"),
            _ if text.ends_with(['.', '!', ' ', ':']) => {
                Some("ends with a full stop or an opening")
            }
            _ if text.contains("  ") || text.contains('\n') => Some("is not one line"),
            _ if VAGUE.iter().any(vague) => Some("does not say what is wrong"),
            _ if self.only_refuses() => Some("does not say what to do"),
            _ if EMPTY.contains(&text) && !is_named => Some("does not say with what"),
            _ => None,
        }
    }
}

impl Message {
    /// Whether it says no and leaves it at that.
    fn only_refuses(&self) -> bool {
        let text = self.text.as_str();
        REFUSALS.iter().any(|word| text.contains(word))
            && !ADVICE.iter().any(|word| text.contains(word))
            && !WITHIN_ANOTHER.contains(&text)
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => sources(&path, found),
            false if path.extension().is_some_and(|end| end == "rs") => found.push(path),
            false => (),
        }
    }
}

/// The messages of one source, up to its tests.
fn messages(file: &str, source: &str) -> Vec<Message> {
    let source = source.split("#[cfg(test)]\nmod ").next().unwrap_or("");
    let mut messages = Vec::new();
    for opening in OPENINGS {
        for (at, _) in source.match_indices(opening) {
            let rest = source[at + opening.len()..].trim_start();
            let before = source[..at].chars().next_back();
            let is_whole = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
            if let Some(text) = rest.strip_prefix('"').filter(|_| is_whole) {
                messages.push(Message {
                    file: file.to_owned(),
                    line: source[..at].matches('\n').count() + 1,
                    text: literal(text),
                });
            }
        }
    }
    messages
}

/// A string literal's text, from behind its opening quote.
fn literal(source: &str) -> String {
    let mut text = String::new();
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                // A line that goes on: the next begins with what is not blank.
                Some('\n') => {
                    let rest = chars.as_str().trim_start();
                    chars = rest.chars();
                }
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => break,
            },
            c => text.push(c),
        }
    }
    text
}

fn all() -> Vec<Message> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    files.sort();
    let of = |path: &PathBuf| {
        let file = path.strip_prefix(root).expect("below").to_string_lossy();
        let source = fs::read_to_string(path).expect("a source");
        messages(&file, &source)
    };
    files.iter().flat_map(of).collect()
}

#[test]
fn each_message_says_what_is_wrong_in_a_line_that_stands_within_another() {
    let all = all();
    // An enum of errors for each wing at least, and what commands say.
    assert!(all.len() > 150, "only {} messages were found", all.len());
    let mut faults = Vec::new();
    for message in &all {
        println!("{}:{}: {}", message.file, message.line, message.text);
        if let Some(fault) = message.fault() {
            let Message { file, line, text } = message;
            faults.push(format!("{file}:{line}: {fault}: {text:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn messages_that_say_it_badly_are_found() {
    let source = r#"
        bail!("Cannot read {}.", path);
        read.context("cannot read it")?;
        #[error("failed to open {0}")]
        return Err(Usage("give a folder, \
            or a file").into());
        bail!("there is no ferry at {}", pier);
        bail!("there is no ferry at {}; take the one at {}", pier, other);
    "#;
    let found = messages("src/some.rs", source);
    let faults: Vec<_> = found.iter().filter_map(Message::fault).collect();
    assert_eq!(found.len(), 6);
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert!(found.iter().any(|m| m.text == "give a folder, or a file"));
}
