//! Records as a stream: JSON lines, or server-sent events for browsers.

use core::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use std::{collections::VecDeque, sync::Arc};

use http_body_util::BodyExt;
use hyper::{
    Response, StatusCode,
    body::{Body as HttpBody, Bytes, Frame},
};
use serde_json::Value;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{
    answer::{Body, response},
    documents,
};
use crate::record::Record;

/// What a follower wants to see.
pub(super) struct Wish {
    /// As server-sent events instead of JSON lines.
    pub(super) events: bool,
    /// Records of these kinds only; all if empty.
    pub(super) kinds: Vec<String>,
    /// Go on after the past.
    pub(super) follow: bool,
}

impl Wish {
    pub(super) fn wants(&self, record: &Record) -> bool {
        let kind = documents::kind(&record.event);
        self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind)
    }

    fn line(&self, json: &Value) -> Bytes {
        let text = if self.events {
            format!("data: {json}\n\n")
        } else {
            format!("{json}\n")
        };
        text.into()
    }
}

/// `past` holds only what is wished for.
pub(super) fn stream(
    wish: Wish,
    past: VecDeque<Arc<Record>>,
    live: Receiver<Arc<Record>>,
) -> Response<Body> {
    let content_type = if wish.events {
        "text/event-stream"
    } else {
        "application/x-ndjson"
    };
    let next = wish.follow.then(|| receive(live));
    let lines = Lines { wish, past, next };
    response(StatusCode::OK, content_type, lines.boxed())
}

type Next = Pin<
    Box<dyn Future<Output = (Result<Arc<Record>, RecvError>, Receiver<Arc<Record>>)> + Send + Sync>,
>;

fn receive(mut live: Receiver<Arc<Record>>) -> Next {
    Box::pin(async move {
        let result = live.recv().await;
        (result, live)
    })
}

struct Lines {
    wish: Wish,
    past: VecDeque<Arc<Record>>,
    /// `None` when nothing follows.
    next: Option<Next>,
}

impl HttpBody for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(record) = self.past.pop_front() {
            let line = self.wish.line(&documents::record(&record));
            return Poll::Ready(Some(Ok(Frame::data(line))));
        }
        loop {
            let Some(next) = &mut self.next else {
                return Poll::Ready(None);
            };
            let Poll::Ready((result, live)) = next.as_mut().poll(context) else {
                return Poll::Pending;
            };
            match result {
                Ok(record) => {
                    self.next = Some(receive(live));
                    if self.wish.wants(&record) {
                        let line = self.wish.line(&documents::record(&record));
                        return Poll::Ready(Some(Ok(Frame::data(line))));
                    }
                }
                // A follower that is too slow loses what it could not take, and must know it.
                Err(RecvError::Lagged(count)) => {
                    self.next = Some(receive(live));
                    let line = self.wish.line(&documents::dropped(count));
                    return Poll::Ready(Some(Ok(Frame::data(line))));
                }
                Err(RecvError::Closed) => self.next = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast;

    use super::*;
    use crate::{
        reason::Reason,
        record::{Event, Refusal},
        time::Now,
    };

    fn refused() -> Arc<Record> {
        let refusal = Refusal {
            connection: None,
            sni: None,
            client_id: None,
            user_name: None,
            reason: Reason::HandshakeTimeout { seconds: 1 },
        };
        let (at, event) = (Now::default(), Event::Refused(refusal));
        Arc::new(Record { at, event })
    }

    #[test]
    fn a_slow_reader_is_told_what_it_missed() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for (kinds, expected) in [(vec![], 3), (vec!["telemetry".to_owned()], 1)] {
            let (sender, live) = broadcast::channel(2);
            for _ in 0..5 {
                sender.send(refused()).unwrap();
            }
            drop(sender);
            let wish = Wish {
                events: false,
                kinds,
                follow: true,
            };
            let body = stream(wish, VecDeque::new(), live).into_body();
            let text = runtime.block_on(body.collect()).unwrap().to_bytes();
            let lines: Vec<Value> = text
                .split(|byte| *byte == b'\n')
                .filter_map(|line| serde_json::from_slice(line).ok())
                .collect();
            assert_eq!(lines.len(), expected);
            let first = lines.first().unwrap();
            assert_eq!(
                (&first["kind"], &first["dropped"]),
                (&"dropped".into(), &3.into())
            );
        }
    }
}
