//! Pictures: lines that are credits, lines that hold one, and the captions that stand with them.

pub(super) mod bare;
mod gallery;

use std::collections::{HashMap, HashSet};

use crate::article::{BlockKind, Caption, Credit};
use crate::clean::credit::FoundCredit;
use crate::clean::finding::{Cut, Finding};
use crate::clean::fold::Folded;
use crate::clean::grammar::{AFTER_ARTICLE, add_cut, is_date};
use crate::clean::line::Line;
use crate::clean::rules::Position;
use crate::clean::sheet::Sheet;
use crate::ledger::Class;

/// A longer line with a credit at its end is a paragraph that the credit was glued to.
const CAPTION_WEIGHT_MAX: usize = 460;

/// Finds credit lines, and cuts credits out of the lines that hold them.
pub(super) fn find_credits(sheet: &mut Sheet<'_>) {
    let book = sheet.rules.credit_book();
    let first = (0..sheet.len()).find(|&index| sheet.looks[index].is_paragraph());
    let first = first.unwrap_or(sheet.len());
    for index in 0..sheet.len() {
        let line = &sheet.lines.lines[index];
        cut_marked_credits(sheet, index, line);
        if sheet.page
            && sheet.class(index) == Some(Class::Credit)
            && holds_caption(sheet, index)
            && let Some(finding) = &mut sheet.findings[index]
        {
            finding.class = Class::Caption;
        }
        let class = sheet.class(index);
        if !matches!(
            class,
            None | Some(Class::Caption | Class::Body | Class::Credit)
        ) {
            continue;
        }
        if sheet.is_open(index) && is_spoken_for(sheet, index) {
            continue;
        }
        if sheet.is_open(index) && book.is_cut(sheet.text(index)) {
            sheet.remove(
                index,
                Class::Credit,
                "credit.cut",
                "the beginning of a credit, cut by a machine",
            );
            continue;
        }
        let caption = class == Some(Class::Caption) || hinted(sheet, index);
        if !caption && !sheet.may_have_credit[index] {
            continue;
        }
        if let Some(credit) = book
            .whole(sheet.text(index))
            .filter(|_| class != Some(Class::Caption))
            .filter(|credit| credit.rule == "credit.source" || !is_after_article(line))
        {
            if sheet.is_open(index) && is_wire_byline(sheet, index) {
                sheet.remove(
                    index,
                    Class::Byline,
                    "head.wire",
                    "the agency that the text comes from, under the headline",
                );
                continue;
            }
            if claimed(sheet, index, &credit, first) {
                continue;
            }
            if sheet.is_open(index) && is_free(sheet, index, &credit) {
                sheet.findings[index] =
                    Some(Finding::removed(Class::Credit, credit.rule, credit.reason));
            }
            continue;
        }
        if is_after_article(line) {
            continue;
        }
        if sheet.text(index).starts_with('©') {
            take_front(sheet, index);
        }
        let mut credits = book.tail(sheet.text(index));
        if credits.is_empty() && caption {
            credits.extend(book.name_in_caption(sheet.text(index)));
        }
        if !credits.is_empty() {
            take_tail(sheet, index, credits);
        }
        take_front(sheet, index);
    }
    find_repeated_names(sheet);
}

/// Below the article stand the page's own rights; only the source of the text is told there.
fn is_after_article(line: &Line<'_>) -> bool {
    let hint = line.hint.as_ref();
    hint.is_some_and(|hint| hint.rule == AFTER_ARTICLE)
}

/// What a page's structure calls a credit may be the caption, or the caption with its credit.
fn holds_caption(sheet: &Sheet<'_>, index: usize) -> bool {
    let (text, look) = (sheet.text(index), sheet.looks[index]);
    let book = sheet.rules.credit_book();
    let sentence = look.stops && look.words >= 6;
    book.whole(text).is_none()
        && look.words >= 6
        && !rules_know(sheet, index, |class| class != Class::Caption)
        && (sentence || !book.tail(text).is_empty() || book.name_in_caption(text).is_some())
}

/// A rule of one of these classes fits the line. Lines that structure is sure of carry no hits of their own.
fn rules_know(sheet: &Sheet<'_>, index: usize, class: impl Fn(Class) -> bool) -> bool {
    let text = sheet.text(index);
    let hits = sheet.rules.hits(text, &Folded::new(text));
    hits.iter()
        .any(|hit| class(hit.rule.class) && !hit.rule.cuts)
}

