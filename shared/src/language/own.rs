//! The operator's own words: files in the directory `MESSAGES_DIR`, named like those of `languages/` and checked by the same rules. A file
//! for a language that is there (`de.ftl`) replaces single messages. A file for a region of one (`de-AT.ftl`) is a language that has the other
//! messages from it. A file for a new language (`nl.ftl`) must have all messages: one that had only some would be shown half in English.

use std::path::Path;
use std::{fs, io};

use super::{Data, ENGLISH, Languages, check, tag};

/// A file's name and text.
pub type File = (String, String);

/// The files `*.ftl` in `directory`. `main.rs` passes this on: nothing else reads files.
///
/// # Errors
///
/// [`io::Error`] with the name of the file that cannot be read.
pub fn read_directory(directory: &str) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(Path::new(directory))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        // Hidden files, such as macOS's `._de.ftl`, are nobody's words.
        if path.extension().is_some_and(|extension| extension == "ftl") && !name.starts_with('.') {
            let text = fs::read_to_string(path);
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{name}: {error}"));
            files.push((name.clone(), text.map_err(named)?));
        }
    }
    Ok(files)
}

impl Languages {
    /// These languages with the messages and languages of `files`, which stay in memory as long as the process.
    ///
    /// # Errors
    ///
    /// What is wrong with which file and message.
    pub fn with_own(self, mut files: Vec<File>) -> Result<Self, String> {
        if files.is_empty() {
            return Err("has no file such as de.ftl".to_owned());
        }
        let english = check::messages(ENGLISH)?;
        // A language before its regions.
        files.sort_by(|(one, _), (other, _)| code_of(one).cmp(code_of(other)));
        let mut languages = self.0.to_vec();
        for (name, text) in files {
            let with_name = |problem: String| format!("has a file {name}: {problem}");
            let (code, text): (&str, &str) = (code_of(&name), &*text.leak());
            // Subtags for languages are shorter than their names, such as "german".
            let identifier = tag::parse(code).filter(|tag| tag.language.as_str().len() <= 3);
            let identifier = identifier.ok_or_else(|| with_name("that is no language".to_owned()))?;
            if identifier != code {
                return Err(with_name(format!("it must be called {identifier}.ftl")));
            }
            let own = languages.iter().position(|language| language.code == code);
            let base = own.or_else(|| {
                let base = self.negotiate(std::slice::from_ref(&identifier))?;
                languages.iter().position(|language| language.code == base.code())
            });
            let found = check::messages(text).map_err(with_name)?;
            check::compare(&found, &english, base.is_none()).map_err(with_name)?;
            let mut data = base.map(|base| languages[base].clone()).unwrap_or_default();
            data.own.push(text);
            match own {
                Some(own) => languages[own] = data,
                None => languages.push(Data { code: code.to_owned().leak(), identifier, ..data }),
            }
        }
        Ok(Self(languages.leak()))
    }
}

