//! The daemon as its users meet it: start, drop, status, reload, a second writer, bad days, stop.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::daemon::{Desk, faircopy, wait_until};

const QUICK: &str = "[[inbox]]\nsettle = \"200ms\"\nsettle_renamed = \"20ms\"\n";

fn drop_seed(desk: &Desk, seed: &str, name: &str) {
    let part = desk.inbox().join(format!("{name}.part"));
    fs::write(&part, common::seed(seed)).unwrap();
    fs::rename(part, desk.inbox().join(name)).unwrap();
}

#[test]
fn a_dropped_file_is_listed_and_its_source_released() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    drop_seed(&desk, "aggregator-travel.txt", "travel.txt");
    desk.wait_for_documents(1);
    wait_until("the release", || desk.count_files("inbox") == 0);
    assert_eq!(desk.count_files("done"), 1);
    let raw = desk
        .run(&["cat", "inbox/travel.txt", "--raw"])
        .expect(0)
        .stdout;
    assert_eq!(raw.as_bytes(), common::seed("aggregator-travel.txt"));
    assert_eq!(desk.stop(), 0);
    desk.run(&["check", "--read-data"]).expect(0);
}

#[test]
fn run_init_makes_everything_and_a_second_run_goes_on() {
    let sandbox = common::Sandbox::new();
    let folder = sandbox.path("new");
    for round in 1..=2 {
        let mut daemon = common::daemon::bare_command()
            .args(["run", "--init"])
            .arg(&folder)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("the socket", || folder.join("state/control.sock").exists());
        let text = common::seed("aggregator-travel.txt");
        fs::write(folder.join(format!("inbox/round-{round}.txt")), text).unwrap();
        let config = folder.join("faircopy.toml");
        let list = || {
            faircopy(&["--config", config.to_str().unwrap(), "ls", "--json"])
                .json()
                .len()
        };
        wait_until("the document", || list() == round);
        Command::new("kill")
            .arg(daemon.id().to_string())
            .status()
            .unwrap();
        assert!(daemon.wait().unwrap().success());
    }
}

#[test]
fn a_second_daemon_is_refused_and_add_goes_through_the_first() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    let second = desk.run(&["run"]);
    assert_eq!(second.code, 11, "{}", second.stderr);
    let file = desk
        .sandbox
        .put_seed("aggregator-travel.txt", "elsewhere/a.txt");
    let said = desk
        .run(&["add", "--json", file.to_str().unwrap()])
        .expect(0)
        .json();
    assert_eq!(said[0]["outcome"], "archived");
    assert!(file.exists(), "the source stays");
    let again = desk
        .run(&["add", "--json", file.to_str().unwrap()])
        .expect(0)
        .json();
    assert_eq!(again[0]["outcome"], "duplicate");
    assert_eq!(again[0]["doc"], said[0]["doc"]);
    assert_eq!(desk.documents().len(), 1);
}

#[test]
fn add_of_a_bad_file_through_the_daemon_names_it_and_the_reason() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    let good = desk.sandbox.put_seed("aggregator-travel.txt", "x/good.txt");
    let bad = desk.sandbox.put_seed("pixel.png", "x/bad.png");
    let said = desk
        .run(&["add", good.to_str().unwrap(), bad.to_str().unwrap()])
        .expect(3);
    assert!(said.stderr.contains("bad.png"), "{}", said.stderr);
    let alone = desk.run(&["add", bad.to_str().unwrap()]);
    assert_eq!(alone.code, 1);
}

