//! Decisions over values that the record does not hold: decided on the values, judged without them, judged with them, and forged.

use crate::support::{ADAPTER, Log, policy, request, request_in, when};
use probity_governance::adjudicate::{Fault, adjudicate_outcome, adjudicate_shown};
use probity_governance::command::{ClearBodies, DecisionRequest, Operation, Personal};
use probity_governance::engine::{Beside, decide};
use probity_governance::execute::Rejected;
use probity_schemas::disclosure::{Disclosure, withhold};
use probity_schemas::event::decision::{DecisionMade, Request, WithheldResult};
use probity_schemas::policy::{Operator, Policy};
use probity_schemas::vocabulary::ConditionResult::{self, Match, Miss, Unjudged};
use probity_schemas::vocabulary::{Effect, Verdict};

/// A letter to a customer, whose address is personal.
const LETTER: &str = r#"{"attachments":["cv.pdf","id.png"],"customer":{"mail":"ada@example.org","since":2019},"exec":{"cwd":"/home/ada"},"targets":{"paths":["notes"]}}"#;
const MAIL: &str = "context.customer.mail";

/// The request with these values of its context withheld, and what opens them in the order of the pointers.
pub(crate) fn withheld(context: &str, pointers: &[&str]) -> (DecisionRequest, Vec<Disclosure>) {
    let clear = request_in("letter", context);
    let body = clear.context.clone().unwrap();
    let taken = withhold(&body, pointers, &mut |index, _| [index as u8 + 1; 32]).unwrap();
    let asked = DecisionRequest {
        clear: Some(ClearBodies {
            context: clear.context.clone(),
            metadata: None,
        }),
        personal: Vec::new(),
        request: Request {
            context: Some(taken.body),
            ..clear
        },
    };
    (asked, taken.disclosures)
}

fn reads(id: &str, effect: Effect, field: &str, operator: Operator, values: &[&str]) -> Policy {
    when(policy(id, Some("letter"), effect), field, operator, values)
}

/// A log with policies, the decision on a letter, and what opens it.
struct Story {
    log: Log,
    made: DecisionMade,
    disclosures: Vec<Disclosure>,
}

impl Story {
    fn of(policies: impl IntoIterator<Item = Policy>, pointers: &[&str]) -> Self {
        let mut log = Log::new();
        log.publish(policies);
        let (asked, disclosures) = withheld(LETTER, pointers);
        log.run(ADAPTER, Operation::RequestDecision(Box::new(asked)));
        let made = log.last_decision().1;
        Self {
            log,
            made,
            disclosures,
        }
    }

    fn judged(&self, made: &DecisionMade, shown: &[Disclosure]) -> Result<u32, Fault> {
        adjudicate_shown(&self.log.writer.directory.policy_set(), made, shown)
    }

    /// The decision that these results would have given: what an operator writes who lies about a value nobody is shown.
    fn forged(&self, results: Vec<WithheldResult>) -> DecisionMade {
        let beside = Beside::Recorded {
            results: &results,
            disclosures: &[],
        };
        let policies = self.log.writer.directory.policy_set();
        let outcome = decide(&policies, &self.made.facts, beside);
        DecisionMade {
            withheld: results,
            ..outcome.with_facts(self.made.facts.clone())
        }
    }
}

fn results(made: &DecisionMade) -> Vec<(&str, &str, ConditionResult)> {
    let all = made.withheld.iter();
    all.map(|one| (one.policy.as_str(), one.field.as_str(), one.result))
        .collect()
}

