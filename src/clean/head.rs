//! The head of a flat text: section, headline, byline, date, and the menus above them.

use foldhash::HashSet;

use crate::clean::date;
use crate::clean::finding::Finding;
use crate::clean::fold::is_unspaced;
use crate::clean::grammar::is_date;
use crate::clean::metadata::names;
use crate::clean::rules::Position;
use crate::clean::sheet::Sheet;
use crate::ledger::Class;

/// A head is not longer; menus above the headline count.
const HEAD_LINES_MAX: usize = 150;
/// From so many words on a first line is taken for a headline even if nothing else speaks for it.
const HEADLINE_WORDS: usize = 4;
/// A first line that ends in a question mark is a headline up to this length, even if there is a full stop in it.
const QUESTION_WEIGHT_MAX: usize = 120;

/// Reads what stands above the first paragraph.
pub(super) fn read(sheet: &mut Sheet<'_>) {
    let first = (sheet.from()..sheet.len()).find(|&index| is_text(sheet, index));
    let first = first
        .unwrap_or_else(|| sheet.len().min(4).saturating_sub(1))
        .min(sheet.from() + HEAD_LINES_MAX)
        .max(sheet.head_end);
    let title = match (sheet.page, sheet.headline) {
        (true, _) => None,
        (false, Some(headline)) => Some((headline, true)),
        (false, None) => find_title(sheet, first),
    };
    for index in sheet.from()..first {
        let after_title = title.is_none_or(|(title, _)| index > title);
        read_line(sheet, index, after_title);
    }
    for index in sheet.from()..first {
        learn_from_structure(sheet, index);
    }
    name_people(sheet, first);
    if let Some((title, corroborated)) = title {
        let reason = match corroborated {
            true => "the headline: section, byline, date or a footer bear it out",
            false => "the headline: the first line, before the first paragraph",
        };
        sheet.remove(title, Class::Title, "head.title", reason);
        sheet.facts.title = Some(sheet.text(title).to_owned());
        if sheet.dump.is_some() {
            sheet.headline = Some(title);
        }
        let above = (0..title).filter(|&index| sheet.is_open(index)).collect();
        clear_above(sheet, title, above, corroborated);
    }
}

/// A paragraph that no rule of the head claims.
fn is_text(sheet: &Sheet<'_>, index: usize) -> bool {
    let claimed = || {
        sheet
            .hit(index, &[Position::Start, Position::Edges])
            .is_some()
            || is_date(sheet, index)
    };
    // A headline may ask, and quote a sentence; it does not say one.
    let look = sheet.looks[index];
    let asks = index == 0 && look.asks && look.is_headline() && look.weight <= QUESTION_WEIGHT_MAX;
    sheet.is_paragraph(index) && !asks && !claimed()
}

/// Section, byline and date lines.
fn read_line(sheet: &mut Sheet<'_>, index: usize, after_title: bool) {
    if !sheet.is_open(index) {
        return;
    }
    let text = sheet.text(index);
    if is_date(sheet, index) {
        learn_date(sheet, text);
        sheet.remove(index, Class::Date, "head.date", "a date above the text");
    } else if let Some(hit) = sheet.hit(index, &[Position::Start, Position::Edges]) {
        let class = sheet.hits[index][hit].rule.class;
        let sentence = sheet.looks[index].stops && sheet.looks[index].words > 8;
        match class {
            Class::Byline if sentence => return,
            Class::Promo if !after_title => return,
            Class::Byline => learn_byline(sheet, text),
            Class::Section if sheet.facts.section.is_none() => {
                let last = text.rsplit(['|', '»', '>', '/']).next().map(str::trim);
                sheet.facts.section = last.filter(|last| !last.is_empty()).map(str::to_owned);
            }
            _ => {}
        }
        sheet.remove_by_rule(index, hit);
    }
}

/// Bylines and dates that a page's structure has shown.
fn learn_from_structure(sheet: &mut Sheet<'_>, index: usize) {
    let text = sheet.text(index);
    let hinted = sheet.lines.lines[index].hint.is_some();
    match sheet.class(index) {
        Some(Class::Byline) if hinted && sheet.looks[index].words <= 25 => {
            learn_byline(sheet, text)
        }
        Some(Class::Date) if hinted => learn_date(sheet, text),
        _ => {}
    }
}

