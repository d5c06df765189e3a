//! What each run of a page is, as far as the structure around it tells.

use super::context::{Contexts, FURNITURE};
use super::families::Families;
use super::outline::{Outline, Run};
use super::region::Region;
use super::shingles::Shingles;
use crate::article::BlockKind;
use crate::clean::grammar::AFTER_ARTICLE;
use crate::clean::likeness::fold;
use crate::clean::line::Hint;
use crate::ledger::Class;
use crate::tree::{Attr, NodeId, Tag, Tree};

/// What structure says about a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    /// A line of the article or of its head, with what it seems to be.
    Line(Option<Hint>),
    /// No line: around the article, or unseen.
    Aside(Hint),
}

impl Place {
    /// A line of which structure says nothing: it stays, unless its words say otherwise.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Place::Line(None))
    }
}

/// What is known of the page beside its structure.
pub(super) struct Known<'a> {
    /// The run of the headline.
    pub(super) heading: Option<usize>,
    /// The text is the headline, or the page's title.
    pub(super) is_title: &'a dyn Fn(&str) -> bool,
    /// The page's description.
    pub(super) summary: &'a Shingles,
    /// The authors' folded names.
    pub(super) authors: &'a [String],
}

/// Says what each run is.
pub(super) fn place(
    outline: &Outline,
    contexts: &Contexts,
    region: &Region,
    known: &Known,
) -> Vec<Place> {
    let heading = known.heading;
    let last = region.inside.iter().rposition(|&inside| inside);
    let first = region.inside.iter().position(|&inside| inside);
    let head_from = heading.or(first).unwrap_or(0);
    let below = below(outline, contexts, last);
    let mut places: Vec<Place> = Vec::with_capacity(outline.runs.len());
    for (index, run) in outline.runs.iter().enumerate() {
        let families = contexts.at(run.nodes.start);
        let before_head = heading.is_some_and(|heading| index < heading);
        let in_head = index >= head_from && last.is_some_and(|last| index <= last);
        let place = if families.any(Families::HIDDEN) {
            Place::Aside(hidden())
        } else if Some(index) == heading {
            Place::Line(Some(Hint::strong(
                Class::Title,
                "page.heading",
                "is the headline of the page",
            )))
        } else if region.inside[index] && !before_head {
            let judged = by_families(families, run).or_else(|| by_tags(outline.tree, run));
            let judged = judged
                .or_else(|| repeats_title(outline, run, known.is_title))
                .or_else(|| names_author(outline, run, known.authors));
            Place::Line(judged)
        } else if in_head {
            match head_line(families, outline.tree, run) {
                Some(hint) => Place::Line(Some(hint)),
                None if is_standfirst(outline, families, run, index - head_from, known.summary) => {
                    Place::Line(Some(standfirst()))
                }
                None => Place::Aside(outside()),
            }
        } else if before_head && index + ABOVE_HEADING_RUNS_MAX >= head_from {
            match picture_line(families, run) {
                Some(hint) => Place::Line(Some(hint)),
                None => Place::Aside(outside()),
            }
        } else if below.contains(&index) {
            Place::Line(Some(after_article()))
        } else {
            Place::Aside(outside())
        };
        places.push(place);
    }
    places
}

fn hidden() -> Hint {
    Hint::strong(
        Class::Hidden,
        "page.hidden",
        "is not shown to a reader of the page",
    )
}

fn outside() -> Hint {
    Hint::strong(
        Class::Navigation,
        "page.outside",
        "stands outside the article",
    )
}

fn standfirst() -> Hint {
    Hint::strong(
        Class::Body,
        "page.standfirst",
        "sums the article up under its headline",
    )
}

fn after_article() -> Hint {
    Hint::weak(
        Class::Navigation,
        AFTER_ARTICLE,
        "stands right below the article",
    )
}

/// A lead picture stands above the headline as well.
const ABOVE_HEADING_RUNS_MAX: usize = 6;

/// Caption or credit of a picture above the headline.
fn picture_line(families: Families, run: &Run) -> Option<Hint> {
    let pictured = families.any(Families::CAPTION.or(Families::CREDIT)) && !families.any(FURNITURE);
    by_families(families, run).filter(|_| pictured)
}