#[test]
fn reload_takes_a_good_configuration_and_keeps_the_old_when_the_new_is_bad() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    fs::create_dir(desk.path("second")).unwrap();
    let two =
        format!("{QUICK}\n[[inbox]]\nname = \"second\"\npath = \"second\"\nsettle = \"200ms\"\n");
    desk.configure(&two);
    desk.run(&["reload"]).expect(0);
    fs::write(
        desk.path("second/b.txt"),
        common::seed("aggregator-sport.txt"),
    )
    .unwrap();
    desk.wait_for_documents(1);

    desk.configure("[[inbox]]\nsetle = \"200ms\"\n");
    let said = desk.run(&["reload"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(
        said.stderr.contains("setle") && said.stderr.contains("line 2"),
        "{}",
        said.stderr
    );
    desk.configure(&two.replace("path = \"second\"", "path = \"archive/inside\""));
    assert_eq!(desk.run(&["reload"]).code, 1, "an inbox inside the archive");
    desk.configure(&two);
    fs::write(
        desk.path("second/c.txt"),
        common::seed("aggregator-travel.txt"),
    )
    .unwrap();
    desk.wait_for_documents(2);
    assert_eq!(desk.stop(), 0);
}

#[test]
fn reload_picks_up_rule_packs_and_names_those_that_fail() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    let rules = |desk: &Desk| desk.run(&["status", "--json"]).json()[0]["rules"].clone();
    let before = rules(&desk);
    fs::create_dir(desk.path("rules")).unwrap();
    let pack = "[[rule]]\nname = \"table\"\nclass = \"promo\"\nreason = \"offers the tide tables\"\nis = [\"tide tables\"]\nmust_remove = [\"Tide tables\"]\n";
    fs::write(desk.path("rules/tides.toml"), pack).unwrap();
    let failing = pack.replace("[\"Tide tables\"]", "[\"Tides\"]");
    fs::write(desk.path("rules/ui.toml"), failing).unwrap();
    let said = desk.run(&["reload"]).expect(0);
    assert!(said.stderr.contains("ui.toml:6"), "{}", said.stderr);
    let after = rules(&desk);
    assert_ne!(after["id"], before["id"]);
    assert_eq!(after["own"][0]["name"], "tides");
    assert_eq!(after["refused"][0]["pack"], "ui");
    assert!(desk.log().contains("ui.toml:6"));
    let article = "Ferry returns\n\nThe ferry across the lake sails again from Monday, the harbour office said.\n\nTide tables\n\nTickets cost the same as last year, and the dog sails free.\n\nAdvertisement\n";
    fs::write(desk.path("inbox/a.txt"), article).unwrap();
    desk.wait_for_documents(1);
    let text = desk.run(&["cat", "inbox/a.txt"]).expect(0).stdout;
    assert!(
        !text.contains("Tide tables") && !text.contains("Advertisement"),
        "{text}"
    );
    assert_eq!(desk.stop(), 0);
}

#[test]
fn a_pin_reaches_a_running_daemon_and_decides_from_then_on() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    let article = |day: &str| {
        let text = format!(
            "Ferry returns\n\nThe ferry across the lake sails again from {day}, the harbour office said.\n\nTide tables for all\n\nTickets cost the same as last year, and the dog sails free.\n"
        );
        fs::write(desk.path("inbox/a.txt"), text).unwrap();
    };
    let text = || desk.run(&["cat", "inbox/a.txt"]).stdout;
    article("Monday");
    desk.wait_for_documents(1);
    assert!(text().contains("Tide tables"));
    let pin = [
        "pin",
        "--remove",
        "Tide tables for all",
        "inbox/a.txt",
        "--json",
    ];
    let said = desk.run(&pin).expect(0).json();
    assert_eq!(said[0]["leaf"], 2, "after the capture and the rules");
    assert_eq!(
        desk.run(&pin).expect(0).json()[0]["leaf"],
        serde_json::Value::Null
    );
    let status = desk.run(&["status", "--json"]).json();
    assert_eq!(status[0]["checkpoint"]["size"], 3);
    article("Friday");
    wait_until("the second version", || text().contains("Friday"));
    assert!(!text().contains("Tide tables"), "{}", text());
    assert_eq!(desk.stop(), 0);
}

#[test]
fn a_bad_configuration_exits_78_and_names_file_line_and_key() {
    let mut desk = Desk::new("[daemon]\nworkers = \"many\"\n");
    desk.spawn();
    assert_eq!(desk.wait(), 78);
    let log = desk.log();
    for part in ["faircopy.toml", "line 2", "workers"] {
        assert!(log.contains(part), "{log}");
    }
}

