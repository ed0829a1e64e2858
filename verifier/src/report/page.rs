//! The report as one page that an auditor can file: no script, no picture, nothing fetched, readable in print.
//!
//! Everything in it that came from a bundle is text and is escaped by the template library.

use super::{Check, CheckResult, Report, Verdict};
use crate::chronicle::Chronicle;
use maud::{DOCTYPE, Markup, html};

const STYLE: &str = "
body { font: 15px/1.45 Georgia, serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #1a1a1a; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; border-bottom: 1px solid #999; }
table { border-collapse: collapse; width: 100%; font-size: 0.9em; }
th, td { text-align: left; vertical-align: top; padding: 0.25em 0.6em 0.25em 0; border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.verdict { border: 2px solid; padding: 0.8em 1em; font-size: 1.15em; overflow-wrap: anywhere; }
.holds { color: #14532d; } .holds-alone { color: #713f12; } .false { color: #991b1b; } .not-made { color: #555; }
tr { break-inside: avoid; } thead { display: table-header-group; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } }
";

impl Report {
    /// The report as a self-contained HTML page.
    #[must_use]
    pub fn to_html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { "Probity: report on " (self.origin.as_deref().unwrap_or("a bundle")) }
                    style { (maud::PreEscaped(STYLE)) }
                }
                body {
                    h1 { "Report of the judge" }
                    (self.verdict_box())
                    (self.facts())
                    (self.checks_table())
                    @if let Some(chronicle) = &self.chronicle { (story(chronicle)) }
                    @if !self.erasures.is_empty() { (self.erased()) }
                    (self.unchecked())
                    p { small { "Made offline by probity-verify " (env!("CARGO_PKG_VERSION"))
                        ", from the bundle and from what the auditor brought. What the page tells of the records is worth what the verdict is worth." } }
                }
            }
        };
        page.into_string()
    }

    fn verdict_box(&self) -> Markup {
        let class = match self.verdict {
            Verdict::Holds => "holds",
            Verdict::HoldsNotWitnessed => "holds-alone",
            Verdict::False => "false",
            Verdict::NotJudged => "not-made",
        };
        html! {
            p class={ "verdict " (class) } {
                strong { (self.verdict.as_str()) } ": " (self.summary)
                @if self.verdict == Verdict::HoldsNotWitnessed {
                    ". Nobody but the operator vouches that all are shown this same history."
                }
            }
        }
    }

    fn facts(&self) -> Markup {
        let counts = &self.counts;
        html! {
            h2 { "The bundle" }
            table { tbody {
                tr { th { "Log" } td { (self.origin.as_deref().unwrap_or("unknown")) } }
                @if let Some(size) = self.size { tr { th { "Records that the checkpoint covers" } td { (size) } } }
                tr { th { "Records read" } td { (counts.records) " (" (counts.bytes) " bytes)" } }
                tr { th { "Subjects" } td { (counts.subjects) } }
                tr { th { "Decisions, approvals, outcomes" } td { (counts.decisions) ", " (counts.approvals) ", " (counts.outcomes) } }
                tr { th { "Attachments shown, withheld, erased" } td { (counts.attachments) ", " (counts.attachments_withheld) ", " (counts.attachments_erased) } }
                tr { th { "Personal values shown, not shown" } td { (counts.disclosures) ", " (counts.disclosures_withheld) } }
                tr { th { "Erasures recorded, disclosures they state were destroyed" } td { (counts.erasures) ", " (counts.disclosures_destroyed) } }
                tr { th { "Decisions on values that are not shown" } td { (counts.decisions_on_withheld) } }
                @if let Some(Chronicle { begin: Some(begin), end: Some(end), .. }) = &self.chronicle {
                    tr { th { "From, to" } td { (begin) ", " (end) } }
                }
            } }
        }
    }

    fn checks_table(&self) -> Markup {
        html! {
            h2 { "The checks" }
            table {
                thead { tr { th { "Check" } th { "Result" } th { "What was found" } } }
                tbody { @for check in &self.checks { (row(check)) } }
            }
        }
    }

    /// What the digests without disclosures are, as far as it can be told.
    fn personal_values(&self) -> Option<String> {
        let counts = &self.counts;
        let (hidden, most) = (
            counts.disclosures_withheld,
            counts.disclosures_erased_at_most,
        );
        (hidden > 0).then(|| format!(
            "{hidden} personal values: at most {most} of them were erased, by what the records state; {} withheld",
            hidden - most
        ))
    }

    fn erased(&self) -> Markup {
        html! {
            h2 { "Erasures" }
            p { "No record says who was erased, or which digests were theirs." }
            table {
                thead { tr { th { "Record" } th { "Time" } th class="number" { "Disclosures destroyed" } th { "Attachments destroyed" } th { "Legal basis" } } }
                tbody { @for erasure in &self.erasures { tr {
                    td { (erasure.sequence) } td { (erasure.time) } td class="number" { (erasure.disclosures) } td { (erasure.attachments.join(", ")) } td { (erasure.basis) }
                } } }
            }
        }
    }

    fn unchecked(&self) -> Markup {
        let left: Vec<&Check> = self
            .checks
            .iter()
            .filter(|check| check.result == CheckResult::NotMade)
            .collect();
        html! {
            h2 { "What was withheld, or could not be checked" }
            @if left.is_empty() && self.counts.attachments_withheld + self.counts.attachments_erased + self.counts.disclosures_withheld == 0 { p { "Nothing." } } @else { ul {
                @for check in left { li { (check.name.as_str()) ": " (check.detail) } }
                @if self.counts.attachments_withheld > 0 { li { (self.counts.attachments_withheld) " attachments that records name are not in the bundle" } }
                @if self.counts.attachments_erased > 0 { li { (self.counts.attachments_erased) " attachments that records name were erased, as later records say" } }
                @if let Some(words) = self.personal_values() { li { (words) } }
                @if self.counts.decisions_on_withheld > 0 { li { (self.counts.decisions_on_withheld)
                    " decisions of which a condition looked at a value that is not shown: how it stood was taken as recorded" } }
            } }
        }
    }
}

