//! The written forms of time against known instants, and against another calendar.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;
use yuanfen_core::{CalendarDate, Clock14, ClockDashed, Rfc3339, TimeError, UnixTime, ValueError, WireText};

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(seconds)
}

const NO_SUCH_MOMENT: ValueError = ValueError::Time(TimeError::NoSuchMoment);

#[test]
fn known_instants_are_written_at_the_offset_of_beijing() {
    // Each line is `TZ=Asia/Shanghai date -d @SECONDS`, except those before 1991, which are at a fixed +08:00.
    for (seconds, clock, dashed, rfc) in [
        (0, "19700101080000", "1970-01-01 08:00:00", "1970-01-01T08:00:00+08:00"),
        (
            1_554_208_460,
            "20190402203420",
            "2019-04-02 20:34:20",
            "2019-04-02T20:34:20+08:00",
        ),
        (
            1_709_222_399,
            "20240229235959",
            "2024-02-29 23:59:59",
            "2024-02-29T23:59:59+08:00",
        ),
        (
            1_709_222_400,
            "20240301000000",
            "2024-03-01 00:00:00",
            "2024-03-01T00:00:00+08:00",
        ),
        (-1, "19700101075959", "1970-01-01 07:59:59", "1970-01-01T07:59:59+08:00"),
        (
            -28_801,
            "19691231235959",
            "1969-12-31 23:59:59",
            "1969-12-31T23:59:59+08:00",
        ),
        (
            4_102_416_000,
            "21000101000000",
            "2100-01-01 00:00:00",
            "2100-01-01T00:00:00+08:00",
        ),
        (
            253_402_271_999,
            "99991231235959",
            "9999-12-31 23:59:59",
            "9999-12-31T23:59:59+08:00",
        ),
        (
            -62_135_625_600,
            "00010101000000",
            "0001-01-01 00:00:00",
            "0001-01-01T00:00:00+08:00",
        ),
    ] {
        assert_eq!(Clock14(at(seconds)).to_text(), clock);
        assert_eq!(ClockDashed(at(seconds)).to_text(), dashed);
        assert_eq!(Rfc3339(at(seconds)).to_text(), rfc);
        assert_eq!(Clock14::read(clock), Ok(Clock14(at(seconds))));
        assert_eq!(ClockDashed::read(dashed), Ok(ClockDashed(at(seconds))));
        assert_eq!(Rfc3339::read(rfc), Ok(Rfc3339(at(seconds))));
    }
}

#[test]
fn rfc_3339_is_read_with_any_offset_and_any_fraction() {
    let expected = Ok(Rfc3339(at(1_554_208_460)));
    for text in [
        "2019-04-02T12:34:20Z",
        "2019-04-02t12:34:20z",
        "2019-04-02 12:34:20Z",
        "2019-04-02T20:34:20+08:00",
        "2019-04-02T20:34:20.0+08:00",
        "2019-04-02T20:34:20.999999999999+08:00",
        "2019-04-02T07:04:20-05:30",
        "2019-04-03T12:33:20+23:59",
        "2019-04-02T12:34:20-00:00",
        "2019-04-02T12:34:20.5Z",
    ] {
        assert_eq!(Rfc3339::read(text), expected, "{text}");
    }
}

#[test]
fn rfc_3339_of_another_form_is_refused() {
    for text in [
        "",
        "2019-04-02",
        "2019-04-02T20:34:20",
        "2019-04-02T20:34:20+0800",
        "2019-04-02T20:34:20+08",
        "2019-04-02T20:34:20+08:0",
        "2019-04-02T20:34:20+08:000",
        "2019-04-02T20:34:20 +08:00",
        "2019-04-02T20:34:20.+08:00",
        "2019-04-02T20:34:20,5+08:00",
        "2019-04-02T20:34:20.5",
        "2019-04-02T20:34+08:00",
        "19-04-02T20:34:20+08:00",
        "2019-4-2T20:34:20+08:00",
        "2019/04/02T20:34:20+08:00",
        "2019-04-02_20:34:20+08:00",
        "2019 04-02T20:34:20+08:00",
        "T019-04-02T20:34:20+08:00",
        "+019-04-02T20:34:20+08:00",
        "2019-04-02T20:34:20ZZ",
        " 2019-04-02T20:34:20Z",
        "2019-04-02T20:34:2０Z",
        "２019-04-02T20:34:20Z",
        "2019-04-02T20:34:20é",
    ] {
        let form = ValueError::Time(TimeError::Form { form: "RFC 3339" });
        assert_eq!(Rfc3339::read(text), Err(form), "{text:?}");
    }
}

