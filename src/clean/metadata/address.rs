//! Web addresses: resolved against the page's own, http and https only; what they tell about date and site.

use crate::clean::metadata::stamp::stamp;

/// The address, absolute; `base` is where the page was fetched or says it lies. `None` unless it is http or https.
pub(super) fn resolve(url: &str, base: Option<&str>) -> Option<String> {
    let url = url.trim();
    if is_web(url) {
        return host(url).is_some().then(|| url.to_owned());
    }
    let base = base.filter(|base| is_web(base))?;
    let (scheme, rest) = base.split_once("://")?;
    if let Some(rest) = url.strip_prefix("//") {
        return resolve(&format!("{scheme}://{rest}"), None);
    }
    // Other schemes (`mailto:`, `javascript:`) name no page.
    let before_path = url.split(['/', '?', '#']).next().unwrap_or("");
    if url.is_empty() || before_path.contains(':') {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split(['?', '#']).next().unwrap_or("");
    if url.starts_with('/') {
        return Some(format!("{scheme}://{authority}{url}"));
    }
    if url.starts_with(['?', '#']) {
        return Some(format!("{scheme}://{authority}{path}{url}"));
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let mut rest = url;
    loop {
        if let Some(after) = rest.strip_prefix("../") {
            parts.pop();
            rest = after;
        } else if let Some(after) = rest.strip_prefix("./") {
            rest = after;
        } else {
            break;
        }
    }
    parts.push(rest);
    Some(format!("{scheme}://{authority}/{}", parts.join("/")))
}

fn is_web(url: &str) -> bool {
    let starts = |scheme: &str| {
        url.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    starts("http://") || starts("https://")
}

/// The host's name, without `www.` and port.
pub(super) fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    let host = host.strip_prefix("www.").unwrap_or(host);
    (host.contains('.') && !host.contains(char::is_whitespace)).then_some(host)
}

/// The address is that of a site's first page rather than of an article.
pub(super) fn is_home(url: &str) -> bool {
    let path = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or("", |(_, path)| path);
    path.is_empty()
}

/// The date in an address that is the moment its article was entered, as many sites number theirs: `/A20240325093012345`.
pub(super) fn moment(url: &str) -> Option<String> {
    /// Year to minute.
    const DIGITS_MIN: usize = 12;
    let (_, path) = url.split_once("://")?.1.split_once('/')?;
    let path = path.split(['?', '#']).next()?;
    let runs = path.split(|c: char| !c.is_ascii_digit());
    let mut runs = runs
        .rev()
        .filter(|run| run.len() >= DIGITS_MIN && run.starts_with("20"));
    runs.find_map(|run| {
        let hour: u32 = run[8..10].parse().ok()?;
        let minute: u32 = run[10..12].parse().ok()?;
        stamp(&run[..8]).filter(|_| hour < 24 && minute < 60)
    })
}

/// The date in an address: `/2024/03/25/`, `/2024-03-25-`, `/20240325/`.
pub(super) fn date(url: &str) -> Option<String> {
    let (_, path) = url.split_once("://")?.1.split_once('/')?;
    let path = path.split(['?', '#']).next()?;
    for (at, _) in path.match_indices(['1', '2']) {
        let begins = at == 0 || !path.as_bytes()[at - 1].is_ascii_alphanumeric();
        if !begins || !(path[at..].starts_with("19") || path[at..].starts_with("20")) {
            continue;
        }
        let rest = &path[at..];
        let len = rest
            .bytes()
            .take(10)
            .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'/' | b'-' | b'_'))
            .count();
        let date = rest[..len]
            .trim_end_matches(['/', '-', '_'])
            .replace('_', "-");
        let digits = date.bytes().take_while(u8::is_ascii_digit).count();
        let follows = rest
            .as_bytes()
            .get(date.len())
            .is_none_or(|byte| !byte.is_ascii_digit());
        let shaped = (digits == 4 || digits == 8 && follows) && date.len() >= 8;
        if let Some(date) = stamp(&date).filter(|_| shaped) {
            return Some(date);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_resolve_against_the_page() {
        let base = Some("https://a.example/x/y.html?q");
        assert_eq!(resolve("/p", base).as_deref(), Some("https://a.example/p"));
        assert_eq!(
            resolve("../p", base).as_deref(),
            Some("https://a.example/p")
        );
        assert_eq!(resolve("p", base).as_deref(), Some("https://a.example/x/p"));
        assert_eq!(
            resolve("//b.example/p", base).as_deref(),
            Some("https://b.example/p")
        );
        assert_eq!(resolve("javascript:x", base), None);
        assert_eq!(resolve("/p", None), None);
        assert_eq!(resolve("ftp://b.example/", base), None);
    }

    #[test]
    fn addresses_tell_dates() {
        assert_eq!(
            date("https://a.example/2024/03/25/x").as_deref(),
            Some("2024-03-25")
        );
        assert_eq!(
            date("https://a.example/x/2024-03-05-y").as_deref(),
            Some("2024-03-05")
        );
        assert_eq!(
            date("https://a.example/20240325/x").as_deref(),
            Some("2024-03-25")
        );
        assert_eq!(date("https://a.example/x-20240325123456"), None);
        assert_eq!(
            moment("https://a.example/x/A2024032512340001").as_deref(),
            Some("2024-03-25")
        );
        assert_eq!(moment("https://a.example/x/20240325993400"), None);
        assert_eq!(moment("https://a.example/x/20240325"), None);
        assert_eq!(date("https://a.example/2024/x"), None);
    }
}
