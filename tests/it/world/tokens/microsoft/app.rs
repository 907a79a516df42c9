//! `client_credentials`: the app on its own (M69, M71).

use super::super::form::Form;
use super::super::http::Answer;
use super::super::ledger::{Grant, Who};
use super::{CLIENT_ID, Office, scope};

impl Office {
    /// Any registered app gets a token for any resource; whether it opens anything is decided by the roles in it, so
    /// that a missing admin consent shows at the mailbox only. There is no refresh token (M71).
    pub(super) fn as_app(&self, tenant: &str, form: &Form) -> Result<Answer, Answer> {
        Office::check_tenant(tenant, false)?;
        self.check_client(form, true)?;
        let resource = scope::of_app(&form.words("scope"))?;
        let roles = self.setup().app_roles;
        let scopes = roles
            .into_iter()
            .filter_map(|role| role.rsplit_once('/'))
            .filter(|(of, _)| same_resource(of, &resource))
            .map(|(_, role)| format!("{resource}/{role}"))
            .collect();
        let who = Who::App(CLIENT_ID.to_owned());
        Ok(self.give(Grant { who, client: CLIENT_ID.to_owned(), scopes }, None))
    }
}

/// Exchange Online has several names.
fn same_resource(one: &str, other: &str) -> bool {
    let is_exchange = |name: &str| name.contains("outlook.");
    one == other || (is_exchange(one) && is_exchange(other))
}
