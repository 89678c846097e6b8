//! Traces: a span for each tick with what it was made of, sent to a collector by OTLP over HTTP when one is configured.
//!
//! ```text
//! tick ─┬─ look
//!       ├─ decide      from the look to the first line
//!       ├─ record      each line
//!       └─ act         each order
//! ```

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData, SpanExporter};
use tokio::runtime::Handle;
use tracing::span::EnteredSpan;
use tracing::{Span, info_span};

use crate::account::Order;

/// The target of all spans, by which the log leaves them out.
pub(super) const TARGET: &str = "lowtide_tick";

/// The span of a tick, and of what is under way in it.
pub(super) struct Tick {
    whole: EnteredSpan,
    deciding: Option<EnteredSpan>,
}

impl Tick {
    /// Begins a tick.
    pub(super) fn begin() -> Self {
        Self {
            whole: info_span!(target: TARGET, "tick").entered(),
            deciding: None,
        }
    }

    /// The look has ended, and what was seen is decided about.
    pub(super) fn decide(&mut self) {
        self.deciding = Some(info_span!(target: TARGET, parent: &*self.whole, "decide").entered());
    }

    /// The first line is about to be written.
    pub(super) fn decided(&mut self) {
        self.deciding = None;
    }

    /// Ends a tick.
    pub(super) fn end(mut self) {
        self.decided();
        drop(self.whole);
    }
}

/// Returns the span of a look.
pub(super) fn look(policies: usize) -> EnteredSpan {
    info_span!(target: TARGET, "look", policies).entered()
}

/// Returns the span of lines that are kept together, by the kind and the number of the first.
pub(super) fn record(kind: &'static str, lines: usize) -> Span {
    info_span!(target: TARGET, "record", kind, lines, decision = tracing::field::Empty)
}

/// Returns the span of an order.
pub(super) fn act(order: &Order) -> EnteredSpan {
    info_span!(target: TARGET, "act", pool = order.pool.as_str(), target = %order.target).entered()
}

/// Sends what ends to a collector; the rest is sent when it is shut down.
#[derive(Debug)]
pub struct Collector {
    provider: SdkTracerProvider,
}

/// A collector that does not answer is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Collector {
    /// Begins to send to a collector, through a client and on a runtime of the caller's.
    ///
    /// # Errors
    /// When the endpoint makes no sense.
    pub fn begin(endpoint: &str, client: reqwest::Client, runtime: Handle) -> Result<Self, String> {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| error.to_string())?;
        let exporter = OnRuntime {
            inside: Arc::new(exporter),
            runtime,
        };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(Resource::builder().with_service_name("lowtide").build())
            .build();
        Ok(Self { provider })
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.provider.tracer("lowtide")
    }

    /// Sends what is left.
    pub(super) fn end(&self) {
        // A collector that is away loses the last traces, and nothing else.
        let _ = self.provider.shutdown_with_timeout(PATIENCE);
    }
}

/// An exporter whose requests run on a runtime: batches are sent from a thread without one.
#[derive(Debug)]
struct OnRuntime {
    inside: Arc<opentelemetry_otlp::SpanExporter>,
    runtime: Handle,
}

impl SpanExporter for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let inside = Arc::clone(&self.inside);
        let sent = self.runtime.spawn(async move { inside.export(batch).await });
        sent.await
            .unwrap_or_else(|error| Err(OTelSdkError::InternalFailure(error.to_string())))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inside.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(inside) = Arc::get_mut(&mut self.inside) {
            inside.set_resource(resource);
        }
    }
}
