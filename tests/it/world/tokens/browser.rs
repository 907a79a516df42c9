//! A client for the twins: what a browser does, and a raw way to send anything.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::form;

/// How many redirects a browser follows.
const REDIRECTS: usize = 5;

/// What a server answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// The value of a header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let read = serde_json::from_str(&self.body);
        read.unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.body))
    }

    /// The text of a field of the JSON body, empty if there is none.
    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends a request to `http://127.0.0.1:PORT/…` and reads the answer; none when the connection ends before it is whole.
pub(crate) fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Option<Reply> {
    let (host, path) = url.strip_prefix("http://")?.split_at_checked(url[7..].find('/')?)?;
    let host = host.replace("localhost", "127.0.0.1");
    let mut socket = TcpStream::connect(&host).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    socket.write_all(request.as_bytes()).ok()?;
    read_reply(BufReader::new(socket))
}

/// Posts a form.
pub(crate) fn post(url: &str, fields: &[(&str, &str)]) -> Option<Reply> {
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    send("POST", url, &headers, &form::write(fields))
}

/// Opens an address as a browser does, and follows where it is sent, to the listener of a client that waits for its
/// code, too. What is read last is the page that the person sees.
pub(crate) fn visit(url: &str) -> Option<Reply> {
    let mut url = url.to_owned();
    for _ in 0..REDIRECTS {
        let reply = send("GET", &url, &[], "")?;
        match reply.header("location") {
            Some(next) if reply.status == 302 => url = next.to_owned(),
            _ => return Some(reply),
        }
    }
    None
}

fn read_reply(mut from: BufReader<TcpStream>) -> Option<Reply> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let status = lines.first()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.iter().filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut reply = Reply { status, headers, body: String::new() };
    let mut body = Vec::new();
    match reply.header("content-length").and_then(|length| length.parse().ok()) {
        Some(length) => {
            body.resize(length, 0);
            from.read_exact(&mut body).ok()?;
        }
        None => drop(from.read_to_end(&mut body).ok()?),
    }
    reply.body = String::from_utf8_lossy(&body).into_owned();
    Some(reply)
}
