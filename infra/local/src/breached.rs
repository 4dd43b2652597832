//! A server of breached passwords with the interface of Pwned Passwords, for `BREACHED_PASSWORDS`. It knows one.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;

/// The first five and the other digits of the SHA-1 of `correcthorsebatterystaple`, which zxcvbn takes for a good password.
const KNOWN: (&str, &str) = ("BFD36", "17727EAB0E800E62A776C76381DEFBC4145");

/// A line of padding: it has the count 0.
const PADDING: &str = "0018A45C4D1DEF81644B54AB7F969B88D65:0";

/// The endpoint, at `/range/`.
pub fn router() -> Router {
    let range = |Path(prefix): Path<String>| async move {
        let known = if prefix == KNOWN.0 { format!("{}:216\r\n", KNOWN.1) } else { String::new() };
        format!("{known}{PADDING}")
    };
    Router::new().route("/range/{prefix}", get(range))
}
