//! Verifier keys: written, read back, refused.

use probity_schemas::vkey::{KeyType, VerifierKey, VerifierKeyError};

use crate::signer::{ORIGIN, Signer};

#[test]
fn keys_are_read_back_as_written() {
    let ours = Signer::new(ORIGIN, 1).vkey;
    assert_eq!(ours.to_string().parse(), Ok(ours.clone()));
    assert_eq!(ours.key_type(), KeyType::Ed25519);
    assert!(ours.public().is_some());
    let witness = VerifierKey::cosigner("witness.example", ours.public().unwrap()).unwrap();
    assert_eq!(witness.to_string().parse(), Ok(witness.clone()));
    assert_eq!(witness.key_type(), KeyType::Cosignature);
    assert_ne!(witness.id(), ours.id());
    for (kind, byte, length) in [
        (KeyType::TreeHead, 5, 91),
        (KeyType::MlDsa44, 6, 1312),
        (KeyType::Extended, 255, 40),
        (KeyType::Ecdsa, 2, 91),
    ] {
        let text = vkey_text("witness.example", byte, &vec![7; length]);
        let key: VerifierKey = text.parse().unwrap();
        assert_eq!(
            (key.key_type(), key.public(), key.to_string()),
            (kind, None, text)
        );
        assert_eq!(key.verify(b"text", &[0; 64]), None);
    }
}

/// A vkey made by hand, with the key id that belongs to it.
pub(crate) fn vkey_text(name: &str, kind: u8, key: &[u8]) -> String {
    use base64::Engine as _;
    let digest = match kind {
        2 => probity_schemas::hash::sha256(&[key]),
        _ => probity_schemas::hash::sha256(&[name.as_bytes(), b"\n", &[kind], key]),
    };
    let encoded = base64::engine::general_purpose::STANDARD.encode([&[kind], key].concat());
    format!("{name}+{}+{encoded}", &digest.to_hex()[..8])
}

#[test]
fn keys_that_are_refused() {
    let good = Signer::new(ORIGIN, 1).vkey.to_string();
    let (_, key) = good.rsplit_once('+').unwrap();
    // y = p, which is y = 0 written the long way; and the identity point.
    let mut not_canonical = [0xff; 32];
    (not_canonical[0], not_canonical[31]) = (0xed, 0x7f);
    let mut small_order = [0; 32];
    small_order[0] = 1;
    let mut off_the_curve = [0; 32];
    off_the_curve[0] = 2;
    #[rustfmt::skip]
    let table = [
        ("nothing", String::new(), VerifierKeyError::Shape),
        ("no key id", format!("{ORIGIN}+{key}"), VerifierKeyError::Shape),
        ("key id in capitals", good.to_uppercase(), VerifierKeyError::Shape),
        ("short key id", format!("{ORIGIN}+1234567+{key}"), VerifierKeyError::Shape),
        ("key id with a sign", format!("{ORIGIN}++1234567+{key}"), VerifierKeyError::Shape),
        ("empty name", vkey_text("", 1, &[1; 32]), VerifierKeyError::Name),
        ("space in the name", vkey_text("a b", 1, &[1; 32]), VerifierKeyError::Name),
        ("no-break space in the name", vkey_text("a\u{a0}b", 1, &[1; 32]), VerifierKeyError::Name),
        ("overlong name", vkey_text(&"a".repeat(256), 1, &[1; 32]), VerifierKeyError::Name),
        ("another name", good.replace("acme", "evil"), VerifierKeyError::KeyId),
        ("not base64", format!("{good}!"), VerifierKeyError::Base64),
        ("no padding", vkey_text(ORIGIN, 4, &[7; 31]).trim_end_matches('=').to_owned(), VerifierKeyError::Base64),
        ("unknown type", vkey_text(ORIGIN, 9, &[7; 32]), VerifierKeyError::UnknownType { found: 9 }),
        ("31 bytes", vkey_text(ORIGIN, 1, &[7; 31]), VerifierKeyError::Length),
        ("a witness's of 33 bytes", vkey_text(ORIGIN, 4, &[7; 33]), VerifierKeyError::Length),
        ("a witness's of small order", vkey_text(ORIGIN, 4, &small_order), VerifierKeyError::UnsafeKey),
        ("no bytes", format!("{ORIGIN}+12345678+"), VerifierKeyError::Length),
        ("not canonical", vkey_text(ORIGIN, 1, &not_canonical), VerifierKeyError::UnsafeKey),
        ("small order", vkey_text(ORIGIN, 1, &small_order), VerifierKeyError::UnsafeKey),
        ("off the curve", vkey_text(ORIGIN, 1, &off_the_curve), VerifierKeyError::UnsafeKey),
    ];
    for (story, text, error) in table {
        assert_eq!(text.parse::<VerifierKey>(), Err(error), "{story}: {text}");
    }
}
