//! From the writer's close to the published checkpoint, beside the page's CPU and the syncs that this needs.
//!
//! A page goes to an idle daemon and then the same page takes the bare way: it is read, cleaned and packed on one thread, and
//! as many bytes are written and synced in the same order by nobody but this loop. In turn, page by page.
//!
//! A capture needs these nine syncs before it counts as archived, however its file came (confirmed by strace):
//!
//! ```text
//! intent        file, folder   a power cut between checkpoint and release would else archive the file twice, and a machine
//!                              that dies of a file take it up for ever
//! segment       file           the records last before a leaf commits to them; the file is there already
//! tiles         file, folder   of the entries: the leaves last before the checkpoint signs them. A wider tile is another
//!                              file, so that nobody reads half of one: its folder, too
//!               file, folder   of the hashes: whoever comes right after a power cut, before a start can make
//!                              them again from the entries, must be able to follow the checkpoint
//! checkpoint    file, folder   the file before it gets its name, so that nobody finds it empty; then the name
//! ```
//!
//! Each 256th capture fills its tiles and needs eleven, since a hash goes up to the next level, a tile of its own; and so does the
//! one after it, for the folders of the next partial tiles.
//!
//! None can go, and few can share: what is written after a sync is a promise about what was written before it. The tiles are all
//! written before the first is synced. What follows the checkpoint is not waited for here: its copy in the state folder (two
//! syncs), the catalog (none), the release of the source (one for each of two folders, for all files of a group).

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use faircopy::archive::segment;
use faircopy::clean::rules::Rules;
use faircopy::durable;
use faircopy::inbox::oneshot::{Request, submit_file};
use faircopy::ingest::{Settings, ingest};
use faircopy::submission::ClaimId;
use notify::{EventKind, RecursiveMode, Watcher};

use crate::common::daemon::{Desk, wait_until};
use crate::{median, quantile, timed};

const ROUNDS: usize = 3;
const SETTLE: Duration = Duration::from_millis(300);
const CONFIG: &str =
    "[[inbox]]\nname = \"inbox\"\npath = \"inbox\"\nsettle = \"300ms\"\nsettle_renamed = \"0s\"\n";
/// Files are taken up so much later than they are closed or renamed: by choice, so it is subtracted.
#[derive(Debug, Clone, Copy)]
enum Way {
    Renamed,
    InPlace,
}

impl Way {
    /// Writes a file as a producer does; when that was done.
    fn write(self, path: &Path, bytes: &[u8]) -> Instant {
        match self {
            Way::Renamed => {
                let part = path.with_extension("html.part");
                fs::write(&part, bytes).unwrap();
                let start = Instant::now();
                fs::rename(part, path).unwrap();
                start
            }
            Way::InPlace => {
                let mut file = fs::File::create(path).unwrap();
                file.write_all(bytes).unwrap();
                drop(file);
                Instant::now()
            }
        }
    }

    fn settle(self) -> Duration {
        match self {
            Way::Renamed => Duration::ZERO,
            Way::InPlace => SETTLE,
        }
    }
}

pub(crate) fn measure(measures: bool) {
    let mut pages = pages();
    let rounds = match measures {
        true => ROUNDS,
        false => 1,
    };
    if !measures {
        pages.truncate(3);
    }
    let mut desk = Desk::new(CONFIG);
    desk.start();
    let mut road = Road {
        checkpoints: watch(&desk.path("state")),
        bare: Bare::new(&desk.path("bare")),
        desk: &desk,
        number: 0,
    };
    // The first capture also archives the rules.
    road.go(Way::Renamed, &pages[0]);
    for (way, rounds) in [(Way::Renamed, rounds), (Way::InPlace, 1)] {
        let taken = (0..rounds).flat_map(|_| &pages);
        let taken: Vec<(f64, f64)> = taken.map(|page| road.go(way, page)).collect();
        let (daemon, bare): (Vec<f64>, Vec<f64>) = taken.into_iter().unzip();
        println!("latency, {way:?}, {} captures, ms", daemon.len());
        let (bare_50, bare_99) = (median(bare.clone()), quantile(bare, 0.99));
        let (daemon_50, daemon_99) = (median(daemon.clone()), quantile(daemon, 0.99));
        println!("  CPU of the page and syncs  p50 {bare_50:7.2}  p99 {bare_99:7.2}");
        println!("  close to checkpoint        p50 {daemon_50:7.2}  p99 {daemon_99:7.2}");
        println!(
            "  ratio                      p50 {:7.2}  p99 {:7.2}  p99 to the bare p50 {:.2}",
            daemon_50 / bare_50,
            daemon_99 / bare_99,
            daemon_99 / bare_50
        );
    }
    drop(road);
    assert_eq!(desk.stop(), 0, "{}", desk.log());
}

