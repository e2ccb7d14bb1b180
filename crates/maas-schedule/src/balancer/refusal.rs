/// Why nobody takes a request.
///
/// ```
/// use maas_schedule::{Ask, Balancer, Refusal};
///
/// let balancer = Balancer::over([("a", 1)])?.limited_to(1);
/// let lease = balancer.try_ask(Ask::new()).expect("it has room");
/// assert_eq!(balancer.try_ask(Ask::new()).unwrap_err(), Refusal::AllFull);
/// let tried = [lease.identity()];
/// assert_eq!(balancer.try_ask(Ask::new().without(&tried)).unwrap_err(), Refusal::NoneAvailable);
/// drop(balancer.remove("a")?);
/// assert_eq!(balancer.try_ask(Ask::new()).unwrap_err(), Refusal::Empty);
/// # Ok::<(), maas_schedule::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There are no members.
    #[error("there are no members")]
    Empty,
    /// All members are down, ill, cannot take it, or are left out for this request.
    #[error("no member is available")]
    NoneAvailable,
    /// Every member that is available has as many requests as it may: when one ends, another may begin.
    #[error("every available member has as many requests as it may")]
    AllFull,
}
