//! *validate* orders mails with reset tokens, checks tokens and serves the page that the mail links to. The same binary is also deployed as
//! the [`MailFunction`], which sends the ordered mails.
//!
//! For anonymous callers, the reads, writes and responses are the same whether or not an address has an account.

mod mail;
mod order;
mod unleash;

use aws_sdk_dynamodb::Client;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use shared::api_key::Scope;
use shared::clock::{Clock, Timestamp};
use shared::config::{Config, ConfigError};
use shared::email::EmailAddress;
use shared::function::{Function, Success};
use shared::gate::Gate;
use shared::http::page::Pages;
use shared::http::routes::{Access, Route};
use shared::http::{AcceptedContentType, ApiError, Call, Reply, StatusCode};
use shared::random::Random;
use shared::store::accounts::{Account, Accounts};
use shared::store::orders::Orders;
use shared::store::requests::{Requests, ResetRequest};
use shared::store::resets::{Resets, StoredReset};
use shared::token::Token;

pub use mail::{DeadLetters, MailFunction};

/// What a route does.
#[derive(Clone, Copy, Debug)]
pub enum Endpoint {
    /// The page "Choose a new password".
    Page,
    /// Orders a mail for the request token in the query, or checks the reset token.
    ValidateQuery,
    /// The same for the token in the body.
    ValidateBody,
    /// Orders a mail for an account's first password.
    Invite,
    /// Orders a mail in one call, without a request, for the clients of Unleash, an open-source feature flag service.
    UnleashRequest,
    /// Checks a reset token and returns its account, for Unleash's clients.
    UnleashValidate,
}

/// The routes.
pub const ROUTES: [Route<Endpoint>; 7] = {
    use Endpoint::{Invite, Page, UnleashRequest, UnleashValidate, ValidateBody, ValidateQuery};
    const ANYONE: Access<Endpoint> = Access::Anyone(Scope::Validate);
    const PAGE: Access<Endpoint> = Access::PeopleWithoutToken(Scope::Validate, Page);
    [
        Route::get("/organizations/complete-password/", PAGE, ValidateQuery),
        Route::get("/timp/organizations/complete-password/", ANYONE, ValidateQuery),
        Route::get("/api/organizations/complete-password/", ANYONE, ValidateQuery),
        Route::post("/organizations/validate-password-reset/", ANYONE, ValidateBody),
        Route::post("/organizations/invite/", Access::Trusted(Scope::Invite), Invite),
        Route::post("/auth/reset/password-email", ANYONE, UnleashRequest),
        Route::get("/auth/reset/validate", ANYONE, UnleashValidate),
    ]
};

/// The function's state, kept between calls.
pub struct Validate {
    gate: Gate,
    requests: Requests,
    resets: Resets,
    accounts: Accounts,
    orders: Orders,
    pages: Pages,
    lifetime_seconds: u64,
    invite_lifetime_seconds: u64,
    has_reset_link: bool,
    region: String,
    random: Random,
}

/// A token, and the address sent with it in the query, the body or both.
struct TokenAndAddress {
    token: SecretString,
    address: Option<EmailAddress>,
}

/// The stored token that a caller's token matches.
enum FoundToken {
    Request(ResetRequest),
    Reset(StoredReset),
    Unknown,
}

impl Validate {
    /// The function, configured by `config`. Links to the hosted page contain `region`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable that only this function needs is missing.
    pub fn new(
        config: Config,
        dynamodb: Client,
        region: String,
        clock: Clock,
        random: Random,
    ) -> Result<Self, ConfigError> {
        let has_reset_link = config.reset_link()?.is_some();
        let accounts = Accounts::new(dynamodb.clone(), config.accounts()?);
        let lifetime = config.token_lifetime_seconds;
        let languages = config.languages;
        Ok(Self {
            gate: Gate::new(&config, dynamodb.clone(), clock),
            requests: Requests::new(dynamodb.clone(), config.tokens_table.clone(), lifetime, languages),
            resets: Resets::new(dynamodb.clone(), config.tokens_table.clone()),
            orders: Orders::new(dynamodb, config.tokens_table),
            lifetime_seconds: lifetime,
            invite_lifetime_seconds: config.invite_lifetime_seconds,
            accounts,
            pages: Pages::choose(config.branding, config.password_policy, languages, config.default_language),
            has_reset_link,
            region,
            random,
        })
    }

