//! `Group`: the records and leaves of one commit, in the order in which they are written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::archive::capture::{PackedRecord, Prepared};
use crate::archive::segment::{Location, Position, SegmentWriter};
use crate::archive::warc::NewRecord;
use crate::archive::{Error, frame};
use crate::digest::Digest;

/// So much is read back at once.
const READ_BYTES: usize = 256 << 10;

/// Records and leaves that are committed together.
pub(super) struct Group<'a> {
    start: Position,
    first_leaf: u64,
    /// All frames, one after the other.
    pub(super) frames: Vec<u8>,
    /// Where each frame stands among them, and what it must unpack to.
    records: Vec<(Range<usize>, Cow<'a, NewRecord>)>,
    /// What the log takes.
    pub(super) leaves: Vec<Vec<u8>>,
    /// Raw bytes that this group archives, and the capture with their record.
    pub(super) raws: HashMap<Digest, &'a Prepared>,
}

impl<'a> Group<'a> {
    /// A group with nothing in it; `frames` is an empty buffer that may be large already.
    pub(super) fn new(start: Position, first_leaf: u64, frames: Vec<u8>) -> Group<'a> {
        Group {
            start,
            first_leaf,
            frames,
            records: Vec::new(),
            leaves: Vec::new(),
            raws: HashMap::new(),
        }
    }

    /// Adds a record that is kept elsewhere until the group is committed.
    pub(super) fn push(&mut self, packed: &'a PackedRecord) -> Location {
        self.push_frame(&packed.frame, Cow::Borrowed(&packed.record))
    }

    /// Adds a record.
    pub(super) fn push_owned(&mut self, record: NewRecord) -> Location {
        let packed = PackedRecord::new(record);
        self.push_frame(&packed.frame, Cow::Owned(packed.record))
    }

    fn push_frame(&mut self, frame: &[u8], record: Cow<'a, NewRecord>) -> Location {
        let at = self.place_of(frame);
        let start = self.frames.len();
        self.frames.extend_from_slice(frame);
        self.records.push((start..self.frames.len(), record));
        at
    }

    /// Where the next record would lie, with this frame.
    pub(super) fn place_of(&self, frame: &[u8]) -> Location {
        Location {
            segment: self.start.segment,
            offset: self.start.offset + self.frames.len() as u64,
            length: frame.len() as u64,
        }
    }

    /// The index that the next leaf gets.
    pub(super) fn next_leaf(&self) -> u64 {
        self.first_leaf + self.leaves.len() as u64
    }

    /// Reads all records back, unpacks them and compares them, byte by byte, with what was to be written.
    pub(super) fn compare(&self, segment: &SegmentWriter) -> Result<(), Error> {
        let appended = segment.appended()?;
        let mut frames = Vec::new();
        let mut records = self.records.as_slice();
        while let Some((first, _)) = records.first() {
            // As many as are read at once, and one at least.
            let start = first.start;
            let within = records.partition_point(|(range, _)| range.end - start <= READ_BYTES);
            let (some, rest) = records.split_at(within.max(1));
            let end = some.last().map_or(start, |(range, _)| range.end);
            appended.read(start..end, &mut frames)?;
            for (range, record) in some {
                let frame = &frames[range.start - start..range.end - start];
                if !frame::holds(frame, &record.parts()) {
                    return Err(Error::WrittenWrong {
                        path: segment.path().to_owned(),
                        offset: self.start.offset + range.start as u64,
                    });
                }
            }
            records = rest;
        }
        Ok(())
    }
}
