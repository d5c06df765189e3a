//! The audit pages and their JSON, as a browser and a program see them.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use common::daemon::{Desk, wait_until};
use serde_json::Value;

const STORY: &str = "Local News\n\nLake ferry returns after winter\n\nThe ferry across the lake sails again from Monday, the harbour office said.\n\nTickets cost the same as last year.\n";
const URL: &str = "https://www.example.org/ferry";

/// What the server answered.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }
}

/// A server on an archive.
struct Pages {
    server: Child,
    at: At,
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

impl Pages {
    fn open(desk: &Desk) -> Pages {
        Pages::listen(desk, "127.0.0.1:0")
    }

    fn listen(desk: &Desk, address: &str) -> Pages {
        let mut command = desk.command();
        command
            .args(["web", "--listen", address])
            .stdout(Stdio::null());
        let mut server = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut told = String::new();
        let stderr = server.stderr.as_mut().unwrap();
        let mut byte = [0];
        while !told.ends_with('\n') && stderr.read(&mut byte).unwrap() > 0 {
            told.push(char::from(byte[0]));
        }
        let address = told
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.split('/').next());
        let address = address.unwrap_or_else(|| panic!("{told}")).to_owned();
        let at = At(address);
        Pages { server, at }
    }
}

/// Where a server listens.
struct At(String);

impl std::ops::Deref for Pages {
    type Target = At;

    fn deref(&self) -> &At {
        &self.at
    }
}

impl At {
    fn port(&self) -> &str {
        self.0.rsplit(':').next().unwrap()
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    fn good(&self, path: &str) -> Answer {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer
    }

    fn json(&self, path: &str) -> Value {
        self.good(path).json()
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port().parse().unwrap())).unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request.push_str(&format!("Host: {}\r\n", self.0));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        stream
            .write_all(format!("{request}\r\n").as_bytes())
            .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head,
            body: bytes[end + 4..].to_vec(),
        }
    }
}

fn add(desk: &Desk, name: &str, text: impl AsRef<[u8]>, url: &str) {
    let file = desk.sandbox.write(name, text);
    desk.run(&["add", file.to_str().unwrap(), "--url", url])
        .expect(0);
}

/// A document with two versions, a capture of other bytes, and all seeds.
fn furnished() -> Desk {
    let desk = Desk::new("");
    for name in common::seed_names() {
        desk.sandbox.put_seed(&name, format!("seeds/{name}"));
    }
    let seeds = desk.sandbox.path("seeds");
    let said = desk.run(&["add", seeds.to_str().unwrap()]);
    assert!(matches!(said.code, 0 | 3), "{}", said.stderr);
    add(&desk, "ferry.txt", STORY, URL);
    add(
        &desk,
        "ferry.txt",
        STORY.replace("the same as", "two crowns more than"),
        URL,
    );
    desk
}

