//! `GET /metrics`: counters and measurements in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// Upper bounds of the buckets in seconds: from a turn in memory to a reply that waited for its pace.
const BOUNDS: [f64; 12] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0];

/// The most series of one metric. Labels come from rule files and transports, so this is only a guard: the series
/// beyond it are counted together under the label value `other`.
const MAX_SERIES: usize = 2000;

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name, e.g. `mynah_messages_total`.
    pub name: &'static str,
    /// Its description, in one line.
    pub help: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
}

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A counter: it only rises.
    Counter,
    /// A gauge: it goes up and down.
    Gauge,
    /// A histogram of durations.
    Histogram,
}

/// All metrics of a process.
#[derive(Default)]
pub struct Registry {
    families: Mutex<BTreeMap<&'static str, Family>>,
    collectors: Mutex<Vec<Collector>>,
}

type Collector = Box<dyn Fn(&Registry) + Send + Sync>;
type Labels = Vec<String>;

struct Family {
    metric: Metric,
    /// In the order of their labels. A map would need owned labels for every look-up.
    series: Vec<(Labels, Series)>,
}

#[derive(Default)]
struct Series {
    /// The value of a counter or gauge, the sum of a histogram.
    value: f64,
    buckets: [u64; BOUNDS.len()],
    count: u64,
}

impl Registry {
    /// Adds to a counter or gauge.
    pub fn add(&self, metric: &Metric, labels: &[&str], by: f64) {
        self.change(metric, labels, |series| series.value += by);
    }

    /// Sets a gauge, or a counter whose value is kept elsewhere.
    pub fn set(&self, metric: &Metric, labels: &[&str], value: f64) {
        self.change(metric, labels, |series| series.value = value);
    }

    /// Adds a duration to a histogram.
    pub fn observe(&self, metric: &Metric, labels: &[&str], took: Duration) {
        let seconds = took.as_secs_f64();
        self.change(metric, labels, |series| {
            series.value += seconds;
            series.count += 1;
            for (count, bound) in series.buckets.iter_mut().zip(BOUNDS) {
                *count += u64::from(seconds <= bound);
            }
        });
    }

    /// Adds a function that sets gauges just before the metrics are read.
    pub fn collect(&self, collector: impl Fn(&Self) + Send + Sync + 'static) {
        let mut collectors = self.collectors.lock().unwrap_or_else(PoisonError::into_inner);
        collectors.push(Box::new(collector));
    }

    /// All metrics as text.
    #[must_use]
    pub fn render(&self) -> String {
        for collector in self.collectors.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            collector(self);
        }
        let mut text = String::new();
        for family in self.families.lock().unwrap_or_else(PoisonError::into_inner).values() {
            family.render(&mut text).expect("writing to a string cannot fail");
        }
        text
    }

    fn change(&self, metric: &Metric, labels: &[&str], change: impl FnOnce(&mut Series)) {
        debug_assert_eq!(metric.labels.len(), labels.len(), "labels of {}", metric.name);
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let family = families
            .entry(metric.name)
            .or_insert_with(|| Family { metric: *metric, series: Vec::new() });
        change(family.series_of(labels));
    }
}

impl Family {
    fn series_of(&mut self, labels: &[&str]) -> &mut Series {
        let place = match self.place_of(labels) {
            Err(_) if self.series.len() >= MAX_SERIES => {
                self.place_for(&vec!["other"; labels.len()])
            }
            _ => self.place_for(labels),
        };
        &mut self.series[place].1
    }

    /// The place of a series; a new one is inserted.
    fn place_for(&mut self, labels: &[&str]) -> usize {
        self.place_of(labels).unwrap_or_else(|place| {
            let labels = labels.iter().map(|&label| label.to_owned()).collect();
            self.series.insert(place, (labels, Series::default()));
            place
        })
    }

    /// The place of a series, or the place where it would be.
    fn place_of(&self, labels: &[&str]) -> Result<usize, usize> {
        self.series.binary_search_by(|(known, _)| {
            known.iter().map(String::as_str).cmp(labels.iter().copied())
        })
    }

    fn render(&self, out: &mut String) -> fmt::Result {
        let Metric { name, help, kind, .. } = self.metric;
        writeln!(out, "# HELP {name} {help}")?;
        writeln!(out, "# TYPE {name} {}", kind.word())?;
        for (labels, series) in &self.series {
            if kind == Kind::Histogram {
                self.render_histogram(out, labels, series)?;
            } else {
                writeln!(out, "{name}{} {}", self.labels(labels, None), series.value)?;
            }
        }
        Ok(())
    }

