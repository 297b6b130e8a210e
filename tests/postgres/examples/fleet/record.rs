//! The record of a story, and its check.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mynah_sandbox::Sandbox;
use tokio_postgres::Client;

use super::faults::Fault;
use super::line::Ways;

/// Writes down each change of a holder.
pub(crate) const HISTORY: &str = "
    CREATE TABLE public.lease_history (account text, epoch bigint, node text, at double precision);
    CREATE FUNCTION public.note_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.lease_history
            SELECT a.name, NEW.epoch, n.name, extract(epoch FROM clock_timestamp())
            FROM mynah.account a LEFT JOIN mynah.node n ON n.id = NEW.holder WHERE a.account = NEW.account;
        RETURN NULL;
    END $$;
    CREATE TRIGGER history AFTER INSERT OR UPDATE OF holder, epoch ON mynah.lease
        FOR EACH ROW WHEN (NEW.holder IS NOT NULL) EXECUTE FUNCTION public.note_lease()";

/// A message that a person sent.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) account: usize,
    pub(crate) chat: &'static str,
    pub(crate) at: SystemTime,
}

/// An answer as the service got it.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) question: usize,
    pub(crate) chat: String,
    pub(crate) at: SystemTime,
    pub(crate) node: Option<usize>,
}

/// A fault that began, or the end of a restart.
#[derive(Debug, Clone)]
pub(crate) struct Blow {
    pub(crate) fault: Fault,
    /// The node that it meets; all of them if it is the database.
    pub(crate) node: Option<usize>,
    pub(crate) at: SystemTime,
}

#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) questions: Vec<Question>,
    pub(crate) blows: Vec<Blow>,
}

/// An exception that the log of an account explains.
#[derive(Debug, Default)]
pub(crate) struct Doubtful {
    /// Questions whose answer was tried more than once.
    pub(crate) tried_again: BTreeSet<usize>,
    /// Questions whose answer was given up, as it is unknown whether it arrived.
    pub(crate) unknown: BTreeSet<usize>,
}

/// An account, the number of its lease, the node that took it, and when.
type Lease = (String, i64, String, SystemTime);

/// The number in a question or an answer.
fn number(text: &str, word: &str) -> Option<usize> {
    let (_, rest) = text.split_once(word)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn moment(seconds: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(seconds)
}

/// The answers of each account in the order in which the service got them.
pub(crate) fn answers(sandbox: &Sandbox, ways: &Ways) -> Vec<Vec<Answer>> {
    let of_account = |account: &mynah_sandbox::Account| {
        let sent = account.sent().into_iter();
        let answers = sent.map(|sent| {
            let at = moment(sent.time);
            // The time of the record is in milliseconds.
            let node = ways.node(sent.client.unwrap().port(), at + Duration::from_millis(1));
            let question = number(&sent.text, "答案 ").unwrap_or_else(|| panic!("{}", sent.text));
            Answer { question, chat: sent.to_name, at, node }
        });
        answers.collect()
    };
    sandbox.accounts().iter().map(of_account).collect()
}

/// The lines of the log about answers with an unknown outcome.
pub(crate) async fn doubtful(admin: &Client) -> Doubtful {
    let sql = "SELECT e.body, o.outcome FROM mynah.outcome o JOIN mynah.event e
        ON (e.account, e.seq) = (o.account, o.event) WHERE o.attempts > 1 OR o.outcome = 'unknown'";
    let mut doubtful = Doubtful::default();
    for row in admin.query(sql, &[]).await.unwrap() {
        let (body, outcome): (String, String) = (row.get(0), row.get(1));
        let Some(question) = number(&body, "问题 ") else { continue };
        doubtful.tried_again.insert(question);
        if outcome == "unknown" {
            doubtful.unknown.insert(question);
        }
    }
    doubtful
}

/// All that waits in the database.
pub(crate) async fn queues(admin: &Client) -> Vec<String> {
    let sql = "SELECT row_to_json(o)::text FROM mynah.outbox o UNION ALL SELECT row_to_json(i)::text FROM mynah.inbox i";
    admin.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// All changes of holders.
pub(crate) async fn leases(admin: &Client) -> Vec<Lease> {
    let sql = "SELECT account, epoch, coalesce(node, ''), at FROM public.lease_history";
    let rows = admin.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), moment(row.get(3)))).collect()
}

