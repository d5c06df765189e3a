//! Metadata, weighed: every source that says something about a field speaks with its weight, sources that agree speak together,
//! and the weightiest saying is taken as its best source puts it.
//!
//! The weights stand in one table per field, the most trusted source first. Structured data written for machines comes before
//! what is written for social networks, then what the page shows, then the title of the window and the address. The text's own
//! lines ([`Facts`]) are all that flat text has.

pub mod address;
pub mod json_ld;
pub mod meta;
pub mod names;
pub mod stamp;
pub mod text;
mod title;

use crate::clean::date;
use crate::clean::finding::Facts;
use crate::clean::likeness::{fold, likeness};
use crate::clean::page::Expected;
use crate::clean::page::evidence::{DatePlace, PageEvidence, ShownDate};
use crate::submission::Declared;
use crate::tree::Tree;

use json_ld::Linked;
use meta::Meta;
use stamp::stamp;

/// What a page announces about itself in its head, microdata and JSON-LD.
#[derive(Debug, Default)]
pub struct Announced {
    linked: Linked,
    meta: Meta,
}

impl Announced {
    /// Reads a page's announcements.
    pub fn of(tree: &Tree) -> Announced {
        let meta = Meta::of(tree);
        let shown: Vec<String> = [meta.get("og:title"), meta.title.as_deref()]
            .into_iter()
            .flatten()
            .map(fold)
            .collect();
        let is_title = |title: &str| {
            let title = fold(title);
            shown.iter().any(|shown| likeness(shown, &title) >= 70)
        };
        let linked = json_ld::read(tree.json_ld(), &is_title);
        Announced { linked, meta }
    }

    /// What to expect of the page's text.
    pub fn expected(&self) -> Expected<'_> {
        let titles = [
            self.linked.headline.as_deref(),
            self.meta.get("og:title"),
            self.meta.title.as_deref(),
            self.linked.name.as_deref(),
        ];
        // Also without the site's name behind a bar: so it stands on the page.
        let bare = titles.into_iter().flatten().filter_map(title::before_bar);
        Expected {
            titles: titles.into_iter().flatten().chain(bare).collect(),
            body: self.linked.body.as_deref(),
            summary: self
                .meta
                .get("og:description")
                .or(self.meta.get("description")),
            authors: self
                .linked
                .authors
                .iter()
                .map(|(name, _)| name.as_str())
                .chain(self.meta.all("author"))
                .collect(),
            host: [
                self.meta.get("og:url"),
                self.meta.canonical.as_deref(),
                self.linked.url.as_deref(),
            ]
            .into_iter()
            .flatten()
            .find_map(address::host),
        }
    }

    /// The page says that its text is not free to read.
    pub fn is_paid(&self) -> bool {
        self.linked.paid
            || self
                .meta
                .get("article:content_tier")
                .is_some_and(|tier| tier.eq_ignore_ascii_case("locked"))
    }
}

/// All that is known, to be weighed.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the page announces; nothing for flat text.
    pub announced: Option<&'a Announced>,
    /// What the page shows; nothing for flat text.
    pub page: Option<&'a PageEvidence>,
    /// What the lines say.
    pub facts: &'a Facts,
    /// What the sender declared.
    pub declared: &'a Declared,
    /// The language that the text itself shows, if it is long enough to tell.
    pub language: Option<&'a str>,
}

/// A value with what spoke for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed<T> {
    /// The value.
    pub value: T,
    /// The source whose form was taken, e.g. `json-ld headline`.
    pub source: &'static str,
    /// The weights of all sources that agree.
    pub weight: u32,
}

/// The fields of an article that are not its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Headline, without the site's name.
    pub title: Option<Weighed<String>>,
    /// One name each.
    pub authors: Option<Weighed<Vec<String>>>,
    /// Published, as declared.
    pub date: Option<Weighed<String>>,
    /// Last changed, as declared.
    pub modified: Option<Weighed<String>>,
    /// Primary language subtag.
    pub language: Option<Weighed<String>>,
    /// Section of the paper.
    pub section: Option<Weighed<String>>,
    /// Name of the site.
    pub publisher: Option<Weighed<String>>,
    /// Whose article it was before.
    pub original_publisher: Option<Weighed<String>>,
    /// Canonical address.
    pub url: Option<Weighed<String>>,
    /// Keywords.
    pub tags: Vec<String>,
}

