use std::{collections::BTreeSet, io::Write, path::PathBuf};

use tidegate_planner::settings::Policy;

use super::*;

fn load(text: &str) -> Result<Config, ConfigError> {
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Config::load(Some(file.path()), &Overrides::default())
}

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "toml"));
    files
}

#[test]
fn every_shipped_file_is_a_configuration() {
    assert!(shipped().len() >= 2);
    for file in shipped() {
        if let Err(e) = Config::load(Some(&file), &Overrides::default()) {
            panic!("{e}");
        }
    }
}

#[test]
fn the_commented_file_holds_the_defaults() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/tidegate.toml");
    let mut read = Config::load(Some(&file), &Overrides::default()).unwrap();
    assert_eq!(read.planner.policies, [Policy::default()]);
    read.planner.policies.clear();
    assert_eq!(read, Config::default());
}

/// Paths of all keys in `value`, without indices.
fn keys_of(value: &toml::Value, path: &str, keys: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| {
            let path = format!("{path}.{key}");
            keys_of(value, &path, keys);
            keys.insert(path);
        }),
        toml::Value::Array(items) => items.iter().for_each(|item| keys_of(item, path, keys)),
        _ => {}
    }
}

/// The line with its key or its table in force: `# key = value` and `# [table]` without the mark of a comment.
fn uncommented(line: &str) -> &str {
    let is_key = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-'));
    let is_table = |rest: &str| rest.starts_with('[') && rest.ends_with(']');
    line.strip_prefix("# ").filter(|rest| is_table(rest) || rest.split_once(" = ").is_some_and(|(word, _)| is_key(word))).unwrap_or(line)
}

#[test]
fn the_commented_file_has_every_key_and_no_other() {
    let hash = "a".repeat(64);
    let mut full = Config::default();
    full.publish.redis_url = Some("redis://127.0.0.1".into());
    full.publish.redis_username = Some("tidegate".into());
    full.publish.redis_password_file = Some("password".into());
    full.publish.redis_password_env = Some("REDIS_PASSWORD".into());
    full.publish.writes_per_s = Some(20.0);
    full.publish.nats.url = Some("nats://127.0.0.1".into());
    full.publish.nats.username = Some("tidegate".into());
    full.publish.nats.password_file = Some("password".into());
    full.publish.nats.password_env = Some("NATS_PASSWORD".into());
    full.publish.nats.credentials_file = Some("tidegate.creds".into());
    full.publish.cloudflare.account_id = Some("a".into());
    full.publish.cloudflare.namespace_id = Some("b".into());
    full.publish.cloudflare.token_file = Some("token".into());
    full.publish.cloudflare.token_env = Some("CLOUDFLARE_TOKEN".into());
    full.publish.fastly.store_id = Some("s".into());
    full.publish.fastly.token_file = Some("token".into());
    full.publish.fastly.token_env = Some("FASTLY_TOKEN".into());
    full.publish.akamai.namespace = Some("tidegate".into());
    full.publish.akamai.edgerc_file = Some(".edgerc".into());
    full.publish.akamai.edgerc_env = Some("EDGERC".into());
    full.publish.akamai.base_url = Some("https://akab-x.luna.akamaiapis.net".into());
    full.publish.akamai.price = Some(Price::default());
    full.planner.policies = vec![Policy { ceiling_per_s: Some(1.0), limit_per_s: Some(1.0), ..Default::default() }];
    full.auth.tokens_file = Some("tokens.toml".into());
    full.auth.nodes.insert("cf-fra".into(), hash.clone());
    full.auth.operators.insert("alice".into(), hash);
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/tidegate.toml")).unwrap();
    let text: Vec<&str> = text.lines().map(uncommented).collect();
    let (mut known, mut written) = Default::default();
    keys_of(&toml::Value::try_from(&full).unwrap(), "", &mut known);
    keys_of(&text.join("\n").parse::<toml::Table>().unwrap().into(), "", &mut written);
    assert_eq!(written, known);
}