fn learn_date(sheet: &mut Sheet<'_>, text: &str) {
    for (found, role) in date::all(text) {
        let place = match role {
            Some(date::Role::Changed) => &mut sheet.facts.modified,
            _ => &mut sheet.facts.date,
        };
        place.get_or_insert(found.value);
    }
}

fn learn_byline(sheet: &mut Sheet<'_>, text: &str) {
    let found = date::find(text);
    let named = match &found {
        Some(found) => &text[..found.span.start],
        None => text,
    };
    let named = named
        .split(['|', '·', '•'])
        .next()
        .unwrap_or(named)
        .trim_end();
    let joint = [
        " on", " am", " le", " il", " el", " em", " op", " at", " den", " vom", ",", " -", " –",
    ];
    let named = joint
        .iter()
        .find_map(|joint| named.strip_suffix(joint))
        .unwrap_or(named);
    for name in names::names(named) {
        let named = name.chars().count() > 3 && name.split(' ').count() <= 5;
        if named && !sheet.facts.authors.contains(&name) {
            sheet.facts.authors.push(name);
        }
    }
    learn_date(sheet, text);
}

/// Names alone on their line beside a byline or a date in the head are bylines, too.
fn name_people(sheet: &mut Sheet<'_>, first: usize) {
    let beside = |sheet: &Sheet<'_>, index: usize| {
        let near = |other: Option<usize>| {
            other.is_some_and(|other| {
                other < sheet.len()
                    && matches!(sheet.class(other), Some(Class::Byline | Class::Date))
            })
        };
        near(index.checked_sub(1)) || near(Some(index + 1))
    };
    for index in sheet.from()..first {
        let text = sheet.text(index);
        let look = sheet.looks[index];
        if !sheet.is_open(index) || look.words > 4 || look.stops || !beside(sheet, index) {
            continue;
        }
        if is_house_and_place(text) {
            sheet.facts.original_publisher = text.split(" (").next().map(str::to_owned);
            sheet.remove(
                index,
                Class::Credit,
                "head.source",
                "the house that the text comes from and its place, beside the byline or the date",
            );
            continue;
        }
        let people = names::byline(text);
        let house = look.words <= 2
            && look.capitals
            && index > 0
            && sheet.class(index - 1) == Some(Class::Byline);
        if !people.is_empty() || house {
            for name in people {
                if !sheet.facts.authors.contains(&name) {
                    sheet.facts.authors.push(name);
                }
            }
            sheet.remove(
                index,
                Class::Byline,
                "head.name",
                "a name beside the byline or the date",
            );
        }
    }
}

/// `Harbour Gazette (Tidewater)`
fn is_house_and_place(text: &str) -> bool {
    let capital = |word: &str| word.starts_with(char::is_uppercase);
    let Some((house, place)) = text
        .strip_suffix(')')
        .and_then(|text| text.split_once(" ("))
    else {
        return false;
    };
    let named = |text: &str| text.split(' ').all(|word| capital(word) && word.len() > 2);
    named(house) && named(place) && place.chars().skip(1).any(char::is_lowercase)
}

