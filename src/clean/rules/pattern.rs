//! The pattern of a rule. To compile one well takes as long as some hundred tries in the plainest way, and a process that
//! cleans a hundred pages tries most of them a dozen times: each is compiled plainly first, and well once it is tried often.
//!
//! | form | means here |
//! |---|---|
//! | `\W*` | the signs that frame a line |
//! | `\p{L}` | a letter, by the blocks of letters |
//! | `\p{Lu}` | a capital of Latin, Greek, Cyrillic or Armenian |
//! | `\w` | a letter as above, a digit or `_` |
//!
//! The exact classes of Unicode have 700 ranges, and each use of one in each pattern costs a tenth of a millisecond to
//! compile and more to match; lines of families do not tell a letter from its accent. What a class says of ASCII alone is
//! matched byte by byte.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

use regex_automata::meta::{self, Regex};
use regex_automata::nfa::thompson::backtrack::{self, BoundedBacktracker};
use regex_automata::nfa::thompson::{self, NFA, State, WhichCaptures};
use regex_automata::util::captures::Captures;
use regex_automata::{Input, PatternID};
use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look,
    Repetition,
};

use super::LINE_BYTES_MAX;

/// A pattern that compiles to more is refused: matching takes time in proportion.
const PATTERN_BYTES_MAX: usize = 4 << 20;

/// Signs that frame a line.
const FRAME: &str = r"[\x20-/:-@\[-`{-~«»“”„‘’…–—·•→►▶©（）「」【】]";

/// A letter: the blocks of letters, whole.
const LETTER: &str = concat!(
    r"[A-Za-zªµºÀ-ÖØ-öø-\u{373}\u{376}-\u{37d}\u{37f}-\u{386}\u{388}-\u{589}\u{591}-\u{5bd}\u{5d0}-\u{60b}",
    r"\u{610}-\u{61a}\u{620}-\u{669}\u{66e}-\u{6d3}\u{6d5}-\u{963}\u{966}-\u{1fff}\u{2c00}-\u{2dff}\u{3005}-\u{3007}",
    r"\u{3041}-\u{d7ff}\u{f900}-\u{fdff}\u{fe70}-\u{fefc}\u{ff21}-\u{ff3a}\u{ff41}-\u{ff5a}\u{ff66}-\u{ffdc}",
    r"\u{10000}-\u{1e8ff}\u{20000}-\u{3ffff}]"
);

/// The forms that mean something else than in Unicode. While a pattern is parsed, a private character stands for each.
static FORMS: LazyLock<[Form; 4]> = LazyLock::new(|| {
    let class = |text: &str| match regex_syntax::parse(text).map(Hir::into_kind) {
        Ok(HirKind::Class(Class::Unicode(class))) => class,
        other => unreachable!("a constant class, not {other:?}"),
    };
    let letter = class(LETTER);
    let mut word = class("[0-9_]");
    word.union(&letter);
    let capitals = ('A'..='\u{556}').filter(|char| char.is_uppercase());
    let form = |text, stand_in, class| Form {
        text,
        stand_in,
        class,
    };
    [
        form(
            r"\p{Lu}",
            '\u{e001}',
            ClassUnicode::new(capitals.map(|char| ClassUnicodeRange::new(char, char))),
        ),
        form(r"\p{L}", '\u{e002}', letter),
        form(r"\w", '\u{e003}', word),
        form(r"\W*", '\u{e004}', class(FRAME)),
    ]
});

/// A private character that stands for nothing: only a class that is told by what it lacks has it.
const NO_STAND_IN: char = '\u{e000}';

struct Form {
    text: &'static str,
    stand_in: char,
    class: ClassUnicode,
}

/// After so many tries a pattern is compiled well: then the time to do so has been lost on trying plainly.
const TRIES_PLAIN: u32 = 256;

/// A compiled pattern; case is ignored unless it says otherwise.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Arc<Ways>);

