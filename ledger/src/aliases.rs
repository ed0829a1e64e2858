//! Aliases, looked up for many requests at once: what is asked while the store answers goes into the next question.
//!
//! Each request asked alone costs two changes of threads on SQLite and a round trip on PostgreSQL. Not a cache: every
//! answer is the store's, of a moment after it was asked for.

use crate::limits::{ALIASES_A_QUESTION_MAX, QUEUE_COMMANDS_MAX};
use crate::store::{LogNumber, Store, StoreError};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// What aliases lead to, in the order in which they were asked for.
type Found = Vec<Option<String>>;

/// Names, and where the answer goes.
struct Question {
    names: Vec<String>,
    answer: oneshot::Sender<Found>,
}

/// Where the requests of a log ask.
#[derive(Clone, Debug)]
pub(crate) struct Aliases(mpsc::Sender<Question>);

impl Aliases {
    /// Answers until it is dropped.
    pub(crate) fn of(store: Arc<dyn Store>, log: LogNumber) -> Self {
        let (sender, questions) = mpsc::channel(QUEUE_COMMANDS_MAX);
        tokio::spawn(answer_all(store, log, questions));
        Self(sender)
    }

    /// What these names lead to.
    ///
    /// # Errors
    /// The store's; then it was asked once more, for these alone.
    pub(crate) async fn find(
        &self,
        store: &dyn Store,
        log: LogNumber,
        names: &[String],
    ) -> Result<Found, StoreError> {
        let (answer, found) = oneshot::channel();
        let question = Question {
            names: names.to_vec(),
            answer,
        };
        if self.0.send(question).await.is_ok()
            && let Ok(found) = found.await
        {
            return Ok(found);
        }
        store.aliases(log, names).await
    }
}

async fn answer_all(
    store: Arc<dyn Store>,
    log: LogNumber,
    mut questions: mpsc::Receiver<Question>,
) {
    while let Some(first) = questions.recv().await {
        let mut names = first.names.clone();
        let mut asked = vec![first];
        while names.len() < ALIASES_A_QUESTION_MAX
            && let Ok(next) = questions.try_recv()
        {
            names.extend_from_slice(&next.names);
            asked.push(next);
        }
        // Where the store fails, the answers are dropped, and each asks for itself and is told why.
        let Ok(found) = store.aliases(log, &names).await else {
            continue;
        };
        let mut found = found.into_iter();
        for Question { names, answer } in asked {
            let _ = answer.send(found.by_ref().take(names.len()).collect());
        }
    }
}
