//! Dictionaries of sealed segments: in zstd's format (RFC 8878, 5), as the first frame of the segment and once more beside it.
//!
//! ```text
//! sealed/000001.warc.zst    5D 2A 4D 18, length (4 bytes, little-endian), the dictionary as a zstd frame; then the records
//! sealed/000001.dict.zst    the same zstd frame
//! ```

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::archive::Error;
use crate::archive::frame::{self, Dictionary};

/// No dictionary is longer: other readers of such files refuse longer ones.
pub const BYTES_MAX: usize = 4 << 20;
/// So much of a dictionary can be content.
pub const CONTENT_BYTES_MAX: usize = BYTES_MAX - HEAD_BYTES;

/// The skippable frame that holds a dictionary (WARC-Zstd, 2), as it stands in the file.
const FRAME_MAGIC: [u8; 4] = 0x184D_2A5D_u32.to_le_bytes();
/// Magic number and length.
const FRAME_HEAD_BYTES: usize = 8;

/// The magic number of a dictionary.
const MAGIC: [u8; 4] = 0xEC30_A437_u32.to_le_bytes();
const HEAD_BYTES: usize = MAGIC.len() + 4 + TABLES.len();

/// The entropy tables and repeated offsets that every dictionary begins with: as zstd's own maker of dictionaries made them for
/// articles that are packed against earlier versions of themselves. They are where a frame's own statistics start from.
const TABLES: &[u8] = &[
    0x25, 0x10, 0xD0, 0x92, 0x14, 0x0E, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x9F, 0x1F, 0xFD, 0x6F, 0xAD,
    0x26, 0x7E, 0xB3, 0xD6, 0xE6, 0x9F, 0x2B, 0x85, 0xF8, 0x0A, 0xCC, 0xC7, 0xA3, 0xAC, 0x94, 0x15,
    0x11, 0xC0, 0x02, 0xAA, 0x62, 0x11, 0xB3, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x62, 0x40, 0x20,
    0x10, 0x0E, 0x07, 0xC3, 0x41, 0x31, 0xB9, 0x80, 0x5C, 0x3F, 0x04, 0x00, 0xC0, 0x91, 0x0D, 0x10,
    0x92, 0x93, 0x10, 0x8E, 0x8B, 0x88, 0x23, 0x81, 0x38, 0x1C, 0x08, 0x86, 0x81, 0x60, 0x30, 0x18,
    0x00, 0x00, 0x00, 0x80, 0x00, 0x40, 0x20, 0x18, 0x0C, 0x85, 0x03, 0x01, 0x71, 0x10, 0x40, 0x4D,
    0x29, 0xE7, 0x9D, 0x0C, 0x60, 0x03, 0xA4, 0x32, 0x48, 0x04, 0x51, 0x0C, 0xA3, 0x20, 0x0C, 0xA2,
    0x40, 0x06, 0x19, 0xA5, 0x10, 0x52, 0xCE, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
    0x04, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
];

/// A dictionary of this content, at most [`CONTENT_BYTES_MAX`] bytes and at least 8: what its frames may repeat.
pub fn make(id: u32, content: &[u8]) -> Vec<u8> {
    [&MAGIC, &id.to_le_bytes(), TABLES, content].concat()
}

/// A random number as the name of a dictionary: those below and above are reserved (RFC 8878, 5).
pub fn id_from(random: [u8; 4]) -> u32 {
    const FIRST: u32 = 1 << 15;
    const END: u32 = 1 << 31;
    FIRST + u32::from_le_bytes(random) % (END - FIRST)
}

/// A packed dictionary as the first frame of a segment.
pub fn to_frame(packed: &[u8]) -> Vec<u8> {
    let length = u32::try_from(packed.len()).expect("a dictionary is short");
    [&FRAME_MAGIC, &length.to_le_bytes(), packed].concat()
}

/// Where the records of a sealed segment begin: behind its dictionary. At its start if that cannot be told, for want of a
/// length that the second copy or the dictionary itself confirms.
pub fn records_start(segment: &Path, file: &File) -> u64 {
    let Ok(length) = frame_length(file) else {
        return 0;
    };
    let copy = fs::metadata(copy_path(segment)).map(|copy| copy.len());
    let is_confirmed =
        copy.is_ok_and(|copy| copy + FRAME_HEAD_BYTES as u64 == length) || read_own(file).is_ok();
    if is_confirmed { length } else { 0 }
}

