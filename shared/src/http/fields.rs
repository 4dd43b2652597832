//! The fields of a JSON body. Duplicate names are refused: another parser could see another value.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::{ApiError, FieldProblem};
use crate::email::EmailAddress;

/// The fields of a JSON object. Holds secrets, so it has no `Debug`.
pub struct Fields {
    values: BTreeMap<String, FieldValue>,
    problems: Vec<FieldProblem>,
}

impl Fields {
    /// No fields.
    #[must_use]
    pub const fn empty() -> Self {
        Self { values: BTreeMap::new(), problems: Vec::new() }
    }

    /// The fields of the JSON object in `bytes`.
    ///
    /// # Errors
    ///
    /// [`ApiError::NotJson`] if the bytes are not JSON, [`ApiError::Invalid`] if the JSON is not an object or has a
    /// duplicate field.
    pub fn parse(bytes: &[u8]) -> Result<Self, ApiError> {
        let unique: UniqueFields = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
            Category::Data => {
                ApiError::invalid("#".to_owned(), "must be a JSON object that names each field once")
            }
            Category::Io | Category::Syntax | Category::Eof => ApiError::NotJson("The body is not JSON."),
        })?;
        Ok(Self { values: unique.0, problems: Vec::new() })
    }

    /// Removes and returns the string `name`. If it is missing or not a string, records a problem for [`Self::finish`].
    pub fn text(&mut self, name: &'static str) -> Option<SecretString> {
        match self.values.remove(name) {
            Some(FieldValue::Text(text)) => Some(text),
            Some(_) => self.problem(name, "must be a string"),
            None => self.problem(name, "is missing"),
        }
    }

    /// Like [`Self::text`], but the field may be absent.
    pub fn optional_text(&mut self, name: &'static str) -> Option<SecretString> {
        if self.values.contains_key(name) { self.text(name) } else { None }
    }

    /// Removes and returns the address `email`. If it is missing or invalid, records a problem.
    pub fn email(&mut self) -> Option<EmailAddress> {
        match self.values.remove("email") {
            Some(FieldValue::Text(text)) => match text.expose_secret().parse() {
                Ok(address) => Some(address),
                Err(error) => self.problem("email", error.to_string()),
            },
            Some(_) => self.problem("email", "must be a string"),
            None => self.problem("email", "is missing"),
        }
    }

    /// Like [`Self::email`], but the field may be absent.
    pub fn optional_email(&mut self) -> Option<EmailAddress> {
        if self.values.contains_key("email") { self.email() } else { None }
    }

    /// Returns `values` if there were no problems.
    ///
    /// # Errors
    ///
    /// [`ApiError::Invalid`] with all problems.
    pub fn finish<T>(self, values: Option<T>) -> Result<T, ApiError> {
        match values {
            Some(values) if self.problems.is_empty() => Ok(values),
            _ => Err(ApiError::Invalid(self.problems)),
        }
    }

    fn problem<T>(&mut self, name: &str, detail: impl Into<String>) -> Option<T> {
        self.problems.push(FieldProblem { pointer: format!("#/{name}"), detail: detail.into() });
        None
    }
}

struct UniqueFields(BTreeMap<String, FieldValue>);

impl<'de> Deserialize<'de> for UniqueFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueFieldsVisitor)
    }
}

struct UniqueFieldsVisitor;

impl<'de> Visitor<'de> for UniqueFieldsVisitor {
    type Value = UniqueFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, FieldValue>()? {
            if fields.insert(name, value).is_some() {
                return Err(A::Error::custom("a duplicate field"));
            }
        }
        Ok(UniqueFields(fields))
    }
}

/// A field's value. All known fields are strings, so other values are only checked to be JSON. (`IgnoredAny` would accept lone surrogates
/// and invalid UTF-8.)
enum FieldValue {
    Text(SecretString),
    Other,
}

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldValueVisitor)
    }
}

struct FieldValueVisitor;

impl<'de> Visitor<'de> for FieldValueVisitor {
    type Value = FieldValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<FieldValue, E> {
        Ok(FieldValue::Text(text.into()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<FieldValue, E> {
        Ok(FieldValue::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<FieldValue, E> {
        Ok(FieldValue::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<FieldValue, E> {
        Ok(FieldValue::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<FieldValue, E> {
        Ok(FieldValue::Other)
    }

    fn visit_unit<E>(self) -> Result<FieldValue, E> {
        Ok(FieldValue::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<FieldValue, A::Error> {
        while elements.next_element::<FieldValue>()?.is_some() {}
        Ok(FieldValue::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<FieldValue, A::Error> {
        while entries.next_entry::<FieldValue, FieldValue>()?.is_some() {}
        Ok(FieldValue::Other)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    use super::*;

    fn parsed(bytes: &[u8]) -> Fields {
        let Ok(fields) = Fields::parse(bytes) else { panic!("refused") };
        fields
    }

    #[test]
    fn fields_are_kept_as_sent() {
        let mut fields = parsed(r#"{"password":" é\u0000 ","email":"A@b.de","other":[1]}"#.as_bytes());
        assert_eq!(fields.text("password").expect("there").expose_secret(), " é\0 ");
        assert_eq!(fields.email().expect("there").as_str(), "a@b.de");
        assert!(fields.finish(Some(())).is_ok());
    }

    #[test]
    fn all_problems_are_reported_together() {
        let mut fields = parsed(br#"{"email":["a@b.de"]}"#);
        let (email, token) = (fields.email(), fields.text("token"));
        let Err(ApiError::Invalid(problems)) = fields.finish(email.zip(token)) else { panic!("not refused") };
        let problems: Vec<(&str, &str)> =
            problems.iter().map(|p| (p.pointer.as_str(), p.detail.as_str())).collect();
        assert_eq!(problems, [("#/email", "must be a string"), ("#/token", "is missing")]);
    }

    #[test]
    fn json_of_the_wrong_shape_and_invalid_json_are_different_errors() {
        let deep = "[".repeat(10_000);
        for text in ["[]", "1", "\"x\"", "null", r#"{"a":1,"a":2}"#] {
            assert!(matches!(Fields::parse(text.as_bytes()), Err(ApiError::Invalid(_))), "{text}");
        }
        for text in [
            "{",
            "x",
            "{'a':1}",
            r#"{"a":1}x"#,
            r#"{"a":"\ud800"}"#,
            "{\"a\":\"\n\"}",
            &format!(r#"{{"a":{deep}"#),
            "NaN",
        ] {
            assert!(matches!(Fields::parse(text.as_bytes()), Err(ApiError::NotJson(_))), "{text:.20}");
        }
        for bytes in [&b"{\"a\":\"\xff\"}"[..], b"{\"a\":\"\xc0\x80\"}", b"\xef\xbb\xbf{}"] {
            assert!(matches!(Fields::parse(bytes), Err(ApiError::NotJson(_))), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_body_can_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in r#"[{}\[\]":,a-z0-9\\ ]{0,80}"#) {
            for body in [&bytes[..], text.as_bytes()] {
                if let Ok(mut fields) = Fields::parse(body) {
                    let _ = (fields.email(), fields.text("token"), fields.finish(Some(())).is_ok());
                }
            }
        }
    }
}