/// Field, operator, values, what is withheld, and how the condition stands; none: it looks at nothing withheld.
#[test]
fn a_condition_over_a_withheld_value_leaves_its_result() {
    use Operator::{AllUnder, AnyUnder, AtLeast, Eq, Exists, In, Prefix};
    type Row = (
        &'static str,
        Operator,
        &'static [&'static str],
        &'static [&'static str],
        Option<ConditionResult>,
    );
    let rows: &[Row] = &[
        (
            MAIL,
            Eq,
            &["ada@example.org"],
            &["/customer/mail"],
            Some(Match),
        ),
        (
            MAIL,
            Eq,
            &["eve@example.org"],
            &["/customer/mail"],
            Some(Miss),
        ),
        (MAIL, Prefix, &["ada@"], &["/customer"], Some(Match)),
        (MAIL, Eq, &["ada@example.org"], &["/customer/since"], None),
        (MAIL, Eq, &["ada@example.org"], &["/attachments/0"], None),
        (MAIL, Exists, &["true"], &["/customer/mail"], Some(Match)),
        (
            "context.customer.phone",
            Exists,
            &["false"],
            &["/customer/mail"],
            Some(Match),
        ),
        (
            "context.customer.phone",
            Exists,
            &["false"],
            &["/attachments/0"],
            None,
        ),
        (
            "context.customer.since",
            AtLeast,
            &["2020"],
            &["/customer/since"],
            Some(Miss),
        ),
        (
            "context.attachments",
            In,
            &["cv.pdf", "id.png"],
            &["/attachments/1"],
            Some(Match),
        ),
        (
            "context",
            Exists,
            &["true"],
            &["/attachments/1"],
            Some(Match),
        ),
        (
            "context.targets.paths",
            AllUnder,
            &["/home/ada"],
            &["/exec/cwd"],
            Some(Match),
        ),
        (
            "context.targets.paths",
            AnyUnder,
            &["/srv"],
            &["/exec/cwd"],
            Some(Miss),
        ),
        (
            "context.targets.paths",
            Exists,
            &["true"],
            &["/exec/cwd"],
            None,
        ),
        (
            "context.targets.paths",
            AllUnder,
            &["{{unset}}"],
            &["/exec/cwd"],
            Some(Unjudged),
        ),
        (
            "metadata.mail",
            Exists,
            &["false"],
            &["/customer/mail"],
            None,
        ),
        ("action", Eq, &["letter"], &["/customer/mail"], None),
    ];
    for (field, operator, values, pointers, expected) in rows {
        let rule = reads("rule", Effect::Deny, field, *operator, values);
        let story = Story::of([rule], pointers);
        let found = results(&story.made);
        let expected: Vec<_> = expected
            .map(|result| ("rule", *field, result))
            .into_iter()
            .collect();
        assert_eq!(found, expected, "{field} {operator:?} {values:?}");
        let (without, with) = (
            story.judged(&story.made, &[]),
            story.judged(&story.made, &story.disclosures),
        );
        assert_eq!(without, Ok(expected.len() as u32), "{field}");
        assert_eq!(with, Ok(0), "{field}");
        let line = serde_json::to_string(&story.made).unwrap();
        let is_told = line.contains("ada@example.org");
        let is_personal = pointers
            .iter()
            .any(|one| one.starts_with("/customer") && !one.ends_with("since"));
        assert_eq!(is_told, !is_personal, "{line}");
    }
}

/// The verdict is the one on the values, in whatever order the policies are weighed and however many conditions they have.
#[test]
fn the_verdict_is_the_one_on_the_values() {
    let allow = || {
        let all = reads("allow", Effect::Allow, MAIL, Operator::Prefix, &["ada@"]);
        let all = when(all, "context.customer.since", Operator::AtLeast, &["2000"]);
        when(all, "context.customer.since", Operator::AtMost, &["2020"])
    };
    let deny = || reads("deny", Effect::Deny, MAIL, Operator::Prefix, &["eve@"]);
    let story = Story::of([allow(), deny()], &["/customer/mail", "/customer/since"]);
    assert_eq!(story.made.verdict, Verdict::Allow);
    let since = "context.customer.since";
    assert_eq!(
        results(&story.made),
        [
            ("allow", MAIL, Match),
            ("allow", since, Match),
            ("allow", since, Match),
            ("deny", MAIL, Miss)
        ]
    );
    // Of two values one is shown: what looks at the other stands as recorded, for the object may have had more members.
    assert_eq!(story.judged(&story.made, &story.disclosures[..1]), Ok(2));
    let mut log = Log::new();
    log.publish([allow(), deny()]);
    let plain = log.ask(request_in("letter", LETTER)).1;
    let told = |made: &DecisionMade| (made.verdict, made.winner.clone(), made.risk.clone());
    assert_eq!(told(&plain), told(&story.made));
}

