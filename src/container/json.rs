//! JSON of scrapers: one object, an array of objects, or objects one after another (JSON Lines), each a page or a text with
//! what is known about it. Other JSON is no container.

use std::io::Read;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde_json::{Deserializer, Map, Value};

use super::stream::{Stream, read_line};
use super::{Fields, Found, Options, Part, Take, broken, too_large};
use crate::identity::normalise_url;
use crate::submission::Declared;

/// May stand before JSON.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether the first object in `stream` is a scraper's: it has a content, and an address, a title or a time beside it.
pub(super) fn begins(stream: &mut Stream<'_>, options: &Options) -> bool {
    let limited = stream.take(options.part_bytes_max as u64);
    let mut first = None;
    // Nothing is read behind the first object.
    let _ends = values(limited, &mut |value| {
        first = Some(value);
        false
    });
    first.is_some_and(|value| is_page(&value, &options.json))
}

fn is_page(value: &Value, fields: &Fields) -> bool {
    let is_text = |name: &String| get(value, name).is_some_and(Value::is_string);
    let known = [&fields.url, &fields.title, &fields.fetched_at];
    fields.content.iter().any(is_text)
        && known.iter().any(|names| {
            names
                .iter()
                .any(|name| get(value, name).is_some_and(|v| !v.is_null()))
        })
}

pub(super) fn read(mut stream: Stream<'_>, options: &Options, take: Take<'_>) {
    let mut number = 0;
    let mut one = |place: Place, value: Result<Value, Found>| {
        number += 1;
        let place = match place {
            Place::Line(line) => format!("line {line}"),
            Place::Value => format!("object {number}"),
        };
        let found = match value {
            Ok(value) => page(value, &options.json, &place),
            Err(Found::Broken(mut reason)) => {
                reason.message = format!("{place}: {}", reason.message);
                Found::Broken(reason)
            }
            Err(other) => other,
        };
        take(Part { number, found })
    };
    let mut line = Vec::new();
    let bytes_max = options.part_bytes_max;
    // Whether each line is an object shows in the first.
    let first = read_line(&mut stream, &mut line, bytes_max + 1);
    let is_lines = serde_json::from_slice::<Map<String, Value>>(&line).is_ok();
    if !is_lines {
        let all = std::io::Cursor::new(line).chain(stream);
        if let Err(error) = values(all, &mut |value| one(Place::Value, Ok(value))) {
            one(Place::Value, Err(broken("it", &error)));
        }
        return;
    }
    let mut next = first;
    for at in 1.. {
        let value = match next {
            Ok(false) => return,
            Ok(true) if line.trim_ascii().is_empty() => None,
            Ok(true) if line.len() > bytes_max => Some(Err(too_large("it", bytes_max))),
            Ok(true) => Some(
                serde_json::from_slice(&line).map_err(|error| broken("it", &error.to_string())),
            ),
            Err(error) => {
                one(
                    Place::Line(at),
                    Err(broken("it and all after it", &error.to_string())),
                );
                return;
            }
        };
        if value.is_some_and(|value| !one(Place::Line(at), value)) {
            return;
        }
        next = read_line(&mut stream, &mut line, bytes_max + 1);
    }
}

enum Place {
    Line(u64),
    Value,
}

/// Hands each object in `json` to `take` until that says false: those of an array one by one, so that it is never in memory.
fn values(mut json: impl Read, take: &mut dyn FnMut(Value) -> bool) -> Result<(), String> {
    let mut first = [0; 1];
    loop {
        match json.read(&mut first) {
            Ok(1) if first[0].is_ascii_whitespace() || BYTE_ORDER_MARK.contains(&first[0]) => {}
            Ok(1) if first[0] == b'[' || first[0] == b'{' => break,
            Ok(_) => return Err("it is neither an object nor an array".to_owned()),
            Err(error) => return Err(error.to_string()),
        }
    }
    let all = std::io::Cursor::new(first).chain(json);
    let mut ended = false;
    let result = match first[0] {
        b'[' => Elements {
            take,
            ended: &mut ended,
        }
        .deserialize(&mut Deserializer::from_reader(all)),
        _ => {
            for value in Deserializer::from_reader(all).into_iter::<Value>() {
                match value {
                    Ok(value) => {
                        if !take(value) {
                            return Ok(());
                        }
                    }
                    Err(error) => return Err(error.to_string()),
                }
            }
            Ok(())
        }
    };
    match result {
        Err(error) if !ended => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// An array whose elements are handed on as they are read.
struct Elements<'t> {
    take: &'t mut dyn FnMut(Value) -> bool,
    ended: &'t mut bool,
}

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, array: D) -> Result<(), D::Error> {
        array.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element()? {
            if !(self.take)(value) {
                *self.ended = true;
                return Err(serde::de::Error::custom("no more is wanted"));
            }
        }
        Ok(())
    }
}

