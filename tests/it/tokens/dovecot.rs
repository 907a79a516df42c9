//! A real Dovecot takes the twins' tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::world::tokens::browser::post;
use crate::world::tokens::google::{MAIL, SERVICE_ACCOUNT};
use crate::world::tokens::{Google, jwt};
use crate::world::{Dovecot, Imap, PASSWORD, Server};

const SUPPORT: &str = "support@example.test";

fn token(google: &Google) -> String {
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({
        "iss": SERVICE_ACCOUNT, "sub": SUPPORT, "scope": MAIL, "aud": google.token_url(),
        "iat": now, "exp": now + 600,
    });
    let assertion = jwt::sign(&json!({ "alg": "RS256" }), &claims, jwt::SERVICE_ACCOUNT_KEY);
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let reply = post(&google.token_url(), &[("grant_type", grant), ("assertion", &assertion)]);
    reply.unwrap().text("access_token")
}

fn xoauth2(user: &str, token: &str) -> String {
    STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}

#[test]
fn dovecot_asks_whether_a_token_is_good() {
    let google = Google::start();
    let dovecot = Dovecot::start(Server::asking(google.introspection_url()));
    let token = token(&google);
    let authenticate = |mechanism: &str, blob: &str| {
        let mut imap = Imap::connect(dovecot.port).unwrap();
        imap.run(&format!("AUTHENTICATE {mechanism} {blob}")).map(|_| imap)
    };
    let mut imap = authenticate("XOAUTH2", &xoauth2(SUPPORT, &token)).unwrap();
    imap.run("SELECT INBOX").unwrap();
    let bearer = format!(
        "n,a={SUPPORT},\x01host=127.0.0.1\x01port={}\x01auth=Bearer {token}\x01\x01",
        dovecot.port
    );
    authenticate("OAUTHBEARER", &STANDARD.encode(bearer)).unwrap();
    Imap::login(dovecot.port, SUPPORT, PASSWORD).unwrap();
    assert!(Imap::login(dovecot.port, SUPPORT, &token).is_err());
}
