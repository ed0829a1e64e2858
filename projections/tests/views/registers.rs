//! Adapters, policies and posture, as they stand now.

use crate::log::{Logs, tenant};
use crate::place::both;
use crate::specimens::{ADAPTER, OPERATOR, adapter, policy, retired, setting, told};
use probity_governance::posture::PostureStatus;
use probity_projections::Page;
use probity_projections::views::{AdapterFilter, PolicyFilter};
use probity_schemas::vocabulary::{Effect, Mode};

#[tokio::test]
async fn an_adapter_that_registers_again_keeps_its_first_day() {
    let logs = Logs::new();
    told(&logs, "acme");
    let again = logs.append(
        "acme",
        ADAPTER,
        "adapter/coder",
        adapter("coder", "1.1.0", &["read"]).into(),
    );
    let mut off = adapter("mailer", "0.1.0", &["send_mail"]);
    off.enabled = false;
    logs.append("acme", "adapter:mailer", "adapter/mailer", off.into());
    for place in both().await {
        let views = place.follow(&logs).await;
        let page = Page::first(10);
        let (rows, _) = views
            .adapters()
            .list(&tenant("acme"), &AdapterFilter::default(), &page)
            .await
            .unwrap();
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, ["coder", "mailer"]);
        assert_eq!(
            (rows[0].version.as_str(), rows[0].sequence),
            ("1.1.0", again)
        );
        assert!(rows[0].created < rows[0].updated);
        assert_eq!(rows[0].tool_capabilities.get().unwrap(), ["read"]);
        let enabled = AdapterFilter {
            enabled: Some(true),
        };
        let (count, _) = views
            .adapters()
            .count(&tenant("acme"), &enabled)
            .await
            .unwrap();
        assert_eq!(count, 1);
        let (none, _) = views
            .adapters()
            .get(&tenant("acme"), "nobody")
            .await
            .unwrap();
        assert_eq!(none, None);
        views.close().await;
    }
}

#[tokio::test]
async fn policies_are_listed_as_they_are_weighed_and_go_when_retired() {
    let logs = Logs::new();
    told(&logs, "acme");
    let mut lab = policy("lab", Some("shell"), Effect::Deny, 50);
    lab.policy.scope.workspace = Some("lab".to_owned());
    logs.append("acme", OPERATOR, "policy/lab", lab.into());
    logs.append("acme", OPERATOR, "policy/read", retired("read").into());
    logs.append(
        "acme",
        OPERATOR,
        "policy/read",
        policy("read", Some("read"), Effect::Deny, 5).into(),
    );
    logs.append(
        "acme",
        OPERATOR,
        "policy/gone",
        policy("gone", None, Effect::Allow, 900).into(),
    );
    logs.append("acme", OPERATOR, "policy/gone", retired("gone").into());
    for place in both().await {
        let views = place.follow(&logs).await;
        let page = Page::first(10);
        let (rows, _) = views
            .policies()
            .list(&tenant("acme"), &PolicyFilter::default(), &page)
            .await
            .unwrap();
        let shown: Vec<_> = rows
            .iter()
            .map(|row| (row.id.as_str(), row.precedence, row.effect))
            .collect();
        assert_eq!(
            shown,
            [
                ("lab", 50, Effect::Deny),
                ("read", 5, Effect::Deny),
                ("rest", -100, Effect::RequireApproval),
            ]
        );
        let (read, _) = views.policies().get(&tenant("acme"), "read").await.unwrap();
        let read = read.unwrap();
        assert_eq!(
            read.created, read.updated,
            "published again after it was retired, it is new"
        );
        assert_eq!(read.policy.get().unwrap().id, "read");
        let (gone, _) = views.policies().get(&tenant("acme"), "gone").await.unwrap();
        assert_eq!(gone, None);
        views.close().await;
    }
}

#[tokio::test]
async fn posture_follows_mode_policies_and_tools() {
    for place in both().await {
        let logs = Logs::new();
        logs.open("acme", &"a1".repeat(16));
        logs.append(
            "acme",
            ADAPTER,
            "adapter/coder",
            adapter("coder", "1", &["read", "write"]).into(),
        );
        let views = place.open(&logs).await;
        let posture = async |what: &str| {
            views.catch_up().await.unwrap();
            let (posture, position) = views
                .posture()
                .of(&tenant("acme"), "coder", None)
                .await
                .unwrap();
            assert_eq!(position.size, logs.size("acme"), "{what}");
            (
                posture.mode,
                posture.status,
                posture.policy_count,
                posture.covered,
                posture.uncovered,
            )
        };
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            posture("nothing set").await,
            (
                Mode::Guarded,
                PostureStatus::Degraded,
                0,
                vec![],
                names(&["read", "write"])
            )
        );
        logs.append(
            "acme",
            OPERATOR,
            "policy/read",
            policy("read", Some("read"), Effect::Allow, 10).into(),
        );
        assert_eq!(
            posture("one policy").await,
            (
                Mode::Guarded,
                PostureStatus::Degraded,
                1,
                names(&["read"]),
                names(&["write"])
            )
        );
        logs.append(
            "acme",
            OPERATOR,
            "policy/rest",
            policy("rest", None, Effect::RequireApproval, -100).into(),
        );
        assert_eq!(
            posture("a fallback").await,
            (
                Mode::Guarded,
                PostureStatus::Enforced,
                2,
                names(&["read", "write"]),
                vec![]
            )
        );
        logs.append("acme", OPERATOR, "policy/rest", retired("rest").into());
        logs.append(
            "acme",
            "system",
            "setting/mode",
            setting("mode", Some("permissive")).into(),
        );
        assert_eq!(
            posture("permissive").await,
            (
                Mode::Permissive,
                PostureStatus::Disabled,
                1,
                names(&["read"]),
                names(&["write"])
            )
        );
        logs.append(
            "acme",
            "system",
            "setting/mode",
            setting("mode", None).into(),
        );
        assert_eq!(posture("the default mode again").await.0, Mode::Guarded);
        let (all, _) = views.posture().all(&tenant("acme"), None).await.unwrap();
        assert_eq!(
            all.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(),
            ["coder"]
        );
        views.close().await;
    }
}
