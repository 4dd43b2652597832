//! The steps of a reset, with their preconditions.

use std::fmt::Debug;

use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::errors::{COMPLETE, RESET, UNLEASH_MAIL, UNLEASH_SET, UNLEASH_VALIDATE};
use crate::event::Request;
use crate::proxy::{Calls, Fault};
use crate::world::{World, completion};
use crate::{KNOWN, OTHER_PASSWORD, size};

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
    /// All steps.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Mail,
        Self::CheckResetToken,
        Self::Complete,
        Self::UnleashMail,
        Self::UnleashValidate,
        Self::UnleashComplete,
    ];

    /// Performs the steps before this one, and returns the request of this one.
    pub async fn prepare(self, world: &World) -> Request {
        match self {
            Self::Open => Request::post(RESET, &json!({"email": KNOWN})),
            Self::UnleashMail => Request::post(UNLEASH_MAIL, &json!({"email": KNOWN})),
            Self::Mail => Request::get(COMPLETE).query("token", &world.request_token(KNOWN).await),
            Self::CheckResetToken => Request::get(COMPLETE).query("token", &world.reset_token(KNOWN).await),
            Self::UnleashValidate => {
                Request::get(UNLEASH_VALIDATE).query("token", &world.reset_token(KNOWN).await)
            }
            Self::Complete => completion(&world.reset_token(KNOWN).await, OTHER_PASSWORD),
            Self::UnleashComplete => {
                let body = json!({"token": world.reset_token(KNOWN).await, "password": OTHER_PASSWORD});
                Request::post(UNLEASH_SET, &body)
            }
        }
    }

    /// The number of `DynamoDB` calls without faults.
    #[must_use]
    pub const fn calls(self) -> u64 {
        match self {
            // The counter of the IP address, the request.
            Self::Open => 2,
            // Both kinds of token, the counter of the address, the order.
            Self::Mail => 4,
            // The counter of the IP address, that of the address, the order; both kinds of token, the account; or the token, the account, the
            // transaction.
            Self::UnleashMail
            | Self::CheckResetToken
            | Self::UnleashValidate
            | Self::Complete
            | Self::UnleashComplete => 3,
        }
    }

    /// Whether the step orders a mail with a reset token.
    #[must_use]
    pub const fn mails(self) -> bool {
        matches!(self, Self::Mail | Self::UnleashMail)
    }

    /// Whether the step sets the password.
    #[must_use]
    pub const fn completes(self) -> bool {
        matches!(self, Self::Complete | Self::UnleashComplete)
    }
}

/// The cells of all matrices that run at the same time. More of them would wait for the CPUs longer than the functions wait for `DynamoDB`.
static RUNNING: Semaphore = Semaphore::const_new(16);

/// Attempts each of `subjects`, which makes that many calls, with every fault at every call.
pub async fn with_every_fault_at_every_call<S, A>(
    things: &str,
    subjects: impl IntoIterator<Item = (S, u64)>,
    attempt: impl Fn(S, Fault, Calls) -> A,
) where
    S: Copy + Debug,
    A: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut groups = Vec::new();
    for (subject, calls) in subjects {
        for fault in Fault::ALL {
            // Once: the SDK's retries succeed. Three times: they fail, but later operations work. For ever: every call fails.
            let ranges = (0..calls).flat_map(|call| [call + 1, call + 3, u64::MAX].map(|end| call..end));
            groups.push(ranges.map(|calls| (subject, fault, calls)).collect());
        }
    }
    run_all(size::cells(things, groups), |(subject, fault, calls)| attempt(subject, fault, calls)).await;
}

/// Runs `attempt` on every cell of a matrix, some concurrently, and panics with all problems that it returns.
pub async fn run_all<C, A>(cells: Vec<C>, attempt: impl Fn(C) -> A)
where
    C: Debug,
    A: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let count = cells.len();
    let mut attempts = JoinSet::new();
    for cell in cells {
        let permit = RUNNING.acquire().await.expect("a semaphore that is never closed");
        let name = format!("{cell:?}");
        let attempt = attempt(cell);
        attempts.spawn(async move {
            let outcome = attempt.await;
            drop(permit);
            outcome.err().map(|problem| format!("{name}: {problem}"))
        });
    }
    let problems: Vec<String> = attempts.join_all().await.into_iter().flatten().collect();
    assert!(problems.is_empty(), "{} of {count} failed:\n{}", problems.len(), problems.join("\n"));
}
