//! Drift: whether a source's template seems to have changed, told from how much cleaning takes away from its documents.
//!
//! Of each source the newest documents are compared with those before them, in four measures. A change is told if it is both
//! large and far beyond chance, so that small samples and ordinary days alarm nobody. Each document counts once, as it was
//! captured last: a page that is fetched every hour says nothing about its neighbours.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::archive::catalog::MeasureRow;
use crate::pin::site;

/// So many captures are looked at, all sources together: some hundredths of a second.
pub const CAPTURES_MAX: u32 = 20_000;
/// So many documents are the newest ones of a source.
const NEWEST: usize = 30;
/// They are compared with so many before them at most.
const BEFORE_MAX: usize = 300;
/// With fewer nothing is said.
const BEFORE_MIN: usize = 60;
/// Standard deviations: by chance once in 16,000 comparisons, and there are four for each source.
const SURE: f64 = 4.0;
/// A smaller change of a rate may be certain and is no change of a template.
const RATE_MIN: f64 = 0.25;
/// The same for the median share that is removed.
const SHARE_MIN: f64 = 0.1;

/// Something about a source's documents that is otherwise than it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// The site, or the inbox of documents without an address.
    pub source: String,
    /// Pages and flat texts of one source are told apart.
    pub media_type: String,
    /// What changed.
    pub measure: Aspect,
    /// Its value before.
    pub was: f64,
    /// Its value now.
    pub is: f64,
    /// The newest documents begin here.
    pub since: Timestamp,
    /// For people.
    pub message: String,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// The share of a document's text that is removed; the median.
    RemovedShare,
    /// How many documents of all have a footer.
    Footers,
    /// How many have a credit.
    Credits,
    /// How many have a caption.
    Captions,
}

/// What seems to have changed, from what cleaning took away from the newest captures, the newest first.
pub fn drifts(rows: &[MeasureRow]) -> Vec<Drift> {
    let mut sources: BTreeMap<(String, &str), Vec<&MeasureRow>> = BTreeMap::new();
    let mut seen = HashSet::new();
    for row in rows.iter().filter(|row| row.measure.extent.input > 0) {
        let source = row.url.as_deref().and_then(site);
        let source = source.unwrap_or_else(|| row.root.clone());
        let of_source = sources.entry((source, &row.media_type)).or_default();
        if of_source.len() < NEWEST + BEFORE_MAX && seen.insert(&row.doc) {
            of_source.push(row);
        }
    }
    let mut found = Vec::new();
    for ((source, media_type), rows) in sources {
        if rows.len() < NEWEST + BEFORE_MIN {
            continue;
        }
        let (newest, before) = rows.split_at(NEWEST);
        let changed = Aspect::ALL.into_iter().filter_map(|measure| {
            let (was, is) = measure.change(before, newest)?;
            Some(Drift {
                source: source.clone(),
                media_type: media_type.to_owned(),
                message: measure.message(was, is, before.len()),
                measure,
                was,
                is,
                since: newest.last()?.received_at,
            })
        });
        found.extend(changed);
    }
    found
}

impl Aspect {
    const ALL: [Aspect; 4] = [
        Aspect::RemovedShare,
        Aspect::Footers,
        Aspect::Credits,
        Aspect::Captions,
    ];

    /// Before and now, if that is a change.
    fn change(self, before: &[&MeasureRow], newest: &[&MeasureRow]) -> Option<(f64, f64)> {
        let values =
            |rows: &[&MeasureRow]| -> Vec<f64> { rows.iter().map(|row| self.value(row)).collect() };
        let (before, newest) = (values(before), values(newest));
        let (was, is, z, least) = match self {
            Aspect::RemovedShare => {
                let z = rank_sum(&before, &newest);
                (median(&before), median(&newest), z, SHARE_MIN)
            }
            _ => {
                let z = proportions(&before, &newest);
                (mean(&before), mean(&newest), z, RATE_MIN)
            }
        };
        (z >= SURE && (was - is).abs() >= least).then_some((was, is))
    }

    fn value(self, row: &MeasureRow) -> f64 {
        let measure = &row.measure;
        let has = |count: usize| f64::from(u8::from(count > 0));
        match self {
            Aspect::RemovedShare => share(measure.extent.removed, measure.extent.input),
            Aspect::Footers => has(measure.footers),
            Aspect::Credits => has(measure.credits),
            Aspect::Captions => has(measure.captions),
        }
    }

