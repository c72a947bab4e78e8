#include "sensor/app/study_plan.h"

#include "rules/study/criteria.h"
#include "sensor/app/options.h"
#include "sensor/app/study_plan_key.h"
#include "sensor/app/study_plan_load.h"

static void
put_heading(struct buf *out)
{
    buf_str(
        out,
        "# What a study weighs, and what was agreed on beforehand.\n"
        "#\n"
        "#     span25 study run --policy FILE --criteria FILE INPUT...\n"
        "#\n"
        "# One file may have all of it, or several files a part each. A line "
        "that begins\n"
        "# with # and no space is a setting that may be set.\n\n");
}

static void
put_kinds(struct buf *out)
{
    buf_str(out, "# Kinds of policies:\n");
    for (unsigned k = 0; k < STUDY_KIND_COUNT; k++)
        buf_printf(out, "#   %-13s %s\n", study_kind_word((enum study_kind)k),
                   study_kind_what((enum study_kind)k));
}

static void
put_keys(struct buf *out)
{
    buf_str(out, "# Keys of a policy, with what is taken when they are not "
                 "there:\n");
    for (unsigned i = 0; i < plan_policy_rows.n; i++) {
        const struct plan_row *row = &plan_policy_rows.v[i];

        if (row->unit[0] == 0) {
            buf_printf(out, "#   %s: %s\n", row->key, row->why);
            continue;
        }
        buf_printf(out, "#   %s: ", row->key);
        plan_value_preset(row, out);
        buf_str(out, " (");
        if (row->type == PLAN_BOOL)
            buf_str(out, row->unit);
        else
            plan_value_range(row, out);
        if (row->type == PLAN_U64 || row->type == PLAN_DOUBLE)
            buf_printf(out, " %s", row->unit);
        buf_printf(out, ") %s\n", row->why);
    }
}

/* They are said in the words of the configuration. */
static void
put_limits(struct buf *out)
{
    static const char *const paths[] = {
#define X(name, ...) "block." #name,
#include "rules/decide/decide.def"
#undef X
    };

    buf_str(out, "# Keys of block, as in the configuration:\n");
    for (unsigned i = 0; i < ARRAY_LEN(paths); i++) {
        const enum option_id id = options_find_path(span_str(paths[i]));
        const struct option_row *row = &options_rows[id];

        if (id < OPTION_COUNT)
            buf_printf(out, "#   %s: %s (%s) %s\n", strchr(paths[i], '.') + 1,
                       row->preset, row->range, row->help);
    }
}

/* Of the keys of some kinds only, those that this policy has. */
static void
put_policy(const struct study_policy_plan *p, struct buf *out)
{
    for (unsigned i = 0; i < plan_policy_rows.n; i++) {
        const struct plan_row *row = &plan_policy_rows.v[i];
        const bool always = i < 3; /* name, title, kind */
        const bool own = row->type != PLAN_OTHER &&
                         (row->kinds & 1U << p->kind) != 0 &&
                         (row->kinds & (row->kinds - 1)) == 0;

        if (!always && !own)
            continue;
        buf_printf(out, "%s%s: ", i == 0 ? "  - " : "    ", row->key);
        plan_value_format(row, p, out);
        buf_putc(out, '\n');
    }
}

static void
put_costs(const struct study_costs *costs, struct buf *out)
{
    buf_str(out, "\n# What work and mistakes cost.\ncosts:\n");
    for (unsigned i = 0; i < plan_cost_rows.n; i++) {
        const struct plan_row *row = &plan_cost_rows.v[i];

        buf_printf(out, "  # %s: %s, ", row->unit, row->why);
        plan_value_range(row, out);
        buf_printf(out, "\n  %s: ", row->key);
        plan_value_format(row, costs, out);
        buf_putc(out, '\n');
    }
}

static void
put_decision(struct buf *out)
{
    buf_str(out,
            "\n# What is put to those who decide: a policy, the day from which "
            "on, and how it\n"
            "# is undone.\n"
            "#proposed: P6\n"
            "#effective: 2027-01-11\n"
            "#rollback: \"span25 policy mode off; lists are empty within a "
            "minute\"\n");
}

static void
put_criteria(struct buf *out)
{
    buf_str(out, "\n# Go or no go, agreed on before the study is run. "
                 "Measures, first those of a\n"
                 "# policy (of the proposed one, or of that which `policy` "
                 "names):\n");
    for (unsigned m = 0; m < STUDY_MEASURE_COUNT; m++)
        buf_printf(out, "#   %-20s %s\n",
                   study_measure_word((enum study_measure)m),
                   study_measure_what((enum study_measure)m));
    buf_str(out, "#criteria:\n"
                 "#- {name: registered hosts stopped, measure: "
                 "registered-stopped, at-most: 0}\n"
                 "#- {name: hours watched, measure: coverage, at-least: "
                 "0.98}\n");
}

void
study_plan_text(struct buf *out)
{
    struct study_plan plan;
    struct buf messages;

    buf_init(&messages, 4096);
    if (study_plan_parse(SPAN_NONE, "(shipped)", &plan, &messages) != ERR_OK) {
        out->failed = true;
        buf_free(&messages);
        return;
    }
    put_heading(out);
    put_kinds(out);
    buf_str(out, "#\n");
    put_keys(out);
    buf_str(out, "#\n");
    put_limits(out);
    buf_str(out, "policies:\n");
    for (size_t i = 0; i < plan.n_policies; i++)
        put_policy(&plan.policies[i], out);
    put_costs(&plan.costs, out);
    put_decision(out);
    put_criteria(out);
    study_plan_free(&plan);
    buf_free(&messages);
}
