//! Several articles in one file: where each begins.
//!
//! An article inside a text begins with a head of its own: a headline with byline and date, or with one of them under a
//! drawn line or the footer of the article before. Prose stands on both sides. Anything less is one article: a live blog
//! has times, a thread of comments has names, a list of teasers has no prose.

use std::ops::Range;

use crate::article::TruncationState;
use crate::clean::dump::signs::{is_byline, is_dated};
use crate::clean::finding::{Facts, Finding};
use crate::clean::metadata::names;
use crate::clean::rules::Position;
use crate::clean::sheet::Sheet;
use crate::ledger::Class;

/// An article has at least so many paragraphs, and so much of them.
const PARAGRAPHS_MIN: usize = 2;
const WEIGHT_MIN: usize = 250;

/// The lines of each article; one range if there is one article.
pub(super) fn articles(sheet: &Sheet<'_>) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    let mut prose = Prose::default();
    for index in 0..sheet.len() {
        if let Some(sure) = head(sheet, index) {
            if sure && prose.is_article() && prose_after(sheet, index).is_article() {
                starts.push(index);
            }
            prose = Prose::default();
        }
        prose.add(sheet, index);
    }
    let ends = starts[1..].iter().copied().chain([sheet.len()]);
    starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(start, end)| start..end)
        .collect()
}

/// How much prose stands in some lines.
#[derive(Default)]
struct Prose {
    paragraphs: usize,
    weight: usize,
}

impl Prose {
    fn add(&mut self, sheet: &Sheet<'_>, index: usize) {
        let look = sheet.looks[index];
        if look.is_paragraph() && look.sentences > 0 {
            self.paragraphs += 1;
            self.weight += look.weight;
        }
    }

    fn is_article(&self) -> bool {
        self.paragraphs >= PARAGRAPHS_MIN && self.weight >= WEIGHT_MIN
    }
}

/// The prose between a head and the next one, or what is enough of it.
fn prose_after(sheet: &Sheet<'_>, start: usize) -> Prose {
    const LINES_MAX: usize = 40;
    let mut prose = Prose::default();
    for index in start + 1..sheet.len().min(start + LINES_MAX) {
        if prose.is_article() || head(sheet, index).is_some() {
            break;
        }
        prose.add(sheet, index);
    }
    prose
}

/// Whether the line is a headline with a byline or date below it, and if so, whether it surely begins an article.
fn head(sheet: &Sheet<'_>, index: usize) -> Option<bool> {
    const HEAD_LINES_MAX: usize = 3;
    // Whatever the first line is, an article begins there.
    let above = index.checked_sub(1)?;
    let look = sheet.looks[index];
    let line = &sheet.lines.lines[index];
    let claimed = sheet.hit(index, &[Position::End, Position::Edges, Position::Anywhere]);
    let headline = look.is_headline() && look.words >= 4 && !line.continues && claimed.is_none();
    if !headline || signs(sheet, index) != (false, false) {
        return None;
    }
    let below = index + 1..sheet.len().min(index + 1 + HEAD_LINES_MAX);
    let below = below.take_while(|&index| !sheet.looks[index].is_paragraph());
    let (signed, dated) = below.fold((false, false), |(signed, dated), index| {
        let (byline, date) = signs(sheet, index);
        (signed || byline, dated || date)
    });
    let sure = || ends(sheet, above) && (signed && dated || is_border(sheet, above));
    (signed || dated).then(sure)
}

/// Whether a line is a byline, and whether it is (or has) a date.
fn signs(sheet: &Sheet<'_>, index: usize) -> (bool, bool) {
    let look = sheet.looks[index];
    if look.stops || look.words > 14 {
        return (false, false);
    }
    let named = is_byline(sheet, index) && !names::names(sheet.text(index)).is_empty();
    let year = sheet.text(index).split(|c: char| !c.is_ascii_digit());
    let year = year.into_iter().any(|digits| digits.len() == 4);
    (named, year && is_dated(sheet, index))
}

/// A sentence, or what a page is made of, ends above the headline: it is no piece of a sentence.
fn ends(sheet: &Sheet<'_>, index: usize) -> bool {
    let look = sheet.looks[index];
    let sentence = look.stops || look.asks || look.ellipsis;
    sentence || !look.readable || !sheet.hits[index].is_empty()
}

