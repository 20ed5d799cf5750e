//! One keep-alive connection → answers, with what they took; the pieces of a request for who sends it oddly.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A client that does not care what it was told comes back after this.
pub const IMPATIENCE: Duration = Duration::from_millis(250);

/// An answer that takes longer is a fault of the service.
const ANSWER_TIME: Duration = Duration::from_mins(1);

/// A connection that was idle for longer is not used again: the service closes it after five seconds.
const IDLE: Duration = Duration::from_secs(3);

/// Bytes written between two looks for an early answer.
const BLOCK: usize = 64 << 10;

/// A request as bytes.
pub struct Request<'a> {
    pub head: String,
    body: &'a [u8],
    /// Waits for leave to send the body, as curl does with more than a megabyte.
    asks: bool,
}

impl<'a> Request<'a> {
    /// Each of `headers` is a whole `name: value`.
    pub fn new(method: &str, path: &str, headers: &[&str], body: &'a [u8]) -> Self {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
        for header in headers {
            head += header;
            head += "\r\n";
        }
        if !body.is_empty() {
            let _ = write!(head, "content-length: {}\r\n", body.len());
        }
        head += "\r\n";
        Self { head, body, asks: headers.contains(&EXPECT) }
    }

    pub fn get(path: &str) -> Self {
        Self::new("GET", path, &[], &[])
    }
}

pub const EXPECT: &str = "expect: 100-continue";

/// What came back.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
    /// From the first byte sent to the last one received.
    pub spent: Duration,
    /// The connection can be used again.
    stays: bool,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// How long a refused client is to stay away.
    pub fn retry_after(&self) -> Duration {
        self.header("retry-after").and_then(|value| value.parse().ok()).map_or(IMPATIENCE, Duration::from_secs_f64)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// One keep-alive connection, made anew where the service closed it.
pub struct Client {
    address: SocketAddr,
    held: Option<(TcpStream, Instant)>,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, held: None }
    }

    pub fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIME))?;
        // A write that finds no room gives the client a chance to see that it has been answered already.
        stream.set_write_timeout(Some(Duration::from_millis(20)))?;
        Ok(stream)
    }

    pub fn send(&mut self, request: &Request<'_>) -> io::Result<Answer> {
        if let Some((stream, since)) = self.held.take()
            && since.elapsed() < IDLE
        {
            match exchange(&stream, request) {
                Ok(answer) => return Ok(self.keep(stream, answer)),
                // Closed by the service in the moment in which it was used: any client sends it again.
                Err(error) if is_closed(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let stream = self.connect()?;
        let answer = exchange(&stream, request)?;
        Ok(self.keep(stream, answer))
    }

    fn keep(&mut self, stream: TcpStream, answer: Answer) -> Answer {
        self.held = answer.stays.then(|| (stream, Instant::now()));
        answer
    }
}

pub fn is_closed(error: &io::Error) -> bool {
    use ErrorKind as K;
    matches!(error.kind(), K::UnexpectedEof | K::ConnectionReset | K::BrokenPipe | K::ConnectionAborted)
}

/// Sends a request and reads its answer; a client that is refused before it has sent everything sends no more, and
/// gives the connection up, as curl does.
fn exchange(stream: &TcpStream, request: &Request<'_>) -> io::Result<Answer> {
    let begun = Instant::now();
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    writer.write_all(request.head.as_bytes())?;
    let mut sent = 0;
    let (mut early, mut accepted) = (None, false);
    if request.asks {
        let head = read_head(&mut reader)?;
        if status(&head)? != 100 {
            early = Some(head);
        }
    }
    while (early.is_none() || accepted) && sent < request.body.len() {
        match writer.write(&request.body[sent..request.body.len().min(sent + BLOCK)]) {
            Ok(more) => sent += more,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            // Whatever was answered before is there to be read.
            Err(error) if is_closed(&error) => break,
            Err(error) => return Err(error),
        }
        // A batch is answered while it is sent.
        if !accepted && sent < request.body.len() && has_answer(stream)? {
            let head = read_head(&mut reader)?;
            accepted = (200..300).contains(&status(&head)?);
            early = Some(head);
        }
    }
    let head = early.map_or_else(|| read_head(&mut reader), Ok)?;
    let mut answer = Answer { status: status(&head)?, head, body: Vec::new(), spent: Duration::ZERO, stays: false };
    answer.body = read_body(&mut reader, &answer)?;
    answer.spent = begun.elapsed();
    let closes = answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    answer.stays = !closes && sent == request.body.len();
    Ok(answer)
}

pub fn has_answer(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let seen = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    match seen {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) if is_closed(&error) => Ok(true),
        Err(error) => Err(error),
    }
}

pub fn read_head(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if head.len() - before <= 2 {
            return Ok(head);
        }
    }
}

pub fn status(head: &str) -> io::Result<u16> {
    let code = head.split_whitespace().nth(1).and_then(|code| code.parse().ok());
    code.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "no status"))
}

fn read_body(reader: &mut impl BufRead, answer: &Answer) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if answer.status == 204 {
        return Ok(body);
    }
    if let Some(length) = answer.header("content-length").and_then(|value| value.parse().ok()) {
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
        return Ok(body);
    }
    loop {
        let chunk = read_chunk(reader)?;
        if chunk.is_empty() {
            return Ok(body);
        }
        body.extend_from_slice(&chunk);
    }
}

/// The next piece of a chunked body; the last one is empty.
pub fn read_chunk(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let size = usize::from_str_radix(line.trim(), 16).map_err(|_| io::Error::new(ErrorKind::InvalidData, "chunk"))?;
    let mut chunk = vec![0; size + 2];
    reader.read_exact(&mut chunk)?;
    chunk.truncate(size);
    Ok(chunk)
}

/// A form of files.
pub fn form(files: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for file in files {
        body.extend_from_slice(b"--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n");
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

pub const FORM: &str = "content-type: multipart/form-data; boundary=edge";
