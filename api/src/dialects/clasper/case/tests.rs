//! How a decision stands, at each moment of its life.

use super::samples::{START, case, consumed, denied, directory, facts, granted, policy, request};
use super::{Status, iso};
use probity_schemas::vocabulary::Effect;

#[test]
fn a_decision_stands_by_its_records_and_by_the_time() {
    let asks = directory(&[
        policy("ask", Some("send"), Effect::RequireApproval, 0),
        policy("ok", Some("read"), Effect::Allow, 0),
    ]);
    let send = |after| case(facts(request("send")), &asks, after).row;
    let table = [
        (send(vec![]), 0, "pending", "pending"),
        (send(vec![]), 3_600, "pending", "pending"),
        (send(vec![]), 3_601, "expired", "deny"),
        (send(vec![granted()]), 960, "approved", "allow"),
        (send(vec![granted()]), 961, "expired", "deny"),
        (
            send(vec![granted(), consumed()]),
            100_000,
            "approved",
            "allow",
        ),
        (send(vec![denied()]), 100_000, "denied", "deny"),
        (
            case(facts(request("read")), &asks, vec![]).row,
            100_000,
            "allow",
            "allow",
        ),
        (
            case(facts(request("delete")), &asks, vec![]).row,
            100_000,
            "deny",
            "deny",
        ),
    ];
    for (row, seconds, word, effect) in table {
        let status = Status::of(&row, START.plus_seconds(seconds));
        assert_eq!(
            (status.as_str(), status.effect()),
            (word, effect),
            "{:?} after {seconds} s",
            row.status
        );
    }
}

#[test]
fn times_are_written_to_the_millisecond() {
    assert_eq!(iso(START), "2027-01-15T08:00:00.000Z");
}
