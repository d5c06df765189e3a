//! `Line`: one line of a document as it would stand in the canonical text, with the way back to every byte of the input.
//!
//! Flat text and pages meet here: `clean/lines.rs` cuts a text into lines, `clean/page` a tree; `clean/grammar.rs` says
//! what each line is and `clean/assemble.rs` makes article and ledger of them, without knowing where they came from.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc, is_nfc_quick};

use crate::article::BlockKind;
use crate::clean::fold::{OfSmall, of_small};
use crate::clean::repair::Repairs;
use crate::ledger::Class;

/// What segmentation makes of a document: lines and asides, both in input order, none overlapping another.
#[derive(Debug, Default)]
pub struct Lines<'a> {
    /// What a reader sees, cut where a reader sees a break.
    pub lines: Vec<Line<'a>>,
    /// What never was part of a line: scripts, hidden elements, menus. Blanks between lines need no aside.
    pub asides: Vec<Aside>,
}

/// A stretch of the input that is no line and will not stand in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Aside {
    /// Where, in the input.
    pub span: Range<usize>,
    /// Why it is left out.
    pub hint: Hint,
}

/// What the page's structure (or another judge before the grammar) says about a line, a part of it, or an aside.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    /// What it seems to be.
    pub class: Class,
    /// The rule that says so, e.g. `page.figcaption`.
    pub rule: Cow<'static, str>,
    /// Why, in words a reader accepts.
    pub reason: Cow<'static, str>,
    /// The grammar follows it. Otherwise it is evidence among other evidence.
    pub strong: bool,
}

impl Hint {
    /// A hint that the grammar follows.
    pub fn strong(class: Class, rule: &'static str, reason: &'static str) -> Hint {
        Hint {
            class,
            rule: rule.into(),
            reason: reason.into(),
            strong: true,
        }
    }

    /// A hint that the grammar weighs.
    pub fn weak(class: Class, rule: &'static str, reason: &'static str) -> Hint {
        Hint {
            strong: false,
            ..Hint::strong(class, rule, reason)
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    /// As it would stand in the canonical text: NFC, blanks folded, no blanks at its ends, without list marker. Only code,
    /// verse and tables hold line feeds. Never empty.
    pub text: Cow<'a, str>,
    /// Where `text` comes from: the pieces' parts of it, one after the other, are all of it.
    pub pieces: Vec<Piece>,
    /// The list marker before it, if it has one: part of the line, not of its text.
    pub marker: Option<Range<usize>>,
    /// What kind of block it makes if it is kept.
    pub kind: BlockKind,
    /// Of headings 1 to 6, of list items the depth from 1, else 0.
    pub level: u8,
    /// It goes on in the block of the line before it, after a line feed (a hard line break of flat text).
    pub continues: bool,
    /// How many blank lines stand before it (flat text).
    pub blank_before: u8,
    /// The share of its characters that are links, 0 to 1 (pages).
    pub links: f32,
    /// The address of its longest link (pages).
    pub href: Option<String>,
    /// What structure says about the whole line.
    pub hint: Option<Hint>,
    /// What structure says about parts of it: ranges of `text`, in order (a credit in a caption).
    pub marks: Vec<(Range<usize>, Hint)>,
}

/// A part of a line's text and the stretch of input it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The stretch of input; empty for what was put in (a separator of table cells).
    pub span: Range<usize>,
    /// How many bytes of the line's text it is.
    pub len: usize,
    /// The part of the text is the stretch of input, byte for byte.
    pub verbatim: bool,
}

impl Line<'_> {
    /// First byte of the input that belongs to the line.
    pub fn start(&self) -> usize {
        let first = self.pieces.first().map_or(0, |piece| piece.span.start);
        self.marker.as_ref().map_or(first, |marker| marker.start)
    }

    /// One past its last byte.
    pub fn end(&self) -> usize {
        self.pieces.last().map_or(0, |piece| piece.span.end)
    }
}

