//! A reader of one JSON object that names every field at fault at once, in the form this surface's clients know.
//!
//! Not serde: serde stops at the first fault and would read amounts as floats. Here a body was brought into canonical form
//! before, each member is kept as its canonical text, and a wire type takes its fields from that text one by one. Members
//! that no field takes are left unread.

use super::number::{NumberFault, scaled};
use probity_governance::decimal::Scaled;
use probity_schemas::body::Body;
use probity_schemas::time::Time;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Bytes of an identifier that a caller chose.
pub(crate) const ID_BYTES_MAX: usize = 256;

/// Bytes of a text that a caller wrote: what stays well inside a record.
pub(crate) const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Faults of a payload: of the whole, and field by field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Faults {
    /// What is wrong with the payload as a whole.
    #[serde(rename = "formErrors")]
    pub(crate) form: Vec<String>,
    /// What is wrong with each field, by the field's name.
    #[serde(rename = "fieldErrors")]
    pub(crate) fields: BTreeMap<String, Vec<String>>,
}

impl Faults {
    /// One fault of the payload as a whole.
    pub(crate) fn of_form(message: impl Into<String>) -> Self {
        Self {
            form: vec![message.into()],
            ..Self::default()
        }
    }

    /// Each fault of a field, with the field's name.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .flat_map(|(name, messages)| messages.iter().map(move |message| (&**name, &**message)))
    }

    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.fields
            .entry(field.to_owned())
            .or_default()
            .push(message.into());
    }
}

/// The members of an object, taken one after the other.
#[derive(Debug)]
pub(crate) struct Fields {
    members: BTreeMap<String, Box<RawValue>>,
    faults: Faults,
}

impl Fields {
    /// Opens an object; `None` is a request without a body.
    pub(crate) fn open(body: Option<&Body>) -> Result<Self, Faults> {
        let Some(body) = body else {
            return Err(Faults::of_form("Required"));
        };
        if !body.is_object() {
            let found = kind(body.as_str());
            return Err(Faults::of_form(format!(
                "Expected object, received {found}"
            )));
        }
        let members = serde_json::from_str(body.as_str())
            .map_err(|error| Faults::of_form(error.to_string()))?;
        Ok(Self {
            members,
            faults: Faults::default(),
        })
    }

    /// Opens a query: each parameter is a text.
    pub(crate) fn of_query(parameters: Vec<(String, String)>) -> Self {
        let text = |value: String| serde_json::value::to_raw_value(&value).ok();
        let members = parameters
            .into_iter()
            .filter_map(|(name, value)| text(value).map(|raw| (name, raw)));
        Self {
            members: members.collect(),
            faults: Faults::default(),
        }
    }

    /// Ends the reading: the value, when no field is at fault.
    pub(crate) fn close<T>(self, value: T) -> Result<T, Faults> {
        if self.faults == Faults::default() {
            Ok(value)
        } else {
            Err(self.faults)
        }
    }

    /// Names a fault of a field.
    pub(crate) fn fault(&mut self, field: &str, message: impl Into<String>) {
        self.faults.add(field, message);
    }

    /// Takes a field by its reader; `None` when it is absent or at fault.
    pub(crate) fn optional<T>(
        &mut self,
        field: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let raw = self.members.remove(field)?;
        read(raw.get())
            .map_err(|message| self.faults.add(field, message))
            .ok()
    }

    /// Takes a field that must be there; the type's empty value stands in for one at fault.
    pub(crate) fn required<T: Default>(
        &mut self,
        field: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        if !self.members.contains_key(field) {
            self.faults.add(field, "Required");
        }
        self.optional(field, read).unwrap_or_default()
    }

    /// [`Fields::nested`] for an object that must be there.
    pub(crate) fn nested_required<T: Default>(
        &mut self,
        field: &str,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        if !self.members.contains_key(field) {
            self.faults.add(field, "Required");
        }
        self.nested(field, read).unwrap_or_default()
    }

    /// Takes an object's fields by a reader of their own; faults count as this field's.
    pub(crate) fn nested<T>(
        &mut self,
        field: &str,
        read: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        let text = self.optional(field, |raw| {
            object(raw).map(|body| body.as_str().to_owned())
        })?;
        let mut inner = Self {
            members: serde_json::from_str(&text).ok()?,
            faults: Faults::default(),
        };
        let value = read(&mut inner);
        for message in inner.faults.fields.into_values().flatten() {
            self.faults.add(field, message);
        }
        Some(value)
    }
}

/// A text.
pub(crate) fn text(raw: &str) -> Result<String, String> {
    let text: String = serde_json::from_str(raw).map_err(|_| expected("string", raw))?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!(
            "String must contain at most {TEXT_BYTES_MAX} bytes"
        ));
    }
    if text.contains('\0') {
        Err("String must not contain U+0000".to_owned())
    } else {
        Ok(text)
    }
}

