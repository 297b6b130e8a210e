//! The record of a story, and its check.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use mynah_sandbox::Sandbox;

use super::faults::Fault;
use super::history::{Claim, Doubt, Doubtful, Lease, moment};
use super::line::Ways;

/// The service notes the time in milliseconds.
const ROUNDED: Duration = Duration::from_millis(1);

/// This long after it woke up, a node that was stopped has noticed that it has lost its accounts.
const WOKEN: Duration = Duration::from_secs(2);

/// A node that kept its lease has reached the database this long after it could: its TTL, and a pause between two tries.
const BACK: Duration = Duration::from_secs(3);

/// The words of a node that gives a request up since another node could repeat it.
const GIVEN_UP: &str = "the store cannot be reached";

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

/// A fault.
#[derive(Debug, Clone)]
pub(crate) struct Blow {
    pub(crate) fault: Fault,
    /// The node that it meets; all of them if it is the database.
    pub(crate) node: Option<usize>,
    pub(crate) began: SystemTime,
    /// From then on an account can answer again: the beginning, or the end of a restart.
    pub(crate) at: SystemTime,
    /// The end of one that lasts.
    pub(crate) until: Option<SystemTime>,
}

#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) questions: Vec<Question>,
    pub(crate) blows: Vec<Blow>,
    /// All requests, by their questions.
    pub(crate) claims: BTreeMap<usize, Vec<Claim>>,
}

