//! `refresh_token`: rotation (M79), and one resource for each token (M75).

use super::super::form::Form;
use super::super::http::Answer;
use super::super::ledger::Death;
use super::{CLIENT_ID, LIVES, Office, Rotation, aadsts, scope};

impl Office {
    pub(super) fn redeem_refresh_token(&self, tenant: &str, form: &Form) -> Result<Answer, Answer> {
        Office::check_tenant(tenant, true)?;
        self.check_client(form, false)?;
        let old = form.get("refresh_token").ok_or_else(|| aadsts::missing("refresh_token"))?;
        let used = self.ledger.use_refresh(old, CLIENT_ID, LIVES);
        let consented = used.map_err(aadsts::refresh_is_dead)?;
        let mut grant = consented.clone();
        let wanted = form.words("scope");
        if wanted.iter().any(|one| one.ends_with("/.default")) {
            grant.scopes.extend(self.setup().admin_consent.into_iter().map(str::to_owned));
        }
        grant.scopes = scope::of_one_token(&wanted, &grant)?;
        let refresh = match self.setup().rotation {
            Rotation::Keep => None,
            Rotation::New => Some(self.give_refresh(consented)),
            Rotation::NewAndOldDies => {
                self.ledger.end_refresh(old, Death::Rotated);
                Some(self.give_refresh(consented))
            }
        };
        Ok(self.give(grant, refresh))
    }
}
