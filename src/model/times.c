/* SPDX-License-Identifier: MIT */
#include "model/times.h"

#include "model/cron.h"
#include "model/limits.h"

enum { NEAREST_ZONES_COST = 1000 }; /* of the file's budget: about as many names are compared */

static void cron_problem(struct spec *s, const struct yaml *v, size_t from,
                         const struct cron_error *e)
{
    size_t at = MIN(from + e->at, v->text.len), to = MIN(at + e->len, v->text.len);
    struct problem *p = problem_add(s->ps, CODE_CRON, spec_part(s, v, at, to), "%s", e->text);
    if (e->field)
        problem_under(s->ps, p, "the %s", e->field);
}

static void zone_check(struct spec *s, const struct load_zones *zones, const struct yaml *v,
                       struct str zone, size_t from)
{
    if (!zones || !zone.at || zones->known(zones->ctx, zone))
        return;
    struct problem *p = problem_add(s->ps, CODE_ZONE, spec_part(s, v, from, from + zone.len),
                                    "no time zone named '%s'", problem_name(s->ps, zone));
    struct str near = STR_NONE;
    if (s->nearest_left >= NEAREST_ZONES_COST) {
        s->nearest_left -= NEAREST_ZONES_COST;
        near = zones->nearest(zones->ctx, zone);
    }
    if (near.at)
        problem_suggest(s->ps, p, near);
    else
        problem_help(s->ps, p,
                     "write a name of the IANA database, such as 'Europe/Berlin' or 'UTC'");
}

static void cron_check(struct spec *s, const struct load_zones *zones, const struct yaml *v)
{
    struct str text = str_trim(v->text);
    size_t from = (size_t)(text.at - v->text.at);
    struct cron c;
    struct cron_error e = {0};
    if (!cron_parse(text, &c, &e)) {
        cron_problem(s, v, from, &e);
        return;
    }
    zone_check(s, zones, v, c.zone, c.zone.at ? (size_t)(c.zone.at - v->text.at) : 0);
    if (!c.hint)
        return;
    size_t at = from + c.hint_at;
    problem_add(s->ps, CODE_CRON_HINT, spec_part(s, v, at, at + c.hint_len), "%s", c.hint);
}

static void entry_check(struct spec *s, const struct load_zones *zones, const struct yaml *y)
{
    const struct yaml *cron = y, *zone = NULL;
    if (y->kind == YAML_MAP) {
        cron = yaml_get(y, S("cron"));
        zone = yaml_get(y, S("timezone"));
    }
    if (cron && cron->kind == YAML_SCALAR && cron->type != YAML_NULL)
        cron_check(s, zones, cron);
    if (zone && zone->kind == YAML_SCALAR)
        zone_check(s, zones, zone, zone->text, 0);
}

void schedules_check(struct spec *s, const struct load_zones *zones)
{
    if (s->timezone && s->timezone->kind == YAML_SCALAR)
        zone_check(s, zones, s->timezone, s->timezone->text, 0);
    const struct yaml *v = s->schedule;
    if (v && v->kind == YAML_LIST && v->count <= SCHEDULES_MAX)
        for (const struct yaml *y = v->first; y; y = y->next)
            entry_check(s, zones, y);
    else if (v && v->kind != YAML_LIST)
        entry_check(s, zones, v);
}
