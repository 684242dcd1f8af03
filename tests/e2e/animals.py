"""What the animals of the zoo do (spec/reliability.md 6.7), and what the daemon makes of each.

Each entry: how it behaves, the attempts of its event as (class, word) of the attempt log in their
order (words between which chance decides are parted by |), and the state that its event comes to.
A failure that is to be repeated has an hour's pause before its second attempt, so its event is
`pending` after exactly one.
"""
import asyncio
import collections
import dataclasses
import gzip
import random
import typing

OK = "HTTP/1.1 204 No Content\r\n\r\n"
GONE = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"  # ends the endpoint if it is believed
DELIVERED = ("delivered", "")
TIMEOUT = ("overload", "timeout")
BROKEN = ("failure", "protocol")
CUT = ("overload", "send")
TOO_LARGE = ("failure", "response_too_large")
TLS = ("overload", "tls")
MIB = b"x" * (1 << 20)


@dataclasses.dataclass
class Animal:
    name: str
    script: typing.Callable
    attempts: list
    state: str
    events: int = 1
    tls: str = ""  # name of the certificate
    settings: dict = dataclasses.field(default_factory=dict)


HERD = []


def animal(*attempts, state="", events=1, tls="", **settings):
    """Registers a script. Without a state: what its last attempt comes to."""
    def register(script):
        end = state or ("delivered" if attempts[-1] == DELIVERED else "pending")
        HERD.append(Animal(script.__name__, script, list(attempts), end, events, tls, settings))
        return script
    return register


def after_request(name, answer, *attempts, **more):
    """Reads each request of a connection and answers it with these bytes."""
    async def script(peer):
        while True:
            await peer.request()
            await peer.send(answer)
    script.__name__ = name
    animal(*attempts, **more)(script)


def once(name, answer, *attempts, **more):
    """Reads one request, answers with these bytes and closes."""
    async def script(peer):
        await peer.request()
        await peer.send(answer)
    script.__name__ = name
    animal(*attempts, **more)(script)


def cycle(name, steps, *attempts, **more):
    """Each request meets the next step, which is given the peer; then it is well."""
    left = list(steps)

    async def script(peer):
        while True:
            await peer.request()
            if left:
                await left.pop(0)(peer)
            else:
                await peer.send(OK)
    script.__name__ = name
    animal(*attempts, **more)(script)


# ---- TCP

@animal(TIMEOUT, timeout_ms=1000)
async def accepts_and_hangs(peer):
    await peer.hold()


@animal(TIMEOUT, timeout_ms=1000)
async def reads_and_hangs(peer):
    await peer.request()
    await peer.hold()


@animal(("overload", "send|connect"))  # the reset may arrive before the connection was noticed
async def accepts_then_resets(peer):
    peer.reset()


@animal(CUT)
async def reads_then_resets(peer):
    await peer.request()
    peer.reset()


@animal(CUT)
async def half_closes_before_the_answer(peer):
    await peer.request()
    peer.half_close()
    await peer.hold()


@animal(CUT)
async def half_closes_at_once(peer):
    peer.half_close()
    await peer.hold()


@animal(DELIVERED)
async def half_closes_after_the_answer(peer):
    await peer.request()
    await peer.send(OK)
    peer.half_close()
    await peer.hold()


@animal(DELIVERED)
async def resets_after_the_answer(peer):
    await peer.request()
    await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    await asyncio.sleep(0.1)  # a reset may overtake what was not read yet
    peer.reset()


# ---- TLS; "good" is a certificate that the daemon trusts

async def polite(peer):
    while True:
        await peer.request()
        await peer.send(OK)


def tls_animal(name, certificate, *attempts, script=polite, **settings):
    HERD.append(Animal(name, script, list(attempts),
                       "delivered" if attempts[-1] == DELIVERED else "pending", 1, certificate,
                       settings))


tls_animal("tls_good", "good", DELIVERED)
tls_animal("tls_expired", "expired", TLS)
tls_animal("tls_self_signed", "self_signed", TLS)
tls_animal("tls_wrong_name", "wrong_name", TLS)
tls_animal("tls_untrusted", "untrusted", TLS)
tls_animal("tls_1_0_only", "tls_1_0", TLS)
tls_animal("tls_huge_chain", "huge_chain", TLS)
tls_animal("tls_long_chain_within_the_limit", "long_chain", DELIVERED)
tls_animal("tls_alpn_without_overlap_ignored", "alpn", DELIVERED)


@animal(TIMEOUT, tls="stalls", timeout_ms=1000)
async def tls_handshake_stalls(peer):
    await peer.hold()


