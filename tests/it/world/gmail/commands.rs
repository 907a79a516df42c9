//! What IMAP commands do to messages and labels.

use super::super::imapd::{Change, FolderId, How, Incoming, MailId, Pairs, Placed, Refused, plain};
use super::account::{Account, LastLabel};
use super::names::{ALL, SPAM, System, TRASH, system_label};

impl Account {
    /// APPEND. A message that is there already is not kept twice, but shown here too (G59).
    pub(super) fn append(&mut self, folder: FolderId, incoming: Incoming) -> Placed {
        let label =
            self.view_label(folder).map(|(_, label)| label).filter(|label| !label.is_empty());
        let labels: Vec<&str> = label.as_deref().into_iter().collect();
        let mail = self.take_in(incoming.bytes, incoming.received, &incoming.flags, &labels);
        let folder = self.store.folder(folder);
        let uid = folder.and_then(|folder| folder.entry_of(mail)).map(|entry| entry.uid);
        Placed {
            uid_validity: folder.map_or(0, |folder| folder.uid_validity),
            uid: uid.unwrap_or_default(),
        }
    }

    /// COPY puts the target's label on, MOVE also takes the source's label off (G56, point 12).
    pub(super) fn copy(
        &mut self,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
        remove: bool,
    ) -> Pairs {
        let (Some((source, source_label)), Some((target, label))) =
            (self.view_label(from), self.view_label(to))
        else {
            return Pairs::new();
        };
        let mut pairs = Pairs::new();
        for uid in uids {
            let Some(mail) = plain::mail_of(&self.store, from, *uid) else { continue };
            // What is given a place again is no waste and no spam any more.
            let rescues =
                matches!(source, Some(TRASH | SPAM)) && !matches!(target, Some(TRASH | SPAM));
            if rescues || (remove && from != to && source != Some(ALL)) {
                self.remove_label(mail, &source_label);
            }
            // All Mail is no label: moving there is archiving, and moving from there only labels.
            if target != Some(ALL) {
                self.add_label(mail, &label);
            }
            let placed = self.store.folder(to).and_then(|folder| folder.entry_of(mail));
            pairs.extend(placed.map(|entry| (*uid, entry.uid)));
        }
        pairs
    }

    /// STORE, of flags or of labels.
    pub(super) fn change(
        &mut self,
        folder: FolderId,
        uid: u32,
        change: &Change,
    ) -> Result<(), Refused> {
        let Some(mail) = plain::mail_of(&self.store, folder, uid) else { return Ok(()) };
        if change.what == "X-GM-LABELS" {
            return self.change_labels(mail, change);
        }
        if change.what != "FLAGS" {
            return Err("BAD Could not parse command".into());
        }
        if change.how != How::Remove {
            self.keywords
                .extend(change.values.iter().filter(|flag| !flag.starts_with('\\')).cloned());
        }
        plain::change_flags(&mut self.store, folder, uid, change);
        self.refresh(mail);
        if self.settings.auto_expunge {
            // G57: marking is expunging.
            self.expunge(folder, Some(&[uid]));
        }
        Ok(())
    }

    /// STORE X-GM-LABELS (G38 to G41). A user label that is not there yet is made.
    fn change_labels(&mut self, mail: MailId, change: &Change) -> Result<(), Refused> {
        let mut labels = Vec::new();
        for value in &change.values {
            labels.push(self.label_of(value, change.how)?);
        }
        if change.how == How::Replace {
            for label in self.labels(mail) {
                if !labels.contains(&label) {
                    self.remove_label(mail, &label);
                }
            }
        }
        for label in &labels {
            match change.how {
                How::Remove => self.remove_label(mail, label),
                How::Add | How::Replace => self.add_label(mail, label),
            }
        }
        Ok(())
    }

    /// The label that a client means.
    fn label_of(&mut self, value: &str, how: How) -> Result<String, Refused> {
        if let Some(system) = system_label(value) {
            return Ok(system.to_owned());
        }
        if value.starts_with('\\') {
            // The text is a guess.
            return Err(format!("NO [CANNOT] Invalid label: {value} (Failure)"));
        }
        let known = self.store.find(value).filter(|folder| self.is_label(folder.id));
        if let Some(folder) = known {
            return Ok(folder.name.clone());
        }
        if how != How::Remove {
            self.create_label(value)?;
        }
        Ok(value.to_owned())
    }