#[test]
fn an_unknown_key_is_named_with_its_file_and_what_was_meant() {
    let e = load("[server]\nlisen = \"127.0.0.1:1\"\n").unwrap_err().to_string();
    assert!(e.contains(".toml: key `server.lisen`: is not known; did you mean `listen`?"), "{e}");
    let e = load("[planner.gaurd]\nstep_up = 2.0\n").unwrap_err().to_string();
    assert!(e.contains("key `planner.gaurd`: is not known; did you mean `guard`?"), "{e}");
    let e = load("[[planner.policies]]\nname = \"a\"\n[[planner.policies]]\nwieght = 2.0\n").unwrap_err().to_string();
    assert!(e.contains("key `planner.policies.1.wieght`: is not known; did you mean `weight`?"), "{e}");
    let e = load("[quantum]\nx = 1\n").unwrap_err().to_string();
    assert!(e.contains("key `quantum`: is not known; known are `server`"), "{e}");
}

#[test]
fn a_wrong_value_is_named_with_its_key() {
    for (text, says) in [
        ("[server]\nlisten = 8080", "key `server.listen`"),
        ("[server]\nlisten = \"localhost:80\"", "an IP address and a port are needed"),
        ("[log]\nfilter = \"a=b=c\"", "key `log.filter`: must be a level"),
        ("[server]\nbody_limit_bytes = -1", "key `server.body_limit_bytes`"),
        ("[log]\nformat = \"xml\"", "key `log.format`: `xml` is not a choice; known are `text`, `json`"),
        ("[planner]\ninterval_s = 7", "key `planner.interval_s`: must divide a day evenly"),
        ("[[planner.origins]]\nsustained_per_s = -3.0", "key `planner.origins[0].sustained_per_s`"),
        ("[ingest]\nlate_s = 1", "key `ingest.late_s`"),
        ("[journal]\nretain_s = 0", "key `journal.retain_s`"),
        ("[auth.nodes]\na = \"secret\"", "key `auth.nodes.a`: must be the 64 hex digits"),
        ("[publish]\nredis_url = \"http://x\"", "key `publish.redis_url`"),
        ("[publish.cloudflare]\naccount_id = \"a\"", "key `publish.cloudflare.namespace_id`: is missing"),
        ("not toml", "is not TOML"),
    ] {
        let e = load(text).expect_err(text).to_string();
        assert!(e.contains(says), "{text}\n{e}");
        assert!(!e.contains("secret"), "{e}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let e = Config::load(Some(Path::new("/nowhere/x.toml")), &Overrides::default()).unwrap_err().to_string();
    assert!(e.starts_with("/nowhere/x.toml: cannot be read"), "{e}");
}

#[test]
fn flags_come_last() {
    let flags = Overrides {
        server: ServerOverrides { listen: Some("127.0.0.1:9".into()), data_dir: None },
        planner: PlannerOverrides { interval_s: Some(60) },
    };
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    file.write_all(b"[server]\nlisten = \"127.0.0.1:8\"\ndata_dir = \"there\"\n").unwrap();
    let config = Config::load(Some(file.path()), &flags).unwrap();
    assert_eq!(config.server.listen.port(), 9);
    assert_eq!(config.server.data_dir, Path::new("there"));
    assert_eq!(config.planner.interval_s, 60);
}

#[test]
fn without_tokens_only_loopback_is_served() {
    let open = "[server]\nlisten = \"0.0.0.0:8080\"\n";
    let e = load(open).unwrap_err().to_string();
    assert!(e.contains("key `server.listen`") && e.contains("no token is set up"), "{e}");
    let hash = "a".repeat(64);
    assert!(load(&format!("{open}[auth.nodes]\ncf-fra = \"{hash}\"\n")).is_ok());
}

#[test]
fn tokens_can_be_kept_in_a_file_of_their_own() {
    let mut tokens = tempfile::NamedTempFile::new().unwrap();
    writeln!(tokens, "[nodes]\ncf-fra = \"{}\"", "b".repeat(64)).unwrap();
    let config = load(&format!("[auth]\ntokens_file = {:?}\n", tokens.path())).unwrap();
    assert!(config.auth.is_on() && config.auth.nodes.contains_key("cf-fra"));
    let e = load("[auth]\ntokens_file = \"/nowhere/tokens.toml\"\n").unwrap_err().to_string();
    assert!(e.starts_with("/nowhere/tokens.toml: cannot be read"), "{e}");
}
