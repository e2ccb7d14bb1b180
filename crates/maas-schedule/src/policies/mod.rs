//! Rules that pick who serves next.

mod consistent_hash;
mod cost;
mod least_cost;
mod least_loaded;
mod order;
mod peak_ewma;
mod power_of_two;
mod prepared;
mod random;
mod ring;
mod round_robin;
mod seat;
mod sticky;
mod striped;
mod weighted;

pub use consistent_hash::ConsistentHash;
pub use least_cost::LeastCost;
pub use least_loaded::LeastLoaded;
pub use peak_ewma::PeakEwma;
pub use power_of_two::PowerOfTwoChoices;
pub use prepared::Prepared;
pub use random::Random;
pub use round_robin::RoundRobin;
pub(crate) use seat::Seat;
pub use sticky::Sticky;
pub use striped::StripedRoundRobin;
pub(crate) use striped::home;
pub use weighted::WeightedRoundRobin;
