//! One request: bytes of a URI from an offset on, over HTTP or from a local folder.

use std::{
    io::{self, Read, Seek},
    time::Duration,
};

use reqwest::{
    NoProxy, Proxy, StatusCode,
    blocking::{Client, Response},
    header::{ACCEPT_ENCODING, CONTENT_RANGE, DATE, HeaderMap, HeaderName, RANGE, RETRY_AFTER},
};

use super::{Fault, Patience, Proxies};
use crate::{
    date::Instant,
    manifest::uri::{Scheme, Uri},
};

#[derive(Debug)]
pub(super) struct Transport {
    http: Client,
    /// Why no certificate can be checked, when that is so: `http:` works without.
    tls: Option<String>,
}

/// An answer with a body.
pub(super) struct Reply {
    /// Offset in the file of the body's first byte.
    pub(super) start: u64,
    /// Size of the whole file, where the answer says so.
    pub(super) total: Option<u64>,
    pub(super) body: Box<dyn Read>,
}

impl Transport {
    pub(super) fn new(proxies: &Proxies, patience: &Patience) -> Result<Self, reqwest::Error> {
        // A provider that is installed already is as good: this one or another's choice.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || -> Result<_, reqwest::Error> {
            // Proxies come from the edge alone, which reads the environment.
            let mut builder = Client::builder()
                .user_agent(concat!("icos/", env!("CARGO_PKG_VERSION")))
                .no_proxy()
                .connect_timeout(patience.connect)
                .timeout(patience.read)
                .pool_max_idle_per_host(64);
            let except = || proxies.except.as_deref().and_then(NoProxy::from_string);
            if let Some(proxy) = &proxies.http {
                builder = builder.proxy(Proxy::http(proxy)?.no_proxy(except()));
            }
            if let Some(proxy) = &proxies.https {
                builder = builder.proxy(Proxy::https(proxy)?.no_proxy(except()));
            }
            Ok(builder)
        };
        match builder()?.build() {
            Ok(http) => Ok(Self { http, tls: None }),
            // A machine without certificates can still use `http:`; signatures decide about trust.
            Err(error) => Ok(Self { http: builder()?.tls_certs_only([]).build()?, tls: Some(chain(&error)) }),
        }
    }

    /// Asks for `uri` from byte `from` on. The answer may begin earlier.
    pub(super) fn get(&self, uri: &Uri, from: u64) -> Result<Reply, Fault> {
        match uri.scheme() {
            Scheme::File => local(uri, from),
            Scheme::Http => self.remote(uri, from),
            Scheme::Https => match &self.tls {
                None => self.remote(uri, from),
                Some(why) => Err(Fault::NoCertificates { why: why.clone() }),
            },
        }
    }

    fn remote(&self, uri: &Uri, from: u64) -> Result<Reply, Fault> {
        let mut request = self.http.get(uri.to_request()).header(ACCEPT_ENCODING, "identity");
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let response = request.send().map_err(|error| Fault::Connect { why: chain(&error) })?;
        let headers = response.headers();
        match response.status() {
            StatusCode::OK => Ok(Reply { start: 0, total: response.content_length(), body: Box::new(response) }),
            StatusCode::PARTIAL_CONTENT => partial(response),
            StatusCode::RANGE_NOT_SATISFIABLE => Err(Fault::Range),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(Fault::Absent),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Err(Fault::Busy { status: response.status().as_u16(), wait: retry_after(headers) })
            }
            other => Err(Fault::Status(other.as_u16())),
        }
    }
}

fn local(uri: &Uri, from: u64) -> Result<Reply, Fault> {
    let path = uri.local_path().ok_or(Fault::Absent)?;
    let open = || -> io::Result<Reply> {
        let mut file = fs_err::File::open(&path)?;
        let total = file.metadata()?.len();
        let start = file.seek(io::SeekFrom::Start(from.min(total)))?;
        Ok(Reply { start, total: Some(total), body: Box::new(file) })
    };
    open().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Fault::Absent,
        _ => Fault::Local(error),
    })
}

/// `Content-Range: bytes 5-9/10`; the size may be `*`.
fn partial(response: Response) -> Result<Reply, Fault> {
    let range = text(response.headers(), CONTENT_RANGE).and_then(|range| {
        let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        let start = span.split_once('-')?.0.parse::<u64>().ok()?;
        Some((start, total.parse::<u64>().ok()))
    });
    let (start, total) = range.ok_or(Fault::Range)?;
    Ok(Reply { start, total, body: Box::new(response) })
}

/// Seconds, or a date, which is measured from the answer's own.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, RETRY_AFTER)?;
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| Instant::from_rfc2822(text).map(Instant::seconds).ok();
    let wait = date(value)?.saturating_sub(date(text(headers, DATE)?)?);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// reqwest says what happened only in the causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
