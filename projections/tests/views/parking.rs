//! A record that a view cannot apply holds up its own key, is shown, and is tried again when somebody asks.

use crate::log::{Logs, tenant};
use crate::place::both;
use crate::specimens::{ADAPTER, OPERATOR, consumed, decision, decision_id, granted, made, told};
use probity_projections::views::DecisionStatus;
use probity_projections::{Retried, ViewError};
use probity_schemas::vocabulary::Verdict;

#[tokio::test]
async fn an_approval_of_nothing_is_parked_and_the_rest_goes_on() {
    for place in both().await {
        let logs = Logs::new();
        told(&logs, "acme");
        let lost = logs.append("acme", OPERATOR, &decision(77), granted().into());
        let behind = logs.append("acme", ADAPTER, &decision(77), consumed().into());
        logs.append(
            "acme",
            ADAPTER,
            &decision(78),
            made("run-78", "write", Verdict::Deny).into(),
        );
        let views = place.follow(&logs).await;

        let (row, position) = views
            .decisions()
            .get(&tenant("acme"), &decision_id(78))
            .await
            .unwrap();
        assert!(
            row.is_some() && position.size == logs.size("acme"),
            "others go on"
        );
        let parked = views.parked().await.unwrap();
        let shown: Vec<_> = parked
            .iter()
            .map(|one| {
                (
                    one.view.as_str(),
                    one.key.clone(),
                    one.sequence,
                    one.error.as_str(),
                )
            })
            .collect();
        let key = format!("[\"{}\"]", decision_id(77));
        assert_eq!(
            shown,
            [
                (
                    "decisions",
                    key.clone(),
                    lost,
                    "there is no decision that it could change"
                ),
                (
                    "decisions",
                    key.clone(),
                    behind,
                    "an earlier record of the same key is parked"
                ),
            ]
        );
        let lag = views.lag();
        assert_eq!(
            lag.iter().map(|lag| lag.parked_keys).collect::<Vec<_>>(),
            [1, 0, 0, 0, 0, 0, 0]
        );

        let retried = views
            .retry("decisions", &tenant("acme"), &key)
            .await
            .unwrap();
        assert_eq!(
            retried,
            Retried {
                applied: 0,
                left: 2
            },
            "it still cannot be applied"
        );
        assert_eq!(views.parked().await.unwrap()[0].attempts, 2);
        views.close().await;
    }
}

#[tokio::test]
async fn a_parked_key_is_taken_up_again_when_what_held_it_is_mended() {
    for place in both().await {
        let logs = Logs::new();
        told(&logs, "acme");
        logs.append(
            "acme",
            ADAPTER,
            &decision(80),
            made("run-80", "write", Verdict::RequireApproval).into(),
        );
        let views = place.follow(&logs).await;
        let acme = tenant("acme");
        let status = |word: &str| {
            let table = place.table("decisions_v2_g1");
            format!(
                "UPDATE {table} SET status = '{word}' WHERE id = '{}'",
                decision_id(80)
            )
        };
        place.execute(&status("nonsense")).await;
        logs.append("acme", OPERATOR, &decision(80), granted().into());
        views.catch_up().await.unwrap();
        logs.append("acme", ADAPTER, &decision(80), consumed().into());
        views.catch_up().await.unwrap();
        let parked = views.parked().await.unwrap();
        assert_eq!(parked.len(), 2);
        assert!(parked[0].error.contains("status"), "{}", parked[0].error);
        let broken = views
            .decisions()
            .get(&acme, &decision_id(80))
            .await
            .unwrap_err();
        assert!(matches!(
            broken,
            ViewError::BadRow {
                column: "status",
                ..
            }
        ));

        place.execute(&status("pending")).await;
        let retried = views
            .retry("decisions", &acme, &parked[0].key)
            .await
            .unwrap();
        assert_eq!(
            retried,
            Retried {
                applied: 2,
                left: 0
            }
        );
        assert_eq!(views.parked().await.unwrap(), []);
        let (row, _) = views
            .decisions()
            .get(&acme, &decision_id(80))
            .await
            .unwrap();
        assert_eq!(row.unwrap().status, DecisionStatus::Consumed);
        views.catch_up().await.unwrap();
        assert!(views.lag().iter().all(|lag| lag.parked_keys == 0));
        assert!(views.rebuild("decisions").await.unwrap().equal);
        views.close().await;
    }
}

#[tokio::test]
async fn a_sum_that_does_not_fit_is_parked_and_not_wrapped() {
    for place in both().await {
        let logs = Logs::new();
        told(&logs, "acme");
        let most = crate::specimens::cost(Some("ruby-1"), 10, (1 << 53) - 1);
        for _ in 0..1_026 {
            logs.append("acme", ADAPTER, &decision(2), most.clone().into());
        }
        let views = place.follow(&logs).await;
        let parked = views.parked().await.unwrap();
        assert_eq!(parked[0].view, "spend");
        assert_eq!(parked[0].key, r#"["2026-11-22","coder","ruby-1"]"#);
        assert_eq!(
            parked.len(),
            2,
            "the 1025th sum is past 63 bits, the 1026th waits behind it"
        );
        let unknown = views
            .retry("spending", &tenant("acme"), "[]")
            .await
            .unwrap_err();
        assert!(matches!(unknown, ViewError::UnknownView { .. }));
        views.close().await;
    }
}
