#!/usr/bin/python3
"""Writes the Postfix configuration directories of the lab: servers.py BASE-DIRECTORY."""

import pathlib
import subprocess
import sys

import plan

MAIN = """\
compatibility_level = 3.6
queue_directory = {base}/{name}/queue
data_directory = {base}/{name}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {base}/{name}/maillog
maillog_file_prefixes = {base}
myhostname = {host}
mydomain = {host}
mydestination =
mynetworks = 127.0.0.0/8
inet_protocols = all
alias_maps =
local_recipient_maps =
biff = no
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_client_port_logging = yes
debug_peer_level = 1
debug_peer_list = 0.0.0.0/0, [::]/0
smtpd_error_sleep_time = 0
smtpd_tls_cert_file = {base}/cert.pem
smtpd_tls_key_file = {base}/key.pem
smtpd_tls_loglevel = 1
smtpd_tls_security_level = none
smtpd_sasl_type = dovecot
smtpd_sasl_path = {base}/auth.socket
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions =
smtpd_recipient_restrictions = check_recipient_access regexp:$config_directory/recipients,
  reject_unauth_destination
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = regexp:$config_directory/users
virtual_transport = discard:
message_size_limit = 2000000
anvil_rate_time_unit = 600s
{extra}"""

RELAY = """\
default_transport = smtp
relayhost =
transport_maps = regexp:$config_directory/transport
smtp_tls_security_level = none
smtp_connection_cache_destinations = 198.51.100.25
smtp_connection_cache_time_limit = 2s
smtp_destination_concurrency_limit = 1
smtp_helo_name = mail.library.test
minimal_backoff_time = 3s
maximal_backoff_time = 4s
queue_run_delay = 2s
maximal_queue_lifetime = 8s
bounce_queue_lifetime = 8s
smtp_connect_timeout = 3s
smtpd_soft_error_limit = 10
"""

SERVICES = """\
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
smtptls unix - - n - - smtp
  -o smtp_tls_security_level=may
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""

TABLES = {
    "users": "/^(user|pupil|teacher|list|grey|staff)[0-9]*@/ ok\n"
             "/^\"?quoted user\"?@/ ok\n"
             "/^\"?a@b\"?@/ ok\n"
             "/^(j\u00fcrgen|\u7528\u6237)@/ ok\n",
    "recipients": "/^full[0-9]*@/ 452 4.2.2 The mailbox is over its quota, try again later\n"
                  "/^overquota@/ 552 5.2.2 Mailbox full, see https://help.example.test/full\n"
                  "/^policy@/ 554 5.7.1 Message refused by local policy, case L25-77\n"
                  "/^later@/ 450 4.7.1 Try again later\n"
                  "/^closed@/ 550 5.2.1 This account is disabled\n"
                  "/^moved@/ 551 5.1.6 User has moved to moved@elsewhere.test\n"
                  "/^bye@/ 421 4.7.0 Too many mails from your network, closing\n",
    "blocklist": "10.20.4.17 554 5.7.1 Service unavailable; Client host [10.20.4.17] blocked using"
                 " zen.example-bl.test; https://lookup.example-bl.test/ip/10.20.4.17\n"
                 "fd25:20::4:17 550 5.7.1 Service unavailable; Client host [fd25:20::4:17] blocked"
                 " using bl6.example-bl.test; Listed by policy\n",
    "closed": "0.0.0.0/0 554 5.7.1 No mail is taken from your network\n",
    "senders": "/@banned\\.test$/ 554 5.7.1 Sender domain refused\n"
               "/@wait\\.test$/ 451 4.7.1 Sender domain cannot be checked now\n",
}

TRANSPORT = f"""\
/@(v6)\\.test$/ smtp:[2001:db8:25::25]
/@sink6\\.test$/ smtp:[{plan.SINK[1]}]
/@sink\\.test$/ smtp:[{plan.SINK[0]}]
/@(batch|mx)\\.test$/ smtp:[198.51.100.25]
/@tls\\.test$/ smtptls:[198.51.100.25]
/@grey\\.test$/ smtp:[198.51.100.27]
/@small\\.test$/ smtp:[198.51.100.29]
"""


def _service_line(server):
    bracketed = f"[{server.address}]" if plan.family_of(server.address) == 6 else server.address
    options = [("syslog_name", f"lab-{server.name}")] + list(server.options)
    if server.tls_wrapper:
        options.append(("smtpd_tls_wrappermode", "yes"))
    lines = [f"{bracketed}:{server.port} inet n - n - - smtpd"]
    lines += [f"  -o {{ {key} = {value} }}" for key, value in options]
    return "\n".join(lines) + "\n"


def write_instance(base, name, host, domains, servers, extra=""):
    """One configuration directory, ready for `postfix -c`."""
    conf = base / name / "conf"
    for part in ("conf", "queue", "data"):
        (base / name / part).mkdir(parents=True)
    subprocess.run(["chown", "postfix:", base / name / "data"], check=True)
    settings = MAIN.format(base=base, name=name, host=host, domains=domains, extra=extra)
    (conf / "main.cf").write_text(settings)
    (conf / "master.cf").write_text("".join(map(_service_line, servers)) + SERVICES)
    for table, text in TABLES.items():
        (conf / table).write_text(text)
    (conf / "transport").write_text(TRANSPORT)


def write_certificate(base):
    """A self-made certificate that ends with the lab."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=mx.lab.test", "-keyout", base / "key.pem",
                    "-out", base / "cert.pem"], check=True, capture_output=True)


def main():
    base = pathlib.Path(sys.argv[1])
    write_certificate(base)
    write_instance(base, "world", "mx.lab.test", "regexp:$config_directory/domains",
                   plan.WORLD_SERVERS)
    (base / "world/conf/domains").write_text("/^[a-z0-9-]+\\.test$/ ok\n")
    write_instance(base, "relay", "mail.library.test", "library.test", plan.LIBRARY_SERVERS, RELAY)


if __name__ == "__main__":
    main()
