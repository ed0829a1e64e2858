//! Disks for the programs of one story: mounted in a namespace of their own, which ends with the story.
//!
//! A disk that can be full is a small file system. Where the system lets nobody mount one (neither root nor in a user namespace), the server's
//! own writes are limited instead (`RLIMIT_FSIZE`), which always works and fails with another error number; the story says so.
//! `PROBITY_TEST_DISK=limit` asks for that.

use crate::harness::{Home, Server};
use rustix::process::{Pid, Resource, Rlimit, geteuid, prlimit};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// Makes a small disk at `$1`.
const SMALL: &str = "mount -t tmpfs -o size=24m,mode=755 tmpfs \"$1\" && echo mounted";

/// Keeps standard error on the disk too, and outlives the signal that says that a file may not grow.
const SHELL: &str = "trap '' XFSZ; exec \"$@\" 2>>\"$0\"";

/// Mounts that only the programs behind [`Self::words`] see. They live as long as the process that waits for the end of its input.
pub(super) struct Namespace {
    keeper: Child,
    _input: ChildStdin,
    /// What the script said.
    pub(super) said: String,
}

impl Namespace {
    /// Runs a shell script that mounts something and says a line; `None` where the system does not allow it.
    pub(super) fn with(script: &str, arguments: &[&Path]) -> Option<Self> {
        if std::env::var("PROBITY_TEST_DISK").is_ok_and(|way| way == "limit") {
            return None;
        }
        let mut command = Command::new("unshare");
        if !geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        let script = format!("{script} && exec cat");
        command.args(["--mount", "sh", "-c", &script, "sh"]);
        command.args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = command.spawn().ok()?;
        let mut said = String::new();
        let mut output = BufReader::new(keeper.stdout.take()?);
        if output.read_line(&mut said).ok()? == 0 {
            let _ = keeper.wait();
            return None;
        }
        Some(Self {
            _input: keeper.stdin.take()?,
            keeper,
            said: said.trim().to_owned(),
        })
    }

    /// What stands before a command that is to see them.
    pub(super) fn words(&self) -> Vec<String> {
        let keeper = format!("--target={}", self.keeper.id());
        let mut words = vec!["nsenter".to_owned(), keeper, "--mount".to_owned()];
        if !geteuid().is_root() {
            words.extend(["--user", "--preserve-credentials"].map(str::to_owned));
        }
        words.push("--".to_owned());
        words
    }

    /// A file in there, as this process sees it.
    pub(super) fn file(&self, path: &Path) -> PathBuf {
        let path = path.strip_prefix("/").unwrap();
        Path::new(&format!("/proc/{}/root", self.keeper.id())).join(path)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// A disk that can be full.
pub(super) struct Disk {
    place: PathBuf,
    /// Where there is none the programs' writes are limited.
    mounted: Option<Namespace>,
}

impl Disk {
    /// A disk at this place, for every program of the home from now on. Their standard error goes there too.
    pub(super) fn at(place: &Path, home: &mut Home) -> Self {
        std::fs::create_dir_all(place).unwrap();
        let mounted = Namespace::with(SMALL, &[place]);
        let mut words = mounted.as_ref().map_or_else(Vec::new, Namespace::words);
        let said = place.join("said.log").display().to_string();
        words.extend(["sh", "-c", SHELL, &said].map(str::to_owned));
        home.behind(words);
        Self {
            place: place.to_owned(),
            mounted,
        }
    }

    /// What it is, for people.
    pub(super) const fn what(&self) -> &'static str {
        match self.mounted {
            Some(_) => "a file system of 24 MiB",
            None => {
                "NO file system of its own could be mounted here: the server's writes were limited"
            }
        }
    }

    /// From now on nothing fits.
    pub(super) fn fill(&self, server: &Server) {
        if self.mounted.is_none() {
            return limit(server, Some(0));
        }
        let mut filler = std::fs::File::create(self.file("filler")).unwrap();
        for piece in [65_536, 4096, 1] {
            while filler.write_all(&vec![0; piece]).is_ok() {}
        }
    }

    /// There is room again.
    pub(super) fn free(&self, server: &Server) {
        match self.mounted {
            Some(_) => std::fs::remove_file(self.file("filler")).unwrap(),
            None => limit(server, None),
        }
    }

    /// A file of the disk, as this process sees it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        let path = self.place.join(name);
        match &self.mounted {
            Some(mounted) => mounted.file(&path),
            None => path,
        }
    }
}

/// How far files of the server may grow from now on.
pub(super) fn limit(server: &Server, bytes: Option<u64>) {
    let process = Pid::from_raw(i32::try_from(server.id()).unwrap());
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(process, Resource::Fsize, limit).unwrap();
}