/// Weighs the evidence.
pub fn weigh(evidence: &Evidence) -> Metadata {
    let url = url(evidence);
    let publisher = publisher(evidence);
    let sites = sites(evidence, publisher.as_ref(), url.as_ref());
    let date = date(evidence, url.as_ref());
    Metadata {
        title: title_of(evidence, &sites),
        authors: authors(evidence, &sites),
        modified: modified(evidence),
        date,
        language: language(evidence),
        section: section(evidence),
        original_publisher: original_publisher(evidence, &sites),
        publisher,
        url,
        tags: tags(evidence),
    }
}

/// Sayings about one field.
struct Ballot<T> {
    /// What makes two values the same, the value, its source, its weight.
    votes: Vec<(String, T, &'static str, u32)>,
}

impl<T> Ballot<T> {
    fn new() -> Ballot<T> {
        Ballot { votes: Vec::new() }
    }

    fn vote(&mut self, key: String, value: T, source: &'static str, weight: u32) {
        if !key.is_empty() {
            self.votes.push((key, value, source, weight));
        }
    }

    /// The weight behind a saying.
    fn weight_of(&self, key: &str) -> u32 {
        let mut sources: Vec<(&str, u32)> = Vec::new();
        for (_, _, source, own) in self.votes.iter().filter(|(other, ..)| other == key) {
            match sources.iter_mut().find(|(other, _)| other == source) {
                Some((_, weight)) => *weight = (*own).max(*weight),
                None => sources.push((source, *own)),
            }
        }
        sources.iter().map(|(_, weight)| weight).sum()
    }

    /// The saying with the most weight behind it, in the form its weightiest source gives. Of equals the first. A source
    /// that repeats itself counts once.
    fn count(self) -> Option<Weighed<T>> {
        let weights = self.votes.iter().map(|(key, ..)| self.weight_of(key));
        let weights: Vec<u32> = weights.collect();
        let most = *weights.iter().max()?;
        let winner = weights.iter().position(|&weight| weight == most)?;
        let key = self.votes[winner].0.clone();
        let votes = self
            .votes
            .into_iter()
            .enumerate()
            .filter(|(_, (other, ..))| *other == key);
        let best = votes.max_by_key(|(index, (.., weight))| (*weight, std::cmp::Reverse(*index)));
        best.map(|(_, (_, value, source, _))| Weighed {
            value,
            source,
            weight: most,
        })
    }
}

impl Ballot<String> {
    /// A saying that is the same as another when both fold alike.
    fn say(&mut self, value: Option<&str>, source: &'static str, weight: u32) {
        if let Some(value) = value {
            let value = value.trim();
            self.vote(fold(value), value.to_owned(), source, weight);
        }
    }
}

impl<'a> Evidence<'a> {
    /// The name of a source that the lines of a page repeat: what a page shows speaks once. Flat text has only its lines.
    fn line_source(&self, shown: &'static str) -> &'static str {
        if self.page.is_some() {
            shown
        } else {
            "line of the text"
        }
    }

    fn linked(&self) -> Option<&'a Linked> {
        self.announced.map(|announced| &announced.linked)
    }

    fn meta(&self) -> Option<&'a Meta> {
        self.announced.map(|announced| &announced.meta)
    }

    fn named(&self, key: &str) -> Option<&'a str> {
        self.meta()?.get(key)
    }
}

/// `meta` keys of headlines.
const TITLE_KEYS: &[(&str, u32)] = &[
    ("og:title", 40),
    ("twitter:title", 25),
    ("sailthru.title", 25),
    ("parsely-title", 25),
    ("cxenseparse:title", 20),
    ("dc.title", 20),
    ("dcterms.title", 20),
    ("headline", 20),
    ("title", 10),
];

fn title_of(evidence: &Evidence, sites: &[String]) -> Option<Weighed<String>> {
    let mut ballot = Ballot::new();
    let mut say = |value: Option<&str>, source, weight| {
        let Some(value) = value else { return };
        ballot.say(Some(title::without_site(value, sites)), source, weight);
    };
    let linked = evidence.linked();
    say(
        linked.and_then(|linked| linked.headline.as_deref()),
        "json-ld headline",
        50,
    );
    say(
        evidence.page.and_then(|page| heading(evidence, page)),
        "heading of the page",
        90,
    );
    for &(key, weight) in TITLE_KEYS {
        // They are filled from one field, for sharing and searching: they speak with one voice.
        say(evidence.named(key), "title for sharing", weight);
    }
    say(
        linked.and_then(|linked| linked.name.as_deref()),
        "title for sharing",
        25,
    );
    say(
        evidence.meta().and_then(|meta| meta.item("headline")),
        "itemprop headline",
        30,
    );
    say(
        evidence.facts.title.as_deref(),
        evidence.line_source("heading of the page"),
        30,
    );
    say(evidence.declared.title.as_deref(), "sidecar", 35);
    let window = evidence.meta().and_then(|meta| meta.title.as_deref());
    if let Some(window) = window {
        let whole = title::without_site(window, sites);
        say(Some(whole), "title of the window", 15);
        say(
            title::before_bar(whole),
            "title of the window before its bar",
            10,
        );
    }
    ballot.count()
}

