//! Many at once: second names are looked up for all of them in one question, and each gets the answer to its own.

use super::home::{Home, request};
use futures_util::future::join_all;
use probity_governance::command::{Reply, Standing};
use probity_governance::state::decision_id;
use probity_ledger::Receipt;
use uuid::Uuid;

/// The decision that a receipt is about.
fn decision(receipt: &Receipt) -> Uuid {
    match receipt.reply {
        Reply::Standing { decision, .. } => decision,
        _ => decision_id(&receipt.records[0].record().unwrap().envelope.subject).unwrap(),
    }
}

#[tokio::test]
async fn each_of_many_requests_finds_its_own_decision_again() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let ask = |ledger: &probity_ledger::Ledger| {
        let (ledger, tenant) = (ledger.clone(), home.tenant.clone());
        let all = (0..100).map(move |number| {
            let (ledger, tenant) = (ledger.clone(), tenant.clone());
            async move {
                let asked = request(&format!("e-{number}"), "send_payment");
                ledger.submit(&tenant, asked).await.unwrap()
            }
        });
        join_all(all)
    };
    let first = ask(&ledger).await;
    ledger.close().await;
    // A node that has just taken the log remembers nothing of it: what it answers is what it looked up.
    let ledger = home.open().await;
    let again = ask(&ledger).await;
    for (first, again) in first.iter().zip(&again) {
        let standing = Standing::Pending;
        let decision = decision(first);
        assert_eq!(again.reply, Reply::Standing { decision, standing });
    }
    home.check(&ledger).await;
    ledger.close().await;
}
