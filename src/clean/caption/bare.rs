//! Captions that nothing labels and no credit stands beside: their shape among the paragraphs tells them.

use std::collections::HashMap;

use crate::article::BlockKind;
use crate::clean::date;
use crate::clean::fold::count_bytes;
use crate::clean::sheet::Sheet;
use crate::ledger::Class;

/// So many solid paragraphs show how a text ends its sentences.
const PARAGRAPHS_MIN: usize = 4;
/// No sub-heading is heavier.
const HEADING_WEIGHT_MAX: usize = 110;
/// No sub-heading has more words.
const HEADING_WORDS_MAX: usize = 17;
/// A head has no more lines.
const HEAD_LINES_MAX: usize = 40;
/// No caption is heavier.
const WEIGHT_MAX: usize = 260;

/// Finds them, where the text's own paragraphs are whole sentences each.
pub(in crate::clean) fn find_bare(sheet: &mut Sheet<'_>) {
    if sheet.page || !is_prose(sheet) {
        return;
    }
    let found: Vec<(usize, Class, &'static str)> = (1..sheet.len())
        .filter_map(|index| judge(sheet, index).map(|(class, reason)| (index, class, reason)))
        .collect();
    for (index, class, reason) in found {
        sheet.remove(index, class, "caption.by_shape", reason);
    }
    find_teasers(sheet);
    find_video_summaries(sheet);
    find_names(sheet);
    find_people_posing(sheet);
}

/// The paragraphs of the text end as sentences do: a line that does not is none of them.
fn is_prose(sheet: &Sheet<'_>) -> bool {
    let solid =
        (0..sheet.len()).filter(|&index| sheet.stays(index) && sheet.looks[index].weight >= 100);
    // Where texts are broken at their links, the pieces have no full stops either.
    let pieces = (0..sheet.len()).filter(|&index| sheet.stays(index) && sheet.looks[index].goes_on);
    if pieces.take(3).count() == 3 {
        return false;
    }
    let (mut all, mut ended) = (0, 0);
    for index in solid {
        let look = sheet.looks[index];
        all += 1;
        ended += usize::from(look.stops || look.asks || look.colon || look.ellipsis);
    }
    all >= PARAGRAPHS_MIN && ended * 5 >= all * 4
}

/// What a line is by its shape and its neighbours.
fn judge(sheet: &Sheet<'_>, index: usize) -> Option<(Class, &'static str)> {
    let look = sheet.looks[index];
    if !could_be(sheet, index) {
        return None;
    }
    let (before, after) = (before(sheet, index)?, after(sheet, index)?);
    let framed = ends_sentence(sheet, before) && ends_sentence(sheet, after);
    let pictured = [before, after]
        .iter()
        .any(|&near| near.abs_diff(index) == 1 && is_credited(sheet, near));
    // The number of a day may have a full stop.
    let single = look.sentences <= 2;
    match () {
        _ if single
            && ends_sentence(sheet, after)
            && dates_the_scene(sheet.text(index), in_head(sheet, index)) =>
        {
            Some((
                Class::Caption,
                "no verb, and the place and day at its end, as captions have",
            ))
        }
        _ if look.stops || look.sentences > 0 => None,
        _ if framed && (look.weight > HEADING_WEIGHT_MAX || look.words > HEADING_WORDS_MAX) => {
            Some((
                Class::Caption,
                "a long line without a full stop between paragraphs that have one",
            ))
        }
        _ if pictured && look.words >= 10 && look.weight >= 75 => Some((
            Class::Caption,
            "a line without a full stop beside another caption",
        )),
        _ if framed && look.words <= 16 && shares(sheet, index + 1) => Some((
            Class::Related,
            "a title over the buttons that share its picture",
        )),
        // What stands over a sub-heading and heads nothing is a picture's text or another article's headline.
        _ if look.words >= 7
            && look.weight >= 45
            && ends_sentence(sheet, before)
            && heads(sheet, after, look.weight) =>
        {
            Some((
                Class::Related,
                "a line without a full stop between a paragraph and a sub-heading",
            ))
        }
        _ => None,
    }
}

/// A line of its own, no piece of a sentence, item of a list, post or anything that a rule speaks of.
fn could_be(sheet: &Sheet<'_>, index: usize) -> bool {
    let look = sheet.looks[index];
    let line = &sheet.lines.lines[index];
    let text = sheet.text(index);
    let shaped = !look.asks
        && !look.colon
        && !look.ellipsis
        && !look.quote
        && !look.goes_on
        && !look.numbered
        && !look.capitals
        && look.weight <= WEIGHT_MAX
        && look.words >= 6;
    let sign = |byte| (byte == b'|') | (byte == b'\n') | (byte == b'@') | (byte == b'*');
    shaped
        && line.kind == BlockKind::Paragraph
        && !line.continues
        && sheet.is_open(index)
        && sheet.hits[index].is_empty()
        && count_bytes(text.as_bytes(), sign) == 0
        && !text.ends_with([';', ',', '-'])
        && !(memchr::memchr(b'/', text.as_bytes()).is_some()
            && (text.contains("://") || text.contains(".com/")))
        && !text.ends_with(" and")
        && !sheet.dangles(index)
        && !sheet.is_fragment(index)
}

/// The nearest line before that is text or belongs to a picture.
fn before(sheet: &Sheet<'_>, index: usize) -> Option<usize> {
    (0..index).rev().find(|&other| counts(sheet, other))
}

fn after(sheet: &Sheet<'_>, index: usize) -> Option<usize> {
    (index + 1..sheet.len()).find(|&other| counts(sheet, other))
}

fn counts(sheet: &Sheet<'_>, index: usize) -> bool {
    sheet.stays(index) || matches!(sheet.class(index), Some(Class::Caption | Class::Credit))
}

/// A paragraph that ends as a sentence does, or the text of a picture.
fn ends_sentence(sheet: &Sheet<'_>, index: usize) -> bool {
    let look = sheet.looks[index];
    let ended = look.stops || look.asks || look.ellipsis;
    !sheet.stays(index) || ended && look.is_paragraph() && !look.goes_on
}

fn is_credited(sheet: &Sheet<'_>, index: usize) -> bool {
    let finding = sheet.findings[index].as_ref();
    finding.is_some_and(|finding| {
        finding.class == Class::Caption && finding.cuts.iter().any(|cut| cut.class == Class::Credit)
    })
}

fn shares(sheet: &Sheet<'_>, index: usize) -> bool {
    index < sheet.len() && sheet.class(index) == Some(Class::Social)
}

/// A short line, lighter than `weight`, that heads a paragraph.
fn heads(sheet: &Sheet<'_>, index: usize, weight: usize) -> bool {
    let look = sheet.looks[index];
    let short = !look.stops && !look.colon && !look.ellipsis && !look.goes_on && look.words <= 9;
    let line = &sheet.lines.lines[index];
    let plain = line.kind == BlockKind::Paragraph && !line.continues;
    let heads = after(sheet, index)
        .is_some_and(|next| sheet.is_paragraph(next) && ends_sentence(sheet, next));
    sheet.is_open(index)
        && short
        && plain
        && look.words >= 1
        && look.weight < weight
        && heads
        && !sheet.is_fragment(index)
}

/// Nothing but head lines stands above it.
fn in_head(sheet: &Sheet<'_>, index: usize) -> bool {
    index < HEAD_LINES_MAX && !(0..index).any(|before| sheet.is_paragraph(before))
}

/// `Le port, à Calais, le 12 juillet 2023.`: names, a comma, and a date at the end; nobody does anything. In the head,
/// where the lead picture is, the comma may be missing: `Feuer im Hafen von Kiel am 3. Januar 2026.`
fn dates_the_scene(text: &str, head: bool) -> bool {
    let text = text.trim_end_matches(['.', ' ']);
    let digits = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let month = |word: &str| date::is_month(&word.trim_end_matches(['.', ',']).to_lowercase());
    // Days of the week, and small words that lead to a date.
    let beside = |word: &str| date::is_of_date_line(&word.to_lowercase());
    let of_date = |word: &&str| {
        let word = word.trim_end_matches(['.', ',']);
        digits(word) || month(word) || beside(word)
    };
    let length = text.rsplit(' ').take_while(of_date).count();
    // Most lines do not end in a date.
    if length == 0 {
        return false;
    }
    let words: Vec<&str> = text.split(' ').collect();
    let (scene, day) = words.split_at(words.len() - length);
    let dated = day.iter().any(|word| month(word)) && day.iter().any(|word| digits(word));
    let parted = scene.last().is_some_and(|word| word.ends_with(',')) || head;
    let verb = |word: &&str| {
        let word = word
            .trim_matches(|c: char| !c.is_alphanumeric())
            .to_lowercase();
        VERBS.contains(&word.as_str())
    };
    dated && parted && scene.len() >= 3 && !scene.iter().any(verb)
}

/// Finite verbs that sentences are made with, in the languages that set captions without one.
const VERBS: &[&str] = &[
    "is", "are", "was", "were", "has", "have", "had", "will", "said", "says", "would", "could",
    "can", "be", "been", "died", "began", "took", "won", "came", "a", "ont", "est", "sont",
    "était", "étaient", "avait", "avaient", "sera", "seront", "fut", "furent", "peut", "doit",
    "fait", "ha", "han", "es", "son", "fue", "fueron", "era", "eran", "está", "están", "estaba",
    "había", "será", "tiene", "dijo", "se", "foi", "foram", "é", "são", "está", "estão", "tem",
    "têm", "será", "disse", "è", "sono", "stato", "hanno", "aveva", "erano", "sarà", "ist", "sind",
    "war", "waren", "hat", "haben", "hatte", "hatten", "wird", "werden", "wurde", "wurden", "soll",
    "kann", "werd", "werden", "heeft", "zijn",
];

/// The name of a column and a headline under it between two paragraphs point to another article: a sub-heading is
/// never followed by another. Where it happens twice, the names of the columns go, too.
fn find_teasers(sheet: &mut Sheet<'_>) {
    let label = |index: usize| {
        let look = sheet.looks[index];
        let short = look.words <= 5 && !look.stops && !look.asks && !look.colon;
        // `Rough lake: islanders wait` has a kicker of its own: it is a headline, no column's name.
        let kicked = sheet.text(index).contains(": ");
        sheet.is_open(index)
            && short
            && !kicked
            && look.words >= 1
            && !look.goes_on
            && !look.numbered
            && !look.quote
            && sheet.lines.lines[index].kind == BlockKind::Paragraph
    };
    let teasers: Vec<usize> = (1..sheet.len().saturating_sub(2))
        .filter(|&index| {
            let look = sheet.looks[index + 1];
            let (before, after) = (before(sheet, index), after(sheet, index + 1));
            let framed = before.zip(after).is_some_and(|(before, after)| {
                sheet.is_paragraph(before)
                    && ends_sentence(sheet, before)
                    && sheet.is_paragraph(after)
                    && ends_sentence(sheet, after)
            });
            label(index)
                && framed
                && could_be(sheet, index + 1)
                && look.is_listed_headline()
                && !look.stops
                && look.words >= 7
                && look.weight >= 45
        })
        .collect();
    let columns = teasers.len() >= 2;
    for index in teasers {
        let reason = "the headline of another article under the name of its column";
        sheet.remove(index + 1, Class::Related, "caption.teaser", reason);
        if columns {
            sheet.remove(
                index,
                Class::Related,
                "caption.teaser",
                "the name of a column over a headline",
            );
        }
    }
}

/// A headline and, right after it, one sentence that tells who talks about it: a video and its summary.
fn find_video_summaries(sheet: &mut Sheet<'_>) {
    let first =
        (0..sheet.len()).find(|&index| sheet.is_open(index) && sheet.looks[index].is_solid());
    for index in 1..sheet.len().saturating_sub(1) {
        let (head, summary) = (sheet.looks[index], sheet.looks[index + 1]);
        let (title, text) = (sheet.text(index), sheet.text(index + 1));
        let shaped = head.is_headline()
            && head.words >= 6
            && summary.stops
            && summary.sentences <= 3
            && summary.weight <= 260;
        let open = |index: usize| sheet.is_open(index) && !sheet.is_fragment(index);
        let early = first.is_none_or(|first| index <= first);
        let talk = || tells_of_a_video(text) && (says_again(title, text) || names_the_show(text));
        let same = || early && begins_alike(title, text);
        if shaped
            && open(index)
            && open(index + 1)
            && (talk() || same())
            && after(sheet, index + 1).is_some_and(|next| ends_sentence(sheet, next))
        {
            for index in [index, index + 1] {
                sheet.remove(
                    index,
                    Class::Caption,
                    "caption.video",
                    "the title of a video and the sentence that says who talks in it",
                );
            }
        }
    }
}

/// `... on 'Harbour Live.'`
fn names_the_show(text: &str) -> bool {
    let end = text.trim_end_matches(['.', '\'', '"', '’', '”']);
    end.len() + 2 <= text.len()
        && end.rfind(['\'', '"', '‘', '“']).is_some_and(|at| {
            let before = end[..at].trim_end();
            end.len() - at <= 40 && (before.ends_with(" on") || before.ends_with(" with"))
        })
}

/// The first four words are the same.
fn begins_alike(head: &str, summary: &str) -> bool {
    let (head, summary) = (head.split(' ').take(4), summary.split(' ').take(4));
    head.eq(summary)
}

/// Somebody talks, as summaries of videos say it.
fn tells_of_a_video(text: &str) -> bool {
    const VERBS: &[&str] = &[
        "discusses",
        "discuss",
        "joins",
        "join",
        "explains",
        "explain",
        "weighs",
        "breaks",
        "reacts",
        "talks",
        "previews",
        "reports",
        "sits",
        "shares",
        "provides",
        "speaks",
    ];
    let mut words = text.split(' ').take(12);
    text.starts_with(char::is_uppercase) && words.any(|word| VERBS.contains(&word))
}

/// Three of four longer words of the first stand in the second as well.
fn says_again(head: &str, summary: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words
            .filter(|word| word.chars().count() >= 4)
            .map(str::to_lowercase)
            .collect()
    };
    let (head, summary) = (words(head), words(summary));
    let again = head.iter().filter(|word| summary.contains(word)).count();
    head.len() >= 4 && again * 4 >= head.len() * 3
}