/// The heading as it is shown; of one in two parts, the second if the page declares just that as its title.
fn heading<'a>(evidence: &Evidence, page: &'a PageEvidence) -> Option<&'a str> {
    let last = page.heading_last.as_deref().filter(|last| {
        let last = fold(last);
        let linked = evidence.linked();
        let declared = [
            evidence.named("og:title"),
            linked.and_then(|linked| linked.headline.as_deref()),
        ];
        declared
            .into_iter()
            .flatten()
            .any(|title| fold(title) == last)
    });
    last.or(page.heading.as_deref())
}

/// Sources of `meta` are named by their keys.
fn key_source(key: &'static str) -> &'static str {
    key
}

/// `meta` keys of authors.
const AUTHOR_KEYS: &[(&str, u32)] = &[
    ("article:author_name", 50),
    ("parsely-author", 50),
    ("sailthru.author", 50),
    ("cxenseparse:author", 50),
    ("author", 45),
    ("dc.creator", 45),
    ("dcterms.creator", 45),
    ("byl", 45),
    ("article:author", 40),
    ("og:article:author", 40),
    ("authors", 40),
    ("content-creator", 30),
    ("articleauthor", 40),
    ("article.author", 40),
    ("dcterms.author", 40),
    ("citation_author", 45),
    ("prism.author", 40),
    ("rbauthors", 40),
    ("bt:author", 45),
    ("mediator_author", 40),
    ("sailthru.authors", 40),
];

fn authors(evidence: &Evidence, sites: &[String]) -> Option<Weighed<Vec<String>>> {
    let mut ballot = Ballot::new();
    let is_own = |name: &String| sites.iter().any(|site| *site == fold(name));
    let is_house = |name: &String| is_own(name) || names::is_newsroom(name);
    let mut say = |names: Vec<String>, source, weight: u32| {
        // The site itself is named where no person is; it speaks only when nobody else does.
        let weight = if names.iter().all(is_house) {
            weight / 10
        } else {
            weight
        };
        let mut keys: Vec<String> = names.iter().map(|name| fold(name)).collect();
        keys.sort();
        ballot.vote(keys.join("|"), names, source, weight);
    };
    let all = |declared: Vec<&str>| {
        let mut all: Vec<String> = Vec::new();
        for declared in declared {
            let mut names = names::names(declared);
            if names.first().is_some_and(is_house) {
                // What follows is where the house stands.
                names.truncate(1);
            }
            all.extend(names);
        }
        // Sites put themselves beside the author, in a tag of their own.
        if !all.iter().all(is_own) {
            all.retain(|name| !is_own(name));
        }
        distinct(all)
    };
    if let Some(linked) = evidence.linked() {
        let weight = if linked.authors.iter().any(|(_, person)| *person) {
            70
        } else {
            35
        };
        say(
            distinct(linked.authors.iter().flat_map(linked_names).collect()),
            "json-ld author",
            weight,
        );
    }
    if let Some(meta) = evidence.meta() {
        for &(key, weight) in AUTHOR_KEYS {
            say(all(meta.all(key).collect()), key_source(key), weight);
        }
        say(
            all(meta.all_items("author").collect()),
            "itemprop author",
            35,
        );
        for (label, data) in [
            ("twitter:label1", "twitter:data1"),
            ("twitter:label2", "twitter:data2"),
        ] {
            if meta.get(label).is_some_and(is_author_label) {
                say(all(meta.all(data).collect()), "twitter card", 40);
            }
        }
    }
    if let Some(page) = evidence.page {
        say(
            all(page.authors.iter().map(String::as_str).collect()),
            "links to authors",
            40,
        );
        let mut lines: Vec<String> = Vec::new();
        for name in page.bylines.iter().flat_map(|line| names::byline(line)) {
            if !lines.contains(&name) {
                lines.push(name);
            }
        }
        say(lines, "byline of the page", 35);
    }
    say(
        evidence.facts.authors.clone(),
        evidence.line_source("byline of the page"),
        30,
    );
    if let Some(page) = evidence.page {
        say(
            page.signature
                .as_deref()
                .map(names::byline)
                .unwrap_or_default(),
            "signature below the article",
            20,
        );
    }
    let longest = ballot.longest_list();
    let winner = ballot.count()?;
    let all_of = |longer: &Vec<String>| winner.value.iter().all(|name| longer.contains(name));
    match longest.filter(|longer| all_of(&longer.value)) {
        Some(longer) => Some(Weighed {
            weight: winner.weight,
            ..longer
        }),
        None => Some(winner),
    }
}

/// A person may stand with others in one field; an organisation may have an "and" in its name.
fn linked_names((name, is_person): &(String, bool)) -> Vec<String> {
    match is_person {
        true => names::names(name),
        false => names::organisation(name).into_iter().collect(),
    }
}

fn distinct(names: Vec<String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

impl Ballot<Vec<String>> {
    /// The longest list that a good source gives. Many sources name the first of several authors only, so that a list which
    /// holds all that the others say is no contradiction.
    fn longest_list(&self) -> Option<Weighed<Vec<String>>> {
        const WEIGHT_MIN: u32 = 40;
        const NAMES_MAX: usize = 12;
        let good = self
            .votes
            .iter()
            .filter(|(_, names, _, weight)| *weight >= WEIGHT_MIN && names.len() <= NAMES_MAX);
        let longest = good.max_by_key(|(_, names, _, weight)| (names.len(), *weight));
        longest.map(|(_, names, source, weight)| Weighed {
            value: names.clone(),
            source,
            weight: *weight,
        })
    }
}

fn is_author_label(label: &str) -> bool {
    let label = label.trim_end_matches([':', ' ']).to_lowercase();
    let known = |language: &crate::clean::words::Language| {
        language.by.split('|').any(|known| known == label)
    };
    crate::clean::words::LANGUAGES.iter().any(known)
}

/// `meta` keys of the day of publication.
const DATE_KEYS: &[(&str, u32)] = &[
    ("article:published_time", 65),
    ("og:article:published_time", 50),
    ("article:published", 50),
    ("parsely-pub-date", 50),
    ("cxenseparse:recs:publishtime", 50),
    ("cxenseparse:publishtime", 50),
    ("sailthru.date", 45),
    ("dc.date.issued", 45),
    ("dcterms.issued", 45),
    ("dcterms.available", 40),
    ("publication_date", 45),
    ("publish-date", 45),
    ("publishdate", 45),
    ("published_time", 45),
    ("date.available", 40),
    ("pub_date", 45),
    ("pubdate", 45),
    ("ptime", 40),
    ("rnews:datepublished", 45),
    ("citation_publication_date", 40),
    ("citation_date", 40),
    ("og:pubdate", 45),
    ("og:published_time", 45),
    ("datepublished", 45),
    ("article_date_original", 45),
    ("originalpublicationdate", 45),
    ("dc.date", 40),
    ("dc.date.created", 40),
    ("dcterms.created", 40),
    ("dcterms.date", 35),
    ("date", 40),
    ("date.created", 35),
    ("datecreated", 35),
    ("created", 30),
    ("og:regdate", 35),
    ("article.published", 45),
    ("article.created", 35),
    ("article:published_date", 50),
    ("article:published-date", 50),
    ("article:publicationdate", 50),
    ("article:post_date", 45),
    ("article.post_date", 45),
    ("og:datepublished", 45),
    ("og:publish_date", 45),
    ("bt:pubdate", 45),
    ("rbpubdate", 45),
    ("pdate", 40),
    ("publish_date", 45),
    ("publish_time", 45),
    ("published_date", 45),
    ("published-date", 45),
    ("publisheddate", 45),
    ("date_published", 45),
    ("dateposted", 40),
    ("dc.date.publication", 45),
    ("dc.created", 40),
    ("dcsext.articlefirstpublished", 45),
    ("shareaholic:article_published_time", 40),
    ("mediator_published_time", 40),
    ("prism.publicationdate", 45),
    ("eprints.date", 35),
    ("bepress_citation_date", 35),
    ("citation_online_date", 40),
    ("release_date", 35),
    ("displaydate", 35),
    ("date_created", 35),
    ("content_create_date", 30),
    ("creation_date", 30),
    ("gentime", 25),
    ("timestamp", 20),
];

fn date(evidence: &Evidence, url: Option<&Weighed<String>>) -> Option<Weighed<String>> {
    let mut ballot = Ballot::new();
    let mut say = |value: Option<&str>, source, weight| {
        if let Some(moment) = value.and_then(moment)
            && !is_after_fetch(&moment, evidence.declared)
        {
            ballot.vote(moment[..10].to_owned(), moment, source, weight);
        }
    };
    say(
        evidence
            .linked()
            .and_then(|linked| linked.published.as_deref()),
        "json-ld datePublished",
        80,
    );
    if let Some(meta) = evidence.meta() {
        for &(key, weight) in DATE_KEYS {
            say(meta.get(key), key_source(key), weight);
        }
        say(meta.item("datePublished"), "itemprop datePublished", 50);
        say(meta.item("dateCreated"), "itemprop dateCreated", 35);
    }
    for (moment, weight) in shown_dates(evidence, false) {
        say(Some(&moment), "date on the page", weight);
    }
    say(
        evidence.facts.date.as_deref(),
        evidence.line_source("date on the page"),
        35,
    );
    let address = url
        .map(|url| url.value.as_str())
        .or(evidence.declared.url.as_deref());
    say(address.and_then(address::date).as_deref(), "address", 30);
    say(
        address.and_then(address::moment).as_deref(),
        "number in the address",
        15,
    );
    say(
        evidence
            .named("og:image")
            .and_then(address::date)
            .as_deref(),
        "address of the picture",
        WEAKEST,
    );
    let changed = modified(evidence);
    if let Some(changed) = &changed {
        ballot.prefer_before(&changed.value[..10]);
    }
    let published = ballot
        .count()
        .or_else(|| of_last_change(evidence, changed))?;
    let published = as_first_addressed(published, address);
    Some(in_local_time(evidence, published, address))
}

/// Days that no slip of a clock or a zone, and no night at the news desk, makes.
const DAYS_MUCH: i32 = 7;

/// An address is made when an article is first published and stays; what the page declares may be made new with each edition.
fn as_first_addressed(published: Weighed<String>, address: Option<&str>) -> Weighed<String> {
    const DAYS_MIN: i32 = 30;
    match address.and_then(address::date) {
        Some(day) if days_before(&day, &published.value) >= DAYS_MIN => Weighed {
            value: day,
            source: "address",
            weight: 30,
        },
        _ => published,
    }
}

impl Ballot<String> {
    /// Templates fill the day of publication with that of the last change: against another that is well attested and much
    /// earlier, it says nothing.
    fn prefer_before(&mut self, changed: &str) {
        const WEIGHT_MIN: u32 = 60;
        let earlier =
            |key: &str| days_before(key, changed) >= DAYS_MUCH && self.weight_of(key) >= WEIGHT_MIN;
        if self.votes.iter().any(|(key, ..)| earlier(key)) {
            self.votes.retain(|(key, ..)| key != changed);
        }
    }
}

/// Sites that state moments in UTC show their own day: if the address and the page agree on the day before or after, it is the
/// day on which the article was published where it was published.
fn in_local_time(
    evidence: &Evidence,
    published: Weighed<String>,
    address: Option<&str>,
) -> Weighed<String> {
    let local = || {
        let in_utc = published.value.ends_with('Z') || published.value.ends_with("+00:00");
        let day = address.and_then(address::date).filter(|_| in_utc)?;
        let near = days_before(&day, &published.value).abs() == 1;
        let shown = shown_dates(evidence, false);
        let seen = shown.iter().any(|(seen, _)| seen[..10] == day[..10]);
        let denied = shown
            .iter()
            .any(|(seen, _)| seen.len() == 10 && seen[..] == published.value[..10]);
        (near && seen && !denied).then_some(day)
    };
    match local() {
        Some(value) => Weighed { value, ..published },
        None => published,
    }
}

/// What stands on the weakest evidence that is taken at all.
const WEAKEST: u32 = 5;

/// A page that tells only when it was last changed was published then or before.
fn of_last_change(
    evidence: &Evidence,
    changed: Option<Weighed<String>>,
) -> Option<Weighed<String>> {
    let changed = changed?;
    let known = !is_after_fetch(&changed.value, evidence.declared);
    known.then_some(Weighed {
        source: "day of the last change",
        weight: WEAKEST,
        ..changed
    })
}

/// How many days the first moment is before the second.
fn days_before(one: &str, other: &str) -> i32 {
    let day = |moment: &str| moment.get(..10)?.parse::<jiff::civil::Date>().ok();
    match (day(one), day(other)) {
        (Some(one), Some(other)) => (other - one).get_days(),
        _ => 0,
    }
}

/// A moment as machines write it, or a date as people do.
fn moment(text: &str) -> Option<String> {
    stamp(text).or_else(|| date::find(text).map(|found| found.value))
}

/// Dates that the page shows, with their weights: of several in one place the first weighs most. `changes` asks for those of
/// the last change, which labels tell from those of publication.
fn shown_dates(evidence: &Evidence, changes: bool) -> Vec<(String, u32)> {
    /// So much more an attribute made for dates weighs than what is seen.
    const DECLARED_MORE: u32 = 8;
    let mut found: Vec<(DatePlace, String, u32)> = Vec::new();
    for shown in evidence.page.map_or(&[][..], |page| &page.dates) {
        let more = match shown.place {
            DatePlace::Elsewhere | DatePlace::Anywhere => 0,
            _ => DECLARED_MORE,
        };
        for (moment, role, declared) in moments(shown) {
            if (role == Some(date::Role::Changed)) != changes {
                continue;
            }
            let before = found.iter().filter(|(place, ..)| *place == shown.place);
            let before = before.count() as u32;
            let first = match shown.place {
                DatePlace::Marked => 32,
                DatePlace::Head => 25,
                DatePlace::Said => 20,
                DatePlace::Tail => 16,
                DatePlace::Elsewhere => 9,
                DatePlace::Anywhere => 1,
            };
            let weight = (first - first.min(before * 6)).max(first.min(3));
            found.push((
                shown.place,
                moment,
                weight + if declared { more } else { 0 },
            ));
        }
    }
    found
        .into_iter()
        .map(|(_, moment, weight)| (moment, weight))
        .collect()
}

/// The moments of a shown date: what is seen, and what its attributes declare, which the labels that are seen are for.
fn moments(shown: &ShownDate) -> Vec<(String, Option<date::Role>, bool)> {
    let seen = date::all(&shown.text);
    let label = || date::role_of(&shown.text);
    // What the page says in words counts more than what its template puts into an attribute.
    let said = seen
        .iter()
        .find(|(_, role)| *role == Some(date::Role::Published));
    let is_denied = |moment: &str| {
        let between = |said: &str| days_before(said, moment).abs();
        said.is_some_and(|(said, _)| seen.len() == 1 && between(&said.value) > 1)
    };
    let mut moments = Vec::new();
    for (index, declared) in shown.declared.iter().enumerate() {
        let Some(moment) = moment(declared).filter(|moment| !is_denied(moment)) else {
            continue;
        };
        let beside = seen
            .iter()
            .find(|(found, _)| found.value[..10] == moment[..10])
            .or(seen.get(index));
        let role = match beside {
            Some((_, role)) => *role,
            None => label(),
        };
        moments.push((moment, role, true));
    }
    moments.extend(
        seen.into_iter()
            .map(|(found, role)| (found.value, role, false)),
    );
    moments
}

/// Nothing is published after it was fetched; two days are left for wrong clocks and zones.
fn is_after_fetch(moment: &str, declared: &Declared) -> bool {
    let Some(fetched) = declared.fetched_at else {
        return false;
    };
    let slack = jiff::SignedDuration::from_hours(48);
    let latest = fetched.checked_add(slack).unwrap_or(fetched);
    moment[..10] > *latest.strftime("%Y-%m-%d").to_string()
}

/// `meta` keys of the last change.
const MODIFIED_KEYS: &[(&str, u32)] = &[
    ("article:modified_time", 55),
    ("og:updated_time", 40),
    ("article:modified", 50),
    ("dcterms.modified", 45),
    ("dc.date.modified", 45),
    ("date.modified", 45),
    ("date.updated", 45),
    ("lastmod", 45),
    ("last-modified", 30),
    ("datemodified", 45),
    ("modified", 30),
    ("revision_date", 30),
    ("article:modified_date", 50),
    ("article:post_modified", 45),
    ("og:modified_time", 45),
    ("og:article:modified_time", 50),
    ("bt:moddate", 45),
    ("dc.modified", 45),
    ("lastmodified", 40),
    ("lastdate", 35),
    ("modified_time", 40),
    ("updated_time", 40),
    ("modificationdate", 40),
    ("article_updatetime", 40),
    ("dateupdated", 40),
];

fn modified(evidence: &Evidence) -> Option<Weighed<String>> {
    let mut ballot = Ballot::new();
    let mut say = |value: Option<&str>, source, weight| {
        if let Some(moment) = value.and_then(moment) {
            ballot.vote(moment[..10].to_owned(), moment, source, weight);
        }
    };
    say(
        evidence
            .linked()
            .and_then(|linked| linked.modified.as_deref()),
        "json-ld dateModified",
        60,
    );
    if let Some(meta) = evidence.meta() {
        for &(key, weight) in MODIFIED_KEYS {
            say(meta.get(key), key_source(key), weight);
        }
        say(meta.item("dateModified"), "itemprop dateModified", 50);
    }
    for (moment, weight) in shown_dates(evidence, true) {
        say(Some(&moment), "date on the page", weight);
    }
    say(
        evidence.facts.modified.as_deref(),
        evidence.line_source("date on the page"),
        35,
    );
    ballot.count()
}

fn language(evidence: &Evidence) -> Option<Weighed<String>> {
    let mut ballot = Ballot::new();
    let mut say = |value: Option<&str>, source, weight| {
        let tag = value
            .and_then(|value| value.trim().split(['-', '_', ',', ' ', ';']).next())
            .unwrap_or("")
            .to_lowercase();
        let valid =
            (2..=3).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_lowercase());
        if valid {
            ballot.vote(tag.clone(), tag, source, weight);
        }
    };
    // Templates forget to change the language, so that the text itself counts most.
    say(evidence.language, "text", 70);
    say(
        evidence
            .linked()
            .and_then(|linked| linked.language.as_deref()),
        "json-ld inLanguage",
        40,
    );
    say(
        evidence.meta().and_then(|meta| meta.language.as_deref()),
        "html lang",
        40,
    );
    say(evidence.named("og:locale"), "og:locale", 20);
    say(evidence.named("content-language"), "content-language", 20);
    say(evidence.named("dc.language"), "dc.language", 20);
    ballot.count()
}

fn section(evidence: &Evidence) -> Option<Weighed<String>> {
    let mut ballot = Ballot::new();
    let linked = evidence.linked();
    ballot.say(evidence.named("article:section"), "article:section", 50);
    ballot.say(
        linked.and_then(|linked| linked.section.as_deref()),
        "json-ld articleSection",
        50,
    );
    for (key, weight) in [
        ("parsely-section", 45),
        ("og:section", 40),
        ("prism.section", 40),
        ("sailthru.section", 40),
        ("section", 35),
        ("category", 25),
    ] {
        ballot.say(evidence.named(key), key_source(key), weight);
    }
    ballot.say(
        evidence.meta().and_then(|meta| meta.item("articleSection")),
        "itemprop articleSection",
        40,
    );
    ballot.say(
        evidence.facts.section.as_deref(),
        evidence.line_source("line above the headline"),
        35,
    );
    ballot.say(
        linked.and_then(|linked| linked.breadcrumb.as_deref()),
        "json-ld breadcrumbs",
        30,
    );
    ballot.say(
        evidence.page.and_then(|page| page.section.as_deref()),
        "line above the headline",
        25,
    );
    ballot
        .votes
        .retain(|(_, value, ..)| value.len() <= 80 && !value.contains("://"));
    ballot.count()
}

fn publisher(evidence: &Evidence) -> Option<Weighed<String>> {
    let mut ballot = Ballot::new();
    let linked = evidence.linked();
    ballot.say(
        linked.and_then(|linked| linked.publisher.as_deref()),
        "json-ld publisher",
        55,
    );
    ballot.say(evidence.named("og:site_name"), "og:site_name", 50);
    ballot.say(
        linked.and_then(|linked| linked.site.as_deref()),
        "json-ld site",
        40,
    );
    for (key, weight) in [
        ("dc.publisher", 40),
        ("dcterms.publisher", 40),
        ("publisher", 30),
        ("application-name", 25),
        ("apple-mobile-web-app-title", 15),
    ] {
        ballot.say(evidence.named(key), key_source(key), weight);
    }
    ballot.say(evidence.declared.source.as_deref(), "sidecar", 10);
    let masthead = evidence.page.and_then(|page| page.masthead.as_deref());
    ballot.say(masthead, "masthead of the page", 8);
    ballot
        .votes
        .retain(|(_, value, ..)| value.len() <= 100 && !value.contains("://"));
    ballot.count()
}

/// Whose article it was before: what a line of the text says, or where a link at its end leads, or a note of copyright there
/// that is not the site's own.
fn original_publisher(evidence: &Evidence, sites: &[String]) -> Option<Weighed<String>> {
    let said = evidence.facts.original_publisher.clone();
    if let Some(value) = said {
        return Some(Weighed {
            value,
            source: "line of the text",
            weight: 50,
        });
    }
    let notice = evidence.page.and_then(|page| page.notice.as_deref());
    let footers = evidence.facts.footers.iter();
    let address = footers.filter_map(|footer| footer.url.as_deref()).next();
    let linked = address
        .or(notice.and_then(text::source))
        .and_then(address::host);
    let said = match linked {
        Some(host) => (host.to_owned(), "link below the article", 30),
        None => (
            text::owner(notice?)?,
            "note of copyright below the article",
            30,
        ),
    };
    let (value, source, weight) = said;
    let own = title::is_site(&value, sites);
    (!own).then_some(Weighed {
        value,
        source,
        weight,
    })
}

/// Folded names by which the site may be called at the end of a title, or in the place of an author.
fn sites(
    evidence: &Evidence,
    publisher: Option<&Weighed<String>>,
    url: Option<&Weighed<String>>,
) -> Vec<String> {
    let linked = evidence.linked();
    let hosts = [
        url.map(|url| url.value.as_str()),
        evidence.declared.url.as_deref(),
        evidence.named("og:url"),
    ];
    let hosts = hosts.into_iter().flatten().filter_map(address::host);
    // Of `news.example.co.uk` the name is the longest label but the last.
    let labels = hosts.flat_map(|host| {
        let labels = host.rsplit_once('.').map_or(host, |(labels, _)| labels);
        let longest = labels.split('.').max_by_key(|label| label.len());
        [Some(host), longest].into_iter().flatten()
    });
    let names = [
        publisher.map(|publisher| publisher.value.as_str()),
        evidence.named("og:site_name"),
        evidence.named("application-name"),
        linked.and_then(|linked| linked.publisher.as_deref()),
        linked.and_then(|linked| linked.site.as_deref()),
    ];
    let mut sites: Vec<String> = names
        .into_iter()
        .flatten()
        .chain(labels)
        .map(fold)
        .collect();
    sites.retain(|site| !site.is_empty());
    sites.sort();
    sites.dedup();
    sites
}

fn url(evidence: &Evidence) -> Option<Weighed<String>> {
    let linked = evidence.linked();
    let meta = evidence.meta();
    let canonical = meta.and_then(|meta| meta.canonical.as_deref());
    let shown = evidence.named("og:url");
    let fetched = evidence.declared.url.as_deref();
    let base = meta
        .and_then(|meta| meta.base.as_deref())
        .and_then(|base| address::resolve(base, fetched));
    let base = base.as_deref().or(fetched).or(shown);
    let sources = [
        (canonical, "link canonical", 60),
        (shown, "og:url", 50),
        (
            linked.and_then(|linked| linked.url.as_deref()),
            "json-ld url",
            40,
        ),
        (fetched, "sidecar", 30),
    ];
    let mut found: Vec<Weighed<String>> = Vec::new();
    for (url, source, weight) in sources {
        if let Some(value) = url.and_then(|url| address::resolve(url, base)) {
            found.push(Weighed {
                value,
                source,
                weight,
            });
        }
    }
    // A site whose every page calls the first page canonical says nothing.
    let article = found.iter().position(|url| !address::is_home(&url.value));
    match article {
        Some(index) => Some(found.swap_remove(index)),
        None => found.into_iter().next(),
    }
}

fn tags(evidence: &Evidence) -> Vec<String> {
    const TAGS_MAX: usize = 40;
    let parted = |key: &str| -> Vec<String> {
        let list = evidence.named(key).unwrap_or("");
        list.split([',', ';'])
            .map(|tag| tag.trim().to_owned())
            .collect()
    };
    let declared: Vec<String> = match evidence.meta() {
        Some(meta) => meta
            .all("article:tag")
            .flat_map(|tag| tag.split(','))
            .map(|tag| tag.trim().to_owned())
            .collect(),
        None => Vec::new(),
    };
    let linked = evidence
        .linked()
        .map(|linked| linked.keywords.clone())
        .unwrap_or_default();
    let shown = evidence
        .page
        .map(|page| page.tags.clone())
        .unwrap_or_default();
    let lists = [
        declared,
        linked,
        parted("parsely-tags"),
        parted("sailthru.tags"),
        parted("news_keywords"),
        shown,
        parted("keywords"),
    ];
    for list in lists {
        let mut tags: Vec<String> = Vec::new();
        for tag in list {
            if !tag.is_empty() && tag.len() <= 80 && tags.len() < TAGS_MAX && !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        if !tags.is_empty() {
            return tags;
        }
    }
    Vec::new()
}
