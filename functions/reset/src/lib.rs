//! *reset* opens reset requests and serves the page "Forgot your password?". It never looks an account up, so neither its responses nor
//! their timing reveal whether an address has one.

use aws_sdk_dynamodb::Client;
use shared::api_key::Scope;
use shared::clock::Clock;
use shared::config::Config;
use shared::function::{Function, Success};
use shared::gate::Gate;
use shared::http::page::Pages;
use shared::http::routes::{Access, Route};
use shared::http::{ApiError, Call, Reply, StatusCode};
use shared::random::Random;
use shared::store::limits::IpLimit;
use shared::store::requests::Requests;
use shared::token::{RequestToken, Token};

/// What a route does.
#[derive(Clone, Copy, Debug)]
pub enum Endpoint {
    /// Opens a reset request.
    OpenRequest,
    /// The page "Forgot your password?".
    Page,
}

/// The routes.
pub const ROUTES: [Route<Endpoint>; 4] = {
    const ANYONE: Access<Endpoint> = Access::Anyone(Scope::Reset);
    [
        Route::post("/organizations/reset-password/", ANYONE, Endpoint::OpenRequest),
        Route::post("/timp/organizations/reset-password/", ANYONE, Endpoint::OpenRequest),
        Route::post("/api/organizations/reset-password/", ANYONE, Endpoint::OpenRequest),
        Route::get("/organizations/reset-password/", Access::People, Endpoint::Page),
    ]
};

/// The function's state, kept between calls.
pub struct Reset {
    gate: Gate,
    requests: Requests,
    pages: Pages,
    random: Random,
}

impl Reset {
    /// The function, configured by `config`.
    #[must_use]
    pub fn new(config: Config, dynamodb: Client, clock: Clock, random: Random) -> Self {
        Self {
            gate: Gate::new(&config, dynamodb.clone(), clock),
            requests: Requests::new(
                dynamodb,
                config.tokens_table,
                config.token_lifetime_seconds,
                config.languages,
            ),
            pages: Pages::forgot(config.branding, config.languages, config.default_language),
            random,
        }
    }

    async fn open_request(&self, call: &Call) -> Result<Success, ApiError> {
        let address = call.email()?;
        let token = RequestToken(Token::generate(&self.random)?);
        // One after the other: a throttled call stores nothing but its counter.
        self.gate.count(IpLimit::Reset, call).await?;
        self.requests.open(&token, &address, call.asked(), call.received_at).await?;
        let body = serde_json::json!({"reset_token": token.0.expose_secret()});
        Ok(Success::new("request_opened", Reply::json(StatusCode::OK, &body)))
    }
}

impl Function for Reset {
    type Endpoint = Endpoint;

    const ROUTES: &'static [Route<Endpoint>] = &ROUTES;

    fn gate(&self) -> &Gate {
        &self.gate
    }

    async fn call(&self, endpoint: Endpoint, call: &Call) -> Result<Success, ApiError> {
        match endpoint {
            Endpoint::OpenRequest => self.open_request(call).await,
            Endpoint::Page => Ok(Success::new("page_shown", self.pages.in_language(call.language)?)),
        }
    }
}
