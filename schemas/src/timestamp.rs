//! Time-stamps of RFC 3161: the request that has a checkpoint stamped, and what a reply says.
//!
//! What is read here is not yet believed: that a reply is signed by an authority somebody trusts is the judge's to find out.
//! `TSTInfo` is declared here because the one of `x509-tsp` refuses times with a fraction of a second, which RFC 3161 §2.4.2 allows.

use crate::hash::{Hash, sha256};
use crate::limits::TIMESTAMP_BYTES_MAX;
use crate::time::Time;
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::asn1::{Any, Int, ObjectIdentifier, OctetString};
use der::{Decode, Encode, Sequence, Tag, Tagged};
use x509_tsp::{Accuracy, MessageImprint, TimeStampReq, TimeStampResp, TspVersion};

/// SHA-256.
const ID_SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
/// A CMS message that is signed.
const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// The content of a time-stamp.
pub const ID_TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// Statuses of a reply that carries a token: granted, and granted with changes.
const GRANTED: [u8; 2] = [0, 1];

/// Why a reply is no time-stamp, or none of this request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Longer than such a reply is.
    #[error("a time-stamp of more than {TIMESTAMP_BYTES_MAX} bytes")]
    TooLong,
    /// It is not DER, or not this shape.
    #[error("not a reply of RFC 3161: {reason}")]
    Shape {
        /// What the decoder says.
        reason: String,
    },
    /// The authority says no.
    #[error("the authority did not grant it: status {status}")]
    NotGranted {
        /// The status of the reply.
        status: u8,
    },
    /// Over another digest than SHA-256, or of another length.
    #[error("not over a SHA-256")]
    Digest,
    /// The time cannot be read.
    #[error("its time is not YYYYMMDDhhmmss[.f]Z")]
    Time,
    /// It is over another message.
    #[error("it is over another message")]
    OtherMessage,
    /// It answers another request.
    #[error("it answers another request")]
    OtherNonce,
}

impl From<der::Error> for TimestampError {
    fn from(error: der::Error) -> Self {
        Self::Shape {
            reason: error.to_string(),
        }
    }
}

/// `TSTInfo` of RFC 3161 §2.4.2.
#[derive(Clone, Debug, Eq, PartialEq, Sequence)]
struct TstInfo {
    version: TspVersion,
    policy: ObjectIdentifier,
    message_imprint: MessageImprint,
    serial_number: Int,
    gen_time: Any,
    #[asn1(optional = "true")]
    accuracy: Option<Accuracy>,
    #[asn1(default = "Default::default")]
    ordering: bool,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    tsa: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    extensions: Option<cms::cert::x509::ext::Extensions>,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// The SHA-256 of what was stamped.
    pub imprint: Hash,
    /// When, by the authority's clock.
    pub time: Time,
    /// How far that clock may be off, in microseconds; 0 where it does not say.
    pub accuracy: i64,
    /// The bytes that are signed for, `TSTInfo`.
    pub content: Vec<u8>,
    /// The signature over them.
    pub signed: SignedData,
    nonce: Option<Int>,
}

/// A request to have a message stamped: SHA-256, with the authority's certificate in the reply. The nonce is 16 random bytes.
///
/// # Errors
/// [`TimestampError::Shape`], for what cannot be encoded; no request is.
pub fn request(message: &[u8], nonce: [u8; 16]) -> Result<Vec<u8>, TimestampError> {
    let request = TimeStampReq {
        version: TspVersion::V1,
        message_imprint: MessageImprint {
            hash_algorithm: cms::cert::x509::spki::AlgorithmIdentifier {
                oid: ID_SHA_256,
                parameters: Some(Any::null()),
            },
            hashed_message: OctetString::new(sha256(&[message]).0)?,
        },
        req_policy: None,
        nonce: Some(positive(nonce)?),
        cert_req: true,
        extensions: None,
    };
    Ok(request.to_der()?)
}