#[test]
fn what_cannot_be_archived_moves_aside_with_its_reason_and_retry_sends_it_back() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    drop_seed(&desk, "pixel.png", "picture.txt");
    drop_seed(&desk, "aggregator-travel.txt", "good.txt");
    desk.wait_for_documents(1);
    wait_until("the quarantine", || desk.count_files("failed") == 2);
    let status = desk.run(&["status", "--json"]).expect(0).json().remove(0);
    assert_eq!(status["quarantine"], 1);
    let reason = desk.sandbox.files("desk/failed").into_iter();
    let reason = reason
        .map(|path| desk.path("failed").join(path))
        .find(|p| p.ends_with("reason.json"));
    let reason: serde_json::Value =
        serde_json::from_slice(&fs::read(reason.unwrap()).unwrap()).unwrap();
    assert!(reason.to_string().contains("binary"), "{reason}");
    desk.run(&["retry", "--all"]).expect(0);
    wait_until("the quarantine again", || {
        desk.count_files("failed") == 2 && desk.count_files("inbox") == 0
    });
}

#[test]
fn a_sidecar_that_is_kept_is_archived_once_and_again_only_when_it_changes() {
    const HAS_IT: &str = "the archive has what a late sidecar declares";
    let mut desk = Desk::new(&format!("{QUICK}release = \"keep\"\n"));
    let declare = |desk: &Desk, url: &str| {
        let part = desk.inbox().join("travel.txt.meta.json.part");
        fs::write(&part, format!(r#"{{"url": "{url}"}}"#)).unwrap();
        fs::rename(part, desk.inbox().join("travel.txt.meta.json")).unwrap();
    };
    let first = "https://www.example.org/travel";
    declare(&desk, first);
    desk.start();
    drop_seed(&desk, "aggregator-travel.txt", "travel.txt");
    desk.wait_for_documents(1);
    assert_eq!(desk.stop(), 0);

    let leaves = |desk: &Desk| {
        let status = desk.run(&["status", "--json"]).expect(0).json().remove(0);
        (
            status["captures"].clone(),
            status["checkpoint"]["size"].clone(),
        )
    };
    let restart = |desk: &mut Desk| {
        let offers = |desk: &Desk| desk.log().matches(HAS_IT).count();
        let before = offers(desk);
        desk.start();
        wait_until("the sidecar, offered again", || offers(desk) > before);
    };
    for _ in 0..3 {
        restart(&mut desk);
        assert_eq!(desk.stop(), 0);
        assert_eq!(leaves(&desk), (1.into(), 2.into()));
        assert_eq!(desk.count_files("inbox"), 2, "article and sidecar stay");
    }

    let show = |desk: &Desk| {
        let said = desk.run(&["show", "inbox/travel.txt", "--json"]);
        said.expect(0).json().remove(0)
    };
    restart(&mut desk);
    assert_eq!(show(&desk)["revisions"], serde_json::json!([]));
    let late = "https://www.example.org/travel-again";
    declare(&desk, late);
    wait_until("the revision", || show(&desk)["revisions"][0].is_object());
    assert_eq!(desk.stop(), 0);
    restart(&mut desk);
    assert_eq!(desk.stop(), 0);
    assert_eq!(leaves(&desk), (1.into(), 3.into()));
    let shown = show(&desk);
    assert_eq!(shown["revisions"].as_array().unwrap().len(), 1);
    assert_eq!(shown["revisions"][0]["declared"]["url"], late);
    assert_eq!(shown["declared"]["url"], first, "what was said first stays");
    let by_name = desk.run(&["show", late]).expect(0).stdout;
    assert!(by_name.contains(late), "{by_name}");
    desk.run(&["check", "--read-data"]).expect(0);
}

#[test]
fn stop_finishes_what_is_in_hand() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    for n in 0..100 {
        let text = common::seed("aggregator-travel.txt");
        let text = [text.as_slice(), format!("\n\nNumber {n}.\n").as_bytes()].concat();
        fs::write(desk.inbox().join(format!("{n}.txt.part")), text).unwrap();
        let name = desk.inbox().join(format!("{n}.txt"));
        fs::rename(desk.inbox().join(format!("{n}.txt.part")), name).unwrap();
    }
    thread::sleep(Duration::from_millis(300));
    assert_eq!(desk.stop(), 0);
    assert_eq!(desk.count_files("state/spool"), 0, "no intent is open");
    let archived = desk.documents().len();
    assert_eq!(archived + desk.count_files("inbox"), 100);
    assert_eq!(archived, desk.count_files("done"));
}

#[test]
fn the_archive_folder_gone_stops_intake_and_loses_nothing() {
    let mut desk = Desk::new(&format!(
        "[intake]\nretry_min = \"200ms\"\nretry_max = \"400ms\"\n{QUICK}"
    ));
    desk.start();
    drop_seed(&desk, "aggregator-travel.txt", "a.txt");
    desk.wait_for_documents(1);
    fs::rename(desk.path("archive"), desk.path("archive-away")).unwrap();
    drop_seed(&desk, "aggregator-sport.txt", "b.txt");
    thread::sleep(Duration::from_secs(2));
    assert!(
        desk.inbox().join("b.txt").exists(),
        "the source stays: {}",
        desk.log()
    );
    fs::rename(desk.path("archive-away"), desk.path("archive")).unwrap();
    desk.wait_for_documents(2);
    assert_eq!(desk.stop(), 0);
    desk.run(&["check", "--read-data"]).expect(0);
}

#[test]
fn a_restored_older_archive_is_refused_with_sizes_and_advice_and_the_inbox_stays() {
    let mut desk = Desk::new(&format!(
        "[intake]\nretry_min = \"200ms\"\nretry_max = \"400ms\"\n{QUICK}"
    ));
    let copy = |desk: &Desk, from: &str, to: &str| {
        let (from, to) = (desk.path(from), desk.path(to));
        let status = Command::new("cp").arg("-a").args([from, to]).status();
        assert!(status.unwrap().success());
    };
    desk.start();
    drop_seed(&desk, "aggregator-travel.txt", "a.txt");
    desk.wait_for_documents(1);
    assert_eq!(desk.stop(), 0);
    copy(&desk, "archive", "older");
    desk.start();
    drop_seed(&desk, "aggregator-sport.txt", "b.txt");
    desk.wait_for_documents(2);
    wait_until("the release", || desk.count_files("inbox") == 0);

    // While the daemon runs: it takes nothing in until the right one is back.
    let advice = ["has 2 leaves", "had 3", "Restore the newer copy"];
    let is_told = |log: &str| advice.iter().all(|part| log.contains(part));
    fs::rename(desk.path("archive"), desk.path("newer")).unwrap();
    copy(&desk, "older", "archive");
    drop_seed(&desk, "aggregator-travel.txt", "c.txt");
    wait_until("the refusal", || is_told(&desk.log()));
    assert_eq!(desk.count_files("inbox"), 1);
    fs::remove_dir_all(desk.path("archive")).unwrap();
    fs::rename(desk.path("newer"), desk.path("archive")).unwrap();
    wait_until("the release", || desk.count_files("inbox") == 0);
    desk.wait_for_documents(3);
    assert_eq!(desk.stop(), 0);
    let last = desk.path("state/last-checkpoint");
    let check = ["check", "--checkpoint", last.to_str().unwrap()];
    desk.run(&check).expect(0);

    // Before it starts.
    fs::rename(desk.path("archive"), desk.path("newer")).unwrap();
    copy(&desk, "older", "archive");
    drop_seed(&desk, "aggregator-sport.txt", "d.txt");
    fs::remove_file(desk.path("daemon.log")).unwrap();
    desk.spawn();
    assert_eq!(desk.wait(), 1);
    let log = desk.log();
    for part in [
        "has 2 leaves",
        "had 4",
        "Restore the newer copy",
        "last-checkpoint",
    ] {
        assert!(log.contains(part), "{log}");
    }
    assert!(desk.inbox().join("d.txt").exists());
    assert_eq!(desk.count_files("inbox"), 1);
    let said = desk.run(&check).expect(4);
    assert!(said.stdout.contains("F021"), "{}", said.stdout);
}

/// A small file system of its own; `None` (said) where it cannot be had.
struct Tmpfs(std::path::PathBuf);

impl Tmpfs {
    fn mount(path: &Path, size: &str) -> Option<Tmpfs> {
        fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            common::skip("root, to mount a small tmpfs");
            return None;
        }
        Some(Tmpfs(path.to_owned()))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[test]
fn a_full_disk_pauses_intake_which_finishes_when_space_returns() {
    let mut desk = Desk::new("");
    let Some(disk) = Tmpfs::mount(&desk.path("small"), "12m") else {
        return;
    };
    let config = format!(
        "[archive]\ndir = \"small/archive\"\nkeys = \"small/keys\"\nstate = \"small/state\"\n\
         [intake]\nspool = \"small/spool\"\nfree_bytes_min = \"1 MiB\"\nretry_min = \"200ms\"\nretry_max = \"400ms\"\n\
         [daemon]\ncontrol = \"control.sock\"\n{QUICK}"
    );
    desk.configure(&config);
    desk.run(&["init"]).expect(0);
    desk.start();
    drop_seed(&desk, "aggregator-travel.txt", "before.txt");
    desk.wait_for_documents(1);

    // Fill the disk below the floor, then to the last byte.
    for (file, filler) in [("filler-1", 11 << 20), ("filler-2", 4 << 20)] {
        let mut left: usize = filler;
        let mut out = fs::File::create(disk.0.join(file)).unwrap();
        while left > 0 && std::io::Write::write_all(&mut out, &[7; 4096]).is_ok() {
            left -= 4096;
        }
    }
    for n in 0..20 {
        drop_seed(&desk, "aggregator-sport.txt", &format!("during-{n}.txt"));
    }
    let status = || desk.run(&["status", "--json"]).expect(0).json().remove(0);
    wait_until("the pause", || !status()["inbox"]["paused"].is_null());
    assert_eq!(desk.count_files("inbox"), 20, "nothing is lost");
    assert_eq!(desk.documents().len(), 1, "reading works on a full disk");
    fs::remove_file(disk.0.join("filler-1")).unwrap();
    fs::remove_file(disk.0.join("filler-2")).unwrap();
    desk.wait_for_documents(21);
    wait_until("an empty inbox", || desk.count_files("inbox") == 0);
    assert_eq!(desk.stop(), 0);
    desk.run(&["check", "--read-data"]).expect(0);
}

#[test]
fn hostile_names_and_special_files_neither_stop_the_daemon_nor_reach_the_terminal() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let mut desk = Desk::new(QUICK);
    let inbox = desk.inbox();
    let text = common::seed("aggregator-travel.txt");
    for (n, name) in [
        &b"new\nline.txt"[..],
        b"\xff\xfe.txt",
        b"\x1b[31mred.txt",
        b"-rf",
        b"quote\"'.txt",
    ]
    .into_iter()
    .enumerate()
    {
        let text = [text.as_slice(), format!("\nNumber {n}.\n").as_bytes()].concat();
        fs::write(inbox.join(OsStr::from_bytes(name)), text).unwrap();
    }
    std::os::unix::fs::symlink("/etc", inbox.join("etc")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", inbox.join("passwd.txt")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(inbox.join("pipe.txt"))
            .status()
            .unwrap()
            .success()
    );
    desk.start();
    desk.wait_for_documents(5);
    let said = desk.run(&["ls"]).expect(0);
    assert!(!said.stdout.contains('\x1b'), "{}", said.stdout);
    assert_eq!(said.stdout.lines().count(), 5);
    let status = desk.run(&["status"]).expect(0);
    assert!(
        status.stdout.contains("pipe.txt"),
        "special files are listed: {}",
        status.stdout
    );
    assert!(
        inbox.join("passwd.txt").symlink_metadata().is_ok(),
        "links stay"
    );
    assert_eq!(desk.stop(), 0);
}

#[test]
fn clients_that_are_silent_hang_up_or_never_listen_disturb_nobody() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    let silent = desk.connect();
    let mut half = desk.connect();
    half.write_all(b"{\"request\":\"add\",\"path\":\"/x\",\"bytes\":1000}\nhalf of it")
        .unwrap();
    drop(half);
    let mut stalled = desk.connect();
    stalled
        .write_all(b"{\"request\":\"add\",\"path\":\"/y\",\"bytes\":9000000}\n")
        .unwrap();
    let mut deaf = desk.connect();
    deaf.set_write_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let statuses = b"{\"request\":\"status\"}\n".repeat(20_000);
    drop(deaf.write_all(&statuses));
    let mut rude = desk.connect();
    rude.write_all(&[b'x'; 4096]).unwrap();
    rude.write_all(b"\n").unwrap();
    let mut answer = String::new();
    rude.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"code\":\"request\""), "{answer}");

    let file = desk.sandbox.put_seed("aggregator-travel.txt", "x/a.txt");
    desk.run(&["add", file.to_str().unwrap()]).expect(0);
    drop_seed(&desk, "aggregator-sport.txt", "b.txt");
    desk.wait_for_documents(2);
    desk.run(&["reload"]).expect(0);
    assert_eq!(desk.stop(), 0);
    drop((silent, stalled, deaf));
}

