//! Fuzzes the `Authorization` header. Only the key makes a caller trusted.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::api_key::{ApiKeys, Caller, Scope};

static KEYS: LazyLock<ApiKeys> = LazyLock::new(|| {
    let digest = "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0";
    format!("backend:reset:{digest}").parse::<ApiKeys>().expect("a key").required(true)
});

fuzz_target!(|header: &str| {
    match KEYS.identify(Some(header), Scope::Reset) {
        Ok(Caller::Trusted(_)) => assert!(header.contains("s3cret")),
        Ok(Caller::Anonymous) => panic!("keys are required"),
        Err(_) => {}
    }
    let _ = header.parse::<ApiKeys>();
});
