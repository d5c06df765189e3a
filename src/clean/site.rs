//! `Site`: what holds for the documents of some hosts alone, as one file in `config/sites` says it.
//!
//! One engine: its rules are rules, and what its selectors name becomes hints of structure, which the grammar follows.

use std::ops::Range;

use crate::article::BlockKind;
use crate::clean::line::{Aside, Hint, Line, LineBuilder, Lines};
use crate::clean::rules::Rules;
use crate::ledger::Class;
use crate::tree::{Attr, NodeId, Tag, Tree};

/// The head of a site file: all of it but its rules.
#[derive(Debug, Clone)]
pub(super) struct SiteHead {
    /// Hosts, each with those below it: `example.org` means `www.example.org` too.
    pub(super) hosts: Vec<String>,
    /// Selectors of elements of its pages that are article.
    pub(super) keep: Vec<String>,
    /// Selectors of elements that are not.
    pub(super) remove: Vec<String>,
    /// The publisher's name.
    pub(super) publisher: Option<String>,
    /// The language of its articles, where none is found.
    pub(super) language: Option<String>,
}

/// A site, ready to be asked.
#[derive(Debug)]
pub(super) struct Site {
    hosts: Vec<String>,
    keep: Vec<Selector>,
    remove: Vec<Selector>,
    pub(super) publisher: Option<String>,
    pub(super) language: Option<String>,
    /// What its spans name: `site.example`.
    rule: String,
    /// The rules for its documents, if it has some of its own.
    pub(super) rules: Option<Box<Rules>>,
    /// So many of them are its own, the first.
    pub(super) own: usize,
}

impl SiteHead {
    /// What is wrong with it.
    pub(super) fn well_formed(&self) -> Result<(), String> {
        if self.hosts.is_empty() {
            return Err("a site file needs `hosts`".to_owned());
        }
        if let Some(host) = self.hosts.iter().find(|host| !is_host(host)) {
            return Err(format!(
                "{host:?} in `hosts` is no host such as \"example.org\""
            ));
        }
        let selectors = self.keep.iter().chain(&self.remove);
        for selector in selectors {
            Selector::parse(selector)?;
        }
        Ok(())
    }

    /// The site; its selectors were looked at before.
    pub(super) fn site(&self, name: &str, rules: Option<Rules>, own: usize) -> Site {
        let selectors = |texts: &[String]| {
            let parsed = texts.iter().filter_map(|text| Selector::parse(text).ok());
            parsed.collect()
        };
        Site {
            hosts: self.hosts.clone(),
            keep: selectors(&self.keep),
            remove: selectors(&self.remove),
            publisher: self.publisher.clone(),
            language: self.language.clone(),
            rule: name.to_owned(),
            rules: rules.map(Box::new),
            own,
        }
    }
}

fn is_host(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() && !c.is_uppercase() || c == '-' || c == '.';
    text.contains('.') && text.chars().all(plain) && !text.starts_with('.')
}

