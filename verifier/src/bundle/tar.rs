//! A tar archive (POSIX ustar, and GNU's long sizes), read strictly from front to back.
//!
//! Not a general tar reader: no links, no extended headers, no sparse files, nothing after the end. Two readers that
//! disagree about an archive would let its maker show each of them another bundle.

use super::{ReadError, plain};
use crate::limits::TAR_BLOCK_BYTES;
use std::io::{self, Read};

type Block = [u8; TAR_BLOCK_BYTES];

/// A tar archive, at some member of it.
pub(super) struct TarReader<R> {
    archive: R,
    /// Bytes read so far.
    offset: u64,
    /// Bytes of the present member that are not read yet.
    left: u64,
    /// Zeros after the present member, up to a whole block.
    padding: u64,
    finished: bool,
}

impl<R: Read> TarReader<R> {
    pub(super) const fn new(archive: R) -> Self {
        Self {
            archive,
            offset: 0,
            left: 0,
            padding: 0,
            finished: false,
        }
    }

    /// Path and length of the next plain file; directories are passed over.
    pub(super) fn next_file(&mut self) -> Result<Option<(String, u64)>, ReadError> {
        while !self.finished {
            self.pass_over()?;
            let start = self.offset;
            let block = self.block()?;
            if block.iter().all(|byte| *byte == 0) {
                self.finish()?;
                break;
            }
            let header = Header::parse(&block).ok_or(ReadError::BadHeader { offset: start })?;
            let path = plain(&header.path).to_owned();
            match header.kind {
                b'0' | 0 => {
                    self.left = header.bytes;
                    self.padding = header.bytes.wrapping_neg() % TAR_BLOCK_BYTES as u64;
                    return Ok(Some((path, header.bytes)));
                }
                b'5' if header.bytes == 0 => {}
                _ => return Err(ReadError::NotAFile { path }),
            }
        }
        Ok(None)
    }

    /// Reads past the present member and its padding.
    fn pass_over(&mut self) -> Result<(), ReadError> {
        let rest = self.left + self.padding;
        let passed = io::copy(&mut (&mut self.archive).take(rest), &mut io::sink())?;
        self.offset += passed;
        (self.left, self.padding) = (0, 0);
        if passed == rest {
            Ok(())
        } else {
            Err(ReadError::Truncated)
        }
    }

    fn block(&mut self) -> Result<Block, ReadError> {
        let mut block = [0; TAR_BLOCK_BYTES];
        match self.archive.read_exact(&mut block) {
            Ok(()) => {
                self.offset += TAR_BLOCK_BYTES as u64;
                Ok(block)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && self.offset == 0 => {
                Err(ReadError::Empty)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ReadError::Truncated),
            Err(error) => Err(error.into()),
        }
    }

    /// After the first block of the end mark: the second, and then nothing but zeros.
    fn finish(&mut self) -> Result<(), ReadError> {
        if self.offset == TAR_BLOCK_BYTES as u64 {
            return Err(ReadError::Empty);
        }
        let mut block = self.block()?.to_vec();
        loop {
            if block.iter().any(|byte| *byte != 0) {
                return Err(ReadError::TrailingData);
            }
            block.clear();
            let limit = 16 * TAR_BLOCK_BYTES as u64;
            if (&mut self.archive).take(limit).read_to_end(&mut block)? == 0 {
                self.finished = true;
                return Ok(());
            }
        }
    }
}

/// The content of the present member.
impl<R: Read> Read for TarReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.archive.read(&mut buffer[..most])?;
        if read == 0 {
            let cut = io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is cut off");
            return Err(cut);
        }
        self.left -= read as u64;
        self.offset += read as u64;
        Ok(read)
    }
}

/// What matters of a header.
struct Header {
    path: String,
    bytes: u64,
    kind: u8,
}

impl Header {
    fn parse(block: &Block) -> Option<Self> {
        if checksum(block) != octal(&block[148..156])? {
            return None;
        }
        let name = text(&block[..100])?;
        let prefix = match &block[257..263] {
            b"ustar\0" => text(&block[345..500])?,
            _ => "",
        };
        let path = match prefix {
            "" => name.to_owned(),
            _ => format!("{prefix}/{name}"),
        };
        Some(Self {
            path,
            bytes: size(&block[124..136])?,
            kind: block[156],
        })
    }
}

/// Sum of all bytes of the header, those of the sum itself taken as spaces.
fn checksum(block: &Block) -> u64 {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    sum(&block[..148]) + 8 * u64::from(b' ') + sum(&block[156..])
}

/// A field of text, up to its first NUL.
fn text(field: &[u8]) -> Option<&str> {
    let end = field
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(field.len());
    std::str::from_utf8(&field[..end]).ok()
}

/// A number in octal digits, padded with spaces or NULs.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = text(field)?.trim_matches(' ');
    u64::from_str_radix(digits, 8)
        .ok()
        .filter(|_| !digits.starts_with('+'))
}

/// A length: octal, or (above 8 GiB) 95 bits in big-endian bytes after a set first bit, of which 63 may be used.
fn size(field: &[u8]) -> Option<u64> {
    if field[0] != 0x80 {
        return octal(field);
    }
    let (high, low) = field[1..].split_last_chunk::<8>()?;
    let value = u64::from_be_bytes(*low);
    let fits = high.iter().all(|byte| *byte == 0) && value <= i64::MAX as u64;
    fits.then_some(value)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{ReadError, TarReader};
    use std::io::Read as _;

    /// An archive as an independent writer makes it.
    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    /// Everything in an archive.
    fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        let mut reader = TarReader::new(bytes);
        let mut files = Vec::new();
        while let Some((path, _)) = reader.next_file()? {
            let mut content = Vec::new();
            reader.read_to_end(&mut content)?;
            files.push((path, content));
        }
        Ok(files)
    }

    #[test]
    fn what_another_writer_wrote_is_read() {
        let long = vec![7_u8; 1000];
        let bytes = archive(&[("a", b""), ("dir/b", &long), ("c", &[1; 512])]);
        let files = read(&bytes).unwrap();
        assert_eq!(files[0], ("a".to_owned(), Vec::new()));
        assert_eq!(files[1], ("dir/b".to_owned(), long));
        assert_eq!(files[2].1.len(), 512);
    }

    #[test]
    fn a_cut_or_lengthened_archive_is_refused() {
        let bytes = archive(&[("a", b"some content"), ("b", b"more")]);
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "cut at {end} was read");
        }
        let mut longer = bytes.clone();
        longer.extend([0; 4096]);
        assert!(read(&longer).is_ok());
        longer.push(1);
        assert!(matches!(read(&longer), Err(ReadError::TrailingData)));
    }

    #[test]
    fn a_flipped_bit_in_a_header_is_noticed() {
        let bytes = archive(&[("a", b"x")]);
        for at in 0..512 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            let same = read(&flipped).is_ok_and(|files| files == read(&bytes).unwrap());
            // Only spaces and NULs around the checksum's own digits have more than one spelling.
            assert!(
                !same || (148..156).contains(&at),
                "flip at {at} was not noticed"
            );
        }
    }

    #[test]
    fn sizes_above_eight_gib_are_read() {
        let mut field = [0_u8; 12];
        field[0] = 0x80;
        field[4..].copy_from_slice(&(9_u64 << 30).to_be_bytes());
        assert_eq!(super::size(&field), Some(9 << 30));
        field[1] = 1;
        assert_eq!(super::size(&field), None);
    }
}
