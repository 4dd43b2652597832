//! The body of an event: whatever bytes come, it is fields or an error, and takes memory in proportion.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peak_alloc::PeakAlloc;
use serde_json::{Value, json};
use shared::http::{AcceptedContentType, Call, Fields, event};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

fn call(value: Value) -> Call {
    let (request, guarded) = event::read(value);
    Call::new(&request.into(), guarded)
}

fuzz_target!(|bytes: &[u8]| {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let fields = Fields::parse(bytes);
    let taken = MEMORY.peak_usage().saturating_sub(before);
    // A name of one letter is a row of a map: that is the worst there is.
    assert!(taken <= 16 * bytes.len() + 4096, "{taken} bytes of memory for a body of {}", bytes.len());
    if let Ok(mut fields) = fields {
        let taken = (fields.email(), fields.text("token"), fields.text("password"));
        let _ = fields.finish(taken.0.zip(taken.1)).is_ok();
    }
    // And as an event of the fuzzer's making.
    if let Ok(event) = serde_json::from_slice(bytes) {
        let _ = call(event).fields(AcceptedContentType::JsonOrText).is_ok();
    }
    let text = String::from_utf8_lossy(bytes);
    for base64 in [true, false] {
        let event = json!({"body": text, "isBase64Encoded": base64, "headers": {"content-type": text}, "requestContext": {"http": {"method": "POST"}}});
        let _ = call(event).fields(AcceptedContentType::Json).is_ok();
    }
});
