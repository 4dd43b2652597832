//! *complete* sets the password. The order matters: it checks the token, then the password, then hashes the password. One transaction does
//! the rest and also orders the notice.

use aws_sdk_dynamodb::Client;
use secrecy::{ExposeSecret as _, SecretString};
use shared::api_key::{ApiKeys, Caller};
use shared::aws::Https;
use shared::clock::{Clock, Timestamp};
use shared::config::{Config, ConfigError};
use shared::email::EmailAddress;
use shared::function::{self, Function, Success};
use shared::http::routes::{Endpoint, FunctionName};
use shared::http::{AcceptedContentType, ApiError, Call, Reply, StatusCode};
use shared::language::Languages;
use shared::origin::OriginSecrets;
use shared::password::breached::{BreachedPasswords, Listing};
use shared::password::hash::{self, Hashing, PasswordHash};
use shared::password::{NewPassword, PasswordPolicy, Weakness};
use shared::random::Random;
use shared::store::accounts::{Account, Accounts};
use shared::store::asked::Asked;
use shared::store::completion::{Completed, Completion};
use shared::store::limits::Limits;
use shared::store::orders::Orders;
use shared::store::resets::{Resets, StoredReset};
use shared::telemetry::Telemetry;
use shared::token::{ResetToken, Token};

/// The function's state, kept between calls.
pub struct Complete {
    api_keys: ApiKeys,
    origin_secrets: OriginSecrets,
    languages: Languages,
    limits: Limits,
    resets: Resets,
    accounts: Accounts,
    completion: Completion,
    policy: PasswordPolicy,
    breached: Option<BreachedPasswords>,
    hashing: Hashing,
    telemetry: Telemetry,
    clock: Clock,
    random: Random,
}

impl Complete {
    /// The function, configured by `config`. It asks for breached passwords over `https`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable that only this function needs is missing.
    pub fn new(
        config: Config,
        dynamodb: Client,
        https: Https,
        telemetry: Telemetry,
        clock: Clock,
        random: Random,
    ) -> Result<Self, ConfigError> {
        let accounts = Accounts::new(dynamodb.clone(), config.accounts()?);
        let tokens_table = config.tokens_table;
        let orders = Orders::new(dynamodb.clone(), tokens_table.clone());
        Ok(Self {
            limits: Limits::new(dynamodb.clone(), tokens_table.clone(), config.limits),
            resets: Resets::new(dynamodb.clone(), tokens_table.clone()),
            completion: Completion::new(dynamodb, tokens_table, accounts.clone(), orders),
            accounts,
            api_keys: config.api_keys,
            origin_secrets: config.origin_secrets,
            languages: config.languages,
            policy: config.password_policy,
            breached: config.breached_passwords.map(|range| BreachedPasswords::new(range, https)),
            hashing: config.hashing,
            telemetry,
            clock,
            random,
        })
    }

