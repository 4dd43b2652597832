//! The two mails: "set a new password" and "your password was changed".

mod content;
mod link;
mod mailer;

pub use content::{Mail, MailKind, ResetMail, changed_mail};
pub use link::{ApiAddress, LinkBase};
pub use mailer::{NotSent, send};
