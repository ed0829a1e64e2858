//! A disk that can be full, for the programs of one story: a small file system in a mount namespace that ends with the story.
//!
//! Where the system allows no such thing (neither as root nor in a user namespace), the server's own writes are limited instead
//! (`RLIMIT_FSIZE`), which always works and fails with another error number; the story says so. `PROBITY_TEST_DISK=limit` asks for that.

use crate::harness::Server;
use rustix::process::{Pid, Resource, Rlimit, geteuid, prlimit};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// What a small disk holds.
const DISK_MEGABYTES: u32 = 24;

/// Keeps standard error on the disk too, and outlives a signal that says that a file may not grow.
const SHELL: &str = "trap '' XFSZ; exec \"$@\" 2>>\"$0\"";

/// A disk that can be full.
pub(super) enum Disk {
    /// A file system of its own.
    Mounted(Mounted),
    /// The programs' writes are limited.
    Limited(PathBuf),
}

/// The namespace lives as long as the process that waits for the end of its input.
pub(super) struct Mounted {
    keeper: Child,
    _input: ChildStdin,
    place: PathBuf,
}

impl Disk {
    /// A disk at this place, for the programs behind [`Self::words`].
    pub(super) fn at(place: &Path) -> Self {
        std::fs::create_dir_all(place).unwrap();
        let wanted = std::env::var("PROBITY_TEST_DISK").is_ok_and(|way| way == "limit");
        let mounted = if wanted { None } else { Mounted::at(place) };
        mounted.map_or_else(|| Self::Limited(place.to_owned()), Self::Mounted)
    }

    /// What it is, for people.
    pub(super) const fn what(&self) -> &'static str {
        match self {
            Self::Mounted(_) => "a file system of 24 MiB",
            Self::Limited(_) => {
                "NO file system of its own could be mounted here: the server's writes were limited"
            }
        }
    }

    /// What stands before a command that is to see the disk. Its standard error goes there too.
    pub(super) fn words(&self) -> Vec<String> {
        let (mut words, place) = match self {
            Self::Mounted(mounted) => (mounted.words(), &mounted.place),
            Self::Limited(place) => (Vec::new(), place),
        };
        let said = place.join("said.log").display().to_string();
        words.extend(["sh", "-c", SHELL, &said].map(str::to_owned));
        words
    }

    /// From now on nothing fits.
    pub(super) fn fill(&self, server: &Server) {
        match self {
            Self::Mounted(mounted) => mounted.fill(),
            Self::Limited(_) => limit(server, Some(0)),
        }
    }

    /// There is room again.
    pub(super) fn free(&self, server: &Server) {
        match self {
            Self::Mounted(mounted) => std::fs::remove_file(mounted.seen("filler")).unwrap(),
            Self::Limited(_) => limit(server, None),
        }
    }

    /// A file of the disk, as this process sees it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        match self {
            Self::Mounted(mounted) => mounted.seen(name),
            Self::Limited(place) => place.join(name),
        }
    }
}

impl Mounted {
    fn at(place: &Path) -> Option<Self> {
        let mut command = Command::new("unshare");
        if !geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        let script = format!(
            "mount -t tmpfs -o size={DISK_MEGABYTES}m,mode=755 tmpfs \"$0\" && echo && exec cat"
        );
        command.args(["--mount", "sh", "-c", &script]).arg(place);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = command.spawn().ok()?;
        let mounted = keeper.stdout.take()?.read_exact(&mut [0]).is_ok();
        if !mounted {
            let _ = keeper.wait();
            return None;
        }
        Some(Self {
            _input: keeper.stdin.take()?,
            keeper,
            place: place.to_owned(),
        })
    }

    fn words(&self) -> Vec<String> {
        let mut words = vec![
            "nsenter".to_owned(),
            format!("--target={}", self.keeper.id()),
            "--mount".to_owned(),
        ];
        if !geteuid().is_root() {
            words.extend(["--user", "--preserve-credentials"].map(str::to_owned));
        }
        words.push("--".to_owned());
        words
    }

    fn seen(&self, name: &str) -> PathBuf {
        let place = self.place.strip_prefix("/").unwrap().join(name);
        Path::new(&format!("/proc/{}/root", self.keeper.id())).join(place)
    }

    fn fill(&self) {
        let mut filler = std::fs::File::create(self.seen("filler")).unwrap();
        for piece in [65_536, 4096, 1] {
            while filler.write_all(&vec![0; piece]).is_ok() {}
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

fn limit(server: &Server, bytes: Option<u64>) {
    let process = Pid::from_raw(i32::try_from(server.id()).unwrap());
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(process, Resource::Fsize, limit).unwrap();
}