#[test]
fn too_many_connections_are_told_so() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    let held: Vec<_> = (0..70).map(|_| desk.connect()).collect();
    // The daemon takes them as it comes to it.
    wait_until("the refusal", || {
        let said = desk.run(&["status"]);
        said.code == 1 && said.stderr.contains("64 connections")
    });
    drop(held);
    wait_until("room", || desk.run(&["status"]).code == 0);
}

#[test]
fn a_socket_path_that_cannot_be_used_exits_78_and_says_why() {
    let mut desk = Desk::new("[daemon]\ncontrol = \"precious\"\n");
    fs::write(desk.path("precious"), "not a socket").unwrap();
    desk.spawn();
    assert_eq!(desk.wait(), 78, "{}", desk.log());
    assert!(desk.log().contains("is no socket"), "{}", desk.log());
    assert_eq!(fs::read(desk.path("precious")).unwrap(), b"not a socket");

    let long = "x".repeat(110);
    desk.configure(&format!("[daemon]\ncontrol = \"{long}\"\n"));
    desk.spawn();
    assert_eq!(desk.wait(), 78, "{}", desk.log());
    assert!(desk.log().contains("107"), "{}", desk.log());
    // What needs no daemon does not mind.
    desk.run(&["ls"]).expect(0);
    desk.run(&["status"]).expect(0);
    let file = desk.sandbox.put_seed("aggregator-travel.txt", "x/a.txt");
    desk.run(&["add", file.to_str().unwrap()]).expect(0);
}