    /// Orders a mail for a request token, or checks whether a reset token is live. `answer` is what is said of a live reset token's account.
    async fn validate(
        &self,
        received: TokenAndAddress,
        call: &Call,
        answer: fn(&Account) -> Reply,
    ) -> Result<Success, ApiError> {
        let account = match self.find_token(&received.token, call.received_at).await? {
            FoundToken::Request(request)
                if received.address.is_none_or(|address| address == request.address) =>
            {
                return self.order_for_request(&request, call).await;
            }
            FoundToken::Reset(reset) => self.accounts.current(&reset.account, reset.issued_at).await?,
            FoundToken::Request(_) | FoundToken::Unknown => None,
        };
        match account {
            Some(account) => Ok(Success::new("token_live", answer(&account))),
            None => Err(self.gate.refuse_dead_token(call).await),
        }
    }

    async fn find_token(&self, token: &SecretString, now: Timestamp) -> Result<FoundToken, ApiError> {
        let Some(token) = Token::parse(token.expose_secret().to_owned()) else {
            return Ok(FoundToken::Unknown);
        };
        let digest = token.digest();
        let (request, reset) = tokio::join!(self.requests.find(&digest, now), self.resets.find(&digest, now));
        Ok(match (request?, reset?) {
            (Some(request), _) => FoundToken::Request(request),
            (None, Some(reset)) => FoundToken::Reset(reset),
            (None, None) => FoundToken::Unknown,
        })
    }
}

impl Function for Validate {
    type Endpoint = Endpoint;

    const ROUTES: &'static [Route<Endpoint>] = &ROUTES;

    fn gate(&self) -> &Gate {
        &self.gate
    }

    async fn call(&self, endpoint: Endpoint, call: &Call) -> Result<Success, ApiError> {
        match endpoint {
            Endpoint::Page => Ok(Success::new("page_shown", self.pages.in_language(call.language)?)),
            Endpoint::ValidateQuery => {
                self.validate(from_query(call)?, call, |_| Reply::empty(StatusCode::NO_CONTENT)).await
            }
            Endpoint::ValidateBody => self.validate(from_body(call)?, call, address_of).await,
            Endpoint::Invite => self.invite(call).await,
            Endpoint::UnleashRequest => self.unleash_request(call).await,
            Endpoint::UnleashValidate => self.unleash_validate(call).await,
        }
    }
}

/// The address, for the password manager of whoever holds the mailed token: they could read it in the mail.
fn address_of(account: &Account) -> Reply {
    Reply::json(StatusCode::OK, &json!({"email": account.address()}))
}

/// The token from the query. The address may be in the query, in the body, in both if they agree, or absent.
fn from_query(call: &Call) -> Result<TokenAndAddress, ApiError> {
    let mut fields = call.fields(AcceptedContentType::JsonOrText)?;
    let in_body = fields.optional_email();
    let in_body = fields.finish(Some(in_body))?;
    let token = call.query("token")?.ok_or_else(|| ApiError::invalid("?token".to_owned(), "is missing"))?;
    let in_query: Option<EmailAddress> = match call.query("email")? {
        Some(text) => Some(text.parse().map_err(|error| invalid_query_address(text, &error))?),
        None => None,
    };
    if in_query.is_some() && in_body.is_some() && in_query != in_body {
        return Err(ApiError::invalid("?email".to_owned(), "differs from the address in the body"));
    }
    Ok(TokenAndAddress { token: token.into(), address: in_query.or(in_body) })
}

/// Adds a hint if the text contains a space: a plus sign in a query is decoded as one (WHATWG URL standard).
fn invalid_query_address(text: &str, error: &impl ToString) -> ApiError {
    let hint = if text.contains(' ') { " (write + as %2B)" } else { "" };
    ApiError::invalid("?email".to_owned(), format!("{}{hint}", error.to_string()))
}

fn from_body(call: &Call) -> Result<TokenAndAddress, ApiError> {
    let mut fields = call.fields(AcceptedContentType::Json)?;
    let (token, address) = (fields.text("token"), fields.optional_email());
    let token = fields.finish(token)?;
    Ok(TokenAndAddress { token, address })
}
