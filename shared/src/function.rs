//! What is the same for all three functions: event in, route, caller, answer out, one wide event in the log.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lambda_http::{Adapter, Body, LambdaEvent, Request, Response, Service as _, service_fn};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::api_key::{ApiKeys, Caller, Scope};
use crate::clock::Timestamp;
use crate::http::routes::{self, Dialect, Endpoint, FunctionName, Route};
use crate::http::{ApiError, Call, Reply, event};
use crate::origin::OriginSecrets;
use crate::store::limits::Limits;
use crate::telemetry::{CallEvent, Telemetry};

/// A caller has an answer after this long at the latest. API Gateway gives up after 29 or 30 seconds.
const REPLY_DEADLINE: Duration = Duration::from_secs(20);

/// One of the three functions.
pub trait Function: Send + Sync + 'static {
    /// Which one.
    const NAME: FunctionName;
    /// What an API key needs to call it.
    const SCOPE: Scope;

    /// Who may call.
    fn api_keys(&self) -> &ApiKeys;

    /// The way that calls must have come.
    fn origin_secrets(&self) -> &OriginSecrets;

    /// Does what `endpoint` stands for, and names what was done.
    fn call(
        &self,
        endpoint: Endpoint,
        call: &Call,
        caller: &Caller,
    ) -> impl Future<Output = Result<Success, ApiError>> + Send;
}

/// A call that was answered as asked.
pub struct Success {
    /// What was done, for the log.
    pub outcome: &'static str,
    /// The answer.
    pub reply: Reply,
}

impl Success {
    /// `outcome`, answered with `reply`.
    #[must_use]
    pub const fn new(outcome: &'static str, reply: Reply) -> Self {
        Self { outcome, reply }
    }
}

/// Answers the events of Lambda's runtime API, one after another.
///
/// # Errors
///
/// When the runtime API fails; Lambda then replaces the process.
pub async fn serve<F: Function>(function: F, telemetry: Telemetry) -> Result<(), lambda_http::Error> {
    let function = Arc::new(function);
    lambda_http::lambda_runtime::run(service_fn(move |event| {
        let (function, telemetry) = (Arc::clone(&function), telemetry.clone());
        async move { respond(function, telemetry, event).await }
    }))
    .await
}

/// Answers one HTTP event, in the format that the event wants. Never fails: whatever comes in, an HTTP answer goes out.
///
/// # Errors
///
/// If the answer could not be written, which running out of memory alone brings about.
pub async fn respond<F: Function>(
    function: Arc<F>,
    telemetry: Telemetry,
    event: LambdaEvent<Value>,
) -> Result<Value, lambda_http::Error> {
    let LambdaEvent { payload, context } = event;
    let (request, guarded) = event::read(payload);
    let (mut guarded, request_id) = (Some(guarded), context.request_id.clone());
    let handler = service_fn(move |request: Request| {
        let call = guarded.take().map(|guarded| Call::new(&request, guarded));
        let (function, telemetry, id) = (Arc::clone(&function), telemetry.clone(), request_id.clone());
        async move {
            // On a task of its own, so that even a panic is an answer, and its message nobody's.
            let answer = match call {
                Some(call) => tokio::spawn(answer(function, telemetry, call, id.clone())).await.ok(),
                None => None,
            };
            let answer = answer.unwrap_or_else(|| {
                ApiError::Unavailable("the function panicked".to_owned()).into_reply(Dialect::Problem, &id)
            });
            Ok::<Response<Body>, Infallible>(answer.into())
        }
    });
    let Ok(response) = Adapter::from(handler).call(LambdaEvent::new(request, context)).await;
    Ok(serde_json::to_value(response)?)
}

async fn answer<F: Function>(
    function: Arc<F>,
    telemetry: Telemetry,
    mut call: Call,
    request_id: String,
) -> Reply {
    let started = Instant::now();
    let mut record = telemetry.call(&request_id, call.gateway_request_id.as_deref());
    let route = routes::find(F::NAME, &call.method, &call.path);
    let secrets = function.origin_secrets();
    let is_admitted = secrets.admit(call.origin_secret.as_ref().map(SecretString::expose_secret));
    if is_admitted && secrets.are_required() {
        call.count_viewer();
    }
    let outcome = match route {
        _ if !is_admitted => Err(ApiError::OriginUnknown),
        Some(route) => timeout(REPLY_DEADLINE, routed(&*function, route, &call, &mut record))
            .await
            .unwrap_or_else(|_| Err(ApiError::Unavailable("the call took too long".to_owned()))),
        None => Err(ApiError::NotFound),
    };
    let reply = match outcome {
        Ok(done) => {
            record.outcome = done.outcome;
            done.reply
        }
        Err(error) => {
            record.outcome = error.code();
            record.error = error.internal().map(str::to_owned);
            error.into_reply(route.map_or(Dialect::Problem, Route::dialect), &request_id)
        }
    };
    record.status = reply.status.as_u16().to_string();
    telemetry.end_call(record, started.elapsed());
    reply
}

async fn routed<F: Function>(
    function: &F,
    route: &'static Route,
    call: &Call,
    record: &mut CallEvent,
) -> Result<Success, ApiError> {
    (record.method, record.route) = (route.method, route.path);
    let authorization = call.authorization.as_ref().map(SecretString::expose_secret);
    let caller = if is_page(route.endpoint, call)? {
        // The pages are for anonymous people; where nobody may be anonymous, there are none.
        if function.api_keys().are_required() {
            return Err(ApiError::NotFound);
        }
        Caller::Anonymous
    } else {
        function.api_keys().identify(authorization, F::SCOPE).map_err(ApiError::Key)?
    };
    if let Caller::Trusted(name) = &caller {
        record.caller = Some(name.clone());
    }
    function.call(route.endpoint, call, &caller).await
}

/// What to answer to a token that is not live: there is an end to how many may be tried.
pub async fn refuse_dead_token(limits: &Limits, call: &Call, caller: &Caller, now: Timestamp) -> ApiError {
    match limits.count_dead_token(caller, &call.source_ip, now).await {
        Ok(Ok(())) => ApiError::TokenNotLive,
        Ok(Err(throttled)) => throttled.into(),
        Err(error) => error.into(),
    }
}

fn is_page(endpoint: Endpoint, call: &Call) -> Result<bool, ApiError> {
    Ok(match endpoint {
        Endpoint::ForgotPage => true,
        Endpoint::ValidateQuery { page } => page && call.query("token")?.is_none(),
        _ => false,
    })
}
