//! What a node does with its tables: adoption, batches, unlisted buckets, the ladder, reports.

use tidegate_edge_node::{Adoption, EdgeNode, OTHER, Options, Refusal, RefusedTable, Taken};
use tidegate_wire::{BucketRates, Mode, PoolRates, RateTable, Timestamp};

const T0: i64 = 1_763_755_200;

fn at(s: i64) -> Timestamp {
    Timestamp::from_secs(T0 + s)
}

/// Pool of 10/s with 20 to lend; bucket `a` is guaranteed 4/s and 40 tokens; all others may borrow 5/s.
fn table(epoch: u64) -> RateTable {
    let a = BucketRates { refill_per_s: vec![4.0, 8.0], capacity: 40.0, ceiling_per_s: 1000.0, safe_per_s: 2.0, ..BucketRates::default() };
    RateTable {
        version: 1,
        node: "n".into(),
        epoch,
        issued_at: at(0),
        step_s: 30,
        expires_at: at(300),
        mode: Mode::Enforce,
        instances: 1,
        pool: PoolRates { refill_per_s: vec![10.0, 20.0], capacity: 20.0, safe_per_s: 6.0 },
        default: BucketRates { refill_per_s: vec![0.0], capacity: 3.0, ceiling_per_s: 5.0, ..BucketRates::default() },
        buckets: [("a".to_owned(), a)].into(),
        shards: vec![],
    }
}

fn node() -> EdgeNode {
    EdgeNode::new("n", None, Options::default())
}

fn leased(table: &RateTable) -> EdgeNode {
    let mut node = node();
    assert_eq!(node.adopt(table, at(0)), Adoption::Adopted);
    node
}

/// A table whose node lends a million tokens.
fn roomy(epoch: u64) -> RateTable {
    let mut table = table(epoch);
    table.pool.capacity = 1e6;
    table
}

#[test]
fn without_a_table_everything_is_refused_and_counted() {
    let mut node = node();
    let taken = node.take("a", 3, at(0));
    assert_eq!((taken.admitted, taken.throttled), (0, 3));
    let report = node.report(at(0), 30, 1);
    assert_eq!((report.buckets[0].requests, report.buckets[0].throttled, report.epoch), (3, 3, None));
}

#[test]
fn the_first_table_fills_the_node_and_later_ones_add_nothing() {
    let mut node = leased(&table(1));
    assert_eq!(node.tokens(at(0)), 60.0);
    assert_eq!(node.bucket_tokens("a", at(0)), 0.0);
    let first = node.take("a", 100, at(0));
    assert_eq!((first.guaranteed, first.borrowed, first.refusal), (0, 20, Some(Refusal::Pool)));

    let mut wider = table(2);
    wider.pool.capacity = 500.0;
    assert_eq!(node.adopt(&wider, at(5)), Adoption::Adopted);
    assert_eq!(node.tokens(at(5)), 60.0, "40 that were left and five seconds of 10/s, clipped at the old capacity");
    assert_eq!(node.tokens(at(6)), 70.0);
    assert_eq!(node.bucket_tokens("a", at(5)), 20.0, "guaranteed tokens are kept");
    assert_eq!(node.take("a", 200, at(5)).guaranteed, 20);
}

#[test]
fn a_node_that_starts_empty_is_not_filled() {
    let mut node = EdgeNode::new("n", None, Options { start_empty: true, ..Options::default() });
    node.adopt(&table(1), at(0));
    assert_eq!(node.tokens(at(1)), 10.0);
}

