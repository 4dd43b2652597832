//! The Lambda function *validate*: reads the environment, the clock and the SDK's configuration, and serves.

use std::time::SystemTime;

use shared::after_reply::AfterReply;
use shared::clock::Clock;
use shared::config::Config;
use shared::mail::Mailer;
use shared::random::Random;
use shared::telemetry::{self, Telemetry};
use shared::{aws, function};
use validate::Validate;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment and the clock")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init_diagnostics();
    let config = Config::read(|name| std::env::var(name).ok())?;
    let sdk = aws::sdk_config().await;
    let clock = Clock::new(SystemTime::now);
    let telemetry = Telemetry::new("validate", clock.clone(), std::io::stdout());
    let random = Random::operating_system();
    let mailer =
        Mailer::new(aws::ses(&sdk), config.mail.clone(), telemetry.clone(), random.clone(), Mailer::PACE);
    let after_reply = AfterReply::default();
    let region = sdk.region().map(ToString::to_string);
    let validate =
        Validate::new(config, aws::dynamodb(&sdk), mailer, after_reply.clone(), region, clock, random)?;
    function::serve(validate, telemetry, after_reply).await
}
