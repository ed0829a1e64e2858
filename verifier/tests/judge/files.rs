//! The files of a bundle in memory, to be changed at will and judged as a tar or as a directory.

use probity_schemas::bundle::Member;
use probity_schemas::vkey::VerifierKey;
use probity_verifier::{Authorities, Bundle, Options, Report, Witnesses, judge_path};
use std::io::Cursor;

/// Paths and contents, in the order in which they go into a tar.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files(pub(crate) Vec<(String, Vec<u8>)>);

impl Files {
    /// Puts a file in its place in the order, or replaces it.
    pub(crate) fn put(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.remove(path);
        self.0.push((path.to_owned(), content.into()));
        self.0.sort_by_key(|(path, _)| Member::parse(path).ok());
    }

    pub(crate) fn put_lines(&mut self, lines: &[Vec<u8>]) {
        let content: Vec<u8> = lines
            .iter()
            .flat_map(|line| [line.as_slice(), b"\n"].concat())
            .collect();
        self.put("records.jsonl", content);
    }

    pub(crate) fn remove(&mut self, path: &str) {
        self.0.retain(|(name, _)| name != path);
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.iter().any(|(name, _)| name == path)
    }

    pub(crate) fn get(&self, path: &str) -> &[u8] {
        let found = self.0.iter().find(|(name, _)| name == path);
        &found.unwrap().1
    }

    /// A tar archive, as an independent writer makes it.
    pub(crate) fn tar(&self) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in &self.0 {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder
                .append_data(&mut header, path, content.as_slice())
                .unwrap();
        }
        builder.into_inner().unwrap()
    }

    /// The verdict on the tar; that on the directory must be the same.
    pub(crate) fn judge(&self, options: &Options) -> Report {
        let report = judge_tar(self.tar(), options);
        let directory = tempfile::tempdir().unwrap();
        for (path, content) in &self.0 {
            let place = directory.path().join(path);
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, content).unwrap();
        }
        let other = judge_path(directory.path(), options, &());
        assert_eq!(report.to_json().unwrap(), other.to_json().unwrap());
        report
    }
}

pub(crate) fn judge_tar(archive: Vec<u8>, options: &Options) -> Report {
    probity_verifier::judge(Bundle::from_tar(Cursor::new(archive)), options, &())
}

/// Everything is asked for, with this key.
pub(crate) fn with_key(key: VerifierKey) -> Options {
    Options {
        actor_keys: Vec::new(),
        compromised: Vec::new(),
        keys: vec![key],
        since: None,
        witnesses: Witnesses::default(),
        adjudicate: true,
        authorities: Authorities::default(),
        partial: false,
        chronicle: false,
    }
}

/// The verdict under the right key.
pub(crate) fn judge(files: &Files) -> Report {
    files.judge(&with_key(crate::story::signer().vkey()))
}

/// The rule, and the record it was broken at.
pub(crate) fn broken(report: &Report) -> (&str, Option<u64>) {
    let broken = report.broken.as_ref();
    broken.map_or(("", None), |broken| (broken.rule.as_str(), broken.sequence))
}
