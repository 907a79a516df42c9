//! The requests that Baton makes of Graph, for one mailbox.
//!
//! A token that is refused is asked for anew once. No filter on categories is ever used: some mailboxes refuse it (M114).
//! Filters on `internetMessageId` and `lastModifiedDateTime`, and the names of the well-known folders, are from memory (M109).

use std::time::Duration;

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::Instant;

use super::answer::{CategoryForm, Changed, Copy, FolderForm, ListForm, MessageForm, said};
use super::budget::Budget;
use super::error::{Error, THROTTLED_WAIT};
use crate::clock::Timestamp;
use crate::desk::category::Listed;
use crate::login::{Answered, Call, Http, Tokens, host};

/// M110.
const IMMUTABLE: &str = "IdType=\"ImmutableId\"";
/// What is asked of a mail.
const FIELDS: &str = "id,internetMessageId,parentFolderId,categories,lastModifiedDateTime";
/// How many mails are on a page.
const PAGE: u32 = 100;
/// Folders whose mails carry no categories, by the names that they have in every language.
const LEFT_ALONE: [&str; 4] = ["sentitems", "drafts", "deleteditems", "junkemail"];

/// The ids of folders that mean something; constant as long as the folder lives.
#[derive(Clone, Debug, Default)]
pub struct Folders {
    inbox: String,
    left_alone: Vec<String>,
}

impl Folders {
    /// Whether a folder is the Inbox.
    pub fn is_inbox(&self, id: &str) -> bool {
        self.inbox == id
    }

    /// Whether a folder's mails are left alone: sent, being written, thrown away.
    pub fn leaves_alone(&self, id: &str) -> bool {
        self.left_alone.iter().any(|one| one == id)
    }
}

/// The way to one mailbox.
#[derive(Debug)]
pub struct Client {
    http: Http,
    /// `https://graph.microsoft.com/v1.0`.
    base: String,
    account: String,
    tokens: Tokens,
    budget: Budget,
    asked_at: Instant,
}

/// What a refusal is about.
#[derive(Clone, Copy)]
enum About {
    Mail,
    Settings,
}

impl Client {
    /// The way to the mailbox of `account` at `base`; nothing is asked yet.
    ///
    /// # Errors
    /// When the system's certificates cannot be used.
    pub fn new(base: &str, account: &str, tokens: Tokens) -> Result<Client, Error> {
        let http = Http::shared().map_err(|said| Error::Unavailable { host: host(base), said })?;
        Ok(Client {
            http,
            base: base.trim_end_matches('/').to_owned(),
            account: account.to_owned(),
            tokens,
            budget: Budget::full(),
            asked_at: Instant::now(),
        })
    }

