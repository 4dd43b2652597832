//! Work after the reply. A Rust function is a custom runtime: what runs between posting the response and asking
//! for the next event runs while the environment is awake and no caller waits. (AWS Compute Blog, "Running code after
//! returning a response from an AWS Lambda function".) The time counts towards the function's time-out and its bill.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use lambda_runtime::LambdaInvocation;
use tower::{Layer, Service};

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The jobs that handlers have queued. Cheap to clone; all clones share one queue.
#[derive(Clone, Default)]
pub struct AfterReply(Arc<Mutex<Vec<Job>>>);

impl AfterReply {
    /// Queues `job`.
    pub fn push(&self, job: impl Future<Output = ()> + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(job));
    }

    /// Runs what is queued, side by side, to the end. A job that panics takes no other one along, nor the environment.
    pub async fn run(&self) {
        let jobs = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let tasks: Vec<_> = jobs.into_iter().map(tokio::spawn).collect();
        for task in tasks {
            if task.await.is_err() {
                tracing::error!("a job after the reply ended early");
            }
        }
    }
}

impl fmt::Debug for AfterReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AfterReply")
    }
}

/// Wraps the runtime's whole service, which posts the response: then come the jobs, and then the next event.
#[derive(Clone, Debug)]
pub struct AfterReplyLayer(pub AfterReply);

impl<S> Layer<S> for AfterReplyLayer {
    type Service = AfterReplyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AfterReplyService { inner, jobs: self.0.clone() }
    }
}

/// The service of [`AfterReplyLayer`].
#[derive(Clone, Debug)]
pub struct AfterReplyService<S> {
    inner: S,
    jobs: AfterReply,
}

impl<S> Service<LambdaInvocation> for AfterReplyService<S>
where
    S: Service<LambdaInvocation, Response = ()>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = ();
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let replied = self.inner.call(invocation);
        let jobs = self.jobs.clone();
        Box::pin(async move {
            let outcome = replied.await;
            jobs.run().await;
            outcome
        })
    }
}
