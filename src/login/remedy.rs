//! A failed login in words: what is wrong, and what somebody has to do about it. Pure.
//!
//! For Microsoft a remedy is the line to type into Exchange Online PowerShell, with the names filled in; for Google it
//! is the path through the admin console. Where to start: [`Case::words`].

use super::failure::{Failure, Way};
use crate::config::{Flow, OAuth2, Provider};

/// Whose login failed; what the words have to name.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// The mailbox's name in the configuration.
    pub mailbox: String,
    /// The address of the mailbox that was to be opened.
    pub address: String,
    /// Who logged in.
    pub user: String,
    /// The application's id.
    pub client_id: Option<String>,
    /// The object id with which the application shows itself in its tokens (`oid`).
    pub object_id: Option<String>,
    /// The organisation at Microsoft.
    pub tenant: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
}

impl Case {
    /// What is known from the configuration of a login with OAuth.
    pub fn of(mailbox: &str, address: &str, oauth: &OAuth2) -> Case {
        Case {
            mailbox: mailbox.to_owned(),
            address: address.to_owned(),
            user: oauth.user.clone(),
            client_id: oauth.client().map(|client| client.id.clone()),
            object_id: None,
            tenant: oauth.tenant.clone(),
            scopes: oauth.scopes.clone(),
        }
    }

    /// One sentence on what is wrong, and one on what to do.
    pub fn words(&self, failure: Failure, provider: Provider, way: Way) -> String {
        let (sentence, remedy) = self.told(failure, provider, way);
        format!("{sentence}; {remedy}")
    }

    /// The two by themselves.
    pub fn told(&self, failure: Failure, provider: Provider, way: Way) -> (String, String) {
        let remedy = match provider {
            Provider::Microsoft365 => self.microsoft(failure, way),
            Provider::Gmail => self.google(failure, way),
            Provider::Imap => None,
        };
        let remedy = remedy.unwrap_or_else(|| self.anywhere(failure, way));
        (self.sentence(failure, way), remedy)
    }

    fn sentence(&self, failure: Failure, way: Way) -> String {
        let (user, address) = (&self.user, &self.address);
        match failure {
            Failure::WrongSecret if way == Way::Password => {
                format!("the user or the password of {user} is wrong")
            }
            Failure::WrongSecret if way == Way::Person => {
                format!("the provider does not take the token of {user} for {address}")
            }
            Failure::WrongSecret => "the application's secret, key or certificate is wrong".into(),
            Failure::ExpiredSecret => "the application's client secret has expired".into(),
            Failure::WrongClient => {
                "the provider does not know the application, its tenant or the account".into()
            }
            Failure::WrongClock => "the clock of this machine is wrong".into(),
            Failure::ConsentMissing => {
                "nobody has agreed yet that the application may read mail".into()
            }
            Failure::ScopeMissing => {
                format!("the application may do less than reading {address} needs")
            }
            Failure::LoginAgain => format!("the consent of {user} has ended"),
            Failure::NoFullAccess => format!("{} has no Full Access to {address}", self.who(way)),
            Failure::WrongObjectId => {
                "Exchange does not know the application: it is registered there under another object id, or not at all".into()
            }
            Failure::ImapDisabled => format!("IMAP is switched off for {address}"),
            Failure::SmtpAuthDisabled => format!("sending by SMTP is switched off for {address}"),
            Failure::BlockedSignIn => format!("the provider blocks the sign-in of {user}"),
            Failure::TooManyConnections => {
                format!("too many connections to {address} are open at once")
            }
            Failure::Throttled => format!("{address} was asked for too much in too little time"),
            Failure::Network => "the provider cannot be reached, or is out of order".into(),
            Failure::Unknown => "the login failed for a reason that Baton does not know".into(),
        }
    }

    fn who(&self, way: Way) -> &str {
        if way == Way::Application { "the application" } else { &self.user }
    }