/// A caller's own identifier: not empty, short, no control character.
pub(crate) fn id(raw: &str) -> Result<String, String> {
    let text = text(raw)?;
    if text.is_empty() {
        return Err("String must contain at least 1 character(s)".to_owned());
    }
    if text.len() > ID_BYTES_MAX {
        return Err(format!("String must contain at most {ID_BYTES_MAX} bytes"));
    }
    if text.chars().any(char::is_control) {
        Err("String must not contain control characters".to_owned())
    } else {
        Ok(text)
    }
}

/// A list of texts.
pub(crate) fn texts(raw: &str) -> Result<Vec<String>, String> {
    let items: Vec<Box<RawValue>> =
        serde_json::from_str(raw).map_err(|_| expected("array", raw))?;
    items.iter().map(|item| text(item.get())).collect()
}

/// A number in a query, within bounds.
pub(crate) fn bounded(least: u32, most: u32) -> impl FnOnce(&str) -> Result<u32, String> {
    move |raw| match text(raw)?.parse() {
        Err(_) => Err("Expected number, received nan".to_owned()),
        Ok(number) if number < least => {
            Err(format!("Number must be greater than or equal to {least}"))
        }
        Ok(number) if number > most => Err(format!("Number must be less than or equal to {most}")),
        Ok(number) => Ok(number),
    }
}

/// true or false in a query.
pub(crate) fn switch(raw: &str) -> Result<bool, String> {
    text(raw)?
        .parse()
        .map_err(|_| "Expected 'true' or 'false'".to_owned())
}

/// true or false.
pub(crate) fn flag(raw: &str) -> Result<bool, String> {
    serde_json::from_str(raw).map_err(|_| expected("boolean", raw))
}

/// A whole number, not negative.
pub(crate) fn count(raw: &str) -> Result<u64, String> {
    let scaled = number(raw, 0)?;
    if scaled.exact {
        Ok(scaled.units)
    } else {
        Err("Expected integer, received float".to_owned())
    }
}

/// A whole number that may be negative.
pub(crate) fn integer(raw: &str) -> Result<i32, String> {
    if kind(raw) != "number" {
        return Err(expected("number", raw));
    }
    raw.parse()
        .map_err(|_| format!("Expected integer from {} to {}", i32::MIN, i32::MAX))
}

/// A number that is kept in 32 bits.
pub(crate) fn small(number: u64) -> Result<u32, String> {
    u32::try_from(number).map_err(|_| NumberFault::TooLarge.to_string())
}

/// A number in units of `10^-places`, the digits below rounded.
pub(crate) fn amount(places: i32) -> impl FnOnce(&str) -> Result<u64, String> {
    move |raw| number(raw, places).map(|scaled| scaled.units)
}

/// A moment, in any form of RFC 3339.
pub(crate) fn time(raw: &str) -> Result<Time, String> {
    Time::parse_rfc3339(&text(raw)?).map_err(|_| "Invalid datetime".to_owned())
}

/// A word of a closed list.
pub(crate) fn word<T: Copy + std::fmt::Display>(
    all: &'static [T],
    parse: impl FnOnce(&str) -> Option<T>,
) -> impl FnOnce(&str) -> Result<T, String> {
    move |raw| {
        let text = text(raw)?;
        parse(&text).ok_or_else(|| not_a_word(all, &text))
    }
}

/// Says that a text is none of the words of a closed list.
pub(crate) fn not_a_word<T: std::fmt::Display>(all: &[T], text: &str) -> String {
    let words: Vec<String> = all.iter().map(|word| format!("'{word}'")).collect();
    format!(
        "Invalid enum value. Expected {}, received '{text}'",
        words.join(" | ")
    )
}

/// An object, kept as it is.
pub(crate) fn object(raw: &str) -> Result<Body, String> {
    if kind(raw) == "object" {
        body(raw)
    } else {
        Err(expected("object", raw))
    }
}

/// Any value, kept as it is.
pub(crate) fn body(raw: &str) -> Result<Body, String> {
    Body::from_canonical(raw.to_owned()).map_err(|error| error.to_string())
}

fn number(raw: &str, places: i32) -> Result<Scaled, String> {
    if kind(raw) != "number" {
        return Err(expected("number", raw));
    }
    scaled(raw, places).map_err(|fault: NumberFault| fault.to_string())
}

fn expected(what: &str, raw: &str) -> String {
    format!("Expected {what}, received {}", kind(raw))
}

/// What kind of value a JSON text is.
pub(crate) fn kind(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "string",
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b't' | b'f') => "boolean",
        Some(b'n') | None => "null",
        Some(_) => "number",
    }
}

#[cfg(test)]
mod tests;
