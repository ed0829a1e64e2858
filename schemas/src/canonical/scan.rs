//! How far a string runs plainly: eight bytes at a time, which is what makes the one pass cheap, since most bytes of
//! a record stand inside strings.

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = LOW_BITS << 7;

/// Number of bytes from the start of `bytes` that are ASCII from space on, other than quote and backslash.
pub(crate) fn plain_prefix(bytes: &[u8]) -> usize {
    let mut length = 0;
    while let Some(eight) = bytes[length..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        // The lowest bit set marks the first byte that is not plain; bits above it may be borrowed by mistake.
        let found = word | below(word, b' ') | equal(word, b'"') | equal(word, b'\\');
        match found & HIGH_BITS {
            0 => length += 8,
            found => return length + (found.trailing_zeros() / 8) as usize,
        }
    }
    let plain = |byte: &&u8| matches!(byte, b' '..0x80) && !matches!(byte, b'"' | b'\\');
    length + bytes[length..].iter().take_while(plain).count()
}

/// High bit set in the first byte of `word` that is below `limit`.
const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(LOW_BITS * limit as u64) & !word
}

/// High bit set in the first byte of `word` that equals `byte`.
const fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (LOW_BITS * byte as u64), 1)
}

#[cfg(test)]
mod tests {
    use super::plain_prefix;

    #[test]
    fn every_byte_at_every_place_is_seen() {
        for place in 0..16 {
            for byte in 0..=u8::MAX {
                let mut bytes = [b'a'; 24];
                bytes[place] = byte;
                let plain = (b' '..0x80).contains(&byte) && byte != b'"' && byte != b'\\';
                assert_eq!(
                    plain_prefix(&bytes),
                    if plain { 24 } else { place },
                    "{byte:#x} at {place}"
                );
            }
        }
        assert_eq!(plain_prefix(b"short"), 5);
        assert_eq!(plain_prefix(b"a\"}"), 1);
    }
}
