//! `baton completions` and `baton man`: documents made from the command line itself.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap_complete::Shell;

use super::Exit;
use super::print::Out;

/// Print a script that completes baton's commands in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  baton completions bash > /etc/bash_completion.d/baton
  baton completions fish > ~/.config/fish/completions/baton.fish")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

/// Print the manual page, or write all pages into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  baton man | man -l -
  baton man /usr/local/share/man/man1")]
pub(super) struct Man {
    /// The folder; without it, the main page is printed
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: Option<PathBuf>,
}

/// Prints the script.
pub(super) fn completions(args: &Completions, out: &mut Out) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "baton", &mut script);
    out.write_all(&script).context("cannot write the script")?;
    Ok(Exit::Done)
}

/// Prints the main page, or writes every page.
pub(super) fn man(args: &Man, out: &mut Out) -> anyhow::Result<Exit> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(super::command())
            .render(&mut page)
            .context("cannot make the manual page")?;
        out.write_all(&page).context("cannot write the manual page")?;
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(super::command(), folder))
        .with_context(|| format!("cannot write the manual pages to {}", folder.display()))?;
    out.line(format_args!("The manual pages are in {}.", folder.display()))?;
    Ok(Exit::Done)
}
