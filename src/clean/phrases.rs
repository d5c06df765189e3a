//! `Phrases`: many phrases sought in a line at once.
//!
//! Where a phrase may begin, its first bytes stand; small filters know of nearly all places of a line that no phrase begins
//! with what stands there. An automaton over the same phrases takes several times as long, for each of its steps waits for
//! memory, and much longer to make.

use std::ops::Range;

/// So many first bytes are looked up, or all of a shorter phrase.
const HEAD: usize = 4;

/// So many places are asked about before a phrase is compared: one at a time, each answer would have to be waited for.
const PLACES: usize = u64::BITS as usize;

/// Phrases, each with a value.
#[derive(Debug)]
pub(super) struct Phrases<T> {
    heads: Heads,
    /// Of one byte, two, three, and four or more.
    by_length: [Table<T>; HEAD],
}

/// Where a phrase may begin. Heads are parted into sets, a bit for each; one is of a set only if each of its parts is.
#[derive(Debug)]
struct Heads {
    /// By two numbers of four bytes.
    long: [Box<[u8; NUMBERS]>; 2],
    /// By the first byte, the second and the third. Those of a byte or two go with anything that follows.
    short: [Box<[u32; 256]>; HEAD - 1],
}

const NUMBER_BITS: u32 = 12;
const NUMBERS: usize = 1 << NUMBER_BITS;

/// Spreads heads: the upper bits are a number (Fibonacci hashing; Knuth, The Art of Computer Programming, 6.4).
#[inline(always)]
pub(super) fn spread(head: u64) -> u64 {
    head.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[inline(always)]
fn numbers(head: u32) -> [usize; 2] {
    let spread = spread(u64::from(head)) >> (u64::BITS - 2 * NUMBER_BITS);
    [spread as usize / NUMBERS, spread as usize % NUMBERS]
}

impl Heads {
    fn new<T>(by_length: &[Vec<Phrase<T>>; HEAD]) -> Heads {
        let mut heads = Heads {
            long: [Box::new([0; NUMBERS]), Box::new([0; NUMBERS])],
            short: std::array::from_fn(|_| Box::new([0; 256])),
        };
        let [short @ .., long] = by_length;
        for (number, phrase) in long.iter().enumerate() {
            let set = 1 << (number as u32 % u8::BITS);
            let [first, second] = numbers(phrase.first as u32);
            heads.long[0][first] |= set;
            heads.long[1][second] |= set;
        }
        let mut short: Vec<&[u8]> = short.iter().flatten().map(|phrase| &*phrase.text).collect();
        // Those of a set begin alike: the more of them do, the fewer other heads are taken for one of them.
        short.sort_unstable_by_key(|text| (text.len(), *text));
        for (number, text) in short.iter().enumerate() {
            let set = 1 << (number * u32::BITS as usize / short.len());
            for (place, bytes) in heads.short.iter_mut().enumerate() {
                match text.get(place) {
                    Some(byte) => bytes[usize::from(*byte)] |= set,
                    None => bytes.iter_mut().for_each(|byte| *byte |= set),
                }
            }
        }
        heads
    }

    #[inline(always)]
    fn may_have(&self, head: u32) -> bool {
        u32::from(self.long(head)) | self.short(head) != 0
    }

    #[inline(always)]
    fn long(&self, head: u32) -> u8 {
        let [first, second] = numbers(head);
        self.long[0][first] & self.long[1][second]
    }

    #[inline(always)]
    fn short(&self, head: u32) -> u32 {
        let [first, second, third, _] = head.to_le_bytes();
        let [one, two, three] = &self.short;
        one[usize::from(first)] & two[usize::from(second)] & three[usize::from(third)]
    }
}

/// The first `length` bytes of a head of four.
fn shortened(head: u32, length: usize) -> u32 {
    head & u32::MAX >> (8 * (HEAD - length))
}

/// Phrases with heads of the same length.
#[derive(Debug)]
struct Table<T> {
    /// The length of a head.
    head: usize,
    /// What makes a bucket of a spread head.
    shift: u32,
    /// In the order of their buckets.
    phrases: Vec<Phrase<T>>,
    /// Where each bucket begins in `phrases`, and last where the last one ends.
    buckets: Vec<u32>,
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
        let bits = 8 * text.len().min(8) as u32;
        Phrase {
            first: first_bytes(&text),
            mask: u64::MAX.checked_shr(64 - bits).unwrap_or_default(),
            text,
            value,
        }
    }
}

