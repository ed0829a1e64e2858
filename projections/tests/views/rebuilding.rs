//! A view is built again beside itself: the two are compared, and the new one is read from then on.

use crate::log::{Logs, tenant};
use crate::place::both;
use crate::specimens::{ADAPTER, decision, decision_id, made, told};
use probity_schemas::vocabulary::Verdict;

#[tokio::test]
async fn a_rebuild_equals_the_live_view_and_can_be_repeated() {
    for place in both().await {
        let logs = Logs::new();
        told(&logs, "acme");
        told(&logs, "bolt");
        let views = place.follow(&logs).await;
        let (before, _) = views.digest("audit", &tenant("acme")).await.unwrap();
        for _ in 0..3 {
            for name in ["decisions", "audit", "spend", "posture"] {
                let report = views.rebuild(name).await.unwrap();
                assert!(
                    report.equal && report.digest_before == report.digest_after,
                    "{name}"
                );
                assert_eq!(report.records, logs.size("acme") + logs.size("bolt"));
            }
        }
        let (after, position) = views.digest("audit", &tenant("acme")).await.unwrap();
        assert_eq!((after, position.size), (before, logs.size("acme")));
        logs.append(
            "acme",
            ADAPTER,
            &decision(90),
            made("run-90", "after", Verdict::Deny).into(),
        );
        views.catch_up().await.unwrap();
        let (row, _) = views
            .decisions()
            .get(&tenant("acme"), &decision_id(90))
            .await
            .unwrap();
        assert!(row.is_some(), "the new generation is followed");
        views.close().await;
        let views = place.follow(&logs).await;
        let (row, _) = views
            .decisions()
            .get(&tenant("acme"), &decision_id(90))
            .await
            .unwrap();
        assert!(row.is_some(), "and is read after a restart");
        views.close().await;
    }
}

#[tokio::test]
async fn a_view_that_was_tampered_with_is_reported_and_mended() {
    for place in both().await {
        let logs = Logs::new();
        told(&logs, "acme");
        let views = place.follow(&logs).await;
        let (honest, _) = views.digest("decisions", &tenant("acme")).await.unwrap();
        let table = place.table("decisions_v2_g1");
        place
            .execute(&format!(
                "UPDATE {table} SET verdict = 'allow' WHERE action = 'drop'"
            ))
            .await;
        let report = views.rebuild("decisions").await.unwrap();
        assert!(!report.equal && report.digest_before != report.digest_after);
        let (mended, _) = views.digest("decisions", &tenant("acme")).await.unwrap();
        assert_eq!(mended, honest);
        views.close().await;
    }
}

#[tokio::test]
async fn a_rebuild_ends_while_records_keep_coming() {
    for place in both().await {
        let logs = Logs::new();
        told(&logs, "acme");
        let views = place.open(&logs).await;
        views.start();
        let writing = {
            let logs = logs.clone();
            tokio::spawn(async move {
                for number in 1_000..1_200 {
                    logs.append(
                        "acme",
                        ADAPTER,
                        &decision(number),
                        made("x", "busy", Verdict::Deny).into(),
                    );
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            })
        };
        let report = views.rebuild("decisions").await.unwrap();
        assert!(report.equal);
        writing.await.unwrap();
        assert!(views.rebuild("decisions").await.unwrap().equal);
        views.close().await;
    }
}
