//! `records.jsonl`, cut into chunks of whole lines. A chunk is as long as memory allows, never as long as the file.

use crate::limits::CHUNK_BYTES;
use probity_schemas::limits::RECORD_BYTES_MAX;
use std::io::{self, Read};

/// The lines of a file, chunk by chunk.
pub(crate) struct Lines<'s> {
    source: &'s mut (dyn Read + Send),
    /// The beginning of a line whose end is in the next chunk.
    carry: Vec<u8>,
    chunks: u64,
    end: End,
}

/// How the file ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It did not yet.
    NotReached,
    /// After a line feed, or empty.
    Clean,
    /// Inside a line: the line is given, and its line feed is missing.
    NoLineFeed,
    /// Reading stopped at a line longer than a record may be; it was not given.
    Overlong,
    /// Reading failed.
    Failed(io::Error),
}

impl<'s> Lines<'s> {
    pub(crate) const fn new(source: &'s mut (dyn Read + Send)) -> Self {
        Self {
            source,
            carry: Vec::new(),
            chunks: 0,
            end: End::NotReached,
        }
    }

    /// Puts the next chunk into `chunk` and gives its number, from 0. Every line but the very last has its line feed.
    pub(crate) fn next_chunk(&mut self, chunk: &mut Vec<u8>) -> Option<u64> {
        if !matches!(self.end, End::NotReached) {
            return None;
        }
        chunk.clear();
        chunk.append(&mut self.carry);
        let missing = CHUNK_BYTES - chunk.len();
        match self.source.take(missing as u64).read_to_end(chunk) {
            Err(error) => {
                self.end = End::Failed(error);
                return None;
            }
            Ok(read) if read < missing => {
                self.end = match chunk.last() {
                    None | Some(b'\n') => End::Clean,
                    Some(_) => End::NoLineFeed,
                };
            }
            Ok(_) => self.keep_whole_lines(chunk),
        }
        self.chunks += 1;
        (!chunk.is_empty()).then_some(self.chunks - 1)
    }

    /// Moves what follows the last line feed of a full chunk to the next chunk.
    fn keep_whole_lines(&mut self, chunk: &mut Vec<u8>) {
        let whole = chunk
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        if chunk.len() - whole > RECORD_BYTES_MAX {
            self.end = End::Overlong;
        } else {
            self.carry.extend_from_slice(&chunk[whole..]);
        }
        chunk.truncate(whole);
    }

    /// How the file ended.
    pub(crate) fn end(self) -> End {
        self.end
    }
}

/// The lines of a chunk, without their line feeds.
pub(crate) fn split(chunk: &[u8]) -> impl Iterator<Item = &[u8]> {
    chunk
        .strip_suffix(b"\n")
        .unwrap_or(chunk)
        .split(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::{End, Lines, split};
    use crate::limits::CHUNK_BYTES;

    fn read(file: &[u8]) -> (Vec<Vec<u8>>, End) {
        let (mut source, mut chunk, mut all) = (file, Vec::new(), Vec::new());
        let mut lines = Lines::new(&mut source);
        while lines.next_chunk(&mut chunk).is_some() {
            all.extend(split(&chunk).map(<[u8]>::to_vec));
        }
        (all, lines.end())
    }

    #[test]
    fn every_line_is_given_once_and_whole() {
        for length in [1, 700, 65_535] {
            let line = vec![b'x'; length];
            let count = 3 * CHUNK_BYTES / (length + 1) + 2;
            let file: Vec<u8> = (0..count)
                .flat_map(|_| [&line[..], b"\n"].concat())
                .collect();
            let (lines, end) = read(&file);
            assert!(matches!(end, End::Clean), "{length}: {end:?}");
            assert_eq!(lines.len(), count, "{length}");
            assert!(lines.iter().all(|read| *read == line), "{length}");
        }
    }

    #[test]
    fn odd_ends_are_told_apart() {
        assert!(matches!(read(b""), (lines, End::Clean) if lines.is_empty()));
        assert!(matches!(read(b"a\n\nb\n"), (lines, End::Clean) if lines.len() == 3));
        assert!(matches!(read(b"a\nb"), (lines, End::NoLineFeed) if lines.len() == 2));
        let endless = vec![b'x'; 3 * CHUNK_BYTES];
        assert!(matches!(read(&endless), (lines, End::Overlong) if lines.is_empty()));
    }
}
