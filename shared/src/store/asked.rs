//! What is known of a caller who asks for a mail, in the rows of requests and orders.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Item, string};
use crate::api_key::Caller;
use crate::device::{Browser, Country, Device, System};
use crate::language::{Language, Languages};

/// The caller's language, if it is known and supported, and device, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The language.
    pub language: Option<Language>,
    /// Whether the caller is known to speak for the person: it has an API key, or a reset token. Anybody else may be a stranger, who chooses
    /// in which language the person gets a mail.
    pub is_trusted: bool,
    /// The device.
    pub device: Device,
}

impl Asked {
    /// What is known of `caller`, whose call has this `language` and `device`. The device of a caller with an API key is a back end's, which
    /// says nothing about the person.
    #[must_use]
    pub fn of(caller: &Caller, language: Option<Language>, device: Device) -> Self {
        match caller {
            Caller::Anonymous => Self { language, is_trusted: false, device },
            Caller::Trusted(_) => Self { language, is_trusted: true, device: Device::default() },
        }
    }

    /// What is known of this caller, else of `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let speaker = if self.language.is_some() { self } else { other };
        let device = if self.device == Device::default() { other.device } else { self.device };
        Self { device, ..speaker }
    }

    /// What a row stores of it: closed words, never a text of the caller's.
    pub(super) fn attributes(self) -> impl Iterator<Item = (&'static str, AttributeValue)> {
        let Device { browser, system, country } = self.device;
        let language = self.language.map(|language| {
            [
                ("language", string(language.code())),
                ("language_trusted", AttributeValue::Bool(self.is_trusted)),
            ]
        });
        let device = [
            browser.map(|browser| ("browser", string(browser.name()))),
            system.map(|system| ("system", string(system.name()))),
            country.map(|country| ("country", string(country.code()))),
        ];
        language.into_iter().flatten().chain(device.into_iter().flatten())
    }

    /// What a row says. An older version wrote less, and another one may know other words: what cannot be read is unknown.
    pub(super) fn from_item(item: &Item, languages: Languages) -> Self {
        let text = |name: &str| Some(item.get(name)?.as_s().ok()?.as_str());
        Self {
            language: text("language").and_then(|code| languages.from_code(code)),
            is_trusted: item.get("language_trusted") == Some(&AttributeValue::Bool(true)),
            device: Device {
                browser: text("browser").and_then(Browser::from_name),
                system: text("system").and_then(System::from_name),
                country: text("country").and_then(Country::from_code),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(asked: Asked) -> Item {
        asked.attributes().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn known() -> Asked {
        let device = Device {
            browser: Some(Browser::SamsungInternet),
            system: Some(System::Android),
            country: Country::from_code("KR"),
        };
        Asked::of(&Caller::Anonymous, Languages::default().from_code("ko"), device)
    }

    #[test]
    fn what_is_stored_is_read_again_and_what_is_unknown_takes_no_place() {
        let trusted = Asked { is_trusted: true, ..known() };
        for asked in [known(), trusted, Asked { language: None, ..known() }] {
            assert_eq!(Asked::from_item(&stored(asked), Languages::default()), asked);
        }
        assert_eq!(stored(Asked::default()), Item::new());
    }

    #[test]
    fn rows_of_older_and_newer_versions_are_read_as_far_as_they_are_known() {
        let mut row = stored(known());
        row.remove("browser");
        row.insert("system".to_owned(), string("Plan 9"));
        row.insert("country".to_owned(), AttributeValue::Bool(true));
        row.insert("language".to_owned(), string("tlh"));
        assert_eq!(Asked::from_item(&row, Languages::default()), Asked::default());
        row.insert("browser".to_owned(), string("<b>Chrome</b>"));
        row.insert("country".to_owned(), string("kr"));
        assert_eq!(Asked::from_item(&row, Languages::default()), Asked::default());
    }

    #[test]
    fn a_callers_language_and_device_count_before_another_callers() {
        let english = Asked { language: Languages::default().from_code("en"), ..Asked::default() };
        let both = english.or(known());
        assert_eq!((both.language, both.device), (english.language, known().device));
        assert_eq!(known().or(english), known());
        assert_eq!(Asked::default().or(known()), known());
    }

    #[test]
    fn the_device_of_a_back_end_is_not_the_persons() {
        let asked = Asked::of(&Caller::Trusted("crm".into()), known().language, known().device);
        assert_eq!((asked.device, asked.is_trusted), (Device::default(), true));
    }
}
