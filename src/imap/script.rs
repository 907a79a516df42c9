//! A server that plays a transcript, for tests: anyone who can read IMAP can write one.
//!
//! `C:` lines are expected of the client, `S:` lines are sent; `S: LITERAL` cannot be written, so `\r\n` inside a line
//! stands for itself. After the last line the connection is closed.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::task::JoinHandle;

/// A running script.
pub(super) struct Script(JoinHandle<()>);

impl Script {
    /// Waits until every line has been played; fails where the client said something else.
    pub(super) async fn played(self) {
        self.0.await.unwrap();
    }
}

/// Plays `lines` on the other end of the answered stream. `S: HOLD` keeps the connection open until the client goes.
pub(super) fn play(lines: String) -> (DuplexStream, Script) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let task = tokio::spawn(async move {
        let (read, mut write) = tokio::io::split(theirs);
        let mut read = BufReader::new(read);
        for line in lines.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
            if let Some(expected) = line.strip_prefix("C: ") {
                let mut said = String::new();
                read.read_line(&mut said).await.unwrap();
                assert_eq!(said.trim_end(), expected);
            } else if line == "S: HOLD" {
                let mut rest = Vec::new();
                read.read_to_end(&mut rest).await.unwrap();
                assert_eq!(String::from_utf8_lossy(&rest), "");
            } else if let Some(said) = line.strip_prefix("S: ") {
                let said = said.replace("\\r\\n", "\r\n");
                // The client may have gone already.
                let _ = write.write_all(format!("{said}\r\n").as_bytes()).await;
            } else {
                let said = line.strip_prefix("S:").unwrap();
                let _ = write.write_all(format!("{said}\r\n").as_bytes()).await;
            }
        }
    });
    (ours, Script(task))
}
