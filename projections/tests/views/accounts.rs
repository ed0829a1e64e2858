//! Traces, the audit list and spending: what was reported, and what of it counts.

use crate::log::{Logs, tenant};
use crate::place::both;
use crate::specimens::{ADAPTER, OPERATOR, audit, cost, decision, decision_id, told, trace};
use probity_projections::Page;
use probity_projections::views::{AuditFilter, SpendFilter, SpendTotals, TraceFilter};

#[tokio::test]
async fn spending_is_summed_by_adapter_model_and_day() {
    let logs = Logs::new();
    told(&logs, "acme");
    logs.append(
        "acme",
        "adapter:mail%20er",
        "execution/a",
        cost(None, 50, 7).into(),
    );
    logs.append(
        "acme",
        "user:ann",
        "execution/b",
        cost(Some("ruby-1"), 10, 1).into(),
    );
    for place in both().await {
        let views = place.follow(&logs).await;
        let all = SpendFilter::default();
        let (rows, _) = views
            .spend()
            .list(&tenant("acme"), &all, &Page::first(10))
            .await
            .unwrap();
        let shown: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.day.as_str(),
                    row.adapter.as_str(),
                    row.model.as_str(),
                    row.tokens_in,
                    row.cost_micros,
                    row.reports,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("2026-11-22", "coder", "opal-2", 1_000, 1_500, 2),
                ("2026-11-22", "mail er", "", 50, 7, 1),
                ("2026-11-22", "user:ann", "ruby-1", 10, 1, 1),
            ]
        );
        let (totals, _) = views.spend().totals(&tenant("acme"), &all).await.unwrap();
        assert_eq!(
            totals,
            SpendTotals {
                tokens_in: 1_060,
                tokens_out: 106,
                cost_micros: 1_508,
                reports: 4
            }
        );
        for (what, filter, micros) in [
            (
                "an adapter",
                SpendFilter {
                    adapter: Some("coder".to_owned()),
                    ..all.clone()
                },
                1_500,
            ),
            (
                "a model",
                SpendFilter {
                    model: Some("ruby-1".to_owned()),
                    ..all.clone()
                },
                1,
            ),
            (
                "from the day",
                SpendFilter {
                    since: Some("2026-11-22".to_owned()),
                    ..all.clone()
                },
                1_508,
            ),
            (
                "before the day",
                SpendFilter {
                    until: Some("2026-11-22".to_owned()),
                    ..all.clone()
                },
                0,
            ),
        ] {
            let (totals, _) = views
                .spend()
                .totals(&tenant("acme"), &filter)
                .await
                .unwrap();
            assert_eq!(totals.cost_micros, micros, "{what}");
        }
        views.close().await;
    }
}

#[tokio::test]
async fn a_trace_reported_again_takes_nothing_from_the_first() {
    let logs = Logs::new();
    told(&logs, "acme");
    logs.append(
        "acme",
        "adapter:other",
        "execution/x",
        trace("run-x", "trace-1", 0).into(),
    );
    for place in both().await {
        let views = place.follow(&logs).await;
        let filter = TraceFilter {
            trace: Some("trace-1".to_owned()),
            ..TraceFilter::default()
        };
        let (rows, _) = views
            .traces()
            .list(&tenant("acme"), &filter, &Page::first(10))
            .await
            .unwrap();
        let shown: Vec<_> = rows
            .iter()
            .map(|row| (row.adapter.as_str(), row.cost_micros, row.decision.clone()))
            .collect();
        assert_eq!(
            shown,
            [("other", 0, None), ("coder", 1_200, Some(decision_id(2)))]
        );
        let filter = TraceFilter {
            execution: Some("run-2".to_owned()),
            ..TraceFilter::default()
        };
        let (count, _) = views
            .traces()
            .count(&tenant("acme"), &filter)
            .await
            .unwrap();
        assert_eq!(count, 1);
        let (newest, _) = views
            .traces()
            .get(&tenant("acme"), "trace-1")
            .await
            .unwrap();
        let newest = newest.unwrap();
        assert_eq!(
            (newest.attachment, newest.attachment_bytes),
            ("ab".repeat(32), 4_096)
        );
        views.close().await;
    }
}

#[tokio::test]
async fn the_audit_list_has_a_line_for_all_but_measures() {
    let logs = Logs::new();
    told(&logs, "acme");
    logs.append_in(
        "acme",
        ADAPTER,
        Some("lab"),
        &decision(5),
        &audit("run-5", "retry_seen").into(),
    );
    for place in both().await {
        let views = place.follow(&logs).await;
        let acme = tenant("acme");
        let (counts, _) = views
            .audit()
            .count_by_event(&acme, &AuditFilter::default())
            .await
            .unwrap();
        let counts: Vec<_> = counts
            .iter()
            .map(|(event, count)| (event.as_str(), *count))
            .collect();
        assert_eq!(
            counts,
            [
                ("adapter.registered.v1", 1),
                ("approval.denied.v1", 1),
                ("approval.granted.v1", 1),
                ("audit.ingested.v1", 2),
                ("decision.expired.v1", 1),
                ("decision.made.v1", 5),
                ("grant.consumed.v1", 1),
                ("log.opened.v1", 1),
                ("outcome.recorded.v1", 1),
                ("policy.published.v1", 2),
                ("setting.changed.v1", 1),
                ("violation.ingested.v1", 1),
            ]
        );
        for (what, filter, labels) in [
            (
                "a person's acts on decisions",
                AuditFilter {
                    actor: Some(OPERATOR.to_owned()),
                    event: vec![
                        "approval.granted.v1".to_owned(),
                        "approval.denied.v1".to_owned(),
                    ],
                    ..AuditFilter::default()
                },
                vec![None, None],
            ),
            (
                "an execution",
                AuditFilter {
                    execution: Some("run-2".to_owned()),
                    ..AuditFilter::default()
                },
                vec![
                    Some("approval_seen"),
                    Some("tool_execution_completed"),
                    Some("require_approval"),
                ],
            ),
            (
                "a case",
                AuditFilter {
                    subject: Some(decision(4)),
                    ..AuditFilter::default()
                },
                vec![Some("approval"), Some("require_approval")],
            ),
            (
                "a trace and a label",
                AuditFilter {
                    trace: Some("trace-1".to_owned()),
                    label: Some("outcome_without_allow".to_owned()),
                    ..AuditFilter::default()
                },
                vec![Some("outcome_without_allow")],
            ),
            (
                "a workspace",
                AuditFilter {
                    workspace: probity_projections::Workspace::Named("lab".to_owned()),
                    ..AuditFilter::default()
                },
                vec![Some("retry_seen")],
            ),
        ] {
            let (rows, _) = views
                .audit()
                .list(&acme, &filter, &Page::first(10))
                .await
                .unwrap();
            let shown: Vec<_> = rows.iter().map(|row| row.label.as_deref()).collect();
            assert_eq!(shown, labels, "{what}");
        }
        views.close().await;
    }
}
