//! `Queue`: a bounded queue for several threads, that wakes them seldom: whoever waits for room is woken when half of it is
//! there. To wake a thread for each job would take as long as to read a small file.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The end at which jobs are taken out. When all [`Inlet`]s are gone and it is empty, no more will come.
#[derive(Debug)]
pub(super) struct Queue<T> {
    max: usize,
    state: Mutex<State<T>>,
    came: Condvar,
    has_room: Condvar,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    /// It was full, and is not yet half empty again.
    is_full: bool,
    is_closed: bool,
    /// So many threads wait for something to come.
    idle: usize,
}

/// The end at which jobs are put in.
#[derive(Debug)]
pub(super) struct Inlet<T>(Arc<Closing<T>>);

#[derive(Debug)]
struct Closing<T>(Arc<Queue<T>>);

/// A queue in which at most `max` wait.
pub(super) fn queue<T>(max: usize) -> (Inlet<T>, Arc<Queue<T>>) {
    let queue = Arc::new(Queue {
        max: max.max(1),
        state: Mutex::new(State {
            waiting: VecDeque::new(),
            is_full: false,
            is_closed: false,
            idle: 0,
        }),
        came: Condvar::new(),
        has_room: Condvar::new(),
    });
    (Inlet(Arc::new(Closing(Arc::clone(&queue)))), queue)
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next, as soon as there is one; `None` when none will come any more.
    pub(super) fn wait(&self) -> Option<T> {
        let mut state = self.lock();
        while state.waiting.is_empty() && !state.is_closed {
            state.idle += 1;
            state = self
                .came
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        self.pop(&mut state)
    }

    /// The next if one is there that no other thread waits for.
    pub(super) fn take(&self) -> Option<T> {
        let mut state = self.lock();
        if state.waiting.len() <= state.idle {
            return None;
        }
        self.pop(&mut state)
    }

    fn pop(&self, state: &mut State<T>) -> Option<T> {
        let next = state.waiting.pop_front();
        if state.is_full && state.waiting.len() <= self.max / 2 {
            state.is_full = false;
            self.has_room.notify_all();
        }
        next
    }
}

impl<T> Inlet<T> {
    /// Puts one in, as soon as there is room.
    pub(super) fn put(&self, one: T) {
        let Closing(queue) = &*self.0;
        let state = queue.lock();
        let state = queue.has_room.wait_while(state, |state| state.is_full);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.waiting.push_back(one);
        state.is_full = state.waiting.len() >= queue.max;
        if state.idle > 0 {
            queue.came.notify_one();
        }
    }
}

impl<T> Clone for Inlet<T> {
    fn clone(&self) -> Inlet<T> {
        Inlet(Arc::clone(&self.0))
    }
}

impl<T> Drop for Closing<T> {
    fn drop(&mut self) {
        let Closing(queue) = self;
        queue.lock().is_closed = true;
        queue.came.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn all_that_several_threads_put_in_is_taken_out_once() {
        const EACH: usize = 2000;
        let (inlet, queue) = queue(8);
        let taken = thread::scope(|scope| {
            for number in 0..3 {
                let inlet = inlet.clone();
                scope.spawn(move || (0..EACH).for_each(|one| inlet.put(number * EACH + one)));
            }
            drop(inlet);
            let takers: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| std::iter::from_fn(|| queue.wait()).collect::<Vec<_>>()))
                .collect();
            let taken = takers
                .into_iter()
                .flat_map(|taker| taker.join().expect("it takes"));
            taken.collect::<Vec<_>>()
        });
        assert_eq!(taken.len(), 3 * EACH);
        assert_eq!(taken.into_iter().collect::<BTreeSet<_>>().len(), 3 * EACH);
        assert_eq!((queue.wait(), queue.take()), (None, None));
    }

    #[test]
    fn who_waits_is_let_go_when_nothing_will_come() {
        let (inlet, queue) = queue::<u8>(8);
        let thread = thread::spawn(move || queue.wait());
        thread::sleep(Duration::from_millis(20));
        drop(inlet.clone());
        drop(inlet);
        assert_eq!(thread.join().expect("it was let go"), None);
    }

    #[test]
    fn a_full_queue_takes_more_when_half_of_it_is_gone() {
        let (inlet, queue) = queue(4);
        (0..4).for_each(|one| inlet.put(one));
        let (put, was_put) = channel();
        let thread = thread::spawn(move || {
            inlet.put(4);
            put.send(()).expect("the test waits");
        });
        assert_eq!((queue.wait(), was_put.try_recv().is_ok()), (Some(0), false));
        assert!(was_put.recv_timeout(Duration::from_millis(50)).is_err());
        assert_eq!(queue.take(), Some(1));
        was_put.recv().expect("there is room now");
        thread.join().expect("it was put in");
        assert_eq!(
            std::iter::from_fn(|| queue.take()).collect::<Vec<_>>(),
            [2, 3, 4]
        );
    }
}
