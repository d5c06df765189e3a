//! `faircopy rules`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Subcommand;
use faircopy::archive::catalog::DocumentRow;
use faircopy::archive::reader::Archive;
use faircopy::clean::clean;
use faircopy::clean::rules::pack::{self, Defect, Kind, Pack, Source};
use faircopy::clean::rules::{PackInfo, Rules};
use faircopy::clean::shadow::{Difference, differences};
use faircopy::ledger::Verdict;
use faircopy::rulebook;
use faircopy::suggest::{self, Kept};
use serde_json::json;

use super::{Exit, Global, material, output, setup};

/// List, test and propose cleaning rules
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy rules ls\n  faircopy rules test --pack draft.toml\n  faircopy rules test --pack draft.toml saved-pages/"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the rules in force, the weightiest first
    Ls,
    /// Prove packs by their own cases; with documents, tell what the packs would do there
    Test(TestArgs),
    /// Propose rules from lines that repeat across the archived documents of a source; applies nothing
    Suggest {
        /// An inbox or a site; without it, each source by itself
        source: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
struct TestArgs {
    /// A pack that need not be installed; may be given more than once. Without it all packs are proven, and documents are
    /// tried with the packs that say `shadow = true`
    #[arg(long, value_name = "FILE")]
    pack: Vec<PathBuf>,
    /// Files, folders and archived documents; nothing is changed
    #[arg(value_name = "PATH|DOC[@V]")]
    documents: Vec<PathBuf>,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    match &args.action {
        Action::Ls => ls(global),
        Action::Test(args) => test(global, args),
        Action::Suggest { source } => suggest(global, source.as_deref()),
    }
}

fn ls(global: &Global) -> anyhow::Result<Exit> {
    let book = setup::rules(global)?;
    let shadow = book.rules.shadow().map(Rules::rules).unwrap_or_default();
    let pack_of = |name: &str| {
        let pack = name.rsplit_once('.').unwrap_or_default().0.to_owned();
        let packs = book.rules.packs().iter().rev();
        packs.into_iter().find(|info| info.name == pack)
    };
    let of_shadow = |rule: &&_| is_in_shadow(pack_of(rule_name(rule)));
    let rules = book.rules.rules().iter();
    let mut rows = Vec::new();
    let sites = book.rules.of_sites();
    for rule in sites.chain(rules).chain(shadow.iter().filter(of_shadow)) {
        let info = pack_of(&rule.name);
        let place = info.map_or("", |info| &info.place);
        if global.json {
            output::json(&json!({
                "rule": rule.name, "class": rule.class, "position": rule.position, "languages": rule.languages,
                "reason": rule.reason, "must_remove": rule.must_remove, "must_keep": rule.must_keep,
                "pack": info.map(|info| &info.name), "file": place, "shadow": is_in_shadow(info),
            }))?;
        } else {
            let shadow = if is_in_shadow(info) {
                ", in the shadow"
            } else {
                ""
            };
            rows.push(vec![
                rule.name.clone(),
                rule.class.as_str().to_owned(),
                rule.position.as_str().to_owned(),
                format!("{place}{shadow}"),
                rule.reason.clone(),
            ]);
        }
    }
    output::table(&rows)?;
    if !global.json {
        output::note(global, &format!("rules {}", book.rules.id()));
    }
    Ok(Exit::Good)
}

/// A site file says for which hosts it is.
fn kind_of(file: &Path) -> Kind {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let table = text.parse::<toml::Table>();
    match table.is_ok_and(|table| table.contains_key("hosts")) {
        true => Kind::Site,
        false => Kind::Pack,
    }
}

fn rule_name(rule: &faircopy::clean::rules::Rule) -> &str {
    &rule.name
}

fn is_in_shadow(pack: Option<&PackInfo>) -> bool {
    pack.is_some_and(|pack| pack.shadow)
}

fn test(global: &Global, args: &TestArgs) -> anyhow::Result<Exit> {
    let section = setup::rules_section(global)?;
    let (mut own, mut refused) = section.map(|s| rulebook::sources(&s)).unwrap_or_default();
    let mut tested = Vec::new();
    if args.pack.is_empty() {
        tested.extend(pack::built_in());
        tested.extend(own.iter().cloned());
    } else {
        // What is wrong with others is not the question.
        refused.clear();
    }
    for file in &args.pack {
        match rulebook::source(file, kind_of(file)) {
            Ok(source) => tested.push(source),
            Err(message) => bail!("cannot test the pack {}: {message}", file.display()),
        }
    }
    let mut proof = Proof {
        refused,
        ..Proof::default()
    };
    for source in &tested {
        proof.prove(source.clone());
    }
    proof.print(global)?;
    if !proof.refused.is_empty() {
        return Ok(Exit::Failed);
    }
    if args.documents.is_empty() {
        return Ok(Exit::Good);
    }
    if !args.pack.is_empty() {
        let tried = |source: Source| Source {
            tried: true,
            ..source
        };
        own.extend(tested.into_iter().map(tried));
    }
    let (rules, _) = Rules::assemble(own);
    if rules.shadow().is_none() {
        bail!("no pack says `shadow = true`, so that nothing can be tried; name one with --pack");
    }
    try_on(global, &rules, &args.documents)
}

/// Packs, and what their cases say.
#[derive(Default)]
struct Proof {
    packs: usize,
    rules: usize,
    cases: usize,
    refused: Vec<Defect>,
}

impl Proof {
    fn prove(&mut self, source: Source) {
        self.packs += 1;
        match Pack::parse(source) {
            Ok(pack) => {
                let info = PackInfo::of(&pack);
                self.rules += info.rules;
                self.cases += info.cases;
                self.refused.extend(pack.prove());
            }
            Err(defect) => self.refused.push(*defect),
        }
    }

    fn print(&self, global: &Global) -> anyhow::Result<()> {
        let Proof {
            packs,
            rules,
            cases,
            refused,
        } = self;
        if global.json {
            return output::json(&json!({
                "packs": packs, "rules": rules, "cases": cases, "refused": refused,
            }));
        }
        for defect in refused {
            output::line(&defect.to_string())?;
        }
        let verdict = match refused.len() {
            0 => "all is well".to_owned(),
            1 => "1 thing is wrong".to_owned(),
            wrong => format!("{wrong} things are wrong"),
        };
        output::note(
            global,
            &format!("{packs} packs, {rules} rules, {cases} cases: {verdict}"),
        );
        Ok(())
    }
}

/// Tells what the packs in the shadow would do.
fn try_on(global: &Global, rules: &Rules, documents: &[PathBuf]) -> anyhow::Result<Exit> {
    let documents = material::expand(documents)?;
    let (mut failed, mut changed) = (0, 0);
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for what in &documents {
        let (name, document) = match material::open(global, what) {
            Ok(opened) => opened,
            Err(error) => {
                failed += 1;
                output::complain(&format!("faircopy: {}: {error:#}", what.display()));
                continue;
            }
        };
        let changes = differences(&document, rules, &clean(&document, rules));
        changed += usize::from(!changes.is_empty());
        for change in &changes {
            let kept = change.would.verdict == Verdict::Kept;
            let rule = if kept {
                &change.now.rule
            } else {
                &change.would.rule
            };
            counts.entry(rule.clone()).or_default()[usize::from(kept)] += 1;
        }
        print_changes(global, &name, &changes)?;
    }
    if !global.json {
        for (rule, [removed, kept]) in counts {
            output::note(
                global,
                &format!("{rule}: would take {removed}, would lose {kept}"),
            );
        }
        let all = documents.len();
        output::note(
            global,
            &format!("{changed} of {all} documents would change; nothing was changed"),
        );
    }
    Ok(super::clean::exit_for(failed, documents.len()))
}

fn print_changes(global: &Global, name: &str, changes: &[Difference]) -> anyhow::Result<()> {
    if global.json {
        return output::json(&json!({"path": name, "changes": changes}));
    }
    if changes.is_empty() {
        return Ok(());
    }
    output::line(name)?;
    output::table(&changes.iter().map(row).collect::<Vec<_>>())
}

/// `bytes, now, would, by which rule, text`, for a person.
pub(crate) fn row(change: &Difference) -> Vec<String> {
    let said = |judgement: &faircopy::clean::shadow::Judgement| {
        format!(
            "{} {}",
            judgement.verdict.as_str(),
            judgement.class.as_str()
        )
    };
    vec![
        format!("  {}..{}", change.start, change.end),
        format!("{} -> {}", said(&change.now), said(&change.would)),
        format!("{} -> {}", change.now.rule, change.would.rule),
        output::shorten(&change.text, 60),
    ]
}

fn suggest(global: &Global, asked: Option<&str>) -> anyhow::Result<Exit> {
    let archive = setup::open_archive(global)?;
    let documents = archive.documents()?;
    let mut sources: BTreeMap<String, Vec<&DocumentRow>> = BTreeMap::new();
    for row in &documents {
        let site = row.latest.url.as_deref().and_then(faircopy::pin::site);
        let root = row.latest.source.root.clone();
        let name = match asked {
            Some(asked) => [site, Some(root)]
                .into_iter()
                .flatten()
                .find(|name| name == asked),
            None => Some(site.unwrap_or(root)),
        };
        if let Some(name) = name {
            sources.entry(name).or_default().push(row);
        }
    }
    if let (Some(asked), true) = (asked, sources.is_empty()) {
        bail!("no document is from {asked:?}; `faircopy ls` shows inboxes and addresses");
    }
    let kept = |row: &DocumentRow| kept_lines(&archive, row);
    let mut proposals = Vec::new();
    for (source, rows) in sources {
        let own: Vec<Kept> = rows.into_iter().filter_map(kept).collect();
        proposals.extend(suggest::learn(&source, &own));
    }
    if !proposals.is_empty() {
        suggest::prove(&mut proposals, documents.iter().filter_map(kept));
    }
    for proposal in &proposals {
        if global.json {
            output::json(proposal)?;
        } else {
            let lines = proposal.proven_against;
            let toml = &proposal.toml;
            output::line(&format!(
                "{toml}# Hits none of {lines} kept lines but its own.\n"
            ))?;
        }
    }
    output::note(
        global,
        &format!(
            "{} proposed; nothing was applied: read them, put what is right into a pack, and `faircopy rules test`",
            proposals.len()
        ),
    );
    Ok(Exit::Good)
}

/// The lines of a document's text; `None`, and told, if it cannot be read.
fn kept_lines(archive: &Archive, row: &DocumentRow) -> Option<Kept> {
    match archive.read_text(&row.latest) {
        Ok(text) => Some(Kept {
            doc: row.doc.to_string(),
            lines: text
                .split(['\n'])
                .map(|line| line.strip_prefix("- ").unwrap_or(line).to_owned())
                .filter(|line| !line.is_empty())
                .collect(),
        }),
        Err(error) => {
            tracing::warn!(doc = %row.doc, "left out: {error}");
            None
        }
    }
}
