//! The sets of elements that the HTML standard's rules for trees name, as html5ever has them; without those that
//! [`Tag`] does not tell.

use crate::tree::Tag::{self, *};

/// What they do goes on behind a block that ends inside them.
pub(super) fn is_formatting(tag: Tag) -> bool {
    matches!(
        tag,
        A | B | Big | Code | Em | Font | I | Nobr | S | Small | Strike | Strong | Tt | U
    )
}

pub(super) fn is_heading(tag: Tag) -> bool {
    matches!(tag, H1 | H2 | H3 | H4 | H5 | H6)
}

/// They end by themselves where what is around them ends.
pub(super) fn is_implied(tag: Tag) -> bool {
    matches!(
        tag,
        Dd | Dt | Li | Option | Optgroup | P | Rb | Rp | Rt | Rtc
    )
}

/// An element that is further out is not in scope.
pub(super) fn is_scope(tag: Tag) -> bool {
    matches!(
        tag,
        Caption | Html | Table | Td | Th | Marquee | Object | Select | Template
    )
}

/// Plain blocks: their start tag ends an open `p`, their end tag all that is open in them.
pub(super) fn opens_block(tag: Tag) -> bool {
    matches!(
        tag,
        Address
            | Article
            | Aside
            | Blockquote
            | Center
            | Details
            | Dialog
            | Dir
            | Div
            | Dl
            | Fieldset
            | Figcaption
            | Figure
            | Footer
            | Header
            | Hgroup
            | Main
            | Menu
            | Nav
            | Ol
            | P
            | Search
            | Section
            | Summary
            | Ul
    )
}

/// An end tag of another kind does not reach through them.
pub(super) fn is_special(tag: Tag) -> bool {
    is_heading(tag)
        || opens_block(tag) && !matches!(tag, Dialog | Search)
        || matches!(
            tag,
            Area | Base
                | Body
                | Br
                | Button
                | Caption
                | Col
                | Colgroup
                | Dd
                | Dt
                | Embed
                | Form
                | Frame
                | Frameset
                | Head
                | Hr
                | Html
                | Iframe
                | Img
                | Input
                | Li
                | Link
                | Marquee
                | Meta
                | Noembed
                | Noframes
                | Noscript
                | Object
                | Param
                | Plaintext
                | Pre
                | Script
                | Select
                | Source
                | Style
                | Table
                | Tbody
                | Td
                | Template
                | Textarea
                | Tfoot
                | Th
                | Thead
                | Title
                | Tr
                | Track
                | Wbr
                | Xmp
        )
}