/// The first eight bytes as a number; what is missing is zero.
fn first_bytes(text: &[u8]) -> u64 {
    let eight = text.first_chunk().copied().unwrap_or_else(|| {
        let mut eight = [0; 8];
        eight[..text.len()].copy_from_slice(text);
        eight
    });
    u64::from_le_bytes(eight)
}

impl<T: Copy> Table<T> {
    fn new(head: usize, mut phrases: Vec<Phrase<T>>) -> Table<T> {
        // Twice as many buckets as phrases.
        let bits = phrases.len().next_power_of_two().ilog2() + 1;
        let shift = u64::BITS - bits;
        let bucket = |phrase: &Phrase<T>| bucket(phrase.first, head, shift);
        phrases.sort_by_key(bucket);
        let mut buckets = vec![0; (1 << bits) + 1];
        for phrase in &phrases {
            buckets[bucket(phrase) + 1] += 1;
        }
        for index in 1..buckets.len() {
            buckets[index] += buckets[index - 1];
        }
        Table {
            head,
            shift,
            phrases,
            buckets,
        }
    }

    /// Calls `found` for each phrase that `text` begins with, whose first bytes are `first`, with its length.
    fn find(&self, text: &[u8], first: u64, found: &mut impl FnMut(usize, T)) {
        let bucket = bucket(first, self.head, self.shift);
        let range = self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize;
        for phrase in &self.phrases[range] {
            if first & phrase.mask == phrase.first && text.starts_with(&phrase.text) {
                found(phrase.text.len(), phrase.value);
            }
        }
    }
}

fn bucket(first: u64, head: usize, shift: u32) -> usize {
    (spread(u64::from(shortened(first as u32, head))) >> shift) as usize
}

impl<T: Copy> Phrases<T> {
    pub(super) fn new(phrases: impl IntoIterator<Item = (String, T)>) -> Phrases<T> {
        let mut by_length: [Vec<Phrase<T>>; HEAD] = std::array::from_fn(|_| Vec::new());
        let phrases = phrases.into_iter().filter(|(text, _)| !text.is_empty());
        for (text, value) in phrases {
            by_length[text.len().min(HEAD) - 1].push(Phrase::new(text, value));
        }
        let heads = Heads::new(&by_length);
        let mut head = 0;
        let by_length = by_length.map(|phrases| {
            head += 1;
            Table::new(head, phrases)
        });
        Phrases { heads, by_length }
    }

    /// Calls `found` for each phrase that begins in `text` at one of the bytes `starts`, with where it stands.
    pub(super) fn find(
        &self,
        text: &str,
        starts: Range<usize>,
        mut found: impl FnMut(Range<usize>, T),
    ) {
        let bytes = text.as_bytes();
        let end = starts.end.min(bytes.len());
        let mut start = starts.start;
        while start < end {
            let next = end.min(start + PLACES);
            let heads = &bytes[start..bytes.len().min(next + HEAD - 1)];
            let mut begun = 0;
            for (place, head) in heads.array_windows().enumerate() {
                let may_begin = self.heads.may_have(u32::from_le_bytes(*head));
                begun |= u64::from(may_begin) << place;
            }
            while begun != 0 {
                self.find_at(bytes, start + begun.trailing_zeros() as usize, &mut found);
                begun &= begun - 1;
            }
            // There no head stands whole.
            for at in (bytes.len() + 1).saturating_sub(HEAD).max(start)..next {
                self.find_at(bytes, at, &mut found);
            }
            start = next;
        }
    }

    /// Where the last of them begins.
    pub(super) fn last_in(&self, text: &str) -> Option<usize> {
        let mut last = None;
        self.find(text, 0..text.len(), |span, _| {
            last = last.max(Some(span.start));
        });
        last
    }

    fn find_at(&self, text: &[u8], at: usize, found: &mut impl FnMut(Range<usize>, T)) {
        let (rest, first) = (&text[at..], first_bytes(&text[at..]));
        let [short @ .., long] = &self.by_length;
        let mut found = |length, value| found(at..at + length, value);
        if self.heads.long(first as u32) != 0 {
            long.find(rest, first, &mut found);
        }
        if self.heads.short(first as u32) != 0 {
            short
                .iter()
                .for_each(|table| table.find(rest, first, &mut found));
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

    #[test]
    fn the_last_phrase_is_the_one_that_begins_last() {
        let set = Phrases::new(["ferry", "a ferry boat", "fe"].map(|text| (text.to_owned(), ())));
        assert_eq!(set.last_in("ferry, a ferry boat"), Some(9));
        assert_eq!(set.last_in("a boat"), None);
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