/// Instants at which a checkpoint was durable: the writer then begins its copy of it.
fn watch(state: &Path) -> Receiver<Instant> {
    let (told, checkpoints) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let event = event.unwrap();
        let is_copy = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with(".last-checkpoint")
        };
        if matches!(event.kind, EventKind::Create(_)) && event.paths.iter().any(is_copy) {
            // Nobody waits for what comes after the last page.
            told.send(Instant::now()).ok();
        }
    })
    .unwrap();
    watcher.watch(state, RecursiveMode::NonRecursive).unwrap();
    // It lives as long as the process.
    std::mem::forget(watcher);
    checkpoints
}

/// Both ways of a page.
struct Road<'a> {
    desk: &'a Desk,
    checkpoints: Receiver<Instant>,
    bare: Bare,
    number: usize,
}

impl Road<'_> {
    /// Milliseconds that the daemon takes for a page, and that the bare way does.
    fn go(&mut self, way: Way, page: &[u8]) -> (f64, f64) {
        self.number += 1;
        let name = format!("{:05}.html", self.number);
        let bytes = [page, format!("<!-- {name} -->").as_bytes()].concat();
        let path = self.desk.inbox().join(&name);
        let before = self.segment_bytes();
        while self.checkpoints.try_recv().is_ok() {}
        let start = way.write(&path, &bytes);
        let end = self
            .checkpoints
            .recv_timeout(crate::common::daemon::PATIENCE);
        let taken = end.unwrap_or_else(|_| panic!("not archived; log:\n{}", self.desk.log()));
        let taken = (taken - start).saturating_sub(way.settle());
        wait_until("the release of the source", || !path.exists());
        // The catalog and the folders of the release.
        std::thread::sleep(Duration::from_millis(20));
        let bare = self.bare.take(&bytes, self.segment_bytes() - before);
        (taken.as_secs_f64() * 1e3, bare.as_secs_f64() * 1e3)
    }

    fn segment_bytes(&self) -> u64 {
        let path = segment::path(&self.desk.path("archive"), 1);
        fs::metadata(path).map_or(0, |metadata| metadata.len())
    }
}

/// The work and the syncs by themselves.
struct Bare {
    folder: PathBuf,
    settings: Settings,
    segment: fs::File,
    end: u64,
    number: usize,
}

impl Bare {
    fn new(folder: &Path) -> Bare {
        for name in ["spool", "log", "tile/entries", "tile/0", "tile/1"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let shelf = crate::shelf::Shelf::new();
        Bare {
            folder: folder.to_owned(),
            settings: Settings {
                decode: faircopy::decode::Options::default(),
                rules: Rules::built_in(),
                pins: shelf.writer().pins(),
            },
            segment: fs::File::create_new(folder.join("segment")).unwrap(),
            end: 0,
            number: 0,
        }
    }

    /// How long a page takes whose records have so many bytes, packed.
    fn take(&mut self, bytes: &[u8], packed_bytes: u64) -> Duration {
        self.number += 1;
        let page = self.folder.join("page.html");
        fs::write(&page, bytes).unwrap();
        let request = Request {
            claim: ClaimId::new(self.number as u64, [0; 10]),
            received_at: jiff::Timestamp::now(),
            bytes_max: u64::MAX,
        };
        let at = |name: &str| self.folder.join(name);
        let (intent, tile, checkpoint) = (at("spool/intent"), at("tile"), at("log/checkpoint"));
        let packed = vec![7; usize::try_from(packed_bytes).unwrap()];
        let ((), taken) = timed(|| {
            durable::replace(&intent, &[b'i'; 400], 0o600).unwrap();
            let submission = submit_file(&page, request).unwrap();
            drop(std::hint::black_box(
                ingest(submission, &self.settings).unwrap(),
            ));
            durable::reserve(&self.segment, self.end, packed_bytes).unwrap();
            self.segment.write_all(&packed).unwrap();
            self.segment.sync_data().unwrap();
            let width = (self.number - 1) % 256 + 1;
            let mut tiles = vec![("entries", 150 * width), ("0", 32 * width)];
            if width == 256 {
                tiles.push(("1", 32 * (self.number / 256)));
            }
            let tiles: Vec<_> = tiles
                .into_iter()
                .map(|(kind, bytes)| (tile.join(kind).join(width.to_string()), vec![b't'; bytes]))
                .collect();
            durable::replace_all(&tiles, 0o644).unwrap();
            durable::replace(&checkpoint, &[b'c'; 250], 0o644).unwrap();
        });
        self.end += packed_bytes;
        drop(fs::remove_file(intent));
        taken
    }
}

fn pages() -> Vec<Vec<u8>> {
    let folder = match std::env::var_os("FAIRCOPY_CORPUS") {
        Some(corpus) => Path::new(&corpus).join("noise").join("html"),
        None => crate::common::seeds_dir(),
    };
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "html")
        })
        .collect();
    paths.sort();
    let pages = paths.iter().map(|path| fs::read(path).unwrap());
    // Some of the seeds are made to be refused.
    let can_be_read = |page: &Vec<u8>| {
        let (declared, options) = Default::default();
        faircopy::decode::decode(Path::new("a.html"), page, &declared, &options).is_ok()
    };
    pages.filter(can_be_read).collect()
}
