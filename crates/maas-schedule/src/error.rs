/// What can be wrong with a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A ring of no members has nobody to serve next.
    #[error("no members: expected at least 1, found 0")]
    NoMembers,
}
