//! Finds the person whom an order is for and writes their mail, with a new reset token if it has a link.

use aws_sdk_dynamodb::Client;
use secrecy::SecretString;
use shared::branding::Branding;
use shared::clock::Clock;
use shared::config::{Config, ConfigError};
use shared::email::EmailAddress;
use shared::language::Language;
use shared::mail::{LinkBase, MailKind};
use shared::random::Random;
use shared::store::StoreError;
use shared::store::accounts::{Account, Accounts, Found, Nobody};
use shared::store::orders::Order;
use shared::store::resets::Resets;
use shared::telemetry::MailOutcome;
use shared::token::{ResetToken, Token};

use super::content::{ChangedMail, InviteMail, Mail, ResetMail, UnknownMail};
use super::mailer::DeliveryError;

/// What to write a mail takes.
pub(super) struct Writer {
    accounts: Accounts,
    resets: Resets,
    reset_link: Option<LinkBase>,
    branding: Branding,
    default_language: Language,
    lifetime_seconds: u64,
    invite_lifetime_seconds: u64,
    mails_unknown: bool,
    clock: Clock,
    random: Random,
}

/// What to write for an order.
enum Letter {
    Reset(Account),
    Invite(Account),
    Changed,
    Unknown(EmailAddress, Nobody),
}

/// A letter, and in which language.
pub(super) struct Recipient {
    letter: Letter,
    language: Language,
    /// The operator's language, if a stranger may have chosen [`Self::language`].
    explained_in: Option<Language>,
}

/// Whom an order is for.
pub(super) enum Addressee {
    Somebody(Box<Recipient>),
    Nobody(Nobody),
}

impl Addressee {
    /// The kind of the mail for the log: the order's, or why an address has no account, if the person is told.
    pub(super) fn kind(&self, order: &Order) -> &'static str {
        match self {
            Self::Somebody(recipient) => match recipient.letter {
                Letter::Unknown(_, nobody) => outcome_for(nobody).name(),
                _ => order.kind.name(),
            },
            Self::Nobody(_) => order.kind.name(),
        }
    }
}

impl Writer {
    pub(super) fn new(
        config: &Config,
        dynamodb: Client,
        clock: Clock,
        random: Random,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            resets: Resets::new(dynamodb.clone(), config.tokens_table.clone()),
            accounts: Accounts::new(dynamodb, config.accounts()?),
            reset_link: config.reset_link()?,
            branding: config.branding.clone(),
            default_language: config.default_language,
            lifetime_seconds: config.token_lifetime_seconds,
            invite_lifetime_seconds: config.invite_lifetime_seconds,
            mails_unknown: config.mails_unknown,
            clock,
            random,
        })
    }

    /// To whom `order` goes, or why to nobody.
    pub(super) async fn addressee(&self, order: &Order) -> Result<Addressee, DeliveryError> {
        let (letter, own_language) = if order.kind == MailKind::Changed {
            (Letter::Changed, self.language_of_notice(order).await)
        } else {
            let Ok(address) = order.address.parse::<EmailAddress>() else {
                return Ok(Addressee::Nobody(Nobody::NoAccount));
            };
            match self.accounts.find_with_language(&address).await? {
                Found::Account(account) => {
                    let language = account.language();
                    let letter = if order.kind == MailKind::Invite { Letter::Invite } else { Letter::Reset };
                    (letter(*account), language)
                }
                Found::Nobody(nobody) if self.mails_unknown && order.kind == MailKind::Reset => {
                    (Letter::Unknown(address, nobody), None)
                }
                Found::Nobody(nobody) => return Ok(Addressee::Nobody(nobody)),
            }
        };
        let asked = order.asked.language.filter(|_| own_language.is_none());
        let language = own_language.or(asked).unwrap_or(self.default_language);
        let is_strangers = asked.is_some() && !order.asked.is_trusted && language != self.default_language;
        let explained_in = is_strangers.then_some(self.default_language);
        Ok(Addressee::Somebody(Box::new(Recipient { letter, language, explained_in })))
    }

    /// The language of the notice's account. `None` if it cannot be read: a notice in another language is better than a late one.
    async fn language_of_notice(&self, order: &Order) -> Option<Language> {
        let language = self.accounts.language(order.account.clone()?).await;
        language.unwrap_or_else(|error| {
            tracing::warn!(%error, "could not read the language of a notice's account");
            None
        })
    }

    /// Writes the mail, after it has stored the token of a link.
    pub(super) async fn write(&self, order: &Order, recipient: &Recipient) -> Result<Mail, DeliveryError> {
        let Recipient { language, explained_in, .. } = *recipient;
        let branding = &self.branding;
        let device = order.asked.device;
        let ordered_at = order.ordered_at;
        let rendered = match &recipient.letter {
            Letter::Reset(account) => ResetMail {
                to: account.address(),
                language,
                explained_in,
                branding,
                link: &self.link(order, account, self.lifetime_seconds).await?,
                requested_at: ordered_at,
                device,
                lifetime_seconds: self.lifetime_seconds,
            }
            .render(),
            Letter::Invite(account) => InviteMail {
                to: account.address(),
                language,
                branding,
                link: &self.link(order, account, self.invite_lifetime_seconds).await?,
                invited_at: ordered_at,
                lifetime_seconds: self.invite_lifetime_seconds,
            }
            .render(),
            Letter::Changed => {
                let new_link_page = self.reset_link.as_ref().and_then(LinkBase::new_link_page);
                let to = &*order.address;
                let new_link_page = new_link_page.as_deref();
                ChangedMail { to, language, branding, changed_at: ordered_at, device, new_link_page }.render()
            }
            Letter::Unknown(address, _) => {
                let to = address.as_str();
                UnknownMail { to, language, explained_in, branding, requested_at: ordered_at }.render()
            }
        };
        rendered.map_err(|error| DeliveryError::Permanent(error.to_string()))
    }

    /// A link with a new token for `account`, stored for `lifetime_seconds`.
    async fn link(
        &self,
        order: &Order,
        account: &Account,
        lifetime_seconds: u64,
    ) -> Result<SecretString, DeliveryError> {
        let configured = self.reset_link.as_ref().or(order.link.as_ref());
        let base = configured.ok_or_else(|| DeliveryError::Permanent("RESET_LINK is not set".to_owned()))?;
        let token = ResetToken(Token::generate(&self.random).map_err(StoreError::from)?);
        self.resets.issue(&token, account, lifetime_seconds, self.clock.now()).await?;
        Ok(base.with(&token))
    }
}

pub(super) const fn outcome_for(nobody: Nobody) -> MailOutcome {
    match nobody {
        Nobody::NoAccount => MailOutcome::NoAccount,
        Nobody::ConditionsNotMet => MailOutcome::ConditionsNotMet,
        Nobody::Ambiguous => MailOutcome::Ambiguous,
    }
}
