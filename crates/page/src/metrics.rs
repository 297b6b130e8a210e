//! `GET /metrics`: counters and measurements in the text format of Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// Upper bounds of the buckets in seconds: from a turn in memory to a reply that waited for its pace.
const BOUNDS: [f64; 12] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0];

/// The most series of one metric with the same first label, which is mostly the account. The other labels come from rule
/// files and transports, so this is only a guard: the series beyond it are counted together under the label value `other`.
const MAX_SERIES: usize = 2000;

/// The label of the account.
const ACCOUNT: &str = "account";

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
    /// The collectors with the account that each is for, if it is for one.
    collectors: Mutex<Vec<(Option<String>, Collector)>>,
}

type Collector = Arc<dyn Fn(&Registry) + Send + Sync>;
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
        self.add_collector(None, Arc::new(collector));
    }

    /// Adds such a function for an account, in place of its former one.
    pub fn collect_for(&self, account: &str, collector: impl Fn(&Self) + Send + Sync + 'static) {
        self.add_collector(Some(account.to_owned()), Arc::new(collector));
    }

    /// Removes all values of a gauge, so that a collector sets only those that exist.
    pub fn clear(&self, metric: &Metric) {
        if let Some(family) = self.families().get_mut(metric.name) {
            family.series.clear();
        }
    }

    /// Removes everything about an account.
    pub fn forget(&self, account: &str) {
        self.collectors().retain(|(of, _)| of.as_deref() != Some(account));
        for family in self.families().values_mut() {
            family.forget(account);
        }
    }

    /// All metrics as text.
    #[must_use]
    pub fn render(&self) -> String {
        // A collector may read from a disk: accounts come and go meanwhile.
        let collectors: Vec<(Option<String>, Collector)> = self.collectors().clone();
        for (_, collector) in &collectors {
            collector(self);
        }
        let left = self.left_meanwhile(&collectors);
        left.iter().for_each(|account| self.forget(account));
        let mut text = String::new();
        for family in self.families().values() {
            family.render(&mut text).expect("writing to a string cannot fail");
        }
        text
    }

    /// The accounts whose collectors were removed since. Their gauges were set again.
    fn left_meanwhile(&self, before: &[(Option<String>, Collector)]) -> Vec<String> {
        let now = self.collectors();
        let now: BTreeSet<&str> = now.iter().filter_map(|(of, _)| of.as_deref()).collect();
        let accounts = before.iter().filter_map(|(of, _)| of.as_ref());
        accounts.filter(|account| !now.contains(account.as_str())).cloned().collect()
    }

    fn add_collector(&self, account: Option<String>, collector: Collector) {
        let mut collectors = self.collectors();
        collectors.retain(|(of, _)| of.is_none() || *of != account);
        collectors.push((account, collector));
    }

    fn collectors(&self) -> MutexGuard<'_, Vec<(Option<String>, Collector)>> {
        self.collectors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn families(&self) -> MutexGuard<'_, BTreeMap<&'static str, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, metric: &Metric, labels: &[&str], change: impl FnOnce(&mut Series)) {
        debug_assert_eq!(metric.labels.len(), labels.len(), "labels of {}", metric.name);
        let mut families = self.families();
        let family = families
            .entry(metric.name)
            .or_insert_with(|| Family { metric: *metric, series: Vec::new() });
        change(family.series_of(labels));
    }
}

impl Family {
    fn series_of(&mut self, labels: &[&str]) -> &mut Series {
        let place = match self.place_of(labels) {
            Err(_) if self.is_full(labels) => self.place_for(&self.metric.other(labels)),
            _ => self.place_for(labels),
        };
        &mut self.series[place].1
    }

    /// Whether there are too many series with the first of these labels.
    fn is_full(&self, labels: &[&str]) -> bool {
        let first = if self.is_of_accounts() { labels.first() } else { None };
        match first {
            Some(first) => self.range_of(first).len() >= MAX_SERIES,
            None => self.series.len() >= MAX_SERIES,
        }
    }

    fn is_of_accounts(&self) -> bool {
        self.metric.labels.first() == Some(&ACCOUNT)
    }

    /// The places of the series with this first label.
    fn range_of(&self, first: &str) -> Range<usize> {
        let begin = self.series.partition_point(|(labels, _)| labels[0].as_str() < first);
        let end = self.series.partition_point(|(labels, _)| labels[0].as_str() <= first);
        begin..end
    }

    fn forget(&mut self, account: &str) {
        if self.is_of_accounts() {
            let range = self.range_of(account);
            self.series.drain(range);
        }
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

impl Metric {
    /// The labels of the series that counts all further ones.
    fn other<'l>(&self, labels: &[&'l str]) -> Vec<&'l str> {
        let kept = usize::from(self.labels.len() > 1 && self.labels.first() == Some(&ACCOUNT));
        labels.iter().take(kept).copied().chain(labels.iter().skip(kept).map(|_| "other")).collect()
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
    fn an_account_that_is_removed_leaves_nothing() {
        let registry = Registry::default();
        for account in ["a", "b"] {
            let name = account.to_owned();
            registry.collect_for(account, move |registry| registry.add(&SENDS, &[&name, "x"], 1.0));
            registry.observe(&TURN, &[account], Duration::from_millis(1));
        }
        registry.set(&ONLINE, &[], 2.0);
        assert!(registry.render().contains("account=\"a\""));
        registry.forget("a");
        let text = registry.render();
        assert!(!text.contains("account=\"a\""), "{text}");
        assert!(text.contains("mynah_sends_total{account=\"b\",outcome=\"x\"} 2\n"), "{text}");
        assert!(text.contains("mynah_turn_seconds_count{account=\"b\"} 1\n"), "{text}");
        assert!(text.contains("mynah_accounts 2\n"), "{text}");
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
        assert!(text.contains("{account=\"a\",outcome=\"other\"} 2000"));
    }
}
