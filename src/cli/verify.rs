//! `faircopy verify`

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use faircopy::archive::log::cosignature::WitnessKey;
use faircopy::archive::log::key::VerifierKey;
use faircopy::archive::log::proof::HEADER;
use faircopy::archive::log::reader::read_verifier;
use faircopy::archive::metadata::{MetadataBlock, Observation};
use faircopy::archive::rotation::{self, Rotation};
use faircopy::digest::Digest;
use faircopy::verify::{self, Proven, Signed, Trust};
use serde_json::{Value, json};

use super::{Exit, Global, Usage, output, setup};

/// Verify a proof, a checkpoint or an exported bag, without the archive
///
/// Says what is proven, and no more. The key must have come from whom it is of, not with the file; without --vkey it is the
/// one of the configured archive, and of a bag the one in it. Exit 4 if the file does not prove what it says.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy verify k3vq@2.tlog-proof --vkey log.vkey --raw page.html --text page.txt\n  faircopy verify checkpoint --vkey 'faircopy/0b2d+1a2b3c4d+AX...' --witness witness.vkey"
)]
pub(crate) struct Args {
    /// A `.tlog-proof`, a checkpoint, or the folder of a bag
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The log's verifier key, or a file with it; several may be given
    #[arg(long, value_name = "KEY")]
    vkey: Vec<String>,
    /// A proof that the log's key was changed, from its log/rotations: it leads from the old key to the new
    #[arg(long, value_name = "FILE")]
    rotation: Vec<PathBuf>,
    /// A witness's verifier key, or a file with it
    #[arg(long, value_name = "KEY")]
    witness: Vec<String>,
    /// A file that should be the raw bytes
    #[arg(long, value_name = "FILE")]
    raw: Option<PathBuf>,
    /// A file that should be the canonical text
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// The metadata, if the proof does not hold it
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    if args.file.is_dir() {
        return verify_bag(global, args);
    }
    let trust = trust(global, args)?;
    let text = String::from_utf8(read(&args.file)?);
    let text = text.map_err(|_| {
        anyhow!(
            "{} is not text; give a .tlog-proof, a checkpoint or the folder of a bag",
            args.file.display()
        )
    });
    let verified = text.and_then(|text| match text.starts_with(HEADER) {
        true => verify_proof(&text, args, &trust),
        false => verify_checkpoint(&text, args, &trust),
    });
    let said = match verified {
        Ok(said) => said,
        Err(error) if global.json => {
            let error = format!("{error:#}");
            output::json(&json!({"file": args.file, "verified": false, "error": error}))?;
            return Ok(Exit::Integrity);
        }
        Err(error) => {
            output::complain(&format!(
                "{} proves nothing: {error:#}",
                args.file.display()
            ));
            return Ok(Exit::Integrity);
        }
    };
    let good = said.differs.is_empty();
    if global.json {
        let mut object = json!({"file": args.file, "verified": good});
        for (key, value) in said.json {
            object[key] = value;
        }
        output::json(&object)?;
    } else {
        for (name, text) in &said.lines {
            output::line(&format!("{name:>11}: {text}"))?;
        }
        let verdict = if good {
            said.conclusion
        } else {
            said.differs.join("\n")
        };
        output::line(&format!("\n{verdict}"))?;
    }
    Ok(if good { Exit::Good } else { Exit::Integrity })
}

const OF_A_BAG: &str = "Every file is what the manifests say, and each capture with a proof was in the log of this key as it lies here. \
What a proof shows and what not: `faircopy verify` on one of them.";
const OF_A_STRANGER: &str = "The key came with the bag: that shows that its parts belong together, not whose they are. Give the log's key with --vkey.";

fn verify_bag(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let own = args.file.join("data/log/vkey");
    let is_own = args.vkey.is_empty() && own.is_file();
    let trust = match is_own {
        true => Trust {
            keys: vec![read_verifier(&args.file.join("data/log"))?],
            ..Trust::default()
        },
        false => trust(global, args)?,
    };
    let mut printed = Ok(());
    let mut report = |place: &str, message: String| {
        if printed.is_ok() {
            printed = match global.json {
                true => output::json(&json!({"problem": {"where": place, "message": message}})),
                false => output::line(&format!("{place}: {message}")),
            };
        }
    };
    let verified = verify::bag::verify(&args.file, &trust, &mut report).with_context(|| {
        format!(
            "{} is no bag; give a folder that `faircopy export --bagit` made",
            args.file.display()
        )
    })?;
    printed?;
    let good = verified.problems == 0;
    let (files, proven, problems) = (verified.files, verified.proven, verified.problems);
    if global.json {
        output::json(&json!({
            "file": args.file, "verified": good, "kind": "bag", "files": files, "proven": proven, "problems": problems,
            "own_key": is_own,
        }))?;
    } else {
        output::line(&format!(
            "{files} files are as the manifests say, {proven} captures are proven, {problems} problems"
        ))?;
        if good {
            output::line(if is_own { OF_A_STRANGER } else { OF_A_BAG })?;
        }
    }
    Ok(if good { Exit::Good } else { Exit::Integrity })
}

