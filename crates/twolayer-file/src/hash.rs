//! FNV-1a, in hexadecimal: tells contents apart, and finds accidents; no defence against intent.

/// 64 bits: of an experiment.
pub fn short(bytes: &[u8]) -> String {
    format!("{:016x}", checksum(bytes))
}

/// 128 bits: the name of a task, of which there may be millions.
pub fn long(bytes: &[u8]) -> String {
    let step = |hash: u128, byte: &u8| (hash ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    format!("{:032x}", bytes.iter().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, step))
}

/// 64 bits as a number: the last word of a file that must be whole.
pub fn checksum(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published vectors.
    #[test]
    fn the_hashes_are_fnv_1a() {
        assert_eq!(short(b""), "cbf29ce484222325");
        assert_eq!(short(b"a"), "af63dc4c8601ec8c");
        assert_eq!(short(b"foobar"), "85944171f73967e8");
        assert_eq!(long(b""), "6c62272e07bb014262b821756295c58d");
        assert_eq!(long(b"a"), "d228cb696f1a8caf78912b704e4a8964");
        assert_eq!(long(b"foobar"), "343e1662793c64bf6f0d3597ba446f18");
    }
}