#[test]
fn moments_that_the_calendar_does_not_have_are_refused() {
    for text in [
        "2023-02-29T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "2024-01-32T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T23:60:00Z",
        "2016-12-31T23:59:60Z",
        "2024-01-01T23:59:61Z",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+08:60",
    ] {
        assert_eq!(Rfc3339::read(text), Err(NO_SUCH_MOMENT), "{text}");
    }
    for text in [
        "20230229000000",
        "20240230000000",
        "20240101240000",
        "20240101236000",
        "20161231235960",
    ] {
        assert_eq!(Clock14::read(text), Err(NO_SUCH_MOMENT), "{text}");
    }
    assert!(Rfc3339::read("2000-02-29T00:00:00Z").is_ok());
    assert!(Rfc3339::read("2024-02-29T00:00:00Z").is_ok());
}

#[test]
fn clocks_of_another_form_are_refused() {
    for text in [
        "",
        "2019040220342",
        "201904022034200",
        "2019040220342a",
        " 20190402203420",
        "２0190402203420",
    ] {
        let form = ValueError::Time(TimeError::Form { form: "yyyyMMddHHmmss" });
        assert_eq!(Clock14::read(text), Err(form), "{text:?}");
    }
    for text in [
        "2019-04-02T20:34:20",
        "2019-04-02 20:34",
        "2019-04-02  20:34:20",
        "20190402203420",
    ] {
        assert!(
            matches!(ClockDashed::read(text), Err(ValueError::Time(TimeError::Form { .. }))),
            "{text:?}"
        );
    }
}

#[test]
fn a_second_count_is_a_plain_integer() {
    for (text, seconds) in [
        ("0", 0),
        ("-5", -5),
        ("1554208460", 1_554_208_460),
        ("9223372036854775807", i64::MAX),
    ] {
        assert_eq!(UnixTime::read(text), Ok(at(seconds)));
        assert_eq!(at(seconds).to_text(), text);
    }
    for text in ["", "-", "+1", " 1", "1.0", "1e9"] {
        assert!(
            matches!(UnixTime::read(text), Err(ValueError::Time(TimeError::Form { .. }))),
            "{text:?}"
        );
    }
    assert_eq!(UnixTime::read("9223372036854775808"), Err(NO_SUCH_MOMENT));
}

#[test]
fn the_ends_of_time_hold() {
    for seconds in [
        i64::MIN,
        i64::MIN + 1,
        i64::MAX - 1,
        i64::MAX,
        253_402_272_000,
        -62_135_625_601,
    ] {
        let time = at(seconds);
        assert_eq!(Clock14(time).to_text().len(), 14);
        assert_eq!(ClockDashed(time).to_text().len(), 19);
        assert_eq!(Rfc3339(time).to_text().len(), 25);
        assert_eq!(time.beijing_date().compact().len(), 8);
    }
    assert_eq!(at(i64::MAX).beijing_date(), CalendarDate::new(9999, 12, 31).unwrap());
    assert_eq!(at(i64::MIN).beijing_date(), CalendarDate::new(1, 1, 1).unwrap());
    assert_eq!(at(i64::MAX).after(Duration::from_secs(1)), at(i64::MAX));
    assert_eq!(at(0).after(Duration::MAX), at(i64::MAX));
    assert_eq!(at(0).after(Duration::from_millis(2999)), at(2));
    assert_eq!(at(i64::MAX).since(at(i64::MIN)), i64::MAX);
    assert_eq!(at(i64::MIN).since(at(i64::MAX)), i64::MIN);
    assert_eq!(at(5).since(at(8)), -3);
}

