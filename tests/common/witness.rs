//! A witness (C2SP tlog-witness) on a port of this machine, which judges with the tree of another crate than ours.
#![allow(dead_code, unreachable_pub)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

const NAME: &str = "witness.example/w1";

/// A witness that knows one log.
pub struct Witness {
    pub url: String,
    pub state: Arc<Mutex<State>>,
}

pub struct State {
    key: SigningKey,
    log: faircopy::archive::log::key::VerifierKey,
    /// Size and root cosigned last.
    pub size: u64,
    root: [u8; 32],
    /// How it answers if it lies: with a cosignature of something else.
    pub lies: bool,
    /// The statuses it answered with.
    pub answers: Vec<u16>,
}

impl Witness {
    pub fn start(log: faircopy::archive::log::key::VerifierKey) -> Witness {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State {
            key: SigningKey::from_bytes(&[7; 32]),
            log,
            size: 0,
            root: Sha256::digest(b"").into(),
            lies: false,
            answers: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &shared);
            }
        });
        Witness { url, state }
    }

    pub fn vkey(&self) -> String {
        let state = self.state.lock().expect("not poisoned");
        let key = state.key.verifying_key();
        let material = [&[4], key.as_bytes().as_slice()].concat();
        let id: String = key_id(&state.key)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        format!("{NAME}+{id}+{}", BASE64.encode(material))
    }

    pub fn answers(&self) -> Vec<u16> {
        std::mem::take(&mut self.state.lock().expect("not poisoned").answers)
    }
}

fn key_id(key: &SigningKey) -> [u8; 4] {
    let mut hasher = Sha256::new();
    hasher.update(NAME.as_bytes());
    hasher.update(b"\n\x04");
    hasher.update(key.verifying_key().as_bytes());
    let digest = hasher.finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(&stream);
    let mut line = String::new();
    reader.read_line(&mut line).expect("a request");
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).expect("a header");
        if header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let body = String::from_utf8(body).expect("text");
    let mut state = state.lock().expect("not poisoned");
    let (status, answer) = match path.as_str() {
        "/add-checkpoint" => judge(&body, &mut state),
        _ => (404, String::new()),
    };
    state.answers.push(status);
    let text = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    );
    (&stream).write_all(text.as_bytes()).expect("answered");
}

fn judge(body: &str, state: &mut State) -> (u16, String) {
    let Some((head, note)) = body.split_once("\n\n") else {
        return (400, String::new());
    };
    let mut lines = head.lines();
    let old = lines.next().and_then(|line| line.strip_prefix("old "));
    let old: u64 = old.expect("an old size").parse().expect("a number");
    let hash = |line: &str| -> [u8; 32] {
        let bytes = BASE64.decode(line).expect("base 64");
        bytes.try_into().expect("32 bytes")
    };
    let proof: Vec<_> = lines.map(|line| tlog_tiles::Hash(hash(line))).collect();
    let Ok(checkpoint) = faircopy::archive::log::note::Checkpoint::verify(note, &state.log) else {
        return (403, String::new());
    };
    let (size, root) = (checkpoint.size, *checkpoint.root.as_bytes());
    if old > size {
        return (400, String::new());
    }
    if old != state.size || old == size && state.root != root {
        return (409, format!("{}\n", state.size));
    }
    let is_consistent = match old {
        0 => proof.is_empty(),
        _ if old == size => proof.is_empty(),
        _ => {
            let (new, before) = (tlog_tiles::Hash(root), tlog_tiles::Hash(state.root));
            tlog_tiles::check_tree(&proof, size, new, old, before).is_ok()
        }
    };
    if !is_consistent {
        return (422, String::new());
    }
    (state.size, state.root) = (size, root);
    let text = note.split_inclusive('\n').take(3).collect::<String>();
    let time: u64 = 1_772_000_000 + size;
    let signed = match state.lies {
        true => format!("cosignature/v1\ntime {time}\nanother log\n{text}"),
        false => format!("cosignature/v1\ntime {time}\n{text}"),
    };
    let signature = state.key.sign(signed.as_bytes()).to_bytes();
    let line = [&key_id(&state.key)[..], &time.to_be_bytes(), &signature].concat();
    let stranger = BASE64.encode([9; 76]);
    let line = BASE64.encode(line);
    (
        200,
        format!("\u{2014} {NAME} {line}\n\u{2014} stranger.example {stranger}\n"),
    )
}
