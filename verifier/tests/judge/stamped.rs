//! Time-stamps by an authority nobody here wrote (`openssl ts`): which count, what they say of the records, and what is false.

use crate::files::{Files, broken, judge_tar, with_key};
use crate::sealer::Log;
use crate::story::{furnished, signer};
use probity_schemas::time::Time;
use probity_verifier::{Authorities, CheckName, CheckResult, Options, Report};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const CONFIG: &str = "
[req]
distinguished_name = name
prompt = no
[name]
CN = an authority
[ca]
basicConstraints = critical,CA:TRUE
[stamping]
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = one
[one]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
accuracy = secs:1
clock_precision_digits = 6
ess_cert_id_alg = sha256
";

/// An authority with a certificate of its own, signed by a CA of its own.
struct Tsa(TempDir, Mutex<()>);

impl Tsa {
    fn new(key: &[&str]) -> Self {
        let tsa = Self(tempfile::tempdir().unwrap(), Mutex::default());
        let file = |name: &str| tsa.0.path().join(name);
        std::fs::write(file("tsa.cnf"), CONFIG).unwrap();
        std::fs::write(file("serial"), "01\n").unwrap();
        let new_key = |out: &str| {
            let arguments = ["genpkey", "-out", out, "-algorithm"];
            tsa.openssl(&[&arguments[..], key].concat());
        };
        new_key("ca.key");
        new_key("tsa.key");
        tsa.openssl(&[
            "req",
            "-x509",
            "-new",
            "-config",
            "tsa.cnf",
            "-extensions",
            "ca",
            "-key",
            "ca.key",
            "-subj",
            "/CN=a root",
            "-days",
            "2",
            "-out",
            "ca.pem",
        ]);
        tsa.openssl(&[
            "req", "-new", "-config", "tsa.cnf", "-key", "tsa.key", "-out", "tsa.csr",
        ]);
        tsa.openssl(&[
            "x509",
            "-req",
            "-in",
            "tsa.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "tsa.cnf",
            "-extensions",
            "stamping",
            "-out",
            "tsa.pem",
        ]);
        tsa
    }

    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(&self.0)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Stamps a message, now.
    fn stamp(&self, message: &[u8]) -> Vec<u8> {
        let _alone = self.1.lock().unwrap();
        std::fs::write(self.path("message"), message).unwrap();
        self.openssl(&[
            "ts", "-query", "-data", "message", "-sha256", "-cert", "-out", "query",
        ]);
        self.openssl(&[
            "ts",
            "-reply",
            "-config",
            "tsa.cnf",
            "-section",
            "one",
            "-queryfile",
            "query",
            "-signer",
            "tsa.pem",
            "-inkey",
            "tsa.key",
            "-out",
            "reply",
        ]);
        std::fs::read(self.path("reply")).unwrap()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.0.path()).join(name)
    }

    fn authorities(&self) -> Authorities {
        let pem = std::fs::read(self.path("ca.pem")).unwrap();
        Authorities::parse_pem(&pem).unwrap()
    }

    fn options(&self) -> Options {
        Options {
            authorities: self.authorities(),
            ..with_key(signer().vkey())
        }
    }
}

