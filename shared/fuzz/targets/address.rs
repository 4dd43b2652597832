//! Fuzzes the parser of mail addresses. It accepts only one plain address in lower case, and accepts its own output unchanged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::email::EmailAddress;

fuzz_target!(|text: &str| {
    if let Ok(address) = text.parse::<EmailAddress>() {
        let accepted = address.as_str();
        assert!(
            accepted.len() <= 254
                && accepted.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
        );
        assert!(!accepted.contains(['<', '>', '"', ',', ';']) && accepted.matches('@').count() == 1);
        assert_eq!(accepted.parse::<EmailAddress>().as_ref(), Ok(&address));
    }
});