/// What structure marked as a credit is cut out, whatever it says.
fn cut_marked_credits(sheet: &mut Sheet<'_>, index: usize, line: &Line<'_>) {
    if line.marks.is_empty() {
        return;
    }
    let book = sheet.rules.credit_book();
    let caption = line
        .hint
        .as_ref()
        .filter(|hint| hint.class == Class::Caption);
    let finding = sheet.findings[index].get_or_insert_with(|| match caption {
        Some(hint) => Finding::of_hint(hint),
        None => Finding::kept(Class::Body, "text.body", "running text"),
    });
    for (span, hint) in &line.marks {
        let part = line.text.get(span.clone()).unwrap_or_default();
        // The mark may be around the caption with its credit: the search finds the credit in it.
        if hint.class == Class::Credit && book.whole(part).is_none() && !book.tail(part).is_empty()
        {
            continue;
        }
        add_cut(
            finding,
            Cut {
                span: span.clone(),
                class: hint.class,
                rule: hint.rule.clone(),
                reason: hint.reason.clone(),
            },
        );
    }
}

/// A rule knows the line as furniture, whatever names stand in it: `(Abmelden / Ändern)`.
fn is_spoken_for(sheet: &Sheet<'_>, index: usize) -> bool {
    sheet.hits[index].iter().any(|hit| {
        let furniture = matches!(
            hit.rule.class,
            Class::Ui | Class::Social | Class::Promo | Class::Related
        );
        let everywhere = hit.rule.position == Position::Anywhere && !hit.rule.cuts;
        furniture && everywhere && !sheet.looks[index].is_solid()
            || hit.rule.name == "footer.copyright"
    })
}

/// The line is a byline above the text (`Por Agencia EFE`), or a button that has the name of an agency (`AA`).
fn claimed(sheet: &Sheet<'_>, index: usize, credit: &FoundCredit, first: usize) -> bool {
    // `Von Ada Brill, dpa` is one wherever it stands.
    let first_word = sheet.text(index).split(' ').next().unwrap_or_default();
    let by = matches!(
        first_word,
        "By" | "Von" | "Por" | "Par" | "Di" | "Door" | "Av" | "Af"
    );
    let bare = credit.rule == "credit.agency";
    bare && sheet.hits[index].iter().any(|hit| match hit.rule.class {
        Class::Byline => (by || index < first) && hit.rule.position == Position::Start,
        Class::Ui | Class::Social => true,
        _ => false,
    })
}

/// A credit line stands free: not a piece of a sentence, nor a bare agency where a text is broken at its links.
fn is_free(sheet: &Sheet<'_>, index: usize, credit: &FoundCredit) -> bool {
    let bare = credit.rule == "credit.agency" && sheet.looks[index].words <= 3;
    let solid = sheet.looks[index].is_solid();
    let heading = sheet.lines.lines[index].kind == BlockKind::Heading;
    !(solid || heading || sheet.is_fragment(index) || bare && goes_on_after(sheet, index))
}

fn goes_on_after(sheet: &Sheet<'_>, index: usize) -> bool {
    let open = |look: &crate::clean::look::Look| {
        !look.stops && !look.asks && look.words >= 6 && !look.colon
    };
    let before = index
        .checked_sub(1)
        .is_some_and(|before| open(&sheet.looks[before]));
    before && sheet.looks.get(index + 1).is_some_and(|next| next.goes_on)
}

/// Credits at the end of a line: it is a caption, or a paragraph that the credit was glued to, or a text's sign-off.
fn take_tail(sheet: &mut Sheet<'_>, index: usize, credits: Vec<FoundCredit>) {
    let look = sheet.looks[index];
    let caption = sheet.class(index) == Some(Class::Caption) || hinted(sheet, index);
    let weak = credits.iter().all(|credit| credit.weak);
    // A wire text's last words may be its agency: no later paragraph, or a paragraph too long for a caption.
    let signs_off = weak
        && !caption
        && (look.weight > 260 || look.sentences > 3 || !paragraph_follows(sheet, index));
    if signs_off {
        return;
    }
    let short = look.weight <= CAPTION_WEIGHT_MAX && look.sentences <= 5;
    if !short && !caption && weak {
        return;
    }
    let finding = sheet.findings[index].get_or_insert_with(|| match short {
        true => Finding::removed(
            Class::Caption,
            "caption.with_credit",
            "a short line that ends in a credit",
        ),
        false => Finding::kept(Class::Body, "text.body", "running text"),
    });
    for credit in credits {
        add_cut(finding, cut_of(credit));
    }
}