/// The short lines right below the article, where it says where it was published before.
fn below(outline: &Outline, contexts: &Contexts, last: Option<usize>) -> std::ops::Range<usize> {
    const RUNS_MAX: usize = 5;
    const LINE_BYTES_MAX: u32 = 160;
    let Some(last) = last else { return 0..0 };
    // The link to the original may be set as a heading; a heading of other articles is no link to another site.
    let leads_away = |run: &Run| {
        let href = run
            .link
            .and_then(|link| outline.tree.attr(link, Attr::Href));
        run.link_percent() >= 90 && href.is_some_and(|href| href.starts_with("http"))
    };
    let is_line = |run: &&Run| {
        run.bytes <= LINE_BYTES_MAX
            && (run.kind != BlockKind::Heading || leads_away(run))
            && !contexts.at(run.nodes.start).any(FURNITURE)
    };
    let after = outline.runs[last + 1..].iter().take(RUNS_MAX);
    last + 1..last + 1 + after.take_while(is_line).count()
}

type Row = (Families, Class, &'static str, &'static str);

/// The first family that fits decides: what stands in a share bar inside a caption is a share bar.
static ROWS: &[Row] = &[
    (
        Families::CONSENT,
        Class::Ui,
        "page.consent",
        "asks about cookies and privacy",
    ),
    (
        Families::COMMENTS,
        Class::Navigation,
        "page.comments",
        "stands among the readers' comments",
    ),
    (
        Families::SHARE,
        Class::Social,
        "page.share",
        "stands in a bar for sharing and following",
    ),
    (
        Families::NEWSLETTER,
        Class::Promo,
        "page.newsletter",
        "stands in a form for a newsletter or subscription",
    ),
    (
        Families::ADVERT,
        Class::Promo,
        "page.advert",
        "stands in an advertisement",
    ),
    (
        Families::RELATED,
        Class::Related,
        "page.related",
        "stands in a box that points to other articles",
    ),
    (
        Families::TEASER,
        Class::Related,
        "page.teaser",
        "stands in a teaser of another article",
    ),
    (
        Families::BIOGRAPHY,
        Class::FooterOther,
        "page.biography",
        "stands in a portrait of the author",
    ),
    (
        Families::NAVIGATION,
        Class::Navigation,
        "page.navigation",
        "stands in a menu",
    ),
    (
        Families::TAGS,
        Class::Ui,
        "page.tags",
        "stands in a list of keywords",
    ),
    (
        Families::WIDGET,
        Class::Ui,
        "page.widget",
        "belongs to a button, form or dialog",
    ),
    (
        Families::CREDIT,
        Class::Credit,
        "page.credit",
        "stands where the page puts credits",
    ),
    (
        Families::CAPTION,
        Class::Caption,
        "page.caption",
        "stands where the page puts captions",
    ),
    (
        Families::FOOTER,
        Class::FooterOther,
        "page.footer",
        "stands in a footer",
    ),
    (
        Families::SIDEBAR,
        Class::Navigation,
        "page.sidebar",
        "stands in a column beside the article",
    ),
];

/// A shorter text in the place of a caption may be no caption.
const CAPTION_LABEL_BYTES_MAX: u32 = 60;
/// And a shorter text in the place of a credit no credit.
const CREDIT_LABEL_BYTES_MAX: u32 = 16;
/// A heading of an entry (`11.04: Ferry leaves at last`) may be called `time`; a date is not so long.
const DATE_HEADING_BYTES_MAX: u32 = 24;

