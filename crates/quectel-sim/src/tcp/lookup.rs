//! Name look-up and ping.

use core::net::IpAddr;

use super::LookUp;
use crate::{
    module::Module,
    net::{LookupId, NetRequest},
};

impl Module {
    /// What `AT+QIGETERROR` says after a result that came as a URC.
    pub(crate) fn note_failure(&mut self, code: u16) {
        self.sockets.last_error = if self.profile.tcp.geterror_async {
            code
        } else {
            0
        };
    }

    pub(crate) fn start_look_up(&mut self, host: &str) {
        let lookup = self.conns.new_lookup();
        self.sockets.look_up = Some(LookUp::Name(lookup));
        self.ask_for(lookup, host);
    }

    pub(crate) fn start_ping(&mut self, host: &str, count: u64) {
        let lookup = self.conns.new_lookup();
        self.sockets.look_up = Some(LookUp::Ping(lookup, count));
        self.ask_for(lookup, host);
    }

    fn ask_for(&mut self, lookup: LookupId, host: &str) {
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.resolved(lookup, &[address]);
        }
        if self.faults.dns_fails {
            return self.resolved(lookup, &[]);
        }
        self.net_out.push_back(NetRequest::Resolve {
            lookup,
            host: host.to_owned(),
        });
    }

    pub(crate) fn resolved(&mut self, lookup: LookupId, addresses: &[IpAddr]) {
        match self.sockets.look_up {
            Some(LookUp::Name(wanted)) if wanted == lookup => {
                self.sockets.look_up = None;
                if addresses.is_empty() {
                    self.note_failure(565);
                    self.urc("+QIURC: \"dnsgip\",565");
                    return;
                }
                self.urc(format!("+QIURC: \"dnsgip\",0,{},600", addresses.len()));
                for address in addresses {
                    self.urc(format!("+QIURC: \"dnsgip\",\"{address}\""));
                }
            }
            Some(LookUp::Ping(wanted, count)) if wanted == lookup => {
                self.sockets.look_up = None;
                match addresses.first() {
                    Some(address) => self.ping_round(*address, count, 0, Vec::new()),
                    None => {
                        self.note_failure(565);
                        self.urc("+QPING: 565");
                    }
                }
            }
            _ => {}
        }
    }

    /// One echo request after the other, and the summary at the end.
    fn ping_round(&mut self, address: IpAddr, count: u64, done: u64, mut times: Vec<u64>) {
        if done == count {
            let (low, high) = (
                times.iter().min().unwrap_or(&0),
                times.iter().max().unwrap_or(&0),
            );
            let average = times.iter().sum::<u64>() / count.max(1);
            self.urc(format!(
                "+QPING: 0,{count},{count},0,{low},{high},{average}"
            ));
            return;
        }
        let time = self.profile.timing.ping_ms + self.rng.below(40);
        times.push(time);
        self.after(time, move |module| {
            module.urc(format!("+QPING: 0,\"{address}\",32,{time},255"));
            module.ping_round(address, count, done + 1, times);
        });
    }
}
