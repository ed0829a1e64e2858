//! Following: from nothing, live, after a restart, by two nodes at once, and when the log turns out to be another one.

use crate::log::{Logs, tenant};
use crate::place::{Place, both};
use crate::specimens::{ADAPTER, decision, made, told};
use probity_projections::Page;
use probity_projections::views::{DecisionFilter, Views};
use probity_schemas::hash::Hash;
use probity_schemas::vocabulary::Verdict;
use std::time::Duration;

const NAMES: [&str; 7] = [
    "decisions",
    "adapters",
    "policies",
    "traces",
    "audit",
    "spend",
    "posture",
];
const SOON: Duration = Duration::from_secs(20);

/// The digest of every view, all at the end of the log.
async fn digests(views: &Views, logs: &Logs, name: &str) -> Vec<Hash> {
    let mut all = Vec::new();
    for view in NAMES {
        let (digest, position) = views.digest(view, &tenant(name)).await.unwrap();
        assert_eq!(position.size, logs.size(name), "{view} is at the end");
        all.push(digest);
    }
    all
}

async fn actions(views: &Views, name: &str) -> Vec<String> {
    let filter = DecisionFilter::default();
    let (rows, _) = views
        .decisions()
        .list(&tenant(name), &filter, &Page::first(100))
        .await
        .unwrap();
    rows.into_iter().map(|row| row.action).collect()
}

#[tokio::test]
async fn deleted_views_come_back_the_same_on_either_database() {
    let logs = Logs::new();
    told(&logs, "acme");
    told(&logs, "bolt");
    let mut everywhere = Vec::new();
    for place in both().await {
        let views = place.follow(&logs).await;
        let before = digests(&views, &logs, "acme").await;
        let (empty, _) = views.digest("decisions", &tenant("nobody")).await.unwrap();
        assert!(
            before.iter().all(|digest| *digest != empty),
            "every view holds something"
        );
        views.close().await;
        place.wipe().await;
        let views = place.follow(&logs).await;
        assert_eq!(digests(&views, &logs, "acme").await, before);
        views.close().await;
        everywhere.push(before);
    }
    assert_eq!(everywhere[0], everywhere[1]);
}

#[tokio::test]
async fn views_go_on_where_they_were_after_a_restart() {
    let logs = Logs::new();
    told(&logs, "acme");
    for (number, place) in both().await.into_iter().enumerate() {
        place.follow(&logs).await.close().await;
        let subject = decision(100 + number as u64);
        logs.append(
            "acme",
            ADAPTER,
            &subject,
            made("run-9", "late", Verdict::Deny).into(),
        );
        let views = place.open(&logs).await;
        assert_eq!(
            actions(&views, "acme").await.len(),
            5 + number,
            "what was there is there before following"
        );
        views.catch_up().await.unwrap();
        assert_eq!(actions(&views, "acme").await.len(), 6 + number);
        let resumed = digests(&views, &logs, "acme").await;
        views.close().await;
        place.wipe().await;
        let views = place.follow(&logs).await;
        assert_eq!(digests(&views, &logs, "acme").await, resumed);
        views.close().await;
    }
}

#[tokio::test]
async fn who_waits_for_a_record_sees_it_or_is_told() {
    let logs = Logs::new();
    told(&logs, "acme");
    for place in both().await {
        let views = place.open(&logs).await;
        let acme = tenant("acme");
        let soon = views
            .wait(&acme, 1, Duration::from_millis(10))
            .await
            .unwrap_err();
        assert_eq!(
            (soon.position.size, soon.wanted),
            (0, 1),
            "nobody follows yet"
        );
        views.start();
        let reached = views.wait(&acme, logs.size("acme"), SOON).await.unwrap();
        assert_eq!(reached.size, logs.size("acme"));
        let sequence = logs.append(
            "acme",
            ADAPTER,
            &decision(50),
            made("run-50", "now", Verdict::Deny).into(),
        );
        let reached = views
            .decisions()
            .wait(&acme, sequence + 1, SOON)
            .await
            .unwrap();
        assert!(reached.size > sequence);
        assert_eq!(actions(&views, "acme").await[0], "now");
        let never = views
            .wait(&acme, sequence + 1_000, Duration::from_millis(10))
            .await
            .unwrap_err();
        assert_eq!(
            never.to_string(),
            format!(
                "the view is at {0} records, not yet at {1}",
                sequence + 1,
                sequence + 1_000
            )
        );
        views.close().await;
        logs.cut("acme", 0);
        told(&logs, "acme");
    }
}