/// Makes a line out of stretches of the input.
///
/// Runs of blanks become one space, characters that nobody sees (byte-order marks, soft hyphens, control characters) are
/// left out, and the whole becomes NFC; each of that shows in the pieces, so that the ledger can account for it.
#[derive(Debug)]
pub struct LineBuilder<'a> {
    input: &'a str,
    /// Empty as long as the text is [one stretch](Self::whole) of the input: most lines never become anything else.
    text: String,
    pieces: Vec<Piece>,
    /// A run of blanks that will become a space if more text follows.
    blank: Option<Range<usize>>,
    repairs: Repairs,
}

impl<'a> LineBuilder<'a> {
    /// A builder of lines of `input`.
    pub fn new(input: &'a str) -> LineBuilder<'a> {
        LineBuilder {
            input,
            text: String::new(),
            pieces: Vec::new(),
            blank: None,
            repairs: Repairs::default(),
        }
    }

    /// Repairs what is pushed from now on.
    pub fn repair(mut self, repairs: Repairs) -> LineBuilder<'a> {
        self.repairs = repairs;
        self
    }

    /// Nothing to be seen was pushed yet.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Bytes of text so far: where the next push begins, if no blank comes between.
    pub fn len(&self) -> usize {
        self.text().len() + usize::from(self.blank.is_some() && !self.is_empty())
    }

    /// The stretch of the input that the text is, byte for byte.
    fn whole(&self) -> Option<Range<usize>> {
        match &self.pieces[..] {
            [piece] if piece.verbatim => Some(piece.span.clone()),
            _ => None,
        }
    }

    fn text(&self) -> &str {
        match self.whole() {
            Some(span) => &self.input[span],
            None => &self.text,
        }
    }

    /// Adds a stretch of running text.
    pub fn push(&mut self, span: Range<usize>) {
        let mut at = span.start;
        for (range, becomes) in self.repairs.find(&self.input[span.clone()]) {
            let range = span.start + range.start..span.start + range.end;
            self.push_sound(at..range.start);
            at = range.end;
            match becomes.chars().all(char::is_whitespace) {
                true => self.push_blank(range),
                false => {
                    self.flush_blank();
                    self.append(range, Some(&becomes));
                }
            }
        }
        self.push_sound(at..span.end);
    }

    /// Adds a stretch of running text that needs no repair.
    fn push_sound(&mut self, span: Range<usize>) {
        let input = self.input;
        if is_plain(&input[span.clone()]) {
            return self.push_seen(span);
        }
        let mut rest = span.start;
        for (at, char) in special_chars(&input[span.clone()]) {
            let at = span.start + at;
            self.push_seen(rest..at);
            rest = at + char.len_utf8();
            if char.is_whitespace() {
                self.push_blank(at..rest);
            }
        }
        self.push_seen(rest..span.end);
    }

    /// Adds a stretch of preformatted text: blanks stay, only line ends become LF and trailing blanks go.
    pub fn push_preformatted(&mut self, span: Range<usize>) {
        let input = self.input;
        let mut at = span.start;
        for row in input[span.clone()].split_inclusive(['\n', '\r']) {
            let end = at + row.len();
            let seen = row.trim_end();
            if !self.is_empty() || !seen.is_empty() {
                if !seen.is_empty() {
                    self.flush_blank();
                }
                for (offset, part) in without_unseen(seen) {
                    self.append(at + offset..at + offset + part.len(), None);
                }
                if seen.len() < row.len() && row.ends_with(['\n', '\r']) {
                    // CR LF is one line end: its LF comes as a row of its own and is left out.
                    let half = row == "\n" && input[..at].ends_with('\r');
                    if !half {
                        self.append(at + seen.len()..end, Some("\n"));
                    }
                }
            }
            at = end;
        }
    }

    /// Adds a stretch as what it becomes.
    pub fn push_as(&mut self, span: Range<usize>, becomes: &str) {
        self.append(span, Some(becomes));
    }

    /// Puts in text that the input does not have, at the byte `at` of it: a line feed for `<br>`, ` | ` between cells.
    /// Blanks around it are dropped; before the first text it is nothing.
    pub fn insert(&mut self, at: usize, text: &str) {
        if self.is_empty() {
            return;
        }
        self.blank = None;
        let at = at.max(self.pieces.last().map_or(at, |piece| piece.span.end));
        self.append(at..at, Some(text));
    }

