//! Containers: WARC files and the JSON of scrapers, by `add` and through an inbox.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;
use std::path::Path;

use common::daemon::{Desk, wait_until};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

fn page(name: &str) -> String {
    format!(
        "<html><head><title>{name}</title></head><body><article><h1>{name}</h1><p>Ada Brill reports for the Harbour Gazette \
         that the {name} was seen again near the ferry this morning.</p></article></body></html>"
    )
}

fn record(kind: &str, headers: &str, block: &[u8]) -> Vec<u8> {
    let head = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{kind}>\r\n{headers}Content-Length: {}\r\n\r\n",
        block.len()
    );
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

fn response(url: &str, date: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let block = [format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), body].concat();
    let headers = format!(
        "WARC-Target-URI: {url}\r\nWARC-Date: {date}\r\nContent-Type: application/http; msgtype=response\r\n"
    );
    record("response", &headers, &block)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Four pages among other things: one in chunks, one packed, one a resource; the last was fetched twice.
fn records() -> Vec<Vec<u8>> {
    let html = "200 OK\r\nContent-Type: text/html; charset=utf-8";
    let url = |name: &str| format!("https://gazette.example/{name}");
    let chunked = format!("5\r\n{}\r\n", &page("heron")[..5]);
    let rest = &page("heron")[5..];
    let chunked = format!("{chunked}{:x};note=1\r\n{rest}\r\n0\r\n\r\n", rest.len());
    let date = "2024-03-25T09:30:00Z";
    let resource = format!(
        "WARC-Target-URI: <{}>\r\nWARC-Date: {date}\r\nContent-Type: text/html\r\n",
        url("tern")
    );
    vec![
        record(
            "warcinfo",
            "Content-Type: application/warc-fields\r\n",
            b"software: test\r\n",
        ),
        record(
            "request",
            &format!("WARC-Target-URI: {}\r\n", url("gull")),
            b"GET /gull HTTP/1.1\r\n\r\n",
        ),
        response(&url("gull"), date, html, page("gull").as_bytes()),
        response(&url("old"), date, "301 Moved\r\nLocation: /gull", b""),
        response(
            &url("a.png"),
            date,
            "200 OK\r\nContent-Type: image/png",
            b"\x89PNG",
        ),
        response(
            &url("heron"),
            date,
            &format!("{html}\r\nTransfer-Encoding: chunked"),
            chunked.as_bytes(),
        ),
        response(
            &url("cormorant"),
            date,
            &format!("{html}\r\nContent-Encoding: gzip"),
            &gzip(page("cormorant").as_bytes()),
        ),
        record("resource", &resource, page("tern").as_bytes()),
        response(
            &url("tern"),
            "2024-03-26T09:30:00Z",
            html,
            page("arctic tern").as_bytes(),
        ),
    ]
}

fn outcomes(desk: &Desk, path: &Path, code: i32) -> Vec<Value> {
    desk.run(&["add", "--json", path.to_str().unwrap()])
        .expect(code)
        .json()
}

fn archived(outcomes: &[Value]) -> usize {
    outcomes
        .iter()
        .filter(|outcome| outcome["outcome"] == "archived")
        .count()
}

fn captures(desk: &Desk) -> u64 {
    desk.documents()
        .iter()
        .map(|row| row["captures"].as_u64().unwrap())
        .sum()
}

