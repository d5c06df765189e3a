//! zstd frames: one holds one record (RFC 8878), with Frame_Content_Size and Content_Checksum; those of sealed segments also
//! with Dictionary_ID.

use std::cell::RefCell;
use std::io;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{
    CParameter, DCtx, DDict, compress_bound, find_frame_compressed_size, get_error_name,
    get_frame_content_size,
};

/// Level of hot segments: an eighth faster than level 2, for pages that are three in a hundred larger until they are sealed.
const LEVEL: i32 = 1;
/// Level of sealed segments.
const SEALED_LEVEL: i32 = 19;
/// Logarithms of the sizes of the tables in which it looks for matches: those that the level asks for take 106 MB with a
/// dictionary of 4 MiB and save one byte in seventy; these take 47 MB.
const SEALED_HASH_LOG: u32 = 20;
const SEALED_CHAIN_LOG: u32 = 22;

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
    static SEALED_DECOMPRESSOR: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
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

/// What frames of a sealed segment are unpacked with.
pub struct Dictionary(DDict<'static>);

impl Dictionary {
    /// Reads a dictionary in zstd's format (RFC 8878, 5).
    pub fn new(bytes: &[u8]) -> io::Result<Dictionary> {
        let dictionary = DDict::try_create(bytes);
        let dictionary = dictionary.filter(|dictionary| dictionary.get_dict_id().is_some());
        dictionary
            .map(Dictionary)
            .ok_or_else(|| invalid("not a zstd dictionary"))
    }
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dictionary({:?})", self.0.get_dict_id())
    }
}

/// Packs the records of a sealed segment.
pub struct SealedCompressor(Compressor<'static>);

impl SealedCompressor {
    /// For frames that need `dictionary`.
    pub fn new(dictionary: &[u8]) -> SealedCompressor {
        SealedCompressor(sealed_compressor(dictionary))
    }

    /// `plain` as one frame.
    pub fn compress(&mut self, plain: &[u8]) -> Vec<u8> {
        let packed = self.0.compress(plain);
        packed.expect("the buffer is as large as the worst case")
    }
}

/// `plain` as one frame without a dictionary, as small as can be.
pub fn compress_tightly(plain: &[u8]) -> Vec<u8> {
    let packed = sealed_compressor(&[]).compress(plain);
    packed.expect("the buffer is as large as the worst case")
}

fn sealed_compressor(dictionary: &[u8]) -> Compressor<'static> {
    let mut compressor = Compressor::with_dictionary(SEALED_LEVEL, dictionary)
        .expect("the level exists, and a dictionary is looked at when it is used");
    for parameter in [
        CParameter::ChecksumFlag(true),
        CParameter::HashLog(SEALED_HASH_LOG),
        CParameter::ChainLog(SEALED_CHAIN_LOG),
    ] {
        let set = compressor.set_parameter(parameter);
        set.expect("the parameter is within zstd's bounds");
    }
    compressor
}

/// What one whole frame unpacks to, with the dictionary that it needs if it needs one; its checksum is verified.
pub fn decompress(frame: &[u8], dictionary: Option<&Dictionary>) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    decompress_into(frame, dictionary, &mut plain)?;
    Ok(plain)
}

/// As [`decompress`], in place of what `plain` holds.
pub fn decompress_into(
    frame: &[u8],
    dictionary: Option<&Dictionary>,
    plain: &mut Vec<u8>,
) -> io::Result<()> {
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
    plain.clear();
    plain
        .try_reserve_exact(size)
        .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    match dictionary {
        None => DECOMPRESSOR.with_borrow_mut(|d| d.decompress_to_buffer(frame, plain))?,
        Some(Dictionary(dictionary)) => SEALED_DECOMPRESSOR
            .with_borrow_mut(|d| d.decompress_using_ddict(plain, frame, dictionary))
            .map_err(|code| io::Error::other(get_error_name(code)))?,
    };
    Ok(())
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
            assert_eq!(decompress(&frame, None).expect("own frame"), plain);
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
            assert!(decompress(&frame[..end], None).is_err(), "{end}");
            assert_eq!(extent(&frame[..end]), Extent::Unfinished, "{end}");
        }
        for at in 0..frame.len() {
            let mut flipped = frame.clone();
            flipped[at] ^= 0x80;
            // Some flips decode to the same bytes; none to others.
            let plain = decompress(&flipped, None);
            assert_eq!(plain.is_ok(), holds(&flipped, &[record]), "{at}");
            if let Ok(plain) = plain {
                assert_eq!(plain, record);
            }
        }
    }
}