    /// Adds a line end (and the blanks around it) that was only a break at a width: it reads as a space.
    pub fn push_line_end(&mut self, span: Range<usize>) {
        self.blank = None;
        self.push_blank(span);
    }

    /// Adds a blank that the input does not have, at the byte `at`: between two inline elements that a reader sees apart.
    pub fn insert_blank(&mut self, at: usize) {
        if self.blank.is_none() {
            self.push_blank(at..at);
        }
    }

    /// The line, if anything can be seen of it. Fields that the builder cannot know have their defaults.
    pub fn finish(mut self, kind: BlockKind) -> Option<Line<'a>> {
        while self.text().ends_with(char::is_whitespace) {
            self.drop_last_char();
        }
        if self.text().is_empty() {
            return None;
        }
        if !is_composed(self.text()) && !is_nfc(self.text()) {
            self.compose();
        }
        Some(Line {
            text: match self.whole() {
                Some(span) => Cow::Borrowed(&self.input[span]),
                None => Cow::Owned(self.text),
            },
            pieces: self.pieces,
            marker: None,
            kind,
            level: 0,
            continues: false,
            blank_before: 0,
            links: 0.0,
            href: None,
            hint: None,
            marks: Vec::new(),
        })
    }

    fn push_blank(&mut self, span: Range<usize>) {
        match &mut self.blank {
            // A run of blanks is one stretch as long as nothing stands between its parts.
            Some(blank) if blank.end == span.start => blank.end = span.end,
            Some(_) => {}
            None => self.blank = Some(span),
        }
    }

    fn push_seen(&mut self, span: Range<usize>) {
        if span.is_empty() {
            return;
        }
        self.flush_blank();
        self.append(span, None);
    }

    fn flush_blank(&mut self) {
        let Some(blank) = self.blank.take() else {
            return;
        };
        if self.is_empty() || self.text().ends_with(char::is_whitespace) {
            return;
        }
        match &self.input[blank.clone()] {
            " " => self.append(blank, None),
            _ => self.append(blank, Some(" ")),
        }
    }

    /// Appends a stretch as it is, or what it becomes.
    fn append(&mut self, span: Range<usize>, becomes: Option<&str>) {
        let text = becomes.unwrap_or(&self.input[span.clone()]);
        let verbatim = becomes.is_none_or(|becomes| becomes == &self.input[span.clone()]);
        let whole = self.whole();
        let goes_on = |last: &Piece| last.verbatim && verbatim && last.span.end == span.start;
        let goes_on = self.pieces.last().is_some_and(goes_on);
        let stays_whole = verbatim && (self.is_empty() || whole.is_some() && goes_on);
        if !stays_whole {
            self.text.push_str(&self.input[whole.unwrap_or_default()]);
            self.text.push_str(text);
        }
        match self.pieces.last_mut() {
            Some(last) if goes_on => {
                last.span.end = span.end;
                last.len += text.len();
            }
            _ => self.pieces.push(Piece {
                len: text.len(),
                span,
                verbatim,
            }),
        }
    }

    fn drop_last_char(&mut self) {
        let last = self.text().chars().next_back();
        let len = last.map_or(0, char::len_utf8);
        self.text.truncate(self.text.len().saturating_sub(len));
        if let Some(last) = self.pieces.last_mut() {
            last.len -= len;
            if last.verbatim {
                last.span.end -= len;
            }
            if last.len == 0 {
                self.pieces.pop();
            }
        }
    }

    /// Makes the text NFC. A run of characters that changes becomes one rewritten piece, across all pieces it touches.
    fn compose(&mut self) {
        let text = self.text().to_owned();
        self.text.clear();
        let pieces = std::mem::take(&mut self.pieces);
        let mut pieces = pieces.into_iter();
        let mut piece = pieces.next();
        let mut used = 0; // bytes of the text of `piece` that are done
        for run in composing_runs(&text) {
            let composed: String = run.nfc().collect();
            let mut span: Option<Range<usize>> = None;
            let mut plain = Vec::new();
            let mut left = run.len();
            while left > 0 {
                let current = piece.as_ref().expect("the pieces are all of the text");
                let step = left.min(current.len - used);
                let Range { start, end } = current.span;
                let stretch = match current.verbatim {
                    true => start + used..start + used + step,
                    false if used == 0 => start..end,
                    false => end..end, // its stretch of input is accounted for
                };
                span = Some(span.map_or(stretch.start, |span| span.start)..stretch.end);
                let from = run.len() - left;
                plain.push((stretch, from..from + step, current.verbatim));
                left -= step;
                used += step;
                if used == current.len {
                    piece = pieces.next();
                    used = 0;
                }
            }
            if composed == run {
                for (stretch, part, verbatim) in plain {
                    self.append(stretch, (!verbatim).then_some(&run[part]));
                }
            } else if let Some(span) = span {
                self.append(span, Some(&composed));
            }
        }
    }
}

