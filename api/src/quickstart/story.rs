//! Plays a recorded run as an adapter's traffic, and tells what happens while it happens.
//!
//! Ids of executions and traces get the number of this play, so that a second one on the same directory is new to the
//! ledger. Every step says what is expected of it; what comes otherwise is a surprise, told and counted.

use super::client::{As, Client};
use crate::cli::Failure;
use crate::output::say;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A recorded run.
#[derive(Deserialize)]
struct Run {
    description: String,
    adapter: Value,
    policies: Vec<Value>,
    steps: Vec<Step>,
}

/// One step of it.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
enum Step {
    /// The agent asks.
    Request {
        id: String,
        body: Value,
        expect: Expect,
    },
    /// A person answers.
    Resolve {
        of: String,
        status: String,
        justification: String,
    },
    /// The agent asks again, the same.
    Resume { of: String, expect: Expect },
    /// The agent reports.
    Ingest { kind: String, body: Value },
}

#[derive(Deserialize)]
struct Expect {
    decision: String,
}

/// A play of a run.
struct Play<'a> {
    client: &'a Client,
    adapter: As,
    asked: BTreeMap<String, Asked>,
    reports: BTreeMap<String, u32>,
    surprises: Vec<String>,
}

/// What was asked, to be asked again or resolved.
struct Asked {
    body: Value,
    decision: String,
}

/// Plays a run; gives what did not go as expected.
pub(super) async fn play(run: &str, client: &Client) -> Result<Vec<String>, Failure> {
    let run = read(run)?;
    let adapter = client.adapter(&run.adapter)?;
    let mut play = Play {
        client,
        adapter,
        asked: BTreeMap::new(),
        reports: BTreeMap::new(),
        surprises: Vec::new(),
    };
    say(format_args!("the story: {}\n", run.description));
    play.publish(&run.policies).await?;
    play.register(&run.adapter).await?;
    for step in run.steps {
        play.step(step).await?;
    }
    play.conclude(&run.adapter).await?;
    Ok(play.surprises)
}

impl Play<'_> {
    async fn publish(&mut self, policies: &[Value]) -> Result<(), Failure> {
        for policy in policies {
            let (status, _) = self
                .client
                .call(
                    &As::Operator,
                    Method::POST,
                    "/ops/api/policies",
                    Some(policy),
                )
                .await?;
            self.expect("a policy is taken", "200", status.as_str());
        }
        say(format_args!(
            "policies   {} published; no match is a deny (guarded)",
            policies.len()
        ));
        Ok(())
    }

    async fn register(&mut self, adapter: &Value) -> Result<(), Failure> {
        let (status, _) = self
            .client
            .call(
                &self.adapter,
                Method::POST,
                "/adapters/register",
                Some(adapter),
            )
            .await?;
        self.expect("the adapter is registered", "200", status.as_str());
        say(format_args!(
            "adapter    {} registered, risk class {}\n",
            text(adapter, "adapter_id"),
            text(adapter, "risk_class")
        ));
        Ok(())
    }

    async fn step(&mut self, step: Step) -> Result<(), Failure> {
        match step {
            Step::Request { id, body, expect } => self.request(id, body, &expect).await,
            Step::Resolve {
                of,
                status,
                justification,
            } => self.resolve(&of, &status, &justification).await,
            Step::Resume { of, expect } => self.resume(&of, &expect).await,
            Step::Ingest { kind, body } => self.ingest(&kind, &body).await,
        }
    }

    async fn request(&mut self, id: String, body: Value, expect: &Expect) -> Result<(), Failure> {
        let answer = self.ask(&body).await?;
        let verdict = text(&answer, "decision");
        self.expect(&id, &expect.decision, verdict);
        say(format_args!(
            "{:<10} {:<44} {}",
            verdict,
            describe(&body),
            text(&answer, "explanation")
        ));
        self.asked.insert(
            id,
            Asked {
                body,
                decision: text(&answer, "decision_id").to_owned(),
            },
        );
        Ok(())
    }

    async fn resolve(
        &mut self,
        of: &str,
        status: &str,
        justification: &str,
    ) -> Result<(), Failure> {
        let decision = self
            .asked
            .get(of)
            .map_or("", |asked| asked.decision.as_str());
        let path = format!("/ops/api/decisions/{decision}/resolve");
        let body = json!({ "status": status, "justification": justification });
        let (code, _) = self
            .client
            .call(&As::Operator, Method::POST, &path, Some(&body))
            .await?;
        self.expect(of, "200", code.as_str());
        say(format_args!("  person   {status}: {justification}"));
        self.poll(
            of,
            if status == "approved" {
                "allow"
            } else {
                "deny"
            },
        )
        .await
    }

    /// Looks how the execution stands, as an adapter that waits does. Looking uses nothing up.
    async fn poll(&mut self, of: &str, expected: &str) -> Result<(), Failure> {
        let execution = self
            .asked
            .get(of)
            .map_or("", |asked| text(&asked.body, "execution_id"));
        let path = format!("/api/execution/{execution}");
        let (_, answer) = self
            .client
            .call(&self.adapter, Method::GET, &path, None)
            .await?;
        self.expect(of, expected, text(&answer, "effect"));
        Ok(())
    }

    async fn resume(&mut self, of: &str, expect: &Expect) -> Result<(), Failure> {
        let body = self
            .asked
            .get(of)
            .map_or(Value::Null, |asked| asked.body.clone());
        let answer = self.ask(&body).await?;
        let verdict = text(&answer, "decision");
        self.expect(of, &expect.decision, verdict);
        say(format_args!(
            "  agent    asks again, the very same: {verdict}"
        ));
        Ok(())
    }

    async fn ingest(&mut self, kind: &str, body: &Value) -> Result<(), Failure> {
        let (_, answer) = self
            .client
            .call(
                &self.adapter,
                Method::POST,
                &format!("/api/ingest/{kind}"),
                Some(body),
            )
            .await?;
        let status = text(&answer, "status");
        if !["ok", "duplicate"].contains(&status) {
            self.surprises
                .push(format!("a report of {kind} was answered {answer}"));
        }
        *self.reports.entry(kind.to_owned()).or_default() += 1;
        Ok(())
    }

    async fn conclude(&mut self, adapter: &Value) -> Result<(), Failure> {
        let reports: Vec<String> = self
            .reports
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        say(format_args!("\nreported   {}", reports.join(", ")));
        let (_, posture) = self
            .client
            .call(&self.adapter, Method::GET, "/api/adapter/posture", None)
            .await?;
        self.expect(
            "the posture",
            text(adapter, "adapter_id"),
            text(&posture, "adapter"),
        );
        say(format_args!(
            "posture    {}, mode {}, {} policies",
            text(&posture, "status"),
            text(&posture, "mode"),
            posture["policy_count"]
        ));
        Ok(())
    }

    async fn ask(&self, body: &Value) -> Result<Value, Failure> {
        let (_, answer) = self
            .client
            .call(
                &self.adapter,
                Method::POST,
                "/api/execution/request",
                Some(body),
            )
            .await?;
        Ok(answer)
    }

    fn expect(&mut self, what: &str, expected: &str, found: &str) {
        if expected != found {
            self.surprises
                .push(format!("{what}: expected {expected}, found {found:?}"));
        }
    }
}