@animal(TLS, tls="stalls")
async def tls_port_speaks_plain_http(peer):
    await peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")
    await peer.hold()


# ---- heads

@animal(TIMEOUT, timeout_ms=1000)
async def status_line_dribbles(peer):
    await peer.request()
    await peer.dribble(b"HTTP/1.1 200 " + b"O" * 1000)


@animal(TIMEOUT, timeout_ms=1000)
async def headers_dribble(peer):
    await peer.request()
    await peer.send("HTTP/1.1 200 OK\r\n")
    await peer.dribble(b"X: y\r\n" * 200)


@animal(TOO_LARGE)
async def one_endless_header(peer):
    await peer.request()
    await peer.send("HTTP/1.1 200 OK\r\nX: ")
    await peer.forever(MIB)


@animal(TOO_LARGE)
async def endless_header_block(peer):
    await peer.request()
    await peer.send("HTTP/1.1 200 OK\r\n")
    await peer.forever(b"X-Filler: abcdefghijklmnopqrstuvwxyz\r\n" * 1000)


once("ten_thousand_headers", "HTTP/1.1 200 OK\r\n" + "A: b\r\n" * 10_000 + "\r\n", TOO_LARGE)


@animal(TOO_LARGE)
async def endless_interim_answers(peer):
    await peer.request()
    await peer.forever(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100)


@animal(TIMEOUT, timeout_ms=1000)
async def only_an_interim_answer(peer):
    await peer.request()
    await peer.send("HTTP/1.1 100 Continue\r\n\r\n")
    await peer.hold()


