//! Schedules, with the clock moved by hand.

use croner::parser::{CronParser, Seconds};

use super::ever_comes;
use crate::rule_book::test_book::Talk;

fn talk(rules: &str, now: &str, groups: &[&str]) -> Talk {
    let mut talk = Talk::with(rules);
    groups.iter().for_each(|group| talk.knows(group));
    talk.jump(now);
    talk.start(None);
    talk
}

#[test]
fn every_group_hears_its_own_announcement() {
    let rules = r#"
        [[schedule]]
        at = ["09:00", "17:30"]
        days = "mon-fri"
        to = ["晨会*"]
        send = "早会，主题：{chat.topic|待定}"
        [[group]]
        name = "晨会一组"
        vars = { topic = "发布" }
    "#;
    let mut talk = talk(rules, "2026-11-23T08:00:00+08:00", &["晨会一组", "晨会二组", "别的"]);
    assert_eq!(talk.pass(3599), [""; 0]);
    // Each line is said in the lane of its own chat.
    assert_eq!(talk.pass(1), ["早会，主题：发布", "早会，主题：待定"]);
    assert_eq!(talk.due(), ["2026-11-23T09:30:00Z"]);
    talk.jump("2026-11-27T17:00:00+08:00");
    assert_eq!(talk.pass(1800).len(), 2, "Friday evening");
    assert_eq!(talk.due(), ["2026-11-30T01:00:00Z"], "Monday morning");
}

#[test]
fn a_moment_that_is_now_counts() {
    let mut talk = talk(
        "[[schedule]]\nat = \"09:00\"\nto = [\"群\"]\nsend = \"早\"\n",
        "2026-11-23T09:00:00+08:00",
        &["群"],
    );
    assert_eq!(talk.pass(0), ["早"]);
    assert_eq!(talk.pass(0), [""; 0]);
    talk.start(None);
    assert_eq!(talk.due().len(), 1);
    assert_eq!(talk.pass(86_400), ["早"]);
}

#[test]
fn what_was_missed_is_skipped_or_made_up_for_once() {
    for (missed, expected) in [("skip", vec![]), ("once", vec!["报销"])] {
        let rules = format!(
            "[[schedule]]\ncron = \"0 18 * * *\"\nto = [\"群\"]\nsend = \"报销\"\nmissed = \"{missed}\"\n"
        );
        let mut talk = talk(&rules, "2026-11-23T08:00:00+08:00", &["群"]);
        // Down for three days; the timer is still there, and the rules begin anew.
        talk.jump("2026-11-26T20:00:00+08:00");
        assert_eq!(talk.pass(0), expected, "the overdue timer comes first: {missed}");
        talk.start(None);
        assert_eq!(talk.pass(0), [""; 0]);
        assert_eq!(talk.due(), ["2026-11-27T10:00:00Z"]);
        talk.jump("2026-11-29T20:00:00+08:00");
        talk.start(None);
        assert_eq!(talk.pass(0), expected, "the start comes first: {missed}");
        assert_eq!(talk.due(), ["2026-11-30T10:00:00Z"]);
    }
}

#[test]
fn a_beat_goes_on_where_it_was() {
    let rules = "[[schedule]]\nevery = \"2h\"\nto = [\"群\"]\nsend = \"喝水\"\n";
    let mut talk = talk(rules, "2026-11-23T08:00:00+08:00", &["群"]);
    assert_eq!(talk.pass(7199), ["喝水"; 0]);
    assert_eq!(talk.pass(1), ["喝水"]);
    assert_eq!(talk.pass(3 * 7200), ["喝水"; 3]);
    talk.jump("2026-11-23T17:30:00+08:00");
    talk.start(None);
    assert_eq!(talk.due().len(), 1);
    assert_eq!(talk.pass(1800).len(), 1, "at 18:00 as before");
}

#[test]
fn a_missed_beat_is_made_up_for_once_and_keeps_its_place() {
    let rules = "[[schedule]]\nevery = \"2h\"\nto = [\"群\"]\nsend = \"喝水\"\nmissed = \"once\"\n";
    let mut talk = talk(rules, "2026-11-23T08:00:00+08:00", &["群"]);
    talk.jump("2026-11-23T15:30:00+08:00");
    talk.start(None);
    assert_eq!(talk.pass(0), ["喝水"]);
    talk.start(None);
    assert_eq!(talk.pass(0), [""; 0]);
    assert_eq!(talk.due(), ["2026-11-23T08:00:00Z"], "at 16:00 as before");
}

