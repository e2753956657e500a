//! The `Date` of an answer (RFC 9110, section 5.6.7), for telling a clock that is off.

use http::HeaderMap;
use http::header::DATE;
use yuanfen_core::{Rfc3339, UnixTime, WireText as _};

/// When a server says that it answered, in the one form that servers write: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn of(headers: &HeaderMap) -> Option<UnixTime> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = headers.get(DATE)?.to_str().ok()?;
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.strip_suffix(" GMT")?.split(' ');
    let (day, month, year, clock) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().zip(1..).find(|(name, _)| **name == month)?.1;
    let Rfc3339(time) = Rfc3339::read(&format!("{year}-{month:02}-{day}T{clock}Z")).ok()?;
    parts.next().is_none().then_some(time)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn reads_the_date_that_servers_write_and_nothing_else() {
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, text.parse().unwrap());
            of(&headers)
        };
        assert_eq!(
            read("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(UnixTime::from_seconds(784_111_777))
        );
        assert_eq!(
            read("Tue, 14 Nov 2023 22:13:20 GMT"),
            Some(UnixTime::from_seconds(1_700_000_000))
        );
        for odd in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 CST",
            "Sun, 06 Nvm 1994 08:49:37 GMT",
            "Sun, 36 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 1 GMT",
            "Sun, 06 Nov 1994 GMT",
        ] {
            assert_eq!(read(odd), None, "{odd}");
        }
        assert_eq!(of(&HeaderMap::new()), None);
    }
}
