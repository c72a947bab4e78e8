#!/usr/bin/python3
"""Writes the configuration of the lab's mail servers: servers.py BASE-DIRECTORY."""

import pathlib
import shutil
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
message_size_limit = 12000000
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

EXIM_USER, MAIL_USER = (201, 201), (8, 8)  # as tests/lab/fetch has them

# In the roots of these two, /lab is the folder of that name in the working directory.
# Nothing answers DNS, so neither may ask.
EXIM = r"""
primary_hostname = exim.lab.test
exim_user = Debian-exim
local_interfaces = <; {ipv4} ; {ipv6}
smtp_banner = $smtp_active_hostname ESMTP Exim $version_number
spool_directory = /lab/spool
log_file_path = /lab/exim-%s
pid_file_path = /run/exim.pid
log_selector = +all
never_users =
host_lookup =
rfc1413_query_timeout = 0s
chunking_advertise_hosts = *
smtputf8_advertise_hosts = *
tls_advertise_hosts = *
tls_certificate = /lab/cert.pem
tls_privatekey = /lab/key.pem
message_size_limit = 12M
smtp_accept_max = 60
smtp_connect_backlog = 60
keep_environment =
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = accept
begin acl
acl_rcpt:
  deny !domains = ^[a-z0-9-]+\\.test\$
    message = relay not permitted
  deny message = Unknown user
    !verify = recipient
  accept
begin routers
outward:
  driver = manualroute
  domains = library.test
  route_list = * {library} byname
  transport = outward
  no_more
here:
  driver = redirect
  local_parts = ^(user|list)[0-9]*\$
  data = :blackhole:
begin transports
outward:
  driver = smtp
  interface = {ipv4}
  hosts_avoid_tls = *
begin retry
* * F,1h,2s
"""

OPENSMTPD = """\
table here {{ "@" = "mail" }}
pki lab cert "/lab/cert.pem"
pki lab key "/lab/key.pem"
smtp max-message-size 12M
queue ttl 20s
listen on {ipv4} port 25 hostname opensmtpd.lab.test tls pki lab
listen on {ipv6} port 25 hostname opensmtpd.lab.test tls pki lab
listen on socket
action "gone" maildir "/lab/mail" virtual <here>
action "outward" relay host "smtp+notls://{library}" src "{ipv4}" helo opensmtpd.lab.test
match from any for domain "library.test" action "outward"
match from any for rcpt-to regex "^(user|list)[0-9]*@[a-z0-9-]+[.]test$" action "gone"
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


def write_root_server(base, name, file, text):
    """The folder that a server in a root of its own sees as /lab."""
    folder = base / name
    (folder / "spool").mkdir(parents=True)
    ipv4, ipv6 = (place.address for place in plan.ROOT_SERVERS[name])
    (folder / file).write_text(text.format(ipv4=ipv4, ipv6=ipv6, library=plan.host("library").ipv4))
    for part in ("cert.pem", "key.pem"):
        shutil.copy(base / part, folder / part)
    return folder


def main():
    base = pathlib.Path(sys.argv[1])
    write_certificate(base)
    write_instance(base, "world", "mx.lab.test", "regexp:$config_directory/domains",
                   plan.WORLD_SERVERS)
    (base / "world/conf/domains").write_text("/^[a-z0-9-]+\\.test$/ ok\n")
    write_instance(base, "relay", "mail.library.test", "library.test", plan.LIBRARY_SERVERS, RELAY)
    folder = write_root_server(base, "exim", "exim.conf", EXIM)
    for path in (folder, folder / "spool", folder / "key.pem"):  # for it gives up root
        shutil.chown(path, *EXIM_USER)
    folder = write_root_server(base, "opensmtpd", "smtpd.conf", OPENSMTPD)
    (folder / "spool").chmod(0o711)
    (folder / "mail").mkdir()
    shutil.chown(folder / "mail", *MAIL_USER)


if __name__ == "__main__":
    main()