fn document(pages: &Pages, url: &str) -> String {
    let answer = pages.get(&format!(
        "/documents?q={}",
        url.replace(':', "%3A").replace('/', "%2F")
    ));
    assert_eq!(answer.status, 303, "an address leads to its document");
    answer
        .header("location")
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn every_page_answers_over_an_archive_made_of_seeds() {
    let desk = furnished();
    let pages = Pages::open(&desk);
    let overview = pages.good("/").text();
    for part in [
        "Lake ferry returns after winter",
        "Quarantine",
        "Last checkpoint",
        "stopped",
    ] {
        assert!(overview.contains(part), "{part}");
    }
    let mut next = Some(String::new());
    let mut docs = Vec::new();
    while let Some(after) = next {
        let list = pages.json(&format!("/api/v1/documents?after={after}"));
        docs.extend(
            list["documents"]
                .as_array()
                .unwrap()
                .iter()
                .map(|doc| doc["doc"].as_str().unwrap().to_owned()),
        );
        next = list["next"].as_str().map(str::to_owned);
    }
    let mut listed: Vec<_> = desk
        .documents()
        .iter()
        .map(|doc| doc["doc"].as_str().unwrap().to_owned())
        .collect();
    listed.sort();
    docs.sort();
    assert_eq!(docs, listed, "the pages of the list are the list");
    for doc in &docs {
        for path in [
            "",
            "/1",
            "/latest/explain",
            "/1/raw",
            "/1/text",
            "/1/metadata",
            "/1/proof",
            "/compare?old=1&new=1",
        ] {
            pages.good(&format!("/documents/{doc}{path}"));
        }
        for path in ["", "/timeline", "/1", "/1/ledger", "/compare"] {
            pages.json(&format!("/api/v1/documents/{doc}{path}"));
        }
    }
    for path in [
        "/documents",
        "/quarantine",
        "/feed.atom",
        "/metrics",
        "/healthz",
        "/readyz",
        "/assets/style.css",
        "/assets/script.js",
        "/favicon.ico",
        "/api/v1/status",
        "/api/v1/quarantine",
        "/api/v1/openapi.json",
    ] {
        pages.good(path);
    }
}

#[test]
fn a_new_archive_is_told_as_empty_and_as_nothing_else() {
    let desk = Desk::new("");
    let pages = Pages::open(&desk);
    let overview = pages.get("/").text();
    assert!(overview.contains("The archive is empty."), "{overview}");
    assert!(!overview.contains("class=\"notice"), "{overview}");
}

#[test]
fn a_timeline_tells_story_furniture_and_rules_apart() {
    let desk = Desk::new("");
    add(&desk, "a.txt", STORY, URL);
    add(
        &desk,
        "a.txt",
        STORY.replace("the same as", "two crowns more than"),
        URL,
    );
    let other = STORY.replace("the same as", "two crowns more than") + "\nADVERTISEMENT\n";
    add(&desk, "a.txt", &other, URL);
    add(&desk, "a.txt", &other, URL);
    let pages = Pages::open(&desk);
    let doc = document(&pages, URL);
    let page = pages.good(&format!("/documents/{doc}")).text();
    for part in [
        "first seen",
        "Changed: text.",
        "Other bytes, the same story.",
        "The same bytes again.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let entries = pages.json(&format!("/api/v1/documents/{doc}/timeline"));
    let mut shown: Vec<Value> = entries["entries"].as_array().unwrap().clone();
    shown.reverse();
    let mut told = desk.run(&["log", URL, "--json"]).expect(0).json();
    for entry in &mut told {
        entry.as_object_mut().unwrap().remove("part");
    }
    assert_eq!(shown, told);
}

#[test]
fn what_was_removed_stands_marked_with_class_rule_and_reason() {
    let desk = Desk::new("");
    add(&desk, "a.txt", common::seed("aggregator-travel.txt"), URL);
    let pages = Pages::open(&desk);
    let doc = document(&pages, URL);
    let page = pages.good(&format!("/documents/{doc}/1/explain")).text();
    let ledger = pages.json(&format!("/api/v1/documents/{doc}/1/ledger"));
    let mut credits = 0;
    for span in ledger["ledger"].as_array().unwrap() {
        if span["verdict"] == "removed" && span["class"] != "blank" {
            credits += usize::from(span["class"] == "credit");
            for key in ["text", "rule", "reason"] {
                let text = span[key].as_str().unwrap().trim();
                let text = text.replace('&', "&amp;").replace('"', "&quot;");
                assert!(page.contains(&text), "{key}: {text}");
            }
        }
    }
    assert!(credits > 0);
    let explained = desk.run(&["explain", URL, "--json"]).expect(0).json();
    assert_eq!(explained[0]["ledger"], ledger["ledger"]);
}

#[test]
fn two_versions_are_compared_word_by_word_in_both_views() {
    let desk = furnished();
    let pages = Pages::open(&desk);
    let doc = document(&pages, URL);
    for view in ["side", "inline"] {
        let page = pages
            .good(&format!("/documents/{doc}/compare?old=1&new=2&view={view}"))
            .text();
        assert!(
            page.contains("<del>") && page.contains("<ins>two crowns more than</ins>"),
            "{page}"
        );
    }
    let compared = pages.json(&format!("/api/v1/documents/{doc}/compare?old=1&new=2"));
    let told = desk
        .run(&["diff", &format!("{doc}@1"), "@2", "--json"])
        .expect(0)
        .json();
    assert_eq!(compared, told[0]);
    assert_eq!(
        pages.json(&format!("/api/v1/documents/{doc}/compare?of=furniture"))["same"],
        true
    );
    assert_eq!(
        pages
            .get(&format!("/documents/{doc}/compare?of=gulls"))
            .status,
        400
    );
}

#[test]
fn downloads_are_exact_and_never_taken_for_pages() {
    let desk = Desk::new("");
    let raw = b"<!DOCTYPE html><script>alert(1)</script><title>Gulls</title><p>Many gulls sat on the posts of the harbour that morning.</p>\xff\r\n";
    add(&desk, "gulls.html", raw, URL);
    let pages = Pages::open(&desk);
    let doc = document(&pages, URL);
    for root in ["", "/api/v1"] {
        let get = |what: &str| pages.good(&format!("{root}/documents/{doc}/1/{what}"));
        let file = get("raw");
        assert_eq!(file.body, raw);
        assert_eq!(
            file.header("content-type"),
            Some("application/octet-stream")
        );
        for what in ["raw", "text", "metadata", "proof"] {
            let file = get(what);
            assert!(
                file.header("content-disposition")
                    .unwrap()
                    .starts_with("attachment; filename=\""),
                "{what}"
            );
            assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        }
        assert_eq!(get("text").text(), desk.run(&["cat", URL]).expect(0).stdout);
        let meta = desk.run(&["cat", URL, "--meta"]).expect(0).stdout;
        assert_eq!(get("metadata").text(), meta.trim_end_matches('\n'));
        let proof = get("proof");
        let made = desk.run(&["prove", URL, "-o", "-"]).expect(0).stdout;
        assert_eq!(proof.text(), made);
        let file = desk.sandbox.write("gulls.tlog-proof", &proof.body);
        let page = desk.sandbox.write("downloaded.html", get("raw").body);
        let vkey = desk.path("archive/log/vkey");
        let vkey = std::fs::read_to_string(vkey).unwrap();
        desk.run(&[
            "verify",
            file.to_str().unwrap(),
            "--vkey",
            vkey.trim(),
            "--raw",
            page.to_str().unwrap(),
        ])
        .expect(0);
    }
}

#[test]
fn every_answer_forbids_what_it_does_not_need() {
    let desk = Desk::new("");
    let pages = Pages::open(&desk);
    for path in [
        "/",
        "/nothing",
        "/api/v1/status",
        "/metrics",
        "/assets/script.js",
    ] {
        let answer = pages.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(
            answer.header("referrer-policy"),
            Some("no-referrer"),
            "{path}"
        );
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
    }
}

#[test]
fn only_reading_is_answered() {
    let desk = Desk::new("");
    let pages = Pages::open(&desk);
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        for path in ["/", "/api/v1/status", "/nothing"] {
            let answer = pages.ask(method, path, &[]);
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some("GET, HEAD")),
                "{method} {path}"
            );
        }
    }
    let head = pages.ask("HEAD", "/", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn another_sites_name_is_not_answered() {
    let desk = Desk::new("[web]\nhosts = ['archive.example']\n");
    let pages = Pages::open(&desk);
    let asked = |host| pages.ask("GET", "/", &[("Host", host)]).status;
    for host in ["localhost", "127.0.0.1:1", "archive.example"] {
        assert_eq!(asked(host), 200, "{host}");
    }
    for host in ["rebound.example", "127.0.0.1.rebound.example"] {
        assert_eq!(asked(host), 421, "{host}");
    }
}

#[test]
fn an_address_of_the_network_needs_a_token() {
    let desk = Desk::new("");
    let said = desk.run(&["web", "--listen", "0.0.0.0:0"]).expect(78);
    for part in ["token", "web.token_file", "127.0.0.1"] {
        assert!(said.stderr.contains(part), "{}", said.stderr);
    }
    desk.configure("[web]\ntoken_file = 'token'\n");
    std::fs::write(desk.path("token"), "a gull on each of the posts\n").unwrap();
    let pages = Pages::listen(&desk, "0.0.0.0:0");
    let asked = |path: &str, value: &str| pages.ask("GET", path, &[("Authorization", value)]);
    let refused = pages.get("/");
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .header("www-authenticate")
            .unwrap()
            .starts_with("Basic")
    );
    assert!(!refused.text().contains("Last checkpoint"));
    assert_eq!(asked("/", "Bearer a gull on each of the post").status, 401);
    for path in ["/", "/api/v1/status", "/metrics"] {
        assert_eq!(
            asked(path, "Bearer a gull on each of the posts").status,
            200,
            "{path}"
        );
        assert_eq!(pages.get(path).status, 401, "{path}");
    }
    assert_eq!(
        pages.get("/healthz").status,
        200,
        "that we live is no secret"
    );
}