fn by_families(families: Families, run: &Run) -> Option<Hint> {
    for &(family, class, rule, reason) in ROWS {
        if families.any(family) {
            // The pictures of a gallery have titles.
            if class == Class::Caption && run.kind == BlockKind::Heading {
                return Some(Hint::strong(
                    Class::Ui,
                    "page.picture_title",
                    "is the title of a picture in a gallery",
                ));
            }
            // Where captions stand there are also credits, buttons and durations: what is short is for its words to say.
            let strong = match class {
                Class::Caption => run.bytes > CAPTION_LABEL_BYTES_MAX,
                Class::Credit => run.bytes > CREDIT_LABEL_BYTES_MAX,
                _ => true,
            };
            return Some(match strong {
                true => Hint::strong(class, rule, reason),
                false => Hint::weak(class, rule, reason),
            });
        }
    }
    // Quoted posts stand in the same boxes as videos.
    if families.any(Families::VIDEO)
        && run.bytes < 300
        && run.prose() == 0
        && run.kind != BlockKind::Quote
    {
        return Some(Hint::weak(
            Class::Caption,
            "page.video",
            "stands with a video",
        ));
    }
    if run.stops <= 1 && run.bytes < 200 {
        if families.any(Families::AUTHOR) {
            return Some(Hint::strong(
                Class::Byline,
                "page.byline",
                "stands where the page names its authors",
            ));
        }
        if families.any(Families::SECTION) && run.bytes < 60 {
            return Some(Hint::weak(
                Class::Section,
                "page.section",
                "stands where the page names a section",
            ));
        }
    }
    // Dates are full of stops: `Nov. 20, 2019, at 1:35 a.m.`
    let entry = run.kind == BlockKind::Heading && run.bytes > DATE_HEADING_BYTES_MAX;
    if families.any(Families::DATE) && run.bytes < 80 && !entry {
        return Some(Hint::strong(
            Class::Date,
            "page.date",
            "stands where the page gives its date",
        ));
    }
    if families.any(Families::META) && run.bytes < 120 {
        return Some(Hint::weak(
            Class::Byline,
            "page.meta",
            "stands between headline and text",
        ));
    }
    None
}

/// Text in a figure is its caption even when nothing says so, unless it is a table, a quote or code.
fn by_tags(tree: &Tree, run: &Run) -> Option<Hint> {
    if matches!(
        run.kind,
        BlockKind::Table | BlockKind::Quote | BlockKind::Code
    ) {
        return None;
    }
    let in_figure = in_figure(tree, run.block);
    in_figure.then(|| Hint::weak(Class::Caption, "page.figure", "stands in a figure"))
}

fn in_figure(tree: &Tree, block: NodeId) -> bool {
    // Figures are small: eight elements up is far enough, and keeps deep pages cheap.
    let mut around = std::iter::once(block).chain(tree.ancestors(block)).take(8);
    around.any(|node| tree.tag(node) == Some(Tag::Figure))
}

fn repeats_title(outline: &Outline, run: &Run, is_title: &dyn Fn(&str) -> bool) -> Option<Hint> {
    let title = run.bytes < 300
        && (run.level == 1 && run.kind == BlockKind::Heading || run.bytes > 15)
        && is_title(outline.text(run));
    title.then(|| Hint::strong(Class::Title, "page.title_again", "repeats the headline"))
}

/// The paragraph under the headline that sums the article up: it is called so, or it is what the page gives as its
/// description, or nothing but a byline parts it from the headline.
fn is_standfirst(
    outline: &Outline,
    families: Families,
    run: &Run,
    below: usize,
    summary: &Shingles,
) -> bool {
    const BELOW_MAX: usize = 12;
    let lead = families.any(Families::LEAD);
    let shaped = (40..=800).contains(&run.bytes)
        && run.link_percent() < 30
        && (lead || run.kind != BlockKind::ListItem);
    if !shaped || below > BELOW_MAX || families.any(FURNITURE) {
        return false;
    }
    lead || below <= 2 && run.bytes >= 60
        || summary
            .percent(outline.text(run))
            .is_some_and(|percent| percent >= 60)
}

/// A short line that says hardly more than the names of the authors.
fn names_author(outline: &Outline, run: &Run, authors: &[String]) -> Option<Hint> {
    const LINE_BYTES_MAX: u32 = 200;
    const BESIDE_BYTES_MAX: usize = 30;
    if run.bytes > LINE_BYTES_MAX || run.closed || authors.is_empty() {
        return None;
    }
    let text = fold(outline.text(run));
    let named: usize = authors
        .iter()
        .filter(|author| text.contains(author.as_str()))
        .map(String::len)
        .sum();
    let byline = named >= 4 && text.len() <= named + BESIDE_BYTES_MAX && named * 2 >= text.len();
    byline.then(|| {
        Hint::strong(
            Class::Byline,
            "page.names_author",
            "names the article's authors",
        )
    })
}

/// Lines between the headline and the body that are no furniture: byline, date, the lead picture's caption.
fn head_line(families: Families, tree: &Tree, run: &Run) -> Option<Hint> {
    let hint = by_families(families, run).or_else(|| by_tags(tree, run))?;
    matches!(
        hint.class,
        Class::Byline | Class::Date | Class::Caption | Class::Credit | Class::Section
    )
    .then_some(hint)
}
