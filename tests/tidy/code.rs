//! Rules about code outside tests, read from the syntax tree: function length, banned paths, lifted lints.
//!
//! It sees names, not types, and nothing inside macro calls; what needs types is clippy's.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};

use crate::{Finding, has_word};

const FUNCTION_LINES_MAX: usize = 70;

/// Paths that code may not name: within these folders, except here, and what to write instead.
struct Ban {
    paths: &'static [&'static str],
    within: &'static [&'static str],
    except: &'static [&'static str],
    instead: &'static str,
}

const PURE: &[&str] = &["schemas/", "governance/"];
const NUMBERS: &[&str] = &["schemas/src/canonical.rs", "schemas/src/canonical/"];
const NO_FLOATS: &str = "use integers: micro-USD, microseconds, parts per million";

const BANS: [Ban; 4] = [
    Ban {
        paths: &["SystemTime::now", "Timestamp::now", "Zoned::now"],
        within: &[""],
        except: &["ledger/src/clock.rs"],
        instead: "take the time from the ledger's Clock",
    },
    Ban {
        paths: &[
            "Instant::now",
            "std::fs",
            "std::net",
            "std::env",
            "std::thread",
            "std::process",
        ],
        within: PURE,
        except: &[],
        instead: "the format and the rules know no machine: the caller hands it in",
    },
    Ban {
        paths: &["f32", "f64"],
        within: PURE,
        except: NUMBERS,
        instead: NO_FLOATS,
    },
    Ban {
        paths: &["SigningKey", "Signer"],
        within: &["projections/"],
        except: &[],
        instead: "views never sign: read records through the ledger's reader",
    },
];

/// Lints that the workspace denies, and the only places that may lift them.
pub(crate) const LINTS: [(&str, &[&str], &str); 6] = [
    ("unwrap_used", &[], "return the error"),
    ("expect_used", &[], "return the error"),
    (
        "print_stdout",
        OUTPUT,
        "print in the program's output module",
    ),
    (
        "print_stderr",
        OUTPUT,
        "print in the program's output module, or log with tracing",
    ),
    ("float_arithmetic", NUMBERS, NO_FLOATS),
    ("dbg_macro", &[], "log with tracing"),
];
const OUTPUT: &[&str] = &[
    "api/src/main.rs",
    "api/src/output.rs",
    "api/src/output/",
    "api/src/cli/",
    "verifier/src/main.rs",
    "verifier/src/output.rs",
];

/// Files that a file declares as test modules: `#[cfg(test)] mod name;` and all below it.
pub(crate) fn test_modules(file: &str, text: &str) -> Vec<String> {
    let Some(stem) = file.strip_suffix(".rs") else {
        return Vec::new();
    };
    let folder = match stem.rsplit_once('/') {
        Some((parent, "lib" | "main")) => parent,
        _ => stem,
    };
    let modules = syn::parse_file(text)
        .map(|ast| ast.items)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| match item {
            syn::Item::Mod(module) if module.content.is_none() && for_tests(&module.attrs) => {
                Some(module.ident)
            }
            _ => None,
        });
    modules.map(|name| format!("{folder}/{name}")).collect()
}

pub(crate) fn is_test_code(file: &str, test_modules: &BTreeSet<String>) -> bool {
    let in_module = |module: &String| {
        file.strip_prefix(module)
            .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    };
    let test_folder = |folder: &str| folder == "tests" || folder == "benches";
    file.split('/').any(test_folder) || test_modules.iter().any(in_module)
}

fn for_tests(attributes: &[syn::Attribute]) -> bool {
    let tests = |list: &syn::MetaList| has_word(&list.tokens.to_string(), "test");
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.meta.require_list().is_ok_and(tests)
    })
}

/// Rules about code outside tests: function length, banned paths, lifted lints.
pub(crate) fn check_code(file: &str, text: &str) -> Vec<Finding> {
    let mut reader = Reader {
        file,
        findings: Vec::new(),
    };
    match syn::parse_file(text) {
        Ok(ast) => reader.visit_file(&ast),
        Err(error) => reader.find(error.span(), format!("not Rust: {error}")),
    }
    reader.findings
}

