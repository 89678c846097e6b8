//! The description of the interface (OpenAPI 3.1), made from the handlers and the types that they answer with.

use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{answers, decisions, events, overview, pools, problem, savings, series, steering, what_if};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lowtide",
        description = "What the sidecar of a Batch account sees, decides and orders. Reads tell; writes ask for something and need a \
                       token or a certificate. Problems are told as RFC 9457 has it, each with a way out."
    ),
    paths(
        overview::account,
        overview::policies,
        overview::policy_text,
        overview::openapi,
        events::listen,
        savings::savings,
        pools::all,
        pools::one,
        decisions::search,
        decisions::explain,
        series::series,
        what_if::what_if,
        steering::pause,
        steering::resume,
        steering::plan,
        steering::reload,
    ),
    components(schemas(
        answers::DecisionLine,
        answers::OrderLine,
        answers::StepLine,
        problem::Problem,
        problem::TextFault,
    )),
    modifiers(&Ways),
    tags(
        (name = "reads", description = "Open on loopback; elsewhere with a token or a certificate"),
        (name = "writes", description = "With a token or a certificate; so many at once, so many a second"),
    )
)]
struct Interface;

/// The ways to be let in.
struct Ways;

impl Modify for Ways {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let token = Http::new(HttpAuthScheme::Bearer);
        components.add_security_scheme("token", SecurityScheme::Http(token));
        components.add_security_scheme(
            "certificate",
            SecurityScheme::MutualTls {
                description: None,
                deprecated: None,
                extensions: None,
            },
        );
    }
}

/// Returns the description.
pub fn document() -> Document {
    Interface::openapi()
}
