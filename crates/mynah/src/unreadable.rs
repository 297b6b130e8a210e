//! Log entries in a form that this version does not know: shown, never left out in silence.

use mynah_core::{
    Chat, Decided, Event, EventBody, LogPage, Logged, Notice, NoticeKind, Unreadable, sort_by_key,
};

use crate::report;

/// Reports them on standard error, one a line.
pub(crate) fn warn(page: &LogPage) {
    for Unreadable { seq, id, why, .. } in &page.unreadable {
        let (id, why) = (id.as_str().escape_debug(), why.escape_debug());
        report::say(&format!("warning: log entry {seq} (event {id}): {why}\n"));
    }
}

/// The entries of a page, with a notice in the place of each that cannot be read.
pub(crate) fn with_notices(page: LogPage) -> Vec<Logged> {
    let LogPage { mut entries, unreadable, .. } = page;
    for one in unreadable {
        if !entries.iter().any(|entry| entry.seq == one.seq) {
            entries.push(notice(one));
        }
    }
    sort_by_key(&mut entries, |entry| entry.seq);
    entries
}

fn notice(Unreadable { seq, id, accepted, why }: Unreadable) -> Logged {
    let kind = NoticeKind::Raw { kind: "unreadable".to_owned(), text: why.clone() };
    let notice = Notice { chat: Chat::private("", ""), person: None, kind };
    Logged {
        seq,
        event: Event { id, time: accepted, body: EventBody::Notice(notice) },
        accepted,
        handled: Some(accepted),
        decided: Some(Decided { passed_over: Some(why), ..Decided::default() }),
        actions: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mynah_core::{LogPlace, Timestamp};

    #[test]
    fn an_entry_that_cannot_be_read_stands_in_its_place() {
        let unreadable = Unreadable {
            seq: 7,
            id: "e".into(),
            accepted: Timestamp::from_secs(1),
            why: "unknown form".to_owned(),
        };
        let later = Logged { seq: 9, ..notice(unreadable.clone()) };
        let (entries, unreadable) = (vec![later], vec![unreadable]);
        let page = LogPage { entries, unreadable, next: LogPlace::Before(7), more: false };
        let shown = with_notices(page);
        assert_eq!(shown.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [7, 9]);
        let decided = shown[0].decided.as_ref().and_then(|it| it.passed_over.as_deref());
        assert_eq!(decided, Some("unknown form"));
    }
}
