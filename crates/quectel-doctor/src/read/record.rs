//! Pieces of a byte stream, put together to lines, each side by itself.

use super::side::Side;
use crate::time::Stamp;

/// How a line of a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Ending {
    /// By the end of the log's line.
    #[default]
    Unknown,
    Lf,
    CrLf,
    Cr,
    /// Ctrl-Z.
    Sub,
}

/// A line put together from pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assembled {
    pub(crate) side: Option<Side>,
    /// The log's line on which it began.
    pub(crate) number: u64,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) ending: Ending,
    pub(crate) text: String,
}

/// A line that never ends is cut here.
const MAX_LINE: usize = 16 * 1024;

#[derive(Debug, Default)]
struct Pending {
    text: String,
    number: u64,
    stamp: Option<Stamp>,
}

/// Both directions of a byte-wise trace.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    host: Pending,
    module: Pending,
    unknown: Pending,
    ready: Vec<Assembled>,
}

impl Assembler {
    /// The lines that are complete, in the order of their ends.
    pub(crate) fn take(&mut self) -> Vec<Assembled> {
        core::mem::take(&mut self.ready)
    }

    /// Adds a piece from line `number` of the log.
    pub(crate) fn push(
        &mut self,
        side: Option<Side>,
        number: u64,
        stamp: Option<Stamp>,
        piece: &str,
    ) {
        if side == Some(Side::Module) && piece.starts_with(['\r', '\n']) {
            // An answer begins: what the host sent before is a whole line even without its CR.
            self.flush_side(Some(Side::Host));
        }
        if side == Some(Side::Host) && self.module.text.trim_end().ends_with('>') {
            self.flush_side(Some(Side::Module));
        }
        let mut rest = piece;
        while let Some(at) = rest.find(['\r', '\n', '\u{1A}']) {
            let (text, end) = rest.split_at(at);
            let ending = if end.starts_with("\r\n") {
                Ending::CrLf
            } else if end.starts_with('\r') {
                Ending::Cr
            } else if end.starts_with('\n') {
                Ending::Lf
            } else {
                Ending::Sub
            };
            self.append(side, number, stamp, text);
            self.finish(side, ending);
            rest = end
                .get(if ending == Ending::CrLf { 2 } else { 1 }..)
                .unwrap_or_default();
        }
        self.append(side, number, stamp, rest);
    }

    /// Ends what is pending on all sides, because the trace goes on in another shape or is over.
    pub(crate) fn flush(&mut self) {
        for side in [Some(Side::Host), Some(Side::Module), None] {
            self.flush_side(side);
        }
    }

    /// Is a line of this side begun but not ended?
    pub(crate) fn is_open(&self) -> bool {
        ![&self.host, &self.module, &self.unknown]
            .iter()
            .all(|pending| pending.text.is_empty())
    }

    fn pending(&mut self, side: Option<Side>) -> &mut Pending {
        match side {
            Some(Side::Host) => &mut self.host,
            Some(Side::Module) => &mut self.module,
            None => &mut self.unknown,
        }
    }

    fn append(&mut self, side: Option<Side>, number: u64, stamp: Option<Stamp>, text: &str) {
        let pending = self.pending(side);
        if text.is_empty() {
            return;
        }
        if pending.text.is_empty() {
            pending.number = number;
            pending.stamp = stamp;
        }
        pending.text.push_str(text);
        if pending.text.len() > MAX_LINE {
            self.finish(side, Ending::Unknown);
        }
    }

    fn flush_side(&mut self, side: Option<Side>) {
        self.finish(side, Ending::Unknown);
    }

    fn finish(&mut self, side: Option<Side>, ending: Ending) {
        let pending = core::mem::take(self.pending(side));
        if !pending.text.is_empty() {
            let Pending {
                text,
                number,
                stamp,
            } = pending;
            self.ready.push(Assembled {
                side,
                number,
                stamp,
                ending,
                text,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bytewise_trace_gives_whole_lines() {
        let mut assembler = Assembler::default();
        for (number, side, piece) in [
            (1, Side::Host, "AT+CEREG"),
            (2, Side::Host, "?"),
            (3, Side::Host, "\r"),
            (4, Side::Module, "\r\n+CEREG: 2"),
            (5, Side::Module, ",1"),
            (6, Side::Module, "\r"),
            (7, Side::Module, "\n"),
            (8, Side::Module, "\r\nOK\r"),
            (9, Side::Module, "\n"),
        ] {
            assembler.push(Some(side), number, None, piece);
        }
        let lines: Vec<_> = assembler
            .take()
            .into_iter()
            .map(|line| (line.number, line.text))
            .collect();
        assert_eq!(
            lines,
            [
                (1, "AT+CEREG?".into()),
                (4, "+CEREG: 2,1".into()),
                (8, "OK".into())
            ]
        );
    }

    #[test]
    fn a_prompt_without_line_end_is_delivered_when_the_host_answers() {
        let mut assembler = Assembler::default();
        assembler.push(Some(Side::Module), 1, None, "\r\n> ");
        assembler.push(Some(Side::Host), 2, None, "{\"t\":21.5}\u{1A}");
        let lines: Vec<_> = assembler
            .take()
            .into_iter()
            .map(|line| (line.text, line.ending))
            .collect();
        assert_eq!(
            lines,
            [
                ("> ".into(), Ending::Unknown),
                ("{\"t\":21.5}".into(), Ending::Sub)
            ]
        );
    }
}
