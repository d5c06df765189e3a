//! Decoding, from outside: charsets, compression, binary kinds, pages and texts, hostile input.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says so by falling, and says what it skipped"
)]

mod common;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use encoding_rs::Encoding;
use faircopy::decode::{Options, decode};
use faircopy::document::{Body, CharsetEvidence, Document, Flag, Format, Layer};
use faircopy::submission::{Declared, Reason, ReasonCode};
use proptest::prelude::*;

fn decoded(raw: &[u8]) -> Document {
    try_decode("drop", raw).unwrap_or_else(|reason| panic!("{reason}"))
}

fn refused(raw: &[u8]) -> Reason {
    try_decode("drop", raw).expect_err("is refused")
}

fn try_decode(name: &str, raw: &[u8]) -> Result<Document, Reason> {
    decode(
        Path::new(name),
        raw,
        &Declared::default(),
        &Options::default(),
    )
}

/// Declared with that Content-Type.
fn with_header(raw: &[u8], content_type: &str) -> Document {
    let mut declared = Declared::default();
    declared
        .headers
        .insert("content-type".into(), content_type.into());
    decode(Path::new("drop"), raw, &declared, &Options::default()).expect("decodes")
}

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Sentences as newspapers write them, with the charsets that their language was written in.
const SENTENCES: &[(&str, &[&str])] = &[
    (
        "Die Stadträte haben am Donnerstagabend beschlossen, die Brücke über die Weiße Elster für größere Fahrzeuge zu \
         sperren. „Wir können nicht länger warten“, sagte der Bürgermeister – die Kosten lägen bei 3 Millionen €.",
        &["windows-1252"],
    ),
    (
        "Le ministère a annoncé mercredi que les élèves des collèges seraient équipés dès la rentrée. « Ça ne suffira pas », \
         a répondu le syndicat, qui réclame des créations de postes à l'échelle de la région.",
        &["windows-1252"],
    ),
    (
        "Wczoraj wieczorem mieszkańcy gminy zebrali się przed urzędem, żeby zaprotestować przeciwko budowie żwirowni. \
         Wójt obiecał, że decyzja zostanie jeszcze raz rozważona, ale łatwych rozwiązań nie będzie. Sąsiedzi mówią, że są \
         zmęczeni hałasem i że słyszą go nawet we śnie.",
        &["windows-1250", "iso-8859-2"],
    ),
    (
        "Městský úřad oznámil, že most přes řeku bude příští týden uzavřen. Řidiči musí počítat se zpožděním, \
         uvedla mluvčí krajské policie. Opravy potrvají nejméně půl roku a vyžádají si čtyřicet milionů.",
        &["windows-1250", "iso-8859-2"],
    ),
    (
        "Жители посёлка вышли вчера на улицу, чтобы потребовать ремонта единственной дороги. Глава администрации пообещал, \
         что работы начнутся весной, однако местные газеты сомневаются в этом обещании.",
        &["windows-1251", "koi8-r", "iso-8859-5"],
    ),
    (
        "Οι κάτοικοι του νησιού συγκεντρώθηκαν χθες το βράδυ στην πλατεία για να συζητήσουν το μέλλον του λιμανιού. \
         Ο δήμαρχος υποσχέθηκε ότι τα έργα θα αρχίσουν πριν από το καλοκαίρι.",
        &["windows-1253", "iso-8859-7"],
    ),
    (
        "Belediye başkanı dün akşam yaptığı açıklamada köprünün gelecek ay trafiğe kapatılacağını söyledi. Esnaf ise \
         kararın yanlış olduğunu, çarşıya gelen müşteri sayısının düşeceğini düşünüyor.",
        &["windows-1254"],
    ),
    (
        "תושבי השכונה התאספו אמש מול בניין העירייה כדי למחות על סגירת הספרייה. ראש העיר הבטיח כי ההחלטה תיבחן מחדש \
         לפני תחילת שנת הלימודים.",
        &["windows-1255"],
    ),
    (
        "اجتمع سكان القرية مساء أمس أمام مبنى البلدية للمطالبة بإصلاح الطريق الوحيد المؤدي إلى المدينة، ووعد رئيس البلدية \
         بأن تبدأ الأعمال قبل نهاية الصيف.",
        &["windows-1256"],
    ),
    (
        "市は木曜日、老朽化した橋の通行を来月から全面的に止めると発表した。商店街の店主らは「客足が遠のく」と\
         不安を口にしているが、工事は少なくとも半年かかる見通しだという。",
        &["shift_jis", "euc-jp", "iso-2022-jp"],
    ),
    (
        "市政府星期四宣布，跨河老桥将从下个月起全面封闭维修。附近的商户担心顾客会因此减少，但工程至少需要半年时间才能完成，\
         公交线路也将相应调整。",
        &["gb18030", "gbk"],
    ),
    (
        "市政府星期四宣布，跨河老橋將從下個月起全面封閉維修。附近的商家擔心顧客會因此減少，但工程至少需要半年時間才能完成，\
         公車路線也將隨之調整。",
        &["big5"],
    ),
    (
        "시는 목요일 낡은 다리의 통행을 다음 달부터 전면 중단한다고 발표했다. 인근 상인들은 손님이 줄어들 것이라고 걱정하지만 \
         공사는 적어도 반년이 걸릴 전망이다.",
        &["euc-kr"],
    ),
];

