//! The walk through what a parser grew, in the order of the document, that makes a [`Tree`] of it.

use crate::tree::{Tag, Tree, TreeBuilder};

/// How the walk goes on at a node.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Entry {
    /// Not into it.
    Skip,
    /// Into it, but it is no node of our tree.
    Pass,
    /// Into it; it is a node of our tree.
    Open(Tag),
}

/// The tree so far.
pub(super) struct Sketch {
    pub(super) builder: TreeBuilder,
    is_in_svg: bool,
}

impl Sketch {
    /// Enters an element that may be a node of our tree; `open` opens it, `own_text` gives the text directly in it.
    pub(super) fn element(
        &mut self,
        tag: Tag,
        open: impl FnOnce(&mut TreeBuilder),
        own_text: impl FnOnce() -> String,
    ) -> Entry {
        // Of a drawing, only the words matter.
        if self.is_in_svg {
            return Entry::Pass;
        }
        open(&mut self.builder);
        if tag == Tag::Title {
            self.builder.title(&own_text());
            self.builder.close();
            return Entry::Skip;
        }
        self.is_in_svg = tag == Tag::Svg;
        Entry::Open(tag)
    }

    fn leave(&mut self, entry: Entry) {
        if let Entry::Open(tag) = entry {
            self.builder.close();
            if tag == Tag::Svg {
                self.is_in_svg = false;
            }
        }
    }
}

/// Where a walk goes from a node.
pub(super) struct Ways<C, S, P> {
    pub(super) first_child: C,
    pub(super) next_sibling: S,
    pub(super) parent: P,
}

/// Makes a tree of all that is below `root`; `enter` tells the sketch what a node is.
pub(super) fn walk<N: Copy>(
    root: N,
    builder: TreeBuilder,
    ways: &Ways<impl Fn(N) -> Option<N>, impl Fn(N) -> Option<N>, impl Fn(N) -> Option<N>>,
    mut enter: impl FnMut(&mut Sketch, N) -> Entry,
) -> Tree {
    let mut sketch = Sketch {
        builder,
        is_in_svg: false,
    };
    // By hand and not by recursion: the parser's tree may be deeper than a thread's stack.
    let mut entered = Vec::with_capacity(64);
    let mut node = root;
    loop {
        let entry = enter(&mut sketch, node);
        entered.push(entry);
        if entry != Entry::Skip
            && let Some(child) = (ways.first_child)(node)
        {
            node = child;
            continue;
        }
        loop {
            sketch.leave(entered.pop().expect("every node on the way was entered"));
            if let Some(sibling) = (ways.next_sibling)(node) {
                node = sibling;
                break;
            }
            match (ways.parent)(node) {
                Some(parent) => node = parent,
                None => return sketch.builder.finish(),
            }
        }
    }
}