/// The text is NFC at a glance: it is all of characters that are settled.
fn is_composed(text: &str) -> bool {
    text.is_ascii() || is_of_settled_bytes(text.as_bytes()) || text.chars().all(is_settled)
}

/// All characters are ASCII, other Latin letters and signs below U+0300, or common punctuation: those are settled.
fn is_of_settled_bytes(bytes: &[u8]) -> bool {
    // No early exit, so that the compiler makes vector loops.
    let low = bytes
        .iter()
        .fold(true, |all, byte| all & ((*byte < 0xcc) | (*byte == 0xe2)));
    low && bytes.array_windows().fold(true, |all, &[a, b, c]| {
        all & ((a != 0xe2) | (b == 0x80) & (0x90..=0xa7).contains(&c))
    })
}

/// The character stays what it is in NFC, whatever stands before it (UAX #15, detecting normalization forms). Of characters of
/// three bytes the most usual ones: others are looked up with what stands around them.
fn is_settled(char: char) -> bool {
    match SETTLED.get(char as usize) {
        Some(settled) => *settled,
        None => matches!(
            char,
            '\u{2010}'..='\u{2027}'
                | '\u{2030}'..='\u{203f}'
                | '\u{3001}'..='\u{3029}'
                | '\u{3041}'..='\u{3096}'
                | '\u{30a1}'..='\u{30fe}'
                | '\u{3400}'..='\u{9fff}'
                | '\u{ac00}'..='\u{d7a3}'
                | '\u{ff01}'..='\u{ff60}'
        ),
    }
}

/// Of all characters of up to two bytes.
static SETTLED: LazyLock<OfSmall<bool>> = LazyLock::new(|| of_small(starts_run));

/// Neither combines with nor is reordered before what precedes it (UAX #15).
fn starts_run(char: char) -> bool {
    canonical_combining_class(char) == 0 && is_nfc_quick(std::iter::once(char)) == IsNormalized::Yes
}

/// Cuts a text where no composition can reach across, except that runs which are NFC already stay together.
fn composing_runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut ends = rest.char_indices().skip(1).filter(|(_, c)| starts_run(*c));
        let end = ends.next().map_or(rest.len(), |(at, _)| at);
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}

/// All characters are seen, and single blanks stand between words: most stretches of most texts.
fn is_plain(text: &str) -> bool {
    // No early exit, so that the compiler makes vector loops.
    let bytes = text.as_bytes();
    let printable = bytes
        .iter()
        .fold(true, |all, byte| all & (*byte >= 0x20) & (*byte != 0x7f));
    let blank = |byte: &u8| *byte == b' ';
    // Controls, the no-break space and the soft hyphen.
    let unseen = |a: &u8, b: &u8| (*a == 0xc2) & ((*b <= 0xa0) | (*b == 0xad));
    let pairs = bytes.array_windows().fold(false, |any, [a, b]| {
        any | (blank(a) & blank(b)) | unseen(a, b)
    });
    let ends = bytes.first().is_some_and(blank) || bytes.last().is_some_and(blank);
    printable && !pairs && !ends && (text.is_ascii() || !has_unusual_blanks(bytes))
}

