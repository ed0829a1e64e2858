"""What Schemathesis cannot know from a document: how a line of records is written, and what this server knows already.

Calls that keep to their schema get names, words and times of the story in fuzzed.rs, so that some of them are let in; calls that break it stay as
they were made.
"""

import json
import os

import schemathesis
from schemathesis import GenerationMode

WORDS = {
    "action": "read",
    "adapter_id": "fuzzed",
    "event_type": "tool_execution_completed",
    "kind": "note",
    "occurred_at": "2026-11-22T10:00:00.000Z",
    "period_end": "2126-12-01T00:00:00Z",
    "period_start": "2026-11-01T00:00:00Z",
    "recorded_at": "2026-11-22T10:00:00.000Z",
    "risk_class": "low",
    "role": "agent",
    "sensitivity": "none",
    "subject": "note/1",
    "tenant_id": "local",
    "tool": "read",
    "trace_id": "trace-1",
    "violation_type": "policy_violation",
    "workspace_id": "local",
}

# What stands at the end of a path, by the end of the path.
NAMES = json.loads(os.environ["PROBITY_FUZZED_NAMES"])

# One JSON value is one line.
schemathesis.serializer.alias("application/x-ndjson", "application/json")


@schemathesis.hook
def before_call(context, case, kwargs):
    """Changes a call before it is sent."""
    if "tenant" in case.path_parameters:
        case.path_parameters["tenant"] = "local"
    if isinstance(case.query, dict):
        # A stream that is followed ends with the server only.
        case.query.pop("follow", None)
        # To wait for a position that never comes takes two seconds; one of the views is enough to see it.
        if not case.path.endswith("/posture"):
            case.query.pop("min_position", None)
    if case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    for end, value in NAMES.items():
        if end in case.path:
            case.path_parameters[end[end.index("{") + 1 : end.index("}")]] = value
    if isinstance(case.body, dict):
        case.body.update({name: word for name, word in WORDS.items() if isinstance(case.body.get(name), str)})
