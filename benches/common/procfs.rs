//! What Linux tells of a process's time.

/// The ticks of the clock in a process's two fields of `stat` from the one so many behind its name, in seconds (`proc(5)`: behind
/// 11 its own time, of user and system, behind 13 that of its children; in hundredths of a second, for USER_HZ is 100 on all
/// architectures of Linux that matter here).
pub(crate) fn cpu_seconds(process: &str, fields: usize) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks = after_name.split_whitespace().skip(fields).take(2);
    ticks
        .map(|ticks| ticks.parse::<f64>().unwrap())
        .sum::<f64>()
        / 100.0
}
