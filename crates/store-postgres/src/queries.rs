//! The statements of the calls: each runs one function, whose first parameters are the account and the lease.

/// A statement that runs a function with these parameters after account, holder and epoch.
macro_rules! call {
    ($name:literal $(, $n:literal)*) => {
        concat!("SELECT * FROM mynah.", $name, "($1, $2::text::uuid, $3" $(, ", $", $n)*, ")")
    };
}

pub(crate) const ACCEPT: &str = call!("accept_1", 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
pub(crate) const BEGIN: &str = call!("begin_1", 4, 5);
pub(crate) const CLAIM: &str = call!("claim_next_1", 4, 5, 6, 7);
pub(crate) const COMMIT: &str = call!(
    "commit_1", 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39
);
pub(crate) const FIRE: &str = call!("fire_1", 4);
pub(crate) const FORGET: &str = call!("forget_1", 4, 5);
pub(crate) const GIVE: &str = call!("give_1");
pub(crate) const MEMBER_VALUES: &str = call!("member_values_1", 4, 5, 6, 7);
pub(crate) const MOVE_EVENTS: &str = call!("move_events_1", 4, 5);
pub(crate) const MOVE_HITS: &str = call!("move_hits_1", 4, 5, 6);
pub(crate) const MOVE_IDS: &str = call!("move_ids_1", 4, 5, 6);
pub(crate) const MOVE_IS_EMPTY: &str = call!("move_is_empty_1");
pub(crate) const MOVE_MARK: &str = call!("move_mark_1");
pub(crate) const MOVE_PUT: &str = call!("move_put_1", 4, 5, 6);
pub(crate) const MOVE_RECORDS: &str = call!("move_records_1", 4, 5);
pub(crate) const MOVE_SET_MARK: &str = call!("move_set_mark_1", 4, 5, 6);
pub(crate) const MOVE_TIMERS: &str = call!("move_timers_1", 4, 5, 6);
pub(crate) const MOVE_VALUES: &str = call!("move_values_1", 4, 5, 6, 7, 8);
pub(crate) const PASS_OVER: &str = call!("pass_over_1", 4, 5, 6, 7);
pub(crate) const RECENT_CLAIMS: &str = call!("recent_claims_1", 4, 5);
pub(crate) const RECORDS: &str = call!("records_1");
pub(crate) const RECOVER: &str = call!("recover_1", 4, 5, 6);
pub(crate) const SETTLE: &str = call!("settle_1", 4, 5, 6, 7, 8, 9, 10, 11);
pub(crate) const SYNC: &str = call!("sync_1");
pub(crate) const SAVE_ROW: &str = call!("save_row_1", 4, 5, 6, 7, 8);
pub(crate) const TAKE: &str =
    "SELECT account, taken, seen FROM mynah.take_1($1, $2::text::uuid, $3)";
pub(crate) const TIDY: &str = call!("tidy_1", 4, 5, 6, 7, 8, 9);
pub(crate) const UNBIND: &str = call!("unbind_1", 4);

/// The bodies of the events that may hold a recalled message, oldest first.
pub(crate) const ORIGINALS: &str = "SELECT * FROM mynah.originals_1($1, $2)";
