//! What Graph answers, read into values.

use serde::Deserialize;

use crate::clock::Timestamp;

/// A copy of a mail.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Copy {
    /// The immutable id (M110).
    pub id: String,
    /// The Message-ID without angle brackets.
    pub message_id: String,
    /// The id of its folder.
    pub folder: String,
    /// All its categories.
    pub categories: Vec<String>,
    /// When anything of it changed last, by the server's clock.
    pub changed_at: Option<Timestamp>,
}

/// A page of what has changed.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    /// The copies, the oldest change first.
    pub copies: Vec<Copy>,
    /// Where the next page is.
    pub next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageForm {
    id: String,
    #[serde(default)]
    internet_message_id: Option<String>,
    #[serde(default)]
    parent_folder_id: Option<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    last_modified_date_time: Option<String>,
}

/// A list, as Graph always wraps it.
#[derive(Deserialize)]
pub(super) struct ListForm<T> {
    pub(super) value: Vec<T>,
    #[serde(rename = "@odata.nextLink", default)]
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CategoryForm {
    pub(super) id: String,
    pub(super) display_name: String,
}

#[derive(Deserialize)]
pub(super) struct FolderForm {
    pub(super) id: String,
}

#[derive(Default, Deserialize)]
struct RefusalForm {
    #[serde(default)]
    error: WhyForm,
}

#[derive(Default, Deserialize)]
struct WhyForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// How much of the server's own words is repeated.
const SAID_LETTERS_MAX: usize = 300;

impl From<MessageForm> for Copy {
    fn from(form: MessageForm) -> Copy {
        let message_id = form.internet_message_id.unwrap_or_default();
        let message_id = message_id.trim().trim_start_matches('<').trim_end_matches('>');
        Copy {
            id: form.id,
            message_id: message_id.to_owned(),
            folder: form.parent_folder_id.unwrap_or_default(),
            categories: form.categories,
            changed_at: form.last_modified_date_time.as_deref().and_then(Timestamp::parse),
        }
    }
}

/// A refusal in the server's words.
pub(super) fn said(status: u16, body: &str) -> String {
    let why = serde_json::from_str::<RefusalForm>(body).unwrap_or_default().error;
    let words = [why.code, why.message].into_iter().filter(|words| !words.is_empty());
    let words = words.collect::<Vec<_>>().join(": ");
    let words = if words.is_empty() { format!("HTTP {status}") } else { words };
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID_LETTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_with_what_it_may_lack() {
        let read = |text: &str| Copy::from(serde_json::from_str::<MessageForm>(text).unwrap());
        let whole = read(
            r#"{"@odata.etag":"W/\"x\"","id":"AA","internetMessageId":"<a@b>","parentFolderId":"F","categories":["Red"],"lastModifiedDateTime":"2026-11-24T03:04:05Z"}"#,
        );
        assert_eq!((whole.message_id.as_str(), whole.folder.as_str()), ("a@b", "F"));
        assert_eq!(whole.changed_at, Timestamp::parse("2026-11-24T03:04:05Z"));
        assert_eq!(
            read(r#"{"id":"AA","internetMessageId":null}"#),
            Copy { id: "AA".into(), ..Copy::default() }
        );
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        let body = r#"{"error":{"code":"ErrorAccessDenied","message":"Access is denied."}}"#;
        assert_eq!(said(403, body), "ErrorAccessDenied: Access is denied.");
        assert_eq!(said(502, "<html>"), "HTTP 502");
    }
}
