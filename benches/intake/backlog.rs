//! A hundred thousand files that wait in the inbox when the daemon starts, and then stay there (release policy `keep`).

use std::fs;
use std::time::{Duration, Instant};

use crate::common::daemon::{Desk, PATIENCE};
use crate::{procfs, texts, timed};

const FILES: usize = 100_000;
const FILES_TO_TRY: usize = 400;
/// One scan of the whole inbox at least: of so many files there is one each hundred seconds.
const IDLE: Duration = Duration::from_secs(125);
const IDLE_TO_TRY: Duration = Duration::from_secs(1);
/// The default settle time, and something.
const OLD_ENOUGH: Duration = Duration::from_millis(2_200);

pub(crate) fn measure(measures: bool) {
    let (files, idle) = match measures {
        true => (FILES, IDLE),
        false => (FILES_TO_TRY, IDLE_TO_TRY),
    };
    for release in ["done", "keep"] {
        let config = "[[inbox]]\nname = \"inbox\"\npath = \"inbox\"\nrelease = ";
        let mut desk = Desk::new(&format!("{config}\"{release}\"\n"));
        texts::write(&desk.inbox(), files);
        std::thread::sleep(OLD_ENOUGH);
        println!("backlog, {files} files of 1.5 KB, policy {release}");
        take_all(&mut desk, files);
        if release == "keep" {
            stay_idle(&desk, idle);
            assert_eq!(desk.stop(), 0, "{}", desk.log());
            println!("  again, all of them archived and kept");
            let start = Instant::now();
            desk.start();
            println!(
                "    answers after        {:8.2} s",
                start.elapsed().as_secs_f64()
            );
            wait(&desk, "all are known", |status| {
                status["inbox"]["roots"][0]["kept"] == files
            });
            println!(
                "    all known after      {:8.2} s",
                start.elapsed().as_secs_f64()
            );
            println!("    memory               {:8.0} MB", memory(&desk));
            stay_idle(&desk, idle);
        }
        assert_eq!(desk.stop(), 0, "{}", desk.log());
    }
}

fn take_all(desk: &mut Desk, files: usize) {
    let start = Instant::now();
    desk.spawn();
    let segment = desk.path("archive/log/checkpoint");
    let before = fs::read(&segment).unwrap();
    while fs::read(&segment).unwrap() == before {
        assert!(start.elapsed() < PATIENCE, "{}", desk.log());
        std::thread::sleep(Duration::from_millis(2));
    }
    println!(
        "  first archived after   {:8.2} s",
        start.elapsed().as_secs_f64()
    );
    wait(desk, "all are archived", |status| {
        status["captures"] == files && status["inbox"]["claimed"] == 0
    });
    let taken = start.elapsed().as_secs_f64();
    println!(
        "  all archived after     {taken:8.2} s, {:.0} a second",
        files as f64 / taken
    );
    println!("  memory, at most        {:8.0} MB", memory(desk));
}

fn stay_idle(desk: &Desk, idle: Duration) {
    // What is done once after intake, such as the search index a few seconds later, is not idleness.
    std::thread::sleep(2 * idle.min(Duration::from_secs(5)));
    let mut before = cpu_seconds(desk);
    loop {
        std::thread::sleep(idle.min(Duration::from_secs(5)));
        let now = cpu_seconds(desk);
        if now - before < 0.5 {
            break;
        }
        before = now;
    }
    let before = cpu_seconds(desk);
    let ((), taken) = timed(|| std::thread::sleep(idle));
    let share = (cpu_seconds(desk) - before) / taken.as_secs_f64();
    println!("  idle: CPU of one core  {:8.2} %", 100.0 * share);
}

fn wait(desk: &Desk, what: &str, there: impl Fn(&serde_json::Value) -> bool) {
    let start = Instant::now();
    loop {
        let said = desk.run(&["status", "--json"]);
        if said.json().first().is_some_and(&there) {
            return;
        }
        assert!(
            start.elapsed() < 5 * PATIENCE,
            "waited in vain: {what}; {}",
            said.stdout
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The most memory that the daemon had, in MB (`proc(5)`, VmHWM).
fn memory(desk: &Desk) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", desk.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<f64>().unwrap() * 1024.0 / 1e6
}

/// The CPU time of the daemon.
fn cpu_seconds(desk: &Desk) -> f64 {
    procfs::cpu_seconds(&desk.pid().to_string(), 11)
}
