//! The answer to a retried request, as an idempotency row keeps it: the records say most of it, one word the rest.

use probity_governance::command::{Reply, Standing};
use uuid::Uuid;

/// The reply as a row keeps it.
#[must_use]
pub(crate) fn encode(reply: &Reply) -> String {
    match reply {
        Reply::Recorded => "recorded".to_owned(),
        Reply::Duplicate => "duplicate".to_owned(),
        Reply::Standing { decision, standing } => format!("{standing} {decision}"),
        Reply::Resumed { decision } => format!("resumed {decision}"),
        Reply::Expired { decision } => format!("run-out {decision}"),
    }
}

/// Reads what [`encode`] wrote.
#[must_use]
pub(crate) fn decode(text: &str) -> Option<Reply> {
    let (word, id) = match text.split_once(' ') {
        Some((word, id)) => (word, Some(Uuid::try_parse(id).ok()?)),
        None => (text, None),
    };
    match (word, id) {
        ("recorded", None) => Some(Reply::Recorded),
        ("duplicate", None) => Some(Reply::Duplicate),
        ("resumed", Some(decision)) => Some(Reply::Resumed { decision }),
        ("run-out", Some(decision)) => Some(Reply::Expired { decision }),
        (word, Some(decision)) => {
            standing(word).map(|standing| Reply::Standing { decision, standing })
        }
        _ => None,
    }
}

fn standing(word: &str) -> Option<Standing> {
    const ALL: [Standing; 7] = [
        Standing::Pending,
        Standing::Approved,
        Standing::Denied,
        Standing::Allowed,
        Standing::Consumed,
        Standing::Refused,
        Standing::Expired,
    ];
    ALL.into_iter().find(|standing| standing.as_str() == word)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use probity_governance::command::{Reply, Standing};
    use uuid::Uuid;

    #[test]
    fn every_reply_comes_back() {
        let decision = Uuid::from_u128(7);
        for reply in [
            Reply::Recorded,
            Reply::Duplicate,
            Reply::Standing {
                decision,
                standing: Standing::Pending,
            },
            Reply::Standing {
                decision,
                standing: Standing::Denied,
            },
            Reply::Resumed { decision },
            Reply::Expired { decision },
        ] {
            assert_eq!(decode(&encode(&reply)), Some(reply));
        }
        assert_eq!(decode("pending"), None);
        assert_eq!(decode("recorded 7"), None);
    }
}
