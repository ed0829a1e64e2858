//! Canonical JSON: RFC 8785 bytes inside the I-JSON limits of RFC 7493. [`check`] is the reader's side and looks at
//! the bytes once, without building anything; [`canonicalize`] is the writer's side for JSON of foreign origin.
//! Neither is a JSON library: nobody gets values from here, only the certainty that a text has one spelling.
//!
//! That a fraction is the shortest one for its double is the writer's duty and is not checked by the reader.

mod foreign;
mod key;
mod number;
mod scan;
mod walk;

pub use foreign::canonicalize;
pub(crate) use scan::plain_prefix;
pub use walk::check;
pub(crate) use walk::value_end;

/// Where a text stops being canonical (or, for foreign JSON, acceptable), and which rule it breaks there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {fault}")]
pub struct CanonicalError {
    /// Offset of the first byte that breaks the rule.
    pub offset: usize,
    /// The rule.
    pub fault: CanonicalFault,
}

/// The rules of canonical JSON, each by the way it is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalFault {
    /// Foreign text above the size limit.
    #[error(
        "the text is longer than {} bytes",
        crate::limits::FOREIGN_JSON_BYTES_MAX
    )]
    TooLong,
    /// Not UTF-8.
    #[error("not valid UTF-8")]
    NotUtf8,
    /// The text ends inside a value, or is empty.
    #[error("the text ends inside a value")]
    UnexpectedEnd,
    /// A byte that JSON does not allow here.
    #[error("this byte cannot stand here")]
    UnexpectedByte,
    /// White space between tokens.
    #[error("white space between tokens")]
    WhiteSpace,
    /// Bytes after the value.
    #[error("bytes after the end of the value")]
    TrailingBytes,
    /// Arrays and objects nested too deep.
    #[error("nested deeper than {} levels", crate::limits::JSON_DEPTH_MAX)]
    TooDeep,
    /// An object's keys are not in ascending order of UTF-16 code units.
    #[error("key out of order: keys ascend by UTF-16 code units")]
    KeyOrder,
    /// An object has the same key twice.
    #[error("duplicate key")]
    DuplicateKey,
    /// A control character inside a string that is not escaped.
    #[error("control character not escaped")]
    ControlCharacter,
    /// A backslash that begins no escape of JSON.
    #[error("unknown escape")]
    UnknownEscape,
    /// An escape for which a shorter form, or the plain character, exists.
    #[error("escape is not the shortest form of its character")]
    LongEscape,
    /// Half of a surrogate pair.
    #[error("lone surrogate: the string is not Unicode text")]
    LoneSurrogate,
    /// A number that is not JSON, or not in the form that ECMAScript prints.
    #[error("number is not in ECMAScript's form")]
    NumberForm,
    /// An integer that not every reader keeps, or a number beyond the range of a double.
    #[error("number out of range: integers end at ±(2^53 - 1), others at the range of a double")]
    NumberRange,
    /// A number that no double holds: printing it again would change its decimal value.
    #[error("number has more digits than a double keeps, its value would change")]
    NumberInexact,
}

impl CanonicalFault {
    /// This fault, found at `offset`.
    const fn at(self, offset: usize) -> CanonicalError {
        CanonicalError {
            offset,
            fault: self,
        }
    }
}

#[cfg(test)]
mod tests;
