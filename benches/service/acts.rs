//! One thing that a client does → how it ended.

use std::io::{self, BufReader, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, EXPECT, FORM, Request, form, has_answer, is_closed, read_chunk, read_head, status};
use crate::{Picture, check};

/// What clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Sample,
    Photograph,
    Form,
    Drawn,
    Batch,
    Twice,
    Rubbish,
    Torn,
    TooLong,
    TooLongUnsaid,
    Nowhere,
    WrongMethod,
    Look,
    Cases,
    Purge,
    Session,
    BrokenOff,
    Stalled,
    Dripping,
    SlowHead,
}

/// How often of a hundred, what it costs in samples and photographs, and how it is to end.
pub const MIX: [(Act, u64, f64, f64, &[&str]); 20] = [
    (Act::Sample, 24, 1.0, 0.0, &["200"]),
    (Act::Photograph, 10, 0.0, 1.0, &["200"]),
    (Act::Form, 10, 1.0, 0.0, &["200"]),
    (Act::Drawn, 4, 1.0, 0.0, &["200"]),
    (Act::Batch, 3, 3.0, 0.0, &["200, 4 rows"]),
    (Act::Twice, 3, 1.0, 0.0, &["200, 200 again"]),
    (Act::Rubbish, 7, 0.0, 0.0, &["415"]),
    (Act::Torn, 4, 0.0, 0.0, &["422"]),
    (Act::TooLong, 2, 0.0, 0.0, &["413"]),
    (Act::TooLongUnsaid, 1, 0.0, 0.0, &["413"]),
    (Act::Nowhere, 9, 0.0, 0.0, &["404"]),
    (Act::WrongMethod, 2, 0.0, 0.0, &["405"]),
    (Act::Look, 5, 0.0, 0.0, &["200"]),
    (Act::Cases, 3, 0.0, 0.0, &["200"]),
    (Act::Purge, 1, 0.0, 0.0, &["204", "none to purge"]),
    // At most one in five seconds; most of these turns are left out.
    (Act::Session, 6, 0.1, 0.0, &["done", "left by the PC", "left by the phone", "not yet"]),
    (Act::BrokenOff, 3, 0.0, 0.0, &["gone"]),
    (Act::Stalled, 1, 0.0, 0.0, &["408"]),
    (Act::Dripping, 1, 0.0, 0.0, &["408"]),
    (Act::SlowHead, 1, 0.0, 0.0, &["closed", "408"]),
];

/// Between two hand-offs: the service remembers one for 20 minutes and no more than a thousand.
const SESSION_GAP_S: u64 = 5;

/// What acts need.
pub struct World {
    small: Picture,
    large: Picture,
    form: Vec<u8>,
    batch: Vec<u8>,
    torn: Vec<u8>,
    long: Vec<u8>,
    last_session_s: AtomicU64,
    begun: Instant,
}

impl World {
    pub fn new(small: Picture, large: Picture) -> Self {
        Self {
            batch: form(&[&small.bytes, &small.bytes, &[7; 5_000], &small.bytes]),
            form: form(&[&small.bytes]),
            torn: small.bytes[..small.bytes.len() / 3].to_vec(),
            long: vec![0x55; 17 << 20],
            last_session_s: AtomicU64::new(0),
            begun: Instant::now(),
            small,
            large,
        }
    }

