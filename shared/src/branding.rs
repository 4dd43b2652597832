//! What pages and mails show of the operator: name, colour, logo and links.

use std::fmt;
use std::str::FromStr;

/// The operator's branding.
#[derive(Clone, Debug)]
pub struct Branding {
    /// The service's name as its users know it.
    pub service_name: String,
    /// The background of buttons; `None` for the default.
    pub color: Option<Color>,
    /// The logo on the pages.
    pub logo_url: Option<String>,
    /// The sign-in page.
    pub sign_in_link: Option<String>,
    /// Where people get help: `https:` or `mailto:`.
    pub support_link: Option<String>,
}

impl Branding {
    /// The background of buttons in mails, the same in light and dark mode.
    #[must_use]
    pub fn button(&self) -> Color {
        self.color.unwrap_or(Color { red: 0x1a, green: 0x4f, blue: 0xd6 })
    }

    /// The support link as displayed, without `mailto:`.
    #[must_use]
    pub fn support_text(&self) -> Option<&str> {
        self.support_link.as_deref().map(|link| link.strip_prefix("mailto:").unwrap_or(link))
    }
}

/// A colour in sRGB, written `#rrggbb` or, since an unquoted `#` begins a comment in YAML and in shells, `rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    red: u8,
    green: u8,
    blue: u8,
}

impl Color {
    const BLACK: Self = Self { red: 0, green: 0, blue: 0 };
    const WHITE: Self = Self { red: 255, green: 255, blue: 255 };

    /// Black or white, whichever has the higher contrast with this colour. The contrast is at least 4.58:1, so every colour meets WCAG
    /// 2.2's criterion 1.4.3 (4.5:1).
    #[must_use]
    pub fn text(self) -> Self {
        let contrast = |other| self.contrast(other);
        if contrast(Self::WHITE) >= contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// The contrast ratio, 1 to 21 (WCAG 2.2, "contrast ratio").
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Relative luminance, 0 to 1 (WCAG 2.2, "relative luminance").
    fn luminance(self) -> f64 {
        let linear = |channel: u8| match f64::from(channel) / 255.0 {
            value if value <= 0.04045 => value / 12.92,
            value => ((value + 0.055) / 1.055).powf(2.4),
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

/// A text is not a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a colour of the form #rrggbb or rrggbb, such as 1a4fd6")]
pub struct ParseColorError;

impl FromStr for Color {
    type Err = ParseColorError;

    fn from_str(text: &str) -> Result<Self, ParseColorError> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        // `from_str_radix` alone would accept a sign.
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ParseColorError);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| ParseColorError)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self { red, green, blue })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_has_six_digits_with_or_without_a_hash() {
        for right in ["#1A4fd6", "1a4fd6"] {
            assert_eq!(right.parse::<Color>().map(|color| color.to_string()), Ok("#1a4fd6".to_owned()));
        }
        for wrong in
            ["", "##a4fd6", "##1a4fd6", "1a4fd", "#1a4fd", "#1a4fd6f", "#+a4fd6", "#é4fd6", "red", "#1a4fd6;"]
        {
            assert_eq!(wrong.parse::<Color>(), Err(ParseColorError), "{wrong}");
        }
    }

    #[test]
    fn text_has_enough_contrast_on_every_colour() {
        for (red, green, blue) in (0..=255u8).step_by(5).flat_map(|red| {
            (0..=255)
                .step_by(5)
                .flat_map(move |green| (0..=255).step_by(5).map(move |blue| (red, green, blue)))
        }) {
            let color = Color { red, green, blue };
            assert!(color.contrast(color.text()) >= 4.5, "{color}");
        }
        assert_eq!("#1a4fd6".parse::<Color>().map(Color::text), Ok(Color::WHITE));
        assert_eq!("#ffd400".parse::<Color>().map(Color::text), Ok(Color::BLACK));
    }
}
