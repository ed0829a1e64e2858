//! Rules about the crates: which builds on which, what none may bring in, whose lints they take.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use crate::{Finding, code::LINTS};

/// The table of DESIGN section 2: package, the packages of the workspace it builds on, and the libraries that must
/// never be in its normal dependency graph.
pub(crate) const CRATES: [(&str, &[&str], &[&str]); 6] = [
    ("schemas", &[], PURE),
    ("governance", &["schemas"], PURE),
    (
        "ledger",
        &["schemas", "governance"],
        &["axum", "probity-projections"],
    ),
    (
        "projections",
        &["schemas", "governance", "ledger"],
        &["axum"],
    ),
    (
        "api",
        &["schemas", "governance", "ledger", "projections"],
        &["probity-verifier"],
    ),
    ("verifier", &["schemas", "governance"], JUDGE),
];
const PURE: &[&str] = &[
    "tokio",
    "axum",
    "sqlx",
    "sqlx-core",
    "hyper",
    "reqwest",
    "mio",
    "socket2",
    "rustls",
    "rustix",
    "tempfile",
];
const JUDGE: &[&str] = &[
    "tokio",
    "axum",
    "sqlx",
    "sqlx-core",
    "probity-ledger",
    "hyper",
    "reqwest",
    "mio",
    "socket2",
    "rustls",
];

pub(crate) fn check_manifest(file: &str, text: &str) -> Option<Finding> {
    let takes = text.contains("[lints]\nworkspace = true");
    (!takes).then(|| Finding {
        file: file.into(),
        line: 1,
        what: "add `[lints]` with `workspace = true`".into(),
    })
}

pub(crate) fn check_lints(root: &str) -> Vec<Finding> {
    let denied = |lint: &str| {
        root.lines()
            .any(|line| line == format!("{lint} = \"deny\""))
    };
    let missing = LINTS.iter().filter(|(lint, ..)| !denied(lint));
    missing
        .map(|(lint, ..)| Finding {
            file: "Cargo.toml".into(),
            line: 1,
            what: format!("deny `{lint}` in [workspace.lints.clippy]"),
        })
        .collect()
}

/// Package name to the names of its normal (not dev, not build) dependencies.
pub(crate) type Graph = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn normal_dependencies() -> Graph {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let options = [
        "--locked".to_owned(),
        "--filter-platform".to_owned(),
        platform,
    ];
    let metadata = cargo_metadata::MetadataCommand::new()
        .other_options(options)
        .exec()
        .expect("cargo metadata answers");
    let name = |id: &cargo_metadata::PackageId| metadata[id].name.to_string();
    let normal = |dependency: &&cargo_metadata::NodeDep| {
        dependency
            .dep_kinds
            .iter()
            .any(|kind| kind.kind == cargo_metadata::DependencyKind::Normal)
    };
    let mut graph = Graph::new();
    for node in &metadata
        .resolve
        .as_ref()
        .expect("cargo metadata resolves")
        .nodes
    {
        graph.entry(name(&node.id)).or_default().extend(
            node.deps
                .iter()
                .filter(normal)
                .map(|dependency| name(&dependency.pkg)),
        );
    }
    graph
}

pub(crate) fn check_edges(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, expected, forbidden) in CRATES {
        let file = format!("{folder}/Cargo.toml");
        let direct = &graph[&format!("probity-{folder}")];
        let edges: BTreeSet<&str> = direct
            .iter()
            .filter_map(|name| name.strip_prefix("probity-"))
            .collect();
        if edges != expected.iter().copied().collect() {
            findings.push(Finding {
                file: file.clone(),
                line: 1,
                what: format!("builds on {edges:?}, but DESIGN section 2 says {expected:?}"),
            });
        }
        for (library, by) in reachable(graph, direct) {
            if forbidden.contains(&library.as_str()) {
                findings.push(Finding {
                    file: file.clone(),
                    line: 1,
                    what: format!(
                        "brings in `{library}` by way of `{by}`: DESIGN section 2 forbids it"
                    ),
                });
            }
        }
    }
    findings
}

/// Everything reachable from `direct`, with the dependency through which it first came.
fn reachable(graph: &Graph, direct: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut waiting: Vec<(String, String)> = direct
        .iter()
        .map(|name| (name.clone(), name.clone()))
        .collect();
    while let Some((library, by)) = waiting.pop() {
        if let Entry::Vacant(place) = found.entry(library.clone()) {
            let next = graph[&library].iter();
            waiting.extend(next.map(|next| (next.clone(), library.clone())));
            place.insert(by);
        }
    }
    found
}

#[cfg(test)]
mod broken {
    //! Each rule on a workspace that breaks it.
    use super::*;

    /// A workspace as the table has it, with `library` as a dependency of `of`.
    fn workspace_with(of: &str, library: &str) -> Graph {
        let mut graph = Graph::new();
        for (folder, edges, _) in CRATES {
            let edges = edges
                .iter()
                .map(|edge| format!("probity-{edge}"))
                .chain(["serde".into()]);
            graph.insert(format!("probity-{folder}"), edges.collect());
        }
        graph.insert("serde".into(), BTreeSet::new());
        graph.entry(library.into()).or_default();
        graph.entry(of.into()).or_default().insert(library.into());
        graph
    }

    fn said(graph: &Graph) -> Vec<String> {
        check_edges(graph).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn the_table_itself_is_accepted() {
        assert_eq!(said(&workspace_with("probity-ledger", "sqlx")), [""; 0]);
    }

    #[test]
    fn an_edge_that_is_not_drawn_is_named() {
        let lines = said(&workspace_with("probity-verifier", "probity-projections"));
        assert!(
            lines[0].starts_with("verifier/Cargo.toml:1: builds on"),
            "{lines:?}"
        );
    }

    #[test]
    fn an_edge_that_is_drawn_and_missing_is_named() {
        let mut graph = workspace_with("probity-ledger", "sqlx");
        graph
            .entry("probity-api".into())
            .or_default()
            .remove("probity-projections");
        assert!(said(&graph)[0].starts_with("api/Cargo.toml:1: builds on"));
    }

    #[test]
    fn a_forbidden_library_is_found_behind_another() {
        let lines = said(&workspace_with("serde", "tokio"));
        let wanted = "schemas/Cargo.toml:1: brings in `tokio` by way of `serde`: DESIGN section 2 forbids it";
        assert!(lines.iter().any(|line| line == wanted), "{lines:?}");
        assert!(
            !lines.iter().any(|line| line.starts_with("ledger/")),
            "{lines:?}"
        );
    }

    #[test]
    fn a_crate_or_a_workspace_without_the_lints_is_named() {
        assert!(check_manifest("a/Cargo.toml", "[lints]\nworkspace = false").is_some());
        assert!(check_manifest("a/Cargo.toml", "[lints]\nworkspace = true").is_none());
        let warned = "unwrap_used = \"warn\"\nexpect_used = \"deny\"";
        let missing: Vec<String> = check_lints(warned).iter().map(Finding::to_string).collect();
        assert_eq!(
            missing[0],
            "Cargo.toml:1: deny `unwrap_used` in [workspace.lints.clippy]"
        );
        assert_eq!(missing.len(), LINTS.len() - 1);
    }
}