/// The credit, cut out of the line that it stands in.
fn cut_of(credit: FoundCredit) -> Cut {
    Cut {
        span: credit.span,
        class: Class::Credit,
        rule: credit.rule.into(),
        reason: credit.reason.into(),
    }
}

/// A credit in front of a short line makes it a caption.
fn take_front(sheet: &mut Sheet<'_>, index: usize) {
    let look = sheet.looks[index];
    let caption = sheet.class(index) == Some(Class::Caption);
    // No paragraph begins with the sign, however long it is.
    let signed = sheet.text(index).starts_with('©');
    let short = look.weight <= CAPTION_WEIGHT_MAX && look.sentences <= 4 || signed;
    if !(caption || sheet.is_open(index) && short) {
        return;
    }
    let Some(credit) = sheet.rules.credit_book().front(sheet.text(index)) else {
        return;
    };
    let finding = sheet.findings[index].get_or_insert_with(|| {
        Finding::removed(
            Class::Caption,
            "caption.with_credit",
            "a short line that begins with a credit",
        )
    });
    add_cut(finding, cut_of(credit));
}

fn hinted(sheet: &Sheet<'_>, index: usize) -> bool {
    let hint = sheet.lines.lines[index].hint.as_ref();
    hint.is_some_and(|hint| hint.class == Class::Caption)
}

/// The bare name of a wire service right under the first line.
fn is_wire_byline(sheet: &Sheet<'_>, index: usize) -> bool {
    let under =
        !sheet.page && index > 0 && sheet.looks[index - 1].is_headline() && sheet.leads(index - 1);
    under
        && !(0..index).any(|before| sheet.looks[before].is_paragraph())
        && sheet.rules.credit_book().is_wire(sheet.text(index))
}

fn paragraph_follows(sheet: &Sheet<'_>, index: usize) -> bool {
    (index + 1..sheet.len())
        .take(12)
        .any(|later| sheet.looks[later].is_solid() && sheet.hits[later].is_empty())
}

/// A name that stands alone on three lines or more, each time after a line that could be a caption, is a credit.
fn find_repeated_names(sheet: &mut Sheet<'_>) {
    const TIMES: usize = 3;
    let mut names: HashMap<&str, Vec<usize>> = HashMap::new();
    for index in 1..sheet.len() {
        let look = sheet.looks[index];
        let capital = |word: &str| word.starts_with(char::is_uppercase);
        let named = (2..=4).contains(&look.words)
            && !look.stops
            && !look.asks
            && !look.colon
            && !look.capitals;
        if sheet.is_open(index)
            && named
            && !sheet.is_fragment(index)
            && sheet.text(index).split(' ').all(capital)
        {
            names.entry(sheet.text(index)).or_default().push(index);
        }
    }
    for places in names.into_values().filter(|places| places.len() >= TIMES) {
        let after_caption = |&index: &usize| {
            let before = sheet.looks[index - 1];
            sheet.is_open(index - 1) && (8..=220).contains(&before.weight) && before.words >= 4
        };
        if places.iter().filter(|place| after_caption(place)).count() * 4 >= places.len() * 3 {
            for index in places {
                sheet.remove(
                    index,
                    Class::Credit,
                    "credit.repeated_name",
                    "a name that stands after several captions",
                );
            }
        }
    }
}

