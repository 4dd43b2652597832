//! Conditions that a row must meet to count as an account: a table may also hold deleted and pending users, and rows of other kinds.

use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;

use super::super::{Item, string};

/// One condition. An attribute of the type NULL counts as absent: that is how many applications write "none".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The attribute's name.
    pub name: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    /// `name=value`.
    Equals(String),
    /// `name!=value`. An absent attribute differs.
    Differs(String),
    /// `name`.
    Present,
    /// `!name`.
    Absent,
}

/// A text is no condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a list, separated by commas, of name=value, name!=value, name (present) or !name (absent)")]
pub struct ParseConditionError;

impl FromStr for Condition {
    type Err = ParseConditionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, kind) = match text.split_once('=') {
            Some((name, value)) if !value.is_empty() => match name.strip_suffix('!') {
                Some(name) => (name, Test::Differs(value.to_owned())),
                None => (name, Test::Equals(value.to_owned())),
            },
            Some(_) => return Err(ParseConditionError),
            None => match text.strip_prefix('!') {
                Some(name) => (name, Test::Absent),
                None => (text, Test::Present),
            },
        };
        let name = name.trim();
        if name.is_empty() || name.contains('!') {
            return Err(ParseConditionError);
        }
        Ok(Self { name: name.to_owned(), test: kind })
    }
}

impl Condition {
    /// Whether the row `item` meets it.
    pub(super) fn is_met_by(&self, item: &Item) -> bool {
        let stored = item.get(&self.name).filter(|value| !value.is_null());
        match &self.test {
            Test::Equals(text) => stored.is_some_and(|stored| values(text).contains(stored)),
            Test::Differs(text) => stored.is_none_or(|stored| !values(text).contains(stored)),
            Test::Present => stored.is_some(),
            Test::Absent => stored.is_none(),
        }
    }

    /// The same as a condition of a write on the attribute `name`, a placeholder, and the values of its own placeholders, which begin with
    /// `prefix`.
    pub(super) fn expression(&self, name: &str, prefix: &str) -> (String, Vec<(String, AttributeValue)>) {
        let is_null = format!("attribute_type({name}, {prefix}null)");
        let null = (format!("{prefix}null"), string("NULL"));
        let listed = |text: &str| {
            let values = values(text).into_iter().enumerate();
            let values: Vec<_> = values.map(|(index, value)| (format!("{prefix}v{index}"), value)).collect();
            let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
            (names.join(", "), values)
        };
        match &self.test {
            Test::Equals(text) => {
                let (names, values) = listed(text);
                (format!("{name} IN ({names})"), values)
            }
            Test::Differs(text) => {
                let (names, values) = listed(text);
                (format!("(attribute_not_exists({name}) OR NOT {name} IN ({names}))"), values)
            }
            Test::Present => (format!("attribute_exists({name}) AND NOT {is_null}"), vec![null]),
            Test::Absent => (format!("(attribute_not_exists({name}) OR {is_null})"), vec![null]),
        }
    }
}

/// The attribute values that match a configured text: the string, and the Boolean or number with the same spelling.
fn values(text: &str) -> Vec<AttributeValue> {
    let mut values = vec![string(text)];
    values.extend(text.parse().ok().map(AttributeValue::Bool));
    values.extend(text.parse::<i64>().ok().map(|number| AttributeValue::N(number.to_string())));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_condition_is_met_by_what_it_says() {
        let (active, banned) = (Some(string("active")), Some(string("banned")));
        let (null, yes, no) = (
            Some(AttributeValue::Null(true)),
            Some(AttributeValue::Bool(true)),
            Some(AttributeValue::Bool(false)),
        );
        let one = Some(AttributeValue::N("1".to_owned()));
        for (text, met, unmet) in [
            ("n=active", vec![active.clone()], vec![banned.clone(), null.clone(), None]),
            ("n!=banned", vec![active.clone(), null.clone(), None], vec![banned.clone()]),
            ("n", vec![active.clone(), no.clone()], vec![null.clone(), None]),
            ("!n", vec![null.clone(), None], vec![active, no.clone()]),
            ("n=true", vec![yes.clone(), Some(string("true"))], vec![no, one.clone(), None]),
            ("n=1", vec![one, Some(string("1"))], vec![yes, None]),
            ("n=a=b", vec![Some(string("a=b"))], vec![Some(string("a")), None]),
        ] {
            let condition: Condition = text.parse().expect(text);
            assert_eq!(condition.name, "n");
            for (values, is_met) in [(met, true), (unmet, false)] {
                for value in values {
                    let item: Item = value.iter().map(|value| ("n".to_owned(), value.clone())).collect();
                    assert_eq!(condition.is_met_by(&item), is_met, "{text} {value:?}");
                }
            }
        }
    }

    #[test]
    fn a_text_that_is_no_condition_is_refused() {
        for text in ["", "=", "=a", "!", "!=a", "n=", "n!=", "!!n", "!n=a", " "] {
            assert_eq!(text.parse::<Condition>(), Err(ParseConditionError), "{text:?}");
        }
    }
}
