//! What must hold whatever comes in: one module per invariant, each driving the planner with streams made by [`stream`].

mod bounds;
mod capacity;
mod determinism;
mod epochs;
mod floors;
mod forecast;
mod guarantees;
mod learning;
mod leases;
mod nodes;
mod pool;
mod restore;
mod settings;
mod stream;
