//! The disk takes no more writes: mounted read-only when a program starts, or turned read-only by its file system under load.

use super::disk::{Namespace, limit};
use crate::harness::{Engine, Home, PATIENCE, Server, accepted, run};
use crate::load::{Load, all_there};
use rustix::process::{Signal, geteuid};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Makes `$1` read-only.
const READ_ONLY: &str =
    "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\" && echo mounted";

/// Looks over the file system in the file `$1` and mounts it at `$2`, to turn read-only at its first error; says which device it is.
const FRAGILE: &str = "{ e2fsck -p \"$1\" >&2 || [ $? -lt 4 ]; } && mount -o loop,errors=remount-ro \"$1\" \"$2\" \
    && basename \"$(findmnt -no SOURCE \"$2\")\"";

#[tokio::test]
async fn on_a_read_only_disk_nothing_starts_that_writes_and_what_reads_does() {
    let mut home = Home::new(Engine::Sqlite).await;
    let (key, vkey) = (home.issue_key("local", "agent"), home.vkey("local"));
    let server = home.serve().await;
    assert_eq!(server.observe(&key).await.0, 201);
    server.stop();

    let locked = Namespace::with(READ_ONLY, &[&home.data()]);
    let why = match &locked {
        Some(locked) => {
            home.behind(locked.words());
            "Read-only file system"
        }
        None => {
            eprintln!(
                "read-only disk: NOTHING could be mounted here: the modes of the files were changed"
            );
            forbid(&mut home);
            "Permission denied"
        }
    };
    let said = home.refuses_to_serve();
    assert!(said.contains(&format!("probity.db.lock: {why}")), "{said}");
    let command = ["key", "issue", "--tenant", "local", "--role", "agent"];
    let output = home.probity(&command).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(why), "{said}");
    if locked.is_some() {
        assert_eq!(home.vkey("local"), vkey);
        accepted(&home.export("local", "read-only.tar"), &vkey);
    }
    drop(locked);
    run(Command::new("chmod").args(["-R", "u+w"]).arg(home.data()));

    home.behind(Vec::new());
    let server = home.serve().await;
    assert_eq!(server.observe(&key).await.0, 201);
    server.stop();
    accepted(&home.export("local", "bundle.tar"), &vkey);
}

#[tokio::test]
async fn a_disk_that_turns_read_only_under_load_loses_nothing() {
    let mut home = Home::new(Engine::Sqlite).await;
    let (image, data) = (home.path("image"), home.data());
    std::fs::create_dir(&data).unwrap();
    std::fs::File::create(&image)
        .unwrap()
        .set_len(64 << 20)
        .unwrap();
    run(Command::new("mkfs.ext4").arg("-q").arg(&image));
    let root = geteuid().is_root();
    let mount = || {
        root.then(|| Namespace::with(FRAGILE, &[&image, &data]))
            .flatten()
    };
    let disk = mount();
    home.behind(words(disk.as_ref()));
    let (key, auditor) = (
        home.issue_key("local", "agent"),
        home.issue_key("local", "auditor"),
    );
    let server = home.serve().await;
    let load = Load::start(&server, &key, "ro", 16);
    load.goes_on(100).await;
    match &disk {
        Some(disk) => fail(&disk.said, &server),
        None => {
            eprintln!(
                "a disk turned read-only: NONE can be mounted and broken here: the server's writes were limited"
            );
            limit(&server, Some(0));
        }
    }
    load.is_put_off(50).await;
    for path in ["checkpoint", "records?from=0&limit=100", "decisions"] {
        let (status, _) = server
            .get(&auditor, &format!("/v1/logs/local/{path}"))
            .await;
        assert_eq!(status, 200, "{path}");
    }
    let heard = load.stop().await;
    // What was under way when the disk failed: only the disk could tell, and it does not answer.
    assert!(
        heard.put_off.contains_key("outcome_unknown"),
        "{:?}",
        heard.put_off
    );
    server.stop();
    if let Some(disk) = disk {
        let mut unmount = disk.words();
        unmount.push("umount".to_owned());
        run(Command::new(&unmount[0]).args(&unmount[1..]).arg(&data));
    }

    let disk = mount();
    home.behind(words(disk.as_ref()));
    let server = home.serve().await;
    all_there(&server, &auditor, &heard.acknowledged).await;
    assert_eq!(server.observe(&key).await.0, 201);
    server.stop();
    accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
    eprintln!(
        "a disk turned read-only: {} acknowledged records, none lost; put off: {:?}",
        heard.acknowledged.len(),
        heard.put_off
    );
}

/// Before each command: where nothing is mounted, what outlives the signal that says that a file may not grow.
fn words(disk: Option<&Namespace>) -> Vec<String> {
    let outlive = || {
        ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"]
            .map(str::to_owned)
            .to_vec()
    };
    disk.map_or_else(outlive, Namespace::words)
}

/// Takes the right to write away from files and, where root would have it all the same, from the programs.
fn forbid(home: &mut Home) {
    run(Command::new("chmod").args(["-R", "a-w"]).arg(home.data()));
    if geteuid().is_root() {
        let words = [
            "setpriv",
            "--inh-caps=-all",
            "--bounding-set=-dac_override,-dac_read_search",
            "--",
        ];
        home.behind(words.map(str::to_owned).to_vec());
    }
}

/// The file system finds an error in itself. The server stands still meanwhile: of an `fsync` that comes while it fails ext4 says in one case of
/// fifteen that it was done, and loses it (any program sees that).
fn fail(device: &str, server: &Server) {
    let switch = Path::new("/sys/fs/ext4")
        .join(device)
        .join("trigger_fs_error");
    server.signal(Signal::STOP);
    let begun = Instant::now();
    while !stands_still(server) {
        assert!(begun.elapsed() < PATIENCE, "the server does not stop");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::fs::write(switch, "1").unwrap();
    server.signal(Signal::CONT);
}

/// Whether each thread is stopped.
fn stands_still(server: &Server) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    let mut states =
        threads.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("stat")));
    states.all(|state| state.is_ok_and(|state| state.rsplit(") ").next().unwrap().starts_with('T')))
}
