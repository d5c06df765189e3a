//! `ReadAhead`: the records of a segment, unpacked by a thread of their own ahead of those that are judged.
//!
//! Unpacking is about as much work as hashing and judging together, so that two processors are busy. Buffers go round: fresh
//! memory for each record would cost as much as hashing it.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

use crate::archive::Error;
use crate::archive::segment::{Found, SegmentReader};

/// So many records are read ahead of those that are judged.
const RECORDS_AHEAD: usize = 8;
/// So many buffers are kept, none of them larger than this.
const BUFFERS_MAX: usize = 2 * RECORDS_AHEAD;
const BUFFER_BYTES_MAX: usize = 4 << 20;

/// Where a frame's descriptor stands, and two of its bits (RFC 8878, 3.1.1.1.1).
const FRAME_DESCRIPTOR: usize = 4;
const CONTENT_CHECKSUM: u8 = 1 << 2;
const UNUSED: u8 = 1 << 4;

/// What was read, with what is wrong with its frame.
pub(super) struct Read {
    pub(super) found: Found,
    pub(super) fault: Option<&'static str>,
}

/// What a segment's reader found, in its order; an error is the last.
pub(super) struct ReadAhead(Receiver<Result<Read, Error>>);

impl ReadAhead {
    /// Starts reading. Once nobody takes any more, the thread ends.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        mut reader: SegmentReader,
        buffers: Arc<Buffers>,
    ) -> ReadAhead {
        let (sender, receiver) = mpsc::sync_channel(RECORDS_AHEAD);
        scope.spawn(move || {
            reader.reuse(buffers.take());
            while let Some(found) = reader.next() {
                let read = found.map(|found| Read {
                    fault: frame_fault(&found, &reader),
                    found,
                });
                if sender.send(read).is_err() {
                    break;
                }
                reader.reuse(buffers.take());
            }
        });
        ReadAhead(receiver)
    }
}

impl Iterator for ReadAhead {
    type Item = Result<Read, Error>;

    fn next(&mut self) -> Option<Result<Read, Error>> {
        self.0.recv().ok()
    }
}

/// What is wrong with the header of a frame that unpacks all the same. A frame whose checksum is switched off, which one bit
/// does, would be believed whatever it holds.
fn frame_fault(found: &Found, reader: &SegmentReader) -> Option<&'static str> {
    let Found::Record { .. } = found else {
        return None;
    };
    let descriptor = reader.last_bytes().get(FRAME_DESCRIPTOR)?;
    if descriptor & CONTENT_CHECKSUM == 0 {
        return Some("its frame says that it has no checksum");
    }
    (descriptor & UNUSED != 0).then_some("a bit is set in its frame's header that nothing sets")
}

/// Buffers that nobody needs at the moment.
#[derive(Default)]
pub(super) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    fn take(&self) -> Vec<u8> {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.pop().unwrap_or_default()
    }

    pub(super) fn put(&self, buffer: Vec<u8>) {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < BUFFERS_MAX && buffer.capacity() <= BUFFER_BYTES_MAX {
            buffers.push(buffer);
        }
    }
}
