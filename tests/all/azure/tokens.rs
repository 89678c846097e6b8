//! Tokens: how each source is asked, how long a token is kept, and that no secret is ever shown.

use std::sync::Arc;
use std::time::Duration;

use lowtide::azure::{Application, Client, Clock, Credential, Fetch, TokenSource, Tokens};
use lowtide::base::Span;
use serde_json::json;

use super::account::{Account, pool};
use super::desk::{Answer, Asked, Desk};
use super::{noon, settings, wait};

const SECRET: &str = "s3cret-of-the-application";
const TOKEN: &str = "eyJ-the-token";

fn application(authority: &str) -> Application {
    Application {
        authority: format!("{authority}/"),
        tenant: "tenant".to_owned(),
        client_id: "client".to_owned(),
    }
}

fn token(name: &str, seconds: u32) -> Answer {
    Answer::json(
        200,
        &json!({ "access_token": name, "expires_in": seconds.to_string(), "token_type": "Bearer" }),
    )
}

/// A client that asks a source for tokens, and an account that answers it.
fn client(account: &Account, clock: &Clock, source: TokenSource) -> Client {
    let settings = settings(&account.desk.url);
    let fetch = Fetch::new(&settings.endpoint, None).unwrap();
    let tokens = Credential::Tokens(Arc::new(Tokens::new(source, fetch)));
    Client::new(settings, tokens, clock.clone()).unwrap()
}

fn account() -> Account {
    let account = Account::open();
    account.put("GET /pools/p", vec![Answer::json(200, &pool("p", "0x1", 1, 0))]);
    account
}

/// Gets one pool with a token of a source, and returns what the source was asked.
fn asked(source: impl FnOnce(&str) -> TokenSource) -> Asked {
    let (account, desk) = (account(), Desk::script(vec![token(TOKEN, 3600)]));
    let client = client(&account, &Clock::stepped(noon()), source(&desk.url));
    wait(client.pool("p")).unwrap();
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(
        account.desk.asked()[0].header("authorization"),
        Some(bearer.as_str())
    );
    desk.asked().remove(0)
}

const RESOURCE: &str = "resource=https%3A%2F%2Fbatch.core.windows.net%2F";

#[test]
fn a_machine_is_asked_as_its_metadata_service_wants_it() {
    let asked = asked(|url| TokenSource::Machine {
        authority: url.to_owned(),
        client_id: Some("mine".to_owned()),
    });
    let path = format!("/metadata/identity/oauth2/token?api-version=2018-02-01&{RESOURCE}&client_id=mine");
    assert_eq!(
        (asked.path, asked.headers.get("metadata").map(String::as_str)),
        (path, Some("true"))
    );
}

#[test]
fn a_service_is_asked_with_its_secret() {
    let asked = asked(|url| TokenSource::AppService {
        endpoint: format!("{url}/msi/token"),
        header: SECRET.into(),
        client_id: None,
    });
    assert_eq!(
        asked.path,
        format!("/msi/token?api-version=2019-08-01&{RESOURCE}")
    );
    assert_eq!(asked.header("x-identity-header"), Some(SECRET));
}

#[test]
fn a_federated_token_is_read_from_its_file_and_exchanged() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "assertion\n").unwrap();
    let asked = asked(|url| TokenSource::Federated {
        application: application(url),
        file: file.path().to_owned(),
    });
    assert_eq!(asked.path, "/tenant/oauth2/v2.0/token");
    assert_eq!(
        asked.body,
        "client_id=client&grant_type=client_credentials&scope=https%3A%2F%2Fbatch.core.windows.net%2F%2F.default&\
         client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=assertion"
    );
}

#[test]
fn a_secret_is_exchanged() {
    let asked = asked(|url| TokenSource::ClientSecret {
        application: application(url),
        secret: SECRET.into(),
    });
    assert!(
        asked.body.ends_with(&format!("&client_secret={SECRET}")),
        "{}",
        asked.body
    );
}

#[cfg(unix)]
#[test]
fn a_developer_is_known_by_az() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let program = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let good = program(
        "az",
        r#"[ "$3 $6" = "--output https://batch.core.windows.net/" ] && echo '{"accessToken":"eyJ-of-az","expires_on":1800000000}'"#,
    );
    let account = account();
    let of = |program| {
        let source = TokenSource::AzureCli {
            program,
            tenant: None,
        };
        wait(client(&account, &Clock::stepped(noon()), source).pool("p"))
    };
    of(good).unwrap();
    assert_eq!(
        account.desk.asked()[0].header("authorization"),
        Some("Bearer eyJ-of-az")
    );
    let fault = of(program("az-out", "echo 'ERROR: Please run az login' >&2; exit 1")).unwrap_err();
    assert!(
        fault.to_string().contains("Please run az login") && fault.help().unwrap().contains("az login"),
        "{fault}"
    );
}

#[test]
fn a_token_is_fetched_once_for_all_and_again_before_it_ends() {
    let (account, desk) = (
        account(),
        Desk::script(vec![token("first", 3600), token("second", 3600)]),
    );
    let clock = Clock::stepped(noon());
    let source = TokenSource::Machine {
        authority: desk.url.clone(),
        client_id: None,
    };
    let client = client(&account, &clock, source);
    let get = || wait(async { tokio::join!(client.pool("p"), client.pool("p"), client.pool("p")) });
    let (one, two, three) = get();
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(desk.asked().len(), 1);
    // Four minutes before its end it is renewed, by one request again.
    wait(clock.sleep(Duration::from_mins(56)));
    let _ = get();
    assert_eq!(desk.asked().len(), 2);
    assert_eq!(
        account.desk.asked()[3].header("authorization"),
        Some("Bearer second")
    );
}

