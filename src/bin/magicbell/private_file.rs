//! Files that only their owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Makes a new file with mode 0600. One that is there already is an error: it may be another token's.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let file = options().write(true).create_new(true).open(path)?;
    sync_folder(path)?;
    Ok(file)
}

/// Opens a file to read and write, or makes a new one with mode 0600.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    match options().read(true).write(true).create_new(true).open(path) {
        Ok(file) => {
            sync_folder(path)?;
            Ok(file)
        }
        // It may be gone by then, and is made after all.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            options().read(true).write(true).create(true).truncate(false).open(path)
        }
        Err(error) => Err(error),
    }
}

/// Opens a file to add lines to, or makes a new one with mode 0600.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    options().append(true).create(true).open(path)
}

/// Puts a file with mode 0600 in place of what is there, at once or not at all.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    // What an earlier one left when it died.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write(&mut create(&part)?, bytes)?;
    fs::rename(&part, path)?;
    sync_folder(path)
}

/// Saves what must not be lost under a name that nobody has, and returns that.
pub(crate) fn save(bytes: &[u8]) -> io::Result<PathBuf> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    let path = PathBuf::from(format!("magicbell-answer-{now}.txt"));
    write(&mut create(&path)?, bytes)?;
    Ok(path)
}

/// Writes, and has it survive a failure of the machine.
pub(crate) fn write(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Has a file's name survive a failure of the machine.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Elsewhere a folder can't be opened as a file is.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there are modes on Unix alone"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
