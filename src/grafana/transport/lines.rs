//! Answers that come line by line for as long as something happens.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::Response;

use super::in_time::in_time;
use super::{Call, Transport, answer};
use crate::grafana::error::{Error, Result};
use crate::json::shallow::Shallow;

impl Transport {
    /// Sends a read whose answer comes line by line, for at most so long. It takes no turn, since others would wait for as long as it lasts: it
    /// is a connection beside theirs. The answer must begin as soon as any other.
    pub(in crate::grafana) async fn lines(&self, call: Call, longest: Duration) -> Result<Lines> {
        let started = Instant::now();
        let begin = || {
            let until = Instant::now() + self.limits.time;
            in_time(call.operation, until, self.respond(&call))
        };
        let response = self.counted(&call, started, begin).await?;
        Ok(Lines {
            operation: call.operation,
            response,
            until: started + longest,
            limit: call.size.bytes.min(self.limits.size),
            shallow: Shallow::default(),
            read: BytesMut::new(),
            searched: 0,
        })
    }
}

/// The lines of an answer. Dropped, the connection is closed.
pub(in crate::grafana) struct Lines {
    operation: &'static str,
    response: Response,
    /// When it ends at the latest.
    until: Instant,
    /// Most bytes of a line that are read.
    limit: usize,
    shallow: Shallow,
    read: BytesMut,
    /// How much of what is read has no end of a line.
    searched: usize,
}

impl Lines {
    /// The next line with something in it, without what is nested too deep; `None` at the end. Whoever gives up waiting loses nothing.
    pub(in crate::grafana) async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(line) = self.whole_line() {
                if !line.is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            let chunk = async {
                let chunk = self.response.chunk().await;
                chunk.map_err(|error| answer::lost(self.operation, error))
            };
            match in_time(self.operation, self.until, chunk).await? {
                Some(chunk) if self.read.len() + chunk.len() > self.limit => {
                    return Err(Error::TooLarge {
                        operation: self.operation,
                        limit: self.limit,
                    });
                }
                Some(chunk) => self.read.extend_from_slice(&self.shallow.pass(chunk)),
                None => {
                    let last = self.read.split().freeze();
                    return Ok((!last.is_empty()).then_some(last));
                }
            }
        }
    }

    fn whole_line(&mut self) -> Option<Bytes> {
        let new = self.read.iter().skip(self.searched);
        let Some(end) = new.clone().position(|byte| *byte == b'\n') else {
            self.searched = self.read.len();
            return None;
        };
        let line = self.read.split_to(self.searched + end + 1);
        self.searched = 0;
        Some(Bytes::copy_from_slice(line.trim_ascii()))
    }
}

#[cfg(test)]
mod tests;
