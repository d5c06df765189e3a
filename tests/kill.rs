//! kill -9 at random moments while files are dropped: nothing lost, doubled, corrupt or left over.
//!
//! `FAIRCOPY_KILLS` and `FAIRCOPY_DROPS` make it longer (200 and 2000 for a release).

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::daemon::{Desk, wait_until};
use common::producer::Producer;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .map_or(default, |text| text.parse().expect(name))
}

/// A small deterministic source of moments: splitmix64.
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }
}

fn article(n: usize) -> String {
    format!(
        "Local News\n\nTown number {n} opens its new bridge\n\nThe bridge of town {n} was opened on Monday after years of work, the council said.\n\n\
         Visitors came from all the towns around the lake to see it, and stayed until the evening.\n\n(Photo: Jo Example/AP)\n\n\
         The post Town number {n} opens its new bridge appeared first on Lake Courier {n}.\n"
    )
}

fn write(inbox: &Path, n: usize) {
    let folder = inbox.join(format!("day-{}", n % 7));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("article-{n}.txt"));
    let pause = Duration::from_millis(10);
    Producer::ALL[n % 3].write(&path, article(n).as_bytes(), 100, pause);
}

#[test]
fn kill_9_at_random_moments_loses_and_doubles_nothing() {
    let kills = number("FAIRCOPY_KILLS", 20);
    let drops = number("FAIRCOPY_DROPS", 200);
    let mut moments = Moments(number("FAIRCOPY_SEED", 7) as u64);
    let mut desk = Desk::new("[[inbox]]\nsettle = \"1s\"\n");
    let inbox = desk.inbox();
    let next = AtomicUsize::new(0);
    let done = AtomicBool::new(false);

    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= drops {
                        return;
                    }
                    write(&inbox, n);
                    // Spread the drops over the kills.
                    thread::sleep(Duration::from_millis(
                        (kills * 400 * 3 / drops.max(1)) as u64,
                    ));
                }
            });
        }
        for _ in 0..kills {
            desk.spawn();
            thread::sleep(Duration::from_millis(50 + moments.below(1500)));
            desk.kill();
        }
        done.store(true, Ordering::Relaxed);
    });
    desk.start();
    wait_until("an empty inbox", || desk.count_files("inbox") == 0);
    let status = || desk.run(&["status", "--json"]).expect(0).json().remove(0);
    wait_until("nothing in hand", || status()["in_flight"] == 0);
    assert_eq!(desk.stop(), 0, "{}", desk.log());

    assert_eq!(
        desk.count_files("failed"),
        0,
        "nothing is in quarantine: {}",
        desk.log()
    );
    assert_eq!(desk.count_files("state/spool"), 0, "no intent is left over");
    assert_eq!(
        desk.count_files("done"),
        drops,
        "every source was released once"
    );
    let mut seen = BTreeMap::new();
    for document in desk.documents() {
        let path = document["path"].as_str().unwrap().to_owned();
        let captures = document["captures"].as_u64().unwrap();
        assert_eq!(captures, 1, "{path} was archived {captures} times");
        assert!(
            seen.insert(path, document["doc"].as_str().unwrap().to_owned())
                .is_none()
        );
    }
    assert_eq!(seen.len(), drops, "every file is archived");
    for n in (0..drops).step_by(usize::max(1, drops / 50)) {
        let path = format!("day-{}/article-{n}.txt", n % 7);
        let raw = desk.run(&["cat", &seen[&path], "--raw"]).expect(0).stdout;
        assert_eq!(raw, article(n), "{path}");
    }
    desk.run(&["check", "--read-data"]).expect(0);
    println!("{kills} kills, {drops} drops: 0 lost, 0 doubled, 0 corrupt, 0 left over");
}
