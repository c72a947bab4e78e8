#include "sensor/store/index_schema.h"

#include <stddef.h>

/* An event is found by its time, by its type, and as what a host did or had
 * done to it; of a host by type too, for one host may have most of all. */
static const char events[] = "CREATE TABLE events("
#define INDEX_DECL(name, decl, field) #name " " decl ","
    INDEX_COLUMNS(INDEX_DECL)
#undef INDEX_DECL
        "CHECK(seq > 0));"
        "CREATE INDEX events_time ON events(time);"
        "CREATE INDEX events_type ON events(type, time);"
        "CREATE INDEX events_src ON events(src, type, time);"
        "CREATE INDEX events_dst ON events(dst, type, time);"
        "CREATE INDEX events_id ON events(event_id);";

/* What an analyst asks for, kept whole: records as they passed record_check. Of
 * alerts and hosts the newest event of each, of decisions and of what people
 * did all. key: what it is about; subject: whom, where that is something else;
 * status: enum index_status, of an act that sets it. */
static const char kept[] =
    "CREATE TABLE latest(type TEXT NOT NULL, key TEXT NOT NULL,"
    " seq INTEGER NOT NULL, time INTEGER NOT NULL, record BLOB NOT NULL,"
    " PRIMARY KEY(type, key)) WITHOUT ROWID;"
    "CREATE INDEX latest_time ON latest(type, time);"
    "CREATE TABLE acts(seq INTEGER PRIMARY KEY, type TEXT NOT NULL,"
    " key TEXT NOT NULL, subject TEXT, status INTEGER,"
    " record BLOB NOT NULL);"
    "CREATE INDEX acts_key ON acts(type, key);"
    "CREATE INDEX acts_subject ON acts(type, subject);"
    "CREATE TABLE position(id INTEGER PRIMARY KEY CHECK(id = 0),"
    " seq INTEGER NOT NULL);"
    "INSERT INTO position VALUES(0, 0);"
    "CREATE TABLE cited(list TEXT NOT NULL, host BLOB NOT NULL,"
    " server BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " replies INTEGER NOT NULL, PRIMARY KEY(list, host, server))"
    " WITHOUT ROWID;";

/* What was seen, counted: index_traffic.h. hour and slot: since 1970; high:
 * open alerts of severity 1 when it began; seen and unseen: bytes, as was said
 * last. */
static const char traffic[] =
    "CREATE TABLE hours(hour INTEGER PRIMARY KEY, high INTEGER NOT NULL,"
    " seen INTEGER NOT NULL, unseen INTEGER NOT NULL);"
    "CREATE TABLE slots(slot INTEGER NOT NULL, class INTEGER NOT NULL,"
    " n INTEGER NOT NULL, PRIMARY KEY(slot, class)) WITHOUT ROWID;"
    "CREATE TABLE senders(hour INTEGER NOT NULL, host BLOB NOT NULL,"
    " unregistered INTEGER NOT NULL, sessions INTEGER NOT NULL,"
    " rcpt INTEGER NOT NULL, refused INTEGER NOT NULL,"
    " PRIMARY KEY(hour, host)) WITHOUT ROWID;";

/* What lists choose by. id: sequence of the first event, which no later one
 * changes. host: subject without its lease. title: for searching, in small
 * letters. severity: 1 to 4. Every index ends with last, which is the order of
 * the lists. */
static const char alerts[] =
    "CREATE TABLE alerts(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,"
    " host TEXT NOT NULL, subject TEXT NOT NULL, rule TEXT NOT NULL,"
    " site TEXT NOT NULL, title TEXT NOT NULL, status INTEGER NOT NULL,"
    " severity INTEGER NOT NULL, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, count INTEGER NOT NULL);"
    "CREATE INDEX alerts_last ON alerts(last);"
    "CREATE INDEX alerts_status ON alerts(status, severity, last);"
    "CREATE INDEX alerts_host ON alerts(host, status, last);"
    "CREATE INDEX alerts_rule ON alerts(rule, status, last);"
    "CREATE INDEX alerts_site ON alerts(site, status, last);"
    "CREATE INDEX alerts_title ON alerts(title);"
    "CREATE INDEX alerts_first ON alerts(subject, rule, first);"
    "CREATE INDEX alerts_newest ON alerts(subject, rule, last);"
    "CREATE TABLE alert_counts(status INTEGER NOT NULL,"
    " severity INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY(status, severity)) WITHOUT ROWID;"
    "CREATE TABLE hosts(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL, site TEXT NOT NULL, registered TEXT NOT NULL,"
    " level INTEGER NOT NULL, last INTEGER NOT NULL,"
    " sessions INTEGER NOT NULL);"
    "CREATE INDEX hosts_last ON hosts(last);"
    "CREATE INDEX hosts_level ON hosts(level, last);"
    "CREATE INDEX hosts_site ON hosts(site, last);"
    "CREATE INDEX hosts_registered ON hosts(registered, last);"
    "CREATE INDEX hosts_name ON hosts(name);"
    "CREATE TABLE host_counts(registered TEXT PRIMARY KEY,"
    " n INTEGER NOT NULL) WITHOUT ROWID;";

