//! `Stream`: a container without its compression, read in pieces; after damage it goes on at the next member or frame.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use flate2::bufread::GzDecoder;
use zstd::stream::read::Decoder;

use super::Source;

const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The frame of a dictionary that WARC files in zstd begin with
/// (https://iipc.github.io/warc-specifications/specifications/warc-zstd/).
const ZSTD_DICTIONARY: [u8; 4] = [0x5d, 0x2a, 0x4d, 0x18];
/// A dictionary is no larger: the same limit holds for existing readers of such files.
const DICTIONARY_BYTES_MAX: u64 = 4 << 20;
const BUFFER_BYTES: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Plain,
    Gzip,
    Zstd,
}

type Packed<'a> = BufReader<&'a mut dyn Source>;

enum Member<'a> {
    Plain(Packed<'a>),
    Gzip(Box<GzDecoder<Packed<'a>>>),
    Zstd(Decoder<'static, Packed<'a>>),
}

/// What is in a container, unpacked. Its buffer never holds bytes of two members, so that the place of each byte is known.
pub(super) struct Stream<'a> {
    layer: Layer,
    dictionary: Vec<u8>,
    /// `None` only at the end, or while one follows another.
    member: Option<Member<'a>>,
    /// Where in the file the member begins that the buffer is of.
    start: u64,
    buffer: Vec<u8>,
    at: usize,
    /// So many bytes may still come.
    bytes_left: u64,
}

/// Whether what begins so is unpacked.
pub(super) fn is_packed(head: &[u8]) -> bool {
    layer_of(head) != Layer::Plain
}

fn layer_of(head: &[u8]) -> Layer {
    match head {
        _ if head.starts_with(&GZIP) => Layer::Gzip,
        _ if head.starts_with(&ZSTD) || head.starts_with(&ZSTD_DICTIONARY) => Layer::Zstd,
        _ => Layer::Plain,
    }
}

