//! What the elements around a run of text say about it: their tags, names and styles, as far as the text bears it out.

use super::families::{Dictionary, Families, families};
use super::outline::Outline;
use crate::article::BlockKind;
use crate::tree::{Attr, NodeId, Tag, Tree};

/// Families that put text outside an article, wherever they stand.
pub(super) const FURNITURE: Families = Families::COMMENTS
    .or(Families::RELATED)
    .or(Families::SHARE)
    .or(Families::NEWSLETTER)
    .or(Families::ADVERT)
    .or(Families::NAVIGATION)
    .or(Families::FOOTER)
    .or(Families::SIDEBAR)
    .or(Families::HIDDEN)
    .or(Families::WIDGET)
    .or(Families::BIOGRAPHY)
    .or(Families::TEASER)
    .or(Families::CONSENT);

/// Families of short things: a whole story inside an element of that name is not one.
const SHORT: Families = Families::AUTHOR
    .or(Families::DATE)
    .or(Families::TITLE)
    .or(Families::SECTION)
    .or(Families::META)
    .or(Families::TAGS)
    .or(Families::CREDIT)
    .or(Families::IMAGE)
    .or(Families::VIDEO);
const SHORT_BYTES_MAX: u32 = 400;
/// A longer credit is a caption with its credit, or a note about those who wrote.
const CREDIT_BYTES_MAX: u32 = 240;

/// Families of things with a paragraph or two.
const MIDDLING: Families = Families::CAPTION
    .or(Families::LEAD)
    .or(Families::PULL_QUOTE)
    .or(Families::BIOGRAPHY);
const MIDDLING_BYTES_MAX: u32 = 2_500;

/// Families that speak of the element alone, not of all that stands in it.
const OWN: Families = Families::BODY;

/// A furniture family is not believed of an element with more than this share of the page's prose, in percent: bodies stand
/// in `div.page-with-sidebar`, in forms, and in paywalled `hidden` elements.
const FURNITURE_PROSE_PERCENT_MAX: u32 = 30;
/// Comments and questions about cookies may well be longer than the article; they are believed if that much prose stands
/// elsewhere.
const PROSE_BESIDE: u32 = 250;
/// The captions of a gallery are believed if that much prose stands elsewhere.
const GALLERY_PROSE_BESIDE: u32 = 1_000;
/// What is hidden from screen readers is a sign or a double, unless there is much of it.
const ARIA_HIDDEN_BYTES_MAX: u32 = 200;

/// The families around each node.
pub(super) struct Contexts {
    around: Vec<Families>,
}

impl Contexts {
    /// Reads the names of all elements that hold text. One pass.
    pub(super) fn new(outline: &Outline) -> Contexts {
        let tree = outline.tree;
        let mut around: Vec<Families> = Vec::with_capacity(tree.len());
        let mut dictionary = Dictionary::default();
        for node in tree.nodes() {
            let inherited = tree
                .parent(node)
                .map_or(Families::NONE, |parent| around[parent.index()]);
            let inherited = inherited.without(OWN);
            let own = match tree.tag(node) {
                None => Families::NONE,
                // What stands in a menu is menu, whatever it is called.
                Some(_) if inherited.any(SETTLED) || tree.text_range(node).is_empty() => {
                    Families::NONE
                }
                Some(tag) => believed(outline, node, tag, &mut dictionary),
            };
            // A caption in an element named after the credit is a caption; pictures to enlarge stand in buttons.
            let inherited = match own.any(Families::CAPTION) && !own.any(Families::CREDIT) {
                true if tree.tag(node) == Some(Tag::Figcaption) => {
                    inherited.without(Families::CREDIT.or(Families::WIDGET))
                }
                true => inherited.without(Families::CREDIT),
                false => inherited,
            };
            around.push(inherited | own);
        }
        Contexts { around }
    }

    /// The families of the node and of all elements around it.
    pub(super) fn of(&self, node: NodeId) -> Families {
        self.around[node.index()]
    }

    /// Says of a subtree that it belongs to these families as well.
    pub(super) fn add(&mut self, nodes: std::ops::Range<usize>, families: Families) {
        for around in &mut self.around[nodes] {
            *around |= families;
        }
    }

    /// The families around the node with that index.
    pub(super) fn at(&self, index: u32) -> Families {
        self.around[index as usize]
    }
}

const SETTLED: Families = Families::NAVIGATION
    .or(Families::COMMENTS)
    .or(Families::HIDDEN);

