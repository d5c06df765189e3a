//! `Outline`: a page as runs of text, cut where a browser would break the line, with what can be counted about each.

use std::ops::Range;

use crate::article::BlockKind;
use crate::clean::fold::count_bytes;
use crate::tree::{Attr, NodeId, Tag, Tree};

/// A stretch of text between two breaks of the layout.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// Its first text node, and one past its last node.
    pub(super) nodes: Range<u32>,
    /// The stretch of [`Tree::text`].
    pub(super) span: Range<u32>,
    /// The nearest element around it that breaks the line.
    pub(super) block: NodeId,
    /// What it would be as a block of an article.
    pub(super) kind: BlockKind,
    /// Of headings 1 to 6, of list items the depth from 1, else 0.
    pub(super) level: u8,
    /// It follows a single `<br>`.
    pub(super) continues: bool,
    /// Bytes that are not blank, and how many of them are links.
    pub(super) bytes: u32,
    pub(super) link_bytes: u32,
    /// Sentences that end in it.
    pub(super) stops: u16,
    /// The last character that is not blank ends a sentence.
    pub(super) closed: bool,
    /// The link that holds the first linked text.
    pub(super) link: Option<NodeId>,
}

impl Run {
    /// Share of the text that is links, in percent.
    pub(super) fn link_percent(&self) -> u32 {
        self.link_bytes * 100 / self.bytes.max(1)
    }

    /// Bytes of running text, 0 unless it reads like sentences: what an article has much of and a menu has not.
    pub(super) fn prose(&self) -> u32 {
        let long = self.bytes >= 100 || self.closed && self.bytes >= 40;
        if !long || self.kind == BlockKind::Heading || self.link_bytes * 2 > self.bytes {
            return 0;
        }
        let prose = self.bytes - self.link_bytes;
        match self.kind {
            BlockKind::ListItem | BlockKind::Table | BlockKind::Code => prose / 2,
            _ if self.stops == 0 => prose / 2,
            _ => prose,
        }
    }
}

/// A page cut into runs.
#[derive(Debug)]
pub(super) struct Outline<'a> {
    pub(super) tree: &'a Tree,
    /// In document order.
    pub(super) runs: Vec<Run>,
    /// Subtrees whose text no reader sees by their tags alone (`svg`, `textarea`, `option`), in document order.
    pub(super) unseen: Vec<NodeId>,
    /// Pictures, in document order.
    pub(super) images: Vec<NodeId>,
    /// Prose before each node: the prose of a subtree is a difference.
    prose_before: Vec<u32>,
    /// Links' bytes and all bytes before each node.
    bytes_before: Vec<(u32, u32)>,
}

