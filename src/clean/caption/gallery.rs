//! Galleries inside an article: under a heading such as "In pictures", a run of captions with their credits between.

use crate::article::BlockKind;
use crate::clean::fold::Folded;
use crate::clean::sheet::Sheet;
use crate::ledger::Class;

/// So many credits make a run.
const CREDITS_MIN: usize = 3;
/// In a run, no more lines stand between two credits.
const GAP_MAX: usize = 8;

/// All lines of a gallery are captions, also those whose credit is missing.
pub(super) fn find(sheet: &mut Sheet<'_>) {
    let credits: Vec<usize> = (0..sheet.len())
        .filter(|&index| sheet.class(index) == Some(Class::Credit))
        .collect();
    let mut from = 0;
    while from < credits.len() {
        let mut to = from;
        while to + 1 < credits.len() && credits[to + 1] - credits[to] <= GAP_MAX {
            to += 1;
        }
        if to + 1 - from >= CREDITS_MIN
            && let Some(heading) = heading(sheet, credits[from])
            && has_text_before(sheet, heading)
        {
            remove_run(sheet, heading, credits[to]);
        }
        from = to + 1;
    }
}

/// The heading of the gallery, right before its first captions.
fn heading(sheet: &Sheet<'_>, first_credit: usize) -> Option<usize> {
    (first_credit.saturating_sub(4)..first_credit)
        .rev()
        .find(|&index| {
            sheet.looks[index].words <= 9
                && !sheet.looks[index].stops
                && names_gallery(&Folded::new(sheet.text(index)).text)
        })
}

/// A gallery may also be all that a document holds: its captions are the text then.
fn has_text_before(sheet: &Sheet<'_>, heading: usize) -> bool {
    const WEIGHT_MIN: usize = 400;
    let texts = (0..heading).filter(|&index| sheet.is_paragraph(index));
    texts.map(|index| sheet.looks[index].weight).sum::<usize>() >= WEIGHT_MIN
}

fn names_gallery(line: &str) -> bool {
    const NAMES: &[&str] = &[
        "in pictures",
        "in photos",
        "photo gallery",
        "picture gallery",
        "gallery",
        "slideshow",
        "bildergalerie",
        "fotostrecke",
        "bilderstrecke",
        "in bildern",
        "diaporama",
        "en images",
        "en photos",
        "galería",
        "en imágenes",
        "en fotos",
        "galeria",
        "em imagens",
        "em fotos",
        "veja fotos",
        "fotogallery",
        "le foto",
        "in beeld",
        "galeria zdjęć",
        "bildspel",
        "фотогалерея",
        "в фотографиях",
        "写真特集",
        "组图",
        "圖集",
    ];
    NAMES.iter().any(|name| {
        line.find(name).is_some_and(|at| {
            let before = line[..at].chars().next_back();
            let after = line[at + name.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        })
    })
}

fn remove_run(sheet: &mut Sheet<'_>, heading: usize, last_credit: usize) {
    if sheet.is_open(heading) {
        sheet.remove(
            heading,
            Class::Related,
            "caption.gallery",
            "heads a gallery of pictures",
        );
    }
    // After the last credit one more caption may stand without its own.
    let end = (last_credit + 2).min(sheet.len());
    for index in heading + 1..end {
        let line = &sheet.lines.lines[index];
        if !sheet.is_open(index) || line.kind != BlockKind::Paragraph {
            continue;
        }
        let look = sheet.looks[index];
        let capital = |word: &str| !word.starts_with(char::is_lowercase);
        let name = look.words <= 4 && !look.stops && sheet.text(index).split(' ').all(capital);
        let (class, reason) = match name {
            true => (Class::Credit, "a name between the captions of a gallery"),
            false => (Class::Caption, "stands in a gallery of pictures"),
        };
        let last = index + 1 == end && index == last_credit + 1;
        if !last || index + 1 == sheet.len() {
            sheet.remove(index, class, "caption.gallery", reason);
        }
    }
}
