//! Orders mails, with the same reads and writes for every address.

use shared::api_key::Caller;
use shared::email::EmailAddress;
use shared::function::Success;
use shared::http::{ApiError, Call, Reply, StatusCode};
use shared::mail::{LinkBase, MailKind};
use shared::store::orders::{Created, NewOrder};
use shared::store::requests::ResetRequest;

use crate::Validate;

impl Validate {
    /// Orders a reset mail for `request`. The mail function finds out whether the address has an account.
    pub(crate) async fn order_for_request(
        &self,
        request: &ResetRequest,
        call: &Call,
    ) -> Result<Success, ApiError> {
        let link = self.link_base(call)?;
        if matches!(call.caller, Caller::Trusted(_)) {
            self.require_account(&request.address).await?;
        }
        let order = NewOrder {
            kind: MailKind::Reset,
            lifetime_seconds: self.lifetime_seconds,
            address: &request.address,
            request: Some(request),
            link: link.as_ref(),
            asked: request.asked.or(call.asked()),
        };
        let outcome = self.create(order, call).await?;
        Ok(Success::new(outcome, Reply::empty(StatusCode::NO_CONTENT)))
    }

    /// Orders a reset mail for `address` without a request.
    pub(crate) async fn order_for_address(
        &self,
        address: &EmailAddress,
        call: &Call,
    ) -> Result<Success, ApiError> {
        let link = self.link_base(call)?;
        let order = NewOrder {
            kind: MailKind::Reset,
            lifetime_seconds: self.lifetime_seconds,
            address,
            request: None,
            link: link.as_ref(),
            asked: call.asked(),
        };
        Ok(Success::new(self.create(order, call).await?, Reply::empty(StatusCode::OK)))
    }

    /// Orders a mail with which the account of an address sets its first password. Only trusted callers get here.
    pub(crate) async fn invite(&self, call: &Call) -> Result<Success, ApiError> {
        let address = call.email()?;
        let link = self.link_base(call)?;
        self.require_account(&address).await?;
        let order = NewOrder {
            kind: MailKind::Invite,
            lifetime_seconds: self.invite_lifetime_seconds,
            address: &address,
            request: None,
            link: link.as_ref(),
            asked: call.asked(),
        };
        let outcome = self.create(order, call).await?;
        Ok(Success::new(outcome, Reply::empty(StatusCode::NO_CONTENT)))
    }

    /// What was done, for the log.
    async fn create(&self, order: NewOrder<'_>, call: &Call) -> Result<&'static str, ApiError> {
        match self.orders.create(order, self.gate.limits(), call.received_at, &self.random).await? {
            Created::Ordered => Ok("mail_requested"),
            Created::JustMailed => Ok("mailed_before"),
            Created::Throttled(throttled) => Err(throttled.into()),
            Created::RequestExpired => Err(ApiError::TokenNotLive),
        }
    }

    /// Fails if the address has no account. Only for trusted callers: this is the only lookup by address outside the mail function.
    async fn require_account(&self, address: &EmailAddress) -> Result<(), ApiError> {
        let found = self.accounts.find(address).await?;
        found.account().map(drop).ok_or(ApiError::AccountUnknown)
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