fn encoded(sentence: &str, label: &str) -> Vec<u8> {
    let encoding = Encoding::for_label(label.as_bytes()).expect("a known charset");
    let (bytes, _, unmappable) = encoding.encode(sentence);
    assert!(!unmappable, "{sentence} in {label}");
    bytes.into_owned()
}

fn page(sentence: &str, charset: &str) -> String {
    format!(
        "<!DOCTYPE html><html><head><meta charset=\"{charset}\"><title>x</title></head><body><p>{sentence}</p></body></html>"
    )
}

fn utf_16(text: &str, little_endian: bool) -> Vec<u8> {
    let units = text.encode_utf16();
    if little_endian {
        units.flat_map(u16::to_le_bytes).collect()
    } else {
        units.flat_map(u16::to_be_bytes).collect()
    }
}

#[test]
fn a_declared_charset_is_taken_from_header_and_from_page() {
    for (sentence, labels) in SENTENCES {
        for label in *labels {
            let text = with_header(
                &encoded(sentence, label),
                &format!("text/plain; charset={label}"),
            );
            assert_eq!(text.input(), *sentence, "{label}");
            assert_eq!(text.decoding.charset_evidence, CharsetEvidence::Header);
            let html = decoded(&encoded(&page(sentence, label), label));
            assert_eq!(html.input(), *sentence, "{label}");
            assert_eq!(
                html.decoding.charset_evidence,
                CharsetEvidence::Declared,
                "{label}"
            );
            assert_eq!(
                (html.decoding.format, &*html.flags),
                (Format::Html, &[][..])
            );
        }
    }
}

#[test]
fn an_undeclared_charset_is_detected() {
    for (sentence, labels) in SENTENCES {
        for label in *labels {
            let document = decoded(&encoded(sentence, label));
            assert_eq!(
                document.input(),
                *sentence,
                "{label} taken for {}",
                document.decoding.charset
            );
            assert_eq!(
                document.decoding.charset_evidence,
                CharsetEvidence::Detected,
                "{label}"
            );
        }
    }
}

#[test]
fn a_few_foreign_letters_in_much_ascii_are_detected() {
    let filler = "The council met on Tuesday and decided nothing of note. ".repeat(400);
    let text =
        format!("{filler}A café owner – “not amused” – left early.\n{filler}Señor Muñoz stayed.\n");
    let document = decoded(&encoded(&text, "windows-1252"));
    assert_eq!(document.input(), text);
    assert_eq!(document.decoding.charset, "windows-1252");
}

