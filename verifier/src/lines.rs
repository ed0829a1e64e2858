//! `records.jsonl`, cut into chunks of whole lines. A chunk is as long as memory allows, never as long as the file.

use crate::limits::CHUNK_BYTES;
use probity_schemas::limits::RECORD_BYTES_MAX;
use std::io::{self, Read};

/// Whole lines.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// As long as a chunk can be; the lines stand at its beginning.
    buffer: Vec<u8>,
    /// How long they are together.
    len: usize,
    /// Where each line ends, its line feed apart.
    ends: Vec<usize>,
    /// Counted from 0.
    number: u64,
    /// How many lines are before it.
    first: u64,
}

impl Chunk {
    /// The lines, without their line feeds.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|end| end + 1));
        begins
            .zip(&self.ends)
            .map(|(begin, end)| &self.buffer[begin..*end])
    }

    /// Counted from 0.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// How many lines are before it.
    pub(crate) const fn first(&self) -> u64 {
        self.first
    }

    /// Bytes of its lines.
    pub(crate) const fn bytes(&self) -> u64 {
        self.len as u64
    }

    fn find_lines(&mut self) {
        let bytes = &self.buffer[..self.len];
        self.ends.clear();
        self.ends.extend(memchr::memchr_iter(b'\n', bytes));
        if bytes.last().is_some_and(|byte| *byte != b'\n') {
            self.ends.push(bytes.len());
        }
    }
}

/// The lines of a file, chunk by chunk.
pub(crate) struct Lines<'s> {
    source: &'s mut (dyn Read + Send),
    /// The beginning of a line whose end is in the next chunk.
    carry: Vec<u8>,
    chunks: u64,
    lines: u64,
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
            lines: 0,
            end: End::NotReached,
        }
    }

    /// Puts the next lines into `chunk`; false if there are none. Every line but the very last has its line feed.
    pub(crate) fn next_chunk(&mut self, chunk: &mut Chunk) -> bool {
        chunk.buffer.resize(CHUNK_BYTES, 0);
        let read = self.read(&mut chunk.buffer);
        chunk.len = read.unwrap_or(0);
        chunk.find_lines();
        (chunk.number, chunk.first) = (self.chunks, self.lines);
        self.chunks += 1;
        self.lines += chunk.ends.len() as u64;
        read.is_some() && !chunk.ends.is_empty()
    }

    /// The next chunk's bytes, put at the beginning of this buffer: how many; none if there are none.
    fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if !matches!(self.end, End::NotReached) {
            return None;
        }
        let mut len = self.carry.len();
        buffer[..len].copy_from_slice(&self.carry);
        self.carry.clear();
        while len < buffer.len() {
            match self.source.read(&mut buffer[len..]) {
                Ok(0) => {
                    self.end = match buffer[..len].last() {
                        None | Some(b'\n') => End::Clean,
                        Some(_) => End::NoLineFeed,
                    };
                    return Some(len);
                }
                Ok(read) => len += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.end = End::Failed(error);
                    return None;
                }
            }
        }
        Some(self.keep_whole_lines(buffer))
    }

    /// Moves what follows the last line feed of a full chunk to the next chunk; how long the chunk is then.
    fn keep_whole_lines(&mut self, chunk: &[u8]) -> usize {
        let whole = memchr::memrchr(b'\n', chunk).map_or(0, |at| at + 1);
        if chunk.len() - whole > RECORD_BYTES_MAX {
            self.end = End::Overlong;
        } else {
            self.carry.extend_from_slice(&chunk[whole..]);
        }
        whole
    }

    /// How the file ended.
    pub(crate) fn end(self) -> End {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunk, End, Lines};
    use crate::limits::CHUNK_BYTES;

    fn read(file: &[u8]) -> (Vec<Vec<u8>>, End) {
        let (mut source, mut chunk, mut all) = (file, Chunk::default(), Vec::new());
        let mut lines = Lines::new(&mut source);
        while lines.next_chunk(&mut chunk) {
            assert_eq!(chunk.first(), all.len() as u64);
            all.extend(chunk.lines().map(<[u8]>::to_vec));
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