#[test]
fn what_is_not_there_is_told_with_a_way_on() {
    let desk = furnished();
    let pages = Pages::open(&desk);
    let doc = document(&pages, URL);
    for path in [
        "/documents/zzzz".to_owned(),
        "/nothing".to_owned(),
        format!("/documents/{doc}/9"),
        format!("/documents/{doc}/gulls"),
    ] {
        let answer = pages.get(&path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("role=\"search\""), "{path}");
        let answer = pages.get(&format!("/api/v1{path}"));
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json()["error"]["code"], "missing", "{path}");
    }
    for what in ["raw", "text", "metadata", "proof", "ledger"] {
        let answer = pages.get(&format!("/api/v1/documents/{doc}/9/{what}"));
        assert_eq!(answer.json()["error"]["code"], "missing", "{what}");
    }
    for path in [
        "/documents?since=yesterday",
        "/documents?after=x",
        "/quarantine?below=x",
    ] {
        assert_eq!(pages.get(path).status, 400, "{path}");
    }
}

#[test]
fn documents_are_narrowed_by_source_language_date_and_flag() {
    let desk = Desk::new("");
    let file = |name: &str| {
        desk.sandbox
            .put_seed(name, name)
            .to_str()
            .unwrap()
            .to_owned()
    };
    desk.run(&[
        "add",
        &file("page-russian-1251.html"),
        "--url",
        "https://one.example/a",
    ])
    .expect(0);
    desk.run(&[
        "add",
        &file("aggregator-travel.txt"),
        "--url",
        "https://www.two.example/b",
    ])
    .expect(0);
    desk.run(&["add", &file("aggregator-sport.txt")]).expect(0);
    let pages = Pages::open(&desk);
    let count = |query: &str| {
        let list = pages.json(&format!("/api/v1/documents?{query}"));
        list["documents"].as_array().unwrap().len()
    };
    for (query, expected) in [
        ("", 3),
        ("source=one.example", 1),
        ("source=www.two.example", 1),
        ("source=add", 1),
        ("source=three.example", 0),
        ("lang=ru", 1),
        ("lang=en", 2),
        ("flag=truncated&source=two.example", 1),
        ("flag=truncated&lang=ru", 0),
        ("since=2999-01-01", 0),
        ("until=2001-01-01", 0),
        ("since=2001-01-01&until=2999-01-01", 3),
    ] {
        assert_eq!(count(query), expected, "{query}");
    }
    let page = pages.good("/documents?lang=ru").text();
    assert!(page.contains("<option value=\"ru\" selected"), "{page}");
}

