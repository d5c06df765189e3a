//! The language a text is in.

use whatlang::Lang;

/// So many bytes of text are looked at.
const SAMPLE_BYTES: usize = 1536;

/// From so many bytes on the likeliest language is taken even if the runner-up is near: those are close relatives.
const ENOUGH_BYTES: usize = 100;

/// Words that make up more than a third of any English text, in alphabetical order. Other languages have some of them, none has
/// `the` among them and a quarter of its words here.
const ENGLISH: &[&str] = &[
    "a", "and", "are", "as", "at", "be", "by", "for", "from", "has", "have", "he", "his", "in",
    "is", "it", "of", "on", "said", "that", "the", "this", "to", "was", "were", "who", "with",
];

/// The BCP 47 code of the language of `text`, if there is enough of it to tell.
pub fn detect(text: &str) -> Option<&'static str> {
    let sample = &text[..text.floor_char_boundary(SAMPLE_BYTES)];
    if is_plain_english(sample) {
        return Some("en");
    }
    let info = whatlang::detect(sample)?;
    (info.is_reliable() || sample.len() >= ENOUGH_BYTES).then(|| code(info.lang()))
}

/// Nobody doubts that the text is English. Detection, which counts letters in groups of three and compares them with those of
/// each language, takes longer than reading the page.
fn is_plain_english(sample: &str) -> bool {
    const WORDS_MIN: usize = 60;
    let (mut words, mut english, mut the) = (0, 0, 0);
    for word in sample.split_ascii_whitespace() {
        words += 1;
        english += usize::from(word.len() <= 4 && ENGLISH.binary_search(&word).is_ok());
        the += usize::from(word == "the");
    }
    let beyond_ascii = sample.bytes().filter(|byte| !byte.is_ascii()).count();
    words >= WORDS_MIN
        && english * 4 >= words
        && the * 40 >= words
        && beyond_ascii * 20 <= sample.len()
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
        assert!(is_plain_english(&english.repeat(2)));
        assert_eq!(detect(""), None);
    }
}
