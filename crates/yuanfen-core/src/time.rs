//! Time as the platforms write it. China has had one offset, +08:00, since 1991; no zone database is needed.

use std::fmt;
use std::time::Duration;

use crate::ValueError;
use crate::taker::{JsonForm, WireText};

const BEIJING: i64 = 8 * 3600;
const DAY: i64 = 86_400;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

/// Why a text is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Not of the expected form.
    #[error("time is not written as {form}")]
    Form {
        /// The form that was expected.
        form: &'static str,
    },
    /// Of the form, but no such moment: month 13, 30 February, second 61.
    #[error("time names no moment of the calendar")]
    NoSuchMoment,
}

impl UnixTime {
    /// So many seconds since the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// Later by the whole seconds of that duration; stops at the end of time.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)),
        )
    }

    /// Seconds from `earlier` to here; negative where `earlier` is later. Stops at the ends of 64 bits.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The date in Beijing at this moment. Moments outside the years 1 to 9999 end at the first or last day of these.
    #[must_use]
    pub fn beijing_date(self) -> CalendarDate {
        let days = self.0.saturating_add(BEIJING).div_euclid(DAY);
        let (year, month, day) = civil_from_days(days);
        CalendarDate { year, month, day }
    }

    fn beijing_clock(self) -> (CalendarDate, i64, i64, i64) {
        let second = self.0.saturating_add(BEIJING).rem_euclid(DAY);
        #[expect(clippy::integer_division, reason = "hours and minutes of a day")]
        let (hour, minute) = (second / 3600, second % 3600 / 60);
        (self.beijing_date(), hour, minute, second % 60)
    }

    fn from_civil(date: CalendarDate, hour: u32, minute: u32, second: u32, offset: i64) -> Result<Self, TimeError> {
        if hour > 23 || minute > 59 || second > 59 {
            return Err(TimeError::NoSuchMoment);
        }
        let of_day = i64::from(hour)
            .saturating_mul(3600)
            .saturating_add(i64::from(minute).saturating_mul(60))
            .saturating_add(i64::from(second));
        let seconds = days_from_civil(date)
            .saturating_mul(DAY)
            .saturating_add(of_day)
            .saturating_sub(offset);
        Ok(Self(seconds))
    }
}

impl WireText for UnixTime {
    /// Quoted or bare: the platforms quote their second counts, other people's tools do not.
    const JSON: JsonForm = JsonForm::Either;

    fn read(text: &str) -> Result<Self, ValueError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ValueError::Time(TimeError::Form {
                form: "a number of seconds",
            }));
        }
        text.parse()
            .map(Self)
            .map_err(|_| ValueError::Time(TimeError::NoSuchMoment))
    }

    fn write(&self, out: &mut String) {
        use fmt::Write as _;
        _ = write!(out, "{}", self.0);
    }
}

/// A day of the Gregorian calendar, years 1 to 9999. Written `yyyy-MM-dd`, or [`compact`](Self::compact) `yyyyMMdd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarDate {
    year: i64,
    month: u32,
    day: u32,
}

impl CalendarDate {
    /// A day that exists.
    ///
    /// # Errors
    /// Refuses days that are not in the calendar and years outside 1 to 9999.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, TimeError> {
        let date = Self {
            year: i64::from(year),
            month: u32::from(month),
            day: u32::from(day),
        };
        let exists = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && day >= 1
            && civil_from_days(days_from_civil(date)) == (date.year, date.month, date.day);
        if exists { Ok(date) } else { Err(TimeError::NoSuchMoment) }
    }

    /// Reads `yyyy-MM-dd`.
    ///
    /// # Errors
    /// Refuses every other form, and days that do not exist.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let form = TimeError::Form { form: "yyyy-MM-dd" };
        let [year, month, day] = numbers(text, &[4, 2, 2], &["-", "-", ""]).ok_or(form)?;
        Self::checked(year, month, day)
    }

    /// Reads `yyyyMMdd`.
    ///
    /// # Errors
    /// Refuses every other form, and days that do not exist.
    pub fn parse_compact(text: &str) -> Result<Self, TimeError> {
        let form = TimeError::Form { form: "yyyyMMdd" };
        let [year, month, day] = numbers(text, &[4, 2, 2], &["", "", ""]).ok_or(form)?;
        Self::checked(year, month, day)
    }

    fn checked(year: u32, month: u32, day: u32) -> Result<Self, TimeError> {
        let none = |_| TimeError::NoSuchMoment;
        Self::new(
            year.try_into().map_err(none)?,
            month.try_into().map_err(none)?,
            day.try_into().map_err(none)?,
        )
    }

    /// The text `yyyyMMdd`.
    #[must_use]
    pub fn compact(self) -> String {
        format!("{:04}{:02}{:02}", self.year, self.month, self.day)
    }

    /// The first second of this day in Beijing.
    #[must_use]
    pub fn beijing_midnight(self) -> UnixTime {
        UnixTime(days_from_civil(self).saturating_mul(DAY).saturating_sub(BEIJING))
    }
}

impl fmt::Display for CalendarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}-{:02}", self.year, self.month, self.day))
    }
}

/// A moment written `yyyyMMddHHmmss` at +08:00, whatever zone the host is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a plain adapter over UnixTime")]
pub struct Clock14(pub UnixTime);

