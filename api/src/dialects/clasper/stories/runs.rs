//! The recorded runs of three agents, played through the surface: each request is decided as the run expects.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::house::House;
use serde_json::Value;
use std::collections::HashMap;

async fn play(name: &str) {
    let path = format!(
        "{}/../tests/fixtures/runs/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let run: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let house = House::open(&["--template", "workspace.root=/workspace/repo"]).await;
    house.publish(run["policies"].as_array().unwrap()).await;
    let capabilities: Vec<&str> = run["adapter"]["capabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    let agent = house
        .adapter(
            run["adapter"]["adapter_id"].as_str().unwrap(),
            &capabilities,
        )
        .await;
    agent.register(&run["adapter"]).await.ok();
    let mut asked: HashMap<&str, (&Value, Value)> = HashMap::new();
    for (at, step) in run["steps"].as_array().unwrap().iter().enumerate() {
        let of = step["of"].as_str().unwrap_or_default();
        match step["do"].as_str().unwrap() {
            "request" => {
                let reply = agent
                    .post("/api/execution/request", &step["body"])
                    .await
                    .ok();
                assert_eq!(
                    reply["decision"], step["expect"]["decision"],
                    "{name} step {at}: {reply}"
                );
                asked.insert(
                    step["id"].as_str().unwrap(),
                    (&step["body"], reply["decision_id"].clone()),
                );
            }
            "resolve" => drop(
                house
                    .resolve(&asked[of].1, step["status"].as_str().unwrap())
                    .await
                    .ok(),
            ),
            "resume" => {
                let reply = agent.post("/api/execution/request", asked[of].0).await.ok();
                assert_eq!(
                    reply["decision"], step["expect"]["decision"],
                    "{name} step {at}: {reply}"
                );
            }
            _ => {
                let path = format!("/api/ingest/{}", step["kind"].as_str().unwrap());
                assert_eq!(
                    agent.post(&path, &step["body"]).await.ok()["status"],
                    "ok",
                    "{name} step {at}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_coding_agents_run() {
    play("coding_agent").await;
}

#[tokio::test]
async fn the_support_agents_run() {
    play("refund_agent").await;
}

#[tokio::test]
async fn the_pipeline_agents_run() {
    play("pipeline_agent").await;
}
