//! The steps of a reset, each with what must have gone before.

use futures::StreamExt as _;
use serde_json::json;

use crate::event::Request;
use crate::world::{World, completion};
use crate::{KNOWN, OTHER_PASSWORD};

/// One call of a reset of the account [`KNOWN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the routes' names")]
pub enum Step {
    Open,
    Mail,
    CheckResetToken,
    Complete,
    UnleashMail,
    UnleashValidate,
    UnleashComplete,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Mail,
        Self::CheckResetToken,
        Self::Complete,
        Self::UnleashMail,
        Self::UnleashValidate,
        Self::UnleashComplete,
    ];

    /// Does what comes before, and returns the request of this step.
    pub async fn prepare(self, world: &World) -> Request {
        match self {
            Self::Open => Request::post("/organizations/reset-password/", &json!({"email": KNOWN})),
            Self::UnleashMail => Request::post("/auth/reset/password-email", &json!({"email": KNOWN})),
            Self::Mail => {
                let token = world.request_token(KNOWN).await;
                Request::get("/organizations/complete-password/").query("token", &token)
            }
            Self::CheckResetToken => {
                let token = world.reset_token(KNOWN).await;
                Request::get("/organizations/complete-password/").query("token", &token)
            }
            Self::UnleashValidate => {
                let token = world.reset_token(KNOWN).await;
                Request::get("/auth/reset/validate").query("token", &token)
            }
            Self::Complete => completion(&world.reset_token(KNOWN).await, OTHER_PASSWORD),
            Self::UnleashComplete => {
                let body = json!({"token": world.reset_token(KNOWN).await, "password": OTHER_PASSWORD});
                Request::post("/auth/reset/password", &body)
            }
        }
    }

    /// How many calls to `DynamoDB` it makes when all is well.
    #[must_use]
    pub const fn calls(self) -> u64 {
        match self {
            // A counter and the request, side by side; a counter and the order.
            Self::Open | Self::UnleashMail => 2,
            // Both kinds of token side by side, and the order or the account; the token, the account and the transaction.
            Self::Mail
            | Self::CheckResetToken
            | Self::UnleashValidate
            | Self::Complete
            | Self::UnleashComplete => 3,
        }
    }

    /// Whether it has a reset token mailed.
    #[must_use]
    pub const fn mails(self) -> bool {
        matches!(self, Self::Mail | Self::UnleashMail)
    }

    /// Whether it sets the password.
    #[must_use]
    pub const fn completes(self) -> bool {
        matches!(self, Self::Complete | Self::UnleashComplete)
    }
}

/// Tries every cell of a matrix, some at a time, and fails with the problems that `attempt` tells.
pub async fn try_all<C, A>(cells: Vec<C>, attempt: impl Fn(C) -> A)
where
    A: Future<Output = Option<String>> + Send + 'static,
{
    let count = cells.len();
    let attempts = cells.into_iter().map(|cell| tokio::spawn(attempt(cell)));
    let outcomes: Vec<_> = futures::stream::iter(attempts).buffer_unordered(24).collect().await;
    let problems: Vec<String> =
        outcomes.into_iter().filter_map(|outcome| outcome.expect("an attempt")).collect();
    assert!(problems.is_empty(), "{} of {count} went wrong:\n{}", problems.len(), problems.join("\n"));
}
