//! Claims: of any number of deliveries of an order at the same time, one sends its mail.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::super::{Item, StoreError, is_unexpired, number, number_attribute, string};
use super::{Order, OrderId, Orders};
use crate::clock::Timestamp;
use crate::random::Random;

/// How long a claim lasts, in seconds. Longer than its holder takes to finish: at most 4 s each to claim, to store the token, for SES, for
/// the dead letter and to store the outcome. If the holder is killed, the mail is delayed by up to this time.
const CLAIM_SECONDS: u64 = 30;

/// The exclusive right to send the mail of one order, for `CLAIM_SECONDS`.
#[derive(Debug)]
pub struct Claim {
    order: OrderId,
    holder: String,
    /// How often the mail was sent without SES's answer.
    pub uncertain_attempts: u64,
}

/// The outcome of claiming an order.
#[derive(Debug)]
pub enum Claimed {
    /// It is this process's.
    Yes(Claim),
    /// Its mail was sent, or failed permanently.
    Done,
    /// Another process holds the claim, or died holding it.
    Held,
    /// It is too late to send the mail.
    Expired,
    /// There is no such row (any more).
    Gone,
}

impl Orders {
    /// Claims `order`. Only the holder of the claim may send its mail.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the outcome is unknown.
    pub async fn claim(&self, order: &Order, now: Timestamp, random: &Random) -> Result<Claimed, StoreError> {
        let holder = BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<16>()?);
        let update = self
            .update(&order.id)
            .update_expression("SET claimed_by = :holder, claimed_until = :until")
            // `claimed_by = :holder`: the SDK retries after a lost response, and then finds its own claim.
            .condition_expression(
                "expires_at > :now_s AND attribute_not_exists(outcome) AND \
                 (attribute_not_exists(claimed_by) OR claimed_by = :holder OR claimed_until <= :now)",
            )
            .expression_attribute_values(":holder", string(holder.clone()))
            .expression_attribute_values(":until", number(now.plus_seconds(CLAIM_SECONDS).as_millis()))
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":now_s", number(now.as_seconds()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(output) => {
                let attempts = output.attributes.and_then(|row| number_attribute(&row, "attempts").ok());
                let uncertain_attempts = attempts.unwrap_or_default();
                Ok(Claimed::Yes(Claim { order: order.id.clone(), holder, uncertain_attempts }))
            }
            Err(error) => match failed_condition(&error) {
                Some(failed) => Ok(not_claimed(failed.item(), now)),
                None => Err(StoreError::from_sdk("UpdateItem", &error)),
            },
        }
    }

    /// Releases `claim`, so that the order can be claimed again at once. `is_uncertain` counts an attempt without SES's answer.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be written. The claim then expires by itself.
    pub async fn release(&self, claim: &Claim, is_uncertain: bool) -> Result<(), StoreError> {
        let update = self
            .update_as_holder(claim)
            .update_expression("REMOVE claimed_by, claimed_until ADD attempts :attempts")
            .expression_attribute_values(":attempts", number(is_uncertain.into()));
        ignore_failed_condition(update.send().await)
    }

    /// Stores the order's `outcome` and ends the claim.
    pub async fn finish(&self, claim: &Claim, outcome: &'static str) -> Result<(), StoreError> {
        let update = self
            .update_as_holder(claim)
            .update_expression("SET outcome = :outcome REMOVE claimed_by, claimed_until")
            .expression_attribute_values(":outcome", string(outcome));
        ignore_failed_condition(update.send().await)
    }

    /// Stores that an expired `order` has failed. Nobody can claim it any more.
    pub async fn give_up(&self, order: &Order) -> Result<(), StoreError> {
        let update = self
            .update(&order.id)
            .update_expression("SET outcome = :outcome")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(outcome)")
            .expression_attribute_values(":outcome", string("failed"));
        ignore_failed_condition(update.send().await)
    }

    /// An update that succeeds only for the holder of `claim`.
    fn update_as_holder(&self, claim: &Claim) -> UpdateItemFluentBuilder {
        self.update(&claim.order)
            .condition_expression("claimed_by = :holder")
            .expression_attribute_values(":holder", string(claim.holder.clone()))
    }

    fn update(&self, order: &OrderId) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).key("pk", string(order.pk()))
    }
}

/// Why an order with this `row` was not claimed. The outcome comes before the expiry: an order that was finished and has expired since is
/// done.
fn not_claimed(row: Option<&Item>, now: Timestamp) -> Claimed {
    match row {
        None => Claimed::Gone,
        Some(row) if row.contains_key("outcome") => Claimed::Done,
        // A row without an expiry counts as expired: otherwise it would block its lane for a day.
        Some(row) if is_unexpired(row, now).unwrap_or(false) => Claimed::Held,
        Some(_) => Claimed::Expired,
    }
}

/// The SDK retries after a lost response. The claim is gone then, because the first attempt succeeded.
fn ignore_failed_condition<T, R>(result: Result<T, SdkError<UpdateItemError, R>>) -> Result<(), StoreError>
where
    R: std::fmt::Debug,
{
    match result {
        Err(error) if failed_condition(&error).is_none() => Err(StoreError::from_sdk("UpdateItem", &error)),
        _ => Ok(()),
    }
}

/// The failed condition in `error`, with the row, if there is one.
fn failed_condition<R>(error: &SdkError<UpdateItemError, R>) -> Option<&ConditionalCheckFailedException> {
    match error.as_service_error()? {
        UpdateItemError::ConditionalCheckFailedException(failed) => Some(failed),
        _ => None,
    }
}
