//! `xtask release`: the releases that were built here.

mod diff;
mod gc;
mod list;
mod show;
mod signature;
mod verify;

use clap::{Parser, Subcommand};
use release::command;
use std::process::ExitCode;

/// List, show, compare, verify and delete the releases that were built here.
///
/// A release is named by its id, the start of it, the start of its digits, or `latest`.
///
/// Exit codes: 0 done, or sound; 2 wrong usage, or no such release; 4 a release is damaged, or its
/// signature is not to be believed.
#[derive(Debug, Parser)]
#[command(name = "xtask-release", bin_name = "cargo xtask release", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the releases, the most lately built first.
    List(list::List),
    /// Say what a release is: where it comes from, what is in it, who signed it.
    Show(show::Show),
    /// Say what is different in release B: files with their sizes, headers, server.
    Diff(diff::Diff),
    /// Prove a release: its signature, and the digest of every file.
    Verify(verify::Verify),
    /// Delete old releases and their evidence; the latest stays.
    Gc(gc::Gc),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    command::main(|| match cli.command {
        Command::List(list) => list.run(),
        Command::Show(show) => show.run(),
        Command::Diff(diff) => diff.run(),
        Command::Verify(verify) => verify.run(),
        Command::Gc(gc) => gc.run(),
    })
}
