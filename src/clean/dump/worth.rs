//! What each line of a dumped page says for the article, or against it.

use std::collections::HashMap;

use crate::clean::dump::comments::comments;
use crate::clean::dump::signs::{is_data, is_piece, is_teaser};
use crate::clean::rules::Position;
use crate::clean::sheet::Sheet;
use crate::ledger::Class;

/// What each line says for the article, or against it. Comments say nothing for it if there is an article above them.
pub(super) fn worths(sheet: &Sheet<'_>) -> Vec<i32> {
    let mut times: HashMap<&str, u32> = HashMap::new();
    for index in 0..sheet.len() {
        *times.entry(sheet.text(index)).or_default() += 1;
    }
    let worth = |index: usize| worth(sheet, index, times[sheet.text(index)]);
    let mut worths: Vec<i32> = (0..sheet.len()).map(worth).collect();
    let above = |line: usize| best_start(&worths[..line]).map_or(0, |(_, worth)| worth);
    if let Some(comments) = comments(sheet, above) {
        let comments = worths[comments].iter_mut();
        comments.for_each(|worth| *worth = (*worth).min(0));
    }
    worths
}

fn worth(sheet: &Sheet<'_>, index: usize, times: u32) -> i32 {
    let look = sheet.looks[index];
    match sheet.class(index) {
        Some(Class::Caption | Class::Credit | Class::Date | Class::Note | Class::Byline) => 0,
        Some(_) => -5,
        None if is_piece(sheet, index) && !look.is_paragraph() => 0,
        None if times > 1 => -8,
        None if sheet
            .hit(index, &[Position::End, Position::Edges])
            .is_some() =>
        {
            -5
        }
        None if is_teaser(sheet, index) => 2,
        None if look.sentences == 0 && look.weight >= 110 => -2,
        None if look.is_paragraph() => (look.weight / 10).min(30) as i32,
        None if look.stops || look.asks || look.ellipsis || look.quote => 1,
        None if look.colon || is_data(sheet, index) => 0,
        None => -5,
    }
}

/// Where the stretch begins that is worth the most, and how much it is worth.
pub(super) fn best_start(worths: &[i32]) -> Option<(usize, i32)> {
    let mut best = None;
    let mut run = 0;
    for (index, worth) in worths.iter().enumerate().rev() {
        run = worth + run.max(0);
        if run > 0 && best.is_none_or(|(_, most)| run > most) {
            best = Some((index, run));
        }
    }
    best
}