    /// Does it and says how it ended.
    pub fn act(&self, act: Act, index: u64, client: &mut Client) -> io::Result<String> {
        let mut post = |path: &str, headers: &[&str], body: &[u8]| {
            client.send(&Request::new("POST", path, headers, body)).map(|answer| answer.status.to_string())
        };
        match act {
            Act::Sample => post("/v1/check", &[], &self.small.bytes),
            // Half of them wait for leave to send.
            Act::Photograph if index.is_multiple_of(2) => post("/v1/check", &[EXPECT], &self.large.bytes),
            Act::Photograph => post("/v1/check", &[], &self.large.bytes),
            Act::Form => post("/v1/check", &[FORM], &self.form),
            Act::Drawn => post("/v1/check?overlay=true", &[], &self.small.bytes),
            Act::Rubbish => post("/v1/check", &[], &vec![index as u8 | 1; 20_000]),
            Act::Torn => post("/v1/check", &[], &self.torn),
            Act::TooLong => post("/v1/check", &[], &self.long),
            Act::WrongMethod => post("/v1/policy", &[], b"{}"),
            Act::Batch => {
                let answer = client.send(&Request::new("POST", "/v1/check/batch", &[FORM], &self.batch))?;
                let rows = answer.body.split(|byte| *byte == b'\n').filter(|row| !row.is_empty()).count();
                Ok(if answer.status == 200 { format!("200, {rows} rows") } else { answer.status.to_string() })
            }
            Act::Twice => {
                let key = format!("idempotency-key: {index}");
                let request = check(&self.small, &[&key]);
                let (first, second) = (client.send(&request)?, client.send(&request)?);
                let again = second.header("idempotency-replayed").map_or("", |_| " again");
                let refused = [first.status, second.status].into_iter().find(|status| matches!(status, 429 | 503));
                Ok(if let Some(status) = refused {
                    status.to_string()
                } else {
                    format!("{}, {}{again}", first.status, second.status)
                })
            }
            Act::TooLongUnsaid => self.too_long_unsaid(client),
            Act::Nowhere => get(client, &format!("/nowhere/{index}")),
            Act::Look => {
                get(client, ["/metrics", "/readyz", "/v1/policy", "/capture", "/openapi.json"][index as usize % 5])
            }
            Act::Cases => get(client, "/v1/cases?limit=50"),
            Act::Purge => {
                let list = client.send(&Request::get("/v1/cases?limit=200"))?.json();
                let cases = list["cases"].as_array().map_or(&[][..], Vec::as_slice);
                let open = cases.iter().rev().find(|case| case["purged_at"].is_null()).map(|case| &case["id"]);
                let Some(id) = open.and_then(|id| id.as_str()) else { return Ok("none to purge".to_owned()) };
                let answer = client.send(&Request::new("DELETE", &format!("/v1/cases/{id}"), &[], &[]))?;
                Ok(answer.status.to_string())
            }
            Act::Session => self.session(index, client),
            Act::BrokenOff => {
                let mut stream = client.connect()?;
                stream.set_write_timeout(Some(Duration::from_secs(10)))?;
                stream.write_all(check(&self.small, &[]).head.as_bytes())?;
                stream.write_all(&self.small.bytes[..self.small.bytes.len() / 2])?;
                Ok("gone".to_owned())
            }
            // Answered after the longest pause.
            Act::Stalled => self.slowly(client, &self.small.bytes[..10_000], Duration::ZERO),
            // Answered after the longest time of an upload.
            Act::Dripping => self.slowly(client, &self.small.bytes[..120], Duration::from_millis(200)),
            Act::SlowHead => {
                let stream = client.connect()?;
                (&stream).write_all(b"GET /healthz HTTP/1.1\r\nhost: localh")?;
                match read_head(&mut BufReader::new(&stream)) {
                    Ok(head) => Ok(status(&head)?.to_string()),
                    Err(error) if is_closed(&error) => Ok("closed".to_owned()),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Sends a little of what it has announced, a byte each `pause`.
    fn slowly(&self, client: &Client, part: &[u8], pause: Duration) -> io::Result<String> {
        let stream = client.connect()?;
        (&stream).write_all(check(&self.small, &[]).head.as_bytes())?;
        for piece in part.chunks(if pause.is_zero() { part.len() } else { 1 }) {
            thread::sleep(pause);
            if (&stream).write_all(piece).is_err() {
                break;
            }
        }
        let head = read_head(&mut BufReader::new(&stream))?;
        Ok(status(&head)?.to_string())
    }

    /// Too many bytes in chunks, so that nobody knows how many will come.
    fn too_long_unsaid(&self, client: &Client) -> io::Result<String> {
        let stream = client.connect()?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        (&stream).write_all(b"POST /v1/check HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")?;
        for piece in self.long.chunks(1 << 20) {
            if has_answer(&stream)? {
                break;
            }
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend_from_slice(piece);
            chunk.extend_from_slice(b"\r\n");
            (&stream).write_all(&chunk)?;
        }
        let head = read_head(&mut BufReader::new(&stream))?;
        Ok(status(&head)?.to_string())
    }

    /// A hand-off: by turns gone through to its end, left by the phone, and left by the PC.
    fn session(&self, index: u64, client: &mut Client) -> io::Result<String> {
        let now_s = self.begun.elapsed().as_secs();
        let last = self.last_session_s.load(Ordering::Relaxed);
        if now_s < last + SESSION_GAP_S
            || self.last_session_s.compare_exchange(last, now_s, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return Ok("not yet".to_owned());
        }
        let json = "content-type: application/json";
        let opened = client.send(&Request::new("POST", "/v1/sessions", &[json], br#"{"steps":["any"]}"#))?;
        if opened.status != 201 {
            return Ok(opened.status.to_string());
        }
        let session = opened.json();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let (id, watch) = (text(&session["id"]), text(&session["watch_token"]));
        let phone_url = text(&session["phone_url"]);
        let token = phone_url.split_once('#').map_or("", |(_, token)| token);
        let stream = client.connect()?;
        let bearer = format!("authorization: Bearer {watch}");
        let events = Request::new("GET", &format!("/v1/sessions/{id}/events"), &[&bearer], &[]);
        (&stream).write_all(events.head.as_bytes())?;
        let mut events = BufReader::new(&stream);
        let head = read_head(&mut events)?;
        if status(&head)? != 200 {
            return Ok(format!("events {}", status(&head)?));
        }
        read_chunk(&mut events)?;
        if index.is_multiple_of(3) {
            return Ok("left by the PC".to_owned());
        }
        let claim = format!("{{\"token\":\"{token}\"}}");
        let claimed = client.send(&Request::new("POST", "/v1/sessions/claim", &[json], claim.as_bytes()))?;
        if claimed.status != 200 {
            return Ok(format!("claim {}", claimed.status));
        }
        read_chunk(&mut events)?;
        if index % 3 == 1 {
            return Ok("left by the phone".to_owned());
        }
        let bearer = format!("authorization: Bearer {}", text(&claimed.json()["phone_token"]));
        let step = format!("/v1/sessions/{id}/steps/0");
        let sent = client.send(&Request::new("PUT", &step, &[&bearer], &self.small.bytes))?;
        if sent.status != 200 {
            return Ok(sent.status.to_string());
        }
        read_chunk(&mut events)?;
        let drawn = client.send(&Request::new("GET", &format!("{step}/overlay"), &[&bearer], &[]))?;
        Ok(if drawn.status == 200 { "done".to_owned() } else { format!("overlay {}", drawn.status) })
    }
}

fn get(client: &mut Client, path: &str) -> io::Result<String> {
    client.send(&Request::get(path)).map(|answer| answer.status.to_string())
}