#[test]
fn a_second_daemon_does_not_take_the_socket_of_the_first() {
    let mut first = Desk::new(QUICK);
    first.start();
    let socket = first.path("state/control.sock");
    let mut second = Desk::new(&format!("[daemon]\ncontrol = {socket:?}\n"));
    second.spawn();
    assert_eq!(second.wait(), 78);
    assert!(second.log().contains("another daemon"), "{}", second.log());
    first.run(&["reload"]).expect(0);
    assert_eq!(first.stop(), 0);
    assert!(!socket.exists());
}

#[test]
fn an_inbox_that_is_not_there_yet_is_waited_for_and_told() {
    let mut desk = Desk::new(QUICK);
    fs::remove_dir(desk.inbox()).unwrap();
    desk.start();
    wait_until("a warning", || desk.log().contains("is waited for"));
    assert!(desk.log().contains("inbox"), "{}", desk.log());
    fs::create_dir(desk.inbox()).unwrap();
    drop_seed(&desk, "aggregator-travel.txt", "a.txt");
    desk.wait_for_documents(1);
    wait_until("its end", || desk.log().contains("over: inbox"));
    assert_eq!(desk.stop(), 0);
}

#[test]
fn a_hang_up_signal_reloads_and_changes_the_level_of_the_log() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    drop_seed(&desk, "aggregator-travel.txt", "a.txt");
    desk.wait_for_documents(1);
    wait_until("a line", || desk.log().contains("archived"));
    desk.configure(&format!("{QUICK}[log]\nlevel = \"error\"\n"));
    desk.signal("HUP");
    thread::sleep(Duration::from_millis(500));
    desk.run(&["reload"]).expect(0);
    let before = desk.log();
    drop_seed(&desk, "aggregator-sport.txt", "b.txt");
    desk.wait_for_documents(2);
    assert_eq!(desk.log(), before, "the second is not told");
    desk.configure(&format!("{QUICK}[log]\nlevel = \"loud\"\n"));
    let said = desk.run(&["reload"]).expect(1);
    assert!(said.stderr.contains("loud"), "{}", said.stderr);
    assert_eq!(desk.stop(), 0);
}

