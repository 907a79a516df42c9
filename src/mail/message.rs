//! A message as the desk sees it: what the headers and the text say, in plain values.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::mail::proof::Mark;

/// One address of a header, RFC 5322, section 3.4. Group names are dropped, their members kept.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Address {
    /// The display name, decoded; empty when there is none.
    pub name: String,
    /// `local@domain` as written; empty when the header has none.
    pub address: String,
}

/// What sort of message it is, as far as answering is concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Written by a person.
    Human,
    /// An automatic answer: vacation, acknowledgement (RFC 3834).
    AutoReply,
    /// A delivery report (RFC 3464) or what older systems send for it.
    Bounce,
    /// A feedback report (ARF, RFC 5965).
    Complaint,
    /// A disposition notification (RFC 8098).
    Receipt,
    /// An invitation or an answer to one (RFC 6047).
    Calendar,
    /// From a mailing list or sent in bulk.
    List,
    /// Made by a machine, not in answer to anything.
    Notification,
    /// Made by Baton itself.
    Own,
}

/// What became of a mail that bounced.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BounceClass {
    /// It will not arrive.
    Failed,
    /// It is being tried again.
    Delayed,
    /// It arrived; a success report (RFC 3461).
    Delivered,
}

/// One recipient of a delivery report.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct BounceRecipient {
    /// Final-Recipient, else Original-Recipient, without the address type.
    pub address: String,
    /// `failed`, `delayed`, `delivered`, `relayed` or `expanded`, RFC 3464, section 2.3.3.
    pub action: Option<String>,
    /// The enhanced status code `5.1.1`, RFC 3463.
    pub status: Option<String>,
    /// What the other server said.
    pub diagnostic: Option<String>,
}

/// A delivery report, from its machine-readable part or from the words of older systems.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Bounce {
    /// What became of the mail.
    pub class: BounceClass,
    /// Whether sending again to the address cannot help.
    pub permanent: bool,
    /// Every recipient that the report names.
    pub recipients: Vec<BounceRecipient>,
    /// The Message-ID of the mail that bounced, without angle brackets.
    pub original_message_id: Option<String>,
}

/// A mail that somebody passed on inside this one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Forwarded {
    /// The address (or, lacking one, the name) of who wrote the inner mail.
    pub from: Option<String>,
    /// The inner mail's text.
    pub text: String,
}

/// A part that is not the text.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Attachment {
    /// The file name, decoded (RFC 2231, RFC 2047); empty when there is none.
    pub name: String,
    /// The media type, lower case, as in `image/png`.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Bytes after decoding.
    pub size: usize,
}

/// Everything that is understood of one message.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Message {
    /// The Message-ID without angle brackets. Where the header is missing, empty or doubled, a stable id made
    /// from all the bytes, `sha256-<40 hex digits>@baton.invalid`; the header alone therefore yields another.
    pub message_id: String,
    /// Every Message-ID header found, without angle brackets: what an answer may refer to.
    #[serde(skip)]
    pub written_ids: Vec<String>,
    /// The ids of In-Reply-To, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// The ids of References, oldest first, without angle brackets, at most [`REFERENCES_MAX`].
    pub references: Vec<String>,
    /// From.
    pub from: Vec<Address>,
    /// Sender.
    #[serde(skip)]
    pub sender: Option<Address>,
    /// Who wrote it where From was replaced afterwards: X-Google-Original-From.
    #[serde(skip)]
    pub written_by: Option<Address>,
    /// Who handed it to its server, as far as header fields say so: addresses, or names of accounts.
    #[serde(skip)]
    pub submitted_by: Vec<String>,
    /// To.
    pub to: Vec<Address>,
    /// Cc.
    pub cc: Vec<Address>,
    /// Bcc: only in drafts and in copies of what was sent.
    #[serde(skip)]
    pub bcc: Vec<Address>,
    /// Reply-To.
    pub reply_to: Vec<Address>,
    /// The subject, decoded.
    pub subject: String,
    /// The subject without `Re:`, `AW:`, `Fwd:` and their like.
    pub base_subject: String,
    /// Date.
    pub date: Option<Timestamp>,
    /// What sort of message it is.
    pub kind: Kind,
    /// Why `kind` is what it is, naming the header or the part.
    pub kind_reason: String,
    /// The delivery report, when it is one.
    pub bounce: Option<Bounce>,
    /// Whether an automatic answer may be sent, RFC 3834, section 2.
    pub may_answer_automatically: bool,
    /// The whole text, HTML turned into plain text.
    pub text: String,
    /// What the sender wrote now: `text` without quotes and signature.
    pub new_text: String,
    /// The mail inside this mail.
    pub forwarded: Option<Forwarded>,
    /// The other parts.
    pub attachments: Vec<Attachment>,
    /// List-Id without angle brackets, lower case, RFC 2919.
    #[serde(skip)]
    pub list_id: Option<String>,
    /// The address of List-Post, lower case, RFC 2369.
    #[serde(skip)]
    pub list_post: Option<String>,
    /// Thread-Index of Outlook, base64, as sent.
    #[serde(skip)]
    pub thread_index: Option<String>,
    /// What it says about having been made by a Baton.
    #[serde(skip)]
    pub baton: Option<Mark>,
    /// Content-Language, else the first of Accept-Language, as written: `de-DE` (RFC 3282).
    #[serde(skip)]
    pub language: Option<String>,
    /// Whether nothing could be made of the bytes.
    pub unreadable: bool,
    /// What was odd, in words.
    pub problems: Vec<String>,
    /// Tells apart two different mails with one Message-ID: a digest of Message-ID, From, Date and Subject,
    /// the same for every copy of a mail, 32 hex digits.
    #[serde(skip)]
    pub fingerprint: String,
}

/// How many ids of a References header are kept: the newest, and the first.
pub const REFERENCES_MAX: usize = 500;