/// A person's name alone on a line, of whom the text speaks: the text of a portrait. In the head it may stand right
/// above the text; the name in a byline is seldom that of somebody in the news.
fn find_names(sheet: &mut Sheet<'_>) {
    let names: Vec<usize> = (1..sheet.len())
        .filter(|&index| is_name(sheet, index))
        .collect();
    let [index] = names[..] else {
        return; // several: a list, or the heads of portraits
    };
    let name = sheet.text(index).trim_end_matches('.');
    let Some((before, after)) = before_or_head(sheet, index).zip(after(sheet, index)) else {
        return;
    };
    let last = name.rsplit(' ').next().unwrap_or(name);
    let head = in_head(sheet, index);
    let framed = head || sheet.is_paragraph(before) && ends_sentence(sheet, before);
    let elsewhere = head || !sheet.text(after).contains(last);
    let spoken_of = (0..sheet.len()).any(|other| {
        other != index && sheet.is_paragraph(other) && sheet.text(other).contains(name)
    });
    if framed && ends_sentence(sheet, after) && spoken_of && elsewhere {
        sheet.remove(
            index,
            Class::Caption,
            "caption.name",
            "the name of somebody in the text, alone on its line",
        );
    }
}

fn before_or_head(sheet: &Sheet<'_>, index: usize) -> Option<usize> {
    before(sheet, index).or(index.checked_sub(1))
}