impl<'a> Outline<'a> {
    /// Cuts a page. One pass over its nodes.
    pub(super) fn new(tree: &'a Tree) -> Outline<'a> {
        let mut cutter = Cutter::new(tree);
        cutter.cut();
        let mut outline = Outline {
            tree,
            runs: cutter.runs,
            unseen: cutter.unseen,
            images: cutter.images,
            prose_before: Vec::new(),
            bytes_before: Vec::new(),
        };
        outline.weigh(|_, run| run.prose());
        outline
    }

    /// Counts prose anew: `prose` says how much of it a run is, by its place in `runs`.
    pub(super) fn weigh(&mut self, prose: impl Fn(usize, &Run) -> u32) {
        let nodes = self.tree.len();
        self.prose_before.clear();
        self.bytes_before.clear();
        self.prose_before.reserve(nodes + 1);
        self.bytes_before.reserve(nodes + 1);
        let (mut sum, mut links, mut bytes) = (0u32, 0u32, 0u32);
        for (index, run) in self.runs.iter().enumerate() {
            // Text belongs to the node it begins in; nodes up to and including that one have only what came before.
            let upto = run.nodes.start as usize + 1;
            self.prose_before.resize(upto, sum);
            self.bytes_before.resize(upto, (links, bytes));
            sum = sum.saturating_add(prose(index, run));
            links = links.saturating_add(run.link_bytes);
            bytes = bytes.saturating_add(run.bytes);
        }
        self.prose_before.resize(nodes + 1, sum);
        self.bytes_before.resize(nodes + 1, (links, bytes));
    }

    /// Prose of all runs that begin in the subtree.
    pub(super) fn prose(&self, node: NodeId) -> u32 {
        self.prose_before[self.tree.subtree_end(node)] - self.prose_before[node.index()]
    }

    /// Prose of all runs that begin before the node.
    pub(super) fn prose_before(&self, node: NodeId) -> u32 {
        self.prose_before[node.index()]
    }

    /// Prose of the page.
    pub(super) fn prose_of_page(&self) -> u32 {
        self.prose_before.last().copied().unwrap_or(0)
    }

    /// Bytes of all runs that begin in the subtree: in links, and in all.
    pub(super) fn bytes(&self, node: NodeId) -> (u32, u32) {
        let (links_after, bytes_after) = self.bytes_before[self.tree.subtree_end(node)];
        let (links, bytes) = self.bytes_before[node.index()];
        (links_after - links, bytes_after - bytes)
    }

    /// The runs that begin in the subtree.
    pub(super) fn runs_in(&self, node: NodeId) -> Range<usize> {
        let end = self.tree.subtree_end(node) as u32;
        let start = node.index() as u32;
        let first = self.runs.partition_point(|run| run.nodes.start < start);
        let count = self.runs[first..].partition_point(|run| run.nodes.start < end);
        first..first + count
    }

    /// The text of a run as it stands in the page.
    pub(super) fn text(&self, run: &Run) -> &'a str {
        &self.tree.text()[run.span.start as usize..run.span.end as usize]
    }
}

/// What is open around the place where the cutter stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Open {
    Block,
    Link,
    Heading(u8),
    List,
    Item,
    Quote,
    Code,
    /// A row of a table of data: one run, whatever stands in its cells.
    Row,
}

struct Cutter<'a> {
    tree: &'a Tree,
    runs: Vec<Run>,
    unseen: Vec<NodeId>,
    images: Vec<NodeId>,
    open: Vec<(u32, Open, NodeId)>,
    links: u32,
    rows: u32,
    codes: u32,
    quotes: u32,
    lists: u8,
    run: Option<Run>,
    breaks: u32,
    /// The item whose first run is yet to come.
    item: Option<NodeId>,
    /// One past the last table that is laid out rather than data, or data (true).
    tables: Vec<(u32, bool)>,
}