#[test]
fn utf_8_and_utf_16_are_known_with_and_without_mark() {
    for (sentence, _) in SENTENCES {
        let text = format!("{sentence}\r\n\r\n{sentence}\n");
        let utf_8 = decoded(text.as_bytes());
        assert_eq!(utf_8.input(), text);
        assert_eq!(utf_8.decoding.charset_evidence, CharsetEvidence::Utf8);
        let marked = decoded(format!("\u{feff}{text}").as_bytes());
        assert_eq!((marked.input(), marked.decoding.bom_bytes), (&*text, 3));
        for little_endian in [true, false] {
            let name = if little_endian {
                "UTF-16LE"
            } else {
                "UTF-16BE"
            };
            let marked = decoded(&utf_16(&format!("\u{feff}{text}"), little_endian));
            assert_eq!((marked.input(), marked.decoding.bom_bytes), (&*text, 2));
            assert_eq!(marked.decoding.charset_evidence, CharsetEvidence::Bom);
            let bare = decoded(&utf_16(&text, little_endian));
            assert_eq!((bare.input(), &*bare.decoding.charset), (&*text, name));
            assert_eq!(
                bare.decoding.charset_evidence,
                CharsetEvidence::Utf16Pattern
            );
            let html = decoded(&utf_16(&page(sentence, "utf-16"), little_endian));
            assert_eq!(
                (html.input(), html.decoding.format),
                (*sentence, Format::Html)
            );
            let declared = with_header(
                &utf_16(sentence, little_endian),
                &format!("text/plain; charset={name}"),
            );
            assert_eq!(
                (declared.input(), &*declared.decoding.charset),
                (*sentence, name)
            );
        }
    }
}

#[test]
fn a_declaration_that_the_bytes_belie_is_passed_over_with_a_flag() {
    for (sentence, labels) in SENTENCES {
        // UTF-8 that a server calls Latin-1, the commonest lie of the web.
        for lie in ["iso-8859-1", "windows-1251", "gbk", "shift_jis", "utf-16"] {
            let document = with_header(sentence.as_bytes(), &format!("text/plain; charset={lie}"));
            assert_eq!(document.input(), *sentence, "UTF-8 called {lie}");
            assert_eq!(
                document.flags.contains(&Flag::CharsetContradicted),
                lie != "utf-16"
            );
        }
        let document = decoded(page(sentence, "iso-8859-1").as_bytes());
        assert_eq!(document.input(), *sentence);
        assert_eq!(document.flags, [Flag::CharsetContradicted]);
        for label in labels.iter().filter(|label| !label.starts_with("iso-2022")) {
            let bytes = encoded(&page(sentence, "utf-8"), label);
            let document = decoded(&bytes);
            assert_eq!(document.input(), *sentence, "{label} called UTF-8");
            assert_eq!(document.flags, [Flag::CharsetContradicted]);
        }
    }
    // A header that the page corrects.
    let (sentence, _) = SENTENCES[9];
    let document = with_header(
        &encoded(&page(sentence, "shift_jis"), "shift_jis"),
        "text/html; charset=utf-8",
    );
    assert_eq!(document.input(), sentence);
    assert_eq!(
        document.decoding.charset_evidence,
        CharsetEvidence::Declared
    );
    assert_eq!(document.flags, [Flag::CharsetContradicted]);
}

#[test]
fn a_mark_wins_over_every_declaration() {
    let (sentence, _) = SENTENCES[4];
    let document = with_header(
        format!("\u{feff}{sentence}").as_bytes(),
        "text/plain; charset=koi8-r",
    );
    assert_eq!(
        (document.input(), document.decoding.charset_evidence),
        (sentence, CharsetEvidence::Bom)
    );
}

#[test]
fn damaged_utf_8_stays_utf_8_and_the_places_are_recorded() {
    let (sentence, _) = SENTENCES[4];
    let mut raw = format!("{sentence}\n{sentence}").into_bytes();
    let damage = sentence.len();
    raw[damage] = 0xff;
    let document = decoded(&raw);
    assert_eq!(document.decoding.charset, "UTF-8");
    assert_eq!(document.flags, [Flag::Undecodable]);
    assert_eq!(document.decoding.undecodable_count, 1);
    assert_eq!(document.decoding.undecodable, vec![damage..damage + 1]);
    assert_eq!(document.input(), format!("{sentence}\u{fffd}{sentence}"));
    // The last letter before the full stop is torn in two.
    let torn = decoded(&raw[..damage - 2]);
    assert_eq!(torn.decoding.undecodable, vec![damage - 3..damage - 2]);
}

#[test]
fn line_ends_and_bytes_of_utf_8_text_stay_as_they_are() {
    let raw = "One\r\nTwo\rThree\n\n\u{a0}Four\0\u{2028}<p>";
    let document = decoded(raw.as_bytes());
    assert!(matches!(document.body, Body::Text(_)));
    assert_eq!(document.input(), raw);
}

