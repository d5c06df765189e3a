//! A budget of bytes in memory, shared by threads.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// So many bytes may be out at once.
#[derive(Debug)]
pub(super) struct Budget {
    bytes_max: usize,
    out: Mutex<usize>,
    given_back: Condvar,
}

/// A share of a [`Budget`]; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    pub(super) fn new(bytes_max: usize) -> Arc<Budget> {
        Arc::new(Budget {
            bytes_max,
            out: Mutex::new(0),
            given_back: Condvar::new(),
        })
    }

    /// Takes a share, as soon as it is there. One that is larger than the whole budget is given alone.
    pub(super) fn take(self: &Arc<Budget>, bytes: usize) -> Share {
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let is_too_much = |out: &mut usize| *out > 0 && *out + bytes > self.bytes_max;
        let mut out = self
            .given_back
            .wait_while(out, is_too_much)
            .unwrap_or_else(PoisonError::into_inner);
        *out += bytes;
        Share {
            budget: Arc::clone(self),
            bytes,
        }
    }
}

impl Share {
    /// How large it is.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let out = self.budget.out.lock();
        *out.unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.budget.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_share_waits_until_there_is_room_and_one_too_large_is_given_alone() {
        let budget = Budget::new(100);
        let first = budget.take(500);
        let (taken, was_taken) = channel();
        let other = Arc::clone(&budget);
        let thread = thread::spawn(move || {
            let shares = (other.take(60), other.take(40));
            taken.send(()).expect("the test waits");
            shares
        });
        assert!(was_taken.recv_timeout(Duration::from_millis(50)).is_err());
        drop(first);
        was_taken.recv().expect("there is room now");
        drop(thread.join());
        assert_eq!(*budget.out.lock().expect("not poisoned"), 0);
    }
}