struct Reader<'a> {
    file: &'a str,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn find(&mut self, at: proc_macro2::Span, what: String) {
        self.findings.push(Finding {
            file: self.file.into(),
            line: at.start().line,
            what,
        });
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let lines =
            block.brace_token.span.close().end().line - signature.fn_token.span.start().line + 1;
        if lines > FUNCTION_LINES_MAX {
            self.find(
                signature.ident.span(),
                format!(
                    "`{}` has {lines} lines, more than 70: name its stages",
                    signature.ident
                ),
            );
        }
    }

    fn path(&mut self, at: proc_macro2::Span, path: &str) {
        let path = format!("::{path}::");
        let starts = |places: &[&str]| places.iter().any(|place| self.file.starts_with(place));
        let here = BANS
            .iter()
            .filter(|ban| starts(ban.within) && !starts(ban.except));
        let named = here.flat_map(|ban| ban.paths.iter().map(|banned| (banned, ban.instead)));
        let broken = named.filter(|(banned, _)| path.contains(&format!("::{banned}::")));
        let findings: Vec<String> = broken
            .map(|(banned, instead)| format!("`{banned}` is banned here: {instead}"))
            .collect();
        findings.into_iter().for_each(|what| self.find(at, what));
    }

    fn imports(&mut self, parents: &str, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                self.imports(&format!("{parents}{}::", path.ident), &path.tree)
            }
            syn::UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|tree| self.imports(parents, tree)),
            syn::UseTree::Name(name) => {
                self.path(name.ident.span(), &format!("{parents}{}", name.ident))
            }
            syn::UseTree::Rename(name) => {
                self.path(name.ident.span(), &format!("{parents}{}", name.ident))
            }
            syn::UseTree::Glob(glob) => self.path(glob.star_token.spans[0], parents),
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes: &[syn::Attribute] = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => &[],
        };
        if !for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.imports("", &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        if let Some(first) = path.segments.first() {
            self.path(first.ident.span(), &segments.join("::"));
        }
        visit::visit_path(self, path);
    }

    fn visit_lit_float(&mut self, literal: &'ast syn::LitFloat) {
        self.path(literal.span(), "f64");
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let Ok(list) = attribute.meta.require_list() else {
            return;
        };
        let at = list.path.segments[0].ident.span();
        if list.path.is_ident("allow") {
            self.find(
                at,
                "`allow`: write `expect` with a reason, so that it goes when its cause goes".into(),
            );
        }
        let lifted = list.tokens.to_string();
        for (lint, places, instead) in LINTS {
            let allowed = places.iter().any(|place| self.file.starts_with(place));
            if list.path.is_ident("expect") && has_word(&lifted, lint) && !allowed {
                self.find(at, format!("`{lint}` may not be lifted here: {instead}"));
            }
        }
    }
}

#[cfg(test)]
mod broken {
    //! Each rule on code that breaks it.
    use super::*;

    /// What the rules say about `text` when it stands in `file`.
    fn said(file: &str, text: &str) -> Vec<String> {
        check_code(file, text)
            .iter()
            .map(Finding::to_string)
            .collect()
    }

