//! What differs between two versions, word by word.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
use similar::{Algorithm, ChangeTag, TextDiff};

use crate::archive::catalog::CaptureRow;
use crate::article::Article;

/// A run of words that are in both texts, or in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// In which.
    pub op: Op,
    /// The words, with all that stands between them.
    pub text: String,
}

/// What leads from the old text to the new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// It is in both.
    Equal,
    /// It is in the old text alone.
    Delete,
    /// It is in the new text alone.
    Insert,
}

/// All that makes a version: headline, names, text and captions.
pub fn story(article: &Article) -> String {
    let title = article.title.as_deref().unwrap_or_default();
    let authors = article.authors.join(", ");
    let mut story = format!("{title}\n{authors}\n\n{}", article.text);
    for caption in &article.captions {
        let credit = caption.credit.as_deref().unwrap_or_default();
        story.push_str(&format!("\n[{}] {credit}", caption.text));
    }
    story
}

/// All that is not the story, one field or item a line.
pub fn furniture(article: &Article) -> String {
    let fields = serde_json::to_value(article).expect("articles always serialize");
    let mut lines = String::new();
    for (key, value) in fields.as_object().into_iter().flatten() {
        if ["title", "authors", "text", "blocks", "captions"].contains(&key.as_str()) {
            continue;
        }
        match value.as_array() {
            Some(items) => items
                .iter()
                .for_each(|item| lines.push_str(&format!("{key}: {item}\n"))),
            None => lines.push_str(&format!("{key}: {value}\n")),
        }
    }
    lines
}

/// The runs that lead from one text to the other; neighbours are of different kinds. After `patience` what is left is told
/// more coarsely.
pub fn runs(old: &str, new: &str, patience: Option<Duration>) -> Vec<Run> {
    let mut config = TextDiff::configure();
    config.algorithm(Algorithm::Myers);
    if let Some(patience) = patience {
        config.deadline(Instant::now() + patience);
    }
    let diff = config.diff_unicode_words(old, new);
    let mut runs: Vec<Run> = Vec::new();
    for change in diff.iter_all_changes() {
        let op = match change.tag() {
            ChangeTag::Equal => Op::Equal,
            ChangeTag::Delete => Op::Delete,
            ChangeTag::Insert => Op::Insert,
        };
        push(&mut runs, op, change.value());
    }
    joined(runs)
}

fn push(runs: &mut Vec<Run>, op: Op, text: &str) {
    match runs.last_mut() {
        Some(run) if run.op == op => run.text.push_str(text),
        _ => runs.push(Run {
            op,
            text: text.to_owned(),
        }),
    }
}

/// Words that were exchanged one by one, with blanks that stayed between them, are read as one exchange.
fn joined(runs: Vec<Run>) -> Vec<Run> {
    let mut joined = Vec::with_capacity(runs.len());
    let is_blank = |run: &Run| run.op == Op::Equal && run.text.chars().all(|c| c == ' ');
    let mut rest = &runs[..];
    while !rest.is_empty() {
        let mut end = rest
            .iter()
            .take_while(|run| run.op != Op::Equal || is_blank(run))
            .count();
        // Blanks at the ends of an exchange do not belong to it.
        while end > 0 && is_blank(&rest[end - 1]) {
            end -= 1;
        }
        let start = usize::from(end > 0 && is_blank(&rest[0]));
        let exchange = &rest[start..end];
        let has = |op: Op| exchange.iter().any(|run| run.op == op);
        if !(has(Op::Delete) && has(Op::Insert)) {
            push(&mut joined, rest[0].op, &rest[0].text);
            rest = &rest[1..];
            continue;
        }
        for run in &rest[..start] {
            push(&mut joined, run.op, &run.text);
        }
        for (op, other) in [(Op::Delete, Op::Insert), (Op::Insert, Op::Delete)] {
            let parts = exchange.iter().filter(|run| run.op != other);
            let text: String = parts.map(|run| run.text.as_str()).collect();
            push(&mut joined, op, &text);
        }
        rest = &rest[end..];
    }
    joined
}

/// A comparison as it stands in JSON.
pub fn object(old: &CaptureRow, new: &CaptureRow, runs: &[Run]) -> Value {
    let version = |row: &CaptureRow| json!({"doc": row.doc, "version": row.version, "captured_at": row.captured_at});
    let same = runs.iter().all(|run| run.op == Op::Equal);
    json!({"old": version(old), "new": version(new), "same": same, "changes": runs})
}

/// Runs in two columns: lines that are in both texts stand side by side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The old text.
    pub old: Vec<Run>,
    /// The new text.
    pub new: Vec<Run>,
}

impl Row {
    /// Whether the texts differ here.
    pub fn is_changed(&self) -> bool {
        let mut runs = self.old.iter().chain(&self.new);
        runs.any(|run| run.op != Op::Equal)
    }

    fn is_empty(&self) -> bool {
        let mut runs = self.old.iter().chain(&self.new);
        runs.all(|run| run.text.trim().is_empty())
    }
}

/// Lays runs out in two columns. A row ends where a line ends in both texts; empty ones are left out.
pub fn rows(runs: &[Run]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = Row::default();
    for run in runs {
        match run.op {
            Op::Delete => row.old.push(run.clone()),
            Op::Insert => row.new.push(run.clone()),
            Op::Equal => {
                for (number, line) in run.text.split('\n').enumerate() {
                    if number > 0 {
                        rows.push(std::mem::take(&mut row));
                    }
                    if !line.is_empty() {
                        let part = Run {
                            op: Op::Equal,
                            text: line.to_owned(),
                        };
                        row.old.push(part.clone());
                        row.new.push(part);
                    }
                }
            }
        }
    }
    rows.push(row);
    rows.retain(|row| !row.is_empty());
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_give_both_texts_back() {
        let (old, new) = (
            "The ferry sails\nat nine.\n",
            "The old ferry sails\nat ten.\n",
        );
        let runs = runs(old, new, None);
        let read = |without: Op| -> String {
            let runs = runs.iter().filter(|run| run.op != without);
            runs.map(|run| run.text.as_str()).collect()
        };
        assert_eq!(read(Op::Insert), old);
        assert_eq!(read(Op::Delete), new);
    }

    #[test]
    fn words_that_were_exchanged_one_by_one_are_one_exchange() {
        let runs = runs(
            "Tickets cost the same as last year.",
            "Tickets cost two crowns more than last year.",
            None,
        );
        let told: Vec<_> = runs.iter().map(|run| (run.op, run.text.as_str())).collect();
        let expected = [
            (Op::Equal, "Tickets cost "),
            (Op::Delete, "the same as"),
            (Op::Insert, "two crowns more than"),
            (Op::Equal, " last year."),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn lines_that_are_in_both_stand_side_by_side() {
        let rows = rows(&runs(
            "One.\n\nTwo.\n\nFour.\n",
            "One.\n\nThree.\n\nFour.\n",
            None,
        ));
        let changed: Vec<_> = rows.iter().map(Row::is_changed).collect();
        assert_eq!(changed, [false, true, false]);
    }
}
