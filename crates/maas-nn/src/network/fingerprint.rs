use bytemuck::cast_slice;
use serde_json::Value;

use super::Network;

impl Network {
    /// A digest of what the network computes: its canonical specification and its parameters and state without
    /// padding, in declaration order (FNV-1a, 64 bits).
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
        let mut hash = Fnv::new();
        hash.update(canonical_json(self.spec()).as_bytes());
        for segment in self.segments() {
            hash.update(cast_slice(&self.parameters[segment.range.clone()]));
        }
        for segment in self.state_segments() {
            hash.update(cast_slice(&self.state[segment.range.clone()]));
        }
        hash.finish()
    }
}

/// The hash of Fowler, Noll and Vo, variant 1a, 64 bits.
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    }

    pub(crate) fn finish(&self) -> u64 {
        self.0
    }
}

/// JSON whose objects have sorted keys, whatever map `serde_json` was compiled with.
pub(crate) fn canonical_json(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).expect("specifications have string keys only");
    let mut text = String::new();
    write(&value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(&map[key], text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(value, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        let hash = |text: &str| {
            let mut hash = Fnv::new();
            hash.update(text.as_bytes());
            hash.finish()
        };
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn keys_are_sorted() {
        let value = serde_json::json!({"b": [1, {"d": null, "c": "x\"y"}], "a": 0.1_f32});
        assert_eq!(
            canonical_json(&value),
            r#"{"a":0.10000000149011612,"b":[1,{"c":"x\"y","d":null}]}"#
        );
    }
}
