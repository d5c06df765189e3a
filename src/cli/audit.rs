//! `faircopy audit`

use std::iter::Peekable;
use std::path::Path;

use anyhow::Context;
use faircopy::archive::catalog::HistoryRow;
use faircopy::archive::leaf::LeafKind;
use faircopy::archive::reader::Archive;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Exit, Global, output, reference, setup};

/// Tell what happened in the archive, in order, each event with its leaf of the log
///
/// Every leaf is told: what was archived and what it changed, what was declared later, what persons decided. The times of leaves
/// are this archive's own clock's; their order is proven. Checks stand between them by their time: they have no leaf.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy audit\n  faircopy audit --since 2024-03-01 --json\n  faircopy audit --doc k3vq"
)]
pub(crate) struct Args {
    /// From this day or time on
    #[arg(long, value_name = "TIME", value_parser = reference::parse_since)]
    since: Option<Timestamp>,
    /// Only of this document: id, unique prefix, address or inbox path
    #[arg(long, value_name = "DOC")]
    doc: Option<String>,
}

/// So many leaves are asked for at once.
const LEAVES: u64 = 4096;

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let paths = setup::archive_paths(global)?;
    let archive = Archive::open(&paths.dir).context("cannot open the archive")?;
    let told = Told {
        global,
        archive: &archive,
        since: args.since,
    };
    if let Some(name) = &args.doc {
        let (doc, _) = reference::split(&archive, name)?;
        for row in archive.history_of(&doc)? {
            told.leaf(&row)?;
        }
        return Ok(Exit::Good);
    }
    let mut checks = checks(&paths.state).into_iter().peekable();
    let leaves = archive.leaf_count()?;
    for first in (0..leaves).step_by(LEAVES as usize) {
        for row in archive.history(first..first + LEAVES)? {
            told.checks(&mut checks, row.happened_at)?;
            told.leaf(&row)?;
        }
    }
    told.checks(&mut checks, None)?;
    Ok(Exit::Good)
}

/// The checks that this machine remembers, oldest first.
fn checks(state: &Path) -> Vec<(Timestamp, Value)> {
    let text = std::fs::read_to_string(state.join(super::check::HISTORY)).unwrap_or_default();
    let line = |line| {
        let check: Value = serde_json::from_str(line).ok()?;
        let at = check["at"].as_str()?.parse().ok()?;
        Some((at, check))
    };
    let mut checks: Vec<_> = text.lines().filter_map(line).collect();
    checks.sort_by_key(|(at, _)| *at);
    checks
}

/// Tells of events, each on a line.
pub(crate) struct Told<'a> {
    global: &'a Global,
    archive: &'a Archive,
    since: Option<Timestamp>,
}

impl<'a> Told<'a> {
    /// Tells of all that it is given.
    pub(crate) fn everything(global: &'a Global, archive: &'a Archive) -> Told<'a> {
        Told {
            global,
            archive,
            since: None,
        }
    }
}

impl Told<'_> {
    /// Tells of a leaf.
    pub(crate) fn leaf(&self, row: &HistoryRow) -> anyhow::Result<()> {
        if self.since.is_some() && row.happened_at < self.since {
            return Ok(());
        }
        let event = match row.kind {
            LeafKind::Capture => "archived".to_owned(),
            kind => kind.as_str().to_owned(),
        };
        let erased = match row.happened_at {
            Some(_) => None,
            None => self.archive.erased(&row.doc)?,
        };
        let erased = erased.map(|erased| erased.leaf).filter(|by| *by > row.leaf);
        let detail = row.detail.as_deref();
        let detail: Option<Value> = detail.and_then(|text| serde_json::from_str(text).ok());
        if self.global.json {
            return output::json(&json!({
                "leaf": row.leaf, "event": event, "at": row.happened_at, "doc": row.doc, "capture": row.capture,
                "version": row.version, "change": row.change, "source": row.source, "detail": detail,
                "erased_by": erased,
            }));
        }
        let mut text = Vec::new();
        text.extend(row.capture.map(|capture| format!("#{capture}")));
        text.extend(row.version.map(|version| format!("@{version}")));
        text.extend(
            row.change
                .map(|change| format!("change {}", change.as_str())),
        );
        text.extend(row.source.clone());
        text.extend(detail.map(|detail| output::shorten(&detail.to_string(), 120)));
        match (row.happened_at, erased) {
            (Some(_), _) => {}
            (None, Some(by)) => text.push(format!("erased, as leaf {by} says")),
            (None, None) => text.push("its record is lost".to_owned()),
        }
        let leaf = row.leaf.to_string();
        self.line(&leaf, row.happened_at, &event, &row.doc.0, &text.join(" "))
    }

    /// Tells of the checks before `until`.
    fn checks(
        &self,
        checks: &mut Peekable<impl Iterator<Item = (Timestamp, Value)>>,
        until: Option<Timestamp>,
    ) -> anyhow::Result<()> {
        while let Some((at, check)) =
            checks.next_if(|(at, _)| until.is_none_or(|until| *at < until))
        {
            if self.since.is_some_and(|since| at < since) {
                continue;
            }
            if self.global.json {
                output::json(
                    &json!({"leaf": null, "event": "checked", "at": at, "detail": check}),
                )?;
                continue;
            }
            let text = format!(
                "{} leaves, {} records read, {} problems",
                check["leaves"], check["records"], check["problems"]
            );
            self.line("-", Some(at), "checked", "-", &text)?;
        }
        Ok(())
    }

    fn line(
        &self,
        leaf: &str,
        at: Option<Timestamp>,
        event: &str,
        doc: &str,
        text: &str,
    ) -> anyhow::Result<()> {
        let at = at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string());
        let at = at.unwrap_or_else(|| "-".to_owned());
        let text = text.replace(['\n', '\t'], " ");
        output::line(&format!("{leaf:>7}  {at:19}  {event:17}  {doc:16}  {text}"))
    }
}
