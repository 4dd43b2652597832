//! Fuzzes the body of an event. Any bytes give fields or an error, and memory use is proportional to the length.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peak_alloc::PeakAlloc;
use serde_json::{Value, json};
use shared::clock::Timestamp;
use shared::http::{AcceptedContentType, Call, Fields, event};
use shared::language::Languages;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

fn call(value: Value) -> Call {
    let (request, extracted) = event::read(value);
    Call::new(&request.into(), extracted, Languages::default(), Timestamp::from_millis(0))
}

fuzz_target!(|bytes: &[u8]| {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let fields = Fields::parse(bytes);
    let used = MEMORY.peak_usage().saturating_sub(before);
    // The worst case is a body of fields with one-letter names: each is an entry of the map.
    assert!(used <= 16 * bytes.len() + 4096, "{used} bytes of memory for a body of {}", bytes.len());
    if let Ok(mut fields) = fields {
        let (email, token, _) = (fields.email(), fields.text("token"), fields.text("password"));
        let _ = fields.finish(email.zip(token)).is_ok();
    }
    // The bytes as a whole event.
    if let Ok(event) = serde_json::from_slice(bytes) {
        let _ = call(event).fields(AcceptedContentType::JsonOrText).is_ok();
    }
    let text = String::from_utf8_lossy(bytes);
    for base64 in [true, false] {
        let event = json!({"body": text, "isBase64Encoded": base64, "headers": {"content-type": text}, "requestContext": {"http": {"method": "POST"}}});
        let _ = call(event).fields(AcceptedContentType::Json).is_ok();
    }
});
