//! What the system labels and their folders are called.
//!
//! Folders are called in the language of the account (G19), labels never: `\Sent` is `\Sent` everywhere.

/// The labels that every account has, as X-GM-LABELS and LIST know them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct System {
    /// In X-GM-LABELS. All Mail is no label.
    pub(crate) label: Option<&'static str>,
    /// In LIST (G18); INBOX has none.
    pub(crate) attribute: Option<&'static str>,
    /// In XLIST (G20).
    pub(crate) xlist: &'static str,
}

const fn system(
    label: Option<&'static str>,
    attribute: Option<&'static str>,
    xlist: &'static str,
) -> System {
    System { label, attribute, xlist }
}

pub(crate) const INBOX: System = system(Some("\\Inbox"), None, "\\Inbox");
pub(crate) const ALL: System = system(None, Some("\\All"), "\\AllMail");
pub(crate) const DRAFTS: System = system(Some("\\Draft"), Some("\\Drafts"), "\\Drafts");
pub(crate) const IMPORTANT: System =
    system(Some("\\Important"), Some("\\Important"), "\\Important");
pub(crate) const SENT: System = system(Some("\\Sent"), Some("\\Sent"), "\\Sent");
pub(crate) const SPAM: System = system(Some("\\Spam"), Some("\\Junk"), "\\Spam");
pub(crate) const STARRED: System = system(Some("\\Starred"), Some("\\Flagged"), "\\Starred");
pub(crate) const TRASH: System = system(Some("\\Trash"), Some("\\Trash"), "\\Trash");

/// Every system folder but INBOX, in the order of LIST and of [`Language::folders`].
pub(crate) const BELOW_GMAIL: [System; 7] = [ALL, DRAFTS, IMPORTANT, SENT, SPAM, STARRED, TRASH];

/// The system label that a client means, in whatever case and by either of its names (G40).
pub(crate) fn system_label(name: &str) -> Option<&'static str> {
    let known = [INBOX, DRAFTS, IMPORTANT, SENT, SPAM, STARRED, TRASH];
    let named = |system: &System| {
        let names = [system.label, system.attribute, Some(system.xlist)];
        names.iter().flatten().any(|own| own.eq_ignore_ascii_case(name))
    };
    known.iter().find(|system| named(system)).and_then(|system| system.label)
}

/// The language that the account's owner has chosen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Language {
    #[default]
    English,
    /// Trash is the bin.
    BritishEnglish,
    /// With the name that Gmail had in Germany.
    German,
    Spanish,
    Russian,
}

impl Language {
    /// `[Gmail]`, or what stands for it.
    pub(crate) fn root(self) -> &'static str {
        if self == Language::German { "[Google Mail]" } else { "[Gmail]" }
    }

    /// The folders below the root, in the order of [`BELOW_GMAIL`].
    pub(crate) fn folders(self) -> [&'static str; 7] {
        match self {
            Language::English => {
                ["All Mail", "Drafts", "Important", "Sent Mail", "Spam", "Starred", "Trash"]
            }
            Language::BritishEnglish => {
                ["All Mail", "Drafts", "Important", "Sent Mail", "Spam", "Starred", "Bin"]
            }
            Language::German => [
                "Alle Nachrichten",
                "Entwürfe",
                "Wichtig",
                "Gesendet",
                "Spam",
                "Markiert",
                "Papierkorb",
            ],
            Language::Spanish => {
                ["Todos", "Borradores", "Importantes", "Enviados", "Spam", "Destacados", "Papelera"]
            }
            Language::Russian => [
                "Вся почта",
                "Черновики",
                "Важное",
                "Отправленные",
                "Спам",
                "Помеченные",
                "Корзина",
            ],
        }
    }
}
