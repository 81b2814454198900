//! Texts of the error codes (3GPP TS 27.007, 9.2; Quectel TCP/IP manual).

/// The text of a `+CME ERROR` under `AT+CMEE=2`; file codes (4xx) have none.
pub(crate) const fn cme_text(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "phone failure",
        1 => "no connection to phone",
        2 => "phone-adaptor link reserved",
        3 => "operation not allowed",
        4 => "operation not supported",
        5 => "PH-SIM PIN required",
        10 => "SIM not inserted",
        11 => "SIM PIN required",
        12 => "SIM PUK required",
        13 => "SIM failure",
        14 => "SIM busy",
        15 => "SIM wrong",
        16 => "incorrect password",
        17 => "SIM PIN2 required",
        18 => "SIM PUK2 required",
        20 => "memory full",
        21 => "invalid index",
        22 => "not found",
        23 => "memory failure",
        24 => "text string too long",
        25 => "invalid characters in text string",
        30 => "no network service",
        31 => "network timeout",
        32 => "network not allowed - emergency calls only",
        _ => return None,
    })
}

/// The text of a `+QIGETERROR`.
pub(crate) const fn tcp_text(code: u16) -> &'static str {
    match code {
        0 => "operate successfully",
        551 => "operation blocked",
        552 => "invalid parameters",
        553 => "memory not enough",
        554 => "create socket failed",
        555 => "operation not supported",
        556 => "socket bind failed",
        557 => "socket listen failed",
        558 => "socket write failed",
        559 => "socket read failed",
        560 => "socket accept failed",
        561 => "open PDP context failed",
        562 => "close PDP context failed",
        563 => "socket identity has been used",
        564 => "DNS busy",
        565 => "DNS parse failed",
        566 => "socket connect failed",
        567 => "socket has been closed",
        568 => "operation busy",
        569 => "operation timeout",
        570 => "PDP context broken down",
        571 => "cancel send",
        572 => "operation not allowed",
        573 => "APN not configured",
        574 => "port busy",
        _ => "unknown error",
    }
}