#[test]
fn tables_that_cannot_be_trusted_change_nothing() {
    type Spoil = fn(&mut RateTable);
    let spoil: [(&str, Spoil); 15] = [
        ("version", |t| t.version = 2),
        ("node", |t| t.node = "m".into()),
        ("epoch", |t| t.epoch = 6),
        ("instances", |t| t.instances = 0),
        ("step", |t| t.step_s = 0),
        ("expiry", |t| t.expires_at = at(-1)),
        ("pool rate", |t| t.pool.refill_per_s[1] = f64::NAN),
        ("pool capacity", |t| t.pool.capacity = f64::INFINITY),
        ("default", |t| t.default.ceiling_per_s = -1.0),
        ("bucket", |t| t.buckets.get_mut("a").unwrap().safe_per_s = f64::NAN),
        ("what all must leave", |t| t.default.must_leave = f64::INFINITY),
        ("what one must leave", |t| t.buckets.get_mut("a").unwrap().must_leave = -1.0),
        ("what nobody can leave", |t| t.buckets.get_mut("a").unwrap().must_leave = f64::NAN),
        ("bucket id", |t| t.buckets = [("ä".to_owned(), BucketRates::default())].into()),
        ("shards", |t| t.shards = vec!["elsewhere".into()]),
    ];
    let mut node = leased(&table(7));
    for (what, spoil) in spoil {
        let mut bad = table(8);
        spoil(&mut bad);
        assert!(matches!(node.adopt(&bad, at(1)), Adoption::Refused(_)), "{what}");
        assert_eq!((node.epoch(), node.refill_per_s(at(1))), (Some(7), 10.0), "{what}");
    }
    let mut bad = table(8);
    bad.buckets.get_mut("a").unwrap().must_leave = f64::NAN;
    assert_eq!(node.adopt(&bad, at(1)), Adoption::Refused(RefusedTable::Number { key: "buckets.a".into() }));
    assert_eq!(node.adopt(&table(6), at(1)), Adoption::Refused(RefusedTable::Epoch { found: 6, current: 7 }));
    assert_eq!(node.adopt(&table(7), at(1)), Adoption::Current);
    assert_eq!(node.adopt(&table(8), at(1)), Adoption::Adopted);
}

#[test]
fn a_guarantee_survives_what_others_borrow_and_drives_the_pool_into_debt() {
    let mut node = leased(&table(1));
    // Ten seconds on, `a` owns 40 of the 60 tokens.
    let other = node.take("b", 1000, at(10));
    assert_eq!((other.guaranteed, other.borrowed, other.refusal), (0, 20, Some(Refusal::Pool)));
    let owner = node.take("a", 1000, at(10));
    assert_eq!((owner.guaranteed, owner.borrowed, owner.refusal), (40, 0, Some(Refusal::Pool)));
    assert_eq!(node.tokens(at(10)), 0.0);
    assert_eq!(node.take("b", 1, at(13)).refusal, Some(Refusal::Pool), "debt is paid off before anything is lent");
}

/// A table whose unlisted buckets, and `bound` beside them, must leave 12 of the 20 tokens that the node lends.
fn reserved(epoch: u64) -> RateTable {
    let mut table = table(epoch);
    table.default.must_leave = 12.0;
    table.buckets.insert("bound".into(), BucketRates { ceiling_per_s: 1000.0, must_leave: 12.0, ..BucketRates::default() });
    table
}

#[test]
fn unlisted_buckets_leave_what_they_must_to_one_that_is_listed() {
    let mut node = leased(&reserved(1));
    let first = node.take("new", 1000, at(0));
    assert_eq!((first.borrowed, first.refusal), (8, Some(Refusal::Pool)));
    for other in ["newer", "bound"] {
        assert_eq!(node.take(other, 1, at(0)).refusal, Some(Refusal::Pool), "{other}");
    }
    let known = node.take("a", 12, at(0));
    assert_eq!((known.guaranteed, known.borrowed, known.refusal), (0, 12, None));
}

#[test]
fn a_guarantee_leaves_nothing_to_anyone() {
    let mut table = reserved(1);
    table.buckets.get_mut("a").unwrap().must_leave = 1e9;
    let owner = leased(&table).take("a", 1000, at(10));
    assert_eq!((owner.guaranteed, owner.borrowed, owner.refusal), (40, 0, Some(Refusal::Pool)));
}

#[test]
fn what_must_be_left_holds_on_all_rungs_and_until_another_table() {
    for s in [0, 29, 100, 450, 1000] {
        for bucket in ["new", "bound"] {
            let mut node = leased(&reserved(1));
            node.resolve(bucket, at(0));
            assert_eq!(node.take(bucket, 100, at(s)).borrowed, 8, "{bucket} after {s} s");
            node.adopt(&table(2), at(s));
            assert_eq!(node.take("new", 100, at(s)).borrowed, 12, "{bucket} after {s} s");
        }
    }
}

#[test]
fn an_unlisted_bucket_stays_below_the_default_ceiling() {
    let mut node = leased(&roomy(1));
    let burst = node.take("new", 1000, at(0));
    assert_eq!((burst.admitted, burst.refusal), (5 * 30 + 3, Some(Refusal::Ceiling)));
    assert_eq!(node.take("new", 1000, at(2)).admitted, 10);
    assert_eq!(node.take("another", 10, at(2)).admitted, 10);
}

