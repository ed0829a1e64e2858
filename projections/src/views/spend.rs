//! Tokens and money, summed by adapter, model and day, from the costs that were reported. A trace states figures of its own;
//! they are not counted again here.
//!
//! The day is that of the record, in UTC: a reporter's clock could put money into any year.

use crate::entry::Entry;
use crate::error::{Unappliable, ViewError};
use crate::position::Position;
use crate::query::{Conditions, Listed, Query};
use crate::value::{Kind, Value};
use crate::view::{Key, View, row};
use probity_schemas::event::Event;
use probity_schemas::event::telemetry::CostIngested;
use probity_schemas::subject::Tenant;
use serde::Serialize;

row! {
    /// What an adapter spent on a model in a day.
    SpendRow {
        /// The day, `YYYY-MM-DD`.
        day: String,
        /// The adapter that reported it; another reporter under its actor's whole name.
        adapter: String,
        /// The model; empty when none was named.
        model: String,
        /// Tokens in.
        tokens_in: u64,
        /// Tokens out.
        tokens_out: u64,
        /// Micro-USD.
        cost_micros: u64,
        /// How many reports these are.
        reports: u64,
    }
}

/// What spending can be narrowed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpendFilter {
    /// Reported by this adapter.
    pub adapter: Option<String>,
    /// Spent on this model.
    pub model: Option<String>,
    /// Not before this day, `YYYY-MM-DD`.
    pub since: Option<String>,
    /// Before this day.
    pub until: Option<String>,
}

/// Spending, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SpendTotals {
    /// Tokens in.
    pub tokens_in: u64,
    /// Tokens out.
    pub tokens_out: u64,
    /// Micro-USD.
    pub cost_micros: u64,
    /// How many reports these are.
    pub reports: u64,
}

/// The view.
#[derive(Debug)]
pub struct Spend;

impl View for Spend {
    type Row = SpendRow;

    const NAME: &'static str = "spend";
    const VERSION: u32 = 1;
    const KEYS: usize = 3;
    const INDEXES: &'static [&'static [&'static str]] = &[];

    fn key(entry: &Entry) -> Option<Key> {
        match &entry.event {
            Event::CostIngested(cost) => Some(vec![
                Value::text(&entry.time.day()),
                Value::text(&entry.reporter()),
                Value::text(model(cost)),
            ]),
            _ => None,
        }
    }

    fn apply(entry: &Entry, row: Option<SpendRow>) -> Result<SpendRow, Unappliable> {
        let Event::CostIngested(cost) = &entry.event else {
            return Err(Unappliable::Missing { what: "cost" });
        };
        let mut row = row.unwrap_or_else(|| SpendRow {
            day: entry.time.day(),
            adapter: entry.reporter(),
            model: model(cost).to_owned(),
            tokens_in: 0,
            tokens_out: 0,
            cost_micros: 0,
            reports: 0,
        });
        for (sum, more) in [
            (&mut row.tokens_in, cost.tokens_in),
            (&mut row.tokens_out, cost.tokens_out),
            (&mut row.cost_micros, cost.cost_micros),
            (&mut row.reports, 1),
        ] {
            *sum = sum.checked_add(more).ok_or(Unappliable::TooLarge)?;
        }
        Ok(row)
    }
}

fn model(cost: &CostIngested) -> &str {
    cost.model.as_deref().unwrap_or_default()
}

impl Listed for Spend {
    type Filter = SpendFilter;

    /// Newest day first.
    const ORDER: &'static str = "\"day\" DESC, \"adapter\", \"model\"";

    fn narrow(filter: &SpendFilter, conditions: &mut Conditions) {
        conditions.equal("adapter", filter.adapter.as_deref());
        conditions.equal("model", filter.model.as_deref());
        conditions.between("day", filter.since.as_deref(), filter.until.as_deref());
    }
}

impl Query<'_, Spend> {
    /// Everything of a list in one sum.
    ///
    /// # Errors
    /// As [`Query::list`].
    pub async fn totals(
        &self,
        tenant: &Tenant,
        filter: &SpendFilter,
    ) -> Result<(SpendTotals, Position), ViewError> {
        let conditions = self.conditions(tenant, filter);
        // PostgreSQL sums BIGINT to NUMERIC; a sum past 63 bits fails rather than wraps.
        let sum = |column: &str| format!("CAST(COALESCE(SUM(\"{column}\"), 0) AS BIGINT)");
        let columns = ["tokens_in", "tokens_out", "cost_micros", "reports"];
        let columns = columns.map(sum).join(", ");
        let kinds = [Kind::Integer; 4];
        let (rows, position) = self
            .aggregate(tenant, conditions, &columns, "", &kinds)
            .await?;
        let number = |value: &Value| match value {
            Value::Integer(number) => u64::try_from(*number).unwrap_or(0),
            _ => 0,
        };
        let totals = rows.first().map(|row| SpendTotals {
            tokens_in: number(&row[0]),
            tokens_out: number(&row[1]),
            cost_micros: number(&row[2]),
            reports: number(&row[3]),
        });
        Ok((totals.unwrap_or_default(), position))
    }
}
