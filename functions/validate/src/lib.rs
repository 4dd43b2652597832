//! *validate* orders mails with reset tokens, tells whether a token is live, and serves the page that the mail links to. Deployed a
//! second time it is the [`MailFunction`], which sends what was ordered.
//!
//! For an address with an account and one without, it does the same reads and writes and gives the same answers.

mod mail;
mod order;
mod unleash;

use aws_sdk_dynamodb::Client;
use secrecy::{ExposeSecret as _, SecretString};
use shared::api_key::{ApiKeys, Caller, Scope};
use shared::clock::{Clock, Timestamp};
use shared::config::Config;
use shared::email::EmailAddress;
use shared::function::{self, Function, Success};
use shared::http::page::Pages;
use shared::http::routes::{Endpoint, FunctionName};
use shared::http::{AcceptedContentType, ApiError, Call, Reply, StatusCode};
use shared::origin::OriginSecrets;
use shared::random::Random;
use shared::store::accounts::Accounts;
use shared::store::limits::Limits;
use shared::store::orders::Orders;
use shared::store::requests::{Requests, ResetRequest};
use shared::store::resets::{Resets, StoredReset};
use shared::token::Token;

pub use mail::MailFunction;

/// The function's state, kept between calls.
pub struct Validate {
    api_keys: ApiKeys,
    origin_secrets: OriginSecrets,
    limits: Limits,
    requests: Requests,
    resets: Resets,
    accounts: Accounts,
    orders: Orders,
    pages: Pages,
    has_reset_link: bool,
    region: String,
    clock: Clock,
    random: Random,
}

/// A token and the address that came with it, from the query, the body or both.
struct TokenAndAddress {
    token: SecretString,
    address: Option<EmailAddress>,
}

/// What a token turned out to be.
enum Found {
    Request(ResetRequest),
    Reset(StoredReset),
    Nothing,
}

impl Validate {
    /// The function as `config` has it, in `region` (for links to the hosted page).
    #[must_use]
    pub fn new(config: Config, dynamodb: Client, region: String, clock: Clock, random: Random) -> Self {
        let lifetime = config.token_lifetime_seconds;
        let min_length = config.password_policy.min_length;
        Self {
            limits: Limits::new(dynamodb.clone(), config.tokens_table.clone(), config.limits),
            requests: Requests::new(dynamodb.clone(), config.tokens_table.clone(), lifetime),
            resets: Resets::new(dynamodb.clone(), config.tokens_table.clone(), lifetime),
            orders: Orders::new(dynamodb.clone(), config.tokens_table, lifetime),
            accounts: Accounts::new(dynamodb, config.accounts),
            pages: Pages::choose(config.branding, min_length, config.default_language),
            api_keys: config.api_keys,
            origin_secrets: config.origin_secrets,
            has_reset_link: config.mail.reset_link.is_some(),
            region,
            clock,
            random,
        }
    }

    /// Finds out what `presented` is, and orders a mail if it is a request.
    async fn validate(
        &self,
        presented: TokenAndAddress,
        call: &Call,
        caller: &Caller,
    ) -> Result<Success, ApiError> {
        let now = self.clock.now();
        match self.look_up(&presented.token, now).await? {
            Found::Request(request) if presented.address.is_none_or(|address| address == request.address) => {
                self.order_for(request, call, caller, now).await
            }
            Found::Reset(reset)
                if self.accounts.current(&reset.account, reset.issued_at).await?.is_some() =>
            {
                Ok(Success::new("token_live", Reply::empty(StatusCode::NO_CONTENT)))
            }
            Found::Request(_) | Found::Reset(_) | Found::Nothing => {
                Err(function::refuse_dead_token(&self.limits, call, caller, now).await)
            }
        }
    }

    async fn look_up(&self, token: &SecretString, now: Timestamp) -> Result<Found, ApiError> {
        let Some(token) = Token::parse(token.expose_secret().to_owned()) else { return Ok(Found::Nothing) };
        let digest = token.digest();
        let (request, reset) = tokio::join!(self.requests.find(&digest, now), self.resets.find(&digest, now));
        Ok(match (request?, reset?) {
            (Some(request), _) => Found::Request(request),
            (None, Some(reset)) => Found::Reset(reset),
            (None, None) => Found::Nothing,
        })
    }
}

impl Function for Validate {
    const NAME: FunctionName = FunctionName::Validate;
    const SCOPE: Scope = Scope::Validate;

    fn api_keys(&self) -> &ApiKeys {
        &self.api_keys
    }

    fn origin_secrets(&self) -> &OriginSecrets {
        &self.origin_secrets
    }

    async fn call(&self, endpoint: Endpoint, call: &Call, caller: &Caller) -> Result<Success, ApiError> {
        match endpoint {
            Endpoint::ValidateQuery { page: true } if call.query("token")?.is_none() => {
                Ok(Success::new("page_shown", self.pages.in_language(call.language)?))
            }
            Endpoint::ValidateQuery { .. } => self.validate(from_query(call)?, call, caller).await,
            Endpoint::ValidateBody => self.validate(from_body(call)?, call, caller).await,
            Endpoint::UnleashRequest => self.unleash_request(call, caller).await,
            Endpoint::UnleashValidate => self.unleash_validate(call, caller).await,
            _ => Err(ApiError::NotFound),
        }
    }
}

/// The token from the query; the address from the query, the body, both alike, or nowhere.
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

/// In a query a plus sign is a space (WHATWG URL standard), which clients forget.
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