#[test]
fn an_old_token_serves_while_no_new_one_can_be_had() {
    let refused = Answer::json(400, &json!({ "error": "busy" }));
    let (account, desk) = (account(), Desk::script(vec![token("first", 3600), refused]));
    let clock = Clock::stepped(noon());
    let source = TokenSource::Machine {
        authority: desk.url.clone(),
        client_id: None,
    };
    let client = client(&account, &clock, source);
    wait(client.pool("p")).unwrap();
    wait(clock.sleep(Duration::from_mins(57)));
    wait(client.pool("p")).unwrap();
    wait(client.pool("p")).unwrap();
    assert_eq!(desk.asked().len(), 2, "nobody asks again at once");
    wait(clock.sleep(Duration::from_mins(4)));
    assert!(wait(client.pool("p")).is_err());
}

#[test]
fn a_token_that_is_withdrawn_is_renewed_once() {
    let (account, desk) = (
        Account::open(),
        Desk::script(vec![token("first", 3600), token("second", 3600)]),
    );
    let refused = Answer::json(401, &json!({ "code": "Unauthorized" }));
    account.put(
        "GET /pools/p",
        vec![
            refused.clone(),
            Answer::json(200, &pool("p", "0x1", 1, 0)),
            refused,
        ],
    );
    let source = TokenSource::Machine {
        authority: desk.url.clone(),
        client_id: None,
    };
    let client = client(&account, &Clock::stepped(noon()), source);
    wait(client.pool("p")).unwrap();
    assert_eq!(desk.asked().len(), 2);
    let fault = wait(client.pool("p")).unwrap_err();
    assert!(fault.help().unwrap().contains("role"), "{fault}");
    assert_eq!(account.desk.asked().len(), 4);
}

#[test]
fn a_metadata_service_that_is_updated_gets_its_seventy_seconds() {
    let (account, desk) = (account(), Desk::script(vec![Answer::empty(410)]));
    let clock = Clock::stepped(noon());
    let source = TokenSource::Machine {
        authority: desk.url.clone(),
        client_id: None,
    };
    let client = client(&account, &clock, source);
    assert!(wait(client.pool("p")).is_err());
    assert!(clock.now().since(noon()) >= Span::seconds(70));
    // Whoever asks next gets the same answer at once.
    let asked = desk.asked().len();
    assert!(wait(client.pool("p")).is_err());
    assert_eq!(desk.asked().len(), asked);
}

#[test]
fn a_token_goes_out_over_no_open_line() {
    let source = TokenSource::Machine {
        authority: "http://h".to_owned(),
        client_id: None,
    };
    let settings = settings("http://batch.example.org");
    let fetch = Fetch::new(&settings.endpoint, None).unwrap();
    let tokens = Credential::Tokens(Arc::new(Tokens::new(source, fetch)));
    let fault = Client::new(settings, tokens, Clock::stepped(noon())).unwrap_err();
    assert!(fault.to_string().contains("not https"), "{fault}");
}

/// A service that repeats all that it was told, as no good one does.
#[test]
fn no_secret_is_shown_whatever_the_other_side_repeats() {
    let echo = |asked: &Asked| {
        let all = format!("{} {:?} {}", asked.path, asked.headers, asked.body);
        Answer::json(
            400,
            &json!({ "error": "bad", "error_description": all, "code": "Bad", "message": { "value": all },
                                   "values": [{ "key": "AuthenticationErrorDetail", "value": all }] }),
        )
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), SECRET).unwrap();
    let desk = Desk::open(move |asked| echo(asked));
    let account = account();
    let sources = [
        TokenSource::ClientSecret {
            application: application(&desk.url),
            secret: SECRET.into(),
        },
        TokenSource::Federated {
            application: application(&desk.url),
            file: file.path().to_owned(),
        },
        TokenSource::AppService {
            endpoint: desk.url.clone(),
            header: SECRET.into(),
            client_id: None,
        },
    ];
    for source in sources {
        let client = client(&account, &Clock::stepped(noon()), source.clone());
        let fault = wait(client.pool("p")).unwrap_err();
        let told = format!(
            "{source:?} {client:?} {fault} {fault:?} {:?} {:?}",
            fault.to_refusal(),
            fault.to_observe_error()
        );
        assert!(!told.contains(SECRET), "{told}");
        assert!(told.contains("bad"), "{told}");
    }
    // The token itself, and the signature of a key.
    let giver = Desk::script(vec![token(TOKEN, 3600)]);
    let source = TokenSource::Machine {
        authority: giver.url.clone(),
        client_id: None,
    };
    let settings_of = settings(&desk.url);
    let fetch = Fetch::new(&settings_of.endpoint, None).unwrap();
    let tokens = Credential::Tokens(Arc::new(Tokens::new(source, fetch)));
    let client = Client::new(settings_of, tokens, Clock::stepped(noon())).unwrap();
    let fault = wait(client.pool("p")).unwrap_err();
    let told = format!("{client:?} {fault} {fault:?}");
    assert!(!told.contains(TOKEN) && told.contains("[REDACTED]"), "{told}");
    let client = super::client_of(&desk);
    let fault = wait(client.pool("p")).unwrap_err();
    let told = format!("{client:?} {fault} {fault:?}");
    assert!(!told.contains(super::KEY), "{told}");
}
