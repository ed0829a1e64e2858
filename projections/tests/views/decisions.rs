//! Decisions and pending approvals, as an operator lists them.

use crate::log::{Logs, tenant};
use crate::place::both;
use crate::specimens::{
    ADAPTER, OPERATOR, consumed, decision, decision_id, granted, made, outcome, told,
};
use probity_projections::views::{DecisionFilter, DecisionStatus};
use probity_projections::{Page, Workspace};
use probity_schemas::vocabulary::{OutcomeStatus, Role, Verdict};

fn only(change: impl FnOnce(&mut DecisionFilter)) -> DecisionFilter {
    let mut filter = DecisionFilter::default();
    change(&mut filter);
    filter
}

#[tokio::test]
async fn lists_are_newest_first_and_narrowed_by_what_was_asked() {
    let logs = Logs::new();
    told(&logs, "acme");
    for place in both().await {
        let views = place.follow(&logs).await;
        for (what, filter, expected) in [
            (
                "all",
                only(|_| {}),
                vec!["drop", "deploy", "delete", "write", "read"],
            ),
            (
                "denied",
                only(|f| f.status = vec![DecisionStatus::Denied]),
                vec!["delete"],
            ),
            (
                "expired or used",
                only(|f| f.status = vec![DecisionStatus::Expired, DecisionStatus::Consumed]),
                vec!["deploy", "write"],
            ),
            (
                "none waits",
                only(|f| f.status = vec![DecisionStatus::Pending]),
                vec![],
            ),
            (
                "asked a person",
                only(|f| f.verdict = vec![Verdict::RequireApproval]),
                vec!["deploy", "delete", "write"],
            ),
            (
                "a tool",
                only(|f| f.action = Some("write".to_owned())),
                vec!["write"],
            ),
            (
                "a policy",
                only(|f| f.policy = Some("drop-policy".to_owned())),
                vec!["drop"],
            ),
            (
                "an execution",
                only(|f| f.execution = Some("run-3".to_owned())),
                vec!["delete"],
            ),
            (
                "another adapter",
                only(|f| f.adapter = Some("other".to_owned())),
                vec![],
            ),
            (
                "the default workspace",
                only(|f| f.workspace = Workspace::Default),
                vec!["drop", "deploy", "delete", "write", "read"],
            ),
            (
                "another workspace",
                only(|f| f.workspace = Workspace::Named("lab".to_owned())),
                vec![],
            ),
        ] {
            let (rows, position) = views
                .decisions()
                .list(&tenant("acme"), &filter, &Page::first(10))
                .await
                .unwrap();
            let actions: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
            assert_eq!(actions, expected, "{what}");
            assert_eq!(position.size, logs.size("acme"), "{what}");
            let (count, _) = views
                .decisions()
                .count(&tenant("acme"), &filter)
                .await
                .unwrap();
            assert_eq!(count, expected.len() as u64, "{what}");
        }
        let (other, position) = views
            .decisions()
            .list(&tenant("other"), &only(|_| {}), &Page::first(10))
            .await
            .unwrap();
        assert!(
            other.is_empty() && position.size == 0,
            "another tenant sees nothing"
        );
        views.close().await;
    }
}

#[tokio::test]
async fn a_long_list_is_read_page_by_page() {
    let logs = Logs::new();
    told(&logs, "acme");
    for place in both().await {
        let views = place.follow(&logs).await;
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let filter = only(|f| f.before = before);
            let (rows, _) = views
                .decisions()
                .list(&tenant("acme"), &filter, &Page::first(2))
                .await
                .unwrap();
            let Some(last) = rows.last() else { break };
            before = Some(last.sequence);
            seen.extend(rows.into_iter().map(|row| row.action));
        }
        assert_eq!(seen, ["drop", "deploy", "delete", "write", "read"]);
        let page = Page {
            limit: 2,
            offset: 3,
        };
        let (rows, _) = views
            .decisions()
            .list(&tenant("acme"), &only(|_| {}), &page)
            .await
            .unwrap();
        assert_eq!(
            rows.iter()
                .map(|row| row.action.as_str())
                .collect::<Vec<_>>(),
            ["write", "read"]
        );
        views.close().await;
    }
}

