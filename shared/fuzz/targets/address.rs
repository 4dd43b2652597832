//! The address parser: what it takes is one plain address in lower case, and stays so.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::email::EmailAddress;

fuzz_target!(|text: &str| {
    if let Ok(address) = text.parse::<EmailAddress>() {
        let taken = address.as_str();
        assert!(
            taken.len() <= 254
                && taken.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
        );
        assert!(!taken.contains(['<', '>', '"', ',', ';']) && taken.matches('@').count() == 1);
        assert_eq!(taken.parse::<EmailAddress>().as_ref(), Ok(&address));
    }
});
