use mynah_core::{CalledBy, SystemClock};
use mynah_webwx::wire::{Message, Synced};
use mynah_webwx::{Call, Client, Options};

use super::super::directory::Directory;
use super::*;

/// A source whose server is never called.
fn source() -> WebWxSource {
    let server = Some("http://127.0.0.1:9".to_owned());
    let client = Client::new(Options { server, ..Options::default() }).unwrap();
    let (names, clock) = (CalledBy::default(), Arc::new(SystemClock));
    let shared = Arc::new(Shared::new(client, names, clock, Directory::default()));
    WebWxSource::new(shared, Duration::from_secs(3600))
}

/// The current wait, to the next tenth of a second.
fn waits(source: &mut WebWxSource) -> f64 {
    let left = source.not_before.take().map_or(Duration::ZERO, |at| at - Instant::now());
    (left.as_secs_f64() * 10.0).round() / 10.0
}

#[test]
fn syncs_that_bring_nothing_pause_though_their_keys_move_on() {
    let mut source = source();
    let mut nothing = Synced::default();
    nothing.continue_flag = 1;
    let mut waited = Vec::new();
    for _ in 0..6 {
        source.after_sync(&nothing, true);
        waited.push(waits(&mut source));
    }
    assert_eq!(waited, [0.0, 0.0, 0.0, 5.0, 5.0, 5.0]);
    let mut something = Synced::default();
    something.add_msg_list.push(Message::default());
    source.after_sync(&something, true);
    source.after_sync(&nothing, true);
    assert_eq!(waits(&mut source), 0.0, "something came in between");
}

#[test]
fn polls_that_are_answered_at_once_are_made_less_and_less_often() {
    let mut source = source();
    let mut waited = Vec::new();
    for _ in 0..6 {
        source.do_not_hurry(Instant::now());
        waited.push(waits(&mut source));
    }
    assert_eq!(waited, [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]);
    source.do_not_hurry(Instant::now() - HURRIED);
    assert_eq!(waits(&mut source), 0.0);
    source.do_not_hurry(Instant::now());
    assert_eq!(waits(&mut source), 0.2, "a poll was held in between");
}

#[test]
fn polls_that_fail_while_syncs_work_pause_five_seconds_at_most() {
    let mut source = source();
    let error = CallError { call: Call::SyncCheck, failure: Failure::TimedOut };
    let mut waited = Vec::new();
    for _ in 0..6 {
        source.stage = Stage::Poll;
        source.fail(&error).unwrap();
        waited.push(waits(&mut source));
    }
    assert_eq!(waited, [1.0, 2.0, 4.0, 5.0, 5.0, 5.0]);
    source.poll_failed = false;
    source.stage = Stage::Sync;
    source.fail(&error).unwrap();
    assert!(waits(&mut source) > 5.0, "a sync that fails as well is another matter");
}

#[test]
fn codes_that_are_closed_again_and_again_are_renewed_less_and_less_often() {
    let mut source = source();
    let mut waited = Vec::new();
    for _ in 0..7 {
        source.shown_since = Some(Instant::now());
        source.after_spoilt_code(Instant::now() - HURRIED);
        waited.push(waits(&mut source));
    }
    assert_eq!(waited, [0.0, 0.0, 0.0, 8.0, 16.0, 32.0, 60.0]);
    source.shown_since = Some(Instant::now() - LONG_SHOWN);
    source.after_spoilt_code(Instant::now() - HURRIED);
    assert_eq!(waits(&mut source), 0.0, "a code that was shown for long has expired in order");
}

#[tokio::test]
async fn a_code_that_never_expires_ends_the_wait_for_a_person_too() {
    for tip in [Tip::Scan, Tip::Confirmation] {
        let mut source = source();
        source.patience = Duration::ZERO;
        source.waiting_since = Some(Instant::now() - Duration::from_secs(1));
        let login = LoginId::new("uuid");
        source.stage = Stage::AwaitPhone(AwaitPhone { login, tip, pushed: false });
        let step = source.step().await;
        assert!(matches!(step, Err(Trouble::End(ReceiveError::NotLoggedIn { .. }))));
    }
}
