//! `SortedLines`: any number of lines in byte order, within bounded memory: sorted runs go to files and are merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// So many bytes of lines are held in memory.
const RUN_BYTES_MAX: usize = 16 << 20;

pub(super) struct SortedLines {
    path: PathBuf,
    lines: Vec<Vec<u8>>,
    bytes: usize,
    bytes_max: usize,
    runs: Vec<PathBuf>,
}

impl SortedLines {
    /// Lines that will stand at `path`; the runs lie beside it meanwhile.
    pub(super) fn new(path: &Path) -> SortedLines {
        SortedLines {
            path: path.to_owned(),
            lines: Vec::new(),
            bytes: 0,
            bytes_max: RUN_BYTES_MAX,
            runs: Vec::new(),
        }
    }

    /// Adds a line, without its end.
    pub(super) fn push(&mut self, line: Vec<u8>) -> io::Result<()> {
        self.bytes += line.len();
        self.lines.push(line);
        if self.bytes < self.bytes_max {
            return Ok(());
        }
        let run = self.path.with_extension(format!("run-{}", self.runs.len()));
        write_lines(&run, self.take_sorted())?;
        self.runs.push(run);
        Ok(())
    }

    /// Writes all lines in their order.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let last = self.take_sorted();
        if self.runs.is_empty() {
            return write_lines(&self.path, last);
        }
        let mut sources: Vec<Box<dyn Iterator<Item = io::Result<Vec<u8>>>>> = Vec::new();
        for run in &self.runs {
            sources.push(Box::new(BufReader::new(File::open(run)?).split(b'\n')));
        }
        sources.push(Box::new(last.into_iter().map(Ok)));
        let mut heads = BinaryHeap::new();
        for (number, source) in sources.iter_mut().enumerate() {
            if let Some(line) = source.next() {
                heads.push(Reverse((line?, number)));
            }
        }
        let mut out = BufWriter::new(File::create(&self.path)?);
        while let Some(Reverse((line, number))) = heads.pop() {
            out.write_all(&line)?;
            out.write_all(b"\n")?;
            if let Some(line) = sources[number].next() {
                heads.push(Reverse((line?, number)));
            }
        }
        out.into_inner()?.sync_all()?;
        self.runs.iter().try_for_each(fs::remove_file)
    }

    fn take_sorted(&mut self) -> Vec<Vec<u8>> {
        self.bytes = 0;
        let mut lines = std::mem::take(&mut self.lines);
        lines.sort_unstable();
        lines
    }
}

fn write_lines(path: &Path, lines: Vec<Vec<u8>>) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for line in lines {
        out.write_all(&line)?;
        out.write_all(b"\n")?;
    }
    out.into_inner()?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_many_runs_come_out_in_order_and_leave_no_run_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("index.cdxj");
        let mut sorted = SortedLines::new(&path);
        sorted.bytes_max = 100;
        let mut expected: Vec<String> = (0..500).map(|n| format!("{:03}", n * 7 % 251)).collect();
        for line in &expected {
            sorted.push(line.clone().into_bytes()).expect("pushed");
        }
        assert!(sorted.runs.len() > 10);
        sorted.finish().expect("written");
        expected.sort();
        let text = fs::read_to_string(&path).expect("read");
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
    }
}
