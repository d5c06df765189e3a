//! The transparency log: public implementations accept it, a crash at any step leaves it whole, and it never forks.

use std::fs;
use std::path::{Path, PathBuf};

use faircopy::archive::log::error::LogError;
use faircopy::archive::log::key::SigningKey;
use faircopy::archive::log::merkle;
use faircopy::archive::log::note::Checkpoint;
use faircopy::archive::log::reader::LogReader;
use faircopy::archive::log::tile::TileId;
use faircopy::archive::log::writer::LogWriter;
use faircopy::digest::Digest;

const NAME: &str = "faircopy/0123456789abcdef";

struct Log {
    folder: tempfile::TempDir,
}

impl Log {
    /// A log with `count` leaves in one commit.
    fn with(count: u64) -> Log {
        let folder = tempfile::tempdir().expect("temporary folder");
        let key = SigningKey::generate(NAME).expect("random numbers");
        key.save(&folder.path().join("signing.key")).expect("saved");
        let log = Log { folder };
        let mut writer = LogWriter::create(&log.dir(), key).expect("created");
        writer.append(&leaves(0..count)).expect("appended");
        writer.commit().expect("committed");
        log
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn key(&self) -> SigningKey {
        SigningKey::load(&self.folder.path().join("signing.key")).expect("key")
    }

    fn open(&self) -> Result<LogWriter, LogError> {
        LogWriter::open(&self.dir(), self.key())
    }

    fn reader(&self) -> LogReader {
        LogReader::open(&self.dir()).expect("readable")
    }

    /// Paths of all files below the log's folder.
    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        list(&self.dir(), &self.dir(), &mut files);
        files.sort();
        files
    }
}

fn list(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("list") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            list(root, &path, files);
        } else {
            let path = path.strip_prefix(root).expect("below");
            files.push(path.to_str().expect("ASCII").to_owned());
        }
    }
}

