//! The device that a call came from, in closed words: what a mail says of whoever asked for it. `User-Agent` is a stranger's text. All that
//! they can choose is one of these words, or none.

/// What is known of a device. It is what the device says of itself, and proves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// The browser.
    pub browser: Option<Browser>,
    /// The operating system.
    pub system: Option<System>,
    /// The country that the call came from.
    pub country: Option<Country>,
}

/// An enum with a name for each variant, the same in mails and in rows.
macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names say it")]
        pub enum $type { $($variant),+ }

        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name, which is not translated.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The one with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

named! {
    /// A family of browsers.
    Browser {
        Chrome = "Chrome",
        DuckDuckGo = "DuckDuckGo",
        Edge = "Edge",
        Firefox = "Firefox",
        Opera = "Opera",
        Safari = "Safari",
        SamsungInternet = "Samsung Internet",
        Vivaldi = "Vivaldi",
        Yandex = "Yandex Browser",
    }
}

named! {
    /// A family of operating systems.
    System {
        Android = "Android",
        ChromeOs = "ChromeOS",
        Ios = "iOS",
        Linux = "Linux",
        MacOs = "macOS",
        Windows = "Windows",
    }
}

/// The code of a country or region (ISO 3166-1 alpha-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country([u8; 2]);

impl Country {
    /// The country with this code, two letters in upper case.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let letters: [u8; 2] = code.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        // Letters of ASCII are UTF-8.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Device {
    /// What `User-Agent` says: products with their versions, and comments in parentheses (RFC 9110 section 10.1.5), the first of which names the
    /// system.
    #[must_use]
    pub fn from_user_agent(text: &str) -> Self {
        let (before, rest) = text.split_once('(').unwrap_or((text, ""));
        let pieces = rest.split('(').map(|piece| piece.split_once(')').unwrap_or((piece, "")));
        let system = pieces.clone().next().and_then(|(comment, _)| system(comment));
        let products = pieces.flat_map(|(_, products)| products.split_ascii_whitespace());
        // Elsewhere, Safari's products are those of an older browser.
        let is_apples = matches!(system, Some(System::Ios | System::MacOs));
        let browser = browser(before.split_ascii_whitespace().chain(products))
            .filter(|&browser| browser != Browser::Safari || is_apples);
        Self { browser, system, country: None }
    }
}

/// The system in the first comment, such as `X11; Linux x86_64` or `Linux; Android 10; K`.
fn system(comment: &str) -> Option<System> {
    let known = [
        ("Android", System::Android),
        ("CrOS", System::ChromeOs),
        ("iPad", System::Ios),
        ("iPhone", System::Ios),
        ("iPod", System::Ios),
        ("Macintosh", System::MacOs),
        ("Windows NT", System::Windows),
        // Last: Android is one, too.
        ("Linux", System::Linux),
    ];
    let has = |name: &str| {
        let mut parts = comment.split(';').filter_map(|part| part.trim().strip_prefix(name));
        parts.any(|version| version.is_empty() || version.starts_with(' '))
    };
    known.into_iter().find_map(|(name, system)| has(name).then_some(system))
}

/// The browser of which these are all products. A product that is not known here may be the name of another browser: many have Chrome's
/// products or Safari's besides their own.
fn browser<'t>(products: impl Iterator<Item = &'t str>) -> Option<Browser> {
    let (mut own, mut has_chrome, mut has_safari, mut has_version) = (None, false, false, false);
    for product in products {
        match product.split_once('/').map_or(product, |(name, _)| name) {
            "Mozilla" | "AppleWebKit" | "Gecko" | "Mobile" => {}
            "Chrome" => has_chrome = true,
            "Safari" => has_safari = true,
            "Version" => has_version = true,
            name => {
                let browser = browser_with_product(name)?;
                if own.replace(browser).is_some_and(|other| other != browser) {
                    return None;
                }
            }
        }
    }
    own.or(match (has_chrome, has_version, has_safari) {
        (true, false, true) => Some(Browser::Chrome),
        // With a version, Chrome's products are those of an app that shows a page.
        (false, true, true) => Some(Browser::Safari),
        _ => None,
    })
}

