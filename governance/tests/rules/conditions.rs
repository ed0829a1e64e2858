//! One table an operator: the condition, the request, and whether an allow rule and a deny rule match.

mod fields;

use crate::support::{Log, policy, request_in, when};
use probity_governance::engine::{TraceResult, Weighing};
use probity_schemas::event::decision::Request;
use probity_schemas::policy::Operator::{self, AtLeast, AtMost, Eq, Exists, In, Prefix};
use probity_schemas::vocabulary::Effect;

const HIT: (bool, bool) = (true, true);
const MISS: (bool, bool) = (false, false);
/// Not to be judged: an allow rule misses, a deny rule hits.
const DOUBT: (bool, bool) = (false, true);

type Row<'a> = (&'a str, Operator, &'a [&'a str], &'a str, (bool, bool));

/// Whether an allow rule and a deny rule with this condition match.
fn matched(field: &str, operator: Operator, values: &[&str], request: &Request) -> (bool, bool) {
    let one = |effect| {
        let mut log = Log::new();
        log.publish([when(policy("p", None, effect), field, operator, values)]);
        let (_, made) = log.ask(request.clone());
        let weighing = Weighing::of(&made.facts);
        let policies = log.writer.directory.policy_set();
        let told: Vec<_> = weighing.trace(&policies, &[]).collect();
        assert_eq!(told.len(), 1);
        assert_eq!(
            told[0].matched,
            !made.matched.is_empty(),
            "the trace tells what was decided"
        );
        let unjudged = told[0]
            .details
            .iter()
            .any(|detail| detail.result == TraceResult::Unjudged);
        assert_eq!(
            unjudged && told[0].matched,
            made.matched
                .iter()
                .any(|policy| !policy.unjudged.is_empty())
        );
        told[0].matched
    };
    (one(Effect::Allow), one(Effect::Deny))
}

