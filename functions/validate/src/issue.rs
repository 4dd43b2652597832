//! Issuing reset tokens: the same work whether or not there is an account.

use shared::api_key::Caller;
use shared::clock::Timestamp;
use shared::email::EmailAddress;
use shared::function::Done;
use shared::http::{Call, Refusal, Reply};
use shared::mail::{LinkBase, ResetMail};
use shared::store::accounts::Account;
use shared::store::requests::{Repeat, ResetRequest};
use shared::store::resets::NotIssued;
use shared::token::{ResetToken, Token};

use crate::Validate;

/// How often a call that others overtake reads the request again. Each time somebody else got further.
const OVERTAKEN_ATTEMPTS: u32 = 5;

impl Validate {
    /// Mails a fresh reset token to the account of `request`, if there is one.
    pub(crate) async fn mail_for(
        &self,
        mut request: ResetRequest,
        call: &Call,
        caller: &Caller,
        now: Timestamp,
        request_id: &str,
    ) -> Result<Done, Refusal> {
        let link = self.link_base(call)?;
        // A request from before the last change of password is dead: it finds nobody. To a stranger it looks as it
        // would for an unknown address, or its death would tell that there is an account.
        let account =
            self.accounts.find(&request.address).await?.filter(|account| account.honours(request.issued_at));
        if account.is_none() && matches!(caller, Caller::Trusted(_)) {
            return Err(Refusal::AccountUnknown);
        }
        for _ in 0..OVERTAKEN_ATTEMPTS {
            match request.repeat(now) {
                Repeat::JustMailed => return Ok(Done::new("mailed_before", Reply::empty(204))),
                Repeat::UsedUp { retry_after } => {
                    return Err(Refusal::Throttled(shared::store::limits::Throttled { retry_after }));
                }
                Repeat::Due => {}
            }
            let address = request.address.clone();
            let token = ResetToken(Token::generate(&self.random)?);
            let issued = self
                .resets
                .issue(&token, &address, account.as_ref(), Some(&request), now, &self.random)
                .await?;
            match issued {
                Ok(()) => {
                    self.mail_after_reply(account, &link, &token, request_id);
                    return Ok(Done::new("mail_requested", Reply::empty(204)));
                }
                Err(NotIssued::Throttled(throttled)) => return Err(throttled.into()),
                Err(NotIssued::Overtaken) => {
                    request =
                        self.requests.find(request.digest(), now).await?.ok_or(Refusal::TokenNotLive)?;
                }
            }
        }
        Err(Refusal::Unavailable("others kept overtaking this call".to_owned()))
    }

    /// Issues and mails a reset token for `address` in one step.
    pub(crate) async fn mail_to(
        &self,
        address: &EmailAddress,
        call: &Call,
        now: Timestamp,
        request_id: &str,
    ) -> Result<(), Refusal> {
        let link = self.link_base(call)?;
        let account = self.accounts.find(address).await?;
        let token = ResetToken(Token::generate(&self.random)?);
        match self.resets.issue(&token, address, account.as_ref(), None, now, &self.random).await? {
            Ok(()) => {
                self.mail_after_reply(account, &link, &token, request_id);
                Ok(())
            }
            Err(NotIssued::Throttled(throttled)) => Err(throttled.into()),
            Err(NotIssued::Overtaken) => {
                Err(Refusal::Unavailable("a claim failed that was not made".to_owned()))
            }
        }
    }

    fn link_base(&self, call: &Call) -> Result<LinkBase, Refusal> {
        let configured = self.mailer.settings().reset_link.as_deref();
        LinkBase::new(configured, call.api.as_ref(), self.region.as_deref()).ok_or_else(|| {
            Refusal::Unavailable(
                "RESET_LINK is not set and the event does not say which API it came through".to_owned(),
            )
        })
    }

    fn mail_after_reply(
        &self,
        account: Option<Account>,
        link: &LinkBase,
        token: &ResetToken,
        request_id: &str,
    ) {
        let (mailer, link) = (self.mailer.clone(), link.with(token));
        let (lifetime_seconds, request_id) = (self.token_lifetime_seconds, request_id.to_owned());
        self.after_reply.push(async move {
            let mail = account.map(|account| {
                let service = &mailer.settings().service_name;
                ResetMail { to: &account.address, service, link: &link, lifetime_seconds }.render()
            });
            mailer.deliver(mail, request_id).await;
        });
    }
}
