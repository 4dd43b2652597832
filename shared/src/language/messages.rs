//! The messages of pages and mails in one language.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use time::OffsetDateTime;

use super::Language;
use crate::clock::Timestamp;

/// The variables of the message `date`.
pub(super) const DATE_VARIABLES: [&str; 6] = ["year", "month", "day", "hour", "short-hour", "minute"];

/// The messages of one language, and the values of their variables. They are plain text: templates escape them for HTML.
pub struct Messages {
    language: Language,
    bundle: FluentBundle<FluentResource>,
    values: FluentArgs<'static>,
}

impl Messages {
    /// The messages of `language`. Parses its file, which takes well under a millisecond.
    #[must_use]
    pub fn new(language: Language) -> Self {
        let mut bundle = FluentBundle::new(vec![language.0.identifier.clone()]);
        // No isolation marks around every value: spam filters suspect invisible characters.
        bundle.set_use_isolating(false);
        for source in language.sources() {
            // A resource with errors still has the messages that parsed. A test, or the check at the start, finds errors.
            let resource = FluentResource::try_new(source.to_owned());
            bundle.add_resource_overriding(resource.unwrap_or_else(|(resource, _)| resource));
        }
        Self { language, bundle, values: FluentArgs::new() }
    }

    /// Sets the variable `$name` to `value`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<FluentValue<'static>>) -> Self {
        self.values.set(name, value);
        self
    }

    /// Sets the variable `$service` to the service's name.
    #[must_use]
    pub fn with_service(self, name: &str) -> Self {
        let name = self.isolated(name);
        self.with("service", name)
    }

    /// The name as it stands in a text of this language. In one from right to left it is isolated if it does not begin and end with a letter:
    /// `7-Eleven` would be displayed as `Eleven-7`, and `Yahoo!` as `!Yahoo`.
    fn isolated(&self, name: &str) -> String {
        let has_letters_at_both_ends =
            name.starts_with(char::is_alphabetic) && name.ends_with(char::is_alphabetic);
        match self.dir() {
            "rtl" if !has_letters_at_both_ends => format!("\u{2068}{name}\u{2069}"),
            _ => name.to_owned(),
        }
    }

    /// The variable `$service`.
    #[must_use]
    pub fn service(&self) -> &str {
        match self.values.get("service") {
            Some(FluentValue::String(name)) => name,
            _ => "",
        }
    }

    /// The value of the HTML attribute `lang`.
    #[must_use]
    pub fn lang(&self) -> &'static str {
        self.language.code()
    }

    /// The value of the HTML attribute `dir`.
    #[must_use]
    pub fn dir(&self) -> &'static str {
        self.language.direction()
    }

    /// The name of a country or region, as [`Language::country`].
    #[must_use]
    pub fn country(&self, code: &str) -> Option<&'static str> {
        self.language.country(code)
    }

    /// The message `id`, or the id itself if there is no such message. A test finds missing messages.
    #[must_use]
    pub fn say(&self, id: &str) -> String {
        self.format(id, &self.values)
    }

    /// The message `id`, whose one variable is `variable`, about `name`.
    #[must_use]
    pub fn say_of(&self, id: &str, variable: &'static str, name: &str) -> String {
        self.format(id, &FluentArgs::from_iter([(variable, self.isolated(name))]))
    }

    fn format(&self, id: &str, values: &FluentArgs<'_>) -> String {
        let pattern = self.bundle.get_message(id).and_then(|message| message.value());
        pattern.map_or_else(
            || id.to_owned(),
            |pattern| self.bundle.format_pattern(pattern, Some(values), &mut Vec::new()).into_owned(),
        )
    }

    /// Sets the variable `$name` to `at` in UTC, in the language's date format.
    #[must_use]
    pub fn with_date(self, name: &'static str, at: Timestamp) -> Self {
        let seconds = i64::try_from(at.as_seconds()).unwrap_or_default();
        let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let messages = self
            .with("year", at.year())
            .with("month", u8::from(at.month()))
            .with("day", at.day())
            .with("hour", format!("{:02}", at.hour()))
            .with("short-hour", at.hour())
            .with("minute", format!("{:02}", at.minute()));
        let date = messages.say("date");
        messages.with(name, date)
    }
}
