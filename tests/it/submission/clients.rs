//! Mail clients that others wrote, through TLS.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::Door;
use super::door::{outbox, reply, tell};
use crate::world::{Setup, World};

/// Runs a client with this mail on its standard input.
#[track_caller]
fn run(command: &mut Command, input: &str) -> String {
    let shown = format!("{command:?}");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!("cannot run {shown}: {error}. `sh tests/run.sh` installs the clients that the tests need")
    });
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let end = child.wait_with_output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&end.stdout), String::from_utf8_lossy(&end.stderr));
    assert!(end.status.success(), "{shown} ended with {}:\n{said}", end.status);
    said
}

fn told(story: impl FnOnce(&mut World, &Door, &str)) {
    let setup = Setup::keywords().with("sending = { hold_seconds = 3600 }");
    tell(setup, "", |world, door| {
        let parent = world.customer_writes("Broken kettle");
        world.eventually("the thread is there", |world| !world.baton.threads().is_empty());
        story(world, door, &parent);
    });
}

/// What is kept of the newest mail.
fn kept(world: &World) -> String {
    let last = outbox(world).pop().expect("nothing was kept");
    assert_eq!((last["thread"].as_i64(), last["agent"].as_str()), (Some(1), Some("ana")), "{last}");
    world.baton.says(&["outbox", "show", &last["id"].to_string()]).done()
}

#[test]
fn swaks_hands_in_mail_in_every_way_that_it_knows() {
    told(|world, door, parent| {
        let ways: [(&[&str], u16, &str); 4] = [
            (&["--tls-on-connect"], door.implicit, "PLAIN"),
            (&["--tls-on-connect", "--pipeline"], door.implicit, "LOGIN"),
            (&["--tls"], door.starttls, "PLAIN"),
            (&["--tls", "--pipeline"], door.starttls, "LOGIN"),
        ];
        for (nth, (tls, port, mechanism)) in ways.into_iter().enumerate() {
            let text = format!("Number {nth}\n.dot\n..\nJürgen");
            let mut swaks = Command::new("swaks");
            swaks.args(["--server", "localhost", "--port", &port.to_string(), "--auth", mechanism]);
            swaks.args(["--auth-user", "ana@example.test", "--auth-password", &door.password]);
            swaks.arg("--tls-verify").arg("--tls-ca-path").arg(&door.authority);
            swaks.args(["--from", "support@example.test", "--to", "carla@customer.test"]);
            let said = run(swaks.args(tls).args(["--data", "-"]), &reply(parent, &text));
            assert!(said.contains("250 2.0.0 #1: kept as"), "{said}");
            let kept = kept(world);
            assert!(kept.ends_with(&format!("{text}\n")), "{kept}");
        }
    });
}

#[test]
fn msmtp_hands_in_mail() {
    told(|world, door, parent| {
        let settings = format!(
            "defaults\nauth on\ntls on\ntls_trust_file {}\nhost localhost\nuser ana\npassword {}\n\
             from support@example.test\naccount a\nport {}\ntls_starttls off\naccount b\nport {}\ntls_starttls on\n",
            door.authority.display(),
            door.password,
            door.implicit,
            door.starttls
        );
        let file = door.dir.join("msmtprc");
        fs::write(&file, settings).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        for account in ["a", "b"] {
            let text = format!("Through {account}.");
            let mut msmtp = Command::new("msmtp");
            msmtp.arg("-C").arg(&file).args(["-a", account, "--", "carla@customer.test"]);
            run(&mut msmtp, &reply(parent, &text));
            assert!(kept(world).ends_with(&format!("{text}\n")));
        }
    });
}

#[test]
fn neomutt_hands_in_mail() {
    told(|world, door, parent| {
        let settings = format!(
            "set smtp_url = \"smtps://ana@localhost:{}\"\nset smtp_pass = \"{}\"\nset certificate_file = \"{}\"\n\
             set ssl_force_tls\nset from = \"Ana Ruiz <support@example.test>\"\nset use_from\nset use_envelope_from\n\
             set envelope_from_address = \"support@example.test\"\nset copy = no\nset sendmail = \"\"\n\
             set smtp_authenticators = \"plain\"\nmy_hdr In-Reply-To: <{parent}>\nmy_hdr References: <{parent}>\n",
            door.implicit,
            door.password,
            door.authority.display()
        );
        let file = door.dir.join("neomuttrc");
        fs::write(&file, settings).unwrap();
        let mut neomutt = Command::new("neomutt");
        neomutt.env("HOME", &door.dir).arg("-n").arg("-F").arg(&file);
        neomutt.args(["-s", "Re: Broken kettle", "carla@customer.test"]);
        run(&mut neomutt, "Dear Carla,\n.\nfrom neomutt\n");
        let kept = kept(world);
        assert!(kept.ends_with("Dear Carla,\n.\nfrom neomutt\n"), "{kept}");
        assert!(!kept.to_lowercase().contains("user-agent"), "{kept}");
    });
}