/// A line drawn with signs, or a footer that closes an article.
fn is_border(sheet: &Sheet<'_>, index: usize) -> bool {
    let drawn = !sheet.looks[index].readable && sheet.text(index).chars().count() >= 3;
    let footer = sheet.hit(index, &[Position::End, Position::Edges, Position::Anywhere]);
    let footer = footer.is_some_and(|hit| {
        let class = sheet.hits[index][hit].rule.class;
        matches!(class, Class::FooterExcerpt | Class::FooterOther)
    });
    drawn || footer
}

/// Joins what was found of each article: the first one gives the metadata, the headlines of the others stay in the text.
pub(super) fn join(parts: Vec<(Vec<Finding>, Facts)>) -> (Vec<Finding>, Facts) {
    let mut parts = parts.into_iter();
    let (mut findings, mut facts) = parts.next().unwrap_or_default();
    facts.articles = 1;
    for (mut more, other) in parts {
        if let Some(headline) = more.first_mut() {
            *headline = Finding::kept(
                Class::Title,
                "several.headline",
                "begins another article in the same file",
            );
        }
        findings.extend(more);
        facts.articles += 1;
        facts.captions.extend(other.captions);
        facts.credits.extend(other.credits);
        facts.footers.extend(other.footers);
        facts.corrections.extend(other.corrections);
        if facts.truncated.state == TruncationState::No {
            facts.truncated = other.truncated;
        }
    }
    (findings, facts)
}

#[cfg(test)]
mod tests {
    use crate::clean::grammar::classify;
    use crate::clean::lines::split;
    use crate::clean::rules::Rules;

    const FIRST: &str = "The ferry left the harbour at noon, and nobody on the quay thought anything of it at the time.\n\
        “It was late,” said Bob Tarn, who had waited for two hours in the rain with his dog and a melon.\n\
        By the evening the fog had come in from the sea, and the pilots were told to stay in the harbour.\n";
    const SECOND: &str = "The gulls of the harbour have learned to stamp their feet on wet grass, as if it were raining there.\n\
        “They are after the worms,” said Carla Fenn, who has watched them since the spring from her kitchen window.\n\
        Nobody knows which of the gulls was the first to do it, or from whom it had learned the trick.\n";

    /// How many articles a text holds, and the lines that are kept.
    fn read(text: &str) -> (usize, Vec<String>) {
        let lines = split(text);
        let (findings, facts) = classify(&lines, &Rules::built_in(), false);
        let both = lines.lines.iter().zip(&findings);
        let kept = both.filter(|(_, finding)| finding.kept);
        (
            facts.articles,
            kept.map(|(line, _)| line.text.to_string()).collect(),
        )
    }

    #[test]
    fn a_headline_with_byline_and_date_between_prose_begins_another_article() {
        let text = format!(
            "Ferry lost in the thick fog\nBy Ada Brill\n9 May 2021\n{FIRST}Gulls learn to stamp their feet\nBy Lars Holt\n10 May 2021\n{SECOND}"
        );
        let all = format!("{FIRST}Gulls learn to stamp their feet\n{SECOND}");
        assert_eq!(read(&text), (2, all.lines().map(str::to_owned).collect()));
    }

    #[test]
    fn a_drawn_line_and_a_date_do_as_well() {
        let text = format!(
            "Ferry lost in the thick fog\n9 May 2021\n{FIRST}* * *\nGulls learn to stamp their feet\n10 May 2021\n{SECOND}"
        );
        assert_eq!(read(&text).0, 2);
    }

    #[test]
    fn subheadings_comments_and_teasers_begin_no_article() {
        let teasers = "Gulls learn to stamp their feet\nBy Lars Holt\n10 May 2021\nThe gulls of the harbour have learned to stamp their feet on wet grass, as if it rained.\n";
        let comments = format!("3 comments\nLars Holt\n9 May 2021 at 10:02\n{SECOND}");
        for more in [
            format!("Gulls learn to stamp their feet\n{SECOND}"),
            format!("Gulls learn to stamp their feet\n10:32\n{SECOND}"),
            teasers.repeat(3),
            comments,
        ] {
            let text =
                format!("Ferry lost in the thick fog\nBy Ada Brill\n9 May 2021\n{FIRST}{more}");
            assert!(read(&text).0 < 2, "{more}");
        }
    }
}
