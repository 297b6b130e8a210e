//! The open connections, as many as the limits allow.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::Limits;

/// The open connections of a server.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    limits: Limits,
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// By their numbers: the oldest is the first.
    open: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    address: IpAddr,
    /// The number of requests in progress.
    requests: usize,
    /// Whether the client does not take its answer.
    stalled: Arc<AtomicBool>,
    close: CancellationToken,
}

impl Entry {
    fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }
}

impl Slots {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, table: Arc::default() }
    }

    /// A place for a new connection. Beyond a limit, the oldest connection without a request in progress is closed for
    /// it, or else the oldest one whose client does not take its answer: half-open connections and clients that do not
    /// read never keep another client out. `None` if every connection is served.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Slot> {
        let mut table = lock(&self.table);
        let of_address = table.open.values().filter(|entry| entry.address == address).count();
        if of_address >= self.limits.per_address {
            table.close_oldest(|entry| entry.address == address)?;
        }
        if table.open.len() >= self.limits.total {
            table.close_oldest(|_| true)?;
        }
        let number = table.next;
        table.next += 1;
        let (stalled, close) = (Arc::<AtomicBool>::default(), CancellationToken::new());
        let entry =
            Entry { address, requests: 0, stalled: Arc::clone(&stalled), close: close.clone() };
        table.open.insert(number, entry);
        Some(Slot { number, table: Arc::clone(&self.table), stalled, close })
    }
}

impl Table {
    fn close_oldest(&mut self, wanted: impl Fn(&Entry) -> bool) -> Option<()> {
        let oldest = |free: fn(&Entry) -> bool| {
            self.open.iter().find(|(_, entry)| free(entry) && wanted(entry))
        };
        let idle = oldest(|entry| entry.requests == 0);
        let number = *idle.or_else(|| oldest(Entry::is_stalled))?.0;
        let entry = self.open.remove(&number)?;
        entry.close.cancel();
        Some(())
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place of one connection; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    number: u64,
    table: Arc<Mutex<Table>>,
    /// Set while the client does not take its answer.
    pub(crate) stalled: Arc<AtomicBool>,
    /// Cancelled when the connection has to make room.
    pub(crate) close: CancellationToken,
}

impl Slot {
    /// Marks the connection as having a request in progress, until the result is dropped.
    pub(crate) fn request(&self) -> Busy {
        if let Some(entry) = lock(&self.table).open.get_mut(&self.number) {
            entry.requests += 1;
        }
        Busy { number: self.number, table: Arc::clone(&self.table) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        lock(&self.table).open.remove(&self.number);
    }
}

/// A request in progress.
#[derive(Debug)]
pub(crate) struct Busy {
    number: u64,
    table: Arc<Mutex<Table>>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(entry) = lock(&self.table).open.get_mut(&self.number) {
            entry.requests -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    fn slots(per_address: usize, total: usize) -> Slots {
        Slots::new(Limits { head: Duration::from_secs(1), per_address, total })
    }

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(127, 0, 0, last).into()
    }

    #[test]
    fn a_new_connection_replaces_the_oldest_idle_one_of_its_address() {
        let slots = slots(2, 10);
        let other = slots.take(address(2)).unwrap();
        let busy = slots.take(address(1)).unwrap();
        let request = busy.request();
        let idle = slots.take(address(1)).unwrap();
        let new = slots.take(address(1)).unwrap();
        assert!(idle.close.is_cancelled());
        assert!([&other, &busy, &new].iter().all(|slot| !slot.close.is_cancelled()));
        let second = new.request();
        assert!(slots.take(address(1)).is_none(), "all its connections have requests");
        drop((idle, request));
        assert!(slots.take(address(1)).is_some());
        assert!(busy.close.is_cancelled() && !new.close.is_cancelled());
        drop(second);
    }

    #[test]
    fn clients_that_do_not_read_their_answers_keep_no_one_out() {
        let slots = slots(2, 10);
        let open = [slots.take(address(1)).unwrap(), slots.take(address(1)).unwrap()];
        let _requests = open.each_ref().map(Slot::request);
        assert!(slots.take(address(1)).is_none());
        open[1].stalled.store(true, Ordering::Relaxed);
        assert!(slots.take(address(1)).is_some());
        assert!(!open[0].close.is_cancelled() && open[1].close.is_cancelled());
    }

    #[test]
    fn all_addresses_share_a_total_limit() {
        let slots = slots(2, 3);
        let open: Vec<_> = (1..=3).map(|n| slots.take(address(n)).unwrap()).collect();
        let _new = slots.take(address(4)).unwrap();
        assert!(open[0].close.is_cancelled() && !open[1].close.is_cancelled());
        drop(open);
        assert_eq!(lock(&slots.table).open.len(), 1);
    }
}
