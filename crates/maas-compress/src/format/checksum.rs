/// FNV-1a of 64 bits over all parts, one after the other.
///
/// Every step is a bijection of the state, so two contents that differ in one byte never have the same sum.
pub(super) fn checksum(parts: &[&[u8]]) -> u64 {
    parts
        .iter()
        .flat_map(|part| part.iter())
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn is_fnv_1a() {
        // From the test vectors of the FNV page (isthe.com/chongo/tech/comp/fnv).
        assert_eq!(checksum(&[]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(checksum(&[b"foo", b"bar"]), 0x8594_4171_f739_67e8);
    }
}
