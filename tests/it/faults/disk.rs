//! A disk that is full or cannot be written, and the end of the daemon in the middle of its work.
//!
//! The state directory lies on a small tmpfs, which takes root to mount; without root these stories are skipped, and
//! say so.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::Seed;
use crate::world::{Setup, World, poll};

/// A tmpfs, gone when it is dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(kilobytes: usize) -> Option<SmallDisk> {
        let at = tempfile::Builder::new().prefix("baton-disk-").tempdir().expect("a folder");
        let options = format!("size={kilobytes}k,mode=700");
        let mounted = run("mount", &["-t", "tmpfs", "-o", &options, "tmpfs", path(&at)]);
        mounted.then(|| SmallDisk(at))
    }

    fn remount(&self, option: &str) {
        let options = format!("remount,{option}");
        assert!(run("mount", &["-o", &options, path(&self.0)]), "cannot remount");
    }

    /// Fills it to the last byte.
    fn fill(&self) -> PathBuf {
        let path = self.0.path().join("filler");
        let mut size = 1 << 20;
        let mut filler = fs::File::create(&path).unwrap();
        while size > 0 {
            if std::io::Write::write_all(&mut filler, &vec![7_u8; size]).is_err() {
                size /= 2;
            }
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run("umount", &["-l", path(&self.0)]);
    }
}

/// An ext4 in a file, on a loop device; gone when it is dropped.
struct FailingDisk {
    image: TempDir,
    at: TempDir,
}

impl FailingDisk {
    fn mount() -> Option<FailingDisk> {
        let dir = |prefix: &str| tempfile::Builder::new().prefix(prefix).tempdir().unwrap();
        let disk = FailingDisk { image: dir("baton-image-"), at: dir("baton-disk-") };
        fs::File::create(disk.file()).unwrap().set_len(16 << 20).unwrap();
        let made = run("mkfs.ext4", &["-q", "-F", &disk.file()]);
        (made && disk.mounts()).then_some(disk)
    }

    fn file(&self) -> String {
        format!("{}/ext4", path(&self.image))
    }

    fn mounts(&self) -> bool {
        run("mount", &["-o", "loop,errors=remount-ro", &self.file(), path(&self.at)])
    }

    /// As if the kernel had found an error.
    fn fail(&self) {
        let out = Command::new("findmnt").args(["-no", "SOURCE", path(&self.at)]).output().unwrap();
        let device = String::from_utf8(out.stdout).unwrap();
        let device = device.trim().rsplit('/').next().unwrap_or_default();
        fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "a test").unwrap();
    }

    /// An operator repairs it.
    fn heals(&self) {
        assert!(run("umount", &[path(&self.at)]), "somebody still uses the disk");
        // e2fsck says with 1 that it has repaired something.
        run("e2fsck", &["-fy", &self.file()]);
        assert!(self.mounts(), "cannot mount again");
    }
}

impl Drop for FailingDisk {
    fn drop(&mut self) {
        run("umount", &["-l", path(&self.at)]);
    }
}

fn path(dir: &TempDir) -> &str {
    dir.path().to_str().unwrap()
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|out| out.status.success())
}

/// Tells a story whose state directory lies on a disk of so many kilobytes.
fn on_a_small_disk(name: &str, kilobytes: usize, story: impl FnOnce(&mut World, &SmallDisk)) {
    let Some(disk) = SmallDisk::mount(kilobytes) else {
        eprintln!("{name}: skipped, only root can mount a small disk");
        return;
    };
    Setup::keywords().tell_before_baton(|world| {
        std::os::unix::fs::symlink(disk.0.path(), world.state_dir()).unwrap();
        world.start();
        story(world, &disk);
    });
}

