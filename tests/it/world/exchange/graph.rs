//! Microsoft Graph, as far as Outlook's categories need it (M107 to M114).
//!
//! It shows the same mailboxes as IMAP: `/v1.0/users/{address}/messages` with `$filter=internetMessageId eq '…'`,
//! `/messages/{id}` with GET and PATCH, `/mailFolders/{well-known name}`, `/outlook/masterCategories`. Messages are also found by
//! `lastModifiedDateTime`, ordered by it, and told of in pages: all that is from memory. An id changes when the message moves, unless the
//! client asks for immutable ones (M110). The bearer token must be for Graph, and for what is done (M107, M111).
//! Throttling is a trouble of the server: `tenant.graph.trouble_once(graph::throttled(7))`. Texts are from memory.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::imapd::{FolderId, MailId, Server};
use super::super::tokens::http::{self, Answer, Request, Trouble};
use super::super::tokens::{Grant, Who, form};
use super::mailbox::{Category, Mailbox};
use super::service::Exchange;

/// What a request is about, once its mailbox is found.
struct Call<'a> {
    request: &'a Request,
    /// M110.
    immutable: bool,
    /// Of the next page.
    path: String,
    filters_categories: bool,
}

/// Where a message lies.
type Place = (FolderId, u32, MailId);

pub(super) fn start(imap: Arc<Server<Exchange>>) -> http::Server {
    http::Server::start(|_| move |request: &Request| answer(&imap, request))
}

/// M113: too many requests; come back after so many seconds.
pub(crate) fn throttled(seconds: u32) -> Trouble {
    let text = "Application is over its MailboxConcurrency limit.";
    Trouble::Says(
        refuse(429, "ApplicationThrottled", text).with("Retry-After", seconds.to_string()),
    )
}

fn answer(imap: &Server<Exchange>, request: &Request) -> Answer {
    let path: Vec<String> = request.path.split('/').skip(1).map(form::decode).collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let ["v1.0", "users", address, rest @ ..] = path.as_slice() else {
        return refuse(400, "BadRequest", "Resource not found for the segment.");
    };
    let settings = rest.first() == Some(&"outlook");
    imap.with(|exchange| {
        if let Err(refusal) = check(exchange, request, address, settings) {
            return refusal;
        }
        let call = Call {
            request,
            immutable: request
                .header("prefer")
                .is_some_and(|prefer| prefer.contains("IdType=\"ImmutableId\"")),
            path: format!("http://{}{}", request.header("host").unwrap_or_default(), request.path),
            filters_categories: exchange.knobs.graph_filters_categories,
        };
        let now = exchange.ledger.now();
        let Some(mailbox) = exchange.mailboxes.get_mut(&address.to_lowercase()) else {
            let text = format!("The requested user '{address}' is invalid.");
            return refuse(404, "ErrorInvalidUser", &text);
        };
        mailbox.date_changes(now);
        let answer = call.answer(mailbox, rest);
        mailbox.date_changes(now);
        match call.immutable {
            true => answer.with("Preference-Applied", "IdType=\"ImmutableId\""),
            false => answer,
        }
    })
}

