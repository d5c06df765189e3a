//! `Tree`: an HTML page as cleaning sees it: elements and text in document order, in flat arrays.
//!
//! Nodes stand in preorder, so a subtree is a stretch of nodes, and the text of a subtree is a stretch of the text.
//!
//! What is text of the page: every text node, seen or not (`hidden`, `textarea`, `option`, the words inside `svg`), but not
//! what a browser never lays out as text: `script`, `style`, `template` (unless it is a declared shadow root), `noscript`,
//! `noembed`, `noframes`, comments, and the `title` of the head, which is [`Tree::title`]. `application/ld+json` scripts are
//! [`Tree::json_ld`]. Blank text directly in `html`, `head`, tables, rows and lists is dropped: the layout never shows it.
//! Everything else is there byte for byte, blanks and line ends included.

use std::ops::Range;

/// A page.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
    text: String,
    attributes: Attributes,
    title: Option<String>,
    json_ld: Vec<String>,
}

/// A node of one [`Tree`]; nodes are ordered as in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// The node's place in document order, 0 for the first; good as an index into an array beside the tree.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug, Clone)]
struct Node {
    parent: u32,
    /// One past the last descendant.
    end: u32,
    /// The stretch of the text that this node or its descendants hold.
    text_start: u32,
    text_end: u32,
    attributes: AttributeSet,
    /// `None` for text.
    tag: Option<Tag>,
}

/// The attributes of a page's elements.
#[derive(Debug, Default)]
struct Attributes {
    all: Vec<Attribute>,
    /// Their values, one behind the other.
    values: String,
}

/// The attributes of one element, or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttributeSet {
    start: u32,
    count: u16,
}

/// Parent of a node that has none.
const NO_PARENT: u32 = u32::MAX;

#[derive(Debug, Clone)]
struct Attribute {
    name: Attr,
    start: u32,
    end: u32,
}

/// The two kinds of nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An element.
    Element(Tag),
    /// A text node, with its place in [`Tree::text`].
    Text(Range<usize>),
}

impl Tree {
    /// All text nodes joined in document order; what the ledger's spans partition.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands in the head's `title`, as it is there.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The page's JSON-LD blocks in document order, as they are there: nothing says that they are valid JSON.
    pub fn json_ld(&self) -> &[String] {
        &self.json_ld
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// There is no node at all.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The first node: the `html` element.
    pub fn root(&self) -> Option<NodeId> {
        (!self.is_empty()).then_some(NodeId(0))
    }

    /// The node at that place in document order.
    pub fn node_at(&self, index: usize) -> Option<NodeId> {
        (index < self.nodes.len()).then_some(NodeId(index as u32))
    }

    /// All nodes in document order.
    pub fn nodes(&self) -> Nodes {
        Nodes {
            next: 0,
            end: self.nodes.len() as u32,
        }
    }

    /// All elements with that tag, in document order.
    pub fn elements(&self, tag: Tag) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes()
            .filter(move |&node| self.tag(node) == Some(tag))
    }

    /// What the node is.
    pub fn kind(&self, node: NodeId) -> Kind {
        match self.node(node).tag {
            Some(tag) => Kind::Element(tag),
            None => Kind::Text(self.text_range(node)),
        }
    }

    /// The element's tag; `None` for text.
    pub fn tag(&self, node: NodeId) -> Option<Tag> {
        self.node(node).tag
    }

    /// It is a text node.
    pub fn is_text(&self, node: NodeId) -> bool {
        self.node(node).tag.is_none()
    }

    /// The stretch of [`Tree::text`] that the node and all below it hold.
    pub fn text_range(&self, node: NodeId) -> Range<usize> {
        let node = self.node(node);
        node.text_start as usize..node.text_end as usize
    }

    /// The text of the node and of all below it.
    pub fn text_of(&self, node: NodeId) -> &str {
        &self.text[self.text_range(node)]
    }

    /// The element's attribute; of one that stands twice, the first.
    pub fn attr(&self, node: NodeId, name: Attr) -> Option<&str> {
        self.attrs(node)
            .find_map(|(other, value)| (other == name).then_some(value))
    }

    /// The element's attributes, in no order.
    pub fn attrs(&self, node: NodeId) -> impl Iterator<Item = (Attr, &str)> {
        self.attributes.of(self.node(node).attributes)
    }

