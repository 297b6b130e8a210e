//! The record of a story, and its check.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mynah_sandbox::Sandbox;
use tokio_postgres::{Client, Row};

use super::faults::Fault;
use super::line::Ways;

/// Writes down each change of a holder, each account that was left alone, and each answer of which it becomes unknown whether it arrived: the claim was made
/// under the first of the two leases.
pub(crate) const HISTORY: &str = "
    CREATE TABLE public.lease_history (account text, epoch bigint, node text, at double precision);
    CREATE FUNCTION public.note_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.lease_history
            SELECT a.name, NEW.epoch, CASE WHEN NEW.holder IS NOT NULL THEN coalesce(n.name, '') END,
                extract(epoch FROM clock_timestamp())
            FROM mynah.account a LEFT JOIN mynah.node n ON n.id = NEW.holder WHERE a.account = NEW.account;
        RETURN NULL;
    END $$;
    CREATE TRIGGER history AFTER INSERT OR UPDATE OF holder, epoch ON mynah.lease
        FOR EACH ROW WHEN (NEW.holder IS NOT NULL OR NEW.not_before > clock_timestamp())
        EXECUTE FUNCTION public.note_lease();
    CREATE TABLE public.doubt_history (body text, claimed bigint, epoch bigint, at double precision);
    CREATE FUNCTION public.note_doubt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.doubt_history
            SELECT e.body, OLD.epoch, l.epoch, extract(epoch FROM clock_timestamp())
            FROM mynah.event e JOIN mynah.lease l USING (account) WHERE e.account = NEW.account AND e.seq = NEW.event;
        RETURN NULL;
    END $$;
    CREATE TRIGGER history AFTER UPDATE OF doubts ON mynah.outbox
        FOR EACH ROW WHEN (NEW.doubts > OLD.doubts) EXECUTE FUNCTION public.note_doubt()";

/// The service notes the time in milliseconds.
const ROUNDED: Duration = Duration::from_millis(1);

/// A node that is stopped has woken up by then, and has noticed that it has lost its accounts.
const WOKEN: Duration = Duration::from_secs(10);

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

/// An answer of which it was unknown whether it had arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doubt {
    /// From then on it could be sent once more.
    pub(crate) at: SystemTime,
    /// Whether the lease under which it was sent had been lost.
    pub(crate) is_lost: bool,
}

/// The exceptions that the database explains, by their questions.
#[derive(Debug, Default)]
pub(crate) struct Doubtful {
    /// Answers that could be sent once more.
    pub(crate) once: BTreeMap<usize, Doubt>,
    /// Answers that were given up, as the outcome of the second send was unknown as well.
    pub(crate) twice: BTreeSet<usize>,
    /// Questions that were not handled, as three processes in a row had ended on them, and when that was decided.
    pub(crate) set_aside: BTreeMap<usize, SystemTime>,
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
            let node = ways.node(sent.client.unwrap().port(), at + ROUNDED);
            let question = number(&sent.text, "答案 ").unwrap_or_else(|| panic!("{}", sent.text));
            Answer { question, chat: sent.to_name, at, node }
        });
        answers.collect()
    };
    sandbox.accounts().iter().map(of_account).collect()
}

/// All answers with an unknown outcome.
pub(crate) async fn doubtful(admin: &Client) -> Doubtful {
    let of = |row: &Row| number(row.get(0), "问题 ").unwrap();
    let once = "SELECT body, at, claimed < epoch FROM public.doubt_history";
    let once = admin.query(once, &[]).await.unwrap();
    let doubt = |row: &Row| Doubt { at: moment(row.get(1)), is_lost: row.get(2) };
    let once = once.iter().map(|row| (of(row), doubt(row))).collect();
    let twice = "SELECT e.body FROM mynah.outcome o JOIN mynah.event e
        ON (e.account, e.seq) = (o.account, o.event) WHERE o.outcome = 'unknown'";
    let twice = admin.query(twice, &[]).await.unwrap();
    let set_aside = "SELECT e.body, d.handled / 1000.0::float8 FROM mynah.decision d
        JOIN mynah.event e USING (account, seq) WHERE d.decided LIKE '%set aside%'";
    let set_aside = admin.query(set_aside, &[]).await.unwrap();
    // An event that is not a question can be set aside as well.
    let question = |row: &Row| Some((number(row.get(0), "问题 ")?, moment(row.get(1))));
    let set_aside = set_aside.iter().filter_map(question).collect();
    Doubtful { once, twice: twice.iter().map(of).collect(), set_aside }
}