    /// EXPUNGE takes the folder's own label off; only in Trash and Spam it destroys (G56).
    pub(super) fn expunge(&mut self, folder: FolderId, only: Option<&[u32]>) {
        let Some((view, label)) = self.view_label(folder) else { return };
        let entries = self.store.folder(folder).map(|folder| folder.entries.clone());
        let doomed = entries
            .into_iter()
            .flatten()
            .filter(|entry| entry.deleted && only.is_none_or(|uids| uids.contains(&entry.uid)));
        for entry in doomed {
            plain::set_deleted(&mut self.store, folder, entry.uid, false);
            self.expunge_one(entry.mail, view, &label);
        }
    }

    fn expunge_one(&mut self, mail: MailId, view: Option<System>, label: &str) {
        if matches!(view, Some(TRASH | SPAM)) {
            return self.destroy(mail);
        }
        self.remove_label(mail, label);
        if !self.labels(mail).is_empty() && view != Some(ALL) {
            return;
        }
        match self.settings.last_label {
            LastLabel::Archive => {}
            LastLabel::Trash => self.add_label(mail, "\\Trash"),
            LastLabel::DeleteForever => self.destroy(mail),
        }
    }

    fn is_label(&self, folder: FolderId) -> bool {
        self.view_label(folder).is_some_and(|(system, _)| system.is_none())
            && self.store.folder(folder).is_some_and(|folder| folder.selectable)
    }

    /// CREATE. Only the label itself: `A/B` makes no `A` (G30, G41).
    pub(crate) fn create_label(&mut self, name: &str) -> Result<(), Refused> {
        self.check_name(name)?;
        self.store.add_folder(name, &[]);
        Ok(())
    }

    fn check_name(&self, name: &str) -> Result<(), Refused> {
        if self.store.find(name).is_some() {
            return Err(format!("NO [ALREADYEXISTS] Duplicate folder name {name} (Failure)"));
        }
        // G29.
        let words: Vec<&str> = name.split(' ').collect();
        if words.contains(&"") {
            return Err("NO [CANNOT] Folder contains excess whitespace (Failure)".into());
        }
        let reserved = ["migrated", "muted"].iter().any(|word| word.eq_ignore_ascii_case(name));
        // Gmail mishandles a trailing delimiter (G27); this is the hardest of the ways to do so.
        let odd = name.contains('^') || name.split('/').any(str::is_empty) || name.starts_with('[');
        if reserved || odd || system_label(&format!("\\{name}")).is_some() {
            return Err(format!("NO [CANNOT] Invalid folder name: {name} (Failure)"));
        }
        Ok(())
    }

    /// DELETE: the label goes, the messages stay.
    pub(crate) fn delete_label(&mut self, name: &str) -> Result<(), Refused> {
        let (folder, name) = self.label_folder(name)?;
        for mail in self.labelled(&name) {
            self.remove_label(mail, &name);
        }
        self.store.folders.retain(|own| own.id != folder);
        Ok(())
    }

    /// RENAME, with the labels below it.
    pub(crate) fn rename_label(&mut self, from: &str, to: &str) -> Result<(), Refused> {
        let (_, from) = self.label_folder(from)?;
        if !from.eq_ignore_ascii_case(to) {
            self.check_name(to)?;
        }
        let below = format!("{from}/");
        let renamed = |name: &str| match name.strip_prefix(&below) {
            Some(rest) => Some(format!("{to}/{rest}")),
            None => (name == from).then(|| to.to_owned()),
        };
        for folder in &mut self.store.folders {
            folder.name = renamed(&folder.name).unwrap_or_else(|| folder.name.clone());
        }
        for letter in self.letters.values_mut() {
            letter.labels = letter
                .labels
                .iter()
                .map(|own| renamed(own).unwrap_or_else(|| own.clone()))
                .collect();
        }
        for mail in self.labelled(to) {
            self.store.touch(mail);
        }
        Ok(())
    }

    /// The label's folder, and its name as it was created: clients may write it in another case (G28).
    fn label_folder(&self, name: &str) -> Result<(FolderId, String), Refused> {
        let unknown = || format!("NO [NONEXISTENT] Unknown Mailbox: {name} (Failure)");
        let folder = self.store.find(name).ok_or_else(unknown)?;
        if !self.is_label(folder.id) {
            // The text is a guess.
            return Err(format!("NO [CANNOT] {name} cannot be changed (Failure)"));
        }
        Ok((folder.id, folder.name.clone()))
    }

    fn labelled(&self, name: &str) -> Vec<MailId> {
        let letters = self.letters.iter().filter(|(_, letter)| letter.labels.contains(name));
        letters.map(|(mail, _)| *mail).collect()
    }
}