/// The number in a question or an answer.
pub(crate) fn number(text: &str, word: &str) -> Option<usize> {
    let (_, rest) = text.split_once(word)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
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

    /// Notes the end of the faults of a node that last and are of these kinds.
    pub(crate) fn ended(&mut self, node: usize, faults: &[Fault]) {
        let open = self.blows.iter_mut().filter(|blow| {
            blow.node == Some(node) && blow.until.is_none() && faults.contains(&blow.fault)
        });
        open.for_each(|blow| blow.until = Some(SystemTime::now()));
    }

    /// Whether a node that woke up ended a request that it had begun before it was stopped. No process can prevent that: it
    /// may be stopped between its last look at its lease and the write. The answer was in doubt by then.
    pub(crate) fn is_late(&self, answer: &Answer, doubtful: &Doubtful) -> bool {
        let woke = |blow: &Blow| {
            let mut claims = self.claims_of(answer.question, blow.node);
            blow.fault == Fault::Freeze
                && blow.node == answer.node
                && claims.any(|claim| claim.at <= blow.at)
                && blow
                    .until
                    .is_some_and(|woken| (woken..woken + WOKEN).contains(&(answer.at + ROUNDED)))
        };
        let doubt = doubtful.once.get(&answer.question);
        doubt.is_some_and(|doubt| doubt.at <= answer.at + ROUNDED) && self.blows.iter().any(woke)
    }

    /// Whether a node gave a request up under a lease that it kept, since its connections to the database ended while the
    /// request was under way: another node could repeat it.
    pub(crate) fn was_cut_off(&self, question: usize, doubt: &Doubt) -> bool {
        let cut_off = |blow: &Blow| {
            let meets = match blow.fault {
                Fault::Cut => blow.node == doubt.node,
                Fault::Terminate | Fault::Fast => true,
                _ => false,
            };
            let mut claims = self.claims_of(question, doubt.node);
            meets
                && blow.until.is_some_and(|until| {
                    (blow.began..until + BACK).contains(&doubt.at)
                        && claims.any(|claim| claim.at <= until)
                })
        };
        doubt.reason == GIVEN_UP && self.blows.iter().any(cut_off)
    }

    /// The requests of a node with the answer to a question.
    fn claims_of(&self, question: usize, node: Option<usize>) -> impl Iterator<Item = &Claim> {
        let claims = self.claims.get(&question).into_iter().flatten();
        claims.filter(move |claim| claim.node.is_some() && claim.node == node)
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

    /// From each fault until each account that it met answered a question that was asked after it.
    pub(crate) fn silences(&self, accounts: &[(&str, &[Answer], Holders)]) -> Silences {
        let mut silences = Silences::default();
        for (n, blow) in self.blows.iter().enumerate() {
            for (account, answers, holders) in accounts {
                let meets = |blow: &&Blow| match blow.node {
                    None => true,
                    node => blow.fault != Fault::Join && holders.at(blow.began) == node,
                };
                let is_after = |it: &&Answer| self.questions[it.question].at >= blow.at;
                let after = answers.iter().find(is_after).map(|answer| answer.at);
                let Some(after) = after.filter(|_| meets(&blow)) else { continue };
                let of_fault = silences.0.entry(blow.fault).or_default();
                // Another fault may meet the account before.
                let next = self.blows[n + 1..].iter().find(meets);
                if next.is_some_and(|next| next.began < after) {
                    of_fault.cut_short += 1;
                } else {
                    let silence = after.duration_since(blow.at).unwrap_or_default();
                    let silences = match holders.is_suspect(blow.at, after) {
                        true => &mut of_fault.suspects,
                        false => &mut of_fault.whole,
                    };
                    silences.push((silence, (*account).to_owned(), blow.at));
                }
            }
        }
        for of_fault in silences.0.values_mut() {
            of_fault.whole.sort_unstable();
            of_fault.suspects.sort_unstable();
        }
        silences
    }
}

/// The leases of an account, one after the other.
#[derive(Debug)]
pub(crate) struct Holders(Vec<Lease>);

impl Holders {
    pub(crate) fn of(account: &str, leases: &[Lease]) -> Self {
        Self(leases.iter().filter(|lease| lease.account == account).cloned().collect())
    }

    /// The last node that had taken the account by then.
    fn at(&self, time: SystemTime) -> Option<usize> {
        self.last(time)?.node
    }

    fn last(&self, time: SystemTime) -> Option<&Lease> {
        self.0.iter().rev().find(|lease| lease.at <= time)
    }

    /// Whether it was under suspicion then or came under it meanwhile.
    fn is_suspect(&self, from: SystemTime, until: SystemTime) -> bool {
        let meanwhile = self.0.iter().filter(|lease| (from..=until).contains(&lease.at));
        self.last(from).into_iter().chain(meanwhile).any(Lease::is_suspect)
    }
}

/// A silence, its account, and the time of the fault.
type Silence = (Duration, String, SystemTime);

/// The silences of accounts after a kind of fault.
#[derive(Debug, Default)]
struct OfFault {
    whole: Vec<Silence>,
    /// Those of accounts under suspicion, which may have to wait.
    suspects: Vec<Silence>,
    /// The number of those that another fault followed first.
    cut_short: usize,
}

/// The silences after each kind of fault.
#[derive(Debug, Default)]
pub(crate) struct Silences(BTreeMap<Fault, OfFault>);

impl Silences {
    /// A table for people.
    pub(crate) fn table(&self) -> String {
        let mut table = "seconds until an account answers again, after each fault; \
            beside those, accounts that another fault met before, and accounts under suspicion:\n"
            .to_owned();
        for (fault, OfFault { whole, suspects, cut_short }) in &self.0 {
            let at = |silences: &[Silence], part: usize| {
                let place = silences.len().saturating_sub(1) * part / 100;
                silences.get(place).map_or(0.0, |it| it.0.as_secs_f64())
            };
            let _ = writeln!(
                table,
                "{:>10}: {:>4} accounts, half {:.2}, 95 % {:.2}, last {:.2}; met before {cut_short}; under suspicion {}, half {:.2}, last {:.2}",
                format!("{fault:?}"),
                whole.len(),
                at(whole, 50),
                at(whole, 95),
                at(whole, 100),
                suspects.len(),
                at(suspects, 50),
                at(suspects, 100),
            );
        }
        table
    }
}

/// Answers under an older lease after one under a newer lease.
pub(crate) fn overtaken(account: &str, answers: &[&Answer], leases: &[Lease]) -> Vec<String> {
    let mut newest = 0;
    let mut mistakes = Vec::new();
    for answer in answers {
        if answer.node.is_none() {
            mistakes.push(format!("{account}: no node sent {answer:?}"));
            continue;
        }
        let its = leases.iter().filter(|lease| {
            lease.account == account && lease.node == answer.node && lease.at <= answer.at
        });
        let epoch = its.map(|lease| lease.epoch).max().unwrap_or(0);
        if epoch < newest {
            mistakes.push(format!("{account}: {answer:?} with lease {epoch} after {newest}"));
        }
        newest = newest.max(epoch);
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// An account that was asked twice in one chat.
    fn record() -> Record {
        let asked = |chat| Question { account: 0, chat, at: UNIX_EPOCH };
        Record { questions: vec![asked("a"), asked("a")], ..Record::default() }
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
        let at = UNIX_EPOCH + second * SECOND;
        let doubt = Doubt { at, is_lost: true, node: Some(1), reason: String::new() };
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

    fn lease(epoch: i64, node: usize, second: u32) -> Lease {
        let (account, at) = ("a1".to_owned(), UNIX_EPOCH + second * SECOND);
        Lease { account, epoch, node: Some(node), is_taken: true, at, ends: 0 }
    }

    fn blow(fault: Fault, node: Option<usize>, (began, until): (u32, u32)) -> Blow {
        let began = UNIX_EPOCH + began * SECOND;
        Blow { fault, node, began, at: began, until: Some(UNIX_EPOCH + until * SECOND) }
    }

    /// The record of a request of a node with the answer to the first question, made in this second, and of a fault.
    fn with_claim((node, second): (usize, u32), blow: Blow) -> Record {
        let claim = Claim { node: Some(node), at: UNIX_EPOCH + second * SECOND };
        let claims = BTreeMap::from([(0, vec![claim])]);
        Record { blows: vec![blow], claims, ..record() }
    }

    #[test]
    fn only_a_node_that_was_stopped_with_its_request_may_be_late() {
        // The first question is answered once more in the third second, after the second one.
        let mistakes = |claim, fault, node, (began, until)| {
            let record = with_claim(claim, blow(fault, Some(node), (began, until)));
            record.mistakes(0, &answers(&[0, 1, 0]), &doubt(1)).len()
        };
        assert_eq!(mistakes((0, 1), Fault::Freeze, 0, (1, 3)), 0);
        assert_eq!(mistakes((0, 1), Fault::Cut, 0, (1, 3)), 1);
        assert_eq!(mistakes((0, 1), Fault::Freeze, 1, (1, 3)), 1, "another node was stopped");
        assert_eq!(mistakes((1, 1), Fault::Freeze, 0, (1, 3)), 1, "another node had the request");
        assert_eq!(mistakes((0, 2), Fault::Freeze, 0, (1, 3)), 1, "the request came later");
        assert_eq!(mistakes((0, 1), Fault::Freeze, 0, (1, 4)), 1, "it had not woken up");
        assert_eq!(mistakes((0, 0), Fault::Freeze, 0, (0, 1)), 1, "it had woken up before");
    }

    #[test]
    fn only_a_node_whose_connections_ended_during_a_request_may_give_it_up() {
        // The first question is in doubt in the fifth second.
        let is_cut_off = |claim, fault, node, times, reason: &str| {
            let doubt = Doubt { reason: reason.to_owned(), ..doubt(5).once[&0].clone() };
            with_claim(claim, blow(fault, node, times)).was_cut_off(0, &doubt)
        };
        assert!(is_cut_off((1, 3), Fault::Terminate, None, (4, 4), GIVEN_UP));
        assert!(is_cut_off((1, 3), Fault::Fast, None, (4, 6), GIVEN_UP));
        assert!(is_cut_off((1, 3), Fault::Cut, Some(1), (3, 4), GIVEN_UP));
        assert!(!is_cut_off((1, 3), Fault::Terminate, None, (4, 4), "no answer within 60s"));
        assert!(!is_cut_off((1, 3), Fault::Cut, Some(0), (3, 4), GIVEN_UP), "of another node");
        assert!(!is_cut_off((0, 3), Fault::Terminate, None, (4, 4), GIVEN_UP), "another request");
        assert!(!is_cut_off((1, 5), Fault::Terminate, None, (4, 4), GIVEN_UP), "a later request");
        assert!(!is_cut_off((1, 1), Fault::Terminate, None, (2, 2), GIVEN_UP), "long before");
        assert!(!is_cut_off((1, 3), Fault::Terminate, None, (6, 6), GIVEN_UP), "afterwards");
        assert!(!is_cut_off((1, 3), Fault::Immediate, None, (4, 4), GIVEN_UP), "no lease is kept");
        assert!(!is_cut_off((1, 3), Fault::Slow, Some(1), (4, 4), GIVEN_UP), "nothing has ended");
    }

    #[test]
    fn a_silence_lasts_until_a_later_question_is_answered_or_another_fault_meets_the_account() {
        let asked = |second| Question { account: 0, chat: "a", at: UNIX_EPOCH + second * SECOND };
        let leases = [lease(1, 0, 0), lease(2, 1, 4)];
        // Both are answered, in the second and in the seventh second.
        let mut answers = answers(&[0, 1]);
        (answers[0].at, answers[1].at) = (UNIX_EPOCH + 2 * SECOND, UNIX_EPOCH + 7 * SECOND);
        let silences_of = |leases: &[Lease], next: &[Blow]| {
            let kill = blow(Fault::Kill, Some(0), (1, 1));
            let blows = std::iter::once(kill).chain(next.iter().cloned()).collect();
            let record = Record { questions: vec![asked(0), asked(3)], blows, ..Record::default() };
            let accounts = [("a1", &answers[..], Holders::of("a1", leases))];
            record.silences(&accounts).0.remove(&Fault::Kill).unwrap()
        };
        let silences = |next: &[Blow]| silences_of(&leases, next);
        assert_eq!(silences(&[]).whole[0].0, 6 * SECOND);
        let suspect = |lease| Lease { ends: 5, ..lease };
        for leases in
            [[suspect(lease(1, 0, 0)), lease(2, 1, 4)], [lease(1, 0, 0), suspect(lease(2, 1, 4))]]
        {
            assert_eq!(silences_of(&leases, &[]).suspects[0].0, 6 * SECOND);
        }
        let is_whole = |fault, node, times| {
            let OfFault { whole, cut_short, .. } = silences(&[blow(fault, node, times)]);
            assert_eq!(whole.len() + cut_short, 1);
            cut_short == 0
        };
        assert!(is_whole(Fault::Cut, Some(0), (5, 6)), "of another node");
        assert!(is_whole(Fault::Join, Some(1), (5, 5)));
        assert!(!is_whole(Fault::Cut, Some(1), (5, 6)));
        assert!(!is_whole(Fault::Fast, None, (5, 8)));
    }

    #[test]
    fn a_question_may_be_set_aside_after_three_ends_of_processes() {
        let set_aside = BTreeMap::from([(0, UNIX_EPOCH + 3 * SECOND)]);
        let doubtful = Doubtful { set_aside, ..Doubtful::default() };
        let missing = |kills: u32| {
            let kill = |n| blow(Fault::Kill, Some(0), (n, n));
            let record = Record { blows: (1..=kills).map(kill).collect(), ..record() };
            record.mistakes(0, &answers(&[1]), &doubtful).len()
        };
        assert_eq!((missing(2), missing(3)), (1, 0));
    }

    #[test]
    fn an_answer_of_a_node_that_had_lost_the_account_is_found() {
        let leases = [lease(1, 0, 0), lease(2, 1, 1)];
        let mut answers = answers(&[0, 1]);
        answers[0].node = Some(1);
        let [first, second] = &answers[..] else { unreachable!() };
        assert_eq!(overtaken("a1", &[first, second], &leases).len(), 1);
        assert!(overtaken("a1", &[second, first], &leases).is_empty());
    }
}