/// How long the frame is that a sealed segment begins with.
pub fn frame_length(segment: &File) -> io::Result<u64> {
    let mut head = [0; FRAME_HEAD_BYTES];
    segment.read_exact_at(&mut head, 0)?;
    let (magic, length) = head.split_at(FRAME_MAGIC.len());
    let length = u32::from_le_bytes(length.try_into().expect("four bytes"));
    let length = u64::from(length) + FRAME_HEAD_BYTES as u64;
    if magic != FRAME_MAGIC || length > segment.metadata()?.len() {
        return Err(invalid("the segment does not begin with a dictionary"));
    }
    Ok(length)
}

/// The dictionary as it stands in a sealed segment, unpacked.
pub fn read_own(segment: &File) -> io::Result<Vec<u8>> {
    let length = frame_length(segment)? - FRAME_HEAD_BYTES as u64;
    if length > 2 * BYTES_MAX as u64 {
        return Err(invalid("the dictionary is too long"));
    }
    let mut packed = vec![0; usize::try_from(length).expect("it is short")];
    segment.read_exact_at(&mut packed, FRAME_HEAD_BYTES as u64)?;
    unpack(&packed)
}

/// The second copy of the dictionary of the sealed segment at `segment`.
pub fn copy_path(segment: &Path) -> PathBuf {
    let name = segment.file_name().unwrap_or_default().to_string_lossy();
    let number = name.split('.').next().unwrap_or_default();
    segment.with_file_name(format!("{number}.dict.zst"))
}

/// The second copy, unpacked.
pub fn read_copy(segment: &Path) -> io::Result<Vec<u8>> {
    unpack(&fs::read(copy_path(segment))?)
}

fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    let dictionary = frame::decompress(packed, None)?;
    if !dictionary.starts_with(&MAGIC) || dictionary.len() > BYTES_MAX {
        return Err(invalid("not a zstd dictionary of at most 4 MiB"));
    }
    Ok(dictionary)
}

/// So many dictionaries are kept for the next record of their segments.
const RECENT_MAX: usize = 4;

static RECENT: Mutex<Vec<(FileId, Arc<Dictionary>)>> = Mutex::new(Vec::new());

/// Which file, and in which state.
#[derive(PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
    size: u64,
    changed_at: (i64, i64),
}

/// The dictionary of a sealed segment, which is open as `file`; if that is damaged, its second copy.
pub fn of(segment: &Path, file: &File) -> Result<Arc<Dictionary>, Error> {
    let error = |source| Error::io("read the dictionary of segment", segment, source);
    let metadata = file.metadata().map_err(error)?;
    let id = FileId {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.len(),
        changed_at: (metadata.ctime(), metadata.ctime_nsec()),
    };
    let recent = || RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, dictionary)) = recent().iter().find(|(other, _)| *other == id) {
        return Ok(Arc::clone(dictionary));
    }
    let own = read_own(file).and_then(|bytes| Dictionary::new(&bytes));
    let dictionary = own.or_else(|damage| {
        let copy = read_copy(segment).and_then(|bytes| Dictionary::new(&bytes));
        copy.map_err(|_| damage)
    });
    let dictionary = Arc::new(dictionary.map_err(error)?);
    let mut recent = recent();
    recent.truncate(RECENT_MAX - 1);
    recent.insert(0, (id, Arc::clone(&dictionary)));
    Ok(dictionary)
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::frame::SealedCompressor;

    #[test]
    fn what_a_dictionary_holds_costs_next_to_nothing_and_needs_it() {
        let text: Vec<u8> = (0..60_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let bytes = make(id_from([7; 4]), &text);
        let dictionary = Dictionary::new(&bytes).expect("zstd takes it");
        let frame = SealedCompressor::new(&bytes).compress(&text);
        assert!(frame.len() < 60, "{}", frame.len());
        let plain = frame::decompress(&frame, Some(&dictionary));
        assert_eq!(plain.expect("unpacked"), text);
        assert!(frame::decompress(&frame, None).is_err());
        let other = make(id_from([8; 4]), &text);
        let other = Dictionary::new(&other).expect("zstd takes it");
        assert!(frame::decompress(&frame, Some(&other)).is_err());
        // Frames without a checksum would be believed whatever they hold.
        assert_eq!(frame[4] & 0b100, 0b100);
    }

    #[test]
    fn the_shortest_and_the_longest_content_make_dictionaries() {
        for length in [8, 9, 1000, CONTENT_BYTES_MAX] {
            let bytes = make(id_from([255; 4]), &vec![b'x'; length]);
            assert!(bytes.len() <= BYTES_MAX);
            let dictionary = Dictionary::new(&bytes).expect("zstd takes it");
            let frame = SealedCompressor::new(&bytes).compress(b"a ferry, a gull");
            let plain = frame::decompress(&frame, Some(&dictionary));
            assert_eq!(plain.expect("unpacked"), b"a ferry, a gull");
        }
    }
}
