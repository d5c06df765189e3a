//! Takes gzip and zstd off, told by their first bytes, with a limit on what comes out.

use std::borrow::Cow;
use std::io::{self, Read};

use bytesize::ByteSize;
use flate2::bufread::MultiGzDecoder;

use crate::document::Layer;
use crate::submission::{Reason, ReasonCode};

/// So many layers are taken off: a `.gz` of a `.zst` of a `.gz` is an accident, more is an attack.
const LAYERS_MAX: usize = 3;

/// The content without its compression.
#[derive(Debug)]
pub(super) struct Unpacked<'a> {
    pub(super) content: Cow<'a, [u8]>,
    /// Outermost first.
    pub(super) layers: Vec<Layer>,
    /// The compressed data ended early or was damaged; what could be read is here.
    pub(super) is_torn: bool,
}

/// Unpacks `raw` as often as it is packed. `bytes_max` bounds the raw bytes and what comes out of each layer.
pub(super) fn unpack(raw: &[u8], bytes_max: usize) -> Result<Unpacked<'_>, Reason> {
    if raw.len() > bytes_max {
        let size = size(raw.len());
        return Err(too_large(format!("it is {size} large"), bytes_max));
    }
    let mut unpacked = Unpacked {
        content: Cow::Borrowed(raw),
        layers: Vec::new(),
        is_torn: false,
    };
    while let Some(layer) = layer(&unpacked.content) {
        if unpacked.layers.len() == LAYERS_MAX {
            let message = format!(
                "it is compressed more than {LAYERS_MAX} times over; unpack it and send what is inside"
            );
            return Err(Reason::new(ReasonCode::BadCompression, message));
        }
        let (content, is_torn) = take_off(layer, &unpacked.content, bytes_max)?;
        unpacked.layers.push(layer);
        unpacked.content = Cow::Owned(content);
        unpacked.is_torn |= is_torn;
    }
    Ok(unpacked)
}

/// The compression that `content` begins with.
fn layer(content: &[u8]) -> Option<Layer> {
    match content {
        [0x1f, 0x8b, 0x08, ..] => Some(Layer::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Layer::Zstd),
        // A skippable frame, as tools write before the first real one.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Layer::Zstd),
        _ => None,
    }
}

fn take_off(layer: Layer, packed: &[u8], bytes_max: usize) -> Result<(Vec<u8>, bool), Reason> {
    let name = match layer {
        Layer::Gzip => "gzip",
        Layer::Zstd => "zstd",
    };
    // One byte more than allowed tells that there is more.
    let limit = bytes_max as u64 + 1;
    let mut content = Vec::new();
    let result = match layer {
        Layer::Gzip => MultiGzDecoder::new(packed)
            .take(limit)
            .read_to_end(&mut content),
        Layer::Zstd => unzstd(packed, limit, &mut content),
    };
    if content.len() > bytes_max {
        let packed = size(packed.len());
        let what = format!(
            "its {packed} of {name} data unpack to more than {}",
            size(bytes_max)
        );
        return Err(too_large(what, bytes_max));
    }
    match result {
        Ok(_) => Ok((content, false)),
        Err(_) if !content.is_empty() => Ok((content, true)),
        Err(error) => {
            let message =
                format!("its {name} data cannot be unpacked at all: {error}; send it again");
            Err(Reason::new(ReasonCode::BadCompression, message))
        }
    }
}

fn unzstd(packed: &[u8], limit: u64, content: &mut Vec<u8>) -> io::Result<usize> {
    zstd::stream::read::Decoder::with_buffer(packed)?
        .take(limit)
        .read_to_end(content)
}

fn too_large(what: String, bytes_max: usize) -> Reason {
    let message = format!(
        "{what}, above the limit of {}; raise decode.unpacked_bytes_max to take it",
        size(bytes_max)
    );
    Reason::new(ReasonCode::TooLarge, message)
}

fn size(bytes: usize) -> ByteSize {
    ByteSize::b(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gz(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn zst(content: &[u8]) -> Vec<u8> {
        zstd::encode_all(content, 3).unwrap()
    }

    const MAX: usize = 1 << 20;

    #[test]
    fn layers_come_off_outermost_first() {
        let plain = unpack(b"plain", MAX).unwrap();
        assert!(plain.layers.is_empty() && matches!(plain.content, Cow::Borrowed(_)));
        let nested = gz(&zst(&gz(b"inside")));
        let unpacked = unpack(&nested, MAX).unwrap();
        assert_eq!(unpacked.layers, [Layer::Gzip, Layer::Zstd, Layer::Gzip]);
        assert_eq!(
            (&*unpacked.content, unpacked.is_torn),
            (&b"inside"[..], false)
        );
        let reason = unpack(&gz(&nested), MAX).unwrap_err();
        assert_eq!(reason.code, ReasonCode::BadCompression);
    }

    #[test]
    fn members_and_frames_in_a_row_are_one_content() {
        for packed in [
            [gz(b"one "), gz(b"two")].concat(),
            [zst(b"one "), zst(b"two")].concat(),
        ] {
            assert_eq!(&*unpack(&packed, MAX).unwrap().content, b"one two");
        }
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit_and_the_reason_names_sizes_and_setting() {
        let zeros = vec![0; MAX + 1];
        for packed in [gz(&zeros), zst(&zeros), gz(&gz(&zeros))] {
            let reason = unpack(&packed, MAX).unwrap_err();
            assert_eq!(reason.code, ReasonCode::TooLarge);
            assert!(reason.message.contains("1.0 MiB"), "{reason}");
            assert!(reason.message.contains("bytes_max"), "{reason}");
        }
        assert!(unpack(&gz(&zeros[1..]), MAX).is_ok());
        assert_eq!(unpack(&zeros, MAX).unwrap_err().code, ReasonCode::TooLarge);
    }

    #[test]
    fn torn_data_gives_what_could_be_read() {
        // No two lines alike, so that the compressed data is long enough to be torn anywhere.
        let lines: String = (0..50_000_u32)
            .map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761)))
            .collect();
        for packed in [gz(lines.as_bytes()), zst(lines.as_bytes())] {
            let torn = unpack(&packed[..packed.len() * 9 / 10], MAX).unwrap();
            assert!(torn.is_torn && !torn.content.is_empty());
            assert!(lines.as_bytes().starts_with(&torn.content));
            let reason = unpack(&packed[..5], MAX).unwrap_err();
            assert_eq!(reason.code, ReasonCode::BadCompression);
        }
        let mut damaged = gz(b"all is read, but the checksum is wrong");
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        let unpacked = unpack(&damaged, MAX).unwrap();
        assert!(unpacked.is_torn);
        assert_eq!(
            &*unpacked.content,
            b"all is read, but the checksum is wrong"
        );
    }
}
