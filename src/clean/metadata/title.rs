//! Headlines without the name of the site.

use crate::clean::likeness::fold;

/// Signs that part a headline from a site's name.
const PARTERS: &[&str] = &[
    " | ", " - ", " – ", " — ", " :: ", " » ", " « ", " · ", " • ", "｜", "ㅣ", " / ", " ‹ ",
    " › ", " ~ ", "|",
];
/// A site's name has few words.
const SITE_WORDS_MAX: usize = 6;

/// The headline without those of its ends that name the site; `sites` are the site's folded names.
pub(super) fn without_site<'a>(title: &'a str, sites: &[String]) -> &'a str {
    let mut title = title.trim();
    // Section and site may both follow: a handful of rounds is enough.
    for _ in 0..4 {
        let Some(rest) = shorter(title, sites) else {
            break;
        };
        title = rest;
    }
    title
}

/// One of these is in each of [`PARTERS`]: most headlines have none, and are spared the search.
const PARTING: &[char] = &[
    '|', '-', '–', '—', ':', '»', '«', '·', '•', '｜', 'ㅣ', '/', '‹', '›', '~',
];

fn shorter<'a>(title: &'a str, sites: &[String]) -> Option<&'a str> {
    if !title.contains(PARTING) {
        return None;
    }
    for parter in PARTERS {
        let Some(last) = title.rsplit_once(parter) else {
            continue;
        };
        let Some(first) = title.split_once(parter) else {
            continue;
        };
        for (rest, part) in [(last.0, last.1), (first.1, first.0)] {
            if is_site(part, sites) && !rest.trim().is_empty() {
                return Some(rest.trim());
            }
        }
    }
    None
}

pub(super) fn is_site(part: &str, sites: &[String]) -> bool {
    let part = fold(part);
    if part.is_empty() || part.split(' ').count() > SITE_WORDS_MAX {
        return false;
    }
    let tight: String = part.split(' ').collect();
    sites.iter().any(|site| {
        let other: String = site.split(' ').collect();
        // `The Gazette` is `Gazette`, `gazette.com` and `Gazette News`.
        tight == other
            || other.len() >= 4
                && tight.len() >= 4
                && (tight.starts_with(&other)
                    || other.starts_with(&tight)
                    || tight.ends_with(&other)
                    || other.ends_with(&tight))
    })
}

/// What stands before the last bar, where titles of pages part headline and site; `None` without one, or if it is short.
pub(super) fn before_bar(title: &str) -> Option<&str> {
    let (head, tail) = [" | ", " - ", " – ", " — ", "｜"]
        .iter()
        .filter_map(|parter| title.rsplit_once(parter))
        .min_by_key(|(_, tail)| tail.len())?;
    let words = |text: &str| text.split_whitespace().count();
    (words(tail) <= SITE_WORDS_MAX && words(head) > words(tail)).then(|| head.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sites_name_goes_and_the_headlines_dash_stays() {
        let sites = ["the daily gazette".to_owned(), "dailygazette".to_owned()];
        assert_eq!(
            without_site("Rain - again | The Daily Gazette", &sites),
            "Rain - again"
        );
        assert_eq!(
            without_site("Daily Gazette: rain", &sites),
            "Daily Gazette: rain"
        );
        assert_eq!(without_site("dailygazette.com – Rain", &sites), "Rain");
        assert_eq!(without_site("Rain - again", &sites), "Rain - again");
        assert_eq!(
            before_bar("Rain falls all day - again | Gazette"),
            Some("Rain falls all day - again")
        );
    }
}
