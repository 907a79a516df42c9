//! Many clients at once, slow ones, and a certificate that changes meanwhile.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use super::door::{Door, outbox, tell};
use crate::world::Setup;

/// Two hundred sessions of smtplib that are all open together before the first hands in its mail.
const CROWD: &str = r#"
import smtplib, ssl, sys, threading
port, password, authority, sessions = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
tls = ssl.create_default_context(cafile=authority)
together, failed = threading.Barrier(sessions, timeout=240), []
def one(number):
    try:
        with smtplib.SMTP_SSL("localhost", port, context=tls, timeout=240) as smtp:
            smtp.login("ana", password)
            together.wait()
            smtp.sendmail("support@example.test", ["carla@customer.test"],
                f"Subject: {number}\r\nMessage-ID: <{number}@crowd.test>\r\n\r\n.dot\r\n..dots\r\n")
    except Exception as error:
        failed.append(f"{number}: {error!r}")
        together.abort()
threads = [threading.Thread(target=one, args=(number,)) for number in range(sessions)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit("\n".join(failed[:5]) if failed else 0)
"#;

#[test]
fn two_hundred_sessions_at_once_hand_in_a_mail_each() {
    tell(
        Setup::keywords(),
        "connections = 600\nconnections_per_address = 300\nlogin_without_tls = true",
        |world, door| {
            let ran = Command::new("python3")
                .args(["-c", CROWD, &door.implicit.to_string(), &door.password])
                .arg(&door.authority)
                .arg("200")
                .output()
                .unwrap();
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
            assert_eq!(outbox(world).len(), 200);
        },
    );
}

#[test]
fn slow_clients_hold_half_of_the_places_at_most_and_not_for_long() {
    let settings = "connections = 8\nconnections_per_address = 8\ncommand_seconds = 2\nlogin_without_tls = true";
    tell(Setup::keywords(), settings, |world, door| {
        let connect = || TcpStream::connect(("127.0.0.1", door.starttls)).unwrap();
        let mut slow: Vec<TcpStream> = (0..4).map(|_| connect()).collect();
        for stream in &mut slow {
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut greeting = [0; 3];
            stream.read_exact(&mut greeting).unwrap();
            assert_eq!(&greeting, b"220");
            stream.write_all(b"EH").unwrap();
        }
        let mut refused = String::new();
        connect().read_to_string(&mut refused).unwrap();
        assert!(refused.starts_with("421 4.3.2 Too many connections"), "{refused}");
        for stream in &mut slow {
            let mut said = String::new();
            stream.read_to_string(&mut said).unwrap();
            assert!(said.ends_with("421 4.4.2 You took too long. Goodbye.\r\n"), "{said}");
        }
        drop(slow);
        world.eventually("there is room again", |_| {
            door.hands_in("Subject: x\n\nx").starts_with("250")
        });
    });
}

/// What openssl is shown.
fn shown(door: &Door) -> String {
    let address = format!("127.0.0.1:{}", door.implicit);
    let out = Command::new("openssl")
        .args(["s_client", "-connect", &address, "-servername", "localhost"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&out.stdout)
        .lines()
        .take_while(|line| !line.contains("Server certificate"))
        .collect()
}

#[test]
fn a_certificate_that_was_swapped_on_disk_is_shown_to_the_next_client() {
    tell(Setup::keywords(), "", |world, door| {
        assert!(shown(door).contains("CN = localhost") || shown(door).contains("CN=localhost"));
        let (certificate, key) = (door.dir.join("new.crt"), door.dir.join("new.key"));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=renewed",
            ])
            .arg("-out")
            .arg(&certificate)
            .arg("-keyout")
            .arg(&key)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // Between the two renamings they do not fit together: the old pair stays.
        fs::rename(&certificate, door.dir.join("mail.crt")).unwrap();
        assert!(shown(door).contains("localhost"));
        fs::rename(&key, door.dir.join("mail.key")).unwrap();
        assert!(shown(door).contains("renewed"), "{}", shown(door));
        assert!(world.baton.log().contains("the old one stays in use"));
    });
}