#[test]
fn each_page_of_a_warc_file_is_archived_with_its_address_date_and_headers() {
    type Pack = fn(&[u8]) -> Vec<u8>;
    let packed: [(&str, Pack); 3] = [
        ("plain.warc", <[u8]>::to_vec),
        ("pages.warc.gz", gzip),
        ("pages.warc.zst", |bytes| {
            zstd::encode_all(bytes, 3).unwrap()
        }),
    ];
    for (name, pack) in packed {
        let desk = Desk::new("");
        let bytes: Vec<u8> = records().iter().flat_map(|record| pack(record)).collect();
        let file = desk.sandbox.write(name, bytes);
        let told = outcomes(&desk, &file, 0);
        assert_eq!((told.len(), archived(&told)), (5, 5), "{name}: {told:?}");
        assert!(
            told[0]["path"].as_str().unwrap().ends_with("#3"),
            "{told:?}"
        );
        assert_eq!(desk.documents().len(), 4);
        for bird in ["gull", "heron", "cormorant"] {
            let url = format!("https://gazette.example/{bird}");
            let shown = desk
                .run(&["show", &url, "--json"])
                .expect(0)
                .json()
                .remove(0);
            assert!(shown["text"].as_str().unwrap().contains(bird), "{shown}");
            assert_eq!(shown["captured_at"], "2024-03-25T09:30:00Z");
            assert_eq!(
                shown["declared"]["headers"]["content-type"],
                "text/html; charset=utf-8"
            );
            let warc = &shown["declared"]["warc"];
            assert!(
                warc["head"]
                    .as_str()
                    .unwrap()
                    .contains("WARC-Record-ID: <urn:uuid:response>")
            );
            assert!(
                warc["http_head"]
                    .as_str()
                    .unwrap()
                    .starts_with("HTTP/1.1 200 OK")
            );
        }
        let raw = desk
            .run(&["cat", "--raw", "https://gazette.example/heron"])
            .expect(0);
        assert_eq!(raw.stdout, page("heron"));
        let log = desk
            .run(&["log", "https://gazette.example/tern", "--json"])
            .json();
        assert_eq!(log.len(), 2);
        // The same file again is the same fetches again: nothing is added.
        let again = outcomes(&desk, &file, 0);
        assert!(
            again
                .iter()
                .all(|outcome| outcome["outcome"] == "duplicate"),
            "{again:?}"
        );
        assert_eq!(captures(&desk), 5);
        desk.run(&["check", "--read-data"]).expect(0);
    }
}

#[test]
fn a_warc_file_in_zstd_with_a_dictionary_is_read() {
    let desk = Desk::new("");
    let samples: Vec<Vec<u8>> = (0..200)
        .map(|n| page(&format!("gull {n}")).into_bytes())
        .collect();
    let dictionary = zstd::dict::from_samples(&samples, 4 << 10).unwrap();
    for (name, stored) in [
        ("plain", dictionary.clone()),
        ("packed", zstd::encode_all(&dictionary[..], 3).unwrap()),
    ] {
        let mut bytes = [
            &[0x5d, 0x2a, 0x4d, 0x18],
            &(stored.len() as u32).to_le_bytes()[..],
            &stored,
        ]
        .concat();
        let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &dictionary).unwrap();
        for record in records() {
            bytes.extend(compressor.compress(&record).unwrap());
        }
        let file = desk.sandbox.write(format!("{name}.warc.zst"), bytes);
        assert_eq!(outcomes(&desk, &file, 0).len(), 5);
    }
    assert_eq!(captures(&desk), 5);
}

#[test]
fn a_broken_record_is_named_and_the_others_are_archived() {
    // In a member of its own, in the middle of an unpacked file, and in a file that was packed as a whole.
    let records = records();
    let mut damaged = records[5].clone();
    damaged.splice(0..4, *b"GARB");
    let flipped = {
        let mut member = gzip(&records[5]);
        let middle = member.len() / 2;
        member[middle] ^= 0x10;
        member
    };
    let with = |pack: &dyn Fn(&[u8]) -> Vec<u8>, broken: &[u8]| -> Vec<u8> {
        let parts = records.iter().enumerate();
        parts
            .flat_map(|(n, record)| {
                if n == 5 {
                    broken.to_vec()
                } else {
                    pack(record)
                }
            })
            .collect()
    };
    let mut wrong_digest = records.clone();
    wrong_digest[5] = {
        let text = String::from_utf8(records[5].clone()).unwrap();
        let digest = "WARC-Block-Digest: sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ\r\nContent-Length";
        text.replacen("Content-Length", digest, 1).into_bytes()
    };
    let mut coded = records.clone();
    coded[5] = response(
        "https://gazette.example/heron",
        "2024-03-25T09:30:00Z",
        "200 OK\r\nContent-Type: text/html\r\nContent-Encoding: br",
        b"\x1b\x0a\x00\x00\x24\x81\xe2\x9a\x08gull",
    );
    let torn = {
        let all = records.concat();
        all[..all.len() - 40].to_vec()
    };
    for (name, bytes, good) in [
        ("member.warc.gz", with(&gzip, &flipped), 4),
        ("plain.warc", with(&|r| r.to_vec(), &damaged), 4),
        ("whole.warc.gz", gzip(&with(&|r| r.to_vec(), &damaged)), 4),
        ("digest.warc", wrong_digest.concat(), 4),
        ("torn.warc", torn, 4),
        ("coded.warc", coded.concat(), 4),
    ] {
        let desk = Desk::new("");
        let file = desk.sandbox.write(name, bytes);
        let told = outcomes(&desk, &file, 3);
        assert_eq!(archived(&told), good, "{name}: {told:?}");
        let failed: Vec<&Value> = told.iter().filter(|o| o["error"] != Value::Null).collect();
        assert_eq!(failed.len(), 1, "{name}: {failed:?}");
        assert_eq!(failed[0]["error"]["code"], "broken_part", "{name}");
        let number = if name == "torn.warc" { 9 } else { 6 };
        let message = failed[0]["error"]["message"].as_str().unwrap();
        assert!(
            message.contains(&format!("record {number} at byte ")),
            "{name}: {message}"
        );
    }
}

