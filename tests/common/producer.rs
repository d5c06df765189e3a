//! The three kinds of writer that drop files into an inbox, as in life.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// How a producer writes a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Producer {
    /// Under another name, then renamed.
    RenamesIn,
    /// In place, piece by piece.
    WritesSlowly,
    /// In place, opened anew for each piece.
    Reopens,
}

impl Producer {
    /// All kinds.
    pub(crate) const ALL: [Producer; 3] = [
        Producer::RenamesIn,
        Producer::WritesSlowly,
        Producer::Reopens,
    ];

    /// Writes `bytes` to `path`, in pieces of so many bytes with a pause behind each.
    pub(crate) fn write(self, path: &Path, bytes: &[u8], piece: usize, pause: Duration) {
        let writable = "the inbox is writable";
        match self {
            Producer::RenamesIn => {
                let mut part = path.as_os_str().to_owned();
                part.push(".part");
                fs::write(&part, bytes).expect(writable);
                fs::rename(part, path).expect(writable);
            }
            Producer::WritesSlowly => {
                let mut file = fs::File::create(path).expect(writable);
                for piece in bytes.chunks(piece) {
                    file.write_all(piece).expect(writable);
                    thread::sleep(pause);
                }
            }
            Producer::Reopens => {
                for piece in bytes.chunks(piece) {
                    let mut options = fs::OpenOptions::new();
                    let file = options.create(true).append(true).open(path);
                    file.and_then(|mut file| file.write_all(piece))
                        .expect(writable);
                    thread::sleep(pause);
                }
            }
        }
    }
}
