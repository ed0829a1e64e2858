//! What lists of decisions can be narrowed by, in this surface's words.

use super::super::envelope::Failure;
use super::super::fields::{self, Fields, bounded};
use probity_projections::views::{DecisionFilter, DecisionStatus};
use probity_projections::{Page, Workspace};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::Verdict;

/// Rows of a page at most.
const PAGE_ROWS_MAX: u32 = 500;

/// Rows of an adapter's page, unless asked otherwise.
const ADAPTER_ROWS: u32 = 50;

/// Rows of an operator's page, unless asked otherwise.
const OPERATOR_ROWS: u32 = 100;

/// Rows that a page may leave out first.
const OFFSET_MAX: u32 = 1_000_000;

/// The words for how a decision stands, and the statuses behind them.
const STATUSES: [(&str, &[DecisionStatus]); 6] = [
    ("pending", &[DecisionStatus::Pending]),
    (
        "approved",
        &[DecisionStatus::Approved, DecisionStatus::Consumed],
    ),
    ("denied", &[DecisionStatus::Denied]),
    ("expired", &[DecisionStatus::Expired]),
    ("allow", &[DecisionStatus::Allow, DecisionStatus::Warn]),
    ("deny", &[DecisionStatus::Deny]),
];

/// How many of [`STATUSES`] an operator can ask for: those a person has to do with.
const OPERATOR_STATUSES: usize = 4;

/// The words for what was decided at first.
const VERDICTS: [(&str, &[Verdict]); 4] = [
    ("allow", &[Verdict::Allow, Verdict::Warn]),
    ("deny", &[Verdict::Deny]),
    ("require_approval", &[Verdict::RequireApproval]),
    ("pending", &[Verdict::RequireApproval]),
];

/// The list that an adapter asks for, of its own decisions.
pub(super) fn of_adapter(
    mut query: Fields,
    adapter: &str,
    now: Time,
) -> Result<(DecisionFilter, Page), Failure> {
    let filter = DecisionFilter {
        status: query
            .optional("status", |raw| one_of(raw, &STATUSES))
            .unwrap_or_default()
            .to_vec(),
        verdict: query
            .optional("decision", |raw| one_of(raw, &VERDICTS))
            .unwrap_or_default()
            .to_vec(),
        action: query.optional("tool", fields::text),
        policy: query.optional("policy", fields::text),
        since: query.optional("since", |raw| since(raw, now)),
        adapter: Some(adapter.to_owned()),
        workspace: Workspace::Default,
        ..DecisionFilter::default()
    };
    let page = Page {
        limit: query
            .optional("limit", bounded(1, PAGE_ROWS_MAX))
            .unwrap_or(ADAPTER_ROWS),
        offset: query
            .optional("offset", bounded(0, OFFSET_MAX))
            .unwrap_or_default(),
    };
    query
        .close((filter, page))
        .map_err(|faults| Failure::Invalid {
            what: "Invalid query parameters",
            faults,
        })
}

/// The list that an operator asks for: what waits, unless told otherwise.
pub(super) fn of_operator(mut query: Fields) -> Result<(DecisionFilter, Page), Failure> {
    let asked = query.optional("status", |raw| one_of(raw, &STATUSES[..OPERATOR_STATUSES]));
    let filter = DecisionFilter {
        status: asked.unwrap_or(&[DecisionStatus::Pending]).to_vec(),
        verdict: vec![Verdict::RequireApproval],
        workspace: Workspace::Default,
        ..DecisionFilter::default()
    };
    let page = Page::first(
        query
            .optional("limit", bounded(1, PAGE_ROWS_MAX))
            .unwrap_or(OPERATOR_ROWS),
    );
    query
        .close((filter, page))
        .map_err(|faults| Failure::Invalid {
            what: "Invalid query parameters",
            faults,
        })
}

fn one_of<T>(raw: &str, words: &[(&'static str, &'static [T])]) -> Result<&'static [T], String> {
    let text = fields::text(raw)?;
    let found = words
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, statuses)| *statuses);
    found.ok_or_else(|| {
        fields::not_a_word(
            &words.iter().map(|(word, _)| *word).collect::<Vec<_>>(),
            &text,
        )
    })
}

