//! What the file system says of a file without opening it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// What a path is. Part of its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    File = 0,
    /// A file that its owner may execute.
    Executable = 1,
    /// A symbolic link; its content is the text of its target.
    Symlink = 2,
    /// A pipe, socket or device: never opened.
    Special = 3,
    /// A file or folder that could not be read.
    Unreadable = 4,
}

impl Kind {
    pub(crate) fn of(metadata: &Metadata) -> Kind {
        let kind = metadata.file_type();
        if kind.is_symlink() {
            Kind::Symlink
        } else if !kind.is_file() {
            Kind::Special
        } else if metadata.mode() & 0o100 != 0 {
            Kind::Executable
        } else {
            Kind::File
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Kind> {
        [Kind::File, Kind::Executable, Kind::Symlink, Kind::Special, Kind::Unreadable]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// What the file system says of a file. Two stamps that differ in anything may stand for different
/// contents; equal ones stand for equal contents only when [`Stamp::is_settled`].
///
/// The device is left out: its number changes from mount to mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub kind: Kind,
    pub size_bytes: u64,
    /// Last change of the content, in nanoseconds since 1970. A program can set it at will.
    pub modified_ns: i64,
    /// Last change of anything about the file, in nanoseconds since 1970. Nobody can set it.
    pub changed_ns: i64,
    pub inode: u64,
}

/// How coarse the clock of a file system that counts in fractions of a second can be: the kernel's
/// tick (10 ms at 100 Hz), with room.
const FINE_CLOCK_NS: i64 = 50_000_000;
/// How coarse the clock of any other file system can be: two seconds on FAT.
const COARSE_CLOCK_NS: i64 = 2_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;

impl Stamp {
    /// The stamp of a file that was just looked at, links not followed.
    pub fn of(metadata: &Metadata) -> Stamp {
        let ns = |seconds: i64, fraction: i64| {
            seconds.saturating_mul(SECOND_NS).saturating_add(fraction)
        };
        Stamp {
            kind: Kind::of(metadata),
            size_bytes: metadata.size(),
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    /// When it was last touched, by either time.
    pub(crate) fn last_ns(&self) -> i64 {
        self.modified_ns.max(self.changed_ns)
    }

    /// Whether a file with this stamp has not been written until it had a later one. A link to it,
    /// or another mode, changes it without writing it, and that is no reason for another result.
    pub(crate) fn is_unwritten(&self, later: &Stamp) -> bool {
        Stamp { changed_ns: later.changed_ns, ..*self } == *later
    }

    /// Git's rule for racy entries: whether a file with this stamp, read at `now_ns` or later by
    /// the file system's own clock, must get another stamp from any edit that came after the
    /// reading. It must if it was last touched in an earlier tick of that clock; a younger file
    /// can be edited again within the same tick and look the same.
    ///
    /// <https://git-scm.com/docs/racy-git>
    pub fn is_settled(&self, now_ns: i64) -> bool {
        let last = self.last_ns();
        let is_coarse = self.modified_ns % SECOND_NS == 0 && self.changed_ns % SECOND_NS == 0;
        let tick = if is_coarse { COARSE_CLOCK_NS } else { FINE_CLOCK_NS };
        last.saturating_add(tick) < now_ns
    }
}