    /// The folders that mean something. One that is not there has no id.
    pub async fn folders(&mut self) -> Result<Folders, Error> {
        let mut folders = Folders { inbox: self.folder("inbox").await?, left_alone: Vec::new() };
        for name in LEFT_ALONE {
            match self.folder(name).await {
                Ok(id) => folders.left_alone.push(id),
                Err(Error::Absent { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(folders)
    }

    async fn folder(&mut self, name: &str) -> Result<String, Error> {
        let url = self.url(&format!("mailFolders/{name}?$select=id"));
        Ok(self.get::<FolderForm>(&url, About::Mail).await?.id)
    }

    /// Every copy of the mail with this Message-ID, those in Sent Items as well (M109).
    pub async fn find(&mut self, message_id: &str) -> Result<Vec<Copy>, Error> {
        let id = format!("<{message_id}>").replace('\'', "''");
        let filter = encoded(&format!("internetMessageId eq '{id}'"));
        let url = self.url(&format!("messages?$filter={filter}&$select={FIELDS}&$top={PAGE}"));
        let list: ListForm<MessageForm> = self.get(&url, About::Mail).await?;
        Ok(list.value.into_iter().map(Copy::from).collect())
    }

    /// One copy; `None` when it is gone.
    pub async fn copy(&mut self, id: &str) -> Result<Option<Copy>, Error> {
        let url = self.url(&format!("messages/{}?$select={FIELDS}", encoded(id)));
        present(self.get::<MessageForm>(&url, About::Mail).await)
    }

    /// Gives the copy these categories, in place of those that it has (M107, M108). Answers it as it is then; `None` when it
    /// is gone.
    pub async fn categorise(
        &mut self,
        id: &str,
        categories: &[String],
    ) -> Result<Option<Copy>, Error> {
        let url = self.url(&format!("messages/{}?$select={FIELDS}", encoded(id)));
        let body = json!({ "categories": categories }).to_string();
        let asked = self.ask(Method::PATCH, &url, Some(body), About::Mail).await;
        present(asked.and_then(|answered| self.read::<MessageForm>(&answered)))
    }

    /// When anything in the mailbox changed last, by the server's clock; `None` of an empty mailbox.
    pub async fn last_change(&mut self) -> Result<Option<Timestamp>, Error> {
        let order = encoded("lastModifiedDateTime desc");
        let url = self.url(&format!("messages?$orderby={order}&$top=1&$select={FIELDS}"));
        let list: ListForm<MessageForm> = self.get(&url, About::Mail).await?;
        Ok(list.value.into_iter().next().map(Copy::from).and_then(|copy| copy.changed_at))
    }

    /// The mails that have changed since then, the first page of them; with `next`, a further one.
    pub async fn changed(
        &mut self,
        since: Timestamp,
        next: Option<&str>,
    ) -> Result<Changed, Error> {
        let filter = encoded(&format!("lastModifiedDateTime ge {since}"));
        let order = encoded("lastModifiedDateTime asc");
        let first =
            format!("messages?$filter={filter}&$orderby={order}&$top={PAGE}&$select={FIELDS}");
        let url = match next {
            // The token goes to nobody else.
            Some(next) if next.starts_with(&format!("{}/", self.base)) => next.to_owned(),
            Some(_) => {
                let said = "its next page is on another server".to_owned();
                return Err(Error::Refused { host: host(&self.base), said });
            }
            None => self.url(&first),
        };
        let list: ListForm<MessageForm> = self.get(&url, About::Mail).await?;
        Ok(Changed { copies: list.value.into_iter().map(Copy::from).collect(), next: list.next })
    }

    /// The mailbox's list of categories: ids and names (M111).
    pub async fn listed(&mut self) -> Result<Vec<(String, String)>, Error> {
        let url = self.url("outlook/masterCategories");
        let list: ListForm<CategoryForm> = self.get(&url, About::Settings).await?;
        Ok(list.value.into_iter().map(|form| (form.id, form.display_name)).collect())
    }

    /// Puts a category on the mailbox's list; one that is there already is as good (M111).
    pub async fn list(&mut self, category: &Listed) -> Result<(), Error> {
        let url = self.url("outlook/masterCategories");
        let body = json!({ "displayName": category.name, "color": category.colour }).to_string();
        match self.answer(Method::POST, &url, Some(body)).await? {
            answered if answered.status == 409 => Ok(()),
            answered => self.checked(answered, About::Settings).map(|_| ()),
        }
    }

    /// Takes a category off the mailbox's list.
    pub async fn unlist(&mut self, id: &str) -> Result<(), Error> {
        let url = self.url(&format!("outlook/masterCategories/{}", encoded(id)));
        match self.ask(Method::DELETE, &url, None, About::Settings).await {
            Ok(_) | Err(Error::Absent { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn url(&self, rest: &str) -> String {
        format!("{}/users/{}/{rest}", self.base, encoded(&self.account))
    }

    async fn get<T: DeserializeOwned>(&mut self, url: &str, about: About) -> Result<T, Error> {
        let answered = self.ask(Method::GET, url, None, about).await?;
        self.read(&answered)
    }

    fn read<T: DeserializeOwned>(&self, answered: &Answered) -> Result<T, Error> {
        serde_json::from_str(answered.body.expose()).map_err(|error| Error::Refused {
            host: host(&self.base),
            said: format!("its answer cannot be read: {error}"),
        })
    }

    async fn ask(
        &mut self,
        method: Method,
        url: &str,
        body: Option<String>,
        about: About,
    ) -> Result<Answered, Error> {
        let answered = self.answer(method, url, body).await?;
        self.checked(answered, about)
    }

    /// Asks, once more with a new token where the old one is refused.
    async fn answer(
        &mut self,
        method: Method,
        url: &str,
        body: Option<String>,
    ) -> Result<Answered, Error> {
        let answered = self.answer_once(method.clone(), url, body.clone()).await?;
        match answered.status {
            401 => self.answer_once(method, url, body).await,
            _ => Ok(answered),
        }
    }

    async fn answer_once(
        &mut self,
        method: Method,
        url: &str,
        body: Option<String>,
    ) -> Result<Answered, Error> {
        let token = self.tokens.access().await?;
        tokio::time::sleep(self.budget.spend(self.asked_at.elapsed())).await;
        self.asked_at = Instant::now();
        let call = Call { method, url, token: &token, prefer: IMMUTABLE, body };
        let answered = self.http.call(call).await;
        let answered =
            answered.map_err(|said| Error::Unavailable { host: host(&self.base), said })?;
        if answered.status == 401 {
            self.tokens.refused(token.expose());
        }
        Ok(answered)
    }

    fn checked(&self, answered: Answered, about: About) -> Result<Answered, Error> {
        if answered.is_success() {
            return Ok(answered);
        }
        let (host, account) = (host(&self.base), self.account.clone());
        let said = said(answered.status, answered.body.expose());
        let wait = answered.wait;
        Err(match answered.status {
            401 => Error::TokenRefused { host, said },
            403 => denied(host, account, said, about),
            404 => Error::Absent { host, account, said },
            429 => Error::Throttled { host, wait: wait.unwrap_or(THROTTLED_WAIT) },
            503 | 504 if wait.is_some() => {
                Error::Throttled { host, wait: wait.unwrap_or(Duration::ZERO) }
            }
            status if status >= 500 || status == 408 => Error::Unavailable { host, said },
            _ => Error::Refused { host, said },
        })
    }
}

fn denied(host: String, account: String, said: String, about: About) -> Error {
    let (what, permission) = match about {
        About::Mail => ("write to the mails", "Mail.ReadWrite"),
        About::Settings => ("change the categories' colours", "MailboxSettings.ReadWrite"),
    };
    Error::Denied { host, account, what, permission, said }
}

fn present(answer: Result<MessageForm, Error>) -> Result<Option<Copy>, Error> {
    match answer {
        Ok(form) => Ok(Some(form.into())),
        Err(Error::Absent { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Percent-encoded (RFC 3986, section 2.1), a space as `%20`: OData knows no `+`.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_an_address_is_taken_for_a_part_of_it() {
        assert_eq!(encoded("it's <a+b/c@d.e>"), "it%27s%20%3Ca%2Bb%2Fc%40d.e%3E");
    }
}
