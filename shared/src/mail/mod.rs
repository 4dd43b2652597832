//! The mails: "set a new password", "your password was changed", "set your password" and "no account has this address".

mod content;
mod link;
mod mailbox;
mod mailer;

pub use content::{ChangedMail, InviteMail, Mail, MailKind, ResetMail, UnknownMail};
pub use link::{ApiAddress, LinkBase};
pub use mailbox::{Mailbox, ParseMailboxError};
pub use mailer::{MailSettings, SendError, send};
