//! A pattern over bytes, which is smaller than over characters and means the same of lines, that are sound UTF-8.
//!
//! Of a character that is told by the ASCII it is not (`.`, `[^,]`), any byte beyond ASCII will do, and any number of such
//! characters is any number of bytes: what follows can only begin where a character does.

use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition,
};

use super::forms;

/// The same over bytes where that is smaller, and with what the forms mean.
pub(super) fn compact(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(class)) => one_char(class),
        HirKind::Literal(literal) => {
            forms::resolved(&literal.0, one_char).unwrap_or_else(|| Hir::literal(literal.0))
        }
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

fn compact_repetition(mut repetition: Repetition) -> Hir {
    let bytes = match (repetition.sub.kind(), repetition.max) {
        (HirKind::Class(Class::Unicode(class)), None) => beyond_ascii(class),
        _ => None,
    };
    let Some(bytes) = bytes else {
        repetition.sub = Box::new(compact(*repetition.sub));
        return Hir::repetition(repetition);
    };
    let least = Repetition {
        min: repetition.min,
        max: Some(repetition.min),
        greedy: true,
        sub: Box::new(whole_char(bytes.clone())),
    };
    let more = Repetition {
        min: 0,
        sub: Box::new(Hir::class(Class::Bytes(bytes))),
        ..repetition
    };
    Hir::concat(vec![Hir::repetition(least), Hir::repetition(more)])
}

/// One character of a class.
fn one_char(class: ClassUnicode) -> Hir {
    if let Some(bytes) = beyond_ascii(&class) {
        return whole_char(bytes);
    }
    Hir::class(match folded_ascii(&class) {
        Some(bytes) => Class::Bytes(bytes),
        None => Class::Unicode(class),
    })
}

/// One of these bytes that a character begins with, and the rest of the character.
fn whole_char(mut bytes: ClassBytes) -> Hir {
    let inner = ClassBytes::new([ClassBytesRange::new(0x80, 0xbf)]);
    bytes.difference(&inner);
    let rest = Repetition {
        min: 0,
        max: None,
        greedy: true,
        sub: Box::new(Hir::class(Class::Bytes(inner))),
    };
    Hir::concat(vec![Hir::class(Class::Bytes(bytes)), Hir::repetition(rest)])
}

/// The bytes of the characters of a class that has all beyond ASCII.
fn beyond_ascii(class: &ClassUnicode) -> Option<ClassBytes> {
    let last = class.ranges().last()?;
    let all = last.end() == char::MAX && last.start().is_ascii();
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
