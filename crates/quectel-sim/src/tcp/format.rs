//! How received bytes are shown, and sent ones are read: `AT+QICFG="dataformat"`, `"viewmode"`, `"recvind"`.

use crate::module::{Group, Module};

impl Module {
    fn tcp_setting(&self, name: &str, at: usize) -> bool {
        self.item_number(Group::Tcp, name, 0, at) == 1
    }

    /// Whether the host writes hexadecimal digits.
    pub(crate) fn sends_hex(&self) -> bool {
        self.tcp_setting("dataformat", 0)
    }

    /// Header and data in one or two lines, without the end of the last one.
    pub(crate) fn received_block(&self, header: &str, data: &[u8]) -> Vec<u8> {
        let mut text = header.to_owned();
        if self.tcp_setting("viewmode", 0) {
            text.push(',');
        } else {
            text.push_str(&self.response_end());
        }
        let mut block = text.into_bytes();
        if self.tcp_setting("dataformat", 1) {
            let digits: String = data.iter().map(|byte| format!("{byte:02X}")).collect();
            block.extend_from_slice(digits.as_bytes());
        } else {
            block.extend_from_slice(data);
        }
        block
    }

    /// The URC of buffer mode.
    pub(crate) fn received_notice(&self, id: u8, length: usize) -> String {
        if self.tcp_setting("recvind", 0) {
            format!("+QIURC: \"recv\",{id},{length}")
        } else {
            format!("+QIURC: \"recv\",{id}")
        }
    }
}
