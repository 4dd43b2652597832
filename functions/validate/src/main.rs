//! The Lambda function *validate*: reads its configuration and serves. The same binary is also deployed as the mail function, with the
//! tokens table's stream as its event source. The shape of the event decides which one runs.

use std::sync::Arc;
use std::time::SystemTime;

use lambda_http::service_fn;
use shared::aws::{Aws, Https};
use shared::clock::Clock;
use shared::config::Config;
use shared::language::own::read_directory;
use shared::random::Random;
use shared::telemetry::{self, Telemetry};
use shared::{function, http, store};
use validate::{DeadLetters, MailFunction, Validate};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "only main reads the environment and the clock")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init_diagnostics();
    let config = Config::read(|name| std::env::var(name).ok(), read_directory)?;
    let aws = Aws::read(Https::new()?, |name| std::env::var(name).ok())?;
    let clock = Clock::new(SystemTime::now);
    let telemetry = Telemetry::new("validate", &config.stack_name, clock.clone(), std::io::stdout());
    let random = Random::operating_system();
    let dynamodb = aws.dynamodb();
    let warm_up = || store::warm_up(&dynamodb, &config.tokens_table);
    tokio::join!(warm_up(), warm_up());
    let queue = config.dead_letter_queue_url.clone();
    let dead_letters = queue.map(|queue_url| DeadLetters::new(aws.sqs(), queue_url));
    let region = aws.region().to_owned();
    let mail = MailFunction::new(
        &config,
        dynamodb.clone(),
        aws,
        dead_letters,
        telemetry.clone(),
        clock.clone(),
        random.clone(),
    );
    let validate = Validate::new(config, dynamodb, region, clock, random)?;
    // Each of the two deployments has only the variables that it needs: MAIL_FROM is the mail function's.
    let mail = Arc::new(mail);
    let validate = Arc::new(validate);
    lambda_http::lambda_runtime::run(service_fn(move |event: lambda_http::LambdaEvent<_>| {
        let (mail, validate, telemetry) = (Arc::clone(&mail), Arc::clone(&validate), telemetry.clone());
        async move {
            if http::event::is_stream(&event.payload) {
                mail.as_ref().as_ref().map_err(ToString::to_string)?.respond(event).await
            } else {
                function::respond(validate, telemetry, event).await
            }
        }
    }))
    .await
}