/// The keys that are believed.
fn trust(global: &Global, args: &Args) -> anyhow::Result<Trust> {
    let mut keys = Vec::new();
    for given in &args.vkey {
        keys.push(vkey(given)?);
    }
    if keys.is_empty() {
        let paths = setup::archive_paths(global);
        let paths = paths.map_err(|_| Usage("give the log's verifier key with --vkey"))?;
        keys.push(read_verifier(&paths.log())?);
    }
    let mut rotations = Vec::new();
    for file in &args.rotation {
        let rotation = Rotation::read(file);
        rotations.push(rotation.with_context(|| {
            format!(
                "{} proves no change of keys; give a file of log/rotations",
                file.display()
            )
        })?);
    }
    rotations.sort_by_key(|rotation| rotation.index);
    let keys = rotation::keys_from(keys, &rotations);
    let mut witnesses = Vec::new();
    for given in &args.witness {
        let key = key_text(given)?.parse::<WitnessKey>();
        witnesses.push(key.with_context(|| format!("{given:?} is no witness's key; give the line NAME+HASH+KEY that the witness publishes, or a file with it"))?);
    }
    Ok(Trust { keys, witnesses })
}

/// A verifier key, or that in a file.
pub(crate) fn vkey(given: &str) -> anyhow::Result<VerifierKey> {
    let key = key_text(given)?.parse::<VerifierKey>();
    key.with_context(|| format!("{given:?} is no verifier key; give the line NAME+HASH+KEY of log/vkey, or a file with it"))
}