#[test]
fn a_date_has_two_spellings() {
    let date = CalendarDate::parse("2024-02-29").unwrap();
    assert_eq!(date, CalendarDate::parse_compact("20240229").unwrap());
    assert_eq!(date, CalendarDate::new(2024, 2, 29).unwrap());
    assert_eq!(
        (date.to_string(), date.compact()),
        ("2024-02-29".to_owned(), "20240229".to_owned())
    );
    assert_eq!(date.beijing_midnight(), at(1_709_136_000));
    assert_eq!(date.beijing_midnight().beijing_date(), date);
    for text in ["20240229", "2024-2-29", "2024-02-29 ", "", "24-02-29", "2024-02-2９"] {
        assert_eq!(
            CalendarDate::parse(text),
            Err(TimeError::Form { form: "yyyy-MM-dd" }),
            "{text:?}"
        );
    }
    for text in ["2024-02-29", "2024022", "202402299", ""] {
        assert_eq!(
            CalendarDate::parse_compact(text),
            Err(TimeError::Form { form: "yyyyMMdd" }),
            "{text:?}"
        );
    }
    for text in [
        "2023-02-29",
        "2024-02-30",
        "0000-01-01",
        "2024-13-01",
        "2024-99-99",
        "9999-12-32",
    ] {
        assert_eq!(CalendarDate::parse(text), Err(TimeError::NoSuchMoment), "{text}");
    }
    assert!(CalendarDate::new(10_000, 1, 1).is_err());
    assert!(CalendarDate::new(2024, u8::MAX, u8::MAX).is_err());
    assert!(CalendarDate::new(9999, 12, u8::MAX).is_err());
}

fn beijing() -> TimeZone {
    TimeZone::fixed(Offset::constant(8))
}

proptest! {
    #[test]
    fn every_written_form_agrees_with_another_calendar(seconds in -62_135_625_600_i64..=253_370_736_000) {
        let other = jiff::Timestamp::from_second(seconds).unwrap().to_zoned(beijing());
        prop_assert_eq!(Clock14(at(seconds)).to_text(), other.strftime("%Y%m%d%H%M%S").to_string());
        prop_assert_eq!(ClockDashed(at(seconds)).to_text(), other.strftime("%Y-%m-%d %H:%M:%S").to_string());
        prop_assert_eq!(Rfc3339(at(seconds)).to_text(), other.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
        prop_assert_eq!(at(seconds).beijing_date().to_string(), other.date().to_string());
        prop_assert_eq!(Clock14::read(&Clock14(at(seconds)).to_text()), Ok(Clock14(at(seconds))));
        prop_assert_eq!(ClockDashed::read(&ClockDashed(at(seconds)).to_text()), Ok(ClockDashed(at(seconds))));
        prop_assert_eq!(Rfc3339::read(&Rfc3339(at(seconds)).to_text()), Ok(Rfc3339(at(seconds))));
    }

    #[test]
    fn reading_rfc_3339_agrees_with_another_calendar(
        date in (0_i16..=9998, 0_i8..=13, 0_i8..=32),
        clock in (0_i8..=24, 0_i8..=60, 0_i8..=60),
        fraction in prop_oneof![Just(String::new()), "\\.[0-9]{1,12}"],
        offset in (any::<bool>(), 0_i32..=24, 0_i32..=60),
    ) {
        let ((year, month, day), (hour, minute, second)) = (date, clock);
        let (east, hours, minutes) = offset;
        let sign = if east { '+' } else { '-' };
        let text = format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{sign}{hours:02}:{minutes:02}"
        );
        let seconds = if east { 1 } else { -1 } * (hours * 3600 + minutes * 60);
        let expected = DateTime::new(year, month, day, hour, minute, second, 0)
            .ok()
            .filter(|_| year > 0 && hours < 24 && minutes < 60)
            .map(|civil| Offset::from_seconds(seconds).unwrap().to_timestamp(civil).unwrap().as_second());
        prop_assert_eq!(Rfc3339::read(&text).ok().map(|read| read.0.seconds()), expected, "{}", text);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in prop_oneof!["\\PC{0,30}", "[0-9TZ:.+ é-]{0,30}"]) {
        _ = Rfc3339::read(&text);
        _ = Clock14::read(&text);
        _ = ClockDashed::read(&text);
        _ = UnixTime::read(&text);
        _ = CalendarDate::parse(&text);
        _ = CalendarDate::parse_compact(&text);
    }

    #[test]
    fn days_of_the_calendar_agree_with_another(year in 0_u16..=10_001, month in 0_u8..=14, day in 0_u8..=33) {
        let other = i16::try_from(year).ok().filter(|year| (1..=9999).contains(year)).and_then(|year| {
            jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
        });
        let ours = CalendarDate::new(year, month, day).ok();
        prop_assert_eq!(ours.map(|date| date.to_string()), other.map(|date| date.to_string()));
    }
}