    fn message(self, was: f64, is: f64, before: usize) -> String {
        let percent = |value: f64| format!("{:.0}%", value * 100.0);
        let (was, is) = (percent(was), percent(is));
        let what = match self {
            Aspect::RemovedShare => {
                return format!(
                    "of its {NEWEST} newest documents {is} of the text is removed, of the {before} before {was}: its template seems to have changed"
                );
            }
            Aspect::Footers => "a footer",
            Aspect::Credits => "a credit",
            Aspect::Captions => "a caption",
        };
        format!(
            "of its {NEWEST} newest documents {is} have {what}, of the {before} before {was}: its template seems to have changed"
        )
    }
}

// Counts of documents and bytes are far below 2^52.
#[allow(clippy::cast_precision_loss)]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[allow(clippy::cast_precision_loss)]
fn count(values: &[f64]) -> f64 {
    values.len() as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// How surely two rates differ, in standard deviations: the test of two proportions, pooled, with Yates' correction.
fn proportions(a: &[f64], b: &[f64]) -> f64 {
    let (m, n) = (count(a), count(b));
    let pooled = (a.iter().sum::<f64>() + b.iter().sum::<f64>()) / (m + n);
    let deviation = (pooled * (1.0 - pooled) * (1.0 / m + 1.0 / n)).sqrt();
    let correction = (1.0 / m + 1.0 / n) / 2.0;
    let difference = (mean(a) - mean(b)).abs() - correction;
    match deviation > 0.0 {
        true => difference / deviation,
        false => 0.0,
    }
}

/// How surely two samples differ, in standard deviations: Mann and Whitney's test of ranks, which asks for no distribution,
/// with the correction for ties.
fn rank_sum(a: &[f64], b: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = a.iter().map(|&value| (value, true)).collect();
    all.extend(b.iter().map(|&value| (value, false)));
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (mut ranks, mut ties, mut passed) = (0.0, 0.0, 0.0);
    for equal in all.chunk_by(|x, y| x.0 == y.0) {
        let size = f64::from(u32::try_from(equal.len()).unwrap_or(u32::MAX));
        let of_a = equal.iter().filter(|(_, is_a)| *is_a).count();
        let rank = passed + (size + 1.0) / 2.0;
        ranks += rank * f64::from(u32::try_from(of_a).unwrap_or(u32::MAX));
        ties += size.powi(3) - size;
        passed += size;
    }
    let (m, n) = (count(a), count(b));
    let all = m + n;
    let expected = m * (all + 1.0) / 2.0;
    let variance = m * n / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    match variance > 0.0 {
        true => (ranks - expected).abs() / variance.sqrt(),
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::metadata::{Extent, Measure};
    use crate::identity::DocId;

    fn row(number: usize, footers: usize, removed: usize) -> MeasureRow {
        MeasureRow {
            doc: DocId(format!("doc{number}")),
            root: "inbox".into(),
            url: Some(format!("https://www.example.org/{number}")),
            media_type: "text/html".into(),
            received_at: Timestamp::UNIX_EPOCH,
            measure: Measure {
                extent: Extent {
                    input: 1000,
                    removed,
                },
                footers,
                credits: number % 2,
                captions: 0,
            },
        }
    }

    /// A row of numbers that looks like chance and is always the same.
    fn chance(seed: u64) -> impl Iterator<Item = usize> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(state >> 33).unwrap_or(0)
        })
    }

    #[test]
    fn a_footer_that_vanishes_and_a_text_that_shrinks_are_told() {
        let rows: Vec<_> = (0..150)
            .map(|n| match n {
                0..30 => row(n, 0, 600 + n),
                _ => row(n, usize::from(n % 20 != 0), 100 + n),
            })
            .collect();
        let found = drifts(&rows);
        let told: Vec<_> = found.iter().map(|drift| drift.measure).collect();
        assert_eq!(told, [Aspect::RemovedShare, Aspect::Footers]);
        assert_eq!(found[0].source, "example.org");
        assert!(
            found[1].message.contains("0% have a footer"),
            "{}",
            found[1].message
        );
    }

    #[test]
    fn small_samples_and_one_page_that_comes_often_alarm_nobody() {
        let few: Vec<_> = (0..80).map(|n| row(n, usize::from(n >= 30), 100)).collect();
        assert_eq!(drifts(&few), []);
        let often = (0..200).map(|n| match n {
            0..60 => row(7, 0, 900),
            _ => row(n, 1, 100),
        });
        assert_eq!(drifts(&often.collect::<Vec<_>>()), []);
    }

    #[test]
    fn ordinary_days_alarm_nobody() {
        let mut alarms = 0;
        for seed in 0..500 {
            let chance: Vec<usize> = chance(seed).take(600).collect();
            let rows = chance.chunks_exact(2).enumerate();
            let rows = rows.map(|(n, c)| row(n, c[0] % 2, 50 + c[1] % 700));
            alarms += drifts(&rows.collect::<Vec<_>>()).len();
        }
        assert!(alarms <= 1, "{alarms}");
    }
}
