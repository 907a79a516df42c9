//! The few words before encryption where a server does not begin with it: STARTTLS of IMAP and of SMTP.
//!
//! Read byte by byte, so that nothing which was sent in the clear can be taken for what is said under encryption
//! (RFC 3501, section 6.2.1; RFC 3207, section 6).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest line.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// The most lines of one answer.
const LINES_MAX: usize = 100;

/// What is spoken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Language {
    /// RFC 3501.
    Imap,
    /// RFC 5321.
    Smtp,
}

/// Hears the greeting, and asks to be encrypted; the stream is ready for the handshake then.
///
/// # Errors
/// When the server does not want to, in words; or the network's error.
pub async fn starttls<S>(stream: &mut S, language: Language) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let greeting = answer(stream, language).await?;
    let is_welcome = match language {
        Language::Imap => greeting.to_ascii_uppercase().starts_with("* OK"),
        Language::Smtp => greeting.starts_with('2'),
    };
    if !is_welcome {
        return Err(io::Error::other(format!("the server greets with: {greeting}")));
    }
    let answer = match language {
        Language::Imap => ask(stream, language, "T1 STARTTLS").await?,
        Language::Smtp => {
            let offered = ask(stream, language, "EHLO [127.0.0.1]").await?;
            if !offered.to_ascii_uppercase().contains("STARTTLS") {
                return Err(io::Error::other("the server does not offer STARTTLS"));
            }
            ask(stream, language, "STARTTLS").await?
        }
    };
    let is_taken = match language {
        Language::Imap => answer.to_ascii_uppercase().starts_with("T1 OK"),
        Language::Smtp => answer.starts_with('2'),
    };
    if is_taken { Ok(()) } else { Err(io::Error::other(format!("STARTTLS was refused: {answer}"))) }
}

async fn ask<S>(stream: &mut S, language: Language, command: &str) -> io::Result<String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(format!("{command}\r\n").as_bytes()).await?;
    stream.flush().await?;
    answer(stream, language).await
}

/// One answer: at SMTP all its lines, at IMAP the first that is the greeting or carries our tag.
async fn answer<S>(stream: &mut S, language: Language) -> io::Result<String>
where
    S: AsyncRead + Unpin,
{
    let mut lines: Vec<String> = Vec::new();
    while lines.len() < LINES_MAX {
        let line = line(stream).await?;
        let is_last = match language {
            Language::Imap => true,
            // RFC 5321, section 4.2.1: a hyphen after the code, until the last line.
            Language::Smtp => line.as_bytes().get(3) != Some(&b'-'),
        };
        lines.push(line);
        if is_last {
            return Ok(lines.join(" "));
        }
    }
    Err(io::Error::other("the server's answer does not end"))
}

async fn line<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<String> {
    let mut line = Vec::new();
    loop {
        match stream.read_u8().await? {
            b'\n' => return Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            byte if line.len() < LINE_BYTES_MAX => line.push(byte),
            _ => return Err(io::Error::other("the server sends a line without end")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that says this, whatever it hears.
    async fn begun(language: Language, says: &str) -> Result<(), String> {
        let (mut ours, mut theirs) = tokio::io::duplex(64 * 1024);
        theirs.write_all(says.as_bytes()).await.unwrap();
        starttls(&mut ours, language).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn both_languages_get_to_the_handshake() {
        begun(Language::Imap, "* OK hello\r\nT1 OK go\r\n").await.unwrap();
        begun(Language::Smtp, "220 hello\r\n250-me\r\n250 STARTTLS\r\n220 go\r\n").await.unwrap();
    }

    #[tokio::test]
    async fn what_cannot_be_encrypted_is_told() {
        let told = begun(Language::Smtp, "220 hello\r\n250 me\r\n").await.unwrap_err();
        assert_eq!(told, "the server does not offer STARTTLS");
        let told = begun(Language::Imap, "* OK hello\r\nT1 BAD what\r\n").await.unwrap_err();
        assert_eq!(told, "STARTTLS was refused: T1 BAD what");
        let told = begun(Language::Smtp, "554-no\r\n554 never\r\n").await.unwrap_err();
        assert_eq!(told, "the server greets with: 554-no 554 never");
    }
}
