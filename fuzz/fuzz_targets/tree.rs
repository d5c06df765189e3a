//! The tree of any page keeps its promises: subtrees are stretches of nodes and of text, text nodes partition the text.

#![no_main]

use std::path::Path;

use faircopy::decode::{Options, decode};
use faircopy::document::Body;
use faircopy::submission::Declared;
use faircopy::tree::Kind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|soup: &str| {
    let page = format!("<!doctype html>{soup}");
    let options = Options::default();
    let Ok(document) = decode(
        Path::new("fuzz"),
        page.as_bytes(),
        &Declared::default(),
        &options,
    ) else {
        return;
    };
    let Body::Page(tree) = &document.body else {
        return;
    };
    let mut at = 0;
    for node in tree.nodes() {
        match tree.kind(node) {
            Kind::Text(range) => {
                assert_eq!(range.start, at);
                assert!(!range.is_empty());
                at = range.end;
            }
            Kind::Element(_) => assert_eq!(tree.text_range(node).start, at),
        }
        for child in tree.children(node) {
            assert_eq!(tree.parent(child), Some(node));
            assert!(tree.contains(node, child));
        }
        assert!(tree.subtree_end(node) <= tree.len());
    }
    assert_eq!(at, tree.text().len());
});