fn rsa() -> &'static Tsa {
    static TSA: OnceLock<Tsa> = OnceLock::new();
    TSA.get_or_init(|| Tsa::new(&["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]))
}

/// A log whose clock stands as many seconds from now.
fn log_at(seconds: i64) -> Log {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Time::from_micros(i64::try_from(now.as_micros()).unwrap());
    let mut log = furnished();
    log.wait_seconds((now.micros() - log.time.micros()) / 1_000_000 + seconds);
    log
}

/// The log's bundle, with its checkpoint at a size stamped.
fn stamped(log: &Log, size: usize, tsa: &Tsa) -> Files {
    let mut files = log.bundle();
    let checkpoint = log.signer.checkpoint(&log.lines[..size]);
    if size < log.lines.len() {
        files.put(&format!("checkpoints/{size}"), checkpoint.clone());
    }
    files.put(
        &format!("timestamps/{size}.tsr"),
        tsa.stamp(checkpoint.as_bytes()),
    );
    files
}

fn trusted_time(report: &Report) -> (CheckResult, &str) {
    let check = report
        .checks
        .iter()
        .find(|check| check.name == CheckName::TrustedTime);
    let check = check.unwrap();
    (check.result, check.detail.as_str())
}

#[test]
fn a_stamp_of_an_authority_that_the_auditor_brought_holds() {
    let (log, p256) = (log_at(0), ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    for tsa in [rsa(), &Tsa::new(&p256)] {
        let files = stamped(&log, log.lines.len(), tsa);
        let report = files.judge(&tsa.options());
        assert_eq!(report.exit, 0, "{report}");
        let (result, detail) = trusted_time(&report);
        assert_eq!(result, CheckResult::Holds);
        assert!(detail.contains("CN=an authority at 20"), "{detail}");
        let unasked = files.judge(&with_key(signer().vkey()));
        assert_eq!(
            (unasked.exit, trusted_time(&unasked).0),
            (0, CheckResult::NotMade),
            "{unasked}"
        );
    }
}

#[test]
fn what_nobody_whom_the_auditor_brought_stamped_is_not_judged() {
    let log = log_at(0);
    let other = Tsa::new(&["ED25519"]);
    for (files, words) in [
        (
            log.bundle(),
            "no time-stamp by an authority that you brought",
        ),
        (
            stamped(&log, log.lines.len(), rsa()),
            "1 by authorities that you did not bring",
        ),
    ] {
        let report = files.judge(&other.options());
        assert_eq!(report.exit, 2, "{report}");
        assert!(trusted_time(&report).1.contains(words), "{report}");
    }
}

#[test]
fn what_is_false_is_named() {
    let mut log = log_at(0);
    let before = log.lines.len();
    log.run(crate::story::ANN, crate::story::request("lookup", "last"));
    let size = log.lines.len();
    let honest = stamped(&log, size, rsa());
    let token = format!("timestamps/{size}.tsr");
    let change = |change: &dyn Fn(&mut Files)| {
        let mut files = honest.clone();
        change(&mut files);
        files
    };
    let mut other = honest.clone();
    let rewritten = log.signer.checkpoint(&log.lines[1..=before]);
    other.put(
        &format!("timestamps/{before}.tsr"),
        rsa().stamp(rewritten.as_bytes()),
    );
    other.put(&format!("checkpoints/{before}"), rewritten);
    let reply = honest.get(&token).to_vec();
    let refusal = vec![0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02];
    for (story, files, rule) in [
        (
            "a stamp of another message",
            change(&|files| files.put(&token, rsa().stamp(b"another"))),
            "timestamps.imprint",
        ),
        (
            "a stamp of a checkpoint that is not there",
            change(&|files| files.put("timestamps/3.tsr", reply.clone())),
            "timestamps.checkpoint",
        ),
        (
            "a refusal",
            change(&|files| files.put(&token, refusal.clone())),
            "timestamps.form",
        ),
        (
            "half a stamp",
            change(&|files| files.put(&token, &reply[..reply.len() / 2])),
            "timestamps.form",
        ),
        (
            "a signature that was changed",
            change(&|files| {
                let mut reply = reply.clone();
                *reply.last_mut().unwrap() ^= 1;
                files.put(&token, reply);
            }),
            "timestamps.signature",
        ),
        ("other records than were stamped", other, "timestamps.root"),
    ] {
        let report = files.judge(&rsa().options());
        assert_eq!(
            (report.exit, broken(&report).0),
            (1, rule),
            "{story}: {report}"
        );
    }
}

#[test]
fn a_record_whose_time_is_not_the_one_at_which_it_came_is_named() {
    let mut behind = log_at(-86_400);
    let before = behind.lines.len();
    behind.run(crate::story::ANN, crate::story::request("lookup", "late"));
    let early = stamped(&behind, before, rsa());
    let mut ahead = log_at(3_600);
    ahead.run(crate::story::ANN, crate::story::request("lookup", "soon"));
    let size = ahead.lines.len();
    let late = stamped(&ahead, size, rsa());
    for (story, files, rule, at) in [
        (
            "a record said to be a day older than a checkpoint without it",
            early,
            "timestamps.early",
            before,
        ),
        (
            "a record an hour ahead of the stamp over it",
            late,
            "timestamps.late",
            size - 1,
        ),
    ] {
        let report = files.judge(&rsa().options());
        let place = u64::try_from(at).unwrap();
        assert_eq!(broken(&report), (rule, Some(place)), "{story}: {report}");
        let unasked = files.judge(&with_key(signer().vkey()));
        assert_eq!(
            unasked.exit, 0,
            "nobody else's clock, nothing to be seen: {unasked}"
        );
    }
}

#[test]
fn every_byte_of_a_token_changed() {
    let log = log_at(0);
    let path = format!("timestamps/{}.tsr", log.lines.len());
    let honest = stamped(&log, log.lines.len(), rsa());
    let options = Options {
        adjudicate: false,
        ..rsa().options()
    };
    let expected = judge_tar(honest.tar(), &options);
    let content = honest.get(&path).to_vec();
    for at in 0..content.len() {
        let mut changed = content.clone();
        changed[at] ^= 0x01;
        let mut files = honest.clone();
        files.put(&path, changed);
        let report = judge_tar(files.tar(), &options);
        assert!(
            matches!(report.exit, 1 | 2) || report == expected,
            "byte {at}\n{report}"
        );
    }
}

#[test]
fn authorities_are_certificates() {
    for (pem, words) in [
        ("", "no certificate"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "certificate 1",
        ),
    ] {
        let wrong = Authorities::parse_pem(pem.as_bytes()).unwrap_err();
        assert!(wrong.contains(words), "{wrong}");
    }
}
