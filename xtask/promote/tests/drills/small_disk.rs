//! A store on a disk of its own that can be filled, and be made read-only for root too.

use crate::project::Ran;
use crate::shop::Shop;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A store on a small disk of its own, which root alone can make. Dropped: the edge ends first.
pub struct SmallDisk<'a> {
    shop: &'a Shop,
    path: PathBuf,
}

impl SmallDisk<'_> {
    /// `None`, and a line that says so, where none can be made.
    pub fn mount(shop: &Shop) -> Option<SmallDisk<'_>> {
        let path = shop.project.root().join("env/production");
        fs::create_dir_all(&path).unwrap();
        let disk = SmallDisk { shop, path };
        if disk.run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs"]) {
            return Some(disk);
        }
        println!("skipped: no file system can be mounted here");
        std::mem::forget(disk);
        None
    }

    pub fn remount(&self, how: &str) {
        assert!(self.run("mount", &["-o", &format!("remount,{how}")]));
    }

    /// Leaves so much free, as far as pages go.
    pub fn fill(&self, free: usize) -> PathBuf {
        let filler = self.path.join("filler");
        let is_left = |size: usize| fs::write(&filler, vec![0; size]).is_ok();
        let all = (0..1024).rev().map(|pages| pages * 4096).find(|size| is_left(*size)).unwrap();
        fs::write(&filler, vec![0; all.saturating_sub(free)]).unwrap();
        filler
    }

    /// What is wrong, where, and what helps.
    pub fn is_told(&self, ran: &Ran, what: &str, mend: &str) {
        ran.expect(3);
        for words in ["production: failed to ", what, self.path.to_str().unwrap(), mend] {
            assert!(ran.stderr.contains(words), "it lacks {words:?}: {}", ran.stderr);
        }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = Command::new(program);
        command.args(arguments).arg(&self.path);
        command.output().is_ok_and(|output| output.status.success())
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        self.shop.project.end_edges("production");
        self.run("umount", &["--lazy"]);
    }
}