#[test]
fn a_full_disk_is_said_to_be_and_nothing_is_lost() {
    on_a_small_disk("full disk", 2048, |world, disk| {
        world.customer_writes("Before");
        world.opens("Before");
        let id = world.thread("Before").id.to_string();
        let filler = disk.fill();
        for number in 0..30 {
            world.customer_writes(&format!("Order {number}"));
        }
        world.eventually("the log says so", |world| world.baton.log().contains("is full"));
        world.eventually("the status says so", |world| database_error(world).contains("full"));
        let refused = poll(Duration::from_secs(10), || {
            let answer = world.baton.says(&["block", &id, &"why not ".repeat(5000), "--as", "ana"]);
            (answer.code != 0).then_some(answer)
        });
        let words = refused.expect("nothing is refused on a full disk").err;
        assert!(words.contains("full"), "{words}");
        assert!(world.baton.is_running(), "{}", world.baton.log_tail(40));
        fs::remove_file(filler).unwrap();
        for number in 0..30 {
            world.decides(&format!("Order {number}"), "new");
        }
        world.agent("ana").claims("Before");
        world.becomes("Before", "assigned, ana");
        assert_eq!(world.baton.threads().len(), 31);
        assert_eq!(database_error(world), "");
    });
}

/// What `status` says of the database; nothing while all is well.
fn database_error(world: &mut World) -> String {
    let status: serde_json::Value = world.baton.json(&["status"]).unwrap_or_default();
    status["database_error"].as_str().unwrap_or_default().to_owned()
}

/// The kernel stops writing to a file system in which it found an error, whoever has files open there.
#[test]
fn a_disk_that_cannot_be_written_any_more_is_said_to_be_and_nothing_is_lost() {
    let Some(disk) = FailingDisk::mount() else {
        eprintln!("failing disk: skipped, only root can mount one (ext4 on a loop device)");
        return;
    };
    Setup::folders().tell_before_baton(|world| {
        std::os::unix::fs::symlink(disk.at.path(), world.state_dir()).unwrap();
        world.start();
        world.customer_writes("Before");
        let id = world.opens("Before").to_string();
        disk.fail();
        world.customer_writes("Meanwhile");
        world.agent("ana").claims("Before");
        let says_so = |text: &str| text.contains("readonly") || text.contains("I/O");
        world.eventually("the log says so", |world| says_so(&world.baton.log()));
        world.eventually("the status says so", |world| says_so(&database_error(world)));
        let words = world.baton.says(&["block", &id, "no parts", "--as", "ben"]).refused();
        assert!(says_so(&words), "{words}");
        assert!(world.baton.is_running(), "{}", world.baton.log_tail(40));
        assert!(world.baton.stop().success(), "{}", world.baton.log_tail(40));
        disk.heals();
        world.start();
        world.becomes("Meanwhile", "new");
        world.becomes("Before", "assigned, ana");
    });
}

#[test]
fn a_disk_that_cannot_be_written_is_said_to_be() {
    on_a_small_disk("read-only disk", 4096, |world, disk| {
        world.customer_writes("Before");
        world.opens("Before");
        world.stop();
        disk.remount("ro");
        world.start_unattended();
        world.eventually("the daemon gives up", |world| !world.baton.is_running());
        let log = world.baton.log_tail(3);
        assert!(log.contains("Read-only file system"), "{log}");
        world.customer_writes("Meanwhile");
        disk.remount("rw");
        world.start();
        world.becomes("Meanwhile", "new");
    });
}

/// SIGTERM in the middle of a big catch-up: it ends in time, and goes on where it was.
#[test]
fn an_end_under_load_leaves_nothing_half_done() {
    let mut seed = Seed::printed("end under load");
    Setup::folders().with("burst_moves_per_minute = 10000").tell(|world| {
        world.stop();
        for number in 0..120 {
            world.customer_writes(&format!("Order {number}"));
            if number % 3 == 0 {
                world.agent("ana").claims(&format!("Order {number}"));
            }
        }
        for _ in 0..6 {
            world.start_unattended();
            std::thread::sleep(Duration::from_millis(seed.below(900) as u64));
            // Also before it has begun to listen to signals.
            let status = world.baton.stop();
            assert!(status.success() || status.code().is_none(), "{status}");
        }
        world.start();
        world.eventually("all are there", |world| world.baton.threads().len() == 120);
        for number in 0..120 {
            let expected = if number % 3 == 0 { "assigned, ana" } else { "new" };
            world.decides(&format!("Order {number}"), expected);
        }
    });
}
