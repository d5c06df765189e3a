//! The language a text is in.

use std::sync::LazyLock;

use whatlang::Lang;

use crate::clean::phrases::spread;

/// So many bytes of text are looked at.
const SAMPLE_BYTES: usize = 1536;

/// From so many bytes on the likeliest language is taken even if the runner-up is near: those are close relatives.
const ENOUGH_BYTES: usize = 100;

/// Small words, which make up a third of any text of their language.
const SMALL_WORDS: &[(&str, &str)] = &[
    (
        "en",
        "a and are as at be by for from has have he his in is it of on said that the this to was were who with",
    ),
    (
        "de",
        "als am an auch auf aus bei das dem den der des die ein eine einem einen einer er es für hat ich im in ist mit \
         nach nicht sich sie sind und von war werden wie wird zu zum zur",
    ),
    (
        "fr",
        "a au aux avec ce cette dans de des du elle en est et il la le les leur mais ne on ou par pas plus pour qui que sa \
         se ses son sont sur un une",
    ),
    (
        "es",
        "a al como con de del el en es esta este ha la las le lo los más no para pero por que se sin sobre su sus un una y",
    ),
    (
        "pt",
        "a ao aos as com como da das de do dos e em entre foi já mais mas na nas no nos não o os para pela pelo por que se \
         sua são um uma à",
    ),
    (
        "it",
        "a al alla anche che ci come con da dal dalla dei del della delle di e gli ha i il in la le lo ma nel nella non per \
         più si sono su un una è",
    ),
    (
        "nl",
        "aan als bij dat de deze die door een en er haar heeft het hij in is maar met naar niet nog om ook op over te tot \
         uit van voor was werd wordt zijn",
    ),
];

/// The small words as a table: where a word lies, or in the next places, stands which languages have it, a bit for each.
static LANGUAGES_OF: LazyLock<Box<[(u64, u32); PLACES]>> = LazyLock::new(|| {
    let mut table = Box::new([(0, 0); PLACES]);
    for (index, (_, words)) in SMALL_WORDS.iter().enumerate() {
        for word in words.split_whitespace() {
            let (place, _) = find(&table, packed(word.as_bytes()));
            table[place].0 = packed(word.as_bytes());
            table[place].1 |= 1 << index;
        }
    }
    table
});

/// Several times as many as there are small words, so that most lie where they are looked for.
const PLACES: usize = 1024;

/// No small word is longer.
const WORD_BYTES_MAX: usize = 7;

/// A short word as a number: its bytes behind a one.
fn packed(word: &[u8]) -> u64 {
    let add = |packed, byte: &u8| packed << 8 | u64::from(*byte);
    word.iter().fold(NO_BYTES, add)
}

const NO_BYTES: u64 = 1;

/// Where a word is in the table or would be, and its languages.
fn find(table: &[(u64, u32); PLACES], word: u64) -> (usize, u32) {
    let mut place = (spread(word) >> (u64::BITS - PLACES.ilog2())) as usize;
    while table[place].0 != word && table[place].0 != 0 {
        place = (place + 1) % PLACES;
    }
    (place, table[place].1)
}

/// The BCP 47 code of the language of `text`, if there is enough of it to tell.
pub fn detect(text: &str) -> Option<&'static str> {
    let sample = &text[..text.floor_char_boundary(SAMPLE_BYTES)];
    if let Some(language) = by_small_words(sample) {
        return Some(language);
    }
    let info = whatlang::detect(sample)?;
    (info.is_reliable() || sample.len() >= ENOUGH_BYTES).then(|| code(info.lang()))
}