/// Reads a run and makes its ids new to the ledger.
fn read(run: &str) -> Result<Run, Failure> {
    let unreadable = |error: serde_json::Error| Failure::Story {
        count: 1,
        what: format!("the run cannot be read: {error}"),
    };
    let mut run: Value = serde_json::from_str(run).map_err(unreadable)?;
    let mut ids = BTreeSet::new();
    collect_ids(&run, &mut ids);
    let play = uuid::Uuid::now_v7().simple().to_string();
    rename_ids(&mut run, &ids, play.get(20..).unwrap_or_default());
    serde_json::from_value(run).map_err(unreadable)
}

fn collect_ids(value: &Value, ids: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for name in ["execution_id", "trace_id"] {
                ids.extend(fields.get(name).and_then(Value::as_str).map(str::to_owned));
            }
            fields.values().for_each(|value| collect_ids(value, ids));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_ids(item, ids)),
        _ => {}
    }
}

fn rename_ids(value: &mut Value, ids: &BTreeSet<String>, play: &str) {
    match value {
        Value::String(text) if ids.contains(text) => *text = format!("{text}-{play}"),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|value| rename_ids(value, ids, play)),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| rename_ids(item, ids, play)),
        _ => {}
    }
}

/// What was asked, in a few words.
fn describe(body: &Value) -> String {
    let context = &body["context"];
    let words = |value: &Value| -> Option<String> {
        let words: Vec<&str> = value.as_array()?.iter().filter_map(Value::as_str).collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    let what = words(&context["exec"]["argv"]).or_else(|| words(&context["targets"]["paths"]));
    let what = what
        .or_else(|| context["url"].as_str().map(str::to_owned))
        .unwrap_or_else(|| text(body, "intent").to_owned());
    format!("{} {what}", text(body, "tool"))
        .chars()
        .take(44)
        .collect()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{describe, read};
    use crate::quickstart::RUN;
    use serde_json::json;

    #[test]
    fn a_run_is_read_and_new_each_time() {
        let (one, other) = (read(RUN).unwrap(), read(RUN).unwrap());
        assert!(one.steps.len() >= 50 && one.policies.len() >= 5);
        let first = |run: &super::Run| match &run.steps[0] {
            super::Step::Request { body, .. } => body["execution_id"].as_str().unwrap().to_owned(),
            _ => unreachable!("the run begins with a request"),
        };
        assert_ne!(first(&one), first(&other));
    }

    #[test]
    fn a_request_is_described_by_what_it_would_do() {
        let request = |context| json!({ "tool": "exec", "intent": "inspect", "context": context });
        assert_eq!(
            describe(&request(json!({ "exec": { "argv": ["ls", "-la"] } }))),
            "exec ls -la"
        );
        assert_eq!(
            describe(&request(json!({ "targets": { "paths": ["/a"] } }))),
            "exec /a"
        );
        assert_eq!(describe(&request(json!({}))), "exec inspect");
    }
}
