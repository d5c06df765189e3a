//! `Phrases`: many phrases sought in a line at once.
//!
//! Where a phrase may begin, its first four bytes stand; a filter of 8 KB knows of nearly all places of a line that no phrase
//! begins with what stands there. An automaton over the same phrases takes several times as long, for each of its steps waits
//! for memory, and much longer to make.

use std::ops::Range;

/// So many first bytes are looked up.
const HEAD: usize = 4;

/// The phrases of a head are found by so many bits.
const BUCKET_BITS: u32 = 12;

/// Phrases, each with a value.
#[derive(Debug)]
pub(super) struct Phrases<T> {
    /// In the order of their buckets.
    phrases: Vec<Phrase<T>>,
    /// Where each bucket begins in `phrases`, and last where the last one ends.
    buckets: Vec<u32>,
    heads: Filter,
    /// Phrases that are shorter than a head.
    short: Vec<Phrase<T>>,
    /// The first two bytes of those; of a single byte, with any other after it.
    pairs: Filter,
}

#[derive(Debug)]
struct Phrase<T> {
    /// Its first eight bytes, and which bits of them there are.
    first: u64,
    mask: u64,
    text: Box<[u8]>,
    value: T,
}

impl<T> Phrase<T> {
    fn new(text: String, value: T) -> Phrase<T> {
        let text = text.into_bytes().into_boxed_slice();
        let first = first_eight(&text);
        let bits = 8 * text.len().min(8) as u32;
        let mask = u64::MAX.checked_shr(64 - bits).unwrap_or_default();
        Phrase {
            first,
            mask,
            text,
            value,
        }
    }

    fn begins(&self, text: &[u8], first: u64) -> bool {
        first & self.mask == self.first && text.starts_with(&self.text)
    }
}

/// The first eight bytes as a number; what is missing is zero.
fn first_eight(text: &[u8]) -> u64 {
    let eight = text.first_chunk().copied().unwrap_or_else(|| {
        let mut eight = [0; 8];
        eight[..text.len()].copy_from_slice(text);
        eight
    });
    u64::from_le_bytes(eight)
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

fn bucket(number: u16) -> usize {
    usize::from(number >> (u16::BITS - BUCKET_BITS))
}

impl<T: Copy> Phrases<T> {
    pub(super) fn new(phrases: impl IntoIterator<Item = (String, T)>) -> Phrases<T> {
        let phrases = phrases.into_iter();
        let phrases = phrases.map(|(text, value)| Phrase::new(text, value));
        let (mut phrases, short): (Vec<_>, Vec<_>) =
            phrases.partition(|phrase| phrase.text.len() >= HEAD);
        let number = |phrase: &Phrase<T>| phrase.text.first_chunk().map_or(0, |head| spread(*head));
        phrases.sort_by_key(number);
        let (mut heads, mut pairs) = (Filter::empty(), Filter::empty());
        let mut buckets = vec![0; (1 << BUCKET_BITS) + 1];
        for phrase in &phrases {
            heads.insert(number(phrase));
            buckets[bucket(number(phrase)) + 1] += 1;
        }
        for index in 1..buckets.len() {
            buckets[index] += buckets[index - 1];
        }
        for phrase in &short {
            match *phrase.text {
                [first] => (0..=u8::MAX)
                    .for_each(|second| pairs.insert(u16::from_le_bytes([first, second]))),
                [first, second, ..] => pairs.insert(u16::from_le_bytes([first, second])),
                [] => {}
            }
        }
        Phrases {
            phrases,
            buckets,
            heads,
            short,
            pairs,
        }
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
        let last = (starts.end + HEAD - 1).min(bytes.len());
        let begun = bytes.get(starts.start..last).unwrap_or_default();
        for (at, head) in begun.windows(HEAD).enumerate() {
            let at = starts.start + at;
            let head = [head[0], head[1], head[2], head[3]];
            let number = spread(head);
            if !self.heads.has(number) {
                continue;
            }
            let bucket = bucket(number);
            let range = self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize;
            let (rest, first) = (&bytes[at..], first_eight(&bytes[at..]));
            for phrase in &self.phrases[range] {
                if phrase.begins(rest, first) {
                    found(at..at + phrase.text.len(), phrase.value);
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
            for phrase in &self.short {
                if bytes[at..].starts_with(&phrase.text) {
                    found(at..at + phrase.text.len(), phrase.value);
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
