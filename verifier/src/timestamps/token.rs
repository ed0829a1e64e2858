//! Whether a time-stamp is signed by an authority that the auditor trusts: CMS (RFC 5652 §5.4) under a certificate for time-stamping
//! alone (RFC 3161 §2.3), which the token names (RFC 5816) and which leads to one of the auditor's own.
//!
//! Certificates are valid as of the stamped time; whether one was revoked is not known offline and not asked.

use cms::cert::CertificateChoices;
use cms::cert::x509::Certificate;
use cms::cert::x509::attr::Attribute;
use cms::cert::x509::ext::pkix::{ExtendedKeyUsage, SubjectKeyIdentifier};
use cms::signed_data::{SignerIdentifier, SignerInfo};
use der::asn1::{Any, ObjectIdentifier, OctetString, SetOfVec};
use der::{Decode, Encode, Sequence};
use probity_schemas::timestamp::{ID_TST_INFO, Timestamp};
use rustls_pki_types::{
    CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime, alg_id,
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::time::Duration;
use webpki::{EndEntityCert, KeyUsage, ring};

const ID_CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const ID_MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const ID_SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const ID_EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const ID_TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
/// The value of that identifier in DER.
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];

/// Signatures under certificates.
const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P256_SHA384,
    ring::ECDSA_P384_SHA256,
    ring::ECDSA_P384_SHA384,
    ring::ED25519,
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA512,
    ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
];

/// Why a token is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// The token holds no certificate of its signer.
    #[error("the certificate of its signer is not in it")]
    NoCertificate,
    /// None of the auditor's certificates is at the end of the signer's chain.
    #[error("its authority is none that you brought: {0}")]
    Unknown(String),
    /// The certificate is not one for time-stamping, and for nothing else.
    #[error("its certificate is not for time-stamping alone")]
    Usage,
    /// What is signed does not speak of this content, or not of this certificate.
    #[error("its signed attributes do not fit: {0}")]
    Attributes(&'static str),
    /// The signature does not hold.
    #[error("its signature does not hold")]
    Signature,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Shape(String),
}

impl TokenError {
    /// Whether it is only that nobody vouches for the authority.
    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

impl From<der::Error> for TokenError {
    fn from(error: der::Error) -> Self {
        Self::Shape(error.to_string())
    }
}

/// `SigningCertificateV2` of RFC 5035: which certificate signed. Policies are not asked for.
#[derive(Clone, Debug, Eq, PartialEq, Sequence)]
struct SigningCertificateV2 {
    certs: Vec<EssCertIdV2>,
    #[asn1(optional = "true")]
    policies: Option<Any>,
}

#[derive(Clone, Debug, Eq, PartialEq, Sequence)]
struct EssCertIdV2 {
    #[asn1(optional = "true")]
    hash_algorithm: Option<cms::cert::x509::spki::AlgorithmIdentifier<Any>>,
    cert_hash: OctetString,
    #[asn1(optional = "true")]
    issuer_serial: Option<Any>,
}

/// The name of the authority that signed, if it is one of those.
pub(crate) fn authority(
    stamp: &Timestamp,
    anchors: &[TrustAnchor<'_>],
) -> Result<String, TokenError> {
    let signers = stamp.signed.signer_infos.0.as_slice();
    let [signer] = signers else {
        return Err(TokenError::Shape(format!(
            "it has {} signers",
            signers.len()
        )));
    };
    let certificates = certificates(stamp);
    let own = certificates.iter().find(|one| is_by(signer, one));
    let own = own.ok_or(TokenError::NoCertificate)?;
    let encoded: Vec<CertificateDer<'_>> = certificates
        .iter()
        .map(|one| Ok(CertificateDer::from(one.to_der()?)))
        .collect::<Result<_, der::Error>>()?;
    let leaf = CertificateDer::from(own.to_der()?);
    let holder = EndEntityCert::try_from(&leaf);
    let holder = holder.map_err(|error| TokenError::Shape(error.to_string()))?;
    let seconds = u64::try_from(stamp.time.micros() / 1_000_000).unwrap_or(0);
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let usage = KeyUsage::required(TIME_STAMPING);
    holder
        .verify_for_usage(ALGORITHMS, anchors, &encoded, time, usage, None, None)
        .map_err(|error| TokenError::Unknown(error.to_string()))?;
    only_stamps(own)?;
    let attributes = attributes(stamp, signer, &leaf)?;
    let signature = signer.signature.as_bytes();
    let holds =
        candidates(signer)?.any(|one| holder.verify_signature(one, &attributes, signature).is_ok());
    if holds {
        Ok(own.tbs_certificate.subject.to_string())
    } else {
        Err(TokenError::Signature)
    }
}

fn certificates(stamp: &Timestamp) -> Vec<&Certificate> {
    let all = stamp.signed.certificates.iter();
    all.flat_map(|set| set.0.iter())
        .filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate),
            CertificateChoices::Other(_) => None,
        })
        .collect()
}