fn row(check: &Check) -> Markup {
    let (class, word) = match check.result {
        CheckResult::Holds => ("holds", "holds"),
        CheckResult::False => ("false", "FALSE"),
        CheckResult::NotMade => ("not-made", "not made"),
    };
    html! {
        tr {
            td { (check.name.as_str()) }
            td class=(class) { (word) }
            td {
                @if let Some(sequence) = check.sequence { "record " (sequence) ": " }
                @if let Some(rule) = &check.rule { (rule) ": " }
                (check.detail)
            }
        }
    }
}

fn story(chronicle: &Chronicle) -> Markup {
    html! {
        h2 { "Decisions" }
        table {
            thead { tr { th { "Verdict" } th class="number" { "Decisions" } } }
            tbody { @for (verdict, count) in &chronicle.verdicts { tr { td { (verdict) } td class="number" { (count) } } } }
        }
        table {
            thead { tr { th { "Decided by" } th class="number" { "Decisions" } } }
            tbody { @for (policy, count) in &chronicle.policies {
                tr { td { (if policy.is_empty() { "no policy" } else { policy }) } td class="number" { (count) } }
            } }
        }
        h2 { "Timeline" }
        table {
            thead { tr { th { "Day (UTC)" } th class="number" { "Records" } th class="number" { "Decisions" } th class="number" { "Refused" } th class="number" { "By people" } } }
            tbody { @for (name, day) in &chronicle.days { tr {
                td { (name) } td class="number" { (day.records) } td class="number" { (day.decisions) }
                td class="number" { (day.denials) } td class="number" { (day.approvals) }
            } } }
        }
        h2 { "To look at" }
        table {
            thead { tr { th { "Record" } th { "Time" } th { "Who" } th { "What" } th { "Words" } } }
            tbody { @for act in &chronicle.acts { tr {
                td { (act.sequence) } td { (act.time) } td { (act.actor) } td { (act.event) " " (act.subject) } td { (act.words) }
            } } }
        }
        @if chronicle.acts_left_out > 0 { p { (chronicle.acts_left_out) " more are not listed." } }
    }
}
