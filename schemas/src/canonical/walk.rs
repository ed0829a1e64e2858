//! The reader's check: one walk over the bytes that proves a line canonical. It builds nothing, allocates nothing
//! and never re-encodes; the only state is the position and, per open object, the key before.

use super::{CanonicalError, CanonicalFault as Fault, key, number, scan};
use crate::limits::JSON_DEPTH_MAX;

/// Proves that `line` is exactly one canonical JSON value, or says where it is not.
///
/// # Errors
/// The first rule broken, with its byte offset.
pub fn check(line: &[u8]) -> Result<(), CanonicalError> {
    let text = std::str::from_utf8(line).map_err(|error| Fault::NotUtf8.at(error.valid_up_to()))?;
    match value_end(text, 0, 0)? {
        end if end == line.len() => Ok(()),
        end => Err(Fault::TrailingBytes.at(end)),
    }
}

/// Proves that a canonical JSON value starts at byte `start` of `text`, inside `depth` arrays and objects; where it ends.
///
/// # Errors
/// As [`check`].
pub(crate) fn value_end(text: &str, start: usize, depth: usize) -> Result<usize, CanonicalError> {
    let mut walk = Walk {
        text,
        bytes: text.as_bytes(),
        at: start,
    };
    walk.value(depth)?;
    Ok(walk.at)
}

struct Walk<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Walk<'t> {
    fn value(&mut self, depth: usize) -> Result<(), CanonicalError> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => Err(self.unexpected()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), CanonicalError> {
        self.open(depth)?;
        if self.take(b'}') {
            return Ok(());
        }
        let mut before: Option<key::Key<'t>> = None;
        loop {
            let start = self.at;
            if self.peek()? != b'"' {
                return Err(self.unexpected());
            }
            let key = self.string()?;
            if let Some(before) = before {
                before.precedes(&key).map_err(|fault| fault.at(start))?;
            }
            before = Some(key);
            self.expect(b':')?;
            self.value(depth)?;
            if !self.take(b',') {
                return self.expect(b'}');
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), CanonicalError> {
        self.open(depth)?;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.value(depth)?;
            if !self.take(b',') {
                return self.expect(b']');
            }
        }
    }

    /// Walks over one string; its inside, with escapes as they stand, serves as a key.
    fn string(&mut self) -> Result<key::Key<'t>, CanonicalError> {
        self.at += 1;
        let start = self.at;
        let mut bytewise = true;
        loop {
            self.at += scan::plain_prefix(&self.bytes[self.at..]);
            let class = self
                .bytes
                .get(self.at)
                .map(|byte| CLASS[usize::from(*byte)]);
            match class {
                Some(Class::Plain) => self.at += 1,
                Some(Class::Quote) => break,
                Some(Class::High) => {
                    bytewise = false;
                    self.at += 1;
                }
                Some(Class::Escape) => {
                    bytewise = false;
                    self.escape()?;
                }
                Some(Class::Control) => return Err(Fault::ControlCharacter.at(self.at)),
                None => return Err(Fault::UnexpectedEnd.at(self.at)),
            }
        }
        let raw = &self.text[start..self.at];
        self.at += 1;
        Ok(key::Key { raw, bytewise })
    }

    /// One escape: a letter where JSON has one, else `\u00xx` with lower-case digits for the other controls.
    fn escape(&mut self) -> Result<(), CanonicalError> {
        let start = self.at;
        let after = |n: usize| self.bytes.get(start + n).copied();
        let length = match after(1) {
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') => match (after(2), after(3), after(4), after(5)) {
                (Some(b'0'), Some(b'0'), Some(b'0'), Some(b'0'..=b'7' | b'b' | b'e' | b'f')) => 6,
                (Some(b'0'), Some(b'0'), Some(b'1'), Some(b'0'..=b'9' | b'a'..=b'f')) => 6,
                (Some(a), Some(b), Some(c), Some(d))
                    if [a, b, c, d].iter().all(u8::is_ascii_hexdigit) =>
                {
                    return Err(Fault::LongEscape.at(start));
                }
                (.., None) => return Err(Fault::UnexpectedEnd.at(self.bytes.len())),
                _ => return Err(Fault::UnknownEscape.at(start)),
            },
            Some(b'/') => return Err(Fault::LongEscape.at(start)),
            Some(_) => return Err(Fault::UnknownEscape.at(start)),
            None => return Err(Fault::UnexpectedEnd.at(self.bytes.len())),
        };
        self.at += length;
        Ok(())
    }

    fn number(&mut self) -> Result<(), CanonicalError> {
        let start = self.at;
        let rest = &self.bytes[start..];
        let length = rest
            .iter()
            .position(|byte| !number::is_number_byte(*byte))
            .unwrap_or(rest.len());
        self.at += length;
        number::check(&self.text[start..self.at]).map_err(|fault| fault.at(start))
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), CanonicalError> {
        for byte in word {
            self.expect(*byte)?;
        }
        Ok(())
    }

    fn open(&mut self, depth: usize) -> Result<(), CanonicalError> {
        if depth > JSON_DEPTH_MAX {
            return Err(Fault::TooDeep.at(self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Result<u8, CanonicalError> {
        self.bytes
            .get(self.at)
            .copied()
            .ok_or(Fault::UnexpectedEnd.at(self.at))
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), CanonicalError> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn unexpected(&self) -> CanonicalError {
        let fault = match self.bytes.get(self.at) {
            None => Fault::UnexpectedEnd,
            Some(b' ' | b'\t' | b'\n' | b'\r') => Fault::WhiteSpace,
            Some(_) => Fault::UnexpectedByte,
        };
        fault.at(self.at)
    }
}

/// What a byte means inside a string. `High` bytes (from 0xee) begin the characters, U+E000 and above, for which
/// the order of UTF-8 bytes and of UTF-16 units may differ.
#[derive(Clone, Copy)]
enum Class {
    Plain,
    Quote,
    Escape,
    Control,
    High,
}

const CLASS: [Class; 256] = {
    let mut table = [Class::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        if byte < 0x20 {
            table[byte] = Class::Control;
        } else if byte >= 0xee {
            table[byte] = Class::High;
        }
        byte += 1;
    }
    table[b'"' as usize] = Class::Quote;
    table[b'\\' as usize] = Class::Escape;
    table
};
