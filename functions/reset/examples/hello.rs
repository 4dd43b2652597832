//! A minimal `lambda_http` function, the baseline of the benchmark `speed`.

use lambda_http::{Body, Error, Request, Response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let hello = |_: Request| async { Ok::<_, Error>(Response::new(Body::from("Hello"))) };
    lambda_http::run(service_fn(hello)).await
}