#[test]
fn versions_are_found_by_words_and_without_an_index_it_is_said() {
    let desk = furnished();
    let pages = Pages::open(&desk);
    let page = pages.good("/documents?q=crowns").text();
    assert!(page.contains("not indexed yet"), "{page}");
    desk.run(&["search", "ferry"]).expect(0);
    let found = pages.json("/api/v1/search?q=crowns");
    let titles = found["hits"].as_array().unwrap().iter();
    let titles: Vec<_> = titles.map(|hit| hit["title"].as_str().unwrap()).collect();
    assert_eq!(
        titles[0], "Lake ferry returns after winter",
        "the newest is first"
    );
    assert_eq!(found["behind"], 0);
    let hits = |query: &str| {
        let found = pages.json(&format!("/api/v1/search?q={query}"));
        found["hits"].as_array().unwrap().len()
    };
    assert_eq!(hits("crowns+-zebra+-okapi"), hits("crowns"));
    assert_eq!(hits("crowns+-zebra+-crowns"), 0);
    let page = pages.good("/documents?q=crowns").text();
    assert!(page.contains("<mark>crowns</mark>"), "{page}");
    assert_eq!(pages.get("/api/v1/search?q=-").status, 400);
}

#[test]
fn the_feed_names_new_versions_and_stays_well_formed() {
    let desk = Desk::new("");
    add(
        &desk,
        "a.txt",
        STORY.replace("winter", "<winter> & \u{1b}[31m \u{ffff}"),
        URL,
    );
    let pages = Pages::open(&desk);
    let feed = pages.good("/feed.atom");
    assert_eq!(
        feed.header("content-type"),
        Some("application/atom+xml; charset=utf-8")
    );
    let text = feed.text();
    assert!(text.contains("&lt;winter&gt; &amp;"), "{text}");
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text}"
    );
    let opened = text.matches("<entry>").count();
    assert_eq!((opened, text.matches("</entry>").count()), (1, 1));
}

