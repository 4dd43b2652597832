//! The SDK's clients: TLS by rustls on ring (its default, aws-lc, spends some 25 ms of CPU on the first
//! handshake of a cold start), and an end to every wait.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sesv2::config::HttpClient;
use aws_smithy_http_client::{Builder, tls};

/// `DynamoDB` answers in single-digit milliseconds; a call that takes a second is lost, and worth another try.
const DYNAMODB_ATTEMPT: Duration = Duration::from_millis(1_500);
const DYNAMODB_OPERATION: Duration = Duration::from_secs(4);

/// SES may take longer; no caller waits for it.
const SES_ATTEMPT: Duration = Duration::from_secs(4);

const CONNECT: Duration = Duration::from_secs(1);

/// Region, credentials and endpoints, from where every SDK takes them. Called by `main.rs` alone.
pub async fn sdk_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(https()).load().await
}

/// A `DynamoDB` client that gives up after four seconds.
#[must_use]
pub fn dynamodb(sdk: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::config::Builder::from(sdk)
        .timeout_config(dynamodb_timeouts(DYNAMODB_OPERATION))
        .retry_config(
            RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50)),
        )
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

/// The ends of the waits for `DynamoDB`, of which a whole operation takes up to `operation`.
pub(crate) fn dynamodb_timeouts(operation: Duration) -> TimeoutConfig {
    timeouts(DYNAMODB_ATTEMPT, operation)
}

/// An SES client that gives up after four seconds and does not repeat by itself: [`crate::mail::send`] tells what may be
/// repeated. Its connections are its own, so make one for each batch of mails: a connection that was kept from an earlier one may have
/// died while the environment was frozen, and then nobody can tell whether a mail left before it did.
#[must_use]
pub fn ses(sdk: &SdkConfig) -> aws_sdk_sesv2::Client {
    let config = aws_sdk_sesv2::config::Builder::from(sdk)
        .http_client(https())
        .timeout_config(timeouts(SES_ATTEMPT, SES_ATTEMPT))
        .retry_config(RetryConfig::disabled())
        .build();
    aws_sdk_sesv2::Client::from_conf(config)
}

/// An SQS client that gives up after four seconds.
#[must_use]
pub fn sqs(sdk: &SdkConfig) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::config::Builder::from(sdk)
        .timeout_config(dynamodb_timeouts(DYNAMODB_OPERATION))
        .retry_config(RetryConfig::standard())
        .build();
    aws_sdk_sqs::Client::from_conf(config)
}

/// A client with connections of its own, which it keeps for later calls.
fn https() -> impl HttpClient + 'static {
    Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https()
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(attempt)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}