#[tokio::test]
async fn a_pending_decision_is_followed_to_its_outcome() {
    let logs = Logs::new();
    logs.open("acme", &"a1".repeat(16));
    let subject = decision(1);
    for place in both().await {
        logs.open("acme", &"a1".repeat(16));
        let views = place.follow(&logs).await;
        logs.append(
            "acme",
            ADAPTER,
            &subject,
            made("run-1", "write", Verdict::RequireApproval).into(),
        );
        let row = async || {
            views.catch_up().await.unwrap();
            let (row, _) = views
                .decisions()
                .get(&tenant("acme"), &decision_id(1))
                .await
                .unwrap();
            row.unwrap()
        };
        let pending = row().await;
        assert_eq!(
            (pending.status, pending.required_role),
            (DecisionStatus::Pending, Some(Role::Approver))
        );
        assert!(pending.expires.is_some() && pending.resolver.is_none());
        assert_eq!(pending.request.get().unwrap().action, "write");

        logs.append("acme", OPERATOR, &subject, granted().into());
        let approved = row().await;
        assert_eq!(approved.status, DecisionStatus::Approved);
        assert_eq!(
            approved.verdict,
            Verdict::RequireApproval,
            "what was decided at first stays"
        );
        assert_eq!(approved.resolver.as_deref(), Some(OPERATOR));
        assert_eq!(approved.note.as_deref(), Some("go ahead"));
        assert!(approved.updated > approved.created && approved.resolved == Some(approved.updated));

        logs.append("acme", ADAPTER, &subject, consumed().into());
        assert_eq!(row().await.status, DecisionStatus::Consumed);

        let last = logs.append(
            "acme",
            ADAPTER,
            &subject,
            outcome("run-1", OutcomeStatus::Failed).into(),
        );
        let ended = row().await;
        assert_eq!(
            (ended.status, ended.outcome),
            (DecisionStatus::Consumed, Some(OutcomeStatus::Failed))
        );
        assert_eq!((ended.sequence, ended.updated_sequence), (1, last));
        views.close().await;
    }
}

#[tokio::test]
async fn no_text_of_a_caller_keeps_a_decision_out_of_the_list() {
    let logs = Logs::new();
    logs.open("acme", &"a1".repeat(16));
    let long = "ü".repeat(4_000);
    for (number, action) in ["nul\0inside", &long, "quote ' \" ?", "line\nfeed"]
        .into_iter()
        .enumerate()
    {
        let event = made(action, action, Verdict::Deny);
        logs.append("acme", ADAPTER, &decision(number as u64), event.into());
    }
    for place in both().await {
        let views = place.follow(&logs).await;
        assert_eq!(views.parked().await.unwrap(), []);
        for (action, shown) in [
            ("nul\0inside", "nul\u{fffd}inside"),
            ("quote ' \" ?", "quote ' \" ?"),
            ("line\nfeed", "line\nfeed"),
        ] {
            let filter = only(|f| f.action = Some(action.to_owned()));
            let (rows, _) = views
                .decisions()
                .list(&tenant("acme"), &filter, &Page::first(10))
                .await
                .unwrap();
            assert_eq!(rows.len(), 1, "{action:?}");
            assert_eq!(rows[0].action, shown);
            assert_eq!(
                rows[0].request.get().unwrap().action,
                action,
                "the request is whole"
            );
        }
        let filter = only(|f| f.execution = Some(long.clone()));
        let (rows, _) = views
            .decisions()
            .list(&tenant("acme"), &filter, &Page::first(10))
            .await
            .unwrap();
        assert_eq!(rows.len(), 1, "a long name is found by its whole text");
        views.close().await;
    }
}
