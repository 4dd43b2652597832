//! The kinds of mails.

/// The mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailKind {
    /// "Set a new password".
    Reset,
    /// "Your password was changed".
    Changed,
    /// "Set your password", for an account that has none yet.
    Invite,
    /// "No account has this address".
    Unknown,
}

impl MailKind {
    /// The name in orders and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Changed => "changed",
            Self::Invite => "invite",
            Self::Unknown => "unknown",
        }
    }

    /// The kind of the order with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Reset, Self::Changed, Self::Invite].into_iter().find(|kind| kind.name() == name)
    }
}