/// Finds the captions: labelled ones, and the neighbours of credit lines.
pub(super) fn find_captions(sheet: &mut Sheet<'_>) {
    for index in 0..sheet.len() {
        let labelled = sheet.hits[index]
            .iter()
            .find(|hit| hit.rule.class == Class::Caption);
        if let Some(hit) = labelled
            && sheet.is_open(index)
            && (!sheet.looks[index].quote || hit.rule.name == "caption.mark")
        {
            let (rule, reason) = (hit.rule.name.clone(), hit.rule.reason.clone());
            sheet.findings[index] = Some(Finding::removed(Class::Caption, rule, reason));
        }
    }
    let habit = habit(sheet);
    for index in 0..sheet.len() {
        // A credit that a page sets in the place of the caption has no caption besides.
        let alone = hinted(sheet, index);
        if sheet.class(index) == Some(Class::Credit) && !is_source(sheet, index) && !alone {
            find_caption_of(sheet, index, &habit);
        }
    }
    find_repeated_captions(sheet);
    find_short_forms(sheet);
    gallery::find(sheet);
}

fn is_source(sheet: &Sheet<'_>, index: usize) -> bool {
    sheet.findings[index]
        .as_ref()
        .is_some_and(|finding| finding.rule == "credit.source")
}

/// How well a line would do as a caption, 0 to 3.
fn likeness(sheet: &Sheet<'_>, index: Option<usize>) -> u8 {
    let Some(index) = index.filter(|&index| index < sheet.len() && sheet.is_open(index)) else {
        return 0;
    };
    let look = sheet.looks[index];
    let heading = sheet.lines.lines[index].kind != BlockKind::Paragraph;
    let claimed = sheet.hits[index]
        .iter()
        .any(|hit| hit.rule.class != Class::Caption && !hit.rule.cuts);
    match () {
        _ if heading
            || claimed
            || is_date(sheet, index)
            || look.colon
            || look.quote
            || look.goes_on
            || look.ellipsis
            || look.words < 2 =>
        {
            0
        }
        _ if !look.stops && !look.asks && look.weight <= 260 && look.words >= 6 => 3,
        _ if look.stops && look.sentences <= 2 && look.weight <= 190 => 2,
        _ if !look.stops && !look.asks && look.words <= 5 => 1,
        _ => 0,
    }
}

/// How this document sets its captions: on how many of its credit lines one could stand before, or after.
struct Habit {
    credits: usize,
    before: usize,
    after: usize,
    /// The first paragraph.
    first_text: usize,
    /// The last line that stays and is more than a label.
    last_text: usize,
}

fn habit(sheet: &Sheet<'_>) -> Habit {
    let credits: Vec<usize> = (0..sheet.len())
        .filter(|&index| sheet.class(index) == Some(Class::Credit))
        .collect();
    let count = |place: &dyn Fn(usize) -> (u8, u8)| {
        credits
            .iter()
            .filter(|&&index| place(index).0 > place(index).1)
            .count()
    };
    let sides = |index: usize| {
        (
            likeness(sheet, index.checked_sub(1)),
            likeness(sheet, Some(index + 1)),
        )
    };
    Habit {
        credits: credits.len(),
        before: count(&|index| sides(index)),
        after: count(&|index| (sides(index).1, sides(index).0.max(2))),
        first_text: (0..sheet.len())
            .find(|&index| sheet.is_paragraph(index))
            .unwrap_or(sheet.len()),
        last_text: (0..sheet.len())
            .rev()
            .find(|&index| sheet.stays(index) && sheet.looks[index].words >= 5)
            .unwrap_or(0),
    }
}

fn find_caption_of(sheet: &mut Sheet<'_>, credit: usize, habit: &Habit) {
    let before = credit.checked_sub(1);
    let captioned = |index: Option<usize>| {
        index.is_some_and(|index| index < sheet.len() && sheet.class(index) == Some(Class::Caption))
    };
    if captioned(before) || captioned(Some(credit + 1)) {
        return;
    }
    let mut fore = likeness(sheet, before);
    let aft = likeness(sheet, Some(credit + 1));
    if before.is_some_and(|before| is_only_headline(sheet, before, habit.first_text)) {
        fore = 0;
    }
    let leads = before.is_some_and(|before| before <= habit.first_text);
    let after = aft == 3 && (habit.credits == 1 || habit.after * 2 > habit.credits);
    let place = match () {
        _ if fore == 3 && !(after && habit.after > habit.before) => before,
        // A whole sentence is a caption at the document's head, or where the document sets several of them so.
        _ if fore == 2 && !after && (leads || habit.before >= 2) && credit < habit.last_text => {
            before
        }
        _ if after => Some(credit + 1),
        // `Hormuz` and the credit: the name of a place or a person that the text speaks of.
        _ if fore == 1 && before.is_some_and(|before| is_known_name(sheet, before)) => before,
        _ => None,
    };
    if let Some(place) = place {
        sheet.remove(
            place,
            Class::Caption,
            "caption.beside_credit",
            "stands beside the credit of a picture",
        );
    }
}

