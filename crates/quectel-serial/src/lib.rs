//! Drives [`quectel_azure::Client`] on a computer: a blocking [`Driver`] over a serial port, TCP or a pseudo terminal,
//! ended by a [`CancelToken`], recorded by a [`Trace`].
//!
//! The client borrows its settings and its memory, so both live beside the driver: [`Settings`] and [`Storage`]; see
//! the example at [`Driver`].

#![forbid(unsafe_code)]

mod cancel;
mod driver;
mod error;
mod port;
mod settings;
mod trace;

pub use cancel::CancelToken;
pub use driver::{Driver, Notice, Received};
pub use error::{Error, FlowFailure};
pub use port::{
    FlowControl, OpenError, OpenErrorKind, Port, PortSettings, available_ports, open, urc_port_of,
};
pub use quectel_azure;
pub use quectel_azure::{Event, Message, MessageId, Reason, Step, Warning};
pub use settings::{Proof, Secret, Settings, Storage};
pub use trace::{Direction, Trace, TraceForm, WireLine};