fn leaf(n: u64) -> Vec<u8> {
    format!(r#"{{"kind":"capture","n":{n}}}"#).into_bytes()
}

fn leaves(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    range.map(leaf).collect()
}

fn root(count: u64) -> Digest {
    let hashes: Vec<_> = (0..count).map(|n| merkle::leaf_hash(&leaf(n))).collect();
    merkle::root(&hashes)
}

#[test]
fn signed_note_accepts_the_checkpoint_and_the_keys() {
    let log = Log::with(300);
    let note = fs::read(log.dir().join("checkpoint")).expect("checkpoint");
    let vkey = fs::read_to_string(log.dir().join("vkey")).expect("vkey");
    let verifier = signed_note::StandardVerifier::new(vkey.trim_end()).expect("their vkey form");
    let known = signed_note::VerifierList::new(vec![Box::new(verifier)]);
    let note = signed_note::Note::from_bytes(&note).expect("their note form");
    let (verified, unverified) = note.verify(&known).expect("their verification");
    assert_eq!((verified.len(), unverified.len()), (1, 0));

    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("their checkpoint");
    assert_eq!(checkpoint.origin(), NAME);
    assert_eq!(checkpoint.size(), 300);
    assert_eq!(&checkpoint.hash().0, root(300).as_bytes());

    let key = fs::read_to_string(log.folder.path().join("signing.key")).expect("key");
    signed_note::StandardSigner::new(key.trim_end()).expect("their signing key form");
}

#[test]
fn a_checkpoint_signed_by_signed_note_is_accepted() {
    let log = Log::with(1);
    let key = fs::read_to_string(log.folder.path().join("signing.key")).expect("key");
    let signer = signed_note::StandardSigner::new(key.trim_end()).expect("signer");
    let root = tlog_tiles::Hash(*root(1).as_bytes());
    let text = tlog_tiles::Checkpoint::new(NAME, 1, root, "").expect("checkpoint");
    let mut note = signed_note::Note::new(&text.to_bytes(), &[]).expect("note");
    note.add_sigs(&[&signer]).expect("signed");
    let note = String::from_utf8(note.to_bytes()).expect("text");
    let checkpoint = Checkpoint::verify(&note, &log.key().verifier()).expect("verified");
    assert_eq!(checkpoint, *log.reader().checkpoint());
}

/// Reads our tiles for the crate tlog_tiles, whose paths carry the height as well.
struct Tiles(PathBuf);

impl tlog_tiles::TileReader for Tiles {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let path = |tile: &tlog_tiles::Tile| self.0.join(tile.path().replace("tile/8/", "tile/"));
        Ok(tiles
            .iter()
            .map(|tile| fs::read(path(tile)).expect("the tile is there"))
            .collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn tlog_tiles_accepts_tiles_and_proofs() {
    for size in [1, 2, 255, 256, 257, 600, 65_536 + 256 + 3] {
        let log = Log::with(size);
        let tree_hash = tlog_tiles::Hash(*root(size).as_bytes());
        let tiles = Tiles(log.dir());
        let reader = tlog_tiles::TileHashReader::new(size, tree_hash, &tiles);
        assert_eq!(
            tlog_tiles::tree_hash(size, &reader)
                .expect("tiles make the root")
                .0,
            tree_hash.0
        );
        let index = size * 2 / 3;
        let theirs = tlog_tiles::prove_record(size, index, &reader).expect("their proof");
        let ours = log.reader().prove_inclusion(index).expect("our proof");
        let theirs: Vec<_> = theirs.iter().map(|h| Digest::from_bytes(h.0)).collect();
        assert_eq!(ours, theirs, "leaf {index} of {size}");

        let old = size.div_ceil(2);
        let theirs = tlog_tiles::prove_tree(size, old, &reader).expect("their proof");
        let (old_root, ours) = log.reader().prove_consistency(old).expect("our proof");
        assert_eq!(old_root, root(old));
        let theirs: Vec<_> = theirs.iter().map(|h| Digest::from_bytes(h.0)).collect();
        assert_eq!(ours, theirs, "{old} to {size}");
    }
}

#[test]
fn the_files_are_those_of_the_specification_and_no_more() {
    let log = Log::with(0);
    assert_eq!(log.files(), ["checkpoint", "vkey"]);
    let mut writer = log.open().expect("opened");
    for n in 0..260 {
        writer.append(&[leaf(n)]).expect("appended");
        if n % 3 == 0 {
            writer.commit().expect("committed");
        }
    }
    writer.commit().expect("committed");
    assert_eq!(
        log.files(),
        [
            "checkpoint",
            "tile/0/000",
            "tile/0/001.p/4",
            "tile/1/000.p/1",
            "tile/entries/000",
            "tile/entries/001.p/4",
            "vkey",
        ]
    );
    assert_eq!(
        fs::read_dir(log.dir().join("tile/0"))
            .expect("list")
            .count(),
        2
    );
}

#[test]
fn what_was_appended_is_read_back() {
    let log = Log::with(700);
    let mut writer = log.open().expect("opened");
    assert_eq!(writer.append(&leaves(700..800)).expect("appended"), 700);
    let before = log.reader();
    assert_eq!(before.checkpoint().size, 700, "not committed yet");
    let longest = vec![b'x'; 65_535];
    writer
        .append(&[longest.clone(), Vec::new()])
        .expect("appended");
    let checkpoint = writer.commit().expect("committed");
    assert_eq!(checkpoint.size, 802);

    let reader = log.reader();
    assert_eq!(*reader.checkpoint(), checkpoint);
    let read: Result<Vec<_>, _> = reader.entries(250..520).collect();
    assert_eq!(read.expect("entries"), leaves(250..520));
    assert_eq!(reader.entry(800).expect("longest"), longest);
    assert_eq!(reader.entry(801).expect("empty"), b"");
    assert!(matches!(
        reader.entry(802),
        Err(LogError::NoSuchLeaf {
            index: 802,
            size: 802
        })
    ));
    assert_eq!(reader.root_of_entries(802).expect("root"), checkpoint.root);
    assert_eq!(reader.root_of_entries(700).expect("root"), root(700));
    // The reader that was opened before still reads what its checkpoint covers, though its partial tile is gone.
    let read: Result<Vec<_>, _> = before.entries(0..u64::MAX).collect();
    assert_eq!(read.expect("entries"), leaves(0..700));
}

#[test]
fn a_leaf_that_is_too_long_is_refused_and_nothing_changes() {
    let log = Log::with(3);
    let mut writer = log.open().expect("opened");
    let error = writer.append(&[leaf(3), vec![0; 65_536]]);
    assert!(matches!(error, Err(LogError::TooLong(65_536))));
    assert_eq!(writer.size(), 3);
    assert_eq!(writer.commit().expect("nothing to do").size, 3);
}

#[test]
fn what_a_crash_left_beyond_the_checkpoint_is_written_over() {
    for (committed, lost) in [(0, 5), (10, 3), (250, 20), (256, 1), (256, 600), (300, 300)] {
        let log = Log::with(committed);
        let mut writer = log.open().expect("opened");
        let other: Vec<_> = (0..lost)
            .map(|n: u64| format!("lost {n}").into_bytes())
            .collect();
        writer.append(&other).expect("appended");
        drop(writer);
        fs::write(log.dir().join(".checkpoint.1.0.tmp"), "torn").expect("a torn write");
        let mut writer = log.open().expect("opened after the crash");
        assert_eq!(writer.size(), committed);
        for n in committed..committed + 7 {
            writer.append(&[leaf(n)]).expect("appended");
            writer.commit().expect("committed");
            let reader = log.reader();
            assert_eq!(reader.root_of_entries(n + 1).expect("root"), root(n + 1));
            assert_eq!(reader.checkpoint().root, root(n + 1));
        }
        let expected = Log::with(committed + 7);
        assert_eq!(log.files(), expected.files(), "{committed} and {lost} lost");
    }
}

#[test]
fn superseded_tiles_that_a_crash_left_are_taken_away() {
    let log = Log::with(250);
    let kept: Vec<_> = ["tile/entries/000.p/250", "tile/0/000.p/250"]
        .map(|path| (path, fs::read(log.dir().join(path)).expect("partial")))
        .into();
    let mut writer = log.open().expect("opened");
    writer.append(&leaves(250..900)).expect("appended");
    writer.commit().expect("committed");
    drop(writer);
    for (path, bytes) in kept {
        let path = log.dir().join(path);
        fs::create_dir_all(path.parent().expect("folder")).expect("folder");
        fs::write(path, bytes).expect("written");
    }
    log.open().expect("opened");
    assert_eq!(log.files(), Log::with(900).files());
}

#[test]
fn proofs_are_made_from_the_entries_where_hash_tiles_are_damaged_or_gone() {
    let log = Log::with(700);
    let prove = || {
        let reader = log.reader();
        let inclusion = reader.prove_inclusion(300).expect("a proof");
        (inclusion, reader.prove_consistency(300).expect("a proof"))
    };
    let whole = prove();
    let tile = log.dir().join("tile/0/001");
    let mut bytes = fs::read(&tile).expect("a tile");
    bytes[40 * 32] ^= 1;
    fs::write(&tile, bytes).expect("damaged");
    assert!(prove() == whole);
    fs::remove_dir_all(log.dir().join("tile/1")).expect("removed");
    assert!(prove() == whole);
}

#[test]
fn hash_tiles_can_be_deleted_and_damaged() {
    let log = Log::with(700);
    let whole = log.files();
    for damage in [
        "tile/0/001",
        "tile/0/002.p/188",
        "tile/1/000.p/2",
        "tile/0",
        "vkey",
    ] {
        let path = log.dir().join(damage);
        if path.is_dir() {
            fs::remove_dir_all(&path).expect("removed");
        } else {
            fs::remove_file(&path).expect("removed");
        }
        let writer = log.open().expect("rebuilt");
        assert!(!writer.repaired().is_empty(), "{damage}");
        assert_eq!(log.files(), whole, "{damage}");
    }
    for damage in ["tile/0/002.p/188", "tile/1/000.p/2", "vkey"] {
        let path = log.dir().join(damage);
        let before = fs::read(&path).expect("tile");
        let mut bytes = before.clone();
        bytes[40] ^= 1;
        fs::write(&path, bytes).expect("damaged");
        let writer = log.open().expect("rebuilt");
        assert_eq!(writer.repaired(), std::slice::from_ref(&path));
        assert_eq!(fs::read(&path).expect("tile"), before);
    }
    assert!(log.open().expect("whole").repaired().is_empty());
}

#[test]
fn a_log_that_would_fork_is_refused_with_sizes_and_roots() {
    // Entries and hash tiles of another log of the same size.
    let log = Log::with(300);
    let path = log.dir().join("tile/entries/001.p/44");
    let bytes = fs::read(&path).expect("entries");
    let other = String::from_utf8_lossy(&bytes).replace("capture", "capturE");
    fs::write(&path, other.as_bytes()).expect("changed");
    let error = log.open().expect_err("a fork");
    let text = error.to_string();
    assert!(
        text.contains("size 300") && text.contains(&root(300).to_string()),
        "{text}"
    );

    // The entries of the edge are lost: nothing can be added without inventing them.
    fs::remove_file(&path).expect("removed");
    let error = log.open().expect_err("no entries").to_string();
    assert!(error.contains("tile/entries/001.p/44"), "{error}");

    // A checkpoint of another key.
    let log = Log::with(3);
    let error = LogWriter::open(&log.dir(), SigningKey::generate(NAME).expect("key"));
    assert!(matches!(error, Err(LogError::OtherKey { .. })));
}

#[test]
fn a_writer_whose_checkpoint_was_exchanged_signs_no_more() {
    let log = Log::with(10);
    let old = fs::read(log.dir().join("checkpoint")).expect("checkpoint");
    let mut writer = log.open().expect("opened");
    writer.append(&leaves(10..12)).expect("appended");
    writer.commit().expect("committed");
    fs::write(log.dir().join("checkpoint"), old).expect("rolled back");
    writer.append(&leaves(12..13)).expect("appended");
    let error = writer.commit().expect_err("it would fork");
    assert!(matches!(
        error,
        LogError::ChangedUnderneath {
            expected: 12,
            found: 10,
            ..
        }
    ));
}

#[test]
fn a_commit_that_failed_is_made_up_for() {
    let log = Log::with(10);
    let mut writer = log.open().expect("opened");
    // A folder in its place: tiles cannot be renamed over it.
    let in_the_way = log.dir().join("tile/0/000.p/11");
    fs::create_dir(&in_the_way).expect("folder");
    writer.append(&leaves(10..11)).expect_err("in the way");
    assert_eq!(writer.size(), 10);
    fs::remove_dir(&in_the_way).expect("removed");
    writer.append(&leaves(10..11)).expect("appended");
    assert_eq!(writer.commit().expect("committed").root, root(11));
    assert_eq!(log.files(), Log::with(11).files());
}

#[test]
fn a_log_is_never_created_over_another() {
    let log = Log::with(10);
    let error = LogWriter::create(&log.dir(), log.key()).expect_err("there is one");
    assert!(error.to_string().contains("checkpoint"), "{error}");
    fs::remove_file(log.dir().join("checkpoint")).expect("removed");
    LogWriter::create(&log.dir(), log.key()).expect_err("its tiles are there");
}

#[test]
fn every_file_below_tile_has_the_name_of_a_tile() {
    let log = Log::with(66_000);
    for file in log.files().iter().filter(|f| f.starts_with("tile/")) {
        assert!(TileId::parse(file).is_some(), "{file}");
    }
}
