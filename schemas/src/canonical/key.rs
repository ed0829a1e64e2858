//! The order of object keys: by UTF-16 code units of the text they stand for. Nearly every key is plain, and there
//! the order of the bytes is the same; only the others are decoded, unit by unit, without a copy.

use std::cmp::Ordering;

use super::CanonicalFault as Fault;

/// A key as it stands in a checked line, between its quotes.
#[derive(Clone, Copy)]
pub(super) struct Key<'t> {
    /// The bytes between the quotes, escapes included.
    pub(super) raw: &'t str,
    /// No escape and no character from U+E000 on: its bytes sort as its units do.
    pub(super) bytewise: bool,
}

impl Key<'_> {
    /// Holds if this key comes strictly before `next`.
    pub(super) fn precedes(&self, next: &Self) -> Result<(), Fault> {
        let order = if self.bytewise && next.bytewise {
            self.raw.as_bytes().cmp(next.raw.as_bytes())
        } else {
            units(self.raw).cmp(units(next.raw))
        };
        match order {
            Ordering::Less => Ok(()),
            Ordering::Equal => Err(Fault::DuplicateKey),
            Ordering::Greater => Err(Fault::KeyOrder),
        }
    }
}

/// The UTF-16 units of a checked string.
fn units(raw: &str) -> impl Iterator<Item = u16> {
    let mut rest = raw.chars();
    std::iter::from_fn(move || match rest.next()? {
        '\\' => escaped(&mut rest),
        plain => Some(plain),
    })
    .flat_map(Units::of)
}

/// The character of an escape whose backslash was just read. Escapes were checked: they are whole, and canonical.
fn escaped(rest: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let code = rest
                .by_ref()
                .take(4)
                .try_fold(0, |code, digit| Some(code * 16 + digit.to_digit(16)?))?;
            char::from_u32(code)?
        }
        quote_or_backslash => quote_or_backslash,
    })
}

/// One or two UTF-16 units of a character.
struct Units {
    units: [u16; 2],
    next: usize,
    length: usize,
}

impl Units {
    fn of(character: char) -> Self {
        let mut units = [0; 2];
        let length = character.encode_utf16(&mut units).len();
        Self {
            units,
            next: 0,
            length,
        }
    }
}

impl Iterator for Units {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        let unit = (self.next < self.length).then(|| self.units[self.next]);
        self.next += 1;
        unit
    }
}
