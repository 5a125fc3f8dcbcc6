//! A server of NATS that knows accounts by their JWTs alone, and a user's `.creds` for it.
//!
//! Who signs what: <https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt>.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use nkeys::KeyPair;
use serde_json::{Value, json};

use super::nats_server::NatsServer;

/// Starts a server whose operator made one account with JetStream; returns it with the credentials of that account's user.
pub(super) fn start_with_operator() -> (NatsServer, String) {
    let [operator, system, account, user] = [KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_account(), KeyPair::new_user()];
    let [system_id, account_id] = [system.public_key(), account.public_key()];
    let plenty = json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1, "leaf": -1, "wildcards": true});
    let mut with_jetstream = plenty.clone();
    for key in ["mem_storage", "disk_storage", "streams", "consumer"] {
        with_jetstream[key] = json!(-1);
    }
    let account_of = |id: &str, limits| token(&operator, id, json!({"type": "account", "version": 2, "limits": limits}));
    let configuration = format!(
        "operator: {}\nsystem_account: {system_id}\nresolver: MEMORY\nresolver_preload {{ {system_id}: {}, {account_id}: {} }}",
        token(&operator, &operator.public_key(), json!({"type": "operator", "version": 2, "system_account": system_id})),
        account_of(&system_id, plenty),
        account_of(&account_id, with_jetstream),
    );
    let jwt = token(&account, &user.public_key(), json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1}));
    let seed = user.seed().unwrap();
    let credentials = format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    (NatsServer::start_with(&configuration), credentials)
}

/// What `issuer` says of `subject`, signed.
fn token(issuer: &KeyPair, subject: &str, claims: Value) -> String {
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let said = json!({"jti": subject, "iat": 1_700_000_000, "iss": issuer.public_key(), "name": "test", "sub": subject, "nats": claims});
    let unsigned = format!("{}.{}", part(json!({"typ": "JWT", "alg": "ed25519-nkey"})), part(said));
    let signature = issuer.sign(unsigned.as_bytes()).unwrap();
    format!("{unsigned}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}