/// Whether the token is good, for Graph, and for this.
fn check(
    exchange: &Exchange,
    request: &Request,
    address: &str,
    settings: bool,
) -> Result<(), Answer> {
    let token = request.bearer().unwrap_or_default();
    let grant = exchange.ledger.look_up(token).map_err(|_| {
        refuse(
            401,
            "InvalidAuthenticationToken",
            "Lifetime validation failed, the token is expired.",
        )
    })?;
    let is_for_graph =
        grant.scopes.iter().any(|scope| scope.starts_with("https://graph.microsoft.com/"));
    if !is_for_graph && !grant.scopes.is_empty() {
        return Err(refuse(
            401,
            "InvalidAuthenticationToken",
            "Access token validation failure. Invalid audience.",
        ));
    }
    let mailbox = exchange.mailboxes.get(&address.to_lowercase());
    let scope = exchange.knobs.graph_mailboxes.as_ref();
    let is_outside = matches!(grant.who, Who::App(_))
        && scope.is_some_and(|only| !only.iter().any(|one| one.eq_ignore_ascii_case(address)));
    if may(&grant, mailbox, settings) && !is_outside {
        Ok(())
    } else {
        Err(refuse(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."))
    }
}

/// An app may in the whole tenant, unless a rule limits it (M112); a member in the own mailbox, and with `.Shared` where Full Access was given (M107).
fn may(grant: &Grant, mailbox: Option<&Mailbox>, settings: bool) -> bool {
    let has = |permission: &str| grant.has(&format!("https://graph.microsoft.com/{permission}"));
    let needed = if settings { "MailboxSettings.ReadWrite" } else { "Mail.ReadWrite" };
    let Who::Person(person) = &grant.who else { return has(needed) };
    let Some(mailbox) = mailbox else { return has(needed) };
    if grant.is_for(&mailbox.address) {
        return has(needed);
    }
    !settings
        && has("Mail.ReadWrite.Shared")
        && mailbox.full_access.iter().any(|other| other == person)
}

impl Call<'_> {
    fn answer(&self, mailbox: &mut Mailbox, path: &[&str]) -> Answer {
        match (self.request.method.as_str(), path) {
            ("GET", ["messages"]) => self.find(mailbox),
            ("GET", ["mailFolders", name]) => self.folder(mailbox, name),
            ("GET", ["messages", id]) => self.on_message(mailbox, id, |_, _| Ok(())),
            ("PATCH", ["messages", id]) => self.on_message(mailbox, id, |mailbox, mail| {
                let body = self.body()?;
                if let Some(categories) = body.get("categories") {
                    mailbox.item(mail).categories = texts(categories)?;
                }
                Ok(())
            }),
            ("GET", ["outlook", "masterCategories"]) => {
                let all: Vec<Value> = mailbox.categories.iter().map(shown).collect();
                Answer::json(200, &json!({ "value": all }))
            }
            ("POST", ["outlook", "masterCategories"]) => {
                self.add_category(mailbox).unwrap_or_else(|refusal| refusal)
            }
            ("DELETE", ["outlook", "masterCategories", id]) => {
                let before = mailbox.categories.len();
                mailbox.categories.retain(|category| category.id != *id);
                if mailbox.categories.len() < before { empty() } else { not_found() }
            }
            _ => refuse(400, "BadRequest", "Resource not found for the segment."),
        }
    }

    /// M109: every copy is found, those in Sent Items too. M114: filters on categories may be refused.
    fn find(&self, mailbox: &mut Mailbox) -> Answer {
        let filter = self.request.query.get("$filter").unwrap_or_default();
        let all = mailbox.store.folders.iter().flat_map(|folder| {
            folder
                .entries
                .iter()
                .map(|entry| (folder.id, entry.uid, entry.mail))
                .collect::<Vec<Place>>()
        });
        let all: Vec<Place> = all.collect();
        let wanted: Vec<Place> = if let Some(id) = literal(filter, "internetMessageId eq ", "") {
            all.into_iter().filter(|(_, _, mail)| mailbox.message_id(*mail) == id).collect()
        } else if let Some(name) = literal(filter, "categories/any(c:c eq ", ")") {
            if !self.filters_categories {
                let text = "The restriction or sort order is too complex for this operation.";
                return refuse(400, "InefficientFilter", text);
            }
            all.into_iter()
                .filter(|(_, _, mail)| mailbox.item(*mail).categories.contains(&name))
                .collect()
        } else if let Some(since) = filter.strip_prefix("lastModifiedDateTime ge ") {
            let Ok(since) = since.parse::<jiff::Timestamp>() else {
                return refuse(400, "BadRequest", &format!("Invalid filter clause: {filter}"));
            };
            let since = since.as_second();
            all.into_iter().filter(|(_, _, mail)| mailbox.item(*mail).changed.0 >= since).collect()
        } else if filter.is_empty() {
            all
        } else {
            return refuse(400, "BadRequest", &format!("Invalid filter clause: {filter}"));
        };
        self.page(mailbox, wanted)
    }

    /// A page of a list, and where the next one is.
    fn page(&self, mailbox: &mut Mailbox, mut all: Vec<Place>) -> Answer {
        match self.request.query.get("$orderby") {
            None => {}
            Some("lastModifiedDateTime asc") => {
                all.sort_by_key(|(_, _, mail)| mailbox.item(*mail).changed.0);
            }
            Some("lastModifiedDateTime desc") => {
                all.sort_by_key(|(_, _, mail)| -mailbox.item(*mail).changed.0);
            }
            Some(other) => {
                return refuse(400, "BadRequest", &format!("Invalid orderby: {other}"));
            }
        }
        let number = |name: &str| self.request.query.get(name).and_then(|text| text.parse().ok());
        let (top, skip): (usize, usize) =
            (number("$top").unwrap_or(10), number("$skip").unwrap_or(0));
        let more = all.len() > skip + top;
        let page: Vec<Value> = all
            .into_iter()
            .skip(skip)
            .take(top)
            .map(|place| self.message(mailbox, place))
            .collect();
        let mut body = json!({ "value": page });
        if more {
            let mut fields = vec![format!("$skip={}", skip + top), format!("$top={top}")];
            for name in ["$filter", "$orderby", "$select"] {
                let value = self.request.query.get(name);
                fields.extend(value.map(|value| format!("{name}={}", form::encode(value))));
            }
            body["@odata.nextLink"] = json!(format!("{}?{}", self.path, fields.join("&")));
        }
        Answer::json(200, &body)
    }

    /// A folder by the name that it has in every language.
    fn folder(&self, mailbox: &Mailbox, name: &str) -> Answer {
        let special = match name {
            "inbox" => "INBOX",
            "sentitems" => "\\Sent",
            "drafts" => "\\Drafts",
            "deleteditems" => "\\Trash",
            "junkemail" => "\\Junk",
            "archive" => "\\Archive",
            _ => return not_found(),
        };
        let folder = mailbox.store.find(special).or_else(|| mailbox.store.special(special));
        let Some(folder) = folder else { return not_found() };
        Answer::json(200, &json!({ "id": folder_id(folder.id), "displayName": folder.name }))
    }

    fn on_message(
        &self,
        mailbox: &mut Mailbox,
        id: &str,
        act: impl FnOnce(&mut Mailbox, MailId) -> Result<(), Answer>,
    ) -> Answer {
        let places: Vec<Place> = mailbox
            .store
            .folders
            .iter()
            .flat_map(|folder| {
                folder.entries.iter().map(|entry| (folder.id, entry.uid, entry.mail))
            })
            .collect();
        // An immutable id is understood whatever the client prefers.
        let is_it = |place: &&Place| movable_id(place) == id || immutable_id(place) == id;
        let Some(place) = places.iter().find(is_it).copied() else { return not_found() };
        match act(mailbox, place.2) {
            Ok(()) => Answer::json(200, &self.message(mailbox, place)),
            Err(refusal) => refusal,
        }
    }

    fn message(&self, mailbox: &mut Mailbox, place: Place) -> Value {
        let (folder, _, mail) = place;
        let item = mailbox.item(mail).clone();
        let changed = jiff::Timestamp::from_second(item.changed.0).unwrap_or_default();
        let flag = if item.followed_up { "flagged" } else { "notFlagged" };
        let is_read =
            mailbox.store.mails.get(&mail).is_some_and(|mail| mail.flags.contains("\\Seen"));
        let all = json!({
            "id": if self.immutable { immutable_id(&place) } else { movable_id(&place) },
            "internetMessageId": mailbox.message_id(mail),
            "subject": mailbox.header(mail, "subject"),
            "parentFolderId": folder_id(folder),
            "lastModifiedDateTime": changed.to_string(),
            "categories": item.categories,
            "isRead": is_read,
            "flag": { "flagStatus": flag },
        });
        let Some(select) = self.request.query.get("$select") else { return all };
        let chosen: Vec<&str> = select.split(',').map(str::trim).chain(["id"]).collect();
        let fields = all.as_object().cloned().unwrap_or_default();
        Value::Object(
            fields.into_iter().filter(|(name, _)| chosen.contains(&name.as_str())).collect(),
        )
    }

    /// M111: names are unique; colours are `preset0` to `preset24`.
    fn add_category(&self, mailbox: &mut Mailbox) -> Result<Answer, Answer> {
        let body = self.body()?;
        let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        let (name, colour) = (text("displayName"), text("color"));
        if name.is_empty() {
            return Err(refuse(
                400,
                "ErrorInvalidRequest",
                "The property 'displayName' is required.",
            ));
        }
        if mailbox.categories.iter().any(|other| other.name.eq_ignore_ascii_case(&name)) {
            return Err(refuse(
                409,
                "ErrorCategoryAlreadyExists",
                "A category with this name already exists.",
            ));
        }
        let colour = if colour.is_empty() { "none".to_owned() } else { colour };
        let id = format!("5f1c8f5a-{:04}", mailbox.categories.len() + 1);
        mailbox.categories.push(Category { id, name, colour });
        let last = mailbox.categories.last().map(shown);
        Ok(Answer::json(201, &last.unwrap_or_default()))
    }

    fn body(&self) -> Result<Value, Answer> {
        let read = serde_json::from_slice(&self.request.body);
        read.map_err(|_| refuse(400, "BadRequest", "Unable to read JSON request payload."))
    }
}

fn folder_id(folder: FolderId) -> String {
    format!("AQMkF{folder:04}")
}

/// Changes with every move.
fn movable_id((folder, uid, _): &Place) -> String {
    format!("AAMkAGI2F{folder:04}U{uid:06}AAA=")
}

/// Stays as long as the message is in the mailbox (M110).
fn immutable_id((_, _, mail): &Place) -> String {
    format!("AAkALgAAAAAAHYQDEapmEc2byACqAC{mail:06}")
}

fn shown(category: &Category) -> Value {
    json!({ "id": category.id, "displayName": category.name, "color": category.colour })
}

fn texts(value: &Value) -> Result<Vec<String>, Answer> {
    let wrong = || {
        refuse(400, "RequestBodyRead", "Cannot read 'categories' as a collection of 'Edm.String'.")
    };
    let all = value.as_array().ok_or_else(wrong)?;
    all.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
}

/// The OData text between two others: `internetMessageId eq '<a@b>'`, with `''` for one quote.
fn literal(filter: &str, before: &str, after: &str) -> Option<String> {
    let quoted = filter.strip_prefix(before)?.strip_suffix(after)?;
    let inside = quoted.strip_prefix('\'')?.strip_suffix('\'')?;
    Some(inside.replace("''", "'"))
}

fn empty() -> Answer {
    Answer { status: 204, headers: Vec::new(), body: String::new() }
}

fn not_found() -> Answer {
    refuse(404, "ErrorItemNotFound", "The specified object was not found in the store.")
}

fn refuse(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "error": { "code": code, "message": message } }))
}
