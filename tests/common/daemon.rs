//! A faircopy folder with a daemon on it, as a user would run it.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Sandbox;

/// The program under test.
pub(crate) const FAIRCOPY: &str = env!("CARGO_BIN_EXE_faircopy");

/// How long a test waits for what must come; generous, since a slow machine is no failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What a command said.
pub(crate) struct Said {
    /// Its exit code.
    pub(crate) code: i32,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

impl Said {
    fn new(output: Output) -> Said {
        Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, if the exit code is `code`.
    pub(crate) fn expect(self, code: i32) -> Said {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }

    /// The JSON objects on stdout; every line must be one.
    pub(crate) fn json(&self) -> Vec<Value> {
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// Runs the program with `args` outside any configuration.
pub(crate) fn faircopy(args: &[&str]) -> Said {
    let output = bare_command().args(args).output();
    Said::new(output.expect("the program was built"))
}

/// A command that finds no configuration of this machine.
pub(crate) fn bare_command() -> Command {
    let mut command = Command::new(FAIRCOPY);
    command
        .current_dir("/")
        .env_remove("FAIRCOPY_CONFIG")
        .env_remove("FAIRCOPY_ARCHIVE")
        .env_remove("NOTIFY_SOCKET")
        .env_remove("JOURNAL_STREAM")
        .env("HOME", "/nonexistent")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .stdin(Stdio::null());
    command
}

/// A folder made by `init`, and perhaps a daemon on it.
pub(crate) struct Desk {
    pub(crate) sandbox: Sandbox,
    daemon: Option<Child>,
}

impl Desk {
    /// A folder with archive, inbox and configuration; `more` is added to the configuration.
    pub(crate) fn new(more: &str) -> Desk {
        let sandbox = Sandbox::new();
        let desk = Desk {
            sandbox,
            daemon: None,
        };
        faircopy(&["init", desk.dir().to_str().expect("a plain path")]).expect(0);
        desk.configure(more);
        desk
    }

    /// The folder.
    pub(crate) fn dir(&self) -> PathBuf {
        self.sandbox.path("desk")
    }

    /// A path in the folder.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.dir().join(relative)
    }

    /// The inbox.
    pub(crate) fn inbox(&self) -> PathBuf {
        self.path("inbox")
    }

    /// Writes a configuration of its own.
    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.path("faircopy.toml"), text).expect("writable");
    }

    /// Runs a command on this folder.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        let output = self.command().args(args).output();
        Said::new(output.expect("the program was built"))
    }

    /// A command on this folder.
    pub(crate) fn command(&self) -> Command {
        let mut command = bare_command();
        command.arg("--config").arg(self.path("faircopy.toml"));
        command
    }

    /// Starts the daemon and waits until it answers.
    pub(crate) fn start(&mut self) {
        self.start_with(&[]);
    }

    /// The same, with variables of the environment.
    pub(crate) fn start_with(&mut self, variables: &[(&str, &str)]) {
        self.spawn_with(variables);
        let answers = || self.run(&["status", "--json"]).json()[0]["state"] != "stopped";
        wait_until("the daemon answers", answers);
    }

    /// Starts the daemon and does not wait.
    pub(crate) fn spawn(&mut self) {
        self.spawn_with(&[]);
    }

    fn spawn_with(&mut self, variables: &[(&str, &str)]) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("daemon.log"))
            .expect("writable");
        let daemon = self
            .command()
            .arg("run")
            .envs(variables.iter().copied())
            .stderr(log)
            .stdout(Stdio::null())
            .spawn();
        self.daemon = Some(daemon.expect("the program was built"));
    }

    /// The daemon's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.as_ref().expect("a daemon was started").id()
    }

    /// A connection to the daemon's socket, for those who do not speak as they should.
    pub(crate) fn connect(&self) -> std::os::unix::net::UnixStream {
        let socket = self.path("state/control.sock");
        std::os::unix::net::UnixStream::connect(socket).expect("the daemon listens")
    }

    /// Sends the daemon a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.pid())])
            .status();
        assert!(status.expect("sh").success());
    }

    /// Kills the daemon as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().expect("it is ours");
            daemon.wait().expect("it is ours");
        }
    }

    /// Stops the daemon as systemd would; its exit code.
    pub(crate) fn stop(&mut self) -> i32 {
        self.signal("TERM");
        self.wait()
    }

    /// Waits until the daemon ends; its exit code.
    pub(crate) fn wait(&mut self) -> i32 {
        let mut daemon = self.daemon.take().expect("a daemon was started");
        let started = Instant::now();
        loop {
            if let Some(status) = daemon.try_wait().expect("it is ours") {
                return status.code().unwrap_or(-1);
            }
            if started.elapsed() > PATIENCE {
                drop(daemon.kill());
                panic!("the daemon does not end; its log:\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the daemon logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("daemon.log")).unwrap_or_default()
    }

    /// What `ls` lists.
    pub(crate) fn documents(&self) -> Vec<Value> {
        self.run(&["ls", "--json"]).expect(0).json()
    }

    /// Waits until `ls` lists so many documents.
    pub(crate) fn wait_for_documents(&self, count: usize) {
        let there = || self.documents().len() >= count;
        wait_until(&format!("{count} documents; log:\n{}", self.log()), there);
    }

    /// Files that lie in `folder`, hidden ones and folders not counted.
    pub(crate) fn count_files(&self, folder: &str) -> usize {
        self.sandbox.files(Path::new("desk").join(folder)).len()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits for what must come; a panic names it.
pub(crate) fn wait_until(what: &str, mut there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !there() {
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
