//! `Query`: what a person typed, as an expression of FTS5. Whatever is typed, it is well formed.

use super::words::joined;

/// Terms that must all be there, each a choice of some; and what must not be there.
#[derive(Debug)]
pub(super) struct Query {
    all: Vec<Vec<Term>>,
    none: Vec<Term>,
}

#[derive(Debug)]
struct Term {
    /// Folded, parted by blanks; more than one must stand in this order.
    words: String,
    is_prefix: bool,
}

impl Query {
    /// Reads a query; `None` if nothing is sought by it.
    pub(super) fn parse(text: &str) -> Option<Query> {
        let mut query = Query {
            all: Vec::new(),
            none: Vec::new(),
        };
        let mut is_choice = false;
        for (piece, is_quoted) in pieces(text) {
            if piece == "OR" && !is_quoted {
                is_choice = true;
                continue;
            }
            let (is_none, piece) = match piece.strip_prefix('-') {
                Some(rest) if !is_quoted || rest.starts_with('"') => (true, rest),
                _ => (false, piece),
            };
            let term = Term {
                words: joined(piece),
                is_prefix: piece.ends_with('*'),
            };
            if term.words.is_empty() {
                continue;
            }
            match query.all.last_mut() {
                _ if is_none => query.none.push(term),
                Some(choice) if is_choice => choice.push(term),
                _ => query.all.push(vec![term]),
            }
            is_choice = false;
        }
        (!query.all.is_empty()).then_some(query)
    }

    /// The query in FTS5's language.
    pub(super) fn expression(&self) -> String {
        let sought = self.sought();
        match self.excluded() {
            Some(excluded) => format!("({sought}) NOT ({excluded})"),
            None => sought,
        }
    }

    /// What must be there, in FTS5's language.
    pub(super) fn sought(&self) -> String {
        let all: Vec<String> = self
            .all
            .iter()
            .map(|choice| {
                let terms: Vec<String> = choice.iter().map(Term::expression).collect();
                format!("({})", terms.join(" OR "))
            })
            .collect();
        all.join(" AND ")
    }

    /// What must not be there, in FTS5's language, if anything must not.
    pub(super) fn excluded(&self) -> Option<String> {
        let none: Vec<String> = self.none.iter().map(Term::expression).collect();
        (!none.is_empty()).then(|| none.join(" OR "))
    }

    /// The words whose places a reader wants to see, with whether more may follow.
    pub(super) fn words(&self) -> Vec<(String, bool)> {
        let terms = self.all.iter().flatten();
        terms.flat_map(Term::words).collect()
    }
}

impl Term {
    fn expression(&self) -> String {
        // Words are letters and digits: no quote can be among them.
        let star = if self.is_prefix { "*" } else { "" };
        format!("\"{}\"{star}", self.words)
    }

    fn words(&self) -> Vec<(String, bool)> {
        let mut words: Vec<_> = self
            .words
            .split(' ')
            .map(|w| (w.to_owned(), false))
            .collect();
        if let Some(last) = words.last_mut() {
            last.1 = self.is_prefix;
        }
        words
    }
}

/// What stands between blanks, or between quotes, with whether it was quoted.
fn pieces(text: &str) -> Vec<(&str, bool)> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let start = usize::from(rest.starts_with('-'));
        let is_quoted = rest[start..].starts_with('"');
        let end = match is_quoted {
            true => {
                let open = start + 1;
                let close = rest[open..]
                    .find('"')
                    .map_or(rest.len(), |at| open + at + 1);
                // A star behind the quotes belongs to them.
                close + usize::from(rest[close..].starts_with('*'))
            }
            false => rest.find(char::is_whitespace).unwrap_or(rest.len()),
        };
        pieces.push((&rest[..end], is_quoted));
        rest = rest[end..].trim_start();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_become_expressions_and_never_errors() {
        for (text, expression) in [
            ("Ferry Möwe", r#"("ferry") AND ("mowe")"#),
            (
                r#""ferry returns" gull*"#,
                r#"("ferry returns") AND ("gull"*)"#,
            ),
            (
                "ferry OR gull tern -heron",
                r#"(("ferry" OR "gull") AND ("tern")) NOT ("heron")"#,
            ),
            (
                r#"ferry -gull -"late again"#,
                r#"(("ferry")) NOT ("gull" OR "late again")"#,
            ),
            ("渡轮", r#"("渡 轮")"#),
            (
                r#"title:"x" NEAR( AND )"#,
                r#"("title x") AND ("near") AND ("and")"#,
            ),
            ("OR ferry OR", r#"("ferry")"#),
        ] {
            let query = Query::parse(text).expect(text);
            assert_eq!(query.expression(), expression, "{text}");
        }
        for nothing in ["", "  ", "\"", "* - ()", "-ferry", "OR"] {
            assert!(Query::parse(nothing).is_none(), "{nothing}");
        }
    }
}
