//! What a user can do about an error, for the errors that know.

use super::boot::BootError;
use crate::{bundle, fetch, manifest::ManifestError, manifest::project::ProjectError, mirror, pipeline::PipelineError};

/// The first hint along the causes.
pub(super) fn of(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        macro_rules! hint_of {
            ($($kind:ty),+ $(,)?) => {
                $(if let Some(error) = cause.downcast_ref::<$kind>() {
                    return error.hint().map(|hint| hint.to_string());
                })+
            };
        }
        hint_of!(bundle::Error, BootError, ManifestError, ProjectError, PipelineError, fetch::Error, mirror::ReadError);
        cause.downcast_ref::<mirror::Error>().map(mirror::Error::hint)
    })
}

/// What programs may want to know of an error beside its text.
pub(super) fn details(error: &anyhow::Error) -> Option<serde_json::Value> {
    fn refused(error: &PipelineError) -> Option<serde_json::Value> {
        match error {
            PipelineError::Refused(refused) => serde_json::to_value(refused).ok(),
            PipelineError::Locking { source, .. } => refused(source),
            _ => None,
        }
    }
    error.chain().find_map(|cause| refused(cause.downcast_ref::<PipelineError>()?))
}
