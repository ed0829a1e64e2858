//! A secret key in a file: one line in the encoding that Go's `sumdb/note` calls a signer key,
//! `PRIVATE+KEY+<name>+<key id>+<base64(type ‖ seed)>`, mode 0600. Whose key it is, and what it signs, is not here.

use crate::signer::KeyError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use probity_schemas::vkey::VerifierKey;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// A key as a file holds it.
pub(crate) struct KeptKey {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) seed: Zeroizing<[u8; 32]>,
}

/// Reads a key of this type; `None` when there is no file. That the id belongs to the key is left to check.
pub(crate) fn read(path: &Path, kind: u8) -> Result<Option<KeptKey>, KeyError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(KeyError::File {
                path: path.to_owned(),
                source,
            });
        }
    };
    parse(&text, kind)
        .map(Some)
        .ok_or_else(|| KeyError::Malformed {
            path: path.to_owned(),
        })
}

fn parse(text: &str, kind: u8) -> Option<KeptKey> {
    let rest = text.trim_end().strip_prefix("PRIVATE+KEY+")?;
    let mut parts = rest.splitn(3, '+');
    let (name, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = Zeroizing::new(STANDARD.decode(secret).ok()?);
    let (found, seed) = bytes.split_first()?;
    (*found == kind).then_some(())?;
    Some(KeptKey {
        name: name.to_owned(),
        id: id.to_owned(),
        seed: Zeroizing::new(seed.try_into().ok()?),
    })
}

/// Writes a key, durably, for its owner alone; an existing file is never overwritten.
pub(crate) fn create(
    path: &Path,
    kind: u8,
    verifier: &VerifierKey,
    seed: &[u8; 32],
) -> Result<(), KeyError> {
    let secret = Zeroizing::new([&[kind][..], seed].concat());
    let encoded = Zeroizing::new(STANDARD.encode(&*secret));
    let text = Zeroizing::new(format!(
        "PRIVATE+KEY+{}+{}+{}\n",
        verifier.name(),
        verifier.id(),
        &*encoded
    ));
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    let written = fs::create_dir_all(directory).and_then(|()| {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::File::open(directory)?.sync_all()
    });
    written.map_err(|source| KeyError::File {
        path: path.to_owned(),
        source,
    })
}