#[derive(Debug)]
struct Ways {
    hir: Hir,
    plain: BoundedBacktracker,
    /// With another byte no line begins in which it fits.
    first: Box<[bool; 256]>,
    tries: AtomicU32,
    /// `None` where that was refused.
    well: OnceLock<Option<Regex>>,
}

/// Why a pattern is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum PatternError {
    /// Nested repetitions multiply.
    #[error("it compiles to more than {PATTERN_BYTES_MAX} bytes")]
    TooLarge,
    /// It is no regular expression.
    #[error(transparent)]
    Syntax(Box<regex_syntax::Error>),
    /// It cannot be compiled.
    #[error(transparent)]
    Compile(Box<thompson::BuildError>),
}

/// What a pattern found in a line.
pub(super) struct Found {
    /// Where it fits, in bytes.
    pub(super) span: Range<usize>,
    /// What its named groups hold, unless it is blank.
    pub(super) learnt: BTreeMap<String, String>,
}

impl Pattern {
    pub(super) fn new(pattern: &str) -> Result<Pattern, PatternError> {
        let mut parser = regex_syntax::ParserBuilder::new()
            .case_insensitive(true)
            .build();
        let hir = parser.parse(&with_stand_ins(pattern)).map_err(|error| {
            // Told of what the writer wrote.
            let error = parser.parse(pattern).err().unwrap_or(error);
            PatternError::Syntax(Box::new(error))
        })?;
        let hir = compact(hir);
        let plain = plain(&hir).map_err(|error| match error.size_limit() {
            Some(_) => PatternError::TooLarge,
            None => PatternError::Compile(error),
        })?;
        let first = first_bytes(&hir, plain.get_nfa());
        Ok(Pattern(Arc::new(Ways {
            hir,
            plain,
            first,
            tries: AtomicU32::new(0),
            well: OnceLock::new(),
        })))
    }

    /// The first place where it fits in a line, or in the end of one: [`LINE_BYTES_MAX`], and the rest of a character before.
    pub(super) fn find(&self, line: &str) -> Option<Found> {
        let Pattern(ways) = self;
        if !line
            .bytes()
            .next()
            .is_none_or(|byte| ways.first[usize::from(byte)])
        {
            return None;
        }
        let groups = ways.plain.get_nfa().group_info();
        let mut names = groups.pattern_names(PatternID::ZERO).flatten().peekable();
        // Where groups begin and end takes longer to find than whether anything fits.
        let mut captures = match names.peek() {
            None => Captures::matches(groups.clone()),
            Some(_) => Captures::all(groups.clone()),
        };
        match ways.well() {
            Some(regex) => regex.search_captures(&Input::new(line), &mut captures),
            None => {
                let mut cache = ways.plain.create_cache();
                let searched = ways.plain.try_captures(&mut cache, line, &mut captures);
                debug_assert!(searched.is_ok(), "a line longer than a line is");
            }
        }
        let span = captures.get_match()?.range();
        let learnt = names.filter_map(|name| {
            let value = line[captures.get_group_by_name(name)?.range()].trim();
            (!value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        });
        let learnt = learnt.collect();
        Some(Found { span, learnt })
    }
}

impl Ways {
    /// How to match, once it is worth the time.
    fn well(&self) -> Option<&Regex> {
        if self.well.get().is_none() && self.tries.fetch_add(1, Ordering::Relaxed) < TRIES_PLAIN {
            return None;
        }
        let compile = || {
            let config = meta::Config::new()
                .nfa_size_limit(Some(PATTERN_BYTES_MAX))
                .which_captures(captures_of(&self.hir));
            let mut builder = Regex::builder();
            builder.configure(config).build_from_hir(&self.hir).ok()
        };
        self.well.get_or_init(compile).as_ref()
    }
}

/// Tries one way after the other, which needs no more than the automaton itself.
fn plain(hir: &Hir) -> Result<BoundedBacktracker, Box<thompson::BuildError>> {
    let config = thompson::Config::new()
        .nfa_size_limit(Some(PATTERN_BYTES_MAX))
        .which_captures(captures_of(hir));
    let nfa = NFA::compiler().configure(config).build_from_hir(hir)?;
    // A bit for each state at each place of the longest line, of which no character is cut, and the last word of them.
    let places = LINE_BYTES_MAX + char::MAX_LEN_UTF8;
    let bits = nfa.states().len() * places;
    let config = backtrack::Config::new().visited_capacity(bits / 8 + size_of::<usize>());
    let mut builder = BoundedBacktracker::builder();
    Ok(builder.configure(config).build_from_nfa(nfa)?)
}

/// The bytes that a line may begin with in which the pattern fits; all, unless it fits at the beginning alone.
fn first_bytes(hir: &Hir, nfa: &NFA) -> Box<[bool; 256]> {
    let look = hir.properties().look_set_prefix();
    let mut first = Box::new([!look.contains(Look::Start); 256]);
    let mut seen = vec![false; nfa.states().len()];
    let mut open = vec![nfa.start_anchored()];
    let mut takes = |from: u8, to: u8| first[usize::from(from)..=usize::from(to)].fill(true);
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut seen[id.as_usize()], true) {
            continue;
        }
        match nfa.state(id) {
            State::ByteRange { trans } => takes(trans.start, trans.end),
            State::Sparse(sparse) => {
                let each = sparse.transitions.iter();
                each.for_each(|trans| takes(trans.start, trans.end));
            }
            State::Look { next, .. } | State::Capture { next, .. } => open.push(*next),
            State::Union { alternates } => open.extend(alternates),
            State::BinaryUnion { alt1, alt2 } => open.extend([alt1, alt2]),
            // It fits whatever follows.
            State::Match { .. } | State::Dense(_) => takes(0, u8::MAX),
            State::Fail => {}
        }
    }
    first
}