/// The line that is the headline, and whether anything beside its shape and place speaks for it.
fn find_title(sheet: &Sheet<'_>, first: usize) -> Option<(usize, bool)> {
    let mut candidates: Vec<(usize, bool)> = Vec::new(); // and whether nothing open stands above it
    let mut open_before = 0;
    for index in sheet.from()..first {
        let look = sheet.looks[index];
        let claimed = sheet.hit(index, &[Position::Start, Position::Edges]);
        // A headline may look like the label of a newsletter.
        let label =
            |hit: usize| open_before == 0 && sheet.hits[index][hit].rule.class == Class::Promo;
        let claimed = claimed.is_some_and(|hit| !label(hit));
        if !sheet.is_open(index) || claimed || is_date(sheet, index) {
            continue;
        }
        let line = &sheet.lines.lines[index];
        let list = line.kind == crate::article::BlockKind::ListItem || line.continues;
        if look.is_headline() && !list {
            candidates.push((index, open_before == 0));
        }
        open_before += 1;
    }
    let corroborated = |index: usize| (index, evidence(sheet, index, first) > 0);
    if let [(index, _)] = candidates[..] {
        return Some(corroborated(index));
    }
    let body = Words::of_body(sheet, first);
    let score = |&(index, leads): &(usize, bool)| {
        let look = sheet.looks[index];
        evidence(sheet, index, first) * 2
            + i32::from(leads)
            + i32::from(look.words >= 5)
            + body.shared(sheet.text(index))
            + i32::from(is_titled(sheet, index)) * 3
            - i32::from(look.words > 25)
    };
    // Of equals the first.
    let best = candidates
        .iter()
        .rev()
        .max_by_key(|candidate| score(candidate));
    best.map(|&(index, _)| corroborated(index))
}

/// The first line is the title of the window: this line, and after it the name of the site.
fn is_titled(sheet: &Sheet<'_>, index: usize) -> bool {
    let rest = sheet.text(0).strip_prefix(sheet.text(index));
    index > 0
        && rest.is_some_and(|rest| {
            rest.trim_start()
                .starts_with(['-', '|', '–', '—', '·', ':', '｜', '«', '»'])
        })
}

/// Beginnings of the long words of the first paragraphs: a headline says in short what they say at length.
struct Words(HashSet<Beginning>);

/// So many letters of a word, or fewer and no others.
type Beginning = [char; 6];

impl Words {
    fn of_body(sheet: &Sheet<'_>, first: usize) -> Words {
        const LINES_MAX: usize = 4;
        const BYTES_MAX: usize = 2_000;
        let lines = first..sheet.len().min(first + LINES_MAX);
        let texts = lines.map(|index| sheet.text(index));
        let texts = texts.map(|text| &text[..text.floor_char_boundary(BYTES_MAX)]);
        Words(texts.flat_map(beginnings).collect())
    }

    /// 0 to 2: how much of the line's words the body has as well. No more: a standfirst shares more than the headline.
    fn shared(&self, line: &str) -> i32 {
        let words = beginnings(line);
        let shared = words.iter().filter(|word| self.0.contains(*word)).count();
        match shared {
            0 => 0,
            _ if shared >= 2 && shared * 5 >= words.len() * 2 => 2,
            _ => i32::from(shared * 5 >= words.len()),
        }
    }
}

/// The first letters of long words, which endings leave alone; of scripts without blanks, pairs of characters.
fn beginnings(text: &str) -> Vec<Beginning> {
    const LETTERS_MIN: usize = 4;
    let mut found = Vec::new();
    let mut letters: Vec<char> = Vec::new();
    let beginning = |letters: &[char]| {
        let mut beginning = Beginning::default();
        let length = letters.len().min(beginning.len());
        beginning[..length].copy_from_slice(&letters[..length]);
        beginning
    };
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        letters.clear();
        letters.extend(word.chars().flat_map(char::to_lowercase));
        if letters.iter().any(|&c| is_unspaced(c)) {
            found.extend(letters.windows(2).map(beginning));
        } else if letters.len() >= LETTERS_MIN {
            found.push(beginning(&letters));
        }
    }
    found
}

/// How many other signs say that the line is the headline.
fn evidence(sheet: &Sheet<'_>, index: usize, first: usize) -> i32 {
    let claims = |other: usize, classes: &[Class]| {
        let hit = sheet.hit(other, &[Position::Start]);
        hit.is_some_and(|hit| classes.contains(&sheet.hits[other][hit].rule.class))
    };
    let credits = |other: usize| matches!(sheet.class(other), Some(Class::Credit | Class::Caption));
    let after = (index + 1..first.min(index + 4)).take_while(|&other| !credits(other));
    let signed = after
        .clone()
        .any(|other| claims(other, &[Class::Byline]) || is_date(sheet, other));
    let above = index.checked_sub(1).is_some_and(|before| {
        claims(before, &[Class::Section, Class::Ui])
            || is_date(sheet, before)
            || sheet.is_furniture(before)
    });
    let promo = index + 1 < first && claims(index + 1, &[Class::Promo]);
    let text = sheet.text(index);
    let quoted = sheet.hits.iter().flatten().any(|hit| {
        let title = hit.learnt.get("title").or_else(|| hit.learnt.get("title2"));
        title.is_some_and(|title| title.eq_ignore_ascii_case(text))
    });
    let heading = sheet.lines.lines[index].kind == crate::article::BlockKind::Heading
        && sheet.lines.lines[index].level == 1;
    i32::from(signed)
        + i32::from(above)
        + i32::from(promo)
        + i32::from(quoted) * 3
        + i32::from(heading) * 2
}

