//! Our services as those of tower, and those of tower as ours.

mod from_tower;
mod to_tower;

pub use from_tower::FromTower;
pub use to_tower::ToTower;