    /// The element around the node.
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        let parent = self.node(node).parent;
        (parent != NO_PARENT).then_some(NodeId(parent))
    }

    /// The elements around the node, the nearest first.
    pub fn ancestors(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.parent(node), |&node| self.parent(node))
    }

    /// `outer` stands around `inner`, or they are the same.
    pub fn contains(&self, outer: NodeId, inner: NodeId) -> bool {
        outer <= inner && inner.0 < self.node(outer).end
    }

    /// The index one past the node's last descendant: the subtree is `node.index()..subtree_end(node)`.
    pub fn subtree_end(&self, node: NodeId) -> usize {
        self.node(node).end as usize
    }

    /// All nodes below the node, in document order.
    pub fn descendants(&self, node: NodeId) -> Nodes {
        Nodes {
            next: node.0 + 1,
            end: self.node(node).end,
        }
    }

    /// The nodes directly below the node.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.node(node).end;
        let first = Some(node.0 + 1).filter(|&first| first < end);
        let siblings = std::iter::successors(first, move |&child| {
            Some(self.nodes[child as usize].end).filter(|&next| next < end)
        });
        siblings.map(NodeId)
    }

    /// The next node with the same parent.
    pub fn next_sibling(&self, node: NodeId) -> Option<NodeId> {
        let end = match self.parent(node) {
            Some(parent) => self.node(parent).end,
            None => self.nodes.len() as u32,
        };
        Some(self.node(node).end)
            .filter(|&next| next < end)
            .map(NodeId)
    }

    fn node(&self, node: NodeId) -> &Node {
        &self.nodes[node.index()]
    }
}

impl PartialEq for Tree {
    /// The same elements with the same attributes, in whatever order those are kept, and the same text.
    fn eq(&self, other: &Tree) -> bool {
        let same = |(one, two): (&Node, &Node)| {
            let place = |node: &Node| (node.parent, node.end, node.text_start, node.text_end);
            one.tag == two.tag
                && place(one) == place(two)
                && self.attributes.sorted(one.attributes) == other.attributes.sorted(two.attributes)
        };
        self.nodes.len() == other.nodes.len()
            && self.text == other.text
            && self.title == other.title
            && self.json_ld == other.json_ld
            && self.nodes.iter().zip(&other.nodes).all(same)
    }
}

impl Eq for Tree {}

impl Attributes {
    /// Adds an attribute to a set; if it has one of the name, that stays.
    fn add(&mut self, set: &mut AttributeSet, name: Attr, value: &str) {
        if set.range().end != self.all.len() {
            let start = index(self.all.len());
            self.all.extend_from_within(set.range());
            set.start = start;
        }
        let own = &self.all[set.range()];
        if own.iter().any(|other| other.name == name) || set.count == u16::MAX {
            return;
        }
        set.count += 1;
        let start = index(self.values.len());
        self.values.push_str(value);
        let end = index(self.values.len());
        self.all.push(Attribute { name, start, end });
    }

    fn sorted(&self, set: AttributeSet) -> Vec<(Attr, &str)> {
        let mut attributes: Vec<_> = self.of(set).collect();
        attributes.sort_unstable();
        attributes
    }

    fn of(&self, set: AttributeSet) -> impl Iterator<Item = (Attr, &str)> {
        let attributes = self.all[set.range()].iter();
        attributes.map(|a| (a.name, &self.values[a.start as usize..a.end as usize]))
    }
}

impl AttributeSet {
    fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + usize::from(self.count)
    }
}

/// A run of nodes in document order.
#[derive(Debug, Clone)]
pub struct Nodes {
    next: u32,
    end: u32,
}

impl Nodes {
    /// Leaves out the node's descendants, if the run stands before or among them.
    pub fn skip_subtree(&mut self, tree: &Tree, node: NodeId) {
        self.next = self.next.max(tree.node(node).end).min(self.end);
    }
}

