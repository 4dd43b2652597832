//! Orders mails, with the same reads and writes for every address.

use shared::api_key::Caller;
use shared::clock::Timestamp;
use shared::email::EmailAddress;
use shared::function::Success;
use shared::http::{ApiError, Call, Reply, StatusCode};
use shared::mail::LinkBase;
use shared::store::StoreError;
use shared::store::limits::Throttled;
use shared::store::orders::{NewOrder, NotCreated};
use shared::store::requests::{Repeat, ResetRequest};

use crate::Validate;

/// Attempts of a call that conflicts with others on the same request. In each conflict another call succeeds.
const CONFLICT_ATTEMPTS: u32 = 5;

impl Validate {
    /// Orders a reset mail for `request`. The mail function finds out whether the address has an account.
    pub(crate) async fn order_for_request(
        &self,
        mut request: ResetRequest,
        call: &Call,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Success, ApiError> {
        let link = self.link_base(call)?;
        if matches!(caller, Caller::Trusted(_)) {
            self.require_account(&request, now).await?;
        }
        for _ in 0..CONFLICT_ATTEMPTS {
            match request.repeat(now) {
                Repeat::JustMailed => {
                    return Ok(Success::new("mailed_before", Reply::empty(StatusCode::NO_CONTENT)));
                }
                Repeat::LimitReached { retry_after } => return Err(Throttled { retry_after }.into()),
                Repeat::Due => {}
            }
            let order = NewOrder {
                address: &request.address,
                request: Some(&request),
                link: link.as_ref(),
                language: request.language.or(call.language),
            };
            match self.create_order(order, now).await? {
                Ok(()) => return Ok(Success::new("mail_requested", Reply::empty(StatusCode::NO_CONTENT))),
                Err(NotCreated::Throttled(throttled)) => return Err(throttled.into()),
                Err(NotCreated::Conflict) => {
                    request =
                        self.requests.find(request.digest(), now).await?.ok_or(ApiError::TokenNotLive)?;
                }
            }
        }
        Err(ApiError::Unavailable("every attempt conflicted with another call".to_owned()))
    }

    /// Orders a reset mail for `address` without a request.
    pub(crate) async fn order_for_address(
        &self,
        address: &EmailAddress,
        call: &Call,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let link = self.link_base(call)?;
        let order = NewOrder { address, request: None, link: link.as_ref(), language: call.language };
        match self.create_order(order, now).await? {
            Ok(()) => Ok(()),
            Err(NotCreated::Throttled(throttled)) => Err(throttled.into()),
            Err(NotCreated::Conflict) => {
                Err(ApiError::Unavailable("a conflict without a request".to_owned()))
            }
        }
    }

    async fn create_order(
        &self,
        order: NewOrder<'_>,
        now: Timestamp,
    ) -> Result<Result<(), NotCreated>, ApiError> {
        Ok(self.orders.create(order, &self.limits, now, &self.random).await?)
    }

    /// Fails if the address has no account or the password has changed since `request` was opened. Only for trusted callers: this is the
    /// only lookup by address outside the mail function.
    async fn require_account(&self, request: &ResetRequest, now: Timestamp) -> Result<(), ApiError> {
        let account = self.accounts.find(&request.address).await?.map_err(StoreError::from)?;
        let has_account = account.is_some_and(|account| account.may_have_mail(request.issued_at, now));
        if has_account { Ok(()) } else { Err(ApiError::AccountUnknown) }
    }

    /// The link's base to store in the order. `None` if `RESET_LINK` is set.
    fn link_base(&self, call: &Call) -> Result<Option<LinkBase>, ApiError> {
        if self.has_reset_link {
            return Ok(None);
        }
        let page = call.api.as_ref().and_then(|api| LinkBase::of_hosted_page(api, &self.region));
        page.map(Some).ok_or_else(|| {
            ApiError::Unavailable(
                "RESET_LINK is not set and the event does not say which API it came through".to_owned(),
            )
        })
    }
}