#[tokio::test]
async fn two_nodes_follow_into_one_database_and_each_record_counts_once() {
    for place in both().await {
        let logs = Logs::new();
        told(&logs, "acme");
        let (one, other) = tokio::join!(place.open(&logs), place.open(&logs));
        one.start();
        other.start();
        for number in 100..400 {
            let event = made(&format!("run-{number}"), "race", Verdict::Deny);
            logs.append("acme", ADAPTER, &decision(number), event.into());
            let cost = crate::specimens::cost(Some("opal-2"), 1, 1);
            logs.append("acme", ADAPTER, &decision(number), cost.into());
            if number % 10 == 0 {
                tokio::task::yield_now().await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        let size = logs.size("acme");
        for views in [&one, &other] {
            views.wait(&tenant("acme"), size, SOON).await.unwrap();
        }
        let raced = digests(&one, &logs, "acme").await;
        one.close().await;
        other.close().await;
        let alone = Place::sqlite();
        let views = alone.follow(&logs).await;
        assert_eq!(digests(&views, &logs, "acme").await, raced);
        views.close().await;
    }
}

#[tokio::test]
async fn a_log_that_is_another_one_is_followed_from_its_beginning() {
    for place in both().await {
        let logs = Logs::new();
        told(&logs, "acme");
        told(&logs, "bolt");
        let views = place.follow(&logs).await;
        let bolt = digests(&views, &logs, "bolt").await;
        // While it runs, a restored log takes the place: shorter first, then longer than the view had seen.
        logs.cut("acme", 6);
        views.catch_up().await.unwrap();
        assert_eq!(
            actions(&views, "acme").await,
            ["read"],
            "what is not in the log is not in the view"
        );
        for number in 200..230 {
            logs.append(
                "acme",
                ADAPTER,
                &decision(number),
                made("x", "other", Verdict::Deny).into(),
            );
        }
        views.catch_up().await.unwrap();
        assert_eq!(actions(&views, "acme").await.len(), 31);
        views.close().await;
        // While nobody looks, one of the same length and the same id takes the place.
        let size = logs.size("acme");
        logs.cut("acme", 1);
        for number in 1..size {
            logs.append(
                "acme",
                ADAPTER,
                &decision(300 + number),
                made("x", "same length", Verdict::Deny).into(),
            );
        }
        assert_eq!(logs.size("acme"), size);
        let views = place.follow(&logs).await;
        assert!(
            actions(&views, "acme")
                .await
                .iter()
                .all(|action| action == "same length")
        );
        // And one with another id.
        logs.open("acme", &"b2".repeat(16));
        logs.append(
            "acme",
            ADAPTER,
            &decision(1),
            made("x", "new log", Verdict::Deny).into(),
        );
        views.catch_up().await.unwrap();
        assert_eq!(actions(&views, "acme").await, ["new log"]);
        assert_eq!(
            digests(&views, &logs, "bolt").await,
            bolt,
            "another tenant's rows stay"
        );
        views.close().await;
    }
}

#[tokio::test]
async fn a_record_of_a_newer_program_stops_the_views_of_that_log_and_says_so() {
    for place in both().await {
        let logs = Logs::new();
        told(&logs, "acme");
        told(&logs, "bolt");
        let stop = logs.append_unknown("acme");
        logs.append(
            "acme",
            ADAPTER,
            &decision(60),
            made("x", "behind it", Verdict::Deny).into(),
        );
        let views = place.follow(&logs).await;
        views.catch_up().await.unwrap();
        assert!(
            !actions(&views, "acme")
                .await
                .contains(&"behind it".to_owned())
        );
        let told = views
            .wait(&tenant("acme"), stop + 1, SOON)
            .await
            .unwrap_err();
        assert_eq!(told.position.size, stop);
        let why = told.stopped.unwrap();
        assert!(
            why.contains("future.arrived.v1") && why.contains(&stop.to_string()),
            "{why}"
        );
        for lag in views.lag() {
            assert_eq!((lag.records, lag.stopped.len()), (2, 1), "{}", lag.view);
        }
        views
            .wait(&tenant("bolt"), logs.size("bolt"), SOON)
            .await
            .unwrap();
        views.close().await;
    }
}
