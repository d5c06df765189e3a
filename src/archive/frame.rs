//! zstd frames: one holds one record (RFC 8878), with Frame_Content_Size and Content_Checksum, without a dictionary.

use std::cell::RefCell;
use std::io;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, find_frame_compressed_size, get_frame_content_size};

/// Level of hot segments.
const LEVEL: i32 = 3;

/// The magic number of a frame as it stands in the file (RFC 8878, 3.1.1).
pub const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// A block is at most 128 KiB unpacked (RFC 8878, 3.1.1.2.4) and at least 4 bytes packed: header and one byte to repeat.
const BLOCK_BYTES_MAX: u64 = 128 << 10;
const BLOCK_BYTES_PACKED_MIN: u64 = 4;

thread_local! {
    // A context is some hundred kilobytes that are costly to make and cheap to use again.
    static COMPRESSOR: RefCell<Compressor<'static>> = RefCell::new(new_compressor());
    static DECOMPRESSOR: RefCell<Decompressor<'static>> =
        RefCell::new(Decompressor::new().expect("a context without a dictionary needs memory only"));
}

fn new_compressor() -> Compressor<'static> {
    let mut compressor = Compressor::new(LEVEL).expect("the level exists");
    compressor
        .set_parameter(CParameter::ChecksumFlag(true))
        .expect("frames may have checksums");
    compressor
}

/// `plain` as one frame.
pub fn compress(plain: &[u8]) -> Vec<u8> {
    let compressed = COMPRESSOR.with_borrow_mut(|compressor| compressor.compress(plain));
    let mut frame = compressed.expect("the buffer is as large as the worst case");
    // It is: a group of captures waits in memory with its frames.
    frame.shrink_to_fit();
    frame
}

/// What one whole frame unpacks to; its checksum is verified.
pub fn decompress(frame: &[u8]) -> io::Result<Vec<u8>> {
    let size = match get_frame_content_size(frame) {
        Ok(Some(size)) => size,
        _ => return Err(invalid("not a zstd frame with its content's size")),
    };
    // Whatever a damaged header says, no more is reserved than such a frame can hold.
    let bound = (frame.len() as u64 / BLOCK_BYTES_PACKED_MIN + 1).saturating_mul(BLOCK_BYTES_MAX);
    if size > bound {
        return Err(invalid("zstd frame says that it holds more than it can"));
    }
    let size = usize::try_from(size).map_err(|_| invalid("zstd frame is too large"))?;
    let mut plain = Vec::new();
    plain
        .try_reserve_exact(size)
        .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    DECOMPRESSOR.with_borrow_mut(|d| d.decompress_to_buffer(frame, &mut plain))?;
    Ok(plain)
}

/// Whether `bytes` start with a whole frame, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// A frame of so many bytes.
    Whole(usize),
    /// It may be a frame that goes on after these bytes.
    Unfinished,
    /// No frame starts here.
    NotAFrame,
}

/// Where the frame at the start of `bytes` ends. Block sizes are followed, contents are not looked at.
pub fn extent(bytes: &[u8]) -> Extent {
    if !MAGIC.starts_with(&bytes[..bytes.len().min(MAGIC.len())]) {
        return Extent::NotAFrame;
    }
    match find_frame_compressed_size(bytes) {
        Ok(length) => Extent::Whole(length),
        // The library's code for "source too short" has no name in the safe interface. Damage is told from a short
        // source when no further bytes help.
        Err(_) => Extent::Unfinished,
    }
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_state_their_size_and_carry_a_checksum() {
        for plain in [&b""[..], b"x", &[7; 300_000]] {
            let frame = compress(plain);
            // Frame_Header_Descriptor: bit 2 is Content_Checksum_flag; a size field or Single_Segment (bit 5) states the size.
            assert_eq!(frame[4] & 0b100, 0b100);
            assert_eq!(
                get_frame_content_size(&frame).expect("frame"),
                Some(plain.len() as u64)
            );
            assert_eq!(decompress(&frame).expect("own frame"), plain);
            assert_eq!(extent(&frame), Extent::Whole(frame.len()));
        }
    }

    #[test]
    fn torn_and_flipped_frames_are_refused_without_large_reservations() {
        let frame = compress(b"a record of some length, a record of some length");
        for end in 0..frame.len() {
            assert!(decompress(&frame[..end]).is_err(), "{end}");
            assert_eq!(extent(&frame[..end]), Extent::Unfinished, "{end}");
        }
        for at in 0..frame.len() {
            let mut flipped = frame.clone();
            flipped[at] ^= 0x80;
            // Some flips decode to the same bytes; none to others.
            if let Ok(plain) = decompress(&flipped) {
                assert_eq!(plain, b"a record of some length, a record of some length");
            }
        }
    }
}
