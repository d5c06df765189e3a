//! Whether the end of an article is missing, with the evidence for it.

use crate::article::TruncationState;
use crate::clean::finding::{Cut, Finding};
use crate::clean::grammar::add_cut;
use crate::clean::rules::Evidence;
use crate::clean::sheet::Sheet;
use crate::ledger::Class;

/// More signs say no more.
const EVIDENCE_MAX: usize = 5;

/// Weighs the signs, and cuts out the marks that a machine added.
pub(super) fn judge(sheet: &mut Sheet<'_>) {
    let mut strong = Vec::new();
    let mut weak = Vec::new();
    let mut support = Vec::new();
    for index in sheet.len().saturating_sub(4)..sheet.len() {
        if let Some(mark) = cut_mark(sheet, index) {
            strong.push(format!("the text ends with the mark {mark}"));
        }
    }
    for index in 0..sheet.len() {
        let Some(finding) = &sheet.findings[index] else {
            continue;
        };
        let by = |rule: &str| sheet.hits[index].iter().find(|hit| hit.rule.name == rule);
        let rules = finding
            .cuts
            .iter()
            .map(|cut| &*cut.rule)
            .chain((!finding.kept).then_some(&*finding.rule));
        for hit in rules.filter_map(by) {
            let said = format!("a line {}: {:?}", hit.rule.reason, sheet.text(index));
            match hit.rule.truncated {
                Evidence::Strong => strong.push(said),
                Evidence::Weak => weak.push(said),
                Evidence::Support => support.push(said),
                Evidence::None => {}
            }
        }
    }
    if let Some(last) = (0..sheet.len()).rev().find(|&index| sheet.stays(index)) {
        let open_quote = sheet
            .text(last)
            .ends_with(['"', '”', '»', '“', '’', ')', '」', '*']);
        if sheet.looks[last].ellipsis && !open_quote && sheet.looks[last].words >= 5 {
            weak.push("the last line of the text ends with an ellipsis".to_owned());
            if sheet.is_open(last) {
                sheet.keep(
                    last,
                    Class::Truncation,
                    "text.cut_end",
                    "the last line of the text, which ends with an ellipsis",
                );
            }
        }
    }
    if !weak.is_empty() {
        weak.append(&mut support);
    }
    sheet.facts.truncated.state = match (strong.len(), weak.len()) {
        (1.., _) | (0, 2..) => TruncationState::Yes,
        (0, 1) => TruncationState::Suspected,
        (0, 0) => TruncationState::No,
    };
    weak.append(&mut strong);
    weak.truncate(EVIDENCE_MAX);
    sheet.facts.truncated.evidence = weak;
}

/// Cuts `[…]` or `[+2371 chars]` off the end of a line and says which it was.
fn cut_mark(sheet: &mut Sheet<'_>, index: usize) -> Option<String> {
    let text = sheet.text(index);
    let start = mark_at_end(text).filter(|&start| start > 0)?;
    let kept = || {
        Finding::kept(
            Class::Truncation,
            "text.cut_end",
            "the last line of the text, which is cut",
        )
    };
    let finding = sheet.findings[index].get_or_insert_with(kept);
    add_cut(
        finding,
        Cut {
            span: start..text.len(),
            class: Class::Truncation,
            rule: "truncation.mark".into(),
            reason: "a mark that the text was cut by a machine".into(),
        },
    );
    Some(text[start..].to_owned())
}

/// A line without the marks of machines at its end.
pub(super) fn without_mark(text: &str) -> &str {
    let start = mark_at_end(text).filter(|&start| start > 0);
    start.map_or(text, |start| text[..start].trim_end())
}

fn mark_at_end(text: &str) -> Option<usize> {
    const MARKS: &[&str] = &["[…]", "[...]", "[&hellip;]", "[&#8230;]", "[…", "[..."];
    let mark = MARKS.iter().find(|mark| text.ends_with(**mark));
    if let Some(mark) = mark {
        let start = text.len() - mark.len();
        // Several marks in a row go together.
        return Some(mark_at_end(text[..start].trim_end()).unwrap_or(start));
    }
    let inner = text.strip_suffix(" chars]")?;
    let start = inner.rfind("[+")?;
    let digits = &inner[start + 2..];
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(start)
}