#[test]
fn figures_come_in_both_forms() {
    let desk = furnished();
    let pages = Pages::open(&desk);
    let plain = pages.good("/metrics");
    assert_eq!(
        plain.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert!(
        plain.text().contains("\nfaircopy_captures_total 9"),
        "{}",
        plain.text()
    );
    let open = pages.ask(
        "GET",
        "/metrics",
        &[("Accept", "application/openmetrics-text;version=1.0.0")],
    );
    assert!(
        open.header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text; version=1.0.0")
    );
    assert!(open.text().ends_with("# EOF\n") && !plain.text().contains("# EOF"));
    assert!(open.text().contains("# TYPE faircopy_captures counter\n"));
}

#[test]
fn without_the_archive_nothing_is_ready_and_the_figures_say_so() {
    let desk = Desk::new("");
    let pages = Pages::open(&desk);
    pages.good("/readyz");
    std::fs::rename(desk.path("archive"), desk.path("elsewhere")).unwrap();
    wait_until("the archive is missed", || {
        pages.get("/readyz").status == 503
    });
    assert_eq!(pages.get("/documents").status, 500);
    assert!(
        pages
            .good("/metrics")
            .text()
            .contains("faircopy_archive_readable 0\n")
    );
    pages.good("/healthz");
}

/// What would act in a browser, were it not escaped.
const HOSTILE: [&str; 8] = [
    "<script>acted()</script>",
    "\"><img src=x onerror=acted()>",
    "' onfocus='acted()",
    "</title></bdi></details><svg onload=acted()>",
    "javascript:acted()",
    "<base href=//elsewhere.example><iframe srcdoc=x>",
    "\u{202e}gnp.exe\u{2066}\u{1b}[31m",
    "&lt;script&gt;acted()&lt;/script&gt;",
];

/// The tags of a page, each with its attributes; text between them is left out.
fn tags(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(open) = rest.find('<') {
        let mut quoted = false;
        let tag = &rest[open + 1..];
        let end = tag.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let end = end.expect("a tag ends");
        tags.push(tag[..end].to_owned());
        rest = &tag[end..];
    }
    tags
}

/// Panics if there is a tag, an attribute or an address that is not ours.
fn only_ours(what: &str, page: &str) {
    const NAMES: &str = "!DOCTYPE a article aside b bdi blockquote body button caption code datalist dd del details div dl dt \
        footer form h1 h2 head header html input ins label li link main mark meta nav ol option p pre rect script section select \
        span strong summary svg table tbody td th thead time title tr ul";
    for tag in tags(page) {
        let name = tag
            .split([' ', '>'])
            .next()
            .unwrap()
            .trim_start_matches('/');
        assert!(
            NAMES.split_whitespace().any(|known| known == name),
            "{what}: <{tag}>"
        );
        assert!(
            name != "script" || tag == "/script" || tag == "script src=\"/assets/script.js\" defer",
            "{what}: <{tag}>"
        );
        // Outside of quotes there are names of attributes alone.
        for (index, part) in tag.split('"').enumerate() {
            assert!(
                index % 2 == 1 || !part.to_lowercase().contains(" on"),
                "{what}: <{tag}>"
            );
        }
        for attribute in [" href=\"", " src=\"", " action=\""] {
            if let Some((_, rest)) = tag.split_once(attribute) {
                let good = ["/", "#", "http://", "https://"];
                assert!(
                    good.iter().any(|begin| rest.starts_with(begin)) && !rest.starts_with("//"),
                    "{what}: <{tag}>"
                );
            }
        }
    }
    let harmful = |c: char| {
        c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!page.contains(harmful), "{what}");
}

#[test]
fn two_hundred_hostile_documents_appear_as_text_alone() {
    let desk = Desk::new("");
    for number in 0..200 {
        let payload = HOSTILE[number % HOSTILE.len()];
        let text = format!("The ferry {number} left with {payload} on board, the office said.");
        let (ending, content) = match number % 2 {
            0 => (
                "txt",
                format!(
                    "Local {payload}\n\nFerry {number} {payload}\n\n{text}\n\n(Ada {payload}/AFP via Getty Images)\n\n{text}\n\nThe post Ferry {payload} appeared first on {payload}.\n"
                ),
            ),
            _ => {
                let inside = payload
                    .replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('"', "&quot;");
                (
                    "html",
                    format!(
                        "<html><head><title>Ferry {number} {inside}</title><meta name=author content=\"{inside}\"><link rel=canonical href=\"{number}{inside}\"></head><body><nav>{payload}</nav><h1>Ferry {number} {inside}</h1><p>{text}</p><figure><img alt=\"{inside}\"><figcaption>Gulls {inside} Photo: Ada {inside}</figcaption></figure><p>{text}</p></body></html>"
                    ),
                )
            }
        };
        let name = format!("hostile/{number} {}.{ending}", payload.replace('/', "_"));
        desk.sandbox.write(&name, content);
        let declared = serde_json::json!({"url": match number % 3 { 0 => payload.to_owned(), _ => format!("https://gulls.example/{number}?{payload}") }, "source": payload});
        desk.sandbox
            .write(format!("{name}.meta.json"), declared.to_string());
    }
    let folder = desk.sandbox.path("hostile");
    desk.run(&["add", folder.to_str().unwrap()]).expect(0);
    desk.run(&["search", "ferry"]).expect(0);
    let pages = Pages::open(&desk);
    for path in [
        "/",
        "/documents",
        "/documents?q=ferry",
        "/documents?q=%3Cscript%3E+ferry",
        "/documents?source=%22%3E%3Cscript%3E",
        "/documents?since=%3Cscript%3E",
    ] {
        only_ours(path, &pages.get(path).text());
    }
    let documents = desk.documents();
    assert_eq!(documents.len(), 200);
    for document in documents {
        let doc = document["doc"].as_str().unwrap();
        for view in ["", "/1", "/1/explain", "/compare?old=1&new=1"] {
            let path = format!("/documents/{doc}{view}");
            let page = pages.good(&path).text();
            only_ours(&path, &page);
        }
    }
    let feed = pages.good("/feed.atom").text();
    assert!(
        !feed.contains("<script") && !feed.contains("<img"),
        "{feed}"
    );
}

#[test]
fn the_daemon_serves_the_pages_with_its_own_figures() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut desk = Desk::new(&format!("[web]\nlisten = '{address}'\ndaemon = true\n"));
    desk.start();
    desk.sandbox.write("desk/inbox/nothing.txt", "  \n");
    desk.sandbox.write("desk/inbox/ferry.txt", STORY);
    desk.wait_for_documents(1);
    let pages = At(address.to_string());
    wait_until("the daemon tells of both files", || {
        let status = pages.get("/api/v1/status").json();
        status["state"] == "running"
            && status["outcomes"]["archived"] == 1
            && status["quarantine"] == 1
    });
    let page = pages.get("/quarantine").text();
    let claim = desk.run(&["retry", "--json"]).expect(0).json()[0]["claim"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(page.contains(&format!("faircopy retry {claim}")), "{page}");
    let figures = pages.get("/metrics").text();
    for line in [
        "faircopy_daemon_state{state=\"running\"} 1\n",
        "faircopy_quarantine_files 1\n",
        "faircopy_intake_outcomes_total{outcome=\"archived\"} 1\n",
        "faircopy_inbox_present{inbox=\"inbox\"} 1\n",
    ] {
        assert!(figures.contains(line), "{line}: {figures}");
    }
    assert_eq!(desk.stop(), 0);
}
