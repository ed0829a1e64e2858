//! What a command names, as far as it can be told without deciding it.

use probity_governance::command::{Alias, Command, Operation};
use probity_schemas::subject::Subject;
use std::collections::HashSet;
use uuid::Uuid;

/// The decision a subject speaks of.
pub(crate) fn decision_id(subject: &str) -> Option<Uuid> {
    subject
        .strip_prefix("decision/")
        .and_then(|id| Uuid::try_parse(id).ok())
}

/// Second names that deciding it will look for.
pub(super) fn aliases_of(command: &Command) -> Vec<String> {
    let (actor, workspace) = (command.actor.as_str(), command.workspace.as_deref());
    let names = match &command.operation {
        Operation::RequestDecision(asked) => asked
            .request
            .execution
            .iter()
            .map(|execution| Alias::execution(actor, workspace, execution))
            .collect(),
        Operation::Report(report) => vec![
            Alias::report(actor, workspace, &report.execution, &report.dedup),
            Alias::execution(actor, workspace, &report.execution),
            Alias::ungoverned(actor, workspace, &report.execution),
        ],
        _ => Vec::new(),
    };
    names
        .iter()
        .map(|alias| alias.as_str().to_owned())
        .collect()
}

/// Subjects a command is likely to append to; one that is missing here is looked up by the writer.
pub(super) fn subjects_of(operation: &Operation) -> Vec<String> {
    let named = |thing: &str, id: &str| {
        Subject::new(thing, id)
            .map(|subject| subject.to_string())
            .into_iter()
            .collect()
    };
    match operation {
        Operation::RegisterAdapter(adapter) => named("adapter", &adapter.id),
        Operation::ResolveApproval(resolution) => {
            vec![Subject::of("decision", resolution.decision).to_string()]
        }
        Operation::PublishPolicy(policy) => named("policy", &policy.id),
        Operation::RetirePolicy(id) => named("policy", id),
        Operation::Observe(observations) => {
            let distinct: HashSet<&str> = observations
                .iter()
                .map(|one| one.subject.as_str())
                .collect();
            distinct.into_iter().map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}