/// A key stands on the command line or in a file.
fn key_text(given: &str) -> anyhow::Result<String> {
    let path = Path::new(given);
    if !path.is_file() {
        return Ok(given.to_owned());
    }
    let text = String::from_utf8(read(path)?).with_context(|| {
        format!("{given:?} is no key, which is a line of text; give another file")
    })?;
    Ok(text.trim_end().to_owned())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// What was found, for people and for programs.
struct Said {
    lines: Vec<(&'static str, String)>,
    json: Vec<(&'static str, Value)>,
    /// Files that are not what was proven.
    differs: Vec<String>,
    conclusion: String,
}

const OF_A_CHECKPOINT: &str = "This proves: the holder of this key signed this size and root of its log. Whoever holds a \
checkpoint of that log can tell with `faircopy check --checkpoint` whether an archive still begins with it. \
It does not prove when it was signed; a witness's cosignature says when the witness saw it.";

const OF_A_PROOF: &str = "This proves: the holder of this key put this metadata, with these digests, into its log before it \
signed this checkpoint, and cannot take it out or change it without breaking with everybody who holds this checkpoint or a \
later one. It does not prove that an address ever served these bytes, or that any name, title or time in the metadata is true; \
nor when the checkpoint was signed, but for what a witness says.";

fn verify_checkpoint(text: &str, args: &Args, trust: &Trust) -> anyhow::Result<Said> {
    if args.raw.is_some() || args.text.is_some() || args.metadata.is_some() {
        return Err(anyhow!(
            "a checkpoint says nothing about single files; give a .tlog-proof"
        ));
    }
    let signed = verify::checkpoint(text, trust)?;
    let mut said = Said {
        lines: Vec::new(),
        json: vec![("kind", json!("checkpoint"))],
        differs: Vec::new(),
        conclusion: OF_A_CHECKPOINT.to_owned(),
    };
    said.signed(&signed, trust);
    Ok(said)
}

fn verify_proof(text: &str, args: &Args, trust: &Trust) -> anyhow::Result<Said> {
    let metadata = args.metadata.as_deref().map(read).transpose()?;
    let proven = verify::proof(text, metadata.as_deref(), trust)?;
    let mut said = Said {
        lines: Vec::new(),
        json: vec![("kind", json!("proof"))],
        differs: Vec::new(),
        conclusion: OF_A_PROOF.to_owned(),
    };
    said.signed(&proven.signed, trust);
    said.leaf(&proven);
    match &proven.block {
        MetadataBlock::Capture(block) => {
            let observation = &block.observation;
            let digests = observation.digests;
            said.compare("raw", &digests.raw, args.raw.as_deref())?;
            said.compare("text", &digests.text, args.text.as_deref())?;
            said.observation(observation);
            let title = block.content.as_ref().and_then(|c| c.article.title.clone());
            said.fact("title", title.map(Value::from));
        }
        MetadataBlock::Edition(block) => {
            let edition = &block.edition;
            said.compare("raw", &edition.digests.raw, args.raw.as_deref())?;
            said.compare("text", &edition.digests.text, args.text.as_deref())?;
            said.fact("edition", Some(json!(edition.edition)));
            said.fact("cleaned_at", Some(json!(edition.cleaned_at)));
            said.fact("rules", Some(json!(block.content.rules)));
            let title = block.content.article.title.clone();
            said.fact("title", title.map(Value::from));
        }
        MetadataBlock::Event(event) => {
            if args.raw.is_some() || args.text.is_some() {
                return Err(anyhow!(
                    "it is about a {}, not about a capture; leave out --raw and --text",
                    event.kind()
                ));
            }
            said.fact("at", Some(json!(event.at())));
            said.fact("event", Some(serde_json::to_value(event)?));
        }
    }
    Ok(said)
}

impl Said {
    /// Something that is told to people and programs alike.
    fn fact(&mut self, name: &'static str, value: Option<Value>) {
        let Some(value) = value else { return };
        let text = match &value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.lines.push((name, text));
        self.json.push((name, value));
    }

    fn signed(&mut self, signed: &Signed, trust: &Trust) {
        let checkpoint = &signed.checkpoint;
        self.fact("log", Some(json!(checkpoint.origin)));
        self.json.push((
            "checkpoint",
            json!({"size": checkpoint.size, "root": checkpoint.root}),
        ));
        let text = format!("size {}, root {}", checkpoint.size, checkpoint.root);
        self.lines.push(("checkpoint", text));
        for cosignature in &signed.cosignatures {
            let text = format!(
                "{} saw this checkpoint at {}",
                cosignature.witness, cosignature.at
            );
            self.lines.push(("witness", text));
        }
        for witness in &trust.witnesses {
            let name = witness.name();
            if !signed.cosignatures.iter().any(|c| c.witness == name) {
                self.lines
                    .push(("witness", format!("{name} did not cosign it")));
            }
        }
        self.json.push(("cosignatures", json!(signed.cosignatures)));
    }

    fn leaf(&mut self, proven: &Proven) {
        let leaf = &proven.leaf;
        let numbers = [("capture", leaf.capture), ("version", leaf.version)];
        let mut text = format!("{}: {} of document {}", proven.index, leaf.kind, leaf.doc);
        for (name, number) in numbers {
            if let Some(number) = number {
                text.push_str(&format!(", {name} {number}"));
            }
        }
        self.lines.push(("leaf", text));
        self.json.push((
            "leaf",
            json!({
                "index": proven.index, "kind": leaf.kind, "doc": leaf.doc, "capture": leaf.capture,
                "version": leaf.version,
            }),
        ));
        self.fact("metadata", Some(json!(leaf.metadata)));
    }

    /// Compares a file with a proven digest.
    fn compare(
        &mut self,
        what: &'static str,
        proven: &Digest,
        file: Option<&Path>,
    ) -> anyhow::Result<()> {
        let is_it = match file {
            Some(file) => Some(Digest::of(&read(file)?) == *proven),
            None => None,
        };
        let name = file
            .map(|file| file.display().to_string())
            .unwrap_or_default();
        let text = match is_it {
            None => format!("{proven}; not compared, give the file with --{what}"),
            Some(true) => format!("{proven}; {name} is that"),
            Some(false) => {
                let message = format!("{name} is another {what} than the one that is proven");
                self.differs.push(message);
                format!("{proven}; {name} is NOT that")
            }
        };
        self.lines.push((what, text));
        self.json
            .push((what, json!({"digest": proven, "same": is_it})));
        Ok(())
    }

    /// What the archive noted, which is its word and no proof.
    fn observation(&mut self, observation: &Observation) {
        let declared = &observation.declared;
        self.fact("address", declared.url.as_deref().map(Value::from));
        self.fact("fetched", declared.fetched_at.map(|at| json!(at)));
        self.fact("received", Some(json!(observation.received_at)));
    }
}