/// A moment: so long ago (`15m`), or a date.
fn since(raw: &str, now: Time) -> Result<Time, String> {
    let text = fields::text(raw)?;
    let span = text.char_indices().last().and_then(|(at, unit)| {
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        text[..at]
            .parse::<u32>()
            .ok()
            .map(|count| i64::from(count) * seconds)
    });
    let date = || {
        Time::parse_rfc3339(&text).or_else(|_| Time::parse_rfc3339(&format!("{text}T00:00:00Z")))
    };
    match span {
        Some(seconds) => Ok(now.plus_seconds(-seconds)),
        None => date().map_err(|_| "Expected a time such as 15m, 2h, 7d, or a date".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{of_adapter, of_operator};
    use crate::dialects::clasper::case::samples::START;
    use crate::dialects::clasper::envelope::Failure;
    use crate::dialects::clasper::fields::Fields;
    use probity_projections::views::DecisionStatus;
    use probity_schemas::time::Time;
    use probity_schemas::vocabulary::Verdict;

    fn query(pairs: &[(&str, &str)]) -> Fields {
        Fields::of_query(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn an_adapter_narrows_its_own_list() {
        let pairs = [
            ("status", "approved"),
            ("decision", "allow"),
            ("tool", "read"),
            ("policy", "p"),
            ("limit", "5"),
            ("offset", "10"),
        ];
        let (filter, page) = of_adapter(query(&pairs), "desk", START).unwrap();
        assert_eq!(
            filter.status,
            [DecisionStatus::Approved, DecisionStatus::Consumed]
        );
        assert_eq!(filter.verdict, [Verdict::Allow, Verdict::Warn]);
        assert_eq!(
            (
                filter.action.as_deref(),
                filter.policy.as_deref(),
                filter.adapter.as_deref()
            ),
            (Some("read"), Some("p"), Some("desk"))
        );
        assert_eq!((page.limit, page.offset), (5, 10));
        let (all, first) = of_adapter(query(&[]), "desk", START).unwrap();
        assert_eq!((all.status.len(), first.limit, first.offset), (0, 50, 0));
    }

    #[test]
    fn since_is_a_span_or_a_date() {
        let table = [
            ("90s", START.plus_seconds(-90)),
            ("15m", START.plus_seconds(-900)),
            ("2h", START.plus_seconds(-7_200)),
            ("1d", START.plus_seconds(-86_400)),
            (
                "2026-11-22",
                Time::parse_rfc3339("2026-11-22T00:00:00Z").unwrap(),
            ),
            (
                "2026-11-22T10:00:00+02:00",
                Time::parse_rfc3339("2026-11-22T08:00:00Z").unwrap(),
            ),
        ];
        for (text, time) in table {
            assert_eq!(
                of_adapter(query(&[("since", text)]), "desk", START)
                    .unwrap()
                    .0
                    .since,
                Some(time),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let table = [
            ("status", "open"),
            ("decision", "maybe"),
            ("since", "lately"),
            ("since", "5y"),
            ("limit", "0"),
            ("limit", "501"),
            ("limit", "x"),
            ("offset", "-1"),
        ];
        for (name, value) in table {
            let Err(Failure::Invalid { what, faults }) =
                of_adapter(query(&[(name, value)]), "desk", START)
            else {
                unreachable!("{name}={value}")
            };
            assert_eq!(
                (what, faults.fields.keys().next().map(String::as_str)),
                ("Invalid query parameters", Some(name))
            );
        }
    }

    #[test]
    fn an_operator_sees_what_waits_unless_told_otherwise() {
        assert_eq!(
            of_operator(query(&[])).unwrap().0.status,
            [DecisionStatus::Pending]
        );
        assert_eq!(
            of_operator(query(&[("status", "denied")]))
                .unwrap()
                .0
                .status,
            [DecisionStatus::Denied]
        );
        assert!(of_operator(query(&[("status", "allow")])).is_err());
        assert_eq!(
            of_operator(query(&[("limit", "500")])).unwrap().1.limit,
            500
        );
    }
}
