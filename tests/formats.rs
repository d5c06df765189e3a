//! Archives of every released format version stay readable and can be written on. They lie in `tests/formats/VERSION`,
//! with keys that protect nothing, and are never changed. `cargo test --test formats -- --ignored` freezes the one of a new version.

mod common;
#[path = "common/shelf.rs"]
mod shelf;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use faircopy::archive::FORMAT_VERSION;
use faircopy::archive::capture::prepare;
use faircopy::archive::reader::Archive;
use faircopy::check;
use faircopy::submission::Declared;

use common::daemon::Desk;
use shelf::{Shelf, fitting, now};

fn frozen() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("created");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// All that a reader gets out of an archive, as text.
fn told(archive: &Archive) -> String {
    let mut told = String::new();
    for document in archive.documents().expect("listed") {
        for row in archive.captures(&document.doc).expect("listed") {
            let metadata = archive.read_metadata(&row).expect("sound");
            let raw = archive.read_raw(&row).expect("sound");
            told.push_str(&format!(
                "{}@{} capture {} leaf {} {:?}\n  source {}, captured {}, rules {}\n  raw {:?}\n  article {}\n  ledger {}\n  revisions {}\n",
                row.doc,
                row.version,
                row.capture,
                row.leaf,
                row.change,
                row.source,
                row.captured_at,
                row.rules,
                String::from_utf8_lossy(&raw),
                serde_json::to_string(&metadata.article).expect("JSON"),
                serde_json::to_string(&metadata.ledger).expect("JSON"),
                serde_json::to_string(&metadata.revisions).expect("JSON"),
            ));
        }
        for edition in archive.editions(&document.doc).expect("listed") {
            let row = archive.captures(&document.doc).expect("listed");
            let row = row.into_iter().find(|row| row.capture == edition.capture);
            let row = row
                .expect("an edition is of a capture")
                .in_edition(&edition);
            let metadata = archive.read_metadata(&row).expect("sound");
            told.push_str(&format!(
                "{} capture {} edition {} rules {}\n  article {}\n",
                row.doc,
                row.capture,
                edition.id.number,
                row.rules,
                serde_json::to_string(&metadata.article).expect("JSON"),
            ));
        }
    }
    told
}

#[test]
fn archives_of_every_format_version_tell_what_they_told_and_are_written_on() {
    let mut names = Vec::new();
    for entry in fs::read_dir(frozen()).expect("listed") {
        let entry = entry.expect("an entry").path();
        let name = entry.file_name().expect("it was listed");
        names.push(name.to_string_lossy().into_owned());
        let golden = fs::read_to_string(entry.join("told.txt")).expect("read");
        let archive = Archive::open(&entry.join("archive")).expect("opened");
        assert_eq!(told(&archive), golden, "{}", entry.display());

        let mut shelf = Shelf::new();
        for part in ["archive", "keys", "state"] {
            let to = shelf.folder.path().join(part);
            fs::remove_dir_all(&to).expect("removed");
            copy_folder(&entry.join(part), &to);
        }
        let size = shelf.writer().checkpoint().size;
        shelf.claims = 1_000;
        let later = prepare(fitting(&mut shelf, "later.txt", &["Later."], ""));
        let mut writer = shelf.writer();
        writer.commit([later], now()).expect("committed");
        assert_eq!(writer.checkpoint().size, size + 1);
        drop(writer);
        let told = told(&shelf.reader());
        assert!(golden.lines().all(|line| told.contains(line)));
        let options = check::Options {
            read_data: true,
            ..check::Options::default()
        };
        let mut problems = Vec::new();
        let report = check::check(&shelf.dir(), &options, &mut |p| problems.push(p));
        assert_eq!(problems, []);
        assert_eq!(report.expect("checked").leaves, size + 1);
    }
    for version in 1..=FORMAT_VERSION {
        assert!(names.contains(&version.to_string()), "{names:?}");
    }
    assert!(names.contains(&"1-sealed".to_owned()), "{names:?}");
}