/// There is a blank or unseen character of three bytes, or one that begins alike.
fn has_unusual_blanks(bytes: &[u8]) -> bool {
    let of_punctuation = |b: u8, c: u8| {
        let blank = (c <= 0x8b) | (c == 0xa8) | (c == 0xa9) | (c == 0xaf);
        (b == 0x80) & blank | (b == 0x81) & (c >= 0x9f)
    };
    bytes.array_windows().fold(false, |any, &[a, b, c]| {
        any | (a == 0xe1) & (b == 0x9a)
            | (a == 0xe2) & of_punctuation(b, c)
            | (a == 0xe3) & (b == 0x80) & (c == 0x80)
            | (a == 0xef) & (b == 0xbb)
    })
}

/// How a character that begins with a byte is read: most are seen.
#[derive(Clone, Copy, PartialEq)]
enum Lead {
    Seen,
    Space,
    /// Controls, and the first bytes of all blanks and unseen characters beyond ASCII.
    Special,
}

const LEADS: [Lead; 256] = {
    let mut leads = [Lead::Special; 256];
    let mut byte = 0x21;
    while byte < 256 {
        if !matches!(byte, 0x7f | 0xc2 | 0xe1..=0xe3 | 0xef) {
            leads[byte] = Lead::Seen;
        }
        byte += 1;
    }
    leads[b' ' as usize] = Lead::Space;
    leads
};

/// Blanks and unseen characters of `text`, except for single spaces between characters that are seen: they stay as they are.
fn special_chars(text: &str) -> impl Iterator<Item = (usize, char)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut seen = false; // the character before
    std::iter::from_fn(move || {
        loop {
            match LEADS[usize::from(*bytes.get(at)?)] {
                Lead::Seen => (at, seen) = (at + 1, true),
                Lead::Space if seen && bytes.get(at + 1).is_some_and(u8::is_ascii_graphic) => {
                    at += 2
                }
                _ => {
                    let char = text[at..].chars().next()?;
                    let from = at;
                    at += char.len_utf8();
                    seen = !(char.is_whitespace() || is_unseen(char));
                    if !seen {
                        return Some((from, char));
                    }
                }
            }
        }
    })
}

/// Characters that nobody sees and that mean nothing in a finished text: controls, soft hyphens, byte-order marks,
/// and the zero-width spaces that scripts put into pages. Joiners and direction marks mean something and stay.
pub fn is_unseen(char: char) -> bool {
    match char {
        '\u{feff}' | '\u{ad}' | '\u{200b}' | '\u{2060}' => true,
        _ => char.is_control() && !char.is_whitespace(),
    }
}

