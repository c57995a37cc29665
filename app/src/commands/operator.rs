//! `beacon operator`: accounts, on the machine of the database. Passwords come from a prompt or
//! standard input, never from an argument, which every process on the machine could read.

use crate::config::{Config, Environment};
use crate::model::{Email, Moment};
use crate::password;
use crate::store::{Store, StoreError, operators};
use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use rustix::termios::{self, LocalModes, OptionalActions};
use std::io::{BufRead, IsTerminal, Read, Write};

/// Add, list and remove the accounts that may sign in
#[derive(Debug, Subcommand)]
pub enum Operator {
    /// Make an account; the password is asked for, or read from standard input
    Add {
        #[arg(value_parser = parse_email)]
        email: Email,
    },
    /// List accounts, when each was made, and when it was last seen
    List,
    /// Remove an account and end its sessions
    Remove {
        #[arg(value_parser = parse_email)]
        email: Email,
    },
}

impl Operator {
    /// # Errors
    /// A setting or the database cannot be used, or the account is not as the command needs it.
    pub fn run(self) -> anyhow::Result<()> {
        let data = Config::data(&Environment::of_process())?;
        let store = Store::open(&data)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(async {
            match self {
                Operator::Add { email } => add(&store, email).await,
                Operator::List => list(&store).await,
                Operator::Remove { email } => remove(&store, email).await,
            }
        })
    }
}

async fn add(store: &Store, email: Email) -> anyhow::Result<()> {
    let wanted = email.clone();
    let exists = store.read(move |c| operators::credentials(c, &wanted)).await?.is_some();
    ensure!(!exists, "{email} is an operator already; `beacon operator remove {email}` removes it");
    let password = ask_password()?;
    password::check_strength(&password, &email)
        .map_err(|weakness| anyhow::anyhow!("expected a strong password, found {weakness}"))?;
    let hash = password::hash(&password)?;
    let name = email.to_string();
    match store.write(move |t| operators::add(t, &email, &hash, Moment::now())).await {
        Err(StoreError::Taken) => bail!("{name} is an operator already"),
        other => other?,
    }
    println!("{name} may sign in.");
    Ok(())
}

async fn list(store: &Store) -> anyhow::Result<()> {
    let all = store.read(operators::all).await?;
    if all.is_empty() {
        println!("There are no operators; `beacon operator add you@example.com` makes one.");
    }
    for operator in all {
        let seen = operator
            .last_seen
            .map_or_else(|| "no session".to_owned(), |m| format!("seen {}", m.full()));
        println!("{}  made {}, {seen}", operator.email, operator.created.full());
    }
    Ok(())
}

async fn remove(store: &Store, email: Email) -> anyhow::Result<()> {
    let name = email.to_string();
    match store.write(move |t| operators::remove(t, &email)).await {
        Err(StoreError::Missing) => {
            bail!("{name} is no operator; `beacon operator list` lists them")
        }
        other => other?,
    }
    println!("{name} may no longer sign in; its sessions have ended.");
    Ok(())
}

fn parse_email(text: &str) -> Result<Email, String> {
    Email::parse(text).ok_or_else(|| "expected an email address".to_owned())
}

/// Twice from a terminal, without echo; once from anything else.
fn ask_password() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        return read_line().context("failed to read the password from standard input");
    }
    let first = prompt("Password: ")?;
    let second = prompt("Again: ")?;
    ensure!(first == second, "the two passwords differ");
    Ok(first)
}

fn prompt(question: &str) -> anyhow::Result<String> {
    eprint!("{question}");
    std::io::stderr().flush()?;
    let stdin = std::io::stdin();
    let before = termios::tcgetattr(&stdin)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    termios::tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
    let line = read_line();
    termios::tcsetattr(&stdin, OptionalActions::Now, &before)?;
    eprintln!();
    line.context("failed to read the password")
}

fn read_line() -> anyhow::Result<String> {
    let mut line = String::new();
    let limit = password::LENGTH_LIMIT as u64 + 2;
    std::io::stdin().lock().take(limit).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
