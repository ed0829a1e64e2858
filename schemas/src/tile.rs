//! C2SP tlog-tiles: how the tree's hashes and the log's lines are cut into files that never change, and how these are named.
//! Not where they come from: a log may keep them or make them when they are asked for.

use crate::checkpoint::decimal;
use std::fmt;
use std::str::FromStr;

/// Hashes of a full tile; lines of a full entry bundle.
pub const TILE_WIDTH: u64 = 256;

/// Levels of the tree that one level of tiles spans.
pub const TILE_LEVELS: u32 = 8;

/// The largest tile level that the standard names.
const LEVEL_MAX: u64 = 63;

/// Digits of one group of a tile's number.
const GROUP_DIGITS: usize = 3;

const _: () = assert!(TILE_WIDTH == 1 << TILE_LEVELS);

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileContent {
    /// Hashes of complete subtrees of 256^`level` records each.
    Hashes {
        /// The tile's level.
        level: u8,
    },
    /// The lines themselves.
    Entries,
}

/// Names one tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TilePath {
    /// What it holds.
    pub content: TileContent,
    /// Its position among the tiles of its level, from the left.
    pub index: u64,
    /// How many hashes or lines: 256, or 1 to 255 of a partial tile.
    pub width: u16,
}

/// Why a text names no tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TilePathError {
    /// Neither `<level>/<number>` nor `entries/<number>`.
    #[error("a tile is <level>/<number> or entries/<number>, then .p/<width> if it is partial")]
    Shape,
    /// Not a level.
    #[error("the level is not a decimal number from 0 to {LEVEL_MAX}")]
    Level,
    /// Not a number in groups of three digits.
    #[error(
        "the tile's number is not in groups of three digits, all but the last with an x before it"
    )]
    Index,
    /// Not the width of a partial tile.
    #[error("the width of a partial tile is not a decimal number from 1 to {}", TILE_WIDTH - 1)]
    Width,
}

impl TilePath {
    /// Whether a log of `size` records has, or ever had, this tile.
    #[must_use]
    pub fn is_within(&self, size: u64) -> bool {
        let level = match self.content {
            TileContent::Hashes { level } => u32::from(level),
            TileContent::Entries => 0,
        };
        let hashes = size.checked_shr(level * TILE_LEVELS).unwrap_or(0);
        self.first()
            .and_then(|first| first.checked_add(u64::from(self.width)))
            .is_some_and(|end| end <= hashes)
    }