#[test]
fn compression_is_taken_off_and_said() {
    let text = "A text worth packing.\n".repeat(50);
    let packed = zstd::encode_all(&*gz(text.as_bytes()), 3).unwrap();
    let document = decoded(&packed);
    assert_eq!(document.input(), text);
    assert_eq!(document.decoding.layers, [Layer::Zstd, Layer::Gzip]);
    let html = try_decode("a.html.gz", &gz(b"<p>page</p>")).unwrap();
    assert_eq!(html.decoding.format, Format::Html);
}

#[test]
fn torn_compression_gives_what_could_be_read_with_a_flag() {
    let text: String = (0..60_000_u32)
        .map(|n| format!("line {}\n", n.wrapping_mul(2_654_435_761)))
        .collect();
    for packed in [
        gz(text.as_bytes()),
        zstd::encode_all(text.as_bytes(), 3).unwrap(),
    ] {
        let document = decoded(&packed[..packed.len() * 3 / 4]);
        assert_eq!(document.flags, [Flag::TornCompression]);
        assert!(document.input().len() > 1000 && text.starts_with(document.input()));
        assert_eq!(refused(&packed[..12]).code, ReasonCode::BadCompression);
    }
    assert_eq!(
        refused(b"\x1f\x8b\x08but that is all of it").code,
        ReasonCode::BadCompression
    );
}

#[test]
fn bombs_are_stopped_and_the_reason_says_what_to_do() {
    let options = Options {
        bytes_max: 1 << 20,
        ..Options::default()
    };
    let zeros = vec![b' '; 64 << 20];
    let bombs = [
        gz(&zeros),
        zstd::encode_all(&*zeros, 3).unwrap(),
        gz(&gz(&zeros)),
        zeros,
    ];
    for bomb in bombs {
        let start = common::cpu_time();
        let reason = decode(Path::new("bomb"), &bomb, &Declared::default(), &options).unwrap_err();
        assert_eq!(reason.code, ReasonCode::TooLarge);
        assert!(
            reason.message.contains("1.0 MiB") && reason.message.contains("bytes_max"),
            "{reason}"
        );
        assert!(common::cpu_time() - start < Duration::from_secs(1));
    }
}

#[test]
fn empty_is_refused_in_all_its_forms() {
    for raw in [
        &b""[..],
        b" \r\n\t",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xff\xfe \0\n\0",
        "\u{a0}\u{feff}\u{200b}".as_bytes(),
    ] {
        assert_eq!(refused(raw).code, ReasonCode::Empty, "{raw:?}");
        assert_eq!(refused(&gz(raw)).code, ReasonCode::Empty, "{raw:?}");
    }
    // A page that shows nothing is a page.
    assert!(
        decoded(b"<!doctype html><script>x</script>")
            .input()
            .is_empty()
    );
}

#[test]
fn binary_is_refused_by_name() {
    let pseudo_random: Vec<u8> = (0..8192_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 23) as u8)
        .collect();
    let docx = [
        &b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0"[..],
        b"[Content_Types].xml",
    ]
    .concat();
    let tar = [&b"article.txt"[..], &[0; 246], b"ustar\x0000", &[0; 248]].concat();
    for (raw, kind) in [
        (&b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"[..], "PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "JPEG"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "WebP"),
        (&docx, "Office"),
        (b"PK\x03\x04\x14\0\0\0\x08\0", "ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "Office"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "ELF"),
        (b"SQLite format 3\0\x10\0", "SQLite"),
        (b"\xff\xfe\0\0a\0\0\0", "UTF-32"),
        (&tar, "tar"),
        (&pseudo_random, "NUL"),
        (&[0; 1000], "NUL"),
    ] {
        for raw in [raw.to_vec(), gz(raw)] {
            // The name lies, the content does not.
            let reason = try_decode("article.html", &raw).expect_err("is binary");
            assert_eq!(reason.code, ReasonCode::Binary);
            assert!(reason.message.contains(kind), "{reason}");
        }
    }
}

#[test]
fn content_counts_more_than_its_name() {
    assert_eq!(
        decoded(b"<!doctype html><p>x").decoding.format,
        Format::Html
    );
    let page = try_decode("article.txt", b"<html><body><p>A page</p></body></html>").unwrap();
    assert_eq!(page.decoding.format, Format::Html);
    let text = try_decode("article.html", b"Plain text,\nfalsely named.").unwrap();
    assert_eq!(text.decoding.format, Format::Text);
    let text = decoded(b"<b> is the tag for bold letters, <i> for slanted ones.\n\nBoth are old.");
    assert!(matches!(text.body, Body::Text(_)));
}