once("an_interim_answer_and_the_end", "HTTP/1.1 100 Continue\r\n\r\n", BROKEN)
once("interim_answers_before_the_final_one",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\n\r\n" + OK, DELIVERED)
once("http_0_9", "hello\n", BROKEN)
once("switches_protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
     "Connection: Upgrade\r\n\r\n", BROKEN)
once("nul_in_a_header", b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n", BROKEN)
once("bare_cr_in_a_header", "HTTP/1.1 200 OK\r\nX: a\rHTTP/1.1 410 Gone\r\n"
     "Content-Length: 0\r\n\r\n", DELIVERED)
once("folded_header", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n", DELIVERED)
once("bare_lf_ends", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", DELIVERED)
once("no_colon_in_a_header", "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n", BROKEN)
once("letters_for_a_status", "HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n", BROKEN)
once("another_protocol", "SSH-2.0-OpenSSH_9.2\r\n", BROKEN)


@animal(BROKEN)
async def speaks_http_2_at_once(peer):
    await peer.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
    await peer.hold()


once("answers_with_http_2_frames", b"\0\0\0\4\0\0\0\0\0" * 3, BROKEN)


# ---- bodies: a final head decides, whatever follows it

@animal(DELIVERED)
async def endless_body(peer):
    await peer.request()
    await peer.send("HTTP/1.1 200 OK\r\n\r\n")
    await peer.forever(MIB)


@animal(("overload", "http_500"))
async def endless_body_after_500(peer):
    await peer.request()
    await peer.send("HTTP/1.1 500 No\r\n\r\n")
    await peer.forever(MIB)


@animal(DELIVERED)
async def endless_chunks(peer):
    await peer.request()
    await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await peer.forever(b"100000\r\n" + MIB + b"\r\n")


@animal(DELIVERED, timeout_ms=1000)
async def body_dribbles(peer):
    await peer.request()
    await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    await peer.dribble(MIB[:1000])


once("content_length_too_long", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc", DELIVERED)
# Whoever takes what is left over for the answer to the next event ends the endpoint.
after_request("content_length_too_short", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na" + GONE,
              DELIVERED, events=3)
after_request("a_body_after_204", OK + GONE, DELIVERED, events=3)
after_request("two_content_lengths",
              "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n" + GONE,
              DELIVERED, events=3)
after_request("length_and_chunks", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: "
              "chunked\r\n\r\n0\r\n\r\n" + GONE, DELIVERED, events=3)
once("bad_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", DELIVERED)
once("overflowing_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     + "F" * 40 + "\r\n", DELIVERED)
# Unpacked, it would be 64 MiB; nobody asked for it packed.
once("gzip_bomb", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
     + gzip.compress(bytes(64 << 20), 1), DELIVERED)
after_request("trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
              "X: y\r\nHTTP/1.1 410 Gone\r\n\r\n", DELIVERED, events=2)


@animal(DELIVERED)
async def endless_trailers(peer):
    await peer.request()
    await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    await peer.forever(b"X-Filler: abcdefghijklmnopqrstuvwxyz\r\n" * 1000)


# ---- what a browser would obey

for status in (301, 302, 303, 307, 308):
    # The test fills in the address of a trap for TRAP.
    after_request(f"redirect_{status}", f"HTTP/1.1 {status} X\r\nLocation: TRAP/in\r\n"
                  "Content-Length: 0\r\n\r\n", ("failure", "redirect"))
after_request("redirect_to_metadata", "HTTP/1.1 302 X\r\nLocation: http://169.254.169.254/latest/"
              "meta-data/\r\nContent-Length: 0\r\n\r\n", ("failure", "redirect"))
after_request("redirect_to_a_file", "HTTP/1.1 302 X\r\nLocation: file:///etc/passwd\r\n"
              "Content-Length: 0\r\n\r\n", ("failure", "redirect"))
after_request("redirect_to_itself", "HTTP/1.1 307 X\r\nLocation: /in\r\nContent-Length: 0\r\n\r\n",
              ("failure", "redirect"))
after_request("refresh_to_elsewhere", "HTTP/1.1 200 OK\r\nRefresh: 0; url=TRAP/in\r\n"
              "Content-Length: 0\r\n\r\n", DELIVERED)
after_request("asks_for_a_password", "HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
              "WWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n", ("failure", "http_401"))
after_request("sets_a_cookie", "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\n"
              "Content-Length: 0\r\n\r\n", DELIVERED, events=3)
after_request("names_an_alternative", "HTTP/1.1 200 OK\r\n"
              "Alt-Svc: http/1.1=\"TRAP_PORT\"; ma=99\r\nConnection: close\r\n"
              "Content-Length: 0\r\n\r\n", DELIVERED, events=3, tls="good")
after_request("success_with_retry_after", "HTTP/1.1 200 OK\r\nRetry-After: 3600\r\n"
              "Content-Length: 0\r\n\r\n", DELIVERED, events=2)


# ---- load

@animal(TIMEOUT, timeout_ms=1000)
async def latency_beyond_the_timeout(peer):
    """30 s of latency, scaled down: the answer comes, but too late to count."""
    await peer.request()
    await asyncio.sleep(1.3)
    await peer.send(OK)


async def _hang(peer):
    await peer.hold()


async def _busy(peer):
    await peer.send("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")


cycle("slow_and_then_well", [_hang], TIMEOUT, DELIVERED, timeout_ms=1000, retry_schedule=None)
cycle("busy_and_then_well", [_busy, _busy], ("overload", "http_503"), ("overload", "http_503"),
      DELIVERED, retry_schedule=None)


async def _too_large(peer):
    await peer.send("HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n")


cycle("too_large_for_it", [_too_large] * 9, *[("rejected_size", "http_413")] * 3, state="parked",
      retry_schedule=None)
after_request("gone_for_good", GONE, ("gone", "http_410"), state="parked")


def random_failures(seed):
    """Half of the requests fail in one of three ways, but no event more often than six times."""
    dice = random.Random(seed)
    failures = collections.Counter()

    async def fails_at_random(peer):
        while True:
            arrival = await peer.request()
            if dice.random() < 0.5 and failures[arrival.event] < 6:
                failures[arrival.event] += 1
                await dice.choice([_busy, _reset, _gibberish])(peer)
            else:
                await peer.send(OK)
    return fails_at_random


async def _reset(peer):
    peer.reset()


async def _gibberish(peer):
    await peer.send("gibberish\r\n\r\n")
    await peer.hold()


class OneAtATime:
    """Refuses a second connection while the first one is open."""

    def __init__(self):
        self.guests = 0
        self.refused = 0

    async def __call__(self, peer):
        if self.guests:
            self.refused += 1
            return peer.reset()
        self.guests += 1
        try:
            while True:
                await peer.request()
                await asyncio.sleep(0.02)
                await peer.send(OK)
        finally:
            self.guests -= 1


async def any_status(peer):
    """Answers /NNN with that status."""
    while True:
        arrival = await peer.request()
        status = arrival.path[1:]
        length = "" if status in ("204", "304") or status[0] == "1" else "Content-Length: 0\r\n"
        await peer.send(f"HTTP/1.1 {status} X\r\n{length}\r\n")
        if status[0] == "1":
            return  # and nothing after it


def class_of_status(status):
    """The table of spec/delivery.md 2."""
    if 200 <= status <= 299:
        return DELIVERED
    if 300 <= status <= 399:
        return "failure", "redirect"
    if not 200 <= status <= 599:
        return BROKEN
    if status == 410:
        return "gone", "http_410"
    if status in (413, 431):
        return "rejected_size", f"http_{status}"
    if status in (408, 425, 429) or status >= 500:
        return "overload", f"http_{status}"
    return "failure", f"http_{status}"
