//! The two mails: "set a new password" and "your password was changed".

mod content;
mod link;
mod mailbox;
mod mailer;

pub use content::{ChangedMail, Mail, MailKind, ResetMail};
pub use link::{ApiAddress, LinkBase};
pub use mailbox::{Mailbox, ParseMailboxError};
pub use mailer::{MailSettings, SendError, send};
