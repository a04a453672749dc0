//! A mail server that keeps what it gets.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::{serving::Serving, wait};

/// One mail as it came.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The subject line, unfolded, not decoded further.
    pub subject: String,
    /// Everything after the headers, with quoted-printable decoded.
    pub body: String,
    /// When it came.
    pub at: Instant,
}

type Records = Arc<Mutex<Vec<Mail>>>;

/// A mail server without TLS and logins; enough for Grafana's sender.
#[derive(Debug)]
pub struct SmtpSink {
    received: Records,
    serving: Serving,
}

impl SmtpSink {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let received = Records::default();
        let records = Arc::clone(&received);
        let serving = Serving::start(|listener| async move {
            while let Ok((stream, _)) = listener.accept().await {
                let records = Arc::clone(&records);
                // A sender that breaks off has sent nothing.
                tokio::spawn(async move { converse(stream, &records).await.ok() });
            }
        });
        Self {
            received,
            serving: serving.await,
        }
    }

    /// The address, `127.0.0.1:PORT`, as Grafana's `smtp.host` wants it.
    pub fn address(&self) -> String {
        self.serving.address()
    }

    /// All mails so far, in order.
    pub fn received(&self) -> Vec<Mail> {
        self.received.lock().clone()
    }

    /// Waits for the first mail that fits.
    pub async fn wait_for(&self, timeout: Duration, fits: impl Fn(&Mail) -> bool) -> Mail {
        wait::until("a mail", timeout, async || {
            let received = self.received();
            let found = received.iter().find(|mail| fits(mail)).cloned();
            found.map_or_else(|| wait::not_yet(&received), wait::Seen::Yes)
        })
        .await
    }
}

/// Talks to one sender until it quits.
async fn converse(stream: TcpStream, records: &Records) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 testbed\r\n").await?;
    let (mut from, mut to) = (String::new(), Vec::new());
    while let Some(line) = lines.next_line().await? {
        let verb = line
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let reply = match verb.as_str() {
            "MAIL" => {
                from = address(&line);
                "250 ok"
            }
            "RCPT" => {
                to.push(address(&line));
                "250 ok"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut text = Vec::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    // The sender doubles a leading dot.
                    text.push(line.strip_prefix('.').unwrap_or(&line).to_owned());
                }
                records
                    .lock()
                    .push(mail(std::mem::take(&mut from), std::mem::take(&mut to), &text));
                "250 kept"
            }
            "RSET" => {
                (from, to) = (String::new(), Vec::new());
                "250 ok"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                break;
            }
            "EHLO" | "HELO" | "NOOP" => "250 ok",
            _ => "502 not here",
        };
        write.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
    Ok(())
}

/// What stands between the angle brackets.
fn address(line: &str) -> String {
    let rest = line.split_once('<').map_or(line, |(_, rest)| rest);
    rest.split_once('>')
        .map_or(rest, |(address, _)| address)
        .to_owned()
}

fn mail(from: String, to: Vec<String>, lines: &[String]) -> Mail {
    let end = lines.iter().position(String::is_empty).unwrap_or(lines.len());
    let (headers, body) = lines.split_at(end);
    // A header goes on in lines that begin with white space.
    let headers = headers.join("\n").replace("\n ", " ").replace("\n\t", " ");
    let subject = headers
        .lines()
        .find_map(|line| line.strip_prefix("Subject: "))
        .unwrap_or_default();
    Mail {
        from,
        to,
        subject: subject.to_owned(),
        body: decode(&body.join("\n")),
        at: Instant::now(),
    }
}

/// Undoes quoted-printable; what is not an escape stays as it is.
fn decode(text: &str) -> String {
    let text = text.replace("=\n", "");
    let mut parts = text.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let escape = part
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let (Some(byte), Some(rest)) = (escape, part.get(2..)) {
            bytes.push(byte);
            bytes.extend_from_slice(rest.as_bytes());
        } else {
            bytes.push(b'=');
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_has_its_folded_subject_and_its_decoded_body() {
        let text = "From: a\nSubject: [FIRING:1]\n StripeFailures\nTo: b\n\na=3Db and =C3=A9, so=\n on";
        let lines: Vec<_> = text.lines().map(ToOwned::to_owned).collect();
        let mail = mail("a".to_owned(), vec!["b".to_owned()], &lines);
        assert_eq!(mail.subject, "[FIRING:1] StripeFailures");
        assert_eq!(mail.body, "\na=b and é, so on");
    }
}
