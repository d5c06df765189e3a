//! File operations that hold after a power cut: the only file that knows which system calls that takes.
//!
//! The happy path of [`replace`], as the kernel sees it:
//!
//! ```text
//! openat(dir, ".NAME.PID.N.tmp", O_CREAT|O_EXCL) write fsync close
//! rename(".NAME.PID.N.tmp", "NAME")
//! openat(dir) fsync close
//! ```
//!
//! BUG: a file system that lies about fsync, or loses data of a file renamed over another within one journal transaction
//! (ext4 with `data=writeback` mounted `noauto_da_alloc`), is beyond us; `check` finds what it lost.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{CWD, FallocateFlags, OFlags, RenameFlags};

/// Puts `bytes` at `path`, wholly or not at all, with the permission bits `mode` (less the umask): a reader sees the old file or the new.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = temporary_beside(path);
    let result = write_new(&temporary, bytes, mode).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = result {
        // The temporary file is ours and holds nothing that is not given to us again.
        drop(fs::remove_file(&temporary));
        return Err(error);
    }
    sync_folder(folder_of(path))
}

/// [`replace`] of many files at once: all are written before the first is fsynced, so that one commit of the file system's
/// journal serves many, and each folder is synced once. One file or another may be in place when it fails.
pub fn replace_all(files: &[(PathBuf, Vec<u8>)], mode: u32) -> io::Result<()> {
    let temporaries: Vec<PathBuf> = files
        .iter()
        .map(|(path, _)| temporary_beside(path))
        .collect();
    let result = write_all(files, &temporaries, mode);
    if result.is_err() {
        for temporary in &temporaries {
            drop(fs::remove_file(temporary));
        }
    }
    result?;
    let folders: BTreeSet<&Path> = files.iter().map(|(path, _)| folder_of(path)).collect();
    folders.into_iter().try_for_each(sync_folder)
}

fn write_all(files: &[(PathBuf, Vec<u8>)], temporaries: &[PathBuf], mode: u32) -> io::Result<()> {
    let mut written = Vec::with_capacity(files.len());
    for ((_, bytes), temporary) in files.iter().zip(temporaries) {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(temporary)?;
        file.write_all(bytes)?;
        written.push(file);
    }
    for file in written {
        file.sync_all()?;
    }
    for ((path, _), temporary) in files.iter().zip(temporaries) {
        fs::rename(temporary, path)?;
    }
    Ok(())
}

/// Whether a file of this name is one that [`replace`] left behind when the process died.
pub fn is_temporary(name: &std::ffi::OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") && name.ends_with(b".tmp")
}

/// Writes a file that must not exist yet, and fsyncs it; its folder is the caller's to sync.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in `folder` durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes `folder` and what is missing above it, durably.
pub fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder_of(folder);
    create_folders(parent)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_folder(parent)
}

/// The folder that holds `path`; `.` for a bare name.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Renames without ever replacing: `AlreadyExists` if `to` is there, `CrossesDevices` if it is on another file system.
/// The folders are the caller's to sync, so that many renames share one sync.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // File systems without RENAME_NOREPLACE (NFS, some FUSE): link and unlink never replace either.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        result => Ok(result?),
    }
}

/// Moves a file into another folder without replacing, across file systems too (copy, fsync, unlink), and syncs both folders.
pub fn move_file(from: &Path, to: &Path) -> io::Result<()> {
    match rename_new(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            copy_new(from, to)?;
            sync_folder(folder_of(to))?;
            fs::remove_file(from)?;
        }
        result => {
            result?;
            sync_folder(folder_of(to))?;
        }
    }
    sync_folder(folder_of(from))
}

/// Copies a regular file to a name that must not exist yet, and fsyncs it. A copy that did not succeed is taken away.
pub fn copy_new(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = open_regular(from)?;
    let mode = source.metadata()?.mode() & 0o666;
    let mut target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(to)?;
    let copied = io::copy(&mut source, &mut target).and_then(|_| target.sync_all());
    if copied.is_err() {
        drop(fs::remove_file(to));
    }
    copied
}

/// Opens a regular file for reading and nothing else: a link gives an error, a FIFO or device is neither waited for nor read.
pub fn open_regular(path: &Path) -> io::Result<File> {
    open_flagged(path, OFlags::NOFOLLOW).map(|(file, _)| file)
}

/// The same, but links are followed: for paths that a person named. With what the system says of the file.
pub fn open_regular_through_links(path: &Path) -> io::Result<(File, Metadata)> {
    open_flagged(path, OFlags::empty())
}

