//! Small articles, each another one, by a seeded generator.

use std::fs;
use std::path::{Path, PathBuf};

const WORDS: [&str; 24] = [
    "ferry",
    "quay",
    "gulls",
    "harbour",
    "Ada",
    "Brill",
    "counted",
    "again",
    "the",
    "a",
    "of",
    "at",
    "crew",
    "said",
    "on",
    "Monday",
    "returned",
    "late",
    "fog",
    "lighthouse",
    "with",
    "passengers",
    "before",
    "winter",
];

/// Text number `number`, of a kilobyte and a half.
pub(crate) fn text(number: usize) -> String {
    let mut random = number as u64 ^ 4711;
    let mut word = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        WORDS[(random >> 33) as usize % WORDS.len()]
    };
    let mut sentence = |words: usize| {
        let words: Vec<&str> = (0..words).map(|_| word()).collect();
        format!("The {}.", words.join(" "))
    };
    let paragraphs: Vec<String> = (0..5)
        .map(|_| [sentence(17), sentence(14), sentence(21)].join(" "))
        .collect();
    format!(
        "Ferry number {number} leaves the harbour of Tarn\n\nBy Ada Brill\n\n{}\n",
        paragraphs.join("\n\n")
    )
}

/// Writes `count` of them into `folder`.
pub(crate) fn write(folder: &Path, count: usize) -> Vec<PathBuf> {
    fs::create_dir_all(folder).unwrap();
    let write = |number| {
        let path = folder.join(format!("{number:06}.txt"));
        fs::write(&path, text(number)).unwrap();
        path
    };
    (0..count).map(write).collect()
}
