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
    fn line(&self, record: &Record) -> Option<Bytes> {
        let kind = documents::kind(&record.event);
        if !self.kinds.is_empty() && !self.kinds.iter().any(|wanted| wanted == kind) {
            return None;
        }
        let json = documents::record(record);
        let text = if self.events {
            format!("data: {json}\n\n")
        } else {
            format!("{json}\n")
        };
        Some(text.into())
    }
}

pub(super) fn stream(wish: Wish, past: &[Record], live: Receiver<Arc<Record>>) -> Response<Body> {
    let content_type = if wish.events {
        "text/event-stream"
    } else {
        "application/x-ndjson"
    };
    let past = past.iter().filter_map(|record| wish.line(record)).collect();
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
    past: VecDeque<Bytes>,
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
        if let Some(line) = self.past.pop_front() {
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
                    if let Some(line) = self.wish.line(&record) {
                        return Poll::Ready(Some(Ok(Frame::data(line))));
                    }
                }
                // A follower that is too slow loses what it could not take.
                Err(RecvError::Lagged(_)) => self.next = Some(receive(live)),
                Err(RecvError::Closed) => self.next = None,
            }
        }
    }
}