/// The language whose small words are so many that nobody doubts it, nor takes it for a relative. Detection, which counts letters
/// in groups of three and compares them with those of each language, takes longer than reading the page.
fn by_small_words(sample: &str) -> Option<&'static str> {
    const WORDS_MIN: usize = 40;
    let languages_of = &**LANGUAGES_OF;
    let mut counts = [0; SMALL_WORDS.len()];
    let mut words = 0;
    let mut count = |word: u64, length: usize| {
        words += usize::from(length > 0);
        if !(1..=WORD_BYTES_MAX).contains(&length) {
            return;
        }
        let (_, mut languages) = find(languages_of, word);
        while languages != 0 {
            counts[languages.trailing_zeros() as usize] += 1;
            languages &= languages - 1;
        }
    };
    let (mut word, mut length) = (NO_BYTES, 0);
    for &byte in sample.as_bytes() {
        if byte.is_ascii_whitespace() {
            count(word, length);
            (word, length) = (NO_BYTES, 0);
        } else {
            (word, length) = (word << 8 | u64::from(byte), length + 1);
        }
    }
    count(word, length);
    let (best, most) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
    let others = counts
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != best);
    let next = others.map(|(_, count)| *count).max().unwrap_or_default();
    let sure = most * 4 >= words && next * 3 <= most * 2 || most * 6 >= words && next * 2 <= *most;
    (words >= WORDS_MIN && sure).then_some(SMALL_WORDS[best].0)
}

/// BCP 47 prefers the two-letter code (RFC 5646, 2.2.1) where ISO 639-1 has one.
fn code(lang: Lang) -> &'static str {
    match lang {
        Lang::Afr => "af",
        Lang::Aka => "ak",
        Lang::Amh => "am",
        Lang::Ara => "ar",
        Lang::Aze => "az",
        Lang::Bel => "be",
        Lang::Ben => "bn",
        Lang::Bul => "bg",
        Lang::Cat => "ca",
        Lang::Ces => "cs",
        Lang::Cmn => "zh",
        Lang::Cym => "cy",
        Lang::Dan => "da",
        Lang::Deu => "de",
        Lang::Ell => "el",
        Lang::Eng => "en",
        Lang::Epo => "eo",
        Lang::Est => "et",
        Lang::Fin => "fi",
        Lang::Fra => "fr",
        Lang::Guj => "gu",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Hrv => "hr",
        Lang::Hun => "hu",
        Lang::Hye => "hy",
        Lang::Ind => "id",
        Lang::Ita => "it",
        Lang::Jav => "jv",
        Lang::Jpn => "ja",
        Lang::Kan => "kn",
        Lang::Kat => "ka",
        Lang::Khm => "km",
        Lang::Kor => "ko",
        Lang::Lat => "la",
        Lang::Lav => "lv",
        Lang::Lit => "lt",
        Lang::Mal => "ml",
        Lang::Mar => "mr",
        Lang::Mkd => "mk",
        Lang::Mya => "my",
        Lang::Nep => "ne",
        Lang::Nld => "nl",
        Lang::Nob => "no",
        Lang::Ori => "or",
        Lang::Pan => "pa",
        Lang::Pes => "fa",
        Lang::Pol => "pl",
        Lang::Por => "pt",
        Lang::Ron => "ro",
        Lang::Rus => "ru",
        Lang::Sin => "si",
        Lang::Slk => "sk",
        Lang::Slv => "sl",
        Lang::Sna => "sn",
        Lang::Spa => "es",
        Lang::Srp => "sr",
        Lang::Swe => "sv",
        Lang::Tam => "ta",
        Lang::Tel => "te",
        Lang::Tgl => "tl",
        Lang::Tha => "th",
        Lang::Tuk => "tk",
        Lang::Tur => "tr",
        Lang::Ukr => "uk",
        Lang::Urd => "ur",
        Lang::Uzb => "uz",
        Lang::Vie => "vi",
        Lang::Yid => "yi",
        Lang::Zul => "zu",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_their_shortest_codes() {
        let english = "The minister said that the government would not change its plans this year, and that \
            nobody had asked for it. Those who had hoped for more money will have to wait until the spring, when the \
            next budget is to be read in both houses.";
        assert_eq!(detect(english), Some("en"));
        let russian = "Министр заявил, что правительство не изменит своих планов в этом году.";
        assert_eq!(detect(russian), Some("ru"));
        let dutch = "De veerboot naar de eilanden was in de haven, en niemand op de kade had het over the weather of the north.";
        assert_eq!(detect(&dutch.repeat(4)), Some("nl"));
        assert_eq!(by_small_words(&english.repeat(2)), Some("en"));
        assert_eq!(by_small_words(&russian.repeat(9)), None);
        assert_eq!(detect(""), None);
    }
}
