//! *complete* sets the password. The sequence matters: it checks the token, then the password, then hashes the password. One transaction does
//! the rest and also orders the notice.

mod breached;

use aws_sdk_dynamodb::Client;
use secrecy::{ExposeSecret as _, SecretString};
use shared::api_key::Scope;
use shared::aws::Https;
use shared::clock::Clock;
use shared::config::{Config, ConfigError};
use shared::function::{Function, Success};
use shared::gate::Gate;
use shared::http::routes::{Access, Route};
use shared::http::{AcceptedContentType, ApiError, Call, Reply, StatusCode};
use shared::password::hash::{self, Hashing, PasswordHash};
use shared::password::{NewPassword, PasswordPolicy, Weakness};
use shared::random::Random;
use shared::store::accounts::{Account, Accounts};
use shared::store::asked::Asked;
use shared::store::completion::{Completed, Completion};
use shared::store::limits::IpLimit;
use shared::store::orders::Orders;
use shared::store::resets::{Resets, StoredReset};
use shared::telemetry::Telemetry;
use shared::token::{ResetToken, Token};

use self::breached::{BreachedPasswords, Listing};

/// What a route does.
#[derive(Clone, Copy, Debug)]
pub enum Endpoint {
    /// Sets the password.
    SetPassword,
    /// Sets the password, for the clients of Unleash, an open-source feature flag service: checks the password before the token.
    UnleashSetPassword,
    /// Checks a password.
    CheckPassword,
}

/// The routes.
pub const ROUTES: [Route<Endpoint>; 5] = {
    const ANYONE: Access<Endpoint> = Access::Anyone(Scope::Complete);
    [
        Route::post("/organizations/complete-password/", ANYONE, Endpoint::SetPassword),
        Route::post("/timp/organizations/complete-password/", ANYONE, Endpoint::SetPassword),
        Route::post("/api/organizations/complete-password/", ANYONE, Endpoint::SetPassword),
        Route::post("/auth/reset/validate-password", ANYONE, Endpoint::CheckPassword),
        Route::post("/auth/reset/password", ANYONE, Endpoint::UnleashSetPassword),
    ]
};

/// A live reset token.
struct Live {
    reset: StoredReset,
    account: Account,
}

