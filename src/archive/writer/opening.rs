//! What a writer does first, and again after any failure: it looks at the disk and recovers.

use std::path::Path;

use jiff::Timestamp;

use crate::archive::catalog::Catalog;
use crate::archive::keys::signing_key_path;
use crate::archive::log::key::SigningKey;
use crate::archive::log::reader::LogReader;
use crate::archive::log::writer::LogWriter;
use crate::archive::recovery::{self, Finding, Recovery};
use crate::archive::{Error, Paths, mending, rotation};

use super::{Open, compact};

impl Open {
    /// Recovers; with a catalog that is `suspect`, which was found damaged at some place, all of it is examined.
    pub(super) fn recover(paths: &Paths, suspect: bool) -> Result<(Open, Recovery), Error> {
        let key_path = signing_key_path(paths);
        if !key_path.exists() {
            return Err(Error::NoKey { path: key_path });
        }
        let mut recovery = Recovery::default();
        let mut writer = open_log(paths, &key_path, &mut recovery)?;
        let repaired = writer.repaired().iter().cloned();
        let repaired = repaired.map(|path| Finding::TileRepaired { path });
        recovery.findings.extend(repaired);
        let log = LogReader::open(&paths.log())?;

        let witnessed = recovery::check_history(paths, &log)?;
        if !witnessed {
            let path = paths.last_checkpoint();
            recovery.findings.push(Finding::NoLastCheckpoint { path });
        }
        let catalog = open_catalog(paths, &log, witnessed, suspect, &mut recovery)?;
        if let Some(key) = rotation::finish(paths, &catalog)? {
            writer.adopt_key(key);
        }
        let end = catalog.high_water()?.end;
        recovery::cut_tails(paths, end, witnessed, &mut recovery)?;
        recovery::write_last_checkpoint(paths, log.checkpoint())?;
        let open = Open {
            dir: paths.dir.clone(),
            catalog,
            log: writer,
            end,
            segment: None,
            buffer: Vec::new(),
        };
        compact::finish(&paths.dir, &open)?;
        Ok((open, recovery))
    }
}

/// The log; if it cannot be opened, once more when what is damaged in it is mended.
fn open_log(paths: &Paths, key_path: &Path, recovery: &mut Recovery) -> Result<LogWriter, Error> {
    let open = || LogWriter::open(&paths.log(), SigningKey::load(key_path)?);
    let error = match open() {
        Ok(log) => return Ok(log),
        Err(error) => error,
    };
    let mended = mending::mend_log(paths, &SigningKey::load(key_path)?)?;
    if mended.is_empty() {
        return Err(error.into());
    }
    let mended = mended.into_iter().map(|path| Finding::LogMended { path });
    recovery.findings.extend(mended);
    Ok(open()?)
}

/// The catalog, brought up to the log; made anew if it is missing, damaged or that of another log.
fn open_catalog(
    paths: &Paths,
    log: &LogReader,
    witnessed: bool,
    suspect: bool,
    recovery: &mut Recovery,
) -> Result<Catalog, Error> {
    let was_missing = !Catalog::path_in(&paths.dir).exists();
    let opened = Catalog::open(&paths.dir, suspect).and_then(|catalog| {
        compact::undo(&paths.dir, &catalog)?;
        let size = log.checkpoint().size;
        let covered = catalog.high_water()?.leaves;
        if covered > size && !witnessed {
            // The catalog is written after the checkpoint: for want of a better witness, it says that the log shrank.
            return Err(Error::LogShrunk {
                dir: paths.dir.clone(),
                size,
                seen: covered,
                witness: Catalog::path_in(&paths.dir),
            });
        }
        Ok(
            match recovery::belongs(&paths.dir, &catalog, covered, log)? {
                Ok(()) => {
                    recovery::replay(&paths.dir, &catalog, log, recovery)?;
                    Ok(catalog)
                }
                Err(why) => Err(why),
            },
        )
    });
    let why = match opened {
        Ok(Ok(catalog)) => {
            if was_missing && log.checkpoint().size > 0 {
                recovery.findings.push(Finding::CatalogRebuilt {
                    why: "it was missing".to_owned(),
                    set_aside: None,
                });
            }
            return Ok(catalog);
        }
        Ok(Err(why)) => why,
        Err(error) if Catalog::is_damage(&error) => with_source(&error),
        Err(error) => return Err(error),
    };
    let set_aside = Catalog::set_aside(&paths.dir, Timestamp::now())?;
    recovery.findings.push(Finding::CatalogRebuilt {
        why,
        set_aside: Some(set_aside),
    });
    let catalog = Catalog::open(&paths.dir, false)?;
    recovery::replay(&paths.dir, &catalog, log, recovery)?;
    Ok(catalog)
}

fn with_source(error: &Error) -> String {
    use std::error::Error as _;
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
