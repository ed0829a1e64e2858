//! Style as a test: what the compiler and clippy cannot hold, held here (DESIGN section 2, STYLE rule 15).
//!
//! A finding names file, line and what to do instead. Rules that clippy knows (`unwrap_used`, `print_stdout` and
//! their like) stay with clippy, which sees types; this file holds that they are switched on and where they may be
//! lifted. Each rule is also run on a snippet that breaks it (the modules `broken`), so that none can pass by being blind.
#![expect(
    clippy::expect_used,
    reason = "a check that cannot read the tree has failed"
)]

use std::{collections::BTreeSet, fmt, fs, path::Path};

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/crates.rs"]
mod crates;

use code::{check_code, is_test_code, test_modules};
use crates::{CRATES, check_edges, check_lints, check_manifest, normal_dependencies};

const FILE_LINES_MAX: usize = 400;

const FOREIGN_NAMES: [&str; 3] = ["clasper", "dashclaw", "opencrane"];
const FOREIGN_NAMES_AT: [&str; 6] = [
    "api/src/dialects",
    "docs/",
    "tests/",
    "schemas/openapi/",
    "README.md",
    "CHANGELOG.md",
];
const MARKS: [&str; 3] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
];
const MACHINE_PATHS: [&str; 6] = [
    concat!("/wo", "rk/main"),
    concat!("/wo", "rk/wt"),
    concat!("/wo", "rk/shared"),
    concat!("/wo", "rk/."),
    concat!("/ro", "ot/."),
    concat!("/fa", "rm/"),
];

/// What is wrong, where, and what to do.
#[derive(Debug, PartialEq)]
struct Finding {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

#[test]
fn every_source_file_is_tidy() {
    let files = tracked_files();
    let test_modules: BTreeSet<String> = files
        .iter()
        .flat_map(|(path, text)| test_modules(path, text))
        .collect();
    let mut findings = Vec::new();
    for (path, text) in &files {
        findings.extend(check_text(path, text));
        if path.ends_with(".rs") {
            findings.extend(check_layout(path, text));
            if !is_test_code(path, &test_modules) {
                findings.extend(check_code(path, text));
            }
        }
    }
    assert!(
        files.len() > 20,
        "the walk found only {} files",
        files.len()
    );
    report(&findings);
}

#[test]
fn crates_build_on_what_the_design_says_and_bring_in_nothing_else() {
    report(&check_edges(&normal_dependencies()));
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let mut findings = Vec::new();
    for (name, ..) in CRATES {
        let path = format!("{name}/Cargo.toml");
        findings.extend(check_manifest(&path, &read(&path)));
    }
    findings.extend(check_lints(&read("Cargo.toml")));
    report(&findings);
}

#[test]
fn each_threat_names_tests_that_exist() {
    let page = "docs/THREATS.md";
    let files = tracked_files();
    let sources = files
        .iter()
        .filter(|(path, _)| path.ends_with(".rs") || path.ends_with(".go"));
    let sources: Vec<&str> = sources.map(|(_, text)| text.as_str()).collect();
    report(&check_threats(page, &read(page), &sources));
}

fn report(findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        lines.len(),
        lines.join("\n")
    );
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .expect("a file of the repository is readable")
}

/// Path from the root and text of every file that people write.
fn tracked_files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder))
            .expect("a folder of the repository is readable");
        for entry in entries {
            let entry = entry.expect("an entry of the repository is readable");
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}{name}");
            if name.starts_with('.') && name != ".ci" {
                continue;
            }
            if entry.path().is_dir() {
                let generated = ["target", "probity-data", "__pycache__"].contains(&name.as_str());
                if !generated {
                    folders.push(path + "/");
                }
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

/// Rules that hold for any text: names, marks, paths.
fn check_text(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let names_allowed = FOREIGN_NAMES_AT.iter().any(|place| file.starts_with(place));
    for (index, line) in text.lines().enumerate() {
        let mut find = |what: String| {
            findings.push(Finding {
                file: file.into(),
                line: index + 1,
                what,
            })
        };
        let lower = line.to_lowercase();
        for name in FOREIGN_NAMES
            .iter()
            .filter(|name| !names_allowed && lower.contains(*name))
        {
            find(format!(
                "`{name}` is a foreign surface's name: say it in our words, or move it under api/src/dialects"
            ));
        }
        for mark in MARKS.iter().filter(|mark| has_word(line, mark)) {
            find(format!("`{mark}`: finish it, or file an issue"));
        }
        for path in MACHINE_PATHS.iter().filter(|path| line.contains(*path)) {
            find(format!(
                "`{path}` is a path of one machine: use a relative or temporary one"
            ));
        }
    }
    findings
}

fn has_word(line: &str, word: &str) -> bool {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        !letter(line[..at].chars().next_back()) && !letter(line[at + word.len()..].chars().next())
    })
}

