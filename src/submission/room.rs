//! How many clients there is room for: in all, from one address, and of those of whom nobody knows yet who they are.
//!
//! Whoever has not logged in may hold half of all places at most, so that slow strangers cannot keep the team out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The places, and who holds them.
#[derive(Debug)]
pub(super) struct Room {
    in_all: usize,
    per_address: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    strangers: usize,
    in_all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Full {
    /// For nobody.
    Everywhere,
    /// For this address.
    Address,
}

/// A place that somebody holds; dropped, it is free.
#[derive(Debug)]
pub(super) struct Place {
    room: Arc<Room>,
    address: IpAddr,
    is_stranger: bool,
}

impl Room {
    pub(super) fn new(in_all: usize, per_address: usize) -> Arc<Room> {
        Arc::new(Room { in_all, per_address, held: Mutex::default() })
    }

    /// A place for a stranger.
    pub(super) fn enter(self: &Arc<Room>, address: IpAddr) -> Result<Place, Full> {
        let address = address.to_canonical();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.in_all >= self.in_all || held.strangers >= self.in_all.div_ceil(2) {
            return Err(Full::Everywhere);
        }
        let here = held.by_address.entry(address).or_default();
        if *here >= self.per_address {
            return Err(Full::Address);
        }
        *here += 1;
        held.strangers += 1;
        held.in_all += 1;
        Ok(Place { room: Arc::clone(self), address, is_stranger: true })
    }
}

impl Place {
    /// Whoever holds it has logged in.
    pub(super) fn is_known(&mut self) {
        if std::mem::replace(&mut self.is_stranger, false) {
            let mut held = self.room.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.strangers = held.strangers.saturating_sub(1);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.is_known();
        let mut held = self.room.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.in_all = held.in_all.saturating_sub(1);
        if let Some(here) = held.by_address.get_mut(&self.address) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                held.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_hold_half_and_one_address_its_share() {
        let room = Room::new(6, 2);
        let at = |last| IpAddr::from([192, 0, 2, last]);
        let mut one = room.enter(at(1)).unwrap();
        let other = room.enter(at(1)).unwrap();
        assert_eq!(room.enter(at(1)).unwrap_err(), Full::Address);
        let third = room.enter(at(2)).unwrap();
        assert_eq!(room.enter(at(3)).unwrap_err(), Full::Everywhere);
        one.is_known();
        let fourth = room.enter(at(3)).unwrap();
        drop((one, other, third, fourth));
        let held = room.held.lock().unwrap();
        assert!(held.in_all == 0 && held.strangers == 0 && held.by_address.is_empty());
    }
}