/// The function's state, kept between calls.
pub struct Complete {
    gate: Gate,
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
        let orders = Orders::new(dynamodb.clone(), config.tokens_table.clone());
        Ok(Self {
            gate: Gate::new(&config, dynamodb.clone(), clock.clone()),
            resets: Resets::new(dynamodb.clone(), config.tokens_table.clone()),
            completion: Completion::new(dynamodb, config.tokens_table, accounts.clone(), orders),
            accounts,
            policy: config.password_policy,
            breached: config.breached_passwords.map(|range| BreachedPasswords::new(range, https)),
            hashing: config.hashing,
            telemetry,
            clock,
            random,
        })
    }

    /// The stored token and its account, if `token` is a live reset token.
    async fn find_live(&self, token: SecretString, call: &Call) -> Result<Option<Live>, ApiError> {
        let Some(token) = Token::parse(token.expose_secret().to_owned()).map(ResetToken) else {
            return Ok(None);
        };
        let Some(reset) = self.resets.find(&token.0.digest(), call.received_at).await? else {
            return Ok(None);
        };
        // The transaction checks this too. Without this read, a caller could spend our CPU on hashes with a superseded token.
        let account = self.accounts.current(&reset.account, reset.issued_at).await?;
        Ok(account.map(|account| Live { reset, account }))
    }

    /// Sets `password` for the account of the live token in `call`.
    async fn set_password(&self, live: Live, password: SecretString, call: &Call) -> Result<(), ApiError> {
        let password = self.check(password, Some(&live.account)).await?;
        let hash = self.hash(password).await?;
        // Not the time at which the call arrived: the token may have expired while the password was hashed.
        let now = self.clock.now();
        // Whoever has a live token speaks for the person.
        let asked = Asked { is_trusted: true, ..call.asked() };
        match self.completion.run(&live.reset, &live.account, &hash, asked, now, &self.random).await? {
            Completed::PasswordSet => Ok(()),
            Completed::NoLongerLive => Err(ApiError::TokenNotLive),
        }
    }

    /// Checks `password` against the policy, then against the breached passwords. `account` is that of the caller's live token.
    ///
    /// The policy runs off the async thread, like [`Self::hash`]: a check takes milliseconds, a hash 0.1 s or more. The `JoinError` is
    /// dropped: the panic message in it may contain the password.
    async fn check(
        &self,
        password: SecretString,
        account: Option<&Account>,
    ) -> Result<NewPassword, ApiError> {
        let policy = self.policy.clone();
        let address = account.and_then(Account::email);
        let checked = tokio::task::spawn_blocking(move || policy.check(password, address.as_ref())).await;
        let password =
            checked.map_err(|_| ApiError::Unavailable("checking a password did not finish".to_owned()))??;
        let Some(breached) = &self.breached else { return Ok(password) };
        match breached.look_up(&password, account.is_some()).await {
            Listing::Listed => return Err(vec![Weakness::Breached].into()),
            Listing::NotListed => {}
            // Somebody else's outage must not stop resets: the policy has accepted the password.
            Listing::Unknown(problem) => self.telemetry.breach_check_failed(problem),
        }
        Ok(password)
    }

    async fn hash(&self, password: NewPassword) -> Result<PasswordHash, ApiError> {
        let hashing = self.hashing.clone();
        let random = self.random.clone();
        let hashed = tokio::task::spawn_blocking(move || hash::hash(&password, &hashing, &random)).await;
        Ok(hashed.map_err(|_| ApiError::Unavailable("hashing a password did not finish".to_owned()))??)
    }

    async fn set_password_from_body(&self, call: &Call) -> Result<Success, ApiError> {
        let (token, password) = token_and_password(call)?;
        let Some(live) = self.find_live(token, call).await? else {
            return Err(self.gate.refuse_dead_token(call).await);
        };
        self.set_password(live, password, call).await?;
        Ok(Success::new("password_set", Reply::empty(StatusCode::NO_CONTENT)))
    }

    /// Unleash reports a weak password before a dead token, so a caller without a token can have passwords checked. These checks are rate
    /// limited; calls with a live token are not counted.
    async fn unleash_set_password(&self, call: &Call) -> Result<Success, ApiError> {
        let (token, password) = token_and_password(call)?;
        let Some(live) = self.find_live(token, call).await? else {
            self.gate.count(IpLimit::PasswordCheck, call).await?;
            self.check(password, None).await?;
            return Err(self.gate.refuse_dead_token(call).await);
        };
        self.set_password(live, password, call).await?;
        Ok(Success::new("password_set", Reply::empty(StatusCode::OK)))
    }

    /// With a live token the check knows the account, as the completion does: one password gets one verdict. Such checks are not counted.
    async fn check_password(&self, call: &Call) -> Result<Success, ApiError> {
        let mut fields = call.fields(AcceptedContentType::Json)?;
        let (password, token) = (fields.text("password"), fields.optional_text("token"));
        let password = fields.finish(password)?;
        let live = match token {
            Some(token) => self.find_live(token, call).await?,
            None => None,
        };
        if live.is_none() {
            self.gate.count(IpLimit::PasswordCheck, call).await?;
        }
        self.check(password, live.as_ref().map(|live| &live.account)).await?;
        Ok(Success::new("password_accepted", Reply::empty(StatusCode::OK)))
    }
}

impl Function for Complete {
    type Endpoint = Endpoint;

    const ROUTES: &'static [Route<Endpoint>] = &ROUTES;

    fn gate(&self) -> &Gate {
        &self.gate
    }

    async fn call(&self, endpoint: Endpoint, call: &Call) -> Result<Success, ApiError> {
        match endpoint {
            Endpoint::SetPassword => self.set_password_from_body(call).await,
            Endpoint::UnleashSetPassword => self.unleash_set_password(call).await,
            Endpoint::CheckPassword => self.check_password(call).await,
        }
    }
}

fn token_and_password(call: &Call) -> Result<(SecretString, SecretString), ApiError> {
    let mut fields = call.fields(AcceptedContentType::Json)?;
    let (token, password) = (fields.text("token"), fields.text("password"));
    fields.finish(token.zip(password))
}
