//! What a page's JSON-LD (schema.org) says about its article. Graphs, nested objects, arrays, references and somewhat broken JSON.

use serde_json::{Map, Value};

use crate::clean::metadata::text::plain;

/// What the description of the article says. Strings are plain text.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Linked {
    /// `headline`.
    pub headline: Option<String>,
    /// `name`, which is often the title of the window.
    pub name: Option<String>,
    /// `author` and `creator`: names, and whether each is said to be a person.
    pub authors: Vec<(String, bool)>,
    /// `datePublished`, else `dateCreated`, as it stands.
    pub published: Option<String>,
    /// `dateModified`, as it stands.
    pub modified: Option<String>,
    /// `articleSection`.
    pub section: Option<String>,
    /// `keywords`.
    pub keywords: Vec<String>,
    /// Name of the `publisher`.
    pub publisher: Option<String>,
    /// Name of the `WebSite` described beside the article.
    pub site: Option<String>,
    /// `inLanguage`.
    pub language: Option<String>,
    /// `mainEntityOfPage` or `url`.
    pub url: Option<String>,
    /// `articleBody`: evidence for where the body stands, never its text.
    pub body: Option<String>,
    /// The breadcrumb before the article's own.
    pub breadcrumb: Option<String>,
    /// `isAccessibleForFree` is false.
    pub paid: bool,
}

/// Reads all blocks; `is_title` tells whether a headline is the one the page shows elsewhere.
pub fn read(blocks: &[String], is_title: &dyn Fn(&str) -> bool) -> Linked {
    let values: Vec<Value> = blocks.iter().flat_map(|block| parse(block)).collect();
    let mut objects = Vec::new();
    for value in &values {
        collect(value, 0, &mut objects);
    }
    let mut linked = Linked::default();
    let rank = |object: &&(usize, &Map<String, Value>)| rank(object.0, object.1, is_title);
    // Of equals the first.
    let article = objects
        .iter()
        .rev()
        .max_by_key(rank)
        .filter(|object| rank(object) > 0);
    if let Some((_, article)) = article {
        let found = Found { objects: &objects };
        found.article(article, &mut linked);
    }
    for (_, object) in &objects {
        if is_type(object, &["WebSite"]) && linked.site.is_none() {
            linked.site = text(object.get("name"));
        }
        if is_type(object, &["BreadcrumbList"]) && linked.breadcrumb.is_none() {
            linked.breadcrumb = breadcrumb(object);
        }
    }
    linked
}

/// Values of one block: usually one; some blocks hold several, one after the other.
fn parse(block: &str) -> Vec<Value> {
    let mut json = block.trim().trim_start_matches('\u{feff}');
    for (open, close) in [
        ("<!--", "-->"),
        ("//<![CDATA[", "//]]>"),
        ("<![CDATA[", "]]>"),
        ("/*<![CDATA[*/", "/*]]>*/"),
    ] {
        if let Some(inner) = json.strip_prefix(open) {
            json = inner.trim().strip_suffix(close).unwrap_or(inner).trim();
        }
    }
    let json = json.trim_end_matches(';').trim_end();
    match serde_json::from_str(json) {
        Ok(value) => vec![value],
        Err(_) => {
            let repaired = repair(json);
            serde_json::Deserializer::from_str(&repaired)
                .into_iter()
                .map_while(Result::ok)
                .collect()
        }
    }
}

/// Puts right what page templates get wrong: line ends inside strings, unknown escapes, quotes inside strings,
/// commas before a closing bracket or another comma, values left out.
fn repair(json: &str) -> String {
    let mut repaired = String::with_capacity(json.len() + 64);
    let mut inside = false;
    let mut chars = json.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        if !inside {
            match char {
                '"' => inside = true,
                ',' if matches!(next_sign(&json[at + 1..]), Some('}' | ']' | ',')) => continue,
                ':' if matches!(next_sign(&json[at + 1..]), Some('}' | ',')) => {
                    repaired.push_str(":null");
                    continue;
                }
                _ => {}
            }
            repaired.push(char);
            continue;
        }
        match char {
            '"' => {
                // A quote ends the string only where JSON goes on; others are the text's own.
                if matches!(
                    next_sign(&json[at + 1..]),
                    Some(',' | '}' | ']' | ':') | None
                ) {
                    inside = false;
                    repaired.push('"');
                } else {
                    repaired.push_str("\\\"");
                }
            }
            '\\' => match chars.peek() {
                Some((_, '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u')) => {
                    repaired.push('\\');
                    repaired.extend(chars.next().map(|(_, char)| char));
                }
                _ => repaired.push_str("\\\\"),
            },
            '\n' | '\r' | '\t' => repaired.push(' '),
            control if control.is_control() => {}
            other => repaired.push(other),
        }
    }
    repaired
}

