//! What the committer does about rules that changed: it has the archive keep the new ones, and cleans again what a new
//! capture is compared with, so that a change of the rules is not taken for one of the story.

use jiff::Timestamp;

use crate::archive;
use crate::archive::capture::Prepared;
use crate::archive::reader::Archive;
use crate::archive::writer::ArchiveWriter;
use crate::pipeline::{SettingsSlot, chain};
use crate::reclean::{self, By, rule_set};

/// What is known of the rules in force.
pub(super) struct Refresher {
    settings: SettingsSlot,
    /// The rules that the archive is known to keep.
    kept: Option<String>,
    /// Those of which it is known whether the archive has captures that others cleaned, and whether it has.
    others: Option<(String, bool)>,
    archive: Option<Archive>,
}

impl Refresher {
    pub(super) fn new(settings: SettingsSlot) -> Refresher {
        Refresher {
            settings,
            kept: None,
            others: None,
            archive: None,
        }
    }

    /// Cleans again what these captures will be compared with, where other rules cleaned it. Where that fails, a change of
    /// the rules counts as one of the story.
    pub(super) fn before(&mut self, writer: &mut ArchiveWriter, captures: &[Prepared]) {
        if let Err(error) = self.refresh(writer, captures) {
            let error = chain(&error);
            tracing::warn!(
                error,
                "cannot clean again what a new capture is compared with"
            );
        }
    }

    fn refresh(
        &mut self,
        writer: &mut ArchiveWriter,
        captures: &[Prepared],
    ) -> Result<(), archive::Error> {
        let settings = self.settings.get();
        let rules = settings.rules.id();
        let known = self.others.as_ref().filter(|(id, _)| id == rules);
        let has_others = match known {
            Some((_, has_others)) => *has_others,
            None => {
                let has_others = writer.has_other_rules(rules)?;
                self.others = Some((rules.to_owned(), has_others));
                has_others
            }
        };
        if !has_others {
            return Ok(());
        }
        let mut editions = Vec::new();
        for capture in captures {
            let Some(row) = writer.stale(capture, rules)? else {
                continue;
            };
            if self.archive.is_none() {
                self.archive = Some(Archive::open(writer.dir())?);
            }
            let archive = self.archive.as_ref().expect("it was just opened");
            let pins = settings.pins.get();
            let by = By {
                rules: &settings.rules,
                pins: &pins,
            };
            let again = reclean::again(archive, &row, by).and_then(|recleaned| {
                let prepare = |r: reclean::Recleaned| r.prepare(archive, rules, Timestamp::now());
                recleaned.map(prepare).transpose()
            });
            match again {
                Ok(edition) => editions.extend(edition),
                Err(error) => tracing::warn!(error = chain(&error), "cannot clean it again"),
            }
        }
        if !editions.is_empty() {
            writer.reclean(editions, Timestamp::now())?;
        }
        Ok(())
    }

    /// Has the archive keep the rules in force, once something is in it that they cleaned.
    pub(super) fn after(&mut self, writer: &mut ArchiveWriter) {
        let settings = self.settings.get();
        let rules = settings.rules.id();
        if self.kept.as_deref() == Some(rules) {
            return;
        }
        let now = Timestamp::now();
        match writer.keep_rules(rule_set(&settings.rules, now), now) {
            Ok(_) => self.kept = Some(rules.to_owned()),
            Err(error) => tracing::error!(error = chain(&error), "cannot keep the rules"),
        }
    }
}
