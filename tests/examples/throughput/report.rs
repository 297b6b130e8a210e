//! The figures of the rounds, as medians with their spread.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::counters::Counters;
use crate::load::Load;

/// The figures of one program under one load in one round.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) messages: usize,
    /// In the order of [`ROWS`]; `None` is not measured.
    rows: [Option<f64>; ROWS.len()],
}

/// The rows: name, and whether the ratios are of interest.
const ROWS: [(&str, bool); 10] = [
    ("processor time, µs a message", true),
    ("allocations a message", true),
    ("voluntary switches a message", true),
    ("KB written a message", true),
    ("sync answer to send request, p50 ms", true),
    ("sync answer to send request, p99 ms", true),
    ("another chat meanwhile, p50 ms", false),
    ("another chat meanwhile, longest ms", false),
    ("messages a second", false),
    ("resident memory afterwards, MB", false),
];

impl Figures {
    pub(crate) fn new(
        before: Counters,
        after: Counters,
        messages: usize,
        took: Duration,
        mut delays: Vec<Duration>,
        mut lone: Vec<Duration>,
    ) -> Self {
        let each = |before: u64, after: u64| {
            Some(after.saturating_sub(before) as f64 / messages.max(1) as f64)
        };
        delays.sort();
        lone.sort();
        let rows = [
            each(before.cpu, after.cpu).map(|cpu| cpu / 1e3),
            each(before.allocations as u64, after.allocations as u64),
            each(before.switches, after.switches),
            each(before.written, after.written).map(|bytes| bytes / 1e3),
            at(&delays, 50),
            at(&delays, 99),
            at(&lone, 50),
            at(&lone, 100),
            Some(messages as f64 / took.as_secs_f64()),
            Some(after.resident as f64 / 1e6),
        ];
        Self { messages, rows }
    }
}

/// A percentile of sorted delays, in milliseconds.
fn at(delays: &[Duration], percent: usize) -> Option<f64> {
    let place = delays.len().saturating_sub(1) * percent / 100;
    delays.get(place).map(|delay| delay.as_secs_f64() * 1e3)
}

/// The figures of all rounds.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// By load, then by program in the order of the rounds.
    figures: BTreeMap<Load, Vec<(&'static str, Vec<Figures>)>>,
}

impl Report {
    pub(crate) fn add(&mut self, load: Load, program: &'static str, figures: Figures) {
        let programs = self.figures.entry(load).or_default();
        match programs.iter_mut().find(|(name, _)| *name == program) {
            Some((_, rounds)) => rounds.push(figures),
            None => programs.push((program, vec![figures])),
        }
    }

    pub(crate) fn print(&self) {
        for (load, programs) in &self.figures {
            println!("\n{}: median (lowest to highest)", load.title());
            print_row("", &heads(programs));
            for (row, (name, compared)) in ROWS.into_iter().enumerate() {
                let cells = cells(programs, row, compared);
                if cells.iter().any(|cell| cell != "-") {
                    print_row(name, &cells);
                }
            }
        }
    }
}

type Programs = [(&'static str, Vec<Figures>)];

fn heads(programs: &Programs) -> Vec<String> {
    let names = programs.iter().map(|(name, _)| (*name).to_owned());
    let ratios = programs.iter().skip(1).map(|(name, _)| format!("{} / {name}", programs[0].0));
    names.chain(ratios).collect()
}

fn cells(programs: &Programs, row: usize, compared: bool) -> Vec<String> {
    let column = |rounds: &[Figures]| rounds.iter().map(|it| it.rows[row]).collect::<Vec<_>>();
    let first = column(&programs[0].1);
    let mut cells: Vec<String> = programs.iter().map(|(_, it)| cell(column(it))).collect();
    if compared {
        cells.extend(programs.iter().skip(1).map(|(_, rounds)| {
            let pairs = first.iter().zip(column(rounds));
            cell(
                pairs.map(|(ours, other)| Some((*ours)? / other.filter(|it| *it > 0.0)?)).collect(),
            )
        }));
    }
    cells
}

/// Median and spread.
fn cell(values: Vec<Option<f64>>) -> String {
    let mut values: Vec<f64> = values.into_iter().flatten().collect();
    values.sort_by(f64::total_cmp);
    match (values.first(), values.get(values.len() / 2), values.last()) {
        (Some(low), Some(median), Some(high)) if values.len() > 1 => {
            format!("{} ({} to {})", short(*median), short(*low), short(*high))
        }
        (_, Some(only), _) => short(*only),
        _ => "-".to_owned(),
    }
}

fn short(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Prints a row of the table.
pub(crate) fn print_row(name: &str, cells: &[String]) {
    let cells: String = cells.iter().map(|cell| format!("{cell:>22}")).collect();
    println!("{name:<38}{cells}");
}
