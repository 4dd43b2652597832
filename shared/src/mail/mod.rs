//! What the configuration, the orders and the calls know of mails: the kinds, the sender and the link. The mail function writes and sends
//! them.

mod kind;
mod link;
mod mailbox;

pub use kind::MailKind;
pub use link::{ApiAddress, LinkBase};
pub use mailbox::{MailSettings, Mailbox, ParseMailboxError};
