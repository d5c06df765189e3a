//! What README.md and the pages in docs/ tell people to type, typed.
//!
//! Code blocks say by the word after their fence what they are, which a reader does not see:
//!
//! ```text
//! sh                   commands; run line by line, in one shell for the whole page
//! sh background        runs until the page ends, and must
//! sh needs: WHAT...    not run where a program is missing; never run if it needs `root`, or `time`
//! ANY file: PATH       written to that file
//! ```
//!
//! Each page is typed in a folder with the seeds; all but the README go on where its "Try it" ends. `DOC` is the document that is
//! there then, `OTHER` another. A command that fails is typed again for a while, as a reader would who was too fast for the daemon,
//! unless a comment behind it says with what it `exits`.
#![allow(
    clippy::print_stdout,
    reason = "what is skipped is told where the tests are run"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::daemon::{FAIRCOPY, PATIENCE};
use common::{Sandbox, seeds_dir, skip};

/// What no test has: these blocks are for reading.
const NEVER: [&str; 2] = ["root", "time"];

/// Ends the section of the README that the other pages go on from.
const TRIED: &str = "\n## Dropping files\n";

/// The shell's own part: `try` and `fails` type a command, `stays` starts one that stays.
const SHELL: &str = r#"
stays=
trap 'kill $stays 2>/dev/null' EXIT
give_up() { echo "-- failed: $1" >&2; cat background.log >&2; exit 1; }
try() {
    echo "-- $1" >&2
    tries=0
    until eval "$1"; do
        tries=$((tries + 1))
        [ $tries -lt TRIES ] || give_up "$1"
        sleep 0.2
    done
}
exits() {
    echo "-- $2" >&2
    status=0
    eval "$2" || status=$?
    [ $status = $1 ] || give_up "exited with $status: $2"
}
stays() {
    echo "-- $1 &" >&2
    (trap - EXIT; eval "exec $1") >>background.log 2>&1 &
    stays="$stays $!"
}
"#;

/// A fenced code block of a page.
struct Block {
    /// What stands behind the fence.
    info: String,
    /// What is in it.
    lines: Vec<String>,
}

impl Block {
    fn is_sh(&self) -> bool {
        self.info.split(' ').next() == Some("sh") && self.file().is_none()
    }

    fn file(&self) -> Option<&str> {
        self.info.split_once("file: ").map(|(_, file)| file)
    }

    /// The first of its needs that is not met.
    fn lacks(&self) -> Option<&str> {
        let (_, needs) = self.info.split_once("needs: ")?;
        needs.split(' ').find(|need| !is_there(need))
    }
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    !NEVER.contains(&program)
        && std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(_) if is_open => is_open = false,
            Some(info) => {
                is_open = true;
                assert_ne!(info, "", "a block does not say what it is");
                let info = info.to_owned();
                blocks.push(Block {
                    info,
                    lines: Vec::new(),
                });
            }
            None if is_open => {
                let block = blocks.last_mut().expect("it was opened");
                block.lines.push(line.to_owned());
            }
            None => assert!(
                !line.starts_with("    "),
                "a block without fence does not say what it is: {line}"
            ),
        }
    }
    blocks
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(page: &Path) -> String {
    fs::read_to_string(root().join(page)).expect("a page")
}

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).expect("a folder");
    let names = docs.map(|entry| entry.expect("an entry").file_name());
    let mut pages: Vec<PathBuf> = names.map(|name| Path::new("docs").join(name)).collect();
    pages.sort();
    pages
}

/// Single quotes, as a shell reads them.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The line with `word`, where it stands by itself, replaced.
fn filled(line: &str, word: &str, value: &str) -> String {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(word) {
        let end = at + word.len();
        let stands =
            !is_part(rest[..at].chars().next_back()) && !is_part(rest[end..].chars().next());
        out.push_str(&rest[..at]);
        out.push_str(if stands { value } else { word });
        rest = &rest[end..];
    }
    out + rest
}

/// A page's commands as a script, and how many there are.
struct Typed {
    script: String,
    commands: usize,
    skipped: Vec<String>,
}

