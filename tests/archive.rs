//! Archives: what goes in comes out, is known again, and is found again from its records alone.

#[path = "common/shelf.rs"]
mod shelf;

use faircopy::archive::capture::prepare;
use faircopy::archive::reader::Selector;

use shelf::{Shelf, new_version, now};

#[test]
fn what_goes_in_comes_out() {
    let mut shelf = Shelf::new();
    let draft = shelf.draft("a/b.txt", "One.\n\nTwo, more.\nAd", &["One.", "Two, more."]);
    let mut writer = shelf.writer();
    let outcome = writer
        .commit(vec![prepare(draft.clone())], now())
        .expect("committed");
    let (doc, version) = new_version(&outcome[0]);
    assert_eq!((doc.0.len(), version), (16, 1));

    let archive = shelf.reader();
    let row = archive.resolve(&doc, &Selector::Latest).expect("there");
    assert_eq!(archive.read_raw(&row).expect("raw"), draft.raw);
    assert_eq!(archive.read_text(&row).expect("text"), draft.article.text);
    let metadata = archive.read_metadata(&row).expect("metadata");
    assert_eq!(metadata.article, draft.article);
    assert_eq!(metadata.ledger, draft.ledger);
    assert_eq!(metadata.decoding, draft.decoding);
    assert_eq!(metadata.observation.signature, draft.signature);
    assert_eq!(metadata.observation.identity, draft.identity);
    assert_eq!(
        (metadata.rules, row.rules),
        (draft.rules.clone(), draft.rules)
    );
    assert_eq!(row.title.as_deref(), Some("A headline"));
    assert_eq!(row.leaf, 0);
}
