//! Tiles: the names and forms of the files that hold a log's entries and hashes (C2SP tlog-tiles).

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// Entries or hashes in a full tile.
pub const TILE_WIDTH: u64 = 256;

/// The longest entry: its length stands before it in two bytes.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// Bytes of a hash in a tile.
pub const HASH_BYTES: usize = 32;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TileKind {
    /// The entries themselves.
    Entries,
    /// Hashes: at level 0 of the leaves, at each further level of full tiles of the level below.
    Hashes(u8),
}

/// The name of a tile: what it holds, which one it is, and how many entries or hashes are in it (1 to 256).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    /// What it holds.
    pub kind: TileKind,
    /// Its number, from 0.
    pub index: u64,
    /// How much is in it; [`TILE_WIDTH`] if it is full.
    pub width: u64,
}

impl TileId {
    /// Whether no more fits.
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The same tile, with `width` in it.
    pub fn of_width(self, width: u64) -> TileId {
        TileId { width, ..self }
    }

    /// Its path below the log's folder.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(self.to_string())
    }

    /// Reads a path below the log's folder; `None` if no tile is called so (or it is not called so in the one right form).
    pub fn parse(path: &str) -> Option<TileId> {
        let rest = path.strip_prefix("tile/")?;
        let (kind, rest) = rest.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().ok().filter(|level| *level < 64)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok()?),
            None => (rest, TILE_WIDTH),
        };
        let mut index: u64 = 0;
        for part in number.split('/') {
            let digits = part.trim_start_matches('x');
            let value: u64 = digits.parse().ok()?;
            index = index.checked_mul(1000)?.checked_add(value)?;
        }
        let id = TileId { kind, index, width };
        // One name for one tile: leading zeros, signs, widths of 0 or 256 in `.p` and missing `x` do not come back as they were.
        (id.to_string() == path && (1..=TILE_WIDTH).contains(&width)).then_some(id)
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => f.write_str("tile/entries/")?,
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        write_index(f, self.index / 1000)?;
        write!(f, "{:03}", self.index % 1000)?;
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width)
        }
    }
}

/// All groups of three digits but the last, each `xNNN/`.
fn write_index(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    if index == 0 {
        return Ok(());
    }
    write_index(f, index / 1000)?;
    write!(f, "x{:03}/", index % 1000)
}

/// The tiles of one kind that a log of `size` leaves has: full ones, then the partial one if it is not empty.
pub fn tiles_of(kind: TileKind, size: u64) -> impl Iterator<Item = TileId> {
    let items = match kind {
        TileKind::Entries => size,
        TileKind::Hashes(level) => items_at(level, size),
    };
    (0..items.div_ceil(TILE_WIDTH)).map(move |index| TileId {
        kind,
        index,
        width: (items - index * TILE_WIDTH).min(TILE_WIDTH),
    })
}

/// How many levels of hash tiles a log of `size` leaves has.
pub fn level_count(size: u64) -> u8 {
    (0..8)
        .take_while(|level| items_at(*level, size) > 0)
        .count() as u8
}

/// How many hashes a log of `size` leaves has at `level`.
fn items_at(level: u8, size: u64) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// Appends an entry to the bytes of an entries tile. The caller has checked its length.
pub fn push_entry(tile: &mut Vec<u8>, entry: &[u8]) {
    let length = u16::try_from(entry.len()).expect("entries are at most 65,535 bytes");
    tile.extend_from_slice(&length.to_be_bytes());
    tile.extend_from_slice(entry);
}

/// Where the entries stand in the bytes of an entries tile; in the error, those before the first that is torn.
pub fn split_entries(tile: &[u8]) -> Result<Vec<Range<usize>>, Vec<Range<usize>>> {
    let mut entries = Vec::new();
    let mut at = 0;
    while at < tile.len() {
        let Some(length) = tile.get(at..at + 2) else {
            return Err(entries);
        };
        let start = at + 2;
        let end = start + usize::from(u16::from_be_bytes([length[0], length[1]]));
        if end > tile.len() {
            return Err(entries);
        }
        entries.push(start..end);
        at = end;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_specification() {
        let name = |kind, index, width| TileId { kind, index, width }.to_string();
        assert_eq!(
            name(TileKind::Hashes(0), 1_234_067, 256),
            "tile/0/x001/x234/067"
        );
        assert_eq!(name(TileKind::Entries, 0, 1), "tile/entries/000.p/1");
        assert_eq!(
            name(TileKind::Hashes(2), 1000, 255),
            "tile/2/x001/000.p/255"
        );
    }

    #[test]
    fn a_name_is_read_back_and_no_other_form_of_it() {
        for path in [
            "tile/0/000",
            "tile/63/x001/x234/067.p/1",
            "tile/entries/999.p/255",
        ] {
            let id = TileId::parse(path).expect("a tile");
            assert_eq!(id.to_string(), path);
        }
        for path in [
            "",
            "checkpoint",
            "tile/0/",
            "tile/00/000",
            "tile/64/000",
            "tile/0/0",
            "tile/0/x000/000",
            "tile/0/+01",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/001/000",
            "tile/data/000",
            "tile/0/xx01/000",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(TileId::parse(path), None, "{path}");
        }
    }

    #[test]
    fn no_tile_is_empty() {
        for size in [0, 1, 255, 256, 257, 65_536, 65_537] {
            for level in 0..level_count(size) {
                let tiles: Vec<_> = tiles_of(TileKind::Hashes(level), size).collect();
                assert!(!tiles.is_empty());
                assert!(tiles.iter().all(|t| (1..=256).contains(&t.width)));
            }
        }
        assert_eq!(level_count(0), 0);
        assert_eq!(level_count(255), 1);
        assert_eq!(level_count(256), 2);
        assert_eq!(level_count(u64::MAX), 8);
        assert_eq!(tiles_of(TileKind::Entries, 256).count(), 1);
        assert_eq!(tiles_of(TileKind::Entries, 257).count(), 2);
    }

    #[test]
    fn entries_are_split_as_they_were_joined_and_a_torn_one_is_told() {
        let mut tile = Vec::new();
        for entry in [&b"one"[..], b"", &[7; ENTRY_BYTES_MAX]] {
            push_entry(&mut tile, entry);
        }
        let entries = split_entries(&tile).expect("whole");
        assert_eq!(entries, [2..5, 7..7, 9..9 + ENTRY_BYTES_MAX]);
        assert_eq!(
            split_entries(&tile[..tile.len() - 1]),
            Err(vec![2..5, 7..7])
        );
        assert_eq!(split_entries(&tile[..8]), Err(vec![2..5, 7..7]));
    }
}
