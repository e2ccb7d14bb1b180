//! Which segments are pruned.

use maas_nn::{Network, Role, Segment};
use serde_json::{Value, json};

use crate::Error;

#[derive(Clone, Debug, Default)]
pub(super) struct Choice {
    pub(super) only: Vec<String>,
    pub(super) exclude: Vec<String>,
    roles: Vec<Role>,
}

impl Choice {
    pub(super) fn include(&mut self, role: Role) {
        self.roles.push(role);
    }

    /// As data.
    pub(super) fn config(&self) -> Value {
        let roles: Vec<String> = self.roles.iter().map(|role| format!("{role:?}")).collect();
        json!([self.only, self.exclude, roles])
    }

    /// Kernels and whatever roles were asked for; what is named itself whatever its role.
    pub(super) fn segments(&self, network: &Network) -> Result<Vec<Segment>, Error> {
        for name in self.only.iter().chain(&self.exclude) {
            if !network.segments().iter().any(|segment| is(name, segment)) {
                return Err(Error::UnknownName {
                    name: name.clone(),
                    names: (network.segments().iter().map(|s| s.name.clone())).collect(),
                });
            }
        }
        let chosen = |segment: &&Segment| {
            let of_role = segment.role == Role::Weight || self.roles.contains(&segment.role);
            let named = self.only.contains(&segment.name);
            let among = self.only.is_empty() || self.only.iter().any(|name| is(name, segment));
            let excluded = self.exclude.iter().any(|name| is(name, segment));
            among && (of_role || named) && !excluded && !segment.range.is_empty()
        };
        Ok(network.segments().iter().filter(chosen).cloned().collect())
    }
}

/// Whether a name is that of the segment or of its layer.
fn is(name: &str, segment: &Segment) -> bool {
    let rest = segment.name.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
