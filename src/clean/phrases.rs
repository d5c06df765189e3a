//! `Phrases`: many phrases sought in a line at once.
//!
//! Where a phrase may begin, its first four bytes stand; a filter of 8 KB knows of nearly all places of a line that no phrase
//! begins with what stands there. An automaton over the same phrases takes some twenty times as long, for each of its steps
//! waits for memory, and is a hundred times slower to make.

use std::collections::HashMap;
use std::ops::Range;

/// So many first bytes are looked up.
const HEAD: usize = 4;

/// Phrases, each with a value.
#[derive(Debug)]
pub(super) struct Phrases<T> {
    /// In the order of their texts.
    phrases: Vec<(Box<[u8]>, T)>,
    /// For each head, the phrases that begin with it.
    by_head: HashMap<[u8; HEAD], Range<usize>>,
    heads: Filter,
    /// Phrases that are shorter than a head.
    short: Vec<(Box<[u8]>, T)>,
    /// The first two bytes of those; of a single byte, with any other after it.
    pairs: Filter,
}

/// A set of numbers of 16 bits.
#[derive(Debug)]
struct Filter(Box<[u64; 1024]>);

impl Filter {
    fn empty() -> Filter {
        Filter(Box::new([0; 1024]))
    }

    fn insert(&mut self, number: u16) {
        self.0[usize::from(number) / 64] |= 1 << (number % 64);
    }

    fn has(&self, number: u16) -> bool {
        self.0[usize::from(number) / 64] >> (number % 64) & 1 == 1
    }
}

/// Spreads heads over 16 bits (Fibonacci hashing; Knuth, The Art of Computer Programming, 6.4).
fn spread(head: [u8; HEAD]) -> u16 {
    (u32::from_le_bytes(head).wrapping_mul(0x9e37_79b1) >> 16) as u16
}

impl<T: Copy> Phrases<T> {
    pub(super) fn new(phrases: impl IntoIterator<Item = (String, T)>) -> Phrases<T> {
        let phrases = phrases.into_iter();
        let bytes = phrases.map(|(text, value)| (text.into_bytes().into_boxed_slice(), value));
        let (mut phrases, short): (Vec<_>, Vec<_>) =
            bytes.partition(|(text, _): &(Box<[u8]>, T)| text.len() >= HEAD);
        phrases.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut set = Phrases {
            by_head: HashMap::new(),
            heads: Filter::empty(),
            pairs: Filter::empty(),
            phrases,
            short,
        };
        for (index, (text, _)) in set.phrases.iter().enumerate() {
            let Some(head) = text.first_chunk() else {
                continue;
            };
            let range = set.by_head.entry(*head).or_insert(index..index);
            range.end = index + 1;
            set.heads.insert(spread(*head));
        }
        for (text, _) in &set.short {
            match **text {
                [first] => (0..=u8::MAX)
                    .for_each(|second| set.pairs.insert(u16::from_le_bytes([first, second]))),
                [first, second, ..] => set.pairs.insert(u16::from_le_bytes([first, second])),
                [] => {}
            }
        }
        set
    }

    /// Calls `found` for each phrase that begins in `text` at one of the bytes `starts`, with where it stands.
    pub(super) fn find(
        &self,
        text: &str,
        starts: Range<usize>,
        mut found: impl FnMut(Range<usize>, T),
    ) {
        let bytes = text.as_bytes();
        let starts = starts.start..starts.end.min(bytes.len());
        for at in starts.clone() {
            let Some(head) = bytes[at..].first_chunk::<HEAD>() else {
                break;
            };
            if !self.heads.has(spread(*head)) {
                continue;
            }
            let range = self.by_head.get(head).cloned().unwrap_or_default();
            for (phrase, value) in &self.phrases[range] {
                if bytes[at..].starts_with(phrase) {
                    found(at..at + phrase.len(), *value);
                }
            }
        }
        if self.short.is_empty() {
            return;
        }
        for at in starts {
            let second = bytes.get(at + 1).copied().unwrap_or_default();
            if !self.pairs.has(u16::from_le_bytes([bytes[at], second])) {
                continue;
            }
            for (phrase, value) in &self.short {
                if bytes[at..].starts_with(phrase) {
                    found(at..at + phrase.len(), *value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn phrases_are_found_wherever_they_begin_also_within_each_other() {
        let phrases = ["ferry", "ferries", "ferry", "err", "/", "写真", "x"];
        let set = Phrases::new(phrases.iter().map(|phrase| phrase.to_string()).zip(0..));
        let text = "the ferry/ferries 写真x";
        let mut seen = Vec::new();
        set.find(text, 0..text.len(), |span, value| seen.push((span, value)));
        seen.sort_by_key(|(span, value)| (span.start, *value));
        let expected = [
            (4..9, 0),
            (4..9, 2),
            (5..8, 3),
            (9..10, 4),
            (10..17, 1),
            (11..14, 3),
            (18..24, 5),
            (24..25, 6),
        ];
        assert_eq!(seen, expected);
    }

    proptest! {
        #[test]
        fn whatever_is_sought_is_found_as_the_library_finds_it(
            phrases in proptest::collection::vec("[ab写/]{1,6}", 0..8),
            text in "[ab写/]{0,40}",
            from in 0..8usize,
        ) {
            let set = Phrases::new(phrases.iter().cloned().zip(0..));
            let mut seen = Vec::new();
            set.find(&text, from..text.len(), |span, value| seen.push((span.start, value)));
            seen.sort_unstable();
            let starts = |(value, phrase): (usize, &String)| -> Vec<_> {
                let bytes = text.as_bytes();
                (from..bytes.len()).filter(|at| bytes[*at..].starts_with(phrase.as_bytes())).map(|at| (at, value)).collect()
            };
            let mut expected: Vec<_> = phrases.iter().enumerate().flat_map(starts).collect();
            expected.sort_unstable();
            prop_assert_eq!(seen, expected);
        }
    }
}
