//! Families of class and id words: what page authors call the parts of a page, in the languages they do it in.
//!
//! A name is evidence about an element, never proof: `clean/page/context.rs` weighs it against the text that stands there.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::{BitOr, BitOrAssign};
use std::sync::LazyLock;

/// A set of families.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Families(u32);

impl Families {
    pub(super) const NONE: Families = Families(0);
    /// One half of `article-body`, `post-content`, `story-text`.
    const STORY: Families = Families(1);
    /// The other half.
    const CONTENT: Families = Families(1 << 1);
    /// Both halves in one word: where the article's body stands.
    pub(super) const BODY: Families = Families(1 << 2);
    pub(super) const COMMENTS: Families = Families(1 << 3);
    pub(super) const RELATED: Families = Families(1 << 4);
    pub(super) const SHARE: Families = Families(1 << 5);
    pub(super) const NEWSLETTER: Families = Families(1 << 6);
    pub(super) const ADVERT: Families = Families(1 << 7);
    pub(super) const NAVIGATION: Families = Families(1 << 8);
    pub(super) const FOOTER: Families = Families(1 << 9);
    pub(super) const SIDEBAR: Families = Families(1 << 10);
    pub(super) const TAGS: Families = Families(1 << 11);
    pub(super) const AUTHOR: Families = Families(1 << 12);
    pub(super) const BIOGRAPHY: Families = Families(1 << 13);
    pub(super) const DATE: Families = Families(1 << 14);
    pub(super) const CAPTION: Families = Families(1 << 15);
    pub(super) const CREDIT: Families = Families(1 << 16);
    pub(super) const TITLE: Families = Families(1 << 17);
    pub(super) const SECTION: Families = Families(1 << 18);
    pub(super) const LEAD: Families = Families(1 << 19);
    pub(super) const HIDDEN: Families = Families(1 << 20);
    pub(super) const WIDGET: Families = Families(1 << 21);
    pub(super) const GALLERY: Families = Families(1 << 22);
    pub(super) const EMBED: Families = Families(1 << 23);
    pub(super) const PULL_QUOTE: Families = Families(1 << 24);
    pub(super) const META: Families = Families(1 << 25);
    pub(super) const PAYWALL: Families = Families(1 << 26);
    pub(super) const TEASER: Families = Families(1 << 27);
    pub(super) const VIDEO: Families = Families(1 << 28);
    /// Questions about cookies and privacy.
    pub(super) const CONSENT: Families = Families(1 << 30);
    /// Pictures, with what stands beneath them.
    pub(super) const IMAGE: Families = Families(1 << 31);
    /// `list`, `box`, `bar`, `links`: makes a name of one thing a name of many.
    const GROUP: Families = Families(1 << 29);

    /// Any of these families is there.
    pub(super) const fn any(self, other: Families) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn or(self, other: Families) -> Families {
        Families(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Families) -> Families {
        Families(self.0 & !other.0)
    }

    const fn all(self, other: Families) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Families {
    type Output = Families;
    fn bitor(self, other: Families) -> Families {
        self.or(other)
    }
}

impl BitOrAssign for Families {
    fn bitor_assign(&mut self, other: Families) {
        *self = self.or(other);
    }
}

/// The families of a page's names, each found once: a page says the same class hundreds of times, and the same names in many
/// classes.
#[derive(Debug, Default)]
pub(super) struct Dictionary<'a> {
    of_attributes: Known<'a>,
    of_names: Known<'a>,
}

type Known<'a> = HashMap<&'a str, Families, BuildHasherDefault<NameHasher>>;

impl<'a> Dictionary<'a> {
    /// The families of a class, id, role or test-id attribute.
    pub(super) fn families(&mut self, names: &'a str) -> Families {
        let of_names = &mut self.of_names;
        known_or(&mut self.of_attributes, names, |names| {
            of_all(names, |name| known_or(of_names, name, families_of_name))
        })
    }
}

fn known_or<'a>(
    known: &mut Known<'a>,
    names: &'a str,
    find: impl FnOnce(&'a str) -> Families,
) -> Families {
    if let Some(&families) = known.get(names) {
        return families;
    }
    let found = find(names);
    if known.len() < NAMES_MAX {
        known.insert(names, found);
    }
    found
}

const NAMES_MAX: usize = 1024;

/// Fast rather than safe: only so many names are remembered that collisions made on purpose cost little.
#[derive(Debug, Default)]
pub(super) struct NameHasher(u64);

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }
}

