//! Any bytes are decoded or refused, and the account of the decoding is true. Begin with the seeds: `cargo fuzz run decode ../seeds`.

#![no_main]

use std::path::Path;

use faircopy::decode::{Options, decode};
use faircopy::document::{Body, Flag};
use faircopy::submission::Declared;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| {
    let options = Options {
        bytes_max: 1 << 20,
        depth_max: 64,
    };
    let Ok(document) = decode(Path::new("fuzz"), raw, &Declared::default(), &options) else {
        return;
    };
    let decoding = &document.decoding;
    assert_eq!(
        decoding.undecodable_count > 0,
        document.flags.contains(&Flag::Undecodable)
    );
    let is_plain = decoding.charset == "UTF-8"
        && decoding.layers.is_empty()
        && decoding.undecodable_count == 0;
    let is_deep = document.flags.contains(&Flag::TooDeep);
    if let Body::Text(text) = &document.body
        && is_plain
        && !is_deep
    {
        assert_eq!(text.as_bytes(), &raw[decoding.bom_bytes..]);
    }
});