#[test]
#[ignore = "freezes the archive of a new format version"]
fn freeze() {
    let target = frozen().join(FORMAT_VERSION.to_string());
    assert!(!target.exists(), "what is frozen is never changed");
    let mut shelf = Shelf::new();
    let mut writer = shelf.writer();
    let path = "news/an article.txt";
    let mut addressed = fitting(&mut shelf, path, &["One.", "Two."], "Subscribe!");
    addressed.declared = Declared {
        url: Some("https://example.org/a?b=c d".to_owned()),
        fetched_at: Some(now()),
        ..Declared::default()
    };
    let mut group = vec![prepare(addressed.clone())];
    for (path, advertisement) in [
        ("b.txt", ""),
        ("b.txt", ""),
        ("b.txt", "Advertisement"),
        ("c.txt", ""),
    ] {
        let draft = fitting(&mut shelf, path, &["One."], advertisement);
        group.push(prepare(draft));
    }
    writer.commit(group, now()).expect("committed");
    let declared = Declared {
        title: Some("Late".to_owned()),
        ..Declared::default()
    };
    writer
        .revise(&addressed.source, declared, now())
        .expect("revised");
    let changed = prepare(fitting(&mut shelf, "b.txt", &["Two."], ""));
    writer.commit([changed], now()).expect("committed");
    drop(writer);
    keep(shelf.folder.path(), &target);
}

/// What an archive can hold beyond captures: sealed segments, editions, pins, links, another key, documents of
/// containers, one that is held and one that was erased.
#[test]
#[ignore = "freezes an archive of the present format with all that it can hold"]
fn freeze_all() {
    let target = frozen().join(format!("{FORMAT_VERSION}-sealed"));
    assert!(!target.exists(), "what is frozen is never changed");
    let desk = Desk::new("");
    // By standard input, so that no path of the machine is archived.
    let add = |url: &str, text: &str| {
        let file = desk.sandbox.write("stdin", text);
        let mut command = desk.command();
        command.args(["add", "-"]);
        if !url.is_empty() {
            command.args(["--url", url]);
        }
        let input = fs::File::open(file).expect("it was written");
        let status = command.stdin(input).stderr(Stdio::null()).status();
        assert!(status.expect("it was built").success());
    };
    let ferry = "https://gazette.example/ferry";
    let story = "Ferry returns\n\nThe ferry across the lake sails again from Monday.\n\nTide tables for all\n\nDogs sail free of charge until the autumn.\n";
    for day in ["Monday", "Tuesday", "Tuesday", "Friday"] {
        add(ferry, &story.replace("Monday", day));
    }
    let copy = "https://herald.example/ferry";
    add(copy, story);
    let gull =
        "{\"url\": \"https://gazette.example/gull\", \"text\": \"Ada Brill counted the gulls.\"}\n";
    add("", &format!("{gull}{}", gull.replace("gull", "tern")));
    desk.run(&[
        "pin",
        "--remove",
        "Dogs sail free of charge until the autumn.",
        ferry,
    ])
    .expect(0);
    desk.run(&["link", ferry, copy]).expect(0);
    desk.run(&["split", &format!("{ferry}@3")]).expect(0);
    fs::create_dir_all(desk.path("rules")).expect("created");
    let rule = "[[rule]]\nname = \"table\"\nclass = \"promo\"\nreason = \"offers the tide tables\"\nis = [\"tide tables for all\"]\nmust_remove = [\"Tide tables for all\"]\nmust_keep = [\"The tide was high.\"]\n";
    fs::write(desk.path("rules/tides.toml"), rule).expect("written");
    desk.run(&["reclean"]).expect(0);
    desk.run(&["compact", "--all"]).expect(0);
    desk.run(&["key", "rotate"]).expect(0);
    let gull = "https://gazette.example/gull";
    desk.run(&["hold", gull, "--reason", "a case"]).expect(0);
    let erased = "https://gazette.example/erased";
    add(erased, "What Ada Brill never said stood here once.\n");
    desk.run(&["erase", erased, "--reason", "she asked for it"])
        .expect(0);
    add(ferry, &story.replace("Monday", "Sunday"));
    let state = fs::read_dir(desk.path("state")).expect("listed");
    for entry in state.map(|entry| entry.expect("an entry")) {
        match entry.file_type().expect("a type").is_dir() {
            true => fs::remove_dir_all(entry.path()).expect("removed"),
            false if entry.file_name() != "last-checkpoint" => {
                fs::remove_file(entry.path()).expect("removed");
            }
            false => {}
        }
    }
    keep(&desk.dir(), &target);
}

/// Keeps archive, keys and state of `folder` with all that they tell, without what is made anew.
fn keep(folder: &Path, target: &Path) {
    let archive = folder.join("archive");
    let told = told(&Archive::open(&archive).expect("opened"));
    for suffix in ["", "-wal", "-shm"] {
        drop(fs::remove_file(
            archive.join(format!("catalog.sqlite{suffix}")),
        ));
    }
    for part in ["archive", "keys", "state"] {
        copy_folder(&folder.join(part), &target.join(part));
    }
    fs::write(target.join("told.txt"), told).expect("written");
}