    /// The position of its first hash or line on its level; `None` when no number can say it.
    #[must_use]
    pub const fn first(&self) -> Option<u64> {
        self.index.checked_mul(TILE_WIDTH)
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    /// Reads what stands behind `/tile/`, in its only spelling.
    fn from_str(text: &str) -> Result<Self, TilePathError> {
        let (content, rest) = text.split_once('/').ok_or(TilePathError::Shape)?;
        let content = match content {
            "entries" => TileContent::Entries,
            level => TileContent::Hashes {
                level: decimal(level)
                    .filter(|level| *level <= LEVEL_MAX)
                    .and_then(|level| u8::try_from(level).ok())
                    .ok_or(TilePathError::Level)?,
            },
        };
        let (number, width) = match rest.split_once(".p/") {
            None => (rest, None),
            Some((number, width)) => (number, Some(width)),
        };
        let width = width.map_or(Some(TILE_WIDTH), |width| {
            decimal(width).filter(|width| (1..TILE_WIDTH).contains(width))
        });
        Ok(Self {
            content,
            index: index(number).ok_or(TilePathError::Index)?,
            width: width
                .and_then(|width| u16::try_from(width).ok())
                .ok_or(TilePathError::Width)?,
        })
    }
}

/// A number in groups: `x001/x234/067` is 1234067.
fn index(text: &str) -> Option<u64> {
    let (front, last) = match text.rsplit_once('/') {
        None => (None, text),
        Some((front, last)) => (Some(front), last),
    };
    let front = front.map(|front| front.split('/'));
    let mut digits = String::new();
    for group in front.into_iter().flatten() {
        digits.push_str(group.strip_prefix('x').filter(|group| is_group(group))?);
    }
    if digits.starts_with("000") {
        return None;
    }
    digits.push_str(Some(last).filter(|group| is_group(group))?);
    digits.parse().ok()
}

fn is_group(text: &str) -> bool {
    text.len() == GROUP_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            TileContent::Hashes { level } => write!(f, "{level}/")?,
            TileContent::Entries => f.write_str("entries/")?,
        }
        let (mut groups, mut rest) = (vec![self.index % 1000], self.index / 1000);
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for (place, group) in groups.iter().enumerate().rev() {
            let (mark, end) = if place == 0 { ("", "") } else { ("x", "/") };
            write!(f, "{mark}{group:03}{end}")?;
        }
        if u64::from(self.width) < TILE_WIDTH {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

/// Appends a line to an entry bundle. A line longer than a record can be has no place there, and `false` says so.
#[must_use]
pub fn push_entry(bundle: &mut Vec<u8>, line: &[u8]) -> bool {
    let Ok(length) = u16::try_from(line.len()) else {
        return false;
    };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(line);
    true
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{TileContent, TilePath, TilePathError, push_entry};

    const fn tile(content: TileContent, index: u64, width: u16) -> TilePath {
        TilePath {
            content,
            index,
            width,
        }
    }

    #[test]
    fn a_tile_has_one_name() {
        let hashes = |level| TileContent::Hashes { level };
        for (text, expected) in [
            ("0/000", tile(hashes(0), 0, 256)),
            ("0/273.p/112", tile(hashes(0), 273, 112)),
            ("2/000.p/1", tile(hashes(2), 0, 1)),
            ("63/x001/x234/067", tile(hashes(63), 1_234_067, 256)),
            ("entries/x001/000", tile(TileContent::Entries, 1_000, 256)),
            (
                "entries/x018/x446/x744/x073/x709/x551/615.p/255",
                tile(TileContent::Entries, u64::MAX, 255),
            ),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
            assert_eq!(expected.to_string(), text);
        }
    }

    #[test]
    fn nothing_else_is_one() {
        use TilePathError::{Index, Level, Shape, Width};
        for (text, error) in [
            ("", Shape),
            ("0", Shape),
            ("checkpoint", Shape),
            ("00/000", Level),
            ("64/000", Level),
            ("-1/000", Level),
            ("data/000", Level),
            ("0/", Index),
            ("0/0", Index),
            ("0/0000", Index),
            ("0/x000", Index),
            ("0/x000/001", Index),
            ("0/001/000", Index),
            ("0/x01/000", Index),
            ("0/x001/", Index),
            ("0/+01", Index),
            ("0/../000", Index),
            ("0/x018/x446/x744/x073/x709/x551/616", Index),
            ("0/000.p", Index),
            ("0/000.p/", Width),
            ("0/000.p/0", Width),
            ("0/000.p/01", Width),
            ("0/000.p/256", Width),
            ("0/000.p/1/2", Width),
        ] {
            let parsed = text.parse::<TilePath>();
            assert_eq!(parsed, Err(error), "{text}");
        }
    }

    /// The example of the standard: a log of 70,000 records.
    #[test]
    fn a_log_has_the_tiles_of_its_size() {
        for (text, there) in [
            ("0/272", true),
            ("0/273", false),
            ("0/273.p/112", true),
            ("0/273.p/113", false),
            ("0/000.p/7", true),
            ("0/274.p/1", false),
            ("1/000", true),
            ("1/001.p/17", true),
            ("1/001.p/18", false),
            ("2/000.p/1", true),
            ("2/000.p/2", false),
            ("3/000.p/1", false),
            ("8/000.p/1", false),
            ("63/000.p/1", false),
            ("entries/273.p/112", true),
            ("entries/273.p/113", false),
            ("0/x018/x446/x744/x073/x709/x551/615", false),
        ] {
            let path: TilePath = text.parse().unwrap();
            assert_eq!(path.is_within(70_000), there, "{text}");
            assert!(!path.is_within(0), "{text}");
        }
    }

    #[test]
    fn a_line_stands_behind_its_length() {
        let mut bundle = Vec::new();
        assert!(push_entry(&mut bundle, b"ab") && push_entry(&mut bundle, b""));
        assert_eq!(bundle, [0, 2, b'a', b'b', 0, 0]);
        assert!(!push_entry(&mut bundle, &[0; 65_536]));
    }
}