    #[test]
    fn each_rule_names_the_line_that_breaks_it() {
        let long = format!("fn long() {{\n{}}}\n", "    step();\n".repeat(69));
        let table: [(&str, &str, &str); 17] = [
            (
                "ledger/src/a.rs",
                "fn f() {\n    SystemTime::now();\n}",
                "ledger/src/a.rs:2: `SystemTime::now` is banned here: take",
            ),
            (
                "api/src/a.rs",
                "fn f() { jiff::Timestamp::now(); }",
                "api/src/a.rs:1: `Timestamp::now`",
            ),
            (
                "api/src/a.rs",
                "fn f() { jiff::Zoned::now(); }",
                "api/src/a.rs:1: `Zoned::now`",
            ),
            (
                "governance/src/a.rs",
                "fn f() { Instant::now(); }",
                "`Instant::now` is banned here",
            ),
            (
                "schemas/src/a.rs",
                "use std::{\n    fmt,\n    fs::File,\n};",
                "schemas/src/a.rs:3: `std::fs`",
            ),
            (
                "schemas/src/a.rs",
                "use std::fs::*;",
                "`std::fs` is banned here",
            ),
            (
                "schemas/src/a.rs",
                "use std::env as e;",
                "`std::env` is banned here",
            ),
            (
                "governance/src/a.rs",
                "fn f() { std::thread::spawn(g); }",
                "`std::thread` is banned here",
            ),
            (
                "governance/src/a.rs",
                "struct A { b: Vec<f64> }",
                "`f64` is banned here: use integers",
            ),
            (
                "governance/src/a.rs",
                "const HALF: Part = Part(0.5);",
                "`f64` is banned here",
            ),
            (
                "schemas/src/a.rs",
                "fn f(a: u64) -> f32 { a as f32 }",
                "`f32` is banned here",
            ),
            (
                "projections/src/a.rs",
                "use ed25519_dalek::SigningKey;",
                "`SigningKey` is banned here: views never sign",
            ),
            (
                "api/src/a.rs",
                "#[allow(dead_code)]\nfn f() {}",
                "api/src/a.rs:1: `allow`: write `expect`",
            ),
            (
                "api/src/a.rs",
                "#![expect(clippy::unwrap_used, reason = \"r\")]",
                "`unwrap_used` may not be lifted here: return",
            ),
            (
                "ledger/src/a.rs",
                "#[expect(clippy::print_stdout, reason = \"r\")]\nfn f() {}",
                "`print_stdout` may not be lifted here",
            ),
            (
                "ledger/src/a.rs",
                &long,
                "ledger/src/a.rs:1: `long` has 71 lines, more than 70",
            ),
            ("ledger/src/a.rs", "fn f( {", "not Rust"),
        ];
        for (file, text, expected) in table {
            let said = said(file, text);
            assert!(
                said.iter().any(|line| line.contains(expected)),
                "{text}\nwanted: {expected}\nsaid: {said:?}"
            );
        }
    }

    #[test]
    fn a_method_counts_like_a_function() {
        let body = "    step();\n".repeat(69);
        let text = format!("impl A {{\n    fn long(&self) {{\n{body}    }}\n}}\n");
        assert_eq!(
            said("api/src/a.rs", &text),
            ["api/src/a.rs:2: `long` has 71 lines, more than 70: name its stages"]
        );
    }

    #[test]
    fn what_the_rules_allow_is_left_alone() {
        let table = [
            ("ledger/src/clock.rs", "fn f() { SystemTime::now(); }"),
            ("schemas/src/canonical/number.rs", "fn f(a: f64) {}"),
            (
                "ledger/src/a.rs",
                "use std::fs;\nfn f() { Instant::now(); }",
            ),
            (
                "verifier/src/main.rs",
                "#![expect(clippy::print_stdout, reason = \"r\")]",
            ),
            (
                "governance/src/a.rs",
                "#[cfg(test)]\nmod tests { fn f() -> f64 { SystemTime::now(); 0.5 } }",
            ),
            ("schemas/src/a.rs", "fn f64_of(std_fs: u8) {}"),
        ];
        for (file, text) in table {
            assert_eq!(said(file, text), [""; 0], "{text}");
        }
        let seventy = format!("fn f() {{\n{}}}\n", "    step();\n".repeat(68));
        assert_eq!(said("api/src/a.rs", &seventy), [""; 0]);
    }

    #[test]
    fn a_module_declared_for_tests_is_test_code_with_all_below_it() {
        let declared = "mod code;\n#[cfg(test)]\nmod tests;\n#[cfg(all(test, unix))]\nmod soak;";
        let modules: BTreeSet<String> = test_modules("ledger/src/lib.rs", declared)
            .into_iter()
            .collect();
        assert!(is_test_code("ledger/src/tests.rs", &modules));
        assert!(is_test_code("ledger/src/tests/kill.rs", &modules));
        assert!(is_test_code("ledger/src/soak.rs", &modules));
        assert!(is_test_code("ledger/tests/append.rs", &modules));
        assert!(!is_test_code("ledger/src/code.rs", &modules));
        assert!(!is_test_code("ledger/src/testsuite.rs", &modules));
        assert_eq!(
            test_modules("ledger/src/store.rs", "#[cfg(test)]\nmod tests;"),
            ["ledger/src/store/tests"]
        );
    }
}