    /// The stored token and its account, if `token` is a live reset token.
    async fn find_live(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<Option<(StoredReset, Account)>, ApiError> {
        let Some(reset) = self.find_reset(token, now).await? else { return Ok(None) };
        // The transaction checks this too. Without this read, a caller could spend our CPU on hashes with a superseded token.
        let account = self.accounts.current(&reset.account, reset.issued_at).await?;
        Ok(account.map(|account| (reset, account)))
    }

    /// Sets `password` for the account of the live token `reset`.
    async fn complete(
        &self,
        (reset, account): (StoredReset, Account),
        password: SecretString,
        call: &Call,
        caller: &Caller,
    ) -> Result<(), ApiError> {
        let password = self.check(password, account.email(), true).await?;
        let hash = self.hash(password).await?;
        let now = self.clock.now();
        // Whoever has a live token speaks for the person.
        let asked = Asked { is_trusted: true, ..Asked::of(caller, call.language, call.device) };
        match self.completion.complete(&reset, &account, &hash, asked, now, &self.random).await? {
            Completed::PasswordSet => Ok(()),
            Completed::NoLongerLive => Err(ApiError::TokenNotLive),
        }
    }

    async fn find_reset(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<Option<StoredReset>, ApiError> {
        let Some(token) = Token::parse(token.expose_secret().to_owned()).map(ResetToken) else {
            return Ok(None);
        };
        Ok(self.resets.find(&token.0.digest(), now).await?)
    }

    /// Checks `password` against the policy, then against the breached passwords. `is_live` is whether the caller has a live token.
    ///
    /// The policy runs off the async thread, like [`Self::hash`]: a check takes milliseconds, a hash 0.1 s or more. The `JoinError` is
    /// dropped: the panic message in it may contain the password.
    async fn check(
        &self,
        password: SecretString,
        address: Option<EmailAddress>,
        is_live: bool,
    ) -> Result<NewPassword, ApiError> {
        let policy = self.policy.clone();
        let checked = tokio::task::spawn_blocking(move || policy.check(password, address.as_ref())).await;
        let password =
            checked.map_err(|_| ApiError::Unavailable("checking a password did not finish".to_owned()))??;
        let Some(breached) = &self.breached else { return Ok(password) };
        match breached.look_up(&password, is_live).await {
            Listing::Listed => return Err(vec![Weakness::Breached].into()),
            Listing::NotListed => {}
            // Somebody else's outage must not stop resets: the policy has accepted the password.
            Listing::Unknown(problem) => self.telemetry.breach_check_failed(problem),
        }
        Ok(password)
    }

    async fn hash(&self, password: NewPassword) -> Result<PasswordHash, ApiError> {
        let (hashing, random) = (self.hashing.clone(), self.random.clone());
        let hashed = tokio::task::spawn_blocking(move || hash::hash(&password, &hashing, &random)).await;
        Ok(hashed.map_err(|_| ApiError::Unavailable("hashing a password did not finish".to_owned()))??)
    }

    async fn complete_from_body(&self, call: &Call, caller: &Caller) -> Result<Success, ApiError> {
        let (token, password) = token_and_password(call)?;
        let now = self.clock.now();
        let Some(live) = self.find_live(&token, now).await? else {
            return Err(function::refuse_dead_token(&self.limits, call, caller, now).await);
        };
        self.complete(live, password, call, caller).await?;
        Ok(Success::new("password_set", Reply::empty(StatusCode::NO_CONTENT)))
    }

    /// Unleash reports a weak password before a dead token, so a caller without a token can have passwords checked. These checks are rate
    /// limited; calls with a live token are not counted.
    async fn unleash_complete(&self, call: &Call, caller: &Caller) -> Result<Success, ApiError> {
        let (token, password) = token_and_password(call)?;
        let now = self.clock.now();
        let Some(live) = self.find_live(&token, now).await? else {
            self.limits.count_password_check(caller, &call.source_ip, now).await?.allowed()?;
            self.check(password, None, false).await?;
            return Err(function::refuse_dead_token(&self.limits, call, caller, now).await);
        };
        self.complete(live, password, call, caller).await?;
        Ok(Success::new("password_set", Reply::empty(StatusCode::OK)))
    }

    /// With a live token the check knows the account, as the completion does: one password gets one verdict. Such checks are not counted.
    async fn unleash_validate_password(&self, call: &Call, caller: &Caller) -> Result<Success, ApiError> {
        let mut fields = call.fields(AcceptedContentType::Json)?;
        let (password, token) = (fields.text("password"), fields.optional_text("token"));
        let password = fields.finish(password)?;
        let now = self.clock.now();
        let live = match token {
            Some(token) => self.find_live(&token, now).await?,
            None => None,
        };
        if live.is_none() {
            self.limits.count_password_check(caller, &call.source_ip, now).await?.allowed()?;
        }
        let is_live = live.is_some();
        self.check(password, live.and_then(|(_, account)| account.email()), is_live).await?;
        Ok(Success::new("password_accepted", Reply::empty(StatusCode::OK)))
    }
}

impl Function for Complete {
    const NAME: FunctionName = FunctionName::Complete;

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
            Endpoint::Complete => self.complete_from_body(call, caller).await,
            Endpoint::UnleashComplete => self.unleash_complete(call, caller).await,
            Endpoint::UnleashValidatePassword => self.unleash_validate_password(call, caller).await,
            _ => Err(ApiError::NotFound),
        }
    }
}

fn token_and_password(call: &Call) -> Result<(SecretString, SecretString), ApiError> {
    let mut fields = call.fields(AcceptedContentType::Json)?;
    let (token, password) = (fields.text("token"), fields.text("password"));
    fields.finish(token.zip(password))
}