#[test]
fn a_result_that_is_none_is_false_and_a_forged_one_is_when_the_value_is_shown() {
    let policies = || {
        [
            reads("deny", Effect::Deny, MAIL, Operator::Prefix, &["ada@"]),
            reads(
                "allow",
                Effect::Allow,
                "context.customer.phone",
                Operator::Exists,
                &["false"],
            ),
        ]
    };
    let story = Story::of(policies(), &["/customer/mail"]);
    assert_eq!(story.made.verdict, Verdict::Deny);
    let result = |policy: &str, field: &str, result| WithheldResult {
        field: field.to_owned(),
        policy: policy.to_owned(),
        result,
    };
    let others = Fault::Withheld {
        part: "they are of other conditions",
    };
    let honest = || story.made.withheld.clone();
    for (why, results) in [
        (
            "a field that is not withheld",
            vec![
                result("allow", "context.targets", Miss),
                honest()[0].clone(),
            ],
        ),
        (
            "a policy that does not read it",
            vec![result("allow", MAIL, Match), honest()[1].clone()],
        ),
        (
            "one too many",
            [honest(), vec![result("deny", MAIL, Match)]].concat(),
        ),
        ("one too few", honest()[..1].to_vec()),
        ("none", Vec::new()),
        ("another order", honest().into_iter().rev().collect()),
    ] {
        let forged = story.forged(results);
        assert_eq!(story.judged(&forged, &[]), Err(others.clone()), "{why}");
    }
    let mut lie = honest();
    let place = lie.iter().position(|one| one.policy == "deny").unwrap();
    lie[place].result = Miss;
    let forged = story.forged(lie);
    assert_eq!(forged.verdict, Verdict::Allow);
    assert_eq!(story.judged(&forged, &[]), Ok(2), "nobody can see it");
    let shown = story.judged(&forged, &story.disclosures);
    let part = "a shown value gives another result";
    assert_eq!(shown, Err(Fault::Withheld { part }), "and now everybody");
    // A result that was left as it is, and another verdict beside it.
    let mut verdict = story.made.clone();
    verdict.verdict = Verdict::Allow;
    assert_eq!(
        story.judged(&verdict, &[]),
        Err(Fault::OutcomeDiffers { part: "verdict" })
    );
}

/// A member that looks like digests and was sent so is judged as it stands, by the writer as by the judge.
#[test]
fn what_only_looks_withheld_is_judged_as_it_was_sent() {
    let digest = "A".repeat(43);
    let context = format!(r#"{{"_sd":["{digest}"],"tier":3}}"#);
    let rule = || {
        reads(
            "rule",
            Effect::Deny,
            "context.name",
            Operator::Exists,
            &["false"],
        )
    };
    let mut log = Log::new();
    log.publish([rule()]);
    let made = log.ask(request_in("letter", &context)).1;
    assert_eq!(results(&made), [("rule", "context.name", Match)]);
    assert_eq!(made.verdict, Verdict::Deny);
    let policies = log.writer.directory.policy_set();
    assert_eq!(adjudicate_outcome(&policies, &made), Ok(()));
}

#[test]
fn what_the_risk_score_reads_cannot_be_withheld() {
    let context = r#"{"external_network":true}"#;
    let (asked, disclosures) = withheld(context, &["/external_network"]);
    let mut log = Log::new();
    log.run(ADAPTER, Operation::RequestDecision(Box::new(asked)));
    let made = log.last_decision().1;
    let part = "the risk score reads what was withheld";
    let judged = adjudicate_shown(&log.writer.directory.policy_set(), &made, &disclosures);
    assert_eq!(judged, Err(Fault::Withheld { part }));
}

#[test]
fn values_that_were_not_withheld_are_no_request() {
    let mut log = Log::new();
    let asked = DecisionRequest {
        personal: vec![Personal {
            pointer: "/context/a".to_owned(),
            person: "ada".to_owned(),
        }],
        ..request("letter", "e1").into()
    };
    let found = log.call(ADAPTER, Operation::RequestDecision(Box::new(asked)));
    assert_eq!(found.unwrap_err(), Rejected::NotWithheld);
}
