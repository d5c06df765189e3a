//! Archives of every released format version stay readable and can be written on. They lie in `tests/formats/VERSION`,
//! with keys that protect nothing, and are never changed. `cargo test --test formats -- --ignored` freezes the one of a new version.

#[path = "common/shelf.rs"]
mod shelf;

use std::fs;
use std::path::{Path, PathBuf};

use faircopy::archive::FORMAT_VERSION;
use faircopy::archive::capture::prepare;
use faircopy::archive::reader::Archive;
use faircopy::check;
use faircopy::submission::Declared;

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
    }
    told
}

#[test]
fn archives_of_every_format_version_tell_what_they_told_and_are_written_on() {
    let mut versions = 0;
    for entry in fs::read_dir(frozen()).expect("listed") {
        let entry = entry.expect("an entry").path();
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
        versions += 1;
    }
    assert_eq!(versions, FORMAT_VERSION);
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
    let told = told(&shelf.reader());
    for suffix in ["", "-wal", "-shm"] {
        drop(fs::remove_file(
            shelf.dir().join(format!("catalog.sqlite{suffix}")),
        ));
    }
    for part in ["archive", "keys", "state"] {
        copy_folder(&shelf.folder.path().join(part), &target.join(part));
    }
    fs::write(target.join("told.txt"), told).expect("written");
}
