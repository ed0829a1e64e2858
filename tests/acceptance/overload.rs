//! More than the server can take, and clients that mean it ill: it refuses quickly and in words, needs bounded memory, and goes on serving.

use crate::harness::{Engine, Home, accepted};
use crate::load::{Load, all_there};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Clients, many more than commands may wait.
const CLIENTS: usize = 128;
const QUEUE: &str = "4";

/// Seconds until the server gives a request up, in this story.
const REQUEST_SECONDS: &str = "3";

/// How long a client that means it ill may keep its connection: what the server allows a head, and some more.
const KEPT: Duration = Duration::from_secs(20);

/// The most memory that the server may need for any of it.
const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What is over is put off with 503 and a time to come back (the clients hold the server to that), what was acknowledged is there, and
/// when the clients are gone the next request is served.
#[tokio::test]
async fn what_is_too_much_is_put_off_and_nothing_acknowledged_is_lost() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let home = Home::new(engine).await;
        let (key, auditor) = (
            home.issue_key("local", "agent"),
            home.issue_key("local", "auditor"),
        );
        let server = home.serve_as("data", &["--queue", QUEUE]).await;
        let load = Load::start(&server, &key, "much", CLIENTS);
        load.is_put_off(200).await;
        load.goes_on(500).await;
        let heard = load.stop().await;
        let reasons: Vec<&String> = heard.put_off.keys().collect();
        assert_eq!(reasons, ["queue_full"], "{engine:?}");
        assert_eq!(server.observe(&key).await.0, 201, "{engine:?}");
        all_there(&server, &auditor, &heard.acknowledged).await;
        assert!(server.peak_bytes() < BYTES_MAX);
        server.stop();
        accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
        home.remove().await;
    }
}

/// What a client sends, piece by piece, and how it may be answered; no status: it may be cut off without a word.
struct Ill {
    name: &'static str,
    pieces: Vec<Vec<u8>>,
    pause: Duration,
    answers: &'static [Option<u16>],
}

#[tokio::test]
async fn who_means_it_ill_is_refused_and_others_are_served_meanwhile() {
    let home = Home::new(Engine::Sqlite).await;
    let key = home.issue_key("local", "agent");
    let limit = ["--request-seconds-max", REQUEST_SECONDS];
    let server = home.serve_as("data", &limit).await;
    let address = server.base.trim_start_matches("http://").to_owned();
    let ill: Vec<_> = all(&key)
        .into_iter()
        .map(|ill| {
            (
                ill.name,
                ill.answers,
                tokio::spawn(send(address.clone(), ill)),
            )
        })
        .collect();
    while !ill.iter().all(|(_, _, task)| task.is_finished()) {
        assert_eq!(server.observe(&key).await.0, 201, "others are not served");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (name, answers, task) in ill {
        let (status, took) = task.await.unwrap();
        assert!(answers.contains(&status), "{name}: {status:?}");
        assert!(took < KEPT, "{name} was borne for {took:?}");
    }
    assert!(server.peak_bytes() < BYTES_MAX);
    server.stop();
    accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
}

fn all(key: &str) -> Vec<Ill> {
    let head = |more: &str| {
        format!(
            "POST /v1/logs/local/decisions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n{more}\r\n\r\n"
        )
        .into_bytes()
    };
    let whole = |body: &[u8], more: &str| {
        let head = head(&format!("content-length: {}{more}", body.len()));
        vec![[head.as_slice(), body].concat()]
    };
    let bytewise = |bytes: Vec<u8>| bytes.into_iter().map(|byte| vec![byte]).collect();
    let nested = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x1_0000], b"\r\n"].concat();
    let endless = [vec![head("transfer-encoding: chunked")], vec![chunk; 2_000]].concat();
    let one = |name, pieces, answers| Ill {
        name,
        pieces,
        pause: Duration::ZERO,
        answers,
    };
    let slow = |name, pieces, answers| Ill {
        name,
        pieces,
        pause: Duration::from_millis(200),
        answers,
    };
    vec![
        one("silence", vec![], &[None, Some(408)]),
        one("garbage", vec![vec![0xff; 4_096]], &[None, Some(400)]),
        slow(
            "a head byte by byte",
            bytewise(head("content-length: 2")),
            &[None, Some(408)],
        ),
        one(
            "a head without an end",
            vec![head(&format!("x-much: {}", "a".repeat(1 << 20)))],
            &[None, Some(431)],
        ),
        one(
            "a body that does not come",
            vec![head("content-length: 100")],
            &[Some(503)],
        ),
        one("a body without an end", endless, &[None, Some(413)]),
        one(
            "a body said to be long",
            vec![head("content-length: 99999999999")],
            &[None, Some(413)],
        ),
        one(
            "a chunk that is none",
            vec![[head("transfer-encoding: chunked"), b"zz\r\n".to_vec()].concat()],
            &[Some(400)],
        ),
        one("a deep body", whole(&nested, ""), &[Some(400), Some(413)]),
        one(
            "a body that is no UTF-8",
            whole(b"{\"action\":\"\xff\xfe\"}", ""),
            &[Some(400)],
        ),
        one(
            "a compressed body",
            whole(
                &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3],
                "\r\ncontent-encoding: gzip",
            ),
            &[Some(400), Some(415)],
        ),
    ]
}

/// Sends it, and waits for an answer or the end: the status, and how long it took.
async fn send(address: String, ill: Ill) -> (Option<u16>, Duration) {
    let begun = Instant::now();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let writing = tokio::spawn(async move {
        for piece in ill.pieces {
            if writer.write_all(&piece).await.is_err() {
                break;
            }
            tokio::time::sleep(ill.pause).await;
        }
        writer
    });
    let mut first = [0; 12];
    let status = match tokio::time::timeout(KEPT, reader.read_exact(&mut first)).await {
        Ok(Ok(_)) => String::from_utf8_lossy(&first[9..]).parse().ok(),
        Ok(Err(_)) | Err(_) => None,
    };
    let took = begun.elapsed();
    writing.abort();
    (status, took)
}