fn believed<'a>(
    outline: &Outline<'a>,
    node: NodeId,
    tag: Tag,
    dictionary: &mut Dictionary<'a>,
) -> Families {
    let tree = outline.tree;
    let mut own = of_tag(tag);
    if matches!(tag, Tag::Html | Tag::Body | Tag::Head) {
        return Families::NONE;
    }
    let (links, bytes) = outline.bytes(node);
    let mut hidden = false;
    let mut aria_hidden = false;
    for (name, value) in tree.attrs(node) {
        match name {
            // The id of a heading is made of its words, to link to it.
            Attr::Id if is_heading(tag) => {}
            Attr::Class
            | Attr::Id
            | Attr::Itemprop
            | Attr::Role
            | Attr::DataTestid
            | Attr::DataComponent
            | Attr::DataModule
            | Attr::DataType
            | Attr::DataQa => own |= dictionary.families(value),
            Attr::Hidden => hidden |= !value.eq_ignore_ascii_case("until-found"),
            Attr::Style => hidden |= is_hidden_by_style(value),
            Attr::AriaHidden => aria_hidden = value.eq_ignore_ascii_case("true"),
            _ => {}
        }
    }
    if hidden || aria_hidden && bytes <= ARIA_HIDDEN_BYTES_MAX {
        own |= Families::HIDDEN;
    }
    // A dialog that waits to be opened asks or informs; it holds no article.
    if aria_hidden && own.any(Families::WIDGET) {
        own |= Families::CONSENT;
    }
    if own == Families::NONE {
        return own;
    }
    if bytes > SHORT_BYTES_MAX {
        own = own.without(SHORT);
    }
    if bytes > CREDIT_BYTES_MAX {
        own = own.without(Families::CREDIT);
    }
    let prose = outline.prose(node);
    // The captions of a gallery are long together. Where nothing else is to be read they are the article.
    let gallery = matches!(tag, Tag::Ul | Tag::Ol)
        && own.any(Families::CAPTION)
        && outline.prose_of_page() - prose >= GALLERY_PROSE_BESIDE;
    if bytes > MIDDLING_BYTES_MAX {
        own = own.without(match gallery {
            true => MIDDLING.without(Families::CAPTION),
            false => MIDDLING,
        });
    }
    // Keywords are links or single words; headings, quotes and paragraphs may bear the name of one.
    let worded = is_heading(tag) || tag == Tag::Blockquote || prose > 0;
    if own.any(Families::TAGS) && worded && links * 2 < bytes {
        own = own.without(Families::TAGS);
    }
    // A teaser that links nowhere is a standfirst.
    if own.any(Families::TEASER) && links * 4 < bytes {
        own = own.without(Families::TEASER);
    }
    // Advertisements come from elsewhere; text that the page itself brings in their places is often the article's.
    if own.any(Families::ADVERT) && prose >= 150 && links * 4 < bytes {
        own = own.without(Families::ADVERT);
    }
    // What is set apart within an article without a heading of its own (a summary, a quote) is part of it; columns of
    // teasers and boxes of facts are not.
    if own.any(Families::SIDEBAR)
        && tag == Tag::Aside
        && prose * 3 >= bytes
        && is_within_article(tree, node)
        && !outline
            .runs_in(node)
            .any(|run| outline.runs[run].kind == BlockKind::Heading)
    {
        own = own.without(Families::SIDEBAR);
    }
    if own.any(FURNITURE) {
        let page = outline.prose_of_page();
        let heavy =
            u64::from(prose) * 100 > u64::from(page) * u64::from(FURNITURE_PROSE_PERCENT_MAX);
        let main = matches!(tag, Tag::Main | Tag::Article) && prose * 10 > page;
        if heavy || main {
            let beside = page - prose >= PROSE_BESIDE && !main;
            let comments = own.any(Families::COMMENTS) && beside && outline.prose_before(node) > 0;
            let consent = own.any(Families::CONSENT) && beside;
            // Copies of the text for machines are as long as the text that is seen; a body that waits behind a paywall
            // is much longer than the beginning that is shown.
            let seen = u64::from(page - prose);
            let hidden = own.any(Families::HIDDEN)
                && seen >= u64::from(PROSE_BESIDE)
                && seen * 10 >= u64::from(prose) * 9;
            own = own.without(FURNITURE);
            if hidden {
                own |= Families::HIDDEN;
            }
            if comments {
                own |= Families::COMMENTS;
            }
            if consent {
                own |= Families::CONSENT;
            }
        }
    }
    own
}

fn is_heading(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6
    )
}

fn is_within_article(tree: &Tree, node: NodeId) -> bool {
    tree.ancestors(node).take(6).any(|node| is_body(tree, node))
}

fn of_tag(tag: Tag) -> Families {
    match tag {
        Tag::Nav | Tag::Menu | Tag::Search => Families::NAVIGATION,
        Tag::Footer => Families::FOOTER,
        Tag::Aside => Families::SIDEBAR,
        Tag::Figcaption => Families::CAPTION,
        Tag::Button | Tag::Form | Tag::Dialog | Tag::Label => Families::WIDGET,
        Tag::Time => Families::DATE,
        _ => Families::NONE,
    }
}

fn is_hidden_by_style(style: &str) -> bool {
    style.split(';').any(|declaration| {
        let Some((name, value)) = declaration.split_once(':') else {
            return false;
        };
        let (name, value) = (name.trim(), value.trim());
        let says = |word: &str| {
            value
                .get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let is = |word: &str| name.eq_ignore_ascii_case(word);
        // The ways to hide a text from all but screen readers: clipped to nothing, or far off the page.
        is("display") && says("none")
            || is("visibility") && says("hidden")
            || is("clip") && (says("rect(0") || says("rect(1px"))
            || is("clip-path") && (says("inset(50%") || says("inset(100%"))
            || (is("left") || is("text-indent")) && says("-999")
    })
}

/// The element is announced as the body of the article.
pub(super) fn is_body(tree: &Tree, node: NodeId) -> bool {
    let named = tree.attrs(node).any(|(name, value)| match name {
        Attr::Class | Attr::Id | Attr::Itemprop | Attr::DataTestid | Attr::DataComponent => {
            families(value).any(Families::BODY)
        }
        _ => false,
    });
    named || tree.tag(node) == Some(Tag::Article)
}
