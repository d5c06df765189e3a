//! Sort-friendly keys of addresses, as the Internet Archive's `surt` makes them: under what pywb looks a page up.
//!
//! `https://www.Example.org:443/A//b/?y=2&x=1#top` is `org,example)/a/b?x=1&y=2`.

use std::sync::LazyLock;

use regex::bytes::Regex;
use unicode_normalization::UnicodeNormalization;

/// What stays as it is beside letters, digits and `_`; the rest is percent-encoded.
const PLAIN: &[u8] = b"!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// The key of an http or https address; anything else is its own key.
pub(super) fn surt(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));

    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
        _ => (authority, ""),
    };
    let is_default = matches!(
        (&*scheme.to_ascii_lowercase(), port),
        ("http", "80") | ("https", "443")
    );
    let mut key = reversed(&host_of(host));
    if !is_default && !port.is_empty() {
        key.push(':');
        key.push_str(port);
    }
    key.push(')');
    key.push_str(&path_of(path));
    let query = query_of(query);
    if !query.is_empty() {
        key.push('?');
        key.push_str(&query);
    }
    key
}

fn reversed(host: &str) -> String {
    host.split('.').rev().collect::<Vec<_>>().join(",")
}

/// In lower case, other scripts as IDNA has them, without `www.`, `www2.` and the like.
fn host_of(host: &str) -> String {
    let host = unescaped(host.as_bytes());
    let host = match std::str::from_utf8(&host) {
        Ok(text) if !text.is_ascii() => text
            .split('.')
            .map(ascii_label)
            .collect::<Vec<_>>()
            .join(".")
            .into_bytes(),
        _ => host,
    };
    let host = escaped(&host).to_ascii_lowercase().replace("..", ".");
    let host = host.trim_matches('.');
    let without = host
        .strip_prefix("www")
        .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let without = without.and_then(|rest| rest.strip_prefix('.'));
    without.unwrap_or(host).to_owned()
}

fn path_of(path: &str) -> String {
    static SESSIONS: LazyLock<[Regex; 2]> = LazyLock::new(|| {
        [
            r"(?is-u)^(.*/)\((?:[a-z]\([0-9a-z]{24}\))+\)/([^?]+\.aspx.*)$",
            r"(?is-u)^(.*/)\([0-9a-z]{24}\)/([^?]+\.aspx.*)$",
        ]
        .map(|pattern| Regex::new(pattern).expect("a constant pattern"))
    });
    let path = escaped(&normalised(&unescaped(path.as_bytes())))
        .to_ascii_lowercase()
        .into_bytes();
    let path = SESSIONS.iter().fold(path, |path, session| {
        session.replace(&path, b"$1$2".as_slice()).into_owned()
    });
    let path = String::from_utf8(path).expect("escaped bytes are ASCII");
    match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter.to_owned(),
        _ => path,
    }
}

/// Without `.`, `..` and empty parts; an empty last part stays.
fn normalised(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for part in path.split(|b| *b == b'/').skip(1) {
        match part {
            b"." => {}
            b".." if !kept.is_empty() => drop(kept.pop()),
            part => kept.push(part),
        }
    }
    let Some((last, front)) = kept.split_last() else {
        return b"/".to_vec();
    };
    let mut path = b"/".to_vec();
    for part in front.iter().filter(|part| !part.is_empty()) {
        path.extend_from_slice(part);
        path.push(b'/');
    }
    path.extend_from_slice(last);
    path
}

