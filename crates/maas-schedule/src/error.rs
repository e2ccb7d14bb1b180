/// What can be wrong with a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A ring of no members has nobody to serve next.
    #[error("no members: expected at least 1, found 0")]
    NoMembers,
    /// Names of members are unique.
    #[error("there is a member {name:?} already: expected a name of its own")]
    MemberExists {
        /// The name.
        name: String,
    },
    /// There is nobody of this name.
    #[error("no member is named {name:?}")]
    UnknownMember {
        /// The name.
        name: String,
    },
    /// A policy does not keep what every policy has to.
    #[error("{policy} breaks a law: {law}")]
    BrokenLaw {
        /// The policy, as it shows itself.
        policy: String,
        /// The law.
        law: crate::laws::Law,
    },
}
