//! zstd frames: one holds one record (RFC 8878), with Frame_Content_Size and Content_Checksum, without a dictionary.

use std::cell::RefCell;
use std::io;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{
    CParameter, compress_bound, find_frame_compressed_size, get_frame_content_size,
};

/// Level of hot segments.
const LEVEL: i32 = 3;

/// The magic number of a frame as it stands in the file (RFC 8878, 3.1.1).
pub const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// A block is at most 128 KiB unpacked (RFC 8878, 3.1.1.2.4) and at least 4 bytes packed: header and one byte to repeat.
const BLOCK_BYTES_MAX: u64 = 128 << 10;
const BLOCK_BYTES_PACKED_MIN: u64 = 4;

/// Buffers up to this size are kept for the next frame: fresh memory costs a fifth of all that a page costs.
const KEPT_BYTES_MAX: usize = 4 << 20;

thread_local! {
    // A context is some hundred kilobytes that are costly to make and cheap to use again.
    static COMPRESSOR: RefCell<Compressor<'static>> = RefCell::new(new_compressor());
    static DECOMPRESSOR: RefCell<Decompressor<'static>> =
        RefCell::new(Decompressor::new().expect("a context without a dictionary needs memory only"));
    static PLAIN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static PACKED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Lets `work` use a buffer that is empty and perhaps large already.
fn with_buffer<T>(
    buffer: &'static std::thread::LocalKey<RefCell<Vec<u8>>>,
    work: impl FnOnce(&mut Vec<u8>) -> T,
) -> T {
    buffer.with_borrow_mut(|buffer| {
        buffer.clear();
        let result = work(buffer);
        if buffer.capacity() > KEPT_BYTES_MAX {
            *buffer = Vec::new();
        }
        result
    })
}

fn new_compressor() -> Compressor<'static> {
    let mut compressor = Compressor::new(LEVEL).expect("the level exists");
    compressor
        .set_parameter(CParameter::ChecksumFlag(true))
        .expect("frames may have checksums");
    compressor
}

/// `parts`, joined, as one frame.
pub fn compress(parts: &[&[u8]]) -> Vec<u8> {
    with_buffer(&PLAIN, |plain| {
        parts.iter().for_each(|part| plain.extend_from_slice(part));
        with_buffer(&PACKED, |packed| {
            packed.reserve(compress_bound(plain.len()));
            COMPRESSOR
                .with_borrow_mut(|compressor| compressor.compress_to_buffer(plain, packed))
                .expect("the buffer is as large as the worst case");
            // A copy of the right size: a group of captures waits in memory with its frames.
            packed.as_slice().to_vec()
        })
    })
}

/// Whether a whole frame unpacks to `parts`, joined; its checksum is verified.
pub fn holds(frame: &[u8], parts: &[&[u8]]) -> bool {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    if !matches!(get_frame_content_size(frame), Ok(Some(size)) if size == length as u64) {
        return false;
    }
    with_buffer(&PLAIN, |plain| {
        plain.reserve(length);
        let unpacked = DECOMPRESSOR.with_borrow_mut(|d| d.decompress_to_buffer(frame, plain));
        let mut rest = plain.as_slice();
        let mut take = |part: &[u8]| match rest.strip_prefix(part) {
            Some(after) => {
                rest = after;
                true
            }
            None => false,
        };
        unpacked.is_ok() && parts.iter().all(|part| take(part)) && rest.is_empty()
    })
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
            let frame = compress(&[plain]);
            // Frame_Header_Descriptor: bit 2 is Content_Checksum_flag; a size field or Single_Segment (bit 5) states the size.
            assert_eq!(frame[4] & 0b100, 0b100);
            assert_eq!(
                get_frame_content_size(&frame).expect("frame"),
                Some(plain.len() as u64)
            );
            assert_eq!(decompress(&frame).expect("own frame"), plain);
            let (first, second) = plain.split_at(plain.len() / 3);
            assert!(holds(&frame, &[first, &[], second]));
            assert!(!holds(&frame, &[plain, b"x"]));
            assert!(!holds(&frame[..frame.len() - 1], &[plain]));
            assert_eq!(compress(&[first, second]), frame);
            assert_eq!(extent(&frame), Extent::Whole(frame.len()));
        }
    }

    #[test]
    fn torn_and_flipped_frames_are_refused_without_large_reservations() {
        let record = b"a record of some length, a record of some length";
        let frame = compress(&[record]);
        for end in 0..frame.len() {
            assert!(decompress(&frame[..end]).is_err(), "{end}");
            assert_eq!(extent(&frame[..end]), Extent::Unfinished, "{end}");
        }
        for at in 0..frame.len() {
            let mut flipped = frame.clone();
            flipped[at] ^= 0x80;
            // Some flips decode to the same bytes; none to others.
            let plain = decompress(&flipped);
            assert_eq!(plain.is_ok(), holds(&flipped, &[record]), "{at}");
            if let Ok(plain) = plain {
                assert_eq!(plain, record);
            }
        }
    }
}