#[test]
fn the_objects_of_scrapers_are_archived_one_by_one() {
    let object = |bird: &str| {
        json!({
            "url": format!("https://gazette.example/{bird}"), "html": page(bird), "text": "what the scraper made of it",
            "headline": format!("The {bird}"), "date": "2024-03-24", "scraped_at": "2024-03-25 09:30:00", "id": 1,
        })
    };
    let birds = ["gull", "heron", "tern"].map(object);
    let lines = birds.each_ref().map(Value::to_string).join("\n");
    let pretty = birds
        .each_ref()
        .map(|bird| format!("{bird:#}"))
        .join("\n\n");
    for (name, bytes, count) in [
        ("lines.jsonl", lines.clone().into_bytes(), 3),
        ("lines.jsonl.gz", gzip(lines.as_bytes()), 3),
        ("array.json", serde_json::to_vec_pretty(&birds).unwrap(), 3),
        ("one.json", birds[0].to_string().into_bytes(), 1),
        ("pretty.json", pretty.into_bytes(), 3),
    ] {
        let desk = Desk::new("");
        let file = desk.sandbox.write(name, bytes);
        let told = outcomes(&desk, &file, 0);
        assert_eq!(
            (told.len(), archived(&told)),
            (count, count),
            "{name}: {told:?}"
        );
        let shown = desk
            .run(&["show", "https://gazette.example/gull", "--json"])
            .expect(0)
            .json()
            .remove(0);
        assert!(
            shown["text"]
                .as_str()
                .unwrap()
                .contains("the gull was seen"),
            "{shown}"
        );
        assert_eq!(shown["captured_at"], "2024-03-25T09:30:00Z", "{name}");
        assert_eq!(shown["declared"]["title"], "The gull");
        assert_eq!(shown["declared"]["object"]["date"], "2024-03-24");
        assert_eq!(shown["declared"]["object"].get("html"), None);
    }
}

#[test]
fn lines_that_are_broken_are_named_and_objects_without_an_address_stay_apart() {
    let desk = Desk::new("[containers.json]\ncontent = [\"story.words\"]\ntitle = [\"about\"]\n");
    let good = |n: u32| {
        json!({"about": "Ferry", "story": {"words": format!("Ferry {n} came into the harbour.")}})
            .to_string()
    };
    let lines = [
        &good(1),
        "{\"about\": \"torn",
        &good(2),
        "",
        "{\"about\": \"nothing\"}",
        &good(3),
    ];
    let file = desk.sandbox.write("lines.jsonl", lines.join("\n"));
    let told = outcomes(&desk, &file, 3);
    assert_eq!((told.len(), archived(&told)), (5, 3), "{told:?}");
    let messages: Vec<&str> = told
        .iter()
        .filter_map(|o| o["error"]["message"].as_str())
        .collect();
    assert!(
        messages[0].starts_with("line 2:") && messages[1].starts_with("line 5:"),
        "{messages:?}"
    );
    assert_eq!(desk.documents().len(), 3);
    let name = format!("add/{}#5", file.display());
    let text = desk.run(&["cat", &name]).expect(0).stdout;
    assert!(text.contains("Ferry 3"), "{text}");
}

#[test]
fn other_json_and_texts_that_begin_with_a_bracket_are_single_documents() {
    let desk = Desk::new("");
    for (name, text) in [
        (
            "settings.json",
            "{\"title\": \"The ferry's settings\", \"speed\": [12, 14], \"harbour\": {\"name\": \"East\"}}",
        ),
        ("numbers.json", "[1, 2, 3]"),
        (
            "content.json",
            "{\"content\": \"No address, no title and no time stand beside it.\"}",
        ),
        (
            "note.txt",
            "[Photo: Ada Brill] The ferry came into the harbour this morning, and gulls with it.\n",
        ),
        (
            "torn.json",
            "{\"url\": \"https://gazette.example/\", \"html\": \"<p>Torn off",
        ),
        (
            "about.txt",
            "WARC is a format of archives. The Harbour Gazette explains what it is good for.\n",
        ),
    ] {
        let file = desk.sandbox.write(name, text);
        let told = outcomes(&desk, &file, 0);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(!told[0]["path"].as_str().unwrap().contains('#'));
        let raw = desk
            .run(&["cat", "--raw", told[0]["doc"].as_str().unwrap()])
            .expect(0);
        assert_eq!(raw.stdout, text);
    }
}

