//! The names of the rules of the format, as reports state them. The names are stable.

use probity_schemas::error::FormatError;

/// The rule that a line breaks.
pub(crate) const fn name(error: &FormatError) -> &'static str {
    match error {
        FormatError::TooLong { .. } => "format.length",
        FormatError::NotCanonical(_) => "format.canonical",
        FormatError::Shape { .. } => "format.shape",
        FormatError::BadSpecVersion => "format.specversion",
        FormatError::BadId => "format.id",
        FormatError::BadTime => "format.time",
        FormatError::BadSequence => "format.sequence",
        FormatError::BadRevision => "format.revision",
        FormatError::BadOrigin => "format.source",
        FormatError::BadTenant => "format.workspace",
        FormatError::BadSubject => "format.subject",
        FormatError::BadActor => "format.actor",
        FormatError::BadSurface => "format.surface",
        FormatError::BadExtension { .. } => "format.extension",
        FormatError::BadType { .. } => "schema.type",
        FormatError::BadData { .. } => "schema.body",
        FormatError::BadOpening => "origin.opening",
        FormatError::OtherOrigin => "origin.source",
        FormatError::SequenceGap { .. } => "chain.sequence",
        FormatError::BadPrevious { .. } => "chain.previous",
        FormatError::IdNotIncreasing { .. } => "chain.id",
        FormatError::TimeGoesBack { .. } => "time.order",
        FormatError::RevisionGap { .. } => "subjects.revision",
        FormatError::BadSubjectPrevious { .. } => "subjects.previous",
    }
}
