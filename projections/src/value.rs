//! What a column can hold, and how the types of a row get there and back. Two kinds of column are enough for both
//! databases: text, and whole numbers of 64 bits.
//!
//! Not the records' own types: those are in `probity_schemas`. What is stored here can be deleted at any time.

use crate::error::Unappliable;
use probity_schemas::hash::Hash;
use probity_schemas::policy::SubjectKind;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{
    Effect, ExpiredPart, Mode, OutcomeStatus, Reason, RiskClass, RiskLevel, Role, Verdict,
};
use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

/// A stored value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Nothing.
    Null,
    /// Text without NUL.
    Text(String),
    /// A whole number.
    Integer(i64),
}

impl Value {
    /// A text. NUL, which PostgreSQL cannot store, becomes U+FFFD: a caller who writes it must not be able to keep a
    /// record out of a list.
    #[must_use]
    pub fn text(text: &str) -> Self {
        if text.contains('\0') {
            Self::Text(text.replace('\0', "\u{fffd}"))
        } else {
            Self::Text(text.to_owned())
        }
    }
}

/// From JSON: a text, a whole number, or null.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Stored;
        impl Visitor<'_> for Stored {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a whole number of 64 bits, or null")
            }

            fn visit_unit<E: Error>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Integer(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
                i64::try_from(number).map(Value::Integer).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Stored)
    }
}

/// The kind of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text, compared byte by byte.
    Text,
    /// A whole number of 64 bits.
    Integer,
}

/// A type that a column can hold.
pub(crate) trait Cell: Sized {
    /// The column's kind.
    const KIND: Kind;

    /// Into the column.
    ///
    /// # Errors
    /// [`Unappliable`] when it does not fit.
    fn store(self) -> Result<Value, Unappliable>;

    /// Out of the column; `None` when it holds what `store` never gives.
    fn load(value: Value) -> Option<Self>;
}

impl Cell for String {
    const KIND: Kind = Kind::Text;

    fn store(self) -> Result<Value, Unappliable> {
        Ok(if self.contains('\0') {
            Value::text(&self)
        } else {
            Value::Text(self)
        })
    }

    fn load(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<T: Cell> Cell for Option<T> {
    const KIND: Kind = T::KIND;

    fn store(self) -> Result<Value, Unappliable> {
        self.map_or(Ok(Value::Null), Cell::store)
    }

    fn load(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::load(value).map(Some),
        }
    }
}

/// Numbers, all kept in 64 bits with a sign.
macro_rules! integer_cells {
    ($($type:ty),+) => {
        $(impl Cell for $type {
            const KIND: Kind = Kind::Integer;

            fn store(self) -> Result<Value, Unappliable> {
                i64::try_from(self).map(Value::Integer).map_err(|_| Unappliable::TooLarge)
            }

            fn load(value: Value) -> Option<Self> {
                match value {
                    Value::Integer(number) => Self::try_from(number).ok(),
                    _ => None,
                }
            }
        })+
    };
}

integer_cells!(u8, u32, i32, u64, i64);

impl Cell for bool {
    const KIND: Kind = Kind::Integer;

    fn store(self) -> Result<Value, Unappliable> {
        Ok(Value::Integer(self.into()))
    }

    fn load(value: Value) -> Option<Self> {
        match value {
            Value::Integer(0) => Some(false),
            Value::Integer(1) => Some(true),
            _ => None,
        }
    }
}

impl Cell for Time {
    const KIND: Kind = Kind::Integer;

    fn store(self) -> Result<Value, Unappliable> {
        Ok(Value::Integer(self.micros()))
    }

    fn load(value: Value) -> Option<Self> {
        i64::load(value).map(Self::from_micros)
    }
}

impl Cell for Hash {
    const KIND: Kind = Kind::Text;

    fn store(self) -> Result<Value, Unappliable> {
        Ok(Value::Text(self.to_string()))
    }

    fn load(value: Value) -> Option<Self> {
        String::load(value)?.parse().ok()
    }
}

/// Words of a closed list, kept as they are written.
macro_rules! word_cells {
    ($($type:ty),+ $(,)?) => {
        $(impl $crate::value::Cell for $type {
            const KIND: $crate::value::Kind = $crate::value::Kind::Text;

            fn store(self) -> Result<$crate::value::Value, $crate::error::Unappliable> {
                Ok($crate::value::Value::text(self.as_str()))
            }

            fn load(value: $crate::value::Value) -> Option<Self> {
                match value {
                    $crate::value::Value::Text(text) => Self::parse(&text),
                    _ => None,
                }
            }
        })+
    };
}
pub(crate) use word_cells;

word_cells!(
    Effect,
    ExpiredPart,
    Mode,
    OutcomeStatus,
    Reason,
    RiskClass,
    RiskLevel,
    Role,
    Verdict
);

impl Cell for SubjectKind {
    const KIND: Kind = Kind::Text;

    fn store(self) -> Result<Value, Unappliable> {
        Ok(Value::text(match self {
            Self::Adapter => "adapter",
            Self::Tool => "tool",
            Self::Skill => "skill",
            Self::Environment => "environment",
            Self::Risk => "risk",
            Self::Cost => "cost",
            Self::Agent => "agent",
        }))
    }

    fn load(value: Value) -> Option<Self> {
        use serde::de::IntoDeserializer as _;
        use serde::de::value::{Error, StringDeserializer};
        let text: StringDeserializer<Error> = String::load(value)?.into_deserializer();
        serde::Deserialize::deserialize(text).ok()
    }
}

/// A part of a record kept as the JSON it was, read only by those who need it.
pub struct Json<T> {
    text: Box<RawValue>,
    kind: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Json<T> {
    /// Keeps a value.
    ///
    /// # Errors
    /// [`Unappliable::NotJson`] when it does not become JSON.
    pub fn of(value: &T) -> Result<Self, Unappliable> {
        let text =
            serde_json::value::to_raw_value(value).map_err(|error| Unappliable::NotJson {
                reason: error.to_string(),
            })?;
        Ok(Self {
            text,
            kind: PhantomData,
        })
    }

    /// Reads the value.
    ///
    /// # Errors
    /// What the decoder says, for a row that this program did not write.
    pub fn get(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.text.get())
    }
}

impl<T> Json<T> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.get()
    }
}

impl<T> Cell for Json<T> {
    const KIND: Kind = Kind::Text;

    fn store(self) -> Result<Value, Unappliable> {
        Ok(Value::Text(Box::<str>::from(self.text).into()))
    }

    fn load(value: Value) -> Option<Self> {
        let text = RawValue::from_string(String::load(value)?).ok()?;
        Some(Self {
            text,
            kind: PhantomData,
        })
    }
}

impl<T> Clone for Json<T> {
    fn clone(&self) -> Self {
        Self {
            text: self.text.clone(),
            kind: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<T> PartialEq for Json<T> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<T> Eq for Json<T> {}

impl<T> Serialize for Json<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}
