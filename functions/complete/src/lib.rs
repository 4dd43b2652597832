//! *complete* sets the password. The order matters: the token must be found live before the password is judged, the
//! password judged before it is hashed, and one transaction does the rest.

use aws_sdk_dynamodb::Client;
use secrecy::{ExposeSecret as _, SecretString};
use shared::after_reply::AfterReply;
use shared::api_key::{ApiKeys, Caller, Scope};
use shared::clock::{Clock, Timestamp};
use shared::config::Config;
use shared::email::EmailAddress;
use shared::function::{Done, Function};
use shared::http::routes::{Endpoint, FunctionName};
use shared::http::{Call, Media, Refusal, Reply};
use shared::mail::{Mailer, changed_mail};
use shared::password::{NewPassword, PasswordPolicy};
use shared::password_hash::{self, Argon2Cost, PasswordHash};
use shared::random::Random;
use shared::store::accounts::{Account, Accounts};
use shared::store::completion::Completion;
use shared::store::limits::Limits;
use shared::store::resets::{Resets, StoredReset};
use shared::token::{ResetToken, Token};

/// The function's state, kept between calls.
pub struct Complete {
    api_keys: ApiKeys,
    limits: Limits,
    resets: Resets,
    accounts: Accounts,
    completion: Completion,
    policy: PasswordPolicy,
    cost: Argon2Cost,
    mailer: Mailer,
    after_reply: AfterReply,
    clock: Clock,
    random: Random,
}

impl Complete {
    /// The function as `config` has it.
    #[must_use]
    pub fn new(
        config: Config,
        dynamodb: Client,
        mailer: Mailer,
        after_reply: AfterReply,
        clock: Clock,
        random: Random,
    ) -> Self {
        let limits = Limits::new(dynamodb.clone(), config.tokens_table.clone(), config.limits);
        let tokens_table = config.tokens_table;
        let accounts = Accounts::new(dynamodb.clone(), config.accounts);
        Self {
            resets: Resets::new(
                dynamodb.clone(),
                tokens_table.clone(),
                config.token_lifetime_seconds,
                limits.clone(),
            ),
            completion: Completion::new(dynamodb, tokens_table, accounts.clone()),
            accounts,
            api_keys: config.api_keys,
            policy: config.password_policy,
            cost: config.argon2,
            limits,
            mailer,
            after_reply,
            clock,
            random,
        }
    }

    /// Sets `password` for the account of `token`.
    async fn complete(
        &self,
        token: &SecretString,
        password: SecretString,
        call: &Call,
        caller: &Caller,
        request_id: &str,
    ) -> Result<(), Refusal> {
        let now = self.clock.now();
        let count = self.limits.count_token(caller, &call.source_ip, now);
        let (attempt, reset) = tokio::join!(count, self.find(token, now));
        let attempt = attempt??;
        let reset = reset?.ok_or(Refusal::TokenNotLive)?;
        // One more read than the fewest possible: without it, a token that an earlier reset has killed could be
        // spent on hash after hash.
        let account = self.accounts.of_live(&reset).await?.ok_or(Refusal::TokenNotLive)?;
        self.limits.forgive(attempt, &self.after_reply);
        let password = self.judge(password, account.email()).await?;
        let hash = self.hash(password).await?;
        let now = self.clock.now();
        let completed = self.completion.complete(&reset, &account, &hash, now, &self.random).await?;
        completed.map_err(|_lost| Refusal::TokenNotLive)?;
        self.notify_after_reply(account, now, request_id);
        Ok(())
    }

    async fn find(&self, token: &SecretString, now: Timestamp) -> Result<Option<StoredReset>, Refusal> {
        let Some(token) = Token::parse(token.expose_secret().to_owned()).map(ResetToken) else {
            return Ok(None);
        };
        Ok(self.resets.find(&token.0.digest(), now).await?)
    }

    /// Off the thread that serves: an estimate takes milliseconds, and a hash a tenth of a second and more. What a panic in
    /// there would say might quote the password, so nobody hears it.
    async fn judge(
        &self,
        password: SecretString,
        address: Option<EmailAddress>,
    ) -> Result<NewPassword, Refusal> {
        let policy = self.policy.clone();
        let judged = tokio::task::spawn_blocking(move || policy.accept(password, address.as_ref())).await;
        Ok(judged.map_err(|_| Refusal::Unavailable("judging a password panicked".to_owned()))??)
    }

    async fn hash(&self, password: NewPassword) -> Result<PasswordHash, Refusal> {
        let (cost, random) = (self.cost.clone(), self.random.clone());
        let hashed =
            tokio::task::spawn_blocking(move || password_hash::hash(&password, &cost, &random)).await;
        Ok(hashed.map_err(|_| Refusal::Unavailable("hashing a password panicked".to_owned()))??)
    }

    fn notify_after_reply(&self, account: Account, at: Timestamp, request_id: &str) {
        let (mailer, request_id) = (self.mailer.clone(), request_id.to_owned());
        self.after_reply.push(async move {
            let mail = changed_mail(&account.address, &mailer.settings().service_name, at);
            mailer.notify(mail, request_id).await;
        });
    }

    async fn complete_from_body(
        &self,
        call: &Call,
        caller: &Caller,
        request_id: &str,
    ) -> Result<Done, Refusal> {
        let (token, password) = token_and_password(call)?;
        self.complete(&token, password, call, caller, request_id).await?;
        Ok(Done::new("password_set", Reply::empty(204)))
    }

    /// Unleash judges the password before the token: so anybody can have one judged, as often as the throttle allows.
    async fn complete_for_unleash(
        &self,
        call: &Call,
        caller: &Caller,
        request_id: &str,
    ) -> Result<Done, Refusal> {
        let (token, password) = token_and_password(call)?;
        self.limits.count_judged(caller, &call.source_ip, self.clock.now()).await??;
        let password = self.judge(password, None).await?.into_secret();
        self.complete(&token, password, call, caller, request_id).await?;
        Ok(Done::new("password_set", Reply::empty(200)))
    }

    async fn unleash_validate_password(&self, call: &Call, caller: &Caller) -> Result<Done, Refusal> {
        let mut fields = call.fields(Media::Json)?;
        let password = fields.text("password");
        let password = fields.finish(password)?;
        self.limits.count_judged(caller, &call.source_ip, self.clock.now()).await??;
        self.judge(password, None).await?;
        Ok(Done::new("password_accepted", Reply::empty(200)))
    }
}

impl Function for Complete {
    const NAME: FunctionName = FunctionName::Complete;
    const SCOPE: Scope = Scope::Complete;

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
            Endpoint::Complete => self.complete_from_body(call, caller, request_id).await,
            Endpoint::UnleashComplete => self.complete_for_unleash(call, caller, request_id).await,
            Endpoint::UnleashValidatePassword => self.unleash_validate_password(call, caller).await,
            _ => Err(Refusal::NotFound),
        }
    }
}

fn token_and_password(call: &Call) -> Result<(SecretString, SecretString), Refusal> {
    let mut fields = call.fields(Media::Json)?;
    let (token, password) = (fields.text("token"), fields.text("password"));
    fields.finish(token.zip(password))
}