fn open_flagged(path: &Path, flags: OFlags) -> io::Result<(File, Metadata)> {
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    regular(file)
}

/// As [`open_regular`], and no folder on the way may be a link either (openat2, `RESOLVE_NO_SYMLINKS`): somebody who may write to a folder
/// could put a link in place of one that was just scanned. For paths that are known to have none. Where the kernel or a
/// sandbox lacks the call, the last component alone is protected.
pub fn open_regular_without_links(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = rustix::fs::ResolveFlags::NO_SYMLINKS;
    match rustix::fs::openat2(CWD, path, flags, rustix::fs::Mode::empty(), resolve) {
        Ok(file) => regular(File::from(file)).map(|(file, _)| file),
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => open_regular(path),
        Err(error) => Err(error.into()),
    }
}

fn regular(file: File) -> io::Result<(File, Metadata)> {
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata))
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ))
    }
}

/// Reserves `length` bytes from `offset` without changing the file's size (a zero tail would be no zstd). A file system
/// that cannot reserve is no error: reserving only makes a full disk show early.
pub fn reserve(file: &File, offset: u64, length: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file.as_fd(), FallocateFlags::KEEP_SIZE, offset, length) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
        result => Ok(result?),
    }
}

/// Bytes that an ordinary user may still write on the file system of `path`.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Magic numbers of file systems whose changes by other machines the kernel does not report (linux/magic.h): NFS, SMB,
/// CIFS, SMB2, FUSE, 9P, Ceph, AFS.
const NETWORK_FILE_SYSTEMS: [u32; 8] = [
    0x6969,
    0x517B,
    0xFF53_4D42,
    0xFE53_4D42,
    0x6573_5546,
    0x0102_1997,
    0x00C3_6400,
    0x5346_414F,
];

/// Whether `path` lies on a file system that other machines change without an event here.
pub fn is_network_folder(path: &Path) -> io::Result<bool> {
    let kind = rustix::fs::statfs(path)?.f_type;
    // The field is signed and of the word's width; the magic numbers are 32 bits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let kind = kind as u32;
    Ok(NETWORK_FILE_SYSTEMS.contains(&kind))
}

/// Fails unless this process may make, rename and delete files in `folder`.
pub fn check_writable(folder: &Path) -> io::Result<()> {
    use rustix::fs::{Access, AtFlags};
    let rights = Access::WRITE_OK | Access::EXEC_OK;
    Ok(rustix::fs::accessat(CWD, folder, rights, AtFlags::EACCESS)?)
}

fn temporary_beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.{count}.tmp", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_leaves_the_new_bytes_and_no_temporary_file() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("checkpoint");
        replace(&path, b"one", 0o644).expect("first");
        replace(&path, b"two", 0o644).expect("second");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 1);
    }

    #[test]
    fn many_files_are_replaced_together_and_nothing_is_left_of_a_failure() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = |name: &str| folder.path().join(name);
        let files = [(path("a"), b"1".to_vec()), (path("b"), b"2".to_vec())];
        replace_all(&files, 0o644).expect("replaced");
        assert_eq!(fs::read(path("b")).expect("read"), b"2");
        let bad = [(path("a"), b"3".to_vec()), (path("none/b"), b"4".to_vec())];
        assert!(replace_all(&bad, 0o644).is_err());
        assert_eq!(fs::read(path("a")).expect("read"), b"1");
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 2);
    }

    #[test]
    fn a_move_never_replaces() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&from, "new").expect("write");
        fs::write(&to, "old").expect("write");
        let error = move_file(&from, &to).expect_err("b is there");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&to).expect("read"), b"old");
        assert_eq!(fs::read(&from).expect("read"), b"new");
    }

    #[test]
    fn links_and_fifos_are_not_opened() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).expect("link");
        assert!(open_regular(&link).is_err());
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(
            CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .expect("fifo");
        assert!(open_regular(&fifo).is_err(), "and it did not hang");
        assert!(open_regular_without_links(&fifo).is_err());
    }

    #[test]
    fn a_link_on_the_way_is_not_followed_where_none_may_be() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let real = folder.path().canonicalize().expect("it is there");
        fs::create_dir(real.join("folder")).expect("create");
        fs::write(real.join("folder/file"), "x").expect("write");
        std::os::unix::fs::symlink(real.join("folder"), real.join("link")).expect("link");
        assert!(open_regular_without_links(&real.join("folder/file")).is_ok());
        assert!(open_regular(&real.join("link/file")).is_ok());
        assert!(open_regular_without_links(&real.join("link/file")).is_err());
    }
}
