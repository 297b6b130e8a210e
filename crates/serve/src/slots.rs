//! The open connections, as many as the limits allow.

use std::collections::BTreeMap;
use std::net::IpAddr;
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
    close: CancellationToken,
}

impl Slots {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, table: Arc::default() }
    }

    /// A place for a new connection. Beyond a limit, the oldest connection without a request in progress is closed for
    /// it: half-open connections never keep a client out. `None` if every connection has a request in progress.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Slot> {
        let mut table = lock(&self.table);
        let of_address = table.open.values().filter(|entry| entry.address == address).count();
        if of_address >= self.limits.per_address {
            table.close_oldest_idle(|entry| entry.address == address)?;
        }
        if table.open.len() >= self.limits.total {
            table.close_oldest_idle(|_| true)?;
        }
        let number = table.next;
        table.next += 1;
        let close = CancellationToken::new();
        table.open.insert(number, Entry { address, requests: 0, close: close.clone() });
        Some(Slot { number, table: Arc::clone(&self.table), close })
    }
}

impl Table {
    fn close_oldest_idle(&mut self, wanted: impl Fn(&Entry) -> bool) -> Option<()> {
        let idle = self.open.iter().find(|(_, entry)| entry.requests == 0 && wanted(entry));
        let number = *idle?.0;
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
    fn all_addresses_share_a_total_limit() {
        let slots = slots(2, 3);
        let open: Vec<_> = (1..=3).map(|n| slots.take(address(n)).unwrap()).collect();
        let _new = slots.take(address(4)).unwrap();
        assert!(open[0].close.is_cancelled() && !open[1].close.is_cancelled());
        drop(open);
        assert_eq!(lock(&slots.table).open.len(), 1);
    }
}
