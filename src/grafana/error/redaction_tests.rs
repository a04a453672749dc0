use proptest::prelude::*;
use serde_json::json;

use super::*;

fn redacted(message: &str, secrets: &[&str]) -> String {
    without(message, secrets, &[])
}

fn as_json(text: &str) -> String {
    let quoted = json!(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// As Go's `encoding/json` writes it unless it is told not to.
fn as_go_json(text: &str) -> String {
    as_json(text)
        .replace('&', r"\u0026")
        .replace('<', r"\u003c")
        .replace('>', r"\u003e")
        .replace('\u{2028}', r"\u2028")
}

/// As Go's `%q` writes it, and with `is_ascii` its `%+q`.
fn as_go_quoted(text: &str, is_ascii: bool) -> String {
    let one = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' => r"\n".to_owned(),
        '\x07' => r"\a".to_owned(),
        c if c.is_ascii_control() => format!("\\x{:02x}", u32::from(c)),
        c if !c.is_ascii() && (is_ascii || c.is_whitespace()) => match u32::from(c) {
            long @ 0x1_0000.. => format!("\\U{long:08x}"),
            short => format!("\\u{short:04x}"),
        },
        c => c.to_string(),
    };
    text.chars().map(one).collect()
}

/// As some JSON writes everything beyond ASCII, in halves where it takes two.
fn as_utf16(text: &str) -> String {
    let one = |c: char| {
        if c.is_ascii() {
            return as_json(&c.to_string());
        }
        let mut halves = [0; 2];
        let halves: Vec<String> = (c.encode_utf16(&mut halves).iter())
            .map(|half| format!("\\u{half:04X}"))
            .collect();
        halves.concat()
    };
    text.chars().map(one).collect()
}

fn as_query(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// As Go's `url.String` writes a path: what may stand there stays, and so does what is encoded already.
fn as_path(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        byte if b"-_.~$&+,/:;=@%".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

fn encoded(text: &str, layer: usize) -> String {
    match layer {
        0 => as_json(text),
        1 => as_go_json(text),
        2 => as_go_quoted(text, false),
        3 => as_go_quoted(text, true),
        4 => as_utf16(text),
        5 => as_query(text),
        6 => as_query(text).replace('+', "%20"),
        7 => as_path(text),
        // A message has one line.
        _ => text.replace(char::is_control, " "),
    }
}

#[test]
fn a_secret_that_is_part_of_another_leaves_nothing_of_it() {
    for secrets in [["alert", "alert-7f3a9c55"], ["alert-7f3a9c55", "alert"]] {
        assert_eq!(
            redacted("bad credentials alert-7f3a9c55, sorry", &secrets),
            "bad credentials [REDACTED], sorry"
        );
    }
}

#[test]
fn a_secret_in_settings_that_a_message_quotes_is_taken_out() {
    let secret = "https://chat.googleapis.com/v1/spaces/A/messages?key=AIzaSy&token=hunter2hunter2";
    for secret in [secret, "hun\"ter2\\hunter2", "hun<ter>2&hunter2"] {
        let inner = as_go_json(&json!({"url": secret}).to_string());
        for said in [
            json!({"url": secret}).to_string(),
            inner.clone(),
            as_go_json(&inner),
        ] {
            let text = redacted(&format!("invalid settings: {said}"), &[secret]);
            assert!(
                text.contains("[REDACTED]") && !text.contains("ter2"),
                "{said} becomes {text}"
            );
        }
    }
}

#[test]
fn a_secret_is_taken_out_of_urls_as_go_writes_them() {
    for (secret, shown) in [
        ("https://h/~a b*c/hunter2", "https://h/~a%20b%2Ac/hunter2"),
        ("https://h/a b?x=hunter2", "https://h/a%20b?x=hunter2"),
        ("hunter2\u{a0}hunter2", r"hunter2\u00a0hunter2"),
        ("p@ss/hunter2", "p%40ss%2Fhunter2"),
        ("https://HOST/hunter2", "https://host/hunter2"),
        // The password is hidden by Go itself, and the rest isn't.
        (
            "https://user:word@host/services/hunter2",
            "https://user:***@host/services/hunter2",
        ),
        ("https://h/%41/hunter2", "https://h/%2541/hunter2"),
    ] {
        let text = redacted(&format!("Post {shown:?}: no"), &[secret]);
        assert!(
            !text.contains("hunter2") && text.ends_with(": no"),
            "{secret} as {text}"
        );
    }
}

#[test]
fn words_that_a_secret_has_too_stay() {
    let secret = "https://hooks.example.com/notifications/configuration?is=used";
    let message = "invalid notification configuration is used, says https://example.org";
    assert_eq!(redacted(message, &[secret, ""]), message);
}

#[test]
fn what_a_key_in_pem_is_called_by_stays_in_what_is_said_of_tls() {
    let secret = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nMIIBs4xy\n";
    for message in [
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "tls: private key does not match public key",
    ] {
        assert_eq!(redacted(message, &[secret, "Bearer Grafana", "ADMIN"]), message);
    }
    assert_eq!(redacted("no MIIBs4xy there", &[secret]), "no [REDACTED] there");
}

#[test]
fn what_a_secret_was_before_goes_with_what_it_has_in_common_with_the_one_of_now() {
    let now = "https://hooks.example.com/services/T000/B000/NEWnewNEW";
    for (message, expected) in [
        (
            r#"Post "https://hooks.example.com/services/T000/B000/OLDoldOLD": no such host"#,
            r#"Post "[REDACTED]": no such host"#,
        ),
        (
            r#"invalid {\"url\":\"https://hooks.example.com/services/T000/OLDoldOLD\",\"title\":\"x\"}"#,
            r#"invalid {\"url\":\"[REDACTED]\",\"title\":\"x\"}"#,
        ),
        (
            "no: OLD@hooks.example.com/services/x, sorry",
            "no: [REDACTED], sorry",
        ),
    ] {
        assert_eq!(redacted(message, &[now]), expected);
    }
}

#[test]
fn what_go_says_of_a_part_of_a_url_is_taken_out_however_short_it_is() {
    for (secret, message, expected) in [
        (
            "https://host:CANARY22/services",
            r#"parse "https://host:CANARY22/…": invalid port ":CANARY22" after host"#,
            r#"invalid port ":[REDACTED]" after host"#,
        ),
        (
            "https://host/a\"CANARY33",
            r#"parse "https://host/…"CANARY33": net/url: invalid character"#,
            r#"…"[REDACTED]": net/url: invalid character"#,
        ),
        (
            "hunter:opaque",
            r#"Post "hunter:…": unsupported protocol scheme "hunter""#,
            r#"unsupported protocol scheme "[REDACTED]""#,
        ),
    ] {
        let text = redacted(message, &[secret]);
        assert!(text.ends_with(expected), "{text}");
    }
}

#[test]
fn words_by_which_a_refusal_is_known_stay() {
    let message = "policy is currently used by a notification policy";
    let own = 10..message.len();
    assert_eq!(
        without(message, &["policy"], &[own]),
        "[REDACTED] is currently used by a notification policy"
    );
}

#[test]
fn a_message_that_was_cut_within_an_escape_shows_nothing_of_the_secret() {
    let secret = "abcdef&ghijkl/mn";
    for layers in [[1, 1], [5, 5], [4, 6], [8, 8]] {
        let said = layers
            .iter()
            .fold(secret.to_owned(), |text, layer| encoded(&text, *layer));
        for length in 0..=said.len() {
            let text = redacted(&format!("no: {}", &said[..length]), &[secret]);
            let shown = text.strip_prefix("no: ").unwrap();
            assert!(shown.len() < LEAST || shown == "[REDACTED]", "{text}");
        }
    }
}

/// What can be compared takes time in proportion to its length, and a Secret has at most a megabyte.
#[test]
fn the_largest_secret_and_message_are_compared_part_by_part_once() {
    for motif in ["a", "%25", "\\", r"\u0026", "ab\n"] {
        let secret = motif.repeat((1 << 20) / motif.len());
        let text = redacted(&format!("no: {}", &secret[..500]), &[&secret]);
        assert!(text.len() <= 504, "{text}");
    }
}

proptest! {
    #[test]
    fn no_part_of_a_secret_survives_any_encoding(
        secrets in prop::collection::vec("[a-zA-Z0-9 &<>\"'\\\\%+/?=@:~\u{a0}\u{2028}\u{85}äß😀\n\t\x07u25n-]{4,40}", 1..3),
        layers in prop::collection::vec(0..9usize, 0..4),
        cut in 0..400usize,
    ) {
        let said = layers.iter().fold(secrets[0].clone(), |text, layer| encoded(&text, *layer));
        let message = format!("да {said} нет");
        let message = message.get(..message.len().saturating_sub(cut)).unwrap_or(&message);
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let text = redacted(message, &secrets);
        let bytes = |text: &str| plain(text).iter().map(|piece| piece.byte).collect::<Vec<_>>();
        let secret = bytes(secrets[0]);
        for shown in text.split("[REDACTED]") {
            for part in bytes(shown).windows(LEAST).filter(|part| part.trim_ascii().len() == LEAST) {
                let survives = secret.windows(LEAST).any(|own| own == part);
                prop_assert!(!survives, "{:?} in {} of {}", String::from_utf8_lossy(part), text, message);
            }
        }
    }

    #[test]
    fn no_part_of_a_url_is_told_whichever_of_them_an_error_quotes(
        parts in prop::collection::vec("[a-zA-Z0-9][a-zA-Z0-9._-]{2,12}[a-zA-Z0-9]", 6),
        which in 0..6usize,
        layer in 0..9usize,
        quotes in "[\"'`]",
    ) {
        let [user, password, host, port, path, query] = &parts[..] else { unreachable!() };
        let secret = format!("https://{user}:{password}@{host}:{port}/{path}?{query}=1");
        let part = &parts[which];
        for said in [part.clone(), format!(":{part}"), format!("/{part}/"), format!("{part}=1"), format!("{part}@")] {
            let message = format!("parse {quotes}{}{quotes}: no", encoded(&said, layer));
            let text = redacted(&message, &[&secret]);
            prop_assert!(!text.contains(part.as_str()), "{text} of {message}");
        }
        // Unquoted too, where it can't be a word.
        if part.bytes().any(|byte| byte.is_ascii_digit()) {
            let text = redacted(&format!("lookup {part}: no such host"), &[&secret]);
            prop_assert!(!text.contains(part.as_str()), "{text}");
        }
    }

    #[test]
    fn what_is_no_secret_stays(message in "\\PC{0,60}", secret in "[a-z]{4,40}") {
        let lower = String::from_utf8_lossy(&plain(&message).iter().map(|piece| piece.byte).collect::<Vec<_>>()).into_owned();
        let has_part = secret.as_bytes().windows(LEAST).any(|part| lower.contains(std::str::from_utf8(part).unwrap()));
        if !has_part {
            prop_assert_eq!(redacted(&message, &[&secret]), message);
        }
    }
}