/* Alerts of one subject and rule, which has site and title of the first.
 * s0..s3: how many have that status; v1..v4: that severity. */
static const char groups[] =
    "CREATE TABLE groups(id INTEGER PRIMARY KEY, subject TEXT NOT NULL,"
    " rule TEXT NOT NULL, host TEXT NOT NULL, site TEXT NOT NULL,"
    " title TEXT NOT NULL, alerts INTEGER NOT NULL,"
    " matches INTEGER NOT NULL,"
    " first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " s0 INTEGER NOT NULL, s1 INTEGER NOT NULL, s2 INTEGER NOT NULL,"
    " s3 INTEGER NOT NULL, v1 INTEGER NOT NULL, v2 INTEGER NOT NULL,"
    " v3 INTEGER NOT NULL, v4 INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX groups_key ON groups(subject, rule);"
    "CREATE INDEX groups_last ON groups(last);"
    "CREATE INDEX groups_host ON groups(host, last);"
    "CREATE INDEX groups_rule ON groups(rule, last);"
    "CREATE INDEX groups_site ON groups(site, last);"
    "CREATE INDEX groups_title ON groups(title);"
    "CREATE INDEX groups_s0 ON groups(last) WHERE s0 > 0;"
    "CREATE INDEX groups_s1 ON groups(last) WHERE s1 > 0;"
    "CREATE INDEX groups_s2 ON groups(last) WHERE s2 > 0;"
    "CREATE INDEX groups_s3 ON groups(last) WHERE s3 > 0;";

#define COUNT_IN                                                               \
    "INSERT INTO alert_counts VALUES(NEW.status, NEW.severity, 1)"             \
    " ON CONFLICT(status, severity) DO UPDATE SET n = n + 1;"
#define COUNT_OUT                                                              \
    "UPDATE alert_counts SET n = n - 1 WHERE status = OLD.status"              \
    " AND severity = OLD.severity;"

/* One that comes to be of another group first joins and then leaves. What is
 * told anew and what people do changes its group only where it must: every
 * column that is set is written in all its indexes. */
#define JOIN                                                                   \
    "INSERT INTO groups(subject, rule, host, site, title, alerts, matches,"    \
    " first, last, s0, s1, s2, s3, v1, v2, v3, v4) VALUES(NEW.subject,"        \
    " NEW.rule, NEW.host, NEW.site, NEW.title, 1, NEW.count, NEW.first,"       \
    " NEW.last, NEW.status = 0,"                                               \
    " NEW.status = 1, NEW.status = 2, NEW.status = 3, NEW.severity = 1,"       \
    " NEW.severity = 2, NEW.severity = 3, NEW.severity = 4)"                   \
    " ON CONFLICT(subject, rule) DO UPDATE SET alerts = alerts + 1,"           \
    " matches = matches + excluded.matches,"                                   \
    " first = min(first, excluded.first), last = max(last, excluded.last),"    \
    " s0 = s0 + excluded.s0, s1 = s1 + excluded.s1, s2 = s2 + excluded.s2,"    \
    " s3 = s3 + excluded.s3, v1 = v1 + excluded.v1, v2 = v2 + excluded.v2,"    \
    " v3 = v3 + excluded.v3, v4 = v4 + excluded.v4;" COUNT_IN