fn captures_of(hir: &Hir) -> WhichCaptures {
    match hir.properties().explicit_captures_len() {
        0 => WhichCaptures::Implicit,
        _ => WhichCaptures::All,
    }
}

/// The pattern with each of the [`FORMS`] as one character, so that the long classes are not parsed again.
fn with_stand_ins(pattern: &str) -> String {
    let mut short = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('\\') {
        short.push_str(&rest[..at]);
        rest = &rest[at..];
        let form = FORMS.iter().find(|form| rest.starts_with(form.text));
        let length = match form {
            Some(form) => {
                short.push(form.stand_in);
                form.text.trim_end_matches('*').len()
            }
            None => {
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                short.push_str(&rest[..length]);
                length
            }
        };
        rest = &rest[length..];
    }
    short + rest
}

/// The same over bytes where that is smaller, and with the classes that stand-ins stand for.
fn compact(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(class)) => one_char(resolved(class)),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) if text.contains(is_stand_in) => {
                Hir::concat(text.chars().map(one_or_stand_in).collect())
            }
            _ => Hir::literal(literal.0),
        },
        HirKind::Repetition(repetition) => compact_repetition(repetition),
        HirKind::Capture(mut capture) => {
            capture.sub = Box::new(compact(*capture.sub));
            Hir::capture(capture)
        }
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(compact).collect()),
        HirKind::Alternation(ways) => Hir::alternation(ways.into_iter().map(compact).collect()),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Empty => Hir::empty(),
    }
}

fn is_stand_in(char: char) -> bool {
    FORMS.iter().any(|form| form.stand_in == char)
}

