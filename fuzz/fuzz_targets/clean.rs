//! Whatever can be decoded can be cleaned, and the ledger accounts for every byte of it.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use faircopy::clean::clean;
use faircopy::clean::rules::Rules;
use faircopy::decode::{Options, decode};
use faircopy::submission::Declared;
use libfuzzer_sys::fuzz_target;

static RULES: LazyLock<Rules> = LazyLock::new(Rules::built_in);

fuzz_target!(|raw: &[u8]| {
    let options = Options::default();
    let Ok(document) = decode(Path::new("fuzz"), raw, &Declared::default(), &options) else {
        return;
    };
    let cleaned = clean(&document, &RULES);
    let account = cleaned
        .ledger
        .verify(document.input(), &cleaned.article.text);
    assert_eq!(account, Ok(()));
});
