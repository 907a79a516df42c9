//! The device-code flow (M76, RFC 8628): a code for the person, and a client that asks until it was entered.

use serde_json::json;

use super::super::Consent;
use super::super::form::Form;
use super::super::http::Answer;
use super::super::ledger::random;
use super::{Office, aadsts, person, scope};

/// How long a person has time.
const DEVICE_SECONDS: i64 = 900;
/// What user codes are made of: nothing that looks like something else.
const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

/// A device that waits for its person.
pub(super) struct Device {
    user_code: String,
    scopes: Vec<String>,
    expires: i64,
    asked: Option<i64>,
    state: State,
}

enum State {
    Waiting,
    Allowed(String),
    Declined,
    Spent,
}

impl Office {
    /// `devicecode`.
    pub(super) fn device_code(&self, tenant: &str, form: &Form) -> Answer {
        let scopes = form.words("scope");
        let checked = Office::check_tenant(tenant, true)
            .and_then(|()| self.check_client(form, false))
            .and_then(|()| scope::check_of_person(&scopes));
        if let Err(refusal) = checked {
            return refusal;
        }
        let user_code: String = random(9)
            .bytes()
            .take(9)
            .map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]))
            .collect();
        let device_code = format!("BAQABAAEAAAD{}", random(120));
        let uri = "https://microsoft.com/devicelogin";
        let answer = json!({
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": uri,
            "expires_in": DEVICE_SECONDS,
            "interval": self.setup().interval_seconds,
            "message": format!(
                "To sign in, use a web browser to open the page {uri} and enter the code {user_code} to authenticate."
            ),
        });
        let expires = self.ledger.now() + DEVICE_SECONDS;
        let device = Device { user_code, scopes, expires, asked: None, state: State::Waiting };
        self.devices.lock().unwrap().insert(device_code, device);
        Answer::json(200, &answer)
    }

    /// What a person does at the verification address.
    pub(super) fn person_enters(&self, user_code: &str, person: &str) -> bool {
        let consent = self.setup().consent;
        let mut devices = self.devices.lock().unwrap();
        let waits = |device: &&mut Device| {
            device.user_code == user_code && matches!(device.state, State::Waiting)
        };
        let Some(device) = devices.values_mut().find(waits) else { return false };
        match consent {
            Consent::No => device.state = State::Declined,
            Consent::Yes => device.state = State::Allowed(person.to_owned()),
            Consent::Without(unticked) => {
                device.scopes.retain(|scope| scope != unticked);
                device.state = State::Allowed(person.to_owned());
            }
        }
        true
    }

    /// `grant_type=urn:ietf:params:oauth:grant-type:device_code`.
    pub(super) fn redeem_device_code(&self, tenant: &str, form: &Form) -> Result<Answer, Answer> {
        Office::check_tenant(tenant, true)?;
        self.check_client(form, false)?;
        let code = form.get("device_code").ok_or_else(|| aadsts::missing("device_code"))?;
        let (who, scopes) = self.poll(code)?;
        if self.setup().device_flow_blocked {
            return Err(aadsts::blocked_by_policy());
        }
        let offline = scopes.iter().any(|scope| scope == "offline_access");
        self.give_to_person(person(&who, scopes), &form.words("scope"), offline)
    }

    fn poll(&self, code: &str) -> Result<(String, Vec<String>), Answer> {
        let now = self.ledger.now();
        let mut setup = self.setup.lock().unwrap();
        let mut devices = self.devices.lock().unwrap();
        let device = devices.get_mut(code).ok_or_else(aadsts::device_unknown)?;
        if device.expires <= now {
            return Err(aadsts::device_expired());
        }
        let too_fast = device.asked.is_some_and(|then| now - then < setup.interval_seconds);
        device.asked = Some(now);
        if too_fast || setup.slow_downs > 0 {
            setup.slow_downs = setup.slow_downs.saturating_sub(1);
            return Err(aadsts::slow_down());
        }
        match &device.state {
            State::Waiting => Err(aadsts::pending()),
            State::Declined => Err(aadsts::device_declined()),
            State::Spent => Err(aadsts::device_unknown()),
            State::Allowed(person) => {
                let allowed = (person.clone(), device.scopes.clone());
                device.state = State::Spent;
                Ok(allowed)
            }
        }
    }
}