fn one_or_stand_in(char: char) -> Hir {
    match FORMS.iter().find(|form| form.stand_in == char) {
        Some(form) => one_char(form.class.clone()),
        None => Hir::literal(char.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// A class with the classes that stand-ins in it stand for.
fn resolved(mut class: ClassUnicode) -> ClassUnicode {
    let has = |class: &ClassUnicode, char| {
        let mut ranges = class.iter();
        ranges.any(|range| (range.start()..=range.end()).contains(&char))
    };
    let is_negated = has(&class, NO_STAND_IN);
    for form in &*FORMS {
        match (is_negated, has(&class, form.stand_in)) {
            (true, false) => class.difference(&form.class),
            (false, true) => class.union(&form.class),
            _ => {}
        }
    }
    class
}

/// One character of a class.
fn one_char(class: ClassUnicode) -> Hir {
    let Some(mut starts) = beyond_ascii(&class) else {
        return Hir::class(match folded_ascii(&class) {
            Some(bytes) => Class::Bytes(bytes),
            None => Class::Unicode(class),
        });
    };
    let inner = ClassBytes::new([ClassBytesRange::new(0x80, 0xbf)]);
    starts.difference(&inner);
    Hir::concat(vec![Hir::class(Class::Bytes(starts)), any_number(inner)])
}

/// Lines are sound UTF-8, and what follows can only begin where a character does: any number of characters that are told by
/// the ASCII they are not is any number of bytes.
fn compact_repetition(repetition: Repetition) -> Hir {
    let of = |class| beyond_ascii(&class).map(|bytes| (class, bytes));
    let class = match repetition.sub.kind() {
        HirKind::Class(Class::Unicode(class)) if repetition.max.is_none() => {
            of(resolved(class.clone()))
        }
        _ => None,
    };
    let Some((class, bytes)) = class else {
        return Hir::repetition(Repetition {
            sub: Box::new(compact(*repetition.sub)),
            ..repetition
        });
    };
    let mut parts = vec![one_char(class); repetition.min as usize];
    parts.push(Hir::repetition(Repetition {
        min: 0,
        sub: Box::new(Hir::class(Class::Bytes(bytes))),
        ..repetition
    }));
    Hir::concat(parts)
}

fn any_number(bytes: ClassBytes) -> Hir {
    Hir::repetition(Repetition {
        min: 0,
        max: None,
        greedy: true,
        sub: Box::new(Hir::class(Class::Bytes(bytes))),
    })
}

/// The bytes of the characters of a class that has all beyond ASCII.
fn beyond_ascii(class: &ClassUnicode) -> Option<ClassBytes> {
    let last = class.ranges().last()?;
    let all = last.end() == char::MAX && last.start() <= '\u{80}';
    let byte = |char| u8::try_from(char).ok().filter(u8::is_ascii).unwrap_or(0xff);
    let ranges = class.iter().map(|range| (range.start(), range.end()));
    all.then(|| {
        ClassBytes::new(ranges.map(|(start, end)| ClassBytesRange::new(byte(start), byte(end))))
    })
}

/// The bytes of a class of ASCII. The long s and the sign for Kelvin, which fold to ASCII, do not count: they would double
/// each s and k.
fn folded_ascii(class: &ClassUnicode) -> Option<ClassBytes> {
    let is_folded = |range: &ClassUnicodeRange| {
        range.start() == range.end() && matches!(range.start(), '\u{17f}' | '\u{212a}')
    };
    let ascii = class.iter().filter(|range| !is_folded(range));
    ClassUnicode::new(ascii.copied()).to_byte_class()
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Pattern {
        /// Makes it be compiled well.
        pub(in crate::clean::rules) fn try_often(&self) {
            for _ in 0..=TRIES_PLAIN {
                self.find("");
            }
            assert!(self.0.well.get().is_some_and(Option::is_some));
        }
    }

    fn is_match(pattern: &str, line: &str) -> bool {
        let pattern = Pattern::new(pattern).expect("a regular expression");
        pattern.find(line).is_some()
    }

    #[test]
    fn a_pattern_finds_the_same_when_it_is_tried_often() {
        let written =
            r"^\W*(?P<what>[^.,]+?) (?:von|by) (?P<who>\p{Lu}[\w.-]+)[^.]*(?:\.\w{2})?\W*$";
        let pattern = Pattern::new(written).expect("a regular expression");
        let lines = [
            "„Fähre im Nebel“ von Özil-Brill, Möwe",
            "Ferry by Ada.de»",
            "ferry by ada",
            "Паром by Ада",
            "",
            "渡轮 by Ada。",
        ];
        let find = |line: &&str| {
            let found = pattern.find(line);
            found.map(|found| (found.span, found.learnt))
        };
        let plain: Vec<_> = lines.iter().map(find).collect();
        assert_eq!(plain.iter().filter(|found| found.is_some()).count(), 4);
        pattern.try_often();
        assert_eq!(lines.iter().map(find).collect::<Vec<_>>(), plain);
    }

    #[test]
    fn a_class_that_says_nothing_of_letters_beyond_ascii_takes_them_whole() {
        let span = |pattern, line| {
            let pattern = Pattern::new(pattern).expect("a regular expression");
            pattern.find(line).map(|found| found.span)
        };
        assert_eq!(span("f[^.]", "fähre"), Some(0..3));
        assert_eq!(span("f[^.]+?", "fähre"), Some(0..3));
        assert_eq!(span("f[^.]*?", "fähre"), Some(0..1));
        assert_eq!(span("f[^.]{2}", "fäöhre"), Some(0..5));
        assert_eq!(span("f.{1,2}r", "fähre"), Some(0..5));
        assert_eq!(span("f.{3,}", "fäö"), None);
        assert_eq!(span("(?s)^.$", "渡"), Some(0..3));
        assert_eq!(span("[^a-z]$", "ferry渡"), Some(5..8));
    }

    #[test]
    fn a_pattern_fits_wherever_it_may_begin() {
        assert!(is_match("ferry", "the ferry"));
        assert!(is_match("^(?:|the) ?ferry|gull", "a gull"));
        assert!(is_match("^(?:the )?(?:fähre|ärger)$", "Ärger"));
        assert!(is_match("^a?", "ferry") && is_match("^$", "") && is_match(r"^\b", "ferry"));
        assert!(is_match("^(?:a|[^x])erry", "ferry") && !is_match("^[^x]erry", "xerry"));
        assert!(is_match(r"^\W*ferry", "— ferry") && !is_match(r"^\W*ferry", "the ferry"));
    }

    #[test]
    fn the_longest_line_is_looked_at_to_its_end() {
        let pattern = Pattern::new(r"(?:ferry|fähre|паром|\w{3}){1,9}\W*$").expect("a pattern");
        let line = format!("{}паром", "·".repeat(LINE_BYTES_MAX));
        let line = &line[line.floor_char_boundary(line.len() - LINE_BYTES_MAX - 1)..];
        assert!(line.len() > LINE_BYTES_MAX);
        assert!(pattern.find(line).is_some());
    }

    #[test]
    fn an_error_shows_the_pattern_as_it_was_written() {
        let error = Pattern::new(r"\W*(\p{Lu}").expect_err("a group is open");
        assert!(error.to_string().contains(r"\W*(\p{Lu}"), "{error}");
    }

    #[test]
    fn letters_of_all_scripts_are_letters_and_signs_are_not() {
        for word in [
            "Fähre",
            "паром",
            "渡轮",
            "العبارة",
            "नौका",
            "페리",
            "πορθμείο",
        ] {
            assert!(is_match(r"^\p{L}+$", word), "{word}");
            assert!(is_match(r"^[\w.]+$", word), "{word}");
        }
        for sign in ["…", "“", "؟", "、", "।", " ", "–", "7"] {
            assert!(!is_match(r"\p{L}", sign), "{sign}");
        }
        assert!(is_match(r"^[^\p{L}]+$", "… 7"));
    }

    #[test]
    fn only_letters_lose_their_second_case() {
        assert!(is_match(r"^by [\w.-]+$", "BY Ada-B.Brill"));
        assert!(is_match(r"^(?-i:\p{Lu})[a-z]+$", "ÉTÉ") == is_match("^(?-i:É)[a-z]+$", "ÉTÉ"));
        assert!(is_match(r"^(?-i:\p{Lu})", "Ætt") && !is_match(r"^(?-i:\p{Lu})", "ætt"));
        assert!(is_match(r"^\[\w\]$", "[w]") && is_match(r"^[\]\w]+$", "a]"));
    }
}