impl Iterator for Nodes {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        let node = self.next;
        (node < self.end).then(|| {
            self.next += 1;
            NodeId(node)
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.end.saturating_sub(self.next) as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Nodes {}

/// Makes a tree from the front to the back.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TreeBuilder {
    tree: Tree,
    open: Vec<u32>,
    /// Where the text begins that is no node yet.
    text_start: usize,
}

impl TreeBuilder {
    /// A page that holds more text than this cannot be addressed; decoding refuses it before.
    pub const TEXT_BYTES_MAX: usize = u32::MAX as usize;

    /// An empty tree, with room for a page of `bytes`.
    pub fn with_capacity(bytes: usize) -> TreeBuilder {
        // A news page has about one node in 80 bytes, and a tenth of it is text.
        let tree = Tree {
            nodes: Vec::with_capacity(bytes / 64),
            text: String::with_capacity(bytes / 8),
            attributes: Attributes {
                all: Vec::with_capacity(bytes / 64),
                values: String::with_capacity(bytes / 8),
            },
            ..Tree::default()
        };
        TreeBuilder {
            tree,
            open: Vec::with_capacity(64),
            text_start: 0,
        }
    }

    /// An element begins, inside the one that is open.
    pub fn open(&mut self, tag: Tag) -> NodeId {
        self.open_with(tag, AttributeSet::default())
    }

    /// An element begins that has the attributes of another.
    pub fn open_with(&mut self, tag: Tag, attributes: AttributeSet) -> NodeId {
        self.end_text();
        let node = self.push(Some(tag));
        self.tree.nodes[node.index()].attributes = attributes;
        self.open.push(node.0);
        node
    }

    /// The attributes of the element that is open.
    pub fn attributes(&self) -> AttributeSet {
        let open = self.open.last();
        open.map_or_else(AttributeSet::default, |&node| {
            self.tree.nodes[node as usize].attributes
        })
    }

    /// An attribute of the element that was opened last; of one that is given twice, the first stays.
    pub fn attribute(&mut self, name: Attr, value: &str) {
        let depth = self.open.len().checked_sub(1);
        self.attribute_at(depth.expect("an element is open"), name, value);
    }

    /// An attribute of the element that is open and stands in so many others.
    pub fn attribute_at(&mut self, depth: usize, name: Attr, value: &str) {
        let node = &mut self.tree.nodes[self.open[depth] as usize];
        self.tree.attributes.add(&mut node.attributes, name, value);
    }

    /// A text node inside the element that is open; one that follows another directly continues it.
    pub fn text(&mut self, text: &str) {
        self.end_text();
        self.write(text);
        self.end_text();
    }

    /// A piece of a text node, which the next piece continues unless [`TreeBuilder::end_text`] or an element comes between.
    pub fn write(&mut self, text: &str) {
        self.tree.text.push_str(text);
    }

    /// The text that was written is a whole text node.
    pub fn end_text(&mut self) {
        let text = &self.tree.text[self.text_start..];
        if text.is_empty() {
            return;
        }
        if self.is_in_structure() && text.bytes().all(|b| b.is_ascii_whitespace()) {
            self.tree.text.truncate(self.text_start);
            return;
        }
        let last = self
            .tree
            .nodes
            .last()
            .filter(|last| last.tag.is_none() && Some(&last.parent) == self.open.last());
        if last.is_none() {
            self.push(None);
        }
        self.text_start = self.tree.text.len();
        let text_end = index(self.text_start);
        let last = self.tree.nodes.last_mut().expect("a text node was pushed");
        last.text_end = text_end;
    }

    /// The element that was opened last ends.
    pub fn close(&mut self) {
        self.end_text();
        let node = self.open.pop().expect("an element is open");
        let end = self.tree.nodes.len() as u32;
        let text_end = index(self.tree.text.len());
        let node = &mut self.tree.nodes[node as usize];
        node.end = end;
        node.text_end = text_end;
    }

    /// The page's title; only the first counts.
    pub fn title(&mut self, title: &str) {
        if self.tree.title.is_none() {
            self.tree.title = Some(title.to_owned());
        }
    }

    /// A JSON-LD block.
    pub fn json_ld(&mut self, json: &str) {
        self.tree.json_ld.push(json.to_owned());
    }

    /// The tree; elements that are still open end here.
    pub fn finish(mut self) -> Tree {
        while !self.open.is_empty() {
            self.close();
        }
        self.tree
    }

    /// The element that is open holds other elements only; blanks in it are never shown.
    fn is_in_structure(&self) -> bool {
        use Tag::*;
        let open = self.open.last();
        let tag = open.and_then(|&node| self.tree.nodes[node as usize].tag);
        matches!(
            tag,
            None | Some(Html | Head | Table | Thead | Tbody | Tfoot | Tr | Colgroup | Ul | Ol | Dl)
        )
    }

    fn push(&mut self, tag: Option<Tag>) -> NodeId {
        let node = index(self.tree.nodes.len());
        let text = index(self.text_start);
        self.tree.nodes.push(Node {
            parent: self.open.last().copied().unwrap_or(NO_PARENT),
            end: node + 1,
            text_start: text,
            text_end: text,
            attributes: AttributeSet::default(),
            tag,
        });
        NodeId(node)
    }
}

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("a page is shorter than TEXT_BYTES_MAX")
}

/// Makes a fieldless enum of names with `from_name` (a hash table made at compile time, one comparison) and `as_str`.
macro_rules! names {
    ($(#[$doc:meta])* $enum:ident { $($variant:ident = $name:literal,)* } else $other:ident = $other_name:literal: $other_doc:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $enum {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
            #[doc = $other_doc]
            $other,
        }

        impl $enum {
            /// All names, in the order of the enum.
            pub const ALL: &'static [$enum] = &[$($enum::$variant,)*];
            const NAMES: &'static [&'static str] = &[$($name,)*];
            const SLOTS: &'static [u8; SLOTS] = &slots(Self::NAMES);

            /// The name in HTML, in lower case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($enum::$variant => $name,)*
                    $enum::$other => $other_name,
                }
            }

