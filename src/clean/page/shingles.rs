//! Whether a text stands in another: by hashes of four words in a row, whatever signs and tags stand between them.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// The shingles of a text.
#[derive(Debug, Default)]
pub(super) struct Shingles(HashSet<u64, BuildHasherDefault<Same>>);

const WORDS: usize = 4;

impl Shingles {
    /// Of a text that may hold tags (`articleBody` of some pages does).
    pub(super) fn of(text: &str) -> Shingles {
        let mut shingles = Shingles::default();
        shingles.0.reserve(text.len() / 5);
        each(text, |hash| {
            shingles.0.insert(hash);
        });
        shingles
    }

    /// Share of the text's shingles that are in this set, in percent; `None` if it has too few words to tell.
    pub(super) fn percent(&self, text: &str) -> Option<u32> {
        let (mut all, mut found) = (0u32, 0u32);
        each(text, |hash| {
            all += 1;
            found += u32::from(self.0.contains(&hash));
        });
        (all > 0).then(|| found * 100 / all)
    }
}

fn each(text: &str, mut visit: impl FnMut(u64)) {
    let mut last = [0u64; WORDS];
    let mut count = 0;
    let mut word = 0u64;
    let mut push = |word: u64| {
        last.rotate_left(1);
        last[WORDS - 1] = word;
        count += 1;
        if count >= WORDS {
            visit(last.iter().fold(0, |hash, word| mix(hash, *word)));
        }
    };
    let mut tag = false;
    for char in text.chars() {
        match char {
            '<' => tag = true,
            '>' if tag => tag = false,
            _ if tag => {}
            // Scripts that write without blanks: each character is a word.
            '\u{2e80}'.. => {
                if word != 0 {
                    push(word);
                    word = 0;
                }
                if char.is_alphanumeric() {
                    push(mix(0, u64::from(char)));
                }
            }
            _ if char.is_alphanumeric() => {
                let lower = if char.is_ascii() {
                    char.to_ascii_lowercase()
                } else {
                    char
                };
                word = mix(word, u64::from(lower));
            }
            _ if word != 0 => {
                push(word);
                word = 0;
            }
            _ => {}
        }
    }
    if word != 0 {
        push(word);
    }
}

fn mix(hash: u64, value: u64) -> u64 {
    (hash ^ value)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(29)
}

/// The values are hashes already.
#[derive(Debug, Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = mix(self.0, u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}
