//! *validate* mails reset tokens, tells whether a token is live, and serves the page that the mail links to.
//!
//! For an address with an account and one without, it does the same reads and writes and gives the same answers; the
//! mail leaves after the reply.

mod issue;
mod unleash;

use aws_sdk_dynamodb::Client;
use secrecy::{ExposeSecret as _, SecretString};
use shared::after_reply::AfterReply;
use shared::api_key::{ApiKeys, Caller, Scope};
use shared::clock::{Clock, Timestamp};
use shared::config::Config;
use shared::email::EmailAddress;
use shared::function::{Done, Function};
use shared::http::routes::{Endpoint, FunctionName};
use shared::http::{Call, Media, Refusal, Reply, page};
use shared::mail::Mailer;
use shared::random::Random;
use shared::store::accounts::Accounts;
use shared::store::limits::{Limits, TokenAttempt};
use shared::store::requests::{Requests, ResetRequest};
use shared::store::resets::{Resets, StoredReset};
use shared::token::{Digest, Token};

/// The function's state, kept between calls.
pub struct Validate {
    api_keys: ApiKeys,
    limits: Limits,
    requests: Requests,
    resets: Resets,
    accounts: Accounts,
    mailer: Mailer,
    after_reply: AfterReply,
    page: Reply,
    token_lifetime_seconds: u64,
    region: Option<String>,
    clock: Clock,
    random: Random,
}

/// A token and the address that came with it, from the query, the body or both.
struct Presented {
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
    ///
    /// # Errors
    ///
    /// If the page cannot be written.
    pub fn new(
        config: Config,
        dynamodb: Client,
        mailer: Mailer,
        after_reply: AfterReply,
        region: Option<String>,
        clock: Clock,
        random: Random,
    ) -> Result<Self, lambda_runtime::Error> {
        let limits = Limits::new(dynamodb.clone(), config.tokens_table.clone(), config.limits);
        let lifetime = config.token_lifetime_seconds;
        Ok(Self {
            requests: Requests::new(dynamodb.clone(), config.tokens_table.clone(), lifetime),
            resets: Resets::new(dynamodb.clone(), config.tokens_table, lifetime, limits.clone()),
            accounts: Accounts::new(dynamodb, config.accounts),
            page: page::choose(&config.mail.service_name, config.password_policy.min_length)?,
            api_keys: config.api_keys,
            token_lifetime_seconds: lifetime,
            limits,
            mailer,
            after_reply,
            region,
            clock,
            random,
        })
    }

    /// Finds out what `presented` is, and mails if it is a request.
    async fn validate(
        &self,
        presented: Presented,
        call: &Call,
        caller: &Caller,
        request_id: &str,
    ) -> Result<Done, Refusal> {
        let now = self.clock.now();
        let (found, attempt) = self.look_up(&presented.token, call, caller, now).await?;
        match found {
            Found::Request(request) if presented.address.is_none_or(|address| address == request.address) => {
                let mailed = self.mail_for(request, call, caller, now, request_id).await;
                // Whoever keeps on asking after a 429 keeps on being counted.
                if !matches!(mailed, Err(Refusal::AccountUnknown | Refusal::Throttled(_))) {
                    self.limits.forgive(attempt, &self.after_reply);
                }
                mailed
            }
            Found::Reset(reset) if self.accounts.of_live(&reset).await?.is_some() => {
                self.limits.forgive(attempt, &self.after_reply);
                Ok(Done::new("token_live", Reply::empty(204)))
            }
            Found::Request(_) | Found::Reset(_) | Found::Nothing => Err(Refusal::TokenNotLive),
        }
    }

    /// Counts the attempt and looks the token up, side by side; what was found is of no account if the count says no.
    async fn look_up(
        &self,
        token: &SecretString,
        call: &Call,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(Found, TokenAttempt), Refusal> {
        let digest = Token::parse(token.expose_secret().to_owned()).map(|token| token.digest());
        let (attempt, found) = tokio::join!(
            self.limits.count_token(caller, &call.source_ip, now),
            self.find(digest.as_ref(), now)
        );
        let attempt = attempt??;
        Ok((found?, attempt))
    }

    async fn find(&self, digest: Option<&Digest>, now: Timestamp) -> Result<Found, Refusal> {
        let Some(digest) = digest else { return Ok(Found::Nothing) };
        let (request, reset) = tokio::join!(self.requests.find(digest, now), self.resets.find(digest, now));
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

    async fn call(
        &self,
        endpoint: Endpoint,
        call: &Call,
        caller: &Caller,
        request_id: &str,
    ) -> Result<Done, Refusal> {
        match endpoint {
            Endpoint::ValidateQuery { page: true } if call.query("token")?.is_none() => {
                Ok(Done::new("page_shown", self.page.clone()))
            }
            Endpoint::ValidateQuery { .. } => {
                self.validate(from_query(call)?, call, caller, request_id).await
            }
            Endpoint::ValidateBody => self.validate(from_body(call)?, call, caller, request_id).await,
            Endpoint::UnleashRequest => self.unleash_request(call, caller, request_id).await,
            Endpoint::UnleashValidate => self.unleash_validate(call, caller).await,
            _ => Err(Refusal::NotFound),
        }
    }
}

/// The token from the query; the address from the query, the body, both alike, or nowhere.
fn from_query(call: &Call) -> Result<Presented, Refusal> {
    let mut fields = call.fields(Media::JsonOrText)?;
    let in_body = fields.optional_email();
    let in_body = fields.finish(Some(in_body))?;
    let token = call.query("token")?.ok_or_else(|| Refusal::invalid("?token".to_owned(), "is missing"))?;
    let in_query: Option<EmailAddress> = match call.query("email")? {
        Some(text) => Some(text.parse().map_err(|error| invalid_query_address(text, &error))?),
        None => None,
    };
    if in_query.is_some() && in_body.is_some() && in_query != in_body {
        return Err(Refusal::invalid("?email".to_owned(), "differs from the address in the body"));
    }
    Ok(Presented { token: token.into(), address: in_query.or(in_body) })
}

/// In a query a plus sign is a space (WHATWG URL standard), which clients forget.
fn invalid_query_address(text: &str, error: &impl ToString) -> Refusal {
    let hint = if text.contains(' ') { " (write + as %2B)" } else { "" };
    Refusal::invalid("?email".to_owned(), format!("{}{hint}", error.to_string()))
}

fn from_body(call: &Call) -> Result<Presented, Refusal> {
    let mut fields = call.fields(Media::JsonOrText)?;
    let (token, address) = (fields.text("token"), fields.optional_email());
    let token = fields.finish(token)?;
    Ok(Presented { token, address })
}
