//! Who may call: the proof that a call came through CloudFront, API keys, and the limits per IP address.

use aws_sdk_dynamodb::Client;
use lambda_http::Request;
use secrecy::{ExposeSecret as _, SecretString};

use crate::api_key::{ApiKeys, Caller, KeyError, Scope};
use crate::clock::Clock;
use crate::config::Config;
use crate::http::event::Extracted;
use crate::http::routes::{Access, Route};
use crate::http::{ApiError, Call};
use crate::language::Languages;
use crate::origin::OriginSecrets;
use crate::store::limits::{IpLimit, Limits};

/// What every call passes before its handler. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    keys: ApiKeys,
    origin_secrets: OriginSecrets,
    limits: Limits,
    languages: Languages,
    clock: Clock,
}

/// The way of a call to the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From anywhere: no origin secret is configured.
    Open,
    /// Through CloudFront.
    CloudFront,
    /// Past CloudFront.
    Bypassed,
}

impl Gate {
    /// The gate that `config` describes.
    #[must_use]
    pub fn new(config: &Config, dynamodb: Client, clock: Clock) -> Self {
        Self {
            keys: config.api_keys.clone(),
            origin_secrets: config.origin_secrets.clone(),
            limits: Limits::new(dynamodb, config.tokens_table.clone(), config.limits),
            languages: config.languages,
            clock,
        }
    }

    /// The call in `request`, which arrives now.
    #[must_use]
    pub fn receive(&self, request: &Request, extracted: Extracted) -> Call {
        Call::new(request, extracted, self.languages, self.clock.now())
    }

    /// Which way `call` came.
    #[must_use]
    pub fn origin(&self, call: &Call) -> Origin {
        let secret = call.origin_secret.as_ref().map(SecretString::expose_secret);
        match (self.origin_secrets.are_required(), self.origin_secrets.verify(secret)) {
            (false, _) => Origin::Open,
            (true, true) => Origin::CloudFront,
            (true, false) => Origin::Bypassed,
        }
    }

    /// Notes in `call` who calls, and returns the endpoint of `route` that the call is for.
    pub fn admit<E: Copy>(&self, route: &Route<E>, call: &mut Call) -> Result<E, ApiError> {
        let (scope, is_trusted_only) = match route.access {
            Access::People => return self.admit_people(route.endpoint),
            Access::PeopleWithoutToken(_, page) if call.query("token")?.is_none() => {
                return self.admit_people(page);
            }
            Access::Anyone(scope) | Access::PeopleWithoutToken(scope, _) => (scope, false),
            Access::Trusted(scope) => (scope, true),
        };
        call.caller = self.identify(call, scope)?;
        if is_trusted_only && call.caller == Caller::Anonymous {
            return Err(ApiError::Key(KeyError::Missing));
        }
        Ok(route.endpoint)
    }

    fn admit_people<E>(&self, page: E) -> Result<E, ApiError> {
        if self.keys.are_required() { Err(ApiError::NotFound) } else { Ok(page) }
    }

    fn identify(&self, call: &Call, scope: Scope) -> Result<Caller, ApiError> {
        let authorization = call.authorization.as_ref().map(SecretString::expose_secret);
        self.keys.identify(authorization, scope).map_err(ApiError::Key)
    }

    /// Counts `call` against `limit`. A trusted caller is not counted: it calls for all its users from one IP address.
    ///
    /// # Errors
    ///
    /// [`ApiError::Throttled`] if the limit is exceeded, [`ApiError::Unavailable`] if it could not be counted.
    pub async fn count(&self, limit: IpLimit, call: &Call) -> Result<(), ApiError> {
        if let Caller::Trusted(_) = call.caller {
            return Ok(());
        }
        Ok(self.limits.count(limit, &call.source_ip, call.received_at).await?.allowed()?)
    }

    /// Counts a token that is not live, and returns the error: 404, or 429 if the caller tried too many. Live tokens are neither counted nor
    /// throttled, so other people behind the same IP address cannot block one.
    pub async fn refuse_dead_token(&self, call: &Call) -> ApiError {
        self.count(IpLimit::DeadToken, call).await.err().unwrap_or(ApiError::TokenNotLive)
    }

    /// The limits, for those of mails to one address.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }
}
