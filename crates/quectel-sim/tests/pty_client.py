"""The BG96 sequence of forum thread 8115 over a terminal, with nothing but the standard library.

Usage: pty_client.py TERMINAL CA_FILE HOST
"""

import os
import select
import sys
import termios
import time
import tty


class Modem:
    """A serial port, as a script would use it."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd, termios.TCSANOW)
        self.seen = b""

    def write(self, data):
        while data:
            _, writable, _ = select.select([], [self.fd], [], 5)
            assert writable, "the terminal takes no bytes"
            data = data[os.write(self.fd, data[:256]) :]

    def expect(self, wanted, timeout=20.0):
        deadline = time.monotonic() + timeout
        while wanted not in self.seen:
            left = deadline - time.monotonic()
            readable, _, _ = select.select([self.fd], [], [], max(left, 0))
            assert readable, f"{wanted!r} did not come; got {self.seen!r}"
            self.seen += os.read(self.fd, 4096)
        head, _, self.seen = self.seen.partition(wanted)
        return head + wanted

    def command(self, line, wanted=b"\r\nOK\r\n"):
        self.write(line.encode() + b"\r")
        return self.expect(wanted)


def checksum(data):
    total = 0
    for at in range(0, len(data), 2):
        pair = data[at : at + 2].ljust(2, b"\0")
        total ^= pair[0] << 8 | pair[1]
    return total


def main():
    path, ca_file, host = sys.argv[1:]
    with open(ca_file, "rb") as file:
        ca = file.read()
    modem = Modem(path)
    assert modem.command("ATE0").endswith(b"\r\nOK\r\n")
    answer = modem.command("ATI")
    assert answer == b"\r\nQuectel\r\nBG96\r\nRevision: BG96MAR02A08M1G\r\n\r\nOK\r\n", answer
    answer = modem.command("at+cgreg?;+creg?;+cereg?;+qnwinfo")
    assert answer.count(b"REG: 0,") == 3, answer
    modem.command('AT+QICSGP=1,1,"internet"')
    modem.command("AT+QIACT=1")
    assert b'+QIACT: 1,1,1,"' in modem.command("AT+QIACT?")
    modem.command(f'AT+QFUPL="cacert.pem",{len(ca)},60', b"\r\nCONNECT\r\n")
    modem.write(ca)
    answer = modem.expect(b"\r\nOK\r\n")
    assert answer == b"+QFUPL: %d,%x\r\n\r\nOK\r\n" % (len(ca), checksum(ca)), answer
    answer = modem.command('at+qflst="UFS:*"')
    assert answer == b'\r\n+QFLST: "cacert.pem",%d\r\n\r\nOK\r\n' % len(ca), answer
    for line in (
        'AT+QSSLCFG="cacert",2,"UFS:cacert.pem"',
        'AT+QSSLCFG="seclevel",2,1',
        'AT+QSSLCFG="sslversion",2,4',
        'AT+QMTCFG="ssl",0,1,2',
        'at+qmtcfg="version",0,4',
    ):
        assert modem.command(line) == b"\r\nOK\r\n"
    assert modem.command(f'AT+QMTOPEN=0,"{host}",8883') == b"\r\nOK\r\n"
    assert modem.expect(b"+QMTOPEN: 0,0\r\n") == b"\r\n+QMTOPEN: 0,0\r\n"
    modem.command(f'AT+QMTCONN=0,"mydevice1","{host}/mydevice1","SharedAccessSignature sr=x&sig=y%3D&se=1"')
    assert modem.expect(b"+QMTCONN: 0,0,0\r\n") == b"\r\n+QMTCONN: 0,0,0\r\n"
    assert modem.command("AT+QMTCONN?") == b"\r\n+QMTCONN: 0,3\r\n\r\nOK\r\n"
    modem.command('AT+QMTSUB=0,2,"mydevice1/back",1')
    assert modem.expect(b"+QMTSUB: 0,2,0,1\r\n") == b"\r\n+QMTSUB: 0,2,0,1\r\n"
    assert modem.command('AT+QMTPUB=0,1,1,0,"mydevice1/topic"', b"> ") == b"\r\n> "
    modem.write(b"0123456789\x1a")
    assert modem.expect(b"\r\nOK\r\n") == b"\r\nOK\r\n"
    modem.expect(b'+QMTRECV: 0,0,"mydevice1/back","hello"\r\n')
    modem.command("AT+QMTCLOSE=0")
    assert modem.expect(b"+QMTCLOSE: 0,0\r\n") == b"\r\n+QMTCLOSE: 0,0\r\n"
    os.close(modem.fd)
    print("ok")


if __name__ == "__main__":
    main()