/// The decoded page and the CPU time that it took; a clock on the wall would measure what else the machine does.
fn time_of(raw: &str) -> (Document, Duration) {
    let start = common::cpu_time();
    let document = decoded(raw.as_bytes());
    (document, common::cpu_time() - start)
}

#[test]
fn pages_nested_without_end_become_flat_text_at_once() {
    // Debug builds are slower by far; what this guards against takes minutes.
    let limit = if cfg!(debug_assertions) {
        Duration::from_secs(10)
    } else {
        Duration::from_secs(1)
    };
    let repeated = [
        "<div>",
        "<b>",
        "<table>",
        "<font>",
        "<span>",
        "<ul><li>",
        "<table><tr><td>",
        "<div><p>",
        "<b><i><u>",
        "<x-y>",
        "<svg>",
        "<math><mi>",
        "<template>",
        "<button>",
        "<blockquote><a href=x>",
        "<a><div>",
        "<nobr>",
        "<select><option>",
        "<object>",
        "<form><div></form>",
        "<p><b></p>",
        "<section><h1>",
        "<ruby><rt>",
        "<dl><dd>",
    ];
    for tags in repeated {
        let page = format!(
            "<!doctype html><p>Before.</p>{}<p>The end &amp; all.</p>",
            tags.repeat(300_000 / tags.matches('<').count())
        );
        let (document, time) = time_of(&page);
        assert!(time < limit, "{tags} took {time:?}");
        assert!(document.input().contains("Before."), "{tags}");
        if document.flags == [Flag::TooDeep] {
            assert!(matches!(document.body, Body::Text(_)));
            assert!(document.input().ends_with("The end & all."), "{tags}");
        }
    }
    for tags in ["<div>", "<b><i><u>", "<table><tr><td>", "<x-y>", "<a><div>"] {
        let (document, _) = time_of(&format!("<!doctype html>{}text", tags.repeat(100_000)));
        assert_eq!(document.flags, [Flag::TooDeep], "{tags}");
        assert_eq!(document.decoding.format, Format::Html);
    }
}

#[test]
fn formatting_never_closed_costs_no_more_than_it_should() {
    let limit = if cfg!(debug_assertions) {
        Duration::from_secs(20)
    } else {
        Duration::from_secs(2)
    };
    let fonts: String = (0..400).map(|n| format!("<font size={n}>")).collect();
    let attributes: String = (0..100_000).map(|n| format!(" a{n}")).collect();
    let bodies: String = (0..100_000).map(|n| format!("<body a{n}>")).collect();
    let bolds: String = (0..100_000)
        .map(|n| format!("<p><b class=c{n}>x</p>"))
        .collect();
    for page in [
        format!("<p>{fonts}</p>{}", "<p>x</p>".repeat(100_000)),
        format!("<p{attributes}>x</p>"),
        format!("<html{attributes}>x"),
        bodies,
        bolds,
        "<b><p></b>".repeat(100_000),
        "<a><p></a></p>".repeat(100_000),
        format!(
            "{}{}",
            "<div>".repeat(500),
            "<p>x</p></b></span>".repeat(50_000)
        ),
        format!(
            "{}{}",
            "<div><table><tr><td>".repeat(20_000),
            "</table>".repeat(20_000)
        ),
        "<table>x".repeat(100_000),
        "</p>".repeat(300_000),
        "</div>".repeat(300_000),
        "<!--".repeat(300_000),
        "<![CDATA[".repeat(300_000),
        "<script><!--".repeat(100_000),
        "<script><!--<script>".repeat(50_000),
        "<title>".repeat(100_000),
        "<a b='".repeat(100_000),
        "&amp".repeat(300_000),
        "<".repeat(1_000_000),
    ] {
        let page = format!("<!doctype html>{page}");
        let (_, time) = time_of(&page);
        assert!(time < limit, "{}... took {time:?}", &page[..60]);
    }
}

#[test]
fn no_seed_makes_decoding_fall() {
    for name in common::seed_names() {
        let raw = common::seed(&name);
        if let Err(reason) = try_decode(&name, &raw) {
            assert!(!reason.message.is_empty());
        }
    }
}

