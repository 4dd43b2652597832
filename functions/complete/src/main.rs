//! The Lambda function *complete*: reads its configuration and serves.

use std::time::SystemTime;

use complete::Complete;
use shared::aws::{Aws, Https};
use shared::clock::Clock;
use shared::config::Config;
use shared::language::own::read_directory;
use shared::random::Random;
use shared::telemetry::{self, Telemetry};
use shared::{function, store};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "only main reads the environment and the clock")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init_diagnostics();
    let config = Config::read(|name| std::env::var(name).ok(), read_directory)?;
    let https = Https::new()?;
    let aws = Aws::read(https.clone(), |name| std::env::var(name).ok())?;
    let clock = Clock::new(SystemTime::now);
    let telemetry = Telemetry::new("complete", &config.stack_name, clock.clone(), std::io::stdout());
    let dynamodb = aws.dynamodb();
    store::warm_up(&dynamodb, &config.tokens_table).await;
    let random = Random::operating_system();
    let complete = Complete::new(config, dynamodb, https, telemetry.clone(), clock, random)?;
    function::serve(complete, telemetry).await
}
