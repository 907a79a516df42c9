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
