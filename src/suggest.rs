//! Proposing rules: lines that stand in many documents of one source, and in the body of none.
//!
//! A proposal is text for a person to read, edit and put into a pack; nothing here changes what cleaning does. Each comes with
//! how many documents speak for it, with samples, and with the proof that it hits no other line that was kept anywhere.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::clean::fold::Folded;
use crate::clean::rules::pack::{Kind, Pack, Source, Trial};

/// A line must stand in so many documents at least.
const SUPPORT_MIN: usize = 4;
/// And in one of so many.
const SUPPORT_SHARE: usize = 20;
/// A longer line is no furniture that words could name.
const CHARS_MAX: usize = 160;
/// Lines that begin alike must have so many words in common.
const PREFIX_WORDS: usize = 4;
/// Documents that share more than half of their lines are one story, told again.
const SAME_STORY: (usize, usize) = (1, 2);
/// So many lines from either end a line still stands at the end.
const EDGE: usize = 4;
/// So many samples are shown.
const SAMPLES: usize = 3;

/// The kept lines of one document.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its name.
    pub doc: String,
    /// Its lines, in order.
    pub lines: Vec<String>,
}

/// A rule that could be.
#[derive(Debug, Serialize)]
pub struct Proposal {
    /// The source whose documents speak for it.
    pub source: String,
    /// The rule as a pack has it.
    pub toml: String,
    /// So many stories have such a line.
    pub support: usize,
    /// Of so many.
    pub stories: usize,
    /// Documents that have one.
    pub documents: Vec<String>,
    /// Such lines.
    pub samples: Vec<String>,
    /// So many kept lines of all documents were looked at, and none but its own was hit.
    pub proven_against: usize,
    #[serde(skip)]
    trial: Option<Trial>,
    /// The lines that speak for it, folded.
    #[serde(skip)]
    own: HashSet<String>,
}

/// What would be proposed for a source, still to be proven: see [`prove`].
pub fn learn(source: &str, documents: &[Kept]) -> Vec<Proposal> {
    let stories = stories(documents);
    let enough = SUPPORT_MIN.max(stories.len().div_ceil(SUPPORT_SHARE));
    let mut whole: BTreeMap<String, Family> = BTreeMap::new();
    let mut starts: BTreeMap<String, Family> = BTreeMap::new();
    for (story, document) in stories.iter().enumerate() {
        for (at, line) in document.lines.iter().enumerate() {
            let Some(core) = core(line) else { continue };
            let from_end = document.lines.len() - 1 - at;
            let edge = match at.min(from_end) < EDGE {
                true if at < from_end => Edge::Start,
                true => Edge::End,
                false => Edge::None,
            };
            // Sentences begin alike by chance.
            let sentence = line.trim_end_matches(['"', '”', '»', ')', '\'', '’']);
            let sentence = sentence.ends_with(['.', '!', '?', '。', '…', ':', ';', ',']);
            if let Some(prefix) = prefix(&core).filter(|_| !sentence) {
                let family = starts.entry(prefix).or_default();
                family.add(story, document, line, edge);
            }
            whole
                .entry(core)
                .or_default()
                .add(story, document, line, edge);
        }
    }
    let mut proposals = Vec::new();
    let mut taken: HashSet<String> = HashSet::new();
    // Where lines only begin alike, more must speak for it: sentences do so by chance.
    let families = whole
        .into_iter()
        .map(|(phrase, family)| ("is", phrase, family));
    let begin = starts
        .into_iter()
        .map(|(phrase, family)| ("starts", phrase, family));
    let begin =
        begin.filter(|(_, _, family)| family.lines.len() > 1 && family.edge() != Edge::None);
    for (key, phrase, family) in families.chain(begin) {
        let covered = family
            .lines
            .iter()
            .all(|line| taken.contains(&folded(line)));
        if family.stories.len() < enough || covered {
            continue;
        }
        taken.extend(family.lines.iter().map(|line| folded(line)));
        let number = proposals.len() + 1;
        proposals.push(family.propose(source, number, key, &phrase, stories.len()));
    }
    proposals.sort_by_key(|proposal| std::cmp::Reverse(proposal.support));
    proposals
}

