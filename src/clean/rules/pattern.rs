//! The pattern of a rule. To compile one well takes as long as some hundred tries in the plainest way, and a process that
//! cleans a hundred pages tries most of them a dozen times: each is compiled plainly first, and well once it is tried often.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use regex_automata::meta::{self, Regex};
use regex_automata::nfa::thompson::backtrack::{self, BoundedBacktracker};
use regex_automata::nfa::thompson::{self, NFA, State, WhichCaptures};
use regex_automata::util::captures::Captures;
use regex_automata::{Input, PatternID};
use regex_syntax::hir::{Hir, Look};

use super::LINE_BYTES_MAX;

mod bytes;
mod forms;

/// A pattern that compiles to more is refused: matching takes time in proportion.
const PATTERN_BYTES_MAX: usize = 4 << 20;

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
        let hir = parser
            .parse(&forms::with_stand_ins(pattern))
            .map_err(|error| {
                // Told of what the writer wrote.
                let error = parser.parse(pattern).err().unwrap_or(error);
                PatternError::Syntax(Box::new(error))
            })?;
        let hir = bytes::compact(hir);
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
        if !ways.may_begin(line) {
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
        // What looks at single bytes could end within a character.
        line.get(span.clone())?;
        let learnt = names.filter_map(|name| {
            let value = line.get(captures.get_group_by_name(name)?.range())?.trim();
            (!value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        });
        let learnt = learnt.collect();
        Some(Found { span, learnt })
    }
}

impl Ways {
    fn may_begin(&self, line: &str) -> bool {
        let first = line.bytes().next();
        first.is_none_or(|first| self.first[usize::from(first)])
    }

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
    fn whatever_a_pattern_says_it_fits_where_the_library_says() {
        let patterns = [
            r"f[^\x00-\x7f]",
            r"[[:^ascii:]]+",
            r"[a\x{80}-\x{10ffff}]+",
            r"[\w\W]",
            r"[\p{L}\W]+",
            r"[\w--\d]+",
            r"[\w&&[a-z]]+",
            r"[a[^\w]]+",
            r"(?:[^\w]|[_-])+",
            r"(?:[^\w]|a)+",
            r"(?:\w|-)+",
            r"[\w-.]+",
            r"\W+",
            r"\W*?f",
            r"\w{3}",
            r"[^\w]",
            r"(?x) \w \w  # two",
            r"\p{Lu}\p{L}+",
            r"(?:[^a]|\p{L})+",
            r"[^.]+?(?:e|$)",
            r".{2,4}r",
            r"(?s)f.+?r",
            r"(?:fä|[^f]){2,}",
            r"[^,]{3,5}?h",
            r"\bf.*\b",
            r"[\p{Lu}-]+",
            r"\S+ \S+",
            r"[^а-я]+",
            r"(?:.|\n){7}",
        ];
        let lines = [
            "Fähre, die: 3 Möwen_im-Nebel",
            "ferry",
            "паром у причала",
            "渡轮。渡轮",
            "a-_9 ÉTÉ",
            "…",
            "",
            "İ ß ﬀ",
            "«фере»\nfre.",
        ];
        for pattern in patterns {
            let compiled = Pattern::new(pattern).expect("a regular expression");
            let library = forms::tests::by_library(pattern);
            let check = |how| {
                for line in lines {
                    let span = compiled.find(line).map(|found| found.span);
                    let expected = library.find(line).map(|found| found.range());
                    assert_eq!(span, expected, "{how}: {pattern} in {line:?}");
                }
            };
            check("plainly");
            compiled.try_often();
            check("well");
        }
    }

    #[test]
    fn a_pattern_that_multiplies_is_refused_before_it_fills_the_memory() {
        for pattern in [".{50000000,}", "[^.]{4000000000,}", r"(?:\w{1000}){1000}"] {
            let error = Pattern::new(pattern).expect_err("it is too large");
            assert!(matches!(error, PatternError::TooLarge), "{error}");
        }
    }

    #[test]
    fn what_ends_within_a_character_does_not_fit() {
        assert!(!is_match(r"f[^.]*?(?-u:\B)", "fähre"));
        assert!(is_match(r"f[^.]*?(?-u:\B)", "ferry"));
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