impl<'a> Stream<'a> {
    /// Starts at the beginning of `source`; no more than `bytes_max` come out.
    pub(super) fn open(source: &'a mut dyn Source, bytes_max: u64) -> io::Result<Stream<'a>> {
        let mut packed = BufReader::with_capacity(BUFFER_BYTES, source);
        let head = packed.fill_buf()?;
        let layer = layer_of(head);
        let dictionary = match head.starts_with(&ZSTD_DICTIONARY) {
            true => read_dictionary(&mut packed)?,
            false => Vec::new(),
        };
        let mut stream = Stream {
            layer,
            dictionary,
            member: None,
            start: 0,
            buffer: Vec::new(),
            at: 0,
            bytes_left: bytes_max,
        };
        stream.enter(packed)?;
        Ok(stream)
    }

    /// Where in the file the member begins that the next byte is of; of a file that is not packed, the byte itself.
    pub(super) fn place(&mut self) -> u64 {
        match &mut self.member {
            Some(Member::Plain(packed)) => {
                let ahead = (self.buffer.len() - self.at) as u64;
                packed.stream_position().map_or(0, |at| at - ahead)
            }
            _ => self.start,
        }
    }

    /// Goes on behind damage in the member that begins at `place`: at the next place that looks like the start of one. False
    /// if there is none.
    pub(super) fn skip_to_next_member(&mut self, place: u64) -> io::Result<bool> {
        let Some(mut packed) = self.member.take().map(into_packed) else {
            return Ok(false);
        };
        let magic: &[u8] = match self.layer {
            Layer::Plain => return Ok(false),
            Layer::Gzip => &GZIP,
            Layer::Zstd => &ZSTD,
        };
        packed.seek(SeekFrom::Start(place + 1))?;
        loop {
            let buffer = packed.fill_buf()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            match memchr::memmem::find(buffer, magic) {
                Some(at) => {
                    packed.consume(at);
                    self.buffer.clear();
                    self.at = 0;
                    self.enter(packed)?;
                    return Ok(true);
                }
                // The magic number may lie across the end of the buffer: then it is overlooked unless those bytes are kept.
                None if buffer.len() < magic.len() => return Ok(false),
                None => {
                    let passed = buffer.len() - (magic.len() - 1);
                    packed.consume(passed);
                    let here = packed.stream_position()?;
                    packed.seek(SeekFrom::Start(here))?;
                }
            }
        }
    }

    fn enter(&mut self, mut packed: Packed<'a>) -> io::Result<()> {
        self.start = packed.stream_position()?;
        self.member = Some(match self.layer {
            Layer::Plain => Member::Plain(packed),
            Layer::Gzip => Member::Gzip(Box::new(GzDecoder::new(packed))),
            Layer::Zstd if self.dictionary.is_empty() => {
                Member::Zstd(Decoder::with_buffer(packed)?.single_frame())
            }
            Layer::Zstd => {
                Member::Zstd(Decoder::with_dictionary(packed, &self.dictionary)?.single_frame())
            }
        });
        Ok(())
    }

    /// The next member begins where the last ended.
    fn enter_next(&mut self) -> io::Result<bool> {
        let Some(member) = self.member.take() else {
            return Ok(false);
        };
        let is_plain = matches!(member, Member::Plain(_));
        let mut packed = into_packed(member);
        if is_plain || packed.fill_buf()?.is_empty() {
            return Ok(false);
        }
        self.enter(packed)?;
        Ok(true)
    }
}

fn into_packed(member: Member<'_>) -> Packed<'_> {
    match member {
        Member::Plain(packed) => packed,
        Member::Gzip(decoder) => decoder.into_inner(),
        Member::Zstd(decoder) => decoder.finish(),
    }
}

/// The dictionary in the frame that `packed` stands at; it may be packed itself.
fn read_dictionary(packed: &mut Packed<'_>) -> io::Result<Vec<u8>> {
    let mut head = [0; 8];
    packed.read_exact(&mut head)?;
    let length = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
    if length > DICTIONARY_BYTES_MAX {
        return Err(io::Error::other("its zstd dictionary is too large"));
    }
    let mut dictionary = Vec::new();
    packed.take(length).read_to_end(&mut dictionary)?;
    if dictionary.starts_with(&ZSTD) {
        let mut plain = Vec::new();
        let decoder = Decoder::new(&dictionary[..])?;
        decoder.take(DICTIONARY_BYTES_MAX).read_to_end(&mut plain)?;
        return Ok(plain);
    }
    Ok(dictionary)
}

impl BufRead for Stream<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.buffer.len() {
            self.at = 0;
            self.buffer.resize(BUFFER_BYTES, 0);
            let read = match &mut self.member {
                None => Ok(0),
                Some(Member::Plain(packed)) => packed.read(&mut self.buffer),
                Some(Member::Gzip(decoder)) => decoder.read(&mut self.buffer),
                Some(Member::Zstd(decoder)) => decoder.read(&mut self.buffer),
            };
            self.buffer.truncate(*read.as_ref().unwrap_or(&0));
            let length = read? as u64;
            if length > self.bytes_left {
                self.member = None;
                self.buffer.clear();
                return Err(io::Error::other(
                    "the container unpacks to more than is allowed (containers.unpacked_bytes_max)",
                ));
            }
            self.bytes_left -= length;
            if length == 0 && !self.enter_next()? {
                break;
            }
        }
        Ok(&self.buffer[self.at..])
    }

    fn consume(&mut self, bytes: usize) {
        self.at += bytes;
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let length = ready.len().min(out.len());
        out[..length].copy_from_slice(&ready[..length]);
        self.consume(length);
        Ok(length)
    }
}

/// A line with its end, read into `line`, which holds no more than `bytes_max` of it. False at the end.
pub(super) fn read_line(
    stream: &mut Stream<'_>,
    line: &mut Vec<u8>,
    bytes_max: usize,
) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let ready = stream.fill_buf()?;
        if ready.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = memchr::memchr(b'\n', ready);
        let length = end.map_or(ready.len(), |at| at + 1);
        let room = bytes_max.saturating_sub(line.len()).min(length);
        line.extend_from_slice(&ready[..room]);
        stream.consume(length);
        if end.is_some() {
            return Ok(true);
        }
    }
}
