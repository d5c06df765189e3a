//! Points in time as people write them: a day, or a time.

use jiff::Timestamp;
use jiff::civil::Date;

/// The beginning of a day in UTC, or a time.
pub fn begin(text: &str) -> Option<Timestamp> {
    read(text, "T00:00:00Z")
}

/// The end of a day in UTC, or a time: what stood on a day is the last that was fetched in it.
pub fn end(text: &str) -> Option<Timestamp> {
    read(text, "T23:59:59.999999999Z")
}

fn read(text: &str, of_day: &str) -> Option<Timestamp> {
    // The time first: a day is also read out of a time with an offset.
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let day: Date = text.parse().ok()?;
    format!("{day}{of_day}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_a_beginning_and_an_end_and_a_time_has_neither() {
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let day = "2024-03-25";
        assert_eq!(text(begin(day)).as_deref(), Some("2024-03-25T00:00:00Z"));
        assert!(text(end(day)).is_some_and(|end| end.starts_with("2024-03-25T23:59:59.9")));
        let time = "2024-03-25T09:30:00+01:00";
        assert_eq!(begin(time), end(time));
        assert_eq!((begin("yesterday"), end("")), (None, None));
    }
}