            /// What bears that name (lower case).
            pub fn from_name(name: &str) -> Option<$enum> {
                Self::named(name.as_bytes()).filter(|found| found.as_str() == name)
            }

            /// What bears that name, in any case of letters.
            pub fn named(name: &[u8]) -> Option<$enum> {
                let mut slot = slot(name);
                loop {
                    let index = usize::from(Self::SLOTS[slot]);
                    if index == usize::from(FREE) {
                        return None;
                    }
                    if Self::NAMES[index].as_bytes().eq_ignore_ascii_case(name) {
                        return Some(Self::ALL[index]);
                    }
                    slot = (slot + 1) % SLOTS;
                }
            }
        }
    };
}

const SLOTS: usize = 1024;
const FREE: u8 = u8::MAX;

/// Where the search for a name begins: the same for small and capital letters.
const fn slot(name: &[u8]) -> usize {
    const fn small(letter: u8) -> usize {
        (letter | 0x20) as usize
    }
    if name.is_empty() {
        return 0;
    }
    let last = name.len() - 1;
    let mix = small(name[0]) * 31
        + small(name[last]) * 7
        + small(name[last / 2]) * 131
        + small(name[last - last / 4]) * 61
        + name.len() * 17;
    mix % SLOTS
}

const fn slots(names: &[&str]) -> [u8; SLOTS] {
    assert!(names.len() < FREE as usize);
    let mut slots = [FREE; SLOTS];
    let mut index = 0;
    while index < names.len() {
        let mut slot = slot(names[index].as_bytes());
        while slots[slot] != FREE {
            slot = (slot + 1) % SLOTS;
        }
        slots[slot] = index as u8;
        index += 1;
    }
    slots
}