    /// What to do at Microsoft; `None` where it is nothing of its own.
    fn microsoft(&self, failure: Failure, way: Way) -> Option<String> {
        let address = &self.address;
        let client = self.client_id.as_deref().unwrap_or("CLIENT-ID");
        let entra = "in Microsoft Entra under App registrations";
        Some(match failure {
            Failure::WrongSecret if way == Way::Application => format!(
                "{entra} > Certificates & secrets, make a new secret and use its Value, not its Secret ID; or register the certificate there"
            ),
            Failure::WrongSecret if way == Way::Password => {
                "Exchange Online takes no passwords for IMAP any more: write method = \"oauth2\" in [mailbox.login]".into()
            }
            Failure::ExpiredSecret => format!(
                "{entra} > Certificates & secrets, make a new one, put it where client_secret points, and correct secret_expires"
            ),
            Failure::WrongClient => format!(
                "compare tenant and client_id with the overview page {entra}; for a login by a person without a secret, also switch on Authentication > Allow public client flows"
            ),
            Failure::ConsentMissing => self.microsoft_consent(),
            Failure::ScopeMissing if way == Way::Application => format!(
                "{entra} > API permissions, add Office 365 Exchange Online > Application > IMAP.AccessAsApp, then Grant admin consent"
            ),
            Failure::ScopeMissing => format!(
                "{entra} > API permissions, add IMAP.AccessAsUser.All, SMTP.Send and offline_access, then run `baton login {}`",
                self.mailbox
            ),
            Failure::NoFullAccess if way == Way::Application => {
                let service = self.service_principal();
                format!(
                    "in Exchange Online PowerShell: Add-MailboxPermission -Identity {address} -User {service} -AccessRights FullAccess (and if the application is not registered yet, before it: {}); it can take an hour until it counts",
                    self.new_service_principal(client)
                )
            }
            Failure::NoFullAccess => format!(
                "in Exchange Online PowerShell: Add-MailboxPermission -Identity {address} -User {} -AccessRights FullAccess; it can take an hour until it counts",
                self.user
            ),
            Failure::WrongObjectId => format!(
                "in Exchange Online PowerShell: {}, with the Object ID of the *Enterprise application*, not of the app registration; then Add-MailboxPermission -Identity {address} -User {} -AccessRights FullAccess",
                self.new_service_principal(client),
                self.service_principal()
            ),
            Failure::ImapDisabled => format!(
                "in Exchange Online PowerShell: Set-CASMailbox -Identity {address} -ImapEnabled $true"
            ),
            Failure::SmtpAuthDisabled => format!(
                "in Exchange Online PowerShell: Set-CASMailbox -Identity {address} -SmtpClientAuthenticationDisabled $false"
            ),
            Failure::BlockedSignIn => format!(
                "in Microsoft Entra under Monitoring > Sign-in logs, see which policy stopped it; except the application {client} from that Conditional Access policy, or unblock the user"
            ),
            _ => return None,
        })
    }

    fn microsoft_consent(&self) -> String {
        let tenant = self.tenant.as_deref().unwrap_or("TENANT");
        let client = self.client_id.as_deref().unwrap_or("CLIENT-ID");
        format!(
            "let an administrator open https://login.microsoftonline.com/{tenant}/adminconsent?client_id={client}, or grant admin consent in Microsoft Entra under App registrations > API permissions"
        )
    }

    fn new_service_principal(&self, client: &str) -> String {
        format!(
            "New-ServicePrincipal -AppId {client} -ObjectId {} -DisplayName Baton",
            self.service_principal()
        )
    }

    fn service_principal(&self) -> &str {
        self.object_id.as_deref().unwrap_or("ENTERPRISE-APP-OBJECT-ID")
    }

    /// What to do at Google; `None` where it is nothing of its own.
    fn google(&self, failure: Failure, way: Way) -> Option<String> {
        let scopes = self.scopes.join(",");
        let console = "in the admin console (admin.google.com)";
        let clients = "in the Google Cloud console under APIs & Services > Credentials";
        Some(match failure {
            Failure::WrongSecret if way == Way::Password => {
                "make an app password at myaccount.google.com/apppasswords (the account needs 2-Step Verification) and use its 16 letters; Google takes no other passwords".into()
            }
            Failure::WrongSecret if way == Way::Application => {
                "make a new JSON key in the Google Cloud console under IAM & Admin > Service accounts > Keys, and put it where `key` points".into()
            }
            Failure::WrongSecret => format!(
                "compare client_id and client_secret with those {clients}, then run `baton login {}`",
                self.mailbox
            ),
            Failure::WrongClient if way == Way::Application => format!(
                "check that {} is a user of the organisation, with a mailbox of its own: groups have none",
                self.user
            ),
            Failure::WrongClient => {
                format!("compare client_id and client_secret with those {clients}")
            }
            Failure::ConsentMissing | Failure::ScopeMissing if way == Way::Application => format!(
                "{console} under Security > Access and data control > API controls > Domain-wide delegation, add the service account's numeric client ID (`client_id` in the key file) with the scope {scopes}"
            ),
            Failure::ConsentMissing => format!(
                "{console} under Security > Access and data control > API controls > App access control, trust the application, then run `baton login {}`",
                self.mailbox
            ),
            Failure::ScopeMissing => format!(
                "run `baton login {}`, sign in as {}, and leave the tick at reading mail ({scopes})",
                self.mailbox, self.address
            ),
            Failure::LoginAgain => format!(
                "run `baton login {}`; if it ends after seven days each time, set the consent screen from Testing to In production (Google Cloud console > Google Auth Platform > Audience)",
                self.mailbox
            ),
            Failure::ImapDisabled => format!(
                "{console} under Apps > Google Workspace > Gmail > End User Access, allow IMAP, and in {}'s Gmail under Settings > Forwarding and POP/IMAP, enable it",
                self.address
            ),
            Failure::BlockedSignIn => format!(
                "sign in to {} once with a browser and confirm; {console} under Reporting > Audit and investigation > User log events shows why",
                self.address
            ),
            Failure::TooManyConnections => {
                "Gmail allows 15 for one account, phones and mail clients included: close some".into()
            }
            Failure::Throttled => {
                "Gmail locks an account for up to a day when all its clients together have read more than 2.5 GB; Baton tries again by itself, rarely".into()
            }
            _ => return None,
        })
    }

