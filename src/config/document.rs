//! Reads the TOML document key by key, so that all mistakes are found together, each with its line.
//!
//! serde would stop at the first wrong type. A [`Section`] is one table: opening it reports the keys it
//! should not have, and asking it for a key reports a wrong type. A [`Field`] is the answer, and knows its
//! place even when the key is missing.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{KEYS, keys_of};
use super::problem::{Place, Problems, Wrong, nearest};

/// What the file says for one key.
#[derive(Debug)]
pub(super) struct Field<T> {
    /// Where the key stands or should stand.
    pub(super) at: Place,
    found: Found<T>,
}

#[derive(Debug)]
enum Found<T> {
    Absent,
    /// There, but wrong, which has been reported.
    Refused,
    Given(T),
}

impl<T> Field<T> {
    /// A key that is not there.
    pub(super) fn absent(at: Place) -> Field<T> {
        Field { at, found: Found::Absent }
    }

    pub(super) fn given(&self) -> Option<&T> {
        match &self.found {
            Found::Given(value) => Some(value),
            Found::Absent | Found::Refused => None,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self.found, Found::Absent)
    }

    /// Reports the key when it is missing.
    pub(super) fn required(&self, problems: &mut Problems, remedy: &str) -> &Field<T> {
        if self.is_absent() {
            problems.add(&self.at, "missing", remedy);
        }
        self
    }

    /// The value as `rule` turns it; `None` when there is none or it is wrong, which has then been reported.
    pub(super) fn check<U>(
        &self,
        problems: &mut Problems,
        rule: impl FnOnce(&T) -> Result<U, Wrong>,
    ) -> Option<U> {
        match rule(self.given()?) {
            Ok(value) => Some(value),
            Err(wrong) => {
                problems.refuse(&self.at, wrong);
                None
            }
        }
    }

    /// Like [`Field::check`], with a value for the missing key.
    pub(super) fn check_or<U>(
        &self,
        default: U,
        problems: &mut Problems,
        rule: impl FnOnce(&T) -> Result<U, Wrong>,
    ) -> Option<U> {
        if self.is_absent() { Some(default) } else { self.check(problems, rule) }
    }

    /// The value as another type, at the same place.
    pub(super) fn map<U>(self, turn: impl FnOnce(T) -> U) -> Field<U> {
        let found = match self.found {
            Found::Given(value) => Found::Given(turn(value)),
            Found::Absent => Found::Absent,
            Found::Refused => Found::Refused,
        };
        Field { at: self.at, found }
    }
}

/// One table of the document.
#[derive(Debug)]
pub(super) struct Section<'d> {
    pub(super) at: Place,
    name: &'static str,
    text: &'d str,
    table: &'d DeTable<'d>,
}