/// Looks for kept lines that a proposal would hit and that do not speak for it; drops those that have one. `next` gives the
/// kept lines of all documents, a document at a time.
pub fn prove(proposals: &mut Vec<Proposal>, documents: impl Iterator<Item = Kept>) {
    for document in documents {
        for line in &document.lines {
            let (folded_line, text) = (Folded::new(line), folded(line));
            proposals.retain_mut(|proposal| {
                proposal.proven_against += 1;
                let hits = |trial: &Trial| trial.hits(line, &folded_line);
                // What is no sound pack is proposed to nobody.
                !proposal.trial.as_ref().is_none_or(hits) || proposal.own.contains(&text)
            });
        }
    }
}

/// Lines that say the same.
#[derive(Default)]
struct Family {
    stories: HashSet<usize>,
    documents: Vec<String>,
    lines: Vec<String>,
    edges: [usize; 3],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Start,
    End,
    None,
}

impl Family {
    fn add(&mut self, story: usize, document: &Kept, line: &str, edge: Edge) {
        if self.stories.insert(story) {
            self.documents.push(document.doc.clone());
        }
        if !self.lines.iter().any(|known| known == line) {
            self.lines.push(line.to_owned());
        }
        self.edges[edge as usize] += 1;
    }

    /// Where nine of ten stand.
    fn edge(&self) -> Edge {
        let all: usize = self.edges.iter().sum();
        let most = |edge: Edge| self.edges[edge as usize] * 10 >= all * 9;
        match (most(Edge::Start), most(Edge::End)) {
            (true, _) => Edge::Start,
            (_, true) => Edge::End,
            _ => Edge::None,
        }
    }

    fn propose(
        self,
        source: &str,
        number: usize,
        key: &str,
        phrase: &str,
        stories: usize,
    ) -> Proposal {
        let position = match self.edge() {
            Edge::Start => "start",
            Edge::End => "end",
            Edge::None => "anywhere",
        };
        let support = self.stories.len();
        let chars = self.lines.iter().map(|line| line.chars().count()).max();
        let chars_max = chars.unwrap_or(0).max(20) * 5 / 4;
        let samples: Vec<String> = self.lines.iter().take(SAMPLES).cloned().collect();
        let cases: Vec<String> = samples.iter().map(|line| quoted(line)).collect();
        let toml = format!(
            "# In {support} of {stories} documents of {}, among them {}.\n[[rule]]\nname = \"line_{number}\"\nclass = \"promo\"\nposition = \"{position}\"\nreason = {}\nchars_max = {chars_max}\n{key} = [{}]\nmust_remove = [{}]\nmust_keep = []\n",
            one_line(source),
            self.documents
                .iter()
                .take(SAMPLES)
                .cloned()
                .collect::<Vec<_>>()
                .join(", "),
            quoted(&format!("stands in many articles of {source}")),
            quoted(phrase),
            cases.join(", "),
        );
        let pack = Pack::parse(Source {
            name: "proposed".to_owned(),
            place: "proposed".to_owned(),
            text: toml.clone().into(),
            kind: Kind::Pack,
            tried: true,
        });
        Proposal {
            source: source.to_owned(),
            trial: pack.ok().and_then(Pack::trial),
            toml,
            support,
            stories,
            own: self.lines.iter().map(|line| folded(line)).collect(),
            documents: self.documents.into_iter().take(SAMPLES).collect(),
            samples,
            proven_against: 0,
        }
    }
}

/// A line's words, if it is one that could be furniture.
fn core(line: &str) -> Option<String> {
    if line.chars().take(CHARS_MAX + 1).count() > CHARS_MAX || line.contains('\n') {
        return None;
    }
    let core = Folded::new(line).core().to_owned();
    (core.chars().filter(|c| c.is_alphabetic()).count() >= 3).then_some(core)
}

