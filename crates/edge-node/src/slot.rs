//! The buckets of a node.

use std::collections::HashMap;

use tidegate_token_bucket::Member;
use tidegate_wire::BucketRates;

use crate::counts::Counts;

/// A bucket of one [`crate::EdgeNode`], resolved once: spares the look-up by name at every take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BucketHandle(pub(crate) u32);

/// A bucket at this node, with the counts of its open window.
#[derive(Debug)]
pub(crate) struct Slot {
    pub id: String,
    pub member: Member,
    /// What the table grants it; `None` when the default entry serves it.
    pub listed: Option<BucketRates>,
    /// Someone holds a handle, so it stays.
    pub pinned: bool,
    pub counts: Counts,
}

/// All buckets of a node, found by name or by handle.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    by_id: HashMap<String, u32>,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
}

impl Slots {
    pub fn find(&self, id: &str) -> Option<BucketHandle> {
        self.by_id.get(id).copied().map(BucketHandle)
    }

    /// The bucket of a handle; `None` when the handle belongs to another node.
    pub fn get_mut(&mut self, handle: BucketHandle) -> Option<&mut Slot> {
        self.slots.get_mut(handle.0 as usize)?.as_mut()
    }

    pub fn get(&self, handle: BucketHandle) -> Option<&Slot> {
        self.slots.get(handle.0 as usize)?.as_ref()
    }

    pub fn insert(&mut self, slot: Slot) -> BucketHandle {
        let index = self.free.pop().unwrap_or(self.slots.len() as u32);
        self.by_id.insert(slot.id.clone(), index);
        match self.slots.get_mut(index as usize) {
            Some(place) => *place = Some(slot),
            None => self.slots.push(Some(slot)),
        }
        BucketHandle(index)
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.slots.iter_mut().flatten()
    }

    /// Drops every slot that `keep` says no to.
    pub fn retain(&mut self, keep: impl Fn(&Slot) -> bool) {
        for (index, place) in self.slots.iter_mut().enumerate() {
            if let Some(slot) = place.take_if(|slot| !keep(slot)) {
                self.by_id.remove(&slot.id);
                self.free.push(index as u32);
            }
        }
    }
}

/// Tokens of a bucket's ceiling that one of `instances` may save: a request takes one, however slowly it comes.
pub(crate) fn ceiling_burst(rates: &BucketRates, step_s: u32, instances: f64) -> f64 {
    let whole = rates.ceiling_burst.unwrap_or(rates.ceiling_per_s * f64::from(step_s) + rates.capacity);
    let least = if rates.ceiling_per_s > 0.0 { 1.0 } else { 0.0 };
    (whole / instances).max(least)
}
