//! `baton login`: a person agrees that Baton may read a mailbox, once; or what is held of such logins.

use std::io::BufRead;

use anyhow::{Context, bail};
use serde::Serialize;

use super::print::{Ink, Out, plain};
use super::time::short;
use super::{Exit, block_on};
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Flow, Login, Mailbox, OAuth2};
use crate::daemon;
use crate::login::consent::CameBack;
use crate::login::{Error, Facts, Loopback, Report, Tokens, What, redirect};

/// Where the browser is sent whose address is pasted: nobody listens there.
const PASTE_PORT: u16 = 8765;
/// How often a wrong paste may be corrected.
const PASTES_MAX: usize = 3;

/// Log in to a mailbox with OAuth; with --status, tell what is held
///
/// A person agrees once; the refresh token is kept, sealed, in the state directory, and the running daemon takes it up by
/// itself. For applications and service accounts, which need no person, it asks for a token to show that they work. Run it
/// as Baton's user, or as root.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  baton login support
  baton login support --paste       the browser is on another machine
  baton login --status")]
pub(super) struct Args {
    /// The mailbox
    #[arg(value_name = "MAILBOX", required_unless_present = "status")]
    mailbox: Option<String>,
    /// Paste the address with which the browser came back, instead of waiting for it here
    #[arg(long, conflicts_with = "status")]
    paste: bool,
    /// Tell what is held, for whom, and until when; never a token
    #[arg(long)]
    status: bool,
    /// Print JSON
    #[arg(long, requires = "status")]
    json: bool,
}

/// Logs in, or tells.
pub(super) fn run(args: &Args, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    if let Some(name) = &args.mailbox {
        super::threads::must_exist(name, config)?;
    }
    let wanted =
        |mailbox: &&Mailbox| args.mailbox.as_ref().is_none_or(|name| *name == mailbox.name);
    let mut chosen = config.mailboxes.iter().filter(wanted);
    if args.status {
        let logins: anyhow::Result<Vec<Held>> = chosen.map(|one| held(one, config)).collect();
        return tell(logins?, args.json, out);
    }
    let Some(mailbox) = chosen.next() else { return Ok(Exit::Refused) };
    let key = daemon::Key::new(mailbox, &config.state_dir);
    let Some(tokens) = key.tokens() else {
        out.aside(&format!(
            "{}: logs in with a password; there is nothing to agree to. `baton check --online` tries it.",
            mailbox.name
        ));
        return Ok(Exit::Refused);
    };
    let facts = block_on(enter(tokens, args.paste, out))?;
    entered(mailbox, tokens.oauth(), facts.as_ref(), out)?;
    Ok(Exit::Done)
}

async fn enter(tokens: &Tokens, paste: bool, out: &mut Out) -> anyhow::Result<Option<Facts>> {
    match &tokens.oauth().flow {
        Flow::ClientCredentials { .. } | Flow::ServiceAccount { .. } => {
            tokens.access().await?;
            Ok(tokens.report()?.facts)
        }
        Flow::DeviceCode { .. } => {
            let code = tokens.begin_device().await?;
            out.line(format_args!(
                "Open {} and type the code {} as {}.",
                plain(&code.verification_uri),
                out.painted(Ink::Strong, &plain(&code.user_code)),
                tokens.oauth().user
            ))?;
            out.finish()?;
            Ok(Some(tokens.finish_device(&code).await?))
        }
        Flow::AuthorizationCode { redirect_port, .. } if paste => {
            let port = redirect_port.unwrap_or(PASTE_PORT);
            Ok(Some(by_paste(tokens, port, out).await?))
        }
        Flow::AuthorizationCode { redirect_port, .. } => {
            Ok(Some(by_browser(tokens, *redirect_port, out).await?))
        }
    }
}

async fn by_browser(tokens: &Tokens, port: Option<u16>, out: &mut Out) -> anyhow::Result<Facts> {
    let waiting = Loopback::listen(port).await.context(
        "cannot wait for the browser on this machine; write another redirect_port in [mailbox.login]",
    )?;
    let asked = tokens.begin_browser(&redirect(tokens.oauth().provider, waiting.port()))?;
    out.line(format_args!(
        "Open this address in a browser on this machine, and sign in as {}:",
        tokens.oauth().user
    ))?;
    out.line(format_args!("{}", asked.url))?;
    out.line(format_args!("(On another machine? End this with Ctrl-C, and add --paste.)"))?;
    out.finish()?;
    let code = waiting.wait(&asked).await?;
    Ok(tokens.finish_browser(&asked, &code).await?)
}

async fn by_paste(tokens: &Tokens, port: u16, out: &mut Out) -> anyhow::Result<Facts> {
    let asked = tokens.begin_browser(&redirect(tokens.oauth().provider, port))?;
    out.line(format_args!(
        "Open this address in any browser, and sign in as {}:",
        tokens.oauth().user
    ))?;
    out.line(format_args!("{}", asked.url))?;
    out.line(format_args!(
        "At the end the browser shows a page that cannot be reached. Copy its whole address, and paste it here:"
    ))?;
    out.finish()?;
    for _ in 0..PASTES_MAX {
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).context("cannot read what was pasted")? == 0
        {
            break;
        }
        match asked.pasted(&line) {
            CameBack::Code(code) => return Ok(tokens.finish_browser(&asked, &code).await?),
            CameBack::Refused(words) => {
                bail!(Error::NoConsent(format!("the provider says {words}")))
            }
            CameBack::Stranger => {
                out.aside("This is not the address of this login; paste it as a whole:")
            }
        }
    }
    bail!(Error::NoConsent("no address was pasted".to_owned()))
}