/// Two or three words of letters, each with a capital.
fn is_name(sheet: &Sheet<'_>, index: usize) -> bool {
    let text = sheet.text(index).trim_end_matches('.');
    let capital = |word: &str| {
        word.chars().count() >= 3
            && word.starts_with(char::is_uppercase)
            && word
                .chars()
                .all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’'))
            && word.chars().skip(1).any(char::is_lowercase)
    };
    sheet.is_open(index)
        && sheet.looks[index].words <= 3
        && (2..=3).contains(&text.split(' ').count())
        && sheet.lines.lines[index].kind == BlockKind::Paragraph
        && text.split(' ').all(capital)
        && sheet.hits[index].is_empty()
        && !sheet.is_fragment(index)
}

/// `Ada Brill attends the opening of the harbour.`: what is seen in a picture, in the present tense. One sentence alone
/// says nothing; several that begin with the same words, or one between the headline and the text, do.
fn find_people_posing(sheet: &mut Sheet<'_>) {
    let mut poses: Vec<(usize, &str)> = Vec::new();
    for index in 1..sheet.len() {
        let look = sheet.looks[index];
        // Quoted names count as the ends of sentences.
        let single = look.stops && look.sentences <= 3 && look.weight <= 170;
        let line = &sheet.lines.lines[index];
        if sheet.is_open(index)
            && single
            && !look.quote
            && line.kind == BlockKind::Paragraph
            && sheet.hits[index].is_empty()
            && let Some(opening) = posing(sheet.text(index))
        {
            poses.push((index, opening));
        }
    }
    let told = (0..sheet.len()).filter(|&index| sheet.is_paragraph(index));
    let told = told
        .filter(|&index| sheet.looks[index].weight >= 100)
        .count();
    let mut alike: HashMap<&str, usize> = HashMap::new();
    for (_, opening) in &poses {
        *alike.entry(opening).or_default() += 1;
    }
    let found: Vec<usize> = poses
        .iter()
        .filter(|(index, opening)| in_head(sheet, *index) || (3..=told).contains(&alike[opening]))
        .map(|(index, _)| *index)
        .collect();
    for index in found {
        sheet.remove(
            index,
            Class::Caption,
            "caption.posing",
            "tells in the present tense what is seen in a picture, as others beside it do",
        );
    }
}

/// The words up to the verb, if somebody with a name is seen doing what people do in pictures.
fn posing(text: &str) -> Option<&str> {
    const VERBS: &[&str] = &[
        "attends", "attend", "poses", "pose", "arrives", "arrive", "waves", "wave", "performs",
        "perform", "gestures", "smiles", "at",
    ];
    let mut words = text.split(' ');
    let name = words
        .by_ref()
        .take_while(|word| word.starts_with(char::is_uppercase))
        .count();
    let mut words = text.split(' ').skip(name);
    let verb = words.next().filter(|verb| VERBS.contains(verb))?;
    // `at` is a verb left out: `Ada Brill at the opening.`
    let end = verb.as_ptr() as usize - text.as_ptr() as usize + verb.len();
    ((1..=4).contains(&name)).then(|| match verb {
        "at" => &text[..end - 2],
        _ => &text[..end],
    })
}
