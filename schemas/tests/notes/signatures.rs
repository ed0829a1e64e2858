//! Signed notes: their form, and whose signatures count.

use probity_schemas::hash::leaf_hash;
use probity_schemas::note::{Note, NoteError, signature_line};
use probity_schemas::vkey::VerifierKey;

use crate::keys::vkey_text;
use crate::signer::{ORIGIN, Signer, checkpoint};

#[test]
fn a_published_note_and_its_key_are_read_and_hold() {
    // The example of golang.org/x/mod/sumdb/note.
    let vkey: VerifierKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        .parse()
        .unwrap();
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let line = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let note = Note::parse(&format!("{text}\n{line}")).unwrap();
    assert_eq!(note.verify(std::slice::from_ref(&vkey)), Ok(vec![&vkey]));
    assert_eq!(note.text(), text);
    assert_eq!(note.to_string(), format!("{text}\n{line}"));
}

#[test]
fn another_implementation_reads_our_keys_and_notes() {
    let signer = Signer::new(ORIGIN, 1);
    let text = checkpoint(&[leaf_hash(b"one")]).text();
    let note = Note::build(&text, &[signer.line(&text)]).unwrap();
    let theirs = signed_note::StandardVerifier::new(&signer.vkey.to_string()).unwrap();
    let known = signed_note::VerifierList::new(vec![Box::new(theirs)]);
    let read = signed_note::Note::from_bytes(note.to_string().as_bytes()).unwrap();
    let (verified, unverified) = read.verify(&known).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 0));
}

#[test]
fn notes_that_are_malformed() {
    let signer = Signer::new(ORIGIN, 1);
    let text = "first\nsecond\n";
    let line = signer.line(text);
    #[rustfmt::skip]
    let table = [
        ("nothing", String::new(), NoteError::NoSignatures),
        ("no empty line", format!("{text}{line}"), NoteError::NoSignatures),
        ("no signatures", format!("{text}\n"), NoteError::NoSignatures),
        ("no final line feed", format!("{text}\n{}", line.trim_end()), NoteError::NoSignatures),
        ("carriage returns", format!("{text}\n{line}").replace('\n', "\r\n"), NoteError::ControlCharacter),
        ("a tab", format!("a\tb\n\n{line}"), NoteError::ControlCharacter),
        ("a hyphen instead of the dash", format!("{text}\n- {}", &line[4..]), NoteError::BadSignatureLine { line: 1 }),
        ("a second line that is none", format!("{text}\n{line}x\n"), NoteError::BadSignatureLine { line: 2 }),
        ("two spaces", format!("{text}\n{}", line.replace("acme ", "acme  ")), NoteError::BadSignatureLine { line: 1 }),
        ("a plus sign in a name", format!("{text}\n{}", line.replace("acme", "ac+me")), NoteError::BadSignatureLine { line: 1 }),
        ("a key id without signature", format!("{text}\n\u{2014} a AAAAAA==\n"), NoteError::BadSignatureLine { line: 1 }),
        ("base64 without padding", format!("{text}\n\u{2014} a AAAAAAA\n"), NoteError::BadSignatureLine { line: 1 }),
        ("65 signatures", format!("{text}\n{}", line.repeat(65)), NoteError::TooManySignatures),
        ("a very long text", format!("{}\n\n{line}", "a".repeat(1_000_000)), NoteError::TooLong),
    ];
    for (story, note, error) in table {
        assert_eq!(Note::parse(&note), Err(error), "{story}");
    }
    assert_eq!(
        Note::build("no line feed", &[line]),
        Err(NoteError::NoSignatures)
    );
    assert_eq!(
        Note::build::<String>(text, &[]),
        Err(NoteError::NoSignatures)
    );
}

#[test]
fn a_text_may_hold_empty_lines_and_even_signature_lines() {
    let signer = Signer::new(ORIGIN, 1);
    let inner = format!("text\n\n{}", signer.line("text\n"));
    let note = Note::build(&inner, &[signer.line(&inner)]).unwrap();
    assert_eq!((note.text(), note.signatures().len()), (inner.as_str(), 1));
    assert!(note.verify(&[signer.vkey]).is_ok());
}

#[test]
fn what_is_trusted_under_a_note() {
    let (log, witness, stranger) = (
        Signer::new(ORIGIN, 1),
        Signer::new("witness.example", 2),
        Signer::new("stranger.example", 3),
    );
    let text = "text\n";
    let other = log.line("other\n");
    let keys = [log.vkey.clone(), witness.vkey.clone()];
    let verify = |lines: &[String]| {
        let note = Note::build(text, lines).unwrap();
        note.verify(&keys).map(|verified| {
            verified
                .iter()
                .map(|key| key.name().to_owned())
                .collect::<Vec<_>>()
        })
    };
    let bad = NoteError::BadSignature {
        name: ORIGIN.to_owned(),
        key_id: log.vkey.id(),
    };
    assert_eq!(verify(&[log.line(text)]), Ok(vec![ORIGIN.to_owned()]));
    assert_eq!(
        verify(&[witness.line(text), stranger.line(text), log.line(text)])
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        verify(&[log.line(text), log.line(text)]).unwrap().len(),
        1,
        "twice the same key is one key"
    );
    assert_eq!(verify(&[stranger.line(text)]), Err(NoteError::NoTrustedKey));
    assert_eq!(
        verify(&[stranger.line("forged\n"), log.line(text)])
            .unwrap()
            .len(),
        1,
        "a stranger's signature says nothing"
    );
    assert_eq!(verify(std::slice::from_ref(&other)), Err(bad.clone()));
    assert_eq!(
        verify(&[witness.line(text), other.clone()]),
        Err(bad.clone()),
        "a trusted key that fails spoils the note"
    );
    assert_eq!(verify(&[log.line(text), other]), Err(bad.clone()));
    assert_eq!(
        verify(&[signature_line(ORIGIN, log.vkey.id(), &[0; 63])]),
        Err(bad)
    );
    let many: Vec<String> = (10..73)
        .map(|seed| Signer::new("s.example", seed).line(text))
        .chain([log.line(text)])
        .collect();
    assert_eq!(verify(&many).unwrap().len(), 1, "64 signatures are read");
}

#[test]
fn keys_of_other_types_are_passed_over() {
    let log = Signer::new(ORIGIN, 1);
    let other: VerifierKey = vkey_text("witness.example", 5, &[7; 91]).parse().unwrap();
    let line = signature_line("witness.example", other.id(), &[0; 72]);
    let text = "text\n";
    let note = Note::build(text, &[line, log.line(text)]).unwrap();
    assert_eq!(
        note.verify(&[other.clone(), log.vkey.clone()]),
        Ok(vec![&log.vkey])
    );
    assert_eq!(note.verify(&[other]), Err(NoteError::NoTrustedKey));
}