#[test]
fn of_short_beats_that_are_late_one_is_said() {
    for missed in ["skip", "once"] {
        let rules = format!(
            "[[schedule]]\nevery = \"5s\"\nto = [\"群\"]\nsend = \"滴\"\nmissed = \"{missed}\"\n"
        );
        let mut talk = talk(&rules, "2026-11-23T08:00:00+08:00", &["群"]);
        talk.jump("2026-11-23T08:00:33+08:00");
        assert_eq!(talk.pass(0), ["滴"], "{missed}");
        assert_eq!(talk.due(), ["2026-11-23T00:00:35Z"], "in its place: {missed}");
        assert_eq!(talk.pass(2), ["滴"]);
    }
}

#[test]
fn clocks_that_change_are_followed() {
    let rules = "[bot]\ntimezone = \"Europe/Berlin\"\n[[schedule]]\nat = \"02:30\"\nto = [\"群\"]\nsend = \"x\"\n";
    // In spring 02:30 does not exist, in autumn it comes twice.
    for (now, due) in [
        ("2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"),
        ("2026-03-29T12:00:00Z", "2026-03-30T00:30:00Z"),
        ("2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
        ("2026-10-25T00:45:00Z", "2026-10-26T01:30:00Z"),
    ] {
        assert_eq!(talk(rules, now, &["群"]).due(), [due], "{now}");
    }
    let rules = rules.replace("at = \"02:30\"", "cron = \"0 9 * * *\"");
    for (now, due) in [
        ("2026-03-28T12:00:00Z", "2026-03-29T07:00:00Z"),
        ("2026-10-24T12:00:00Z", "2026-10-25T08:00:00Z"),
    ] {
        assert_eq!(talk(&rules, now, &["群"]).due(), [due], "{now}");
    }
}

#[test]
fn a_clock_that_was_wrong_for_a_time_silences_no_schedule() {
    for (due, at_start, back, after) in [
        ("at = \"09:00\"", "2026-11-23T01:00:00Z", "08:55", "2026-11-24T01:00:00Z"),
        ("cron = \"0 9 * * *\"", "2026-11-23T01:00:00Z", "08:55", "2026-11-24T01:00:00Z"),
        ("every = \"2h\"", "2026-11-23T02:00:00Z", "09:30", "2026-11-23T04:00:00Z"),
    ] {
        for missed in ["skip", "once"] {
            let rules = format!(
                "[[schedule]]\n{due}\nto = [\"群\"]\nsend = \"x\"\nmissed = \"{missed}\"\n"
            );
            let mut talk = talk(&rules, "2030-01-01T12:00:00+08:00", &["群"]);
            talk.pass(86_400);
            // The clock is set right, and the bot is started again.
            talk.jump("2026-11-23T08:00:00+08:00");
            talk.start(None);
            assert_eq!(talk.due(), [at_start], "{due} {missed}");
            // A clock that is set back a little repeats nothing.
            talk.pass(7200);
            talk.jump(&format!("2026-11-23T{back}:00+08:00"));
            talk.start(None);
            assert_eq!(talk.due(), [after], "{due} {missed}");
        }
    }
}

#[test]
fn a_schedule_that_was_taken_out_is_silent() {
    let mut talk = talk(
        "[[schedule]]\nat = \"09:00\"\nto = [\"群\"]\nsend = \"早\"\n",
        "2026-11-23T08:00:00+08:00",
        &["群"],
    );
    talk.start(Some("[[rule]]\nkeyword = \"a\"\nreply = \"b\"\n"));
    assert_eq!(talk.pass(86_400), [""; 0]);
    assert_eq!(talk.due(), [""; 0]);
}

#[test]
fn a_day_that_no_year_has_never_comes() {
    for (line, comes) in [
        ("0 9 30 2 *", false),
        ("0 9 31 2 *", false),
        ("0 9 30-31 FEB *", false),
        ("0 9 31 2,4,6,9,11 *", false),
        ("*/5 * 31 4 *", false),
        ("* * * * *", true),
        ("0 9 31 * *", true),
        ("0 9 31 2,3 *", true),
        ("0 9 29 2 *", true),
        ("59 23 29 2 *", true),
        ("0 9 L 2 *", true),
        // A leap day on a Monday comes every 28 years, and over the end of most centuries after 40.
        ("0 9 29 2 +MON", true),
        // A fifth Monday in February is such a day, too.
        ("0 9 * 2 MON#5", true),
        ("0 9 30 2 +MON", false),
        // Either of the two fields is enough, so this one comes on Mondays.
        ("0 9 30 2 MON", true),
        ("0 0 1 1 +SUN", true),
        ("59 23 31 12 +SAT", true),
    ] {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).build();
        let cron = parser.parse(line).expect(line);
        assert_eq!(ever_comes(&cron), comes, "{line}");
    }
}
