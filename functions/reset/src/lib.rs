//! *reset* opens reset requests and serves the page "Forgot your password?". It never looks an account up, so neither its responses nor
//! their timing reveal whether an address has one.

use aws_sdk_dynamodb::Client;
use shared::api_key::{ApiKeys, Caller};
use shared::clock::Clock;
use shared::config::Config;
use shared::function::{Function, Success};
use shared::http::page::Pages;
use shared::http::routes::{Endpoint, FunctionName};
use shared::http::{AcceptedContentType, ApiError, Call, Reply, StatusCode};
use shared::language::Languages;
use shared::origin::OriginSecrets;
use shared::random::Random;
use shared::store::asked::Asked;
use shared::store::limits::Limits;
use shared::store::requests::Requests;
use shared::token::{RequestToken, Token};

/// The function's state, kept between calls.
pub struct Reset {
    api_keys: ApiKeys,
    origin_secrets: OriginSecrets,
    languages: Languages,
    limits: Limits,
    requests: Requests,
    pages: Pages,
    clock: Clock,
    random: Random,
}

impl Reset {
    /// The function, configured by `config`.
    #[must_use]
    pub fn new(config: Config, dynamodb: Client, clock: Clock, random: Random) -> Self {
        Self {
            limits: Limits::new(dynamodb.clone(), config.tokens_table.clone(), config.limits),
            requests: Requests::new(
                dynamodb,
                config.tokens_table,
                config.token_lifetime_seconds,
                config.languages,
            ),
            pages: Pages::forgot(config.branding, config.languages, config.default_language),
            api_keys: config.api_keys,
            origin_secrets: config.origin_secrets,
            languages: config.languages,
            clock,
            random,
        }
    }

    async fn open_request(&self, call: &Call, caller: &Caller) -> Result<Success, ApiError> {
        let mut fields = call.fields(AcceptedContentType::Json)?;
        let email = fields.email();
        let address = fields.finish(email)?;
        let now = self.clock.now();
        let token = RequestToken(Token::generate(&self.random)?);
        // One after the other: a throttled call stores nothing but its counter.
        self.limits.count_reset(caller, &call.source_ip, now).await?.allowed()?;
        self.requests.open(&token, &address, Asked::of(caller, call.language, call.device), now).await?;
        let body = serde_json::json!({"reset_token": token.0.expose_secret()});
        Ok(Success::new("request_opened", Reply::json(StatusCode::OK, &body)))
    }
}

impl Function for Reset {
    const NAME: FunctionName = FunctionName::Reset;

    fn api_keys(&self) -> &ApiKeys {
        &self.api_keys
    }

    fn origin_secrets(&self) -> &OriginSecrets {
        &self.origin_secrets
    }

    fn languages(&self) -> Languages {
        self.languages
    }

    async fn call(&self, endpoint: Endpoint, call: &Call, caller: &Caller) -> Result<Success, ApiError> {
        match endpoint {
            Endpoint::OpenRequest => self.open_request(call, caller).await,
            Endpoint::ForgotPage => Ok(Success::new("page_shown", self.pages.in_language(call.language)?)),
            _ => Err(ApiError::NotFound),
        }
    }
}
