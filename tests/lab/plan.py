"""The address plan of the lab: who lives where, and which server answers how."""

import ipaddress
from typing import NamedTuple


class Host(NamedTuple):
    """One machine inside our network, in a namespace of its own."""
    name: str
    ipv4: str
    ipv6: str
    site: str
    registered: bool


class Server(NamedTuple):
    """One listening address and the smtpd options that make it what it is."""
    name: str
    address: str
    port: int
    options: tuple = ()
    tls_wrapper: bool = False


HOSTS = (
    Host("library", "10.20.1.10", "fd25:20::1:10", "Library", True),
    Host("office", "10.20.1.11", "fd25:20::1:11", "Office", True),
    Host("bot", "10.20.4.17", "fd25:20::4:17", "Lakeside HS", False),
    Host("printer", "10.20.7.3", "fd25:20::7:3", "Physics", False),
    Host("campus", "10.20.5.20", "fd25:20::5:20", "Student Services", True),
)
GATEWAY4, GATEWAY6 = "10.20.0.1", "fd25:20::1"
OUTSIDE_CLIENTS = ("203.0.113.77", "2001:db8:25::77")
LOCAL_ROUTES = ("198.51.100.0/24", "203.0.113.0/25", "203.0.113.128/26", "2001:db8:25::/64")
REFUSED = [f"203.0.113.{n}" for n in range(130, 155)]  # an address without a listener: RST
UNANSWERED = [f"203.0.113.{n}" for n in range(200, 225)]  # no route and no forwarding: silence
SINK = ("203.0.113.100", "2001:db8:25::100")
GREYLIST_PORT = 10023
ACCOUNT = ("teacher@lab.test", "lab-only-made-up")


def _reject_at_connect(text):
    return (("smtpd_delay_reject", "no"), ("smtpd_client_restrictions", text))


TLS = ("smtpd_tls_security_level", "may")
AUTH = ("smtpd_sasl_auth_enable", "yes")
BLOCKED = ("smtpd_client_restrictions", "check_client_access cidr:$config_directory/blocklist")
GREY = ("smtpd_recipient_restrictions",
        f"reject_unauth_destination, check_policy_service inet:127.0.0.1:{GREYLIST_PORT}")
DESTINATIONS = [Server(f"dest{n:02d}", f"203.0.113.{n}", 25) for n in range(1, 31)]

WORLD_SERVERS = [
    Server("mx", "198.51.100.25", 25, (TLS,)),
    Server("mx-v6", "2001:db8:25::25", 25, (TLS,)),
    Server("submit", "198.51.100.25", 587, (TLS, AUTH)),
    Server("submits", "198.51.100.25", 465, (AUTH,), tls_wrapper=True),
    Server("blocklist", "198.51.100.26", 25, (BLOCKED,)),
    Server("blocklist-v6", "2001:db8:25::26", 25, (BLOCKED,)),
    Server("greylist", "198.51.100.27", 25, (GREY,)),
    Server("norelay", "198.51.100.28", 25,
           (("smtpd_recipient_restrictions", "defer_unauth_destination"),)),
    Server("small", "198.51.100.29", 25,
           (("message_size_limit", "20000"),
            ("smtpd_discard_ehlo_keywords", "pipelining,chunking,smtputf8,dsn"))),
    Server("rate", "198.51.100.30", 25,
           (("smtpd_client_message_rate_limit", "3"), ("smtpd_client_recipient_rate_limit", "6"))),
    Server("connrate", "198.51.100.33", 25, (("smtpd_client_connection_rate_limit", "2"),)),
    Server("closed", "198.51.100.31", 25,
           _reject_at_connect("check_client_access cidr:$config_directory/closed")),
    Server("slow", "198.51.100.32", 25, _reject_at_connect("sleep 1")),
    Server("barelf", "198.51.100.34", 25,
           (("smtpd_forbid_bare_newline", "reject"), ("smtpd_forbid_unauth_pipelining", "yes"))),
    Server("idle", "198.51.100.35", 25, (("smtpd_timeout", "2s"),)),
    Server("strict", "198.51.100.36", 25,
           (("smtpd_helo_required", "yes"), ("strict_rfc821_envelopes", "yes"),
            ("smtpd_sender_restrictions", "check_sender_access regexp:$config_directory/senders"))),
] + DESTINATIONS

LIBRARY_SERVERS = [Server("library", "10.20.1.10", 25, (TLS,)),
                   Server("library-v6", "fd25:20::1:10", 25, (TLS,))]

# Both forward what is for library.test, from the addresses that they listen on. One
# address of a family each, so that the family of a client tells which it talks to.
ROOT_SERVERS = {
    "exim": (Server("exim", "198.51.100.40", 25), Server("exim-v6", "2001:db8:25::40", 25)),
    "opensmtpd": (Server("opensmtpd", "198.51.100.41", 25),
                  Server("opensmtpd-v6", "2001:db8:25::41", 25)),
}

SERVERS = {server.name: server for server in WORLD_SERVERS + LIBRARY_SERVERS}
SINK_SERVERS = {"sink": Server("sink", SINK[0], 25), "sink-v6": Server("sink-v6", SINK[1], 25)}


def host(name):
    """The host of that name."""
    return next(one for one in HOSTS if one.name == name)


def family_of(address):
    """4 or 6."""
    return ipaddress.ip_address(address).version
