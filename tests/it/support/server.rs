//! An HTTP server in the test's own process that serves a folder, and misbehaves on demand.
//!
//! Below a folder whose name is an instant, such as `ubuntu/20250801T000000Z/`, it is a snapshot service: any instant is served
//! what the newest folder holds that is not after it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use icos::date::Instant;

/// What to do instead of serving a file properly.
#[derive(Clone, Debug)]
pub enum Act {
    /// An answer without a body, with more header lines.
    Status(u16, &'static str),
    /// Promise the whole file and close the connection after so many bytes of the body.
    Cut(usize),
    /// Other bytes than the file's.
    Bytes(Vec<u8>),
    /// The file, in pieces of so many bytes with pauses between.
    Trickle(usize, Duration),
    /// The whole file, whatever part was asked for.
    IgnoreRange,
    /// A part that begins elsewhere than asked for.
    WrongRange,
    /// Accept the request and say nothing for so long.
    Silence(Duration),
}

/// A misbehaviour for requests whose path has `part` in it, as often as `times` says.
#[derive(Clone, Debug)]
struct Rule {
    part: String,
    times: usize,
    act: Act,
}

struct Shared {
    root: PathBuf,
    rules: Mutex<Vec<Rule>>,
    requests: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

/// A running server; it ends with the value.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    pub fn start(root: impl Into<PathBuf>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared {
            root: root.into(),
            rules: Mutex::default(),
            requests: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let for_thread = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if for_thread.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let shared = for_thread.clone();
                // A client that goes away is no fault of the server.
                std::thread::spawn(move || stream.and_then(|stream| serve(&shared, stream)));
            }
        });
        Self { address, shared }
    }

    pub fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Misbehaves on the next `times` requests whose path has `part` in it; rules apply in the order they were made.
    pub fn on(&self, part: &str, times: usize, act: Act) -> &Self {
        let rule = Rule { part: part.to_owned(), times, act };
        self.shared.rules.lock().expect("no panic").push(rule);
        self
    }

    /// Behaves again.
    pub fn forget(&self) {
        self.shared.rules.lock().expect("no panic").clear();
    }

    /// The requests so far, as `path` or `path bytes=5-`; forgotten with this.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.requests.lock().expect("no panic"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

struct Request {
    path: String,
    range: Option<usize>,
}

fn serve(shared: &Shared, stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some(request) = read(&mut reader)? {
        let range = request.range.map(|start| format!(" bytes={start}-")).unwrap_or_default();
        shared.requests.lock().expect("no panic").push(format!("{}{range}", request.path));
        let act = {
            let mut rules = shared.rules.lock().expect("no panic");
            let rule = rules.iter_mut().find(|rule| rule.times > 0 && request.path.contains(&rule.part));
            rule.map(|rule| {
                rule.times -= 1;
                rule.act.clone()
            })
        };
        if !answer(shared, &mut stream, &request, act)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads a request's head; a proxy's absolute URI is cut to its path.
fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let target = first.split(' ').nth(1).unwrap_or_default();
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    let mut request = Request { path: path.to_owned(), range: None };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            return Ok(Some(request));
        }
        if let Some(range) = line.to_lowercase().strip_prefix("range: bytes=") {
            request.range = range.trim().trim_end_matches('-').parse().ok();
        }
    }
}

/// The path with the folder of the newest snapshot that is not after the instant in it, if there is one.
fn as_of(root: &Path, path: &str) -> String {
    let mut parts = path.splitn(3, '/');
    let (Some(archive), Some(asked), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return path.to_owned();
    };
    if Instant::from_compact(asked).is_err() {
        return path.to_owned();
    }
    let folders = fs_err::read_dir(root.join(archive)).into_iter().flatten();
    let instants = folders.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    match instants.filter(|instant| instant.as_str() <= asked).max() {
        Some(instant) => format!("{archive}/{instant}/{rest}"),
        None => path.to_owned(),
    }
}

/// Sends an answer; false when the connection is to be closed.
fn answer(shared: &Shared, stream: &mut TcpStream, request: &Request, act: Option<Act>) -> std::io::Result<bool> {
    let file = fs_err::read(shared.root.join(as_of(&shared.root, request.path.trim_start_matches('/'))));
    let (body, start) = match (&act, file) {
        (Some(Act::Status(status, headers)), _) => {
            write!(stream, "HTTP/1.1 {status} X\r\n{headers}Content-Length: 0\r\n\r\n")?;
            return Ok(true);
        }
        (Some(Act::Silence(duration)), _) => {
            std::thread::sleep(*duration);
            return Ok(false);
        }
        (Some(Act::Bytes(bytes)), _) => (bytes.clone(), None),
        (_, Err(_)) => {
            write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?;
            return Ok(true);
        }
        (Some(Act::IgnoreRange), Ok(bytes)) => (bytes, None),
        (Some(Act::WrongRange), Ok(bytes)) => (bytes, request.range.map(|start| start - 1)),
        (_, Ok(bytes)) => (bytes, request.range),
    };
    let size = body.len();
    let part = match start {
        Some(start) if start < size => {
            let part = &body[start..];
            let last = size - 1;
            write!(stream, "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{last}/{size}\r\n")?;
            part
        }
        Some(_) => {
            write!(stream, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n")?;
            return Ok(true);
        }
        None => {
            write!(stream, "HTTP/1.1 200 OK\r\n")?;
            &body[..]
        }
    };
    write!(stream, "Content-Length: {}\r\n\r\n", part.len())?;
    match act {
        Some(Act::Cut(bytes)) => {
            stream.write_all(&part[..bytes.min(part.len())])?;
            return Ok(false);
        }
        Some(Act::Trickle(bytes, pause)) => {
            for piece in part.chunks(bytes) {
                stream.write_all(piece)?;
                stream.flush()?;
                std::thread::sleep(pause);
            }
        }
        _ => stream.write_all(part)?,
    }
    Ok(true)
}
