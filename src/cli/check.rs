//! `baton check`: is the configuration right? Its problems are told by `config`; here is what else must be in place.

use super::print::Out;
use super::time::short;
use super::{Exit, online};
use crate::config::{Config, LayoutChoice, Mailbox, SecretError, Tls};
use crate::doctor::secrets;

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
    for secret in secrets::of(mailbox) {
        let key = format!("{file}: mailbox[{nth}].{}", secret.key);
        match secret.try_out() {
            Ok(()) => {}
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
        if let Some(path) = secret.open_to_all() {
            let path = path.display();
            out.aside(&format!(
                "{key}: warning: everybody on this machine may use {path}; chmod o= {path}"
            ));
        }
    }
    exit
}