#[test]
fn shadow_mode_counts_what_it_does_not_refuse() {
    let mut node = leased(&RateTable { mode: Mode::Shadow, ..table(1) });
    let taken = node.take("a", 100, at(0));
    assert_eq!((taken.admitted, taken.throttled), (100, 80));
    assert_eq!(node.report(at(0), 30, 1).buckets[0].throttled, 80);
}

#[test]
fn each_instance_enforces_its_share() {
    let mut node = EdgeNode::new("n", Some("i1".into()), Options::default());
    node.adopt(&RateTable { instances: 4, ..table(1) }, at(0));
    assert_eq!(node.take("a", 100, at(0)).admitted, 5);
    assert_eq!(node.take("a", 100, at(4)).guaranteed, 4);
    assert_eq!(node.take("a", 100, at(29)).guaranteed, 10);
    assert_eq!(node.report(at(0), 30, 1).instance.as_deref(), Some("i1"));

    let mut node = leased(&RateTable { instances: 4, ..reserved(1) });
    assert_eq!([node.take("new", 100, at(0)).borrowed, node.take("a", 100, at(0)).borrowed], [2, 3]);
}

#[test]
fn rates_walk_down_the_ladder_without_a_new_table() {
    let mut node = leased(&table(1));
    let step_0 = node.take("a", 10_000, at(29));
    assert_eq!((step_0.guaranteed, step_0.borrowed), (40, 0), "the burst has put the pool into debt");
    assert_eq!(node.take("a", 10_000, at(33)).guaranteed, 4 + 3 * 8, "the step began at 30 s");
    let rates = [299, 450, 700].map(|s| node.refill_per_s(at(s)));
    assert_eq!(rates, [20.0, 20.0 - 14.0 * 31.0 / 60.0, 6.0]);
    node.take("a", 10_000, at(1000));
    assert_eq!(node.take("a", 10_000, at(1010)).guaranteed, 20, "2/s of its own are left when everything else is gone");
}

#[test]
fn a_rest_over_many_rungs_accrues_what_each_of_them_grants() {
    let [mut at_once, mut by_the_second] = [(); 2].map(|()| {
        let mut node = leased(&table(1));
        node.take("b", 20, at(0));
        node.adopt(&roomy(2), at(0));
        node
    });
    for s in 1..=700 {
        by_the_second.tokens(at(s));
    }
    let tokens = at_once.tokens(at(700));
    assert_eq!(tokens, by_the_second.tokens(at(700)));
    // 40 are left; then 30 s of 10/s, 270 s of 20/s, 59 stairs of 5 s down to 6/s, and the safe rate.
    let stairs: f64 = (1..60).map(|k| 5.0 * (20.0 - 14.0 * f64::from(k) / 60.0)).sum();
    let expected = 40.0 + 300.0 + 5400.0 + stairs + 105.0 * 6.0;
    assert!((tokens - expected).abs() < 1e-3, "{tokens} instead of {expected}");
}

#[test]
fn a_new_table_comes_after_what_the_old_one_granted_until_then() {
    let mut node = leased(&roomy(1));
    for i in 0..100 {
        node.take(&format!("b{i}"), 100, at(0));
    }
    let before = node.tokens(at(0));
    let mut scarce = roomy(2);
    scarce.pool.refill_per_s = vec![0.0];
    node.adopt(&scarce, at(40));
    assert_eq!(node.tokens(at(50)), before + 30.0 * 10.0 + 10.0 * 20.0);
}

#[test]
fn a_report_says_how_old_a_table_was_when_it_came() {
    let staleness_ms = |node: &mut EdgeNode| node.report(at(0), 30, 1).staleness_ms;
    let mut node = leased(&table(0));
    node.adopt(&table(1), at(30));
    assert_eq!(staleness_ms(&mut node), None, "nobody knows how long a new process could have had its first");
    node.adopt(&table(2), at(40));
    assert_eq!(staleness_ms(&mut node), Some(40_000));
    node.take("a", 1, at(70));
    assert_eq!(staleness_ms(&mut node), Some(40_000), "it was as old on every rung");
    node.adopt(&RateTable { issued_at: at(90), ..table(3) }, at(80));
    assert_eq!(staleness_ms(&mut node), Some(0), "its clock is behind");
}