fn entered(
    mailbox: &Mailbox,
    oauth: &OAuth2,
    facts: Option<&Facts>,
    out: &mut Out,
) -> anyhow::Result<()> {
    let user = facts.map_or(oauth.user.as_str(), |facts| facts.user.as_str());
    if oauth.is_delegated() {
        out.line(format_args!(
            "{}: logged in as {}. The login is kept.",
            mailbox.name,
            plain(user)
        ))?;
    } else {
        out.line(format_args!("{}: the provider gives tokens for {}.", mailbox.name, plain(user)))?;
    }
    if oauth.is_delegated() && !user.eq_ignore_ascii_case(&oauth.user) {
        out.aside(&format!(
            "{}: warning: [mailbox.login] says user = \"{}\", but {} has signed in",
            mailbox.name,
            oauth.user,
            plain(user)
        ));
    }
    if let Some(facts) = facts {
        out.paragraph(2, &format!("allowed: {}", plain(&facts.scopes.join(" "))))?;
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct All {
    mailboxes: Vec<Held>,
}

/// What is held of one mailbox's login.
#[derive(Debug, Serialize)]
struct Held {
    name: String,
    method: &'static str,
    flow: Option<&'static str>,
    user: String,
    scopes: Vec<String>,
    agreed_at: Option<Timestamp>,
    renewed_at: Option<Timestamp>,
    access_until: Option<Timestamp>,
    needs_login: bool,
    ends: Vec<End>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct End {
    what: &'static str,
    at: Timestamp,
}

fn held(mailbox: &Mailbox, config: &Config) -> anyhow::Result<Held> {
    let Login::OAuth2(oauth) = &mailbox.imap.login else {
        return Ok(Held {
            name: mailbox.name.clone(),
            method: "password",
            flow: None,
            user: mailbox.imap.user.clone(),
            scopes: Vec::new(),
            agreed_at: None,
            renewed_at: None,
            access_until: None,
            needs_login: false,
            ends: Vec::new(),
            warnings: Vec::new(),
        });
    };
    let key = daemon::Key::new(mailbox, &config.state_dir);
    let Some(tokens) = key.tokens() else { bail!("{} has no tokens", mailbox.name) };
    let Report { facts, endings } = tokens.report()?;
    let now = Clock::system().now();
    let near = endings.iter().filter(|ending| ending.is_near(now));
    let warnings = near.map(|ending| ending.words(&mailbox.name, now)).collect();
    let ends = endings.iter().map(|ending| {
        let what = match ending.what {
            What::ClientSecret => "client_secret",
            What::Certificate => "certificate",
            What::Consent => "consent",
        };
        End { what, at: ending.at }
    });
    let needs_login =
        oauth.is_delegated() && facts.as_ref().is_none_or(|facts| facts.agreed_at.is_none());
    let facts = facts.unwrap_or_default();
    let user = if facts.user.is_empty() { oauth.user.clone() } else { facts.user };
    Ok(Held {
        name: mailbox.name.clone(),
        method: "oauth2",
        flow: Some(flow(oauth)),
        user,
        scopes: facts.scopes,
        agreed_at: facts.agreed_at,
        renewed_at: facts.obtained_at,
        access_until: facts.access_until,
        needs_login,
        ends: ends.collect(),
        warnings,
    })
}

/// What of a mailbox's login ends soon; nothing where that cannot be told.
pub(super) fn warnings(mailbox: &Mailbox, config: &Config) -> Vec<String> {
    held(mailbox, config).map(|held| held.warnings).unwrap_or_default()
}

fn flow(oauth: &OAuth2) -> &'static str {
    match oauth.flow {
        Flow::ClientCredentials { .. } => "client-credentials",
        Flow::DeviceCode { .. } => "device-code",
        Flow::AuthorizationCode { .. } => "authorization-code",
        Flow::ServiceAccount { .. } => "service-account",
    }
}

fn tell(mailboxes: Vec<Held>, json: bool, out: &mut Out) -> anyhow::Result<Exit> {
    if json {
        out.json(&All { mailboxes })?;
        return Ok(Exit::Done);
    }
    for held in &mailboxes {
        let how = held.flow.unwrap_or("password");
        let name = out.painted(Ink::Strong, &held.name);
        out.line(format_args!("{name}: {how}, as {}", plain(&held.user)))?;
        if held.needs_login {
            out.paragraph(2, &format!("nobody has agreed yet: run `baton login {}`", held.name))?;
        }
        if let Some(at) = held.agreed_at {
            out.paragraph(2, &format!("agreed to on {} UTC", short(at)))?;
        }
        if !held.scopes.is_empty() {
            out.paragraph(2, &format!("allowed: {}", plain(&held.scopes.join(" "))))?;
        }
        if let Some((at, until)) = held.renewed_at.zip(held.access_until) {
            let words = format!("last token: {} UTC, good until {} UTC", short(at), short(until));
            out.paragraph(2, &words)?;
        }
        for end in &held.ends {
            let what = end.what.replace('_', " ");
            out.paragraph(
                2,
                &format!("the {what} ends on {} UTC if nothing is done", short(end.at)),
            )?;
        }
        for warning in &held.warnings {
            out.paragraph(2, warning)?;
        }
    }
    Ok(Exit::Done)
}