/// The families of a class, id, role or test-id attribute.
pub(super) fn families(names: &str) -> Families {
    of_all(names, families_of_name)
}

fn of_all<'a>(names: &'a str, mut of_name: impl FnMut(&'a str) -> Families) -> Families {
    let mut found = Families::NONE;
    let (mut hidden, mut shown_again) = (false, false);
    for name in names.split_ascii_whitespace() {
        found |= of_name(name);
        match name {
            "hidden" | "hide" | "d-none" | "u-hidden" | "is-hidden" => hidden = true,
            // `hidden md:block`, `d-none d-md-flex`: hidden on small screens only.
            _ => shown_again |= name.contains(':') || name.starts_with("d-"),
        }
    }
    if hidden && !shown_again {
        found |= Families::HIDDEN;
    }
    found
}

const PICTURED: Families = Families::CAPTION.or(Families::CREDIT);

/// Longer words are made by machines (hashes of stylesheets) and mean nothing.
const WORD_BYTES_MAX: usize = 32;
/// Longer names are made of a headline (`id="she-was-promoted-to-..."`).
const NAME_WORDS_MAX: usize = 6;

fn families_of_name(name: &str) -> Families {
    // Utility classes of CSS frameworks (`md:hidden`, `w-[300px]`) say how a thing looks, not what it is.
    if name.bytes().any(|byte| matches!(byte, b':' | b'[')) {
        return Families::NONE;
    }
    let mut found = Families::NONE;
    let mut previous: Option<Word> = None;
    for (place, word) in words(name).enumerate() {
        if place == NAME_WORDS_MAX {
            return Families::NONE;
        }
        let before = previous.as_ref().map_or(b"".as_slice(), Word::letters);
        match (before, word.letters()) {
            // `has-sidebar`, `with-comments`, `no-ads` speak of something else on the page.
            (_, b"has" | b"with" | b"no" | b"without" | b"not") => return found,
            (b"before" | b"after" | b"above" | b"below", _) => {}
            (_, second) => {
                let more = families_of_word(&word) | families_of_pair(before, second);
                // `caption-credit` is a credit, `credit-caption` a caption: the last word is the thing.
                if more.any(PICTURED) {
                    found = found.without(PICTURED);
                }
                found |= more;
            }
        }
        previous = Some(word);
    }
    if found.all(Families::STORY.or(Families::CONTENT)) {
        found |= Families::BODY;
    }
    // `social-quote` can be shared; it is a quote all the same.
    if found.any(Families::PULL_QUOTE) {
        found = found.without(Families::SHARE);
    }
    // `author-list` and `authors` are bylines; `caption-list` is a gallery; a `title-bar` is no title.
    if found.any(Families::GROUP) {
        found = found.without(Families::TITLE);
    }
    found
}