    fn render_histogram(&self, out: &mut String, labels: &Labels, series: &Series) -> fmt::Result {
        let name = self.metric.name;
        for (bound, count) in BOUNDS.iter().zip(series.buckets) {
            let labels = self.labels(labels, Some(&bound.to_string()));
            writeln!(out, "{name}_bucket{labels} {count}")?;
        }
        writeln!(out, "{name}_bucket{} {}", self.labels(labels, Some("+Inf")), series.count)?;
        writeln!(out, "{name}_sum{} {}", self.labels(labels, None), series.value)?;
        writeln!(out, "{name}_count{} {}", self.labels(labels, None), series.count)
    }

    fn labels(&self, values: &Labels, bound: Option<&str>) -> String {
        let given = self.metric.labels.iter().copied().zip(values.iter().map(String::as_str));
        let pairs: Vec<String> = given
            .chain(bound.map(|bound| ("le", bound)))
            .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
            .collect();
        if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
    }
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Escapes a label value for the format.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

pub(crate) async fn get_metrics(State(registry): State<Arc<Registry>>) -> Response {
    // Collectors may query a database.
    match tokio::task::spawn_blocking(move || registry.render()).await {
        Ok(text) => {
            ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDS: Metric = Metric {
        name: "mynah_sends_total",
        help: "Sends.",
        kind: Kind::Counter,
        labels: &["account", "outcome"],
    };
    const TURN: Metric = Metric {
        name: "mynah_turn_seconds",
        help: "Turns.",
        kind: Kind::Histogram,
        labels: &["account"],
    };
    const ONLINE: Metric =
        Metric { name: "mynah_accounts", help: "Accounts.", kind: Kind::Gauge, labels: &[] };

    #[test]
    fn counters_rise_by_label() {
        let registry = Registry::default();
        registry.add(&SENDS, &["a", "delivered"], 1.0);
        registry.add(&SENDS, &["a", "delivered"], 1.0);
        registry.add(&SENDS, &["a \"b\"\n\\", "refused"], 1.0);
        assert_eq!(
            registry.render(),
            "# HELP mynah_sends_total Sends.\n# TYPE mynah_sends_total counter\n\
             mynah_sends_total{account=\"a\",outcome=\"delivered\"} 2\n\
             mynah_sends_total{account=\"a \\\"b\\\"\\n\\\\\",outcome=\"refused\"} 1\n"
        );
    }

    #[test]
    fn gauges_are_read_when_asked() {
        let registry = Registry::default();
        registry.collect(|registry| registry.set(&ONLINE, &[], 2.5));
        assert!(registry.render().ends_with("\nmynah_accounts 2.5\n"));
    }

    #[test]
    fn buckets_count_what_is_at_most_their_bound() {
        let registry = Registry::default();
        for millis in [1, 40, 999_000] {
            registry.observe(&TURN, &["a"], Duration::from_millis(millis));
        }
        let text = registry.render();
        let value = |start: &str| {
            let line = text.lines().find(|line| line.starts_with(start)).unwrap();
            line.rsplit(' ').next().unwrap().to_owned()
        };
        assert_eq!(value("mynah_turn_seconds_bucket{account=\"a\",le=\"0.0005\"}"), "0");
        assert_eq!(value("mynah_turn_seconds_bucket{account=\"a\",le=\"0.001\"}"), "1");
        assert_eq!(value("mynah_turn_seconds_bucket{account=\"a\",le=\"0.05\"}"), "2");
        assert_eq!(value("mynah_turn_seconds_bucket{account=\"a\",le=\"+Inf\"}"), "3");
        assert_eq!(value("mynah_turn_seconds_count{account=\"a\"}"), "3");
    }

    #[test]
    fn a_flood_of_labels_stays_bounded() {
        let registry = Registry::default();
        for n in 0..2 * MAX_SERIES {
            registry.add(&SENDS, &["a", &n.to_string()], 1.0);
        }
        let text = registry.render();
        assert!(text.lines().count() <= MAX_SERIES + 3);
        assert!(text.contains("{account=\"other\",outcome=\"other\"} 2000"));
    }
}