#define SAME    "OLD.subject = NEW.subject AND OLD.rule = NEW.rule"
#define ITS_OWN "subject = OLD.subject AND rule = OLD.rule"
#define LEAVE                                                                  \
    "DELETE FROM groups WHERE " ITS_OWN " AND alerts = 1;"                     \
    "UPDATE groups SET alerts = alerts - 1, matches = matches - OLD.count,"    \
    " first = (SELECT min(first) FROM alerts WHERE " ITS_OWN "),"              \
    " last = (SELECT max(last) FROM alerts WHERE " ITS_OWN "),"                \
    " s0 = s0 - (OLD.status = 0), s1 = s1 - (OLD.status = 1),"                 \
    " s2 = s2 - (OLD.status = 2), s3 = s3 - (OLD.status = 3),"                 \
    " v1 = v1 - (OLD.severity = 1), v2 = v2 - (OLD.severity = 2),"             \
    " v3 = v3 - (OLD.severity = 3), v4 = v4 - (OLD.severity = 4)"              \
    " WHERE " ITS_OWN ";" COUNT_OUT

static const char alerts_follow[] =
    "CREATE TRIGGER alerts_in AFTER INSERT ON alerts BEGIN " JOIN "END;"
    "CREATE TRIGGER alerts_out AFTER DELETE ON alerts BEGIN " LEAVE "END;"
    "CREATE TRIGGER alerts_move AFTER UPDATE ON alerts WHEN NOT (" SAME
    ") BEGIN " JOIN LEAVE "END;";

static const char groups_follow[] =
    "CREATE TRIGGER alerts_act AFTER UPDATE OF status ON alerts WHEN " SAME
    " BEGIN UPDATE groups SET s0 = s0 - (OLD.status = 0) + (NEW.status = 0),"
    " s1 = s1 - (OLD.status = 1) + (NEW.status = 1),"
    " s2 = s2 - (OLD.status = 2) + (NEW.status = 2),"
    " s3 = s3 - (OLD.status = 3) + (NEW.status = 3) WHERE " ITS_OWN
    ";" COUNT_IN COUNT_OUT "END;"
    "CREATE TRIGGER alerts_tell AFTER UPDATE OF last ON alerts WHEN " SAME
    " BEGIN UPDATE groups SET matches = matches - OLD.count + NEW.count,"
    " first = (SELECT min(first) FROM alerts WHERE " ITS_OWN "),"
    " last = (SELECT max(last) FROM alerts WHERE " ITS_OWN "),"
    " v1 = v1 - (OLD.severity = 1) + (NEW.severity = 1),"
    " v2 = v2 - (OLD.severity = 2) + (NEW.severity = 2),"
    " v3 = v3 - (OLD.severity = 3) + (NEW.severity = 3),"
    " v4 = v4 - (OLD.severity = 4) + (NEW.severity = 4) WHERE " ITS_OWN
    ";" COUNT_IN COUNT_OUT "END;";

#define HOST_IN                                                                \
    "INSERT INTO host_counts VALUES(NEW.registered, 1)"                        \
    " ON CONFLICT(registered) DO UPDATE SET n = n + 1;"
#define HOST_OUT                                                               \
    "UPDATE host_counts SET n = n - 1 WHERE registered = OLD.registered;"

/* What is removed by age leaves the lists; the status of an alert is that of
 * the last act that is still there. */
static const char rest_follows[] =
    "CREATE TRIGGER hosts_in AFTER INSERT ON hosts BEGIN " HOST_IN "END;"
    "CREATE TRIGGER hosts_out AFTER DELETE ON hosts BEGIN " HOST_OUT "END;"
    "CREATE TRIGGER hosts_new AFTER UPDATE OF registered ON hosts"
    " BEGIN " HOST_IN HOST_OUT "END;"
    "CREATE TRIGGER latest_out AFTER DELETE ON latest BEGIN"
    " DELETE FROM alerts WHERE OLD.type = 'alert' AND key = OLD.key;"
    " DELETE FROM hosts WHERE OLD.type = 'host' AND key = OLD.key; END;"
    "CREATE TRIGGER acts_in AFTER INSERT ON acts WHEN NEW.status IS NOT NULL"
    " BEGIN UPDATE alerts SET status = NEW.status WHERE key = NEW.key"
    " AND status <> NEW.status; END;"
    "CREATE TRIGGER acts_out AFTER DELETE ON acts WHEN OLD.status IS NOT NULL"
    " BEGIN UPDATE alerts SET status = coalesce((SELECT a.status FROM acts a"
    " WHERE a.type = 'act' AND a.key = OLD.key AND a.status IS NOT NULL"
    " ORDER BY a.seq DESC LIMIT 1), 0) WHERE key = OLD.key; END;";

const char *const index_tables[] = {events,        kept,         traffic,
                                    alerts,        groups,       alerts_follow,
                                    groups_follow, rest_follows, NULL};