fn next_sign(json: &str) -> Option<char> {
    json.trim_start().chars().next()
}

/// Things that are told of inside the description of something else.
const ASIDE: &[&str] = &[
    "mentions",
    "citation",
    "hasPart",
    "isPartOf",
    "comment",
    "review",
    "relatedLink",
    "itemReviewed",
    "video",
    "image",
    "liveBlogUpdate",
    "blogPost",
    "about",
    "publisher",
    "author",
    "potentialAction",
];
const DEPTH_MAX: usize = 12;
const NAMES_MAX: usize = 50;

fn collect<'a>(value: &'a Value, depth: usize, objects: &mut Vec<(usize, &'a Map<String, Value>)>) {
    if depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect(value, depth, objects)),
        Value::Object(object) => {
            objects.push((depth, object));
            for (key, value) in object {
                let deeper = if ASIDE.contains(&key.as_str()) {
                    4
                } else {
                    usize::from(key != "@graph")
                };
                collect(value, depth + deeper, objects);
            }
        }
        _ => {}
    }
}

/// How likely the object describes the page's article; 0 for what never does.
fn rank(depth: usize, object: &Map<String, Value>, is_title: &dyn Fn(&str) -> bool) -> usize {
    let kind = match () {
        () if is_type(
            object,
            &[
                "Article",
                "Posting",
                "Report",
                "Review",
                "Recipe",
                "CreativeWork",
            ],
        ) =>
        {
            40
        }
        () if is_type(
            object,
            &[
                "WebPage",
                "ItemPage",
                "AboutPage",
                "VideoObject",
                "NewsVideo",
                "Event",
                "Product",
                "HowTo",
                "Webpage",
            ],
        ) =>
        {
            10
        }
        () => return 0,
    };
    let has = |key: &str| usize::from(object.get(key).is_some_and(|value| !value.is_null()));
    let told =
        has("headline") * 6 + has("datePublished") * 4 + has("author") * 3 + has("articleBody") * 4;
    let titled =
        text(object.get("headline").or(object.get("name"))).is_some_and(|title| is_title(&title));
    (kind + told + usize::from(titled) * 20)
        .saturating_sub(depth * 4)
        .max(1)
}

/// One of its types is or ends in one of these.
fn is_type(object: &Map<String, Value>, endings: &[&str]) -> bool {
    let is = |value: &Value| {
        value
            .as_str()
            .is_some_and(|kind| endings.iter().any(|ending| kind.ends_with(ending)))
    };
    match object.get("@type") {
        Some(Value::Array(kinds)) => kinds.iter().any(is),
        Some(kind) => is(kind),
        None => false,
    }
}

struct Found<'a> {
    objects: &'a [(usize, &'a Map<String, Value>)],
}

impl Found<'_> {
    fn article(&self, article: &Map<String, Value>, linked: &mut Linked) {
        let get = |key: &str| text(article.get(key));
        linked.headline = get("headline");
        linked.name = get("name");
        for key in ["author", "creator"] {
            if linked.authors.is_empty() {
                self.names(article.get(key), 0, &mut linked.authors);
            }
        }
        linked.published = get("datePublished")
            .or_else(|| get("dateCreated"))
            .or_else(|| get("uploadDate"));
        linked.modified = get("dateModified").or_else(|| get("datemodified"));
        linked.section = get("articleSection");
        linked.keywords = keywords(article.get("keywords").or(article.get("Keywords")));
        let mut publishers = Vec::new();
        self.names(article.get("publisher"), 0, &mut publishers);
        linked.publisher = publishers.into_iter().next().map(|(name, _)| name);
        linked.language = get("inLanguage").or_else(|| {
            article
                .get("inLanguage")?
                .get("alternateName")?
                .as_str()
                .map(str::to_owned)
        });
        linked.url =
            address(article.get("mainEntityOfPage")).or_else(|| address(article.get("url")));
        linked.body = article
            .get("articleBody")
            .and_then(Value::as_str)
            .map(str::to_owned);
        linked.paid = match article.get("isAccessibleForFree") {
            Some(Value::Bool(free)) => !free,
            Some(Value::String(free)) => free.eq_ignore_ascii_case("false"),
            _ => false,
        };
    }

    /// Names of persons and organisations, with references looked up.
    fn names(&self, value: Option<&Value>, depth: usize, names: &mut Vec<(String, bool)>) {
        // Nobody reads a longer list, and each name may be a reference to be looked up.
        if names.len() >= NAMES_MAX {
            return;
        }
        match value {
            Some(Value::Array(values)) => values
                .iter()
                .for_each(|value| self.names(Some(value), depth, names)),
            Some(Value::String(_)) => names.extend(text(value).map(|name| (name, true))),
            Some(Value::Object(object)) => {
                let person = !is_type(object, &["Organization", "organization", "Thing"]);
                let name = text(object.get("name")).or_else(|| {
                    let given = text(object.get("givenName"))?;
                    let family = text(object.get("familyName"))?;
                    Some(format!("{given} {family}"))
                });
                match (name, object.get("@id")) {
                    (Some(name), _) => names.push((name, person)),
                    (None, Some(id)) if depth == 0 => {
                        let named = |other: &&Map<String, Value>| {
                            other.get("@id") == Some(id) && other.contains_key("name")
                        };
                        let other = self.objects.iter().map(|(_, object)| *object).find(named);
                        if let Some(other) = other {
                            let person = !is_type(other, &["Organization"]);
                            names.extend(text(other.get("name")).map(|name| (name, person)));
                        }
                    }
                    // `"name": [..]` and `"name": {..}` of templates gone wrong.
                    (None, _) => {
                        self.names(object.get("name").filter(|_| depth < 3), depth + 1, names)
                    }
                }
            }
            _ => {}
        }
    }
}