#[test]
fn every_page_of_the_corpus_becomes_a_tree() {
    let Some(corpus) = common::corpus() else {
        return;
    };
    for set in ["noise", "aeb", "fundus", "wcxb_dev", "htmldate"] {
        let (mut pages, mut nodes, mut text, mut contradicted, mut undecodable) = (0, 0, 0, 0, 0);
        for entry in std::fs::read_dir(corpus.join(set).join("html"))
            .into_iter()
            .flatten()
        {
            let path = entry.unwrap().path();
            let raw = std::fs::read(&path).unwrap();
            // Named without suffix: the content must be enough.
            let document = decoded(&raw);
            let Body::Page(tree) = &document.body else {
                panic!("{} is no page: {:?}", path.display(), document.flags);
            };
            pages += 1;
            nodes += tree.len();
            text += tree.text().len();
            contradicted += usize::from(document.flags.contains(&Flag::CharsetContradicted));
            undecodable += usize::from(document.flags.contains(&Flag::Undecodable));
        }
        println!(
            "{set}: {pages} pages, {nodes} nodes, {text} bytes of text, {contradicted} charsets contradicted, {undecodable} with undecodable bytes"
        );
    }
}

#[test]
fn every_text_of_the_corpus_is_text() {
    let Some(corpus) = common::corpus() else {
        return;
    };
    let mut texts = 0;
    for entry in std::fs::read_dir(corpus.join("aeb_flat").join("text"))
        .into_iter()
        .flatten()
    {
        let raw = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(matches!(decoded(&raw).body, Body::Text(_)));
        texts += 1;
    }
    println!("{texts} texts");
}

/// Bytes that look a little like what comes.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"<p>",
        b"</p>",
        b"<html>",
        b"<meta charset=gbk>",
        b"<!doctype html>",
        b"<?xml encoding='x'?>",
        b"text ",
        b"\r\n",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\x1f\x8b\x08",
        b"\x28\xb5\x2f\xfd",
        b"\xe9",
        b"\xc3\xa9",
        b"\x83\x5c",
        b"\x1b$B",
        b"<script>",
        b"<!--",
        b"=\"",
        b"\xe2\x80",
        b"\xf0\x9f\x98\x80",
        b"&amp;",
        b"PK\x03\x04",
        b"<svg>",
    ];
    let piece = prop_oneof![
        3 => proptest::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_bytes_are_decoded_or_refused(raw in content(), header in "(text/html; charset=)?[a-z0-9-]{0,10}") {
        let mut declared = Declared::default();
        declared.headers.insert("content-type".into(), header);
        let options = Options { bytes_max: 1 << 16, depth_max: 64 };
        for raw in [raw.clone(), gz(&raw)] {
            if let Ok(document) = decode(Path::new("x"), &raw, &declared, &options) {
                let decoding = &document.decoding;
                prop_assert_eq!(decoding.undecodable_count > 0, document.flags.contains(&Flag::Undecodable));
                prop_assert!(decoding.undecodable.iter().all(|place| place.start < place.end));
                prop_assert!(decoding.undecodable.is_sorted_by_key(|place| place.start));
            }
        }
    }

    #[test]
    fn utf_8_text_is_the_bytes_themselves(text in "\\PC{0,200}") {
        if let Some((decoded, bom_bytes)) = clean_utf_8_text(text.as_bytes()) {
            prop_assert_eq!(decoded, &text[bom_bytes..]);
        }
    }

    #[test]
    fn utf_8_text_among_markup_and_marks_is_the_bytes_themselves(raw in content()) {
        if let (Ok(text), Some((decoded, bom_bytes))) = (std::str::from_utf8(&raw), clean_utf_8_text(&raw)) {
            prop_assert_eq!(decoded, &text[bom_bytes..]);
        }
    }
}

/// The decoded text and the length of its mark, if `raw` is taken for flat text in UTF-8 as it stands.
fn clean_utf_8_text(raw: &[u8]) -> Option<(String, usize)> {
    let document = try_decode("x", raw).ok()?;
    let decoding = document.decoding;
    match document.body {
        Body::Text(text) if decoding.charset == "UTF-8" && decoding.layers.is_empty() => {
            Some((text, decoding.bom_bytes))
        }
        _ => None,
    }
}
