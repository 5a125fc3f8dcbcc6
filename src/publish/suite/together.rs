//! Every store at once, one of them hanging.

use std::{net::TcpListener, sync::Arc, time::Duration};

use super::{
    cloudflare_api::CloudflareApi,
    edgekv_api::EdgeKvApi,
    fastly_api::FastlyApi,
    harness::{Harness, PATIENCE},
    nats,
    nats_server::NatsServer,
    publishing::{Run, settings},
    redis,
    redis_server::RedisServer,
};
use crate::publish::{
    publisher::PublishSettings,
    read::read_table,
    store::RateStore,
    testing::{edit, plan},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_hangs_keeps_nobody_from_the_end() {
    let (slow, well) = (EdgeKvApi::start(), FastlyApi::start());
    slow.be_silent(true);
    let stores = [slow.open(), well.open()];
    let run = Run::start(&[&stores[0], &stores[1]], &PublishSettings { deadline: PATIENCE * 100, ..settings() });
    run.send(plan(1, &["a"]));
    run.status(1, 1).await;
    run.end(Duration::from_millis(10)).await;
    assert_eq!(read_table(&*stores[1], "a").await.unwrap().unwrap().epoch, 1);
    assert_eq!(slow.written(), [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_store_hangs_all_others_get_every_plan() {
    let (redis, nats) = (RedisServer::start(&[]), NatsServer::start());
    let (cloudflare, fastly, edgekv) = (CloudflareApi::start(), FastlyApi::start(), EdgeKvApi::start());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap();
    let mut epoch = 0;
    for hanging in 0..5 {
        let stores: [Arc<dyn RateStore>; 5] = [
            if hanging == 0 { Arc::new(redis::connect(&redis::address(&format!("redis://{silent}/0")))) } else { redis.open() },
            if hanging == 1 { Arc::new(nats::connect(nats::address(&format!("nats://{silent}")))) } else { nats.open() },
            cloudflare.open(),
            fastly.open(),
            edgekv.open(),
        ];
        cloudflare.be_silent(hanging == 2);
        fastly.be_silent(hanging == 3);
        edgekv.be_silent(hanging == 4);
        let all: Vec<_> = stores.iter().collect();
        let run = Run::start(&all, &PublishSettings { deadline: PATIENCE * 100, ..settings() });
        for _ in 0..2 {
            epoch += 1;
            let mut next = plan(epoch, &["a", "b"]);
            edit(&mut next, "a").pool.capacity = epoch as f64 * 1_000.0;
            cloudflare.pass(1_000);
            run.send(next);
            for (index, store) in stores.iter().enumerate().filter(|(index, _)| *index != hanging) {
                let status = run.status(index, epoch).await;
                assert_eq!(status.failed, 0, "{} while {} hangs: {status:?}", store.name(), stores[hanging].name());
                assert_eq!(read_table(&**store, "a").await.unwrap().unwrap().epoch, epoch, "{}", store.name());
            }
        }
    }
}