impl<'a> Cutter<'a> {
    fn new(tree: &'a Tree) -> Cutter<'a> {
        Cutter {
            tree,
            runs: Vec::new(),
            unseen: Vec::new(),
            images: Vec::new(),
            open: Vec::with_capacity(64),
            links: 0,
            rows: 0,
            codes: 0,
            quotes: 0,
            lists: 0,
            run: None,
            breaks: 0,
            item: None,
            tables: Vec::new(),
        }
    }

    fn cut(&mut self) {
        let tree = self.tree;
        let mut nodes = tree.nodes();
        while let Some(node) = nodes.next() {
            self.close_before(node.index() as u32);
            match tree.tag(node) {
                None => self.text(node),
                Some(tag) if is_unseen(tag) => {
                    if !tree.text_range(node).is_empty() {
                        self.unseen.push(node);
                    }
                    nodes.skip_subtree(tree, node);
                }
                Some(tag) => self.element(node, tag),
            }
        }
        self.close_before(u32::MAX);
        self.end_run();
    }

    fn close_before(&mut self, index: u32) {
        while let Some(&(end, open, _)) = self.open.last() {
            if end > index {
                return;
            }
            self.open.pop();
            match open {
                Open::Link => self.links -= 1,
                Open::Row => {
                    self.rows -= 1;
                    self.end_run();
                }
                other => {
                    if self.rows == 0 {
                        self.end_run();
                    }
                    match other {
                        Open::List => self.lists = self.lists.saturating_sub(1),
                        Open::Quote => self.quotes -= 1,
                        Open::Code => self.codes -= 1,
                        _ => {}
                    }
                }
            }
        }
    }

    fn element(&mut self, node: NodeId, tag: Tag) {
        let end = self.tree.subtree_end(node) as u32;
        let open = match tag {
            Tag::Br => return self.line_break(),
            Tag::Img | Tag::AmpImg => {
                self.images.push(node);
                return;
            }
            Tag::Hr => return self.end_block(),
            Tag::A => {
                if self.tree.attr(node, Attr::Href).is_none() {
                    return;
                }
                self.links += 1;
                self.open.push((end, Open::Link, node));
                return;
            }
            Tag::Tr if self.rows == 0 && self.in_data_table(node) => Open::Row,
            Tag::Table => {
                let data = is_data_table(self.tree, node);
                self.tables.push((end, data));
                Open::Block
            }
            Tag::H1 => Open::Heading(1),
            Tag::H2 => Open::Heading(2),
            Tag::H3 => Open::Heading(3),
            Tag::H4 => Open::Heading(4),
            Tag::H5 => Open::Heading(5),
            Tag::H6 => Open::Heading(6),
            Tag::Ul | Tag::Ol | Tag::Menu | Tag::Dir => Open::List,
            Tag::Li => Open::Item,
            Tag::Blockquote => Open::Quote,
            Tag::Pre | Tag::Xmp | Tag::Plaintext => Open::Code,
            other if is_inline(self.tree, node, other) => return,
            _ => Open::Block,
        };
        self.end_block();
        match open {
            Open::List => self.lists = self.lists.saturating_add(1),
            Open::Item if self.rows == 0 => self.item = Some(node),
            Open::Quote => self.quotes += 1,
            Open::Code => self.codes += 1,
            Open::Row => self.rows += 1,
            _ => {}
        }
        self.open.push((end, open, node));
    }

    fn end_block(&mut self) {
        if self.rows == 0 {
            self.end_run();
        }
    }

    fn line_break(&mut self) {
        if self.rows > 0 || self.codes > 0 {
            return;
        }
        if let Some(run) = self.run.take() {
            self.runs.push(run);
            self.breaks = 0;
        }
        self.breaks += 1;
    }

    fn end_run(&mut self) {
        self.runs.extend(self.run.take());
        self.breaks = 0;
    }

    fn in_data_table(&mut self, row: NodeId) -> bool {
        while let Some(&(end, data)) = self.tables.last() {
            if end as usize > row.index() {
                return data;
            }
            self.tables.pop();
        }
        false
    }

    fn text(&mut self, node: NodeId) {
        let range = self.tree.text_range(node);
        let count = count(&self.tree.text().as_bytes()[range.clone()]);
        let index = node.index() as u32;
        let span = range.start as u32..range.end as u32;
        if count.bytes == 0 && self.run.is_none() {
            return;
        }
        let link = self.links > 0 && count.bytes > 0;
        if self.run.is_none() {
            self.run = Some(self.begin(index, &span));
        }
        let link_node = link.then(|| self.link_node()).flatten();
        let run = self.run.as_mut().expect("a run was begun");
        run.nodes.end = index + 1;
        run.span.end = span.end;
        run.bytes += count.bytes;
        run.stops = run.stops.saturating_add(count.stops);
        if count.bytes > 0 {
            run.closed = count.closed;
        }
        if link {
            run.link_bytes += count.bytes;
            run.link = run.link.or(link_node);
        }
    }

    fn link_node(&self) -> Option<NodeId> {
        let mut open = self.open.iter().rev();
        open.find_map(|&(_, open, node)| (open == Open::Link).then_some(node))
    }

    fn begin(&mut self, index: u32, span: &Range<u32>) -> Run {
        let mut around = self.open.iter().rev();
        let nearest = around.find(|(_, open, _)| *open != Open::Link);
        let (open, block) = match nearest {
            Some(&(_, open, node)) => (open, node),
            None => (
                Open::Block,
                self.tree.root().expect("a text node has a root"),
            ),
        };
        let item = self.item.take();
        let (kind, level) = match open {
            _ if self.rows > 0 => (BlockKind::Table, 0),
            _ if self.codes > 0 => (BlockKind::Code, 0),
            Open::Heading(level) => (BlockKind::Heading, level),
            _ if item.is_some_and(|item| self.tree.contains(item, block)) => {
                (BlockKind::ListItem, self.lists.max(1))
            }
            _ if self.quotes > 0 => (BlockKind::Quote, 0),
            _ => (BlockKind::Paragraph, 0),
        };
        Run {
            nodes: index..index + 1,
            span: span.clone(),
            block,
            kind,
            level,
            continues: self.breaks == 1,
            bytes: 0,
            link_bytes: 0,
            stops: 0,
            closed: false,
            link: None,
        }
    }
}

/// A table whose cells hold values rather than a page: nothing large, no headings, no tables, more than one cell in a row.
fn is_data_table(tree: &Tree, table: NodeId) -> bool {
    const CELL_BYTES_MAX: usize = 600;
    let mut rows = 0;
    let mut cells = 0;
    for node in tree.descendants(table) {
        match tree.tag(node) {
            Some(
                Tag::Table
                | Tag::H1
                | Tag::H2
                | Tag::Form
                | Tag::Article
                | Tag::Section
                | Tag::Figure
                | Tag::Nav,
            ) => return false,
            Some(Tag::Td | Tag::Th) => {
                cells += 1;
                if tree.text_range(node).len() > CELL_BYTES_MAX {
                    return false;
                }
            }
            Some(Tag::Tr) => rows += 1,
            _ => {}
        }
    }
    rows > 0 && cells > rows
}

/// Elements whose text a browser does not lay out with the page, or only as a fallback.
fn is_unseen(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Svg
            | Tag::Textarea
            | Tag::Select
            | Tag::Datalist
            | Tag::Option
            | Tag::Optgroup
            | Tag::Video
            | Tag::Audio
            | Tag::Iframe
            | Tag::Canvas
            | Tag::Template
            | Tag::Object
            | Tag::Progress
            | Tag::Meter
    )
}