fn families_of_pair(first: &[u8], second: &[u8]) -> Families {
    match (first, second) {
        (
            b"read" | b"see" | b"lire" | b"lesen" | b"leia" | b"lea" | b"lees",
            b"more" | b"also" | b"next" | b"aussi" | b"auch" | b"mais" | b"mas" | b"ook"
            | b"tambien" | b"tambem",
        ) => Families::RELATED,
        (b"also", b"read" | b"like" | b"see") | (b"most", _) => Families::RELATED,
        (
            b"more",
            b"from" | b"news" | b"stories" | b"articles" | b"on" | b"posts" | b"headlines"
            | b"like",
        ) => Families::RELATED,
        (
            b"top" | b"other" | b"recent" | b"latest" | b"next" | b"prev" | b"previous",
            b"stories" | b"news" | b"posts" | b"articles" | b"post" | b"article" | b"story",
        ) => Families::RELATED,
        (b"about", b"author" | b"authors" | b"writer") => Families::BIOGRAPHY,
        (
            b"author" | b"autor" | b"writer",
            b"bio" | b"box" | b"card" | b"info" | b"description" | b"about" | b"biography"
            | b"profile",
        ) => Families::BIOGRAPHY,
        // What stands for an embedded thing until its network may know of the reader.
        (b"embed" | b"oembed" | b"iframe" | b"consent", b"placeholder") => Families::CONSENT,
        (b"sign", b"up") => Families::NEWSLETTER,
        (b"pull", b"quote") => Families::PULL_QUOTE,
        (b"sr", b"only") | (b"visually", b"hidden") | (b"screen", b"reader") => Families::HIDDEN,
        (
            b"image" | b"img" | b"photo" | b"picture" | b"media",
            b"text" | b"description" | b"title" | b"desc" | b"info" | b"legend" | b"alt",
        ) => Families::CAPTION,
        (b"image" | b"img" | b"photo" | b"picture" | b"media", b"source" | b"by" | b"author") => {
            Families::CREDIT
        }
        (
            b"post" | b"article" | b"story" | b"entry",
            b"tags" | b"tag" | b"topics" | b"keywords",
        ) => Families::TAGS,
        (
            b"post" | b"article" | b"story" | b"entry",
            b"footer" | b"end" | b"meta" | b"info" | b"details",
        ) => Families::META,
        _ => Families::NONE,
    }
}

/// Cuts a name at signs, digits and humps, in lower case: `relatedPosts-2` is `related`, `posts`.
fn words(name: &str) -> impl Iterator<Item = Word> {
    let bytes = name.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !bytes[at].is_ascii_alphabetic() {
            at += 1;
        }
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_alphabetic() {
            let hump =
                at > start && bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase();
            if hump {
                break;
            }
            at += 1;
        }
        (start < at).then(|| Word::new(&bytes[start..at]))
    })
}

/// A short word in lower case, held without allocation.
struct Word {
    bytes: [u8; WORD_BYTES_MAX],
    len: usize,
}

impl Word {
    fn new(letters: &[u8]) -> Word {
        let len = letters.len().min(WORD_BYTES_MAX);
        let mut bytes = [0; WORD_BYTES_MAX];
        bytes[..len].copy_from_slice(&letters[..len]);
        bytes.make_ascii_lowercase();
        Word { bytes, len }
    }

    /// Its first eight letters as a number; what is missing is zero.
    fn first(&self) -> u64 {
        self.bytes
            .first_chunk()
            .map_or(0, |first| u64::from_be_bytes(*first))
    }

    fn letters(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

fn families_of_word(word: &Word) -> Families {
    let first = word.first();
    // All that are not after the word, and perhaps some that are but begin with the same eight letters.
    let after = FIRSTS.partition_point(|entry| *entry <= first);
    for (entry, whole, families) in WORDS[..after].iter().rev() {
        let (entry, word) = (entry.as_bytes(), word.letters());
        if entry == word || !*whole && word.starts_with(entry) {
            return *families;
        }
        // Entries that share no beginning with the word cannot be prefixes of it, nor can those before them.
        if !word.starts_with(&entry[..2]) {
            break;
        }
    }
    Families::NONE
}

/// The first eight letters of all [`WORDS`], as numbers in the same order.
static FIRSTS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let words = WORDS.iter().map(|(word, ..)| Word::new(word.as_bytes()));
    words.map(|word| word.first()).collect()
});

