//! Fuzzes the path and the query of an event.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use shared::api_key::Scope;
use shared::clock::Timestamp;
use shared::http::routes::{Access, Route, find};
use shared::http::{Call, event};
use shared::language::Languages;
use shared::token::Token;

const ROUTES: [Route<()>; 1] =
    [Route::get("/organizations/complete-password/", Access::PeopleWithoutToken(Scope::Validate, ()), ())];

fuzz_target!(|text: &str| {
    let event = json!({
        "rawPath": text, "rawQueryString": text,
        "requestContext": {"stage": text, "apiId": text, "domainName": text, "http": {"method": "GET", "sourceIp": text}},
    });
    let (request, extracted) = event::read(event);
    let call = Call::new(&request.into(), extracted, Languages::default(), Timestamp::from_millis(0));
    let _ = find(&ROUTES, &call.method, &call.path);
    if let Ok(Some(token)) = call.query("token") {
        let parsed = Token::parse(token.to_owned());
        assert_eq!(
            parsed.is_some(),
            token.len() == 20 && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
        );
    }
});
