//! Mail where Dovecot finds it, put there without Dovecot, and its caches taken away.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Fills a user's INBOX with messages that arrived `days` ago. `mail` is the server's folder of all mail.
pub(crate) fn fill(mail: &Path, user: &str, days: i64, letters: impl Iterator<Item = Vec<u8>>) {
    let inbox = mail.join(user);
    let owner = fs::metadata(mail).unwrap();
    let own = |path: &Path| chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
    for name in ["", "cur", "new", "tmp"] {
        fs::create_dir_all(inbox.join(name)).unwrap();
        own(&inbox.join(name));
    }
    let arrived = SystemTime::now() - Duration::from_secs(days.unsigned_abs() * 86_400);
    for (number, letter) in letters.enumerate() {
        let wire = letter.len();
        // S and W, as every delivery agent writes them, save the server from reading the file for its size.
        let name = format!("1600000000.M{number:08}P1.bench,S={wire},W={wire}:2,");
        let path = inbox.join("cur").join(name);
        let mut file = File::create(&path).unwrap();
        file.write_all(&letter).unwrap();
        file.set_modified(arrived).unwrap();
        own(&path);
    }
}

/// Takes the server's indexes of a user's mail away, and every file out of the machine's memory. The server is stopped.
pub(crate) fn forget(mail: &Path, user: &str) {
    for entry in fs::read_dir(mail.join(user)).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("dovecot.index") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let _ = std::process::Command::new("sync").status();
    if fs::write("/proc/sys/vm/drop_caches", "3").is_err() {
        println!("(not root: the indexes are cold, the page cache is warm)");
    }
    // The program itself is not what is measured.
    let _ = fs::read(env!("CARGO_BIN_EXE_baton"));
}
