//! `Phrases`: many phrases sought in a line at once.
//!
//! Where a phrase may begin, its first bytes stand; a filter of 8 KB knows of nearly all places of a line that no phrase
//! begins with what stands there. An automaton over the same phrases takes several times as long, for each of its steps waits
//! for memory, and much longer to make.

use std::ops::Range;

/// So many first bytes are looked up.
const HEAD: usize = 4;

/// Of phrases that are shorter than that.
const SHORT_HEAD: usize = 2;

/// The phrases of a head are found by so many bits.
const BUCKET_BITS: u32 = 12;

/// So many places are asked about before a phrase is compared: one at a time, each answer would have to be waited for.
const PLACES: usize = 64;

/// Phrases, each with a value.
#[derive(Debug)]
pub(super) struct Phrases<T> {
    long: Table<T>,
    /// Those that are shorter than a head.
    short: Table<T>,
}

/// Phrases by the numbers of their heads.
#[derive(Debug)]
struct Table<T> {
    /// In the order of their numbers.
    phrases: Vec<Phrase<T>>,
    /// Where each bucket begins in `phrases`, and last where the last one ends.
    buckets: Vec<u32>,
    numbers: Filter,
}

#[derive(Debug)]
struct Phrase<T> {
    /// Of its head.
    number: u16,
    /// Its first eight bytes, and which bits of them there are.
    first: u64,
    mask: u64,
    text: Box<[u8]>,
    value: T,
}

impl<T> Phrase<T> {
    fn new(number: u16, text: Box<[u8]>, value: T) -> Phrase<T> {
        let first = first_eight(&text);
        let bits = 8 * text.len().min(8) as u32;
        let mask = u64::MAX.checked_shr(64 - bits).unwrap_or_default();
        Phrase {
            number,
            first,
            mask,
            text,
            value,
        }
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
    fn insert(&mut self, number: u16) {
        self.0[usize::from(number) / 64] |= 1 << (number % 64);
    }

    fn has(&self, number: u16) -> bool {
        self.0[usize::from(number) / 64] >> (number % 64) & 1 == 1
    }
}

/// Spreads heads over 16 bits (Fibonacci hashing; Knuth, The Art of Computer Programming, 6.4).
fn number([a, b, c, d]: [u8; HEAD]) -> u16 {
    (u32::from_le_bytes([a, b, c, d]).wrapping_mul(0x9e37_79b1) >> 16) as u16
}

fn number_of_short([first, second]: [u8; SHORT_HEAD]) -> u16 {
    u16::from_be_bytes([first, second])
}

fn bucket(number: u16) -> usize {
    usize::from(number >> (u16::BITS - BUCKET_BITS))
}

impl<T: Copy> Table<T> {
    fn new(mut phrases: Vec<Phrase<T>>) -> Table<T> {
        phrases.sort_by_key(|phrase| phrase.number);
        let mut numbers = Filter(Box::new([0; 1024]));
        let mut buckets = vec![0; (1 << BUCKET_BITS) + 1];
        for phrase in &phrases {
            numbers.insert(phrase.number);
            buckets[bucket(phrase.number) + 1] += 1;
        }
        for index in 1..buckets.len() {
            buckets[index] += buckets[index - 1];
        }
        Table {
            phrases,
            buckets,
            numbers,
        }
    }

    /// Calls `found` for each phrase that begins in `text` with one of the heads that stand in it from `start` to `end`.
    fn find<const N: usize>(
        &self,
        text: &[u8],
        heads: Range<usize>,
        number: impl Fn([u8; N]) -> u16,
        found: &mut impl FnMut(Range<usize>, T),
    ) {
        if self.phrases.is_empty() {
            return;
        }
        let mut start = heads.start;
        while let Some(heads) = text.get(start..heads.end.min(start + PLACES + N - 1))
            && heads.len() >= N
        {
            let mut begun = 0u64;
            for (place, head) in heads.array_windows().enumerate() {
                begun |= u64::from(self.numbers.has(number(*head))) << place;
            }
            while begun != 0 {
                let place = begun.trailing_zeros() as usize;
                begun &= begun - 1;
                let head = heads[place..].first_chunk().map(|head| number(*head));
                self.compare(text, start + place, head.unwrap_or_default(), found);
            }
            start += PLACES;
        }
    }

    /// Calls `found` for each phrase of this head's number that stands at `at`.
    fn compare(
        &self,
        text: &[u8],
        at: usize,
        number: u16,
        found: &mut impl FnMut(Range<usize>, T),
    ) {
        let bucket = bucket(number);
        let range = self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize;
        let (text, first) = (&text[at..], first_eight(&text[at..]));
        for phrase in &self.phrases[range] {
            // A phrase of one byte is there once for each byte that may follow it.
            let begins = first & phrase.mask == phrase.first;
            if begins && phrase.number == number && text.starts_with(&phrase.text) {
                found(at..at + phrase.text.len(), phrase.value);
            }
        }
    }
}

impl<T: Copy> Phrases<T> {
    pub(super) fn new(phrases: impl IntoIterator<Item = (String, T)>) -> Phrases<T> {
        let (mut long, mut short) = (Vec::new(), Vec::new());
        for (text, value) in phrases {
            let text = text.into_bytes().into_boxed_slice();
            let phrase = |number, text| Phrase::new(number, text, value);
            match *text {
                [] => {}
                // Whatever stands after it.
                [first] => short.extend(
                    (0..=u8::MAX)
                        .map(|second| phrase(number_of_short([first, second]), text.clone())),
                ),
                [first, second] | [first, second, _] => {
                    short.push(phrase(number_of_short([first, second]), text));
                }
                [a, b, c, d, ..] => long.push(phrase(number([a, b, c, d]), text)),
            }
        }
        Phrases {
            long: Table::new(long),
            short: Table::new(short),
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
        let heads = |length: usize| starts.start..(starts.end + length - 1).min(bytes.len());
        self.long.find(bytes, heads(HEAD), number, &mut found);
        self.short
            .find(bytes, heads(SHORT_HEAD), number_of_short, &mut found);
        // Nothing stands after the last byte.
        if starts.end == bytes.len()
            && let Some(last) = bytes.last()
            && !starts.is_empty()
        {
            let number = number_of_short([*last, 0]);
            self.short
                .compare(bytes, bytes.len() - 1, number, &mut found);
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
