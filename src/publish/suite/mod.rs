//! One suite of behaviours, run over every adapter, each with the real thing behind it.

mod akamai;
mod cloudflare;
mod cloudflare_api;
mod edgekv_api;
mod embedded;
mod fastly;
mod fastly_api;
mod harness;
mod nats;
mod nats_accounts;
mod nats_server;
mod provider;
mod publishing;
mod redis;
mod redis_server;
mod server;
mod stores;
mod together;

/// Runs each behaviour of the suite as a test of the harness.
macro_rules! behaviours {
    ($harness:ty: $($module:ident::$behaviour:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                super::$module::$behaviour(&<$harness as super::harness::Harness>::start()).await;
            }
        )+
    };
}

/// Runs the whole suite over one adapter.
macro_rules! suite {
    ($harness:ty) => {
        super::behaviours!($harness:
            stores::a_value_is_found_until_it_is_deleted,
            stores::a_batch_is_written_whole,
            stores::an_older_epoch_changes_nothing,
            stores::only_what_is_too_large_fails,
            stores::values_and_fence_outlive_a_restart,
            stores::what_has_expired_is_gone,
            stores::a_table_reads_back_whole_and_in_shards,
            stores::a_torn_table_is_not_read,
            publishing::only_what_changed_is_written,
            publishing::a_table_too_large_for_the_store_holds_back_no_other,
            publishing::a_vanished_node_leaves_no_key,
            publishing::a_writer_that_is_behind_writes_nothing_until_it_is_ahead,
            publishing::what_is_beyond_the_allowance_waits_for_the_next_plan,
            publishing::the_last_plan_is_written_before_the_end,
        );
    };
}

use behaviours;
use suite;