/// A string, or the first of several.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(plain(text)).filter(|text| !text.is_empty()),
        Value::Array(values) => values.iter().find_map(|value| text(Some(value))),
        Value::Object(object) => object.get("@value").and_then(|value| text(Some(value))),
        _ => None,
    }
}

fn keywords(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(list)) => list
            .split(',')
            .map(plain)
            .filter(|word| !word.is_empty())
            .collect(),
        Some(Value::Array(values)) => values
            .iter()
            .filter_map(|value| text(Some(value)).or_else(|| text(value.get("name"))))
            .collect(),
        _ => Vec::new(),
    }
}

fn address(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(url) => Some(url.clone()),
        Value::Object(object) => object
            .get("@id")
            .or(object.get("url"))
            .and_then(Value::as_str)
            .map(str::to_owned),
        _ => None,
    }
}

fn breadcrumb(list: &Map<String, Value>) -> Option<String> {
    let items = list.get("itemListElement")?.as_array()?;
    let name =
        |item: &Value| text(item.get("name")).or_else(|| text(item.get("item")?.get("name")));
    // First the home page, last the article or its section; the one in the middle is a section for sure.
    match items.len() {
        0..=2 => items.get(1).and_then(name),
        len => items.get(len - 2).and_then(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(json: &str) -> Linked {
        read(&[json.to_owned()], &|title| title == "Shown")
    }

    #[test]
    fn an_article_in_a_graph_finds_its_author_by_reference() {
        let linked = linked(
            r##"{"@graph": [{"@type": "WebSite", "name": "The Gazette"},
            {"@type": "NewsArticle", "headline": "A &amp; B", "author": {"@id": "#p"}, "publisher": {"@id": "#o"}, "datePublished": "2024-01-02"},
            {"@type": "Person", "@id": "#p", "name": "Ann Lee"}, {"@type": "Organization", "@id": "#o", "name": "Gazette Ltd"}]}"##,
        );
        assert_eq!(linked.headline.as_deref(), Some("A & B"));
        assert_eq!(linked.authors, [("Ann Lee".to_owned(), true)]);
        assert_eq!(linked.publisher.as_deref(), Some("Gazette Ltd"));
        assert_eq!(linked.site.as_deref(), Some("The Gazette"));
    }

    #[test]
    fn of_several_articles_the_one_the_page_shows_is_taken() {
        let linked = linked(
            r#"[{"@type": "Article", "headline": "Other"}, {"@type": ["Thing", "BlogPosting"], "headline": "Shown"}]"#,
        );
        assert_eq!(linked.headline.as_deref(), Some("Shown"));
    }

    #[test]
    fn broken_json_is_repaired_as_far_as_it_goes() {
        let linked = linked(
            "<!-- {\"@type\": \"Article\", \"headline\": \"He said \"no\"\ntwice\", \"keywords\": [\"a\",], \"author\": ,} -->;",
        );
        assert_eq!(linked.headline.as_deref(), Some("He said \"no\" twice"));
        assert_eq!(linked.keywords, ["a"]);
        assert_eq!(
            read(&["{".repeat(1000), "nonsense".into()], &|_| false),
            Linked::default()
        );
    }
}
