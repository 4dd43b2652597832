//! Ordering mails: the same reads and writes for every address.

use shared::api_key::Caller;
use shared::clock::Timestamp;
use shared::email::EmailAddress;
use shared::function::Success;
use shared::http::{ApiError, Call, Reply, StatusCode};
use shared::mail::LinkBase;
use shared::store::StoreError;
use shared::store::limits::Throttled;
use shared::store::orders::{NewOrder, NotPlaced};
use shared::store::requests::{Repeat, ResetRequest};

use crate::Validate;

/// How often a call that others overtake reads the request again. Each time somebody else got further.
const OVERTAKEN_ATTEMPTS: u32 = 5;

impl Validate {
    /// Orders a mail with a fresh reset token for the account of `request`, if there is one: the mail function finds out.
    pub(crate) async fn order_for(
        &self,
        mut request: ResetRequest,
        call: &Call,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Success, ApiError> {
        let link = self.link(call)?;
        if matches!(caller, Caller::Trusted(_)) {
            self.tell_if_nobody(&request).await?;
        }
        for _ in 0..OVERTAKEN_ATTEMPTS {
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
            match self.place(order, now).await? {
                Ok(()) => return Ok(Success::new("mail_requested", Reply::empty(StatusCode::NO_CONTENT))),
                Err(NotPlaced::Throttled(throttled)) => return Err(throttled.into()),
                Err(NotPlaced::Conflict) => {
                    request =
                        self.requests.find(request.digest(), now).await?.ok_or(ApiError::TokenNotLive)?;
                }
            }
        }
        Err(ApiError::Unavailable("others kept overtaking this call".to_owned()))
    }

    /// Orders a mail for `address` in one step.
    pub(crate) async fn order_to(
        &self,
        address: &EmailAddress,
        call: &Call,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let link = self.link(call)?;
        let order = NewOrder { address, request: None, link: link.as_ref(), language: call.language };
        match self.place(order, now).await? {
            Ok(()) => Ok(()),
            Err(NotPlaced::Throttled(throttled)) => Err(throttled.into()),
            Err(NotPlaced::Conflict) => Err(ApiError::Unavailable("no request was overtaken".to_owned())),
        }
    }

    async fn place(&self, order: NewOrder<'_>, now: Timestamp) -> Result<Result<(), NotPlaced>, ApiError> {
        Ok(self.orders.place(order, &self.limits, now, &self.random).await?)
    }

    /// A back end of the operator's may know who has an account, and whether a request is from before the last change of password. This
    /// is the one look-up by address outside of the mail function, and no anonymous call leads here.
    async fn tell_if_nobody(&self, request: &ResetRequest) -> Result<(), ApiError> {
        let account = self.accounts.find(&request.address).await?.map_err(StoreError::from)?;
        let is_somebody = account.is_some_and(|account| account.changed_before(request.issued_at));
        if is_somebody { Ok(()) } else { Err(ApiError::AccountUnknown) }
    }

    /// Where the link leads, for the order to keep: nowhere if that is configured.
    fn link(&self, call: &Call) -> Result<Option<LinkBase>, ApiError> {
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
