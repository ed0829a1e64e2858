//! Plays the agent runs of `tests/fixtures/runs` over HTTP, step by step, and checks each answer against the run's own expectation.

use crate::harness::{Server, repository};
use crate::plugin::{Operator, Plugin};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(crate) const RUNS: [&str; 3] = ["coding_agent", "refund_agent", "pipeline_agent"];

/// A run, as it is written.
pub(crate) fn load(name: &str) -> Value {
    let path = repository()
        .join("tests/fixtures/runs")
        .join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Plays a run to its end; how many steps it had.
pub(crate) async fn play(server: &Server, name: &str) -> usize {
    let run = load(name);
    let adapter = &run["adapter"];
    let capabilities: Vec<&str> = adapter["capabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    let plugin = server.plugin(adapter["adapter_id"].as_str().unwrap(), &capabilities);
    let operator = server.operator();
    plugin.register(adapter).await;
    for policy in run["policies"].as_array().unwrap() {
        operator.publish(policy).await;
    }
    let mut asked = HashMap::new();
    let steps = run["steps"].as_array().unwrap();
    for (number, step) in steps.iter().enumerate() {
        take(&plugin, &operator, step, &mut asked)
            .await
            .unwrap_or_else(|why| panic!("{name}, step {number}: {why}\n{step}"));
    }
    // The next run brings its own fallback and rules.
    for policy in run["policies"].as_array().unwrap() {
        let path = format!(
            "/ops/api/policies/{}",
            policy["policy_id"].as_str().unwrap()
        );
        let (status, answer) = operator
            .call(reqwest::Method::DELETE, &path, Some(&json!({})))
            .await;
        assert_eq!(status, 200, "{answer}");
    }
    steps.len()
}

/// What was asked under a step's name: the request, and the decision it got.
type Asked = HashMap<String, (Value, String)>;

async fn take(
    plugin: &Plugin,
    operator: &Operator,
    step: &Value,
    asked: &mut Asked,
) -> Result<(), String> {
    let of = step["of"]
        .as_str()
        .and_then(|name| asked.get(name))
        .cloned();
    match step["do"].as_str().unwrap_or_default() {
        "request" => {
            let answer = plugin.request(&step["body"]).await;
            expect(step, &answer)?;
            let id = answer["decision_id"]
                .as_str()
                .ok_or_else(|| format!("no decision_id: {answer}"))?;
            let name = step["id"].as_str().unwrap_or_default().to_owned();
            asked.insert(name, (step["body"].clone(), id.to_owned()));
        }
        "resolve" => {
            let (_, decision) = of.ok_or("nothing was asked under that name")?;
            operator
                .resolve(&decision, step["status"].as_str().unwrap_or_default())
                .await;
        }
        "resume" => {
            let (body, _) = of.ok_or("nothing was asked under that name")?;
            expect(step, &plugin.request(&body).await)?;
        }
        "ingest" => {
            let answer = plugin
                .ingest(step["kind"].as_str().unwrap_or_default(), &step["body"])
                .await;
            if answer["status"] != json!("ok") {
                return Err(format!("ingest answered {answer}"));
            }
        }
        other => return Err(format!("no such step: {other}")),
    }
    Ok(())
}

fn expect(step: &Value, answer: &Value) -> Result<(), String> {
    let (wanted, found) = (&step["expect"]["decision"], &answer["decision"]);
    if wanted == found {
        Ok(())
    } else {
        Err(format!("expected {wanted}, got {found}: {answer}"))
    }
}
