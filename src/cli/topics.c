/* SPDX-License-Identifier: MIT
 *
 * cli/topics.c: what `gowtf help TOPIC` says.
 *
 * Tables that exist elsewhere, keys and exit codes, are printed from there. */
#include "cli/command.h"

#include "model/keys.h"

static void print_keys(struct buf *out)
{
    static const char *const heads[KEY_WHERES] = {
        [KEY_ROOT] = "Keys of a file",
        [KEY_TASK] = "Keys of a task",
        [KEY_SCHEDULE] = "Keys of a schedule entry",
    };
    int where = -1;
    for (size_t i = 0; i < key_count(); i++) {
        const struct key *k = key_at(i);
        if (!k->built)
            continue;
        if ((int)k->where != where)
            buf_printf(out, "\n%s\n", heads[where = (int)k->where]);
        buf_printf(out, "  %-20.*s %s\n", STR_ARG(k->name), k->help);
    }
    buf_puts(out, "\nOther keys of the language are known and answered \"not in this version\".\n");
}

static void print_exit_codes(struct buf *out)
{
    buf_puts(out, "How a gowtf command ends:\n\n");
    for (size_t i = 0; i < exit_count; i++)
        buf_printf(out, "  %3d  %s\n", exit_table[i].code, exit_table[i].means);
}

/* clang-format off */
static const char yaml_text[] =
    "A workflow is a YAML file with a name and tasks:\n"
    "\n"
    "  name: nightly\n"
    "  schedule: \"15 2 * * *\"\n"
    "  tasks:\n"
    "    - name: dump\n"
    "      script: ./dump.sh > dump.sql\n"
    "      retries: 2\n"
    "    - name: verify\n"
    "      depends_on: [dump]\n"
    "      script: grep -q COMMIT dump.sql\n"
    "\n"
    "Durations are written 500ms 30s 2m 1h30m 1d; a bare number is seconds.\n"
    "Scripts run under /bin/sh -e in the directory of the file.\n";

static const char conditions_text[] =
    "A condition is asked once, when all direct parents of the task are over.\n"
    "False: the task is skipped. None: it runs if no parent is broken and at least\n"
    "one succeeded.\n"
    "\n"
    "  condition: fetch.success and not check.failed\n"
    "  condition: all_upstream.done\n"
    "  condition: probe.exit_code in [3, 4]     probe must have run\n"
    "  condition: always\n"
    "\n"
    "  TASK.success   .failed   .skipped   .cancelled   .done\n"
    "  TASK.broken    failed, cancelled, or something before it failed\n"
    "  TASK.exit_code .attempts .state\n"
    "  all_upstream.S any_upstream.S none_upstream.S    over the direct parents\n"
    "  == != < <= > >=   and or not (also && || !)   in   ( )   'text' 12 true\n"
    "\n"
    "A failed task is handled, and the run still a success, when a direct child whose\n"
    "condition mentions its failure ran and succeeded. See gowtf-conditions(7).\n";

static const char filters_text[] =
    "Which runs `gowtf runs` lists:\n"
    "\n"
    "  gowtf runs payroll               of one workflow\n"
    "  gowtf runs state:failed          in a state; several with a comma\n"
    "  gowtf runs state:active          queued or running\n"
    "  gowtf runs --since 2d -n 50      created in the last two days, at most 50\n"
    "  gowtf runs --until 2026-11-23    created before that day\n"
    "\n"
    "States: queued running success failed cancelled. `gowtf ls` takes a part of a\n"
    "name or tag:NAME.\n";

static const char targets_text[] =
    "How to say which one:\n"
    "\n"
    "  payroll                a workflow; where a run is meant, its newest\n"
    "  payroll#1182, 1182     a run by its number\n"
    "  01KAQ4...              a run by its key or the beginning of it, 4 letters or more\n"
    "  @last, payroll@last    the newest run, of all or of one workflow\n"
    "  payroll@failed         the newest that failed; also @success @running @cancelled\n"
    "  1182/transform         a task of a run\n"
    "  1182/transform.2       its second attempt\n"
    "  ./payroll.yaml         a file: whatever has a / or ends in .yaml\n";

static const char environment_text[] =
    "What gowtf reads from the environment:\n"
    "\n"
    "  GOWTF_HOME       the data directory; else /var/lib/gowtf for root if it exists,\n"
    "                   $XDG_STATE_HOME/gowtf, ~/.local/state/gowtf\n"
    "  NO_COLOR         not empty: no colour\n"
    "  CLICOLOR_FORCE   not 0: colour even in a pipe; FORCE_COLOR likewise\n"
    "  GOWTF_ASCII      1: signs of plain ASCII (the default where the locale is not UTF-8)\n"
    "  TERM, COLUMNS    dumb: no colour; the width to use\n"
    "  TZ, TZDIR        the zone of this machine; where zone files are\n"
    "\n"
    "--color beats NO_COLOR, which beats CLICOLOR_FORCE, FORCE_COLOR and the terminal.\n"
    "\n"
    "What a task finds in its own:\n"
    "\n"
    "  GOWTF_WORKFLOW GOWTF_RUN_ID GOWTF_TASK GOWTF_ATTEMPT GOWTF_SCHEDULED_AT\n"
    "  GOWTF_PARAM_NAME for each parameter, and a clean PATH HOME USER LOGNAME SHELL\n"
    "  LANG TZ. Nothing else of the environment gowtf was started in.\n";

static const char json_text[] =
    "--json makes every reading command answer with one document:\n"
    "\n"
    "  {\"schema\":\"gowtf.runs/1\",\"items\":[...]}\n"
    "\n"
    "Times are RFC 3339 with milliseconds and Z, durations whole milliseconds, states\n"
    "the words of the database, what is absent is null. Within a version fields are\n"
    "only added. --json=id,state keeps those fields of each item. The HTTP interface\n"
    "answers with the same objects: see gowtf-api(7).\n";
/* clang-format on */

const struct topic topic_table[] = {
    {"yaml", "the workflow file", yaml_text, print_keys},
    {"conditions", "when a task runs", conditions_text, NULL},
    {"targets", "naming a workflow, run or task", targets_text, NULL},
    {"filters", "choosing runs", filters_text, NULL},
    {"exit-codes", "how a command ends", "", print_exit_codes},
    {"environment", "variables", environment_text, NULL},
    {"json", "answers for scripts", json_text, NULL},
};
const size_t topic_count = countof(topic_table);