fn type_out(text: &str) -> Typed {
    let mut typed = Typed {
        script: String::new(),
        commands: 0,
        skipped: Vec::new(),
    };
    for block in blocks(text) {
        if let Some(file) = block.file() {
            let text = quoted(&(block.lines.join("\n") + "\n"));
            let line = format!(r#"mkdir -p "$(dirname {file})" && printf %s {text} > {file}"#);
            typed.script += &format!("try {}\n", quoted(&line));
        } else if block.is_sh() {
            match block.lacks() {
                Some(need) => {
                    if !NEVER.contains(&need) {
                        skip(need);
                    }
                    let lines = block
                        .lines
                        .iter()
                        .map(|line| format!("{line} (needs {need})"));
                    typed.skipped.extend(lines);
                }
                None => type_block(&block, &mut typed),
            }
        }
    }
    typed
}

fn type_block(block: &Block, typed: &mut Typed) {
    for line in block.lines.iter().filter(|line| !line.is_empty()) {
        let line = filled(line, "DOC", "inbox/aggregator-travel.txt");
        let line = quoted(&filled(
            &line,
            "OTHER",
            "add/$PWD/seeds/aggregator-sport.txt",
        ));
        typed.script += &match line.split_once("# exits with ") {
            Some((_, code)) => format!("exits {} {line}\n", code.trim_matches('\'')),
            None if block.info.ends_with("background") => format!("stays {line}\n"),
            None => format!("try {line}\n"),
        };
        typed.commands += 1;
    }
}

/// What a reader has who cloned the project and built it: seeds, tests, the program; and `cargo run`.
fn clone() -> Sandbox {
    let clone = Sandbox::new();
    for entry in fs::read_dir(seeds_dir()).expect("seeds") {
        let entry = entry.expect("a seed");
        let to = Path::new("seeds").join(entry.file_name());
        clone.write(to, fs::read(entry.path()).expect("a seed"));
    }
    let script = "tests/interop/without_faircopy.sh";
    clone.write(script, fs::read(root().join(script)).expect("a script"));
    // The port that pages name may be another's.
    let program = format!(
        "#!/bin/sh\n[ \"$1\" != web ] || set -- \"$@\" --listen 127.0.0.1:0\nexec {FAIRCOPY} \"$@\"\n"
    );
    let cargo = format!(
        "#!/bin/sh\n[ \"$1 $2 $3\" = 'run --release --' ] && shift 3 && exec {FAIRCOPY} \"$@\"\n"
    );
    for (path, text) in [("target/release/faircopy", program), ("bin/cargo", cargo)] {
        let path = clone.write(path, text);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(path, mode).expect("ours");
    }
    clone
}

/// Types a script in a folder of its own.
fn run(page: &Path, script: &str) {
    let clone = clone();
    let tries = (PATIENCE.as_millis() / 200).to_string();
    let shell = SHELL.replace("TRIES", &tries);
    let ends = "for process in $stays; do kill -0 $process || give_up 'it did not stay'; done\n";
    let script = clone.write("script", format!("{shell}{script}{ends}"));
    let path = std::env::var("PATH").expect("text");
    let output = Command::new("sh")
        .arg(script)
        .current_dir(clone.dir())
        .env("PATH", format!("{}:{path}", clone.path("bin").display()))
        .env("HOME", "/nonexistent")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env_remove("FAIRCOPY_CONFIG")
        .env_remove("FAIRCOPY_ARCHIVE")
        .env_remove("NOTIFY_SOCKET")
        .env_remove("JOURNAL_STREAM")
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let stderr = String::from_utf8_lossy(&output.stderr);
    // Of a command that was typed often, the end is enough.
    let from = stderr.len().saturating_sub(4000);
    let end = stderr
        .get(stderr.ceil_char_boundary(from)..)
        .unwrap_or_default();
    assert!(output.status.success(), "{}:\n{end}", page.display());
}

/// Types a page; `before` is what was typed before.
fn type_page(page: &Path, before: &str) {
    let typed = type_out(&read(page));
    println!(
        "{}: {} commands run, {} skipped",
        page.display(),
        typed.commands,
        typed.skipped.len()
    );
    for line in &typed.skipped {
        println!("    {line}");
    }
    assert!(
        typed.commands > 0,
        "{} has no command that is run",
        page.display()
    );
    run(page, &(before.to_owned() + &typed.script));
}

#[test]
fn every_command_in_the_readme_works() {
    type_page(Path::new("README.md"), "");
}

#[test]
fn every_command_in_the_docs_works_once_what_the_readme_begins_with_was_tried() {
    let readme = read(Path::new("README.md"));
    let (tried, _) = readme.split_once(TRIED).expect("a section to try");
    let tried = type_out(tried).script;
    for page in pages() {
        type_page(&page, &tried);
    }
}

#[test]
fn what_pages_link_to_is_there() {
    for page in pages().into_iter().chain([PathBuf::from("README.md")]) {
        let text = read(&page);
        let folder = root().join(page.parent().expect("a page has a folder"));
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let is_there = folder.join(target).exists();
            assert!(is_there, "{} links to {target}", page.display());
        }
    }
}

#[test]
fn the_licences_that_the_manifest_names_lie_beside_it_and_in_the_package() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join(name)).expect(name);
    let package = read("packaging/debian/copyright");
    for licence in env!("CARGO_PKG_LICENSE").split(" OR ") {
        let (name, _) = licence.split_once('-').unwrap_or((licence, ""));
        let text = read(&format!("LICENSE-{}", name.to_uppercase()));
        assert!(
            package.contains(&format!("\nLicense: {licence}\n")),
            "{licence}"
        );
        let (holder, terms) = text.split_once("\n\n").expect("terms");
        // Debian has the Apache License on every machine; who holds the copyright stands in the other.
        if name == "MIT" {
            let debian = terms.lines().map(|line| match line {
                "" => " .\n".to_owned(),
                line => format!(" {line}\n"),
            });
            assert!(package.contains(&debian.collect::<String>()), "{licence}");
            let holder = holder.replace("Copyright (c) ", "\nCopyright: ");
            assert!(package.contains(&holder), "{holder}");
        } else {
            assert!(package.contains("/usr/share/common-licenses/Apache-2.0"));
        }
    }
}
