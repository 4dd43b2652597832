//! The SDK's clients, with timeouts. Region, credentials and endpoints come from the environment variables that every SDK reads. The rest
//! of the default chain (profiles, web identity, instance metadata) is not used in Lambda and would add 0.4 MB.

mod https;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedAsyncSleep};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

pub use self::https::Https;

/// `DynamoDB` responds in single-digit milliseconds. An attempt without a response after this time is retried.
const DYNAMODB_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1_500);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(4);

/// SES may take longer; no caller waits for it.
const SES_TIMEOUT: Duration = Duration::from_secs(4);

/// The region, credentials, endpoints and TLS configuration for AWS.
#[derive(Clone, Debug)]
pub struct Aws {
    sdk: SdkConfig,
    https: Https,
    region: String,
}

/// Why the AWS clients cannot be configured.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// The variable is missing.
    #[error(
        "environment variable {0} is not set. Lambda sets it; elsewhere, `aws configure export-credentials --format env` prints \
         those for a profile"
    )]
    NotSet(&'static str),
}

impl Aws {
    /// Reads `AWS_REGION` or `AWS_DEFAULT_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
    /// `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`, `AWS_ENDPOINT_URL` and those of single services, such as
    /// `AWS_ENDPOINT_URL_DYNAMODB`.
    pub fn read(
        https: Https,
        variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Self, AwsError> {
        let optional = |name| variable(name).filter(|value| !value.is_empty());
        let required = |name| optional(name).ok_or(AwsError::NotSet(name));
        let is_true = |name| optional(name).map(|value| value.eq_ignore_ascii_case("true"));
        let region = optional("AWS_REGION").map_or_else(|| required("AWS_DEFAULT_REGION"), Ok);
        let region = region.map_err(|_| AwsError::NotSet("AWS_REGION"))?;
        let (id, secret) = (required("AWS_ACCESS_KEY_ID")?, required("AWS_SECRET_ACCESS_KEY")?);
        let credentials = Credentials::new(id, secret, optional("AWS_SESSION_TOKEN"), None, "environment");
        let mut sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()));
        sdk.set_endpoint_url(optional("AWS_ENDPOINT_URL"));
        sdk.set_use_fips(is_true("AWS_USE_FIPS_ENDPOINT"));
        sdk.set_use_dual_stack(is_true("AWS_USE_DUALSTACK_ENDPOINT"));
        let sdk = sdk.service_config(ServiceVariables(variable)).build();
        Ok(Self { sdk, https, region })
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// A `DynamoDB` client with a timeout of four seconds per operation.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.sdk)
            .http_client(self.https.client())
            .timeout_config(dynamodb_timeouts(OPERATION_TIMEOUT))
            .retry_config(
                RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50)),
            )
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    /// An SES client with a timeout of four seconds and no retries: `mail::send` decides what to retry. It has its own connection
    /// pool, so create one per batch of mails. A connection kept from an earlier batch may have broken while the environment was frozen,
    /// and then it is unknown whether the mail was sent.
    #[must_use]
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        let config = aws_sdk_sesv2::config::Builder::from(&self.sdk)
            .http_client(self.https.client())
            .timeout_config(timeouts(SES_TIMEOUT, SES_TIMEOUT))
            .retry_config(RetryConfig::disabled())
            .build();
        aws_sdk_sesv2::Client::from_conf(config)
    }

    /// An SQS client with a timeout of four seconds per operation.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::config::Builder::from(&self.sdk)
            .http_client(self.https.client())
            .timeout_config(dynamodb_timeouts(OPERATION_TIMEOUT))
            .retry_config(RetryConfig::standard())
            .build();
        aws_sdk_sqs::Client::from_conf(config)
    }
}

/// Resolves the variables for the endpoint of one service.
struct ServiceVariables<F>(F);

impl<F> std::fmt::Debug for ServiceVariables<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceVariables")
    }
}

impl<F: Fn(&str) -> Option<String> + Send + Sync> LoadServiceConfig for ServiceVariables<F> {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        (self.0)(&format!("{}_{service}", key.env())).filter(|value| !value.is_empty())
    }
}

/// Timeouts for `DynamoDB`, with `operation` as the timeout of all attempts together.
pub(crate) fn dynamodb_timeouts(operation: Duration) -> TimeoutConfig {
    timeouts(DYNAMODB_ATTEMPT_TIMEOUT, operation)
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(operation).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &'static [(&str, &str)]) -> Result<Aws, AwsError> {
        let https = Https::new().expect("root certificates");
        Aws::read(https, move |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_missing_variable_is_named() {
        for (variables, missing) in [
            (&[][..], "AWS_REGION"),
            (&[("AWS_DEFAULT_REGION", "eu-west-1")], "AWS_ACCESS_KEY_ID"),
            (&[("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "q7")], "AWS_SECRET_ACCESS_KEY"),
        ] {
            let message = read(variables).expect_err(missing).to_string();
            assert!(message.starts_with(&format!("environment variable {missing} is not set")), "{message}");
            assert!(!message.contains("q7"), "{message}");
        }
    }

    #[tokio::test]
    async fn each_service_uses_the_endpoint_in_its_own_variable() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let dead = "http://127.0.0.1:1";
        let alive = format!("http://{}", listener.local_addr().expect("an address"));
        let https = Https::new().expect("root certificates");
        for (service, other) in [("DYNAMODB", "SESV2"), ("SESV2", "SQS"), ("SQS", "DYNAMODB")] {
            let (own, unused) = (format!("AWS_ENDPOINT_URL_{service}"), format!("AWS_ENDPOINT_URL_{other}"));
            let alive = alive.clone();
            let aws = Aws::read(https.clone(), move |name| match name {
                "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".to_owned()),
                name if name == own => Some(alive.clone()),
                name if name == unused || name == "AWS_ENDPOINT_URL" => Some(dead.to_owned()),
                _ => None,
            })
            .expect("AWS");
            let call = async {
                match service {
                    "DYNAMODB" => drop(aws.dynamodb().list_tables().send().await),
                    "SESV2" => drop(aws.ses().get_account().send().await),
                    _ => drop(aws.sqs().list_queues().send().await),
                }
            };
            tokio::select! {
                () = call => panic!("{service} was called elsewhere"),
                accepted = listener.accept() => drop(accepted.expect("a connection")),
            }
        }
    }
}
