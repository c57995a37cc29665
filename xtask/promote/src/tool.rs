//! Slipway's other programs: beside this one, else on PATH.

use std::path::{Path, PathBuf};

/// Where programs are looked for, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    folders: Vec<PathBuf>,
}

/// A program that is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{program} is neither beside this program nor on PATH: `cargo xtask {subcommand} --help` makes it in \
     a checkout of Slipway, elsewhere it is to be installed"
)]
pub struct NoTool {
    pub program: String,
    pub subcommand: String,
}

impl Tools {
    /// Beside this program, then on PATH.
    pub fn of_this_program() -> Tools {
        let exe = std::env::current_exe().ok();
        let beside = exe.as_deref().and_then(Path::parent).map(Path::to_path_buf);
        let path = std::env::var_os("PATH").unwrap_or_default();
        Tools { folders: beside.into_iter().chain(std::env::split_paths(&path)).collect() }
    }

    /// In this folder alone.
    pub fn in_folder(folder: &Path) -> Tools {
        Tools { folders: vec![folder.to_path_buf()] }
    }

    /// Where the program of a subcommand is: `xtask-edge` for `edge`.
    ///
    /// # Errors
    /// When it is nowhere.
    pub fn find(&self, subcommand: &str) -> Result<PathBuf, NoTool> {
        let program = format!("xtask-{subcommand}{}", std::env::consts::EXE_SUFFIX);
        let places = self.folders.iter().map(|folder| folder.join(&program));
        places
            .into_iter()
            .find(|place| place.is_file())
            .ok_or_else(|| NoTool { program, subcommand: subcommand.to_owned() })
    }
}