fn table(rows: &[Row<'_>]) {
    for (field, operator, values, context, expected) in rows {
        let found = matched(field, *operator, values, &request_in("exec", context));
        assert_eq!(
            found, *expected,
            "{field} {operator:?} {values:?} on {context}"
        );
    }
}

#[test]
fn eq() {
    table(&[
        (
            "context.channel",
            Eq,
            &["mail"],
            r#"{"channel":"mail"}"#,
            HIT,
        ),
        (
            "context.channel",
            Eq,
            &["mail"],
            r#"{"channel":"Mail"}"#,
            MISS,
        ),
        ("context.channel", Eq, &["mail"], r"{}", MISS),
        (
            "context.channel",
            Eq,
            &["mail"],
            r#"{"channel":null}"#,
            MISS,
        ),
        ("context.channel", Eq, &["5"], r#"{"channel":5}"#, HIT),
        ("context.channel", Eq, &["5"], r#"{"channel":"5"}"#, MISS),
        ("context.channel", Eq, &["5"], r#"{"channel":5.5}"#, MISS),
        (
            "context.channel",
            Eq,
            &["mail"],
            r#"{"channel":{"mail":true}}"#,
            MISS,
        ),
        (
            "context.writes_files",
            Eq,
            &["true"],
            r#"{"writes_files":true}"#,
            HIT,
        ),
        (
            "context.writes_files",
            Eq,
            &["false"],
            r#"{"writes_files":true}"#,
            MISS,
        ),
        ("context.writes_files", Eq, &["false"], r"{}", MISS),
        (
            "context.recipient",
            Eq,
            &["{{tenant.id}}"],
            r#"{"recipient":"acme"}"#,
            HIT,
        ),
        (
            "context.recipient",
            Eq,
            &["x-{{ workspace.id }}-y"],
            r#"{"recipient":"x-local-y"}"#,
            HIT,
        ),
        (
            "context.recipient",
            Eq,
            &["{{nobody.set}}"],
            r#"{"recipient":"acme"}"#,
            DOUBT,
        ),
        (
            "context.recipient",
            Eq,
            &["{{open"],
            r#"{"recipient":"{{open"}"#,
            DOUBT,
        ),
    ]);
}

#[test]
fn a_list_matches_as_a_whole_for_allow_and_by_one_for_deny() {
    let some = (false, true);
    table(&[
        ("context.hosts", Eq, &["a"], r#"{"hosts":["a","a"]}"#, HIT),
        ("context.hosts", Eq, &["a"], r#"{"hosts":["a","b"]}"#, some),
        (
            "context.hosts",
            In,
            &["a", "b"],
            r#"{"hosts":["a","b"]}"#,
            HIT,
        ),
        (
            "context.hosts",
            In,
            &["a", "b"],
            r#"{"hosts":["a","c"]}"#,
            some,
        ),
        (
            "context.hosts",
            Prefix,
            &["a."],
            r#"{"hosts":["a.x","b.x"]}"#,
            some,
        ),
        ("context.hosts", In, &["a"], r#"{"hosts":[]}"#, MISS),
        (
            "context.hosts",
            In,
            &["a"],
            r#"{"hosts":["a",["a"]]}"#,
            some,
        ),
    ]);
}

#[test]
fn in_and_prefix() {
    table(&[
        (
            "context.exec.argv0",
            In,
            &["ls", "cat"],
            r#"{"exec":{"argv0":"cat"}}"#,
            HIT,
        ),
        (
            "context.exec.argv0",
            In,
            &["ls", "cat"],
            r#"{"exec":{"argv0":"rm"}}"#,
            MISS,
        ),
        ("context.exec.argv0", In, &["ls"], r#"{"exec":"ls"}"#, MISS),
        ("context.level", In, &["1", "2"], r#"{"level":2}"#, HIT),
        (
            "context.exec.argv0",
            In,
            &["{{nobody.set}}", "rm"],
            r#"{"exec":{"argv0":"rm"}}"#,
            HIT,
        ),
        (
            "context.exec.argv0",
            In,
            &["{{nobody.set}}", "ls"],
            r#"{"exec":{"argv0":"rm"}}"#,
            DOUBT,
        ),
        (
            "context.url",
            Prefix,
            &["https://"],
            r#"{"url":"https://x"}"#,
            HIT,
        ),
        (
            "context.url",
            Prefix,
            &["https://"],
            r#"{"url":"http://x"}"#,
            MISS,
        ),
        ("context.url", Prefix, &["https://"], r#"{"url":7}"#, MISS),
        ("context.url", Prefix, &["https://"], r"{}", MISS),
    ]);
}

#[test]
fn exists() {
    table(&[
        (
            "context.recipient",
            Exists,
            &["true"],
            r#"{"recipient":"x"}"#,
            HIT,
        ),
        (
            "context.recipient",
            Exists,
            &["true"],
            r#"{"recipient":[]}"#,
            HIT,
        ),
        (
            "context.recipient",
            Exists,
            &["true"],
            r#"{"recipient":null}"#,
            MISS,
        ),
        ("context.recipient", Exists, &["true"], r"{}", MISS),
        ("context.recipient", Exists, &["false"], r"{}", HIT),
        (
            "context.recipient",
            Exists,
            &["false"],
            r#"{"recipient":""}"#,
            MISS,
        ),
        ("no_such_field", Exists, &["false"], r"{}", DOUBT),
        ("no_such_field", Eq, &["x"], r"{}", DOUBT),
        ("no.such.field", Eq, &["x"], r"{}", MISS),
    ]);
}

#[test]
fn numbers() {
    table(&[
        ("context.n", AtLeast, &["10"], r#"{"n":10}"#, HIT),
        ("context.n", AtLeast, &["10"], r#"{"n":9}"#, MISS),
        ("context.n", AtLeast, &["10"], r#"{"n":9.999999}"#, MISS),
        ("context.n", AtLeast, &["10"], r#"{"n":10.000001}"#, HIT),
        ("context.n", AtMost, &["10"], r#"{"n":10.000001}"#, MISS),
        ("context.n", AtMost, &["0"], r#"{"n":-0.5}"#, HIT),
        ("context.n", AtLeast, &["0"], r#"{"n":-1e-7}"#, MISS),
        ("context.n", AtLeast, &["0"], r#"{"n":1e-7}"#, HIT),
        ("context.n", AtMost, &["-1"], r#"{"n":-1.5}"#, HIT),
        ("context.n", AtMost, &["-2"], r#"{"n":-1.5}"#, MISS),
        (
            "context.n",
            AtLeast,
            &["9007199254740991"],
            r#"{"n":1e+22}"#,
            HIT,
        ),
        (
            "context.n",
            AtMost,
            &["-9007199254740991"],
            r#"{"n":-1e+22}"#,
            HIT,
        ),
        ("context.n", AtMost, &["10"], r#"{"n":"9"}"#, MISS),
        ("context.n", AtMost, &["10"], r"{}", MISS),
        ("cost_micros", AtMost, &["0"], r"{}", HIT),
        ("cost_micros", AtLeast, &["1"], r"{}", MISS),
    ]);
    let costly = Request {
        cost_micros: Some(2_500_000),
        ..request_in("exec", "{}")
    };
    assert_eq!(matched("cost_micros", AtLeast, &["2500000"], &costly), HIT);
    assert_eq!(matched("cost_micros", AtMost, &["2499999"], &costly), MISS);
}
