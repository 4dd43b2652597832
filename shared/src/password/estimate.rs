//! How hard a password is to guess, by zxcvbn, at a bounded cost: anonymous callers can have passwords checked.
//!
//! zxcvbn's time grows with the square of the length, and with the number of ways in which symbols and digits may stand for letters: `1` for
//! *i* or *l*, `@` or `4` for *a*. 21 such characters take 40 times as long as an ordinary passphrase. (zxcvbn-ts limits them, too:
//! `l33tMaxSubstitutions`.) So zxcvbn gets only as many of a password's first characters as cost a certain number of steps, and, if these
//! score too low, as many of its last. Guessing the whole includes guessing each part, so the whole is at least as hard: the higher score
//! counts.

use zxcvbn::matching::patterns::MatchPattern;
use zxcvbn::{Entropy, Score, zxcvbn};

use crate::email::EmailAddress;

/// The lowest score accepted: "safely unguessable", at least 10^8 guesses.
const MIN_SCORE: Score = Score::Three;

/// The same as a logarithm of guesses.
const MIN_GUESSES_LOG10: usize = 8;

/// The most characters that zxcvbn gets at once.
const MAX_PART: usize = 29;

/// The fewest, of a longer password: so many that nobody guesses score high enough. Symbols beyond the steps are then replaced.
const MIN_PART: usize = 12;

/// The most steps for one part. A step is a dictionary's look-up of a piece of the password: zxcvbn looks up every piece, forwards, backwards
/// and once for each way to read the symbols. 29 letters take 1,305. The dearest password has both parts estimated, each also as letters: 4.3
/// times the steps of "correct horse battery staple". Of 25 dear passwords of 128 characters (words in symbols, only symbols, dates), none
/// took more than 2.4 times its instructions (valgrind's callgrind, optimised as in a release).
const MAX_STEPS: usize = 1_305;

/// How many characters of a word may be left of it where a password was cut. zxcvbn's dictionaries have few longer words.
const MAX_FRAGMENT: usize = 12;

/// The characters that zxcvbn reads as a letter, for each letter (`L33T_TABLE` of zxcvbn 3.1.1).
const LETTERS: [(char, &str); 12] = [
    ('a', "4@"),
    ('b', "8"),
    ('c', "({[<"),
    ('e', "3"),
    ('g', "69"),
    ('i', "1!|"),
    ('l', "1|7"),
    ('o', "0"),
    ('s', "$5"),
    ('t', "+7"),
    ('x', "%"),
    ('z', "2"),
];

/// Symbols that zxcvbn reads as nothing else.
const NEUTRAL: [char; 8] = ['^', '&', '*', ')', '=', ';', '~', '?'];

/// The two parts of a password that may be estimated.
#[derive(Clone, Copy)]
enum Side {
    First,
    Last,
}

/// What zxcvbn gets of a password.
struct Part {
    text: String,
    /// Whether there is more of the password.
    is_cut: bool,
    /// Whether it has fewer than [`MAX_PART`] characters, or others, because of the symbols in it.
    is_short: bool,
}

