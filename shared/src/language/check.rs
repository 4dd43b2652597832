//! What a file of messages must be, whether it is compiled in or the operator's.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Message, Pattern, PatternElement};
use fluent_syntax::parser::{self, ParserError};

use super::messages::DATE_VARIABLES;

/// The variables that are numbers, besides those of dates. A plural form may write its number as a word, so a choice by it is enough. All
/// other values must be shown.
const NUMBERS: [&str; 3] = ["count", "min", "max"];

/// The variables of each message of a file.
pub(super) type Variables<'s> = BTreeMap<&'s str, BTreeSet<&'s str>>;

/// The messages of a file. An error names the message.
pub(super) fn messages(source: &str) -> Result<Variables<'_>, String> {
    let resource = parser::parse(source).map_err(|(_, errors)| syntax(source, &errors))?;
    let mut messages = Variables::new();
    for entry in resource.body {
        match entry {
            Entry::Message(message) => {
                let (id, found) = (message.id.name, variables_of(&message)?);
                if messages.insert(id, found).is_some() {
                    return Err(format!("the message {id} is there twice"));
                }
            }
            Entry::Term(term) => return Err(format!("-{} is no message: terms are not used", term.id.name)),
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) | Entry::Junk { .. } => {}
        }
    }
    Ok(messages)
}

/// Whether `found` are messages of `english` with the same variables, and if `is_complete` all of them.
pub(super) fn compare(
    found: &Variables<'_>,
    english: &Variables<'_>,
    is_complete: bool,
) -> Result<(), String> {
    for (id, variables) in found {
        let Some(expected) = english.get(id) else { return Err(format!("there is no message {id}")) };
        // A language writes dates with those that it needs. Other messages need all.
        let is_date = *id == "date";
        if let Some(missing) = expected.difference(variables).next().filter(|_| !is_date) {
            return Err(format!("the message {id} lacks the variable ${missing}"));
        }
        let is_known = |name: &&str| expected.contains(name) || (is_date && DATE_VARIABLES.contains(name));
        if let Some(unknown) = variables.iter().find(|name| !is_known(name)) {
            return Err(format!("the message {id} has no variable ${unknown}"));
        }
    }
    match english.keys().find(|id| !found.contains_key(*id)) {
        Some(id) if is_complete => Err(format!("the message {id} is missing, and a new language needs all")),
        _ => Ok(()),
    }
}

/// Where the first error is, and what.
fn syntax(source: &str, errors: &[ParserError]) -> String {
    let Some(error) = errors.first() else { return "cannot be read".to_owned() };
    let line = source.bytes().take(error.pos.start).filter(|byte| *byte == b'\n').count() + 1;
    let entry = error.slice.clone().and_then(|slice| source.get(slice)).unwrap_or_default().trim_start();
    let id = entry
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
        .next()
        .unwrap_or_default();
    format!("the message {id} (line {line}) is not Fluent: {error}")
}

fn variables_of<'s>(message: &Message<&'s str>) -> Result<BTreeSet<&'s str>, String> {
    let mut found = BTreeSet::new();
    let problem = match &message.value {
        _ if !message.attributes.is_empty() => Err("must not have attributes"),
        None => Err("has no text"),
        Some(pattern) => add_variables(pattern, &mut found),
    };
    problem.map(|()| found).map_err(|problem| format!("the message {} {problem}", message.id.name))
}

fn add_variables<'s>(pattern: &Pattern<&'s str>, found: &mut BTreeSet<&'s str>) -> Result<(), &'static str> {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => check_text(value)?,
            PatternElement::Placeable { expression: Expression::Inline(inline) } => {
                found.insert(variable(inline)?);
            }
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                let number = variable(selector)?;
                if !NUMBERS.contains(&number) && !DATE_VARIABLES.contains(&number) {
                    return Err("may choose only by a number, such as $count");
                }
                found.insert(number);
                variants.iter().try_for_each(|variant| add_variables(&variant.value, found))?;
            }
        }
    }
    Ok(())
}

fn variable<'s>(inline: &InlineExpression<&'s str>) -> Result<&'s str, &'static str> {
    match inline {
        InlineExpression::VariableReference { id } => Ok(id.name),
        _ => Err("may have only variables in braces"),
    }
}

/// Messages are plain text: templates escape them, and people would read the markup. Marks of direction hide what is written, and a line
/// break would end a subject.
fn check_text(text: &str) -> Result<(), &'static str> {
    if text.contains(['<', '>', '&']) {
        return Err("must not have markup: none of <, > and &");
    }
    let is_invisible = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if text.chars().any(is_invisible) {
        return Err("must be on one line, without invisible characters");
    }
    Ok(())
}
