//! `faircopy search`

use faircopy::search::{self, Hit, Request, Snippet};
use jiff::Timestamp;

use super::{Exit, Global, output, reference, setup};

/// Find versions by words of their titles and texts
///
/// All words must be there, in any case and with or without accents; "several words" in this order; -word must not be there;
/// word* begins so; OR between two means either. Chinese, Japanese and Thai are found by any characters. Past versions are
/// found too.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy search ferry\n  faircopy search 'harbour \"ferry returns\" -gulls' --since 2024-03-01 --lang en\n  faircopy search mayor resign* --current --json | jq -r .doc"
)]
pub(crate) struct Args {
    /// Words
    #[arg(required = true)]
    query: Vec<String>,
    /// Fetched on this day or at this time, or later
    #[arg(long, value_name = "TIME", value_parser = reference::parse_since)]
    since: Option<Timestamp>,
    /// Fetched on this day or at this time, or earlier
    #[arg(long, value_name = "TIME", value_parser = reference::parse_until)]
    until: Option<Timestamp>,
    /// From the inbox, the declared source or the site of that name
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// In that language; `en` is `en-GB` too
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<String>,
    /// Only what is now the latest version of its document
    #[arg(long)]
    current: bool,
    /// So many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let archive = setup::open_archive(global)?;
    let request = Request {
        query: args.query.join(" "),
        since: args.since,
        until: args.until,
        source: args.source.clone(),
        language: args.lang.clone(),
        current: args.current,
        limit: Some(args.limit),
    };
    let (hits, behind) = search::search(&archive, &request)?;
    if behind > 0 {
        output::note(
            global,
            &format!(
                "the newest {behind} entries are not indexed yet, and you may not write the index"
            ),
        );
    }
    for hit in &hits {
        match search::snippet(&archive, &hit.row, &request.query) {
            Ok(snippet) if global.json => output::json(&search::object(hit, Some(&snippet)))?,
            Ok(snippet) => print(hit, &snippet)?,
            Err(error) => output::complain(&format!("faircopy: {error}")),
        }
    }
    if hits.is_empty() {
        output::note(global, "nothing found");
    }
    Ok(Exit::Good)
}

fn print(hit: &Hit, snippet: &Snippet) -> anyhow::Result<()> {
    let row = &hit.row;
    let title = output::shorten(row.title.as_deref().unwrap_or("(no title)"), 80);
    let day = row.captured_at.strftime("%Y-%m-%d");
    let past = if hit.is_current { "" } else { "  (past)" };
    output::line(&format!(
        "{}@{}  {day}  {title}{past}",
        row.doc, row.version
    ))?;
    output::line(&format!("    {}", marked(snippet)))?;
    Ok(())
}

/// The snippet with what was found in brackets.
fn marked(snippet: &Snippet) -> String {
    let mut text = String::new();
    let mut at = 0;
    for found in &snippet.matches {
        text.push_str(&snippet.text[at..found.start]);
        text.push_str(&format!("[{}]", &snippet.text[found.clone()]));
        at = found.end;
    }
    text.push_str(&snippet.text[at..]);
    text
}