/// Rules about a Rust file as a whole: its name, opening and length.
fn check_layout(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |line, what: &str| {
        findings.push(Finding {
            file: file.into(),
            line,
            what: what.into(),
        })
    };
    if file.ends_with("/mod.rs") {
        find(
            1,
            "name the module by its file: `name.rs` beside the folder `name/`",
        );
    }
    if !text.starts_with("//!") {
        find(
            1,
            "open with `//!`: what the file is, what it is not, and why",
        );
    }
    let lines = text
        .lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .count();
    if lines > FILE_LINES_MAX {
        find(
            lines,
            "more than 400 lines before the tests: cut it along an idea",
        );
    }
    findings
}

/// Each row of the table of threats names, in its last column, functions that some source declares.
fn check_threats(file: &str, text: &str, sources: &[&str]) -> Vec<Finding> {
    let rows = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("| "))
        .skip(1);
    let mut findings = Vec::new();
    for (index, row) in rows {
        let cell = row
            .trim_end_matches('|')
            .rsplit('|')
            .next()
            .unwrap_or_default();
        let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        let missing = names.iter().filter(|name| {
            let declared = [format!("fn {name}("), format!("func {name}(")];
            !sources
                .iter()
                .any(|source| declared.iter().any(|one| source.contains(one)))
        });
        let mut wrong: Vec<String> = missing
            .map(|name| format!("no test is called `{name}`"))
            .collect();
        if names.is_empty() {
            wrong.push("no test performs this attack".to_owned());
        }
        findings.extend(wrong.into_iter().map(|what| Finding {
            file: file.into(),
            line: index + 1,
            what,
        }));
    }
    findings
}

#[cfg(test)]
mod broken {
    //! Each rule on a text that breaks it.
    use super::*;

    fn said(file: &str, text: &str) -> Vec<String> {
        let findings = check_text(file, text)
            .into_iter()
            .chain(check_layout(file, text));
        findings.map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn a_threat_without_a_test_is_named() {
        let page = "| attack | by |\n|---|---|\n| one | `there`, `gone` |\n| two | nothing |\n";
        let found = check_threats("page", page, &["fn there() {}"]);
        let lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [3, 4]);
    }

    #[test]
    fn a_foreign_name_is_allowed_at_the_edge_only() {
        for name in FOREIGN_NAMES {
            let text = format!("//! Header.\nfn {}_agent() {{}}\n", name.to_uppercase());
            let lines = said("ledger/src/a.rs", &text);
            assert!(
                lines[0].starts_with(&format!("ledger/src/a.rs:2: `{name}`")),
                "{lines:?}"
            );
            assert_eq!(said("api/src/dialects/a.rs", &text), [""; 0]);
        }
    }

    #[test]
    fn a_mark_is_a_word_and_is_named() {
        for mark in MARKS {
            let lines = said("api/src/a.rs", &format!("//! Header.\n// {mark}: later\n"));
            assert_eq!(
                lines,
                [format!(
                    "api/src/a.rs:2: `{mark}`: finish it, or file an issue"
                )]
            );
            assert_eq!(
                said("api/src/a.rs", &format!("//! mktemp name.{mark}{mark}")),
                [""; 0]
            );
        }
    }

    #[test]
    fn a_path_of_one_machine_is_named() {
        for path in MACHINE_PATHS {
            let lines = said("tests/run", &format!("cd {path}a"));
            assert!(lines[0].starts_with("tests/run:1: `/"), "{lines:?}");
        }
    }

    #[test]
    fn the_layout_of_a_file_is_held() {
        assert_eq!(said("api/src/a/mod.rs", "//! Header.\n").len(), 1);
        assert!(said("api/src/a.rs", "// Header.\n")[0].contains("open with `//!`"));
        let code = format!("//! Header.\n{}", "fn f() {}\n".repeat(400));
        assert!(said("api/src/a.rs", &code)[0].starts_with("api/src/a.rs:401: more than 400"));
        let tests = format!("//! Header.\n#[cfg(test)]\n{}", "fn f() {}\n".repeat(400));
        assert_eq!(said("api/src/a.rs", &tests), [""; 0]);
    }
}