#[test]
fn a_stop_during_a_long_add_leaves_a_sound_archive_and_a_second_add_finishes() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    let text = common::seed("aggregator-travel.txt");
    for n in 0..300 {
        let text = [text.as_slice(), format!("\nNumber {n}.\n").as_bytes()].concat();
        desk.sandbox.write(format!("x/{n}.txt"), text);
    }
    let folder = desk.sandbox.path("x");
    let adding = desk
        .command()
        .arg("add")
        .arg(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("a beginning", || !desk.documents().is_empty());
    assert_eq!(desk.stop(), 0, "{}", desk.log());
    let output = adding.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        assert!(stderr.contains("add the same again"), "{stderr}");
    }
    desk.run(&["add", folder.to_str().unwrap()]).expect(0);
    assert_eq!(desk.documents().len(), 300);
    desk.run(&["check", "--read-data"]).expect(0);
}

#[test]
fn segments_are_sealed_by_request_and_when_idle_while_intake_goes_on() {
    let small = "segment_bytes_max = \"4 KB\"\ncompact_after = \"0s\"";
    let mut desk = Desk::new(&format!("[archive]\n{small}\n{QUICK}"));
    desk.start();
    let inbox = desk.inbox();
    let drop_article = |n: u32| {
        let text = format!(
            "Ferry {n} returns\n\nFerry number {n} sails again across the lake, the harbour office said, and {n} gulls came along.\n"
        );
        fs::write(inbox.join(format!("{n}.txt")), text).unwrap();
    };
    let folder = desk.path("archive/sealed");
    let sealed = || fs::read_dir(&folder).map_or(0, Iterator::count);
    for n in 0..6 {
        drop_article(n);
        desk.wait_for_documents(n as usize + 1);
    }
    assert_eq!(sealed(), 0);
    let said = desk.run(&["compact", "--json"]).expect(0).json();
    assert!(said[0]["replaced"].as_u64() > Some(0), "{said:?}");
    assert_eq!(said[0]["refused"], serde_json::json!([]));
    assert_eq!(sealed(), 3 * said[0]["sealed"].as_array().unwrap().len());
    drop_article(6);
    desk.wait_for_documents(7);
    desk.run(&["compact", "--all"]).expect(0);
    assert_eq!(
        desk.sandbox.files("desk/archive/segments"),
        Vec::<PathBuf>::new()
    );
    for n in 0..7 {
        let text = desk
            .run(&["cat", &format!("inbox/{n}.txt")])
            .expect(0)
            .stdout;
        assert!(text.contains(&format!("Ferry number {n} sails")), "{text}");
    }
    assert_eq!(desk.stop(), 0);

    desk.configure(&format!(
        "[archive]\n{}\n{QUICK}",
        small.replace("0s", "10ms")
    ));
    let before = sealed();
    desk.start();
    for n in 7..13 {
        drop_article(n);
        desk.wait_for_documents(n as usize + 1);
    }
    wait_until("it is idle and seals", || sealed() > before);
    assert_eq!(desk.stop(), 0);
    desk.run(&["check", "--read-data"]).expect(0);
}