/// All that waits in the database.
pub(crate) async fn queues(admin: &Client) -> Vec<String> {
    let sql = "SELECT row_to_json(o)::text FROM mynah.outbox o UNION ALL SELECT row_to_json(i)::text FROM mynah.inbox i";
    admin.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// How often an account was left alone, as many of its nodes had ended in a row.
pub(crate) async fn left_alone(admin: &Client) -> i64 {
    let sql = "SELECT count(*) FROM public.lease_history WHERE node IS NULL";
    admin.query_one(sql, &[]).await.unwrap().get(0)
}

/// Lets nodes take the accounts that were left alone.
pub(crate) async fn leave_none_alone(admin: &Client) {
    admin.execute("UPDATE mynah.lease SET not_before = NULL", &[]).await.unwrap();
}

/// All changes of holders.
pub(crate) async fn leases(admin: &Client) -> Vec<Lease> {
    let sql = "SELECT account, epoch, node, at FROM public.lease_history WHERE node IS NOT NULL";
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
        let in_time: Vec<Answer> =
            answers.iter().filter(|it| !self.is_late(it, doubtful)).cloned().collect();
        let mut mistakes = self.misplaced(account, &in_time);
        let of_account = self.questions.iter().enumerate().filter(|(_, it)| it.account == account);
        for (question, asked) in of_account {
            let times: Vec<SystemTime> =
                answers.iter().filter(|it| it.question == question).map(|it| it.at).collect();
            let doubt = doubtful.once.get(&question);
            let is_explained = match times[..] {
                [] => {
                    (doubt.is_some() && doubtful.twice.contains(&question))
                        || self.met_ends(asked, doubtful.set_aside.get(&question))
                }
                [_] => true,
                [_, second] => doubt.is_some_and(|doubt| doubt.at <= second + ROUNDED),
                _ => false,
            };
            if !is_explained {
                mistakes.push(format!(
                    "question {question} was answered at {times:?}: {asked:?}, {doubt:?}"
                ));
            }
        }
        mistakes
    }

    /// Whether a node that woke up ended a request that it had begun before it was stopped. No process can prevent that: it
    /// may be stopped between its last look at its lease and the write. The answer was in doubt by then.
    pub(crate) fn is_late(&self, answer: &Answer, doubtful: &Doubtful) -> bool {
        let woke = |blow: &Blow| {
            let after = answer.at.duration_since(blow.at).unwrap_or_default();
            blow.fault == Fault::Freeze
                && blow.node == answer.node
                && !after.is_zero()
                && after < WOKEN
        };
        let doubt = doubtful.once.get(&answer.question);
        doubt.is_some_and(|doubt| doubt.at <= answer.at + ROUNDED) && self.blows.iter().any(woke)
    }

    /// Whether a node may have given a request up under a lease that it kept: it does so soon after the end of its connection
    /// to the database, as another node could repeat the request.
    pub(crate) fn was_cut_off(&self, doubt: &Doubt) -> bool {
        self.blows.iter().any(|blow| {
            let ends = matches!(
                blow.fault,
                Fault::Cut | Fault::Terminate | Fault::Fast | Fault::Immediate
            );
            let after = doubt.at.duration_since(blow.at);
            ends && after.is_ok_and(|after| after < WOKEN)
        })
    }

    /// Whether three processes may have ended on a question until it was set aside.
    fn met_ends(&self, asked: &Question, set_aside: Option<&SystemTime>) -> bool {
        let Some(until) = set_aside else { return false };
        let ends = |fault| matches!(fault, Fault::Kill | Fault::Cut | Fault::Terminate);
        let blows = self.blows.iter().filter(|blow| ends(blow.fault));
        blows.filter(|blow| (asked.at..=*until).contains(&blow.at)).count() >= 3
    }

    /// Answers in a wrong chat or order.
    fn misplaced(&self, account: usize, answers: &[Answer]) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut last = BTreeMap::<&str, usize>::new();
        for answer in answers {
            let asked = &self.questions[answer.question];
            if asked.account != account || asked.chat != answer.chat {
                mistakes.push(format!("{answer:?} went astray: {asked:?}"));
            }
            // Also the second send of an answer comes before the next answer.
            let before = last.entry(&answer.chat).or_default();
            if *before > answer.question {
                mistakes.push(format!("{answer:?} came after the answer to {before}"));
            }
            *before = answer.question.max(*before);
        }
        mistakes
    }

    /// The questions that no answer has come to yet, without those that were given up.
    pub(crate) fn open(&self, answers: &[Vec<Answer>], doubtful: &Doubtful) -> Vec<usize> {
        let answered: BTreeSet<usize> =
            answers.iter().flatten().map(|answer| answer.question).collect();
        let all = 0..self.questions.len();
        let is_closed =
            |n: &usize| doubtful.twice.contains(n) || doubtful.set_aside.contains_key(n);
        all.filter(|n| !answered.contains(n) && !is_closed(n)).collect()
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
        let node = super::node_name(node);
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// An account that was asked twice in one chat.
    fn record() -> Record {
        let asked = |chat| Question { account: 0, chat, at: UNIX_EPOCH };
        Record { questions: vec![asked("a"), asked("a")], blows: Vec::new() }
    }

    /// Answers to these questions, one second after the other.
    fn answers(questions: &[usize]) -> Vec<Answer> {
        let answer = |(n, question): (u32, &usize)| Answer {
            question: *question,
            chat: "a".to_owned(),
            at: UNIX_EPOCH + n * SECOND,
            node: Some(0),
        };
        (1..).zip(questions).map(answer).collect()
    }

    fn mistakes(questions: &[usize], doubtful: &Doubtful) -> usize {
        record().mistakes(0, &answers(questions), doubtful).len()
    }

    /// The first question is in doubt from this second on.
    fn doubt(second: u32) -> Doubtful {
        let doubt = Doubt { at: UNIX_EPOCH + second * SECOND, is_lost: true };
        Doubtful { once: BTreeMap::from([(0, doubt)]), ..Doubtful::default() }
    }

    #[test]
    fn an_answer_that_is_lost_doubled_astray_or_out_of_order_is_found() {
        let fine = Doubtful::default();
        assert_eq!(mistakes(&[0, 1], &fine), 0);
        assert_eq!(mistakes(&[0], &fine), 1);
        assert_eq!(mistakes(&[0, 0, 1], &fine), 1);
        assert_eq!(mistakes(&[1, 0], &fine), 1);
        let mut astray = answers(&[0, 1]);
        astray[1].chat = "b".to_owned();
        assert_eq!(record().mistakes(0, &astray, &fine).len(), 1);
    }

    #[test]
    fn an_unknown_outcome_explains_a_later_second_answer_and_two_of_them_a_missing_one() {
        assert_eq!(mistakes(&[0, 0, 1], &doubt(2)), 0);
        assert_eq!(mistakes(&[0, 0, 1], &doubt(3)), 1, "the second answer came before the doubt");
        assert_eq!(mistakes(&[0, 0, 0, 1], &doubt(2)), 1);
        assert_eq!(mistakes(&[0, 1, 1], &doubt(2)), 1, "another answer was in doubt");
        assert_eq!(mistakes(&[0, 1, 0], &doubt(1)), 1, "the second answer came after the next one");
        assert_eq!(mistakes(&[1], &doubt(1)), 1);
        assert_eq!(mistakes(&[1], &Doubtful { twice: BTreeSet::from([0]), ..doubt(1) }), 0);
    }

    #[test]
    fn only_a_node_that_was_stopped_may_be_late() {
        let doubtful = doubt(1);
        let mistakes = |fault| {
            let blow = Blow { fault, node: Some(0), at: UNIX_EPOCH };
            let record = Record { blows: vec![blow], ..record() };
            record.mistakes(0, &answers(&[0, 1, 0]), &doubtful).len()
        };
        assert_eq!((mistakes(Fault::Freeze), mistakes(Fault::Cut)), (0, 1));
    }

    #[test]
    fn a_question_may_be_set_aside_after_three_ends_of_processes() {
        let set_aside = BTreeMap::from([(0, UNIX_EPOCH + 3 * SECOND)]);
        let doubtful = Doubtful { set_aside, ..Doubtful::default() };
        let missing = |kills: u32| {
            let kill = |n| Blow { fault: Fault::Kill, node: Some(0), at: UNIX_EPOCH + n * SECOND };
            let record = Record { blows: (1..=kills).map(kill).collect(), ..record() };
            record.mistakes(0, &answers(&[1]), &doubtful).len()
        };
        assert_eq!((missing(2), missing(3)), (1, 0));
    }

    #[test]
    fn an_answer_of_a_node_that_had_lost_the_account_is_found() {
        let lease = |epoch, node: &str, second: u32| {
            ("a1".to_owned(), epoch, node.to_owned(), UNIX_EPOCH + second * SECOND)
        };
        let leases = [lease(1, "node-1", 0), lease(2, "node-2", 1)];
        let mut answers = answers(&[0, 1]);
        answers[0].node = Some(1);
        assert_eq!(overtaken("a1", &answers, &leases).len(), 1);
        answers.reverse();
        assert!(overtaken("a1", &answers, &leases).is_empty());
    }
}