impl Site {
    /// Whether a host is one of its own.
    pub(super) fn has(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| {
            host.strip_suffix(own.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    /// Hints about the lines in the elements that its selectors name; what is to stay and was left out becomes lines.
    pub(super) fn lay<'a>(&self, tree: &'a Tree, lines: &mut Lines<'a>) {
        if self.keep.is_empty() && self.remove.is_empty() {
            return;
        }
        for node in tree.nodes() {
            let named = |selectors: &[Selector]| selectors.iter().any(|s| s.matches(tree, node));
            if named(&self.remove) {
                hint(lines, &tree.text_range(node), &self.hint(false));
            } else if named(&self.keep) {
                bring_back(tree, node, lines, &self.hint(true));
                hint(lines, &tree.text_range(node), &self.hint(true));
            }
        }
    }

    fn hint(&self, keep: bool) -> Hint {
        let (class, verb, reason) = match keep {
            true => (
                Class::Body,
                "keep",
                "the site file says that this element stays",
            ),
            false => (
                Class::Ui,
                "remove",
                "the site file says that this element goes",
            ),
        };
        Hint {
            rule: format!("{}.{verb}", self.rule).into(),
            ..Hint::strong(class, "", reason)
        }
    }
}

/// Tells the grammar what the lines in a stretch are.
fn hint(lines: &mut Lines<'_>, range: &Range<usize>, hint: &Hint) {
    for line in &mut lines.lines {
        if range.start <= line.start() && line.end() <= range.end {
            line.hint = Some(hint.clone());
        }
    }
}

/// Makes lines of the blocks in an element that no line has.
fn bring_back<'a>(tree: &'a Tree, node: NodeId, lines: &mut Lines<'a>, hint: &Hint) {
    let is_block = |node: &NodeId| tree.tag(*node).and_then(kind).is_some();
    let mut blocks: Vec<NodeId> = tree.descendants(node).filter(is_block).collect();
    // Of blocks within blocks the innermost.
    let outer: Vec<bool> = blocks
        .windows(2)
        .map(|pair| tree.contains(pair[0], pair[1]))
        .collect();
    let mut inner = outer.iter().map(|outer| !outer).chain([true]);
    blocks.retain(|_| inner.next().unwrap_or(true));
    if blocks.is_empty() {
        blocks.push(node);
    }
    for block in blocks {
        let range = tree.text_range(block);
        let kind = tree.tag(block).and_then(kind);
        let mut builder = LineBuilder::new(tree.text());
        builder.push(range.clone());
        let Some(line) = builder.finish(kind.unwrap_or(BlockKind::Paragraph)) else {
            continue;
        };
        let index = lines.lines.partition_point(|l| l.end() <= line.start());
        let free = lines
            .lines
            .get(index)
            .is_none_or(|next| line.end() <= next.start());
        if free {
            part_asides(lines, &(line.start()..line.end()));
            let level = u8::from(line.kind != BlockKind::Paragraph);
            lines.lines.insert(
                index,
                Line {
                    hint: Some(hint.clone()),
                    level,
                    ..line
                },
            );
        }
    }
}

/// Kinds of blocks that text stands in.
fn kind(tag: Tag) -> Option<BlockKind> {
    match tag {
        Tag::P | Tag::Dd | Tag::Dt => Some(BlockKind::Paragraph),
        Tag::Li => Some(BlockKind::ListItem),
        Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6 => Some(BlockKind::Heading),
        _ => None,
    }
}

/// Takes a stretch out of the asides.
pub(super) fn part_asides(lines: &mut Lines<'_>, span: &Range<usize>) {
    let asides = std::mem::take(&mut lines.asides);
    for aside in asides {
        let before = aside.span.start..aside.span.end.min(span.start);
        let after = aside.span.start.max(span.end)..aside.span.end;
        for part in [before, after] {
            if part.start < part.end {
                lines.asides.push(Aside {
                    span: part,
                    hint: aside.hint.clone(),
                });
            }
        }
    }
}

/// A selector of elements, as in style sheets: `aside.tides`, `#box p`, `div[role=note]`. The elements and attributes are
/// those that a page's tree keeps.
#[derive(Debug)]
struct Selector(Vec<Compound>);

#[derive(Debug, Default)]
struct Compound {
    tag: Option<Tag>,
    attributes: Vec<(Attr, Option<String>)>,
    classes: Vec<String>,
}

impl Selector {
    fn parse(text: &str) -> Result<Selector, String> {
        let compounds: Result<Vec<_>, _> = text.split_whitespace().map(Compound::parse).collect();
        match compounds {
            Ok(compounds) if !compounds.is_empty() => Ok(Selector(compounds)),
            Ok(_) => Err("a selector is empty".to_owned()),
            Err(why) => Err(format!("cannot use the selector {text:?}: {why}")),
        }
    }

    fn matches(&self, tree: &Tree, node: NodeId) -> bool {
        let Some((last, before)) = self.0.split_last() else {
            return false;
        };
        if !last.matches(tree, node) {
            return false;
        }
        let mut wanted = before.iter().rev().peekable();
        for above in tree.ancestors(node) {
            if above != node && wanted.peek().is_some_and(|one| one.matches(tree, above)) {
                wanted.next();
            }
        }
        wanted.peek().is_none()
    }
}

impl Compound {
    fn parse(text: &str) -> Result<Compound, String> {
        let mut compound = Compound::default();
        let special = |c: char| matches!(c, '.' | '#' | '[');
        let (tag, mut rest) = text.split_at(text.find(special).unwrap_or(text.len()));
        if !tag.is_empty() {
            let known = Tag::from_name(tag);
            compound.tag = Some(known.ok_or_else(|| format!("no element {tag:?} is kept"))?);
        }
        while let Some(sign) = rest.chars().next() {
            let after = &rest[1..];
            if sign == '[' {
                let (inside, behind) = after.split_once(']').ok_or("a bracket is not closed")?;
                let (name, value) = match inside.split_once('=') {
                    Some((name, value)) => (name, Some(value.trim_matches(['"', '\'']))),
                    None => (inside, None),
                };
                let attr = Attr::from_name(name);
                let attr = attr.ok_or_else(|| format!("no attribute {name:?} is kept"))?;
                compound.attributes.push((attr, value.map(str::to_owned)));
                rest = behind;
                continue;
            }
            let (name, behind) = after.split_at(after.find(special).unwrap_or(after.len()));
            if name.is_empty() || !special(sign) {
                return Err(format!("{rest:?} is not understood"));
            }
            match sign {
                '.' => compound.classes.push(name.to_owned()),
                _ => compound.attributes.push((Attr::Id, Some(name.to_owned()))),
            }
            rest = behind;
        }
        Ok(compound)
    }

