//! Names of the rows, and the way from a name to its row.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use serde::{Deserialize, Serialize};

/// Name of the row that holds a node's total. No bucket id is empty, so it can't be taken.
pub const TOTAL: &str = "";

/// Finds rows by (node, bucket); freed rows are used again.
#[derive(Default)]
pub struct Index {
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    names: Vec<Option<Box<str>>>,
    nodes: Vec<u32>,
    free: Vec<u32>,
}

impl Index {
    /// Number of named rows.
    pub fn live(&self) -> usize {
        self.table.len()
    }

    /// The bucket of `row`; `None` when the row is free.
    pub fn name(&self, row: usize) -> Option<&str> {
        self.names[row].as_deref()
    }

    /// The row of a bucket at a node.
    pub fn find(&self, node: u32, bucket: &str) -> Option<u32> {
        let same = |row: &u32| self.nodes[*row as usize] == node && self.names[*row as usize].as_deref() == Some(bucket);
        self.table.find(hash(&self.hasher, node, bucket), same).copied()
    }

    /// Names a free row, or a new one at the end; the caller makes room for it in the columns.
    pub fn insert(&mut self, node: u32, bucket: &str) -> u32 {
        let row = self.free.pop().unwrap_or(self.names.len() as u32);
        if row as usize == self.names.len() {
            self.names.push(None);
            self.nodes.push(0);
        }
        self.names[row as usize] = Some(bucket.into());
        self.nodes[row as usize] = node;
        self.enter(row);
        row
    }

    /// Frees a row.
    pub fn remove(&mut self, row: u32) {
        let Some(name) = self.names[row as usize].take() else { return };
        if let Ok(entry) = self.table.find_entry(hash(&self.hasher, self.nodes[row as usize], &name), |r| *r == row) {
            entry.remove();
        }
        self.free.push(row);
    }

    fn enter(&mut self, row: u32) {
        let Self { table, hasher, names, nodes, .. } = self;
        let key = |r: u32| hash(hasher, nodes[r as usize], names[r as usize].as_deref().unwrap_or(TOTAL));
        table.insert_unique(key(row), row, |r| key(*r));
    }
}

fn hash(hasher: &DefaultHashBuilder, node: u32, bucket: &str) -> u64 {
    hasher.hash_one((node, bucket))
}

/// What of the index is kept in a snapshot: the table is made anew from the names.
#[derive(Serialize, Deserialize)]
struct Kept {
    names: Vec<Option<Box<str>>>,
    nodes: Vec<u32>,
    free: Vec<u32>,
}

impl Serialize for Index {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Kept { names: self.names.clone(), nodes: self.nodes.clone(), free: self.free.clone() }.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Index {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let Kept { names, nodes, free } = Kept::deserialize(d)?;
        if names.len() != nodes.len() {
            return Err(serde::de::Error::custom("names and nodes differ in number"));
        }
        let mut index = Self { names, nodes, free, ..Self::default() };
        for row in 0..index.names.len() as u32 {
            if index.names[row as usize].is_some() {
                index.enter(row);
            }
        }
        Ok(index)
    }
}
