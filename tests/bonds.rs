//! What persons say of documents being one or two, and which texts are copies of each other.

#![allow(clippy::unwrap_used)]

mod common;

use common::daemon::Desk;
use serde_json::{Value, json};

const OLD: &str = "https://www.example.org/old";
const NEW: &str = "https://news.example.org/new";

fn story(day: &str) -> String {
    format!(
        "Ferry returns\n\nThe ferry across the lake sails again from {day}, the harbour office said.\n\nTickets cost the same as last year, and dogs sail free of charge until the autumn.\n"
    )
}

fn add(desk: &Desk, url: &str, text: &str) {
    let name = url.rsplit('/').next().unwrap();
    let file = desk.sandbox.write(format!("{name}.txt"), text);
    desk.run(&["add", file.to_str().unwrap(), "--url", url])
        .expect(0);
}

fn log(desk: &Desk, url: &str) -> Vec<Value> {
    desk.run(&["log", url, "--json"]).expect(0).json()
}

#[test]
fn linked_documents_read_as_one_timeline_until_the_link_is_taken_back() {
    let desk = Desk::new("");
    add(&desk, OLD, &story("Monday"));
    add(&desk, NEW, &story("Tuesday"));
    assert_eq!(log(&desk, OLD).len(), 1);
    let link = |more: &[&str]| {
        let args = [&["link", OLD, NEW, "--json"], more].concat();
        desk.run(&args).expect(0).json()[0]["leaf"].clone()
    };
    assert!(link(&["--reason", "moved"]).is_number());
    assert_eq!(link(&[]), Value::Null, "it holds already");
    let rows = log(&desk, OLD);
    assert_eq!(rows.len(), 2);
    assert_ne!(rows[0]["doc"], rows[1]["doc"]);
    let latest = desk.run(&["cat", OLD]).expect(0).stdout;
    assert!(latest.contains("Tuesday"), "what stood last is the other's");
    let own = desk.run(&["cat", &format!("{OLD}@1")]).expect(0).stdout;
    assert!(own.contains("Monday"), "versions keep their names");
    let told = desk.run(&["audit", "--json"]).expect(0).stdout;
    assert!(
        told.contains("\"link\"") && told.contains("moved"),
        "{told}"
    );
    for suffix in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(
            desk.path(format!("archive/catalog.sqlite{suffix}")),
        ));
    }
    assert_eq!(log(&desk, NEW).len(), 2, "a catalog made anew knows it");
    assert!(link(&["--release"]).is_number());
    desk.run(&["check", "--read-data"]).expect(0);
    assert_eq!(log(&desk, OLD).len(), 1);
    assert_eq!(desk.run(&["link", OLD, OLD]).code, 2);
}

#[test]
fn a_document_that_is_split_keeps_its_numbers_and_is_not_compared_across() {
    let mut desk = Desk::new("");
    add(&desk, OLD, &story("Monday"));
    add(
        &desk,
        OLD,
        "Gulls\n\nThe gulls of the harbour came back today, and nobody on the quay had thought that they would.\n",
    );
    desk.run(&["diff", OLD]).expect(0);
    desk.start();
    desk.run(&["split", &format!("{OLD}@2")]).expect(0);
    let parts: Vec<Value> = log(&desk, OLD)
        .iter()
        .map(|row| json!([row["version"], row["part"]]))
        .collect();
    assert_eq!(parts, [json!([1, 1]), json!([2, 2])]);
    let refused = desk.run(&["diff", OLD]);
    assert!(refused.code == 1 && refused.stderr.contains("another document"));
    desk.run(&["diff", &format!("{OLD}@1"), "@2"]).expect(0);
    for wrong in ["@1", "@3"] {
        assert_eq!(desk.run(&["split", &format!("{OLD}{wrong}")]).code, 1);
    }
    desk.run(&["split", &format!("{OLD}@2"), "--release"])
        .expect(0);
    desk.run(&["diff", OLD]).expect(0);
}

#[test]
fn copies_across_sources_are_told_with_the_fullest_first_and_nothing_is_merged() {
    let desk = Desk::new("");
    let paragraphs: Vec<String> = (0..12)
        .map(|n| format!("In the year {n} the ferry number {n} carried goods of kind {n} from the harbour of Tarn to the island, as the {n}. book of the office says."))
        .collect();
    let text =
        |count: usize, head: &str| format!("{head}\n\n{}\n", paragraphs[..count].join("\n\n"));
    add(&desk, OLD, &text(12, "Goods of the ferries"));
    add(
        &desk,
        NEW,
        &text(7, "What ferries carried, by our correspondent"),
    );
    add(&desk, "https://www.example.org/other", &story("Sunday"));
    let found = desk.run(&["duplicates", "--json"]).expect(0).json();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["fullest"]["url"], OLD);
    assert_eq!(found[0]["copies"][0]["url"], NEW);
    assert!(found[0]["copies"][0]["share"].as_f64().unwrap() > 0.8);
    assert_eq!(desk.documents().len(), 3);
}