    fn matches(&self, tree: &Tree, node: NodeId) -> bool {
        let Some(tag) = tree.tag(node) else {
            return false;
        };
        let has = |(name, value): &(Attr, Option<String>)| {
            let found = tree.attr(node, *name);
            found.is_some_and(|found| value.as_ref().is_none_or(|value| value == found))
        };
        let classes = || tree.attr(node, Attr::Class).unwrap_or_default();
        let is = |class: &String| classes().split_ascii_whitespace().any(|one| one == class);
        self.tag.is_none_or(|wanted| wanted == tag)
            && self.attributes.iter().all(has)
            && self.classes.iter().all(is)
    }
}

#[cfg(test)]
mod tests {
    use crate::clean::rules::Rules;
    use crate::clean::rules::pack::{Kind, Source};
    use crate::clean::{Cleaned, clean};
    use crate::decode::{self, decode};
    use crate::submission::Declared;

    fn rules(text: &str) -> (Rules, Vec<String>) {
        let (rules, defects) = Rules::assemble(vec![Source {
            name: "site.gazette".to_owned(),
            place: "sites/gazette.toml".to_owned(),
            text: text.to_owned().into(),
            kind: Kind::Site,
            tried: false,
        }]);
        (rules, defects.iter().map(ToString::to_string).collect())
    }

    fn cleaned(rules: &Rules, page: &str, url: &str) -> Cleaned {
        let declared = Declared {
            url: Some(url.to_owned()),
            ..Declared::default()
        };
        let options = decode::Options::default();
        let document = decode("a.html".as_ref(), page.as_bytes(), &declared, &options);
        let document = document.expect("decodes");
        let cleaned = clean(&document, rules);
        let account = cleaned
            .ledger
            .verify(document.input(), &cleaned.article.text);
        assert_eq!(account, Ok(()));
        cleaned
    }

    const SITE: &str = "hosts = [\"example.org\"]\nkeep = [\"nav .tides\"]\nremove = [\"div.box\"]\npublisher = \"The Harbour Gazette\"\n\n[[rule]]\nname = \"motto\"\nclass = \"promo\"\nreason = \"is the motto of the paper\"\nis = [\"all the tides that fit\"]\nmust_remove = [\"All the tides that fit\"]\n";
    const PAGE: &str = "<html><body><nav><a href=/a>Home</a><div class='a tides'><p>High water comes at noon.</p><p>Low water comes at six.</p></div></nav><article><h1>Ferry returns</h1><p>The ferry across the lake sails again from Monday, the harbour office said.</p><div class=box><p>The office was built in the year in which the lake froze over.</p></div><p>All the tides that fit</p><p>Tickets cost the same as last year, and the dog sails free.</p></article></body></html>";

    #[test]
    fn a_site_file_holds_for_its_site_alone() {
        let (rules, defects) = rules(SITE);
        assert_eq!(defects, Vec::<String>::new());
        let own = cleaned(&rules, PAGE, "https://www.example.org/a");
        assert_eq!(
            own.article.text,
            "High water comes at noon.\n\nLow water comes at six.\n\nThe ferry across the lake sails again from Monday, the harbour office said.\n\nTickets cost the same as last year, and the dog sails free.\n"
        );
        assert_eq!(
            own.article.publisher.as_deref(),
            Some("The Harbour Gazette")
        );
        let rules_named: Vec<_> = own.ledger.spans.iter().map(|span| &*span.rule).collect();
        for rule in [
            "site.gazette.keep",
            "site.gazette.remove",
            "site.gazette.motto",
        ] {
            assert!(rules_named.contains(&rule), "{rules_named:?}");
        }
        let other = cleaned(&rules, PAGE, "https://notexample.org/a");
        assert!(
            other.article.text.contains("froze over")
                && other.article.text.contains("All the tides")
        );
        assert!(!other.article.text.contains("High water"));
        assert_eq!(
            other,
            cleaned(&Rules::built_in(), PAGE, "https://notexample.org/a")
        );
        assert_ne!(rules.id(), Rules::built_in().id());
    }

    #[test]
    fn a_site_file_that_cannot_be_used_is_told() {
        for (text, says) in [
            ("keep = [\"p\"]\n", "hosts"),
            ("hosts = [\"Example\"]\n", "no host"),
            (
                "hosts = [\"example.org\"]\nkeep = [\"nosuch.a\"]\n",
                "nosuch",
            ),
            ("hosts = [\"example.org\"]\nremove = [\"p[\"]\n", "bracket"),
            ("hosts = [\"example.org\"]\nremov = []\n", "remov"),
        ] {
            let (_, defects) = rules(text);
            assert_eq!(defects.len(), 1, "{text}: {defects:?}");
            assert!(defects[0].contains(says), "{}", defects[0]);
        }
    }
}