/// The stretches of `text` between unseen characters, with their offsets.
fn without_unseen(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let parts = text.split(is_unseen);
    let offset = move |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    parts
        .filter(|part| !part.is_empty())
        .map(move |part| (offset(part), part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text that a line's pieces make, after checking that they are in order.
    fn read(input: &str, line: &Line<'_>) -> String {
        let mut text = String::new();
        let mut at = 0;
        for piece in &line.pieces {
            assert!(piece.span.start >= at && piece.span.end >= piece.span.start);
            at = piece.span.end;
            let part = &line.text[text.len()..text.len() + piece.len];
            let source = &input[piece.span.clone()];
            assert!(!piece.verbatim || part == source, "{part:?} {source:?}");
            text.push_str(part);
        }
        text
    }

    fn line(input: &str) -> Option<Line<'_>> {
        let mut builder = LineBuilder::new(input);
        builder.push(0..input.len());
        builder.finish(BlockKind::Paragraph)
    }

    #[test]
    fn blanks_are_folded_and_ends_trimmed() {
        let input = "\u{feff} a \t b\u{a0}c d \n";
        let line = line(input).expect("visible");
        assert_eq!(line.text, "a b c d");
        assert_eq!(read(input, &line), line.text);
        assert_eq!(line.pieces.iter().filter(|piece| piece.verbatim).count(), 3);
    }

    #[test]
    fn plain_text_is_borrowed_and_one_piece() {
        let line = line("  One line. ").expect("visible");
        assert!(matches!(line.text, Cow::Borrowed("One line.")));
        assert_eq!((line.start(), line.end()), (2, 11));
    }

    #[test]
    fn a_letter_and_its_accent_from_two_elements_become_one() {
        let input = "cafe<b>\u{301}</b> x";
        let mut builder = LineBuilder::new(input);
        builder.push(0..4);
        builder.push(7..9);
        builder.push(13..15);
        let line = builder.finish(BlockKind::Paragraph).expect("visible");
        assert_eq!(line.text, "caf\u{e9} x");
        assert_eq!(line.pieces[1].span, 3..9);
        assert_eq!(read(input, &line), line.text);
    }

    #[test]
    fn code_keeps_its_blanks_and_loses_trailing_ones() {
        let input = "\n\nif x:  \r\n    y\r\n\n";
        let mut builder = LineBuilder::new(input);
        builder.push_preformatted(0..input.len());
        let line = builder.finish(BlockKind::Code).expect("visible");
        assert_eq!(line.text, "if x:\n    y");
        assert_eq!(read(input, &line), line.text);
    }

    #[test]
    fn what_is_put_in_stands_between_without_blanks() {
        let input = "a  b";
        let mut builder = LineBuilder::new(input);
        builder.insert(0, " | ");
        builder.push(0..2);
        builder.insert(2, " | ");
        builder.push(2..4);
        let line = builder.finish(BlockKind::Table).expect("visible");
        assert_eq!(line.text, "a | b");
        assert_eq!(read(input, &line), line.text);
    }

    #[test]
    fn settled_characters_stay_what_they_are() {
        let settled = ('\0'..=char::MAX).filter(|char| is_settled(*char));
        assert_eq!(settled.clone().find(|char| !starts_run(*char)), None);
        assert!(settled.count() > 40_000);
        assert!(is_composed("caf\u{e9} “да” 写真 한국") && !is_composed("cafe\u{301}"));
    }

    #[test]
    fn what_is_told_at_a_glance_is_so_for_every_character() {
        for char in ('\0'..='\u{ffff}').filter(|char| *char != ' ') {
            for text in [
                format!("a{char}b"),
                format!("{char}"),
                format!("b {char} a"),
            ] {
                let is_seen = !char.is_whitespace() && !is_unseen(char);
                assert!(!is_plain(&text) || is_seen, "{char:?}");
                let is_settled = is_of_settled_bytes(text.as_bytes());
                assert!(!is_settled || starts_run(char), "{char:?}");
            }
        }
        for plain in ["“Æ” isn’t – Été…", "ЁЖ のミ 渡轮", "a b"] {
            assert!(is_plain(plain), "{plain}");
        }
        assert!(is_of_settled_bytes("“Æ” isn’t – Été…".as_bytes()));
        for special in ["a  b", " a", "a ", "a\u{a0}b", "a\u{3000}b", "a\u{200b}"] {
            assert!(!is_plain(special), "{special:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_in_any_stretches_makes_an_accountable_line(
            parts in proptest::collection::vec(("[a-z \\t\r\n\u{a0}\u{ad}e\u{301}\u{323}\u{1100}\u{1161}\u{0}]{0,6}|\\PC{0,4}", 0..5u8), 0..8)
        ) {
            let input: String = parts.iter().map(|(part, _)| part.as_str()).collect();
            let mut builder = LineBuilder::new(&input);
            let mut at = 0;
            for (part, how) in &parts {
                let end = at + part.len();
                match how {
                    0 => builder.push_preformatted(at..end),
                    1 => builder.insert(at, " | "),
                    2 => builder.insert_blank(at),
                    _ => builder.push(at..end),
                }
                at = end;
            }
            if let Some(line) = builder.finish(BlockKind::Paragraph) {
                prop_assert_eq!(read(&input, &line), line.text.as_ref());
                prop_assert!(is_nfc(&line.text));
                prop_assert!(!line.text.ends_with(char::is_whitespace));
            }
        }
    }
}