impl<'d> Section<'d> {
    /// The whole document.
    pub(super) fn top(
        text: &'d str,
        table: &'d DeTable<'d>,
        problems: &mut Problems,
    ) -> Section<'d> {
        let section = Section { at: Place { line: 1, key: String::new() }, name: "", text, table };
        section.refuse_unknown_keys(problems);
        section
    }

    fn open(&self, at: Place, name: &'static str, table: &'d DeTable<'d>) -> Section<'d> {
        Section { at, name, text: self.text, table }
    }

    fn refuse_unknown_keys(&self, problems: &mut Problems) {
        let known = keys_of(self.name);
        for (key, _) in self.table {
            let word: &str = key.get_ref();
            if !known.contains(&word) {
                let at = self.place_of(word, key.span().start);
                problems.add(&at, "unknown key", self.remedy_for(word));
            }
        }
    }

    fn remedy_for(&self, word: &str) -> String {
        let known = keys_of(self.name);
        if let Some(near) = nearest(word, known.iter().copied()) {
            return format!("did you mean `{near}`?");
        }
        let homes: Vec<String> = KEYS
            .iter()
            .filter(|(_, keys)| keys.contains(&word))
            .map(|(section, _)| header(section))
            .collect();
        if homes.is_empty() {
            format!("known here are {}", known.join(", "))
        } else {
            format!("it belongs in {}: move the line there", homes.join(" or "))
        }
    }

    fn place_of(&self, key: &str, offset: usize) -> Place {
        Place { line: line_at(self.text, offset), key: self.path_to(key) }
    }

    fn path_to(&self, key: &str) -> String {
        let key = key.escape_debug();
        if self.at.key.is_empty() { key.to_string() } else { format!("{}.{key}", self.at.key) }
    }

    /// Finds `key` and lets `read` take its value; what `read` refuses is reported as a wrong type.
    fn field<T>(
        &self,
        key: &str,
        problems: &mut Problems,
        read: impl FnOnce(&'d Spanned<DeValue<'d>>, &Place) -> Result<T, Wrong>,
    ) -> Field<T> {
        debug_assert!(keys_of(self.name).contains(&key), "{} lacks {key}", self.name);
        let entry = self.table.iter().find(|(name, _)| name.get_ref() == key);
        let Some((name, value)) = entry else {
            let at = Place { line: self.at.line, key: self.path_to(key) };
            return Field { at, found: Found::Absent };
        };
        let at = self.place_of(key, name.span().start);
        let found = match read(value, &at) {
            Ok(value) => Found::Given(value),
            Err(wrong) => {
                problems.refuse(&at, wrong);
                Found::Refused
            }
        };
        Field { at, found }
    }

    /// Text in quotes.
    pub(super) fn text(&self, key: &str, problems: &mut Problems) -> Field<String> {
        self.field(key, problems, |value, _| match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            other => Err(not("text", other, format!("write {key} = \"…\", in quotes"))),
        })
    }

    /// Text in quotes, or a bare TOML date or time.
    pub(super) fn moment(&self, key: &str, problems: &mut Problems) -> Field<String> {
        self.field(key, problems, |value, _| match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Datetime(moment) => Ok(moment.to_string()),
            other => Err(not("a date", other, format!("write {key} = \"2026-11-01\""))),
        })
    }

    /// A whole number.
    pub(super) fn number(&self, key: &str, problems: &mut Problems) -> Field<i64> {
        self.field(key, problems, |value, _| match value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| Wrong::new("far too large", "write a smaller number")),
            other => {
                let meant = other.as_str().and_then(|text| text.trim().parse::<i64>().ok());
                let remedy = match meant {
                    Some(number) => format!("write {key} = {number}, without quotes"),
                    None => format!("write {key} = NUMBER, without quotes or a fraction"),
                };
                Err(not("a whole number", other, remedy))
            }
        })
    }

    /// `true` or `false`.
    pub(super) fn truth(&self, key: &str, problems: &mut Problems) -> Field<bool> {
        self.field(key, problems, |value, _| match value.get_ref() {
            DeValue::Boolean(truth) => Ok(*truth),
            other => {
                let remedy = format!("write {key} = true or {key} = false, without quotes");
                Err(not("true or false", other, remedy))
            }
        })
    }

    /// A list of texts, each with its own place.
    pub(super) fn texts(&self, key: &str, problems: &mut Problems) -> Field<Vec<Field<String>>> {
        let remedy = || format!("write {key} = [\"…\", \"…\"]");
        let mut wrong = Vec::new();
        let field = self.field(key, problems, |value, at| {
            let DeValue::Array(items) = value.get_ref() else {
                return Err(not("a list", value.get_ref(), remedy()));
            };
            let mut texts = Vec::new();
            for (nth, item) in items.iter().enumerate() {
                let line = line_at(self.text, item.span().start);
                let at = Place { line, key: format!("{}[{nth}]", at.key) };
                match item.get_ref() {
                    DeValue::String(text) => {
                        texts.push(Field { at, found: Found::Given(text.to_string()) });
                    }
                    other => wrong.push((at, not("text", other, remedy()))),
                }
            }
            Ok(texts)
        });
        for (at, wrong) in wrong {
            problems.refuse(&at, wrong);
        }
        field
    }

    /// Whether the key holds text; for keys whose text gets its own answer.
    pub(super) fn is_text(&self, key: &str) -> bool {
        self.table.iter().any(|(name, value)| name.get_ref() == key && value.get_ref().is_str())
    }

    /// The key, refused whatever it holds.
    pub(super) fn refused<T>(&self, key: &str, wrong: Wrong, problems: &mut Problems) -> Field<T> {
        self.field(key, problems, |_, _| Err(wrong))
    }

    /// A table below this one; `name` is its name in [`KEYS`].
    pub(super) fn section(
        &self,
        key: &str,
        name: &'static str,
        problems: &mut Problems,
    ) -> Field<Section<'d>> {
        let field = self.field(key, problems, |value, at| match value.get_ref() {
            DeValue::Table(table) => Ok(self.open(at.clone(), name, table)),
            other => Err(not("a table", other, format!("write {}", header(name)))),
        });
        if let Some(section) = field.given() {
            section.refuse_unknown_keys(problems);
        }
        field
    }

    /// The tables of a `[[list]]`, in order.
    pub(super) fn sections(
        &self,
        key: &str,
        name: &'static str,
        problems: &mut Problems,
    ) -> Field<Vec<Section<'d>>> {
        let remedy = || format!("write {}, with doubled brackets", header(name));
        let mut wrong = Vec::new();
        let field = self.field(key, problems, |value, at| {
            let DeValue::Array(items) = value.get_ref() else {
                return Err(not("a list of tables", value.get_ref(), remedy()));
            };
            let mut sections = Vec::new();
            for (nth, item) in items.iter().enumerate() {
                let line = line_at(self.text, item.span().start);
                let at = Place { line, key: format!("{}[{nth}]", at.key) };
                match item.get_ref() {
                    DeValue::Table(table) => sections.push(self.open(at, name, table)),
                    other => wrong.push((at, not("a table", other, remedy()))),
                }
            }
            Ok(sections)
        });
        for (at, wrong) in wrong {
            problems.refuse(&at, wrong);
        }
        for section in field.given().into_iter().flatten() {
            section.refuse_unknown_keys(problems);
        }
        field
    }
}

/// How a section's header is written.
fn header(section: &str) -> String {
    match section {
        "" => "the top of the file".to_owned(),
        "mailbox" | "agent" | "calendar" => format!("[[{section}]]"),
        section => format!("[{section}]"),
    }
}

fn not(wanted: &str, found: &DeValue<'_>, remedy: String) -> Wrong {
    let found = match found {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Wrong::new(format!("must be {wanted}, but is {found}"), remedy)
}

/// The line, counted from 1, that holds the byte at `offset`.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
