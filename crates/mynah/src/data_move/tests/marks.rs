//! Every combination of marks and rows on both sides, with stores in memory.

use std::sync::Mutex;

use mynah_core::StoredHit;

use super::*;

/// The mark and the rows of a store.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    mark: Option<MoveMark>,
    rows: Vec<StoredRow>,
}

impl Held {
    fn is_runnable(&self) -> bool {
        self.mark.is_none()
    }
}

/// A store in memory, whose pages have one row.
struct MemoryStore(Mutex<Held>);

impl MemoryStore {
    fn new(mark: Option<MoveMark>, days: &[i64]) -> Arc<Self> {
        let row = |day: &i64| {
            StoredRow::Hit(StoredHit { day: *day, rule: String::new(), times: 1, last: 0 })
        };
        Arc::new(Self(Mutex::new(Held { mark, rows: days.iter().map(row).collect() })))
    }

    fn held(&self) -> Held {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl MovingStore for MemoryStore {
    async fn mark(&self) -> Result<Option<MoveMark>, StoreError> {
        Ok(self.held().mark)
    }

    async fn set_mark(&self, mark: Option<&MoveMark>) -> Result<(), StoreError> {
        self.0.lock().unwrap().mark = mark.cloned();
        Ok(())
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.held().rows.is_empty())
    }

    async fn clear(&self, mark: &MoveMark) -> Result<(), StoreError> {
        *self.0.lock().unwrap() = Held { mark: Some(mark.clone()), rows: Vec::new() };
        Ok(())
    }

    async fn rows(&self, after: &RowPlace) -> Result<RowPage, StoreError> {
        let held = self.held();
        let at = held.rows.iter().position(|row| row.place() == *after).map_or(0, |at| at + 1);
        let rows: Vec<StoredRow> = held.rows.into_iter().skip(at).take(1).collect();
        let next = rows.last().map(StoredRow::place);
        Ok(RowPage { rows, next })
    }

    async fn put(
        &self,
        rows: &[StoredRow],
        before: &MoveMark,
        mark: &MoveMark,
    ) -> Result<(), StoreError> {
        let mut held = self.0.lock().unwrap();
        if held.mark.as_ref() != Some(before) {
            return Err(StoreError::LeaseLost);
        }
        held.rows.extend_from_slice(rows);
        held.mark = Some(mark.clone());
        Ok(())
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Two stores that die together at a call.
fn mortals(from: &Arc<MemoryStore>, to: &Arc<MemoryStore>, dies_at: u32) -> (Mortal, Mortal) {
    let calls = Arc::new(AtomicU32::new(0));
    let mortal = |store: &Arc<MemoryStore>| Mortal {
        store: Arc::clone(store) as _,
        calls: Arc::clone(&calls),
        dies_at,
    };
    (mortal(from), mortal(to))
}

/// One process that moves data between stores with these places and dies at a call.
async fn run(
    (from, from_place): (&Arc<MemoryStore>, &str),
    (to, to_place): (&Arc<MemoryStore>, &str),
    dies_at: u32,
) -> Result<Moved, MoveError> {
    let (from, to) = mortals(from, to, dies_at);
    let from = Side { store: &from, place: from_place };
    move_data(from, Side { store: &to, place: to_place }, &new_id(), |_| {}).await
}

const LIVES: u32 = u32::MAX;

/// All marks; an empty id is that of a newer version.
fn all_marks() -> Vec<Option<MoveMark>> {
    let newer = MoveMark::Leaving { id: String::new(), to: "another store".to_owned() };
    let mut marks = vec![None, Some(newer)];
    for id in ["a", "b"] {
        for other in ["there", "elsewhere"] {
            let (id, to) = (id.to_owned(), other.to_owned());
            marks.push(Some(MoveMark::Leaving { id: id.clone(), to: to.clone() }));
            marks.push(Some(MoveMark::Moved { id, to }));
        }
        for other in ["here", "elsewhere"] {
            for after in [RowPlace::Start, RowPlace::Hit(1, String::new())] {
                let (id, from) = (id.to_owned(), other.to_owned());
                marks.push(Some(MoveMark::Arriving { id, from, after }));
            }
        }
    }
    marks
}

/// Checks the stores after a process that moved data from `here` to `there`.
fn check(before: (&Held, &Held), after: (&Held, &Held), case: &str) {
    let ((here, there), (here_now, there_now)) = (before, after);
    assert_eq!(here_now.rows, here.rows, "the source changed: {case}");
    let were_two = here.is_runnable() && there.is_runnable();
    let are_two = here_now.is_runnable() && there_now.is_runnable();
    assert!(were_two || !are_two, "two copies can be run: {case}");
    assert!(here.is_runnable() || !here_now.is_runnable(), "the source was opened: {case}");
    if there_now.is_runnable() && there != there_now {
        assert_eq!(there_now.rows, here.rows, "a part was opened: {case}");
        assert!(matches!(here_now.mark, Some(MoveMark::Moved { .. })), "{case}");
    }
    if there.is_runnable() && !there.rows.is_empty() {
        assert_eq!(there, there_now, "data was overwritten: {case}");
    }
}

#[tokio::test]
async fn no_marks_let_a_part_be_opened_or_two_copies_be_run() {
    let (mut moved, mut refused) = (0, 0);
    for left in all_marks() {
        for arrived in all_marks() {
            for days in [&[][..], &[1], &[1, 2, 3], &[9]] {
                for dies_at in (0..14).chain([LIVES]) {
                    let here = MemoryStore::new(left.clone(), &[1, 2, 3]);
                    let there = MemoryStore::new(arrived.clone(), days);
                    let case = format!("{left:?}, {arrived:?}, {days:?}, {dies_at}");
                    for dies_at in [dies_at, LIVES, LIVES] {
                        let before = (here.held(), there.held());
                        let outcome = run((&here, "here"), (&there, "there"), dies_at).await;
                        let after = (here.held(), there.held());
                        check((&before.0, &before.1), (&after.0, &after.1), &case);
                        match outcome {
                            Ok(Moved::Now(_)) => {
                                moved += 1;
                                assert!(after.1.is_runnable() && before != after, "{case}");
                            }
                            Ok(Moved::Before) => assert_eq!(before, after, "{case}"),
                            Err(_) => refused += 1,
                        }
                    }
                }
            }
        }
    }
    assert!(moved > 1_000 && refused > 1_000, "{moved}, {refused}");
}

#[tokio::test]
async fn a_part_at_another_place_is_not_opened_when_the_data_was_moved_elsewhere() {
    for dies_at in 1..12 {
        for second_dies_at in (0..14).chain([LIVES]) {
            let from = MemoryStore::new(None, &[1, 2, 3]);
            let (first, second) = (MemoryStore::new(None, &[]), MemoryStore::new(None, &[]));
            run((&from, "from"), (&first, "first"), dies_at).await.unwrap_err();
            if matches!(from.held().mark, Some(MoveMark::Moved { .. })) {
                break;
            }
            let _ = run((&from, "from"), (&second, "second"), second_dies_at).await;
            let case = format!("{dies_at}, {second_dies_at}");
            // The same command goes on after it was interrupted.
            run((&from, "from"), (&second, "second"), LIVES).await.expect(&case);
            assert_eq!(second.held().rows, from.held().rows, "{case}");
            let part = first.held();
            let error = run((&from, "from"), (&first, "first"), LIVES).await.unwrap_err();
            let refusal = std::error::Error::source(&error).unwrap().to_string();
            assert!(refusal.contains("second"), "{refusal}");
            assert_eq!(first.held(), part, "{case}");
            assert!(second.held().is_runnable() && !part.is_runnable(), "{case}");
        }
    }
}

#[tokio::test]
async fn marks_of_a_former_version_with_one_id_for_two_places_open_only_the_complete_copy() {
    let (id, to) = ("a".to_owned(), "second".to_owned());
    let from = MemoryStore::new(Some(MoveMark::Moved { id: id.clone(), to }), &[1, 2, 3]);
    let after = RowPlace::Hit(1, String::new());
    let arriving = MoveMark::Arriving { id, from: "from".to_owned(), after };
    let first = MemoryStore::new(Some(arriving.clone()), &[1]);
    assert!(run((&from, "from"), (&first, "first"), LIVES).await.is_err());
    let part = MemoryStore::new(Some(arriving.clone()), &[1]);
    let differs = run((&from, "from"), (&part, "second"), LIVES).await;
    let differs = differs.expect_err("a part is not opened").to_string();
    assert_eq!(
        differs,
        "the copy is not the same: the row of the counts of rules with the day 1970-01-03 and all rules is missing in the \
         copy; the data is where it was"
    );
    assert!(!first.held().is_runnable() && !part.held().is_runnable());
    let second = MemoryStore::new(Some(arriving), &[1, 2, 3]);
    run((&from, "from"), (&second, "second"), LIVES).await.unwrap();
    assert!(second.held().is_runnable());
}

#[tokio::test]
async fn a_source_that_cannot_be_moved_is_refused_before_its_target_is_created() {
    for mark in all_marks() {
        let (from, to) = (MemoryStore::new(mark.clone(), &[1]), MemoryStore::new(None, &[]));
        let side = Side { store: &*from, place: "from" };
        let is_refused = check_source(side).await.is_err();
        let moved = run((&from, "from"), (&to, "to"), LIVES).await;
        assert_eq!(is_refused, moved.is_err(), "{mark:?}");
    }
}

/// One process that gives the move from `here` to `there` up and dies at a call.
async fn run_give_up(
    here: &Arc<MemoryStore>,
    there: &Arc<MemoryStore>,
    dies_at: u32,
) -> Result<bool, MoveError> {
    let (here, there) = mortals(here, there, dies_at);
    let from = Side { store: &here, place: "here" };
    give_up(from, Side { store: &there, place: "there" }).await
}

/// Checks the stores after a process that gave a move from `here` to `there` up.
fn check_given_up(before: (&Held, &Held), after: (&Held, &Held), case: &str) {
    let ((here, there), (here_now, there_now)) = (before, after);
    assert_eq!(here_now.rows, here.rows, "the source changed: {case}");
    if there_now.rows != there.rows {
        assert!(!there.is_runnable() && there_now.rows.is_empty(), "{case}");
        assert!(!here.rows.is_empty(), "the last copy was deleted: {case}");
    }
    if here_now.is_runnable() && !here.is_runnable() {
        assert!(there_now.rows.is_empty(), "two copies: {case}");
    }
    if there_now.is_runnable() && !there.is_runnable() {
        assert!(there_now.rows.is_empty() && here_now.is_runnable(), "a copy was opened: {case}");
    }
}

#[tokio::test]
async fn a_move_that_is_given_up_leaves_one_copy_that_can_be_run() {
    let mut given_up = 0;
    for left in all_marks() {
        for arrived in all_marks() {
            for (days, days_there) in
                [(&[1, 2][..], &[][..]), (&[1, 2], &[1]), (&[1, 2], &[1, 2]), (&[], &[1])]
            {
                for dies_at in (0..8).chain([LIVES]) {
                    let here = MemoryStore::new(left.clone(), days);
                    let there = MemoryStore::new(arrived.clone(), days_there);
                    let case =
                        format!("{left:?}, {arrived:?}, {days:?}, {days_there:?}, {dies_at}");
                    for dies_at in [dies_at, LIVES] {
                        let before = (here.held(), there.held());
                        let outcome = run_give_up(&here, &there, dies_at).await;
                        let after = (here.held(), there.held());
                        check_given_up((&before.0, &before.1), (&after.0, &after.1), &case);
                        match outcome {
                            Ok(true) => {
                                given_up += 1;
                                assert!(after.0.is_runnable() && after.1.rows.is_empty(), "{case}");
                            }
                            Ok(false) => assert_eq!(before, after, "{case}"),
                            Err(_) => {}
                        }
                    }
                }
            }
        }
    }
    assert!(given_up > 100, "{given_up}");
}

#[tokio::test]
async fn a_move_that_died_anywhere_before_its_end_can_be_given_up_and_begun_anew() {
    for dies_at in 0..14 {
        let (here, there) = (MemoryStore::new(None, &[1, 2, 3]), MemoryStore::new(None, &[]));
        let moved = run((&here, "here"), (&there, "there"), dies_at).await;
        let is_finished = there.held().is_runnable() && !there.held().rows.is_empty();
        let is_unfinished = !is_finished && !there.held().is_runnable();
        assert_eq!(run_give_up(&here, &there, LIVES).await.unwrap(), is_unfinished, "{dies_at}");
        if is_finished {
            assert!(matches!(here.held().mark, Some(MoveMark::Moved { .. })), "{moved:?}");
            continue;
        }
        assert!(here.held().is_runnable() && there.held().rows.is_empty(), "{dies_at}");
        run((&here, "here"), (&there, "there"), LIVES).await.unwrap();
        assert_eq!(there.held().rows, here.held().rows, "{dies_at}");
    }
}
