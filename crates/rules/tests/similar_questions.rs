//! How often `match = "similar"` is right on lists of questions that people could ask. The documents name these figures.

use mynah_core::{Chat, Content, Event, EventBody, Message, NoState, Origin, Person, Timestamp};
use mynah_rules::{Disk, LoadOptions, Moment, load};

/// Counts of answers by their kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rates {
    /// Questions that have an answer, and how many of them got the right one, and a wrong one.
    answerable: usize,
    right: usize,
    wrong: usize,
    /// Other messages, and how many of them got an answer.
    others: usize,
    false_answers: usize,
}

/// Plays a list: the question that should answer or `-`, the message, its kind.
fn rates(list: &str) -> Rates {
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
    let mut questions: Vec<&str> =
        lines.iter().map(|line| line[0]).filter(|one| *one != "-").collect();
    questions.dedup();
    let folder = tempfile::tempdir().expect("a folder");
    let table: String = questions.iter().map(|question| format!("{question}\tanswer\n")).collect();
    std::fs::write(folder.path().join("faq.tsv"), table).expect("written");
    let main = folder.path().join("bot.toml");
    std::fs::write(&main, "[[table]]\nfile = \"faq.tsv\"\nmatch = \"similar\"\n").expect("written");
    let book = load(&main, &Disk, &LoadOptions::default()).book.expect("no mistake");
    let mut rates = Rates::default();
    for line in &lines {
        let expected = questions.iter().position(|question| *question == line[0]);
        let message = Message {
            id: "m".into(),
            called: true,
            chat: Chat::private("p", "Pat"),
            sender: Person::stranger("p", "Pat"),
            origin: Origin::Person,
            content: Content::text(line[1]),
            text: line[1].to_owned(),
            behind_name: None,
        };
        let event = Event {
            id: "e".into(),
            time: Timestamp::from_secs(0),
            body: EventBody::Message(message),
        };
        let decision = book.decide(&event, &NoState, &Moment::at(Timestamp::from_secs(0)));
        let answered = decision.rule.map(|rule| rule.line as usize - 1);
        match (expected, answered) {
            (Some(expected), answered) => {
                rates.answerable += 1;
                rates.right += usize::from(answered == Some(expected));
                rates.wrong += usize::from(answered.is_some_and(|row| row != expected));
            }
            (None, answered) => {
                rates.others += 1;
                rates.false_answers += usize::from(answered.is_some());
            }
        }
    }
    rates
}

#[test]
fn similar_questions_are_answered_as_often_as_the_documents_say() {
    let chinese = rates(include_str!("similar/zh.tsv"));
    assert_eq!(
        chinese,
        Rates { answerable: 60, right: 51, wrong: 1, others: 36, false_answers: 2 }
    );
    let english = rates(include_str!("similar/en.tsv"));
    assert_eq!(
        english,
        Rates { answerable: 45, right: 32, wrong: 0, others: 30, false_answers: 1 }
    );
}