/// In lower case, parameters in order, without ids of sessions.
fn query_of(query: &str) -> String {
    static SESSIONS: LazyLock<[Regex; 5]> = LazyLock::new(|| {
        [
            "jsessionid=[0-9a-zA-Z]{32}",
            "phpsessid=[0-9a-zA-Z]{32}",
            "sid=[0-9a-zA-Z]{32}",
            "aspsessionid[a-zA-Z]{8}=[a-zA-Z]{24}",
            "cfid=[^&]+&cftoken=[^&]+",
        ]
        .map(|id| Regex::new(&format!("(?i-u)^(.*){id}(?:&(.*))?$")).expect("a constant pattern"))
    });
    let query = escaped(&unescaped(query.as_bytes())).into_bytes();
    let query = SESSIONS.iter().fold(query, |query, session| {
        session.replace(&query, b"$1$2".as_slice()).into_owned()
    });
    let query = String::from_utf8(query)
        .expect("escaped bytes are ASCII")
        .to_ascii_lowercase();
    if query.len() <= 1 {
        return query;
    }
    let mut parameters: Vec<Vec<&str>> = query
        .split('&')
        .map(|p| p.splitn(2, '=').collect())
        .collect();
    parameters.sort_unstable();
    let parameters: Vec<String> = parameters.iter().map(|p| p.join("=")).collect();
    parameters.join("&")
}

/// `text` without percent-encoding, however often it was put on.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    loop {
        let once = unescaped_once(&text);
        if once == text {
            return text;
        }
        text = once;
    }
}

fn unescaped_once(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match (text[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, _, _) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    plain
}

fn escaped(text: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text {
        if byte.is_ascii_alphanumeric() || PLAIN.contains(byte) {
            escaped.push(char::from(*byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// A label of a host as IDNA has it: `xn--` and punycode if it is not ASCII.
fn ascii_label(label: &str) -> String {
    let label: String = label.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    match label.is_ascii() {
        true => label,
        false => format!("xn--{}", punycode(&label)),
    }
}

/// RFC 3492, section 6.3.
fn punycode(label: &str) -> String {
    let points: Vec<u64> = label.chars().map(u64::from).collect();
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = out.len() as u64;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias, mut handled) = (128, 0, 72, basic);
    while let Some(next) = points.iter().copied().filter(|c| *c >= n).min() {
        delta += (next - n) * (handled + 1);
        n = next;
        for c in &points {
            if *c < n {
                delta += 1;
            }
            if *c == n {
                push_number(&mut out, delta, bias);
                bias = adapted(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta += 1;
        n += 1;
    }
    out
}

fn push_number(out: &mut String, mut number: u64, bias: u64) {
    let digit = |value: u64| match value {
        0..26 => char::from(b'a' + value as u8),
        _ => char::from(b'0' + (value - 26) as u8),
    };
    let mut k = 36_u64;
    loop {
        let t = k.saturating_sub(bias).clamp(1, 26);
        if number < t {
            return out.push(digit(number));
        }
        out.push(digit(t + (number - t) % (36 - t)));
        number = (number - t) / (36 - t);
        k += 36;
    }
}

fn adapted(delta: u64, points: u64, is_first: bool) -> u64 {
    let mut delta = delta / if is_first { 700 } else { 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_page_have_one_key() {
        for (url, key) in [
            ("http://example.org", "org,example)/"),
            (
                "https://www2.Example.org:443/A//b/./c/?y=2&x=1&x#top",
                "org,example)/a/b/c?x&x=1&y=2",
            ),
            (
                "http://user:secret@example.org:8080/a/../b/",
                "org,example:8080)/b",
            ),
            (
                "http://ex%C3%A4mple.org/caf%C3%A9",
                "org,xn--exmple-cua)/caf%c3%a9",
            ),
            (
                "https://xn--exmple-cua.org/caf%25C3%25A9",
                "org,xn--exmple-cua)/caf%c3%a9",
            ),
            ("http://пример.example/?", "example,xn--e1afmkfd)/"),
            (
                "http://example.org/a?jsessionid=0123456789abcdef0123456789ABCDEF&b=1",
                "org,example)/a?b=1",
            ),
            ("urn:x-faircopy:inbox/a.txt", "urn:x-faircopy:inbox/a.txt"),
        ] {
            assert_eq!(surt(url), key, "{url}");
        }
    }
}
