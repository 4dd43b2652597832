//! A server with the interface of Pwned Passwords that answers as a test plans.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures::{StreamExt as _, stream};
use sha1::{Digest as _, Sha1};

use crate::wiring::{Servers, serve_router};

/// What a [`RangeServer`] answers.
#[derive(Clone, Debug)]
pub enum Plan {
    /// Lines with this password and its count, among others and padding.
    Lists(&'static str, u64),
    /// This status and body.
    Says(StatusCode, &'static str),
    /// A redirect to itself.
    Redirects,
    /// More bytes than any list has.
    Floods,
    /// Half an answer, and no end of it.
    Stalls,
    /// Nothing.
    Hangs,
}

/// The server. It stops when this is dropped.
pub struct RangeServer {
    state: Arc<Mutex<Shared>>,
    /// For `BREACHED_PASSWORDS`.
    pub url: String,
    _servers: Servers,
}

struct Shared {
    plan: Plan,
    asked: Vec<String>,
}

impl RangeServer {
    /// A server that answers as in `plan`.
    pub async fn start(plan: Plan) -> Self {
        let state = Arc::new(Mutex::new(Shared { plan, asked: Vec::new() }));
        let router = Router::new().route("/range/{prefix}", get(answer)).with_state(Arc::clone(&state));
        let mut servers = Servers::new();
        let endpoint = serve_router(router, &mut servers).await;
        Self { state, url: format!("{endpoint}/range/"), _servers: servers }
    }

    /// Answers as in `plan` from now on.
    pub fn plan(&self, plan: Plan) {
        self.state.lock().expect("the state").plan = plan;
    }

    /// What it was asked for since the last call: the prefixes, each with the value of `Add-Padding`.
    #[must_use]
    pub fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().expect("the state").asked)
    }
}

async fn answer(
    State(state): State<Arc<Mutex<Shared>>>,
    Path(prefix): Path<String>,
    headers: HeaderMap,
) -> Response {
    let plan = {
        let mut state = state.lock().expect("the state");
        let padding = headers.get("add-padding").and_then(|value| value.to_str().ok());
        state.asked.push(format!("{prefix} {}", padding.unwrap_or("unpadded")));
        state.plan.clone()
    };
    let half = Ok::<_, std::io::Error>("0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n00");
    match plan {
        Plan::Lists(password, count) => lines(password, count).into_response(),
        Plan::Says(status, body) => (status, body).into_response(),
        Plan::Redirects => (StatusCode::FOUND, [("location", "/range/00000")]).into_response(),
        Plan::Floods => vec![b'\n'; 2 << 20].into_response(),
        Plan::Stalls => Body::from_stream(stream::iter([half]).chain(stream::pending())).into_response(),
        Plan::Hangs => std::future::pending().await,
    }
}

fn lines(password: &str, count: u64) -> String {
    let digest = format!("{:X}", Bytes::from_iter(Sha1::digest(password)));
    format!(
        "0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n{}:{count}\r\n011053FD0102E94D6AE2F8B83D76FAF94F6:0",
        &digest[5..]
    )
}
