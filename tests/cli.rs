//! The wiring of the command line: contracts of output, exit codes and references.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Write;
use std::process::Stdio;

use common::daemon::{Desk, bare_command, faircopy};
use serde_json::Value;

const FIRST: &str = "Local News\n\nLake ferry returns after winter\n\nThe ferry across the lake sails again from Monday, the harbour office said.\n\nTickets cost the same as last year.\n";

fn desk_with_two_versions() -> Desk {
    let desk = Desk::new("");
    let url = "https://www.example.org/ferry?utm_source=x";
    for text in [
        FIRST.to_owned(),
        FIRST.replace("the same as", "two crowns more than"),
    ] {
        let file = desk.sandbox.write("ferry.txt", text);
        desk.run(&["add", file.to_str().unwrap(), "--url", url])
            .expect(0);
    }
    desk
}

#[test]
fn init_refuses_a_folder_that_is_not_empty() {
    let sandbox = common::Sandbox::new();
    sandbox.write("full/thing", "x");
    let said = faircopy(&["init", sandbox.path("full").to_str().unwrap()]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("not empty"), "{}", said.stderr);
}

#[test]
fn init_writes_keys_that_only_their_owner_reads() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new("");
    for file in ["keys/signing.key", "keys/identity.secret"] {
        let mode = fs::metadata(desk.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn versions_are_numbered_and_found_by_id_prefix_address_path_and_date() {
    let desk = desk_with_two_versions();
    let row = desk.documents().remove(0);
    assert_eq!(
        (row["versions"].as_u64(), row["captures"].as_u64()),
        (Some(2), Some(2))
    );
    let doc = row["doc"].as_str().unwrap();
    for reference in [
        doc,
        &doc[..6],
        "https://www.example.org/ferry",
        "http://www.example.org/ferry#top",
    ] {
        let text = desk
            .run(&["cat", &format!("{reference}@1")])
            .expect(0)
            .stdout;
        assert!(
            text.contains("the same as last year"),
            "{reference}: {text}"
        );
    }
    let text = desk
        .run(&["cat", "http://www.example.org/ferry#top"])
        .expect(0)
        .stdout;
    assert!(text.contains("two crowns more"), "{text}");
    let today = format!("{doc}@2999-01-01");
    assert!(
        desk.run(&["cat", &today])
            .expect(0)
            .stdout
            .contains("two crowns")
    );
    assert_eq!(desk.run(&["cat", &format!("{doc}@2001-01-01")]).code, 1);
    assert_eq!(desk.run(&["cat", &format!("{doc}@7")]).code, 1);
    assert_eq!(desk.run(&["cat", "nosuchdoc"]).code, 1);
}

#[test]
fn log_lists_captures_with_what_changed() {
    let desk = desk_with_two_versions();
    let file = desk.sandbox.write(
        "ferry.txt",
        FIRST.replace("the same as", "two crowns more than"),
    );
    let url = "https://www.example.org/ferry";
    desk.run(&["add", file.to_str().unwrap(), "--url", url])
        .expect(0);
    let rows = desk.run(&["log", url, "--json"]).expect(0).json();
    let changes: Vec<_> = rows
        .iter()
        .map(|row| row["change"].as_str().unwrap())
        .collect();
    assert_eq!(changes, ["story", "story", "none"]);
    let versions: Vec<_> = rows
        .iter()
        .map(|row| row["version"].as_u64().unwrap())
        .collect();
    assert_eq!(versions, [1, 2, 2]);
}

#[test]
fn diff_shows_the_changed_words() {
    let desk = desk_with_two_versions();
    let said = desk
        .run(&["diff", "https://www.example.org/ferry"])
        .expect(0);
    assert!(
        said.stdout.contains("[-the-]") || said.stdout.contains("[-the same as-]"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("crowns"), "{}", said.stdout);
    assert!(said.stdout.ends_with('\n'), "{:?}", said.stdout);
    let json = desk
        .run(&["diff", "https://www.example.org/ferry@1", "@2", "--json"])
        .expect(0)
        .json();
    assert_eq!(json[0]["same"], false);
    assert_eq!(
        desk.run(&["diff", "https://www.example.org/ferry@2", "@2", "--json"])
            .expect(0)
            .json()[0]["same"],
        true
    );
}

#[test]
fn show_has_every_field_of_the_contract() {
    let desk = desk_with_two_versions();
    let object = desk
        .run(&["show", "https://www.example.org/ferry", "--json"])
        .expect(0)
        .json()
        .remove(0);
    for field in [
        "path",
        "title",
        "authors",
        "date",
        "modified",
        "language",
        "section",
        "publisher",
        "original_publisher",
        "url",
        "tags",
        "truncated",
        "text",
        "blocks",
        "captions",
        "credits",
        "footers",
        "corrections",
        "quality",
        "digests",
        "rules",
        "declared",
        "revisions",
    ] {
        assert!(object.get(field).is_some(), "{field} is missing");
    }
    assert_eq!(object["title"], "Lake ferry returns after winter");
    assert_eq!(object["section"], "Local News");
    let raw = object["digests"]["raw"].as_str().unwrap();
    assert!(raw.starts_with("sha256:"));
    desk.run(&["show", "https://www.example.org/ferry"])
        .expect(0);
}

#[test]
fn clean_prints_one_object_a_line_and_names_what_it_cannot_clean() {
    let sandbox = common::Sandbox::new();
    let good = sandbox.put_seed("aggregator-travel.txt", "good.txt");
    let bad = sandbox.put_seed("pixel.png", "bad.png");
    let good = good.to_str().unwrap();
    let bad = bad.to_str().unwrap();
    let said = faircopy(&["clean", "--json", "--explain", good, bad]).expect(3);
    let rows = said.json();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["path"], good);
    assert_eq!(rows[1]["error"]["code"], "binary");
    let input = String::from_utf8(common::seed("aggregator-travel.txt")).unwrap();
    let ledger = rows[0]["ledger"].as_array().unwrap();
    let joined: String = ledger
        .iter()
        .map(|span| span["text"].as_str().unwrap())
        .collect();
    assert_eq!(joined, input, "the spans give back the input");
    let kept: String = ledger
        .iter()
        .map(|span| match span["verdict"].as_str().unwrap() {
            "kept" => span["text"].as_str().unwrap(),
            "rewritten" => span["becomes"].as_str().unwrap(),
            _ => "",
        })
        .collect();
    assert_eq!(rows[0]["text"], kept, "and the kept ones the text");
    assert_eq!(faircopy(&["clean", bad]).code, 1);
    assert!(
        faircopy(&["clean", "--markdown", good])
            .expect(0)
            .stdout
            .starts_with("# ")
    );
}

#[test]
fn clean_reads_a_list_of_files_and_standard_input() {
    let sandbox = common::Sandbox::new();
    let one = sandbox.put_seed("aggregator-travel.txt", "one.txt");
    let two = sandbox.put_seed("aggregator-sport.txt", "two.txt");
    let list = sandbox.write("list", format!("{}\n{}\n", one.display(), two.display()));
    let said = faircopy(&["clean", "--json", "--files-from", list.to_str().unwrap()]).expect(0);
    assert_eq!(said.json().len(), 2);
    let mut child = bare_command()
        .args(["clean", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(FIRST.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("The ferry across the lake")
    );
}

#[test]
fn explain_accounts_for_every_byte_of_a_file_and_of_a_version() {
    let desk = Desk::new("");
    let file = desk.sandbox.put_seed("aggregator-travel.txt", "a.txt");
    let file = file.to_str().unwrap();
    desk.run(&["add", file]).expect(0);
    let doc = desk.documents()[0]["doc"].as_str().unwrap().to_owned();
    let of_file = desk
        .run(&["explain", file, "--json"])
        .expect(0)
        .json()
        .remove(0);
    let of_version = desk
        .run(&["explain", &doc, "--json"])
        .expect(0)
        .json()
        .remove(0);
    assert_eq!(of_file["ledger"], of_version["ledger"]);
    let page = common::seeds_dir().join("page-news.html");
    desk.run(&["explain", page.to_str().unwrap()]).expect(0);
}

#[test]
fn add_takes_folders_and_standard_input_and_tells_duplicates() {
    let desk = Desk::new("");
    desk.sandbox
        .put_seed("aggregator-travel.txt", "folder/a.txt");
    desk.sandbox
        .put_seed("page-news.html", "folder/deep/b.html");
    desk.sandbox
        .put_seed("aggregator-sport.txt", "folder/.hidden");
    let folder = desk.sandbox.path("folder");
    let rows = desk
        .run(&["add", "--json", folder.to_str().unwrap()])
        .expect(0)
        .json();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["outcome"] == "archived"));
    let again = desk
        .run(&["add", "--json", folder.to_str().unwrap()])
        .expect(0)
        .json();
    assert!(
        again.iter().all(|row| row["outcome"] == "duplicate"),
        "{again:?}"
    );
    let mut child = desk
        .command()
        .args(["add", "-", "--url", "https://example.org/stdin", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(FIRST.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let row: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(row["outcome"], "archived");
    assert!(
        desk.run(&["ls"])
            .expect(0)
            .stdout
            .contains("https://example.org/stdin")
    );
}

#[test]
fn a_sidecar_beside_an_added_file_is_read() {
    let desk = Desk::new("");
    let file = desk.sandbox.put_seed("sidecar-good.txt", "x/a.txt");
    let sidecar = fs::read(common::seeds_dir().join("sidecar-good.txt.meta.json")).unwrap();
    desk.sandbox.write("x/a.txt.meta.json", &sidecar);
    desk.run(&["add", file.parent().unwrap().to_str().unwrap()])
        .expect(0);
    let rows = desk.documents();
    assert_eq!(rows.len(), 1, "the sidecar is no article");
    let declared: Value = serde_json::from_slice(&sidecar).unwrap();
    let shown = desk
        .run(&["show", rows[0]["doc"].as_str().unwrap(), "--json"])
        .expect(0)
        .json()
        .remove(0);
    assert_eq!(shown["declared"]["url"], declared["url"]);
}

#[test]
fn the_exit_code_tells_no_archive_from_other_failures() {
    let sandbox = common::Sandbox::new();
    let nowhere = sandbox.path("nowhere");
    for command in ["ls", "check", "status"] {
        let said = faircopy(&["--archive", nowhere.to_str().unwrap(), command]);
        assert_eq!(said.code, 10, "{command}: {}", said.stderr);
        assert!(said.stderr.contains("nowhere"), "{}", said.stderr);
    }
    assert_eq!(faircopy(&["ls"]).code, 1, "no configuration anywhere");
    assert_eq!(faircopy(&["ls", "--nonsense"]).code, 2);
    assert_eq!(faircopy(&["--config", "/nonexistent.toml", "ls"]).code, 78);
    let json = faircopy(&["--json", "--archive", nowhere.to_str().unwrap(), "ls"]).json();
    assert_eq!(json[0]["error"]["code"], "no_archive");
}

#[test]
fn an_archive_named_alone_is_enough() {
    let desk = desk_with_two_versions();
    let archive = desk.path("archive");
    let archive = archive.to_str().unwrap();
    let said = faircopy(&["--archive", archive, "ls", "--json"]).expect(0);
    assert_eq!(said.json().len(), 1);
    let file = desk.sandbox.put_seed("aggregator-sport.txt", "more.txt");
    faircopy(&["--archive", archive, "add", file.to_str().unwrap()]).expect(0);
    assert_eq!(desk.documents().len(), 2);
}

#[test]
fn check_remembers_and_status_tells() {
    let desk = desk_with_two_versions();
    let report = desk
        .run(&["check", "--read-data", "--json"])
        .expect(0)
        .json();
    assert_eq!(report.last().unwrap()["problems"], 0);
    assert!(
        report.last().unwrap()["checked"]["leaves"]
            .as_u64()
            .unwrap()
            >= 2
    );
    let status = desk.run(&["status", "--json"]).expect(0).json().remove(0);
    assert_eq!(status["state"], "stopped");
    assert_eq!(status["captures"], 2);
    assert_eq!(status["last_check"]["problems"], 0);
    assert!(
        status["checkpoint"]["root"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
    desk.run(&["check", "--read-data-subset", "5%"]).expect(0);
}

#[test]
fn check_compares_with_a_checkpoint_kept_elsewhere() {
    let desk = desk_with_two_versions();
    let kept = desk.sandbox.path("kept");
    fs::copy(desk.path("archive/log/checkpoint"), &kept).unwrap();
    let file = desk.sandbox.put_seed("aggregator-sport.txt", "more.txt");
    desk.run(&["add", file.to_str().unwrap()]).expect(0);
    desk.run(&["check", "--checkpoint", kept.to_str().unwrap()])
        .expect(0);
    let other = desk_with_two_versions();
    let said = other.run(&["check", "--checkpoint", kept.to_str().unwrap()]);
    assert_eq!(said.code, 4, "{}", said.stdout);
}

#[test]
fn a_flipped_byte_exits_4_and_names_the_record() {
    let desk = desk_with_two_versions();
    let segment = desk.path("archive/segments/000001.warc.zst");
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&segment, bytes).unwrap();
    let rows = desk
        .run(&["check", "--read-data", "--json"])
        .expect(4)
        .json();
    let place = rows[0]["problem"]["where"].as_str().unwrap();
    assert!(place.starts_with("segments/000001.warc.zst@"), "{place}");
    for field in ["code", "message", "advice"] {
        assert!(rows[0]["problem"][field].is_string(), "{}", rows[0]);
    }
}

#[test]
fn config_show_prints_what_config_check_accepts() {
    let desk = Desk::new("[log]\nlevel = \"debug\"\n");
    let shown = desk.run(&["config", "show"]).expect(0).stdout;
    assert!(shown.contains("level = \"debug\""), "{shown}");
    desk.configure(&shown);
    desk.run(&["config", "check"]).expect(0);
    assert_eq!(desk.run(&["config", "show"]).expect(0).stdout, shown);
    desk.configure("[[inbox]]\npath = \"nowhere\"\n");
    assert_eq!(desk.run(&["config", "check"]).code, 78);
}

#[test]
fn completions_and_manual_pages_cover_every_command() {
    let script = faircopy(&["completions", "bash"]).expect(0).stdout;
    let sandbox = common::Sandbox::new();
    faircopy(&["man", sandbox.path("man").to_str().unwrap()]).expect(0);
    for command in [
        "init",
        "run",
        "reload",
        "add",
        "clean",
        "status",
        "retry",
        "ls",
        "log",
        "show",
        "cat",
        "diff",
        "explain",
        "check",
        "config",
        "completions",
        "man",
    ] {
        assert!(script.contains(command), "{command}");
        assert!(
            sandbox.path(format!("man/faircopy-{command}.1")).is_file(),
            "{command}"
        );
        let help = faircopy(&[command, "--help"]).expect(0).stdout;
        assert!(help.contains("Example"), "{command} has no example: {help}");
    }
}

#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    let desk = desk_with_two_versions();
    let mut child = desk
        .command()
        .args(["log", "https://www.example.org/ferry"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn config_check_tells_what_the_environment_lacks() {
    let desk = Desk::new("");
    desk.run(&["config", "check"]).expect(0);
    let long = "x".repeat(110);
    desk.configure(&format!(
        "[intake]\nfree_bytes_min = \"999 PiB\"\n[daemon]\ncontrol = \"{long}\"\n"
    ));
    fs::remove_file(desk.path("keys/signing.key")).unwrap();
    fs::remove_dir_all(desk.path("state")).unwrap();
    let said = desk.run(&["config", "check"]).expect(78);
    for part in ["free_bytes_min", "107", "signing.key"] {
        assert!(said.stdout.contains(part), "{part}: {}", said.stdout);
    }
    assert!(
        !said.stdout.contains("cannot be written"),
        "it will be made: {}",
        said.stdout
    );
    let problems = desk.run(&["config", "check", "--json"]).expect(78).json();
    assert!(problems[0]["problems"].as_array().unwrap().len() >= 3);
}

#[test]
fn a_folder_that_is_no_utf_8_is_no_reason_to_panic() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = common::Sandbox::new();
    let folder = sandbox.path(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    let run = |args: &[&str]| {
        let mut command = bare_command();
        command
            .args(args)
            .arg("--config")
            .arg(folder.join("faircopy.toml"));
        command.output().unwrap()
    };
    let made = bare_command()
        .args(["init", "--json"])
        .arg(&folder)
        .output()
        .unwrap();
    assert!(made.status.success());
    assert!(String::from_utf8(made.stdout).unwrap().contains("xe9"));
    assert_eq!(run(&["config", "show"]).status.code(), Some(1));
    assert_eq!(run(&["config", "check"]).status.code(), Some(0));
    assert_eq!(run(&["ls"]).status.code(), Some(0));
}

#[test]
fn add_of_a_pattern_does_not_archive_sidecars_as_articles() {
    let desk = Desk::new("");
    let file = desk.sandbox.put_seed("sidecar-good.txt", "x/a.txt");
    let sidecar = desk
        .sandbox
        .put_seed("sidecar-good.txt.meta.json", "x/a.txt.meta.json");
    desk.run(&["add", file.to_str().unwrap(), sidecar.to_str().unwrap()])
        .expect(0);
    assert_eq!(desk.documents().len(), 1);
}

#[test]
fn quiet_still_names_what_failed_and_wrong_usage_exits_2() {
    let desk = Desk::new("");
    let bad = desk.sandbox.put_seed("pixel.png", "bad.png");
    let bad = bad.to_str().unwrap();
    for command in ["add", "clean"] {
        let said = desk.run(&[command, "-q", bad]).expect(1);
        assert!(
            said.stderr.contains("bad.png"),
            "{command}: {}",
            said.stderr
        );
    }
    desk.run(&["add", "--url", "https://example.org/", bad, bad])
        .expect(2);
    let archive = desk.path("archive");
    faircopy(&["init", "--archive", archive.to_str().unwrap()]).expect(2);
}

#[test]
fn two_inputs_by_standard_input_are_two_documents() {
    let desk = Desk::new("");
    for text in [FIRST.to_owned(), FIRST.replace("Lake", "River")] {
        let mut child = desk
            .command()
            .args(["add", "-", "--quiet"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(desk.documents().len(), 2);
}

#[test]
fn text_that_is_no_terminals_is_exact() {
    let sandbox = common::Sandbox::new();
    let text = FIRST.replace("The ferry", "The \u{2067}ferry\u{2069}");
    let file = sandbox.write("a.txt", &text);
    let file = file.to_str().unwrap();
    let plain = faircopy(&["clean", file]).expect(0).stdout;
    let json = faircopy(&["clean", "--json", file]).expect(0).json();
    assert_eq!(json[0]["text"], plain);
}

#[test]
fn a_version_is_explained_whatever_the_depth_limit_was() {
    let desk = Desk::new("[decode]\nnesting_max = 8\n");
    let page = format!(
        "<!DOCTYPE html><title>Deep</title><body>{}<p>{FIRST}</p>{}",
        "<div>".repeat(30),
        "</div>".repeat(30)
    );
    let file = desk.sandbox.write("deep.html", page);
    desk.run(&["add", file.to_str().unwrap()]).expect(0);
    let doc = desk.documents()[0]["doc"].as_str().unwrap().to_owned();
    desk.run(&["explain", &doc]).expect(0);
}

#[test]
fn an_endless_input_is_refused() {
    let said = faircopy(&["clean", "/dev/zero"]).expect(1);
    assert!(
        said.stderr.contains("the most that is cleaned"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_broken_configuration_beside_a_named_archive_is_told() {
    let desk = Desk::new("[archive]\ndri = \"archive\"\n");
    let archive = desk.path("archive");
    let said = faircopy(&["--archive", archive.to_str().unwrap(), "ls"]).expect(78);
    assert!(said.stderr.contains("dri"), "{}", said.stderr);
}

const TIDES: &str = "[[rule]]\nname = \"table\"\nclass = \"promo\"\nreason = \"offers the tide tables\"\nis = [\"tide tables for all\"]\nmust_remove = [\"Tide tables for all\"]\nmust_keep = [\"The tide was high.\"]\n";

fn article_with_tides(desk: &Desk) -> std::path::PathBuf {
    let text = FIRST.replace("\n\nTickets", "\n\nTide tables for all\n\nTickets");
    desk.sandbox.write("tides.txt", text)
}

#[test]
fn a_pack_beside_the_configuration_acts_and_one_in_the_shadow_only_tells() {
    let desk = Desk::new("");
    let file = article_with_tides(&desk);
    let file = file.to_str().unwrap();
    let clean = || {
        desk.run(&["clean", "--json", file])
            .expect(0)
            .json()
            .remove(0)
    };
    let text = |object: &Value| object["text"].as_str().unwrap().to_owned();
    let before = clean();
    assert!(text(&before).contains("Tide tables"));
    fs::create_dir_all(desk.path("rules")).unwrap();
    fs::write(
        desk.path("rules/tides.toml"),
        format!("shadow = true\n{TIDES}"),
    )
    .unwrap();
    let shadowed = clean();
    assert_eq!(
        (text(&shadowed), &shadowed["rules"]),
        (text(&before), &before["rules"])
    );
    assert_eq!(shadowed["shadow"][0]["would"]["rule"], "tides.table");
    let said = desk.run(&["explain", file]).expect(0).stdout;
    assert!(
        said.contains("would do") && said.contains("tides.table"),
        "{said}"
    );
    fs::write(desk.path("rules/tides.toml"), TIDES).unwrap();
    let after = clean();
    assert!(!text(&after).contains("Tide tables"));
    assert_ne!(after["rules"], before["rules"]);
    let listed = desk.run(&["rules", "ls"]).expect(0).stdout;
    assert!(listed.contains("tides.table") && listed.contains("ui.advertisement"));
}

#[test]
fn a_pack_that_fails_is_named_with_its_line_and_does_not_act() {
    let desk = Desk::new("");
    let file = article_with_tides(&desk);
    fs::create_dir_all(desk.path("rules")).unwrap();
    let failing = TIDES.replace("[\"The tide was high.\"]", "[\"Tide tables for all\"]");
    fs::write(desk.path("rules/tides.toml"), failing).unwrap();
    let said = desk.run(&["clean", file.to_str().unwrap()]).expect(0);
    assert!(said.stdout.contains("Tide tables"));
    for part in ["tides.toml:7", "tides.table", "must not match"] {
        assert!(said.stderr.contains(part), "{}", said.stderr);
    }
    let tested = desk.run(&["rules", "test", "--json"]).expect(1).json();
    assert_eq!(tested[0]["refused"][0]["line"], 7);
    let status = desk.run(&["status", "--json"]).expect(0).json();
    assert_eq!(status[0]["rules"]["refused"][0]["rule"], "tides.table");
    assert_eq!(desk.run(&["config", "check"]).code, 78);
}

#[test]
fn a_pack_is_tried_on_files_and_archived_documents_without_being_installed() {
    let desk = Desk::new("");
    let file = article_with_tides(&desk);
    let file = file.to_str().unwrap();
    desk.run(&["add", file]).expect(0);
    let doc = desk.documents().remove(0)["doc"]
        .as_str()
        .unwrap()
        .to_owned();
    let draft = desk.sandbox.write("draft.toml", TIDES);
    let draft = draft.to_str().unwrap();
    let said = desk
        .run(&["rules", "test", "--json", "--pack", draft, file, &doc])
        .expect(0)
        .json();
    assert_eq!(said[0]["cases"], 2);
    for tried in &said[1..] {
        assert_eq!(
            tried["changes"][0]["text"], "Tide tables for all",
            "{tried}"
        );
        assert_eq!(tried["changes"][0]["would"]["rule"], "draft.table");
    }
    assert_eq!(said.len(), 3);
}

#[test]
fn a_pin_decides_about_later_captures_and_can_be_taken_back() {
    let desk = Desk::new("");
    let file = article_with_tides(&desk);
    let path = file.to_str().unwrap();
    let url = "https://www.example.org/tides";
    let add = || desk.run(&["add", path, "--url", url]).expect(0);
    add();
    let text = || desk.run(&["cat", url]).expect(0).stdout;
    assert!(text().contains("Tide tables"));
    let mistyped = desk.run(&["pin", "--remove", "Tide tabels for all", url]);
    assert_eq!(mistyped.code, 1);
    assert!(mistyped.stderr.contains("tabels"), "{}", mistyped.stderr);
    assert_eq!(desk.run(&["pin", "--remove", "x"]).code, 2, "of what?");
    let pin = [
        "pin",
        "--remove",
        "Tide tables for all",
        "--source",
        "example.org",
    ];
    desk.run(&[&pin[..], &["--reason", "they sell them"]].concat())
        .expect(0);
    let listed = desk.run(&["pin", "--list", "--json"]).expect(0).json();
    assert_eq!(listed[0]["source"], "example.org");
    assert_eq!(listed[0]["verdict"], "remove");
    let change = |to: &str| {
        let before = fs::read_to_string(&file).unwrap();
        fs::write(&file, before.replace("Monday", to).replace("Tuesday", to)).unwrap();
    };
    change("Tuesday");
    add();
    assert!(text().contains("Tuesday") && !text().contains("Tide tables"));
    let explained = desk.run(&["explain", url]).expect(0).stdout;
    assert!(
        explained.contains("pin.remove") && explained.contains("they sell them"),
        "{explained}"
    );
    // The document's own pin weighs more than its source's.
    desk.run(&["pin", "--keep", "Tide tables for all", url])
        .expect(0);
    change("Friday");
    add();
    assert!(text().contains("Friday") && text().contains("Tide tables"));
    desk.run(&["pin", "--release", "Tide tables for all", url])
        .expect(0);
    let listed = desk.run(&["pin", "--list", "--json"]).expect(0).json();
    assert_eq!(listed.len(), 1);
    desk.run(&["check", "--read-data"]).expect(0);
}

#[test]
fn status_tells_when_a_sources_template_seems_to_have_changed() {
    let desk = Desk::new("");
    let article = |number: usize, footer: &str| {
        let text = format!(
            "Ferry {number} returns\n\nThe ferry number {number} across the lake sails again from Monday, the harbour office said.\n\nTickets cost the same as last year, and dog number {number} sails free.\n{footer}"
        );
        desk.sandbox.write(format!("batch/{number}.txt"), text);
    };
    let add = || {
        let folder = desk.sandbox.path("batch");
        desk.run(&["add", folder.to_str().unwrap()]).expect(0);
        fs::remove_dir_all(folder).unwrap();
    };
    let drift = || desk.run(&["status", "--json"]).expect(0).json()[0]["drift"].clone();
    let footer = "\nClick here to read the full article at The Harbour Gazette\n";
    (0..70).for_each(|number| article(number, footer));
    add();
    assert_eq!(drift(), serde_json::json!([]));
    (70..100).for_each(|number| article(number, ""));
    add();
    let told = drift();
    assert!(
        told.as_array()
            .unwrap()
            .iter()
            .any(|one| one["measure"] == "footers"),
        "{told}"
    );
    assert_eq!(told[0]["source"], "add");
    for suffix in ["", "-wal", "-shm"] {
        drop(fs::remove_file(
            desk.path(format!("archive/catalog.sqlite{suffix}")),
        ));
    }
    assert_eq!(drift(), told, "a catalog made anew tells the same");
}

#[test]
fn rules_are_proposed_from_what_a_sources_documents_repeat() {
    let desk = Desk::new("");
    for number in 0..6 {
        let text = format!(
            "Ferry {number} returns\n\nThe ferry number {number} across the lake sails again from Monday, the harbour office said.\n\nTickets cost as much as in year {number}, and dog number {number} sails free.\n\nTide tables for all\n"
        );
        desk.sandbox.write(format!("batch/{number}.txt"), text);
    }
    let folder = desk.sandbox.path("batch");
    desk.run(&["add", folder.to_str().unwrap()]).expect(0);
    let said = desk.run(&["rules", "suggest", "add"]).expect(0).stdout;
    assert!(
        said.contains("In 6 of 6 documents") && said.contains("[\"tide tables for all\"]"),
        "{said}"
    );
    let draft = desk.sandbox.write("draft.toml", said);
    let tested = desk.run(&["rules", "test", "--pack", draft.to_str().unwrap()]);
    assert_eq!(tested.code, 0, "{}", tested.stderr);
    assert_eq!(desk.run(&["rules", "suggest", "nowhere"]).code, 1);
}

#[test]
fn audit_tells_every_leaf_in_order_and_the_checks_between_them() {
    let desk = desk_with_two_versions();
    desk.run(&["check"]).expect(0);
    let url = "https://www.example.org/ferry";
    let reason = "the captain says \u{1b}[31mso";
    desk.run(&["pin", "--keep", "Tickets", url, "--reason", reason])
        .expect(0);
    let events = desk.run(&["audit", "--json"]).expect(0).json();
    let told: Vec<_> = events
        .iter()
        .map(|e| (e["leaf"].as_u64(), e["event"].as_str().unwrap()))
        .collect();
    let all = [
        (Some(0), "archived"),
        (Some(1), "rules"),
        (Some(2), "archived"),
        (None, "checked"),
        (Some(3), "pin"),
    ];
    assert_eq!(told, all);
    assert_eq!(events[2]["change"], "story");
    assert_eq!(events[3]["detail"]["leaves"], 3);
    assert_eq!(events[4]["detail"]["reason"], reason);
    let said = desk.run(&["audit", "--doc", url]).expect(0).stdout;
    assert_eq!(said.lines().count(), 3);
    assert!(!said.contains('\u{1b}'), "{said:?}");
    let none = desk.run(&["audit", "--since", "2999-01-01"]).expect(0);
    assert_eq!(none.stdout, "");
    // A leaf of any kind can be proven.
    let proof = desk.sandbox.path("pin.tlog-proof");
    let proof = proof.to_str().unwrap();
    desk.run(&["prove", "--leaf", "3", "-o", proof]).expect(0);
    let object = desk.run(&["verify", proof, "--json"]).expect(0).json();
    assert_eq!(object[0]["event"]["pin"]["text"], "Tickets");
}

#[test]
fn with_json_long_work_tells_on_stderr_how_far_it_is_and_nothing_of_it_on_stdout() {
    let desk = Desk::new("");
    for n in 0..3 {
        let text = FIRST.replace("Monday", &format!("the {n}. of May"));
        desk.sandbox.write(format!("texts/{n}.txt"), text);
    }
    let texts = desk.sandbox.path("texts");
    let exported = desk.sandbox.path("exported.jsonl");
    let last = |args: &[&str]| -> Value {
        let said = desk.run(args).expect(0);
        assert!(!said.stdout.contains("progress"), "{}", said.stdout);
        let mut events = said.stderr.lines().filter_map(|line| {
            let event: Value = serde_json::from_str(line).ok()?;
            event.get("progress").cloned()
        });
        events
            .next_back()
            .unwrap_or_else(|| panic!("{}", said.stderr))
    };
    for (args, of) in [
        (vec!["--json", "add", texts.to_str().unwrap()], "inputs"),
        (vec!["--json", "reclean"], "captures"),
        (
            vec!["--json", "export", "--jsonl", exported.to_str().unwrap()],
            "documents",
        ),
    ] {
        let progress = last(&args);
        let counted = (&progress["of"], &progress["done"], &progress["all"]);
        assert_eq!(counted, (&of.into(), &3.into(), &3.into()), "{args:?}");
    }
    let progress = last(&["--json", "check", "--read-data"]);
    assert_eq!(progress["of"], "bytes");
    assert!(progress["done"].as_u64() > Some(0), "{progress}");
    assert_eq!(progress["done"], progress["all"]);
    assert_eq!(last(&["--json", "compact", "--all"])["of"], "steps");
    let said = desk.run(&["--json", "--quiet", "check"]).expect(0);
    assert_eq!(said.stderr, "", "quiet is quiet");
}

#[test]
fn follow_tells_what_happens_as_it_happens_and_goes_on_behind_a_leaf() {
    use std::io::{BufRead, BufReader};
    let desk = desk_with_two_versions();
    let follow = |args: &[&str]| {
        let mut command = desk.command();
        let command = command.args(["follow", "--json"]).args(args);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        (child, lines)
    };
    let (mut child, mut lines) = follow(&["--since", "2000-01-01"]);
    let mut next_capture = || -> Value {
        loop {
            let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            if event["event"] == "archived" {
                return event;
            }
        }
    };
    assert_eq!(next_capture()["version"], 1);
    let second = next_capture();
    assert_eq!(second["change"], "story");
    let file = desk
        .sandbox
        .write("gulls.txt", FIRST.replace("ferry", "gull"));
    desk.run(&["add", file.to_str().unwrap()]).expect(0);
    let third = next_capture();
    assert!(
        third["source"].as_str().unwrap().ends_with("gulls.txt"),
        "{third}"
    );
    // Nobody reads any more: it ends with the next event, and well.
    drop(lines);
    desk.run(&[
        "pin",
        "--remove",
        "Tickets",
        second["doc"].as_str().unwrap(),
    ])
    .expect(0);
    assert_eq!(child.wait().unwrap().code(), Some(0));

    let (mut child, mut lines) = follow(&["--after", &second["leaf"].to_string()]);
    let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(
        event["leaf"].as_u64(),
        second["leaf"].as_u64().map(|leaf| leaf + 1)
    );
    child.kill().unwrap();
    child.wait().unwrap();
}
