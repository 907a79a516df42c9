//! Checks `categories`: Outlook's categories can show threads only where Graph can be asked for them.

use super::document::Field;
use super::problem::Problems;
use super::{LayoutChoice, Login, Provider};

/// Whether threads are shown as Outlook's categories too; `None` when that cannot work here, which has then been reported.
pub(super) fn check(
    field: &Field<bool>,
    provider: Provider,
    login: &Login,
    layout: LayoutChoice,
    problems: &mut Problems,
) -> Option<bool> {
    let is_wanted = field.check_or(false, problems, |truth| Ok(*truth))?;
    if !is_wanted {
        return Some(false);
    }
    let (what, remedy) = if provider != Provider::Microsoft365 {
        (
            "only Microsoft 365 has Outlook's categories",
            "take it out, or write provider = \"microsoft365\"",
        )
    } else if !matches!(login, Login::OAuth2(_)) {
        (
            "Microsoft Graph, which shows categories, takes no password",
            "write [mailbox.login] with method = \"oauth2\", or take it out",
        )
    } else if layout != LayoutChoice::Folders {
        (
            "categories stand beside folders, and this mailbox has another layout",
            "write layout = \"folders\", or take it out",
        )
    } else {
        return Some(true);
    };
    problems.add(&field.at, what, remedy);
    None
}
