//! The fields of a JSON body. Duplicate names are refused: another parser could see another value.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::{ApiError, FieldProblem};
use crate::email::EmailAddress;

/// The fields of a JSON object. Holds secrets, so it has no `Debug`.
#[must_use = "problems are only reported by `finish`"]
pub struct Fields {
    /// The texts. All known fields are texts, so other values are only checked to be JSON.
    values: BTreeMap<String, Option<SecretString>>,
    problems: Vec<FieldProblem>,
}

impl Fields {
    /// No fields.
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
        const NOT_JSON: ApiError = ApiError::NotJson("The body is not JSON.");
        let members: UniqueMembers =
            serde_json::from_slice(bytes).map_err(|error| match error.classify() {
                Category::Data => {
                    ApiError::invalid("#".to_owned(), "must be a JSON object that names each field once")
                }
                Category::Io | Category::Syntax | Category::Eof => NOT_JSON,
            })?;
        if !members.are_unicode {
            return Err(NOT_JSON);
        }
        Ok(Self { values: members.values, problems: Vec::new() })
    }

    /// Removes and returns the string `name`. If it is missing or not a string, records a problem for [`Self::finish`].
    pub fn text(&mut self, name: &'static str) -> Option<SecretString> {
        match self.values.remove(name) {
            Some(Some(text)) => Some(text),
            Some(None) => self.problem(name, "must be a string"),
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
            Some(Some(text)) => match text.expose_secret().parse() {
                Ok(address) => Some(address),
                Err(error) => self.problem("email", error.to_string()),
            },
            Some(None) => self.problem("email", "must be a string"),
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

/// A JSON object that names each member once.
struct UniqueMembers {
    values: BTreeMap<String, Option<SecretString>>,
    /// Whether each text is Unicode: a lone surrogate is not.
    are_unicode: bool,
}

impl<'de> Deserialize<'de> for UniqueMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueMembersVisitor)
    }
}

struct UniqueMembersVisitor;

impl<'de> Visitor<'de> for UniqueMembersVisitor {
    type Value = UniqueMembers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = UniqueMembers { values: BTreeMap::new(), are_unicode: true };
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            let is_text = value.get().starts_with('"');
            let text = is_text.then(|| serde_json::from_str::<String>(value.get()));
            members.are_unicode &= !matches!(text, Some(Err(_)));
            let text = text.and_then(Result::ok).map(SecretString::from);
            if members.values.insert(name, text).is_some() {
                return Err(A::Error::custom("a duplicate member"));
            }
        }
        Ok(members)
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
