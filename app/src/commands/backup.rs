//! `beacon backup`: a copy of the database, while it is served or not.

use crate::config::{Config, Environment};
use crate::model::Moment;
use crate::store;
use std::path::PathBuf;

/// Write a copy of the database into a folder, while Beacon serves or not
#[derive(Debug, clap::Args)]
pub struct Backup {
    /// Where the copy goes; made when it is missing, for its owner alone
    folder: PathBuf,
}

impl Backup {
    /// # Errors
    /// There is no database, or the copy cannot be written or read back.
    pub fn run(self) -> anyhow::Result<()> {
        let data = Config::data(&Environment::of_process())?;
        let copy = store::copy(&data, &self.folder, Moment::now())?;
        let bytes = std::fs::metadata(&copy)?.len();
        println!("{} holds all of it, {bytes} bytes", copy.display());
        Ok(())
    }
}
