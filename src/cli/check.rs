//! `baton check`: is the configuration right? Its problems are told by `config`; here is what else must be in place.

use std::path::Path;

use super::print::Out;
use super::time::short;
use super::{Exit, online};
use crate::config::{
    ClientProof, Config, Flow, LayoutChoice, Login, Mailbox, PasswordSource, SecretError, Tls,
};

/// Check the configuration; with --online, log in and see what each server can do
///
/// Every problem is told in one go, as FILE:LINE: key: what is wrong; what to write. Exit code 2 when there is any; 1 when a
/// server cannot be reached, or cannot do what the configuration asks for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  baton check
  baton check --online --config ./baton.toml")]
pub(super) struct Args {
    /// Connect to every mailbox as well. Nothing is changed there
    #[arg(long)]
    online: bool,
}

/// Prints a line for each mailbox, and what is not in place.
pub(super) fn run(args: &Args, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    let mut exit = Exit::Done;
    for (nth, mailbox) in config.mailboxes.iter().enumerate() {
        describe(mailbox, out)?;
        let secrets = check_secrets(nth, mailbox, args.online, config, out);
        if secrets != Exit::Done {
            exit = secrets;
        } else if args.online && !online::visit(mailbox, config, out)? && exit == Exit::Done {
            exit = Exit::Refused;
        }
    }
    if config.agents.is_empty() {
        let file = config.file.display();
        out.aside(&format!(
            "{file}: warning: there is no [[agent]]; nobody can own a thread until there is one"
        ));
    }
    if exit == Exit::Done {
        let file = config.file.display();
        out.line(format_args!("{file} is right. The state is in {}.", config.state_dir.display()))?;
    }
    Ok(exit)
}

fn describe(mailbox: &Mailbox, out: &mut Out) -> anyhow::Result<()> {
    let server = &mailbox.imap;
    let tls = match server.tls {
        Tls::Implicit => "TLS",
        Tls::Starttls => "STARTTLS",
        Tls::None => "no TLS",
    };
    let layout = match mailbox.layout {
        LayoutChoice::Auto => "auto",
        LayoutChoice::Keywords => "keywords",
        LayoutChoice::Folders => "folders",
        LayoutChoice::Labels => "labels",
    };
    let agents: Vec<&str> = mailbox
        .policy
        .agents
        .iter()
        .filter(|agent| agent.works_in(&mailbox.name))
        .map(|agent| agent.id.0.as_str())
        .collect();
    let agents = if agents.is_empty() { "nobody".into() } else { agents.join(", ") };
    let since = short(mailbox.policy.since);
    out.paragraph(
        0,
        &format!(
            "{}: {} via {}:{} ({tls}), layout {layout}, since {since} UTC, agents: {agents}",
            mailbox.name, mailbox.address, server.host, server.port
        ),
    )
}

/// A secret of a mailbox: the key in the file, where it is, and whether it is a document of several lines.
struct Secret<'a> {
    key: String,
    source: &'a PasswordSource,
    is_document: bool,
}

/// The secrets of a mailbox, each once.
fn secrets(mailbox: &Mailbox) -> Vec<Secret<'_>> {
    let mut found: Vec<Secret<'_>> = Vec::new();
    let mut add = |key: &str, source, is_document| {
        if !found.iter().any(|known| known.source == source) {
            found.push(Secret { key: key.to_owned(), source, is_document });
        }
    };
    let servers = [("imap", Some(&mailbox.imap)), ("smtp", mailbox.smtp.as_ref())];
    for (section, server) in servers.into_iter().filter_map(|(name, server)| Some((name, server?)))
    {
        match &server.login {
            Login::Password(source) => add(&format!("{section}.password"), source, false),
            Login::OAuth2(oauth) => {
                if let Flow::ServiceAccount { key } = &oauth.flow {
                    add("login.key", key, true);
                }
                match oauth.client().map(|client| &client.proof) {
                    Some(ClientProof::Secret(secret)) => add("login.client_secret", secret, false),
                    Some(ClientProof::Certificate { key, .. }) => add("login.key", key, true),
                    Some(ClientProof::None) | None => {}
                }
            }
        }
    }
    found
}

/// Reads each secret of the mailbox once, to see that it is there.
fn check_secrets(
    nth: usize,
    mailbox: &Mailbox,
    online: bool,
    config: &Config,
    out: &mut Out,
) -> Exit {
    let file = config.file.display();
    let mut exit = Exit::Done;
    for Secret { key, source, is_document } in secrets(mailbox) {
        let key = format!("{file}: mailbox[{nth}].{key}");
        let read = if is_document { source.read_document() } else { source.read() };
        match read {
            Ok(_) => {}
            // Only the daemon's own environment can tell.
            Err(error @ (SecretError::NoVariable(_) | SecretError::NoCredentials(_)))
                if !online =>
            {
                out.aside(&format!("{key}: warning: not here: {error}"));
            }
            Err(error) => {
                out.aside(&format!("{key}: {error}"));
                exit = Exit::Misconfigured;
            }
        }
        if let PasswordSource::File(path) = source
            && is_open_to_all(path)
        {
            let path = path.display();
            out.aside(&format!(
                "{key}: warning: everybody on this machine may use {path}; chmod o= {path}"
            ));
        }
    }
    exit
}

/// Whether anybody at all may read or write the file.
fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o006 != 0)
}