/// Why `password`, of which `service_name` and `address` are easy to guess, is too easy to guess, if it is.
pub(super) fn weakness(
    password: &str,
    service_name: &str,
    address: Option<&EmailAddress>,
) -> Option<Entropy> {
    let words = context(service_name, address);
    let words: Vec<String> =
        words.iter().flat_map(|word| [Side::First, Side::Last].map(|side| side.part(word).text)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let whole = Side::First.part(password);
    // A part would not show that the password repeats itself.
    let password = if whole.is_cut { unit(password) } else { password };
    let first = Side::First.part(password);
    let weakness = Side::First.weakness(password, &first, &words)?;
    if first.is_cut {
        Side::Last.weakness(password, &Side::Last.part(password), &words)?;
    }
    Some(weakness)
}

/// What `text` repeats, at least once in full, or all of it.
fn unit(text: &str) -> &str {
    let starts =
        text.char_indices().map(|(start, _)| start).skip(1).take_while(|start| 2 * start <= text.len());
    let mut periods = starts.filter(|start| text.starts_with(&text[*start..]));
    periods.next().map_or(text, |end| &text[..end])
}

impl Side {
    /// Why `part`, this side of `password`, is too easy to guess, if it is.
    fn weakness(self, password: &str, part: &Part, words: &[&str]) -> Option<Entropy> {
        let estimate = zxcvbn(&part.text, words);
        if !self.is_strong(&estimate, part.is_cut && !part.is_short) {
            return Some(estimate);
        }
        if !part.is_short {
            return None;
        }
        // A word in symbols may have been cut or replaced. As letters it is whole again.
        let letters = self.part(&as_letters(password));
        let estimate = zxcvbn(&letters.text, words);
        (!self.is_strong(&estimate, letters.is_cut)).then_some(estimate)
    }

    /// Whether at least 10^8 guesses are needed. What zxcvbn finds at the end where the password `is_cut` may be a fragment of a word, or a
    /// repetition that begins elsewhere: it does not count, but for random characters beyond the length of a word.
    fn is_strong(self, estimate: &Entropy, is_cut: bool) -> bool {
        let matches = estimate.sequence();
        let at_cut = match self {
            Self::First => matches.split_last(),
            Self::Last => matches.split_first(),
        };
        let Some((at_cut, rest)) = at_cut.filter(|_| is_cut) else { return estimate.score() >= MIN_SCORE };
        let random = match at_cut.pattern {
            MatchPattern::BruteForce => (at_cut.j + 1 - at_cut.i).saturating_sub(MAX_FRAGMENT),
            _ => 0,
        };
        let exponents = rest.iter().map(|known| log10(known.guesses.unwrap_or(1)));
        exponents.sum::<usize>() + random >= MIN_GUESSES_LOG10
    }

    /// As much of this side of `text` as takes at most [`MAX_STEPS`].
    fn part(self, text: &str) -> Part {
        let (mut chars, is_short) = match self {
            Self::First => cut(text.chars()),
            Self::Last => cut(text.chars().rev()),
        };
        if matches!(self, Self::Last) {
            chars.reverse();
        }
        Part { is_cut: chars.len() < text.chars().count(), text: chars.into_iter().collect(), is_short }
    }
}

/// The logarithm, rounded down.
const fn log10(guesses: u64) -> usize {
    match guesses.checked_ilog10() {
        Some(log10) => log10 as usize,
        None => 0,
    }
}

/// `password` with one letter for each symbol that zxcvbn reads as a letter.
fn as_letters(password: &str) -> String {
    let letter =
        |c: char| LETTERS.iter().find(|(_, symbols)| symbols.contains(c)).map_or(c, |(letter, _)| *letter);
    password.chars().map(letter).collect()
}

/// Words that are easy to guess for this account.
fn context(service_name: &str, address: Option<&EmailAddress>) -> Vec<String> {
    let address = address.map_or("", EmailAddress::as_str);
    let parts = address.split(['@', '.', '+', '-', '_']).filter(|word| word.len() > 2);
    let without_spaces: String = service_name.split_whitespace().collect();
    let words = [service_name, &without_spaces, address].into_iter().chain(address.split('@')).chain(parts);
    words.map(str::to_owned).collect()
}

/// As many of `chars` as take at most [`MAX_STEPS`], and whether they are fewer or others because of the symbols in them.
fn cut(chars: impl Iterator<Item = char>) -> (Vec<char>, bool) {
    let mut part: Vec<char> = Vec::with_capacity(MAX_PART);
    let mut replaced: Vec<char> = Vec::new();
    for next in chars.take(MAX_PART) {
        let known = replaced.iter().position(|symbol| *symbol == next);
        part.push(known.map_or(next, |index| NEUTRAL[index % NEUTRAL.len()]));
        if steps(&part, MIN_PART) <= MAX_STEPS {
            continue;
        }
        part.pop();
        if part.len() >= MIN_PART {
            return (part, true);
        }
        part.push(NEUTRAL[replaced.len() % NEUTRAL.len()]);
        replaced.push(next);
    }
    (part, !replaced.is_empty())
}

/// The dictionary look-ups that zxcvbn makes for `part`, if it has at least `length` characters.
fn steps(part: &[char], length: usize) -> usize {
    let length = part.len().max(length);
    (2 + readings(part)) * length * (length + 1) / 2
}

/// The number of ways in which zxcvbn reads the symbols and digits in `part` as letters, at least one. This is its enumeration; its order is
/// random, and changes the number little.
fn readings(part: &[char]) -> usize {
    let mut readings: Vec<Vec<char>> = vec![Vec::new()];
    for (_, symbols) in LETTERS {
        let present: Vec<char> = symbols.chars().filter(|symbol| part.contains(symbol)).collect();
        if present.is_empty() {
            continue;
        }
        let mut next = Vec::new();
        for symbol in present {
            for read in &readings {
                if read.contains(&symbol) {
                    next.extend([read.clone(), read.clone()]);
                } else {
                    next.push([&read[..], &[symbol]].concat());
                }
            }
        }
        readings = next;
        if readings.len() > MAX_STEPS {
            break;
        }
    }
    readings.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first_part(text: &str) -> String {
        Side::First.part(text).text
    }

    fn last_part(text: &str) -> String {
        Side::Last.part(text).text
    }

    fn is_weak(password: &str) -> bool {
        weakness(password, "Rekey", None).is_some()
    }

    #[test]
    fn the_whole_of_an_ordinary_password_is_estimated() {
        for password in [
            "crux_is_awesome",
            "correct horse battery staple",
            "wandering teapot 198",
            "Tr0ub4dor&3 is no good",
            "123456789012345",
        ] {
            assert_eq!(
                (first_part(password), last_part(password)),
                (password.to_owned(), password.to_owned())
            );
        }
    }

    #[test]
    fn the_parts_of_a_long_password_are_its_beginning_and_its_end() {
        let long = "a quiet lamp, a post, a sofa and an unread newspaper";
        assert_eq!(first_part(long), "a quiet lamp, a post, a sofa ");
        assert_eq!(last_part(long), " sofa and an unread newspaper");
        let umlauts = "ä".repeat(40);
        assert_eq!((first_part(&umlauts).chars().count(), last_part(&umlauts).chars().count()), (29, 29));
        assert_eq!((first_part(""), last_part("")), (String::new(), String::new()));
    }

    #[test]
    fn a_part_with_many_symbols_has_enough_characters_to_be_strong() {
        let symbols = "4@({[<3690!1|7$5%2+xX";
        assert_eq!(first_part(symbols).chars().count(), MIN_PART);
        for strong in [symbols, "1!|7({4@9$Qk8<6+[z2%", "9(v4@K!7u|Bq{3x<8M0$"] {
            assert!(!is_weak(strong), "{strong}");
        }
        let replaced = first_part("1|7!({[<@4$5 1|7!({[<");
        assert!(replaced.chars().count() >= MIN_PART && replaced.contains(NEUTRAL), "{replaced:?}");
    }

    #[test]
    fn a_word_that_is_cut_is_no_random_text() {
        for word in [
            "password",
            "dragonfly",
            "wandering",
            "p@$$w0rd1!|7",
            "qw3r7y1!|7",
            "1234567890!@#$%^&*()",
            "sunshine1",
        ] {
            for count in 2..9 {
                let password = word.repeat(count);
                assert!(
                    is_weak(&password),
                    "{password}: {}, {}",
                    first_part(&password),
                    last_part(&password)
                );
            }
        }
    }

    #[test]
    fn a_password_that_is_the_address_is_easy_to_guess_however_it_is_cut() {
        for address in [
            "wandering.teapot@galaxy-of-lamps.example",
            "mr4@example.com",
            "t34p07_1987@1-2-3-4-5-6-7-8-9-0.example",
            "1!7.$5+6@4-3-2-1-0-9-8-7-6.example",
        ] {
            let address: EmailAddress = address.parse().expect("an address");
            assert!(weakness(address.as_str(), "Rekey", Some(&address)).is_some(), "{address:?}");
        }
        assert!(
            weakness("QuixotryClub", "Quixotry Club", None).is_some(),
            "the service's name without its space"
        );
    }

    #[test]
    fn readings_are_counted_as_zxcvbn_makes_them() {
        let count = |text: &str| readings(&text.chars().collect::<Vec<_>>());
        for (text, expected) in [
            ("", 1),
            ("abc", 1),
            ("0", 1),
            ("4@", 2),
            ("1", 2),
            ("({[<", 4),
            ("4@69$5", 8),
            ("1234567890", 8),
        ] {
            assert_eq!(count(text), expected, "{text}");
        }
    }

    proptest! {
        /// Searches for a dear password among those with many symbols, by zxcvbn's steps.
        #[test]
        fn no_password_costs_five_times_as_much_as_an_ordinary_one(
            password in "[@4({\\[<3690!1|7$5%2+8a-c]{0,128}|[1|7!({\\[<]{0,128}|[0-9]{0,128}|\\PC{0,128}",
        ) {
            let of = |text: &str| steps(&text.chars().collect::<Vec<_>>(), 0);
            let letters = as_letters(&password);
            let parts = [first_part(&password), last_part(&password), first_part(&letters), last_part(&letters)];
            let all: usize = parts.iter().map(|part| of(part)).sum();
            prop_assert!(all <= 5 * of("correct horse battery staple"), "{all}");
            let length = password.chars().count();
            prop_assert!(parts.iter().all(|part| part.chars().count() >= length.min(MIN_PART)));
        }
    }
}
