//! One connection, which waits for each answer before it asks again.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;

/// What is asked.
pub struct Ask {
    pub method: Method,
    pub path: String,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

/// Where, and as whom.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    /// A header for every request: name and value.
    pub credential: (&'static str, String),
    /// Decisions that the work reads or answers.
    pub ids: Arc<[String]>,
    /// Records of the log, at least.
    pub size: u64,
    /// How often it can be asked.
    pub asks_max: u64,
}

pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    target: Target,
}

impl Connection {
    pub async fn open(target: &Target) -> Self {
        let stream = TcpStream::connect(target.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self {
            sender,
            target: target.clone(),
        }
    }

    /// The status, and the whole answer.
    pub async fn ask(&mut self, ask: Ask) -> (u16, Bytes) {
        let answer = self.send(ask).await;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap();
        (status, body.to_bytes())
    }

    /// The status, and the answer piece by piece.
    pub async fn stream(&mut self, ask: Ask, mut take: impl FnMut(&[u8])) -> u16 {
        let answer = self.send(ask).await;
        let status = answer.status().as_u16();
        let mut body = answer.into_body();
        while let Some(frame) = body.frame().await {
            if let Some(piece) = frame.unwrap().data_ref() {
                take(piece);
            }
        }
        status
    }

    /// Reads what is left of an answer, for the next one to come after it.
    pub async fn read_out(answer: Response<Incoming>) {
        answer.into_body().collect().await.unwrap();
    }

    /// The answer, before its body.
    pub async fn send(&mut self, ask: Ask) -> Response<Incoming> {
        let (name, value) = &self.target.credential;
        let request = Request::builder()
            .method(ask.method)
            .uri(ask.path)
            .header(HOST, "bench.example")
            .header(CONTENT_TYPE, ask.content_type)
            .header(*name, value)
            .body(Full::from(ask.body))
            .unwrap();
        self.sender.ready().await.unwrap();
        self.sender.send_request(request).await.unwrap()
    }
}