names! {
    /// The elements that are told apart. Those whose content is no text of the page (`script` and its like) never stand in a tree.
    Tag {
        A = "a",
        Abbr = "abbr",
        Acronym = "acronym",
        Address = "address",
        AmpImg = "amp-img",
        Area = "area",
        Article = "article",
        Aside = "aside",
        Audio = "audio",
        B = "b",
        Base = "base",
        Bdi = "bdi",
        Bdo = "bdo",
        Big = "big",
        Blockquote = "blockquote",
        Body = "body",
        Br = "br",
        Button = "button",
        Canvas = "canvas",
        Caption = "caption",
        Center = "center",
        Cite = "cite",
        Code = "code",
        Col = "col",
        Colgroup = "colgroup",
        Data = "data",
        Datalist = "datalist",
        Dd = "dd",
        Del = "del",
        Details = "details",
        Dfn = "dfn",
        Dialog = "dialog",
        Dir = "dir",
        Div = "div",
        Dl = "dl",
        Dt = "dt",
        Em = "em",
        Embed = "embed",
        Fieldset = "fieldset",
        Figcaption = "figcaption",
        Figure = "figure",
        Font = "font",
        Footer = "footer",
        Form = "form",
        Frame = "frame",
        Frameset = "frameset",
        H1 = "h1",
        H2 = "h2",
        H3 = "h3",
        H4 = "h4",
        H5 = "h5",
        H6 = "h6",
        Head = "head",
        Header = "header",
        Hgroup = "hgroup",
        Hr = "hr",
        Html = "html",
        I = "i",
        Iframe = "iframe",
        Img = "img",
        Input = "input",
        Ins = "ins",
        Kbd = "kbd",
        Label = "label",
        Legend = "legend",
        Li = "li",
        Link = "link",
        Main = "main",
        Map = "map",
        Mark = "mark",
        Marquee = "marquee",
        Math = "math",
        Menu = "menu",
        Meta = "meta",
        Meter = "meter",
        Nav = "nav",
        Nobr = "nobr",
        Noembed = "noembed",
        Noframes = "noframes",
        Noscript = "noscript",
        Object = "object",
        Ol = "ol",
        Optgroup = "optgroup",
        Option = "option",
        Output = "output",
        P = "p",
        Param = "param",
        Picture = "picture",
        Plaintext = "plaintext",
        Pre = "pre",
        Progress = "progress",
        Q = "q",
        Rb = "rb",
        Rp = "rp",
        Rt = "rt",
        Rtc = "rtc",
        Ruby = "ruby",
        S = "s",
        Samp = "samp",
        Script = "script",
        Search = "search",
        Section = "section",
        Select = "select",
        Slot = "slot",
        Small = "small",
        Source = "source",
        Span = "span",
        Strike = "strike",
        Strong = "strong",
        Style = "style",
        Sub = "sub",
        Summary = "summary",
        Sup = "sup",
        Svg = "svg",
        Table = "table",
        Tbody = "tbody",
        Td = "td",
        Template = "template",
        Textarea = "textarea",
        Tfoot = "tfoot",
        Th = "th",
        Thead = "thead",
        Time = "time",
        Title = "title",
        Tr = "tr",
        Track = "track",
        Tt = "tt",
        U = "u",
        Ul = "ul",
        Var = "var",
        Video = "video",
        Wbr = "wbr",
        Xmp = "xmp",
    } else Other = "": "Any other element; its name is its [`Attr::LocalName`]."
}

