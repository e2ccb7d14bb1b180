//! Any bytes are a compressed network or an error, also under the checksum that they have to have, alone or in the place of a part of a
//! real file; and any numbers are read as they were written.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use maas_compress::CompressedNetwork;
use maas_core::{Fnv, Moments, Seed};
use maas_nn::{Mask, Network, Sequential};

const PREFIX: usize = 9;

fn sealed(content: &[u8]) -> Vec<u8> {
    let mut hash = Fnv::new();
    hash.update(b"MAAS\x03");
    hash.update(content);
    let mut bytes = b"MAAS\x03".to_vec();
    bytes.extend((hash.finish() as u32).to_le_bytes());
    bytes.extend(content);
    bytes
}

fn network() -> Network {
    let layers = Sequential::rows(9).normalize(Moments::identity(9)).dense(11).batch_norm();
    layers.relu().dense(3).build(Seed(7)).unwrap()
}

fn real() -> &'static [u8] {
    static REAL: OnceLock<Vec<u8>> = OnceLock::new();
    REAL.get_or_init(|| CompressedNetwork::new(network()).unwrap().to_bytes().unwrap())
}

fn bits(network: &Network) -> Vec<u32> {
    let numbers = network.parameters().iter().chain(network.state());
    numbers.map(|number| number.to_bits()).collect()
}

fn round_trip(network: Network) {
    let bytes = CompressedNetwork::new(network.clone()).unwrap().to_bytes().unwrap();
    let again = CompressedNetwork::from_bytes(&bytes).unwrap().into_network();
    assert_eq!(bits(&again), bits(&network));
    assert!(again.masks().eq(network.masks()));
    assert_eq!(again.spec(), network.spec());
}

fn read(bytes: &[u8]) {
    if let Ok(compressed) = CompressedNetwork::from_bytes(bytes) {
        round_trip(compressed.into_network());
    }
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    read(&sealed(bytes));
    let content = &real()[PREFIX..];
    if let Some((&at, noise)) = bytes.split_first() {
        let at = usize::from(at) * content.len() / 256;
        let behind = content.get(at + noise.len()..).unwrap_or_default();
        read(&sealed(&[&content[..at], noise, behind].concat()));
    }

    let Some((&kind, numbers)) = bytes.split_first().filter(|(_, numbers)| numbers.len() >= 4) else {
        return;
    };
    let mut network = network();
    let mask = Mask::from_fn(99, |at| numbers[at % numbers.len()] >> (at % 8) & 1 == 1);
    for segment in network.segments().to_vec() {
        for (at, value) in network.parameters_mut()[segment.range].iter_mut().enumerate() {
            let four = [0, 1, 2, 3].map(|byte| numbers[(4 * at + byte) % numbers.len()]);
            *value = match kind % 4 {
                0 => f32::from_le_bytes(four),
                1 => f32::from_bits(u32::from_le_bytes(four) & 0xffff_0000),
                2 => f32::from(four[0] as i8) * (at % 11) as f32,
                _ => f32::from(four[0] % 16) * 0.1,
            };
        }
    }
    if kind & 4 == 0 {
        network.set_mask("dense.kernel", mask).unwrap();
    }
    round_trip(network);
});
