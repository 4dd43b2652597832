//! The two routes of *validate* that the clients of Unleash, an open-source feature flag service, call.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use shared::function::Success;
use shared::http::{ApiError, Call, Reply, StatusCode};
use shared::store::accounts::Account;
use shared::store::limits::IpLimit;

use crate::{FoundToken, Validate};

impl Validate {
    /// Orders a mail in one call, without a request.
    pub(crate) async fn unleash_request(&self, call: &Call) -> Result<Success, ApiError> {
        let address = call.email()?;
        self.gate.count(IpLimit::Reset, call).await?;
        self.order_for_address(&address, call).await
    }

    /// Returns the account of a reset token.
    pub(crate) async fn unleash_validate(&self, call: &Call) -> Result<Success, ApiError> {
        let token = SecretString::from(call.query("token").ok().flatten().unwrap_or_default());
        let account = match self.find_token(&token, call.received_at).await? {
            FoundToken::Reset(reset) => {
                self.accounts.current_with_profile(&reset.account, reset.issued_at).await?
            }
            FoundToken::Request(_) | FoundToken::Unknown => None,
        };
        let Some(account) = account else {
            return Err(self.gate.refuse_dead_token(call).await);
        };
        Ok(Success::new("token_live", Reply::json(StatusCode::OK, &token_details(&account, &token))))
    }
}

/// Unleash's `tokenUserSchema`. It reveals nothing that the token does not give access to.
fn token_details(account: &Account, token: &SecretString) -> Value {
    let role = account.attribute("role").filter(Value::is_object).unwrap_or_else(|| json!({}));
    json!({
        "id": account.attribute("id"),
        "name": account.attribute("name"),
        "email": account.address(),
        "token": token.expose_secret(),
        "createdBy": null,
        "role": {"id": role["id"], "type": role["type"], "name": role["name"]},
    })
}