names! {
    /// The attributes that cleaning reads. All others are dropped.
    Attr {
        About = "about",
        Alt = "alt",
        AriaHidden = "aria-hidden",
        AriaLabel = "aria-label",
        AriaLabelledby = "aria-labelledby",
        AriaRoledescription = "aria-roledescription",
        Charset = "charset",
        Cite = "cite",
        Class = "class",
        Colspan = "colspan",
        Content = "content",
        DataAd = "data-ad",
        DataAuthor = "data-author",
        DataBlock = "data-block",
        DataCaption = "data-caption",
        DataComponent = "data-component",
        DataCredit = "data-credit",
        DataCy = "data-cy",
        DataDate = "data-date",
        DataId = "data-id",
        DataLabel = "data-label",
        DataModule = "data-module",
        DataName = "data-name",
        DataNosnippet = "data-nosnippet",
        DataPublished = "data-published",
        DataQa = "data-qa",
        DataRole = "data-role",
        DataSection = "data-section",
        DataSrc = "data-src",
        DataTest = "data-test",
        DataTestid = "data-testid",
        DataTitle = "data-title",
        DataType = "data-type",
        DataWidget = "data-widget",
        Datatype = "datatype",
        Datetime = "datetime",
        Dir = "dir",
        For = "for",
        Height = "height",
        Hidden = "hidden",
        Href = "href",
        Hreflang = "hreflang",
        HttpEquiv = "http-equiv",
        Id = "id",
        Itemid = "itemid",
        Itemprop = "itemprop",
        Itemscope = "itemscope",
        Itemtype = "itemtype",
        Lang = "lang",
        Media = "media",
        Name = "name",
        Open = "open",
        Poster = "poster",
        Property = "property",
        Rel = "rel",
        Resource = "resource",
        Role = "role",
        Rowspan = "rowspan",
        Scope = "scope",
        Src = "src",
        Srcset = "srcset",
        Start = "start",
        Style = "style",
        Title = "title",
        Type = "type",
        Typeof = "typeof",
        Value = "value",
        Vocab = "vocab",
        Width = "width",
        XmlLang = "xml:lang",
    } else LocalName = "": "No attribute of HTML: the name of an element that [`Tag`] does not know."
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `<html><body class=c>a<p>b<i>c</i></p>d<br></body></html>`
    fn tree() -> Tree {
        let mut builder = TreeBuilder::with_capacity(0);
        builder.open(Tag::Html);
        builder.open(Tag::Body);
        builder.attribute(Attr::Class, "c");
        builder.attribute(Attr::Id, "é");
        builder.text("a");
        builder.open(Tag::P);
        builder.text("b");
        builder.open(Tag::I);
        builder.text("c");
        builder.close();
        builder.close();
        builder.text("d");
        builder.open(Tag::Br);
        builder.title("first");
        builder.title("second");
        builder.json_ld("{}");
        builder.finish()
    }

    #[test]
    fn a_subtree_is_a_stretch_of_nodes_and_of_text() {
        let tree = tree();
        assert_eq!(tree.text(), "abcd");
        let p = tree.elements(Tag::P).next().unwrap();
        assert_eq!(tree.text_of(p), "bc");
        assert_eq!(tree.descendants(p).count(), 3);
        assert_eq!(tree.subtree_end(p), p.index() + 4);
        let html = tree.root().unwrap();
        assert_eq!(tree.text_of(html), "abcd");
        assert!(tree.contains(html, p) && tree.contains(p, p) && !tree.contains(p, html));
        assert_eq!(tree.nodes().len(), tree.len());
    }

    #[test]
    fn children_siblings_and_ancestors_agree() {
        let tree = tree();
        let body = tree.elements(Tag::Body).next().unwrap();
        let children: Vec<_> = tree.children(body).map(|n| tree.text_of(n)).collect();
        assert_eq!(children, ["a", "bc", "d", ""]);
        let mut sibling = tree.children(body).next();
        let mut siblings = Vec::new();
        while let Some(node) = sibling {
            siblings.push(node);
            sibling = tree.next_sibling(node);
        }
        assert_eq!(siblings, tree.children(body).collect::<Vec<_>>());
        for node in tree.nodes() {
            for child in tree.children(node) {
                assert_eq!(tree.parent(child), Some(node));
            }
            let depth = tree.ancestors(node).count();
            let around = tree
                .nodes()
                .filter(|&o| o != node && tree.contains(o, node));
            assert_eq!(around.count(), depth);
        }
        let i = tree.elements(Tag::I).next().unwrap();
        let ancestors: Vec<_> = tree.ancestors(i).filter_map(|n| tree.tag(n)).collect();
        assert_eq!(ancestors, [Tag::P, Tag::Body, Tag::Html]);
    }

    #[test]
    fn attributes_title_and_data_are_beside_the_text() {
        let tree = tree();
        let body = tree.elements(Tag::Body).next().unwrap();
        assert_eq!(tree.attr(body, Attr::Class), Some("c"));
        assert_eq!(tree.attr(body, Attr::Id), Some("é"));
        assert_eq!(tree.attr(body, Attr::Href), None);
        assert_eq!(tree.attrs(tree.root().unwrap()).count(), 0);
        assert_eq!(tree.title(), Some("first"));
        assert_eq!(tree.json_ld(), ["{}"]);
    }

    #[test]
    fn text_nodes_partition_the_text() {
        let tree = tree();
        let mut at = 0;
        for node in tree.nodes() {
            if let Kind::Text(range) = tree.kind(node) {
                assert_eq!(range.start, at);
                at = range.end;
            }
        }
        assert_eq!(at, tree.text().len());
    }

    #[test]
    fn a_run_of_nodes_can_leave_out_a_subtree() {
        let tree = tree();
        let p = tree.elements(Tag::P).next().unwrap();
        let mut nodes = tree.nodes();
        let mut seen = String::new();
        while let Some(node) = nodes.next() {
            if node == p {
                nodes.skip_subtree(&tree, node);
            } else if tree.is_text(node) {
                seen.push_str(tree.text_of(node));
            }
        }
        assert_eq!(seen, "ad");
    }

    #[test]
    fn every_name_is_found_and_no_other() {
        for &tag in Tag::ALL {
            let name = tag.as_str();
            assert_eq!(Tag::from_name(name), Some(tag));
            assert_eq!(Tag::named(name.to_uppercase().as_bytes()), Some(tag));
        }
        for &attr in Attr::ALL {
            let name = attr.as_str();
            assert_eq!(Attr::from_name(name), Some(attr));
            assert_eq!(Attr::named(name.to_uppercase().as_bytes()), Some(attr));
        }
        for unknown in ["", "x", "amp-video", "DIV", "scripts", "é", "data-"] {
            assert_eq!(Tag::from_name(unknown), None, "{unknown}");
            assert_eq!(Attr::from_name(unknown), None, "{unknown}");
        }
        assert!(Tree::default().root().is_none() && Tree::default().is_empty());
    }
}