/// Elements that neither join nor break words.
fn is_inline(tree: &Tree, node: NodeId, tag: Tag) -> bool {
    match tag {
        Tag::A
        | Tag::Abbr
        | Tag::Acronym
        | Tag::B
        | Tag::Bdi
        | Tag::Bdo
        | Tag::Big
        | Tag::Cite
        | Tag::Code
        | Tag::Data
        | Tag::Del
        | Tag::Dfn
        | Tag::Em
        | Tag::Font
        | Tag::I
        | Tag::Img
        | Tag::Input
        | Tag::Ins
        | Tag::Kbd
        | Tag::Label
        | Tag::Mark
        | Tag::Math
        | Tag::Picture
        | Tag::Q
        | Tag::Rb
        | Tag::Rp
        | Tag::Rt
        | Tag::Rtc
        | Tag::Ruby
        | Tag::S
        | Tag::Samp
        | Tag::Slot
        | Tag::Small
        | Tag::Source
        | Tag::Span
        | Tag::Strike
        | Tag::Strong
        | Tag::Sub
        | Tag::Sup
        | Tag::Time
        | Tag::Tt
        | Tag::U
        | Tag::Var
        | Tag::Wbr
        | Tag::Output
        | Tag::Map
        | Tag::Area
        | Tag::Meta
        | Tag::Link
        | Tag::AmpImg => true,
        // An unknown element is inline by default; those with a hyphen are components, most of them boxes, unless they
        // stand in running text.
        Tag::Other => {
            let name = tree.attr(node, Attr::LocalName).unwrap_or("");
            let parent = tree.parent(node).and_then(|parent| tree.tag(parent));
            !name.contains('-')
                || matches!(
                    parent,
                    Some(
                        Tag::P
                            | Tag::Li
                            | Tag::A
                            | Tag::Span
                            | Tag::Em
                            | Tag::Strong
                            | Tag::B
                            | Tag::I
                            | Tag::Figcaption
                    )
                )
        }
        _ => false,
    }
}

struct Count {
    bytes: u32,
    stops: u16,
    closed: bool,
}

