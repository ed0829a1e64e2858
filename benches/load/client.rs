//! One connection, which waits for each answer before it asks again.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
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
        let answer = self.sender.send_request(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap();
        (status, body.to_bytes())
    }
}
