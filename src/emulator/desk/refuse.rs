//! The refusals of the service that more than one request can meet, with its texts where they were recorded.

use crate::emulator::answer::Refused;

/// Returns the refusal of a value that cannot be.
pub(super) fn value(name: &str, value: &str, reason: &str) -> Refused {
    Refused::new(
        400,
        "InvalidPropertyValue",
        "The value provided for one of the properties in the request body is invalid.",
    )
    .with("PropertyName", name)
    .with("PropertyValue", value)
    .with("Reason", reason)
}

/// Returns the refusal of a body that lacks a property.
pub(super) fn missing(name: &str) -> Refused {
    Refused::new(
        400,
        "MissingRequiredProperty",
        "A required property was not specified in the request body.",
    )
    .with("PropertyName", name)
}

/// Returns the refusal of a body that is no JSON object.
pub(super) fn body(reason: impl Into<String>) -> Refused {
    Refused::new(
        400,
        "InvalidRequestBody",
        "The specified Request Body is not syntactically valid.",
    )
    .with("Reason", reason)
}

/// Returns the refusal of a resize while another runs.
pub(super) fn being_resized() -> Refused {
    Refused::new(409, "PoolBeingResized", "The specified pool is being resized.")
}

/// Returns the refusal of whatever a pool, node, job or task cannot do as it is.
pub(super) fn state(reason: &str) -> Refused {
    Refused::new(
        409,
        "OperationInvalidForCurrentState",
        "The specified operation is not valid for the current state of the resource.",
    )
    .with("Reason", reason)
}

/// Returns the refusal of a name that nothing has.
pub(super) fn not_found(code: &'static str) -> Refused {
    let what = match code {
        "PoolNotFound" => "pool",
        "NodeNotFound" => "node",
        "JobNotFound" => "job",
        "TaskNotFound" => "task",
        _ => "resource",
    };
    Refused::new(404, code, format!("The specified {what} does not exist."))
}

/// Returns a refusal by conflict.
pub(super) fn conflict(code: &'static str, message: &str) -> Refused {
    Refused::new(409, code, message)
}

/// Autoscaling is asked for in a way that makes no sense.
pub(super) fn autoscale_settings() -> Refused {
    Refused::new(
        400,
        "InvalidAutoScalingSettings",
        "The specified autoscaling settings are not valid.",
    )
}
