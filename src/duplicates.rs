//! Near-duplicates: documents whose latest texts are mostly the same, such as syndicated copies. Advice; nothing is merged.
//!
//! A text is known by a sample of its runs of words: those whose hash ends in [`SAMPLE_BITS`] zero bits, wherever they stand
//! (Broder's "modulo sketch", 1997), so that a copy that was cut or was given another head still shares them. Two texts that
//! share [`SHARE_MIN`] of the smaller sample are copies of each other.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::archive;
use crate::archive::catalog::CaptureRow;
use crate::archive::reader::Archive;

/// Words of a run.
const RUN_WORDS: usize = 5;
/// One run of so many, as a power of two, is in the sample.
const SAMPLE_BITS: u32 = 3;
/// A text with fewer sampled runs says too little.
const SAMPLE_MIN: usize = 6;
/// From this share of the smaller sample on, two texts are copies.
const SHARE_MIN: f64 = 0.6;
/// A run that stands in more documents is boilerplate and leads to nobody.
const DOCUMENTS_MAX: usize = 64;

/// Documents that are copies of each other.
#[derive(Debug)]
pub struct Cluster {
    /// The fullest first.
    pub copies: Vec<Copy>,
}

/// One copy.
#[derive(Debug)]
pub struct Copy {
    /// The latest version of the document.
    pub row: CaptureRow,
    /// How long its text is.
    pub text_bytes: usize,
    /// Which share of it the fullest copy has, 0 to 1.
    pub share: f64,
}

struct Sketch {
    row: CaptureRow,
    text_bytes: usize,
    /// Sorted.
    sample: Vec<u64>,
}

/// What was found, and what could not be read.
#[derive(Debug, Default)]
pub struct Found {
    /// The clusters, the largest first.
    pub clusters: Vec<Cluster>,
    /// Why documents were left out.
    pub unreadable: Vec<String>,
}

/// Finds the near-duplicates among all documents. Memory grows with their number, by some hundred bytes each.
pub fn find(archive: &Archive) -> Result<Found, archive::Error> {
    let state = RandomState::new();
    let mut found = Found::default();
    let mut sketches = Vec::new();
    for document in archive.documents()? {
        let row = document.latest;
        match archive.read_text(&row) {
            Ok(text) => {
                let sample = sample(&text, &state);
                if sample.len() >= SAMPLE_MIN {
                    sketches.push(Sketch {
                        row,
                        text_bytes: text.len(),
                        sample,
                    });
                }
            }
            Err(error) => found.unreadable.push(error.to_string()),
        }
    }
    found.clusters = clusters(sketches);
    Ok(found)
}

/// The sampled runs of a text. Case and signs do not matter; a text without blanks is taken by its characters.
fn sample(text: &str, state: &RandomState) -> Vec<u64> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let is_spaced = words.len() * 12 > lower.chars().count();
    let hash = |parts: &mut dyn Iterator<Item = &str>| {
        let mut hasher = state.build_hasher();
        parts.for_each(|part| {
            hasher.write(part.as_bytes());
            hasher.write_u8(0);
        });
        hasher.finish()
    };
    let hashes: Vec<u64> = if is_spaced {
        let runs = words.windows(RUN_WORDS);
        runs.map(|run| hash(&mut run.iter().copied())).collect()
    } else {
        // A character of Chinese says about as much as half a word.
        let signs: Vec<char> = lower.chars().filter(|c| c.is_alphanumeric()).collect();
        let runs = signs.windows(2 * RUN_WORDS);
        runs.map(|run| {
            let run: String = run.iter().collect();
            hash(&mut [run.as_str()].into_iter())
        })
        .collect()
    };
    let sampled = hashes.into_iter();
    let mut sampled: Vec<u64> = sampled
        .filter(|hash| hash.trailing_zeros() >= SAMPLE_BITS)
        .collect();
    sampled.sort_unstable();
    sampled.dedup();
    sampled
}

fn clusters(sketches: Vec<Sketch>) -> Vec<Cluster> {
    let mut by_hash: HashMap<u64, Vec<u32>> = HashMap::new();
    for (index, sketch) in (0..).zip(&sketches) {
        for hash in &sketch.sample {
            by_hash.entry(*hash).or_default().push(index);
        }
    }
    let mut shared: HashMap<(u32, u32), u32> = HashMap::new();
    let telling = by_hash
        .into_values()
        .filter(|docs| docs.len() <= DOCUMENTS_MAX);
    for docs in telling {
        for (at, first) in docs.iter().enumerate() {
            for second in &docs[at + 1..] {
                *shared.entry((*first, *second)).or_default() += 1;
            }
        }
    }
    let mut leaders: Vec<u32> = (0..sketches.len() as u32).collect();
    for ((first, second), count) in shared {
        let of = |index: u32| sketches[index as usize].sample.len();
        if f64::from(count) >= SHARE_MIN * of(first).min(of(second)) as f64 {
            let (a, b) = (leader(&mut leaders, first), leader(&mut leaders, second));
            leaders[a.max(b) as usize] = a.min(b);
        }
    }
    let mut members: HashMap<u32, Vec<Sketch>> = HashMap::new();
    for (index, sketch) in (0..).zip(sketches) {
        let leader = leader(&mut leaders, index);
        members.entry(leader).or_default().push(sketch);
    }
    let several = members.into_values().filter(|members| members.len() > 1);
    let mut clusters: Vec<Cluster> = several.map(cluster).collect();
    clusters.sort_by_key(|cluster| {
        let first = &cluster.copies[0].row;
        (usize::MAX - cluster.copies.len(), first.leaf)
    });
    clusters
}

fn leader(leaders: &mut [u32], mut index: u32) -> u32 {
    while leaders[index as usize] != index {
        let next = leaders[index as usize];
        leaders[index as usize] = leaders[next as usize];
        index = next;
    }
    index
}

fn cluster(mut members: Vec<Sketch>) -> Cluster {
    members.sort_by_key(|sketch| (usize::MAX - sketch.text_bytes, sketch.row.leaf));
    let fullest = members[0].sample.clone();
    let copies = members.into_iter().map(|sketch| {
        let has = |hash: &&u64| fullest.binary_search(hash).is_ok();
        let share = sketch.sample.iter().filter(has).count() as f64 / sketch.sample.len() as f64;
        Copy {
            row: sketch.row,
            text_bytes: sketch.text_bytes,
            share,
        }
    });
    Cluster {
        copies: copies.collect(),
    }
}