/// The page in an object: its content becomes the raw bytes, all else is declared.
fn page(mut value: Value, fields: &Fields, place: &str) -> Found {
    let content = fields.content.iter().find(|name| {
        get(&value, name)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.trim().is_empty())
    });
    let Some(Value::String(content)) = content.and_then(|name| take_out(&mut value, name)) else {
        let names = fields.content.join(", ");
        return broken(
            place,
            &format!("it has no page and no text in any of the fields {names}"),
        );
    };
    let text = |names: &[String]| {
        let mut texts = names.iter().filter_map(|name| get(&value, name)?.as_str());
        texts
            .find(|text| !text.trim().is_empty())
            .map(str::to_owned)
    };
    let mut urls = fields
        .url
        .iter()
        .filter_map(|name| get(&value, name)?.as_str());
    let mut times = fields
        .fetched_at
        .iter()
        .filter_map(|name| time(get(&value, name)?));
    let mut declared = Declared {
        url: urls
            .find(|url| normalise_url(url).is_some())
            .map(str::to_owned),
        fetched_at: times.next(),
        id: fields.id.iter().find_map(|name| match get(&value, name)? {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        }),
        title: text(&fields.title),
        source: text(&fields.source),
        ..Declared::default()
    };
    declared.other.insert("object".to_owned(), value);
    Found::Page(content.into_bytes(), Box::new(declared))
}

/// The field of that name; dots lead into objects.
fn get<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name).or_else(|| {
        name.split('.')
            .try_fold(value, |value, name| value.get(name))
    })
}

fn take_out(value: &mut Value, name: &str) -> Option<Value> {
    if let Some(found) = value.as_object_mut()?.remove(name) {
        return Some(found);
    }
    let (outer, inner) = name.split_once('.')?;
    take_out(value.get_mut(outer)?, inner)
}

/// A time as scrapers write it: RFC 3339; date, or date and time, which count as UTC; seconds or milliseconds since 1970.
fn time(value: &Value) -> Option<Timestamp> {
    // 1990 to 2100: other numbers are no times of fetching.
    let since_1970 = |seconds: f64| match seconds {
        631_152_000.0..4_102_444_800.0 => Timestamp::from_microsecond((seconds * 1e6) as i64).ok(),
        631_152_000_000.0..4_102_444_800_000.0 => {
            Timestamp::from_microsecond((seconds * 1e3) as i64).ok()
        }
        _ => None,
    };
    match value {
        Value::Number(number) => since_1970(number.as_f64()?),
        Value::String(text) => {
            let text = text.trim();
            let utc = |time: DateTime| TimeZone::UTC.to_timestamp(time).ok();
            text.parse::<Timestamp>()
                .ok()
                .or_else(|| utc(text.parse().ok()?))
                .or_else(|| {
                    utc(text
                        .parse::<Date>()
                        .ok()?
                        .to_datetime(jiff::civil::Time::midnight()))
                })
                .or_else(|| since_1970(text.parse().ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_as_scrapers_write_them() {
        for value in [
            json!("2024-03-25T09:30:00Z"),
            json!("2024-03-25T10:30:00+01:00"),
            json!("2024-03-25 09:30:00"),
            json!(1_711_359_000),
            json!(1_711_359_000_000_u64),
            json!("1711359000"),
        ] {
            let time = time(&value).expect("a time");
            assert_eq!(time.to_string(), "2024-03-25T09:30:00Z", "{value}");
        }
        assert_eq!(
            time(&json!("2024-03-25")).expect("a day").to_string(),
            "2024-03-25T00:00:00Z"
        );
        for none in [json!("last week"), json!(7), json!(null), json!("")] {
            assert_eq!(time(&none), None, "{none}");
        }
    }
}