fn folded(line: &str) -> String {
    Folded::new(line).core().to_owned()
}

/// What several lines may have in common: their first words.
fn prefix(core: &str) -> Option<String> {
    let mut blanks = core.match_indices(' ').map(|(at, _)| at);
    let end = blanks.nth(PREFIX_WORDS - 1)?;
    Some(core[..end].to_owned())
}

/// One document of each story: copies of it would make its sentences look like furniture.
fn stories(documents: &[Kept]) -> Vec<&Kept> {
    let mut first: HashMap<String, Vec<usize>> = HashMap::new();
    let mut stories: Vec<&Kept> = Vec::new();
    for document in documents {
        let lines: HashSet<String> = document
            .lines
            .iter()
            .filter(|l| l.len() > 40)
            .map(|l| folded(l))
            .collect();
        let mut shared: HashMap<usize, usize> = HashMap::new();
        // A line of many stories tells none from another.
        let told = lines.iter().filter_map(|line| first.get(line));
        for story in told.filter(|of| of.len() <= SUPPORT_MIN).flatten() {
            *shared.entry(*story).or_default() += 1;
        }
        let (part, whole) = SAME_STORY;
        if shared
            .values()
            .any(|count| count * whole > lines.len() * part)
        {
            continue;
        }
        for line in lines {
            first.entry(line).or_default().push(stories.len());
        }
        stories.push(document);
    }
    stories
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(one_line(text)).to_string()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(count: usize, furniture: impl Fn(usize) -> Option<String>) -> Vec<Kept> {
        let document = |n: usize| Kept {
            doc: format!("doc{n}"),
            lines: (0..8)
                .map(|line| {
                    format!(
                        "In sentence {line} of story {n} a gull looks at ferry {}.",
                        n * 8 + line
                    )
                })
                .chain(furniture(n))
                .collect(),
        };
        (0..count).map(document).collect()
    }

    #[test]
    fn a_line_of_many_documents_is_proposed_with_support_and_proof() {
        let documents = documents(12, |n| {
            (n < 9).then(|| "Tide tables for \"all\"!".to_owned())
        });
        let mut proposals = learn("example.org", &documents);
        prove(&mut proposals, documents.iter().cloned());
        assert_eq!(proposals.len(), 1, "{proposals:?}");
        let proposal = &proposals[0];
        assert_eq!((proposal.support, proposal.stories), (9, 12));
        assert_eq!(proposal.proven_against, 12 * 8 + 9);
        assert!(
            proposal.toml.contains("position = \"end\""),
            "{}",
            proposal.toml
        );
        let pack = Pack::parse(Source {
            name: "local".into(),
            place: "local.toml".into(),
            text: proposal.toml.clone().into(),
            kind: Kind::Pack,
            tried: false,
        });
        assert_eq!(pack.expect("a pack").prove(), []);
    }

    #[test]
    fn a_rule_that_would_hit_a_kept_line_elsewhere_is_not_proposed() {
        let furniture = |n: usize| Some(format!("Read what our readers say about harbour {n}"));
        let ours = documents(6, furniture);
        let mut proposals = learn("example.org", &ours);
        assert_eq!(proposals.len(), 1, "{proposals:?}");
        prove(&mut proposals, ours.iter().cloned());
        assert_eq!(proposals.len(), 1);
        let other = Kept {
            doc: "other".into(),
            lines: vec!["Read what our readers say of the fog, he asked.".into()],
        };
        prove(&mut proposals, std::iter::once(other));
        assert!(proposals.is_empty());
    }

    #[test]
    fn one_story_that_was_copied_proposes_nothing() {
        let mut copies = documents(1, |_| None);
        while copies.len() < 8 {
            copies.push(copies[0].clone());
        }
        assert!(learn("example.org", &copies).is_empty());
    }
}