/// Counts what is not blank, and the ends of sentences in any script.
fn count(text: &[u8]) -> Count {
    let blanks = count_bytes(text, |byte| byte <= b' ');
    let mut stops: u16 = 0;
    // A stop counts when something follows that may follow a sentence: a blank, the end, a closing quote.
    let mut stop = false;
    let mut at = 0;
    while at < text.len() {
        if !stop {
            let Some(next) = next_stop(&text[at..]) else {
                break;
            };
            at += next;
        }
        let byte = text[at];
        match byte {
            ..=b' ' => {
                stops = stops.saturating_add(u16::from(stop));
                stop = false;
            }
            b'.' | b'!' | b'?' => stop = true,
            b'"' | b'\'' | b')' | b']' => {}
            // 。 ！ ？ ， end or part sentences without a blank; so do the danda and the Arabic question mark.
            0x82 if text[..at].ends_with(&[0xe3, 0x80]) => {
                stops = stops.saturating_add(1);
                stop = true;
            }
            0x81 | 0x9f if text[..at].ends_with(&[0xef, 0xbc]) => stop = true,
            0xa4 if text[..at].ends_with(&[0xe0, 0xa5]) => stop = true,
            0x9f if text[..at].ends_with(&[0xd8]) => stop = true,
            // Closing quotes and the ellipsis: “ ” ’ … « »
            0xa6 if text[..at].ends_with(&[0xe2, 0x80]) => stop = true,
            0x80
            | 0xe2
            | 0x9c..=0x9e
            | 0x99
            | 0xc2
            | 0xbb
            | 0xab
            | 0xa0
            | 0xe3
            | 0x8d
            | 0x8f
            | 0xef
            | 0xbc
            | 0xe0
            | 0xa5
            | 0xd8 => {}
            _ => stop = false,
        }
        at += 1;
    }
    stops = stops.saturating_add(u16::from(stop));
    Count {
        bytes: (text.len() - blanks) as u32,
        stops,
        closed: stop,
    }
}

/// Where the next byte is with which a stop may end.
fn next_stop(text: &[u8]) -> Option<usize> {
    let may_stop = |byte: &u8| {
        (*byte == b'.')
            | (*byte == b'!')
            | (*byte == b'?')
            | (*byte == 0x81)
            | (*byte == 0x82)
            | (*byte == 0x9f)
            | (*byte == 0xa4)
            | (*byte == 0xa6)
    };
    // Sixteen at once, most of which have none.
    let has_none = |piece: &&[u8; 16]| !piece.iter().fold(false, |any, byte| any | may_stop(byte));
    let (pieces, _) = text.as_chunks();
    let at = 16 * pieces.iter().take_while(has_none).count();
    let within = text[at..].iter().position(may_stop);
    within.map(|within| at + within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stops_count_where_something_follows_that_may_follow_a_sentence(
            sentences in proptest::collection::vec(("[a-zé渡]{1,9}", "[.!?]", "[\"')\\]”’»]{0,2}"), 0..6),
            rest in "[a-z]{0,5}",
        ) {
            let ended: Vec<String> = sentences.iter().map(|(words, stop, closing)| format!("{words}{stop}{closing}")).collect();
            let text = format!("{} {rest}", ended.join(" "));
            let counted = count(text.as_bytes());
            prop_assert_eq!(usize::from(counted.stops), sentences.len());
            prop_assert_eq!(counted.bytes as usize, text.bytes().filter(|byte| *byte != b' ').count());
            prop_assert!(!counted.closed);
        }
    }

    #[test]
    fn a_stop_within_a_word_is_none_and_one_at_the_end_closes_the_text() {
        let count = |text: &str| {
            let Count { stops, closed, .. } = count(text.as_bytes());
            (stops, closed)
        };
        assert_eq!(count("gazette.example is 3.5 years old"), (0, false));
        assert_eq!(count("He left. “So did she.”"), (2, true));
        assert_eq!(count("渡轮离港。没有人注意到。"), (3, true));
        assert_eq!(count("وصلت العبارة؟ नाव आई।"), (2, true));
        assert_eq!(count("one. ".repeat(70_000).as_str()), (u16::MAX, false));
    }
}
