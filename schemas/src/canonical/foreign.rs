//! The writer's side: JSON of foreign origin, read strictly and written as RFC 8785 bytes. What two readers could
//! understand differently (a duplicate key, half a surrogate pair, a number that no double holds) is refused with
//! an error that says so; it is never repaired.

use super::{CanonicalError, CanonicalFault as Fault, number};
use crate::limits::{FOREIGN_JSON_BYTES_MAX, JSON_DEPTH_MAX};

/// The one canonical spelling of `foreign`.
///
/// # Errors
/// The first rule broken, with its byte offset in `foreign`.
pub fn canonicalize(foreign: &[u8]) -> Result<String, CanonicalError> {
    if foreign.len() > FOREIGN_JSON_BYTES_MAX {
        return Err(Fault::TooLong.at(FOREIGN_JSON_BYTES_MAX));
    }
    let text =
        std::str::from_utf8(foreign).map_err(|error| Fault::NotUtf8.at(error.valid_up_to()))?;
    let mut reader = Reader {
        text,
        at: 0,
        out: String::with_capacity(text.len()),
    };
    reader.value(0)?;
    reader.skip_white_space();
    match reader.at == text.len() {
        true => Ok(reader.out),
        false => Err(Fault::TrailingBytes.at(reader.at)),
    }
}

/// Reads from `text` at `at`, and writes the canonical form to the end of `out`.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    out: String,
}

/// A member of an open object: its key, where that stood in the text, and where the member was written.
struct Member {
    key: String,
    offset: usize,
    written: std::ops::Range<usize>,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<(), CanonicalError> {
        self.skip_white_space();
        match self.peek()? {
            b'"' => self
                .string()
                .map(|string| write_string(&mut self.out, &string)),
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => Err(Fault::UnexpectedByte.at(self.at)),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), CanonicalError> {
        self.open(depth)?;
        let start = self.out.len();
        let mut members = Vec::new();
        if self.take(b'}') {
            self.out.push_str("{}");
            return Ok(());
        }
        loop {
            members.push(self.member(depth)?);
            if !self.take(b',') {
                self.expect(b'}')?;
                return self.close_object(start, members);
            }
        }
    }

    fn member(&mut self, depth: usize) -> Result<Member, CanonicalError> {
        self.skip_white_space();
        let offset = self.at;
        if self.peek()? != b'"' {
            return Err(Fault::UnexpectedByte.at(offset));
        }
        let key = self.string()?;
        self.expect(b':')?;
        let start = self.out.len();
        write_string(&mut self.out, &key);
        self.out.push(':');
        self.value(depth)?;
        Ok(Member {
            key,
            offset,
            written: start..self.out.len(),
        })
    }

    /// Puts the members written since `start` into the order of their keys.
    fn close_object(
        &mut self,
        start: usize,
        mut members: Vec<Member>,
    ) -> Result<(), CanonicalError> {
        members.sort_by(|a, b| a.key.encode_utf16().cmp(b.key.encode_utf16()));
        if let Some(pair) = members.windows(2).find(|pair| pair[0].key == pair[1].key) {
            return Err(Fault::DuplicateKey.at(pair[1].offset));
        }
        let written = self.out.split_off(start);
        for (position, member) in members.iter().enumerate() {
            self.out.push(if position == 0 { '{' } else { ',' });
            self.out
                .push_str(&written[member.written.start - start..member.written.end - start]);
        }
        self.out.push('}');
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), CanonicalError> {
        self.open(depth)?;
        self.out.push('[');
        if !self.take(b']') {
            self.value(depth)?;
            while self.take(b',') {
                self.out.push(',');
                self.value(depth)?;
            }
            self.expect(b']')?;
        }
        self.out.push(']');
        Ok(())
    }

    fn number(&mut self) -> Result<(), CanonicalError> {
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest
            .bytes()
            .position(|byte| !number::is_number_byte(byte))
            .unwrap_or(rest.len());
        self.at += length;
        let canonical = number::canonicalize(&rest[..length]).map_err(|fault| fault.at(start))?;
        self.out.push_str(&canonical);
        Ok(())
    }

    fn string(&mut self) -> Result<String, CanonicalError> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .bytes()
                .position(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\'))
                .unwrap_or(rest.len());
            string.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek()? {
                b'"' => break,
                b'\\' => string.push(self.escape()?),
                _ => return Err(Fault::ControlCharacter.at(self.at)),
            }
        }
        self.at += 1;
        Ok(string)
    }

    fn escape(&mut self) -> Result<char, CanonicalError> {
        let start = self.at;
        self.at += 1;
        let letter = self.peek()?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(start),
            _ => return Err(Fault::UnknownEscape.at(start)),
        })
    }

    /// The character of `\uXXXX`, or of a pair of them.
    fn unicode(&mut self, start: usize) -> Result<char, CanonicalError> {
        let first = self.unit(start)?;
        let mut units = vec![first];
        let second = self.at;
        if (0xd800..0xdc00).contains(&first) && self.text[second..].starts_with("\\u") {
            self.at += 2;
            units.push(self.unit(second)?);
        }
        match char::decode_utf16(units).next() {
            Some(Ok(character)) => Ok(character),
            _ => Err(Fault::LoneSurrogate.at(start)),
        }
    }

    fn unit(&mut self, start: usize) -> Result<u16, CanonicalError> {
        let digits = self
            .text
            .as_bytes()
            .get(self.at..self.at + 4)
            .ok_or(Fault::UnexpectedEnd.at(self.text.len()))?;
        let value = digits.iter().try_fold(0, |value, digit| {
            Some(value * 16 + char::from(*digit).to_digit(16)?)
        });
        self.at += 4;
        value
            .and_then(|value| u16::try_from(value).ok())
            .ok_or(Fault::UnknownEscape.at(start))
    }

    fn word(&mut self, word: &'static str) -> Result<(), CanonicalError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(Fault::UnexpectedByte.at(self.at));
        }
        self.at += word.len();
        self.out.push_str(word);
        Ok(())
    }

    fn open(&mut self, depth: usize) -> Result<(), CanonicalError> {
        if depth > JSON_DEPTH_MAX {
            return Err(Fault::TooDeep.at(self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn skip_white_space(&mut self) {
        let rest = self.text[self.at..].bytes();
        self.at += rest
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            .count();
    }

    fn peek(&self) -> Result<u8, CanonicalError> {
        self.text
            .as_bytes()
            .get(self.at)
            .copied()
            .ok_or(Fault::UnexpectedEnd.at(self.at))
    }

    fn take(&mut self, byte: u8) -> bool {
        self.skip_white_space();
        let found = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), CanonicalError> {
        if self.take(byte) {
            return Ok(());
        }
        self.peek().and(Err(Fault::UnexpectedByte.at(self.at)))
    }
}

/// Writes a string with the escapes of RFC 8785: letters where JSON has them, else `\u00xx`, and only where needed.
fn write_string(out: &mut String, string: &str) {
    out.push('"');
    for character in string.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            plain => out.push(plain),
        }
    }
    out.push('"');
}