#[test]
fn a_container_that_unpacks_to_more_than_is_allowed_is_left_with_what_was_read() {
    let desk = Desk::new("[containers]\nunpacked_bytes_max = \"100 KiB\"\n");
    let mut bytes: Vec<u8> = records().iter().flat_map(|record| gzip(record)).collect();
    let zeros = response(
        "https://gazette.example/zeros",
        "2024-03-25T09:30:00Z",
        "200 OK\r\nContent-Type: text/html",
        &vec![0; 10 << 20],
    );
    bytes.extend(gzip(&zeros));
    let file = desk.sandbox.write("bomb.warc.gz", bytes);
    let told = outcomes(&desk, &file, 3);
    assert_eq!(archived(&told), 5, "{told:?}");
    let mut messages = told.iter().filter_map(|o| o["error"]["message"].as_str());
    let message = messages.next().unwrap();
    assert!(
        message.contains("containers.unpacked_bytes_max"),
        "{message}"
    );
}

#[test]
fn through_an_inbox_a_whole_container_goes_to_done_and_one_with_a_broken_record_to_failed() {
    let mut desk = Desk::new("[[inbox]]\nsettle = \"100ms\"\nrelease = \"delete\"\n");
    desk.start();
    let whole: Vec<u8> = records().iter().flat_map(|record| gzip(record)).collect();
    let lines = "{\"url\": \"https://gazette.example/1\", \"text\": \"The ferry came.\"}\nbroken\n";
    std::fs::write(desk.inbox().join("whole.warc.gz"), whole).unwrap();
    std::fs::write(desk.inbox().join("lines.jsonl"), lines).unwrap();
    desk.wait_for_documents(5);
    // By policy a file is deleted; what else a container holds is in no archive.
    wait_until("both are released", || {
        (
            desk.count_files("inbox"),
            desk.count_files("done"),
            desk.count_files("failed"),
        ) == (0, 1, 2)
    });
    let status = desk.run(&["retry", "--json"]).stdout;
    let reason = desk
        .sandbox
        .files("desk/failed")
        .into_iter()
        .find(|path| path.ends_with("reason.json"));
    let reason = desk
        .sandbox
        .read(Path::new("desk/failed").join(reason.unwrap()));
    let reason: Value = serde_json::from_slice(&reason).unwrap();
    assert_eq!(reason["code"], "partly", "{status}");
    let message = reason["message"].as_str().unwrap();
    assert!(
        message.starts_with("1 of 2 documents in it are not archived")
            && message.contains("#2: line 2:"),
        "{message}"
    );
    assert_eq!(captures(&desk), 6);
    // By `add` through the daemon it is unpacked too.
    let file = desk.sandbox.write(
        "again.jsonl",
        lines.replace(
            "broken",
            "{\"url\": \"https://gazette.example/2\", \"text\": \"A gull came.\"}",
        ),
    );
    let told = outcomes(&desk, &file, 0);
    assert_eq!(told.len(), 2, "{told:?}");
    desk.wait_for_documents(6);
    assert_eq!(desk.stop(), 0);
}

#[test]
fn a_container_is_archived_once_and_wholly_through_kills() {
    let mut desk = Desk::new("[[inbox]]\nsettle = \"50ms\"\n[intake]\npoison_deaths_max = 9\n");
    let pages = 400;
    let line = |n: usize| json!({"url": format!("https://gazette.example/{n}"), "html": page(&format!("gull {n}"))});
    let lines: Vec<String> = (0..pages).map(|n| line(n).to_string()).collect();
    std::fs::write(desk.inbox().join("pages.jsonl"), lines.join("\n")).unwrap();
    for kill in 1..=2 {
        desk.spawn();
        desk.wait_for_documents(kill * 20);
        desk.kill();
    }
    desk.start();
    wait_until("it is released", || desk.count_files("done") == 1);
    assert_eq!(desk.stop(), 0);
    assert_eq!(desk.documents().len(), pages);
    assert_eq!(captures(&desk), pages as u64);
    desk.run(&["check", "--read-data"]).expect(0);
}