#[test]
fn a_report_drains_the_window() {
    let mut node = leased(&table(1));
    let a = node.resolve("a", at(0));
    node.take_handle(a, 15, at(0));
    node.take_handle(a, 10, at(0));
    node.take_handle(a, 12, at(1));
    node.record(a, 2, 1, 4096);
    let report = node.report(at(0), 30, 9);
    assert_eq!((report.node.as_str(), report.sequence, report.epoch, report.seconds), ("n", 9, Some(1), 30));
    let counts = &report.buckets[0];
    assert_eq!((counts.requests, counts.peak_per_s), (37, Some(25.0)));
    assert_eq!((counts.retries, counts.errors, counts.bytes), (2, 1, 4096));
    assert_eq!(node.report(at(30), 30, 10).buckets, [], "nothing is reported twice");
}

#[test]
fn idle_unlisted_buckets_are_forgotten_without_getting_a_second_burst() {
    let mut node = leased(&roomy(1));
    let kept = node.resolve("kept", at(0));
    node.take("idle", 1, at(0));
    node.take("busy", 12, at(29));
    node.report(at(0), 30, 1);
    assert_eq!(node.buckets(), 3, "`busy` has not made up for its burst, `a` is listed, `kept` is held");
    node.report(at(30), 30, 2);
    assert_eq!(node.buckets(), 2);
    assert_eq!(node.take_handle(kept, 1, at(60)).admitted, 1);
    node.take("fresh", 1, at(60));
    assert_eq!(node.report(at(60), 30, 3).buckets.len(), 2);
}

#[test]
fn more_buckets_than_can_be_kept_share_one() {
    let mut node = EdgeNode::new("n", None, Options { most_buckets: 3, ..Options::default() });
    node.adopt(&roomy(1), at(0));
    let admitted: u64 = (0..100).map(|i| node.take(&format!("k{i}"), 100, at(0)).admitted).sum();
    assert_eq!(admitted, 100 + 100 + 153, "two of their own beside `a`, the rest below one ceiling");
    node.take("not a legal id", 1, at(0));
    let report = node.report(at(0), 30, 1);
    let other = report.buckets.iter().find(|b| b.bucket == OTHER).unwrap();
    assert_eq!(other.requests, 98 * 100 + 1);
}

#[test]
fn a_handle_of_another_node_is_refused() {
    let (mut one, mut other) = (leased(&table(1)), leased(&table(1)));
    one.resolve("x", at(0));
    let strange = one.resolve("y", at(0));
    assert_eq!(other.take_handle(strange, 1, at(0)), Taken { throttled: 1, refusal: Some(Refusal::Pool), ..Taken::default() });
}

/// A table of `instances`, whose node has plenty for buckets that have the rates `slow`.
fn slow(instances: u32, slow: BucketRates) -> RateTable {
    let mut table = RateTable { instances, default: slow.clone(), buckets: [("slow".to_owned(), slow)].into(), ..roomy(1) };
    (table.pool.refill_per_s, table.pool.safe_per_s) = (vec![1000.0], 1000.0);
    table
}

/// What is admitted of a bucket that asks every 16 seconds, 960 times.
fn admitted(node: &mut EdgeNode, bucket: &str) -> u64 {
    (0..960).map(|ask| node.take(bucket, 1, at(ask * 16)).admitted).sum()
}

#[test]
fn a_ceiling_of_less_than_a_token_per_step_admits_what_it_brings() {
    let one_in_64_s = BucketRates { ceiling_per_s: 1.0 / 64.0, ..BucketRates::default() };
    for (instances, bucket) in [(1, "slow"), (1, "unlisted"), (4, "slow"), (4, "unlisted")] {
        let mut node = leased(&slow(instances, one_in_64_s.clone()));
        assert_eq!(admitted(&mut node, bucket), 240 / u64::from(instances), "{bucket} at one of {instances}");
    }
    let mut node = leased(&slow(1, BucketRates { ceiling_burst: Some(5.0), ..one_in_64_s }));
    assert_eq!(node.take("slow", 100, at(0)).admitted, 5, "a table may let it save more");
    let mut node = leased(&slow(1, BucketRates::default()));
    assert_eq!(admitted(&mut node, "slow"), 0, "no ceiling, no token");
}

#[test]
fn a_safe_rate_of_less_than_a_token_per_step_admits_what_it_brings() {
    let mut table = table(1);
    (table.pool.refill_per_s, table.pool.capacity, table.pool.safe_per_s) = (vec![1.0 / 64.0], 1.0, 1.0 / 64.0);
    table.buckets.clear();
    let mut node = leased(&table);
    assert_eq!(admitted(&mut node, "any"), 240, "most of it after the lease has ended");
}
