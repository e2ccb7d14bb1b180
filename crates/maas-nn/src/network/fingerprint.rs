use bytemuck::cast_slice;
use maas_core::Fnv;

use super::Network;
use crate::canonical::canonical_json;

impl Network {
    /// A digest of what the network computes: its canonical specification and its parameters and state without
    /// padding, in declaration order (FNV-1a, 64 bits). Which layers are frozen is no part of it.
    ///
    /// Equal networks have equal fingerprints on every machine, whatever file they came from. It is no
    /// cryptographic hash: it tells versions apart, it does not guard against forgery.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let network = |seed| Sequential::rows(4).dense(3).relu().dense(1).build(seed);
    /// assert_eq!(network(Seed(7))?.fingerprint(), network(Seed(7))?.fingerprint());
    /// assert_ne!(network(Seed(7))?.fingerprint(), network(Seed(8))?.fingerprint());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn fingerprint(&self) -> u64 {
        let mut spec = self.spec().clone();
        spec.nodes.iter_mut().for_each(|node| node.frozen = false);
        let mut hash = Fnv::new();
        hash.update(canonical_json(&spec).as_bytes());
        for segment in self.segments() {
            hash.update(cast_slice(&self.parameters[segment.range.clone()]));
        }
        for segment in self.state_segments() {
            hash.update(cast_slice(&self.state[segment.range.clone()]));
        }
        hash.finish()
    }
}
