//! `xtask key`: the key that signs releases.

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use config::Config;
use release::command;
use release::signing::{KeyName, KeySource, Keyring, PublicKey, SigningKey, UNSIGNED};
use report::{Exit, Fault};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Make or show the key that signs releases.
///
/// Releases and evidence are signed with Ed25519 in minisign's format. The key is the first of: the
/// secret key in the variable XTASK_SIGNING_KEY_DATA; the file that XTASK_SIGNING_KEY names; the
/// file slipway/signing.key in the user's configuration folder; a development key that is made by
/// itself in target/xtask/keys. What a development key signed is unsigned for production use.
///
/// Exit codes: 0 done; 2 wrong usage, or what should be a key is none; 4 others can read the secret
/// key, or one would be written over.
#[derive(Debug, Parser)]
#[command(name = "xtask-key", bin_name = "cargo xtask key", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key, and say what makes a project trust it.
    New(New),
    /// Say which key signs here, where it is, and whether xtask.toml trusts it.
    Show(Show),
}

#[derive(Debug, Args)]
struct New {
    /// What people call it; stands in every signature. Lowercase letters, digits, `-`, `.` and `_`.
    #[arg(long, default_value = "release")]
    name: KeyName,
    /// The file of the secret key, which must not be there yet [default: signing.key in the user's
    /// configuration folder].
    #[arg(long)]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Show {
    /// Print the public key alone.
    #[arg(long)]
    public: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    command::main(|| match cli.command {
        Command::New(new) => new.run(),
        Command::Show(show) => show.run(),
    })
}

impl New {
    fn run(self) -> anyhow::Result<Exit> {
        let keyring = Keyring::from_env();
        let (key, path) = keyring.create(self.name, self.file).map_err(command::key_fault)?;
        let path = path.display();
        let mut text = format!(
            "made the key {} ({}) in {path}\n\
             keep a copy where you keep passwords: a lost key cannot be made again\n\n",
            key.name(),
            key.public().id()
        );
        text += &to_trust(key.public());
        text += &format!(
            "\nand on a build server store the file's contents as the secret {}\n",
            release::signing::KEY_DATA_ENV
        );
        command::print(&text)?;
        Ok(Exit::Passed)
    }
}

impl Show {
    fn run(self) -> anyhow::Result<Exit> {
        let root = std::env::current_dir().context("no current folder")?;
        let Some((key, source)) = key_here(&root)? else {
            return Err(Fault::usage(
                "there is no key yet: `cargo xtask build` makes a development key, \
                 `cargo xtask key new` one for production",
            )
            .into());
        };
        if self.public {
            command::print(&format!("{}\n", key.public()))?;
            return Ok(Exit::Passed);
        }
        let trusted = match Config::load(&root) {
            Ok(config) => Some(config.signing.trusted),
            Err(_) if !root.join(config::FILE_NAME).exists() => None,
            Err(error) => return Err(Fault::usage(error.to_string()).into()),
        };
        command::print(&shown(&key, &source, trusted.as_deref()))?;
        Ok(Exit::Passed)
    }
}

/// The key that would sign; a development key is not made for being asked about.
fn key_here(root: &Path) -> anyhow::Result<Option<(SigningKey, KeySource)>> {
    let keyring = Keyring::from_env();
    let has_one = keyring.configured().map_err(command::key_fault)?.is_some()
        || Keyring::development_key(root).map_err(command::key_fault)?.is_some();
    if !has_one {
        return Ok(None);
    }
    keyring.signing_key(root).map(Some).map_err(command::key_fault)
}

fn shown(key: &SigningKey, source: &KeySource, trusted: Option<&[String]>) -> String {
    let is_trusted = trusted.is_some_and(|keys| keys.iter().any(|it| it == key.public().as_str()));
    let standing = if key.name().is_development() {
        UNSIGNED.to_owned()
    } else if is_trusted {
        "trusted by xtask.toml".to_owned()
    } else {
        "not trusted by xtask.toml".to_owned()
    };
    let mut text = format!(
        "key     {} ({})\npublic  {}\nfrom    {source}\nstatus  {standing}\n",
        key.name(),
        key.public().id(),
        key.public(),
    );
    if key.name().is_development() {
        text += "\nmake a key for production by `cargo xtask key new`\n";
    } else if !is_trusted {
        text += &format!("\n{}", to_trust(key.public()));
    }
    text
}

fn to_trust(key: &PublicKey) -> String {
    format!("to trust it, put this into xtask.toml:\n\n    [signing]\n    trusted = [\"{key}\"]\n")
}