impl Record {
    /// All that is wrong with the answers of an account.
    pub(crate) fn mistakes(
        &self,
        account: usize,
        answers: &[Answer],
        doubtful: &Doubtful,
    ) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut times = BTreeMap::<usize, usize>::new();
        let mut last = BTreeMap::<&str, usize>::new();
        for answer in answers {
            let seen = times.entry(answer.question).or_default();
            *seen += 1;
            let asked = &self.questions[answer.question];
            if asked.account != account || asked.chat != answer.chat {
                mistakes.push(format!("{answer:?} went astray: {asked:?}"));
            }
            let before = last.entry(&answer.chat).or_default();
            if *seen == 1 && *before > answer.question {
                mistakes.push(format!("{answer:?} came after the answer to {before}"));
            }
            *before = answer.question.max(*before);
        }
        for (question, asked) in self.questions.iter().enumerate() {
            if asked.account != account {
                continue;
            }
            let is_explained = match times.get(&question) {
                None => doubtful.unknown.contains(&question),
                Some(1) => true,
                Some(2) => doubtful.tried_again.contains(&question),
                Some(_) => false,
            };
            if !is_explained {
                let times = times.get(&question).unwrap_or(&0);
                mistakes.push(format!("question {question} was answered {times} times: {asked:?}"));
            }
        }
        mistakes
    }

    /// The share of questions that no answer has come to yet, without those that were given up.
    pub(crate) fn open(&self, answers: &[Vec<Answer>], doubtful: &Doubtful) -> Vec<usize> {
        let answered: BTreeSet<usize> =
            answers.iter().flatten().map(|answer| answer.question).collect();
        let all = 0..self.questions.len();
        all.filter(|n| !answered.contains(n) && !doubtful.unknown.contains(n)).collect()
    }

    /// How long the questions waited for their first answers: half of them, 99 of 100, and the last.
    pub(crate) fn waits(&self, answers: &[Vec<Answer>]) -> [Duration; 3] {
        let mut first = BTreeMap::<usize, SystemTime>::new();
        for answer in answers.iter().flatten() {
            first.entry(answer.question).or_insert(answer.at);
        }
        let wait = |(question, at): (&usize, &SystemTime)| {
            at.duration_since(self.questions[*question].at).unwrap_or_default()
        };
        let mut waits: Vec<Duration> = first.iter().map(wait).collect();
        waits.sort_unstable();
        [50, 99, 100].map(|part| waits[(waits.len() - 1) * part / 100])
    }

    /// From each fault until each account that it met sent an answer again.
    pub(crate) fn silences(&self, answers: &[Vec<Answer>]) -> Silences {
        let mut silences = Silences::default();
        for (n, blow) in self.blows.iter().enumerate() {
            // A later fault may meet the account as well.
            let until = self.blows.get(n + 1).map(|next| next.at);
            for of_account in answers {
                let before = of_account.iter().rev().find(|answer| answer.at <= blow.at);
                let is_met = blow.node.is_none() || before.is_some_and(|it| it.node == blow.node);
                let after = of_account.iter().find(|answer| answer.at > blow.at);
                let Some(after) = after.filter(|_| is_met) else { continue };
                if until.is_none_or(|until| after.at < until) {
                    let silence = after.at.duration_since(blow.at).unwrap_or_default();
                    silences.0.entry(blow.fault).or_default().push(silence);
                } else {
                    silences.1.entry(blow.fault).or_default().push(n);
                }
            }
        }
        silences
    }
}

/// The silences after each kind of fault, and those that another fault followed first.
#[derive(Debug, Default)]
pub(crate) struct Silences(BTreeMap<Fault, Vec<Duration>>, BTreeMap<Fault, Vec<usize>>);

impl Silences {
    /// A table for people.
    pub(crate) fn table(&mut self) -> String {
        let mut table = "seconds until an account answers again, after each fault:\n".to_owned();
        for (fault, silences) in &mut self.0 {
            silences.sort_unstable();
            let at = |part: usize| silences[(silences.len() - 1) * part / 100].as_secs_f64();
            let longer = self.1.get(fault).map_or(0, Vec::len);
            let _ = writeln!(
                table,
                "{:>10}: {:>4} accounts, half {:.2}, 95 % {:.2}, last {:.2}; until the next fault {longer}",
                format!("{fault:?}"),
                silences.len(),
                at(50),
                at(95),
                at(100),
            );
        }
        table
    }
}

/// Answers under an older lease after one under a newer lease.
pub(crate) fn overtaken(account: &str, answers: &[Answer], leases: &[Lease]) -> Vec<String> {
    let mut newest = 0;
    let mut mistakes = Vec::new();
    for answer in answers {
        let Some(node) = answer.node else {
            mistakes.push(format!("{account}: no node sent {answer:?}"));
            continue;
        };
        let node = super::story::node_name(node);
        let its = leases
            .iter()
            .filter(|(of, _, by, at)| of == account && *by == node && *at <= answer.at);
        let epoch = its.map(|(_, epoch, ..)| *epoch).max().unwrap_or(0);
        if epoch < newest {
            mistakes.push(format!("{account}: {answer:?} with lease {epoch} after {newest}"));
        }
        newest = newest.max(epoch);
    }
    mistakes
}
