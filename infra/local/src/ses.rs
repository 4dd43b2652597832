//! SES v2 in process: accepts `SendEmail`, stores the mails and shows them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::{bail, ensure};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A mail that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// SES's `MessageId`.
    pub id: String,
    /// The recipient.
    pub to: String,
    /// The sender.
    pub from: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// The time of sending, in RFC 3339.
    pub sent_at: String,
    /// The whole request, for tests.
    #[serde(skip)]
    pub request: Value,
}

/// The mails that were sent. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    verified_sender: String,
    now: fn() -> SystemTime,
    messages: Arc<Mutex<Vec<Message>>>,
    rejected_recipients: Arc<Mutex<BTreeSet<String>>>,
    accepted: Arc<AtomicU64>,
}

impl Outbox {
    /// An outbox that accepts mails only from the address of `sender`, as SES does with one verified address.
    #[must_use]
    pub fn new(sender: &str, now: fn() -> SystemTime) -> Self {
        Self {
            verified_sender: address(sender).to_owned(),
            now,
            messages: Arc::default(),
            rejected_recipients: Arc::default(),
            accepted: Arc::default(),
        }
    }

    /// From now on rejects mails to `recipient`, as SES does in its sandbox if an address is not verified.
    pub fn reject(&self, recipient: &str) {
        self.rejected_recipients.lock().unwrap_or_else(PoisonError::into_inner).insert(recipient.to_owned());
    }

    /// The mails, newest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.iter().rev().cloned().collect()
    }

    /// Deletes all mails.
    pub fn clear(&self) {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The endpoint, with the inbox page at `/`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/", get(async || Html(include_str!("inbox.html"))))
            .route("/messages", get(list).delete(delete_all))
            .route("/v2/email/outbound-emails", post(send_email))
            .with_state(self)
    }

    /// The id of the mail, or what SES says of a request that it rejects.
    fn accept(&self, request: &Value) -> anyhow::Result<String> {
        let text =
            |pointer: &str| request.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (from, to) = (text("/FromEmailAddress"), text("/Destination/ToAddresses/0"));
        let is_rejected =
            |to| self.rejected_recipients.lock().unwrap_or_else(PoisonError::into_inner).contains(to);
        ensure!(
            from.is_ascii() && to.is_ascii(),
            "Addresses must be ASCII (names in other letters: RFC 2047, domains: Punycode)."
        );
        let unverified = match (address(&from) == self.verified_sender, is_rejected(&to)) {
            (true, false) => None,
            (true, true) => Some(to.as_str()),
            (false, _) => Some(address(&from)),
        };
        if let Some(identity) = unverified {
            bail!("Email address is not verified. The following identities failed the check: {identity}");
        }
        let recipients =
            request.pointer("/Destination/ToAddresses").and_then(Value::as_array).map_or(0, Vec::len);
        let is_simple = recipients == 1 && request.pointer("/Content/Simple/Subject/Data").is_some();
        ensure!(is_simple, "This endpoint accepts only simple mails to one recipient.");
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let id = format!("local-{:016x}", self.accepted.fetch_add(1, Ordering::Relaxed) + 1);
        messages.push(Message {
            id: id.clone(),
            to,
            from,
            subject: text("/Content/Simple/Subject/Data"),
            text: text("/Content/Simple/Body/Text/Data"),
            html: text("/Content/Simple/Body/Html/Data"),
            request: request.clone(),
            sent_at: OffsetDateTime::from((self.now)()).format(&Rfc3339).unwrap_or_default(),
        });
        Ok(id)
    }
}

/// The address in `"Name" <address>`.
fn address(mailbox: &str) -> &str {
    mailbox.rsplit_once('<').map_or(mailbox, |(_, address)| address.trim_end_matches('>'))
}

async fn send_email(State(outbox): State<Outbox>, Json(request): Json<Value>) -> Response {
    match outbox.accept(&request) {
        Ok(id) => Json(json!({"MessageId": id})).into_response(),
        Err(problem) => {
            let error = [("x-amzn-errortype", "MessageRejected")];
            (StatusCode::BAD_REQUEST, error, Json(json!({"message": problem.to_string()}))).into_response()
        }
    }
}

async fn list(State(outbox): State<Outbox>) -> Json<Vec<Message>> {
    Json(outbox.messages())
}

async fn delete_all(State(outbox): State<Outbox>) -> StatusCode {
    outbox.clear();
    StatusCode::NO_CONTENT
}