    /// What to do at any provider.
    fn anywhere(&self, failure: Failure, way: Way) -> String {
        match failure {
            Failure::WrongSecret if way == Way::Password => {
                "check the user and the password".into()
            }
            Failure::WrongSecret if way == Way::Person => {
                format!("run `baton login {}`", self.mailbox)
            }
            Failure::WrongSecret | Failure::ExpiredSecret => {
                "check the secret, the key or the certificate in [mailbox.login]".into()
            }
            Failure::WrongClient => "check client_id and user in [mailbox.login]".into(),
            Failure::WrongClock => "set the clock by NTP (timedatectl set-ntp true)".into(),
            Failure::ConsentMissing | Failure::ScopeMissing => {
                "check what the provider lets the application do, and `scopes` in [mailbox.login]"
                    .into()
            }
            Failure::LoginAgain => format!("run `baton login {}`", self.mailbox),
            Failure::NoFullAccess | Failure::WrongObjectId => {
                "give the account access to the mailbox".into()
            }
            Failure::ImapDisabled => "switch IMAP on at the provider".into(),
            Failure::SmtpAuthDisabled => "switch SMTP on at the provider".into(),
            Failure::BlockedSignIn => "ask the provider's administrator why".into(),
            Failure::TooManyConnections => "phones and mail clients that use it count, too: close some; Baton needs one, and a second while a command looks".into(),
            Failure::Throttled => "Baton tries again by itself".into(),
            Failure::Network => "check the network; Baton tries again by itself".into(),
            Failure::Unknown => "the server's own words may tell".into(),
        }
    }
}

/// How a mailbox with this login logs in.
pub fn way_of(oauth: &OAuth2) -> Way {
    match oauth.flow {
        Flow::ClientCredentials { .. } | Flow::ServiceAccount { .. } => Way::Application,
        Flow::DeviceCode { .. } | Flow::AuthorizationCode { .. } => Way::Person,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Failure; 16] = [
        Failure::WrongSecret,
        Failure::ExpiredSecret,
        Failure::WrongClient,
        Failure::WrongClock,
        Failure::ConsentMissing,
        Failure::ScopeMissing,
        Failure::LoginAgain,
        Failure::NoFullAccess,
        Failure::WrongObjectId,
        Failure::ImapDisabled,
        Failure::SmtpAuthDisabled,
        Failure::BlockedSignIn,
        Failure::TooManyConnections,
        Failure::Throttled,
        Failure::Network,
        Failure::Unknown,
    ];

    fn case() -> Case {
        Case {
            mailbox: "support".into(),
            address: "support@contoso.com".into(),
            user: "ana@contoso.com".into(),
            client_id: Some("app-1".into()),
            object_id: Some("oid-9".into()),
            tenant: Some("contoso.com".into()),
            scopes: vec!["https://mail.google.com/".into()],
        }
    }

    #[test]
    fn each_failure_has_a_sentence_of_its_own_and_a_remedy() {
        for provider in [Provider::Gmail, Provider::Microsoft365, Provider::Imap] {
            for way in [Way::Password, Way::Person, Way::Application] {
                let mut told = std::collections::HashSet::new();
                for failure in ALL {
                    let words = case().words(failure, provider, way);
                    let (sentence, remedy) = words.split_once("; ").unwrap();
                    assert!(told.insert(sentence.to_owned()), "{words}");
                    assert!(remedy.len() > 10, "{words}");
                }
            }
        }
    }

    #[test]
    fn microsofts_remedies_can_be_typed_as_they_stand() {
        let words = |failure, way| case().words(failure, Provider::Microsoft365, way);
        let access = words(Failure::NoFullAccess, Way::Application);
        assert!(access.contains("Add-MailboxPermission -Identity support@contoso.com -User oid-9 -AccessRights FullAccess"), "{access}");
        assert!(words(Failure::NoFullAccess, Way::Person).contains("-User ana@contoso.com"));
        let object = words(Failure::WrongObjectId, Way::Application);
        assert!(object.contains("New-ServicePrincipal -AppId app-1 -ObjectId oid-9"), "{object}");
        let imap = words(Failure::ImapDisabled, Way::Application);
        assert!(imap.contains("Set-CASMailbox -Identity support@contoso.com -ImapEnabled $true"));
        let smtp = words(Failure::SmtpAuthDisabled, Way::Person);
        assert!(smtp.contains("-SmtpClientAuthenticationDisabled $false"), "{smtp}");
        let consent = words(Failure::ConsentMissing, Way::Person);
        assert!(consent.contains("/contoso.com/adminconsent?client_id=app-1"), "{consent}");
    }

    #[test]
    fn googles_remedies_name_the_page() {
        let words = |failure, way| case().words(failure, Provider::Gmail, way);
        let consent = words(Failure::ConsentMissing, Way::Application);
        assert!(consent.contains("Domain-wide delegation") && consent.contains("mail.google.com"));
        assert!(words(Failure::WrongSecret, Way::Password).contains("app password"));
        assert!(words(Failure::LoginAgain, Way::Person).contains("baton login support"));
    }
}
