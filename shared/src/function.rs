//! What the three HTTP functions share: read the event, find the route, authorise the caller, respond, write one log line.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lambda_http::{Adapter, Body, LambdaEvent, Request, Response, Service as _, service_fn};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::api_key::Caller;
use crate::gate::{Gate, Origin};
use crate::http::routes::{self, Dialect, Route};
use crate::http::{ApiError, Call, Reply, event, render};
use crate::telemetry::{CallEvent, Telemetry};

/// After this long the caller gets a 503. API Gateway's own timeout is 29 or 30 seconds.
const REPLY_DEADLINE: Duration = Duration::from_secs(20);

/// One of the three functions.
pub trait Function: Send + Sync + 'static {
    /// What its routes do.
    type Endpoint: Copy + Send + Sync + 'static;

    /// Its routes.
    const ROUTES: &'static [Route<Self::Endpoint>];

    /// What every call passes first.
    fn gate(&self) -> &Gate;

    /// Handles a call of `endpoint`.
    fn call(
        &self,
        endpoint: Self::Endpoint,
        call: &Call,
    ) -> impl Future<Output = Result<Success, ApiError>> + Send;
}

/// The result of a successful call.
pub struct Success {
    /// What was done, for log and metrics.
    pub outcome: &'static str,
    /// The response.
    pub reply: Reply,
}

impl Success {
    /// A call with this outcome and reply.
    #[must_use]
    pub const fn new(outcome: &'static str, reply: Reply) -> Self {
        Self { outcome, reply }
    }
}

/// Handles the events of Lambda's runtime API, one after another.
///
/// # Errors
///
/// If the runtime API fails. Lambda then replaces the process.
pub async fn serve<F: Function>(function: F, telemetry: Telemetry) -> Result<(), lambda_http::Error> {
    let function = Arc::new(function);
    lambda_http::lambda_runtime::run(service_fn(move |event| {
        let function = Arc::clone(&function);
        let telemetry = telemetry.clone();
        async move { respond(function, telemetry, event).await }
    }))
    .await
}

/// Handles one HTTP event and returns the response in the event's format. Any input gets an HTTP response.
///
/// # Errors
///
/// If the response cannot be serialised, which only running out of memory can cause.
pub async fn respond<F: Function>(
    function: Arc<F>,
    telemetry: Telemetry,
    event: LambdaEvent<Value>,
) -> Result<Value, lambda_http::Error> {
    let LambdaEvent { payload, context } = event;
    let (request, extracted) = event::read(payload);
    let mut extracted = Some(extracted);
    let request_id = context.request_id.clone();
    let handler = service_fn(move |request: Request| {
        let call = extracted.take().map(|extracted| function.gate().receive(&request, extracted));
        let function = Arc::clone(&function);
        let telemetry = telemetry.clone();
        let id = request_id.clone();
        async move {
            let reply = if let Some(call) = call {
                Box::pin(handle(function, telemetry, call, id)).await
            } else {
                let error = ApiError::Unavailable("the adapter called the handler twice".to_owned());
                render(&error, Dialect::Problem, &id)
            };
            Ok::<Response<Body>, Infallible>(reply.into())
        }
    });
    let Ok(response) = Adapter::from(handler).call(LambdaEvent::new(request, context)).await;
    Ok(serde_json::to_value(response)?)
}

async fn handle<F: Function>(
    function: Arc<F>,
    telemetry: Telemetry,
    mut call: Call,
    request_id: String,
) -> Reply {
    let started = Instant::now();
    let mut record = telemetry.call(&request_id, call.gateway_request_id.as_deref());
    let route = routes::find(F::ROUTES, &call.method, &call.path);
    let origin = function.gate().origin(&call);
    if origin == Origin::CloudFront {
        call.believe_cloudfront();
    }
    let outcome = match (origin, route) {
        (Origin::Bypassed, _) => Err(ApiError::OriginUnknown),
        (_, None) => Err(ApiError::NotFound),
        (_, Some(route)) => timeout(REPLY_DEADLINE, dispatch(&*function, route, &mut call, &mut record))
            .await
            .unwrap_or_else(|_| Err(ApiError::Unavailable("the call took too long".to_owned()))),
    };
    let reply = match outcome {
        Ok(success) => {
            record.outcome = success.outcome;
            success.reply
        }
        Err(error) => {
            record.outcome = error.code();
            record.error = error.internal().map(str::to_owned);
            render(&error, route.map_or(Dialect::Problem, Route::dialect), &request_id)
        }
    };
    record.status = reply.status.as_u16().to_string();
    telemetry.end_call(record, started.elapsed());
    reply
}

async fn dispatch<F: Function>(
    function: &F,
    route: &'static Route<F::Endpoint>,
    call: &mut Call,
    record: &mut CallEvent,
) -> Result<Success, ApiError> {
    (record.method, record.route) = (route.method, route.path);
    let endpoint = function.gate().admit(route, call)?;
    if let Caller::Trusted(name) = &call.caller {
        record.caller = Some(name.clone());
    }
    function.call(endpoint, call).await
}
