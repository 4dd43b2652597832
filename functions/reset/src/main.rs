//! The Lambda function *reset*: reads its configuration and serves.

use std::time::SystemTime;

use reset::Reset;
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
    let aws = Aws::read(Https::new()?, |name| std::env::var(name).ok())?;
    let clock = Clock::new(SystemTime::now);
    let telemetry = Telemetry::new("reset", &config.stack_name, clock.clone(), std::io::stdout());
    let dynamodb = aws.dynamodb();
    let warm_up = || store::warm_up(&dynamodb, &config.tokens_table);
    tokio::join!(warm_up(), warm_up());
    let reset = Reset::new(config, dynamodb, clock, Random::operating_system());
    function::serve(reset, telemetry).await
}
