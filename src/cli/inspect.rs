//! `baton inspect`: what is understood of raw messages. It needs no configuration.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Exit;
use super::explain::sentence;
use super::print::{Ink, Out, plain, shortened, wrapped};
use crate::mail::inspect::inspect;
use crate::mail::message::{Address, Message};

/// How many lines of the new text are shown.
const TEXT_LINES: usize = 8;
/// Where values begin.
const INDENT: usize = 12;

/// Tell what is understood of raw messages in files, such as a mail client saves
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  baton inspect mail.eml
  baton inspect --json *.eml | jq .kind")]
pub(super) struct Args {
    /// The files; - is standard input
    #[arg(required = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Print JSON, a line for each file
    #[arg(long)]
    json: bool,
}

/// Prints what each file says; a file that cannot be read does not stop the others.
pub(super) fn run(args: &Args, out: &mut Out) -> anyhow::Result<Exit> {
    let mut exit = Exit::Done;
    for file in &args.files {
        let raw = match read(file) {
            Ok(raw) => raw,
            Err(error) => {
                out.aside(&format!("baton: {}", sentence(&error)));
                exit = Exit::Refused;
                continue;
            }
        };
        let understood = inspect(&file.to_string_lossy(), &raw);
        if args.json {
            let line = serde_json::to_string(&understood).context("cannot write JSON")?;
            out.line(format_args!("{line}"))?;
        } else {
            for_people(&understood.file, &understood.message, out)?;
        }
    }
    Ok(exit)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut raw = Vec::new();
        std::io::stdin().read_to_end(&mut raw).context("cannot read standard input")?;
        return Ok(raw);
    }
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn for_people(file: &str, message: &Message, out: &mut Out) -> anyhow::Result<()> {
    let name = out.painted(Ink::Strong, &plain(file));
    out.line(format_args!("{name}"))?;
    if message.unreadable {
        value("unreadable", "nothing could be made of it", out)?;
    }
    value("subject", &message.subject, out)?;
    value("from", &addresses(&message.from), out)?;
    value("to", &addresses(&message.to), out)?;
    value("cc", &addresses(&message.cc), out)?;
    value("date", &message.date.map(|at| at.to_string()).unwrap_or_default(), out)?;
    value("message id", &message.message_id, out)?;
    value("answers", &message.in_reply_to.join(" "), out)?;
    let kind = serde_json::to_value(message.kind).context("cannot name the kind")?;
    let kind = kind.as_str().unwrap_or_default();
    value("kind", &format!("{kind} ({})", message.kind_reason), out)?;
    if let Some(bounce) = &message.bounce {
        let permanence = if bounce.permanent { "for good" } else { "not for good" };
        let names = bounce.recipients.iter().map(|one| one.address.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        value("bounce", &format!("{permanence}; recipients: {names}"), out)?;
    }
    if let Some(forwarded) = &message.forwarded {
        value("forwarded", forwarded.from.as_deref().unwrap_or("from somebody"), out)?;
    }
    for part in &message.attachments {
        let named = if part.name.is_empty() { "(no name)" } else { part.name.as_str() };
        value("attachment", &format!("{named}, {}, {} bytes", part.media_type, part.size), out)?;
    }
    for problem in &message.problems {
        value("odd", problem, out)?;
    }
    new_text(&message.new_text, out)?;
    out.line(format_args!(""))
}

fn new_text(text: &str, out: &mut Out) -> anyhow::Result<()> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    for line in lines.iter().take(TEXT_LINES) {
        let line = shortened(&plain(line), super::print::WIDTH - 4);
        out.line(format_args!("  | {line}"))?;
    }
    if lines.len() > TEXT_LINES {
        out.line(format_args!("  | … ({} lines more)", lines.len() - TEXT_LINES))?;
    }
    Ok(())
}

fn value(name: &str, text: &str, out: &mut Out) -> anyhow::Result<()> {
    let mut name = format!("{name}:");
    for line in wrapped(&plain(text), super::print::WIDTH - INDENT - 3) {
        let painted = out.painted(Ink::Faint, &format!("{name:INDENT$}"));
        out.line(format_args!("  {painted} {line}"))?;
        name.clear();
    }
    Ok(())
}

fn addresses(list: &[Address]) -> String {
    let one = |address: &Address| match address.name.is_empty() {
        true => address.address.clone(),
        false => format!("{} <{}>", address.name, address.address),
    };
    list.iter().map(one).collect::<Vec<_>>().join(", ")
}
