//! What is found wrong in a run, wherever it is found: a panic in a client, in the database, or in a task of the ledger that nobody
//! waits for.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    /// What was found on this thread; none: nobody looks.
    static FOUND: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs something, and gives what it gives, or what was found wrong.
pub(crate) fn found_in<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let kept = FOUND.with_borrow_mut(|found| {
                found
                    .as_mut()
                    .map(|all| all.push(info.to_string()))
                    .is_some()
            });
            if !kept {
                usual(info);
            }
        }));
    });
    FOUND.set(Some(Vec::new()));
    let result = panic::catch_unwind(panic::AssertUnwindSafe(run));
    let found = FOUND.take().unwrap_or_default();
    match (result, found.into_iter().next()) {
        (Ok(result), None) => Ok(result),
        (_, first) => Err(first.unwrap_or_default()),
    }
}

/// Whether something was found already.
pub(crate) fn any() -> bool {
    FOUND.with_borrow(|found| found.as_ref().is_some_and(|all| !all.is_empty()))
}