fn code_of(name: &str) -> &str {
    name.strip_suffix(".ftl").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Language, Messages};

    fn with(files: &[(&str, &str)]) -> Result<Languages, String> {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Languages::default().with_own(files.collect())
    }

    fn say(languages: Languages, code: &str, id: &str) -> String {
        let language = languages.from_code(code).expect("a language");
        Messages::new(language).with_service("S").with("when", "W").say(id)
    }

    /// All messages of English, as a file of another language.
    fn complete() -> String {
        ENGLISH.replace("mail-greeting = Hello,", "mail-greeting = Hallo,")
    }

    #[test]
    fn a_file_replaces_single_messages_of_a_language() {
        let languages = with(&[("de.ftl", "# Ours\nmail-greeting = Moin,\n")]).expect("languages");
        assert_eq!(say(languages, "de", "mail-greeting"), "Moin,");
        assert_eq!(say(languages, "de", "reset-when"), "Angefordert: W");
        assert_eq!(say(languages, "en", "mail-greeting"), "Hello,");
        assert_eq!(languages.all().count(), Languages::default().all().count());
        assert_eq!(
            say(Languages::default(), "de", "mail-greeting"),
            "Guten Tag,",
            "those that are compiled in stay"
        );
    }

    #[test]
    fn a_region_has_the_other_messages_from_its_language_with_the_operators_words() {
        let files = [("de-AT.ftl", "mail-greeting = Grüß Gott,"), ("de.ftl", "reset-when = Am { $when }")];
        let languages = with(&files).expect("languages");
        assert_eq!(say(languages, "de-AT", "mail-greeting"), "Grüß Gott,");
        assert_eq!(say(languages, "de-AT", "reset-when"), "Am W");
        for (header, expected) in
            [("de-AT", "de-AT"), ("de-CH", "de"), ("de", "de"), ("de_AT.UTF-8", "de-AT")]
        {
            let found = [languages.from_accept_language(header), languages.from_locale(header)];
            assert_eq!(found.map(|language| language.map(Language::code)), [Some(expected); 2], "{header}");
        }
    }

    #[test]
    fn a_new_language_is_chosen_like_the_others_and_needs_every_message() {
        let languages = with(&[("nl.ftl", &complete()), ("he.ftl", &complete())]).expect("languages");
        assert_eq!(say(languages, "nl", "mail-greeting"), "Hallo,");
        assert_eq!(languages.from_accept_language("nl-BE, de;q=0.5").map(Language::code), Some("nl"));
        assert_eq!(languages.from_locale("iw_IL").map(Language::direction), Some("rtl"));
        assert_eq!(Languages::default().from_locale("nl"), None);
        let date = Messages::new(languages.from_code("nl").expect("Dutch"));
        let date = date.with_date("when", crate::clock::Timestamp::from_millis(0)).say("reset-when");
        assert_eq!(date, "Requested: 1 January 1970 at 00:00 UTC");
    }

    #[test]
    fn an_error_names_the_file_and_the_message() {
        let short = complete().replace("choose-retry = Try again\n", "");
        for (file, text, expected) in [
            ("de.ftl", "reset-wen = Um { $when }", "has a file de.ftl: there is no message reset-wen"),
            (
                "de.ftl",
                "reset-when = Gerade eben",
                "has a file de.ftl: the message reset-when lacks the variable $when",
            ),
            (
                "de.ftl",
                "mail-greeting = Hallo { $name },",
                "has a file de.ftl: the message mail-greeting has no variable $name",
            ),
            (
                "de.ftl",
                "date = { $day }. { $moon }",
                "has a file de.ftl: the message date has no variable $moon",
            ),
            (
                "de.ftl",
                "mail-greeting = <b>Hallo</b>",
                "has a file de.ftl: the message mail-greeting must not have markup: none of <, > and &",
            ),
            (
                "de.ftl",
                "mail-greeting = Hallo&nbsp;",
                "has a file de.ftl: the message mail-greeting must not have markup: none of <, > and &",
            ),
            (
                "de.ftl",
                "reset-hours = { $count ->\n [one] <i>\n *[other] { $count }\n }",
                "has a file de.ftl: the message reset-hours must not have markup: none of <, > and &",
            ),
            (
                "de.ftl",
                "mail-greeting = Hallo\u{202e}",
                "has a file de.ftl: the message mail-greeting must be on one line, without invisible characters",
            ),
            (
                "de.ftl",
                "mail-greeting =\n    Hallo\n    Bcc: x",
                "has a file de.ftl: the message mail-greeting must be on one line, without invisible characters",
            ),
            (
                "de.ftl",
                "mail-greeting = { page-failed }",
                "has a file de.ftl: the message mail-greeting may have only variables in braces",
            ),
            (
                "de.ftl",
                "mail-greeting = { \"\\u003c\" }",
                "has a file de.ftl: the message mail-greeting may have only variables in braces",
            ),
            (
                "de.ftl",
                "reset-when = { DATETIME($when) }",
                "has a file de.ftl: the message reset-when may have only variables in braces",
            ),
            (
                "de.ftl",
                "reset-when = { $when ->\n *[other] Eben\n }",
                "has a file de.ftl: the message reset-when may choose only by a number, such as $count",
            ),
            (
                "de.ftl",
                "mail-greeting = Hallo\n .title = x",
                "has a file de.ftl: the message mail-greeting must not have attributes",
            ),
            (
                "de.ftl",
                "mail-greeting = A\nmail-greeting = B",
                "has a file de.ftl: the message mail-greeting is there twice",
            ),
            ("de.ftl", "-brand = Shop", "has a file de.ftl: -brand is no message: terms are not used"),
            (
                "nl.ftl",
                &short,
                "has a file nl.ftl: the message choose-retry is missing, and a new language needs all",
            ),
            (
                "nl.ftl",
                "",
                "has a file nl.ftl: the message advice-common is missing, and a new language needs all",
            ),
            ("Deutsch.ftl", "", "has a file Deutsch.ftl: that is no language"),
            ("de_AT.ftl", "", "has a file de_AT.ftl: it must be called de-AT.ftl"),
            ("zh-TW.ftl", "", "has a file zh-TW.ftl: it must be called zh-Hant-TW.ftl"),
            ("../de.ftl", "", "has a file ../de.ftl: that is no language"),
        ] {
            assert_eq!(with(&[(file, text)]).err().as_deref(), Some(expected), "{file} {text}");
        }
        assert_eq!(with(&[]).err().as_deref(), Some("has no file such as de.ftl"));
        let problem = with(&[("de.ftl", "mail-greeting = Hallo\n\nreset-when = { $when\nmail-support = x")]);
        let problem = problem.expect_err("a syntax error");
        assert!(problem.starts_with("has a file de.ftl: the message reset-when (line "), "{problem}");
    }

    proptest::proptest! {
        #[test]
        fn no_file_can_panic(name in "[a-zA-Z-]{0,12}(\\.ftl)?", text in "\\PC{0,200}|([a-z-]{0,9}|[={}$.*\\[\\]<\n -]{0,4}){0,40}") {
            let _ = with(&[(&name, &text)]);
        }
    }
}
