//! What happens → counters and times for Prometheus.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::report::Report;

/// Upper bounds of the time classes, in seconds: a stage takes milliseconds, an upload over a phone network seconds.
const SECONDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verdict {
    decision: String,
    classification: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    code: String,
    action: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stage {
    stage: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cause {
    cause: String,
}

type Times<L> = Family<L, Histogram, fn() -> Histogram>;

/// Everything that is counted.
pub(crate) struct Figures {
    registry: Registry,
    answers: Family<Answer, Counter>,
    request_seconds: Times<Route>,
    verdicts: Family<Verdict, Counter>,
    reasons: Family<Reason, Counter>,
    stage_seconds: Times<Stage>,
    refusals: Family<Cause, Counter>,
    webhooks: Family<Cause, Counter>,
    gauges: Gauges,
}

/// What is read off when it is asked for.
#[derive(Debug, Default)]
struct Gauges {
    queue: Gauge,
    workers_busy: Gauge,
    uploads: Gauge,
    handoffs: Gauge,
    resident_bytes: Gauge<f64, AtomicU64>,
}

/// The present state of what the gauges show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// Requests in line.
    pub(crate) queue: usize,
    /// Threads at work.
    pub(crate) busy: usize,
    /// Uploads in flight.
    pub(crate) uploads: usize,
    /// Hand-offs that are open.
    pub(crate) handoffs: usize,
}

fn times() -> Histogram {
    Histogram::new(SECONDS)
}

impl Figures {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("bonafide");
        let answers = Family::default();
        registry.register("requests", "Requests answered", answers.clone());
        let request_seconds = Times::new_with_constructor(times as fn() -> Histogram);
        let help = "Time from a request's headers to its answer";
        registry.register_with_unit("request", help, Unit::Seconds, request_seconds.clone());
        let verdicts = Family::default();
        registry.register("verdicts", "Verdicts given", verdicts.clone());
        let reasons = Family::default();
        registry.register("reasons", "Reasons of verdicts", reasons.clone());
        let stage_seconds = Times::new_with_constructor(times as fn() -> Histogram);
        registry.register_with_unit("stage", "Time of a stage of a check", Unit::Seconds, stage_seconds.clone());
        let refusals = Family::default();
        registry.register("refusals", "Requests turned away for want of room, by cause", refusals.clone());
        let webhooks = Family::default();
        registry.register("webhooks", "Attempts to deliver to webhooks, by outcome", webhooks.clone());
        let gauges = Gauges::default();
        registry.register("queue_length", "Requests in line for a worker", gauges.queue.clone());
        registry.register("workers_busy", "Workers at work", gauges.workers_busy.clone());
        registry.register("uploads_in_flight", "Uploads received or examined", gauges.uploads.clone());
        registry.register("handoffs_open", "Hand-offs to phones that are open", gauges.handoffs.clone());
        registry.register_with_unit("resident", "Memory held", Unit::Bytes, gauges.resident_bytes.clone());
        Self { registry, answers, request_seconds, verdicts, reasons, stage_seconds, refusals, webhooks, gauges }
    }

    pub(crate) fn answered(&self, method: &Method, route: &str, status: StatusCode, spent: Duration) {
        // A method is whatever the client writes; a label is not.
        let method = match *method {
            Method::GET | Method::POST | Method::PUT | Method::DELETE | Method::HEAD | Method::OPTIONS => {
                method.as_str()
            }
            _ => "other",
        };
        let route = route.to_owned();
        let answer = Answer { method: method.to_owned(), route: route.clone(), status: status.as_u16() };
        self.answers.get_or_create(&answer).inc();
        self.request_seconds.get_or_create(&Route { route }).observe(spent.as_secs_f64());
    }

    pub(crate) fn judged(&self, report: &Report) {
        let decision = report.decision.name().to_owned();
        let verdict = Verdict { decision, classification: report.classification.name().to_owned() };
        self.verdicts.get_or_create(&verdict).inc();
        for reason in &report.reasons {
            let action = reason.action.name().to_owned();
            self.reasons.get_or_create(&Reason { code: reason.code.to_owned(), action }).inc();
        }
    }

    pub(crate) fn stage(&self, stage: &str, spent: Duration) {
        self.stage_seconds.get_or_create(&Stage { stage: stage.to_owned() }).observe(spent.as_secs_f64());
    }

    pub(crate) fn refused(&self, cause: &'static str) {
        self.refusals.get_or_create(&Cause { cause: cause.to_owned() }).inc();
    }

    pub(crate) fn webhook(&self, outcome: &'static str) {
        self.webhooks.get_or_create(&Cause { cause: outcome.to_owned() }).inc();
    }

    /// Everything in the text form of OpenMetrics.
    pub(crate) fn text(&self, now: Now) -> String {
        let gauges = &self.gauges;
        gauges.queue.set(now.queue as i64);
        gauges.workers_busy.set(now.busy as i64);
        gauges.uploads.set(now.uploads as i64);
        gauges.handoffs.set(now.handoffs as i64);
        gauges.resident_bytes.set(resident_bytes().unwrap_or(0.0));
        let mut text = String::new();
        // A `String` takes everything.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Memory held by this process, where the system tells.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kib| kib * 1024.0)
}