/// The headline of a flat text may stand right over the credit of the lead picture.
fn is_only_headline(sheet: &Sheet<'_>, index: usize, first_text: usize) -> bool {
    let other = |index: usize| sheet.is_open(index) && sheet.looks[index].is_headline();
    !sheet.page
        && index < first_text
        && sheet.looks[index].is_headline()
        && sheet.leads(index)
        && !(index + 1..first_text.min(sheet.len())).any(other)
}

/// Every word has a capital, and the text around speaks of the last one.
fn is_known_name(sheet: &Sheet<'_>, index: usize) -> bool {
    const NEAR: usize = 40; // lines
    let text = sheet.text(index);
    let last = text.rsplit(' ').next().unwrap_or(text);
    let capital = |word: &str| word.starts_with(char::is_uppercase);
    let inside = |other: &str| other.match_indices(last).any(|(at, _)| at > 0);
    !sheet.looks[index].capitals
        && text.split(' ').all(capital)
        && (index.saturating_sub(NEAR)..sheet.len().min(index + NEAR))
            .filter(|&other| other != index && sheet.is_paragraph(other))
            .any(|other| inside(sheet.text(other)))
}

/// A line without a full stop that stands twice is a caption: in the text and in a gallery, or with both of two pictures.
fn find_repeated_captions(sheet: &mut Sheet<'_>) {
    let mut seen: HashMap<&str, Vec<usize>> = HashMap::new();
    for index in 0..sheet.len() {
        let look = sheet.looks[index];
        let shaped = look.is_listed_headline()
            && look.words >= 6
            && !look.asks
            && !look.capitals
            && !look.ellipsis
            && !look.quote;
        let line = &sheet.lines.lines[index];
        if shaped
            && sheet.is_open(index)
            && line.kind == BlockKind::Paragraph
            && sheet.hits[index].is_empty()
        {
            seen.entry(sheet.text(index)).or_default().push(index);
        }
    }
    for places in seen.into_values().filter(|places| places.len() >= 2) {
        // The first line of all may be the headline, printed again.
        if sheet.leads(places[0]) {
            continue;
        }
        // Beside pictures it is their text; elsewhere the headline of another article.
        let picture = |index: usize| {
            let class = (index < sheet.len()).then(|| sheet.class(index)).flatten();
            matches!(class, Some(Class::Caption | Class::Credit))
        };
        let beside = |&index: &usize| picture(index + 1) || index > 0 && picture(index - 1);
        let class = match places.iter().any(beside) {
            true => Class::Caption,
            false => Class::Related,
        };
        for index in places {
            sheet.remove(
                index,
                class,
                "caption.repeated",
                "a line without a full stop that stands twice",
            );
        }
    }
}

/// A line that is the beginning of a caption right beside it is its short form.
fn find_short_forms(sheet: &mut Sheet<'_>) {
    for index in 0..sheet.len() {
        if !sheet.is_open(index) {
            continue;
        }
        let short = sheet.text(index).trim_end_matches(['…', '.', ',', ' ']);
        let long = |place: Option<usize>| {
            let place = place.filter(|&place| place < sheet.len());
            place.is_some_and(|place| {
                sheet.class(place) == Some(Class::Caption) && sheet.text(place).starts_with(short)
            })
        };
        let beside = long(index.checked_sub(1)) || long(Some(index + 1));
        if beside && short.chars().count() >= 15 {
            sheet.remove(
                index,
                Class::Caption,
                "caption.short_form",
                "is the beginning of the caption beside it",
            );
        }
    }
}

