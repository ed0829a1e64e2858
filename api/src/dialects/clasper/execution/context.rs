//! The context of a request: kept whole as the caller wrote it, after the parts that the contract knows were found to be of
//! their kind. A text where a policy expects true or false would make its condition miss.

use super::super::fields::{self, Faults, Fields, flag, kind, object, text, texts};
use probity_schemas::body::Body;

/// Reads a context.
pub(super) fn read(raw: &str) -> Result<Body, String> {
    let body = object(raw)?;
    check(&body).map_err(|faults| {
        let named: Vec<String> = faults
            .named()
            .map(|(name, message)| format!("{name}: {message}"))
            .collect();
        named.join("; ")
    })?;
    Ok(body)
}

fn check(body: &Body) -> Result<(), Faults> {
    let mut fields = Fields::open(Some(body))?;
    for name in ["external_network", "writes_files", "elevated_privileges"] {
        let _ = fields.optional(name, flag);
    }
    for name in [
        "package_manager",
        "channel",
        "recipient",
        "channel_display",
        "url",
        "query",
    ] {
        let _ = fields.optional(name, text);
    }
    let _ = fields.optional("targets", targets);
    let _ = fields.nested("exec", |exec| {
        let _ = exec.optional("argv0", text);
        let _ = exec.optional("argv", texts);
        let _ = exec.optional("cwd", text);
    });
    let _ = fields.nested("side_effects", |effects| {
        let _ = effects.optional("writes_possible", flag);
        let _ = effects.optional("network_possible", flag);
    });
    fields.close(())
}

/// A list of paths, or an object of paths and hosts.
fn targets(raw: &str) -> Result<(), String> {
    if kind(raw) != "object" {
        return texts(raw).map(drop);
    }
    let mut fields =
        Fields::open(Some(&fields::body(raw)?)).map_err(|_| "Expected object".to_owned())?;
    let _ = fields.optional("paths", texts);
    let _ = fields.optional("hosts", texts);
    fields.close(()).map_err(|faults| {
        faults
            .named()
            .map(|(name, message)| format!("{name}: {message}"))
            .collect::<Vec<_>>()
            .join("; ")
    })
}