type Entry = (&'static str, bool, Families);

const fn whole(word: &'static str, families: Families) -> Entry {
    (word, true, families)
}

const fn start(word: &'static str, families: Families) -> Entry {
    (word, false, families)
}

/// Words in order. `whole` stands for the word alone, `start` also for all words that begin with it.
static WORDS: &[Entry] = &{
    use Families as F;
    [
        whole("abo", F::NEWSLETTER),
        whole("abstract", F::LEAD),
        whole("ad", F::ADVERT),
        start("addthis", F::SHARE),
        start("addtoany", F::SHARE),
        whole("ads", F::ADVERT),
        start("adsbygoogle", F::ADVERT),
        whole("adslot", F::ADVERT),
        start("advert", F::ADVERT),
        start("affiliate", F::ADVERT),
        whole("antetitolo", F::SECTION),
        whole("antetitulo", F::SECTION),
        whole("anzeige", F::ADVERT),
        whole("article", F::STORY),
        start("articlebody", F::BODY),
        start("articlecontent", F::BODY),
        start("articletext", F::BODY),
        whole("artikel", F::STORY),
        whole("aside", F::SIDEBAR),
        whole("attribution", F::CREDIT),
        whole("author", F::AUTHOR),
        start("authorbio", F::BIOGRAPHY),
        start("authorbox", F::BIOGRAPHY),
        start("authorinfo", F::BIOGRAPHY),
        whole("authors", F::AUTHOR),
        whole("autor", F::AUTHOR),
        whole("autoren", F::AUTHOR),
        whole("autores", F::AUTHOR),
        whole("bajada", F::LEAD),
        whole("banner", F::ADVERT),
        whole("bar", F::GROUP),
        whole("beitrag", F::STORY),
        whole("bild", F::IMAGE),
        whole("bildunterschrift", F::CAPTION),
        whole("bio", F::BIOGRAPHY),
        whole("biography", F::BIOGRAPHY),
        whole("blog", F::STORY),
        whole("body", F::CONTENT),
        whole("bodytext", F::BODY),
        whole("box", F::GROUP),
        start("breadcrumb", F::NAVIGATION),
        whole("breaking", F::RELATED),
        start("btn", F::WIDGET),
        start("button", F::WIDGET),
        start("byline", F::AUTHOR),
        start("calltoaction", F::NEWSLETTER),
        start("caption", F::CAPTION),
        whole("carousel", F::RELATED),
        whole("category", F::SECTION),
        whole("chapeau", F::LEAD),
        whole("chapo", F::LEAD),
        whole("citat", F::PULL_QUOTE),
        whole("citation", F::PULL_QUOTE),
        start("cmplz", F::CONSENT),
        start("coment", F::COMMENTS),
        start("comment", F::COMMENTS),
        start("commerc", F::ADVERT),
        start("complementary", F::SIDEBAR),
        start("consent", F::CONSENT),
        whole("content", F::CONTENT),
        start("contentinfo", F::FOOTER),
        start("cookie", F::CONSENT),
        whole("copete", F::LEAD),
        whole("copy", F::CONTENT),
        start("copyright", F::CREDIT),
        start("credit", F::CREDIT),
        whole("crumbs", F::NAVIGATION),
        whole("cta", F::NEWSLETTER),
        whole("dachzeile", F::SECTION),
        whole("date", F::DATE),
        whole("dateline", F::DATE),
        whole("dates", F::DATE),
        whole("datetime", F::DATE),
        whole("datum", F::DATE),
        whole("debug", F::WIDGET),
        whole("deck", F::LEAD),
        whole("dek", F::LEAD),
        whole("description", F::LEAD),
        whole("dialog", F::WIDGET),
        start("didomi", F::CONSENT),
        start("disclaimer", F::FOOTER),
        start("disqus", F::COMMENTS),
        start("donat", F::NEWSLETTER),
        start("dropdown", F::NAVIGATION),
        start("embed", F::EMBED),
        whole("entradilla", F::LEAD),
        whole("entry", F::STORY),
        start("entrycontent", F::BODY),
        whole("excerpt", F::LEAD),
        whole("eyebrow", F::SECTION),
        start("factbox", F::SIDEBAR),
        start("faktaboks", F::SIDEBAR),
        start("faktaruta", F::SIDEBAR),
        start("fbcomments", F::COMMENTS),
        whole("fecha", F::DATE),
        whole("figcaption", F::CAPTION),
        start("flyout", F::NAVIGATION),
        whole("follow", F::SHARE),
        whole("followus", F::SHARE),
        start("footer", F::FOOTER),
        whole("foto", F::IMAGE),
        whole("fotos", F::IMAGE),
        start("galler", F::GALLERY),
        start("gdpr", F::CONSENT),
        whole("headline", F::TITLE),
        start("hentry", F::STORY),
        whole("image", F::IMAGE),
        whole("imagem", F::IMAGE),
        whole("imagen", F::IMAGE),
        whole("images", F::IMAGE),
        whole("img", F::IMAGE),
        whole("immagine", F::IMAGE),
        start("infobox", F::SIDEBAR),
        whole("ingress", F::LEAD),
        whole("intro", F::LEAD),
        start("keyword", F::TAGS),
        whole("kicker", F::SECTION),
        start("kommentar", F::COMMENTS),
        whole("latest", F::RELATED),
        whole("lead", F::LEAD),
        start("leaderboard", F::ADVERT),
        whole("lede", F::LEAD),
        whole("legende", F::CAPTION),
        whole("legends", F::CAPTION),
        whole("leserbriefe", F::COMMENTS),
        whole("lightbox", F::WIDGET),
        whole("links", F::GROUP),
        whole("list", F::GROUP),
        start("livefyre", F::COMMENTS),
        start("login", F::WIDGET),
        start("mailchimp", F::NEWSLETTER),
        whole("main", F::CONTENT),
        whole("maincontent", F::CONTENT),
        whole("manchet", F::LEAD),
        start("masthead", F::NAVIGATION),
        whole("menu", F::NAVIGATION),
        whole("menus", F::NAVIGATION),
        whole("meta", F::META),
        whole("metadata", F::META),
        whole("modal", F::WIDGET),
        start("mostpopular", F::RELATED),
        start("mostread", F::RELATED),
        whole("mpu", F::ADVERT),
        whole("nav", F::NAVIGATION),
        start("navbar", F::NAVIGATION),
        whole("navi", F::NAVIGATION),
        start("navigation", F::NAVIGATION),
        whole("news", F::STORY),
        start("newsletter", F::NEWSLETTER),
        whole("noticia", F::STORY),
        start("offscreen", F::HIDDEN),
        start("onetrust", F::CONSENT),
        start("optanon", F::CONSENT),
        start("optin", F::NEWSLETTER),
        start("outbrain", F::RELATED),
        start("overlay", F::WIDGET),
        whole("pager", F::NAVIGATION),
        start("pagination", F::NAVIGATION),
        start("paywall", F::PAYWALL),
        whole("photo", F::IMAGE),
        start("photocredit", F::CREDIT),
        whole("photographer", F::CREDIT),
        whole("photos", F::IMAGE),
        start("piano", F::PAYWALL),
        whole("picture", F::IMAGE),
        whole("pictures", F::IMAGE),
        whole("poll", F::WIDGET),
        whole("polls", F::WIDGET),
        whole("popin", F::WIDGET),
        start("popover", F::WIDGET),
        start("popular", F::RELATED),
        start("popup", F::WIDGET),
        whole("post", F::STORY),
        start("postbody", F::BODY),
        start("postcontent", F::BODY),
        whole("promo", F::TEASER),
        start("promoted", F::ADVERT),
        start("promotion", F::ADVERT),
        whole("pubdate", F::DATE),
        start("publish", F::DATE),
        start("pullquote", F::PULL_QUOTE),
        whole("quote", F::PULL_QUOTE),
        whole("quotes", F::PULL_QUOTE),
        whole("rail", F::SIDEBAR),
        start("readmore", F::RELATED),
        start("readnext", F::RELATED),
        start("recirc", F::RELATED),
        start("recirculation", F::RELATED),
        whole("reco", F::RELATED),
        start("recommend", F::RELATED),
        whole("reklama", F::ADVERT),
        whole("relacionada", F::RELATED),
        whole("relacionadas", F::RELATED),
        whole("relacionado", F::RELATED),
        whole("relacionados", F::RELATED),
        start("related", F::RELATED),
        start("replies", F::COMMENTS),
        start("reply", F::COMMENTS),
        whole("respond", F::COMMENTS),
        start("richtext", F::BODY),
        whole("rubrik", F::SECTION),
        start("screenreader", F::HIDDEN),
        whole("share", F::SHARE),
        start("sharebar", F::SHARE),
        start("sharebutton", F::SHARE),
        start("sharedaddy", F::SHARE),
        start("sharelinks", F::SHARE),
        whole("shares", F::SHARE),
        whole("sharing", F::SHARE),
        start("sidebar", F::SIDEBAR),
        start("signin", F::WIDGET),
        start("signup", F::NEWSLETTER),
        whole("similar", F::RELATED),
        start("skip", F::NAVIGATION),
        whole("skyscraper", F::ADVERT),
        whole("social", F::SHARE),
        start("socialmedia", F::SHARE),
        start("socials", F::SHARE),
        whole("sottotitolo", F::LEAD),
        whole("soustitre", F::LEAD),
        start("sponsor", F::ADVERT),
        start("sronly", F::HIDDEN),
        start("standfirst", F::LEAD),
        whole("story", F::STORY),
        start("storybody", F::BODY),
        start("storycontent", F::BODY),
        start("storytext", F::BODY),
        start("subheadline", F::LEAD),
        start("subnav", F::NAVIGATION),
        start("subscri", F::NEWSLETTER),
        whole("subtitle", F::LEAD),
        whole("subtitulo", F::LEAD),
        whole("sumario", F::LEAD),
        whole("summary", F::LEAD),
        whole("surtitre", F::SECTION),
        start("taboola", F::RELATED),
        whole("tag", F::TAGS),
        start("tagcloud", F::TAGS),
        start("taglist", F::TAGS),
        whole("tags", F::TAGS),
        start("taxonom", F::TAGS),
        whole("teads", F::ADVERT),
        start("teaser", F::TEASER),
        whole("text", F::CONTENT),
        whole("time", F::DATE),
        start("timestamp", F::DATE),
        whole("title", F::TITLE),
        start("toolbar", F::WIDGET),
        whole("tools", F::WIDGET),
        start("tooltip", F::WIDGET),
        whole("topics", F::TAGS),
        start("trending", F::RELATED),
        start("truste", F::CONSENT),
        start("tweet", F::EMBED),
        whole("untertitel", F::LEAD),
        whole("unterzeile", F::LEAD),
        start("updated", F::DATE),
        start("viafoura", F::COMMENTS),
        start("video", F::VIDEO),
        start("visuallyhidden", F::HIDDEN),
        whole("volanta", F::SECTION),
        whole("vorspann", F::LEAD),
        start("vuukle", F::COMMENTS),
        start("werbung", F::ADVERT),
        whole("whatsapp", F::SHARE),
        whole("zajawka", F::LEAD),
        start("zergnet", F::RELATED),
        whole("zitat", F::PULL_QUOTE),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_in_order() {
        for pair in WORDS.windows(2) {
            assert!(
                pair[0].0 < pair[1].0,
                "{} stands before {}",
                pair[0].0,
                pair[1].0
            );
        }
    }
}