/// The browser that has a product of this name, and no other browser has.
fn browser_with_product(name: &str) -> Option<Browser> {
    Some(match name {
        "CriOS" => Browser::Chrome,
        "Ddg" | "DuckDuckGo" => Browser::DuckDuckGo,
        "Edg" | "EdgA" | "EdgiOS" => Browser::Edge,
        "Firefox" | "FxiOS" => Browser::Firefox,
        "OPR" | "OPT" | "OPX" => Browser::Opera,
        "SamsungBrowser" => Browser::SamsungInternet,
        "Vivaldi" => Browser::Vivaldi,
        "YaBrowser" | "Yowser" => Browser::Yandex,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(user_agent: &str) -> String {
        let Device { browser, system, country } = Device::from_user_agent(user_agent);
        assert_eq!(country, None);
        let names = [browser.map(Browser::name), system.map(System::name)];
        names.map(Option::unwrap_or_default).join(", ")
    }

    #[test]
    fn the_browsers_and_systems_of_most_people_are_known() {
        for (user_agent, expected) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
                "Chrome, Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
                "Chrome, Android",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
                "Chrome, ChromeOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1",
                "Chrome, iOS",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141 Version/11.1.1 Safari/605.1.15",
                "Chrome, macOS",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.3537.57",
                "Edge, Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; HD1913) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.7390.43 Mobile Safari/537.36 EdgA/140.0.3485.98",
                "Edge, Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 EdgiOS/141.3537.61 Mobile/15E148 Safari/605.1.15",
                "Edge, iOS",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                "Safari, macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari, iOS",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1",
                "Safari, iOS",
            ),
            (
                "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
                "Firefox, Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
                "Firefox, Windows",
            ),
            ("Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0", "Firefox, Android"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 15_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/143.0 Mobile/15E148 Safari/605.1.15",
                "Firefox, iOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
                "Samsung Internet, Android",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0",
                "Opera, Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 YaBrowser/25.8.0 Yowser/2.5 Safari/537.36",
                "Yandex Browser, Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15 Ddg/18.6",
                "DuckDuckGo, macOS",
            ),
        ] {
            assert_eq!(said(user_agent), expected, "{user_agent}");
        }
    }

    #[test]
    fn what_is_not_known_for_sure_is_not_said() {
        for (user_agent, expected) in [
            // A browser with Chrome's products and one of its own, and a page in an app.
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Whale/4.33 Safari/537.36",
                ", Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/141.0.0.0 Mobile Safari/537.36",
                ", Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS]",
                ", iOS",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36",
                ", Linux",
            ),
            ("Mozilla/5.0 (Windows NT 10.0; rv:143.0) Gecko/20100101 Firefox/143.0 Edg/141.0", ", Windows"),
            ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", ", Windows"),
            ("Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9)", ", Android"),
            (
                "Mozilla/5.0 (Linux; U; Android 4.0.3; de-de) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
                ", Android",
            ),
            // Back ends and tools.
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", ", "),
            ("curl/8.14.1", ", "),
            ("python-requests/2.32.5", ", "),
            ("Apache-HttpClient/4.5.14 (Java/21.0.8)", ", "),
            ("Wget/1.21 (linux-gnu)", ", "),
            ("Vercel Edge Functions", ", "),
            ("Amazon CloudFront", ", "),
            ("node", ", "),
            // Neither text is a browser's.
            ("Chrome", ", "),
            ("Your account is locked, call +1 555 0100 (Windows NT 10.0; Chrome)", ", Windows"),
            ("", ", "),
            ("(", ", "),
            (")(;)(", ", "),
            ("?", ", "),
        ] {
            assert_eq!(said(user_agent), expected, "{user_agent}");
        }
    }

    #[test]
    fn a_country_has_two_letters() {
        assert_eq!(Country::from_code("DE").map(|country| country.code().to_owned()), Some("DE".to_owned()));
        for wrong in ["", "D", "de", "DEU", "D1", "Ä", "D\n", "<>"] {
            assert_eq!(Country::from_code(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_name_is_read_again_and_stays_in_order_from_right_to_left() {
        assert!(Browser::ALL.iter().all(|&browser| Browser::from_name(browser.name()) == Some(browser)));
        assert!(System::ALL.iter().all(|&system| System::from_name(system.name()) == Some(system)));
        let mut names = Browser::ALL
            .iter()
            .map(|browser| browser.name())
            .chain(System::ALL.iter().map(|system| system.name()));
        assert!(names.all(|name| name.chars().all(|letter| letter.is_ascii_alphabetic() || letter == ' ')));
    }

    proptest! {
        #[test]
        fn no_text_can_panic(text in "\\PC{0,200}|([A-Za-z/0-9.]{0,12}[ ();]{0,3}){0,20}") {
            let _ = Device::from_user_agent(&text);
        }
    }
}