/// Collects captions and credits as data, each caption with its credit.
pub(super) fn collect(sheet: &mut Sheet<'_>) {
    let book = sheet.rules.credit_book();
    let mut captions: Vec<(usize, Caption)> = Vec::new();
    let mut credits: Vec<Credit> = Vec::new();
    let mut lone: Vec<(usize, String)> = Vec::new();
    for index in 0..sheet.len() {
        let Some(finding) = &sheet.findings[index] else {
            continue;
        };
        let text = sheet.text(index);
        let parts = finding.cuts.iter().filter(|cut| cut.class == Class::Credit);
        let parts: Vec<&str> = parts
            .filter_map(|cut| text.get(cut.span.clone()))
            .map(|part| book.bare(part))
            .collect();
        credits.extend(parts.iter().map(|part| book.read(part)));
        match finding.class {
            Class::Credit if is_button(sheet, index) => {}
            Class::Credit => {
                let text = book.bare(text);
                credits.push(book.read(text));
                lone.push((index, text.to_owned()));
            }
            Class::Caption if parts.is_empty() && is_mere_credit(sheet, index) => {
                credits.push(book.read(text));
                lone.push((index, text.to_owned()));
            }
            Class::Caption => {
                let mut rest = text.to_owned();
                for cut in finding
                    .cuts
                    .iter()
                    .rev()
                    .filter(|cut| text.get(cut.span.clone()).is_some())
                {
                    rest.replace_range(cut.span.clone(), " ");
                }
                let rest = caption_text(&rest);
                if rest.contains(char::is_alphabetic) && !is_button(sheet, index) {
                    captions.push((
                        index,
                        Caption {
                            text: rest,
                            credit: (!parts.is_empty()).then(|| parts.join(" ")),
                        },
                    ));
                }
            }
            _ => {}
        }
    }
    pair(&mut captions, &lone);
    dedup(&mut captions);
    sheet.facts.captions = captions.into_iter().map(|(_, caption)| caption).collect();
    let mut seen = HashSet::new();
    credits.retain(|credit| seen.insert(credit.verbatim.clone()));
    sheet.facts.credits = credits;
}

/// What a page's structure calls a caption may be the credit alone.
fn is_mere_credit(sheet: &Sheet<'_>, index: usize) -> bool {
    let text = sheet.text(index);
    let bracket = text.starts_with('(') && text.ends_with(')') && sheet.looks[index].words <= 5;
    sheet.page && (bracket || sheet.rules.credit_book().whole(text).is_some())
}

/// What a page's structure calls a caption or a credit may be the button that shows it, a date or a byline.
fn is_button(sheet: &Sheet<'_>, index: usize) -> bool {
    const BUTTONS: &[&str] = &[
        "caption",
        "show caption",
        "toggle caption",
        "hide caption",
        "close",
    ];
    let look = sheet.looks[index];
    let button = |class: Class| {
        matches!(
            class,
            Class::Ui | Class::FooterExcerpt | Class::Social | Class::Note
        )
    };
    sheet.page
        && (BUTTONS.contains(&Folded::new(sheet.text(index)).core())
            || is_date(sheet, index)
            || look.words <= 3 && rules_know(sheet, index, button)
            || look.words > 3 && rules_know(sheet, index, |class| class == Class::Note))
}

/// The caption without its label and doubled blanks.
fn caption_text(text: &str) -> String {
    const LABELS: &[&str] = &[
        "Image caption ",
        "Media caption ",
        "Video caption ",
        "Caption ",
        "Bildunterschrift ",
    ];
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ") + " ";
    let label = LABELS.iter().find(|label| text.starts_with(**label));
    let text = &text[label.map_or(0, |label| label.len())..];
    text.trim_end_matches([' ', '—', '–', '-', '|', ':', '·'])
        .to_owned()
}

/// A credit line goes with the caption right before it, else with the one right after it.
fn pair(captions: &mut [(usize, Caption)], credits: &[(usize, String)]) {
    for (at, credit) in credits {
        let places = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
        let places = places.filter_map(|place| {
            captions
                .binary_search_by_key(&place, |caption| caption.0)
                .ok()
        });
        let free = places
            .into_iter()
            .find(|&place| captions[place].1.credit.is_none());
        if let Some(place) = free {
            captions[place].1.credit = Some(credit.clone());
        }
    }
}

/// The same caption printed twice counts once.
fn dedup(captions: &mut Vec<(usize, Caption)>) {
    let mut seen: HashSet<String> = HashSet::new();
    captions.retain(|(_, caption)| seen.insert(caption.text.clone()));
}
