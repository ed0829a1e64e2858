//! The common line, read in one pass: each attribute where its key stands, the body walked over as canonical JSON.
//!
//! Not a second opinion on what a record is. It takes the lines in which every attribute is plain ASCII without an
//! escape, which are nearly all of them, and leaves every other line, good or bad, to the reader that names faults.

use super::Envelope;
use crate::canonical;
use crate::time::Time;
use std::borrow::Cow;

/// The attributes of a canonical line, or none if it takes the thorough reader to tell.
pub(super) fn read(line: &[u8]) -> Option<Envelope<'_, &str>> {
    let text = std::str::from_utf8(line).ok()?;
    let mut line = Line { text, at: 0 };
    // Fields are evaluated in the order written here, which is the order of the keys in a line.
    let envelope = Envelope {
        actor: line.text(r#"{"actor":""#)?,
        causationid: line.maybe(r#","causationid":""#)?,
        correlationid: line.maybe(r#","correlationid":""#)?,
        data: line.value(r#","data":"#)?,
        id: line.text(r#","id":""#)?,
        previous: line.text(r#","previous":""#)?.parse().ok()?,
        revision: line.text(r#","revision":""#)?,
        sequence: line.text(r#","sequence":""#)?,
        source: line.text(r#","source":""#)?,
        specversion: line.text(r#","specversion":""#)?,
        subject: line.text(r#","subject":""#)?,
        subjectprevious: match line.maybe(r#","subjectprevious":""#)? {
            Some(hash) => Some(hash.parse().ok()?),
            None => None,
        },
        surface: line.text(r#","surface":""#)?,
        time: Time::parse(&line.text(r#","time":""#)?).ok()?,
        traceparent: line.maybe(r#","traceparent":""#)?,
        type_name: line.text(r#","type":""#)?,
        workspace: line.maybe(r#","workspace":""#)?,
    };
    (line.rest() == b"}").then_some(envelope)
}

/// A line, and how far it was read.
struct Line<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Line<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Whether the key stands here; if so it is passed. Inlined, so that a key of known length is compared as a few words.
    #[inline(always)]
    fn key(&mut self, key: &str) -> bool {
        let found = self.rest().starts_with(key.as_bytes());
        self.at += if found { key.len() } else { 0 };
        found
    }

    /// The plain text after a key that has to be here.
    #[inline(always)]
    fn text(&mut self, key: &str) -> Option<Cow<'a, str>> {
        if self.key(key) { self.plain() } else { None }
    }

    /// The plain text after a key that may be here.
    #[inline(always)]
    fn maybe(&mut self, key: &str) -> Option<Option<Cow<'a, str>>> {
        if self.key(key) {
            self.plain().map(Some)
        } else {
            Some(None)
        }
    }

    /// Text up to the closing quote, which is passed.
    fn plain(&mut self) -> Option<Cow<'a, str>> {
        let length = canonical::plain_prefix(self.rest());
        let text = &self.text[self.at..self.at + length];
        self.at += length;
        self.key("\"").then_some(Cow::Borrowed(text))
    }

    /// The JSON text after a key that has to be here.
    fn value(&mut self, key: &str) -> Option<&'a str> {
        if !self.key(key) {
            return None;
        }
        let start = self.at;
        self.at = canonical::value_end(self.text, start, 1).ok()?;
        Some(&self.text[start..self.at])
    }
}

#[cfg(test)]
mod tests {
    use crate::canonical::check;
    use crate::record::thorough;

    const LINES: &str = include_str!("../../vectors/bundle/records.jsonl");

    #[test]
    fn common_lines_are_read_here() {
        for line in LINES.lines() {
            assert!(super::read(line.as_bytes()).is_some(), "{line}");
        }
    }

    /// Every byte of the golden lines taken out, doubled, and replaced by each byte that means something in JSON.
    #[test]
    fn what_is_read_here_is_read_alike_by_the_thorough_reader() {
        for line in LINES.lines().map(str::as_bytes) {
            for at in 0..line.len() {
                let replaced = b"\"\\{}[]:,0z \n\x1f\x7f\xc3".map(|byte| vec![byte]);
                let doubled = vec![line[at]; 2];
                for middle in replaced.into_iter().chain([Vec::new(), doubled]) {
                    let changed = [&line[..at], &middle, &line[at + 1..]].concat();
                    let Some(read) = super::read(&changed) else {
                        continue;
                    };
                    assert_eq!(check(&changed), Ok(()));
                    let thorough = thorough(&changed).map(|read| format!("{read:?}"));
                    assert_eq!(thorough, Ok(format!("{read:?}")));
                }
            }
        }
    }
}