/// Lines above the headline: the label right above it is the section, the others are menus.
fn clear_above(sheet: &mut Sheet<'_>, title: usize, above: Vec<usize>, corroborated: bool) {
    if !corroborated {
        return;
    }
    let alone = above.len() == 1;
    let menu = above.len() >= 4;
    for index in above {
        let look = sheet.looks[index];
        if alone
            && index + 1 == title
            && look.is_label()
            && look.words <= 3
            && sheet.facts.section.is_none()
        {
            sheet.facts.section = Some(sheet.text(index).to_owned());
            sheet.remove(
                index,
                Class::Section,
                "head.section",
                "a label right above the headline",
            );
        } else if (look.is_label() || menu) && !look.is_paragraph() && !look.stops {
            sheet.remove(
                index,
                Class::Navigation,
                "head.above_title",
                "a short line above the headline",
            );
        }
    }
}

/// Decides at the end whether the headline leaves the text. It stays if what would then be the first line could as well
/// be the headline (cleaning the text again must change nothing), or if hardly anything says that it is one.
pub(super) fn settle_title(sheet: &mut Sheet<'_>) {
    let Some(title) = (0..sheet.len()).find(|&index| is_found_title(sheet, index)) else {
        return;
    };
    let corroborated = sheet.findings[title]
        .as_ref()
        .is_some_and(|finding| finding.reason.contains("bear it out"));
    let mut kept = (0..sheet.len()).filter(|&index| sheet.stays(index));
    let (first, second) = (kept.next(), kept.next());
    let leads = first.is_none_or(|first| first > title);
    let removable = corroborated || leads && sheet.looks[title].words >= HEADLINE_WORDS;
    let could_be = |index: Option<usize>| index.is_some_and(|index| is_headline(sheet, index));
    let rival = match corroborated {
        // Would what follows be taken for the headline if this one were gone?
        true => could_be(first) && !could_be(second),
        false => could_be(first),
    };
    if !removable || rival && leads {
        sheet.findings[title] = Some(Finding::kept(
            Class::Title,
            "head.title_kept",
            "the headline, kept because the next line could be one as well",
        ));
    }
}

/// A line that would be taken for a headline if it were the first.
fn is_headline(sheet: &Sheet<'_>, index: usize) -> bool {
    let look = sheet.looks[index];
    let list = sheet.lines.lines[index].kind == crate::article::BlockKind::ListItem;
    !list && look.is_headline() && look.words >= HEADLINE_WORDS && !look.is_paragraph()
}

fn is_found_title(sheet: &Sheet<'_>, index: usize) -> bool {
    sheet.findings[index]
        .as_ref()
        .is_some_and(|finding| finding.rule == "head.title")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headline_shares_words_with_the_story() {
        let story = "The captain of the ferry to Norrholm found a crack in the hull, and the islanders wait for their bread.";
        let body = Words(beginnings(story).into_iter().collect());
        assert_eq!(body.shared("Captain finds crack in island ferry"), 2);
        assert_eq!(
            body.shared("Our captain of industry of the year 2024 award"),
            1
        );
        assert_eq!(body.shared("Independent news and views every day"), 0);
        let body = Words(
            beginnings("島へのフェリーは火曜日に運航を止めた")
                .into_iter()
                .collect(),
        );
        assert_eq!(body.shared("フェリー運航停止"), 2);
    }
}
