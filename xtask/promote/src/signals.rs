//! Ctrl-C, TERM and HUP: the first asks to stop where it is, a second ends the process.

use anyhow::Context;
use report::Exit;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether a person asked to stop.
#[derive(Debug, Clone)]
pub struct Signals {
    caught: Arc<AtomicUsize>,
}

impl Signals {
    /// Watches for them from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn watch() -> anyhow::Result<Signals> {
        let caught = Arc::new(AtomicUsize::new(0));
        let is_second = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let watch = || -> std::io::Result<()> {
                // In this order: the first signal does not yet meet the flag that it sets.
                flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&is_second))?;
                flag::register(signal, Arc::clone(&is_second))?;
                flag::register_usize(signal, Arc::clone(&caught), signal.unsigned_abs() as usize)?;
                Ok(())
            };
            watch().context("failed to watch for signals")?;
        }
        Ok(Signals { caught })
    }

    pub fn is_caught(&self) -> bool {
        self.caught.load(Ordering::Relaxed) != 0
    }

    /// The exit code that a caught signal stands for.
    pub fn exit(&self) -> Option<Exit> {
        match self.caught.load(Ordering::Relaxed) {
            0 => None,
            signal if signal == SIGINT.unsigned_abs() as usize => Some(Exit::Interrupted),
            _ => Some(Exit::Terminated),
        }
    }
}