/// An integer without a sign: leading bits are cleared, so that it is positive and as short as DER wants it.
fn positive(mut nonce: [u8; 16]) -> Result<Int, der::Error> {
    nonce[0] = nonce[0] & 0x3f | 0x40;
    Int::new(&nonce)
}

impl Timestamp {
    /// Reads a reply (`TimeStampResp`), as authorities send it and `openssl ts` writes it.
    ///
    /// # Errors
    /// [`TimestampError`].
    pub fn parse(reply: &[u8]) -> Result<Self, TimestampError> {
        if reply.len() > TIMESTAMP_BYTES_MAX {
            return Err(TimestampError::TooLong);
        }
        let reply = TimeStampResp::from_der(reply)?;
        let status = reply.status.status as u8;
        let token = match reply.time_stamp_token {
            Some(token) if GRANTED.contains(&status) => token,
            _ => return Err(TimestampError::NotGranted { status }),
        };
        Self::of(&token)
    }

    fn of(token: &ContentInfo) -> Result<Self, TimestampError> {
        let shape = |reason: &str| TimestampError::Shape {
            reason: reason.to_owned(),
        };
        if token.content_type != ID_SIGNED_DATA {
            return Err(shape("its content is not signed data"));
        }
        let signed: SignedData = token.content.decode_as()?;
        if signed.encap_content_info.econtent_type != ID_TST_INFO {
            return Err(shape("what is signed is not a time-stamp"));
        }
        let content = signed.encap_content_info.econtent.as_ref();
        let content = content.ok_or_else(|| shape("what is signed is missing"))?;
        let content = content.decode_as::<OctetString>()?.into_bytes();
        let info = TstInfo::from_der(&content)?;
        let imprint = info.message_imprint;
        let hash = <[u8; 32]>::try_from(imprint.hashed_message.as_bytes());
        let (Ok(hash), ID_SHA_256) = (hash, imprint.hash_algorithm.oid) else {
            return Err(TimestampError::Digest);
        };
        Ok(Self {
            imprint: Hash(hash),
            time: time(&info.gen_time)?,
            accuracy: info.accuracy.as_ref().map_or(0, micros),
            content,
            signed,
            nonce: info.nonce,
        })
    }

    /// Whether this stamps the message.
    ///
    /// # Errors
    /// [`TimestampError::OtherMessage`].
    pub fn is_of(&self, message: &[u8]) -> Result<(), TimestampError> {
        if self.imprint == sha256(&[message]) {
            Ok(())
        } else {
            Err(TimestampError::OtherMessage)
        }
    }

    /// Whether this answers the request for the message with the nonce.
    ///
    /// # Errors
    /// [`TimestampError::OtherMessage`], [`TimestampError::OtherNonce`].
    pub fn answers(&self, message: &[u8], nonce: [u8; 16]) -> Result<(), TimestampError> {
        self.is_of(message)?;
        if self.nonce == Some(positive(nonce)?) {
            Ok(())
        } else {
            Err(TimestampError::OtherNonce)
        }
    }
}

/// A `GeneralizedTime` in UTC, with or without a fraction.
fn time(field: &Any) -> Result<Time, TimestampError> {
    let text = std::str::from_utf8(field.value()).map_err(|_| TimestampError::Time)?;
    if field.tag() != Tag::GeneralizedTime {
        return Err(TimestampError::Time);
    }
    let read = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S%.fZ", text)
        .and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC));
    let read = read.map_err(|_| TimestampError::Time)?;
    Ok(Time::from_micros(read.timestamp().as_microsecond()))
}

fn micros(accuracy: &Accuracy) -> i64 {
    let seconds = accuracy.seconds.unwrap_or(0).min(u64::from(u32::MAX));
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let millis = i64::from(accuracy.millis.unwrap_or(0));
    seconds * 1_000_000 + millis * 1_000 + i64::from(accuracy.micros.unwrap_or(0))
}