impl fmt::Display for Clock14 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, hour, minute, second) = self.0.beijing_clock();
        f.pad(&format!("{}{hour:02}{minute:02}{second:02}", date.compact()))
    }
}

impl WireText for Clock14 {
    fn read(text: &str) -> Result<Self, ValueError> {
        let form = ValueError::Time(TimeError::Form { form: "yyyyMMddHHmmss" });
        let [year, month, day, hour, minute, second] =
            numbers(text, &[4, 2, 2, 2, 2, 2], &["", "", "", "", "", ""]).ok_or(form)?;
        CalendarDate::checked(year, month, day)
            .and_then(|date| UnixTime::from_civil(date, hour, minute, second, BEIJING))
            .map(Self)
            .map_err(ValueError::Time)
    }

    fn write(&self, out: &mut String) {
        use fmt::Write as _;
        _ = write!(out, "{self}");
    }
}

/// A moment written `yyyy-MM-dd HH:mm:ss` at +08:00, whatever zone the host is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a plain adapter over UnixTime")]
pub struct ClockDashed(pub UnixTime);

impl fmt::Display for ClockDashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, hour, minute, second) = self.0.beijing_clock();
        f.pad(&format!("{date} {hour:02}:{minute:02}:{second:02}"))
    }
}

impl WireText for ClockDashed {
    fn read(text: &str) -> Result<Self, ValueError> {
        let form = ValueError::Time(TimeError::Form {
            form: "yyyy-MM-dd HH:mm:ss",
        });
        let [year, month, day, hour, minute, second] =
            numbers(text, &[4, 2, 2, 2, 2, 2], &["-", "-", " ", ":", ":", ""]).ok_or(form)?;
        CalendarDate::checked(year, month, day)
            .and_then(|date| UnixTime::from_civil(date, hour, minute, second, BEIJING))
            .map(Self)
            .map_err(ValueError::Time)
    }

    fn write(&self, out: &mut String) {
        use fmt::Write as _;
        _ = write!(out, "{self}");
    }
}

/// A moment in RFC 3339. Written at +08:00 in whole seconds; read with any offset, with `Z`, with a blank for the `T`,
/// and with a fraction of a second, which is dropped. Leap seconds (`:60`) and `24:00` are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a plain adapter over UnixTime")]
pub struct Rfc3339(pub UnixTime);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, hour, minute, second) = self.0.beijing_clock();
        f.pad(&format!("{date}T{hour:02}:{minute:02}:{second:02}+08:00"))
    }
}

impl WireText for Rfc3339 {
    fn read(text: &str) -> Result<Self, ValueError> {
        read_rfc3339(text).map(Self).map_err(ValueError::Time)
    }

    fn write(&self, out: &mut String) {
        use fmt::Write as _;
        _ = write!(out, "{self}");
    }
}

fn read_rfc3339(text: &str) -> Result<UnixTime, TimeError> {
    let form = TimeError::Form { form: "RFC 3339" };
    let (clock, rest) = text.split_at_checked(19).ok_or(form)?;
    let clock = clock.replacen(['T', 't'], " ", 1);
    let [year, month, day, hour, minute, second] =
        numbers(&clock, &[4, 2, 2, 2, 2, 2], &["-", "-", " ", ":", ":", ""]).ok_or(form)?;
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|character: char| character.is_ascii_digit());
            if zone.len() == fraction.len() {
                return Err(form);
            }
            zone
        }
    };
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let (sign, digits) = match zone.split_at_checked(1).ok_or(form)? {
                ("+", digits) => (1, digits),
                ("-", digits) => (-1, digits),
                _ => return Err(form),
            };
            let [hours, minutes] = numbers(digits, &[2, 2], &[":", ""]).ok_or(form)?;
            if hours > 23 || minutes > 59 {
                return Err(TimeError::NoSuchMoment);
            }
            i64::from(hours)
                .saturating_mul(3600)
                .saturating_add(i64::from(minutes).saturating_mul(60))
                .saturating_mul(sign)
        }
    };
    let date = CalendarDate::checked(year, month, day)?;
    UnixTime::from_civil(date, hour, minute, second, offset)
}

/// Reads groups of digits of fixed widths, each followed by its separator.
fn numbers<const N: usize>(text: &str, widths: &[usize; N], separators: &[&str; N]) -> Option<[u32; N]> {
    let mut rest = text;
    let mut values = [0_u32; N];
    for ((value, width), separator) in values.iter_mut().zip(widths).zip(separators) {
        let (digits, after) = rest.split_at_checked(*width)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *value = digits.parse().ok()?;
        rest = after.strip_prefix(separator)?;
    }
    rest.is_empty().then_some(values)
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, after Howard Hinnant's public algorithms.
#[expect(
    clippy::arithmetic_side_effects,
    clippy::integer_division,
    reason = "calendar arithmetic on bounded years"
)]
fn days_from_civil(date: CalendarDate) -> i64 {
    let year = if date.month <= 2 { date.year - 1 } else { date.year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted = (i64::from(date.month) + 9) % 12;
    let of_year = (153 * shifted + 2) / 5 + i64::from(date.day) - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse. Moments far outside the calendar's four-digit years end at its first or last day.
#[expect(
    clippy::arithmetic_side_effects,
    clippy::integer_division,
    reason = "calendar arithmetic on clamped days"
)]
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days.clamp(-719_162, 2_932_896) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}