fn is_by(signer: &SignerInfo, certificate: &Certificate) -> bool {
    let tbs = &certificate.tbs_certificate;
    match &signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => {
            id.issuer == tbs.issuer && id.serial_number == tbs.serial_number
        }
        SignerIdentifier::SubjectKeyIdentifier(id) => {
            matches!(tbs.get::<SubjectKeyIdentifier>(), Ok(Some((_, found))) if found == *id)
        }
    }
}

/// RFC 3161 §2.3: the extended key usage is critical, and time-stamping is all of it.
fn only_stamps(certificate: &Certificate) -> Result<(), TokenError> {
    let extensions = certificate.tbs_certificate.extensions.iter().flatten();
    let mut usages = extensions.filter(|one| one.extn_id == ID_EXTENDED_KEY_USAGE);
    let usage = usages.next().filter(|one| one.critical);
    let usage = usage.ok_or(TokenError::Usage)?;
    let usage = ExtendedKeyUsage::from_der(usage.extn_value.as_bytes())?;
    if usage.0 == [ID_TIME_STAMPING] {
        Ok(())
    } else {
        Err(TokenError::Usage)
    }
}

/// The signed attributes as they are signed, once they are known to speak of the content and of the certificate.
fn attributes(
    stamp: &Timestamp,
    signer: &SignerInfo,
    certificate: &[u8],
) -> Result<Vec<u8>, TokenError> {
    let missing = TokenError::Attributes("there are none");
    let attributes = signer.signed_attrs.as_ref().ok_or(missing)?;
    let kind: ObjectIdentifier = value(attributes, ID_CONTENT_TYPE)?.decode_as()?;
    if kind != ID_TST_INFO {
        return Err(TokenError::Attributes("another type of content"));
    }
    let digest: OctetString = value(attributes, ID_MESSAGE_DIGEST)?.decode_as()?;
    if digest.as_bytes() != hash(&signer.digest_alg.oid, &stamp.content)? {
        return Err(TokenError::Attributes("another content"));
    }
    let named: SigningCertificateV2 = value(attributes, ID_SIGNING_CERTIFICATE_V2)?.decode_as()?;
    let first = named.certs.first();
    let first = first.ok_or(TokenError::Attributes("no certificate is named"))?;
    let algorithm = first.hash_algorithm.as_ref().map_or(SHA_256, |one| one.oid);
    if first.cert_hash.as_bytes() != hash(&algorithm, certificate)? {
        return Err(TokenError::Attributes("another certificate is named"));
    }
    Ok(attributes.to_der()?)
}

/// The one value of an attribute that is there once.
fn value(attributes: &SetOfVec<Attribute>, id: ObjectIdentifier) -> Result<&Any, TokenError> {
    let mut found = attributes.iter().filter(|one| one.oid == id);
    let wrong = TokenError::Attributes("content type, digest or certificate is missing, or twice");
    match (found.next(), found.next()) {
        (Some(one), None) if one.values.len() == 1 => one.values.get(0).ok_or(wrong),
        _ => Err(wrong),
    }
}

const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

fn hash(algorithm: &ObjectIdentifier, bytes: &[u8]) -> Result<Vec<u8>, TokenError> {
    match *algorithm {
        SHA_256 => Ok(Sha256::digest(bytes).to_vec()),
        SHA_384 => Ok(Sha384::digest(bytes).to_vec()),
        SHA_512 => Ok(Sha512::digest(bytes).to_vec()),
        other => Err(TokenError::Shape(format!("its digest is {other}"))),
    }
}

/// The algorithms that the signer's own identifier can mean: CMS names the key's algorithm, or the signature's.
fn candidates(
    signer: &SignerInfo,
) -> Result<impl Iterator<Item = &'static dyn SignatureVerificationAlgorithm>, TokenError> {
    let named = signer.signature_algorithm.to_der()?;
    // The content of the SEQUENCE, behind its tag and its length of one byte.
    let named = named.get(2..).unwrap_or_default().to_vec();
    let rsa = alg_id::RSA_ENCRYPTION.as_ref() == named;
    let digest = signer.digest_alg.oid;
    let by_key = match digest {
        SHA_256 => ring::RSA_PKCS1_2048_8192_SHA256,
        SHA_384 => ring::RSA_PKCS1_2048_8192_SHA384,
        _ => ring::RSA_PKCS1_2048_8192_SHA512,
    };
    let of_name = move |one: &&&'static dyn SignatureVerificationAlgorithm| {
        one.signature_alg_id().as_ref() == named
    };
    Ok(ALGORITHMS
        .iter()
        .filter(of_name)
        .copied()
        .chain(rsa.then_some(by_key)))
}
